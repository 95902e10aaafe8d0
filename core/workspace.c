#include "core/workspace.h"

#include <assert.h>
#include <stdlib.h>

#include "core/derive.h"
#include "core/match.h"

/* Names that one workspace may be searched for while it is finished: a dangling name is a mistake, a hundred
 * thousand of them are an attack. */
#define NEAR_BUDGET 1000000
/* A catalogue that may be looked through while an event is decided. */
#define NEAR_ROLES_LIMIT 1000

struct wm_workspace *wm_workspace_new(void) {
  struct wm_workspace *workspace = calloc(1, sizeof(*workspace));
  if (workspace)
    wm_arena_init(&workspace->arena, 0);
  return workspace;
}

void wm_workspace_free(struct wm_workspace *workspace) {
  if (!workspace)
    return;
  wm_index_free(workspace->index);
  wm_arena_release(&workspace->arena);
  free(workspace);
}

/* Automations, roles and channels are found by their first member. */
static_assert(offsetof(struct wm_automation, name) == 0, "the name comes first");
static_assert(offsetof(struct wm_role, name) == 0, "the name comes first");
static_assert(offsetof(struct wm_channel, name) == 0, "the name comes first");

static int by_name(const void *a, const void *b) {
  return wm_text_compare(*(const struct wm_text *)a, *(const struct wm_text *)b);
}

static int by_sequence(const void *a, const void *b) {
  int64_t first = ((const struct wm_task *)a)->sequence, second = ((const struct wm_task *)b)->sequence;
  return first < second ? -1 : first > second;
}

static void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *)) {
  if (count > 1)
    qsort(items, count, size, compare);
}

static const void *find(const void *items, size_t count, size_t size, struct wm_text name) {
  return count > 0 ? bsearch(&name, items, count, size, by_name) : NULL;
}

const struct wm_role *wm_workspace_role(const struct wm_workspace *workspace, struct wm_text name) {
  return find(workspace->roles, workspace->role_count, sizeof(*workspace->roles), name);
}

const struct wm_channel *wm_workspace_channel(const struct wm_workspace *workspace, struct wm_text name) {
  return find(workspace->channels, workspace->channel_count, sizeof(*workspace->channels), name);
}

const struct wm_automation *wm_workspace_automation(const struct wm_workspace *workspace, struct wm_text name) {
  return find(workspace->automations, workspace->automation_count, sizeof(*workspace->automations), name);
}

/* Names as wm_text_nearest wants them: NUL-terminated, ended by NULL. 'items' are structs of 'size' bytes that begin
 * with their name. NULL: out of memory. */
static const char **name_list(const void *items, size_t count, size_t size, struct wm_arena *arena) {
  const char **names = WM_ARENA_ARRAY(arena, const char *, count + 1);
  for (size_t i = 0; names && i < count; i++) {
    const struct wm_text *name = (const struct wm_text *)(const void *)((const char *)items + i * size);
    names[i] = wm_arena_copy(arena, name->bytes, name->size);
    if (!names[i])
      return NULL;
  }
  return names;
}

static int nearest(const void *items, size_t count, size_t size, struct wm_text name, struct wm_text *ret) {
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  *ret = WM_NO_TEXT;
  const char **names = name_list(items, count, size, &arena);
  const char *near = names ? wm_text_nearest(name, names) : NULL;
  const struct wm_text *found = near ? find(items, count, size, wm_text_of(near)) : NULL;
  if (found)
    *ret = *found;
  wm_arena_release(&arena);
  return names ? 0 : -1;
}

struct wm_text wm_workspace_near_role(const struct wm_workspace *workspace, struct wm_text name) {
  struct wm_text near = WM_NO_TEXT;
  if (workspace->role_count <= NEAR_ROLES_LIMIT &&
      nearest(workspace->roles, workspace->role_count, sizeof(*workspace->roles), name, &near) < 0)
    return WM_NO_TEXT;
  return near;
}

/* Finds out once what a task's dangling role or channel may have meant, so that failing costs no search. */
static int find_near(struct wm_workspace *workspace, struct wm_task *task, size_t *budget) {
  bool no_role = task->role.bytes && !wm_workspace_role(workspace, task->role);
  bool no_channel = task->channel.bytes && !wm_workspace_channel(workspace, task->channel);
  size_t count = no_role ? workspace->role_count : no_channel ? workspace->channel_count : 0;
  if (count == 0 || count > *budget)
    return 0;
  *budget -= count;
  return no_role ? nearest(workspace->roles, count, sizeof(*workspace->roles), task->role, &task->near)
                 : nearest(workspace->channels, count, sizeof(*workspace->channels), task->channel, &task->near);
}

static bool reads_roles(const struct wm_condition *condition) {
  if (condition->kind == WM_FIELD)
    return condition->path.root == WM_PATH_USER_ROLES;
  for (size_t i = 0; i < condition->count; i++)
    if (reads_roles(&condition->children[i]))
      return true;
  return false;
}

static int finish_automations(struct wm_workspace *workspace) {
  size_t budget = NEAR_BUDGET;
  for (size_t i = 0; i < workspace->automation_count; i++) {
    struct wm_automation *automation = &workspace->automations[i];
    sort(automation->tasks, automation->task_count, sizeof(*automation->tasks), by_sequence);
    automation->reads_roles = reads_roles(&automation->when);
    for (size_t t = 0; t < automation->task_count; t++)
      if (find_near(workspace, &automation->tasks[t], &budget) < 0)
        return -1;
  }
  return 0;
}

int wm_workspace_finish(struct wm_workspace *workspace, struct wm_error *error) {
  sort(workspace->automations, workspace->automation_count, sizeof(*workspace->automations), by_name);
  sort(workspace->roles, workspace->role_count, sizeof(*workspace->roles), by_name);
  sort(workspace->channels, workspace->channel_count, sizeof(*workspace->channels), by_name);
  if (finish_automations(workspace) < 0)
    return wm_error_memory(error);
  workspace->derive = wm_derive_new(workspace->roles, workspace->role_count, &workspace->arena);
  workspace->index = wm_index_new(workspace->automations, workspace->automation_count);
  if (!workspace->derive || !workspace->index)
    return wm_error_memory(error);
  return 0;
}

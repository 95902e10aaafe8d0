#include "core/workspace.h"

#include <assert.h>
#include <stdlib.h>

#include "core/derive.h"
#include "core/hash.h"
#include "core/match.h"

/* Names that one workspace may be searched for while it is finished: a dangling name is a mistake, a hundred
 * thousand of them are an attack. */
#define NEAR_BUDGET 1000000
/* A catalogue that may be looked through while an event is decided. */
#define NEAR_ROLES_LIMIT 1000

struct wm_workspace *wm_workspace_new(void) {
  struct wm_workspace *workspace = calloc(1, sizeof(*workspace));
  if (workspace) {
    wm_arena_init(&workspace->arena, 0);
    wm_arena_init(&workspace->derive_arena, 4096);
  }
  return workspace;
}

void wm_workspace_free(struct wm_workspace *workspace) {
  if (!workspace)
    return;
  wm_index_free(workspace->index);
  wm_arena_release(&workspace->derive_arena);
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

struct wm_text wm_workspace_near_automation(const struct wm_workspace *workspace, struct wm_text name) {
  struct wm_text near = WM_NO_TEXT;
  if (workspace->automation_count <= NEAR_ROLES_LIMIT &&
      nearest(workspace->automations, workspace->automation_count, sizeof(*workspace->automations), name, &near) < 0)
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

/* --- indexes --- */

static int index_automations(struct wm_workspace *workspace, struct wm_error *error) {
  wm_index_free(workspace->index);
  workspace->index = wm_index_new(workspace->automations, workspace->automation_count);
  return workspace->index ? 0 : wm_error_memory(error);
}

static int index_roles(struct wm_workspace *workspace, struct wm_error *error) {
  wm_arena_rewind(&workspace->derive_arena);
  workspace->derive = wm_derive_new(workspace->roles, workspace->role_count, &workspace->derive_arena);
  return workspace->derive ? 0 : wm_error_memory(error);
}

int wm_workspace_finish(struct wm_workspace *workspace, struct wm_error *error) {
  sort(workspace->automations, workspace->automation_count, sizeof(*workspace->automations), by_name);
  sort(workspace->roles, workspace->role_count, sizeof(*workspace->roles), by_name);
  sort(workspace->channels, workspace->channel_count, sizeof(*workspace->channels), by_name);
  if (finish_automations(workspace) < 0)
    return wm_error_memory(error);
  for (size_t i = 0; i < workspace->automation_count; i++)
    workspace->automations[i].written_enabled = workspace->automations[i].enabled;
  for (size_t i = 0; i < workspace->role_count; i++)
    workspace->roles[i].written_status = workspace->roles[i].status;
  workspace->written_catalogue = workspace->catalogue_digest;
  return index_automations(workspace, error) < 0 || index_roles(workspace, error) < 0 ? -1 : 0;
}

/* --- what was said at run time --- */

static size_t switch_automations(struct wm_workspace *workspace, const struct wm_running *running) {
  size_t changed = 0;
  for (size_t i = 0; i < workspace->automation_count; i++) {
    struct wm_automation *automation = &workspace->automations[i];
    bool enabled = wm_running_enabled(running, automation->name, automation->written_enabled);
    changed += enabled != automation->enabled;
    automation->enabled = enabled;
  }
  return changed;
}

static size_t archive_roles(struct wm_workspace *workspace, const struct wm_running *running) {
  size_t changed = 0;
  for (size_t i = 0; i < workspace->role_count; i++) {
    struct wm_role *role = &workspace->roles[i];
    enum wm_role_status status = wm_running_status(running, role->name, role->written_status);
    changed += status != role->status;
    role->status = status;
  }
  return changed;
}

/* The catalogue's name follows those of its roles that stand otherwise than they are written. */
static void name_catalogue(struct wm_workspace *workspace) {
  static const char digits[] = "0123456789abcdef";
  uint64_t hash = wm_hash(workspace->written_catalogue);
  bool as_written = true;
  for (size_t i = 0; i < workspace->role_count; i++) {
    const struct wm_role *role = &workspace->roles[i];
    if (role->status == role->written_status)
      continue;
    const char state[] = {role->status == WM_ROLE_ARCHIVED ? 'a' : 'r'};
    hash = (hash ^ wm_hash_pair(role->name, (struct wm_text){state, sizeof state})) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
    as_written = false;
  }
  for (size_t i = 0; i < sizeof workspace->overlaid - 1; i++)
    workspace->overlaid[i] = digits[hash >> (60 - 4 * i) & 15];
  workspace->catalogue_digest =
      as_written ? workspace->written_catalogue : (struct wm_text){workspace->overlaid, sizeof workspace->overlaid - 1};
}

int wm_workspace_overlay(struct wm_workspace *workspace, const struct wm_running *running, struct wm_overlay *ret,
                         struct wm_error *error) {
  *ret = (struct wm_overlay){switch_automations(workspace, running), archive_roles(workspace, running)};
  if (ret->automations > 0 && index_automations(workspace, error) < 0)
    return -1;
  if (ret->roles > 0 && index_roles(workspace, error) < 0)
    return -1;
  if (ret->roles > 0)
    name_catalogue(workspace);
  return 0;
}

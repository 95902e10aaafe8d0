/* A workspace against the one that is live: what registers, failures and control records know by name or number must
 * keep it. The name of a role is its uid [002]; grants are kept by the name of the automation; a task is its sequence.
 */
#include <stdlib.h>

#include "core/sample.h"

/* Something new by what it has in common with something that is gone. The text comes first, for bsearch. */
struct trait {
  struct wm_text text;
  const void *item;
};

static int by_text(const void *left, const void *right) {
  const struct trait *a = left, *b = right;
  return wm_text_compare(a->text, b->text);
}

static const void *find(const struct trait *traits, size_t count, struct wm_text text) {
  const struct trait key = {.text = text};
  const struct trait *found = text.size > 0 && count > 0 ? bsearch(&key, traits, count, sizeof(key), by_text) : NULL;
  return found ? found->item : NULL;
}

static void sort(struct trait *traits, size_t count) {
  if (count > 1)
    qsort(traits, count, sizeof(*traits), by_text);
}

struct against {
  const struct wm_workspace *workspace, *live;
  struct wm_findings *findings;
  struct wm_arena arena;
};

/* --- roles --- */

/* How many tasks of the live automations name each live role. */
static size_t *count_uses(struct against *against) {
  const struct wm_workspace *live = against->live;
  size_t *uses = WM_ARENA_ARRAY(&against->arena, size_t, live->role_count + 1);
  for (size_t i = 0; uses && i < live->automation_count; i++) {
    for (size_t t = 0; t < live->automations[i].task_count; t++) {
      const struct wm_text name = live->automations[i].tasks[t].role;
      const struct wm_role *role = name.bytes ? wm_workspace_role(live, name) : NULL;
      uses[role ? (size_t)(role - live->roles) : live->role_count]++;
    }
  }
  return uses;
}

static void report_gone(struct against *against, const struct wm_role *role, size_t uses) {
  struct wm_buf buf = WM_BUF_INIT;
  if (uses > 0)
    wm_buf_printf(&buf, ", and %zu task%s of the live automations name%s it", uses, uses == 1 ? "" : "s",
                  uses == 1 ? "s" : "");
  wm_findings_add(against->findings, WM_WARNING, WM_E_ROLE_GONE, role->file, role->line, role->column,
                  "the role '%.*s' is live and gone from the new catalogue: whoever holds it loses it%s; keep it with "
                  "'status: archived'",
                  WM_TEXT_ARG(role->name), buf.bytes && !buf.failed ? buf.bytes : "");
  wm_buf_release(&buf);
}

static void report_renamed(struct against *against, const struct wm_role *role, const struct wm_role *before,
                           const char *what) {
  wm_findings_add(against->findings, WM_ERROR, WM_E_ROLE_RENAMED, role->file, role->line, role->column,
                  "the role '%.*s' is live as '%.*s', with the same %s: the name of a role is its uid and never "
                  "changes; keep '%.*s', change the label",
                  WM_TEXT_ARG(role->name), WM_TEXT_ARG(before->name), what, WM_TEXT_ARG(before->name));
}

static void check_roles(struct against *against) {
  const struct wm_workspace *workspace = against->workspace, *live = against->live;
  struct trait *labels = WM_ARENA_ARRAY(&against->arena, struct trait, workspace->role_count + 1);
  struct trait *descriptions = WM_ARENA_ARRAY(&against->arena, struct trait, workspace->role_count + 1);
  const size_t *uses = count_uses(against);
  size_t count = 0;
  if (!labels || !descriptions || !uses) {
    against->findings->failed = true;
    return;
  }
  for (size_t i = 0; i < workspace->role_count; i++) {
    const struct wm_role *role = &workspace->roles[i];
    if (wm_workspace_role(live, role->name))
      continue;
    labels[count] = (struct trait){role->label, role};
    descriptions[count++] = (struct trait){role->description, role};
  }
  sort(labels, count);
  sort(descriptions, count);
  for (size_t i = 0; i < live->role_count; i++) {
    const struct wm_role *before = &live->roles[i], *same;
    if (wm_workspace_role(workspace, before->name))
      continue;
    if ((same = find(labels, count, before->label)))
      report_renamed(against, same, before, "label");
    else if ((same = find(descriptions, count, before->description)))
      report_renamed(against, same, before, "description");
    else
      report_gone(against, before, uses[i]);
  }
}

/* --- automations --- */

static void add_task(struct wm_buf *buf, const struct wm_task *task) {
  wm_buf_printf(buf, "%s %.*s %.*s %d\n", task->type->name, WM_TEXT_ARG(task->role), WM_TEXT_ARG(task->channel),
                (int)task->action);
}

/* Trigger and tasks: what is the same in two automations of which one is the other under a new name. */
static struct wm_text shape_of(struct against *against, const struct wm_automation *automation) {
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_text shape = WM_NO_TEXT;
  for (size_t i = 0; i < automation->trigger_count; i++)
    wm_buf_printf(&buf, "%.*s\n", WM_TEXT_ARG(automation->triggers[i]));
  for (size_t i = 0; i < automation->task_count; i++)
    add_task(&buf, &automation->tasks[i]);
  if (buf.failed || wm_arena_text(&against->arena, (struct wm_text){buf.bytes, buf.size}, &shape) < 0)
    against->findings->failed = true;
  wm_buf_release(&buf);
  return shape;
}

static void check_names(struct against *against) {
  const struct wm_workspace *workspace = against->workspace, *live = against->live;
  struct trait *shapes = WM_ARENA_ARRAY(&against->arena, struct trait, workspace->automation_count + 1);
  size_t count = 0;
  for (size_t i = 0; shapes && i < workspace->automation_count; i++)
    if (!wm_workspace_automation(live, workspace->automations[i].name))
      shapes[count++] = (struct trait){shape_of(against, &workspace->automations[i]), &workspace->automations[i]};
  against->findings->failed |= !shapes;
  sort(shapes, count);
  for (size_t i = 0; count > 0 && i < live->automation_count; i++) {
    const struct wm_automation *before = &live->automations[i], *same;
    if (wm_workspace_automation(workspace, before->name) || !(same = find(shapes, count, shape_of(against, before))))
      continue;
    wm_findings_add(against->findings, WM_WARNING, WM_E_AUTOMATION_RENAMED, same->file, same->line, same->column,
                    "automation '%.*s' is live as '%.*s': what that one gave stays under its name beside what this one "
                    "gives, 'repeat' counts anew, and 'on' and 'off' are forgotten",
                    WM_TEXT_ARG(same->name), WM_TEXT_ARG(before->name));
  }
}

/* --- tasks --- */

static bool is_same(const struct wm_task *a, const struct wm_task *b) {
  return a->type == b->type && a->action == b->action && wm_text_equal(a->role, b->role) &&
         wm_text_equal(a->channel, b->channel);
}

static const struct wm_task *task_at(const struct wm_automation *automation, int64_t sequence) {
  for (size_t i = 0; i < automation->task_count; i++)
    if (automation->tasks[i].sequence == sequence)
      return &automation->tasks[i];
  return NULL;
}

/* The one that this task was, where its sequence is no longer what it was. NULL: none, the task is new. */
static const struct wm_task *former(const struct wm_automation *before, const struct wm_automation *automation,
                                    const struct wm_task *task) {
  for (size_t i = 0; i < before->task_count; i++) {
    const struct wm_task *old = &before->tasks[i], *now = task_at(automation, old->sequence);
    if (is_same(old, task) && wm_text_equal(old->name, task->name) && !(now && is_same(old, now)))
      return old;
  }
  return NULL;
}

static void check_tasks(struct against *against, const struct wm_automation *automation,
                        const struct wm_automation *before) {
  for (size_t i = 0; i < automation->task_count; i++) {
    const struct wm_task *task = &automation->tasks[i], *old = task_at(before, task->sequence);
    if (old && is_same(old, task))
      continue;
    const struct wm_task *moved = former(before, automation, task);
    if (moved)
      wm_findings_add(against->findings, WM_WARNING, WM_E_TASK_MOVED, automation->file, task->line, task->column,
                      "this task is live with sequence %lld: clocks, failures and replays know it by that number; keep "
                      "it, and number new tasks anew",
                      (long long)moved->sequence);
    else if (old)
      wm_findings_add(against->findings, WM_WARNING, WM_E_TASK_MOVED, automation->file, task->line, task->column,
                      "sequence %lld is live as the task '%.*s': clocks, failures and replays take this task for that "
                      "one; give it a number of its own",
                      (long long)task->sequence, WM_TEXT_ARG(wm_text_shown(old->name)));
  }
}

void wm_lint_against(const struct wm_workspace *workspace, const struct wm_workspace *live,
                     struct wm_findings *findings) {
  struct against against = {.workspace = workspace, .live = live, .findings = findings};
  wm_arena_init(&against.arena, 0);
  check_roles(&against);
  check_names(&against);
  for (size_t i = 0; i < workspace->automation_count; i++) {
    const struct wm_automation *before = wm_workspace_automation(live, workspace->automations[i].name);
    if (before)
      check_tasks(&against, &workspace->automations[i], before);
  }
  wm_arena_release(&against.arena);
}

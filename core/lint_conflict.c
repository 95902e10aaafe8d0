/* Tasks that take what other tasks give, on one and the same event. */
#include <stdlib.h>

#include "core/lint.h"

#define PAIRS_LIMIT 200000 /* pairs of tasks looked at: lint must end */

struct change {
  const struct wm_automation *automation;
  const struct wm_task *task;
};

static int by_role(const void *left, const void *right) {
  const struct change *a = left, *b = right;
  int order = wm_text_compare(a->task->role, b->task->role);
  if (order == 0)
    order = wm_text_compare(a->automation->name, b->automation->name);
  if (order == 0)
    order = a->task->sequence < b->task->sequence ? -1 : a->task->sequence > b->task->sequence;
  return order;
}

static bool overlap(struct wm_text a, struct wm_text b) {
  bool any_a = wm_text_ends_with(a, WM_TEXT("*")), any_b = wm_text_ends_with(b, WM_TEXT("*"));
  struct wm_text stem_a = {a.bytes, a.size - any_a}, stem_b = {b.bytes, b.size - any_b};
  if (any_a && wm_text_starts_with(stem_b, stem_a))
    return true;
  return any_b ? wm_text_starts_with(stem_a, stem_b) : wm_text_equal(a, b);
}

static bool share_trigger(const struct wm_automation *a, const struct wm_automation *b) {
  for (size_t i = 0; i < a->trigger_count; i++)
    for (size_t j = 0; j < b->trigger_count; j++)
      if (overlap(a->triggers[i], b->triggers[j]))
        return true;
  return false;
}

static bool may_meet(const struct wm_automation *a, const struct wm_automation *b) {
  const struct lint_must *first, *second;
  struct lint_musts mine = {.count = 0}, theirs = {.count = 0};
  if (a == b)
    return true;
  if (!share_trigger(a, b))
    return false;
  lint_collect(&a->when, &mine);
  lint_collect(&b->when, &theirs);
  return !lint_contradiction(&mine, &theirs, &first, &second);
}

static void check_pair(const struct change *first, const struct change *second, struct wm_findings *findings) {
  if (first->task->action == second->task->action || !may_meet(first->automation, second->automation))
    return;
  bool gives = second->task->action == WM_ADD;
  if (first->automation == second->automation)
    wm_findings_add(findings, WM_WARNING, WM_E_CONFLICT, second->automation->file, second->task->line,
                    second->task->column, "this task %s the role '%.*s' that the task in line %u %s",
                    gives ? "gives" : "takes", WM_TEXT_ARG(second->task->role), first->task->line,
                    gives ? "takes" : "gives");
  else
    wm_findings_add(
        findings, WM_WARNING, WM_E_CONFLICT, second->automation->file, second->task->line, second->task->column,
        "this task %s the role '%.*s' that automation '%.*s' %s, and one event may run both", gives ? "gives" : "takes",
        WM_TEXT_ARG(second->task->role), WM_TEXT_ARG(first->automation->name), gives ? "takes" : "gives");
}

static struct change *collect(const struct wm_workspace *workspace, size_t *ret_count) {
  size_t count = 0, at = 0;
  for (size_t i = 0; i < workspace->automation_count; i++)
    count += workspace->automations[i].task_count;
  struct change *changes = calloc(count + 1, sizeof(*changes));
  for (size_t i = 0; changes && i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    for (size_t t = 0; automation->enabled && t < automation->task_count; t++)
      if (automation->tasks[t].type == &wm_change_role)
        changes[at++] = (struct change){automation, &automation->tasks[t]};
  }
  *ret_count = at;
  return changes;
}

void lint_conflicts(const struct wm_workspace *workspace, struct wm_findings *findings) {
  size_t count, pairs = 0;
  struct change *changes = collect(workspace, &count);
  if (!changes) {
    findings->failed = true;
    return;
  }
  if (count > 1)
    qsort(changes, count, sizeof(*changes), by_role);
  for (size_t i = 0; i < count; i++)
    for (size_t j = i + 1; j < count && wm_text_equal(changes[i].task->role, changes[j].task->role); j++)
      if (pairs++ < PAIRS_LIMIT)
        check_pair(&changes[i], &changes[j], findings);
      else
        break;
  free(changes);
}

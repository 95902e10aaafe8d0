/* Tasks that take what other tasks give, on one and the same event. */
#include <stdlib.h>

#include "core/lint.h"

#define PAIRS_LIMIT 2000000 /* pairs of tasks that get a quick look: lint must end */
#define STEPS 1000
#define TELL_LIMIT 3       /* pairs that are told of one task */
#define EXAMPLE_LIMIT 1000 /* bytes: longer ones help nobody */

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

static const char *verb(const struct wm_task *task) {
  return task->action == WM_ADD ? "gives" : "takes";
}

static void report_own(struct lint_run *run, const struct change *first, const struct change *second) {
  const struct wm_task *task = second->task;
  wm_findings_add(run->findings, WM_WARNING, WM_E_CONFLICT, second->automation->file, task->line, task->column,
                  "this task %s the role '%.*s' that the task in line %u %s", verb(task), WM_TEXT_ARG(task->role),
                  first->task->line, verb(first->task));
}

static void report_pair(struct lint_run *run, const struct change *first, const struct change *second,
                        const struct lint_answer *answer) {
  const struct wm_task *task = second->task;
  struct wm_buf example = WM_BUF_INIT;
  if (answer->verdict == LINT_SHOWN)
    lint_example_print(&answer->example, &example);
  bool shown = example.size > 0 && example.size <= EXAMPLE_LIMIT && !example.failed;
  wm_findings_add(run->findings, WM_WARNING, WM_E_CONFLICT, second->automation->file, task->line, task->column,
                  "this task %s the role '%.*s' that automation '%.*s' %s, and one event may run both%s%s", verb(task),
                  WM_TEXT_ARG(task->role), WM_TEXT_ARG(first->automation->name), verb(first->task),
                  shown ? ", such as " : ", though no short example was found", shown ? example.bytes : "");
  wm_buf_release(&example);
}

/* True: it was told. */
static bool check_pair(struct lint_run *run, const struct change *first, const struct change *second) {
  if (first->automation == second->automation) {
    report_own(run, first, second);
    return true;
  }
  if (!lint_may_meet(run, first->automation, second->automation, false))
    return false;
  const struct wm_automation *const both[] = {first->automation, second->automation};
  const struct lint_goal goal = {.automations = both, .automation_count = 2, .journey = true};
  struct lint_answer answer;
  lint_search(run, &goal, STEPS, true, &answer);
  if (answer.verdict == LINT_NEVER)
    return false;
  report_pair(run, first, second, &answer);
  return true;
}

static struct change *collect(const struct lint_run *run, size_t *ret_count) {
  const struct wm_workspace *workspace = run->workspace;
  size_t count = 0, at = 0;
  for (size_t i = 0; i < workspace->automation_count; i++)
    count += workspace->automations[i].task_count;
  struct change *changes = calloc(count + 1, sizeof(*changes));
  for (size_t i = 0; changes && i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    for (size_t t = 0; automation->enabled && !run->dead[i] && t < automation->task_count; t++)
      if (automation->tasks[t].type == &wm_change_role)
        changes[at++] = (struct change){automation, &automation->tasks[t]};
  }
  *ret_count = at;
  return changes;
}

void lint_conflicts(struct lint_run *run) {
  size_t count, pairs = PAIRS_LIMIT;
  struct change *changes = collect(run, &count);
  if (!changes) {
    run->findings->failed = true;
    return;
  }
  if (count > 1)
    qsort(changes, count, sizeof(*changes), by_role);
  for (size_t j = 1, group = 0; j < count; j++) {
    size_t told = 0;
    if (!wm_text_equal(changes[group].task->role, changes[j].task->role))
      group = j;
    for (size_t i = group; i < j && told < TELL_LIMIT && pairs > 0; i++) {
      if (changes[i].task->action == changes[j].task->action)
        continue;
      pairs--;
      told += check_pair(run, &changes[i], &changes[j]);
    }
  }
  free(changes);
}

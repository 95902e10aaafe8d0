/* What a test names must be there: a slip of the pen would prove anything. */
#include "core/case.h"
#include "core/lint.h"

#define NEAR_ARG(near) (near).bytes ? ", did you mean '" : "", WM_TEXT_ARG(near), (near).bytes ? "'" : ""

#define NEAR_LIMIT 100 /* names that are compared with all there are: a few slips are mistakes, thousands an attack */

/* The tests while they are looked at. */
struct cases {
  const struct wm_workspace *workspace;
  struct wm_findings *findings;
  const struct wm_case *test;
  size_t near_count;
};

static void report(const struct cases *cases, enum wm_code code, struct wm_place place, const char *what,
                   struct wm_text name, struct wm_text near) {
  wm_findings_add(cases->findings, WM_ERROR, code, cases->test->file, place.line, place.column, "%s '%.*s'%s%.*s%s",
                  what, WM_TEXT_ARG(wm_text_shown(name)), NEAR_ARG(near));
}

static bool may_look(struct cases *cases) {
  return cases->near_count++ < NEAR_LIMIT;
}

static void check_role(struct cases *cases, const struct wm_expected_role *role) {
  if (!wm_workspace_role(cases->workspace, role->role))
    report(cases, WM_E_ROLE_UNKNOWN, role->place, "the catalogue has no role", role->role,
           may_look(cases) ? wm_workspace_near_role(cases->workspace, role->role) : WM_NO_TEXT);
}

/* NULL: there is none, that was reported. */
static const struct wm_automation *check_automation(struct cases *cases, struct wm_text name, struct wm_place place) {
  const struct wm_automation *automation = wm_workspace_automation(cases->workspace, name);
  if (!automation)
    report(cases, WM_E_TEST_DANGLING, place, "the workspace has no automation", name,
           may_look(cases) ? wm_workspace_near_automation(cases->workspace, name) : WM_NO_TEXT);
  return automation;
}

static bool has_task(const struct wm_automation *automation, int64_t sequence) {
  for (size_t i = 0; i < automation->task_count; i++)
    if (automation->tasks[i].sequence == sequence)
      return true;
  return false;
}

static void check_run(struct cases *cases, const struct wm_expected_run *run) {
  if (!run->automation.bytes)
    return;
  const struct wm_automation *automation = check_automation(cases, run->automation, run->place);
  for (size_t i = 0; automation && i < run->task_count; i++)
    if (!has_task(automation, run->tasks[i].sequence))
      wm_findings_add(cases->findings, WM_ERROR, WM_E_TEST_DANGLING, cases->test->file, run->tasks[i].place.line,
                      run->tasks[i].place.column, "automation '%.*s' has no task with sequence %lld",
                      WM_TEXT_ARG(run->automation), (long long)run->tasks[i].sequence);
}

static void check_message(struct cases *cases, const struct wm_expected_message *message) {
  if (message->automation.bytes)
    check_automation(cases, message->automation, message->automation_place);
  if (message->channel.bytes && !wm_workspace_channel(cases->workspace, message->channel))
    report(cases, WM_E_CHANNEL_UNKNOWN, message->channel_place, "the workspace has no channel", message->channel,
           WM_NO_TEXT);
}

static void check_step(struct cases *cases, const struct wm_expectation *then) {
  for (size_t i = 0; i < then->role_count; i++)
    check_role(cases, &then->roles[i]);
  for (size_t i = 0; i < then->run_count; i++)
    check_run(cases, &then->runs[i]);
  for (size_t i = 0; then->messages && i < then->message_count; i++)
    check_message(cases, &then->messages[i]);
}

void lint_cases(const struct wm_workspace *workspace, struct wm_findings *findings) {
  struct cases cases = {.workspace = workspace, .findings = findings};
  for (size_t i = 0; i < workspace->case_count; i++) {
    const struct wm_case *test = cases.test = &workspace->cases[i];
    for (size_t role = 0; role < test->had_count; role++)
      check_role(&cases, &test->had[role]);
    for (size_t on = 0; on < test->on_count; on++)
      check_run(&cases, &test->on[on]);
    for (size_t step = 0; step < test->step_count; step++)
      check_step(&cases, &test->steps[step].then);
    if (!wm_case_proves(test))
      wm_findings_add(findings, WM_WARNING, WM_E_NOTHING_TO_DO, test->file, test->line, test->column,
                      "test '%.*s' expects nothing, so it proves nothing: give it a 'then'",
                      WM_TEXT_ARG(wm_text_shown(test->name)));
  }
}

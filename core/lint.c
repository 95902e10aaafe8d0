/* What can be said about a workspace that could be read. */
#include "core/lint.h"

static void check_order(const struct wm_automation *automation, struct wm_findings *findings) {
  for (size_t i = 1; i < automation->task_count; i++) {
    const struct wm_task *before = &automation->tasks[i - 1], *task = &automation->tasks[i];
    bool above = task->line < before->line || (task->line == before->line && task->column < before->column);
    if (!above)
      continue;
    wm_findings_add(findings, WM_WARNING, WM_E_SEQUENCE_ORDER, automation->file, task->line, task->column,
                    "this task has sequence %lld and runs after the one in line %u with %lld: tasks run by sequence, "
                    "not by place",
                    (long long)task->sequence, before->line, (long long)before->sequence);
  }
}

/* 'event.type: x' of a type that no trigger takes. */
static void check_type(const struct lint *lint, const struct wm_automation *automation) {
  struct lint_musts musts = {.count = 0};
  lint_collect(&automation->when, &musts);
  for (size_t i = 0; i < musts.count; i++) {
    const struct wm_path *path = musts.items[i].path;
    const struct wm_test *test = musts.items[i].test;
    bool type = path->root == WM_PATH_EVENT && wm_text_is(path->names[0], "type");
    if (type && strcmp(test->operator->name, "is") == 0 && test->operand.type == WM_STRING &&
        !wm_automation_takes(automation, test->operand.string))
      wm_findings_add(lint->findings, WM_WARNING, WM_E_DEAD_RULE, lint->file, test->line, test->column,
                      "no trigger takes '%.*s', so automation '%.*s' is never run", WM_TEXT_ARG(test->operand.string),
                      WM_TEXT_ARG(automation->name));
  }
}

static void check_automation(const struct wm_workspace *workspace, const struct wm_automation *automation,
                             struct wm_findings *findings) {
  const struct lint lint = {workspace, findings, automation->file, "automation", automation->name};
  for (size_t i = 0; i < automation->task_count; i++)
    automation->tasks[i].type->check(workspace, automation, &automation->tasks[i], findings);
  check_order(automation, findings);
  lint_fields(&lint, &automation->when);
  lint_dead(&lint, &automation->when);
  check_type(&lint, automation);
}

static void check_role(const struct wm_workspace *workspace, const struct wm_role *role, struct wm_findings *findings) {
  const struct lint lint = {workspace, findings, role->file, "role", role->name};
  for (size_t i = 0; i < role->criterion_count; i++) {
    if (role->criteria[i].kind != WM_CRITERION_WHEN)
      continue;
    lint_fields(&lint, &role->criteria[i].when);
    lint_dead(&lint, &role->criteria[i].when);
  }
}

void wm_lint(const struct wm_workspace *workspace, struct wm_findings *findings) {
  for (size_t i = 0; i < workspace->automation_count; i++)
    check_automation(workspace, &workspace->automations[i], findings);
  for (size_t i = 0; i < workspace->role_count; i++)
    check_role(workspace, &workspace->roles[i], findings);
  lint_conflicts(workspace, findings);
  lint_cases(workspace, findings);
  if (workspace->automation_count + workspace->role_count + workspace->channel_count == 0)
    wm_findings_add(findings, WM_WARNING, WM_E_NOTHING_TO_DO, WM_NO_TEXT, 0, 0,
                    "no document has an automation, a role or a channel");
}

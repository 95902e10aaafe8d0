/* What can be said about a workspace that could be read. */
#include "core/lint.h"

void lint_search(struct lint_run *run, const struct lint_goal *goal, size_t steps, bool examples,
                 struct lint_answer *ret) {
  steps = steps < run->steps ? steps : run->steps;
  run->steps -= steps;
  wm_arena_rewind(&run->scratch);
  if (lint_solve(goal, &steps, examples, &run->scratch, ret) < 0) {
    run->findings->failed = true;
    ret->verdict = LINT_PERHAPS;
  }
  run->steps += steps;
}

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

/* Fields first: what never fits its field makes the whole dead, and is to be mended there. True: it never holds. */
static bool check_condition(const struct lint *lint, const struct wm_condition *condition,
                            const struct wm_automation *automation) {
  size_t before = lint->run->findings->warnings;
  lint_fields(lint, condition);
  return lint->run->findings->warnings == before && lint_dead(lint, condition, automation);
}

static void check_automation(struct lint_run *run, const struct wm_automation *automation) {
  const struct lint lint = {run, automation->file, "automation", automation->name};
  for (size_t i = 0; i < automation->task_count; i++)
    automation->tasks[i].type->check(run->workspace, automation, &automation->tasks[i], run->findings);
  check_order(automation, run->findings);
  run->dead[lint_position(run, automation)] = check_condition(&lint, &automation->when, automation);
}

static void check_role(struct lint_run *run, size_t index) {
  const struct wm_role *role = &run->workspace->roles[index];
  const struct lint lint = {run, role->file, "role", role->name};
  for (size_t i = 0; i < role->criterion_count; i++) {
    bool dead = role->criteria[i].kind == WM_CRITERION_WHEN && check_condition(&lint, &role->criteria[i].when, NULL);
    run->derivable[index] |= !dead;
    lint_criterion(run, role, &role->criteria[i]);
  }
}

static void check_all(struct lint_run *run) {
  const struct wm_workspace *workspace = run->workspace;
  bool floor = lint_has_floor(run);
  for (size_t i = 0; i < workspace->automation_count; i++)
    check_automation(run, &workspace->automations[i]);
  for (size_t i = 0; i < workspace->role_count; i++)
    check_role(run, i);
  for (size_t i = 0; i < workspace->automation_count; i++)
    if (!run->dead[i])
      lint_access(run, &workspace->automations[i], floor);
  lint_nobody(run);
  lint_conflicts(run);
  lint_loops(run);
  lint_cases(workspace, run->findings);
  if (workspace->automation_count + workspace->role_count + workspace->channel_count == 0)
    wm_findings_add(run->findings, WM_WARNING, WM_E_NOTHING_TO_DO, WM_NO_TEXT, 0, 0,
                    "no document has an automation, a role or a channel");
}

void wm_lint(const struct wm_workspace *workspace, const struct wm_lint_terms *terms, struct wm_findings *findings) {
  struct lint_run run = {
      .workspace = workspace, .terms = terms, .findings = findings, .looks = LINT_LOOKS, .steps = LINT_STEPS};
  wm_arena_init(&run.arena, 0);
  wm_arena_init(&run.scratch, 0);
  run.dead = WM_ARENA_ARRAY(&run.arena, bool, workspace->automation_count + 1);
  run.derivable = WM_ARENA_ARRAY(&run.arena, bool, workspace->role_count + 1);
  run.musts = WM_ARENA_ARRAY(&run.arena, struct lint_musts, workspace->automation_count + 1);
  if (run.dead && run.derivable && run.musts)
    check_all(&run);
  else
    findings->failed = true;
  wm_arena_release(&run.scratch);
  wm_arena_release(&run.arena);
}

/* Who may be left without access, who can never get it, and who can take it for himself.
 * [000] Maintain Baseline Access, Users Lost Access After Role Removal */
#include "core/lint.h"

static bool changes_role(const struct wm_task *task, enum wm_action action) {
  return task->type == &wm_change_role && task->action == action;
}

/* Can tasks give and take it at all? Where they can't, another finding says so. */
static bool is_automated(const struct wm_role *role) {
  return role && role->kind == WM_ROLE_PORTAL && !role->managed;
}

/* --- a switch that takes before it gives --- */

/* One event is decided and committed as a whole, so nobody sees the moment between the tasks. What is left is that
 * the second task fails, for a user who is not active or does not fit, and the first one has been done. */
static void check_gap(struct lint_run *run, const struct wm_automation *automation) {
  const struct wm_task *taken = NULL;
  for (size_t i = 0; i < automation->task_count; i++) {
    const struct wm_task *task = &automation->tasks[i];
    const struct wm_role *role = task->type == &wm_change_role ? wm_workspace_role(run->workspace, task->role) : NULL;
    if (!is_automated(role))
      continue;
    if (!taken && task->action == WM_REMOVE)
      taken = task;
    if (!taken || task->action != WM_ADD || wm_text_equal(task->role, taken->role))
      continue;
    wm_findings_add(run->findings, WM_WARNING, WM_E_SWITCH_GAP, automation->file, taken->line, taken->column,
                    "this task takes the role '%.*s' before the task in line %u gives '%.*s': when that one fails, the "
                    "user has neither; give first, with 'on-failure: stop'",
                    WM_TEXT_ARG(taken->role), task->line, WM_TEXT_ARG(task->role));
    return;
  }
}

/* --- the last role --- */

bool lint_has_floor(const struct lint_run *run) {
  const struct wm_workspace *workspace = run->workspace;
  if (!run->terms || workspace->baseline.bytes)
    return true;
  for (size_t i = 0; i < workspace->role_count; i++) {
    const struct wm_role *role = &workspace->roles[i];
    bool everybody = role->status == WM_ROLE_ACTIVE && !role->type.bytes && role->portal_count == 0;
    for (size_t c = 0; c < role->criterion_count && everybody; c++)
      if (role->criteria[c].kind == WM_CRITERION_ALL)
        return true;
  }
  return false;
}

static bool takes(const struct wm_automation *automation, struct wm_text role) {
  for (size_t i = 0; i < automation->task_count; i++)
    if (changes_role(&automation->tasks[i], WM_REMOVE) && wm_text_equal(automation->tasks[i].role, role))
      return true;
  return false;
}

/* Does the condition ask for a role that stays? Of 'has-any' every one must stay. */
static bool keeps_role(struct lint_run *run, const struct wm_automation *automation) {
  const struct lint_musts *musts = lint_musts_of(run, automation);
  for (size_t i = 0; i < musts->count; i++) {
    const struct lint_literal *must = &musts->items[i];
    enum lint_form form = lint_form_of(must);
    size_t count, staying = 0;
    if (must->path->root != WM_PATH_USER_ROLES || (form != LINT_HAS_ALL && form != LINT_HAS_ANY))
      continue;
    const struct wm_value *roles = lint_operands(must, &count);
    for (size_t r = 0; r < count; r++)
      staying += roles[r].type == WM_STRING && !takes(automation, roles[r].string);
    if (form == LINT_HAS_ALL ? staying > 0 : staying == count)
      return true;
  }
  return false;
}

static void check_lock_out(struct lint_run *run, const struct wm_automation *automation) {
  const struct wm_task *taken = NULL;
  for (size_t i = 0; i < automation->task_count; i++) {
    const struct wm_task *task = &automation->tasks[i];
    const struct wm_role *role = task->type == &wm_change_role ? wm_workspace_role(run->workspace, task->role) : NULL;
    if (changes_role(task, WM_ADD) && is_automated(role) && !takes(automation, task->role))
      return; /* it gives something else */
    if (!taken && changes_role(task, WM_REMOVE) && is_automated(role))
      taken = task;
  }
  if (!taken || keeps_role(run, automation))
    return;
  wm_findings_add(run->findings, WM_WARNING, WM_E_LOCK_OUT, automation->file, taken->line, taken->column,
                  "whoever has only the role '%.*s' is left without any: no task gives another, and there is neither "
                  "'baseline' in the settings nor a role for all",
                  WM_TEXT_ARG(taken->role));
}

/* --- fields that users fill in --- */

static bool is_user_written(const struct lint_run *run, const struct wm_path *path) {
  for (size_t i = 0; i < run->terms->user_written_count; i++) {
    const struct wm_path *known = &run->terms->user_written[i];
    bool same = known->root == path->root && known->count <= path->count;
    for (size_t n = 0; n < known->count && same; n++)
      same = wm_text_equal(known->names[n], path->names[n]);
    if (same)
      return true;
  }
  return false;
}

/* Is there a way to the answer on which nothing but such fields are asked? 'ret_path' gets one of them. */
static bool is_self_service(const struct lint_run *run, const struct wm_condition *condition, bool holds,
                            const struct wm_path **ret_path) {
  if (condition->kind == WM_FIELD) {
    bool own = is_user_written(run, &condition->path);
    *ret_path = own ? &condition->path : *ret_path;
    return own;
  }
  if (condition->kind == WM_NOT)
    return is_self_service(run, &condition->children[0], !holds, ret_path);
  bool one = (condition->kind == WM_ANY) == holds; /* else all of them */
  for (size_t i = 0; i < condition->count; i++)
    if (is_self_service(run, &condition->children[i], holds, ret_path) == one)
      return one;
  return !one && condition->count > 0;
}

static void check_trust(struct lint_run *run, const struct wm_automation *automation) {
  const struct wm_path *path = NULL;
  if (!run->terms || run->terms->user_written_count == 0 || !is_self_service(run, &automation->when, true, &path) ||
      !path)
    return;
  for (size_t i = 0; i < automation->task_count; i++) {
    const struct wm_task *task = &automation->tasks[i];
    if (!changes_role(task, WM_ADD))
      continue;
    wm_findings_add(run->findings, WM_WARNING, WM_E_SELF_WRITTEN, automation->file, task->line, task->column,
                    "whoever writes the right '%.*s' gives himself the role '%.*s': ask for something that users do "
                    "not fill in",
                    WM_TEXT_ARG(path->written), WM_TEXT_ARG(task->role));
    return;
  }
}

void lint_criterion(struct lint_run *run, const struct wm_role *role, const struct wm_criterion *criterion) {
  const struct wm_path *path = NULL;
  if (criterion->kind != WM_CRITERION_WHEN || !run->terms || run->terms->user_written_count == 0 ||
      !is_self_service(run, &criterion->when, true, &path) || !path)
    return;
  wm_findings_add(run->findings, WM_WARNING, WM_E_SELF_WRITTEN, role->file, criterion->line, criterion->column,
                  "whoever writes the right '%.*s' gives himself the role '%.*s': ask for something that users do not "
                  "fill in",
                  WM_TEXT_ARG(path->written), WM_TEXT_ARG(role->name));
}

void lint_access(struct lint_run *run, const struct wm_automation *automation, bool floor) {
  if (!wm_text_is(automation->entity, WM_ENTITY_USER_JOURNEY))
    return;
  check_gap(run, automation);
  if (!floor)
    check_lock_out(run, automation);
  check_trust(run, automation);
}

/* --- roles that nobody can get --- */

/* Not those that are given by hand only: they are roles like others; nor an administrator's, which is given outside
 * Waymark; nor those that a dead automation was to give, of which enough was said. */
void lint_nobody(struct lint_run *run) {
  const struct wm_workspace *workspace = run->workspace;
  for (size_t i = 0; i < workspace->role_count; i++) {
    const struct wm_role *role = &workspace->roles[i];
    if (role->status == WM_ROLE_ACTIVE && role->kind == WM_ROLE_PORTAL && role->managed && !run->derivable[i])
      wm_findings_add(run->findings, WM_WARNING, WM_E_ROLE_NOBODY, role->file, role->line, role->column,
                      "nobody can get the role '%.*s': it is managed, and no criterion gives it",
                      WM_TEXT_ARG(role->name));
  }
}

#include "core/gate.h"

#include "core/project.h"

int wm_gate_user(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                 struct wm_outcome *outcome) {
  (void)task, (void)role;
  if (!run->user)
    return wm_run_fail(run, outcome, WM_E_USER_MISSING, "the event names no user");
  if (run->terms->users_closed && !wm_user_has_profile(run->user))
    return wm_run_fail(run, outcome, WM_E_USER_UNKNOWN, "user '%.*s' has no profile and users is 'closed'",
                       WM_TEXT_ARG(run->event->user));
  return 0;
}

int wm_gate_active(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                   struct wm_outcome *outcome) {
  (void)task, (void)role;
  if (!wm_user_has_profile(run->user) || run->user->profile.status == WM_USER_ACTIVE)
    return 0;
  struct wm_text status = wm_value_text(wm_user_field(run->user, WM_TEXT("status")));
  return wm_run_fail(run, outcome, WM_E_USER_INACTIVE, "user '%.*s' is not active but '%.*s'",
                     WM_TEXT_ARG(run->event->user), WM_TEXT_ARG(status));
}

int wm_gate_role(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                 struct wm_outcome *outcome) {
  if (!role && task->near.bytes)
    return wm_run_fail(run, outcome, WM_E_ROLE_UNKNOWN, "role '%.*s' is not in the catalogue, did you mean '%.*s'",
                       WM_TEXT_ARG(task->role), WM_TEXT_ARG(task->near));
  if (!role)
    return wm_run_fail(run, outcome, WM_E_ROLE_UNKNOWN, "role '%.*s' is not in the catalogue", WM_TEXT_ARG(task->role));
  if (role->kind != WM_ROLE_PORTAL)
    return wm_run_fail(run, outcome, WM_E_ROLE_PROTECTED, "role '%.*s' is of kind '%s' and never automated",
                       WM_TEXT_ARG(task->role), role->kind == WM_ROLE_SYSTEM ? "system" : "administrator");
  if (role->managed)
    return wm_run_fail(run, outcome, WM_E_ROLE_PROTECTED, "role '%.*s' is managed and never automated",
                       WM_TEXT_ARG(task->role));
  return 0;
}

int wm_gate_fit(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                struct wm_outcome *outcome) {
  enum wm_code code = wm_role_fits(role, run->user);
  if (code == WM_OK)
    return 0;
  if (code == WM_E_ROLE_TYPE_MISMATCH)
    return wm_run_fail(run, outcome, code, "role '%.*s' is for type '%.*s', user '%.*s' is of type '%.*s'",
                       WM_TEXT_ARG(task->role), WM_TEXT_ARG(role->type), WM_TEXT_ARG(run->event->user),
                       WM_TEXT_ARG(run->user->profile.type));
  if (code == WM_E_ROLE_PORTAL_MISMATCH)
    return wm_run_fail(run, outcome, code, "user '%.*s' has none of the portals of role '%.*s'",
                       WM_TEXT_ARG(run->event->user), WM_TEXT_ARG(task->role));
  return wm_run_fail(run, outcome, code, "role '%.*s' is %s", WM_TEXT_ARG(task->role),
                     code == WM_E_ROLE_ARCHIVED ? "archived" : "inactive");
}

int wm_gates_pass(struct wm_run *run, const struct wm_task *task, const struct wm_role *role, wm_gate_fn *const *gates,
                  struct wm_outcome *outcome) {
  for (; *gates && outcome->code == WM_OK; gates++)
    if ((*gates)(run, task, role, outcome) < 0)
      return -1;
  return 0;
}

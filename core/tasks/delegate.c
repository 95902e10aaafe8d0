/* delegate: a holder hands a role on. [001] Allow Users to Delegate Role. No automation can have this task, so it has
 * no line in tasks.def: it is what a role.delegation.requested is run as, at the home of the giver. What comes of it is
 * a request for the receiver, who is checked at his own home. */
#include "core/gate.h"
#include "core/project.h"

static int check_held(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                      struct wm_outcome *outcome) {
  (void)role;
  if (wm_project_has(run->workspace, run->user, task->role, run->event->now_us))
    return 0;
  return wm_run_fail(run, outcome, WM_E_ROLE_NOT_HELD, "user '%.*s' does not hold role '%.*s'",
                     WM_TEXT_ARG(run->event->user), WM_TEXT_ARG(task->role));
}

/* Until when the giver may hand the role on: by the role as long as he holds it himself, else by his grant alone.
 * INT64_MIN: not at all. */
static int64_t right_ends(const struct wm_run *run, const struct wm_role *role) {
  const struct wm_user_role *held = wm_user_role(run->user, role->name);
  bool by_role = role->delegation == WM_DELEGATION_HOLDERS;
  int64_t end_us = by_role && wm_role_is_derived(role, run->user, run->event->now_us, NULL) ? WM_NEVER : INT64_MIN;
  for (size_t i = 0; held && i < held->grant_count; i++) {
    const struct wm_grant *grant = &held->grants[i];
    if ((by_role || grant->by.delegable) && grant->until_us > end_us &&
        wm_grant_is_live(run->user, held, grant, run->event->now_us))
      end_us = grant->until_us;
  }
  return end_us;
}

static int check_allowed(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                         struct wm_outcome *outcome) {
  if (wm_text_equal(task->to, run->event->user))
    return wm_run_fail(run, outcome, WM_E_DELEGATION_NOT_ALLOWED, "user '%.*s' can't hand role '%.*s' on to himself",
                       WM_TEXT_ARG(task->to), WM_TEXT_ARG(task->role));
  if (right_ends(run, role) > INT64_MIN)
    return 0;
  return wm_run_fail(run, outcome, WM_E_DELEGATION_NOT_ALLOWED,
                     "neither role '%.*s' nor a grant lets user '%.*s' hand it on", WM_TEXT_ARG(task->role),
                     WM_TEXT_ARG(run->event->user));
}

static wm_gate_fn *const checks[] = {wm_gate_role, wm_gate_user, wm_gate_active, check_held, check_allowed, NULL};

static int run_delegate(struct wm_run *run, const struct wm_task *task, struct wm_outcome *outcome) {
  const struct wm_role *role = wm_workspace_role(run->workspace, task->role);
  const struct wm_request *request = &run->event->request;
  if (wm_gates_pass(run, task, role, checks, outcome) < 0)
    return -1;
  if (outcome->code != WM_OK)
    return 0;
  struct wm_approval *approval = WM_ARENA_NEW(run->arena, struct wm_approval);
  if (!approval)
    return wm_error_memory(run->error);
  int64_t end_us = right_ends(run, role);
  *approval = (struct wm_approval){
      .to = request->to,
      .role = request->role,
      .by = run->event->user,
      .reason = request->reason,
      .until_us = request->until_us < end_us ? request->until_us : end_us,
  };
  run->decision->approval = approval;
  outcome->result = WM_RESULT_REQUESTED;
  return 0;
}

static const struct wm_field fields[] = {
    {"role", WM_FIELD_ROLE, true, offsetof(struct wm_task, role), "the role to hand on"},
    {"to", WM_FIELD_USER, true, offsetof(struct wm_task, to), "who is to hold it too"},
    {0},
};

const struct wm_task_type wm_delegate = {.name = "delegate", .fields = fields, .run = run_delegate};

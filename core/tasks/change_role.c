/* change-role: gives a role or takes it away. [000] Duplicate Assignment and Removal Prevention */
#include "core/baseline.h"
#include "core/gate.h"
#include "core/project.h"

#define MANUAL WM_TEXT("manual")
#define JOURNEY WM_TEXT("journey.")

/* --- checks, in the order of contract 6 --- */

static int check_entity(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                        struct wm_outcome *outcome) {
  (void)task, (void)role;
  const struct wm_automation *automation = run->automation;
  if (!automation)
    return 0;
  if (!wm_text_is(automation->entity, WM_ENTITY_USER_JOURNEY))
    return wm_run_fail(run, outcome, WM_E_ENTITY_NOT_ALLOWED,
                       "entity '%.*s' may not change roles, only '" WM_ENTITY_USER_JOURNEY "' may",
                       WM_TEXT_ARG(automation->entity));
  if (!wm_text_starts_with(run->event->type, JOURNEY))
    return wm_run_fail(run, outcome, WM_E_ENTITY_NOT_ALLOWED,
                       "event type '%.*s' may not change roles, only those that begin with 'journey.' may",
                       WM_TEXT_ARG(run->event->type));
  return 0;
}

static wm_gate_fn *const add_checks[] = {check_entity, wm_gate_user, wm_gate_active, wm_gate_role, wm_gate_fit, NULL};
static wm_gate_fn *const remove_checks[] = {check_entity, wm_gate_user, wm_gate_role, NULL};

/* --- add --- */

static int make_grant(const struct wm_run *run, const struct wm_task *task, struct wm_grant *ret) {
  const struct wm_event *event = run->event;
  const struct wm_automation *automation = run->automation;
  *ret = (struct wm_grant){
      .source = MANUAL,
      .clock = wm_event_clock(event, automation, task->sequence),
      .until_us = automation ? WM_NEVER : task->until_us,
      .by = {.origin = event->origin, .run = wm_text_is(event->run, "live") ? WM_NO_TEXT : event->run},
  };
  if (!automation) {
    ret->by.by = event->request.by;
    ret->by.reason = event->request.reason;
    ret->by.delegable = event->request.delegable;
    return 0;
  }
  ret->by.version = automation->version;
  if (task->expires_after_us > 0 && __builtin_add_overflow(event->time_us, task->expires_after_us, &ret->until_us))
    ret->until_us = WM_NEVER;
  struct wm_text prefix = WM_TEXT("automation/");
  char *source = wm_arena_alloc(run->arena, prefix.size + automation->name.size);
  if (!source)
    return wm_error_memory(run->error);
  memcpy(source, prefix.bytes, prefix.size);
  memcpy(source + prefix.size, automation->name.bytes, automation->name.size);
  ret->source = (struct wm_text){source, prefix.size + automation->name.size};
  return 0;
}

static enum wm_result result_of(enum wm_write write) {
  switch (write) {
  case WM_WRITE_CHANGED:
    return WM_RESULT_CHANGED;
  case WM_WRITE_UNCHANGED:
    return WM_RESULT_UNCHANGED;
  case WM_WRITE_SUPERSEDED:
    break;
  }
  return WM_RESULT_SUPERSEDED;
}

/* The outcome outlives the working copy, so what it says is copied. */
static int tell_write(struct wm_run *run, enum wm_write write, const struct wm_clock *stands,
                      struct wm_outcome *outcome) {
  outcome->result = result_of(write);
  if (write == WM_WRITE_SUPERSEDED && wm_clock_copy(stands, run->arena, &outcome->stands) < 0)
    return wm_error_memory(run->error);
  return 0;
}

/* Whoever asks by hand need not know that the user had the role by hand for longer: who delegates it does not. */
static int tell_replaced(const struct wm_run *run, const struct wm_task *task, const struct wm_grant *grant,
                         struct wm_outcome *outcome) {
  const struct wm_grant *old = run->automation ? NULL : wm_user_grant(run->user, task->role, grant->source);
  if (!old || old->until_us <= grant->until_us || wm_clock_compare(&old->clock, &grant->clock) > 0 ||
      !wm_grant_is_live(run->user, wm_user_role(run->user, task->role), old, run->event->now_us))
    return 0;
  struct wm_replaced *replaced = WM_ARENA_NEW(run->arena, struct wm_replaced);
  if (!replaced || wm_clock_copy(&old->clock, run->arena, &replaced->clock) < 0 ||
      (old->by.by.bytes && wm_arena_text(run->arena, old->by.by, &replaced->by) < 0))
    return wm_error_memory(run->error);
  replaced->until_us = old->until_us;
  outcome->replaces = replaced;
  return 0;
}

static int add(struct wm_run *run, const struct wm_task *task, struct wm_outcome *outcome) {
  struct wm_grant grant;
  struct wm_clock stands;
  enum wm_write write;
  size_t size;
  if (make_grant(run, task, &grant) < 0 || tell_replaced(run, task, &grant, outcome) < 0 ||
      wm_run_add_grant(run, task->role, &grant, &write, &stands, &size) < 0)
    return -1;
  if (size > 0 || write == WM_WRITE_SUPERSEDED)
    outcome->replaces = NULL;
  if (size > 0)
    return wm_run_fail(run, outcome, WM_E_USER_TOO_LARGE,
                       "the register of user '%.*s' would have %zu bytes, more than limits.register-bytes of %zu",
                       WM_TEXT_ARG(run->event->user), size, run->terms->register_bytes);
  return tell_write(run, write, &stands, outcome);
}

/* --- remove --- */

static bool is_own(const struct wm_run *run, struct wm_text source) {
  if (!run->automation)
    return wm_text_equal(source, MANUAL);
  struct wm_text prefix = WM_TEXT("automation/");
  return wm_text_starts_with(source, prefix) &&
         wm_text_equal((struct wm_text){source.bytes + prefix.size, source.size - prefix.size}, run->automation->name);
}

/* Other sources than the one that removes: what nobody may have meant to take. */
static void tell_dropped(const struct wm_run *run, const struct wm_dropped *dropped, struct wm_outcome *outcome) {
  outcome->dropped.sources = dropped->sources;
  for (size_t i = 0; i < dropped->count; i++)
    if (!is_own(run, dropped->sources[i]))
      outcome->dropped.sources[outcome->dropped.count++] = dropped->sources[i];
}

static int tell_what_is_left(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                             struct wm_outcome *outcome) {
  if (wm_role_fits(role, run->user) == WM_OK && wm_role_is_derived(role, run->user, run->event->now_us, NULL))
    outcome->code = WM_E_STILL_DERIVED;
  if (outcome->result != WM_RESULT_CHANGED || outcome->code != WM_OK)
    return 0;
  struct wm_role_set left;
  if (wm_run_project(run, &left) < 0)
    return -1;
  outcome->lockout = left.count == 0;
  return outcome->lockout ? wm_baseline_give(run, task, outcome) : 0;
}

static int take_away(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                     struct wm_outcome *outcome) {
  struct wm_clock clock = wm_event_clock(run->event, run->automation, task->sequence), stands;
  struct wm_dropped dropped;
  enum wm_write write;
  if (wm_user_remove_role(run->user, task->role, &clock, run->event->now_us, run->arena, &write, &stands, &dropped) < 0)
    return wm_error_memory(run->error);
  run->wrote = true;
  tell_dropped(run, &dropped, outcome);
  if (tell_write(run, write, &stands, outcome) < 0)
    return -1;
  return tell_what_is_left(run, task, role, outcome);
}

/* One source's grant alone: what others gave stays. */
static int withdraw(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                    struct wm_outcome *outcome) {
  struct wm_clock clock = wm_event_clock(run->event, run->automation, task->sequence), stands;
  const struct wm_withdrawn withdrawn = {task->source, task->version};
  enum wm_write write;
  if (wm_user_take_back(run->user, task->role, &withdrawn, &clock, run->event->now_us, &write, &stands) < 0)
    return wm_error_memory(run->error);
  run->wrote = true;
  if (tell_write(run, write, &stands, outcome) < 0)
    return -1;
  return tell_what_is_left(run, task, role, outcome);
}

static int run_change_role(struct wm_run *run, const struct wm_task *task, struct wm_outcome *outcome) {
  const struct wm_role *role = wm_workspace_role(run->workspace, task->role);
  if (wm_gates_pass(run, task, role, task->action == WM_ADD ? add_checks : remove_checks, outcome) < 0)
    return -1;
  if (outcome->code != WM_OK)
    return 0;
  switch (task->action) {
  case WM_ADD:
    return add(run, task, outcome);
  case WM_REMOVE:
    return take_away(run, task, role, outcome);
  case WM_WITHDRAW:
    break;
  }
  return withdraw(run, task, role, outcome);
}

/* --- lint --- */

/* Can the trigger take any type that may change roles? */
static bool takes_journey(struct wm_text trigger) {
  if (trigger.size == 0 || trigger.bytes[trigger.size - 1] != '*')
    return wm_text_starts_with(trigger, JOURNEY);
  struct wm_text rest = {trigger.bytes, trigger.size - 1};
  return wm_text_starts_with(rest, JOURNEY) || wm_text_starts_with(JOURNEY, rest);
}

static void lint_entity(const struct wm_automation *automation, const struct wm_task *task,
                        struct wm_findings *findings) {
  if (!wm_text_is(automation->entity, WM_ENTITY_USER_JOURNEY)) {
    wm_findings_add(findings, WM_ERROR, WM_E_ENTITY_NOT_ALLOWED, automation->file, task->line, task->column,
                    "entity '%.*s' may not change roles, only '" WM_ENTITY_USER_JOURNEY "' may",
                    WM_TEXT_ARG(automation->entity));
    return;
  }
  for (size_t i = 0; i < automation->trigger_count; i++)
    if (takes_journey(automation->triggers[i]))
      return;
  wm_findings_add(findings, WM_ERROR, WM_E_ENTITY_NOT_ALLOWED, automation->file, task->line, task->column,
                  "automation '%.*s' has no trigger that begins with 'journey.', only such events may change roles",
                  WM_TEXT_ARG(automation->name));
}

static void lint_role(const struct wm_role *role, const struct wm_automation *automation, const struct wm_task *task,
                      struct wm_findings *findings) {
  enum wm_severity severity = WM_WARNING;
  enum wm_code code = WM_OK;
  const char *what = NULL;
  if (role->kind != WM_ROLE_PORTAL || role->managed) {
    severity = WM_ERROR;
    code = WM_E_ROLE_PROTECTED;
    what = role->kind == WM_ROLE_SYSTEM          ? "is of kind 'system' and never automated"
           : role->kind == WM_ROLE_ADMINISTRATOR ? "is of kind 'administrator' and never automated"
                                                 : "is managed and never automated";
  } else if (task->action == WM_ADD && role->status != WM_ROLE_ACTIVE) {
    bool archived = role->status == WM_ROLE_ARCHIVED;
    code = archived ? WM_E_ROLE_ARCHIVED : WM_E_ROLE_INACTIVE;
    what = archived ? "is archived" : "is inactive";
  }
  if (what)
    wm_findings_add(findings, severity, code, automation->file, task->name_line, task->name_column, "role '%.*s' %s",
                    WM_TEXT_ARG(task->role), what);
}

static void check_change_role(const struct wm_workspace *workspace, const struct wm_automation *automation,
                              const struct wm_task *task, struct wm_findings *findings) {
  lint_entity(automation, task, findings);
  const struct wm_role *role = wm_workspace_role(workspace, task->role);
  if (role)
    lint_role(role, automation, task, findings);
  else if (task->near.bytes)
    wm_findings_add(findings, WM_ERROR, WM_E_ROLE_UNKNOWN, automation->file, task->name_line, task->name_column,
                    "role '%.*s' is not in the catalogue, did you mean '%.*s'", WM_TEXT_ARG(task->role),
                    WM_TEXT_ARG(task->near));
  else
    wm_findings_add(findings, WM_ERROR, WM_E_ROLE_UNKNOWN, automation->file, task->name_line, task->name_column,
                    "role '%.*s' is not in the catalogue", WM_TEXT_ARG(task->role));
}

static const struct wm_field fields[] = {
    {"role", WM_FIELD_ROLE, true, offsetof(struct wm_task, role), "the role to give or to take away"},
    {"action", WM_FIELD_ACTION, true, offsetof(struct wm_task, action), "'add' or 'remove'"},
    {"expires-after", WM_FIELD_DURATION, false, offsetof(struct wm_task, expires_after_us),
     "'add' only: how long after the event's time the role ends"},
    {0},
};

const struct wm_task_type wm_change_role = {
    .name = "change-role",
    .fields = fields,
    .check = check_change_role,
    .run = run_change_role,
};

/* A test is run as live events are: each is decided by wm_decide on the register that the one before left. */
#include "core/case.h"

#include <stdlib.h>

bool wm_case_proves(const struct wm_case *test) {
  for (size_t i = 0; i < test->step_count; i++) {
    const struct wm_expectation *then = &test->steps[i].then;
    if (then->role_count || then->run_count || then->all_roles.line || then->all_runs.line || then->all_messages.line ||
        then->nothing.line)
      return true;
  }
  return false;
}

bool wm_execution_ran(const struct wm_execution *execution) {
  for (size_t i = 0; i < execution->count; i++)
    if (execution->outcomes[i].code != WM_E_ALREADY_RAN)
      return true;
  return false;
}

/* What conditions look at before the event. */
static int make_scope(struct wm_case_run *run, const struct wm_event *event, struct wm_scope *ret) {
  struct wm_role_set roles;
  *ret = (struct wm_scope){.event = event, .now_us = event->now_us};
  if (!event->user.bytes)
    return 0;
  ret->user = run->user;
  if (!ret->user) {
    struct wm_user *nobody = WM_ARENA_NEW(run->arena, struct wm_user);
    if (!nobody)
      return -1;
    nobody->id = event->user;
    ret->user = nobody;
  }
  if (wm_project(run->workspace, ret->user, ret->now_us, run->arena, &roles) < 0)
    return -1;
  ret->roles = wm_role_set_value(&roles, run->arena);
  return ret->roles ? 0 : -1;
}

static int play(struct wm_case_run *run, const struct wm_terms *terms, size_t step, const struct wm_case_event *event,
                struct wm_error *error) {
  struct wm_case_moment *moment = &run->moments[run->moment_count];
  *moment = (struct wm_case_moment){.event = event, .step = step};
  if (make_scope(run, &event->event, &moment->scope) < 0)
    return wm_error_memory(error);
  const struct wm_user *before = event->event.user.bytes ? run->user : NULL;
  if (wm_decide(run->workspace, terms, &event->event, before, 0, NULL, run->arena, &moment->decision, error) < 0)
    return -1;
  run->moment_count++;
  if (moment->decision.user)
    run->user = run->owned[run->owned_count++] = moment->decision.user;
  moment->after = run->user;
  return 0;
}

static int play_step(struct wm_case_run *run, const struct wm_terms *terms, size_t at, struct wm_error *error) {
  const struct wm_case_step *step = &run->test->steps[at];
  if (wm_project(run->workspace, run->user, at ? run->test->steps[at - 1].end_us : step->begin_us, run->arena,
                 &run->before) < 0)
    return wm_error_memory(error);
  for (size_t i = 0; i < step->event_count; i++)
    if (play(run, terms, at, &step->events[i], error) < 0)
      return -1;
  if (wm_project(run->workspace, run->user, step->end_us, run->arena, &run->after) < 0 || wm_case_compare(run, at) < 0)
    return wm_error_memory(error);
  return 0;
}

int wm_case_run(const struct wm_workspace *workspace, const struct wm_terms *terms, const struct wm_case *test,
                const struct wm_user *before, struct wm_arena *arena, struct wm_case_run *ret, struct wm_error *error) {
  size_t events = 0;
  *ret = (struct wm_case_run){.workspace = workspace, .test = test, .user = before, .arena = arena};
  for (size_t i = 0; i < test->step_count; i++)
    events += test->steps[i].event_count;
  ret->moments = WM_ARENA_ARRAY(arena, struct wm_case_moment, events + 1);
  ret->owned = WM_ARENA_ARRAY(arena, struct wm_user *, events + 1);
  if (!ret->moments || !ret->owned)
    return wm_error_memory(error);
  for (size_t i = 0; i < test->step_count; i++)
    if (play_step(ret, terms, i, error) < 0)
      return -1;
  return 0;
}

void wm_case_run_release(struct wm_case_run *run) {
  for (size_t i = 0; i < run->owned_count; i++)
    wm_user_free(run->owned[i]);
  run->owned_count = 0;
}

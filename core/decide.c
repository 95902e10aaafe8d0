/* An event of the journey builder: sifted, duplicates left out, matched against the state before it, run on a copy,
 * and what is different afterwards told. A directory event: written to a copy, and the projections before and after
 * compared. Nothing is written anywhere else; without memory the copy is thrown away. */
#include "core/decide.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/run.h"

struct wm_clock wm_event_clock(const struct wm_event *event, const struct wm_automation *automation, int64_t sequence) {
  return (struct wm_clock){
      .time_us = event->time_us,
      .source = event->source,
      .id = event->id,
      .automation = automation ? automation->name : WM_TEXT(""),
      .sequence = sequence,
  };
}

bool wm_decide_needs_user(const struct wm_event *event, const struct wm_candidates *candidates) {
  if (!event->user.bytes || event->event_class == WM_EVENT_RESERVED)
    return false;
  return event->event_class != WM_EVENT_TRIGGERING || !candidates || candidates->count > 0;
}

/* A replay has a memory of its own: it is meant to see again what the live run has seen, but each event only once. */
static bool is_live(const struct wm_event *event) {
  return wm_text_is(event->run, "live");
}

/* Several tasks of one event may be sent again in one run, each with a record of its own. */
static uint64_t hash_of(const struct wm_event *event) {
  const struct wm_only *only = &event->only;
  uint64_t hash = wm_hash_pair(event->source, event->id);
  char sequence[24] = "";
  if (!only->automation.bytes)
    return hash;
  if (only->task)
    snprintf(sequence, sizeof sequence, "%lld", (long long)only->sequence);
  return hash ^ wm_hash_pair(only->automation, wm_text_of(sequence));
}

static bool is_duplicate(const struct wm_event *event, const struct wm_user *before) {
  if (!before || !event->user.bytes)
    return false;
  return is_live(event) ? wm_user_remembers(before, hash_of(event))
                        : wm_user_remembers_replay(before, event->run, hash_of(event));
}

static int remember(struct wm_run *run) {
  run->wrote = true;
  if (!is_live(run->event))
    return wm_user_remember_replay(run->user, run->event->run, hash_of(run->event));
  wm_user_remember(run->user, hash_of(run->event));
  return 0;
}

/* The working copy, or a new register for a user who has none. */
static int open_copy(struct wm_run *run, const struct wm_user *before, int32_t home) {
  if (!run->event->user.bytes)
    return 0;
  run->user = before ? wm_user_clone(before) : wm_user_new(run->event->user, home);
  return run->user ? 0 : wm_error_memory(run->error);
}

/* The register that replaces the old one: a compact copy of the working copy, which is thrown away. */
static int keep_copy(struct wm_run *run) {
  run->decision->user = wm_user_clone(run->user);
  return run->decision->user ? 0 : wm_error_memory(run->error);
}

/* --- what has changed --- */

static int by_role(const void *a, const void *b) {
  return wm_text_compare(((const struct wm_touch *)a)->role, ((const struct wm_touch *)b)->role);
}

/* The baseline is what remains to him who has lost everything. */
static bool is_lockout(const struct wm_run *run, const struct wm_role_set *left) {
  return left->count == 0 ||
         (left->count == 1 && run->gave_baseline && wm_text_equal(left->roles[0]->name, run->workspace->baseline));
}

/* The clock of the loss that left the user without any effective role; not set: he has one, or lost none. */
static int find_lockout(struct wm_run *run, struct wm_clock *ret) {
  *ret = WM_NO_CLOCK;
  for (size_t i = 0; i < run->touch_count; i++) {
    const struct wm_touch *touch = &run->touches[i];
    if (touch->before && !touch->now && wm_clock_compare(&touch->clock, ret) > 0)
      *ret = touch->clock;
  }
  if (!wm_clock_is_set(ret))
    return 0;
  struct wm_role_set left;
  if (wm_run_project(run, &left) < 0)
    return -1;
  if (!is_lockout(run, &left))
    *ret = WM_NO_CLOCK;
  return 0;
}

/* What the tasks left changed: a role that one gave and another took is no change. */
static int tell_touches(struct wm_run *run, enum wm_cause cause) {
  struct wm_decision *decision = run->decision;
  if (run->touch_count == 0)
    return 0;
  struct wm_clock lockout;
  if (find_lockout(run, &lockout) < 0)
    return -1;
  decision->changes = WM_ARENA_ARRAY(run->arena, struct wm_change, run->touch_count);
  if (!decision->changes)
    return wm_error_memory(run->error);
  qsort(run->touches, run->touch_count, sizeof(*run->touches), by_role);
  for (size_t i = 0; i < run->touch_count; i++) {
    const struct wm_touch *touch = &run->touches[i];
    if (touch->before == touch->now)
      continue;
    decision->changes[decision->change_count++] = (struct wm_change){
        .role = touch->role,
        .effective = touch->now,
        .cause = cause,
        .clock = touch->clock,
        .lockout = !touch->now && wm_clock_compare(&touch->clock, &lockout) == 0,
    };
  }
  return 0;
}

int wm_role_set_diff(const struct wm_role_set *before, const struct wm_role_set *after, enum wm_cause cause,
                     const struct wm_clock *clock, struct wm_arena *arena, struct wm_change **ret, size_t *ret_count) {
  *ret = NULL;
  *ret_count = 0;
  if (before->count + after->count == 0)
    return 0;
  struct wm_change *changes = WM_ARENA_ARRAY(arena, struct wm_change, before->count + after->count);
  if (!changes)
    return -1;
  size_t b = 0, a = 0, count = 0;
  while (b < before->count || a < after->count) {
    int order = b == before->count  ? 1
                : a == after->count ? -1
                                    : wm_text_compare(before->roles[b]->name, after->roles[a]->name);
    if (order == 0) {
      b++;
      a++;
      continue;
    }
    changes[count++] = (struct wm_change){
        .role = order < 0 ? before->roles[b]->name : after->roles[a]->name,
        .effective = order > 0,
        .cause = cause,
        .clock = clock ? *clock : WM_NO_CLOCK,
        .lockout = order < 0 && after->count == 0,
    };
    if (order < 0)
      b++;
    else
      a++;
  }
  *ret = changes;
  *ret_count = count;
  return 0;
}

/* --- events that run tasks --- */

/* Ends a decision with executions: memory, changes, and the register if anything was written to it. */
static int finish_tasks(struct wm_run *run, enum wm_cause cause) {
  struct wm_decision *decision = run->decision;
  decision->fate = WM_FATE_DECIDED;
  if (!run->user)
    return 0;
  bool did = false;
  for (size_t i = 0; i < decision->execution_count && !did; i++)
    did = wm_execution_did(&decision->executions[i]);
  if (did && remember(run) < 0)
    return wm_error_memory(run->error);
  if (tell_touches(run, cause) < 0)
    return -1;
  return run->wrote ? keep_copy(run) : 0;
}

/* Leaves those of the candidates whose conditions on the user hold before the event. */
static int match(struct wm_run *run, const struct wm_user *before, const struct wm_candidates *candidates,
                 struct wm_candidates *ret) {
  *ret = (struct wm_candidates){0};
  ret->items = WM_ARENA_ARRAY(run->arena, const struct wm_automation *, candidates->count);
  if (!ret->items)
    return wm_error_memory(run->error);
  struct wm_user nobody = {.id = run->event->user}; /* a user without a register has no roles, which is a list */
  struct wm_scope scope = {.event = run->event, .now_us = run->event->now_us};
  if (run->event->user.bytes)
    scope.user = before ? before : &nobody;
  for (size_t i = 0; i < candidates->count; i++) {
    const struct wm_automation *automation = candidates->items[i];
    if (automation->reads_roles && scope.user && !scope.roles) {
      struct wm_role_set roles;
      if (wm_project(run->workspace, scope.user, scope.now_us, run->arena, &roles) < 0 ||
          !(scope.roles = wm_role_set_value(&roles, run->arena)))
        return wm_error_memory(run->error);
    }
    enum wm_answer answer = automation->reads_user ? wm_condition_answer(&automation->when, &scope) : WM_YES;
    if (answer == WM_YES)
      ret->items[ret->count++] = automation;
    if (answer == WM_UNKNOWN && !ret->unknown)
      ret->unknown = WM_ARENA_ARRAY(run->arena, const struct wm_automation *, candidates->count);
    if (answer == WM_UNKNOWN && !ret->unknown)
      return wm_error_memory(run->error);
    if (answer == WM_UNKNOWN)
      ret->unknown[ret->unknown_count++] = automation;
  }
  run->decision->unknown = ret->unknown;
  run->decision->unknown_count = ret->unknown_count;
  return 0;
}

/* Leaves the one automation that an event which is sent again is for, if it has the task. */
static int narrow(struct wm_run *run, const struct wm_candidates *candidates, struct wm_candidates *ret) {
  const struct wm_only *only = &run->event->only;
  *ret = (struct wm_candidates){.items = WM_ARENA_NEW(run->arena, const struct wm_automation *)};
  if (!ret->items)
    return wm_error_memory(run->error);
  for (size_t i = 0; i < candidates->count; i++)
    if (wm_text_equal(candidates->items[i]->name, only->automation) &&
        (!only->task || wm_automation_task(candidates->items[i], only->sequence)))
      ret->items[ret->count++] = candidates->items[i];
  return 0;
}

static int decide_triggering(struct wm_run *run, const struct wm_user *before, int32_t home,
                             const struct wm_candidates *candidates) {
  struct wm_candidates sifted, narrowed, matches;
  if (!candidates) {
    if (wm_index_sift(run->workspace->index, run->event, run->arena, &sifted) < 0)
      return wm_error_memory(run->error);
    candidates = &sifted;
  }
  if (run->event->only.automation.bytes) {
    if (narrow(run, candidates, &narrowed) < 0)
      return -1;
    candidates = &narrowed;
  }
  if (candidates->count == 0)
    return 0;
  if (is_duplicate(run->event, before)) {
    run->decision->fate = WM_FATE_DUPLICATE;
    return 0;
  }
  if (match(run, before, candidates, &matches) < 0)
    return -1;
  if (matches.count == 0)
    return 0;
  if (open_copy(run, before, home) < 0)
    return -1;
  struct wm_decision *decision = run->decision;
  decision->executions = WM_ARENA_ARRAY(run->arena, struct wm_execution, matches.count);
  if (!decision->executions)
    return wm_error_memory(run->error);
  for (size_t i = 0; i < matches.count; i++) {
    if (wm_run_automation(run, matches.items[i], &decision->executions[i]) < 0)
      return -1;
    decision->execution_count++;
  }
  return finish_tasks(run, WM_CAUSE_TASK);
}

static int decide_request(struct wm_run *run, const struct wm_user *before, int32_t home) {
  if (is_duplicate(run->event, before)) {
    run->decision->fate = WM_FATE_DUPLICATE;
    return 0;
  }
  struct wm_decision *decision = run->decision;
  if (open_copy(run, before, home) < 0)
    return -1;
  decision->executions = WM_ARENA_NEW(run->arena, struct wm_execution);
  if (!decision->executions)
    return wm_error_memory(run->error);
  if (wm_run_request(run, decision->executions) < 0)
    return -1;
  decision->execution_count = 1;
  return finish_tasks(run, WM_CAUSE_REQUEST);
}

/* --- events of the directory --- */

static int write_directory(struct wm_user *user, const struct wm_event *event, const struct wm_clock *clock,
                           bool *ret_changed, enum wm_cause *ret_cause) {
  const struct wm_value nothing = {.type = WM_OBJECT};
  if (event->event_class == WM_EVENT_USER_DELETED) {
    *ret_cause = WM_CAUSE_DELETION;
    return wm_user_delete(user, clock, ret_changed);
  }
  if (event->event_class == WM_EVENT_SIGNED_IN) {
    *ret_cause = WM_CAUSE_SIGN_IN;
    return wm_user_sign_in(user, clock, ret_changed);
  }
  *ret_cause = WM_CAUSE_PROFILE;
  return wm_user_set_profile(user, clock, event->data ? event->data : &nothing, ret_changed);
}

static int decide_directory(struct wm_run *run, const struct wm_user *before, int32_t home) {
  const struct wm_event *event = run->event;
  struct wm_decision *decision = run->decision;
  if (!event->user.bytes)
    return 0;
  if (is_duplicate(event, before)) {
    decision->fate = WM_FATE_DUPLICATE;
    return 0;
  }
  if (open_copy(run, before, home) < 0)
    return -1;
  bool changed;
  enum wm_cause cause;
  struct wm_clock clock = wm_event_clock(event, NULL, 0);
  if (write_directory(run->user, event, &clock, &changed, &cause) < 0)
    return wm_error_memory(run->error);
  if (!changed)
    return 0;
  struct wm_role_set had, has;
  if (wm_project(run->workspace, before, event->now_us, run->arena, &had) < 0 || wm_run_project(run, &has) < 0 ||
      wm_role_set_diff(&had, &has, cause, &clock, run->arena, &decision->changes, &decision->change_count) < 0)
    return wm_error_memory(run->error);
  decision->fate = WM_FATE_DECIDED;
  return keep_copy(run);
}

int wm_decide(const struct wm_workspace *workspace, const struct wm_terms *terms, const struct wm_event *event,
              const struct wm_user *before, int32_t home, const struct wm_candidates *candidates,
              struct wm_arena *arena, struct wm_decision *ret, struct wm_error *error) {
  struct wm_decision decision = {0};
  struct wm_run run = {
      .workspace = workspace,
      .terms = terms,
      .event = event,
      .arena = arena,
      .decision = &decision,
      .error = error,
  };
  int result = 0;
  if (event->only.automation.bytes && event->event_class != WM_EVENT_TRIGGERING) {
    *ret = decision; /* no automation takes it */
    return 0;
  }
  switch (event->event_class) {
  case WM_EVENT_TRIGGERING:
    result = decide_triggering(&run, before, home, candidates);
    break;
  case WM_EVENT_USER_UPDATED:
  case WM_EVENT_USER_DELETED:
  case WM_EVENT_SIGNED_IN:
    result = decide_directory(&run, before, home);
    break;
  case WM_EVENT_ASSIGNMENT:
  case WM_EVENT_DELEGATION:
  case WM_EVENT_WITHDRAWAL:
    result = decide_request(&run, before, home);
    break;
  case WM_EVENT_RESERVED:
    decision.fate = WM_FATE_IGNORED;
    break;
  }
  wm_user_free(run.user);
  *ret = result < 0 ? (struct wm_decision){0} : decision;
  return result;
}

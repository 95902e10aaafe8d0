/* The withdrawals of a plan, decided by the core on private copies: the same events as 'apply' sends. */
#include <stdlib.h>

#include "core/decide.h"
#include "tools/lib/events.h"
#include "tools/lib/play.h"
#include "tools/lib/say.h"
#include "tools/undo/undo.h"

int undo_requests(const struct undo_plan *plan, const struct request_terms *terms, struct requests *requests) {
  const struct request_terms *last = NULL;
  for (size_t i = 0; i < plan->grant_count; i++) {
    const struct undo_grant *grant = &plan->grants[i];
    if (grant->left)
      continue;
    struct request_terms own = *terms;
    own.role = grant->role;
    own.version = grant->version;
    if (!last || !wm_text_equal(last->role, own.role) || !wm_text_equal(last->version, own.version))
      last = requests_keep(requests, &own);
    if (!last || requests_add_at(requests, grant->user, last, grant->clock.time_us + 1) < 0)
      return -1;
  }
  return 0;
}

struct trying {
  struct undo_dry *dry;
  struct requests requests;
  struct wm_decode_rules rules;
  struct wm_terms terms;
  struct wm_arena arena; /* of one user */
};

static int count_failure(struct trying *trying, struct undo_grant *grant, struct wm_text code, struct wm_text message) {
  struct tally *failures = &trying->dry->failures;
  struct tally_row *row = tally_row(failures, grant->role, code, WM_NO_TEXT);
  if (!row || tally_example(failures, row, message) < 0)
    return -1;
  row->counts[0]++;
  grant->left = true;
  return 0;
}

static int take_decision(struct trying *trying, struct undo_user *user, struct undo_grant *grant,
                         const struct wm_decision *decision) {
  const struct wm_outcome *outcome =
      decision->execution_count > 0 && decision->executions[0].count > 0 ? &decision->executions[0].outcomes[0] : NULL;
  if (decision->user) {
    if (user->after != user->before)
      wm_user_free(user->after);
    user->after = decision->user;
  }
  if (outcome && outcome->result == WM_RESULT_FAILED)
    return count_failure(trying, grant, wm_text_of(wm_code_name(outcome->code)), outcome->message);
  return 0;
}

static int try_grant(struct trying *trying, struct undo_user *user, struct undo_grant *grant, size_t request) {
  const struct loaded *loaded = trying->dry->selection->loaded;
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_error error = {0};
  struct wm_decision decision;
  struct decoded decoded;
  struct wm_text text;
  request_to_json(&trying->requests, request, &buf);
  bool made = !buf.failed && wm_arena_text(&trying->arena, (struct wm_text){buf.bytes, buf.size}, &text) == 0 &&
              events_decode(text, 0, &trying->rules, &trying->arena, &decoded) == 0;
  wm_buf_release(&buf);
  if (!made)
    return -1;
  if (decoded.what != WM_DECODED_EVENT)
    return count_failure(trying, grant, wm_text_of(wm_code_name(decoded.rejection.code)), decoded.rejection.message);
  decoded.event.now_us = trying->dry->selection->now_us;
  if (wm_decide(loaded->workspace, &trying->terms, &decoded.event, user->after, user->before->home, NULL,
                &trying->arena, &decision, &error) < 0)
    return -1;
  return take_decision(trying, user, grant, &decision);
}

/* --- before and after --- */

static bool has(const struct wm_role_set *set, struct wm_text role) {
  for (size_t i = 0; i < set->count; i++)
    if (wm_text_equal(set->roles[i]->name, role))
      return true;
  return false;
}

static int count(struct undo_dry *dry, struct wm_text role, unsigned column, size_t *counter) {
  struct tally_row *row = tally_row(&dry->roles, role, WM_NO_TEXT, WM_NO_TEXT);
  if (!row)
    return -1;
  row->counts[column]++;
  ++*counter;
  return 0;
}

static int count_grant(struct undo_dry *dry, const struct undo_grant *grant, const struct wm_role_set *before,
                       const struct wm_role_set *after) {
  struct undo_counts *counts = &dry->selection->plan->counts;
  if (grant->left)
    return 0;
  if (count(dry, grant->role, UNDO_TAKEN, &counts->grants) < 0)
    return -1;
  if (has(after, grant->role))
    return count(dry, grant->role, UNDO_KEEP, &counts->keep);
  return has(before, grant->role) ? count(dry, grant->role, UNDO_LOSE, &counts->lose)
                                  : count(dry, grant->role, UNDO_IDLE, &counts->idle);
}

/* Nothing but the baseline role can be gained by losing one. */
static int count_gains(struct undo_dry *dry, const struct wm_role_set *before, const struct wm_role_set *after,
                       bool *ret_differs) {
  for (size_t i = 0; i < after->count; i++) {
    if (has(before, after->roles[i]->name))
      continue;
    *ret_differs = true;
    if (count(dry, after->roles[i]->name, UNDO_GAIN, &dry->selection->plan->counts.gain) < 0)
      return -1;
  }
  return 0;
}

static int compare(struct trying *trying, struct undo_user *user, const struct undo_grant *grants, size_t grant_count) {
  struct undo_dry *dry = trying->dry;
  const struct undo_selection *selection = dry->selection;
  const struct wm_workspace *workspace = selection->loaded->workspace;
  struct undo_counts *counts = &selection->plan->counts;
  struct wm_role_set before, after;
  size_t lost = counts->lose, taken = counts->grants;
  bool differs = false;
  if (wm_project(workspace, user->before, selection->now_us, &trying->arena, &before) < 0 ||
      wm_project(workspace, user->after, selection->now_us, &trying->arena, &after) < 0)
    return -1;
  for (size_t i = 0; i < grant_count; i++)
    if (count_grant(dry, &grants[i], &before, &after) < 0)
      return -1;
  if (count_gains(dry, &before, &after, &differs) < 0)
    return -1;
  counts->users += counts->grants > taken;
  counts->lockouts += before.count > 0 && after.count == 0;
  if (differs || counts->lose > lost)
    dry->take(dry->taker, user->id, &before, &after);
  if (!user->lost)
    undo_user_release(user); /* there may be many */
  return 0;
}

/* One user: plan->grants[from..ret). */
static int try_user(struct trying *trying, size_t from, size_t *ret_end, size_t *request) {
  struct undo_selection *selection = trying->dry->selection;
  struct undo_plan *plan = selection->plan;
  struct undo_user *user = undo_selection_user(selection, plan->grants[from].user);
  size_t end = from;
  wm_arena_rewind(&trying->arena);
  for (; end < plan->grant_count && wm_text_equal(plan->grants[end].user, plan->grants[from].user); end++)
    if (!plan->grants[end].left && try_grant(trying, user, &plan->grants[end], (*request)++) < 0)
      return -1;
  *ret_end = end;
  return compare(trying, user, plan->grants + from, end - from);
}

int undo_dry_run(struct undo_dry *dry) {
  struct undo_selection *selection = dry->selection;
  struct undo_plan *plan = selection->plan;
  struct trying trying = {.dry = dry,
                          .rules = events_rules_now(&selection->loaded->settings),
                          .terms = play_terms(&selection->loaded->settings, true)};
  const struct request_terms terms = {.kind = REQUEST_WITHDRAW, .source = selection->source, .until_us = WM_NEVER};
  size_t request = 0;
  tally_init(&dry->roles);
  tally_init(&dry->failures);
  wm_arena_init(&trying.arena, 0);
  requests_init(&trying.requests, &selection->loaded->settings);
  int result = undo_requests(plan, &terms, &trying.requests);
  for (size_t i = 0; i < plan->grant_count && result == 0;)
    result = try_user(&trying, i, &i, &request);
  requests_release(&trying.requests);
  wm_arena_release(&trying.arena);
  return result < 0 ? say_memory() : EXIT_FINE;
}

void undo_dry_release(struct undo_dry *dry) {
  tally_release(&dry->roles);
  tally_release(&dry->failures);
}

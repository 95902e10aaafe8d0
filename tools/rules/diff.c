#include "tools/rules/diff.h"

#include "tools/lib/register_text.h"

#include <stdlib.h>


void diff_init(struct diff *diff, const struct loaded *before, const struct loaded *after) {
  *diff = (struct diff){0};
  play_init(&diff->plays[SIDE_OLD], before);
  play_init(&diff->plays[SIDE_NEW], after);
  tally_init(&diff->runs);
  tally_init(&diff->sent);
  tally_init(&diff->failures);
  tally_init(&diff->roles);
}

void diff_release(struct diff *diff) {
  play_release(&diff->plays[SIDE_OLD]);
  play_release(&diff->plays[SIDE_NEW]);
  tally_release(&diff->runs);
  tally_release(&diff->sent);
  tally_release(&diff->failures);
  tally_release(&diff->roles);
}

/* --- registers --- */

int diff_add_user(struct diff *diff, struct wm_text line, struct wm_error *error) {
  struct wm_arena *arena = &diff->plays[SIDE_OLD].arena;
  wm_arena_rewind(arena);
  struct wm_user *user = register_of_text(line, arena, error);
  if (!user)
    return -1;
  for (unsigned side = 0; side < SIDES; side++) {
    struct wm_user *copy = wm_user_clone(user);
    if (!copy || play_keep(&diff->plays[side], copy) < 0) {
      wm_user_free(user);
      return wm_error_memory(error);
    }
  }
  wm_user_free(user);
  return 0;
}

/* --- one event --- */

static struct wm_text name_of(const struct wm_execution *execution) {
  return execution->automation ? execution->automation->name : WM_TEXT("(by hand)");
}

static const struct wm_outcome *outcome_of(const struct wm_execution *execution, int64_t sequence) {
  for (size_t i = 0; execution && i < execution->count; i++)
    if (execution->outcomes[i].task->sequence == sequence)
      return &execution->outcomes[i];
  return NULL;
}

static bool is_same(const struct wm_execution *before, const struct wm_execution *after) {
  if (before->count != after->count)
    return false;
  for (size_t i = 0; i < before->count; i++) {
    const struct wm_outcome *a = &before->outcomes[i], *b = outcome_of(after, a->task->sequence);
    if (!b || a->result != b->result || a->code != b->code)
      return false;
  }
  return true;
}

static bool has_failed(const struct wm_outcome *outcome, enum wm_code code) {
  return outcome && outcome->result == WM_RESULT_FAILED && outcome->code == code;
}

/* Tasks of 'execution' that fail, and did not fail so in the 'other' one. */
static int count_failures(struct diff *diff, const struct wm_execution *execution, const struct wm_execution *other,
                          unsigned column) {
  for (size_t i = 0; execution && i < execution->count; i++) {
    const struct wm_outcome *outcome = &execution->outcomes[i];
    char sequence[24];
    if (outcome->result != WM_RESULT_FAILED || has_failed(outcome_of(other, outcome->task->sequence), outcome->code))
      continue;
    snprintf(sequence, sizeof sequence, "%lld", (long long)outcome->task->sequence);
    struct tally_row *row =
        tally_row(&diff->failures, name_of(execution), wm_text_of(sequence), wm_text_of(wm_code_name(outcome->code)));
    if (!row || tally_example(&diff->failures, row, outcome->message) < 0)
      return -1;
    row->counts[column]++;
  }
  return 0;
}

/* One automation that either side runs; NULL: this side does not. */
static int count_run(struct diff *diff, const struct wm_execution *before, const struct wm_execution *after) {
  struct tally_row *row = tally_row(&diff->runs, name_of(before ? before : after), WM_NO_TEXT, WM_NO_TEXT);
  if (!row)
    return -1;
  row->counts[!before ? RUNS_ADDED : !after ? RUNS_REMOVED : is_same(before, after) ? RUNS_SAME : RUNS_CHANGED]++;
  return count_failures(diff, before, after, FAILS_NO_LONGER) < 0 ||
                 count_failures(diff, after, before, FAILS_NEWLY) < 0
             ? -1
             : 0;
}

/* Both lists are by name of the automation. */
static int count_runs(struct diff *diff, const struct wm_decision *before, const struct wm_decision *after) {
  size_t b = 0, a = 0;
  while (b < before->execution_count || a < after->execution_count) {
    const struct wm_execution *old = b < before->execution_count ? &before->executions[b] : NULL;
    const struct wm_execution *new = a < after->execution_count ? &after->executions[a] : NULL;
    int order = !old ? 1 : !new ? -1 : wm_text_compare(name_of(old), name_of(new));
    if (count_run(diff, order <= 0 ? old : NULL, order >= 0 ? new : NULL) < 0)
      return -1;
    b += order <= 0;
    a += order >= 0;
  }
  return 0;
}

static bool is_same_message(const struct wm_notification *a, const struct wm_notification *b) {
  return wm_text_equal(a->recipient, b->recipient) && wm_text_equal(a->address, b->address) &&
         wm_text_equal(a->title, b->title) && wm_text_equal(a->message, b->message);
}

/* The notification of the same task on the other side. */
static const struct wm_notification *same_task(const struct wm_decision *decision,
                                               const struct wm_notification *notification) {
  for (size_t i = 0; i < decision->notification_count; i++) {
    const struct wm_notification *other = &decision->notifications[i];
    if (wm_text_equal(other->automation->name, notification->automation->name) &&
        other->task->sequence == notification->task->sequence &&
        wm_text_equal(other->task->channel, notification->task->channel))
      return other;
  }
  return NULL;
}

static int count_sent(struct diff *diff, const struct wm_decision *decision, const struct wm_decision *other,
                      unsigned column) {
  for (size_t i = 0; i < decision->notification_count; i++) {
    const struct wm_notification *notification = &decision->notifications[i];
    struct tally_row *row = tally_row(&diff->sent, notification->task->channel, WM_NO_TEXT, WM_NO_TEXT);
    if (!row)
      return -1;
    row->counts[column]++;
    const struct wm_notification *before = column == SENT_NEW ? same_task(other, notification) : NULL;
    row->counts[SENT_CHANGED] += before && !is_same_message(before, notification);
  }
  return 0;
}

/* What a delegation asks for is no line of the file, but it changes users. */
static int follow_requests(struct diff *diff, struct wm_error *error) {
  for (unsigned side = 0; side < SIDES; side++) {
    struct playing playing;
    bool more = true;
    while (more)
      if (play_request(&diff->plays[side], &playing, &more, error) < 0)
        return -1;
  }
  return 0;
}

int diff_line(struct diff *diff, struct wm_text line, struct wm_error *error) {
  struct playing playing[SIDES];
  for (unsigned side = 0; side < SIDES; side++) {
    if (play_line(&diff->plays[side], line, &playing[side], error) < 0)
      return -1;
    diff->rejected[side] += playing[side].played == PLAYED_REJECTED;
  }
  diff->blank += playing[SIDE_OLD].played == PLAYED_BLANK;
  diff->events += playing[SIDE_OLD].played != PLAYED_BLANK;
  const struct wm_decision *before = &playing[SIDE_OLD].decision, *after = &playing[SIDE_NEW].decision;
  if (count_runs(diff, before, after) < 0 || count_sent(diff, before, after, SENT_OLD) < 0 ||
      count_sent(diff, after, before, SENT_NEW) < 0)
    return wm_error_memory(error);
  return follow_requests(diff, error);
}

/* --- users --- */

/* One user, of whom either side may know nothing. */
static int compare_user(struct diff *diff, const struct wm_user *before, const struct wm_user *after, int64_t now_us,
                        diff_user_fn *take, void *taker) {
  struct wm_arena *arena = &diff->plays[SIDE_OLD].arena;
  struct wm_role_set had, has;
  struct wm_change *changes;
  size_t count, gained = 0;
  wm_arena_rewind(arena);
  if (wm_project(diff->plays[SIDE_OLD].loaded->workspace, before, now_us, arena, &had) < 0 ||
      wm_project(diff->plays[SIDE_NEW].loaded->workspace, after, now_us, arena, &has) < 0 ||
      wm_role_set_diff(&had, &has, WM_CAUSE_CATALOGUE, NULL, arena, &changes, &count) < 0)
    return -1;
  for (size_t i = 0; i < count; i++) {
    struct tally_row *row = tally_row(&diff->roles, changes[i].role, WM_NO_TEXT, WM_NO_TEXT);
    if (!row)
      return -1;
    row->counts[changes[i].effective ? ROLE_GAINED : ROLE_LOST]++;
    gained += changes[i].effective;
  }
  diff->users++;
  diff->users_gaining += gained > 0;
  diff->users_losing += count > gained;
  if (count > 0)
    take(taker, (before ? before : after)->id, changes, count);
  return 0;
}

int diff_users(struct diff *diff, int64_t now_us, diff_user_fn *take, void *taker) {
  struct wm_user **old = play_users_sorted(&diff->plays[SIDE_OLD]);
  struct wm_user **new = play_users_sorted(&diff->plays[SIDE_NEW]);
  int result = old && new ? 0 : -1;
  for (size_t b = 0, a = 0; result == 0 && (old[b] || new[a]);) { /* both end with NULL */
    int order = !old[b] ? 1 : !new[a] ? -1 : wm_text_compare(old[b]->id, new[a]->id);
    result = compare_user(diff, order <= 0 ? old[b] : NULL, order >= 0 ? new[a] : NULL, now_us, take, taker);
    b += order <= 0;
    a += order >= 0;
  }
  free(old);
  free(new);
  return result;
}

static bool any_run(const struct tally *runs) {
  for (size_t i = 0; i < runs->capacity; i++) {
    const struct tally_row *row = runs->slots[i];
    if (row && (row->counts[RUNS_ADDED] || row->counts[RUNS_REMOVED] || row->counts[RUNS_CHANGED]))
      return true;
  }
  return false;
}

static bool any_sent(const struct tally *sent) {
  for (size_t i = 0; i < sent->capacity; i++) {
    const struct tally_row *row = sent->slots[i];
    if (row && (row->counts[SENT_OLD] != row->counts[SENT_NEW] || row->counts[SENT_CHANGED]))
      return true;
  }
  return false;
}

bool diff_differs(const struct diff *diff) {
  return diff->roles.count || diff->failures.count || any_run(&diff->runs) || any_sent(&diff->sent) ||
         diff->rejected[SIDE_OLD] != diff->rejected[SIDE_NEW];
}

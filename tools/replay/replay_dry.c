/* Records are gathered into batches, so that the registers of their users come in one round trip, and decided in their
 * order. What is written stays in this process. */
#include "tools/replay/replay_dry.h"

#include <stdlib.h>

#include "core/codec/register.h"
#include "core/hash.h"
#include "core/project.h"
#include "tools/lib/play.h"
#include "tools/lib/progress.h"
#include "tools/lib/say.h"

void dry_init(struct dry_run *dry, const struct loaded *loaded, struct replay_plan *plan, struct registers *registers) {
  *dry = (struct dry_run){.loaded = loaded,
                          .plan = plan,
                          .registers = registers,
                          .oldest_ms = INT64_MAX,
                          .terms = play_terms(&loaded->settings, true)};
  wm_arena_init(&dry->names, 0);
  wm_arena_init(&dry->arena, 0);
  tally_init(&dry->roles);
  tally_init(&dry->sent);
  tally_init(&dry->failures);
  tally_init(&dry->users);
}

static void free_user(struct dry_user *user) {
  if (user->now != user->before)
    wm_user_free(user->now);
  wm_user_free(user->before);
}

void dry_release(struct dry_run *dry) {
  for (size_t i = 0; i < dry->capacity; i++)
    if (dry->slots[i])
      free_user(dry->slots[i]);
  free(dry->slots);
  tally_release(&dry->roles);
  tally_release(&dry->sent);
  tally_release(&dry->failures);
  tally_release(&dry->users);
  wm_arena_release(&dry->arena);
  wm_arena_release(&dry->names);
}

/* --- users --- */

static struct dry_user **find_slot(struct dry_user **slots, size_t capacity, struct wm_text id) {
  size_t at = (size_t)wm_hash(id) & (capacity - 1);
  while (slots[at] && !wm_text_equal(slots[at]->id, id))
    at = (at + 1) & (capacity - 1);
  return &slots[at];
}

static int grow(struct dry_run *dry) {
  size_t capacity = dry->capacity ? 2 * dry->capacity : 1024;
  struct dry_user **slots = calloc(capacity, sizeof *slots);
  if (!slots)
    return -1;
  for (size_t i = 0; i < dry->capacity; i++)
    if (dry->slots[i])
      *find_slot(slots, capacity, dry->slots[i]->id) = dry->slots[i];
  free(dry->slots);
  dry->slots = slots;
  dry->capacity = capacity;
  return 0;
}

static struct dry_user *find_user(const struct dry_run *dry, struct wm_text id) {
  return dry->capacity && id.bytes ? *find_slot(dry->slots, dry->capacity, id) : NULL;
}

/* NULL: out of memory. */
static struct dry_user *add_user(struct dry_run *dry, struct wm_text id) {
  if (2 * (dry->user_count + 1) > dry->capacity && grow(dry) < 0)
    return NULL;
  struct dry_user *user = WM_ARENA_NEW(&dry->names, struct dry_user);
  if (!user || wm_arena_text(&dry->names, id, &user->id) < 0)
    return NULL;
  *find_slot(dry->slots, dry->capacity, id) = user;
  dry->user_count++;
  return user;
}

int dry_give(void *taker, const struct wm_user *given) {
  struct dry_run *dry = taker;
  struct dry_user *user = find_user(dry, given->id);
  if (!user)
    user = add_user(dry, given->id);
  if (!user)
    return -1;
  free_user(user);
  user->before = user->now = wm_user_clone(given);
  return user->now ? 0 : -1;
}

enum { TAKE_BROKEN = 1, TAKE_MEMORY = 2 };

static int take_entry(void *taker, const struct registers_entry *entry) {
  struct dry_run *dry = taker;
  struct wm_error error = {0};
  struct dry_user *user = find_user(dry, entry->user.id);
  if (entry->fault)
    return say(TAKE_BROKEN, "redis: user '%.*s': %s", WM_TEXT_ARG(wm_text_shown(entry->user.id)), entry->fault);
  if (!user || !entry->user.json.bytes)
    return 0;
  user->before = user->now = wm_register_decode(entry->user.json, &error);
  if (user->now)
    return 0;
  return error.code == WM_E_OUT_OF_MEMORY ? TAKE_MEMORY : say_error(TAKE_BROKEN, &error);
}

static bool needs_user(const struct dry_event *one) {
  bool triggering = one->event.event_class == WM_EVENT_TRIGGERING;
  return wm_decide_needs_user(&one->event, triggering ? &one->candidates : NULL);
}

/* The registers of those users of the batch who are not known yet. */
static int fetch(struct dry_run *dry) {
  struct wm_text wanted[DRY_BATCH];
  struct wm_error error = {0};
  size_t count = 0;
  for (size_t i = 0; i < dry->batch_count; i++) {
    const struct dry_event *one = &dry->batch[i];
    if (!needs_user(one) || find_user(dry, one->event.user))
      continue;
    struct dry_user *user = add_user(dry, one->event.user);
    if (!user)
      return say_memory();
    wanted[count++] = user->id;
  }
  if (count == 0 || !dry->registers)
    return EXIT_FINE;
  int said = registers_get_some(dry->registers, wanted, count, take_entry, dry, &error);
  if (said < 0)
    return say_error(EXIT_OUTSIDE, &error);
  return said == 0 ? EXIT_FINE : said == TAKE_MEMORY ? say_memory() : EXIT_BAD_NEWS;
}

/* --- counting --- */

static struct wm_text name_of(const struct wm_execution *execution) {
  if (execution->automation)
    return execution->automation->name;
  return execution->delegation ? WM_TEXT("(by a holder)") : WM_TEXT("(by hand)");
}

static int count_failure(struct dry_run *dry, struct wm_text automation, const struct wm_outcome *outcome) {
  struct tally_row *row = tally_row(&dry->failures, automation, wm_text_of(wm_code_name(outcome->code)), WM_NO_TEXT);
  if (!row || tally_example(&dry->failures, row, outcome->message) < 0)
    return -1;
  row->counts[DRY_FAILURES]++;
  return 0;
}

static int count_sent(struct dry_run *dry, struct wm_text automation, const struct wm_outcome *outcome) {
  struct tally_row *row = tally_row(&dry->sent, automation, outcome->task->channel, WM_NO_TEXT);
  if (!row)
    return -1;
  unsigned column = outcome->result == WM_RESULT_REQUESTED    ? DRY_SEND
                    : outcome->result == WM_RESULT_SUPPRESSED ? DRY_TOO_OLD
                                                              : DRY_NOT_SENT;
  row->counts[column]++;
  dry->plan->counts.notifications += column == DRY_SEND;
  dry->plan->counts.skipped += outcome->result == WM_RESULT_SKIPPED;
  return 0;
}

static int count_role(struct dry_run *dry, struct wm_text automation, const struct wm_outcome *outcome) {
  struct replay_counts *counts = &dry->plan->counts;
  struct tally_row *row = tally_row(&dry->roles, automation, outcome->task->role, WM_NO_TEXT);
  if (!row)
    return -1;
  switch (outcome->result) {
  case WM_RESULT_CHANGED:
    row->counts[outcome->task->action == WM_ADD ? DRY_ADDED : DRY_REMOVED]++;
    *(outcome->task->action == WM_ADD ? &counts->added : &counts->removed) += 1;
    break;
  case WM_RESULT_UNCHANGED:
  case WM_RESULT_REQUESTED:
  case WM_RESULT_SUPPRESSED:
    row->counts[DRY_UNCHANGED]++;
    counts->unchanged++;
    break;
  case WM_RESULT_SUPERSEDED:
    row->counts[DRY_SUPERSEDED]++;
    counts->superseded++;
    break;
  case WM_RESULT_SKIPPED:
  case WM_RESULT_HELD:
    row->counts[DRY_SKIPPED]++;
    counts->skipped++;
    break;
  case WM_RESULT_FAILED:
    row->counts[DRY_FAILED]++;
    break;
  }
  return 0;
}

static int count_execution(struct dry_run *dry, const struct wm_execution *execution) {
  struct wm_text automation = name_of(execution);
  dry->plan->counts.executions++;
  for (size_t i = 0; i < execution->count; i++) {
    const struct wm_outcome *outcome = &execution->outcomes[i];
    bool sends = outcome->task->channel.bytes != NULL;
    if ((sends ? count_sent(dry, automation, outcome) : count_role(dry, automation, outcome)) < 0)
      return -1;
    if (outcome->result != WM_RESULT_FAILED)
      continue;
    dry->plan->counts.failed++;
    if (count_failure(dry, automation, outcome) < 0)
      return -1;
  }
  return 0;
}

/* --- deciding --- */

static int decide(struct dry_run *dry, struct dry_event *one) {
  struct wm_error error = {0};
  struct wm_decision decision;
  struct dry_user *user = needs_user(one) ? find_user(dry, one->event.user) : NULL;
  bool triggering = one->event.event_class == WM_EVENT_TRIGGERING;
  if (wm_decide(dry->loaded->workspace, &dry->terms, &one->event, user ? user->now : NULL, one->home,
                triggering ? &one->candidates : NULL, &dry->arena, &decision, &error) < 0)
    return say_memory();
  dry->plan->counts.duplicates += decision.fate == WM_FATE_DUPLICATE;
  dry->plan->counts.delegations += decision.approval != NULL;
  for (size_t i = 0; i < decision.execution_count; i++)
    if (count_execution(dry, &decision.executions[i]) < 0)
      return say_memory();
  if (!decision.user)
    return EXIT_FINE;
  if (!user) {
    wm_user_free(decision.user);
    return EXIT_FINE;
  }
  if (user->now != user->before)
    wm_user_free(user->now);
  user->now = decision.user;
  return EXIT_FINE;
}

static int flush(struct dry_run *dry) {
  int exit_code = fetch(dry);
  for (size_t i = 0; i < dry->batch_count && exit_code == EXIT_FINE; i++)
    exit_code = decide(dry, &dry->batch[i]);
  dry->batch_count = 0;
  wm_arena_rewind(&dry->arena);
  return exit_code;
}

/* A run that no replay can be named like: private copies remember it, and nobody else. With notifications, so that they
 * can be counted. */
static int add(struct dry_run *dry, const struct replay_record *record) {
  struct dry_event *one = &dry->batch[dry->batch_count];
  one->event = record->event;
  one->event.run = WM_TEXT("?");
  one->event.notify = true;
  one->home = record->home;
  if (one->event.event_class == WM_EVENT_TRIGGERING &&
      wm_index_sift(dry->loaded->workspace->index, &one->event, &dry->arena, &one->candidates) < 0)
    return say_memory();
  dry->batch_count++;
  return dry->batch_count == DRY_BATCH ? flush(dry) : EXIT_FINE;
}

static void count_selected(struct dry_run *dry, const struct replay_record *record) {
  struct replay_plan *plan = dry->plan;
  plan->counts.selected++;
  plan->counts.elsewhere += record->elsewhere;
  for (size_t i = 0; i < plan->range_count; i++)
    plan->ranges[i].selected += plan->ranges[i].range.partition == record->record.partition;
}

static size_t total_of(const struct replay_plan *plan) {
  size_t total = 0;
  for (size_t i = 0; i < plan->range_count; i++)
    if (plan->ranges[i].range.to > plan->ranges[i].range.from)
      total += (size_t)(plan->ranges[i].range.to - plan->ranges[i].range.from);
  return total;
}

int dry_play(struct dry_run *dry, struct replay_records *records) {
  struct progress progress;
  struct replay_record record;
  bool end = false;
  int exit_code = EXIT_FINE;
  progress_begin(&progress, "planning", total_of(dry->plan));
  while (exit_code == EXIT_FINE) {
    exit_code = replay_records_next(records, &dry->arena, &record, &end);
    if (exit_code != EXIT_FINE || end)
      break;
    progress_set(&progress, ++dry->plan->counts.read);
    if (record.record.timestamp_ms < dry->oldest_ms)
      dry->oldest_ms = record.record.timestamp_ms;
    dry->plan->counts.rejected += record.what == WM_DECODED_REJECTED;
    if (!record.selected)
      continue;
    count_selected(dry, &record);
    exit_code = add(dry, &record);
  }
  if (exit_code == EXIT_FINE)
    exit_code = flush(dry);
  progress_end(&progress);
  return exit_code;
}

/* --- users, before and after --- */

static int by_id(const void *a, const void *b) {
  const struct dry_user *const *left = a, *const *right = b;
  return wm_text_compare((*left)->id, (*right)->id);
}

static int compare_user(struct dry_run *dry, const struct dry_user *user, int64_t now_us, dry_user_fn *take,
                        void *taker) {
  struct replay_counts *counts = &dry->plan->counts;
  struct wm_role_set before, after;
  struct wm_change *changes;
  size_t count, gained = 0;
  wm_arena_rewind(&dry->arena);
  if (wm_project(dry->loaded->workspace, user->before, now_us, &dry->arena, &before) < 0 ||
      wm_project(dry->loaded->workspace, user->now, now_us, &dry->arena, &after) < 0 ||
      wm_role_set_diff(&before, &after, WM_CAUSE_TASK, NULL, &dry->arena, &changes, &count) < 0)
    return -1;
  for (size_t i = 0; i < count; i++) {
    struct tally_row *row = tally_row(&dry->users, changes[i].role, WM_NO_TEXT, WM_NO_TEXT);
    if (!row)
      return -1;
    row->counts[changes[i].effective ? DRY_GAIN : DRY_LOSE]++;
    gained += changes[i].effective;
  }
  counts->changes += count;
  counts->users_gaining += gained > 0;
  counts->users_losing += count > gained;
  if (count > 0)
    take(taker, user->id, &before, &after);
  return 0;
}

int dry_compare(struct dry_run *dry, int64_t now_us, dry_user_fn *take, void *taker) {
  struct dry_user **sorted = calloc(dry->user_count + 1, sizeof(struct dry_user *));
  size_t count = 0;
  int result = sorted ? 0 : -1;
  for (size_t i = 0; i < dry->capacity && sorted; i++)
    if (dry->slots[i] && dry->slots[i]->now != dry->slots[i]->before)
      sorted[count++] = dry->slots[i];
  if (sorted)
    qsort(sorted, count, sizeof(struct dry_user *), by_id);
  for (size_t i = 0; i < count && result == 0; i++)
    result = compare_user(dry, sorted[i], now_us, take, taker);
  dry->plan->counts.users = dry->user_count;
  dry->plan->counts.users_written = count;
  free(sorted);
  return result;
}

/* The workers have decided what was sent once the group's position on topics.replay is behind it; what came of it was
 * committed in the same transactions, and is read from where outcomes and failures ended before. A task of which there
 * is no outcome then did not run. */
#include <stdlib.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "core/moment.h"
#include "tools/failures/redrive.h"
#include "tools/lib/say.h"
#include "worker/clock.h"

#define LOOK_US 100000

/* How many partitions are not passed yet; -1: told. */
static int count_open(struct redrive *redrive) {
  const struct settings *settings = &redrive->loaded.settings;
  struct wm_error error = {0};
  int open = 0;
  for (int32_t i = 0; i < settings->kafka.partitions; i++) {
    int64_t committed = 0;
    if (redrive->replay_ends[i] == 0)
      continue;
    if (client_committed(redrive->client, settings->topics.replay, i, &committed, &error) < 0) {
      say_error(EXIT_OUTSIDE, &error);
      return -1;
    }
    open += committed < redrive->replay_ends[i];
  }
  return open;
}

static int wait_until_passed(struct redrive *redrive) {
  int64_t until_us = system_clock.monotonic_us(system_clock.self) + redrive->timeout_us;
  int open;
  while ((open = count_open(redrive)) > 0) {
    if (system_clock.monotonic_us(system_clock.self) > until_us)
      return say(
          EXIT_OUTSIDE,
          "what was sent is in the log and will be decided, but no worker has passed it on %d partition%s within "
          "%lld s: is one at work? (run '%s' names the outcomes)",
          open, open == 1 ? "" : "s", (long long)(redrive->timeout_us / WM_SECOND_US), redrive->run);
    usleep(LOOK_US);
  }
  return open < 0 ? EXIT_OUTSIDE : EXIT_FINE;
}

/* --- what came --- */

static const struct wm_value *get(const struct wm_value *value, const char *name) {
  return wm_value_member(value, wm_text_of(name));
}

static int64_t number_of(const struct wm_value *value, const char *name) {
  const struct wm_value *member = get(value, name);
  return member && member->type == WM_INTEGER ? member->integer : -1;
}

static int compare(const void *a, const void *b) {
  return redrive_compare(a, b);
}

static int take_task(struct redrive *redrive, const struct wm_value *data, const struct wm_value *task) {
  const struct wm_value *origin = get(data, "origin");
  struct wm_text automation = wm_value_text(get(data, "automation"));
  struct redrive_item wanted = {.origin = {wm_value_text(get(origin, "topic")), (int32_t)number_of(origin, "partition"),
                                           number_of(origin, "offset")},
                                .automation = automation.size ? automation : WM_TEXT("manual")};
  const struct wm_value *sequence = get(task, "sequence");
  wanted.sequence = sequence && sequence->type == WM_INTEGER ? sequence->integer : 0;
  struct redrive_item *item = bsearch(&wanted, redrive->items, redrive->count, sizeof wanted, compare);
  if (!item)
    return 0;
  return wm_arena_text(&redrive->arena, wm_value_text(get(task, "result")), &item->result) < 0 ||
                 wm_arena_text(&redrive->arena, wm_value_text(get(task, "code")), &item->then) < 0 ||
                 wm_arena_text(&redrive->arena, wm_value_text(get(task, "message")), &item->message) < 0
             ? -1
             : 0;
}

typedef int take_fn(struct redrive *redrive, const struct wm_value *data);

static int take_outcome(struct redrive *redrive, const struct wm_value *data) {
  const struct wm_value *tasks = get(data, "tasks");
  int failed = 0;
  for (size_t i = 0; tasks && tasks->type == WM_LIST && i < tasks->list.count && !failed; i++)
    failed = take_task(redrive, data, &tasks->list.items[i]);
  return failed;
}

/* A failed task stands among the outcomes too. */
static int take_rejection(struct redrive *redrive, const struct wm_value *data) {
  struct wm_text code = wm_value_text(get(data, "code")), message = wm_value_text(get(data, "message"));
  if (get(data, "task"))
    return 0;
  redrive->rejected++;
  say(0, "what was sent was rejected: %.*s [%.*s]", WM_TEXT_ARG(message), WM_TEXT_ARG(code));
  return 0;
}

static int read_one(struct redrive *redrive, struct wm_arena *arena, const struct wm_record *record, take_fn *take) {
  struct wm_value value;
  wm_arena_rewind(arena);
  if (!wm_text_contains(record->value, wm_text_of(redrive->run)) ||
      wm_json_parse(record->value, arena, &value, NULL) < 0)
    return 0;
  const struct wm_value *data = get(&value, "data");
  return data && wm_text_is(wm_value_text(get(data, "run")), redrive->run) ? take(redrive, data) : 0;
}

static int read_topic(struct redrive *redrive, const char *topic, const int64_t *ends, take_fn *take) {
  struct wm_arena arena;
  struct wm_error error = {0};
  int failed = 0, more = 0;
  wm_arena_init(&arena, 0);
  for (int32_t i = 0; i < redrive->loaded.settings.kafka.partitions && !failed && more >= 0; i++) {
    struct client_reading reading = {
        .topic = topic, .partition = i, .from_ms = CLIENT_BEGINNING, .from_offset = ends[i]};
    struct wm_record record;
    if (redrive->replay_ends[i] == 0)
      continue;
    more = client_settle(redrive->client, topic, i, &error);
    if (more >= 0)
      more = client_read(redrive->client, &reading, &error);
    while (more >= 0 && !failed && (more = client_read_next(redrive->client, &record, &error)) > 0)
      failed = read_one(redrive, &arena, &record, take);
  }
  wm_arena_release(&arena);
  return failed ? say_memory() : more < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

int redrive_wait(struct redrive *redrive) {
  const struct settings *settings = &redrive->loaded.settings;
  int exit_code = wait_until_passed(redrive);
  if (exit_code == EXIT_FINE)
    exit_code = read_topic(redrive, settings->topics.outcomes, redrive->outcome_ends, take_outcome);
  if (exit_code == EXIT_FINE)
    exit_code = read_topic(redrive, settings->topics.failures, redrive->failure_ends, take_rejection);
  return exit_code;
}

#include "tools/answers/changes.h"

#include <stdlib.h>

#include "core/codec/json.h"
#include "core/hash.h"
#include "core/moment.h"
#include "tools/answers/homes.h"
#include "tools/lib/say.h"

#define FAULTS_TOLD 20
#define CHANGED "dev.waymark.role.changed.v1"

/* The id of the last change of each user's role, so that one that comes again is known. */
struct last {
  uint64_t pair, id; /* hashes; 0: free */
};

struct walking {
  struct changes_walk *walk;
  struct wm_arena arena; /* of one record */
  struct last *lasts;    /* open addressing */
  size_t count, capacity;
  int64_t at_us; /* of the change before */
};

/* --- repetitions --- */

static struct last *place_of(struct last *lasts, size_t capacity, uint64_t pair) {
  size_t at = pair & (capacity - 1);
  while (lasts[at].pair && lasts[at].pair != pair)
    at = (at + 1) & (capacity - 1);
  return &lasts[at];
}

static int grow(struct walking *walking) {
  size_t capacity = walking->capacity ? 2 * walking->capacity : 1024;
  struct last *larger = calloc(capacity, sizeof *larger);
  if (!larger)
    return -1;
  for (size_t i = 0; i < walking->capacity; i++)
    if (walking->lasts[i].pair)
      *place_of(larger, capacity, walking->lasts[i].pair) = walking->lasts[i];
  free(walking->lasts);
  walking->lasts = larger;
  walking->capacity = capacity;
  return 0;
}

/* 1: it was told before, 0: it is new, -1: out of memory. */
static int is_repetition(struct walking *walking, const struct change *change) {
  uint64_t pair = wm_hash_pair(change->user, change->role), id = wm_hash(change->id);
  pair = pair ? pair : 1;
  if (2 * walking->count >= walking->capacity && grow(walking) < 0)
    return -1;
  struct last *last = place_of(walking->lasts, walking->capacity, pair);
  bool repeated = last->pair && last->id == id;
  walking->count += !last->pair;
  *last = (struct last){pair, id};
  return repeated;
}

/* --- one record --- */

static struct wm_text text_of(const struct wm_value *object, const char *name) {
  return wm_value_text(wm_value_member(object, wm_text_of(name)));
}

static int64_t integer_of(const struct wm_value *value) {
  return value && value->type == WM_INTEGER ? value->integer : 0;
}

/* [time, source, id, automation, sequence] */
static struct wm_clock clock_of(const struct wm_value *value) {
  if (!value || value->type != WM_LIST || value->list.count != 5)
    return WM_NO_CLOCK;
  const struct wm_value *items = value->list.items;
  return (struct wm_clock){.time_us = integer_of(&items[0]),
                           .source = wm_value_text(&items[1]),
                           .id = wm_value_text(&items[2]),
                           .automation = wm_value_text(&items[3]),
                           .sequence = integer_of(&items[4])};
}

/* False: it is no change. */
static bool read_change(const struct wm_value *value, struct change *ret) {
  const struct wm_value *data = wm_value_member(value, WM_TEXT("data"));
  const struct wm_value *effective = wm_value_member(data, WM_TEXT("effective"));
  const struct wm_value *origin = wm_value_member(data, WM_TEXT("origin"));
  *ret = (struct change){
      .id = text_of(value, "id"),
      .user = text_of(value, "subject"),
      .role = text_of(data, "role"),
      .effective = effective && effective->type == WM_BOOLEAN && effective->boolean,
      .cause = text_of(data, "cause"),
      .clock = clock_of(wm_value_member(data, WM_TEXT("clock"))),
      .lockout = wm_value_member(data, WM_TEXT("lockout")) != NULL,
      .event_type = text_of(wm_value_member(data, WM_TEXT("event")), "type"),
      .origin = {text_of(origin, "topic"), (int32_t)integer_of(wm_value_member(origin, WM_TEXT("partition"))),
                 integer_of(wm_value_member(origin, WM_TEXT("offset")))},
      .catalogue = text_of(data, "catalogue"),
      .by = text_of(data, "by"),
      .reason = text_of(data, "reason"),
  };
  return wm_text_is(text_of(value, "type"), CHANGED) && ret->id.size && ret->user.size && ret->role.size &&
         ret->cause.size && effective && effective->type == WM_BOOLEAN;
}

static void tell_fault(struct walking *walking, const char *where, const char *what) {
  if (++walking->walk->faults <= FAULTS_TOLD)
    say(0, "%s is passed over: %s", where, what);
}

/* 'at_us' INT64_MIN: the time that the change names, else that of the one before. */
static int take_text(struct walking *walking, const char *where, struct wm_text text, int64_t at_us) {
  struct wm_value value;
  struct wm_error error = {0};
  struct change change;
  struct changes_walk *walk = walking->walk;
  wm_arena_rewind(&walking->arena);
  if (wm_json_parse(text, &walking->arena, &value, &error) < 0 || !read_change(&value, &change)) {
    tell_fault(walking, where, error.code ? error.text : "it is no role change");
    return EXIT_FINE;
  }
  if (walk->user && !wm_text_is(change.user, walk->user))
    return EXIT_FINE;
  change.at_us = at_us;
  if (at_us == INT64_MIN && !wm_moment_parse(text_of(&value, "time"), &change.at_us))
    change.at_us = walking->at_us;
  walking->at_us = change.at_us;
  if (change.at_us < walk->from_us)
    return EXIT_FINE;
  int repeated = is_repetition(walking, &change);
  if (repeated < 0)
    return say_memory();
  return repeated ? EXIT_FINE : walk->take(walk->taker, &change);
}

/* --- the topic --- */

static int take_record(struct walking *walking, const struct wm_record *record) {
  char where[400];
  struct changes_walk *walk = walking->walk;
  if (walk->user && !wm_text_is(record->key, walk->user))
    return EXIT_FINE;
  snprintf(where, sizeof where, "%s/%d@%lld", record->topic.bytes, record->partition, (long long)record->offset);
  return take_text(walking, where, record->value, record->timestamp_ms * 1000);
}

static int read_topic(struct client *client, const struct client_reading *reading, struct walking *walking) {
  struct changes_walk *walk = walking->walk;
  struct wm_record record;
  struct wm_error error = {0};
  int exit_code = EXIT_FINE, more = 0;
  bool first = true;
  if (client_read(client, reading, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  while (exit_code == EXIT_FINE && (more = client_read_next(client, &record, &error)) > 0) {
    int64_t at_us = record.timestamp_ms * 1000;
    if (first && walk->from_us == INT64_MIN && client_read_is_cut(client) && at_us > walk->begins_us)
      walk->begins_us = at_us;
    first = false;
    exit_code = take_record(walking, &record);
  }
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

/* One partition after the other: what stands on an earlier home of his is older than what stands on the next. */
static int read_homes(struct client *client, const struct settings *settings, struct client_reading *reading,
                      struct walking *walking) {
  struct wm_error error = {0};
  struct homes homes;
  if (homes_find(settings, client, wm_text_of(walking->walk->user), &homes, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  int exit_code = EXIT_FINE;
  for (size_t i = 0; exit_code == EXIT_FINE && i < homes.count; i++) {
    reading->partition = homes.partitions[i];
    exit_code = read_topic(client, reading, walking);
  }
  return exit_code;
}

static int each_in_topic(const struct loaded *loaded, struct walking *walking) {
  const struct settings *settings = &loaded->settings;
  const struct changes_walk *walk = walking->walk;
  struct wm_error error = {0};
  struct client_reading reading = {.topic = settings->topics.changes,
                                   .partition = CLIENT_ALL_PARTITIONS,
                                   .from_ms = walk->from_us == INT64_MIN ? CLIENT_BEGINNING : walk->from_us / 1000};
  struct client *client = client_open(settings, &error);
  int exit_code = !client      ? say_error(EXIT_OUTSIDE, &error)
                  : walk->user ? read_homes(client, settings, &reading, walking)
                               : read_topic(client, &reading, walking);
  client_close(client);
  return exit_code;
}

static int take_line(void *walking, const struct lines *lines, struct wm_text line) {
  char where[400];
  snprintf(where, sizeof where, "%s:%lld", lines->path, (long long)lines->number);
  return take_text(walking, where, line, INT64_MIN);
}

int changes_each(const struct loaded *loaded, const struct options *options, struct changes_walk *walk) {
  const char *path = options_value(options, "changes");
  struct walking walking = {.walk = walk};
  walk->faults = 0;
  walk->begins_us = INT64_MIN;
  wm_arena_init(&walking.arena, 0);
  int exit_code = path ? lines_each(path, take_line, &walking) : each_in_topic(loaded, &walking);
  wm_arena_release(&walking.arena);
  free(walking.lasts);
  return exit_code;
}

#include <stdlib.h>

#include "core/codec/json.h"
#include "tools/failures/event.h"
#include "tools/failures/originals.h"
#include "tools/lib/events.h"
#include "tools/lib/say.h"

static struct event_place *add_place(struct event_finding *finding) {
  if (!finding->places)
    finding->places = WM_ARENA_ARRAY(&finding->arena, struct event_place, EVENT_PLACES_LIMIT);
  return finding->places && finding->count < EVENT_PLACES_LIMIT ? &finding->places[finding->count++] : NULL;
}

static int no_place(const struct event_finding *finding) {
  if (finding->count < EVENT_PLACES_LIMIT)
    return say_memory();
  return say(EXIT_BAD_NEWS, "more than %d records carry this event: narrow the time by --since and --until",
             EVENT_PLACES_LIMIT);
}

/* Most records are of others, which a look at the bytes tells; an escape in JSON can hide an id. */
static bool may_be_it(const struct event_finding *finding, const struct wm_record *record) {
  if (wm_text_contains(record->value, finding->id) || wm_text_contains(record->value, WM_TEXT("\\")))
    return true;
  for (size_t i = 0; i < record->header_count; i++)
    if (wm_text_equal(record->headers[i].value, finding->id))
      return true;
  return false;
}

/* --- inputs --- */

static int keep_record(struct event_finding *finding, const struct wm_record *record,
                       const struct wm_decode_rules *rules) {
  struct event_place *place = add_place(finding);
  struct wm_rejection rejection;
  enum wm_decoded decoded;
  if (!place)
    return no_place(finding);
  *place = (struct event_place){.record = {WM_NO_TEXT, record->partition, record->offset},
                                .run = WM_TEXT("live"),
                                .at_us = record->timestamp_ms * 1000};
  if (wm_arena_text(&finding->arena, record->topic, &place->record.topic) < 0 ||
      wm_event_decode(record, rules, &finding->arena, &decoded, &place->event, &rejection) < 0)
    return say_memory();
  place->origin = place->record;
  place->readable = decoded == WM_DECODED_EVENT;
  if (place->readable) {
    place->run = place->event.run;
    place->origin = place->event.origin;
  }
  return EXIT_FINE;
}

static int take_input(struct event_finding *finding, const struct wm_record *record,
                      const struct wm_decode_rules *rules, struct wm_arena *scratch) {
  struct wm_event event;
  struct wm_rejection rejection = {0};
  enum wm_decoded decoded;
  int64_t at_us = record->timestamp_ms * 1000;
  if (at_us > finding->until_us || !may_be_it(finding, record))
    return EXIT_FINE;
  wm_arena_rewind(scratch);
  if (wm_event_decode(record, rules, scratch, &decoded, &event, &rejection) < 0)
    return say_memory();
  bool is_event = decoded == WM_DECODED_EVENT;
  if (decoded == WM_DECODED_NOTHING || !wm_text_equal(is_event ? event.id : rejection.id, finding->id) ||
      !wm_text_equal(is_event ? event.source : rejection.source, finding->source))
    return EXIT_FINE;
  return keep_record(finding, record, rules);
}

static int look_through(struct event_finding *finding, const char *topic, enum wm_topic_kind kind) {
  struct wm_decode_rules rules = events_rules(&finding->loaded->settings, 0);
  struct client_reading reading = {.topic = topic,
                                   .partition = CLIENT_ALL_PARTITIONS,
                                   .from_ms =
                                       finding->since_us == INT64_MIN ? CLIENT_BEGINNING : finding->since_us / 1000,
                                   .optional = true};
  struct wm_arena scratch;
  struct wm_record record;
  struct wm_error error = {0};
  int exit_code = EXIT_FINE, more = 0;
  rules.topic = kind == WM_TOPIC_REPLAY ? kind : WM_TOPIC_ANY;
  if (client_read(finding->client, &reading, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  finding->cut = finding->cut || client_read_is_cut(finding->client);
  wm_arena_init(&scratch, 0);
  while (exit_code == EXIT_FINE && (more = client_read_next(finding->client, &record, &error)) > 0)
    exit_code = take_input(finding, &record, &rules, &scratch);
  wm_arena_release(&scratch);
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

static int look_through_inputs(struct event_finding *finding) {
  const struct settings *settings = &finding->loaded->settings;
  const struct {
    const char *topic;
    enum wm_topic_kind kind;
  } others[] = {{settings->topics.directory, WM_TOPIC_DIRECTORY},
                {settings->topics.requests, WM_TOPIC_REQUESTS},
                {settings->topics.replay, WM_TOPIC_REPLAY}};
  bool found = false;
  int exit_code = EXIT_FINE;
  for (size_t i = 0; i < settings->topics.event_count && exit_code == EXIT_FINE; i++) {
    if (finding->topic && strcmp(finding->topic, settings->topics.events[i]) != 0)
      continue;
    found = true;
    exit_code = look_through(finding, settings->topics.events[i], WM_TOPIC_EVENTS);
  }
  for (size_t i = 0; i < sizeof others / sizeof *others && exit_code == EXIT_FINE; i++) {
    if (finding->topic && strcmp(finding->topic, others[i].topic) != 0)
      continue;
    found = true;
    exit_code = look_through(finding, others[i].topic, others[i].kind);
  }
  if (!found)
    return say(EXIT_USAGE, "--topic: '%s' is no input topic of the settings", finding->topic);
  return exit_code;
}

/* --- what came of it --- */

static const struct wm_value *get(const struct wm_value *value, const char *name) {
  return wm_value_member(value, wm_text_of(name));
}

static struct wm_text text_of(const struct wm_value *value, const char *name) {
  return wm_value_text(get(value, name));
}

static int64_t number_of(const struct wm_value *value, const char *name) {
  const struct wm_value *member = get(value, name);
  return member && member->type == WM_INTEGER ? member->integer : -1;
}

/* The place that the event of this run and origin has; a new one when its record was not found. NULL: told. */
static struct event_place *place_of(struct event_finding *finding, const struct wm_origin *origin, struct wm_text run,
                                    int *exit_code) {
  for (size_t i = 0; i < finding->count; i++)
    if (originals_compare(&finding->places[i].origin, origin) == 0 && wm_text_equal(finding->places[i].run, run))
      return &finding->places[i];
  struct event_place *place = add_place(finding);
  if (!place) {
    *exit_code = no_place(finding);
    return NULL;
  }
  *place = (struct event_place){.origin = *origin, .at_us = INT64_MIN};
  if (wm_arena_text(&finding->arena, origin->topic, &place->origin.topic) < 0 ||
      wm_arena_text(&finding->arena, run, &place->run) < 0) {
    *exit_code = say_memory();
    return NULL;
  }
  return place;
}

static int keep_outcome(struct event_finding *finding, struct event_place *place, struct wm_text json) {
  if (place->outcome_count == place->outcome_capacity) {
    size_t capacity = place->outcome_capacity ? 2 * place->outcome_capacity : 8;
    struct wm_text *larger = WM_ARENA_ARRAY(&finding->arena, struct wm_text, capacity);
    if (!larger)
      return say_memory();
    if (place->outcome_count > 0)
      memcpy(larger, place->outcomes, place->outcome_count * sizeof *larger);
    place->outcomes = larger;
    place->outcome_capacity = capacity;
  }
  return wm_arena_text(&finding->arena, json, &place->outcomes[place->outcome_count++]) < 0 ? say_memory() : EXIT_FINE;
}

static int take_outcome(struct event_finding *finding, const struct wm_record *record, struct wm_arena *scratch) {
  struct wm_value value;
  wm_arena_rewind(scratch);
  if (!may_be_it(finding, record) || wm_json_parse(record->value, scratch, &value, NULL) < 0)
    return EXIT_FINE;
  const struct wm_value *data = get(&value, "data"), *event = get(data, "event"), *origin = get(data, "origin");
  if (!wm_text_equal(text_of(event, "id"), finding->id) || !wm_text_equal(text_of(event, "source"), finding->source))
    return EXIT_FINE;
  const struct wm_origin at = {text_of(origin, "topic"), (int32_t)number_of(origin, "partition"),
                               number_of(origin, "offset")};
  int exit_code = EXIT_FINE;
  struct event_place *place = place_of(finding, &at, text_of(data, "run"), &exit_code);
  return place ? keep_outcome(finding, place, record->value) : exit_code;
}

static int look_through_outcomes(struct event_finding *finding) {
  struct client_reading reading = {.topic = finding->loaded->settings.topics.outcomes,
                                   .partition = CLIENT_ALL_PARTITIONS,
                                   .from_ms =
                                       finding->since_us == INT64_MIN ? CLIENT_BEGINNING : finding->since_us / 1000};
  struct wm_arena scratch;
  struct wm_record record;
  struct wm_error error = {0};
  int exit_code = EXIT_FINE, more = 0;
  if (client_read(finding->client, &reading, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  wm_arena_init(&scratch, 0);
  while (exit_code == EXIT_FINE && (more = client_read_next(finding->client, &record, &error)) > 0)
    exit_code = take_outcome(finding, &record, &scratch);
  wm_arena_release(&scratch);
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

/* A failed task stands among the outcomes; here are the rejections. One that could not be read names its record. */
static int take_failure(void *taker, const struct failure *failure) {
  struct event_finding *finding = taker;
  struct event_place *place = NULL;
  int exit_code = EXIT_FINE;
  for (size_t i = 0; i < finding->count; i++)
    if (finding->places[i].record.topic.bytes && originals_compare(&finding->places[i].record, &failure->origin) == 0)
      place = &finding->places[i];
  if (!place && wm_text_equal(failure->event_id, finding->id) && wm_text_equal(failure->event_source, finding->source))
    place = place_of(finding, &failure->origin, failure->run, &exit_code);
  if (!place)
    return exit_code;
  return wm_arena_text(&finding->arena, failure->json, &place->rejection) < 0 ? say_memory() : EXIT_FINE;
}

static int look_through_failures(struct event_finding *finding) {
  struct failures_walk walk = {.filter = {.rejected = true, .since_us = finding->since_us, .until_us = INT64_MAX},
                               .take = take_failure,
                               .taker = finding};
  return failures_each(finding->loaded, finding->options, &walk);
}

/* --- where the group is --- */

static int ask_positions(struct event_finding *finding) {
  struct wm_error error = {0};
  for (size_t i = 0; i < finding->count; i++) {
    struct event_place *place = &finding->places[i];
    char topic[256];
    snprintf(topic, sizeof topic, "%.*s", WM_TEXT_ARG(place->record.topic));
    if (place->record.topic.bytes &&
        client_committed(finding->client, topic, place->record.partition, &place->committed, &error) < 0)
      return say_error(EXIT_OUTSIDE, &error);
  }
  return EXIT_FINE;
}

/* What was decided before those positions were asked for is there to be read. */
static int settle(struct event_finding *finding) {
  const struct settings *settings = &finding->loaded->settings;
  struct wm_error error = {0};
  return client_settle(finding->client, settings->topics.outcomes, CLIENT_ALL_PARTITIONS, &error) < 0 ||
                 client_settle(finding->client, settings->topics.failures, CLIENT_ALL_PARTITIONS, &error) < 0
             ? say_error(EXIT_OUTSIDE, &error)
             : EXIT_FINE;
}

static enum event_state state_of(const struct event_place *place) {
  if (place->rejection.bytes)
    return EVENT_REJECTED;
  if (place->outcome_count > 0)
    return EVENT_DECIDED;
  return place->committed <= place->record.offset ? EVENT_WAITING : EVENT_NOTHING;
}

int event_find(struct event_finding *finding) {
  struct wm_error error = {0};
  finding->client = client_open(&finding->loaded->settings, &error);
  if (!finding->client)
    return say_error(EXIT_OUTSIDE, &error);
  int exit_code = look_through_inputs(finding);
  if (exit_code == EXIT_FINE)
    exit_code = ask_positions(finding); /* before outcomes: what comes meanwhile is waiting, or has its outcome */
  if (exit_code == EXIT_FINE)
    exit_code = settle(finding);
  if (exit_code == EXIT_FINE)
    exit_code = look_through_outcomes(finding);
  if (exit_code == EXIT_FINE)
    exit_code = look_through_failures(finding);
  for (size_t i = 0; i < finding->count; i++)
    finding->places[i].state = state_of(&finding->places[i]);
  return exit_code;
}

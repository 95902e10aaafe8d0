#include "worker/kafka.h"

#include <stdarg.h>
#include <stdlib.h>

#include "worker/clock.h"
#include "worker/kafka_internal.h"
#include "worker/topics.h"

enum { OPEN_US = 30 * 1000 * 1000 };

static int32_t home(void *self, struct wm_text user) {
  struct kafka *kafka = self;
  return kafka_home(kafka->settings.kafka.partitioner, user, kafka->partitions);
}

static const struct log_ops ops = {
    .poll = kafka_poll,
    .assign = kafka_assign,
    .unassign = kafka_unassign,
    .resume = kafka_resume,
    .pause = kafka_pause,
    .committed = kafka_committed,
    .rewind = kafka_rewind,
    .begin = kafka_begin,
    .append = kafka_append,
    .commit = kafka_commit,
    .abort = kafka_abort,
    .recycle = kafka_recycle,
    .cut_limit = kafka_cut_limit,
    .users_end = kafka_users_end,
    .read_begin = kafka_read_begin,
    .read_next = kafka_read_next,
    .read_end = kafka_read_end,
    .sample_begin = kafka_sample_begin,
    .sample_next = kafka_sample_next,
    .sample_end = kafka_sample_end,
    .incarnation = kafka_incarnation,
    .control_end = kafka_control_end,
    .control_next = kafka_control_next,
    .heard = kafka_heard,
    .home = home,
};

int32_t kafka_home(const char *partitioner, struct wm_text user, int32_t partitions) {
  typedef int32_t partitioner_fn(const rd_kafka_topic_t *, const void *, size_t, int32_t, void *, void *);
  static const struct {
    const char *name;
    partitioner_fn *choose;
  } table[] = {{"murmur2", rd_kafka_msg_partitioner_murmur2},
               {"consistent", rd_kafka_msg_partitioner_consistent},
               {"fnv1a", rd_kafka_msg_partitioner_fnv1a}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strcmp(table[i].name, partitioner) == 0)
      return table[i].choose(NULL, user.bytes, user.size, partitions, NULL, NULL);
  return -1;
}

/* --- settings --- */

static const char *copy(struct wm_arena *arena, const char *string) {
  return string ? wm_arena_copy(arena, string, strlen(string)) : NULL;
}

/* 'format' has one %s or two. */
__attribute__((format(printf, 2, 3))) static const char *print(struct wm_arena *arena, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = NULL;
  int size = vasprintf(&text, format, arguments);
  va_end(arguments);
  const char *result = size < 0 ? NULL : wm_arena_copy(arena, text, (size_t)size);
  if (size >= 0)
    free(text);
  return result;
}

static int copy_kafka(struct kafka *kafka, const struct settings *from) {
  struct wm_arena *arena = &kafka->arena;
  struct settings *to = &kafka->settings;
  to->instance = copy(arena, from->instance);
  to->kafka = from->kafka;
  to->kafka.bootstrap = copy(arena, from->kafka.bootstrap);
  to->kafka.group = copy(arena, from->kafka.group);
  to->kafka.partitioner = copy(arena, from->kafka.partitioner);
  to->kafka.property_places = NULL;
  to->kafka.properties = WM_ARENA_ARRAY(arena, struct setting_pair, from->kafka.property_count + 1);
  for (size_t i = 0; to->kafka.properties && i < from->kafka.property_count; i++) {
    const struct setting_pair *pair = &from->kafka.properties[i];
    to->kafka.properties[i] = (struct setting_pair){copy(arena, pair->name), copy(arena, pair->value)};
    if (!to->kafka.properties[i].name || !to->kafka.properties[i].value)
      return -1;
  }
  kafka->transactions = from->kafka.exactly_once;
  kafka->partitions = from->kafka.partitions;
  kafka->transactional_id = print(arena, "waymark.%s.%s", from->kafka.group, from->instance);
  bool fine = to->instance && to->kafka.bootstrap && to->kafka.group && to->kafka.partitioner && to->kafka.properties &&
              kafka->transactional_id;
  return fine ? 0 : -1;
}

static int copy_topics(struct kafka *kafka, const struct settings *from) {
  struct wm_arena *arena = &kafka->arena;
  struct settings *to = &kafka->settings;
  to->topics.users = copy(arena, from->topics.users);
  to->topics.outcomes = copy(arena, from->topics.outcomes);
  to->topics.changes = copy(arena, from->topics.changes);
  to->topics.failures = copy(arena, from->topics.failures);
  to->topics.notifications = copy(arena, from->topics.notifications);
  to->topics.control = copy(arena, from->topics.control);
  to->topics.requests = copy(arena, from->topics.requests);
  bool fine = to->topics.users && to->topics.outcomes && to->topics.changes && to->topics.failures &&
              to->topics.notifications && to->topics.control && to->topics.requests;
  return fine ? 0 : -1;
}

static int add_input(struct kafka *kafka, const char *topic, enum wm_topic_kind kind) {
  size_t i = kafka->input_count++;
  kafka->inputs[i] = copy(&kafka->arena, topic);
  kafka->dlq_names[i] = print(&kafka->arena, "%s.dlq", topic);
  kafka->input_kinds[i] = kind;
  return kafka->inputs[i] && kafka->dlq_names[i] ? 0 : -1;
}

static int add_inputs(struct kafka *kafka, const struct settings *from) {
  struct wm_arena *arena = &kafka->arena;
  size_t count = from->topics.event_count + 3;
  size_t places = count * (size_t)kafka->partitions;
  kafka->inputs = WM_ARENA_ARRAY(arena, const char *, count);
  kafka->dlq_names = WM_ARENA_ARRAY(arena, const char *, count);
  kafka->input_kinds = WM_ARENA_ARRAY(arena, enum wm_topic_kind, count);
  kafka->dlqs = WM_ARENA_ARRAY(arena, rd_kafka_topic_t *, count);
  kafka->places = WM_ARENA_ARRAY(arena, struct kafka_place, places);
  kafka->assigned = WM_ARENA_ARRAY(arena, struct log_position, places);
  if (!kafka->inputs || !kafka->dlq_names || !kafka->input_kinds || !kafka->dlqs || !kafka->places || !kafka->assigned)
    return -1;
  for (size_t i = 0; i < from->topics.event_count; i++)
    if (add_input(kafka, from->topics.events[i], WM_TOPIC_EVENTS) != 0)
      return -1;
  if (add_input(kafka, from->topics.directory, WM_TOPIC_DIRECTORY) != 0 ||
      add_input(kafka, from->topics.requests, WM_TOPIC_REQUESTS) != 0)
    return -1;
  return add_input(kafka, from->topics.replay, WM_TOPIC_REPLAY);
}

/* --- topics --- */

struct check {
  struct kafka *kafka;
  struct wm_error *error; /* gets the first problem that the worker can't live with */
  bool refused;
};

static void on_topic(void *taker, const struct topics_line *line) {
  struct check *check = taker;
  if (line->what == TOPICS_FINE || line->what == TOPICS_CREATED)
    return;
  bool wrong = line->what == TOPICS_WRONG;
  logger_say(check->kafka->logger, wrong ? LOGGER_ERROR : LOGGER_WARNING, system_clock.wall_us(system_clock.self),
             line->sentence, (const struct logger_field[]){{.name = "topic", .text = wm_text_of(line->topic)}, {0}});
  if (wrong && !check->refused)
    wm_error_set(check->error, WM_E_TOPIC_INVALID, "topic '%s': %s", line->topic, line->sentence);
  check->refused = check->refused || wrong;
}

static int check_topics(struct kafka *kafka, const struct settings *settings, struct wm_error *error) {
  struct check check = {kafka, error, false};
  struct topics_limits limits;
  if (topics_check(settings, on_topic, &check, &limits, error) != 0 || check.refused)
    return -1;
  memcpy(kafka->limits, limits.bytes, sizeof kafka->limits);
  return 0;
}

/* --- opening --- */

static struct kafka *prepare(const struct settings *settings, struct logger *logger) {
  struct kafka *kafka = calloc(1, sizeof *kafka);
  if (!kafka)
    return NULL;
  wm_arena_init(&kafka->arena, 4096);
  wm_arena_init(&kafka->kept_arena, 0);
  kafka->logger = logger;
  kafka->event = LOG_NOTHING;
  kafka->reading.partition = kafka->sample.partition = -1;
  for (int i = 0; i < WM_OUT_COUNT; i++)
    kafka->limits[i] = kafka->cut_limits[i] = SIZE_MAX;
  if (copy_kafka(kafka, settings) == 0 && copy_topics(kafka, settings) == 0 && add_inputs(kafka, settings) == 0)
    return kafka;
  kafka_close(kafka);
  return NULL;
}

struct kafka *kafka_open(const struct settings *settings, struct logger *logger, struct log_door *ret,
                         struct wm_error *error) {
  int64_t deadline_us = kafka_now_us() + OPEN_US;
  struct kafka *kafka = prepare(settings, logger);
  if (!kafka) {
    wm_error_memory(error);
    return NULL;
  }
  if (check_topics(kafka, settings, error) != 0 || kafka_watch_open(kafka, error) != 0 ||
      kafka_producer_open(kafka, deadline_us, error) != 0 || kafka_consumer_open(kafka, error) != 0) {
    kafka_close(kafka);
    return NULL;
  }
  *ret = (struct log_door){.ops = &ops,
                           .self = kafka,
                           .transactions = kafka->transactions,
                           .users_topic = kafka->settings.topics.users,
                           .partition_count = kafka->partitions,
                           .input_count = kafka->input_count,
                           .input_kinds = kafka->input_kinds,
                           .inputs = kafka->inputs};
  return kafka;
}

void kafka_close(struct kafka *kafka) {
  if (!kafka)
    return;
  kafka_consumer_close(kafka);
  kafka_producer_close(kafka);
  kafka_readers_close(kafka);
  kafka_control_close(kafka);
  kafka_watch_close(kafka);
  free(kafka->written);
  free(kafka->kept);
  wm_arena_release(&kafka->kept_arena);
  wm_arena_release(&kafka->arena);
  free(kafka);
}

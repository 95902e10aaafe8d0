/* The log door on the embedded broker: opened, one batch written, records read. */
#ifndef WM_TESTS_KAFKA_MOCK_H
#define WM_TESTS_KAFKA_MOCK_H

#include <criterion/criterion.h>
#include <unistd.h>

#include "worker/client.h"
#include "worker/kafka.h"
#include "worker/mock.h"
#include "worker/topics.h"

enum { PARTITIONS = 2 };

/* Requests and errors by their numbers in Kafka's protocol. */
enum {
  PRODUCE = 0,
  OFFSET_COMMIT = 8,
  INIT_PRODUCER_ID = 22,
  ADD_PARTITIONS = 24,
  ADD_OFFSETS = 25,
  END_TXN = 26,
  TXN_OFFSET_COMMIT = 28
};
enum {
  NOT_LEADER = 6,
  TOO_LARGE = 10,
  LOADING = 14,
  NOT_COORDINATOR = 16,
  ILLEGAL_GENERATION = 22,
  UNKNOWN_MEMBER = 25,
  TOPIC_FORBIDDEN = 29,
  GROUP_FORBIDDEN = 30,
  INVALID_TIMESTAMP = 32,
  INVALID_EPOCH = 47,
  INVALID_STATE = 48,
  CONCURRENT = 51,
  ID_FORBIDDEN = 53,
  FENCED = 90
};

static struct {
  struct mock_broker *mock;
  struct settings settings;
  struct logger logger;
  struct kafka *kafka;
  struct log_door door;
  struct wm_error error;
  const struct log_written *written;
  size_t written_count;
} log_;

#define LOG(name, ...) log_.door.ops->name(log_.door.self, __VA_ARGS__, &log_.error)
#define LOG0(name) log_.door.ops->name(log_.door.self, &log_.error)

__attribute__((unused)) static void set_up(void) {
  static const char *events[] = {"events"};
  log_.logger = (struct logger){.level = getenv("WAYMARK_TEST_LOG") ? LOGGER_DEBUG : LOGGER_ERROR + 1, .fd = 2};
  log_.settings = (struct settings){
      .instance = "one",
      .kafka = {.group = "g", .exactly_once = true, .partitions = PARTITIONS, .partitioner = "murmur2"},
      .topics = {.events = events,
                 .event_count = 1,
                 .directory = "directory",
                 .requests = "requests",
                 .replay = "replay",
                 .users = "users",
                 .outcomes = "outcomes",
                 .changes = "changes",
                 .failures = "failures",
                 .notifications = "notifications",
                 .control = "control"},
      .limits = {.register_bytes = 262144}};
  log_.mock = mock_broker_open(&log_.error);
  cr_assert_not_null(log_.mock, "%s", log_.error.text);
  log_.settings.kafka.bootstrap = mock_broker_bootstrap(log_.mock);
  cr_assert_eq(mock_broker_add_topics(log_.mock, &log_.settings, &log_.error), 0, "%s", log_.error.text);
}

__attribute__((unused)) static void tear_down(void) {
  kafka_close(log_.kafka);
  mock_broker_close(log_.mock);
}

__attribute__((unused)) static void open_kafka(void) {
  log_.kafka = kafka_open(&log_.settings, &log_.logger, &log_.door, &log_.error);
  cr_assert_not_null(log_.kafka, "%s", log_.error.text);
}

__attribute__((unused)) static void close_kafka(void) {
  kafka_close(log_.kafka);
  log_.kafka = NULL;
}

/* One outcome and one register on partition 1, and the group's offset. */
__attribute__((unused)) static enum log_result write_batch(void) {
  const struct wm_header headers[] = {{WM_TEXT("wm-run"), WM_TEXT("live")}, {WM_TEXT("empty"), WM_NO_TEXT}};
  struct wm_out outcome = {.topic = WM_OUT_OUTCOMES,
                           .partition = 1,
                           .timestamp_ms = 1000,
                           .key = WM_TEXT("user-7"),
                           .value = WM_TEXT("outcome"),
                           .headers = headers,
                           .header_count = 2};
  struct wm_out reg = {.topic = WM_OUT_USERS,
                       .partition = 1,
                       .timestamp_ms = -1,
                       .key = WM_TEXT("user-7"),
                       .value = WM_TEXT("register")};
  const struct log_position position = {.topic = 0, .partition = 1, .offset = 5};
  enum log_result result = LOG0(begin);
  if (result == LOG_DONE)
    result = LOG(append, &outcome, 0);
  if (result == LOG_DONE)
    result = LOG(append, &reg, 77);
  if (result == LOG_DONE)
    result = LOG(commit, &position, 1, &log_.written, &log_.written_count);
  return result;
}

/* What the loop does after a failure, until it has worked. */
__attribute__((unused)) static void recover(enum log_result result) {
  enum log_result again = LOG_AGAIN;
  for (int i = 0; i < 10 && again == LOG_AGAIN; i++)
    again = result == LOG_UNCERTAIN ? LOG0(recycle) : LOG0(abort);
  cr_assert_eq(again, LOG_DONE, "recovering from %d: %s", (int)result, log_.error.text);
}

/* What poll tells first, but for nothing and brokers that are away. */
__attribute__((unused)) static enum log_poll poll_for(struct log_polled *polled, int tries) {
  enum log_poll seen = LOG_NOTHING;
  for (int i = 0; i < tries && (seen == LOG_NOTHING || seen == LOG_DOWN); i++)
    seen = LOG(poll, 100, polled);
  return seen;
}

/* What the loop asks again when the broker keeps it waiting. */
#define INSIST(call)                                                                                                   \
  ({                                                                                                                   \
    enum log_result again_;                                                                                            \
    for (int tries_ = 0; (again_ = (call)) == LOG_AGAIN && tries_ < 60; tries_++)                                      \
      usleep(100000);                                                                                                  \
    again_;                                                                                                            \
  })

/* Becomes the group's only member, reading nothing. */
__attribute__((unused)) static void join(void) {
  struct log_polled polled;
  cr_assert_eq(poll_for(&polled, 300), LOG_ASSIGNED, "%s", log_.error.text);
  cr_assert_eq(INSIST(LOG(assign, polled.positions, polled.position_count)), LOG_DONE, "%s", log_.error.text);
}

#endif

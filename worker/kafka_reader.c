/* Reading waymark.users, committed records only, one partition at a time. Where a log ends is told by the end-of-
 * partition event: behind the last record stand control records and gaps that no message shows. */
#include "worker/kafka_internal.h"

#include "core/codec/json.h"

enum { BIRTH_US = 5000 * 1000 };

static int open_reader(struct kafka *kafka, struct wm_error *error) {
  const struct setting_pair own[] = {
      {"group.id", kafka->settings.kafka.group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"isolation.level", "read_committed"},
      {"enable.partition.eof", "true"},
      {"fetch.wait.max.ms", "10"}, /* it reads up to an end, which is told by an empty answer */
      {NULL, NULL}};
  kafka->reader.name = "reader";
  kafka->reader.logger = kafka->logger;
  return kafka_handle_open(&kafka->reader, RD_KAFKA_CONSUMER, &kafka->settings, own, NULL, error);
}

enum log_result kafka_read_begin(void *self, int32_t partition, int64_t from, struct wm_error *error) {
  struct kafka *kafka = self;
  kafka_read_end(kafka);
  if (open_reader(kafka, error) != 0)
    return LOG_FATAL;
  rd_kafka_topic_partition_list_t *list =
      kafka_one(kafka->settings.topics.users, partition, from > 0 ? from : RD_KAFKA_OFFSET_BEGINNING);
  if (!list) {
    wm_error_memory(error);
    return LOG_FATAL;
  }
  rd_kafka_resp_err_t code = kafka_assign_alone(&kafka->reader, list);
  rd_kafka_topic_partition_list_destroy(list);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    kafka_fail(&kafka->reader, error, "reading the users topic", code, NULL);
    return LOG_AGAIN;
  }
  kafka->read_partition = partition;
  kafka->read_position = from > 0 ? from : 0;
  return LOG_DONE;
}

static enum log_poll hand_error(struct kafka *kafka, struct wm_error *error) {
  const rd_kafka_message_t *raw = kafka->read.raw;
  switch (raw->err) {
  case RD_KAFKA_RESP_ERR__PARTITION_EOF:
    if (raw->offset > kafka->read_position)
      kafka->read_position = raw->offset;
    return LOG_NOTHING;
  case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
  case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    wm_error_set(error, WM_E_LOG_TRUNCATED, "'%s' partition %d has no offset %lld: it is not the log that redis knows",
                 kafka->settings.topics.users, kafka->read_partition, (long long)kafka->read_position);
    return LOG_BROKEN;
  case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
  case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
  case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
  case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
  case RD_KAFKA_RESP_ERR__BAD_MSG:
  case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    wm_error_set(error, WM_E_TOPIC_INVALID, "topic '%s' can't be read: %s", kafka->settings.topics.users,
                 rd_kafka_message_errstr(raw));
    return LOG_BROKEN;
  default:
    kafka_fail(&kafka->reader, error, "reading the users topic", raw->err, rd_kafka_message_errstr(raw));
    return LOG_DOWN;
  }
}

enum log_poll kafka_read_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                              struct wm_error *error) {
  struct kafka *kafka = self;
  enum log_poll result = LOG_NOTHING;
  kafka_message_drop(&kafka->read);
  if (!kafka->reader.rk) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "the users topic is not being read");
    return LOG_DOWN;
  }
  kafka->read.raw = rd_kafka_consumer_poll(kafka->reader.rk, timeout_ms);
  const rd_kafka_message_t *raw = kafka->read.raw;
  if (!raw && kafka->reader.down) {
    kafka->reader.down = false;
    kafka_fail(&kafka->reader, error, "reading the users topic", RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, NULL);
    result = LOG_DOWN;
  } else if (raw && raw->err) {
    result = hand_error(kafka, error);
  } else if (raw && raw->partition == kafka->read_partition && raw->offset >= kafka->read_position) {
    result = LOG_RECORD;
    kafka->read_position = raw->offset + 1;
    if (kafka_message_read(&kafka->read, ret) != 0) {
      wm_error_memory(error);
      result = LOG_BROKEN;
    }
  }
  *ret_position = kafka->read_position;
  return result;
}

void kafka_read_end(void *self) {
  struct kafka *kafka = self;
  kafka_message_drop(&kafka->read);
  kafka->read_partition = -1;
  kafka_handle_close(&kafka->reader);
}

/* --- the birth record --- */

/* 'record' NULL: the partition is empty. */
static enum log_result read_birth(struct kafka *kafka, const struct wm_record *record, char ret[static 64],
                                  struct wm_error *error) {
  struct wm_text incarnation = WM_NO_TEXT;
  struct wm_arena arena;
  wm_arena_init(&arena, 4096);
  struct wm_value value;
  if (record && record->value.bytes && wm_text_equal(record->key, WM_TEXT(KAFKA_BIRTH_KEY)) &&
      wm_json_parse(record->value, &arena, &value, NULL) == 0)
    incarnation = wm_value_text(wm_value_member(&value, WM_TEXT("incarnation")));
  bool fine = incarnation.size > 0 && incarnation.size < 64;
  if (fine) {
    memcpy(ret, incarnation.bytes, incarnation.size);
    ret[incarnation.size] = '\0';
  } else {
    wm_error_set(error, WM_E_TOPIC_INVALID,
                 "'%s' partition %d does not begin with a birth record: make the topics with 'waymark topics create'",
                 kafka->settings.topics.users, kafka->read_partition);
  }
  wm_arena_release(&arena);
  return fine ? LOG_DONE : LOG_FATAL;
}

enum log_result kafka_incarnation(void *self, int32_t partition, char ret[static 64], struct wm_error *error) {
  struct kafka *kafka = self;
  int64_t start, end, position = 0, deadline_us = kafka_now_us() + BIRTH_US;
  enum log_result result = kafka_marks(kafka, kafka->settings.topics.users, partition, &start, &end, error);
  if (result == LOG_DONE)
    result = kafka_read_begin(kafka, partition, LOG_BEGINNING, error);
  if (result != LOG_DONE)
    return result;
  struct wm_record record;
  enum log_poll seen;
  do {
    seen = kafka_read_next(kafka, 100, &record, &position, error);
  } while ((seen == LOG_NOTHING || seen == LOG_DOWN) && position < end && kafka_now_us() < deadline_us);
  if (seen == LOG_RECORD || position >= end) {
    result = read_birth(kafka, seen == LOG_RECORD ? &record : NULL, ret, error);
  } else if (seen == LOG_BROKEN) {
    result = LOG_FATAL;
  } else {
    wm_error_set(error, WM_E_KAFKA_FAILED, "the birth record of '%s' partition %d could not be read in time",
                 kafka->settings.topics.users, partition);
    result = LOG_AGAIN;
  }
  kafka_read_end(kafka);
  return result;
}

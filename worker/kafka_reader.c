/* Reading waymark.users, committed records only, one partition at a time. Where a log ends is told by the end-of-
 * partition event: behind the last record stand control records and gaps that no message shows. */
#include "worker/kafka_internal.h"

#include "core/codec/json.h"

enum { BIRTH_US = 5000 * 1000 };

/* 'ahead' ends with a NULL name: how much is read ahead. */
static int open_reader(struct kafka *kafka, struct kafka_reading *reading, const struct setting_pair *ahead,
                       struct wm_error *error) {
  struct setting_pair own[16] = {{"group.id", kafka->settings.kafka.group}, {"enable.auto.commit", "false"},
                                 {"enable.auto.offset.store", "false"},     {"auto.offset.reset", "error"},
                                 {"isolation.level", "read_committed"},     {"enable.partition.eof", "true"}};
  size_t count = 6;
  for (; ahead->name; ahead++)
    own[count++] = *ahead;
  reading->handle.name = reading == &kafka->reading ? "reader" : "sample";
  reading->handle.logger = kafka->logger;
  return kafka_handle_open(&reading->handle, RD_KAFKA_CONSUMER, &kafka->settings, own, NULL, error);
}

static void end(struct kafka_reading *reading) {
  kafka_message_drop(&reading->message);
  reading->partition = -1;
  kafka_handle_close(&reading->handle);
}

static enum log_result begin(struct kafka *kafka, struct kafka_reading *reading, const struct setting_pair *ahead,
                             int32_t partition, int64_t from, struct wm_error *error) {
  end(reading);
  if (open_reader(kafka, reading, ahead, error) != 0)
    return LOG_FATAL;
  rd_kafka_topic_partition_list_t *list =
      kafka_one(kafka->settings.topics.users, partition, from > 0 ? from : RD_KAFKA_OFFSET_BEGINNING);
  if (!list) {
    wm_error_memory(error);
    return LOG_FATAL;
  }
  rd_kafka_resp_err_t code = kafka_assign_alone(&reading->handle, list);
  rd_kafka_topic_partition_list_destroy(list);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    kafka_fail(&reading->handle, error, "reading the users topic", code, NULL);
    return LOG_AGAIN;
  }
  reading->partition = partition;
  reading->position = from > 0 ? from : 0;
  return LOG_DONE;
}

static enum log_poll hand_error(struct kafka *kafka, struct kafka_reading *reading, struct wm_error *error) {
  const rd_kafka_message_t *raw = reading->message.raw;
  switch (raw->err) {
  case RD_KAFKA_RESP_ERR__PARTITION_EOF:
    if (raw->offset > reading->position)
      reading->position = raw->offset;
    return LOG_NOTHING;
  case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
  case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    wm_error_set(error, WM_E_LOG_TRUNCATED, "'%s' partition %d has no offset %lld: it is not the log that redis knows",
                 kafka->settings.topics.users, reading->partition, (long long)reading->position);
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
    kafka_fail(&reading->handle, error, "reading the users topic", raw->err, rd_kafka_message_errstr(raw));
    return LOG_DOWN;
  }
}

static enum log_poll next(struct kafka *kafka, struct kafka_reading *reading, int timeout_ms, struct wm_record *ret,
                          int64_t *ret_position, struct wm_error *error) {
  enum log_poll result = LOG_NOTHING;
  kafka_message_drop(&reading->message);
  if (!reading->handle.rk) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "the users topic is not being read");
    return LOG_DOWN;
  }
  reading->message.raw = rd_kafka_consumer_poll(reading->handle.rk, timeout_ms);
  const rd_kafka_message_t *raw = reading->message.raw;
  if (!raw && reading->handle.down) {
    reading->handle.down = false;
    kafka_fail(&reading->handle, error, "reading the users topic", RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, NULL);
    result = LOG_DOWN;
  } else if (raw && raw->err) {
    result = hand_error(kafka, reading, error);
  } else if (raw && raw->partition == reading->partition && raw->offset >= reading->position) {
    result = LOG_RECORD;
    reading->position = raw->offset + 1;
    if (kafka_message_read(&reading->message, ret) != 0) {
      wm_error_memory(error);
      result = LOG_BROKEN;
    }
  }
  *ret_position = reading->position;
  return result;
}

/* --- reading as fast as it goes --- */

enum log_result kafka_read_begin(void *self, int32_t partition, int64_t from, struct wm_error *error) {
  static const struct setting_pair ahead[] = {
      {"fetch.wait.max.ms", "10"}, /* it reads up to an end, which is told by an empty answer */
      {NULL, NULL}};
  struct kafka *kafka = self;
  return begin(kafka, &kafka->reading, ahead, partition, from, error);
}

enum log_poll kafka_read_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                              struct wm_error *error) {
  struct kafka *kafka = self;
  return next(kafka, &kafka->reading, timeout_ms, ret, ret_position, error);
}

void kafka_read_end(void *self) {
  end(&((struct kafka *)self)->reading);
}

/* --- and without hurry: memory and network are for others --- */

enum log_result kafka_sample_begin(void *self, int32_t partition, int64_t from, struct wm_error *error) {
  static const struct setting_pair ahead[] = {{"fetch.wait.max.ms", "100"},
                                              {"queued.max.messages.kbytes", "1024"},
                                              {"fetch.message.max.bytes", "262144"},
                                              {NULL, NULL}};
  struct kafka *kafka = self;
  return begin(kafka, &kafka->sample, ahead, partition, from, error);
}

enum log_poll kafka_sample_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                                struct wm_error *error) {
  struct kafka *kafka = self;
  return next(kafka, &kafka->sample, timeout_ms, ret, ret_position, error);
}

void kafka_sample_end(void *self) {
  end(&((struct kafka *)self)->sample);
}

void kafka_readers_close(struct kafka *kafka) {
  kafka_read_end(kafka);
  kafka_sample_end(kafka);
  kafka_message_release(&kafka->reading.message);
  kafka_message_release(&kafka->sample.message);
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
                 kafka->settings.topics.users, kafka->reading.partition);
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

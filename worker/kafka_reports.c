/* What the producer says of its records: where registers stand, what was refused, and whether it can go on. */
#include "worker/kafka_internal.h"

#include <stdlib.h>

enum { OVERHEAD = 512 /* of a message set with one record */ };

static bool is_fencing(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

bool kafka_outlived(const struct kafka *kafka, rd_kafka_resp_err_t code) {
  const int64_t patience_us = KAFKA_TRANSACTION_MS * INT64_C(1000);
  return is_fencing(code) && kafka->in_transaction && kafka_now_us() - kafka->began_us >= patience_us;
}

void kafka_tell_fatal(struct kafka *kafka, rd_kafka_resp_err_t code, const char *said, struct wm_error *error) {
  if (is_fencing(code))
    wm_error_set(
        error, WM_E_KAFKA_FENCED,
        "transactional id '%s' was taken over by another producer: most likely two workers have one 'instance' (%s)",
        kafka->transactional_id, said);
  else
    kafka_fail(&kafka->producer, error, "the producer can't go on", code, said);
}

bool kafka_is_fatal(struct kafka *kafka, struct wm_error *error) {
  char said[300];
  if (!kafka->producer.rk)
    return false;
  rd_kafka_resp_err_t code = rd_kafka_fatal_error(kafka->producer.rk, said, sizeof said);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR || kafka_outlived(kafka, code))
    return false;
  kafka_tell_fatal(kafka, code, said, error);
  return true;
}

void kafka_forget_reports(struct kafka *kafka) {
  kafka->written_count = 0;
  kafka->written_failed = false;
  kafka->too_large = false;
  kafka->undelivered = RD_KAFKA_RESP_ERR_NO_ERROR;
}

static enum wm_topic topic_of(const struct kafka *kafka, const rd_kafka_topic_t *topic) {
  for (int i = 0; i < WM_OUT_COUNT; i++)
    if (kafka->outputs[i] == topic)
      return (enum wm_topic)i;
  return WM_OUT_DLQ;
}

static size_t size_of(const rd_kafka_message_t *message) {
  size_t size = message->len + message->key_len, value_size;
  rd_kafka_headers_t *headers;
  const char *name;
  const void *value;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return size;
  for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &value_size); i++)
    size += strlen(name) + (value ? value_size : 0);
  return size;
}

/* The limit that the topic has, or, where it is not known (or not the reason), less at each try. */
void kafka_note_too_large(struct kafka *kafka, enum wm_topic topic, size_t size) {
  size_t known = kafka->limits[topic], limit = size - size / 4;
  if (known != SIZE_MAX && known > OVERHEAD && size > known - OVERHEAD)
    limit = known - OVERHEAD;
  if (limit < kafka->cut_limits[topic])
    kafka->cut_limits[topic] = limit;
  kafka->too_large = true;
}

static void note_written(struct kafka *kafka, const rd_kafka_message_t *message) {
  uint64_t token = (uint64_t)(uintptr_t)message->_private;
  if (token == 0)
    return;
  if (kafka->written_count == kafka->written_capacity) {
    size_t capacity = kafka->written_capacity ? 2 * kafka->written_capacity : 1024;
    struct log_written *larger = realloc(kafka->written, capacity * sizeof *larger);
    if (!larger) {
      kafka->written_failed = true;
      return;
    }
    kafka->written = larger;
    kafka->written_capacity = capacity;
  }
  kafka->written[kafka->written_count++] = (struct log_written){token, message->offset};
}

void kafka_on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *handle) {
  struct kafka *kafka = ((struct kafka_handle *)handle)->owner;
  (void)rk;
  switch (message->err) {
  case RD_KAFKA_RESP_ERR_NO_ERROR:
    note_written(kafka, message);
    return;
  case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
  case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    return;
  case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
  case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    kafka_note_too_large(kafka, topic_of(kafka, message->rkt), size_of(message));
    return;
  case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    kafka->own_time[topic_of(kafka, message->rkt)] = true;
    break;
  default:
    break;
  }
  if (kafka->undelivered == RD_KAFKA_RESP_ERR_NO_ERROR)
    kafka->undelivered = message->err;
}

enum log_result kafka_reported(struct kafka *kafka, struct wm_error *error) {
  if (kafka_is_fatal(kafka, error))
    return LOG_FATAL;
  if (kafka->too_large) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "a record is larger than its topic allows");
    return LOG_TOO_LARGE;
  }
  if (kafka->undelivered == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  kafka_fail(&kafka->producer, error, "a record was not taken", kafka->undelivered, NULL);
  return LOG_ABORT;
}

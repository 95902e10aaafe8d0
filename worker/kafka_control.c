/* Following waymark.control with a handle of its own, from its beginning on: committed records only. */
#include "worker/kafka_internal.h"

enum { QUERY_MS = 1000 };

static int open_controller(struct kafka *kafka, struct wm_error *error) {
  const struct setting_pair own[] = {{"group.id", kafka->settings.kafka.group},
                                     {"enable.auto.commit", "false"},
                                     {"enable.auto.offset.store", "false"},
                                     {"auto.offset.reset", "earliest"}, /* a topic made anew is read anew */
                                     {"isolation.level", "read_committed"},
                                     {"enable.partition.eof", "true"},
                                     {"queued.max.messages.kbytes", "4096"},
                                     {"fetch.error.backoff.ms", "100"},
                                     {"fetch.wait.max.ms", "250"},
                                     {NULL, NULL}};
  kafka->controller.name = "control";
  kafka->controller.logger = kafka->logger;
  return kafka_handle_open(&kafka->controller, RD_KAFKA_CONSUMER, &kafka->settings, own, NULL, error);
}

static enum log_result begin(struct kafka *kafka, struct wm_error *error) {
  if (kafka->controller.rk)
    return LOG_DONE;
  if (open_controller(kafka, error) != 0)
    return LOG_FATAL;
  rd_kafka_topic_partition_list_t *list = kafka_one(kafka->settings.topics.control, 0, RD_KAFKA_OFFSET_BEGINNING);
  rd_kafka_resp_err_t code = list ? kafka_assign_alone(&kafka->controller, list) : RD_KAFKA_RESP_ERR__FAIL;
  if (list)
    rd_kafka_topic_partition_list_destroy(list);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  kafka_fail(&kafka->controller, error, "reading the control topic", code, NULL);
  kafka_handle_close(&kafka->controller);
  return LOG_AGAIN;
}

enum log_result kafka_control_end(void *self, int64_t *ret_end, struct wm_error *error) {
  struct kafka *kafka = self;
  enum log_result result = begin(kafka, error);
  if (result != LOG_DONE)
    return result;
  int64_t start;
  rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(kafka->controller.rk, kafka->settings.topics.control, 0,
                                                              &start, ret_end, QUERY_MS);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  kafka_fail(&kafka->controller, error, "asking where the control topic ends", code, NULL);
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ? LOG_FATAL : LOG_AGAIN;
}

static enum log_poll hand_error(struct kafka *kafka, struct wm_error *error) {
  const rd_kafka_message_t *raw = kafka->word.raw;
  switch (raw->err) {
  case RD_KAFKA_RESP_ERR__PARTITION_EOF:
    kafka->control_position = raw->offset;
    return LOG_NOTHING;
  case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    wm_error_set(error, WM_E_TOPIC_INVALID, "topic '%s' can't be read: %s", kafka->settings.topics.control,
                 rd_kafka_message_errstr(raw));
    return LOG_BROKEN;
  default:
    kafka_fail(&kafka->controller, error, "reading the control topic", raw->err, rd_kafka_message_errstr(raw));
    return LOG_DOWN;
  }
}

enum log_poll kafka_control_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                                 struct wm_error *error) {
  struct kafka *kafka = self;
  enum log_poll result = LOG_NOTHING;
  if (!kafka->controller.rk)
    return LOG_NOTHING;
  kafka_message_drop(&kafka->word);
  kafka->word.raw = rd_kafka_consumer_poll(kafka->controller.rk, timeout_ms);
  const rd_kafka_message_t *raw = kafka->word.raw;
  if (raw && raw->err) {
    result = hand_error(kafka, error);
  } else if (raw) {
    kafka->control_position = raw->offset + 1;
    result = kafka_message_read(&kafka->word, ret) == 0 ? LOG_RECORD : LOG_BROKEN;
    if (result == LOG_BROKEN)
      wm_error_memory(error);
  }
  *ret_position = kafka->control_position;
  return result;
}

void kafka_control_close(struct kafka *kafka) {
  kafka_message_release(&kafka->word);
  kafka_handle_close(&kafka->controller);
}

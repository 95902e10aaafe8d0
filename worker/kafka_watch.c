/* A handle that belongs to no group and sees uncommitted records: it knows where logs end, and notices when a topic
 * changes under the worker. */
#include "worker/kafka_internal.h"

enum { QUERY_MS = 2000, WATCH_MS = 500 };

static int watch_topic(struct kafka *kafka, const char *name, struct wm_error *error) {
  rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka->watcher.rk, name, NULL);
  if (!topic)
    return kafka_fail(&kafka->watcher, error, name, rd_kafka_last_error(), NULL);
  kafka->watched[kafka->watched_count++] = topic;
  return 0;
}

int kafka_watch_open(struct kafka *kafka, struct wm_error *error) {
  static const struct setting_pair own[] = {{"isolation.level", "read_uncommitted"}, {NULL, NULL}};
  const char *const outputs[] = {kafka->settings.topics.users,         kafka->settings.topics.outcomes,
                                 kafka->settings.topics.changes,       kafka->settings.topics.failures,
                                 kafka->settings.topics.notifications, kafka->settings.topics.control};
  const size_t output_count = sizeof outputs / sizeof *outputs;
  kafka->watcher.name = "watcher";
  kafka->watcher.logger = kafka->logger;
  kafka->watched = WM_ARENA_ARRAY(&kafka->arena, rd_kafka_topic_t *, output_count + 2 * kafka->input_count);
  if (!kafka->watched)
    return wm_error_memory(error);
  if (kafka_handle_open(&kafka->watcher, RD_KAFKA_CONSUMER, &kafka->settings, own, NULL, error) != 0)
    return -1;
  for (size_t i = 0; i < output_count; i++)
    if (watch_topic(kafka, outputs[i], error) != 0)
      return -1;
  for (size_t i = 0; i < kafka->input_count; i++)
    if (watch_topic(kafka, kafka->inputs[i], error) != 0 || watch_topic(kafka, kafka->dlq_names[i], error) != 0)
      return -1;
  return 0;
}

void kafka_watch_close(struct kafka *kafka) {
  for (size_t i = 0; i < kafka->watched_count; i++)
    rd_kafka_topic_destroy(kafka->watched[i]);
  kafka->watched_count = 0;
  kafka_handle_close(&kafka->watcher);
}

static enum log_poll look_at(struct kafka *kafka, const rd_kafka_metadata_topic_t *topic, struct wm_error *error) {
  if (topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    wm_error_set(error, WM_E_TOPIC_INVALID, "topic '%s' is gone", topic->topic);
    return LOG_BROKEN;
  }
  bool is_control = strcmp(topic->topic, kafka->settings.topics.control) == 0;
  if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR || topic->partition_cnt == (is_control ? 1 : kafka->partitions))
    return LOG_NOTHING;
  if (is_control) {
    wm_error_set(error, WM_E_TOPIC_INVALID,
                 "topic '%s' has %d partitions now, not 1: what is switched off and "
                 "archived stands in one order only when there is one",
                 topic->topic, topic->partition_cnt);
    return LOG_BROKEN;
  }
  wm_error_set(error, WM_E_TOPIC_INVALID,
               "topic '%s' has %d partitions now, not %d: users have changed their home, registers must be moved "
               "(waymark topics rehome) before a worker may go on",
               topic->topic, topic->partition_cnt, kafka->partitions);
  return LOG_BROKEN;
}

enum log_poll kafka_watch(struct kafka *kafka, struct wm_error *error) {
  const rd_kafka_metadata_t *metadata;
  rd_kafka_resp_err_t code = rd_kafka_metadata(kafka->watcher.rk, 0, NULL, &metadata, WATCH_MS);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    kafka_fail(&kafka->watcher, error, "brokers can't be reached", code, NULL);
    return LOG_DOWN;
  }
  enum log_poll result = LOG_NOTHING;
  for (int i = 0; i < metadata->topic_cnt && result == LOG_NOTHING; i++)
    result = look_at(kafka, &metadata->topics[i], error);
  rd_kafka_metadata_destroy(metadata);
  return result;
}

enum log_result kafka_marks(struct kafka *kafka, const char *topic, int32_t partition, int64_t *ret_start,
                            int64_t *ret_end, struct wm_error *error) {
  rd_kafka_resp_err_t code =
      rd_kafka_query_watermark_offsets(kafka->watcher.rk, topic, partition, ret_start, ret_end, QUERY_MS);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  wm_error_set(error, WM_E_KAFKA_FAILED, "start and end of '%s' partition %d are not known: %s", topic, partition,
               rd_kafka_err2str(code));
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ? LOG_FATAL : LOG_AGAIN;
}

enum log_result kafka_users_end(void *self, int32_t partition, int64_t *ret_start, int64_t *ret_end,
                                struct wm_error *error) {
  struct kafka *kafka = self;
  return kafka_marks(kafka, kafka->settings.topics.users, partition, ret_start, ret_end, error);
}

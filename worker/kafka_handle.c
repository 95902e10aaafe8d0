#include "worker/kafka_internal.h"

#include <stdlib.h>
#include <syslog.h>
#include <time.h>

#include "worker/clock.h"

#define NUMBER(macro) NUMBER_OF(macro)
#define NUMBER_OF(number) #number

/* What a user's property may overrule. */
static const struct setting_pair defaults[] = {
    {"socket.nagle.disable", "true"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "1000"},
    {"retry.backoff.ms", "50"},
    {"topic.metadata.refresh.interval.ms", "60000"},
    {"session.timeout.ms", NUMBER(SETTINGS_SESSION_MS)},
    {"max.poll.interval.ms", "60000"},
    {"linger.ms", "5"},
    {"fetch.error.backoff.ms", "100"},
    /* Limits of the queue that stay above what a worker eats in a second: up to 2.1 librdkafka looks again only after
     * one. */
    {"queued.min.messages", "50000"},
    {"queued.max.messages.kbytes", "32768"},
    {NULL, NULL},
};

/* Only newer versions know these. */
static const struct setting_pair optional[] = {
    {"enable.metrics.push", "false"},
    {"retry.backoff.max.ms", "1000"},
    {NULL, NULL},
};

int64_t kafka_now_us(void) {
  return system_clock.monotonic_us(system_clock.self);
}

int kafka_left_ms(int64_t deadline_us, int at_most_ms) {
  int64_t left_ms = (deadline_us - kafka_now_us()) / 1000;
  if (left_ms < 1)
    return 1;
  return left_ms < at_most_ms ? (int)left_ms : at_most_ms;
}

rd_kafka_topic_partition_list_t *kafka_one(const char *topic, int32_t partition, int64_t offset) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  if (list)
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
  return list;
}

rd_kafka_resp_err_t kafka_assign_alone(struct kafka_handle *handle, rd_kafka_topic_partition_list_t *list) {
  rd_kafka_topic_t *first = rd_kafka_topic_new(handle->rk, list->elems[0].topic, NULL);
  rd_kafka_topic_t *last = rd_kafka_topic_new(handle->rk, list->elems[list->cnt - 1].topic, NULL);
  const rd_kafka_metadata_t *metadata;
  if (first && last && rd_kafka_metadata(handle->rk, 0, NULL, &metadata, 2000) == RD_KAFKA_RESP_ERR_NO_ERROR)
    rd_kafka_metadata_destroy(metadata);
  rd_kafka_resp_err_t code = rd_kafka_assign(handle->rk, list);
  if (first)
    rd_kafka_topic_destroy(first);
  if (last)
    rd_kafka_topic_destroy(last);
  return code;
}

static void remember(struct kafka_handle *handle, const char *said) {
  snprintf(handle->reason, sizeof handle->reason, "%s", said);
}

/* librdkafka's severities are syslog's. Its errors are mostly a network that comes back. */
static enum logger_level level_of(int severity) {
  if (severity <= LOG_CRIT)
    return LOGGER_ERROR;
  return severity <= LOG_WARNING ? LOGGER_WARNING : LOGGER_DEBUG;
}

/* Every instance is given the same properties; that some mean nothing to it is not worth a line. */
static void on_log(const rd_kafka_t *rk, int severity, const char *facility, const char *text) {
  struct kafka_handle *handle = rd_kafka_opaque(rk);
  if (!handle || strcmp(facility, "CONFWARN") == 0)
    return;
  if (strcmp(facility, "FAIL") == 0)
    remember(handle, text);
  if (!handle->logger)
    return;
  logger_flood(handle->logger, level_of(severity), system_clock.wall_us(system_clock.self), "kafka client",
               (const struct logger_field[]){{.name = "handle", .text = wm_text_of(handle->name)},
                                             {.name = "facility", .text = wm_text_of(facility)},
                                             {.name = "text", .text = wm_text_of(text)},
                                             {0}});
}

/* The log tells it already; here it only counts. */
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
  struct kafka_handle *handle = opaque;
  (void)rk;
  switch ((rd_kafka_resp_err_t)code) {
  case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    handle->down = true;
    handle->breaks++;
    break;
  case RD_KAFKA_RESP_ERR__FATAL:
    break;
  default:
    handle->breaks++;
    remember(handle, reason);
  }
}

static int set_one(rd_kafka_conf_t *conf, const struct setting_pair *pair, struct wm_error *error) {
  char said[300];
  if (rd_kafka_conf_set(conf, pair->name, pair->value, said, sizeof said) == RD_KAFKA_CONF_OK)
    return 0;
  return wm_error_set(error, WM_E_SETTING_INVALID, "'kafka.properties.%s': %s", pair->name, said);
}

static int set_all(rd_kafka_conf_t *conf, const struct setting_pair *pairs, struct wm_error *error) {
  for (; pairs->name; pairs++)
    if (set_one(conf, pairs, error) != 0)
      return -1;
  return 0;
}

static int set_user_properties(rd_kafka_conf_t *conf, const struct settings *settings, struct wm_error *error) {
  for (size_t i = 0; i < settings->kafka.property_count; i++) {
    const struct setting_pair *pair = &settings->kafka.properties[i];
    const char *why = settings_property_refused(pair->name);
    if (why)
      return wm_error_set(error, WM_E_SETTING_INVALID, "'kafka.properties.%s' can't be set: %s", pair->name, why);
    if (set_one(conf, pair, error) != 0)
      return -1;
  }
  return 0;
}

static int fill(rd_kafka_conf_t *conf, struct kafka_handle *handle, const struct settings *settings,
                const struct setting_pair *own, struct wm_error *error) {
  const struct setting_pair fixed[] = {
      {"bootstrap.servers", settings->kafka.bootstrap}, {"log.queue", "true"}, {NULL, NULL}};
  bool wordy = handle->logger && handle->logger->level == LOGGER_DEBUG;
  const struct setting_pair level = {"log_level", wordy ? "7" : "4"};
  char id[128];
  snprintf(id, sizeof id, "waymark-%s", settings->instance);
  for (const struct setting_pair *pair = optional; pair->name; pair++)
    rd_kafka_conf_set(conf, pair->name, pair->value, NULL, 0);
  if (set_one(conf, &(const struct setting_pair){"client.id", id}, error) != 0 || set_all(conf, defaults, error) != 0 ||
      set_user_properties(conf, settings, error) != 0)
    return -1;
  if (set_all(conf, fixed, error) != 0 || set_one(conf, &level, error) != 0)
    return -1;
  return set_all(conf, own, error);
}

int kafka_handle_open(struct kafka_handle *handle, rd_kafka_type_t type, const struct settings *settings,
                      const struct setting_pair *own, const struct kafka_callbacks *callbacks, struct wm_error *error) {
  handle->down = false;
  handle->reason[0] = '\0';
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  if (fill(conf, handle, settings, own, error) != 0) {
    rd_kafka_conf_destroy(conf);
    return -1;
  }
  rd_kafka_conf_set_opaque(conf, handle);
  rd_kafka_conf_set_log_cb(conf, on_log);
  rd_kafka_conf_set_error_cb(conf, on_error);
  if (callbacks && callbacks->rebalance)
    rd_kafka_conf_set_rebalance_cb(conf, callbacks->rebalance);
  if (callbacks && callbacks->delivered)
    rd_kafka_conf_set_dr_msg_cb(conf, callbacks->delivered);
  char said[300];
  handle->rk = rd_kafka_new(type, conf, said, sizeof said);
  if (!handle->rk) {
    rd_kafka_conf_destroy(conf);
    return wm_error_set(error, WM_E_SETTING_INVALID, "kafka client '%s': %s", handle->name, said);
  }
  rd_kafka_set_log_queue(handle->rk, NULL);
  if (type == RD_KAFKA_CONSUMER)
    rd_kafka_poll_set_consumer(handle->rk);
  return 0;
}

static size_t check_each(const struct settings *settings, const char *file, struct wm_findings *findings) {
  struct wm_error error;
  size_t wrong = 0;
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (size_t i = 0; i < settings->kafka.property_count; i++) {
    const struct setting_place *place = &settings->kafka.property_places[i];
    if (set_one(conf, &settings->kafka.properties[i], &error) == 0)
      continue;
    wm_findings_add(findings, WM_INVALID, error.code, wm_text_of(file), place->line, place->column, "%s", error.text);
    wrong++;
  }
  rd_kafka_conf_destroy(conf);
  return wrong;
}

/* No broker is named, so none is asked. */
void kafka_check(const struct settings *settings, const char *file, struct wm_findings *findings) {
  static const struct setting_pair own[] = {{"bootstrap.servers", ""}, {NULL, NULL}};
  struct kafka_handle handle = {.name = "check"};
  struct wm_error error;
  if (settings->kafka.property_count == 0 || check_each(settings, file, findings) > 0)
    return;
  if (kafka_handle_open(&handle, RD_KAFKA_PRODUCER, settings, own, NULL, &error) != 0)
    wm_findings_add(findings, WM_INVALID, error.code, wm_text_of(file), settings->kafka.property_places[0].line,
                    settings->kafka.property_places[0].column, "%s", error.text);
  kafka_handle_close(&handle);
}

void kafka_handle_close(struct kafka_handle *handle) {
  if (!handle->rk)
    return;
  rd_kafka_destroy_flags(handle->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  handle->rk = NULL;
}

int kafka_fail(struct kafka_handle *handle, struct wm_error *error, const char *doing, rd_kafka_resp_err_t code,
               const char *said) {
  bool network = code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                 code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
  const char *text = said && *said ? said : rd_kafka_err2str(code);
  if (network && handle && handle->reason[0])
    return wm_error_set(error, WM_E_KAFKA_FAILED, "%s: %s (%s)", doing, text, handle->reason);
  return wm_error_set(error, WM_E_KAFKA_FAILED, "%s: %s", doing, text);
}

static int read_headers(struct kafka_message *message, struct wm_record *ret) {
  rd_kafka_headers_t *headers;
  if (rd_kafka_message_headers(message->raw, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return 0;
  size_t count = rd_kafka_header_cnt(headers);
  if (count > message->capacity) {
    struct wm_header *larger = realloc(message->headers, 2 * count * sizeof *larger);
    if (!larger)
      return -1;
    message->headers = larger;
    message->capacity = 2 * count;
  }
  for (size_t i = 0; i < count; i++) {
    const char *name;
    const void *value;
    size_t size;
    rd_kafka_header_get_all(headers, i, &name, &value, &size);
    message->headers[i] = (struct wm_header){wm_text_of(name), {value, value ? size : 0}};
  }
  ret->headers = message->headers;
  ret->header_count = count;
  return 0;
}

int kafka_message_read(struct kafka_message *message, struct wm_record *ret) {
  const rd_kafka_message_t *raw = message->raw;
  rd_kafka_timestamp_type_t type;
  *ret = (struct wm_record){.topic = wm_text_of(rd_kafka_topic_name(raw->rkt)),
                            .partition = raw->partition,
                            .offset = raw->offset,
                            .timestamp_ms = rd_kafka_message_timestamp(raw, &type),
                            .key = {raw->key, raw->key_len},
                            .value = {raw->payload, raw->len}};
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
    ret->timestamp_ms = -1;
  return read_headers(message, ret);
}

void kafka_message_drop(struct kafka_message *message) {
  if (message->raw)
    rd_kafka_message_destroy(message->raw);
  message->raw = NULL;
}

void kafka_message_release(struct kafka_message *message) {
  kafka_message_drop(message);
  free(message->headers);
  *message = (struct kafka_message){0};
}

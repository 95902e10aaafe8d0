#include <stdlib.h>

#include "worker/examine.h"
#include "worker/kafka_internal.h"
#include "worker/topics.h"

enum { PATIENCE_US = 10 * 1000 * 1000, ASK_MS = 5000 };

struct asked {
  const struct settings *settings;
  struct kafka_handle handle;
  struct wm_arena *arena;
  struct examined_kafka *ret;
  size_t capacity;
};

static const char *keep(struct asked *asked, const char *text) {
  const char *copy = wm_arena_copy(asked->arena, text, strlen(text));
  return copy ? copy : "";
}

static int ask_brokers(struct asked *asked, struct wm_error *error) {
  int64_t deadline_us = kafka_now_us() + PATIENCE_US;
  const rd_kafka_metadata_t *metadata;
  rd_kafka_resp_err_t code;
  do {
    rd_kafka_poll(asked->handle.rk, 0);
    code = rd_kafka_metadata(asked->handle.rk, 0, NULL, &metadata, 2000);
  } while (code && kafka_now_us() < deadline_us);
  if (code) {
    char doing[300];
    snprintf(doing, sizeof doing, "brokers at '%s' can't be reached", asked->settings->kafka.bootstrap);
    return kafka_fail(&asked->handle, error, doing, code, NULL);
  }
  asked->ret->brokers = metadata->broker_cnt;
  rd_kafka_metadata_destroy(metadata);
  return 0;
}

/* --- the group --- */

static void ask_group(struct asked *asked) {
  const struct rd_kafka_group_list *list;
  struct examined_kafka *ret = asked->ret;
  rd_kafka_resp_err_t code = rd_kafka_list_groups(asked->handle.rk, asked->settings->kafka.group, &list, ASK_MS);
  if (code) {
    ret->group_error = rd_kafka_err2str(code);
    return;
  }
  if (list->group_cnt > 0 && list->groups[0].err) {
    ret->group_error = rd_kafka_err2str(list->groups[0].err);
  } else if (list->group_cnt > 0) {
    ret->group_state = keep(asked, list->groups[0].state ? list->groups[0].state : "");
    ret->members = list->groups[0].member_cnt;
  } else {
    ret->group_state = "Dead";
  }
  rd_kafka_group_list_destroy(list);
}

bool examine_is_input(const struct settings *settings, const char *name) {
  for (size_t i = 0; i < settings->topics.event_count; i++)
    if (strcmp(settings->topics.events[i], name) == 0)
      return true;
  return strcmp(settings->topics.directory, name) == 0 || strcmp(settings->topics.requests, name) == 0 ||
         strcmp(settings->topics.replay, name) == 0;
}

static int64_t lag_of(struct asked *asked, const rd_kafka_topic_partition_t *one, const char **ret_error) {
  int64_t low = 0, high = 0;
  rd_kafka_resp_err_t code =
      one->err ? one->err
               : rd_kafka_query_watermark_offsets(asked->handle.rk, one->topic, one->partition, &low, &high, ASK_MS);
  if (code) {
    *ret_error = rd_kafka_err2str(code);
    return 0;
  }
  int64_t committed = one->offset >= low ? one->offset : low;
  return committed < high ? high - committed : 0;
}

static void ask_lag(struct asked *asked) {
  struct examined_kafka *ret = asked->ret;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
  for (size_t i = 0; i < ret->topic_count; i++)
    for (int32_t p = 0; ret->topics[i].input && p < asked->settings->kafka.partitions; p++)
      rd_kafka_topic_partition_list_add(list, ret->topics[i].name, p);
  rd_kafka_resp_err_t code = rd_kafka_committed(asked->handle.rk, list, ASK_MS);
  if (code)
    ret->lag_error = rd_kafka_err2str(code);
  for (int i = 0; i < list->cnt && !ret->lag_error[0]; i++)
    ret->lag += lag_of(asked, &list->elems[i], &ret->lag_error);
  if (ret->lag_error[0])
    ret->lag = -1;
  rd_kafka_topic_partition_list_destroy(list);
}

/* --- how long topics keep records --- */

static int add_topic(void *taker, const char *topic, int32_t partitions) {
  struct asked *asked = taker;
  struct examined_kafka *ret = asked->ret;
  (void)partitions;
  if (ret->topic_count == asked->capacity) {
    size_t capacity = asked->capacity ? 2 * asked->capacity : 32;
    struct examined_topic *larger = WM_ARENA_ARRAY(asked->arena, struct examined_topic, capacity);
    if (!larger)
      return -1;
    if (ret->topic_count > 0)
      memcpy(larger, ret->topics, ret->topic_count * sizeof *larger);
    ret->topics = larger;
    asked->capacity = capacity;
  }
  ret->topics[ret->topic_count++] = (struct examined_topic){
      .name = keep(asked, topic), .input = examine_is_input(asked->settings, topic), .keep_ms = -2};
  return 0;
}

static void take_config(struct asked *asked, const rd_kafka_ConfigResource_t *resource) {
  size_t count;
  const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
  if (rd_kafka_ConfigResource_error(resource) == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    return; /* that it is missing is said elsewhere */
  if (rd_kafka_ConfigResource_error(resource)) {
    asked->ret->topic_error = rd_kafka_err2str(rd_kafka_ConfigResource_error(resource));
    return;
  }
  for (size_t i = 0; i < asked->ret->topic_count; i++)
    for (size_t j = 0; j < count && strcmp(asked->ret->topics[i].name, rd_kafka_ConfigResource_name(resource)) == 0;
         j++)
      if (strcmp(rd_kafka_ConfigEntry_name(entries[j]), "retention.ms") == 0 && rd_kafka_ConfigEntry_value(entries[j]))
        asked->ret->topics[i].keep_ms = strtoll(rd_kafka_ConfigEntry_value(entries[j]), NULL, 10);
}

static void take_configs(struct asked *asked, rd_kafka_event_t *event) {
  rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  size_t count = 0;
  if (code) {
    asked->ret->topic_error = rd_kafka_err2str(code);
    return;
  }
  const rd_kafka_ConfigResource_t **resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
  for (size_t i = 0; i < count; i++)
    take_config(asked, resources[i]);
}

static int ask_configs(struct asked *asked, struct wm_error *error) {
  size_t count = asked->ret->topic_count;
  rd_kafka_ConfigResource_t **resources = WM_ARENA_ARRAY(asked->arena, rd_kafka_ConfigResource_t *, count + 1);
  if (!resources)
    return wm_error_memory(error);
  for (size_t i = 0; i < count; i++)
    resources[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, asked->ret->topics[i].name);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(asked->handle.rk);
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(asked->handle.rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_AdminOptions_set_request_timeout(options, ASK_MS, NULL, 0);
  rd_kafka_DescribeConfigs(asked->handle.rk, resources, count, options, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS + 1000);
  take_configs(asked, event);
  if (event)
    rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  rd_kafka_ConfigResource_destroy_array(resources, count);
  return 0;
}

static int ask(struct asked *asked, struct wm_error *error) {
  if (ask_brokers(asked, error) < 0)
    return -1;
  if (topics_each(asked->settings, add_topic, asked) < 0)
    return wm_error_memory(error);
  ask_group(asked);
  ask_lag(asked);
  examine_acls(&asked->handle, asked->settings, asked->arena, &asked->ret->rights);
  return ask_configs(asked, error);
}

int examine_kafka(const struct settings *settings, struct wm_arena *arena, struct examined_kafka *ret,
                  struct wm_error *error) {
  const struct setting_pair own[] = {
      {"group.id", settings->kafka.group}, {"enable.auto.commit", "false"}, {NULL, NULL}};
  struct asked asked = {.settings = settings, .handle = {.name = "doctor"}, .arena = arena, .ret = ret};
  *ret = (struct examined_kafka){.group_state = "", .group_error = "", .lag_error = "", .topic_error = ""};
  int result = kafka_handle_open(&asked.handle, RD_KAFKA_CONSUMER, settings, own, NULL, error);
  if (result == 0)
    result = ask(&asked, error);
  kafka_handle_close(&asked.handle);
  return result;
}

#include <stdlib.h>

#include "worker/kafka_internal.h"
#include "worker/ranges.h"

enum { RANGES_ASK_MS = 10000, HOPE_US = 2000 * 1000, AT_END = -1 };

struct ranges {
  const struct settings *settings;
  struct kafka_handle handle;
  struct kafka_message message;
  rd_kafka_topic_partition_list_t *ends; /* what is read; offset: where it ends, or AT_END */
  size_t open_count;                     /* partitions whose end was not reached */
};

struct ranges *ranges_open(const struct settings *settings, struct wm_error *error) {
  struct ranges *ranges = calloc(1, sizeof *ranges);
  if (!ranges) {
    wm_error_memory(error);
    return NULL;
  }
  ranges->settings = settings;
  ranges->handle = (struct kafka_handle){.name = "ranges", .owner = ranges};
  return ranges;
}

static void forget(struct ranges *ranges) {
  kafka_message_drop(&ranges->message);
  if (ranges->ends)
    rd_kafka_topic_partition_list_destroy(ranges->ends);
  ranges->ends = NULL;
  ranges->open_count = 0;
  kafka_handle_close(&ranges->handle);
}

void ranges_close(struct ranges *ranges) {
  if (!ranges)
    return;
  forget(ranges);
  kafka_message_release(&ranges->message);
  free(ranges);
}

static int open_handle(struct ranges *ranges, struct wm_error *error) {
  /* Room for what is eaten in a second: where the queue is full, librdkafka looks again only after one. */
  const struct setting_pair own[] = {{"group.id", ranges->settings->kafka.group},
                                     {"enable.auto.commit", "false"},
                                     {"enable.auto.offset.store", "false"},
                                     {"auto.offset.reset", "error"},
                                     {"isolation.level", "read_committed"},
                                     {"enable.partition.eof", "true"},
                                     {"queued.min.messages", "1000000"},
                                     {"queued.max.messages.kbytes", "131072"},
                                     {"fetch.wait.max.ms", "10"},
                                     {NULL, NULL}};
  if (ranges->handle.rk)
    return 0;
  return kafka_handle_open(&ranges->handle, RD_KAFKA_CONSUMER, ranges->settings, own, NULL, error);
}

/* Waits for brokers as long as there is hope: where nobody listens, that is soon known. */
static int count_partitions(struct ranges *ranges, const char *topic, int *ret, struct wm_error *error) {
  struct kafka_handle *handle = &ranges->handle;
  rd_kafka_topic_t *asked = rd_kafka_topic_new(handle->rk, topic, NULL);
  if (!asked)
    return kafka_fail(handle, error, topic, rd_kafka_last_error(), NULL);
  const rd_kafka_metadata_t *metadata;
  rd_kafka_resp_err_t code;
  int64_t began_us = kafka_now_us(), deadline_us = began_us + RANGES_ASK_MS * 1000;
  do {
    code = rd_kafka_metadata(handle->rk, 0, asked, &metadata, kafka_left_ms(deadline_us, 1000));
    rd_kafka_message_t *said = code ? rd_kafka_consumer_poll(handle->rk, 0) : NULL; /* lets it tell what broke */
    if (said)
      rd_kafka_message_destroy(said);
  } while (code && kafka_now_us() < deadline_us && !(handle->down && kafka_now_us() > began_us + HOPE_US));
  rd_kafka_topic_destroy(asked);
  if (code)
    return kafka_fail(handle, error, "brokers can't be reached", code, NULL);
  code = metadata->topics[0].err;
  *ret = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  return code ? kafka_fail(handle, error, topic, code, NULL) : 0;
}

/* For a reader of committed records the end is where the first open transaction begins. */
static int ask_one(struct ranges *ranges, const char *topic, int32_t partition, struct range *ret,
                   struct wm_error *error) {
  *ret = (struct range){.partition = partition};
  rd_kafka_resp_err_t code =
      rd_kafka_query_watermark_offsets(ranges->handle.rk, topic, partition, &ret->low, &ret->high, RANGES_ASK_MS);
  ret->from = ret->low;
  ret->to = ret->high;
  return code ? kafka_fail(&ranges->handle, error, "asking where a topic ends", code, NULL) : 0;
}

int ranges_ask(struct ranges *ranges, const char *topic, int32_t partition, struct range **ret, size_t *ret_count,
               struct wm_error *error) {
  int count = 0;
  *ret_count = 0;
  *ret = NULL;
  if (open_handle(ranges, error) != 0 || count_partitions(ranges, topic, &count, error) != 0)
    return -1;
  if (partition >= count)
    return wm_error_set(error, WM_E_KAFKA_FAILED, "'%s' has no partition %d, it has %d", topic, partition, count);
  *ret = calloc((size_t)count, sizeof **ret);
  if (!*ret)
    return wm_error_memory(error);
  for (int32_t p = 0; p < count; p++)
    if ((partition == RANGES_ALL || p == partition) && ask_one(ranges, topic, p, &(*ret)[(*ret_count)++], error) != 0)
      return -1;
  return 0;
}

int ranges_cluster(struct ranges *ranges, struct wm_arena *arena, struct wm_text *ret) {
  char *id = ranges->handle.rk ? rd_kafka_clusterid(ranges->handle.rk, RANGES_ASK_MS) : NULL;
  *ret = WM_NO_TEXT;
  int failed = id ? wm_arena_text(arena, wm_text_of(id), ret) : 0;
  if (id)
    rd_kafka_mem_free(ranges->handle.rk, id);
  return failed;
}

int ranges_at(struct ranges *ranges, const char *topic, const struct range *list, size_t count, int64_t time_ms,
              int64_t *ret, struct wm_error *error) {
  rd_kafka_topic_partition_list_t *times = rd_kafka_topic_partition_list_new((int)count);
  if (!times)
    return wm_error_memory(error);
  for (size_t i = 0; i < count; i++)
    rd_kafka_topic_partition_list_add(times, topic, list[i].partition)->offset = time_ms < 0 ? 0 : time_ms;
  rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(ranges->handle.rk, times, RANGES_ASK_MS);
  for (size_t i = 0; i < count && !code; i++) {
    const rd_kafka_topic_partition_t *one = &times->elems[i];
    code = one->err;
    ret[i] = one->offset < 0 || one->offset > list[i].high ? list[i].high : one->offset;
  }
  rd_kafka_topic_partition_list_destroy(times);
  return code ? kafka_fail(&ranges->handle, error, "asking for offsets by time", code, NULL) : 0;
}

int ranges_begin(struct ranges *ranges, const char *topic, const struct range *list, size_t count,
                 struct wm_error *error) {
  forget(ranges);
  if (open_handle(ranges, error) != 0)
    return -1;
  ranges->ends = rd_kafka_topic_partition_list_new((int)count);
  rd_kafka_topic_partition_list_t *starts = rd_kafka_topic_partition_list_new((int)count);
  if (!ranges->ends || !starts)
    return wm_error_memory(error);
  for (size_t i = 0; i < count; i++) {
    if (list[i].from >= list[i].to)
      continue;
    rd_kafka_topic_partition_list_add(starts, topic, list[i].partition)->offset = list[i].from;
    rd_kafka_topic_partition_list_add(ranges->ends, topic, list[i].partition)->offset = list[i].to;
    ranges->open_count++;
  }
  rd_kafka_resp_err_t code = ranges->open_count ? kafka_assign_alone(&ranges->handle, starts) : 0;
  rd_kafka_topic_partition_list_destroy(starts);
  return code ? kafka_fail(&ranges->handle, error, "reading a topic", code, NULL) : 0;
}

/* Is the record in its range? Notes the ends that it shows. */
static bool is_wanted(struct ranges *ranges, const rd_kafka_message_t *raw) {
  rd_kafka_topic_partition_t *one =
      rd_kafka_topic_partition_list_find(ranges->ends, rd_kafka_topic_name(raw->rkt), raw->partition);
  if (!one || one->offset == AT_END)
    return false;
  bool wanted = !raw->err && raw->offset < one->offset;
  if (raw->err || raw->offset + 1 >= one->offset) {
    one->offset = AT_END;
    ranges->open_count--;
  }
  return wanted;
}

int ranges_next(struct ranges *ranges, struct wm_record *ret, struct wm_error *error) {
  while (ranges->open_count > 0) {
    kafka_message_drop(&ranges->message);
    ranges->message.raw = rd_kafka_consumer_poll(ranges->handle.rk, RANGES_ASK_MS);
    const rd_kafka_message_t *raw = ranges->message.raw;
    if (!raw)
      return kafka_fail(&ranges->handle, error, "reading a topic", RD_KAFKA_RESP_ERR__TIMED_OUT, NULL);
    if (raw->err && raw->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
      return kafka_fail(&ranges->handle, error, "reading a topic", raw->err, rd_kafka_message_errstr(raw));
    if (is_wanted(ranges, raw))
      return kafka_message_read(&ranges->message, ret) == 0 ? 1 : wm_error_memory(error);
  }
  return 0;
}

int ranges_lag(struct ranges *ranges, const char *topic, int64_t *ret, struct wm_error *error) {
  struct range *list;
  size_t count;
  *ret = 0;
  rd_kafka_topic_partition_list_t *committed = NULL;
  int failed = ranges_ask(ranges, topic, RANGES_ALL, &list, &count, error);
  if (!failed && !(committed = rd_kafka_topic_partition_list_new((int)count)))
    failed = wm_error_memory(error);
  for (size_t i = 0; i < count && !failed; i++)
    rd_kafka_topic_partition_list_add(committed, topic, list[i].partition);
  rd_kafka_resp_err_t code =
      failed ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_committed(ranges->handle.rk, committed, RANGES_ASK_MS);
  if (code)
    failed = kafka_fail(&ranges->handle, error, "asking for the group's offsets", code, NULL);
  for (size_t i = 0; i < count && !failed; i++) {
    int64_t at = committed->elems[i].offset < list[i].low ? list[i].low : committed->elems[i].offset;
    *ret += at < list[i].high ? list[i].high - at : 0;
  }
  if (committed)
    rd_kafka_topic_partition_list_destroy(committed);
  free(list);
  return failed ? -1 : 0;
}

#include "worker/client.h"

#include <stdlib.h>
#include <unistd.h>

#include "worker/kafka_internal.h"

enum { ASK_MS = 10000, HOPE_MS = 2000, PATIENCE_MS = 10000, AT_END = -1, SETTLE_MS = 15000, SETTLE_LOOK_US = 5000 };

#define PRESENT_END INT64_MAX /* instead of a time */

struct client {
  const struct settings *settings;
  struct kafka_handle producer, consumer, reader;
  struct kafka_handle watcher; /* sees uncommitted records too; it is only asked where topics end */
  struct kafka_message message, read;
  rd_kafka_topic_partition_list_t *ends; /* what client_read reads; offset: where it ends, or AT_END */
  size_t open_count;                     /* partitions whose end was not reached */
  bool cut;                              /* some do not begin at 0 any more */
  int64_t from_ms, from_offset;
  size_t sent;
  int64_t *sent_ends;          /* by partition */
  rd_kafka_resp_err_t refused; /* the first refusal of a client_send */
};

struct client *client_open(const struct settings *settings, struct wm_error *error) {
  struct client *client = calloc(1, sizeof *client);
  if (!client) {
    wm_error_memory(error);
    return NULL;
  }
  client->settings = settings;
  client->producer = (struct kafka_handle){.name = "client", .owner = client};
  client->consumer = (struct kafka_handle){.name = "client", .owner = client};
  client->reader = (struct kafka_handle){.name = "client", .owner = client};
  client->watcher = (struct kafka_handle){.name = "client", .owner = client};
  return client;
}

static void forget_reading(struct client *client) {
  if (client->ends)
    rd_kafka_topic_partition_list_destroy(client->ends);
  client->ends = NULL;
  client->open_count = 0;
  client->cut = false;
  kafka_message_drop(&client->read);
  kafka_handle_close(&client->reader);
}

void client_close(struct client *client) {
  if (!client)
    return;
  kafka_message_release(&client->message);
  forget_reading(client);
  kafka_message_release(&client->read);
  kafka_handle_close(&client->watcher);
  kafka_handle_close(&client->consumer);
  kafka_handle_close(&client->producer);
  free(client->sent_ends);
  free(client);
}

/* --- sending --- */

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  struct client *client = ((struct kafka_handle *)opaque)->owner;
  (void)rk;
  if (!message->err) {
    client->sent++;
    if (message->partition >= 0 && message->partition < client->settings->kafka.partitions &&
        message->offset >= client->sent_ends[message->partition])
      client->sent_ends[message->partition] = message->offset + 1;
  } else if (!client->refused)
    client->refused = message->err;
}

static int open_producer(struct client *client, struct wm_error *error) {
  static const struct setting_pair own[] = {{"enable.idempotence", "true"},
                                            {"message.max.bytes", "100000000"},
                                            {"queue.buffering.max.kbytes", "65536"},
                                            {NULL, NULL}};
  const struct kafka_callbacks callbacks = {.delivered = on_delivered};
  if (client->producer.rk)
    return 0;
  if (!client->sent_ends)
    client->sent_ends = calloc((size_t)client->settings->kafka.partitions, sizeof *client->sent_ends);
  if (!client->sent_ends)
    return wm_error_memory(error);
  return kafka_handle_open(&client->producer, RD_KAFKA_PRODUCER, client->settings, own, &callbacks, error);
}

static rd_kafka_headers_t *headers_of(const struct wm_record *record) {
  rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
  for (size_t i = 0; headers && i < record->header_count; i++) {
    const struct wm_header *header = &record->headers[i];
    rd_kafka_header_add(headers, header->name.bytes, (ssize_t)header->name.size, header->value.bytes,
                        header->value.bytes ? (ssize_t)header->value.size : 0);
  }
  return headers;
}

static rd_kafka_resp_err_t send_one(struct client *client, const struct wm_record *record, int64_t deadline_us) {
  rd_kafka_t *rk = client->producer.rk;
  for (;;) {
    rd_kafka_headers_t *headers = headers_of(record);
    if (!headers)
      return RD_KAFKA_RESP_ERR__FAIL;
    rd_kafka_resp_err_t code =
        rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(record->topic.bytes), RD_KAFKA_V_PARTITION(record->partition),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(record->key.bytes, record->key.size),
                          RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value.bytes, record->value.size),
                          RD_KAFKA_V_TIMESTAMP(record->timestamp_ms > 0 ? record->timestamp_ms : 0),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
      return code;
    rd_kafka_headers_destroy(headers);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || kafka_now_us() >= deadline_us)
      return code;
    rd_kafka_poll(rk, 10);
  }
}

int client_send(struct client *client, const struct wm_record *records, size_t count, int timeout_ms, size_t *ret_sent,
                struct wm_error *error) {
  int64_t deadline_us = kafka_now_us() + (int64_t)timeout_ms * 1000;
  client->sent = 0;
  client->refused = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (open_producer(client, error) != 0)
    return -1;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t i = 0; i < count && !code; i++)
    code = send_one(client, &records[i], deadline_us);
  rd_kafka_resp_err_t flushed = rd_kafka_flush(client->producer.rk, kafka_left_ms(deadline_us, timeout_ms));
  if (flushed) {
    rd_kafka_purge(client->producer.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(client->producer.rk, 100);
  }
  if (ret_sent)
    *ret_sent = client->sent;
  code = code ? code : flushed ? flushed : client->refused;
  return code ? kafka_fail(&client->producer, error, "sending records", code, NULL) : 0;
}

int64_t client_sent_end(const struct client *client, int32_t partition) {
  return client->sent_ends && partition >= 0 && partition < client->settings->kafka.partitions
             ? client->sent_ends[partition]
             : 0;
}

/* --- following --- */

static int open_consumer(struct client *client, struct kafka_handle *handle, bool with_eof, struct wm_error *error) {
  const struct setting_pair own[] = {
      {"group.id", client->settings->kafka.group},   {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},         {"auto.offset.reset", "earliest"},
      {"isolation.level", "read_committed"},         {"enable.partition.eof", with_eof ? "true" : "false"},
      {"fetch.wait.max.ms", with_eof ? "10" : "50"}, {NULL, NULL}};
  if (handle->rk)
    return 0;
  return kafka_handle_open(handle, RD_KAFKA_CONSUMER, client->settings, own, NULL, error);
}

/* Waits for brokers as long as there is hope: where nobody listens, that is soon known. */
static rd_kafka_resp_err_t ask_metadata(struct kafka_handle *handle, rd_kafka_topic_t *topic,
                                        const rd_kafka_metadata_t **ret) {
  int64_t now_us = kafka_now_us(), deadline_us = now_us + ASK_MS * 1000, hope_us = now_us + HOPE_MS * 1000;
  rd_kafka_resp_err_t code;
  do {
    code = rd_kafka_metadata(handle->rk, 0, topic, ret, kafka_left_ms(deadline_us, 1000));
    rd_kafka_message_t *said = code ? rd_kafka_consumer_poll(handle->rk, 0) : NULL; /* lets it tell what broke */
    if (said)
      rd_kafka_message_destroy(said);
    now_us = kafka_now_us();
  } while (code && now_us < deadline_us && !(handle->down && now_us > hope_us));
  return code;
}

/* 'missing' (may be NULL): a topic that is not there is no failure, *missing tells. */
static int partitions_of(struct kafka_handle *handle, const char *name, int *ret, bool *missing,
                         struct wm_error *error) {
  rd_kafka_topic_t *topic = rd_kafka_topic_new(handle->rk, name, NULL);
  if (!topic)
    return kafka_fail(handle, error, name, rd_kafka_last_error(), NULL);
  const rd_kafka_metadata_t *metadata;
  rd_kafka_resp_err_t code = ask_metadata(handle, topic, &metadata);
  rd_kafka_topic_destroy(topic);
  if (code)
    return kafka_fail(handle, error, "brokers can't be reached", code, NULL);
  code = metadata->topics[0].err;
  *ret = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  if (missing)
    *missing = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  return code && !(missing && *missing) ? kafka_fail(handle, error, name, code, NULL) : 0;
}

/* The present end as a number: 'end' looked up later could lie behind records that came meanwhile. */
static int64_t present_end(struct client *client, const char *topic, int32_t partition) {
  int64_t low, high;
  if (rd_kafka_query_watermark_offsets(client->consumer.rk, topic, partition, &low, &high, ASK_MS))
    return RD_KAFKA_OFFSET_END;
  return high;
}

static int ask_times(struct kafka_handle *handle, rd_kafka_topic_partition_list_t *list, int64_t from_ms,
                     struct wm_error *error) {
  for (int i = 0; i < list->cnt; i++)
    list->elems[i].offset = from_ms < 0 ? 0 : from_ms;
  rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(handle->rk, list, ASK_MS);
  for (int i = 0; !code && i < list->cnt; i++)
    code = list->elems[i].err;
  return code ? kafka_fail(handle, error, "asking for offsets by time", code, NULL) : 0;
}

/* The offsets to follow from. All older than 'since_ms' (no offset for it): from the present end. */
static int find_follow(struct client *client, const char *topic, int64_t since_ms,
                       rd_kafka_topic_partition_list_t *list, struct wm_error *error) {
  bool by_time = since_ms != CLIENT_BEGINNING && since_ms != PRESENT_END;
  int64_t *ends = calloc((size_t)list->cnt + 1, sizeof *ends);
  if (!ends)
    return wm_error_memory(error);
  for (int i = 0; i < list->cnt; i++)
    ends[i] =
        since_ms == CLIENT_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING : present_end(client, topic, list->elems[i].partition);
  int failed = by_time ? ask_times(&client->consumer, list, since_ms, error) : 0;
  for (int i = 0; i < list->cnt && !failed; i++)
    if (!by_time || list->elems[i].offset < 0)
      list->elems[i].offset = ends[i];
  free(ends);
  return failed;
}

static int follow(struct client *client, const char *topic, int64_t since_ms, struct wm_error *error) {
  int count = 0;
  kafka_message_drop(&client->message);
  kafka_handle_close(&client->consumer);
  if (open_consumer(client, &client->consumer, false, error) != 0 ||
      partitions_of(&client->consumer, topic, &count, NULL, error) != 0)
    return -1;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
  if (!list)
    return wm_error_memory(error);
  for (int32_t p = 0; p < count; p++)
    rd_kafka_topic_partition_list_add(list, topic, p);
  int failed = find_follow(client, topic, since_ms, list, error);
  rd_kafka_resp_err_t code = failed ? 0 : kafka_assign_alone(&client->consumer, list);
  rd_kafka_topic_partition_list_destroy(list);
  return failed ? -1 : code ? kafka_fail(&client->consumer, error, topic, code, NULL) : 0;
}

int client_follow(struct client *client, const char *topic, bool from_beginning, struct wm_error *error) {
  return follow(client, topic, from_beginning ? CLIENT_BEGINNING : PRESENT_END, error);
}

int client_follow_since(struct client *client, const char *topic, int64_t from_ms, struct wm_error *error) {
  return follow(client, topic, from_ms, error);
}

int client_next(struct client *client, int timeout_ms, struct wm_record *ret, struct wm_error *error) {
  kafka_message_drop(&client->message);
  if (!client->consumer.rk)
    return wm_error_set(error, WM_E_KAFKA_FAILED, "no topic is followed");
  client->message.raw = rd_kafka_consumer_poll(client->consumer.rk, timeout_ms);
  const rd_kafka_message_t *raw = client->message.raw;
  if (!raw)
    return 0;
  if (raw->err)
    return kafka_fail(&client->consumer, error, "following a topic", raw->err, rd_kafka_message_errstr(raw));
  return kafka_message_read(&client->message, ret) == 0 ? 1 : wm_error_memory(error);
}

/* --- reading what is there --- */

static rd_kafka_topic_partition_list_t *list_of(const struct client_reading *reading, int count) {
  bool all = reading->partition == CLIENT_ALL_PARTITIONS;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
  for (int32_t p = 0; list && p < count; p++)
    if (all || p == reading->partition)
      rd_kafka_topic_partition_list_add(list, reading->topic, p);
  return list;
}

/* 'list' gets the offsets to begin at: the start of the log, or what a time says. No offset for a time means that all
 * is older; but so does the embedded broker answer, which knows no times, even for 1970: then all is read and looked
 * at. */
static int find_starts(struct client *client, rd_kafka_topic_partition_list_t *list, const int64_t *lows,
                       struct wm_error *error) {
  if (client->from_ms == CLIENT_BEGINNING) {
    for (int i = 0; i < list->cnt; i++)
      list->elems[i].offset = client->from_offset > lows[i] ? client->from_offset : lows[i];
    return 0;
  }
  rd_kafka_topic_partition_list_t *oldest = rd_kafka_topic_partition_list_copy(list);
  int failed = ask_times(&client->reader, list, client->from_ms, error) || ask_times(&client->reader, oldest, 0, error);
  for (int i = 0; !failed && i < list->cnt; i++)
    if (list->elems[i].offset < 0)
      list->elems[i].offset = oldest->elems[i].offset < 0 ? lows[i] : client->ends->elems[i].offset;
  rd_kafka_topic_partition_list_destroy(oldest);
  return failed ? -1 : 0;
}

/* For a reader of committed records the end is where the first open transaction begins. */
static int find_ends(struct client *client, int64_t *lows, struct wm_error *error) {
  for (int i = 0; i < client->ends->cnt; i++) {
    rd_kafka_topic_partition_t *one = &client->ends->elems[i];
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(client->reader.rk, one->topic, one->partition, &lows[i], &one->offset, ASK_MS);
    if (code)
      return kafka_fail(&client->reader, error, "asking where a topic ends", code, NULL);
    client->cut = client->cut || lows[i] > 0;
  }
  return 0;
}

/* Begins to fetch what has something to read; all else is at its end. */
static int assign_open(struct client *client, rd_kafka_topic_partition_list_t *starts, struct wm_error *error) {
  for (int i = client->ends->cnt; i-- > 0;) {
    if (starts->elems[i].offset < client->ends->elems[i].offset) {
      client->open_count++;
    } else {
      client->ends->elems[i].offset = AT_END;
      rd_kafka_topic_partition_list_del_by_idx(starts, i);
    }
  }
  rd_kafka_resp_err_t code = client->open_count ? kafka_assign_alone(&client->reader, starts) : 0;
  return code ? kafka_fail(&client->reader, error, "reading a topic", code, NULL) : 0;
}

int client_read(struct client *client, const struct client_reading *reading, struct wm_error *error) {
  int count = 0;
  bool missing = false;
  forget_reading(client);
  client->from_ms = reading->from_ms;
  client->from_offset = reading->from_offset;
  if (open_consumer(client, &client->reader, true, error) != 0 ||
      partitions_of(&client->reader, reading->topic, &count, reading->optional ? &missing : NULL, error) != 0)
    return -1;
  if (missing)
    return 0;
  client->ends = list_of(reading, count);
  rd_kafka_topic_partition_list_t *starts = client->ends ? rd_kafka_topic_partition_list_copy(client->ends) : NULL;
  int64_t *lows = calloc((size_t)count + 1, sizeof *lows);
  int failed = starts && lows ? 0 : wm_error_memory(error);
  if (!failed && starts->cnt == 0)
    failed = wm_error_set(error, WM_E_KAFKA_FAILED, "'%s' has no partition %d", reading->topic, reading->partition);
  if (!failed)
    failed = find_ends(client, lows, error) || find_starts(client, starts, lows, error) ||
             assign_open(client, starts, error);
  if (starts)
    rd_kafka_topic_partition_list_destroy(starts);
  free(lows);
  return failed ? -1 : 0;
}

bool client_read_is_cut(const struct client *client) {
  return client->cut;
}

static void reach_end(struct client *client, rd_kafka_topic_partition_t *one) {
  if (one->offset == AT_END)
    return;
  one->offset = AT_END;
  client->open_count--;
}

/* Is the record one of those that were asked for? Notes the ends that it shows. */
static bool is_wanted(struct client *client, rd_kafka_topic_partition_t *one, const rd_kafka_message_t *raw) {
  int64_t end = one->offset;
  if (raw->err || raw->offset + 1 >= end)
    reach_end(client, one);
  if (raw->err || raw->offset >= end)
    return false;
  return client->from_ms == CLIENT_BEGINNING || rd_kafka_message_timestamp(raw, NULL) >= client->from_ms;
}

int client_read_next(struct client *client, struct wm_record *ret, struct wm_error *error) {
  while (client->open_count > 0) {
    kafka_message_drop(&client->read);
    client->read.raw = rd_kafka_consumer_poll(client->reader.rk, PATIENCE_MS);
    const rd_kafka_message_t *raw = client->read.raw;
    if (!raw)
      return kafka_fail(&client->reader, error, "reading a topic", RD_KAFKA_RESP_ERR__TIMED_OUT, NULL);
    if (raw->err && raw->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
      return kafka_fail(&client->reader, error, "reading a topic", raw->err, rd_kafka_message_errstr(raw));
    rd_kafka_topic_partition_t *one =
        rd_kafka_topic_partition_list_find(client->ends, rd_kafka_topic_name(raw->rkt), raw->partition);
    if (one && is_wanted(client, one, raw))
      return kafka_message_read(&client->read, ret) == 0 ? 1 : wm_error_memory(error);
  }
  return 0;
}

/* --- where the group is --- */

int client_committed(struct client *client, const char *topic, int32_t partition, int64_t *ret,
                     struct wm_error *error) {
  if (open_consumer(client, &client->reader, true, error) != 0)
    return -1;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  if (!list)
    return wm_error_memory(error);
  rd_kafka_topic_partition_list_add(list, topic, partition);
  rd_kafka_resp_err_t code = rd_kafka_committed(client->reader.rk, list, ASK_MS);
  code = code ? code : list->elems[0].err;
  *ret = list->elems[0].offset >= 0 ? list->elems[0].offset : -1;
  rd_kafka_topic_partition_list_destroy(list);
  return code ? kafka_fail(&client->reader, error, "asking where the group is", code, NULL) : 0;
}

/* The end of a partition as this handle's isolation level sees it. */
static int end_of(struct kafka_handle *handle, const char *topic, int32_t partition, int64_t *ret,
                  struct wm_error *error) {
  int64_t low;
  rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(handle->rk, topic, partition, &low, ret, ASK_MS);
  return code ? kafka_fail(handle, error, "asking where a topic ends", code, NULL) : 0;
}

int client_end(struct client *client, const char *topic, int32_t partition, int64_t *ret, struct wm_error *error) {
  if (open_consumer(client, &client->reader, true, error) != 0)
    return -1;
  return end_of(&client->reader, topic, partition, ret, error);
}

static int open_watcher(struct client *client, struct wm_error *error) {
  static const struct setting_pair own[] = {{"isolation.level", "read_uncommitted"}, {NULL, NULL}};
  if (client->watcher.rk)
    return 0;
  return kafka_handle_open(&client->watcher, RD_KAFKA_CONSUMER, client->settings, own, NULL, error);
}

static int settle_one(struct client *client, const char *topic, int32_t partition, struct wm_error *error) {
  int64_t deadline_us = kafka_now_us() + SETTLE_MS * 1000, written, seen;
  if (end_of(&client->watcher, topic, partition, &written, error) != 0)
    return -1;
  for (;;) {
    if (end_of(&client->reader, topic, partition, &seen, error) != 0)
      return -1;
    if (seen >= written)
      return 0;
    if (kafka_now_us() > deadline_us)
      return wm_error_set(error, WM_E_KAFKA_FAILED, "'%s' partition %d: a transaction stays open at offset %lld", topic,
                          partition, (long long)seen);
    usleep(SETTLE_LOOK_US);
  }
}

int client_settle(struct client *client, const char *topic, int32_t partition, struct wm_error *error) {
  int count = partition + 1;
  bool missing = false;
  if (open_consumer(client, &client->reader, true, error) != 0 || open_watcher(client, error) != 0)
    return -1;
  if (partition == CLIENT_ALL_PARTITIONS && partitions_of(&client->watcher, topic, &count, &missing, error) != 0)
    return -1;
  if (missing)
    return 0;
  for (int32_t p = partition == CLIENT_ALL_PARTITIONS ? 0 : partition; p < count; p++)
    if (settle_one(client, topic, p, error) != 0)
      return -1;
  return 0;
}

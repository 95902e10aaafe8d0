/* The records that a cluster of topics begins with: the birth record of each partition of waymark.users, which tells
 * one incarnation of the topic from another, and the record 'partitions' of waymark.control. They are written by one
 * transaction (where there are any), whose id keeps two commands apart. */
#include "worker/topics_internal.h"

#include <sys/random.h>

#include "core/codec/json.h"

enum { READ_US = 30 * 1000 * 1000, WRITE_US = 30 * 1000 * 1000, UUID_SIZE = 37 };

enum first { FIRST_UNREAD, FIRST_NONE, FIRST_BIRTH, FIRST_OTHER };

/* What stands in the topics. */
struct found {
  enum first *births;   /* by partition of users */
  char incarnation[64]; /* of the first birth record; "": none */
  bool mixed;           /* another partition has another one */
  bool control_read, control_there;
  int64_t partitions; /* of the record in control */
  char partitioner[32];
};

/* --- reading --- */

static bool is_ready(const struct topics_plan *plan) {
  return plan->found == plan->partitions;
}

static void take_birth(struct topics_work *work, struct found *found, const struct wm_record *record) {
  struct wm_value value;
  if (!wm_text_equal(record->key, WM_TEXT(KAFKA_BIRTH_KEY)) || !record->value.bytes ||
      wm_json_parse(record->value, &work->arena, &value, NULL) != 0) {
    found->births[record->partition] = FIRST_OTHER;
    return;
  }
  struct wm_text incarnation = wm_value_text(wm_value_member(&value, WM_TEXT("incarnation")));
  found->births[record->partition] = FIRST_BIRTH;
  if (!found->incarnation[0])
    snprintf(found->incarnation, sizeof found->incarnation, "%.*s", WM_TEXT_ARG(incarnation));
  else if (!wm_text_is(incarnation, found->incarnation))
    found->mixed = true;
}

static void take_control(struct topics_work *work, struct found *found, const struct wm_record *record) {
  struct wm_value value;
  if (!wm_text_is(record->key, KAFKA_PARTITIONS_KEY) || !record->value.bytes ||
      wm_json_parse(record->value, &work->arena, &value, NULL) != 0)
    return;
  const struct wm_value *partitions = wm_value_member(&value, WM_TEXT("partitions"));
  struct wm_text partitioner = wm_value_text(wm_value_member(&value, WM_TEXT("partitioner")));
  found->control_there = true;
  found->partitions = partitions && partitions->type == WM_INTEGER ? partitions->integer : 0;
  snprintf(found->partitioner, sizeof found->partitioner, "%.*s", WM_TEXT_ARG(partitioner));
}

static int open_reader(struct topics_work *work, struct kafka_handle *reader, struct wm_error *error) {
  /* Only the first record of each partition of users is wanted: fetch little ahead. */
  const struct setting_pair own[] = {{"group.id", work->settings->kafka.group},
                                     {"enable.auto.commit", "false"},
                                     {"enable.auto.offset.store", "false"},
                                     {"auto.offset.reset", "error"},
                                     {"isolation.level", "read_committed"},
                                     {"enable.partition.eof", "true"},
                                     {"queued.min.messages", "100"},
                                     {"queued.max.messages.kbytes", "1024"},
                                     {"fetch.message.max.bytes", "65536"},
                                     {"fetch.wait.max.ms", "50"},
                                     {NULL, NULL}};
  return kafka_handle_open(reader, RD_KAFKA_CONSUMER, work->settings, own, NULL, error);
}

static int assign(struct topics_work *work, struct kafka_handle *reader, struct wm_error *error) {
  const struct topics_plan *users = topics_find(work, TOPICS_USERS), *control = topics_find(work, TOPICS_CONTROL);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(users->partitions + 1);
  if (!list)
    return wm_error_memory(error);
  for (int32_t p = 0; is_ready(users) && p < users->partitions; p++)
    rd_kafka_topic_partition_list_add(list, users->name, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
  if (is_ready(control))
    rd_kafka_topic_partition_list_add(list, control->name, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_resp_err_t code = kafka_assign_alone(reader, list);
  rd_kafka_topic_partition_list_destroy(list);
  return code ? kafka_fail(reader, error, "reading the topics", code, NULL) : 0;
}

static void stop_partition(struct kafka_handle *reader, const char *topic, int32_t partition) {
  rd_kafka_topic_partition_list_t *list = kafka_one(topic, partition, RD_KAFKA_OFFSET_INVALID);
  if (!list)
    return;
  rd_kafka_pause_partitions(reader->rk, list);
  rd_kafka_topic_partition_list_destroy(list);
}

/* Is this the end only for a reader of committed records? Then a transaction is open or being committed, and the end is
 * told once more when it is over. */
static bool is_unsettled(struct kafka_handle *reader, const rd_kafka_message_t *raw) {
  int64_t low, high;
  return rd_kafka_get_watermark_offsets(reader->rk, rd_kafka_topic_name(raw->rkt), raw->partition, &low, &high) ==
             RD_KAFKA_RESP_ERR_NO_ERROR &&
         high > raw->offset;
}

/* Returns how many partitions were finished by this message. */
static int take(struct topics_work *work, struct kafka_handle *reader, struct kafka_message *message,
                struct found *found) {
  const rd_kafka_message_t *raw = message->raw;
  if (!raw->rkt || (raw->err && raw->err != RD_KAFKA_RESP_ERR__PARTITION_EOF))
    return 0;
  const struct topics_plan *users = topics_find(work, TOPICS_USERS);
  bool of_users = strcmp(rd_kafka_topic_name(raw->rkt), users->name) == 0, end = raw->err != 0;
  struct wm_record record;
  if ((of_users && found->births[raw->partition] != FIRST_UNREAD) || (end && is_unsettled(reader, raw)))
    return 0;
  if (!end && kafka_message_read(message, &record) != 0)
    return 0;
  if (!of_users) {
    bool finished = end && !found->control_read;
    found->control_read = found->control_read || end;
    if (!end)
      take_control(work, found, &record);
    return finished;
  }
  if (end)
    found->births[raw->partition] = FIRST_NONE;
  else
    take_birth(work, found, &record);
  stop_partition(reader, users->name, raw->partition);
  return 1;
}

static int read_all(struct topics_work *work, struct found *found, struct wm_error *error) {
  const struct topics_plan *users = topics_find(work, TOPICS_USERS), *control = topics_find(work, TOPICS_CONTROL);
  struct kafka_handle reader = {.name = "topics"};
  struct kafka_message message = {0};
  *found = (struct found){.births = WM_ARENA_ARRAY(&work->arena, enum first, (size_t)users->partitions)};
  if (!found->births)
    return wm_error_memory(error);
  int waiting = (is_ready(users) ? users->partitions : 0) + (is_ready(control) ? 1 : 0);
  if (waiting == 0)
    return 0;
  if (open_reader(work, &reader, error) != 0)
    return -1;
  int result = assign(work, &reader, error);
  int64_t deadline_us = kafka_now_us() + READ_US;
  while (result == 0 && waiting > 0) {
    message.raw = rd_kafka_consumer_poll(reader.rk, 100);
    if (message.raw)
      waiting -= take(work, &reader, &message, found);
    kafka_message_drop(&message);
    if (waiting > 0 && kafka_now_us() >= deadline_us)
      result = kafka_fail(&reader, error, "reading the users and control topics", RD_KAFKA_RESP_ERR__TIMED_OUT, NULL);
  }
  kafka_message_release(&message);
  kafka_handle_close(&reader);
  return result;
}

/* --- writing --- */

static int make_uuid(char ret[static UUID_SIZE], struct wm_error *error) {
  unsigned char b[16];
  if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
    return wm_error_set(error, WM_E_KAFKA_FAILED, "no random bytes for the incarnation of the users topic");
  b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
  b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
  snprintf(ret, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
           b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
  return 0;
}

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  struct kafka_handle *handle = opaque;
  (void)rk;
  if (message->err)
    *(rd_kafka_resp_err_t *)handle->owner = message->err;
}

static int check_error(struct kafka_handle *handle, rd_kafka_error_t *failed, const char *doing,
                       struct wm_error *error) {
  if (!failed)
    return 0;
  kafka_fail(handle, error, doing, rd_kafka_error_code(failed), rd_kafka_error_string(failed));
  rd_kafka_error_destroy(failed);
  return -1;
}

/* The coordinator of a broker that has just started is loading for a moment. */
static int claim(struct kafka_handle *handle, struct wm_error *error) {
  int64_t deadline_us = kafka_now_us() + WRITE_US;
  for (;;) {
    rd_kafka_error_t *failed = rd_kafka_init_transactions(handle->rk, kafka_left_ms(deadline_us, 5000));
    bool again = failed && rd_kafka_error_is_retriable(failed) && kafka_now_us() < deadline_us;
    if (check_error(handle, failed, "claiming the transactional id", error) == 0)
      return 0;
    if (!again)
      return -1;
    rd_kafka_poll(handle->rk, 100);
  }
}

static int put(struct kafka_handle *handle, const char *topic, int32_t partition, struct wm_text key,
               struct wm_text value, struct wm_error *error) {
  rd_kafka_resp_err_t code =
      rd_kafka_producev(handle->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.bytes, key.size),
                        RD_KAFKA_V_VALUE((void *)(uintptr_t)value.bytes, value.size), RD_KAFKA_V_END);
  return code ? kafka_fail(handle, error, topic, code, NULL) : 0;
}

static int put_births(struct topics_work *work, struct kafka_handle *handle, struct found *found,
                      struct wm_error *error) {
  const struct topics_plan *users = topics_find(work, TOPICS_USERS);
  if (!found->incarnation[0] && make_uuid(found->incarnation, error) != 0)
    return -1;
  struct wm_buf value = WM_BUF_INIT;
  wm_buf_add_string(&value, "{\"v\":1,\"name\":");
  wm_buf_add_json(&value, wm_text_of(users->name));
  wm_buf_printf(&value, ",\"incarnation\":\"%s\"}", found->incarnation);
  int result = value.failed ? wm_error_memory(error) : 0;
  for (int32_t p = 0; result == 0 && p < users->partitions; p++)
    if (found->births[p] == FIRST_NONE)
      result = put(handle, users->name, p, WM_TEXT(KAFKA_BIRTH_KEY), (struct wm_text){value.bytes, value.size}, error);
  wm_buf_release(&value);
  return result;
}

static int put_control(struct topics_work *work, struct kafka_handle *handle, struct wm_error *error) {
  char value[160];
  int size = snprintf(value, sizeof value, "{\"v\":1,\"partitions\":%d,\"partitioner\":\"%s\"}",
                      work->settings->kafka.partitions, work->settings->kafka.partitioner);
  return put(handle, topics_find(work, TOPICS_CONTROL)->name, 0, WM_TEXT(KAFKA_PARTITIONS_KEY),
             (struct wm_text){value, (size_t)size}, error);
}

static bool births_missing(const struct topics_work *work, const struct found *found) {
  for (int32_t p = 0; p < work->settings->kafka.partitions; p++)
    if (found->births[p] == FIRST_NONE)
      return true;
  return false;
}

static int put_all(struct topics_work *work, struct kafka_handle *handle, struct found *found, struct wm_error *error) {
  if (births_missing(work, found) && put_births(work, handle, found, error) != 0)
    return -1;
  if (found->control_read && !found->control_there && put_control(work, handle, error) != 0)
    return -1;
  return 0;
}

static int open_writer(struct topics_work *work, struct kafka_handle *writer, struct wm_error *error) {
  char id[300];
  snprintf(id, sizeof id, "waymark.%s.topics", work->settings->kafka.group);
  const struct setting_pair own[] = {{"enable.idempotence", "true"},
                                     {"message.timeout.ms", "30000"},
                                     {work->settings->kafka.exactly_once ? "transactional.id" : NULL, id},
                                     {NULL, NULL}};
  const struct kafka_callbacks callbacks = {.delivered = on_delivered};
  return kafka_handle_open(writer, RD_KAFKA_PRODUCER, work->settings, own, &callbacks, error);
}

static int write_plain(struct topics_work *work, struct kafka_handle *writer, struct found *found,
                       struct wm_error *error) {
  if (read_all(work, found, error) != 0 || put_all(work, writer, found, error) != 0)
    return -1;
  rd_kafka_resp_err_t code = rd_kafka_flush(writer->rk, WRITE_US / 1000);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    code = *(rd_kafka_resp_err_t *)writer->owner;
  return code ? kafka_fail(writer, error, "writing the first records", code, NULL) : 0;
}

/* Claiming the id first: whoever did the same a moment ago is fenced, what he wrote is seen. */
static int write_once(struct topics_work *work, struct kafka_handle *writer, struct found *found,
                      struct wm_error *error) {
  if (claim(writer, error) != 0 || read_all(work, found, error) != 0)
    return -1;
  if (!births_missing(work, found) && (found->control_there || !found->control_read))
    return 0;
  if (check_error(writer, rd_kafka_begin_transaction(writer->rk), "beginning a transaction", error) != 0 ||
      put_all(work, writer, found, error) != 0)
    return -1;
  return check_error(writer, rd_kafka_commit_transaction(writer->rk, WRITE_US / 1000), "writing the first records",
                     error);
}

int topics_write_records(struct topics_work *work, struct wm_error *error) {
  struct topics_plan *users = topics_find(work, TOPICS_USERS), *control = topics_find(work, TOPICS_CONTROL);
  if (!is_ready(users) || !is_ready(control))
    return 0; /* the check tells why */
  struct found found = {0};
  rd_kafka_resp_err_t undelivered = RD_KAFKA_RESP_ERR_NO_ERROR;
  struct kafka_handle writer = {.name = "topics", .owner = &undelivered};
  if (open_writer(work, &writer, error) != 0)
    return -1;
  int result = work->settings->kafka.exactly_once ? write_once(work, &writer, &found, error)
                                                  : write_plain(work, &writer, &found, error);
  kafka_handle_close(&writer);
  return result;
}

/* --- checking --- */

int topics_check_records(struct topics_work *work, struct wm_error *error) {
  struct topics_plan *users = topics_find(work, TOPICS_USERS), *control = topics_find(work, TOPICS_CONTROL);
  struct found found;
  if (read_all(work, &found, error) != 0)
    return -1;
  for (int32_t p = 0; is_ready(users) && p < users->partitions; p++)
    if (found.births[p] != FIRST_BIRTH)
      topics_say(work, users, TOPICS_WRONG, "partition %d does not begin with a birth record: %s", p,
                 found.births[p] == FIRST_NONE ? "write it with 'waymark topics create'"
                                               : "it was not made by Waymark, make it anew");
  if (found.mixed)
    topics_say(work, users, TOPICS_WRONG, "its partitions are of different incarnations: make it anew");
  if (!is_ready(control))
    return 0;
  if (!found.control_there)
    topics_say(work, control, TOPICS_WRONG,
               "has no record of the number of partitions: write it with 'waymark topics create'");
  else if (found.partitions <= 0)
    topics_say(work, control, TOPICS_WRONG, "its newest record '%s' was not written by Waymark: it can't be read",
               KAFKA_PARTITIONS_KEY);
  else if (found.partitions != work->settings->kafka.partitions)
    topics_say(work, control, TOPICS_WRONG, "records %lld partitions, kafka.partitions is %d: set it to %lld",
               (long long)found.partitions, work->settings->kafka.partitions, (long long)found.partitions);
  else if (strcmp(found.partitioner, work->settings->kafka.partitioner) != 0)
    topics_say(work, control, TOPICS_WRONG, "records the partitioner '%s', kafka.partitioner is '%s': set it to '%s'",
               found.partitioner, work->settings->kafka.partitioner, found.partitioner);
  return 0;
}

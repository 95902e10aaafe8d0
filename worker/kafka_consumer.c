/* Reading the inputs.
 *
 * Happy path: the group gives partitions (the callback only records it, poll tells LOG_ASSIGNED), the loop assigns them
 * with offsets of its own, all paused, and lets them go one by one. Each record that poll hands out moves place->next.
 *
 * - a rebalance takes them away: LOG_REVOKED while a commit is still possible, LOG_LOST when it is not. librdkafka
 * waits until unassign() says that the loop has let go.
 * - a committed offset that the log no longer has: LOG_FATAL from assign, or LOG_BROKEN from poll when it happens later
 *   (auto.offset.reset is 'error'). Beginning anew in silence would be the worst answer.
 * - behind the last record of a log stand control records and aborted ones that no message shows. The group has to
 *   commit that it passed them (LOG_PASSED): once retention has deleted them, it would seem to have missed records.
 * - a seek or a pause overtakes messages that were fetched before it: librdkafka drops them by version; what slips
 *   through is dropped here, since place->next and place->paused know better. */
#include "worker/kafka_internal.h"

#include "worker/clock.h"

enum { TICK_US = 100 * 1000, COMMITTED_MS = 1000, CLOSE_US = 2000 * 1000, DOWN_US = 1000 * 1000, WAKE_MS = 100 };

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                         void *handle) {
  struct kafka *kafka = ((struct kafka_handle *)handle)->owner;
  if (kafka->closing) {
    rd_kafka_assign(rk, NULL);
    return;
  }
  rd_kafka_yield(rk);
  if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    kafka->event = rd_kafka_assignment_lost(rk) ? LOG_LOST : LOG_REVOKED;
    return;
  }
  kafka->event = LOG_ASSIGNED;
  kafka->next_watch_us = 0; /* a topic with more partitions than before is a reason for a new assignment */
  kafka->assigned_count = 0;
  for (int i = 0; i < list->cnt; i++) {
    const rd_kafka_topic_partition_t *item = &list->elems[i];
    for (size_t topic = 0; topic < kafka->input_count; topic++)
      if (strcmp(kafka->inputs[topic], item->topic) == 0 && item->partition < kafka->partitions)
        kafka->assigned[kafka->assigned_count++] =
            (struct log_position){.topic = topic, .partition = item->partition, .offset = LOG_BEGINNING};
  }
}

static int subscribe(struct kafka *kafka, struct wm_error *error) {
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new((int)kafka->input_count);
  if (!topics)
    return wm_error_memory(error);
  for (size_t i = 0; i < kafka->input_count; i++)
    rd_kafka_topic_partition_list_add(topics, kafka->inputs[i], RD_KAFKA_PARTITION_UA);
  rd_kafka_resp_err_t code = rd_kafka_subscribe(kafka->consumer.rk, topics);
  rd_kafka_topic_partition_list_destroy(topics);
  return code ? kafka_fail(&kafka->consumer, error, "subscribing to the input topics", code, NULL) : 0;
}

int kafka_consumer_open(struct kafka *kafka, struct wm_error *error) {
  const struct setting_pair own[] = {{"group.id", kafka->settings.kafka.group},
                                     {"partition.assignment.strategy", "range"},
                                     {"enable.auto.commit", "false"},
                                     {"enable.auto.offset.store", "false"},
                                     {"auto.offset.reset", "error"},
                                     {"isolation.level", "read_committed"},
                                     {"enable.partition.eof", "true"},
                                     {NULL, NULL}};
  kafka->consumer.name = "consumer";
  kafka->consumer.logger = kafka->logger;
  kafka->consumer.owner = kafka;
  kafka->next_watch_us = kafka_now_us() + KAFKA_WATCH_US;
  const struct kafka_callbacks callbacks = {.rebalance = on_rebalance};
  if (kafka_handle_open(&kafka->consumer, RD_KAFKA_CONSUMER, &kafka->settings, own, &callbacks, error) != 0)
    return -1;
  return subscribe(kafka, error);
}

/* Whatever is still on its way is dropped; a rebalance is agreed to. */
static void serve_close(struct kafka *kafka, rd_kafka_queue_t *queue) {
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 50);
  if (!event)
    return;
  if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
    rd_kafka_assign(kafka->consumer.rk, NULL);
  rd_kafka_event_destroy(event);
}

/* Leaving the group lets the others take over at once. A coordinator that does not answer would keep librdkafka for 5
 * s, which is all that a worker has to end in; then the handle is left to the end of the process. */
void kafka_consumer_close(struct kafka *kafka) {
  if (!kafka->consumer.rk)
    return;
  kafka->closing = true;
  kafka_message_release(&kafka->message);
  rd_kafka_assign(kafka->consumer.rk, NULL); /* also the answer to a rebalance that nobody has answered yet */
  rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->consumer.rk);
  rd_kafka_error_t *failed = rd_kafka_consumer_close_queue(kafka->consumer.rk, queue);
  int64_t deadline_us = kafka_now_us() + CLOSE_US;
  while (!failed && !rd_kafka_consumer_closed(kafka->consumer.rk) && kafka_now_us() < deadline_us)
    serve_close(kafka, queue);
  bool closed = failed || rd_kafka_consumer_closed(kafka->consumer.rk);
  if (failed)
    rd_kafka_error_destroy(failed);
  if (closed) {
    rd_kafka_queue_destroy(queue);
    kafka_handle_close(&kafka->consumer);
  }
  kafka->consumer.rk = NULL;
}

/* --- seeking --- */

static enum log_result seek(struct kafka *kafka, rd_kafka_topic_partition_list_t *list, struct wm_error *error) {
  rd_kafka_error_t *failed = rd_kafka_seek_partitions(kafka->consumer.rk, list, -1);
  rd_kafka_resp_err_t code = failed ? rd_kafka_error_code(failed) : RD_KAFKA_RESP_ERR_NO_ERROR;
  if (failed)
    rd_kafka_error_destroy(failed);
  for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
    code = list->elems[i].err;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  kafka_fail(&kafka->consumer, error, "going back to an offset", code, NULL);
  return LOG_AGAIN; /* the fetcher has not started yet, or a rebalance was faster */
}

/* Partition p of every assigned topic; 'stale': only those that missed a message. */
static rd_kafka_topic_partition_list_t *list_of_partition(struct kafka *kafka, int32_t partition, bool stale) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)kafka->input_count);
  for (size_t topic = 0; list && topic < kafka->input_count; topic++) {
    const struct kafka_place *place = kafka_place(kafka, topic, partition);
    if (!place->assigned || (stale && !place->stale))
      continue;
    int64_t offset = place->next == LOG_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING : place->next;
    rd_kafka_topic_partition_list_add(list, kafka->inputs[topic], partition)->offset = offset;
  }
  return list;
}

static void fetch_again(struct kafka *kafka, int32_t partition) {
  rd_kafka_topic_partition_list_t *missed = list_of_partition(kafka, partition, true);
  if (!missed)
    return;
  if (missed->cnt == 0 || seek(kafka, missed, NULL) == LOG_DONE)
    for (size_t topic = 0; topic < kafka->input_count; topic++)
      kafka_place(kafka, topic, partition)->stale = false;
  rd_kafka_topic_partition_list_destroy(missed);
}

/* --- poll --- */

static size_t input_of(struct kafka *kafka, rd_kafka_topic_t *topic) {
  if (topic == kafka->last_topic)
    return kafka->last_input;
  const char *name = rd_kafka_topic_name(topic);
  size_t i = 0;
  while (i < kafka->input_count && strcmp(kafka->inputs[i], name) != 0)
    i++;
  kafka->last_topic = topic;
  kafka->last_input = i;
  return i;
}

/* Is the message one that the loop waits for? One that comes while its partition is paused is fetched again later. */
static bool is_due(struct kafka *kafka, size_t topic, const rd_kafka_message_t *raw) {
  struct kafka_place *place = kafka_place(kafka, topic, raw->partition);
  if (!place->assigned || raw->offset < place->next)
    return false;
  place->stale = place->stale || place->paused;
  if (!place->stale) {
    place->next = raw->offset + 1;
    return true;
  }
  if (!place->paused)
    fetch_again(kafka, raw->partition);
  return false;
}

static enum log_poll hand_out(struct kafka *kafka, struct log_polled *ret, struct wm_error *error) {
  const rd_kafka_message_t *raw = kafka->message.raw;
  size_t topic = input_of(kafka, raw->rkt);
  if (topic == kafka->input_count || raw->partition >= kafka->partitions || !is_due(kafka, topic, raw))
    return LOG_NOTHING;
  ret->topic = topic;
  if (kafka_message_read(&kafka->message, &ret->record) == 0)
    return LOG_RECORD;
  wm_error_memory(error);
  return LOG_BROKEN;
}

/* The end of a partition for a reader of committed records. */
static enum log_poll hand_end(struct kafka *kafka, struct log_polled *ret) {
  const rd_kafka_message_t *raw = kafka->message.raw;
  size_t topic = input_of(kafka, raw->rkt);
  if (topic == kafka->input_count || raw->partition >= kafka->partitions)
    return LOG_NOTHING;
  struct kafka_place *place = kafka_place(kafka, topic, raw->partition);
  int64_t next = place->next == LOG_BEGINNING ? place->start : place->next;
  if (!place->assigned || place->paused || place->stale || raw->offset <= next)
    return LOG_NOTHING;
  place->next = raw->offset;
  kafka->passed = (struct log_position){.topic = topic, .partition = raw->partition, .offset = raw->offset};
  ret->positions = &kafka->passed;
  ret->position_count = 1;
  return LOG_PASSED;
}

/* An error that came in place of a message. */
static enum log_poll hand_error(struct kafka *kafka, struct log_polled *ret, struct wm_error *error) {
  const rd_kafka_message_t *raw = kafka->message.raw;
  const char *topic = raw->rkt ? rd_kafka_topic_name(raw->rkt) : NULL;
  const char *said = rd_kafka_message_errstr(raw);
  switch (raw->err) {
  case RD_KAFKA_RESP_ERR__PARTITION_EOF:
    return hand_end(kafka, ret);
  case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
  case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    wm_error_set(error, WM_E_TOPIC_INVALID,
                 "'%s' partition %d no longer has the record at offset %lld: it was deleted before it was read",
                 topic ? topic : "?", raw->partition, (long long)raw->offset);
    return LOG_BROKEN;
  case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
  case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
  case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
  case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
  case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    wm_error_set(error, WM_E_TOPIC_INVALID, "topic '%s' can't be read: %s", topic ? topic : "?", said);
    return LOG_BROKEN;
  case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
  case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
  case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
  case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
  case RD_KAFKA_RESP_ERR__FATAL:
  case RD_KAFKA_RESP_ERR__BAD_MSG:
  case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    wm_error_set(error, WM_E_KAFKA_FAILED, "reading '%s': %s", topic ? topic : kafka->settings.kafka.group, said);
    return LOG_BROKEN;
  default:
    logger_flood(kafka->logger, LOGGER_WARNING, system_clock.wall_us(system_clock.self), "kafka consumer",
                 (const struct logger_field[]){
                     {.name = "topic", .text = wm_text_of(topic)}, {.name = "text", .text = wm_text_of(said)}, {0}});
    return LOG_NOTHING;
  }
}

/* What has to be looked at now and then: logs and errors of the other handles, topics that change, brokers away. */
static enum log_poll tick(struct kafka *kafka, int64_t now_us, struct wm_error *error) {
  kafka->next_tick_us = now_us + TICK_US;
  if (kafka->producer.rk)
    rd_kafka_poll(kafka->producer.rk, 0);
  rd_kafka_poll(kafka->watcher.rk, 0);
  if (kafka_is_fatal(kafka, error))
    return error->code == WM_E_KAFKA_FENCED ? LOG_FENCED : LOG_BROKEN;
  if (kafka->consumer.down && kafka->next_watch_us > now_us + DOWN_US)
    kafka->next_watch_us = now_us;
  if (now_us < kafka->next_watch_us)
    return LOG_NOTHING;
  enum log_poll seen = kafka_watch(kafka, error);
  kafka->next_watch_us = now_us + KAFKA_WATCH_US;
  if (seen == LOG_NOTHING) {
    kafka->consumer.down = false;
    kafka->suspicious = false;
    return LOG_NOTHING;
  }
  kafka->next_watch_us = now_us + DOWN_US;
  if (seen == LOG_DOWN || kafka->suspicious)
    return seen;
  kafka->suspicious = true; /* a broker that has just started may not know everything yet */
  return LOG_NOTHING;
}

static enum log_poll tell_event(struct kafka *kafka, struct log_polled *ret) {
  enum log_poll event = kafka->event;
  kafka->event = LOG_NOTHING;
  if (event == LOG_ASSIGNED) {
    ret->positions = kafka->assigned;
    ret->position_count = kafka->assigned_count;
  }
  return event;
}

enum log_poll kafka_poll(void *self, int timeout_ms, struct log_polled *ret, struct wm_error *error) {
  struct kafka *kafka = self;
  int64_t now_us = kafka_now_us();
  int64_t deadline_us = now_us + (int64_t)timeout_ms * 1000;
  *ret = (struct log_polled){0};
  kafka_message_drop(&kafka->message);
  if (now_us >= kafka->next_tick_us) {
    enum log_poll seen = tick(kafka, now_us, error);
    if (seen != LOG_NOTHING)
      return seen;
  }
  for (;;) {
    if (kafka->event != LOG_NOTHING)
      return tell_event(kafka, ret);
    kafka->message.raw = rd_kafka_consumer_poll(kafka->consumer.rk, timeout_ms);
    if (kafka->message.raw) {
      enum log_poll result = kafka->message.raw->err ? hand_error(kafka, ret, error) : hand_out(kafka, ret, error);
      if (result != LOG_NOTHING)
        return result;
      kafka_message_drop(&kafka->message);
    } else if (kafka->event == LOG_NOTHING) {
      return LOG_NOTHING;
    }
    now_us = kafka_now_us();
    timeout_ms = now_us >= deadline_us ? 0 : (int)((deadline_us - now_us) / 1000);
  }
}

/* --- assignment --- */

/* Refuses offsets that the log does not have, and learns what LOG_BEGINNING is. */
static enum log_result look_up_start(struct kafka *kafka, const struct log_position *position, struct wm_error *error) {
  const char *topic = kafka->inputs[position->topic];
  int64_t start, end;
  enum log_result result = kafka_marks(kafka, topic, position->partition, &start, &end, error);
  if (result != LOG_DONE)
    return result;
  struct kafka_place *place = kafka_place(kafka, position->topic, position->partition);
  *place = (struct kafka_place){.assigned = true, .paused = true, .start = start, .end = end, .next = position->offset};
  if (position->offset == LOG_BEGINNING || (position->offset >= start && position->offset <= end))
    return LOG_DONE;
  wm_error_set(error, WM_E_TOPIC_INVALID,
               "group '%s' stands at offset %lld of '%s' partition %d, but its log goes from %lld to %lld: %s",
               kafka->settings.kafka.group, (long long)position->offset, topic, position->partition, (long long)start,
               (long long)end,
               position->offset < start ? "records were deleted before they were read" : "the topic was made anew");
  return LOG_FATAL;
}

static rd_kafka_topic_partition_list_t *list_of(struct kafka *kafka, const struct log_position *positions,
                                                size_t count) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
  for (size_t i = 0; list && i < count; i++) {
    int64_t offset = positions[i].offset == LOG_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING : positions[i].offset;
    rd_kafka_topic_partition_list_add(list, kafka->inputs[positions[i].topic], positions[i].partition)->offset = offset;
  }
  return list;
}

/* "told-until <microseconds since 1970>" is the metadata of an offset; the list frees it. -1: out of memory. */
#define TOLD "told-until "

static int set_told(rd_kafka_topic_partition_t *offset, int64_t told_us) {
  char words[40];
  if (told_us <= 0)
    return 0;
  int size = snprintf(words, sizeof words, TOLD "%lld", (long long)told_us);
  offset->metadata = strdup(words);
  if (!offset->metadata)
    return -1;
  offset->metadata_size = (size_t)size;
  return 0;
}

/* 0: there is none, or somebody else set this offset and wrote something else there. */
static int64_t get_told(const rd_kafka_topic_partition_t *offset) {
  const size_t head = sizeof TOLD - 1;
  const char *words = offset->metadata;
  int64_t told_us = 0;
  if (offset->metadata_size <= head || offset->metadata_size > head + 18 || memcmp(words, TOLD, head) != 0)
    return 0;
  for (size_t i = head; i < offset->metadata_size; i++) {
    if (words[i] < '0' || words[i] > '9')
      return 0;
    told_us = told_us * 10 + (words[i] - '0');
  }
  return told_us;
}

rd_kafka_topic_partition_list_t *kafka_offsets(struct kafka *kafka, const struct log_position *positions,
                                               size_t count) {
  rd_kafka_topic_partition_list_t *list = list_of(kafka, positions, count);
  for (size_t i = 0; list && i < count; i++) {
    if (positions[i].offset == LOG_BEGINNING)
      list->elems[i].offset = kafka_place(kafka, positions[i].topic, positions[i].partition)->start;
    if (set_told(&list->elems[i], positions[i].told_us) < 0) {
      rd_kafka_topic_partition_list_destroy(list);
      return NULL;
    }
  }
  return list;
}

static void forget_places(struct kafka *kafka) {
  memset(kafka->places, 0, kafka->input_count * (size_t)kafka->partitions * sizeof *kafka->places);
}

static enum log_result take_over(struct kafka *kafka, rd_kafka_topic_partition_list_t *list, struct wm_error *error) {
  rd_kafka_resp_err_t code = rd_kafka_assign(kafka->consumer.rk, list);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR && list->cnt > 0)
    code = rd_kafka_pause_partitions(kafka->consumer.rk, list);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  kafka_fail(&kafka->consumer, error, "taking over partitions", code, NULL);
  return LOG_AGAIN; /* a rebalance was faster: the next poll tells it */
}

enum log_result kafka_assign(void *self, const struct log_position *positions, size_t count, struct wm_error *error) {
  struct kafka *kafka = self;
  forget_places(kafka);
  for (size_t i = 0; i < count; i++) {
    enum log_result result = look_up_start(kafka, &positions[i], error);
    if (result != LOG_DONE)
      return result;
  }
  /* By number: librdkafka looks up a BEGINNING whose leader it does not know yet only half a second later. */
  rd_kafka_topic_partition_list_t *list = kafka_offsets(kafka, positions, count);
  if (!list) {
    wm_error_memory(error);
    return LOG_FATAL;
  }
  enum log_result result = take_over(kafka, list, error);
  rd_kafka_topic_partition_list_destroy(list);
  return result;
}

enum log_result kafka_unassign(void *self, struct wm_error *error) {
  struct kafka *kafka = self;
  forget_places(kafka);
  kafka_message_drop(&kafka->message);
  rd_kafka_resp_err_t code = rd_kafka_assign(kafka->consumer.rk, NULL);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  kafka_fail(&kafka->consumer, error, "letting partitions go", code, NULL);
  return code == RD_KAFKA_RESP_ERR__FATAL ? LOG_FATAL : LOG_AGAIN;
}

enum log_result kafka_committed(void *self, struct log_position *positions, size_t count, struct wm_error *error) {
  struct kafka *kafka = self;
  if (count == 0)
    return LOG_DONE;
  rd_kafka_topic_partition_list_t *list = list_of(kafka, positions, count);
  if (!list) {
    wm_error_memory(error);
    return LOG_FATAL;
  }
  rd_kafka_resp_err_t code = rd_kafka_committed(kafka->consumer.rk, list, COMMITTED_MS);
  for (size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < count; i++) {
    code = list->elems[i].err;
    positions[i].offset = list->elems[i].offset >= 0 ? list->elems[i].offset : LOG_BEGINNING;
    positions[i].told_us = get_told(&list->elems[i]);
  }
  rd_kafka_topic_partition_list_destroy(list);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  kafka_fail(&kafka->consumer, error, "asking for the group's offsets", code, NULL);
  bool refused =
      code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
  return refused ? LOG_FATAL : LOG_AGAIN;
}

/* librdkafka learns the end with what it fetches: while a partition is paused, what was known before stands. */
bool kafka_heard(void *self, size_t topic, int32_t partition, int64_t *ret_start, int64_t *ret_end) {
  struct kafka *kafka = self;
  const struct kafka_place *place = kafka_place(kafka, topic, partition);
  int64_t start, end;
  if (!place->assigned)
    return false;
  if (rd_kafka_get_watermark_offsets(kafka->consumer.rk, kafka->inputs[topic], partition, &start, &end) != 0)
    end = 0;
  *ret_start = place->start;
  *ret_end = end > place->end ? end : place->end;
  return true;
}

enum log_result kafka_rewind(void *self, const struct log_position *positions, size_t count, struct wm_error *error) {
  struct kafka *kafka = self;
  if (count == 0)
    return LOG_DONE;
  kafka_message_drop(&kafka->message);
  rd_kafka_topic_partition_list_t *list = list_of(kafka, positions, count);
  if (!list) {
    wm_error_memory(error);
    return LOG_FATAL;
  }
  enum log_result result = seek(kafka, list, error);
  rd_kafka_topic_partition_list_destroy(list);
  for (size_t i = 0; result == LOG_DONE && i < count; i++) {
    struct kafka_place *place = kafka_place(kafka, positions[i].topic, positions[i].partition);
    place->next = positions[i].offset;
    place->stale = false;
  }
  return result;
}

static void mark_paused(struct kafka *kafka, int32_t partition, bool paused) {
  for (size_t topic = 0; topic < kafka->input_count; topic++) {
    struct kafka_place *place = kafka_place(kafka, topic, partition);
    place->paused = place->assigned && paused;
  }
}

/* librdkafka's thread of a broker looks again at partitions that were paused only when anything wakes it, else after up
 * to a second. A request to their leaders does; its answer is not needed. */
static void wake_fetchers(struct kafka *kafka, rd_kafka_topic_partition_list_t *list) {
  for (int i = 0; i < list->cnt; i++)
    list->elems[i].offset = RD_KAFKA_OFFSET_END; /* here it is the time that is asked for */
  rd_kafka_offsets_for_times(kafka->consumer.rk, list, WAKE_MS);
}

void kafka_resume(void *self, int32_t partition) {
  struct kafka *kafka = self;
  fetch_again(kafka, partition);
  mark_paused(kafka, partition, false);
  rd_kafka_topic_partition_list_t *list = list_of_partition(kafka, partition, false);
  if (!list)
    return;
  if (list->cnt > 0 && rd_kafka_resume_partitions(kafka->consumer.rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR)
    wake_fetchers(kafka, list);
  rd_kafka_topic_partition_list_destroy(list);
}

void kafka_pause(void *self, int32_t partition) {
  struct kafka *kafka = self;
  mark_paused(kafka, partition, true);
  rd_kafka_topic_partition_list_t *list = list_of_partition(kafka, partition, false);
  if (!list)
    return;
  if (list->cnt > 0)
    rd_kafka_pause_partitions(kafka->consumer.rk, list);
  rd_kafka_topic_partition_list_destroy(list);
}

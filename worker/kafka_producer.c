/* Writing: one transaction per batch, the consumed offsets in it.
 *
 * Happy path: begin, append ..., commit: send the offsets with the group's present metadata, then EndTxn. The delivery
 * reports come in while librdkafka flushes and tell where the registers stand.
 *
 * Every failure is asked in the same order, as librdkafka means it: fatal (drop everything), requires an abort (decide
 * the batch again), retriable (the same call again until our deadline), anything else is fatal too. And three that are
 * ours:
 * - a record too large or with a time that the topic refuses: librdkafka wants an abort; what was refused is
 * remembered, so that the second try passes. A poison record never blocks.
 * - the deadline passes before EndTxn is sent: abort, nothing has happened.
 * - it passes later, or a connection broke meanwhile: LOG_UNCERTAIN even when the answer was a success. A late EndTxn
 *   can end the next transaction (KIP-890), only a new producer epoch rules that out. */
#include "worker/kafka_internal.h"

#include <time.h>

enum { FIRST_PAUSE_MS = 100, LAST_PAUSE_MS = 1000, BEGIN_US = 1000 * 1000, BATCH_BYTES = 1000000 };

/* Takes 'failed'. */
static enum log_result triage(struct kafka *kafka, rd_kafka_error_t *failed, const char *doing,
                              struct wm_error *error) {
  enum log_result result = LOG_FATAL;
  rd_kafka_resp_err_t code = rd_kafka_error_code(failed);
  kafka_fail(&kafka->producer, error, doing, code, rd_kafka_error_string(failed));
  /* Not every version of librdkafka takes being fenced as fatal everywhere. */
  bool fatal =
      rd_kafka_error_is_fatal(failed) || code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED;
  if (kafka_outlived(kafka, code))
    result = LOG_UNCERTAIN;
  else if (!fatal && rd_kafka_error_txn_requires_abort(failed))
    result = LOG_ABORT;
  else if (!fatal && rd_kafka_error_is_retriable(failed))
    result = LOG_AGAIN;
  if (result == LOG_FATAL)
    kafka_tell_fatal(kafka, code, rd_kafka_error_string(failed), error);
  rd_kafka_error_destroy(failed);
  return result;
}

/* One call of the transactional API, made again with the same arguments as long as that may help. LOG_AGAIN: the
 * deadline is over. */
typedef rd_kafka_error_t *attempt_fn(struct kafka *kafka, void *argument, int timeout_ms);

static enum log_result insist(struct kafka *kafka, attempt_fn *attempt, void *argument, const char *doing,
                              int64_t deadline_us, struct wm_error *error) {
  for (int pause_ms = FIRST_PAUSE_MS;; pause_ms = 2 * pause_ms < LAST_PAUSE_MS ? 2 * pause_ms : LAST_PAUSE_MS) {
    rd_kafka_error_t *failed = attempt(kafka, argument, kafka_left_ms(deadline_us, KAFKA_TRANSACTION_MS));
    if (!failed)
      return LOG_DONE;
    enum log_result result = triage(kafka, failed, doing, error);
    if (result != LOG_AGAIN || kafka_now_us() + (int64_t)pause_ms * 1000 >= deadline_us)
      return result;
    nanosleep(&(struct timespec){pause_ms / 1000, pause_ms % 1000 * 1000000L}, NULL);
  }
}

static rd_kafka_error_t *attempt_init(struct kafka *kafka, void *argument, int timeout_ms) {
  (void)argument;
  return rd_kafka_init_transactions(kafka->producer.rk, timeout_ms);
}

static rd_kafka_error_t *attempt_begin(struct kafka *kafka, void *argument, int timeout_ms) {
  (void)argument;
  (void)timeout_ms;
  return rd_kafka_begin_transaction(kafka->producer.rk);
}

/* The metadata is fetched anew each time: it carries the generation, which is the guard against zombies. */
static rd_kafka_error_t *attempt_offsets(struct kafka *kafka, void *argument, int timeout_ms) {
  rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(kafka->consumer.rk);
  if (!metadata)
    return rd_kafka_error_new(RD_KAFKA_RESP_ERR__STATE, "the consumer is in no group");
  rd_kafka_error_t *failed = rd_kafka_send_offsets_to_transaction(kafka->producer.rk, argument, metadata, timeout_ms);
  rd_kafka_consumer_group_metadata_destroy(metadata);
  return failed;
}

static rd_kafka_error_t *attempt_commit(struct kafka *kafka, void *argument, int timeout_ms) {
  (void)argument;
  return rd_kafka_commit_transaction(kafka->producer.rk, timeout_ms);
}

static rd_kafka_error_t *attempt_abort(struct kafka *kafka, void *argument, int timeout_ms) {
  (void)argument;
  return rd_kafka_abort_transaction(kafka->producer.rk, timeout_ms);
}

/* --- opening --- */

static size_t batch_bytes(const struct kafka *kafka) {
  size_t bytes = BATCH_BYTES;
  for (int i = 0; i < WM_OUT_COUNT; i++)
    if (kafka->limits[i] < bytes)
      bytes = kafka->limits[i];
  return bytes;
}

static int open_topic(struct kafka *kafka, const char *name, rd_kafka_topic_t **ret, struct wm_error *error) {
  *ret = rd_kafka_topic_new(kafka->producer.rk, name, NULL);
  return *ret ? 0 : kafka_fail(&kafka->producer, error, name, rd_kafka_last_error(), NULL);
}

static int open_topics(struct kafka *kafka, struct wm_error *error) {
  const char *const names[WM_OUT_COUNT] = {[WM_OUT_USERS] = kafka->settings.topics.users,
                                           [WM_OUT_OUTCOMES] = kafka->settings.topics.outcomes,
                                           [WM_OUT_CHANGES] = kafka->settings.topics.changes,
                                           [WM_OUT_FAILURES] = kafka->settings.topics.failures,
                                           [WM_OUT_NOTIFICATIONS] = kafka->settings.topics.notifications,
                                           [WM_OUT_REQUESTS] = kafka->settings.topics.requests};
  for (int i = 0; i < WM_OUT_COUNT; i++)
    if (names[i] && open_topic(kafka, names[i], &kafka->outputs[i], error) != 0)
      return -1;
  for (size_t i = 0; i < kafka->input_count; i++)
    if (open_topic(kafka, kafka->dlq_names[i], &kafka->dlqs[i], error) != 0)
      return -1;
  return 0;
}

static int open_handle(struct kafka *kafka, struct wm_error *error) {
  char size[24];
  snprintf(size, sizeof size, "%zu", batch_bytes(kafka));
  /* One message set may not be larger than the strictest topic allows: the broker would refuse all of it. */
  const struct setting_pair own[] = {{"enable.idempotence", "true"},
                                     {"batch.size", size},
                                     {"message.max.bytes", "100000000"},
                                     {"queue.buffering.max.messages", "500000"},
                                     {"queue.buffering.max.kbytes", "65536"},
                                     {"message.timeout.ms", "8000"},
                                     {"socket.timeout.ms", "5000"},
                                     {"transaction.timeout.ms", "10000"},
                                     {kafka->transactions ? "transactional.id" : NULL, kafka->transactional_id},
                                     {NULL, NULL}};
  const struct kafka_callbacks callbacks = {.delivered = kafka_on_delivered};
  kafka->producer.name = "producer";
  kafka->producer.logger = kafka->logger;
  kafka->producer.owner = kafka;
  kafka->initialized = !kafka->transactions;
  kafka->in_transaction = false;
  if (kafka_handle_open(&kafka->producer, RD_KAFKA_PRODUCER, &kafka->settings, own, &callbacks, error) != 0)
    return -1;
  return open_topics(kafka, error);
}

static enum log_result initialize(struct kafka *kafka, int64_t deadline_us, struct wm_error *error) {
  if (kafka->initialized)
    return LOG_DONE;
  enum log_result result = insist(kafka, attempt_init, NULL, "claiming the transactional id", deadline_us, error);
  kafka->initialized = result == LOG_DONE;
  return result == LOG_ABORT ? LOG_AGAIN : result;
}

int kafka_producer_open(struct kafka *kafka, int64_t deadline_us, struct wm_error *error) {
  if (open_handle(kafka, error) != 0)
    return -1;
  return initialize(kafka, deadline_us, error) == LOG_DONE ? 0 : -1;
}

void kafka_producer_close(struct kafka *kafka) {
  if (!kafka->producer.rk)
    return;
  rd_kafka_purge(kafka->producer.rk,
                 RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  for (int i = 0; i < WM_OUT_COUNT; i++)
    if (kafka->outputs[i])
      rd_kafka_topic_destroy(kafka->outputs[i]);
  for (size_t i = 0; i < kafka->input_count; i++)
    if (kafka->dlqs[i])
      rd_kafka_topic_destroy(kafka->dlqs[i]);
  memset(kafka->outputs, 0, sizeof kafka->outputs);
  memset(kafka->dlqs, 0, kafka->input_count * sizeof *kafka->dlqs);
  kafka_handle_close(&kafka->producer);
}

enum log_result kafka_recycle(void *self, struct wm_error *error) {
  struct kafka *kafka = self;
  kafka_plain_clear(kafka);
  kafka_forget_reports(kafka);
  if (kafka->producer.rk && (kafka->initialized || rd_kafka_fatal_error(kafka->producer.rk, NULL, 0)))
    kafka_producer_close(kafka);
  if (!kafka->producer.rk && open_handle(kafka, error) != 0)
    return LOG_FATAL;
  return initialize(kafka, kafka_now_us() + KAFKA_DEADLINE_US, error);
}

/* --- the batch --- */

enum log_result kafka_begin(void *self, struct wm_error *error) {
  struct kafka *kafka = self;
  kafka_forget_reports(kafka);
  kafka->began_us = kafka_now_us();
  kafka->deadline_us = kafka->began_us + KAFKA_DEADLINE_US;
  if (!kafka->transactions) {
    kafka_plain_clear(kafka);
    return kafka_is_fatal(kafka, error) ? LOG_FATAL : LOG_DONE;
  }
  enum log_result result = initialize(kafka, kafka_now_us() + BEGIN_US, error);
  if (result == LOG_DONE)
    result = insist(kafka, attempt_begin, NULL, "beginning a transaction", kafka_now_us() + BEGIN_US, error);
  kafka->in_transaction = result == LOG_DONE;
  return result;
}

/* Returns NULL when there are none; 'ret_failed' tells that from no memory. */
static rd_kafka_headers_t *headers_of(const struct wm_out *out, bool *ret_failed) {
  *ret_failed = false;
  if (out->header_count == 0)
    return NULL;
  rd_kafka_headers_t *headers = rd_kafka_headers_new(out->header_count);
  for (size_t i = 0; headers && i < out->header_count; i++) {
    const struct wm_header *header = &out->headers[i];
    rd_kafka_header_add(headers, header->name.bytes, (ssize_t)header->name.size, header->value.bytes,
                        header->value.bytes ? (ssize_t)header->value.size : 0);
  }
  *ret_failed = !headers;
  return headers;
}

static rd_kafka_topic_t *output_of(const struct kafka *kafka, const struct wm_out *out) {
  if (out->topic != WM_OUT_DLQ)
    return kafka->outputs[out->topic];
  for (size_t i = 0; i < kafka->input_count; i++)
    if (wm_text_is(out->dlq_of, kafka->inputs[i]))
      return kafka->dlqs[i];
  return NULL;
}

/* librdkafka takes the headers only when it takes the record. */
static rd_kafka_resp_err_t hand_over(struct kafka *kafka, rd_kafka_topic_t *topic, const struct wm_out *out,
                                     uint64_t token) {
  bool failed;
  rd_kafka_headers_t *headers = headers_of(out, &failed);
  if (failed)
    return RD_KAFKA_RESP_ERR__FAIL;
  bool timed = out->timestamp_ms > 0 && !kafka->own_time[out->topic];
  rd_kafka_resp_err_t code =
      rd_kafka_producev(kafka->producer.rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(out->partition),
                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(out->key.bytes, out->key.size),
                        RD_KAFKA_V_VALUE((void *)(uintptr_t)out->value.bytes, out->value.size),
                        RD_KAFKA_V_TIMESTAMP(timed ? out->timestamp_ms : 0),
                        RD_KAFKA_V_OPAQUE((void *)(uintptr_t)token), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && headers)
    rd_kafka_headers_destroy(headers);
  return code;
}

enum log_result kafka_produce(struct kafka *kafka, const struct wm_out *out, uint64_t token, struct wm_error *error) {
  rd_kafka_topic_t *topic = output_of(kafka, out);
  if (!topic || !kafka->producer.rk) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "no topic to write to for '%.*s'", WM_TEXT_ARG(out->dlq_of));
    return LOG_FATAL;
  }
  rd_kafka_resp_err_t code;
  while ((code = hand_over(kafka, topic, out, token)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
         kafka_now_us() < kafka->deadline_us)
    rd_kafka_poll(kafka->producer.rk, 10);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    kafka_note_too_large(kafka, out->topic, out->key.size + out->value.size);
  rd_kafka_poll(kafka->producer.rk, 0); /* reports may tell why */
  enum log_result result = kafka_reported(kafka, error);
  if (result != LOG_DONE)
    return result;
  kafka_fail(&kafka->producer, error, rd_kafka_topic_name(topic), code, NULL);
  bool passes = code == RD_KAFKA_RESP_ERR__QUEUE_FULL || code == RD_KAFKA_RESP_ERR__STATE ||
                code == RD_KAFKA_RESP_ERR__FATAL; /* fenced for taking too long: abort() makes a new producer */
  return passes ? LOG_ABORT : LOG_FATAL;
}

enum log_result kafka_append(void *self, const struct wm_out *out, uint64_t token, struct wm_error *error) {
  struct kafka *kafka = self;
  return kafka->transactions ? kafka_produce(kafka, out, token, error) : kafka_plain_append(kafka, out, token, error);
}

static enum log_result uncertain(struct kafka *kafka, struct wm_error *error, const char *why) {
  wm_error_set(error, WM_E_KAFKA_FAILED, "nobody knows whether the transaction of '%s' was committed: %s",
               kafka->transactional_id, why);
  return LOG_UNCERTAIN;
}

static enum log_result end_transaction(struct kafka *kafka, struct wm_error *error) {
  rd_kafka_poll(kafka->producer.rk, 0);
  unsigned breaks = kafka->producer.breaks;
  int64_t began_us = kafka_now_us();
  enum log_result result = insist(kafka, attempt_commit, NULL, "committing the transaction", kafka->deadline_us, error);
  rd_kafka_poll(kafka->producer.rk, 0);
  switch (result) {
  case LOG_DONE:
    kafka->in_transaction = false;
    if (kafka->producer.breaks != breaks)
      return uncertain(kafka, error, "a connection broke meanwhile");
    if (kafka_now_us() - began_us > KAFKA_DEADLINE_US)
      return uncertain(kafka, error, "it took too long");
    return kafka->written_failed ? uncertain(kafka, error, "out of memory") : LOG_DONE;
  case LOG_AGAIN:
    return uncertain(kafka, error, "no answer in time");
  case LOG_ABORT:
    return kafka->too_large ? LOG_TOO_LARGE : LOG_ABORT;
  case LOG_TOO_LARGE:
  case LOG_UNCERTAIN:
  case LOG_FATAL:
    break;
  }
  return result;
}

static enum log_result commit_transaction(struct kafka *kafka, const struct log_position *positions, size_t count,
                                          struct wm_error *error) {
  rd_kafka_topic_partition_list_t *offsets = kafka_offsets(kafka, positions, count);
  if (!offsets) {
    wm_error_memory(error);
    return LOG_ABORT;
  }
  enum log_result result =
      insist(kafka, attempt_offsets, offsets, "adding the group's offsets", kafka->deadline_us, error);
  rd_kafka_topic_partition_list_destroy(offsets);
  if (result == LOG_DONE)
    return end_transaction(kafka, error);
  rd_kafka_poll(kafka->producer.rk, 0);
  if (result == LOG_ABORT && kafka->too_large)
    return LOG_TOO_LARGE;
  return result == LOG_AGAIN ? LOG_ABORT : result;
}

enum log_result kafka_commit(void *self, const struct log_position *positions, size_t count,
                             const struct log_written **ret_written, size_t *ret_written_count,
                             struct wm_error *error) {
  struct kafka *kafka = self;
  enum log_result result = kafka->transactions ? commit_transaction(kafka, positions, count, error)
                                               : kafka_plain_commit(kafka, positions, count, error);
  *ret_written = kafka->written;
  *ret_written_count = result == LOG_DONE ? kafka->written_count : 0;
  return result;
}

static bool was_refused(const struct kafka *kafka) {
  return kafka->too_large || kafka->undelivered != RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Three times a new producer epoch is the better end: after a record that was refused (its sequence number is missing
 * in the next transaction, which would have to be aborted too), when the coordinator is still busy with the last
 * commit, and when its patience has ended the transaction before us (librdkafka takes both as fatal). Only somebody
 * else's epoch must stay in force. */
enum log_result kafka_abort(void *self, struct wm_error *error) {
  struct kafka *kafka = self;
  struct wm_error unwanted;
  error = error ? error : &unwanted;
  kafka_plain_clear(kafka);
  if (!kafka->in_transaction)
    return LOG_DONE;
  enum log_result result = LOG_UNCERTAIN;
  if (!was_refused(kafka))
    result = insist(kafka, attempt_abort, NULL, "aborting the transaction", kafka_now_us() + KAFKA_DEADLINE_US, error);
  if (result == LOG_UNCERTAIN || (result == LOG_FATAL && error->code != WM_E_KAFKA_FENCED) ||
      (result == LOG_DONE && was_refused(kafka)))
    result = kafka_recycle(kafka, error);
  if (result == LOG_DONE)
    kafka->in_transaction = false;
  return result == LOG_ABORT ? LOG_AGAIN : result;
}

size_t kafka_cut_limit(void *self, enum wm_topic topic) {
  return ((struct kafka *)self)->cut_limits[topic];
}

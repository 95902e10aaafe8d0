#include <stdlib.h>
#include <time.h>

#include "worker/kafka_internal.h"
#include "worker/sender.h"

enum { CLAIM_US = 30 * 1000 * 1000, SEND_US = 30 * 1000 * 1000, TRIES = 3, PAUSE_MS = 100 };

struct sender {
  struct kafka_handle handle;
  bool transactions;
  rd_kafka_resp_err_t refused; /* the first record that was not taken */
};

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  struct sender *sender = ((struct kafka_handle *)opaque)->owner;
  (void)rk;
  if (message->err && !sender->refused)
    sender->refused = message->err;
}

/* Takes 'failed'. Is the same call worth another try? */
static bool may_pass(struct sender *sender, rd_kafka_error_t *failed, const char *doing, struct wm_error *error) {
  rd_kafka_resp_err_t code = rd_kafka_error_code(failed);
  bool retriable = rd_kafka_error_is_retriable(failed);
  kafka_fail(&sender->handle, error, doing, code, rd_kafka_error_string(failed));
  if (code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED)
    wm_error_set(error, WM_E_KAFKA_FENCED, "another process has taken over");
  rd_kafka_error_destroy(failed);
  return retriable;
}

typedef rd_kafka_error_t *step_fn(rd_kafka_t *rk, int timeout_ms);

static rd_kafka_error_t *begin(rd_kafka_t *rk, int timeout_ms) {
  (void)timeout_ms;
  return rd_kafka_begin_transaction(rk);
}

/* One call of the transactional API, made again as long as that may help. */
static int insist(struct sender *sender, step_fn *step, const char *doing, int64_t deadline_us,
                  struct wm_error *error) {
  for (;;) {
    rd_kafka_error_t *failed = step(sender->handle.rk, kafka_left_ms(deadline_us, 10000));
    if (!failed)
      return 0;
    if (!may_pass(sender, failed, doing, error) || kafka_now_us() >= deadline_us)
      return -1;
    nanosleep(&(struct timespec){0, PAUSE_MS * 1000000L}, NULL);
  }
}

struct sender *sender_open(const struct settings *settings, const char *id, struct wm_error *error) {
  struct sender *sender = calloc(1, sizeof *sender);
  if (!sender) {
    wm_error_memory(error);
    return NULL;
  }
  sender->transactions = settings->kafka.exactly_once;
  sender->handle = (struct kafka_handle){.name = "sender", .owner = sender};
  const struct setting_pair own[] = {{"enable.idempotence", "true"},
                                     {"message.max.bytes", "100000000"},
                                     {"queue.buffering.max.kbytes", "65536"},
                                     {"transaction.timeout.ms", "30000"},
                                     {sender->transactions ? "transactional.id" : NULL, id},
                                     {NULL, NULL}};
  const struct kafka_callbacks callbacks = {.delivered = on_delivered};
  if (kafka_handle_open(&sender->handle, RD_KAFKA_PRODUCER, settings, own, &callbacks, error) == 0 &&
      (!sender->transactions || insist(sender, rd_kafka_init_transactions, "claiming the transactional id",
                                       kafka_now_us() + CLAIM_US, error) == 0))
    return sender;
  sender_close(sender);
  return NULL;
}

void sender_close(struct sender *sender) {
  if (!sender)
    return;
  if (sender->handle.rk)
    rd_kafka_purge(sender->handle.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  kafka_handle_close(&sender->handle);
  free(sender);
}

/* --- one transaction --- */

static rd_kafka_resp_err_t hand_over(struct sender *sender, const struct wm_record *record) {
  rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
  if (!headers)
    return RD_KAFKA_RESP_ERR__FAIL;
  for (size_t i = 0; i < record->header_count; i++) {
    const struct wm_header *header = &record->headers[i];
    rd_kafka_header_add(headers, header->name.bytes, (ssize_t)header->name.size, header->value.bytes,
                        header->value.bytes ? (ssize_t)header->value.size : 0);
  }
  rd_kafka_resp_err_t code = rd_kafka_producev(
      sender->handle.rk, RD_KAFKA_V_TOPIC(record->topic.bytes), RD_KAFKA_V_PARTITION(record->partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(record->key.bytes, record->key.size),
      RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value.bytes, record->value.size),
      RD_KAFKA_V_TIMESTAMP(record->timestamp_ms > 0 ? record->timestamp_ms : 0), RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_END);
  if (code)
    rd_kafka_headers_destroy(headers);
  return code;
}

static int produce_all(struct sender *sender, const struct wm_record *records, size_t count, int64_t deadline_us,
                       struct wm_error *error) {
  for (size_t i = 0; i < count; i++) {
    rd_kafka_resp_err_t code;
    while ((code = hand_over(sender, &records[i])) == RD_KAFKA_RESP_ERR__QUEUE_FULL && kafka_now_us() < deadline_us)
      rd_kafka_poll(sender->handle.rk, 10);
    if (code)
      return kafka_fail(&sender->handle, error, records[i].topic.bytes, code, NULL);
  }
  rd_kafka_resp_err_t code = rd_kafka_flush(sender->handle.rk, kafka_left_ms(deadline_us, SEND_US / 1000));
  code = sender->refused ? sender->refused : code;
  return code ? kafka_fail(&sender->handle, error, "sending records", code, NULL) : 0;
}

/* 1: it was undone and may be tried again. */
static int try_once(struct sender *sender, const struct wm_record *records, size_t count, int64_t deadline_us,
                    struct wm_error *error) {
  sender->refused = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!sender->transactions)
    return produce_all(sender, records, count, deadline_us, error);
  if (insist(sender, begin, "beginning a transaction", deadline_us, error) < 0)
    return -1;
  if (produce_all(sender, records, count, deadline_us, error) == 0)
    return insist(sender, rd_kafka_commit_transaction, "committing the transaction", deadline_us, error);
  struct wm_error again = {0};
  rd_kafka_purge(sender->handle.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  if (insist(sender, rd_kafka_abort_transaction, "undoing the transaction", deadline_us, &again) == 0)
    return 1;
  if (again.code == WM_E_KAFKA_FENCED)
    *error = again;
  return -1;
}

int sender_send(struct sender *sender, const struct wm_record *records, size_t count, struct wm_error *error) {
  int64_t deadline_us = kafka_now_us() + SEND_US;
  int result = 1;
  for (int i = 0; i < TRIES && result == 1; i++)
    result = try_once(sender, records, count, deadline_us, error);
  return result == 0 ? 0 : -1;
}

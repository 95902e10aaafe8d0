/* At-least-once, for brokers without transactions: the batch waits in memory until commit, which writes outcomes,
 * changes, failures, dead letters and notifications, then registers, then the group's offsets; each step is
 * acknowledged before the next begins. A crash between two steps repeats what came before, and loses nothing. */
#include "worker/kafka_internal.h"

#include <stdlib.h>

void kafka_plain_clear(struct kafka *kafka) {
  wm_arena_rewind(&kafka->kept_arena);
  kafka->kept_count = 0;
}

static struct kafka_kept *next_kept(struct kafka *kafka) {
  if (kafka->kept_count == kafka->kept_capacity) {
    size_t capacity = kafka->kept_capacity ? 2 * kafka->kept_capacity : 1024;
    struct kafka_kept *larger = realloc(kafka->kept, capacity * sizeof *larger);
    if (!larger)
      return NULL;
    kafka->kept = larger;
    kafka->kept_capacity = capacity;
  }
  return &kafka->kept[kafka->kept_count];
}

static bool keep_text(struct wm_arena *arena, struct wm_text *text) {
  if (!text->bytes)
    return true;
  text->bytes = wm_arena_copy(arena, text->bytes, text->size);
  return text->bytes != NULL;
}

static bool keep_headers(struct wm_arena *arena, struct wm_out *out) {
  if (out->header_count == 0)
    return true;
  struct wm_header *headers = WM_ARENA_ARRAY(arena, struct wm_header, out->header_count);
  for (size_t i = 0; headers && i < out->header_count; i++) {
    headers[i] = out->headers[i];
    if (!keep_text(arena, &headers[i].name) || !keep_text(arena, &headers[i].value))
      return false;
  }
  out->headers = headers;
  return headers != NULL;
}

enum log_result kafka_plain_append(struct kafka *kafka, const struct wm_out *out, uint64_t token,
                                   struct wm_error *error) {
  struct wm_arena *arena = &kafka->kept_arena;
  struct kafka_kept *kept = next_kept(kafka);
  if (kept) {
    *kept = (struct kafka_kept){*out, token};
    if (keep_text(arena, &kept->out.dlq_of) && keep_text(arena, &kept->out.key) && keep_text(arena, &kept->out.value) &&
        keep_headers(arena, &kept->out)) {
      kafka->kept_count++;
      return LOG_DONE;
    }
  }
  wm_error_memory(error);
  return LOG_ABORT;
}

/* Writes the registers, or everything but them, and waits for the last acknowledgement. */
static enum log_result flush(struct kafka *kafka, bool registers, struct wm_error *error) {
  for (size_t i = 0; i < kafka->kept_count; i++) {
    const struct kafka_kept *kept = &kafka->kept[i];
    if ((kept->out.topic == WM_OUT_USERS) != registers)
      continue;
    enum log_result result = kafka_produce(kafka, &kept->out, kept->token, error);
    if (result != LOG_DONE)
      return result;
  }
  rd_kafka_t *producer = kafka->producer.rk;
  rd_kafka_resp_err_t code = rd_kafka_flush(producer, kafka_left_ms(kafka->deadline_us, KAFKA_TRANSACTION_MS));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return kafka_reported(kafka, error);
  rd_kafka_purge(producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(producer, 100); /* takes the reports of what was purged */
  kafka_fail(&kafka->producer, error, "records were not acknowledged in time", code, NULL);
  return LOG_ABORT;
}

/* By a queue of its own: the synchronous call would wait without end while the coordinator is away. */
static enum log_result commit_offsets(struct kafka *kafka, rd_kafka_topic_partition_list_t *offsets,
                                      struct wm_error *error) {
  rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->consumer.rk);
  rd_kafka_resp_err_t code = rd_kafka_commit_queue(kafka->consumer.rk, offsets, queue, NULL, NULL);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, kafka_left_ms(kafka->deadline_us, KAFKA_TRANSACTION_MS));
    code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (event)
      rd_kafka_event_destroy(event);
  }
  rd_kafka_queue_destroy(queue);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return LOG_DONE;
  kafka_fail(&kafka->consumer, error, "committing the group's offsets", code, NULL);
  return LOG_UNCERTAIN;
}

enum log_result kafka_plain_commit(struct kafka *kafka, const struct log_position *positions, size_t count,
                                   struct wm_error *error) {
  kafka->deadline_us = kafka_now_us() + KAFKA_DEADLINE_US;
  kafka_forget_reports(kafka);
  enum log_result result = flush(kafka, false, error);
  if (result != LOG_DONE)
    return result;
  result = flush(kafka, true, error);
  if (result == LOG_ABORT || kafka->written_failed)
    return LOG_UNCERTAIN; /* some registers may stand: only reading them again tells which */
  if (result != LOG_DONE)
    return result;
  rd_kafka_topic_partition_list_t *offsets = kafka_offsets(kafka, positions, count);
  if (!offsets) {
    wm_error_memory(error);
    return LOG_UNCERTAIN;
  }
  result = commit_offsets(kafka, offsets, error);
  rd_kafka_topic_partition_list_destroy(offsets);
  return result;
}

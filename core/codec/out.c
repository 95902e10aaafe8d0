#include "core/codec/out.h"

#include "core/codec/out_parts.h"
#include "core/codec/register.h"
#include "core/codec/write.h"

#define VALUE_ROOM 2000 /* most values are smaller */

static const struct wm_trace no_trace;

/* One call's work: the buffer is used for one value after the other. */
struct sending {
  const struct wm_encode *encode;
  int32_t partition;
  struct wm_text key;
  struct wm_headers plain; /* of a record that is no failure */
  struct wm_about about;   /* the event that the records are about */
  struct wm_buf buf;
  struct wm_error *error;
};

/* Sends what the buffer holds, and empties it. */
static int emit(struct sending *sending, enum wm_topic topic, const struct wm_headers *headers) {
  struct wm_out out = {
      .topic = topic,
      .partition = sending->partition,
      .timestamp_ms = -1,
      .key = sending->key,
      .headers = headers->items,
      .header_count = headers->count,
  };
  char *value =
      sending->buf.failed ? NULL : wm_arena_copy(sending->encode->arena, sending->buf.bytes, sending->buf.size);
  if (!value)
    return wm_error_memory(sending->error);
  out.value = (struct wm_text){value, sending->buf.size};
  wm_buf_clear(&sending->buf);
  return sending->encode->take(sending->encode->taker, &out, sending->error);
}

static int begin(struct sending *sending, const struct wm_trace *trace) {
  if (wm_headers_begin(NULL, 0, sending->encode->arena, &sending->plain))
    return wm_error_memory(sending->error);
  wm_headers_add_event(&sending->plain, trace);
  return 0;
}

static int send_executions(struct sending *sending, const struct wm_decision *decision) {
  for (size_t i = 0; i < decision->execution_count; i++) {
    wm_write_execution(&sending->about, &decision->executions[i], &sending->buf);
    if (emit(sending, WM_OUT_OUTCOMES, &sending->plain))
      return -1;
  }
  return 0;
}

static int send_changes(struct sending *sending, const struct wm_decision *decision) {
  for (size_t i = 0; i < decision->change_count; i++) {
    wm_write_change(&sending->about, &decision->changes[i], &sending->buf);
    if (emit(sending, WM_OUT_CHANGES, &sending->plain))
      return -1;
  }
  return 0;
}

/* The record's timestamp; of the original where a replay sent a copy. */
static int64_t original_timestamp_ms(const struct wm_record *record, const struct wm_event *event) {
  bool original = wm_text_equal(record->topic, event->origin.topic);
  return original ? record->timestamp_ms : event->now_us / 1000;
}

static int send_failure(struct sending *sending, const struct wm_record *record, const struct wm_event *event,
                        const struct wm_execution *execution, const struct wm_outcome *outcome) {
  struct wm_headers headers;
  struct wm_trouble trouble = {
      .origin = event->origin,
      .timestamp_ms = original_timestamp_ms(record, event),
      .code = outcome->code,
      .group = sending->encode->group,
      .message = outcome->message.bytes ? outcome->message : wm_text_of(wm_code_sentence(outcome->code)),
      .run = event->run,
      .automation = execution->automation ? execution->automation->name : WM_NO_TEXT,
  };
  if (wm_headers_begin(sending->plain.items, sending->plain.count, sending->encode->arena, &headers) ||
      wm_headers_add_trouble(&headers, &trouble, sending->encode->arena))
    return wm_error_memory(sending->error);
  wm_write_failure(&sending->about, execution, outcome, &sending->buf);
  return emit(sending, WM_OUT_FAILURES, &headers);
}

static int send_failures(struct sending *sending, const struct wm_record *record, const struct wm_event *event,
                         const struct wm_decision *decision) {
  for (size_t i = 0; i < decision->execution_count; i++) {
    const struct wm_execution *execution = &decision->executions[i];
    for (size_t at = 0; at < execution->count; at++)
      if (execution->outcomes[at].result == WM_RESULT_FAILED &&
          send_failure(sending, record, event, execution, &execution->outcomes[at]))
        return -1;
  }
  return 0;
}

static int send_notifications(struct sending *sending, const struct wm_decision *decision) {
  for (size_t i = 0; i < decision->notification_count; i++) {
    wm_write_notification(&sending->about, &decision->notifications[i], &sending->buf);
    if (emit(sending, WM_OUT_NOTIFICATIONS, &sending->plain))
      return -1;
  }
  return 0;
}

static int send_approval(struct sending *sending, const struct wm_event *event, const struct wm_decision *decision) {
  const struct wm_encode *encode = sending->encode;
  if (!decision->approval)
    return 0;
  sending->key = decision->approval->to;
  if (encode->home)
    sending->partition = encode->home(encode->taker, decision->approval->to);
  wm_approval_to_json(event, decision->approval, &sending->buf);
  return emit(sending, WM_OUT_REQUESTS, &sending->plain);
}

int wm_encode_decision(const struct wm_encode *encode, const struct wm_record *record, const struct wm_event *event,
                       const struct wm_decision *decision, struct wm_error *error) {
  struct sending sending = {
      .encode = encode,
      .partition = record->partition,
      .key = event->user.bytes ? event->user : event->key,
      .error = error,
  };
  int result = -1;
  wm_about_init(&sending.about, event);
  wm_write_reserve(&sending.buf, VALUE_ROOM);
  if (begin(&sending, &event->trace) == 0 && send_executions(&sending, decision) == 0 &&
      send_changes(&sending, decision) == 0 && send_failures(&sending, record, event, decision) == 0 &&
      send_notifications(&sending, decision) == 0 && send_approval(&sending, event, decision) == 0)
    result = 0;
  wm_buf_release(&sending.buf);
  wm_about_release(&sending.about);
  return result;
}

static int send_dead_letter(const struct wm_encode *encode, const struct wm_record *record,
                            const struct wm_trouble *trouble, struct wm_error *error) {
  struct wm_headers headers;
  if (wm_headers_begin(record->headers, record->header_count, encode->arena, &headers) ||
      wm_headers_add_trouble(&headers, trouble, encode->arena))
    return wm_error_memory(error);
  struct wm_out out = {
      .topic = WM_OUT_DLQ,
      .dlq_of = record->topic,
      .partition = record->partition,
      .timestamp_ms = record->timestamp_ms,
      .key = record->key,
      .value = record->value,
      .headers = headers.items,
      .header_count = headers.count,
  };
  return encode->take(encode->taker, &out, error);
}

static int send_rejection(struct sending *sending, const struct wm_record *record, const struct wm_rejection *rejection,
                          const struct wm_trouble *trouble) {
  struct wm_headers headers;
  if (begin(sending, &rejection->trace))
    return -1;
  headers = sending->plain;
  if (wm_headers_add_trouble(&headers, trouble, sending->encode->arena))
    return wm_error_memory(sending->error);
  wm_rejection_to_json(record, rejection, &sending->buf);
  return emit(sending, WM_OUT_FAILURES, &headers);
}

int wm_encode_rejection(const struct wm_encode *encode, const struct wm_record *record,
                        const struct wm_rejection *rejection, struct wm_error *error) {
  struct wm_trouble trouble = {
      .origin = {record->topic, record->partition, record->offset},
      .timestamp_ms = record->timestamp_ms,
      .code = rejection->code,
      .group = encode->group,
      .message = rejection->message,
      .run = rejection->run.bytes ? rejection->run : WM_TEXT("live"),
  };
  bool of_user = rejection->user.bytes;
  struct sending sending = {
      .encode = encode,
      .partition = of_user && encode->home ? encode->home(encode->taker, rejection->user) : record->partition,
      .key = of_user ? rejection->user : record->key,
      .error = error,
  };
  if (send_dead_letter(encode, record, &trouble, error))
    return -1;
  int result = send_rejection(&sending, record, rejection, &trouble);
  wm_buf_release(&sending.buf);
  return result;
}

int wm_encode_changes(const struct wm_encode *encode, const struct wm_user *user, const struct wm_change *changes,
                      size_t count, int64_t at_us, struct wm_text digest, struct wm_error *error) {
  struct sending sending = {.encode = encode, .partition = user->home, .key = user->id, .error = error};
  int result = begin(&sending, &no_trace);
  for (size_t i = 0; i < count && result == 0; i++) {
    wm_write_lone_change(user, &changes[i], at_us, digest, &sending.buf);
    result = emit(&sending, WM_OUT_CHANGES, &sending.plain);
  }
  wm_buf_release(&sending.buf);
  return result;
}

int wm_encode_register(const struct wm_encode *encode, const struct wm_user *user, struct wm_error *error) {
  struct sending sending = {.encode = encode, .partition = user->home, .key = user->id, .error = error};
  wm_write_reserve(&sending.buf, VALUE_ROOM);
  wm_register_encode(user, &sending.buf);
  int result = emit(&sending, WM_OUT_USERS, &sending.plain);
  wm_buf_release(&sending.buf);
  return result;
}

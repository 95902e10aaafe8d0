/* The values of what is sent: CloudEvents in structured mode (contract 9). */
#include <stdarg.h>
#include <stdio.h>

#include "core/codec/digest.h"
#include "core/codec/out_parts.h"
#include "core/codec/write.h"

struct envelope {
  const char *type;
  const char *id;
  struct wm_text subject;     /* WM_NO_TEXT: none */
  const int64_t *time_us;     /* NULL: none */
  struct wm_text traceparent; /* WM_NO_TEXT: none */
};

/* Everything before the members of "data", which is left open. */
static void open_envelope(struct wm_buf *buf, const struct envelope *envelope) {
  wm_buf_add_text(buf, WM_TEXT("{\"specversion\":\"1.0\","));
  wm_write_string(buf, WM_KEY("id"), envelope->id);
  wm_buf_add_text(buf, WM_TEXT("\"source\":\"/waymark\","));
  wm_write_string(buf, WM_KEY("type"), envelope->type);
  wm_write_text(buf, WM_KEY("subject"), envelope->subject);
  if (envelope->time_us)
    wm_write_moment(buf, WM_KEY("time"), *envelope->time_us);
  wm_buf_add_text(buf, WM_TEXT("\"datacontenttype\":\"application/json\","));
  wm_write_text(buf, WM_KEY("traceparent"), envelope->traceparent);
  wm_write_open(buf, WM_KEY("data"), '{');
}

static void close_envelope(struct wm_buf *buf) {
  wm_write_close(buf, '}');
  wm_write_close(buf, '}');
  wm_write_end(buf);
}

static void open_about(struct wm_buf *buf, const char *type, const char *id, const struct wm_event *event) {
  struct envelope envelope = {type, id, event->user, &event->time_us, event->traceparent};
  open_envelope(buf, &envelope);
  wm_write_text(buf, WM_KEY("run"), event->run);
}

static void write_automation(struct wm_buf *buf, const struct wm_automation *automation) {
  if (!automation)
    return;
  wm_write_text(buf, WM_KEY("automation"), automation->name);
  wm_write_text(buf, WM_KEY("version"), automation->version);
  wm_write_text(buf, WM_KEY("owner"), automation->owner);
}

static void write_origin(struct wm_buf *buf, const struct wm_origin *origin) {
  wm_write_open(buf, WM_KEY("origin"), '{');
  wm_write_origin(buf, origin);
  wm_write_close(buf, '}');
}

/* "event" and "origin": what caused it, and where that stands. */
static void write_cause(struct wm_buf *buf, const struct wm_event *event) {
  wm_write_open(buf, WM_KEY("event"), '{');
  wm_write_text(buf, WM_KEY("source"), event->source);
  wm_write_text(buf, WM_KEY("id"), event->id);
  wm_write_text(buf, WM_KEY("type"), event->type);
  wm_write_moment(buf, WM_KEY("time"), event->time_us);
  wm_write_close(buf, '}');
  write_origin(buf, &event->origin);
}

/* The fields of a task that say what it was to do, by the table of its type. */
static void write_fields(struct wm_buf *buf, const struct wm_task *task) {
  for (const struct wm_field *field = task->type->fields; field->name; field++) {
    const void *at = (const char *)task + field->offset;
    struct wm_text text = WM_NO_TEXT;
    switch (field->kind) {
    case WM_FIELD_ROLE:
    case WM_FIELD_CHANNEL:
      text = *(const struct wm_text *)at;
      break;
    case WM_FIELD_ACTION:
      text = *(const enum wm_action *)at == WM_ADD ? WM_TEXT("add") : WM_TEXT("remove");
      break;
    case WM_FIELD_DURATION:
    case WM_FIELD_TEXT:
    case WM_FIELD_TEMPLATE:
      break;
    }
    if (!text.bytes)
      continue;
    wm_write_name(buf, wm_text_of(field->name));
    wm_write_text(buf, WM_NO_KEY, text);
  }
}

static void write_dropped(struct wm_buf *buf, const struct wm_dropped *dropped) {
  if (dropped->count == 0)
    return;
  wm_write_open(buf, WM_KEY("dropped"), '[');
  for (size_t i = 0; i < dropped->count; i++)
    wm_write_text(buf, WM_NO_KEY, dropped->sources[i]);
  wm_write_close(buf, ']');
}

static void write_outcome(struct wm_buf *buf, struct wm_text key, const struct wm_outcome *outcome) {
  const struct wm_task *task = outcome->task;
  wm_write_open(buf, key, '{');
  wm_write_integer(buf, WM_KEY("sequence"), task->sequence);
  wm_write_text(buf, WM_KEY("name"), task->name);
  wm_write_string(buf, WM_KEY("type"), task->type->name);
  write_fields(buf, task);
  wm_write_string(buf, WM_KEY("result"), wm_result_name(outcome->result));
  if (outcome->code != WM_OK)
    wm_write_string(buf, WM_KEY("code"), wm_code_name(outcome->code));
  wm_write_text(buf, WM_KEY("message"), outcome->message);
  if (outcome->effective != WM_EFFECTIVE_NOT_TOLD)
    wm_write_boolean(buf, WM_KEY("effective"), outcome->effective == WM_EFFECTIVE_YES);
  wm_write_true(buf, WM_KEY("lockout"), outcome->lockout);
  if (wm_clock_is_set(&outcome->stands))
    wm_write_clock(buf, WM_KEY("stands"), &outcome->stands);
  write_dropped(buf, &outcome->dropped);
  wm_write_close(buf, '}');
}

static void position_id(struct wm_text run, const struct wm_origin *origin, struct wm_id *ret) {
  snprintf(ret->bytes, sizeof ret->bytes, "%.*s:%.*s/%d/%lld", WM_TEXT_ARG(run), WM_TEXT_ARG(origin->topic),
           (int)origin->partition, (long long)origin->offset);
}

/* Never longer than an id has room: names and topics have limits of their own. */
static void extend_id(struct wm_id *id, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void extend_id(struct wm_id *id, const char *format, ...) {
  size_t size = strlen(id->bytes);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(id->bytes + size, sizeof id->bytes - size, format, arguments);
  va_end(arguments);
}

void wm_execution_id(const struct wm_event *event, const struct wm_automation *automation, struct wm_id *ret) {
  position_id(event->run, &event->origin, ret);
  extend_id(ret, ":%.*s", WM_TEXT_ARG(automation ? automation->name : WM_TEXT("manual")));
}

void wm_execution_to_json(const struct wm_event *event, const struct wm_execution *execution, struct wm_buf *buf) {
  struct wm_id id;
  wm_execution_id(event, execution->automation, &id);
  open_about(buf, "dev.waymark.automation.executed.v1", id.bytes, event);
  write_automation(buf, execution->automation);
  write_cause(buf, event);
  wm_write_open(buf, WM_KEY("tasks"), '[');
  for (size_t i = 0; i < execution->count; i++)
    write_outcome(buf, WM_NO_KEY, &execution->outcomes[i]);
  wm_write_close(buf, ']');
  close_envelope(buf);
}

void wm_failure_to_json(const struct wm_event *event, const struct wm_execution *execution,
                        const struct wm_outcome *outcome, struct wm_buf *buf) {
  struct wm_id id;
  wm_execution_id(event, execution->automation, &id);
  extend_id(&id, ":%lld", (long long)outcome->task->sequence);
  open_about(buf, "dev.waymark.task.failed.v1", id.bytes, event);
  write_automation(buf, execution->automation);
  write_cause(buf, event);
  write_outcome(buf, WM_KEY("task"), outcome);
  close_envelope(buf);
}

static const char *way_of(const struct wm_change *change) {
  return change->effective ? "gained" : "lost";
}

static void write_change(struct wm_buf *buf, const struct wm_change *change) {
  wm_write_text(buf, WM_KEY("role"), change->role);
  wm_write_boolean(buf, WM_KEY("effective"), change->effective);
  wm_write_string(buf, WM_KEY("cause"), wm_cause_name(change->cause));
  if (wm_clock_is_set(&change->clock))
    wm_write_clock(buf, WM_KEY("clock"), &change->clock);
  wm_write_true(buf, WM_KEY("lockout"), change->lockout);
}

void wm_change_to_json(const struct wm_event *event, const struct wm_change *change, struct wm_buf *buf) {
  struct wm_id id;
  position_id(event->run, &event->origin, &id);
  extend_id(&id, ":%.*s:%s", WM_TEXT_ARG(change->role), way_of(change));
  open_about(buf, "dev.waymark.role.changed.v1", id.bytes, event);
  write_change(buf, change);
  write_cause(buf, event);
  close_envelope(buf);
}

void wm_lone_change_to_json(const struct wm_user *user, const struct wm_change *change, int64_t at_us,
                            struct wm_text digest, struct wm_buf *buf) {
  struct wm_id id = {""};
  bool expiry = change->cause == WM_CAUSE_EXPIRY;
  if (expiry)
    extend_id(&id, "expiry:%.*s:%.*s:%lld%s", WM_TEXT_ARG(user->id), WM_TEXT_ARG(change->role), (long long)at_us,
              change->effective ? ":gained" : "");
  else
    extend_id(&id, "%s:%.*s:%.*s:%.*s:%s", wm_cause_name(change->cause), WM_TEXT_ARG(digest), WM_TEXT_ARG(user->id),
              WM_TEXT_ARG(change->role), way_of(change));
  struct envelope envelope = {
      "dev.waymark.role.changed.v1", id.bytes, user->id, at_us != 0 ? &at_us : NULL, WM_NO_TEXT,
  };
  open_envelope(buf, &envelope);
  write_change(buf, change);
  if (!expiry)
    wm_write_text(buf, WM_KEY("catalogue"), digest);
  close_envelope(buf);
}

void wm_notification_to_json(const struct wm_event *event, const struct wm_notification *notification,
                             struct wm_buf *buf) {
  struct wm_id id;
  const struct wm_task *task = notification->task;
  wm_execution_id(event, notification->automation, &id);
  extend_id(&id, ":%lld", (long long)task->sequence);
  open_about(buf, "dev.waymark.notification.requested.v1", id.bytes, event);
  write_automation(buf, notification->automation);
  write_cause(buf, event);
  wm_write_integer(buf, WM_KEY("sequence"), task->sequence);
  wm_write_text(buf, WM_KEY("channel"), task->channel);
  wm_write_text(buf, WM_KEY("user"), event->user);
  wm_write_text(buf, WM_KEY("recipient"),
                notification->recipient.bytes ? notification->recipient : notification->address);
  wm_write_text(buf, WM_KEY("address"), notification->address);
  wm_write_text(buf, WM_KEY("title"), notification->title);
  wm_write_text(buf, WM_KEY("message"), notification->message);
  close_envelope(buf);
}

static void write_refused_event(struct wm_buf *buf, const struct wm_rejection *rejection) {
  if (!rejection->source.bytes && !rejection->id.bytes && !rejection->type.bytes)
    return;
  wm_write_open(buf, WM_KEY("event"), '{');
  wm_write_text(buf, WM_KEY("source"), rejection->source);
  wm_write_text(buf, WM_KEY("id"), rejection->id);
  wm_write_text(buf, WM_KEY("type"), rejection->type);
  wm_write_close(buf, '}');
}

void wm_rejection_to_json(const struct wm_record *record, const struct wm_rejection *rejection, struct wm_buf *buf) {
  struct wm_id id;
  char sha256[WM_DIGEST_SIZE];
  struct wm_text run = rejection->run.bytes ? rejection->run : WM_TEXT("live");
  struct wm_origin origin = {record->topic, record->partition, record->offset};
  bool stamped = record->timestamp_ms >= 0;
  int64_t time_us = record->timestamp_ms > INT64_MAX / 1000 ? INT64_MAX : record->timestamp_ms * 1000;
  position_id(run, &origin, &id);
  struct envelope envelope = {
      "dev.waymark.event.rejected.v1", id.bytes, rejection->user, stamped ? &time_us : NULL, rejection->traceparent,
  };
  wm_digest(record->value, sha256);
  open_envelope(buf, &envelope);
  wm_write_text(buf, WM_KEY("run"), run);
  wm_write_string(buf, WM_KEY("code"), wm_code_name(rejection->code));
  wm_write_text(buf, WM_KEY("reason"), rejection->reason);
  wm_write_text(buf, WM_KEY("pointer"), rejection->pointer);
  wm_write_text(buf, WM_KEY("message"), rejection->message);
  write_refused_event(buf, rejection);
  write_origin(buf, &origin);
  wm_write_integer(buf, WM_KEY("size"), (int64_t)record->value.size);
  wm_write_string(buf, WM_KEY("sha256"), sha256);
  close_envelope(buf);
}

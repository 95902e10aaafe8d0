/* The values of what is sent: CloudEvents in structured mode (contract 9). */
#include "core/codec/digest.h"
#include "core/codec/out_parts.h"
#include "core/codec/write.h"

#define OPENING WM_TEXT("{\"specversion\":\"1.0\",\"id\":\"")
#define SOURCE_AND_TYPE WM_TEXT("\",\"source\":\"/waymark\",\"type\":\"")

/* Names and topics have no character that needs an escape, so ids of events are put together as they are. */
static void add_position(struct wm_buf *buf, struct wm_text run, const struct wm_origin *origin) {
  wm_buf_add_text(buf, run);
  wm_buf_add_char(buf, ':');
  wm_buf_add_text(buf, origin->topic);
  wm_buf_add_char(buf, '/');
  wm_buf_add_integer(buf, origin->partition);
  wm_buf_add_char(buf, '/');
  wm_buf_add_integer(buf, origin->offset);
}

struct envelope {
  struct wm_text subject;       /* WM_NO_TEXT: none */
  const int64_t *time_us;       /* NULL: none */
  const struct wm_trace *trace; /* NULL: none */
};

/* From behind the type to the members of "data", which is left open. */
static void add_envelope(struct wm_buf *buf, const struct envelope *envelope) {
  wm_buf_add_text(buf, WM_TEXT("\","));
  wm_write_text(buf, WM_KEY("subject"), envelope->subject);
  if (envelope->time_us)
    wm_write_moment(buf, WM_KEY("time"), *envelope->time_us);
  wm_buf_add_text(buf, WM_TEXT("\"datacontenttype\":\"application/json\","));
  if (envelope->trace) {
    wm_write_text(buf, WM_KEY("traceparent"), envelope->trace->parent);
    wm_write_text(buf, WM_KEY("tracestate"), envelope->trace->state);
  }
  wm_write_open(buf, WM_KEY("data"), '{');
}

static void close_envelope(struct wm_buf *buf) {
  wm_write_close(buf, '}');
  wm_write_close(buf, '}');
  wm_write_end(buf);
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

void wm_about_init(struct wm_about *about, const struct wm_event *event) {
  struct wm_buf *buf = &about->buf;
  struct envelope envelope = {event->user, &event->time_us, &event->trace};
  *about = (struct wm_about){.event = event};
  wm_write_reserve(buf, 1000);
  add_position(buf, event->run, &event->origin);
  about->id_size = buf->size;
  add_envelope(buf, &envelope);
  wm_write_text(buf, WM_KEY("run"), event->run);
  about->head_size = buf->size - about->id_size;
  write_cause(buf, event);
  about->cause_size = buf->size - about->id_size - about->head_size;
}

void wm_about_release(struct wm_about *about) {
  wm_buf_release(&about->buf);
}

/* Opens a record's id; what tells it from others of the event comes next, then end_id. */
static void begin_id(struct wm_buf *buf, const struct wm_about *about) {
  buf->failed |= about->buf.failed;
  wm_buf_add_text(buf, OPENING);
  wm_buf_add(buf, about->buf.bytes, about->id_size);
}

static void end_id(struct wm_buf *buf, const struct wm_about *about, const char *type) {
  wm_buf_add_text(buf, SOURCE_AND_TYPE);
  wm_buf_add_string(buf, type);
  wm_buf_add(buf, about->buf.bytes + about->id_size, about->head_size);
}

static void add_cause(struct wm_buf *buf, const struct wm_about *about) {
  wm_buf_add(buf, about->buf.bytes + about->id_size + about->head_size, about->cause_size);
}

static void add_automation_id(struct wm_buf *buf, const struct wm_automation *automation) {
  wm_buf_add_char(buf, ':');
  wm_buf_add_text(buf, automation->name);
}

static void add_execution_id(struct wm_buf *buf, const struct wm_execution *execution) {
  if (execution->automation)
    add_automation_id(buf, execution->automation);
  else
    wm_buf_add_text(buf, execution->delegation ? WM_TEXT(":delegation") : WM_TEXT(":manual"));
}

static void add_sequence_id(struct wm_buf *buf, const struct wm_task *task) {
  wm_buf_add_char(buf, ':');
  wm_buf_add_integer(buf, task->sequence);
}

#define MOMENT_LIMIT_US INT64_C(253402300800000000) /* year 10000: what RFC 3339 can't say is never */

static const char *const action_names[] = {[WM_ADD] = "add", [WM_REMOVE] = "remove", [WM_WITHDRAW] = "withdraw"};

/* The fields of a task that say what it was to do, by the table of its type. */
static void write_fields(struct wm_buf *buf, const struct wm_task *task) {
  for (const struct wm_field *field = task->type->fields; field->name; field++) {
    const void *at = (const char *)task + field->offset;
    struct wm_text text = WM_NO_TEXT;
    switch (field->kind) {
    case WM_FIELD_ROLE:
    case WM_FIELD_USER:
    case WM_FIELD_CHANNEL:
      text = *(const struct wm_text *)at;
      break;
    case WM_FIELD_ACTION:
      text = wm_text_of(action_names[*(const enum wm_action *)at]);
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

static void write_replaced(struct wm_buf *buf, const struct wm_replaced *replaced) {
  if (!replaced)
    return;
  wm_write_open(buf, WM_KEY("replaces"), '{');
  wm_write_clock(buf, WM_KEY("clock"), &replaced->clock);
  if (replaced->until_us < MOMENT_LIMIT_US)
    wm_write_moment(buf, WM_KEY("until"), replaced->until_us);
  wm_write_text(buf, WM_KEY("by"), replaced->by);
  wm_write_close(buf, '}');
}

static void write_outcome(struct wm_buf *buf, struct wm_text key, const struct wm_outcome *outcome) {
  const struct wm_task *task = outcome->task;
  wm_write_open(buf, key, '{');
  wm_write_integer(buf, WM_KEY("sequence"), task->sequence);
  wm_write_text(buf, WM_KEY("name"), task->name);
  wm_write_string(buf, WM_KEY("type"), task->type->name);
  write_fields(buf, task);
  wm_write_text(buf, WM_KEY("source"), task->source);
  wm_write_string(buf, WM_KEY("result"), wm_result_name(outcome->result));
  if (outcome->code != WM_OK)
    wm_write_string(buf, WM_KEY("code"), wm_code_name(outcome->code));
  wm_write_text(buf, WM_KEY("message"), outcome->message);
  if (outcome->effective != WM_EFFECTIVE_NOT_TOLD)
    wm_write_boolean(buf, WM_KEY("effective"), outcome->effective == WM_EFFECTIVE_YES);
  wm_write_true(buf, WM_KEY("lockout"), outcome->lockout);
  wm_write_text(buf, WM_KEY("baseline"), outcome->baseline);
  if (wm_clock_is_set(&outcome->stands))
    wm_write_clock(buf, WM_KEY("stands"), &outcome->stands);
  write_dropped(buf, &outcome->dropped);
  write_replaced(buf, outcome->replaces);
  wm_write_close(buf, '}');
}

void wm_write_execution(const struct wm_about *about, const struct wm_execution *execution, struct wm_buf *buf) {
  begin_id(buf, about);
  add_execution_id(buf, execution);
  end_id(buf, about, "dev.waymark.automation.executed.v1");
  write_automation(buf, execution->automation);
  add_cause(buf, about);
  wm_write_open(buf, WM_KEY("tasks"), '[');
  for (size_t i = 0; i < execution->count; i++)
    write_outcome(buf, WM_NO_KEY, &execution->outcomes[i]);
  wm_write_close(buf, ']');
  close_envelope(buf);
}

void wm_execution_to_json(const struct wm_event *event, const struct wm_execution *execution, struct wm_buf *buf) {
  struct wm_about about;
  wm_about_init(&about, event);
  wm_write_execution(&about, execution, buf);
  wm_about_release(&about);
}

void wm_write_failure(const struct wm_about *about, const struct wm_execution *execution,
                      const struct wm_outcome *outcome, struct wm_buf *buf) {
  begin_id(buf, about);
  add_execution_id(buf, execution);
  add_sequence_id(buf, outcome->task);
  end_id(buf, about, "dev.waymark.task.failed.v1");
  write_automation(buf, execution->automation);
  add_cause(buf, about);
  write_outcome(buf, WM_KEY("task"), outcome);
  close_envelope(buf);
}

#define CHANGED "dev.waymark.role.changed.v1"

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

void wm_write_change(const struct wm_about *about, const struct wm_change *change, struct wm_buf *buf) {
  begin_id(buf, about);
  wm_buf_add_char(buf, ':');
  wm_buf_add_text(buf, change->role);
  wm_buf_add_char(buf, ':');
  wm_buf_add_string(buf, way_of(change));
  end_id(buf, about, CHANGED);
  write_change(buf, change);
  if (change->cause == WM_CAUSE_REQUEST) {
    wm_write_text(buf, WM_KEY("by"), about->event->request.by);
    wm_write_text(buf, WM_KEY("reason"), about->event->request.reason);
  }
  add_cause(buf, about);
  close_envelope(buf);
}

/* A user id is the one part of an id that may need escapes. */
static void add_lone_id(struct wm_buf *buf, const struct wm_user *user, const struct wm_change *change, int64_t at_us,
                        struct wm_text digest) {
  struct wm_buf id = WM_BUF_INIT;
  wm_buf_printf(&id, "%s:", wm_cause_name(change->cause));
  if (digest.size > 0)
    wm_buf_printf(&id, "%.*s:%lld:", WM_TEXT_ARG(digest), (long long)at_us);
  wm_buf_printf(&id, "%.*s:%.*s:", WM_TEXT_ARG(user->id), WM_TEXT_ARG(change->role));
  if (change->cause == WM_CAUSE_EXPIRY)
    wm_buf_printf(&id, "%lld%s", (long long)at_us, change->effective ? ":gained" : "");
  else
    wm_buf_add_string(&id, way_of(change));
  if (wm_clock_is_set(&change->clock))
    wm_buf_printf(&id, ":%.*s:%.*s", WM_TEXT_ARG(change->clock.source), WM_TEXT_ARG(change->clock.id));
  buf->failed |= id.failed;
  wm_write_text(buf, WM_KEY("id"), (struct wm_text){id.bytes, id.size});
  wm_buf_release(&id);
}

void wm_write_lone_change(const struct wm_user *user, const struct wm_change *change, int64_t at_us,
                          struct wm_text digest, struct wm_buf *buf) {
  struct envelope envelope = {user->id, at_us != 0 ? &at_us : NULL, NULL};
  wm_buf_add_text(buf, WM_TEXT("{\"specversion\":\"1.0\","));
  add_lone_id(buf, user, change, at_us, digest);
  wm_buf_add_text(buf, WM_TEXT("\"source\":\"/waymark\",\"type\":\"" CHANGED));
  add_envelope(buf, &envelope);
  write_change(buf, change);
  if (digest.size > 0)
    wm_write_text(buf, WM_KEY("catalogue"), digest);
  close_envelope(buf);
}

void wm_write_notification(const struct wm_about *about, const struct wm_notification *notification,
                           struct wm_buf *buf) {
  const struct wm_task *task = notification->task;
  begin_id(buf, about);
  add_automation_id(buf, notification->automation);
  add_sequence_id(buf, task);
  end_id(buf, about, "dev.waymark.notification.requested.v1");
  write_automation(buf, notification->automation);
  add_cause(buf, about);
  wm_write_integer(buf, WM_KEY("sequence"), task->sequence);
  wm_write_text(buf, WM_KEY("channel"), task->channel);
  wm_write_text(buf, WM_KEY("user"), about->event->user);
  wm_write_text(buf, WM_KEY("recipient"),
                notification->recipient.bytes ? notification->recipient : notification->address);
  wm_write_text(buf, WM_KEY("address"), notification->address);
  wm_write_text(buf, WM_KEY("title"), notification->title);
  wm_write_text(buf, WM_KEY("message"), notification->message);
  close_envelope(buf);
}

void wm_approval_to_json(const struct wm_event *event, const struct wm_approval *approval, struct wm_buf *buf) {
  struct envelope envelope = {approval->to, &event->time_us, &event->trace};
  wm_buf_add_text(buf, OPENING);
  add_position(buf, WM_TEXT("delegation"), &event->origin);
  wm_buf_add_text(buf, SOURCE_AND_TYPE);
  wm_buf_add_text(buf, WM_TEXT("role.assignment.requested"));
  add_envelope(buf, &envelope);
  wm_write_text(buf, WM_KEY("role"), approval->role);
  wm_write_string(buf, WM_KEY("action"), "add");
  if (approval->until_us < MOMENT_LIMIT_US)
    wm_write_moment(buf, WM_KEY("until"), approval->until_us);
  wm_write_text(buf, WM_KEY("by"), approval->by);
  wm_write_text(buf, WM_KEY("reason"), approval->reason);
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
  char sha256[WM_DIGEST_SIZE];
  struct wm_text run = rejection->run.bytes ? rejection->run : WM_TEXT("live");
  struct wm_origin origin = {record->topic, record->partition, record->offset};
  bool stamped = record->timestamp_ms >= 0;
  int64_t time_us = record->timestamp_ms > INT64_MAX / 1000 ? INT64_MAX : record->timestamp_ms * 1000;
  struct envelope envelope = {rejection->user, stamped ? &time_us : NULL, &rejection->trace};
  wm_digest(record->value, sha256);
  wm_buf_add_text(buf, OPENING);
  add_position(buf, run, &origin);
  wm_buf_add_text(buf, SOURCE_AND_TYPE);
  wm_buf_add_text(buf, WM_TEXT("dev.waymark.event.rejected.v1"));
  add_envelope(buf, &envelope);
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

/* One record goes through the steps below in the contract's order; the first that refuses it ends the way. What could
 * be read until then still names the user and the event in the rejection. */
#include "core/codec/cloudevent.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/codec/cloudevent_read.h"
#include "core/codec/json.h"
#include "core/moment.h"

#define DEPTH_LIMIT 32
#define ATTRIBUTE_LIMIT 1024
#define TIMESTAMP_LIMIT_US (INT64_MAX / 4) /* sums of two moments and a duration stay in range */

int64_t wm_timestamp_us(int64_t timestamp_ms) {
  if (timestamp_ms < 0)
    return -1;
  return timestamp_ms > TIMESTAMP_LIMIT_US / 1000 ? TIMESTAMP_LIMIT_US : timestamp_ms * 1000;
}

static int fill_rejection(struct wm_rejection *rejection, const char *reason, struct wm_text pointer,
                          const struct wm_error *message, struct wm_arena *arena) {
  if (wm_arena_text(arena, pointer, &rejection->pointer) ||
      wm_arena_text(arena, wm_text_of(message->text), &rejection->message))
    return -1;
  rejection->reason = wm_text_of(reason);
  rejection->code = message->code;
  return 0;
}

int wm_refuse(struct wm_decoding *decoding, enum wm_code code, const char *reason, struct wm_text pointer,
              const char *format, ...) {
  struct wm_error message;
  char sentence[2 * sizeof message.text]; /* longer than what fits, so that the cut is made by wm_error_set */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  wm_error_set(&message, code, "%s", sentence);
  fill_rejection(decoding->rejection, reason, pointer, &message, decoding->arena);
  return -1;
}

static int check_size(struct wm_decoding *decoding) {
  size_t size = decoding->record->value.size + decoding->header_bytes;
  size_t limit = decoding->rules->event_bytes;
  if (size <= limit)
    return 0;
  return wm_refuse(decoding, WM_E_EVENT_OVERSIZE, "oversize", WM_NO_TEXT,
                   "value and headers have %zu bytes, more than limits.event-bytes = %zu", size, limit);
}

/* The event is depth 1. In binary mode the data lies inside it; in structured mode the value is the event. */
static int check_depth(struct wm_decoding *decoding) {
  size_t depth = wm_json_depth(decoding->record->value) + (decoding->mode == WM_MODE_BINARY);
  if (depth <= DEPTH_LIMIT)
    return 0;
  return wm_refuse(decoding, WM_E_EVENT_DEPTH, "depth", WM_NO_TEXT,
                   "lists and objects are nested %zu deep, more than %d", depth, DEPTH_LIMIT);
}

static int check_version(struct wm_decoding *decoding) {
  struct wm_text pointer = WM_TEXT("/specversion");
  const struct wm_value *version = wm_value_member(&decoding->event->attributes, WM_TEXT("specversion"));
  if (!version)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "missing", pointer, "'specversion' is missing");
  if (version->type != WM_STRING)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "type", pointer, "'specversion' is not a text");
  if (!wm_text_is(version->string, "1.0"))
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "range", pointer, "'specversion' is not 1.0");
  return 0;
}

static int read_name(struct wm_decoding *decoding, const char *name, struct wm_text *ret) {
  char pointer[16];
  int size = snprintf(pointer, sizeof pointer, "/%s", name);
  struct wm_text at = {pointer, (size_t)size};
  const struct wm_value *value = wm_value_member(&decoding->event->attributes, wm_text_of(name));
  if (!value)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "missing", at, "'%s' is missing", name);
  if (value->type != WM_STRING)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "type", at, "'%s' is not a text", name);
  if (value->string.size < 1 || value->string.size > ATTRIBUTE_LIMIT)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "range", at, "'%s' has %zu bytes, not 1 to %d", name,
                     value->string.size, ATTRIBUTE_LIMIT);
  *ret = value->string;
  return 0;
}

static int read_names(struct wm_decoding *decoding) {
  struct wm_event *event = decoding->event;
  const struct wm_value *schema = wm_value_member(&event->attributes, WM_TEXT("dataschema"));
  if (read_name(decoding, "id", &event->id) || read_name(decoding, "source", &event->source) ||
      read_name(decoding, "type", &event->type))
    return -1;
  if (schema && schema->type != WM_STRING)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "type", WM_TEXT("/dataschema"), "'dataschema' is not a text");
  return 0;
}

/* The attribute stays as it was written; where it is absent, conditions see the record's time. */
static int read_time(struct wm_decoding *decoding) {
  struct wm_event *event = decoding->event;
  struct wm_value *attributes = &event->attributes;
  const struct wm_value *time = wm_value_member(attributes, WM_TEXT("time"));
  bool stamped = decoding->record_us >= 0;
  if (time && time->type != WM_STRING)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "type", WM_TEXT("/time"), "'time' is not a text");
  if (time && !wm_moment_parse(time->string, &event->time_us))
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "range", WM_TEXT("/time"), "'time' is not an RFC 3339 time");
  if (!time) {
    char text[WM_MOMENT_SIZE];
    event->time_us = stamped ? decoding->record_us : decoding->rules->fallback_time_us;
    struct wm_member *member = &attributes->object.members[attributes->object.count++];
    struct wm_text canonical = {text, wm_moment_format(event->time_us, text)};
    member->name = WM_TEXT("time");
    member->value.type = WM_STRING;
    if (wm_arena_text(decoding->arena, canonical, &member->value.string))
      return -1;
  }
  event->now_us = stamped ? decoding->record_us : event->time_us;
  return 0;
}

static int read_user(struct wm_decoding *decoding) {
  struct wm_text pointer = WM_TEXT("/subject");
  const struct wm_value *user = wm_value_member(&decoding->event->attributes, WM_TEXT("subject"));
  if (user && user->type != WM_STRING)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "type", pointer, "'subject' is not a text");
  if (!user) {
    user = wm_value_member(&decoding->data, WM_TEXT("user"));
    pointer = WM_TEXT("/data/user");
    if (!user || user->type != WM_STRING)
      return 0;
  }
  if (!wm_text_is_user_id(user->string))
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "range", pointer,
                     "the user id is not 1 to 256 bytes of text without control characters");
  decoding->event->user = user->string;
  return 0;
}

/* A reserved type that this version does not know belongs anywhere, and is ignored. */
static bool belongs(const struct wm_event *event, enum wm_topic_kind topic) {
  if (event->event_class == WM_EVENT_RESERVED)
    return true;
  switch (topic) {
  case WM_TOPIC_EVENTS:
    return event->event_class == WM_EVENT_TRIGGERING;
  case WM_TOPIC_DIRECTORY:
    return wm_text_starts_with(event->type, WM_TEXT("directory."));
  case WM_TOPIC_REQUESTS:
    return wm_text_starts_with(event->type, WM_TEXT("role."));
  case WM_TOPIC_REPLAY:
  case WM_TOPIC_ANY:
    return true;
  }
  return true;
}

static int check_topic(struct wm_decoding *decoding) {
  if (belongs(decoding->event, decoding->rules->topic))
    return 0;
  return wm_refuse(decoding, WM_E_EVENT_FORBIDDEN, "topic", WM_TEXT("/type"),
                   "an event of this type does not belong on the topic '%.*s'", WM_TEXT_ARG(decoding->record->topic));
}

static int check_future(struct wm_decoding *decoding) {
  int64_t skew = decoding->rules->clock_skew_us;
  int64_t wall = decoding->rules->wall_us;
  if (skew == 0)
    return 0;
  if (decoding->record_us >= 0 && decoding->event->time_us - decoding->record_us > skew)
    return wm_refuse(decoding, WM_E_EVENT_FUTURE, "future", WM_TEXT("/time"),
                     "'time' is more than limits.clock-skew after the record's timestamp");
  if (decoding->event->time_us - wall > skew)
    return wm_refuse(decoding, WM_E_EVENT_FUTURE, "future", WM_TEXT("/time"),
                     "'time' is more than limits.clock-skew after the worker's clock");
  if (decoding->record_us >= 0 && decoding->record_us - wall > skew)
    return wm_refuse(decoding, WM_E_EVENT_FUTURE, "future", WM_NO_TEXT,
                     "the record's timestamp is more than limits.clock-skew after the worker's clock");
  return 0;
}

/* Where the event stands, unless a replay says otherwise. */
static int read_origin(struct wm_decoding *decoding) {
  const struct wm_record *record = decoding->record;
  struct wm_event *event = decoding->event;
  event->run = WM_TEXT("live");
  event->notify = true;
  event->origin.partition = record->partition;
  event->origin.offset = record->offset;
  return wm_arena_text(decoding->arena, record->topic, &event->origin.topic) ||
                 wm_arena_text(decoding->arena, record->key, &event->key)
             ? -1
             : 0;
}

static struct wm_text attribute_text(const struct wm_decoding *decoding, struct wm_text name, size_t limit) {
  struct wm_text text = wm_value_text(wm_value_member(&decoding->event->attributes, name));
  if (!text.bytes && decoding->mode == WM_MODE_BINARY)
    text = wm_find_ce_header(decoding->record, name);
  return text.size >= 1 && text.size <= limit ? text : WM_NO_TEXT;
}

/* Without a parent that is as it has to be, its state says nothing. */
static bool take_trace(struct wm_text parent, struct wm_text state, struct wm_trace *ret) {
  if (!wm_trace_parent_is_fine(parent))
    return false;
  *ret = (struct wm_trace){parent, wm_trace_state_is_fine(state) ? state : WM_NO_TEXT};
  return true;
}

/* The attributes tell the trace in which the event began, the headers of the same names the last hop of it, and where
 * the event says nothing (CloudEvents, distributed tracing extension). Parent and state are never of two. Where neither
 * is a trace, what calls itself one is still passed on, alone. */
static int find_trace(const struct wm_decoding *decoding, struct wm_trace *ret) {
  struct wm_trace trace = {WM_NO_TEXT, WM_NO_TEXT};
  struct wm_text own = attribute_text(decoding, WM_TEXT("traceparent"), SIZE_MAX);
  struct wm_text hop = wm_header_text(decoding->traceparent);
  if (!take_trace(own, attribute_text(decoding, WM_TEXT("tracestate"), SIZE_MAX), &trace) &&
      !take_trace(hop, wm_header_text(decoding->tracestate), &trace))
    trace.parent = wm_trace_parent_can_pass(own) ? own : wm_trace_parent_can_pass(hop) ? hop : WM_NO_TEXT;
  return wm_arena_text(decoding->arena, trace.parent, &ret->parent) ||
                 wm_arena_text(decoding->arena, trace.state, &ret->state)
             ? -1
             : 0;
}

static int read_trace(struct wm_decoding *decoding) {
  return find_trace(decoding, &decoding->event->trace);
}

/* Fills what names the event in a rejection, as far as it could be read. */
static int identify(struct wm_decoding *decoding) {
  struct wm_rejection *rejection = decoding->rejection;
  struct wm_arena *arena = decoding->arena;
  struct wm_text user = attribute_text(decoding, WM_TEXT("subject"), 256);
  if (!user.bytes && !wm_value_member(&decoding->event->attributes, WM_TEXT("subject")))
    user = wm_value_text(wm_value_member(&decoding->data, WM_TEXT("user")));
  if (!wm_text_is_user_id(user))
    user = WM_NO_TEXT;
  return wm_arena_text(arena, user, &rejection->user) ||
                 wm_arena_text(arena, attribute_text(decoding, WM_TEXT("source"), ATTRIBUTE_LIMIT),
                               &rejection->source) ||
                 wm_arena_text(arena, attribute_text(decoding, WM_TEXT("id"), ATTRIBUTE_LIMIT), &rejection->id) ||
                 wm_arena_text(arena, attribute_text(decoding, WM_TEXT("type"), ATTRIBUTE_LIMIT), &rejection->type) ||
                 find_trace(decoding, &rejection->trace) || wm_arena_text(arena, wm_find_run(decoding), &rejection->run)
             ? -1
             : 0;
}

/* In the order of the contract. All of EVENT_INVALID comes before EVENT_FORBIDDEN. */
static int (*const steps[])(struct wm_decoding *decoding) = {
    read_origin, check_size, check_depth,  wm_read_record, wm_read_replay, check_version, read_names,
    read_time,   read_user,  wm_read_data, read_trace,     check_topic,    check_future,
};

int wm_event_decode(const struct wm_record *record, const struct wm_decode_rules *rules, struct wm_arena *arena,
                    enum wm_decoded *ret, struct wm_event *ret_event, struct wm_rejection *ret_rejection) {
  *ret_event = (struct wm_event){0};
  *ret_rejection = (struct wm_rejection){0};
  struct wm_decoding *decoding = WM_ARENA_NEW(arena, struct wm_decoding); /* the event borrows its data */
  if (!decoding)
    return -1;
  *decoding = (struct wm_decoding){
      .record = record,
      .rules = rules,
      .arena = arena,
      .event = ret_event,
      .rejection = ret_rejection,
      .record_us = wm_timestamp_us(record->timestamp_ms),
  };
  wm_scan_headers(decoding);
  if (!record->value.bytes && !decoding->has_id) {
    *ret = WM_DECODED_NOTHING;
    return 0;
  }
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    if (steps[i](decoding)) {
      *ret = WM_DECODED_REJECTED;
      return ret_rejection->code == WM_OK ? -1 : identify(decoding);
    }
  *ret = WM_DECODED_EVENT;
  return 0;
}

int wm_rejection_of(const struct wm_event *event, const char *reason, const struct wm_error *message,
                    struct wm_arena *arena, struct wm_rejection *ret) {
  *ret = (struct wm_rejection){
      .user = event->user,
      .source = event->source,
      .id = event->id,
      .type = event->type,
      .trace = event->trace,
      .run = wm_text_is(event->run, "live") ? WM_NO_TEXT : event->run,
  };
  return fill_rejection(ret, reason, WM_NO_TEXT, message, arena);
}

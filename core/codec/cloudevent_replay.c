/* Events that are sent again: wm-* headers say where they stood and in which run they are (contract 13). */
#include "core/codec/cloudevent_read.h"
#include "core/codec/json.h"

static const struct wm_header *find(const struct wm_record *record, const char *name) {
  for (size_t i = 0; i < record->header_count; i++)
    if (wm_text_is(record->headers[i].name, name) && record->headers[i].value.bytes)
      return &record->headers[i];
  return NULL;
}

/* With a null value too: what narrows a replay must not be overlooked. */
static const struct wm_header *find_any(const struct wm_record *record, const char *name) {
  for (size_t i = 0; i < record->header_count; i++)
    if (wm_text_is(record->headers[i].name, name))
      return &record->headers[i];
  return NULL;
}

static int refuse_header(struct wm_decoding *decoding, const char *name, const char *reason) {
  return wm_refuse(decoding, WM_E_EVENT_INVALID, reason, WM_NO_TEXT, "the header '%s' is %s", name,
                   strcmp(reason, "missing") ? "out of range" : "missing");
}

static int read_number(struct wm_decoding *decoding, const char *name, int64_t limit, int64_t *ret) {
  const struct wm_header *header = find(decoding->record, name);
  if (!header)
    return refuse_header(decoding, name, "missing");
  int64_t number = 0;
  for (size_t i = 0; i < header->value.size; i++) {
    char c = header->value.bytes[i];
    if (c < '0' || c > '9' || number > (limit - (c - '0')) / 10)
      return refuse_header(decoding, name, "range");
    number = number * 10 + (c - '0');
  }
  *ret = number;
  return header->value.size > 0 ? 0 : refuse_header(decoding, name, "range");
}

static bool is_run(struct wm_text name) {
  return wm_text_is_name(name) && !wm_text_is(name, "live");
}

struct wm_text wm_find_run(const struct wm_decoding *decoding) {
  const struct wm_header *header = find(decoding->record, "wm-run");
  return decoding->rules->topic == WM_TOPIC_REPLAY && header && is_run(header->value) ? header->value : WM_NO_TEXT;
}

static int read_run(struct wm_decoding *decoding) {
  const struct wm_header *header = find(decoding->record, "wm-run");
  if (!header)
    return refuse_header(decoding, "wm-run", "missing");
  if (!is_run(header->value))
    return refuse_header(decoding, "wm-run", "range");
  return wm_arena_text(decoding->arena, header->value, &decoding->event->run);
}

/* Kafka's own rule for topic names, roughly: they become part of ids. */
static int read_topic(struct wm_decoding *decoding) {
  const struct wm_header *header = find(decoding->record, "wm-origin-topic");
  if (!header)
    return refuse_header(decoding, "wm-origin-topic", "missing");
  struct wm_text topic = header->value;
  bool fine = topic.size >= 1 && topic.size <= 249;
  for (size_t i = 0; fine && i < topic.size; i++) {
    char c = topic.bytes[i];
    fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  }
  if (!fine)
    return refuse_header(decoding, "wm-origin-topic", "range");
  return wm_arena_text(decoding->arena, topic, &decoding->event->origin.topic);
}

static int read_notify(struct wm_decoding *decoding) {
  const struct wm_header *header = find(decoding->record, "wm-notify");
  decoding->event->notify = header && wm_text_is(header->value, "true");
  if (header && !decoding->event->notify && !wm_text_is(header->value, "false"))
    return refuse_header(decoding, "wm-notify", "range");
  return 0;
}

/* As JSON writes an integer, and no other way. */
static bool is_integer(struct wm_text text, struct wm_arena *arena, int64_t *ret) {
  struct wm_value value;
  char digits[24];
  if (!text.bytes || wm_json_parse(text, arena, &value, NULL) < 0 || value.type != WM_INTEGER)
    return false;
  snprintf(digits, sizeof digits, "%lld", (long long)value.integer);
  *ret = value.integer;
  return wm_text_is(text, digits);
}

/* A task has a sequence in its automation only. */
static int read_sequence(struct wm_decoding *decoding, const struct wm_header *header) {
  struct wm_only *only = &decoding->event->only;
  if (!only->automation.bytes)
    return refuse_header(decoding, "wm-automation", "missing");
  if (!is_integer(header->value, decoding->arena, &only->sequence))
    return refuse_header(decoding, "wm-sequence", "range");
  only->task = true;
  return 0;
}

/* Only one automation, or one task of it. */
static int read_only(struct wm_decoding *decoding) {
  const struct wm_header *automation = find_any(decoding->record, "wm-automation");
  const struct wm_header *sequence = find_any(decoding->record, "wm-sequence");
  if (automation && !wm_text_is_name(automation->value))
    return refuse_header(decoding, "wm-automation", "range");
  if (automation && wm_arena_text(decoding->arena, automation->value, &decoding->event->only.automation))
    return -1;
  return sequence ? read_sequence(decoding, sequence) : 0;
}

int wm_read_replay(struct wm_decoding *decoding) {
  struct wm_origin *origin = &decoding->event->origin;
  int64_t partition, timestamp_ms;
  if (decoding->rules->topic != WM_TOPIC_REPLAY)
    return 0;
  if (read_run(decoding) || read_topic(decoding) ||
      read_number(decoding, "wm-origin-partition", INT32_MAX, &partition) ||
      read_number(decoding, "wm-origin-offset", INT64_MAX, &origin->offset) ||
      read_number(decoding, "wm-origin-timestamp", INT64_MAX, &timestamp_ms) || read_notify(decoding) ||
      read_only(decoding))
    return -1;
  origin->partition = (int32_t)partition;
  decoding->record_us = wm_timestamp_us(timestamp_ms);
  return 0;
}

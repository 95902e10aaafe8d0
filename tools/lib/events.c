#include "tools/lib/events.h"

#include <stdlib.h>

#include "core/codec/json.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "worker/clock.h"

static int add(struct events *events, struct wm_text item, int64_t line) {
  if (events->count == events->capacity) {
    size_t capacity = events->capacity ? 2 * events->capacity : 64;
    struct wm_text *items = reallocarray(events->items, capacity, sizeof *items);
    if (items)
      events->items = items;
    int64_t *lines = reallocarray(events->lines, capacity, sizeof *lines);
    if (lines)
      events->lines = lines;
    if (!items || !lines)
      return -1;
    events->capacity = capacity;
  }
  events->items[events->count] = item;
  events->lines[events->count++] = line;
  return 0;
}

static struct wm_text trimmed(struct wm_text text) {
  while (text.size > 0 && strchr(" \t\r\n", text.bytes[0]))
    text.bytes++, text.size--;
  while (text.size > 0 && strchr(" \t\r\n", text.bytes[text.size - 1]))
    text.size--;
  return text;
}

static int add_lines(struct events *events, struct wm_text whole) {
  int64_t line = 0;
  while (whole.size > 0) {
    const char *newline = memchr(whole.bytes, '\n', whole.size);
    struct wm_text item = {whole.bytes, newline ? (size_t)(newline - whole.bytes) : whole.size};
    size_t used = item.size + (newline ? 1 : 0);
    whole = (struct wm_text){whole.bytes + used, whole.size - used};
    line++;
    if (line_is_blank(item))
      events->blank++;
    else if (add(events, trimmed(item), line) < 0)
      return -1;
  }
  return 0;
}

/* Lines, if several of them look like an object each; a single object that is not JSON is one event all the same. */
static bool looks_like_lines(const struct events *events) {
  size_t objects = 0;
  for (size_t i = 0; i < events->count; i++) {
    struct wm_text item = events->items[i];
    objects += item.size > 1 && item.bytes[0] == '{' && item.bytes[item.size - 1] == '}';
  }
  return 2 * objects >= events->count;
}

static bool is_json(struct wm_text text) {
  struct wm_arena arena;
  struct wm_value value;
  struct wm_error error;
  wm_arena_init(&arena, 0);
  bool answer = wm_json_parse(text, &arena, &value, &error) == 0;
  wm_arena_release(&arena);
  return answer;
}

int events_read(const char *path, struct events *ret) {
  *ret = (struct events){0};
  size_t size = 0;
  int exit_code = file_read(path, &ret->bytes, &size);
  if (exit_code != EXIT_FINE)
    return exit_code;
  struct wm_text whole = {ret->bytes, size};
  if (wm_text_starts_with(whole, (struct wm_text){"\xef\xbb\xbf", 3}))
    whole = (struct wm_text){whole.bytes + 3, whole.size - 3};
  if (add_lines(ret, whole) < 0)
    return say_memory();
  if (ret->count > 1 && (is_json(whole) || !looks_like_lines(ret))) {
    ret->items[0] = trimmed(whole);
    ret->count = 1;
    ret->blank = 0;
  }
  return ret->count > 0 ? EXIT_FINE : say(EXIT_USAGE, "'%s' holds no event", path);
}

void events_release(struct events *events) {
  free(events->bytes);
  free(events->items);
  free(events->lines);
  *events = (struct events){0};
}

const struct wm_header events_headers[1] = {
    {{"content-type", sizeof "content-type" - 1},
     {"application/cloudevents+json", sizeof "application/cloudevents+json" - 1}},
};
#define STRUCTURED_BYTES (sizeof "content-type" + sizeof "application/cloudevents+json" - 2)

struct wm_decode_rules events_rules(const struct settings *settings, int64_t before_us) {
  return (struct wm_decode_rules){
      .topic = WM_TOPIC_ANY,
      .event_bytes = settings->limits.event_bytes,
      .fallback_time_us = before_us,
  };
}

struct wm_decode_rules events_rules_now(const struct settings *settings) {
  struct wm_decode_rules rules = events_rules(settings, system_clock.wall_us(system_clock.self));
  rules.wall_us = rules.fallback_time_us;
  rules.clock_skew_us = settings->limits.clock_skew_us;
  return rules;
}

int events_decode(struct wm_text text, int64_t offset, const struct wm_decode_rules *rules, struct wm_arena *arena,
                  struct decoded *ret) {
  struct wm_decode_rules own = *rules;
  bool simulated = rules->wall_us == 0; /* then there is no record, and the header must not count as bytes of one */
  bool with_header = !simulated || text.size <= rules->event_bytes;
  if (simulated && with_header)
    own.event_bytes += STRUCTURED_BYTES;
  *ret = (struct decoded){0};
  ret->record = (struct wm_record){
      .topic = WM_TEXT("simulate"),
      .offset = offset,
      .timestamp_ms = simulated ? -1 : rules->wall_us / 1000,
      .value = text,
      .headers = events_headers,
      .header_count = with_header,
  };
  if (wm_event_decode(&ret->record, &own, arena, &ret->what, &ret->event, &ret->rejection) < 0)
    return -1;
  ret->event.now_us = ret->event.time_us;
  return 0;
}

static void add_member(struct wm_buf *buf, const char *name, struct wm_text text) {
  if (!text.bytes)
    return;
  wm_buf_printf(buf, ",\"%s\":", name);
  wm_buf_add_json(buf, text);
}

void events_rejection_members(const struct wm_rejection *rejection, struct wm_buf *buf) {
  wm_buf_printf(buf, "\"accepted\":false,\"code\":\"%s\"", wm_code_name(rejection->code));
  add_member(buf, "reason", rejection->reason);
  add_member(buf, "pointer", rejection->pointer);
  add_member(buf, "message", rejection->message);
}

#include "core/codec/out_parts.h"

#define ADDED_LIMIT 20 /* what wm_headers_add_event and wm_headers_add_trouble add at most */

static void add(struct wm_headers *headers, const char *name, struct wm_text value) {
  headers->items[headers->count++] = (struct wm_header){wm_text_of(name), value};
}

int wm_headers_begin(const struct wm_header *given, size_t count, struct wm_arena *arena, struct wm_headers *ret) {
  *ret = (struct wm_headers){.items = WM_ARENA_ARRAY(arena, struct wm_header, count + ADDED_LIMIT)};
  if (!ret->items)
    return -1;
  if (count > 0)
    memcpy(ret->items, given, count * sizeof *given);
  ret->count = count;
  return 0;
}

void wm_headers_add_event(struct wm_headers *headers, const struct wm_trace *trace) {
  add(headers, "content-type", WM_TEXT("application/cloudevents+json"));
  if (trace->parent.bytes)
    add(headers, "traceparent", trace->parent);
  if (trace->state.bytes)
    add(headers, "tracestate", trace->state);
}

static int add_decimal(struct wm_headers *headers, const char *name, int64_t number, struct wm_arena *arena) {
  char digits[24];
  int size = snprintf(digits, sizeof digits, "%lld", (long long)number);
  char *copy = wm_arena_copy(arena, digits, (size_t)size);
  if (!copy)
    return -1;
  add(headers, name, (struct wm_text){copy, (size_t)size});
  return 0;
}

/* Spring's way: two's complement, the highest byte first. */
static int add_big_endian(struct wm_headers *headers, const char *name, int64_t number, size_t size,
                          struct wm_arena *arena) {
  char bytes[8];
  for (size_t i = 0; i < size; i++)
    bytes[i] = (char)((uint64_t)number >> (8 * (size - 1 - i)) & 255);
  char *copy = wm_arena_copy(arena, bytes, size);
  if (!copy)
    return -1;
  add(headers, name, (struct wm_text){copy, size});
  return 0;
}

int wm_headers_add_trouble(struct wm_headers *headers, const struct wm_trouble *trouble, struct wm_arena *arena) {
  const struct wm_origin *origin = &trouble->origin;
  add(headers, "__dlq.errors.topic", origin->topic);
  if (add_decimal(headers, "__dlq.errors.partition", origin->partition, arena) ||
      add_decimal(headers, "__dlq.errors.offset", origin->offset, arena))
    return -1;
  add(headers, "__dlq.errors.group", trouble->group);
  add(headers, "__dlq.errors.message", trouble->message);
  add(headers, "kafka_dlt-original-topic", origin->topic);
  if (add_big_endian(headers, "kafka_dlt-original-partition", origin->partition, sizeof(int32_t), arena) ||
      add_big_endian(headers, "kafka_dlt-original-offset", origin->offset, sizeof(int64_t), arena) ||
      add_big_endian(headers, "kafka_dlt-original-timestamp", trouble->timestamp_ms, sizeof(int64_t), arena))
    return -1;
  add(headers, "kafka_dlt-original-consumer-group", trouble->group);
  add(headers, "kafka_dlt-exception-message", trouble->message);
  add(headers, "wm-code", wm_text_of(wm_code_name(trouble->code)));
  if (trouble->automation.bytes)
    add(headers, "wm-automation", trouble->automation);
  add(headers, "wm-run", trouble->run);
  return 0;
}

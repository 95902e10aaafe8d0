/* Any record: the decoder answers, and the answer can be written as JSON that is read back.
 * Input: a digit for the kind of topic, lines "name: value" for headers, an empty line, the value. */
#include "core/codec/json.h"
#include "core/codec/out.h"

#define HEADERS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert() is not compiled in here. */
static void expect(bool truth) {
  if (!truth)
    abort();
}

static struct wm_text take_line(struct wm_text *rest) {
  const char *end = rest->size > 0 ? memchr(rest->bytes, '\n', rest->size) : NULL;
  size_t size = end ? (size_t)(end - rest->bytes) : rest->size;
  struct wm_text line = {rest->bytes, size};
  rest->bytes += size + (end != NULL);
  rest->size -= size + (end != NULL);
  return line;
}

static size_t take_headers(struct wm_text *rest, struct wm_header *headers) {
  size_t count = 0;
  while (count < HEADERS) {
    struct wm_text line = take_line(rest);
    if (line.size == 0)
      break;
    const char *colon = memmem(line.bytes, line.size, ": ", 2);
    size_t name = colon ? (size_t)(colon - line.bytes) : line.size;
    headers[count].name = (struct wm_text){line.bytes, name};
    headers[count].value = colon ? (struct wm_text){colon + 2, line.size - name - 2} : WM_NO_TEXT;
    count++;
  }
  return count;
}

static int read_back(void *taker, const struct wm_out *out, struct wm_error *error) {
  struct wm_arena *arena = taker;
  struct wm_value value;
  int result = out->topic == WM_OUT_DLQ ? 0 : wm_json_parse(out->value, arena, &value, error);
  expect(result == 0);
  return result;
}

static void write_event(const struct wm_encode *encode, const struct wm_record *record, const struct wm_event *event) {
  struct wm_task task = {.type = &wm_change_role, .role = event->request.role};
  struct wm_outcome outcome = {.task = &task, .result = WM_RESULT_FAILED, .code = WM_E_USER_MISSING};
  struct wm_execution execution = {.outcomes = &outcome, .count = 1};
  struct wm_decision decision = {.executions = &execution, .execution_count = 1};
  struct wm_error error;
  wm_encode_decision(encode, record, event, &decision, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  struct wm_text rest = {(const char *)data + 1, size - 1};
  struct wm_header headers[HEADERS];
  struct wm_record record = {.topic = WM_TEXT("t"), .timestamp_ms = INT64_C(1795255200000), .headers = headers};
  struct wm_decode_rules rules = {
      .topic = (enum wm_topic_kind)(data[0] % 5), .event_bytes = 65536, .clock_skew_us = 1, .wall_us = INT64_MAX / 2};
  struct wm_arena arena;
  struct wm_event event;
  struct wm_rejection rejection;
  enum wm_decoded decoded;
  struct wm_error error;
  struct wm_encode encode = {.group = WM_TEXT("g"), .arena = &arena, .take = read_back, .taker = &arena};
  record.header_count = take_headers(&rest, headers);
  record.value = rest;
  wm_arena_init(&arena, 0);
  int result = wm_event_decode(&record, &rules, &arena, &decoded, &event, &rejection);
  expect(result == 0);
  if (decoded == WM_DECODED_EVENT)
    write_event(&encode, &record, &event);
  else if (decoded == WM_DECODED_REJECTED)
    wm_encode_rejection(&encode, &record, &rejection, &error);
  wm_arena_release(&arena);
  return 0;
}

/* Records to events. Most situations are data: tests/fixtures/events/README.md says how to read and add them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "core/codec/cloudevent.h"
#include "core/codec/json.h"
#include "core/codec/write.h"

#define WALL_US INT64_C(1795255300000000) /* 2026-11-21T10:01:40Z */

struct bench {
  struct wm_arena arena;
  struct wm_record record;
  struct wm_decode_rules rules;
  enum wm_decoded decoded;
  struct wm_event event;
  struct wm_rejection rejection;
};

static struct bench bench;

static void set_up(void) {
  bench = (struct bench){0};
  wm_arena_init(&bench.arena, 0);
  bench.record = (struct wm_record){
      .topic = WM_TEXT("journey.milestones"), .partition = 3, .offset = 8812, .timestamp_ms = INT64_C(1795255200000)};
  bench.rules = (struct wm_decode_rules){
      .topic = WM_TOPIC_EVENTS, .event_bytes = 524288, .clock_skew_us = 300 * INT64_C(1000000), .wall_us = WALL_US};
}

static void tear_down(void) {
  wm_arena_release(&bench.arena);
}

TestSuite(cloudevent, .init = set_up, .fini = tear_down);

static void decode(void) {
  cr_assert_eq(
      wm_event_decode(&bench.record, &bench.rules, &bench.arena, &bench.decoded, &bench.event, &bench.rejection), 0);
}

static void expect_code(enum wm_code code) {
  decode();
  cr_assert_eq(bench.decoded, WM_DECODED_REJECTED);
  cr_assert_str_eq(wm_code_name(bench.rejection.code), wm_code_name(code));
}

static struct wm_text print(const char *format, ...) __attribute__((format(printf, 1, 2)));

static struct wm_text print(const char *format, ...) {
  static char text[16384];
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  cr_assert(size >= 0 && (size_t)size < sizeof text);
  return (struct wm_text){wm_arena_copy(&bench.arena, text, (size_t)size), (size_t)size};
}

/* --- cases as data --- */

static struct wm_text read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  cr_assert(file != NULL, "%s", path);
  static char bytes[262144];
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  return (struct wm_text){wm_arena_copy(&bench.arena, bytes, size), size};
}

static const struct wm_value *get(const struct wm_value *object, const char *name) {
  return wm_value_member(object, wm_text_of(name));
}

static struct wm_text unhex(struct wm_text hex) {
  char *bytes = wm_arena_alloc(&bench.arena, hex.size / 2 + 1);
  for (size_t i = 0; i + 1 < hex.size; i += 2) {
    char pair[3] = {hex.bytes[i], hex.bytes[i + 1], '\0'};
    bytes[i / 2] = (char)strtol(pair, NULL, 16);
  }
  return (struct wm_text){bytes, hex.size / 2};
}

/* A text is taken as it is, {"hex": ...} as bytes, null as null, any other value as its JSON. */
static struct wm_text bytes_of(const struct wm_value *value) {
  if (!value || value->type == WM_NULL)
    return WM_NO_TEXT;
  if (value->type == WM_STRING)
    return value->string;
  struct wm_text hex = wm_value_text(get(value, "hex"));
  if (hex.bytes)
    return unhex(hex);
  struct wm_buf buf = WM_BUF_INIT;
  wm_value_to_json(value, &buf);
  struct wm_text text = {wm_arena_copy(&bench.arena, buf.bytes, buf.size), buf.size};
  wm_buf_release(&buf);
  return text;
}

static void take_input(const struct wm_value *input) {
  static const char *const kinds[] = {"events", "directory", "requests", "replay", "any"};
  const struct wm_value *headers = get(input, "headers");
  struct wm_text kind = wm_value_text(get(input, "topic"));
  bench.rules.topic = WM_TOPIC_EVENTS;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (wm_text_is(kind, kinds[i]))
      bench.rules.topic = (enum wm_topic_kind)i;
  bench.record.value = bytes_of(get(input, "value"));
  bench.record.key = bytes_of(get(input, "key"));
  bench.record.header_count = headers ? headers->list.count : 0;
  struct wm_header *copy = WM_ARENA_ARRAY(&bench.arena, struct wm_header, bench.record.header_count + 1);
  for (size_t i = 0; i < bench.record.header_count; i++) {
    const struct wm_value *pair = headers->list.items[i].list.items;
    copy[i] = (struct wm_header){bytes_of(&pair[0]), bytes_of(&pair[1])};
  }
  bench.record.headers = copy;
  const struct wm_value *timestamp = get(input, "timestamp");
  bench.record.timestamp_ms = timestamp ? timestamp->integer : INT64_C(1795255200000);
}

static void write_event(struct wm_buf *buf, const struct wm_event *event) {
  static const char *const classes[] = {"triggering", "updated",    "deleted",    "signed-in",
                                        "assignment", "delegation", "withdrawal", "reserved"};
  wm_write_text(buf, WM_KEY("id"), event->id);
  wm_write_text(buf, WM_KEY("source"), event->source);
  wm_write_text(buf, WM_KEY("type"), event->type);
  wm_write_text(buf, WM_KEY("user"), event->user);
  wm_write_moment(buf, WM_KEY("time"), event->time_us);
  wm_write_moment(buf, WM_KEY("now"), event->now_us);
  wm_write_string(buf, WM_KEY("class"), classes[event->event_class]);
  wm_write_text(buf, WM_KEY("run"), event->run);
  wm_write_boolean(buf, WM_KEY("notify"), event->notify);
  if (event->only.automation.bytes) {
    wm_write_open(buf, WM_KEY("only"), '{');
    wm_write_text(buf, WM_KEY("automation"), event->only.automation);
    if (event->only.task)
      wm_write_integer(buf, WM_KEY("sequence"), event->only.sequence);
    wm_write_close(buf, '}');
  }
  wm_write_text(buf, WM_KEY("traceparent"), event->trace.parent);
  wm_write_text(buf, WM_KEY("tracestate"), event->trace.state);
  wm_write_text(buf, WM_KEY("key"), event->key);
  wm_write_open(buf, WM_KEY("origin"), '{');
  wm_write_origin(buf, &event->origin);
  wm_write_close(buf, '}');
  wm_buf_add_text(buf, WM_KEY("attributes"));
  wm_value_to_json(&event->attributes, buf);
  wm_buf_add_char(buf, ',');
  if (event->data) {
    wm_buf_add_text(buf, WM_KEY("data"));
    wm_value_to_json(event->data, buf);
    wm_buf_add_char(buf, ',');
  }
  if (event->event_class != WM_EVENT_ASSIGNMENT && event->event_class != WM_EVENT_DELEGATION &&
      event->event_class != WM_EVENT_WITHDRAWAL)
    return;
  wm_write_text(buf, WM_KEY("source-of-grant"), event->request.source);
  wm_write_text(buf, WM_KEY("to"), event->request.to);
  wm_write_boolean(buf, WM_KEY("delegable"), event->request.delegable);
  wm_write_text(buf, WM_KEY("role"), event->request.role);
  wm_write_boolean(buf, WM_KEY("add"), event->request.add);
  wm_write_text(buf, WM_KEY("by"), event->request.by);
  wm_write_text(buf, WM_KEY("reason"), event->request.reason);
  if (event->request.until_us != INT64_MAX)
    wm_write_moment(buf, WM_KEY("until"), event->request.until_us);
}

static void write_rejection(struct wm_buf *buf, const struct wm_rejection *rejection) {
  wm_write_string(buf, WM_KEY("code"), wm_code_name(rejection->code));
  wm_write_text(buf, WM_KEY("reason"), rejection->reason);
  wm_write_text(buf, WM_KEY("pointer"), rejection->pointer);
  wm_write_text(buf, WM_KEY("message"), rejection->message);
  wm_write_text(buf, WM_KEY("user"), rejection->user);
  wm_write_text(buf, WM_KEY("source"), rejection->source);
  wm_write_text(buf, WM_KEY("id"), rejection->id);
  wm_write_text(buf, WM_KEY("type"), rejection->type);
  wm_write_text(buf, WM_KEY("traceparent"), rejection->trace.parent);
  wm_write_text(buf, WM_KEY("tracestate"), rejection->trace.state);
  wm_write_text(buf, WM_KEY("run"), rejection->run);
}

/* What the decoder said, as a value with the names that 'expect' uses. */
static struct wm_value answer(void) {
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_value value;
  wm_write_open(&buf, WM_NO_KEY, '{');
  wm_write_true(&buf, WM_KEY("nothing"), bench.decoded == WM_DECODED_NOTHING);
  if (bench.decoded == WM_DECODED_EVENT)
    write_event(&buf, &bench.event);
  if (bench.decoded == WM_DECODED_REJECTED)
    write_rejection(&buf, &bench.rejection);
  wm_write_close(&buf, '}');
  wm_write_end(&buf);
  struct wm_text text = {wm_arena_copy(&bench.arena, buf.bytes, buf.size), buf.size};
  wm_buf_release(&buf);
  cr_assert_eq(wm_json_parse(text, &bench.arena, &value, NULL), 0, "%s", text.bytes);
  return value;
}

static void compare(struct wm_text name, const struct wm_value *expect) {
  struct wm_value found = answer();
  for (size_t i = 0; i < expect->object.count; i++) {
    const struct wm_member *wanted = &expect->object.members[i];
    const struct wm_value *value = wm_value_member(&found, wanted->name);
    struct wm_buf left = WM_BUF_INIT, right = WM_BUF_INIT;
    if (value)
      wm_value_to_json(value, &left);
    else
      wm_buf_add_string(&left, "null");
    wm_value_to_json(&wanted->value, &right);
    cr_expect_str_eq(left.bytes, right.bytes, "'%.*s': %.*s is %s, expected %s", WM_TEXT_ARG(name),
                     WM_TEXT_ARG(wanted->name), left.bytes, right.bytes);
    wm_buf_release(&left);
    wm_buf_release(&right);
  }
}

static void run_cases(const char *file) {
  char path[512];
  struct wm_value cases;
  struct wm_error error;
  snprintf(path, sizeof path, FIXTURES "/events/%s", file);
  cr_assert_eq(wm_json_parse(read_file(path), &bench.arena, &cases, &error), 0, "%s:%u: %s", file, error.line,
               error.text);
  cr_assert_gt(cases.list.count, 0);
  for (size_t i = 0; i < cases.list.count; i++) {
    const struct wm_value *one = &cases.list.items[i];
    cr_assert(get(one, "case") && get(one, "input") && get(one, "expect") && get(one, "expect")->object.count > 0);
    take_input(get(one, "input"));
    decode();
    compare(get(one, "case")->string, get(one, "expect"));
  }
}

Test(cloudevent, structured_cases) {
  run_cases("structured.json");
}
Test(cloudevent, binary_cases) {
  run_cases("binary.json");
}
Test(cloudevent, rejected_cases) {
  run_cases("rejected.json");
}
Test(cloudevent, user_and_time_cases) {
  run_cases("user-and-time.json");
}
Test(cloudevent, topic_cases) {
  run_cases("topics.json");
}
Test(cloudevent, directory_cases) {
  run_cases("directory.json");
}
Test(cloudevent, request_cases) {
  run_cases("requests.json");
}
Test(cloudevent, replay_cases) {
  run_cases("replay.json");
}

/* --- what is too large for a file --- */

#define PLAIN "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"/s\",\"type\":\"t\",\"subject\":\"u\"%s}"

Test(cloudevent, exactly_the_limit_is_not_oversize) {
  struct wm_header header = {WM_TEXT("x"), WM_TEXT("0123456789")};
  bench.record.value = print(PLAIN, "");
  bench.record.headers = &header;
  bench.record.header_count = 1;
  bench.rules.event_bytes = bench.record.value.size + 11;
  decode();
  cr_assert_eq(bench.decoded, WM_DECODED_EVENT);
  bench.rules.event_bytes--;
  expect_code(WM_E_EVENT_OVERSIZE);
  cr_assert(wm_text_is(bench.rejection.reason, "oversize"));
}

Test(cloudevent, oversize_comes_before_everything_else) {
  bench.rules.event_bytes = 10;
  bench.record.value = WM_TEXT("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
  expect_code(WM_E_EVENT_OVERSIZE);
}

static struct wm_text nested(unsigned lists) {
  char open[64] = "", close[64] = "";
  memset(open, '[', lists);
  memset(close, ']', lists);
  return print("%s1%s", open, close);
}

Test(cloudevent, depth_counts_the_event_as_one) {
  char member[256];
  struct wm_text deep = nested(31);
  snprintf(member, sizeof member, ",\"data\":%s", deep.bytes);
  bench.record.value = print(PLAIN, member);
  decode();
  cr_assert_eq(bench.decoded, WM_DECODED_EVENT);
  deep = nested(32);
  snprintf(member, sizeof member, ",\"data\":%s", deep.bytes);
  bench.record.value = print(PLAIN, member);
  expect_code(WM_E_EVENT_DEPTH);
}

Test(cloudevent, depth_in_binary_mode_counts_the_event_too) {
  struct wm_header headers[] = {{WM_TEXT("ce_specversion"), WM_TEXT("1.0")},
                                {WM_TEXT("ce_id"), WM_TEXT("e")},
                                {WM_TEXT("ce_source"), WM_TEXT("/s")},
                                {WM_TEXT("ce_type"), WM_TEXT("t")}};
  bench.record.headers = headers;
  bench.record.header_count = 4;
  bench.record.value = nested(31);
  decode();
  cr_assert_eq(bench.decoded, WM_DECODED_EVENT);
  bench.record.value = nested(32);
  expect_code(WM_E_EVENT_DEPTH);
  cr_assert(wm_text_is(bench.rejection.id, "e"), "the headers still name the event");
}

Test(cloudevent, depth_comes_before_syntax) {
  bench.record.value = WM_TEXT("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{{{ no JSON");
  expect_code(WM_E_EVENT_DEPTH);
}

Test(cloudevent, attributes_have_1024_bytes_at_most) {
  char source[1100] = "";
  memset(source, 'x', 1024);
  bench.record.value = print("{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"%s\",\"type\":\"t\"}", source);
  decode();
  cr_assert_eq(bench.decoded, WM_DECODED_EVENT);
  source[1024] = 'x';
  bench.record.value = print("{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"%s\",\"type\":\"t\"}", source);
  expect_code(WM_E_EVENT_INVALID);
  cr_assert(wm_text_is(bench.rejection.pointer, "/source"));
}

Test(cloudevent, user_ids_have_256_bytes_at_most) {
  char user[300] = "";
  memset(user, 'x', 256);
  bench.record.value =
      print("{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"/s\",\"type\":\"t\",\"subject\":\"%s\"}", user);
  decode();
  cr_assert_eq(bench.event.user.size, 256);
  user[256] = 'x';
  bench.record.value =
      print("{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"/s\",\"type\":\"t\",\"subject\":\"%s\"}", user);
  expect_code(WM_E_EVENT_INVALID);
  cr_assert_null(bench.rejection.user.bytes);
}

Test(cloudevent, a_hundred_thousand_headers_take_no_time) {
  size_t count = 100000;
  struct wm_header *headers = WM_ARENA_ARRAY(&bench.arena, struct wm_header, count);
  for (size_t i = 0; i < count; i++)
    headers[i] = (struct wm_header){print("ce_%zx", i), WM_TEXT("")};
  headers[count - 1].name = WM_TEXT("ce_7");
  bench.record.headers = headers;
  bench.record.header_count = count;
  bench.record.value = WM_TEXT("");
  bench.rules.event_bytes = SIZE_MAX;
  expect_code(WM_E_EVENT_INVALID);
  cr_assert(wm_text_is(bench.rejection.message, "the header 'ce_7' stands twice"));
}

Test(cloudevent, a_timestamp_at_the_end_of_time_does_not_overflow) {
  bench.record.value = print(PLAIN, ",\"time\":\"0000-01-01T00:00:00Z\"");
  bench.record.timestamp_ms = INT64_MAX;
  expect_code(WM_E_EVENT_FUTURE);
  bench.rules.clock_skew_us = 0;
  decode();
  cr_assert_eq(bench.decoded, WM_DECODED_EVENT);
}

Test(cloudevent, simulate_takes_the_time_of_the_event_before) {
  bench.record.value = print(PLAIN, "");
  bench.record.timestamp_ms = -1;
  bench.rules.fallback_time_us = INT64_C(1000000);
  decode();
  cr_assert_eq(bench.event.time_us, 1000000);
  cr_assert_eq(bench.event.now_us, 1000000);
  bench.record.value = print(PLAIN, ",\"time\":\"2026-01-01T00:00:00Z\"");
  decode();
  cr_assert_eq(bench.event.now_us, bench.event.time_us);
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"

Test(cloudevent, nothing_is_borrowed_from_the_record) {
  char value[512], header[] = "00-" TRACE "-b7ad6b7169203331-01";
  snprintf(value, sizeof value, PLAIN, ",\"data\":{\"journey\":\"onboarding\"}");
  struct wm_header headers[] = {{WM_TEXT("traceparent"), {header, strlen(header)}}};
  bench.record.value = wm_text_of(value);
  bench.record.headers = headers;
  bench.record.header_count = 1;
  decode();
  memset(value, 'X', sizeof value);
  memset(header, 'X', sizeof header);
  cr_assert(wm_text_is(bench.event.user, "u"));
  cr_assert(wm_text_is(bench.event.trace.parent, "00-" TRACE "-b7ad6b7169203331-01"));
  cr_assert(wm_text_is(wm_value_text(get(bench.event.data, "journey")), "onboarding"));
}

Test(cloudevent, a_rejection_of_an_event_names_it) {
  struct wm_error message;
  bench.record.value = print(PLAIN, "");
  decode();
  wm_error_set(&message, WM_E_EVENT_MISROUTED, "on partition 3, the home is 5");
  cr_assert_eq(wm_rejection_of(&bench.event, "partition", &message, &bench.arena, &bench.rejection), 0);
  cr_assert_eq(bench.rejection.code, WM_E_EVENT_MISROUTED);
  cr_assert(wm_text_is(bench.rejection.reason, "partition"));
  cr_assert(wm_text_is(bench.rejection.user, "u"));
  cr_assert_null(bench.rejection.run.bytes);
}

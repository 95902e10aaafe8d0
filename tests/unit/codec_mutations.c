/* Tens of thousands of damaged events and registers: whatever the bytes, the decoders answer, and what they answer can
 * be written. The damage is the same in every run; with the sanitizers' build this is where they look. */
#include <criterion/criterion.h>

#include "core/codec/json_plain.h"
#include "core/codec/out.h"
#include "core/codec/register.h"

#define T WM_TEXT
#define ROUNDS 20000
#define SIZE_LIMIT 4096

static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

/* xorshift64*: the same numbers everywhere. */
static size_t dice(size_t sides) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (size_t)((state * UINT64_C(2685821657736338717)) >> 33) % sides;
}

/* What tends to hurt parsers. */
static const struct wm_text pieces[] = {
    {"\"", 1},
    {"\\", 1},
    {"\\u0000", 6},
    {"\\ud800", 6},
    {"\0", 1},
    {"\xff", 1},
    {"\xc0\x80", 2},
    {"{", 1},
    {"}", 1},
    {"[", 1},
    {"]", 1},
    {",", 1},
    {":", 1},
    {"null", 4},
    {"1e999", 5},
    {"-", 1},
    {"0", 1},
    {"true", 4},
    {"\"\":", 3},
    {"[[[[[[[[", 8},
    {"{\"a\":", 5},
    {"\xf0\x9f", 2},
    {"\xe2\x82\xac", 3},
    {"99999999999999999999", 20},
    {"\"id\":\"x\",", 9},
    {"\"subject\":null,", 15},
    {"2026-11-21T10:00:00Z", 20},
    {"\"v\":1,", 6},
};

struct sample {
  char bytes[SIZE_LIMIT];
  size_t size;
};

static void remove_bytes(struct sample *sample, size_t at, size_t count) {
  memmove(sample->bytes + at, sample->bytes + at + count, sample->size - at - count);
  sample->size -= count;
}

static void insert(struct sample *sample, size_t at, struct wm_text piece) {
  if (sample->size + piece.size > SIZE_LIMIT)
    return;
  memmove(sample->bytes + at + piece.size, sample->bytes + at, sample->size - at);
  memcpy(sample->bytes + at, piece.bytes, piece.size);
  sample->size += piece.size;
}

static void repeat(struct sample *sample, size_t at, size_t count) {
  char copy[64];
  memcpy(copy, sample->bytes + at, count);
  insert(sample, at, (struct wm_text){copy, count});
}

static void damage(struct sample *sample) {
  if (sample->size == 0)
    return;
  size_t at = dice(sample->size);
  size_t rest = sample->size - at;
  size_t count = 1 + dice(rest < 64 ? rest : 64);
  switch (dice(6)) {
  case 0:
    sample->bytes[at] = (char)dice(256);
    break;
  case 1:
    sample->bytes[at] = (char)(sample->bytes[at] ^ (1 << dice(8)));
    break;
  case 2:
    remove_bytes(sample, at, count);
    break;
  case 3:
    insert(sample, at, pieces[dice(sizeof pieces / sizeof *pieces)]);
    break;
  case 4:
    repeat(sample, at, count);
    break;
  case 5:
    sample->size = dice(8) == 0 ? at : sample->size;
    break;
  }
}

static struct sample damaged(struct wm_text valid) {
  struct sample sample = {.size = valid.size};
  cr_assert_leq(valid.size, SIZE_LIMIT);
  memcpy(sample.bytes, valid.bytes, valid.size);
  for (size_t times = 1 + dice(4); times > 0; times--)
    damage(&sample);
  return sample;
}

static const struct {
  enum wm_topic_kind topic;
  const char *value;
} events[] = {
    {WM_TOPIC_EVENTS,
     "{\"specversion\":\"1.0\",\"id\":\"evt-1\",\"source\":\"/journeys\",\"type\":\"journey.milestone.achieved\","
     "\"subject\":\"user-7\",\"time\":\"2026-11-21T10:00:00Z\",\"tenant\":\"acme\",\"data\":{\"journey\":\"on\","
     "\"score\":80.5,\"tags\":[\"a\",1,true,null],\"note\":\"gr\\u00f6\\u00dfer\"}}"},
    {WM_TOPIC_DIRECTORY,
     "{\"specversion\":\"1.0\",\"id\":\"p\",\"source\":\"/hr\",\"type\":\"directory.user.updated\",\"data\":"
     "{\"user\":\"user-7\",\"status\":\"active\",\"type\":\"partner\",\"groups\":[\"a\",\"b\"],\"org-units\":"
     "{\"d\":[\"x\",\"y\"]},\"manager-of-anyone\":false,\"attributes\":{\"tier\":\"gold\"}}}"},
    {WM_TOPIC_REQUESTS,
     "{\"specversion\":\"1.0\",\"id\":\"r\",\"source\":\"/p\",\"type\":\"role.assignment.requested\",\"subject\":"
     "\"user-7\",\"data\":{\"role\":\"r\",\"action\":\"add\",\"until\":\"2027-01-01T00:00:00Z\",\"by\":\"jane\"}}"},
};

static const struct wm_header binary_headers[] = {
    {{"ce_specversion", 14}, {"1.0", 3}},
    {{"ce_id", 5}, {"evt-1", 5}},
    {{"ce_source", 9}, {"/journeys", 9}},
    {{"ce_type", 7}, {"journey.started", 15}},
    {{"ce_subject", 10}, {"user-7", 6}},
    {{"ce_time", 7}, {"2026-11-21T10:00:00Z", 20}},
    {{"content-type", 12}, {"application/json", 16}},
    {{"wm-run", 6}, {"fix", 3}},
    {{"wm-origin-topic", 15}, {"journeys", 8}},
    {{"wm-origin-partition", 19}, {"3", 1}},
    {{"wm-origin-offset", 16}, {"8812", 4}},
    {{"wm-origin-timestamp", 19}, {"1795255200000", 13}},
    {{"wm-automation", 13}, {"a", 1}},
    {{"wm-sequence", 11}, {"20", 2}},
};
#define HEADERS (sizeof binary_headers / sizeof *binary_headers)

struct counts {
  unsigned by_answer[3];
  unsigned sent;
};

/* Whatever is sent as JSON must be JSON, for our own strict reader. */
static int read_back(void *taker, const struct wm_out *out, struct wm_error *error) {
  struct counts *counts = taker;
  struct wm_arena arena;
  struct wm_value value;
  counts->sent++;
  if (out->topic == WM_OUT_DLQ)
    return 0;
  wm_arena_init(&arena, 0);
  cr_assert_eq(wm_json_parse(out->value, &arena, &value, error), 0, "%.*s: %s", WM_TEXT_ARG(out->value), error->text);
  wm_arena_release(&arena);
  return 0;
}

static void write_answer(const struct wm_record *record, struct wm_arena *arena, enum wm_decoded decoded,
                         const struct wm_event *event, const struct wm_rejection *rejection, struct counts *counts) {
  struct wm_encode encode = {.group = T("g"), .arena = arena, .take = read_back, .taker = counts};
  struct wm_task task = {.type = &wm_change_role, .role = event->request.role.bytes ? event->request.role : T("r")};
  struct wm_outcome outcome = {.task = &task, .result = WM_RESULT_FAILED, .code = WM_E_ROLE_UNKNOWN};
  struct wm_execution execution = {.outcomes = &outcome, .count = 1};
  struct wm_decision decision = {.executions = &execution, .execution_count = 1};
  struct wm_error error;
  if (decoded == WM_DECODED_EVENT) {
    cr_assert(event->id.size > 0 && event->source.size > 0 && event->type.size > 0);
    cr_assert(!event->user.bytes || wm_text_is_user_id(event->user));
    cr_assert_eq(wm_encode_decision(&encode, record, event, &decision, &error), 0);
  } else if (decoded == WM_DECODED_REJECTED) {
    cr_assert(rejection->code >= WM_E_EVENT_OVERSIZE && rejection->code <= WM_E_EVENT_FUTURE);
    cr_assert(rejection->reason.size > 0 && rejection->message.size > 0);
    cr_assert_eq(wm_encode_rejection(&encode, record, rejection, &error), 0);
  }
}

static void decode(const struct wm_record *record, enum wm_topic_kind topic, struct wm_arena *arena,
                   struct counts *counts) {
  struct wm_decode_rules rules = {.topic = topic, .event_bytes = 3000, .clock_skew_us = 1, .wall_us = INT64_MAX / 2};
  struct wm_event event;
  struct wm_rejection rejection;
  enum wm_decoded decoded;
  cr_assert_eq(wm_event_decode(record, &rules, arena, &decoded, &event, &rejection), 0);
  counts->by_answer[decoded]++;
  write_answer(record, arena, decoded, &event, &rejection, counts);
  wm_arena_rewind(arena);
}

Test(mutations, of_structured_events) {
  struct counts counts = {0};
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  for (unsigned i = 0; i < ROUNDS; i++) {
    size_t which = dice(sizeof events / sizeof *events);
    struct sample sample = damaged(wm_text_of(events[which].value));
    struct wm_record record = {
        .topic = T("t"), .timestamp_ms = INT64_C(1795255200000), .value = {sample.bytes, sample.size}};
    decode(&record, events[which].topic, &arena, &counts);
  }
  cr_expect_gt(counts.by_answer[WM_DECODED_EVENT], ROUNDS / 50, "the damage is not too great");
  cr_expect_gt(counts.by_answer[WM_DECODED_REJECTED], ROUNDS / 2);
  cr_expect_gt(counts.sent, ROUNDS);
  wm_arena_release(&arena);
}

/* One header or the value is damaged; some are left out or doubled. */
static void decode_binary(struct wm_arena *arena, struct counts *counts) {
  struct wm_header headers[2 * HEADERS];
  struct sample value = damaged(T("{\"user\":\"user-8\",\"journey\":\"on\"}"));
  struct sample name = {0}, content = {0};
  size_t count = 0;
  for (size_t i = 0; i < HEADERS; i++)
    for (size_t times = dice(40) == 0 ? dice(3) : 1; times > 0; times--)
      headers[count++] = binary_headers[i];
  if (count > 0 && dice(2)) {
    struct wm_header *header = &headers[dice(count)];
    name = dice(4) == 0 ? damaged(header->name) : (struct sample){0};
    content = damaged(header->value);
    if (name.size > 0)
      header->name = (struct wm_text){name.bytes, name.size};
    header->value = (struct wm_text){dice(8) ? content.bytes : NULL, content.size};
    if (!header->value.bytes)
      header->value.size = 0;
  }
  struct wm_record record = {.topic = T("t"),
                             .timestamp_ms = INT64_C(1795255200000),
                             .value = dice(2) ? T("{}") : (struct wm_text){value.bytes, value.size},
                             .headers = headers,
                             .header_count = count};
  decode(&record, dice(2) ? WM_TOPIC_REPLAY : WM_TOPIC_EVENTS, arena, counts);
}

Test(mutations, of_binary_events) {
  struct counts counts = {0};
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  for (unsigned i = 0; i < ROUNDS; i++)
    decode_binary(&arena, &counts);
  cr_expect_gt(counts.by_answer[WM_DECODED_EVENT], ROUNDS / 10);
  cr_expect_gt(counts.by_answer[WM_DECODED_REJECTED], ROUNDS / 10);
  wm_arena_release(&arena);
}

#define REGISTER                                                                                                       \
  "{\"v\":1,\"user\":\"user-7\",\"home\":3,\"profile\":{\"clock\":[1,\"/hr\",\"p\",\"\",0],\"status\":\"active\","     \
  "\"org-units\":{\"d\":[\"acme\",\"emea\"]},\"groups\":[\"g\"],\"attributes\":{\"tier\":\"gold\",\"n\":1.5}},"        \
  "\"cleared\":[2,\"/hr\",\"q\",\"\",0],\"roles\":{\"b\":{\"removed\":null,\"grants\":{\"manual\":{\"clock\":"         \
  "[5,\"/p\",\"r\",\"\",0],\"until\":1800000000000000,\"taken\":[4,\"/p\",\"q\",\"\",0],\"by\":{\"by\":\"jane\","      \
  "\"topic\":\"t\",\"partition\":3,\"offset\":8812}}}},\"a\":{\"removed\":[9,\"/p\",\"q\",\"\",0],\"grants\":{}}},"    \
  "\"ran\":{\"once\":\"00000000000000010123456789abcdef\"},\"recent\":\"ffffffffffffffff0000000000000002\"}"

static void expect_sorted(const struct wm_user *user) {
  for (size_t i = 1; i < user->role_count; i++)
    cr_assert_lt(wm_text_compare(user->roles[i - 1].name, user->roles[i].name), 0);
  for (size_t i = 0; i < user->role_count; i++)
    for (size_t at = 1; at < user->roles[i].grant_count; at++)
      cr_assert_lt(wm_text_compare(user->roles[i].grants[at - 1].source, user->roles[i].grants[at].source), 0);
}

/* A register that was taken is well-formed, and written and read again it stays what it is. */
static void expect_stable(struct wm_user *user) {
  struct wm_buf first = WM_BUF_INIT, second = WM_BUF_INIT;
  struct wm_error error;
  expect_sorted(user);
  wm_register_encode(user, &first);
  struct wm_user *again = wm_register_decode((struct wm_text){first.bytes, first.size}, &error);
  cr_assert(again != NULL, "%s: %s", first.bytes, error.text);
  wm_register_encode(again, &second);
  cr_assert_str_eq(first.bytes, second.bytes);
  wm_buf_release(&first);
  wm_buf_release(&second);
  wm_user_free(again);
  wm_user_free(user);
}

Test(mutations, of_registers) {
  unsigned taken = 0, refused = 0;
  for (unsigned i = 0; i < ROUNDS; i++) {
    struct wm_error error = {0};
    struct sample sample = damaged(T(REGISTER));
    struct wm_user *user = wm_register_decode((struct wm_text){sample.bytes, sample.size}, &error);
    if (user) {
      taken++;
      expect_stable(user);
    } else {
      refused++;
      cr_assert_eq(error.code, WM_E_REGISTER_INVALID);
      cr_assert_gt(strlen(error.text), 0);
    }
  }
  cr_expect_gt(taken, ROUNDS / 20);
  cr_expect_gt(refused, ROUNDS / 2);
}

/* --- the short way through JSON against jansson --- */

static const char *const texts[] = {
    "{\"a\":[1,-2,0,-0,0.5,-0.0,123456789012345,1234567.12345678,true,false,null],\"b\":{\"c\":{},\"d\":[]}}",
    " [ \"gr\xc3\xb6\xc3\x9f\x65r\" , { \"x\" : 999999999999999999 } ,\t\"\" ] \n",
    "[1.5,22.25,0.1,0.3,3.14159265358979,99999999999999.9,1e5,-7]",
    "\"text\"",
    "-12",
};

/* True when the short way took the text. */
static bool compare_ways(struct wm_text text, struct wm_arena *arena) {
  struct wm_value plain, any;
  struct wm_buf left = WM_BUF_INIT, right = WM_BUF_INIT;
  struct wm_error error;
  bool taken = wm_json_read_plain(text, arena, &plain) == WM_PLAIN_READ;
  if (taken) {
    cr_assert_eq(wm_json_read_any(text, arena, &any, NULL, &error), 0, "%.*s: %s", WM_TEXT_ARG(text), error.text);
    wm_value_to_json(&plain, &left);
    wm_value_to_json(&any, &right);
    cr_assert_str_eq(left.bytes, right.bytes, "%.*s", WM_TEXT_ARG(text));
  }
  wm_buf_release(&left);
  wm_buf_release(&right);
  wm_arena_rewind(arena);
  return taken;
}

Test(mutations, both_ways_through_json_agree) {
  unsigned taken = 0;
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    cr_expect_eq(compare_ways(wm_text_of(texts[i]), &arena), strstr(texts[i], "1e5") == NULL, "%s", texts[i]);
  for (unsigned i = 0; i < 2 * ROUNDS; i++) {
    size_t which = dice(sizeof texts / sizeof *texts + 1);
    struct sample sample = damaged(which < sizeof texts / sizeof *texts ? wm_text_of(texts[which]) : T(REGISTER));
    taken += compare_ways((struct wm_text){sample.bytes, sample.size}, &arena);
  }
  cr_expect_gt(taken, ROUNDS / 10);
  wm_arena_release(&arena);
}

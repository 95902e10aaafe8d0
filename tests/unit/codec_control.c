#include <criterion/criterion.h>

#include "core/codec/control.h"
#include "core/codec/json.h"

static struct wm_arena arena;
static struct wm_running_word word;
static struct wm_error error;
static enum wm_control what;

static void set_up(void) {
  wm_arena_init(&arena, 0);
}
static void tear_down(void) {
  wm_arena_release(&arena);
}
TestSuite(control, .init = set_up, .fini = tear_down);

static const struct wm_header content_type = {
    {"content-type", sizeof "content-type" - 1},
    {"application/cloudevents+json", sizeof "application/cloudevents+json" - 1}};

/* 'value' NULL: a null value. */
static int decode(struct wm_text key, const char *value) {
  struct wm_record record = {.topic = WM_TEXT("waymark.control"),
                             .offset = 41,
                             .timestamp_ms = 5000,
                             .key = key,
                             .value = wm_text_of(value),
                             .headers = &content_type,
                             .header_count = value ? 1 : 0};
  error = (struct wm_error){0};
  return wm_control_decode(&record, &arena, &what, &word, &error);
}

static struct wm_running_word said(enum wm_running_kind kind, enum wm_running_state state) {
  return (struct wm_running_word){.kind = kind,
                                  .name = WM_TEXT("new-partner"),
                                  .state = state,
                                  .by = WM_TEXT("jane@acme.example"),
                                  .reason = WM_TEXT("too many \"welcome\" mails"),
                                  .time_us = 1795255200000000};
}

Test(control, every_word_comes_back_as_it_was_said) {
  for (int kind = 0; kind < WM_RUNNING_KINDS; kind++)
    for (int state = WM_RUNNING_ON; state <= WM_RUNNING_OFF; state++) {
      struct wm_running_word sent = said((enum wm_running_kind)kind, (enum wm_running_state)state);
      struct wm_buf key = WM_BUF_INIT, value = WM_BUF_INIT;
      wm_control_key(&sent, &key);
      wm_control_value(&sent, WM_TEXT("id-1"), &value);
      cr_assert_eq(decode((struct wm_text){key.bytes, key.size}, value.bytes), 0, "%s: %s", value.bytes, error.text);
      cr_expect_eq(what, WM_CONTROL_WORD);
      cr_expect_eq(word.kind, sent.kind);
      cr_expect_eq(word.state, sent.state);
      cr_expect_eq(word.time_us, sent.time_us);
      cr_expect(wm_text_equal(word.name, sent.name) && wm_text_equal(word.by, sent.by) &&
                wm_text_equal(word.reason, sent.reason));
      wm_buf_release(&key);
      wm_buf_release(&value);
    }
}

Test(control, what_is_sent_is_as_the_schema_shows_it) {
  struct wm_running_word sent = said(WM_RUNNING_AUTOMATION, WM_RUNNING_OFF);
  struct wm_buf value = WM_BUF_INIT;
  wm_control_value(&sent, WM_TEXT("id-1"), &value);
  cr_expect_str_eq(value.bytes,
                   "{\"specversion\":\"1.0\",\"id\":\"id-1\",\"source\":\"/waymark\","
                   "\"type\":\"dev.waymark.automation.switched.v1\",\"subject\":\"automation/new-partner\","
                   "\"time\":\"2026-11-21T10:00:00Z\",\"datacontenttype\":\"application/json\","
                   "\"data\":{\"automation\":\"new-partner\",\"state\":\"off\",\"by\":\"jane@acme.example\","
                   "\"reason\":\"too many \\\"welcome\\\" mails\"}}");
  wm_buf_clear(&value);
  sent = (struct wm_running_word){.kind = WM_RUNNING_ROLE, .name = WM_TEXT("r"), .state = WM_RUNNING_ON};
  wm_control_value(&sent, WM_TEXT("id-2"), &value);
  cr_expect_str_eq(value.bytes, "{\"specversion\":\"1.0\",\"id\":\"id-2\",\"source\":\"/waymark\","
                                "\"type\":\"dev.waymark.role.archived.v1\",\"subject\":\"role/r\","
                                "\"time\":\"1970-01-01T00:00:00Z\",\"datacontenttype\":\"application/json\","
                                "\"data\":{\"role\":\"r\",\"archived\":false}}");
  wm_buf_release(&value);
}

Test(control, a_null_value_forgets) {
  cr_assert_eq(decode(WM_TEXT("role/new-partner"), NULL), 0);
  cr_expect_eq(what, WM_CONTROL_WORD);
  cr_expect_eq(word.state, WM_RUNNING_AS_WRITTEN);
  cr_expect_eq(word.kind, WM_RUNNING_ROLE);
  cr_expect(wm_text_is(word.name, "new-partner"));
  cr_expect_eq(word.time_us, 5000000);
}

Test(control, the_number_of_partitions_is_something_else) {
  cr_assert_eq(decode(WM_TEXT("partitions"), "{\"partitions\":8}"), 0);
  cr_expect_eq(what, WM_CONTROL_OTHER);
}

Test(control, replays_are_something_else) {
  cr_assert_eq(decode(WM_TEXT("replay/last-tuesday"), "{"), 0);
  cr_expect_eq(what, WM_CONTROL_OTHER);
  cr_assert_eq(decode(WM_TEXT("replay-ask/last-tuesday"), NULL), 0);
  cr_expect_eq(what, WM_CONTROL_OTHER);
}

#define HEAD "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/waymark\","
#define SWITCHED HEAD "\"type\":\"dev.waymark.automation.switched.v1\",\"subject\":\"automation/a\","
#define ARCHIVED HEAD "\"type\":\"dev.waymark.role.archived.v1\",\"subject\":\"role/a\","

Test(control, bad_records_are_refused_with_their_place) {
  static const struct {
    const char *key, *value, *says;
  } cases[] = {
      {"", NULL, "keys are"},
      {"consent/x", "{}", "keys are"},
      {"automation/", NULL, "no name"},
      {"automation/Bad Name", NULL, "no name"},
      {"role/\xff\xfe", NULL, "no name"},
      {"automation/a", "", "line 1"},
      {"automation/a", "nonsense", "line 1"},
      {"automation/a", "[]", "not a JSON object"},
      {"automation/a", "{}", "specversion"},
      {"automation/a", SWITCHED "\"data\":{}}", "/data/automation"},
      {"automation/a", SWITCHED "\"data\":7}", "/data"},
      {"automation/a", SWITCHED "\"time\":\"now\"}", "time"},
      {"automation/a", SWITCHED "\"data\":{\"automation\":\"a\"}}", "/data/state"},
      {"automation/a", SWITCHED "\"data\":{\"automation\":\"a\",\"state\":\"maybe\"}}", "/data/state"},
      {"automation/a", SWITCHED "\"data\":{\"automation\":\"a\",\"state\":true}}", "/data/state"},
      {"automation/a", SWITCHED "\"data\":{\"automation\":\"b\",\"state\":\"on\"}}", "/data/automation"},
      {"automation/a", SWITCHED "\"data\":{\"automation\":\"a\",\"state\":\"on\",\"by\":5}}", "/data/by"},
      {"automation/b", SWITCHED "\"data\":{\"automation\":\"b\",\"state\":\"on\"}}", "/subject"},
      {"automation/a", ARCHIVED "\"data\":{\"role\":\"a\",\"archived\":true}}", "type has to be"},
      {"role/a", ARCHIVED "\"data\":{\"role\":\"a\",\"archived\":\"true\"}}", "/data/archived"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_expect_eq(decode(wm_text_of(cases[i].key), cases[i].value), -1, "taken: %s %s", cases[i].key, cases[i].value);
    cr_expect_eq(error.code, WM_E_CONTROL_INVALID);
    cr_expect_str_eq(error.source, "waymark.control");
    cr_expect_not_null(strstr(error.text, "offset 41"), "%s", error.text);
    cr_expect_not_null(strstr(error.text, cases[i].says), "'%s' does not say '%s'", error.text, cases[i].says);
  }
}

/* A flood of text does not get in: neither as a reason nor around it. */
Test(control, long_records_are_refused) {
  static char value[2 * WM_CONTROL_BYTES_LIMIT], reason[WM_CONTROL_REASON_LIMIT + 2];
  memset(reason, 'x', sizeof reason - 1);
  snprintf(value, sizeof value, SWITCHED "\"data\":{\"automation\":\"a\",\"state\":\"on\",\"reason\":\"%s\"}}", reason);
  cr_expect_eq(decode(WM_TEXT("automation/a"), value), -1);
  reason[WM_CONTROL_REASON_LIMIT] = '\0';
  snprintf(value, sizeof value, SWITCHED "\"data\":{\"automation\":\"a\",\"state\":\"on\",\"reason\":\"%s\"}}", reason);
  cr_expect_eq(decode(WM_TEXT("automation/a"), value), 0);
  memset(value, ' ', sizeof value - 1);
  cr_expect_eq(decode(WM_TEXT("automation/a"), value), -1);
}

/* Every prefix and every flipped byte of a good record is either refused or says something about the same name. */
Test(control, no_mutation_is_taken_for_another_name) {
  static const char good[] = ARCHIVED "\"data\":{\"role\":\"a\",\"archived\":true,\"reason\":\"x\"}}";
  char value[sizeof good];
  for (size_t size = 0; size < sizeof good - 1; size++) {
    snprintf(value, sizeof value, "%.*s", (int)size, good);
    cr_expect_eq(decode(WM_TEXT("role/a"), value), -1, "%s", value);
  }
  for (size_t at = 0; at < sizeof good - 1; at++)
    for (int bit = 0; bit < 7; bit++) {
      memcpy(value, good, sizeof good);
      value[at] = (char)(value[at] ^ 1 << bit);
      wm_arena_rewind(&arena);
      if (value[at] && decode(WM_TEXT("role/a"), value) == 0)
        cr_expect(wm_text_is(word.name, "a"));
    }
}

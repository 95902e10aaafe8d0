/* Decisions to records: what contract 9 shows, to the letter. */
#include <criterion/criterion.h>

#include "core/codec/digest.h"
#include "core/codec/json.h"
#include "core/codec/out.h"

#define T WM_TEXT
#define EVENT_US INT64_C(1795255200000000) /* 2026-11-21T10:00:00Z */
#define ABOUT                                                                                                          \
  "\"event\":{\"source\":\"/journeys\",\"id\":\"evt-1\",\"type\":\"journey.milestone.achieved\","                      \
  "\"time\":\"2026-11-21T10:00:00Z\"},\"origin\":{\"topic\":\"journey.milestones\",\"partition\":3,\"offset\":8812}"
#define ENVELOPE(id, type)                                                                                             \
  "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/waymark\",\"type\":\"" type "\",\"subject\":\"user-7\","   \
  "\"time\":\"2026-11-21T10:00:00Z\",\"datacontenttype\":\"application/json\",\"data\":{\"run\":\"live\","
#define BY "\"automation\":\"certified-partner\",\"version\":\"3f9c2a417b60\",\"owner\":\"jane@acme.example\","
#define EXECUTION "live:journey.milestones/3/8812:certified-partner"

#define TAKEN 16

static struct wm_arena arena;
static struct wm_out taken[TAKEN];
static size_t taken_count, stop_at;

static int take(void *taker, const struct wm_out *out, struct wm_error *error) {
  cr_assert_eq(taker, taken);
  cr_assert_lt(taken_count, TAKEN);
  if (taken_count == stop_at)
    return wm_error_set(error, WM_E_KAFKA_FAILED, "stop");
  taken[taken_count++] = *out;
  return 0;
}

static struct wm_task grant = {.type = &wm_change_role,
                               .name = {"Grant the certified role", 24},
                               .sequence = 10,
                               .role = {"certified-partner", 17},
                               .action = WM_ADD};
static struct wm_task tell = {
    .type = &wm_notify, .name = {"Tell the partner", 16}, .sequence = 20, .channel = {"partner-mail", 12}};
static struct wm_automation automation = {
    .name = {"certified-partner", 17}, .version = {"3f9c2a417b60", 12}, .owner = {"jane@acme.example", 17}};

static struct wm_encode encode;
static struct wm_record record;
static struct wm_event event;
static struct wm_outcome outcomes[2];
static struct wm_execution execution;
static struct wm_decision decision;

static void set_up(void) {
  wm_arena_init(&arena, 0);
  stop_at = SIZE_MAX;
  encode = (struct wm_encode){.group = T("waymark"), .arena = &arena, .take = take, .taker = taken};
  record = (struct wm_record){.topic = T("journey.milestones"),
                              .partition = 3,
                              .offset = 8812,
                              .timestamp_ms = INT64_C(1795255201000),
                              .key = T("the key"),
                              .value = T("{}")};
  event = (struct wm_event){.source = T("/journeys"),
                            .id = T("evt-1"),
                            .type = T("journey.milestone.achieved"),
                            .user = T("user-7"),
                            .time_us = EVENT_US,
                            .now_us = EVENT_US + 1000000,
                            .origin = {T("journey.milestones"), 3, 8812},
                            .run = T("live"),
                            .key = T("the key")};
  outcomes[0] = (struct wm_outcome){.task = &grant, .result = WM_RESULT_CHANGED, .effective = WM_EFFECTIVE_YES};
  outcomes[1] = (struct wm_outcome){
      .task = &tell, .result = WM_RESULT_FAILED, .code = WM_E_TEMPLATE_FAILED, .message = T("'user.name' is absent")};
  execution = (struct wm_execution){.automation = &automation, .outcomes = outcomes, .count = 2};
  decision = (struct wm_decision){.fate = WM_FATE_DECIDED, .executions = &execution, .execution_count = 1};
}

static void tear_down(void) {
  wm_arena_release(&arena);
}

TestSuite(out, .init = set_up, .fini = tear_down);

static void encode_decision(void) {
  struct wm_error error;
  cr_assert_eq(wm_encode_decision(&encode, &record, &event, &decision, &error), 0);
}

static struct wm_text header(const struct wm_out *out, const char *name) {
  for (size_t i = 0; i < out->header_count; i++)
    if (wm_text_is(out->headers[i].name, name))
      return out->headers[i].value;
  return WM_NO_TEXT;
}

static void expect_header(const struct wm_out *out, const char *name, const char *value) {
  struct wm_text found = header(out, name);
  cr_expect(wm_text_is(found, value), "%s is '%.*s'", name, WM_TEXT_ARG(found));
}

static void expect_bytes(const struct wm_out *out, const char *name, const char *bytes, size_t size) {
  struct wm_text found = header(out, name);
  cr_assert_eq(found.size, size, "%s has %zu bytes", name, found.size);
  cr_expect_eq(memcmp(found.bytes, bytes, size), 0, "%s", name);
}

static void expect_value(const struct wm_out *out, const char *json) {
  struct wm_value value;
  struct wm_error error;
  cr_assert_str_eq(out->value.bytes, json);
  cr_assert_eq(out->value.size, strlen(json));
  cr_assert_eq(wm_json_parse(out->value, &arena, &value, &error), 0, "%s", error.text);
}

Test(out, an_outcome_is_what_the_contract_shows) {
  encode_decision();
  cr_assert_eq(taken[0].topic, WM_OUT_OUTCOMES);
  cr_assert_eq(taken[0].partition, 3);
  cr_assert_eq(taken[0].timestamp_ms, -1);
  cr_assert(wm_text_is(taken[0].key, "user-7"));
  cr_assert_eq(taken[0].header_count, 1);
  expect_header(&taken[0], "content-type", "application/cloudevents+json");
  expect_value(&taken[0], ENVELOPE(EXECUTION, "dev.waymark.automation.executed.v1") BY ABOUT
               ",\"tasks\":[{\"sequence\":10,\"name\":\"Grant the certified role\",\"type\":\"change-role\","
               "\"role\":\"certified-partner\",\"action\":\"add\",\"result\":\"changed\",\"effective\":true},"
               "{\"sequence\":20,\"name\":\"Tell the partner\",\"type\":\"notify\",\"channel\":\"partner-mail\","
               "\"result\":\"failed\",\"code\":\"TEMPLATE_FAILED\",\"message\":\"'user.name' is absent\"}]}}");
}

Test(out, simulate_gets_the_same_value) {
  struct wm_buf buf = WM_BUF_INIT;
  encode_decision();
  wm_execution_to_json(&event, &execution, &buf);
  cr_assert_str_eq(buf.bytes, taken[0].value.bytes);
  wm_buf_release(&buf);
}

Test(out, a_failed_task_is_a_failure_too) {
  encode_decision();
  cr_assert_eq(taken_count, 2);
  cr_assert_eq(taken[1].topic, WM_OUT_FAILURES);
  cr_assert(wm_text_is(taken[1].key, "user-7"));
  expect_value(&taken[1], ENVELOPE(EXECUTION ":20", "dev.waymark.task.failed.v1") BY ABOUT
               ",\"task\":{\"sequence\":20,\"name\":\"Tell the partner\",\"type\":\"notify\","
               "\"channel\":\"partner-mail\",\"result\":\"failed\",\"code\":\"TEMPLATE_FAILED\","
               "\"message\":\"'user.name' is absent\"}}}");
}

Test(out, a_failure_has_all_headers) {
  encode_decision();
  const struct wm_out *out = &taken[1];
  expect_header(out, "content-type", "application/cloudevents+json");
  expect_header(out, "__dlq.errors.topic", "journey.milestones");
  expect_header(out, "__dlq.errors.partition", "3");
  expect_header(out, "__dlq.errors.offset", "8812");
  expect_header(out, "__dlq.errors.group", "waymark");
  expect_header(out, "__dlq.errors.message", "'user.name' is absent");
  expect_header(out, "kafka_dlt-original-topic", "journey.milestones");
  expect_bytes(out, "kafka_dlt-original-partition", "\0\0\0\3", 4);
  expect_bytes(out, "kafka_dlt-original-offset", "\0\0\0\0\0\0\x22\x6c", 8);
  expect_bytes(out, "kafka_dlt-original-timestamp", "\0\0\1\xa1\xfd\x8c\x6c\xe8", 8);
  expect_header(out, "kafka_dlt-original-consumer-group", "waymark");
  expect_header(out, "kafka_dlt-exception-message", "'user.name' is absent");
  expect_header(out, "wm-code", "TEMPLATE_FAILED");
  expect_header(out, "wm-automation", "certified-partner");
  expect_header(out, "wm-run", "live");
  for (size_t i = 0; i < out->header_count; i++)
    cr_expect_eq(out->headers[i].name.bytes[out->headers[i].name.size], '\0', "a name ends with NUL");
}

Test(out, without_a_user_the_records_key_stands_in) {
  event.user = WM_NO_TEXT;
  outcomes[0].result = WM_RESULT_FAILED;
  outcomes[0].code = WM_E_USER_MISSING;
  outcomes[0].message = T("the event names no user");
  outcomes[0].effective = WM_EFFECTIVE_NOT_TOLD;
  encode_decision();
  cr_assert_eq(taken_count, 3);
  for (size_t i = 0; i < taken_count; i++) {
    cr_assert(wm_text_is(taken[i].key, "the key"));
    cr_assert_null(strstr(taken[i].value.bytes, "subject"));
    cr_assert_null(strstr(taken[i].value.bytes, "effective"));
  }
}

Test(out, without_user_and_key_there_is_no_key) {
  event.user = event.key = WM_NO_TEXT;
  encode_decision();
  cr_assert_null(taken[0].key.bytes);
}

Test(out, a_removal_tells_what_it_did) {
  struct wm_text sources[] = {T("automation/a"), T("manual")};
  struct wm_task remove = grant;
  struct wm_buf buf = WM_BUF_INIT;
  remove.action = WM_REMOVE;
  outcomes[0] = (struct wm_outcome){.task = &remove,
                                    .result = WM_RESULT_CHANGED,
                                    .effective = WM_EFFECTIVE_NO,
                                    .lockout = true,
                                    .dropped = {sources, 2}};
  outcomes[1] = (struct wm_outcome){.task = &remove,
                                    .result = WM_RESULT_SUPERSEDED,
                                    .effective = WM_EFFECTIVE_YES,
                                    .stands = {EVENT_US + 1, T("/p"), T("r"), T(""), 0}};
  wm_execution_to_json(&event, &execution, &buf);
  cr_assert(strstr(buf.bytes, "\"action\":\"remove\",\"result\":\"changed\",\"effective\":false,\"lockout\":true,"
                              "\"dropped\":[\"automation/a\",\"manual\"]}"),
            "%s", buf.bytes);
  cr_assert(strstr(buf.bytes, "\"result\":\"superseded\",\"effective\":true,"
                              "\"stands\":[1795255200000001,\"/p\",\"r\",\"\",0]}"),
            "%s", buf.bytes);
  wm_buf_release(&buf);
}

Test(out, a_manual_request_has_no_automation) {
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_task task = grant;
  task.name = WM_NO_TEXT;
  task.sequence = 0;
  outcomes[0].task = &task;
  execution = (struct wm_execution){.outcomes = outcomes, .count = 1};
  wm_execution_to_json(&event, &execution, &buf);
  cr_assert_str_eq(buf.bytes,
                   ENVELOPE("live:journey.milestones/3/8812:manual", "dev.waymark.automation.executed.v1") ABOUT
                   ",\"tasks\":[{\"sequence\":0,\"type\":\"change-role\",\"role\":\"certified-partner\","
                   "\"action\":\"add\",\"result\":\"changed\",\"effective\":true}]}}");
  wm_buf_release(&buf);
}

Test(out, all_text_is_escaped) {
  struct wm_value value;
  struct wm_error error;
  event.user = T("a\"b\\ä😀");
  event.source = T("\n\x01/");
  outcomes[1].message = T("\"quoted\"");
  automation.owner = T("\\");
  encode_decision();
  for (size_t i = 0; i < taken_count; i++) {
    cr_assert_eq(wm_json_parse(taken[i].value, &arena, &value, &error), 0, "%s: %s", taken[i].value.bytes, error.text);
    const struct wm_value *data = wm_value_member(&value, T("data"));
    cr_assert(wm_text_equal(wm_value_text(wm_value_member(&value, T("subject"))), event.user));
    cr_assert(
        wm_text_equal(wm_value_text(wm_value_member(wm_value_member(data, T("event")), T("source"))), event.source));
    cr_assert(wm_text_is(wm_value_text(wm_value_member(data, T("owner"))), "\\"));
  }
}

Test(out, a_replay_carries_its_run_and_the_original) {
  record.topic = T("waymark.replay");
  record.offset = 5;
  event.run = T("fix");
  encode_decision();
  cr_assert(strstr(taken[0].value.bytes, "\"id\":\"fix:journey.milestones/3/8812:certified-partner\""));
  cr_assert(strstr(taken[0].value.bytes, "\"run\":\"fix\""));
  expect_header(&taken[1], "__dlq.errors.topic", "journey.milestones");
  expect_header(&taken[1], "wm-run", "fix");
  expect_bytes(&taken[1], "kafka_dlt-original-timestamp", "\0\0\1\xa1\xfd\x8c\x6c\xe8", 8);
}

Test(out, the_trace_is_passed_on) {
  event.trace = (struct wm_trace){T("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), T("acme=1")};
  encode_decision();
  for (size_t i = 0; i < taken_count; i++) {
    expect_header(&taken[i], "traceparent", event.trace.parent.bytes);
    expect_header(&taken[i], "tracestate", "acme=1");
    cr_assert(strstr(taken[i].value.bytes, "\"traceparent\":\"00-4bf9"));
    cr_assert(strstr(taken[i].value.bytes, "\"tracestate\":\"acme=1\""));
  }
}

Test(out, changes_and_notifications_follow_the_outcomes) {
  struct wm_change changes[] = {
      {.role = T("certified-partner"),
       .effective = true,
       .cause = WM_CAUSE_TASK,
       .clock = {EVENT_US, T("/journeys"), T("evt-1"), T("certified-partner"), 10}},
      {.role = T("new-partner"),
       .cause = WM_CAUSE_TASK,
       .lockout = true,
       .clock = {EVENT_US, T("/journeys"), T("evt-1"), T("certified-partner"), 10}},
  };
  struct wm_notification notification = {.automation = &automation,
                                         .task = &tell,
                                         .recipient = T("user-2"),
                                         .address = T("boss@acme.example"),
                                         .title = T("Hello"),
                                         .message = T("a\nb")};
  decision.changes = changes;
  decision.change_count = 2;
  decision.notifications = &notification;
  decision.notification_count = 1;
  encode_decision();
  cr_assert_eq(taken_count, 5);
  cr_assert_eq(taken[1].topic, WM_OUT_CHANGES);
  expect_value(
      &taken[1],
      ENVELOPE("live:journey.milestones/3/8812:certified-partner:gained",
               "dev.waymark.role.changed.v1") "\"role\":\"certified-partner\",\"effective\":true,\"cause\":\"task\","
                                              "\"clock\":[1795255200000000,\"/"
                                              "journeys\",\"evt-1\",\"certified-partner\",10]," ABOUT "}}");
  expect_value(
      &taken[2],
      ENVELOPE("live:journey.milestones/3/8812:new-partner:lost",
               "dev.waymark.role.changed.v1") "\"role\":\"new-partner\",\"effective\":false,\"cause\":\"task\","
                                              "\"clock\":[1795255200000000,\"/"
                                              "journeys\",\"evt-1\",\"certified-partner\",10],"
                                              "\"lockout\":true," ABOUT "}}");
  cr_assert_eq(taken[3].topic, WM_OUT_FAILURES);
  cr_assert_eq(taken[4].topic, WM_OUT_NOTIFICATIONS);
  cr_assert(wm_text_is(taken[4].key, "user-7"));
  expect_value(&taken[4], ENVELOPE(EXECUTION ":20", "dev.waymark.notification.requested.v1") BY ABOUT
               ",\"sequence\":20,\"channel\":\"partner-mail\",\"user\":\"user-7\","
               "\"recipient\":\"user-2\",\"address\":\"boss@acme.example\",\"title\":\"Hello\","
               "\"message\":\"a\\nb\"}}");
}

Test(out, a_notification_to_an_address_is_for_that_address) {
  struct wm_notification notification = {.automation = &automation, .task = &tell, .address = T("x@y")};
  decision = (struct wm_decision){.notifications = &notification, .notification_count = 1};
  encode_decision();
  cr_assert(strstr(taken[0].value.bytes, "\"recipient\":\"x@y\",\"address\":\"x@y\"}}"));
}

Test(out, a_taker_that_stops_stops_the_encoder) {
  struct wm_error error;
  stop_at = 1;
  cr_assert_eq(wm_encode_decision(&encode, &record, &event, &decision, &error), -1);
  cr_assert_eq(error.code, WM_E_KAFKA_FAILED);
  cr_assert_eq(taken_count, 1);
}

Test(out, changes_without_an_event_have_ids_that_repeat) {
  struct wm_error error;
  struct wm_user *user = wm_user_new(T("user-7"), 5);
  struct wm_change lost = {.role = T("r"), .cause = WM_CAUSE_EXPIRY, .lockout = true};
  struct wm_change gained = {.role = T("r"), .cause = WM_CAUSE_CATALOGUE, .effective = true};
  cr_assert_eq(wm_encode_changes(&encode, user, &lost, 1, EVENT_US, T(""), &error), 0);
  cr_assert_eq(wm_encode_changes(&encode, user, &gained, 1, EVENT_US, T("abcdefabcdef"), &error), 0);
  cr_assert_eq(taken[0].partition, 5);
  cr_assert(wm_text_is(taken[0].key, "user-7"));
  expect_value(&taken[0], "{\"specversion\":\"1.0\",\"id\":\"expiry:user-7:r:1795255200000000\","
                          "\"source\":\"/waymark\",\"type\":\"dev.waymark.role.changed.v1\",\"subject\":\"user-7\","
                          "\"time\":\"2026-11-21T10:00:00Z\",\"datacontenttype\":\"application/json\",\"data\":"
                          "{\"role\":\"r\",\"effective\":false,\"cause\":\"expiry\",\"lockout\":true}}");
  expect_value(&taken[1], "{\"specversion\":\"1.0\",\"id\":\"catalogue:abcdefabcdef:1795255200000000:user-7:r:gained\","
                          "\"source\":\"/waymark\",\"type\":\"dev.waymark.role.changed.v1\",\"subject\":\"user-7\","
                          "\"time\":\"2026-11-21T10:00:00Z\",\"datacontenttype\":\"application/json\","
                          "\"data\":{\"role\":\"r\",\"effective\":true,"
                          "\"cause\":\"catalogue\",\"catalogue\":\"abcdefabcdef\"}}");
  lost.clock = (struct wm_clock){.time_us = EVENT_US, .source = T("/s"), .id = T("e1"), .automation = T("")};
  cr_assert_eq(wm_encode_changes(&encode, user, &lost, 1, EVENT_US, T(""), &error), 0);
  cr_assert(wm_text_contains(taken[2].value, T("\"id\":\"expiry:user-7:r:1795255200000000:/s:e1\"")));
  wm_user_free(user);
}

Test(out, a_register_goes_home) {
  struct wm_error error;
  struct wm_user *user = wm_user_new(T("user-7"), 5);
  cr_assert_eq(wm_encode_register(&encode, user, &error), 0);
  cr_assert_eq(taken[0].topic, WM_OUT_USERS);
  cr_assert_eq(taken[0].partition, 5);
  cr_assert_eq(taken[0].header_count, 0);
  cr_assert(wm_text_is(taken[0].key, "user-7"));
  expect_value(&taken[0], "{\"v\":1,\"user\":\"user-7\",\"home\":5,\"profile\":null,\"cleared\":null,\"roles\":{},"
                          "\"ran\":{},\"recent\":\"\"}");
  wm_user_free(user);
}

static struct wm_rejection rejection(void) {
  return (struct wm_rejection){.code = WM_E_EVENT_INVALID,
                               .reason = T("type"),
                               .pointer = T("/data/name"),
                               .message = T("'/data/name' is not a text"),
                               .user = T("user-7"),
                               .id = T("evt-1")};
}

Test(out, a_rejected_record_is_copied_verbatim) {
  static const struct wm_header given[] = {{{"ce_id", 5}, {"\xff", 1}}, {{"x", 1}, {NULL, 0}}, {{"x", 1}, {"", 0}}};
  struct wm_error error;
  struct wm_rejection bad = rejection();
  record.headers = given;
  record.header_count = 3;
  record.value = T("\xff not JSON \0 at all");
  cr_assert_eq(wm_encode_rejection(&encode, &record, &bad, &error), 0);
  cr_assert_eq(taken_count, 2);
  const struct wm_out *dead = &taken[0];
  cr_assert_eq(dead->topic, WM_OUT_DLQ);
  cr_assert(wm_text_is(dead->dlq_of, "journey.milestones"));
  cr_assert_eq(dead->partition, 3);
  cr_assert_eq(dead->timestamp_ms, record.timestamp_ms);
  cr_assert(wm_text_equal(dead->key, record.key));
  cr_assert(wm_text_equal(dead->value, record.value));
  for (size_t i = 0; i < 3; i++) {
    cr_assert(wm_text_equal(dead->headers[i].name, given[i].name));
    cr_assert_eq(dead->headers[i].value.bytes, given[i].value.bytes);
  }
  cr_assert_null(header(dead, "content-type").bytes);
  expect_header(dead, "wm-code", "EVENT_INVALID");
  expect_header(dead, "__dlq.errors.offset", "8812");
  expect_header(dead, "__dlq.errors.message", "'/data/name' is not a text");
  expect_bytes(dead, "kafka_dlt-original-timestamp", "\0\0\1\xa1\xfd\x8c\x6c\xe8", 8);
  cr_assert_null(header(dead, "wm-automation").bytes);
}

Test(out, headers_of_the_record_are_verbatim_and_ours_stand_last) {
  static const struct wm_header given[] = {
      {T("wm-code"), T("EVENT_FUTURE")}, {T("x"), T("1")},           {T("wm-run"), T("other")},
      {T("wm-truncated"), T("9")},       {T("wm-code"), T("again")},
  };
  struct wm_error error;
  struct wm_rejection bad = rejection();
  record.headers = given;
  record.header_count = sizeof given / sizeof *given;
  cr_assert_eq(wm_encode_rejection(&encode, &record, &bad, &error), 0);
  for (size_t i = 0; i < record.header_count; i++) {
    cr_expect(wm_text_equal(taken[0].headers[i].name, given[i].name));
    cr_expect(wm_text_equal(taken[0].headers[i].value, given[i].value));
  }
  struct wm_text last = WM_NO_TEXT;
  for (size_t i = 0; i < taken[0].header_count; i++)
    if (wm_text_is(taken[0].headers[i].name, "wm-code"))
      last = taken[0].headers[i].value;
  cr_assert(wm_text_is(last, "EVENT_INVALID"), "who takes the last header of a name takes ours");
  for (size_t i = 0; i < taken[1].header_count; i++)
    if (wm_text_is(taken[1].headers[i].name, "wm-code"))
      cr_assert(wm_text_is(taken[1].headers[i].value, "EVENT_INVALID"), "the failure record has headers of ours only");
}

Test(out, a_rejection_is_a_failure) {
  struct wm_error error;
  struct wm_rejection bad = rejection();
  cr_assert_eq(wm_encode_rejection(&encode, &record, &bad, &error), 0);
  cr_assert_eq(taken[1].topic, WM_OUT_FAILURES);
  cr_assert(wm_text_is(taken[1].key, "user-7"));
  expect_header(&taken[1], "wm-code", "EVENT_INVALID");
  expect_header(&taken[1], "content-type", "application/cloudevents+json");
  expect_value(&taken[1],
               "{\"specversion\":\"1.0\",\"id\":\"live:journey.milestones/3/8812\",\"source\":\"/waymark\","
               "\"type\":\"dev.waymark.event.rejected.v1\",\"subject\":\"user-7\",\"time\":\"2026-11-21T10:00:01Z\","
               "\"datacontenttype\":\"application/json\",\"data\":{\"run\":\"live\",\"code\":\"EVENT_INVALID\","
               "\"reason\":\"type\",\"pointer\":\"/data/name\",\"message\":\"'/data/name' is not a text\","
               "\"event\":{\"id\":\"evt-1\"},\"origin\":{\"topic\":\"journey.milestones\",\"partition\":3,"
               "\"offset\":8812},\"size\":2,"
               "\"sha256\":\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}}");
}

static int32_t home_of(void *taker, struct wm_text user) {
  return wm_text_is(user, "user-7") && taker == taken ? 5 : -1;
}

Test(out, the_failure_of_a_rejected_record_goes_home_where_the_user_is_known) {
  struct wm_error error;
  struct wm_rejection bad = rejection();
  encode.home = home_of;
  cr_assert_eq(wm_encode_rejection(&encode, &record, &bad, &error), 0);
  cr_assert_eq(taken[0].partition, 3, "the dead letter stays where it came");
  cr_assert_eq(taken[1].partition, 5);
  bad.user = WM_NO_TEXT;
  cr_assert_eq(wm_encode_rejection(&encode, &record, &bad, &error), 0);
  cr_assert_eq(taken[taken_count - 1].partition, 3);
}

Test(out, a_rejection_without_anything_readable) {
  struct wm_error error;
  struct wm_rejection bad = {.code = WM_E_EVENT_OVERSIZE, .reason = T("oversize"), .message = T("too large")};
  record.key = record.value = WM_NO_TEXT;
  record.timestamp_ms = -1;
  cr_assert_eq(wm_encode_rejection(&encode, &record, &bad, &error), 0);
  cr_assert_null(taken[0].key.bytes);
  cr_assert_null(taken[0].value.bytes);
  cr_assert_null(taken[1].key.bytes);
  expect_value(&taken[1],
               "{\"specversion\":\"1.0\",\"id\":\"live:journey.milestones/3/8812\",\"source\":\"/waymark\","
               "\"type\":\"dev.waymark.event.rejected.v1\",\"datacontenttype\":\"application/json\",\"data\":"
               "{\"run\":\"live\",\"code\":\"EVENT_OVERSIZE\",\"reason\":\"oversize\",\"message\":\"too large\","
               "\"origin\":{\"topic\":\"journey.milestones\",\"partition\":3,\"offset\":8812},\"size\":0,"
               "\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}");
}

/* --- cutting --- */

static size_t size_of(const struct wm_out *out) {
  size_t size = out->key.size + out->value.size;
  for (size_t i = 0; i < out->header_count; i++)
    size += out->headers[i].name.size + out->headers[i].value.size;
  return size;
}

static struct wm_out dead_letter(size_t value_size, size_t header_size) {
  static char bytes[65536];
  static struct wm_header headers[3];
  cr_assert(value_size <= sizeof bytes && header_size <= sizeof bytes);
  memset(bytes, 'v', sizeof bytes);
  headers[0] = (struct wm_header){T("big"), {bytes, header_size}};
  headers[1] = (struct wm_header){T("small"), T("1")};
  headers[2] = (struct wm_header){T("wm-code"), T("EVENT_OVERSIZE")};
  return (struct wm_out){.topic = WM_OUT_DLQ,
                         .key = T("user-7"),
                         .value = {bytes, value_size},
                         .headers = headers,
                         .header_count = 3,
                         .timestamp_ms = 7};
}

Test(out, a_record_is_cut_to_its_limit_and_marked) {
  struct wm_out whole = dead_letter(50000, 10), cut;
  char sha256[WM_DIGEST_SIZE];
  wm_digest(whole.value, sha256);
  cr_assert_eq(wm_out_cut(&whole, 10000, &arena, &cut), 0);
  cr_assert_leq(size_of(&cut), 10000);
  cr_assert_gt(cut.value.size, 9000, "as much as there is room for");
  cr_assert_eq(memcmp(cut.value.bytes, whole.value.bytes, cut.value.size), 0);
  cr_assert(wm_text_is(cut.key, "user-7"));
  cr_assert_eq(cut.timestamp_ms, 7);
  expect_header(&cut, "big", "vvvvvvvvvv");
  expect_header(&cut, "wm-code", "EVENT_OVERSIZE");
  expect_header(&cut, "wm-truncated", "50000");
  expect_header(&cut, "sha256", sha256);
}

Test(out, headers_that_do_not_fit_are_dropped_but_not_what_they_say_last) {
  struct wm_out whole = dead_letter(100, 60000), cut;
  cr_assert_eq(wm_out_cut(&whole, 2000, &arena, &cut), 0);
  cr_assert_leq(size_of(&cut), 2000);
  cr_assert_null(header(&cut, "big").bytes);
  expect_header(&cut, "small", "1");
  expect_header(&cut, "wm-code", "EVENT_OVERSIZE");
  cr_assert_eq(cut.value.size, 100);
}

Test(out, a_key_that_is_too_large_is_dropped) {
  struct wm_out whole = dead_letter(100, 10), cut;
  whole.key = (struct wm_text){whole.value.bytes, 60000};
  cr_assert_eq(wm_out_cut(&whole, 2000, &arena, &cut), 0);
  cr_assert_leq(size_of(&cut), 2000);
  cr_assert_null(cut.key.bytes);
}

Test(out, no_character_is_cut_in_half) {
  struct wm_out whole = dead_letter(0, 0), cut;
  static char text[3000];
  for (size_t i = 0; i < sizeof text; i += 3)
    memcpy(text + i, "€", 3);
  whole.value = (struct wm_text){text, sizeof text};
  for (size_t limit = 600; limit < 610; limit++) {
    cr_assert_eq(wm_out_cut(&whole, limit, &arena, &cut), 0);
    cr_assert_gt(cut.value.size, 0);
    cr_assert_eq(cut.value.size % 3, 0);
  }
}

Test(out, a_limit_of_nothing_leaves_the_marks) {
  struct wm_out whole = dead_letter(100, 10), cut;
  cr_assert_eq(wm_out_cut(&whole, 0, &arena, &cut), 0);
  cr_assert_eq(cut.value.size, 0);
  cr_assert_eq(cut.header_count, 2);
}

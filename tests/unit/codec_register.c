#include <criterion/criterion.h>

#include "core/codec/json.h"
#include "core/codec/register.h"

#define CLOCK "[1795255200000000,\"/journeys\",\"evt-1\",\"certified-partner\",10]"

/* As contract 7 shows it. */
#define WHOLE                                                                                                          \
  "{\"v\":1,\"user\":\"user-7\",\"home\":3,"                                                                           \
  "\"profile\":{\"clock\":[1,\"/hr\",\"p\",\"\",0],\"status\":\"active\",\"type\":\"partner\",\"name\":\"Ann\","       \
  "\"email\":\"a@b\",\"org-units\":{\"division\":[\"acme\",\"emea\"]},\"groups\":[],\"manager\":\"user-2\","           \
  "\"managers\":[\"user-1\",\"user-2\"],\"attributes\":{\"tier\":\"gold\",\"n\":1.5}},"                                \
  "\"cleared\":[2,\"/hr\",\"q\",\"\",0],\"signed-in\":[3,\"/sso\",\"s\",\"\",0],"                                      \
  "\"roles\":{\"certified-partner\":{\"removed\":null,\"grants\":{"                                                    \
  "\"automation/certified-partner\":{\"clock\":" CLOCK ",\"until\":null,\"by\":{\"version\":\"3f9c2a417b60\","         \
  "\"topic\":\"journey.milestones\",\"partition\":3,\"offset\":8812}},"                                                \
  "\"manual\":{\"clock\":[5,\"/p\",\"r\",\"\",0],\"until\":1800000000000000,\"taken\":[4,\"/p\",\"q\",\"\",0],"        \
  "\"by\":{\"by\":\"jane\",\"reason\":\"audit\",\"run\":\"fix\"}}}},"                                                  \
  "\"old\":{\"removed\":" CLOCK ",\"grants\":{}}},"                                                                    \
  "\"ran\":{\"once\":\"00000000000000010123456789abcdef\"},\"recent\":\"ffffffffffffffff0000000000000002\","           \
  "\"replay\":{\"run\":\"last-tuesday\",\"recent\":\"0000000000000003\"}}"

static struct wm_user *decode(const char *json) {
  struct wm_error error;
  struct wm_user *user = wm_register_decode(wm_text_of(json), &error);
  cr_assert(user != NULL, "%s: %s", json, error.text);
  return user;
}

static void expect_encoded(const struct wm_user *user, const char *json) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_register_encode(user, &buf);
  cr_assert_str_eq(buf.bytes, json);
  cr_assert_eq(wm_register_size(user), buf.size);
  wm_buf_release(&buf);
}

static void expect_refused(const char *json) {
  struct wm_error error;
  struct wm_user *user = wm_register_decode(wm_text_of(json), &error);
  cr_assert(user == NULL, "taken: %s", json);
  cr_assert_eq(error.code, WM_E_REGISTER_INVALID, "%s: %s", json, wm_code_name(error.code));
  cr_assert_gt(strlen(error.text), 0);
}

/* 'json' with the first 'from' in it replaced; borrowed until the next call. */
static const char *change(const char *json, const char *from, const char *to) {
  static char changed[8192];
  const char *at = strstr(json, from);
  cr_assert(at != NULL, "%s", from);
  snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
  return changed;
}

Test(register, an_empty_one_has_every_member) {
  struct wm_user *user = wm_user_new(WM_TEXT("user-7"), 3);
  expect_encoded(user, "{\"v\":1,\"user\":\"user-7\",\"home\":3,\"profile\":null,\"cleared\":null,\"roles\":{},"
                       "\"ran\":{},\"recent\":\"\"}");
  wm_user_free(user);
}

Test(register, what_was_written_reads_back_and_is_written_again) {
  struct wm_user *user = decode(WHOLE);
  expect_encoded(user, WHOLE);
  wm_user_free(user);
}

Test(register, every_part_is_where_it_belongs) {
  struct wm_user *user = decode(WHOLE);
  cr_assert(wm_text_is(user->id, "user-7"));
  cr_assert_eq(user->home, 3);
  cr_assert_eq(user->profile.status, WM_USER_ACTIVE);
  cr_assert(wm_text_is(user->profile.type, "partner"));
  cr_assert_eq(user->cleared.time_us, 2);
  cr_assert_eq(user->role_count, 2);
  const struct wm_user_role *role = wm_user_role(user, WM_TEXT("certified-partner"));
  cr_assert_eq(role->grant_count, 2);
  cr_assert(!wm_clock_is_set(&role->removed));
  cr_assert_eq(role->grants[0].until_us, WM_NEVER);
  cr_assert_eq(role->grants[0].clock.sequence, 10);
  cr_assert(!wm_clock_is_set(&role->grants[0].taken));
  cr_assert_eq(role->grants[0].by.origin.offset, 8812);
  cr_assert_null(role->grants[0].by.run.bytes);
  cr_assert_eq(role->grants[1].until_us, INT64_C(1800000000000000));
  cr_assert_eq(role->grants[1].taken.time_us, 4);
  cr_assert(wm_text_is(role->grants[1].by.reason, "audit"));
  cr_assert(wm_user_has_run_journey(user, WM_TEXT("once"), UINT64_C(0x0123456789abcdef)));
  cr_assert(wm_user_remembers(user, 2));
  cr_assert(wm_user_remembers(user, UINT64_MAX));
  cr_assert_eq(user->recent[0], UINT64_MAX, "the oldest stands first");
  cr_assert(wm_user_remembers_replay(user, WM_TEXT("last-tuesday"), 3));
  cr_assert_not(wm_user_remembers_replay(user, WM_TEXT("last-tuesday"), 2));
  cr_assert_not(wm_user_remembers_replay(user, WM_TEXT("today"), 3));
  wm_user_free(user);
}

Test(register, a_written_register_equals_the_one_in_memory) {
  enum wm_write write;
  struct wm_clock stands;
  bool changed;
  struct wm_arena arena;
  struct wm_error error;
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_value fields;
  struct wm_user *user = wm_user_new(WM_TEXT("ä \"quoted\" \\ {%}"), 0);
  struct wm_grant grant = {.source = WM_TEXT("automation/a"),
                           .clock = {-5, WM_TEXT("/s\n"), WM_TEXT("\x7f"), WM_TEXT("a"), -1},
                           .until_us = 0,
                           .by = {.version = WM_TEXT("0"), .origin = {WM_TEXT("t"), 1, INT64_MAX}}};
  wm_arena_init(&arena, 0);
  wm_json_parse(WM_TEXT("{\"status\":\"inactive\",\"attributes\":{\"x\":[1,null,{\"y\":-0.25}]}}"), &arena, &fields,
                NULL);
  cr_assert_eq(wm_user_add_grant(user, WM_TEXT("z-role"), &grant, 0, &write, &stands), 0);
  cr_assert_eq(wm_user_add_grant(user, WM_TEXT("a-role"), &grant, 0, &write, &stands), 0);
  cr_assert_eq(wm_user_set_profile(user, &grant.clock, &fields, &changed), 0);
  cr_assert_eq(wm_user_mark_run(user, WM_TEXT("a"), UINT64_MAX), 0);
  for (uint64_t i = 0; i < 40; i++)
    wm_user_remember(user, i << 60 | i);
  for (uint64_t i = 0; i < 40; i++)
    cr_assert_eq(wm_user_remember_replay(user, WM_TEXT("run-1"), i), 0);
  wm_register_encode(user, &buf);
  struct wm_user *again = wm_register_decode((struct wm_text){buf.bytes, buf.size}, &error);
  cr_assert(again != NULL, "%s: %s", buf.bytes, error.text);
  expect_encoded(again, buf.bytes);
  cr_assert_eq(again->profile.status, WM_USER_INACTIVE);
  cr_assert_eq(memcmp(again->recent, user->recent, sizeof user->recent), 0);
  cr_assert_eq(again->replayed.count, WM_RECENT_COUNT);
  cr_assert(wm_user_remembers_replay(again, WM_TEXT("run-1"), 39));
  cr_assert_not(wm_user_remembers_replay(again, WM_TEXT("run-1"), 7), "the oldest are forgotten");
  wm_user_free(user);
  wm_user_free(again);
  wm_buf_release(&buf);
  wm_arena_release(&arena);
}

Test(register, order_is_restored_and_unknown_members_are_dropped) {
  struct wm_user *user = decode("{\"roles\":{\"b\":{\"grants\":{\"manual\":{\"clock\":" CLOCK "},\"automation/x\":"
                                "{\"clock\":" CLOCK ",\"more\":1}}},\"a\":{\"removed\":" CLOCK "}},\"home\":0,"
                                "\"ran\":{\"z\":\"\",\"y\":\"0000000000000001\"},\"user\":\"u\",\"later\":[],\"v\":1}");
  expect_encoded(user, "{\"v\":1,\"user\":\"u\",\"home\":0,\"profile\":null,\"cleared\":null,\"roles\":{\"a\":"
                       "{\"removed\":" CLOCK ",\"grants\":{}},\"b\":{\"removed\":null,\"grants\":{\"automation/x\":"
                       "{\"clock\":" CLOCK ",\"until\":null,\"by\":{}},\"manual\":{\"clock\":" CLOCK
                       ",\"until\":null,\"by\":{}}}}},\"ran\":{\"y\":\"0000000000000001\",\"z\":\"\"},"
                       "\"recent\":\"\"}");
  wm_user_free(user);
}

Test(register, an_end_may_be_a_text) {
  struct wm_user *user = decode(change(WHOLE, "\"until\":1800000000000000", "\"until\":\"2027-01-15T08:00:00Z\""));
  expect_encoded(user, WHOLE);
  wm_user_free(user);
}

Test(register, a_deleted_user_keeps_that) {
  struct wm_user *user = decode("{\"v\":1,\"user\":\"u\",\"home\":0,\"profile\":{\"clock\":[1,\"/hr\",\"p\",\"\",0],"
                                "\"status\":\"deleted\"}}");
  cr_assert_eq(user->profile.status, WM_USER_DELETED);
  wm_user_free(user);
}

Test(register, hostile_bytes_are_refused) {
  static const struct {
    const char *from, *to;
  } changes[] = {
      {"\"v\":1", "\"v\":2"},
      {"\"v\":1", "\"v\":1.0"},
      {"\"v\":1,", ""},
      {"\"user\":\"user-7\"", "\"user\":7"},
      {"\"user\":\"user-7\"", "\"user\":\"\""},
      {"\"user\":\"user-7\"", "\"user\":\"a\\nb\""},
      {"\"user\":\"user-7\"", "\"user\":\"u\",\"user\":\"u\""},
      {"\"home\":3", "\"home\":-1"},
      {"\"home\":3", "\"home\":2147483648"},
      {"\"home\":3", "\"home\":\"3\""},
      {"[1,\"/hr\",\"p\",\"\",0]", "null"},
      {"[1,\"/hr\",\"p\",\"\",0]", "[1,\"/hr\",\"p\",\"\"]"},
      {"[1,\"/hr\",\"p\",\"\",0]", "[1,\"/hr\",\"p\",\"\",0,0]"},
      {"[1,\"/hr\",\"p\",\"\",0]", "[1,\"/hr\",\"p\",\"\",\"0\"]"},
      {"[1,\"/hr\",\"p\",\"\",0]", "[1,null,\"p\",\"\",0]"},
      {"[1,\"/hr\",\"p\",\"\",0]", "[1,\"\",\"p\",\"\",0]"},
      {"[1,\"/hr\",\"p\",\"\",0]", "[1.5,\"/hr\",\"p\",\"\",0]"},
      {"[1,\"/hr\",\"p\",\"\",0]", "[99999999999999999999,\"/hr\",\"p\",\"\",0]"},
      {"\"status\":\"active\"", "\"status\":\"gone\""},
      {"\"status\":\"active\",", ""},
      {"\"type\":\"partner\"", "\"type\":[]"},
      {"\"org-units\":{", "\"org-units\":{\"x\":{},"},
      {"\"removed\":null", "\"removed\":false"},
      {"\"grants\":{", "\"grants\":{\"\":{},"},
      {"\"grants\":{", "\"grants\":{\"x\":[],"},
      {"\"grants\":{", "\"grants\":{\"x\":{},"},
      {"\"grants\":{}", "\"grants\":[]"},
      {"\"until\":null", "\"until\":\"tomorrow\""},
      {"\"until\":null", "\"until\":1e300"},
      {"\"by\":{", "\"by\":[],\"x\":{"},
      {"\"partition\":3", "\"partition\":2147483648"},
      {"\"offset\":8812", "\"offset\":-1"},
      {"\"roles\":{", "\"roles\":[],\"x\":{"},
      {"\"roles\":{", "\"roles\":{\"x\":1,"},
      {"\"roles\":{", "\"roles\":{\"\":{},"},
      {"\"ran\":{", "\"ran\":[],\"x\":{"},
      {"\"ran\":{", "\"ran\":{\"x\":1,"},
      {"\"ran\":{", "\"ran\":{\"x\":\"1\","},
      {"\"recent\":\"ffffffffffffffff", "\"recent\":\"FFFFFFFFFFFFFFFF"},
      {"\"recent\":\"ffffffffffffffff", "\"recent\":\"fffffffffffffff"},
      {"\"recent\":\"", "\"recent\":7,\"x\":\""},
      {"\"replay\":{", "\"replay\":[],\"x\":{"},
      {"\"run\":\"last-tuesday\"", "\"x\":1"},
      {"\"run\":\"last-tuesday\"", "\"run\":\"Last Tuesday\""},
      {"\"recent\":\"0000000000000003\"", "\"recent\":\"3\""},
      {",\"recent\":\"0000000000000003\"", ""},
  };
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
    expect_refused(change(WHOLE, changes[i].from, changes[i].to));
  expect_refused("");
  expect_refused("null");
  expect_refused("[]");
  expect_refused("{\"v\":1");
}

Test(register, more_events_than_are_remembered_are_refused) {
  char json[2048], recent[16 * 33 + 1];
  memset(recent, 'a', sizeof recent - 1);
  recent[sizeof recent - 1] = '\0';
  snprintf(json, sizeof json, "{\"v\":1,\"user\":\"u\",\"home\":0,\"recent\":\"%s\"}", recent);
  expect_refused(json);
  snprintf(json, sizeof json, "{\"v\":1,\"user\":\"u\",\"home\":0,\"recent\":\"%s\"}", recent + 16);
  struct wm_user *user = decode(json);
  cr_assert_eq(user->recent_count, WM_RECENT_COUNT);
  wm_user_free(user);
}

Test(register, nesting_has_a_limit) {
  char json[1024], lists[100] = "";
  memset(lists, '[', 70);
  snprintf(json, sizeof json, "{\"v\":1,\"user\":\"u\",\"home\":0,\"x\":%s", lists);
  expect_refused(json);
}

Test(register, no_place_for_the_error_is_fine) {
  cr_assert_null(wm_register_decode(WM_TEXT("{}"), NULL));
}

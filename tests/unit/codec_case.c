/* test: documents to cases: times, users, events and what is given. The mistakes are in fixtures/yaml/test-*. */
#include <criterion/criterion.h>

#include "core/case.h"
#include "core/codec/load.h"
#include "core/codec/register.h"
#include "core/moment.h"

static struct wm_findings findings;
static struct wm_workspace *workspace;

static void set_up(void) {
  wm_findings_init(&findings);
}
static void tear_down(void) {
  wm_workspace_free(workspace);
  wm_findings_release(&findings);
}

TestSuite(load_case, .init = set_up, .fini = tear_down);

static const struct wm_case *load(const char *yaml) {
  struct wm_loader *loader = wm_loader_new(&findings);
  cr_assert_eq(wm_loader_add(loader, WM_TEXT("a.yaml"), wm_text_of(yaml)), 0);
  wm_workspace_free(workspace);
  workspace = wm_loader_finish(loader);
  wm_loader_free(loader);
  cr_assert_not_null(workspace, "%.*s", WM_TEXT_ARG(findings.items[0].text));
  cr_assert_eq(workspace->case_count, 1);
  return &workspace->cases[0];
}

static void expect_time(int64_t us, const char *expected) {
  char text[WM_MOMENT_SIZE];
  wm_moment_format(us, text);
  cr_expect_str_eq(text, expected);
}

static const struct wm_event *event_at(const struct wm_case *test, size_t step, size_t event) {
  cr_assert_lt(step, test->step_count);
  cr_assert_lt(event, test->steps[step].event_count);
  return &test->steps[step].events[event].event;
}

Test(load_case, events_come_a_second_after_each_other) {
  const struct wm_case *test =
      load("test: t\nwhen: [{ a: }, { b: , c: }]\nlater: [{ when: { d: } }, { after: 1d, when: { e: } }]\n");
  expect_time(event_at(test, 0, 0)->time_us, "2026-01-01T00:00:00Z");
  expect_time(event_at(test, 0, 1)->time_us, "2026-01-01T00:00:01Z");
  expect_time(event_at(test, 0, 2)->now_us, "2026-01-01T00:00:02Z");
  expect_time(event_at(test, 1, 0)->time_us, "2026-01-01T00:00:03Z");
  expect_time(event_at(test, 2, 0)->time_us, "2026-01-02T00:00:03Z");
  expect_time(test->steps[2].end_us, "2026-01-02T00:00:03Z");
}

Test(load_case, a_late_event_does_not_move_the_clock) {
  const struct wm_case *test = load("test: t\nat: 2026-05-01\nwhen:\n  - { type: a, time: 2026-04-01T00:00:00Z }\n"
                                    "  - { type: b, time: 2026-06-01T00:00:00Z }\n  - c:\n");
  expect_time(event_at(test, 0, 0)->time_us, "2026-04-01T00:00:00Z");
  expect_time(event_at(test, 0, 0)->now_us, "2026-05-01T00:00:00Z");
  expect_time(event_at(test, 0, 1)->now_us, "2026-06-01T00:00:00Z");
  expect_time(event_at(test, 0, 2)->time_us, "2026-06-01T00:00:01Z");
}

Test(load_case, it_begins_at_the_time_of_its_first_event) {
  const struct wm_case *test = load("test: t\nwhen: { type: a, time: 2027-04-01T00:00:00Z }\n");
  expect_time(test->steps[0].begin_us, "2027-04-01T00:00:00Z");
  test = load("test: t\nwhen: { json: '{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"a\",\"time\":"
              "\"2028-04-01T00:00:00Z\"}' }\n");
  expect_time(test->steps[0].begin_us, "2028-04-01T00:00:00Z");
}

static void expect_user(const char *yaml, const char *user) {
  const struct wm_case *test = load(yaml);
  cr_expect(wm_text_is(test->user, user), "%s: %.*s", yaml, WM_TEXT_ARG(test->user));
  if (test->steps[0].event_count)
    cr_expect(wm_text_is(event_at(test, 0, 0)->user, user), "%s", yaml);
}

Test(load_case, the_user_is_the_one_that_is_said_first) {
  expect_user("test: t\nwhen: { a: }\n", "test-user");
  expect_user("test: t\ngiven: { user: { id: u1 } }\nwhen: { a: }\n", "u1");
  expect_user("test: t\nwhen: [{ type: a, subject: u2 }, { type: b, subject: null }]\n", "u2");
  expect_user("test: t\nwhen: { a: { user: u3 } }\n", "u3");
  expect_user("test: t\nwhen: { type: a, subject: null, data: { user: u4 } }\n", "u4");
  expect_user(
      "test: t\nwhen: { json: '{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"a\",\"subject\":"
      "\"u\\u0035\"}' }\n",
      "u5");
  expect_user(
      "test: t\ngiven: { register: { v: 1, user: u6, home: 0, profile: null, cleared: null, roles: {}, ran: {}, "
      "recent: '' } }\nwhen: { a: }\n",
      "u6");
}

Test(load_case, an_event_may_be_without_a_user) {
  cr_expect_null(event_at(load("test: t\nwhen: { type: a, subject: null }\n"), 0, 0)->user.bytes);
}

static struct wm_user *given_to(const struct wm_case *test) {
  struct wm_error error;
  struct wm_user *user = wm_register_decode(test->given, &error);
  cr_assert_not_null(user, "%s", error.text);
  return user;
}

Test(load_case, what_is_given_is_a_register) {
  const struct wm_case *test = load("test: t\nat: 2026-02-01\ngiven:\n  user: { id: u1, type: partner, name: Ann }\n"
                                    "  roles: [a, { role: b, by: automation/x, until: 2026-03-01 }]\n");
  struct wm_user *user = given_to(test);
  cr_expect(wm_text_is(user->id, "u1"));
  cr_expect(wm_user_has_profile(user));
  cr_expect_eq(user->profile.status, WM_USER_ACTIVE);
  expect_time(user->profile.clock.time_us, "2026-01-31T23:59:59Z");
  cr_expect(wm_user_is_assigned(user, WM_TEXT("a"), WM_NEVER - 1));
  const struct wm_user_role *role = wm_user_role(user, WM_TEXT("b"));
  cr_assert_not_null(role);
  cr_expect(wm_text_is(role->grants[0].source, "automation/x"));
  expect_time(role->grants[0].until_us, "2026-03-01T00:00:00Z");
  cr_expect_eq(test->had_count, 2);
  wm_user_free(user);
}

Test(load_case, roles_alone_make_no_profile) {
  struct wm_user *user = given_to(load("test: t\ngiven: { roles: { a: automation/x } }\n"));
  cr_expect_not(wm_user_has_profile(user));
  cr_expect(wm_text_is(wm_user_role(user, WM_TEXT("a"))->grants[0].source, "automation/x"));
  wm_user_free(user);
}

Test(load_case, nothing_is_given_to_somebody_who_was_never_seen) {
  cr_expect_null(load("test: t\nwhen: { a: }\n")->given.bytes);
}

Test(load_case, data_keep_their_types) {
  const struct wm_event *event =
      event_at(load("test: t\nwhen: { a: { n: 80, r: 0.5, s: '80', b: true, z: null, l: [1], o: { p: q } } }\n"), 0, 0);
  struct wm_buf json = WM_BUF_INIT;
  wm_value_to_json(event->data, &json);
  cr_expect_str_eq(json.bytes, "{\"n\":80,\"r\":0.5,\"s\":\"80\",\"b\":true,\"z\":null,\"l\":[1],\"o\":{\"p\":\"q\"}}");
  wm_buf_release(&json);
}

Test(load_case, a_test_does_not_change_the_digest) {
  const char *role = "role: r\nlabel: R\n";
  struct wm_loader *loader = wm_loader_new(&findings);
  wm_loader_add(loader, WM_TEXT("a.yaml"), wm_text_of(role));
  struct wm_workspace *alone = wm_loader_finish(loader);
  wm_loader_free(loader);
  load("role: r\nlabel: R\n---\ntest: t\nthen: { r: not held }\n");
  cr_expect(wm_text_equal(alone->digest, workspace->digest));
  wm_workspace_free(alone);
}

Test(load_case, tests_are_sorted_and_found_by_name) {
  struct wm_loader *loader = wm_loader_new(&findings);
  wm_loader_add(loader, WM_TEXT("b.yaml"), WM_TEXT("test: b\n---\ntest: a\n"));
  workspace = wm_loader_finish(loader);
  wm_loader_free(loader);
  cr_assert_eq(workspace->case_count, 2);
  cr_expect(wm_text_is(workspace->cases[0].name, "a") && workspace->cases[0].line == 3);
}

/* Tests of the rules, run in the core alone: steps, what changes between them, and each way to differ. */
#include "tests/unit/given.h"

#include "core/case.h"

static struct wm_case test = {.name = WM_TEXT("a test"), .user = WM_TEXT("user-7")};
static struct wm_case_run run;
static struct wm_arena arena;

static void set_up(void) {
  wm_arena_init(&arena, 0);
}
static void tear_down(void) {
  wm_case_run_release(&run);
  wm_arena_release(&arena);
}

TestSuite(case, .init = set_up, .fini = tear_down);

#define PLACE ((struct wm_place){1, 1})

static struct wm_case_step *step_at(int64_t begin_s, int64_t end_s) {
  if (!test.steps)
    test.steps = WM_ARENA_ARRAY(&memory, struct wm_case_step, ROOM);
  struct wm_case_step *step = &test.steps[test.step_count++];
  *step = (struct wm_case_step){.begin_us = begin_s * SECOND, .end_us = end_s * SECOND, .place = PLACE};
  step->events = WM_ARENA_ARRAY(&memory, struct wm_case_event, ROOM);
  step->then.roles = WM_ARENA_ARRAY(&memory, struct wm_expected_role, ROOM);
  step->then.runs = WM_ARENA_ARRAY(&memory, struct wm_expected_run, ROOM);
  return step;
}

static void come(struct wm_case_step *step, struct wm_event event) {
  step->events[step->event_count++] = (struct wm_case_event){event, PLACE};
}

static void expect_role(struct wm_case_step *step, const char *role, enum wm_held held) {
  step->then.roles[step->then.role_count++] = (struct wm_expected_role){wm_text_of(role), held, PLACE};
}

static struct wm_expected_run *expect_run(struct wm_case_step *step, const char *automation, bool runs) {
  struct wm_expected_run *expected = &step->then.runs[step->then.run_count++];
  *expected = (struct wm_expected_run){.automation = wm_text_of(automation), .runs = runs, .place = PLACE};
  return expected;
}

static void expect_task(struct wm_expected_run *expected, int64_t sequence, enum wm_result result, enum wm_code code) {
  expected->tasks = WM_ARENA_NEW(&memory, struct wm_expected_task);
  expected->task_count = 1;
  *expected->tasks = (struct wm_expected_task){sequence, result, code, PLACE};
}

static void run_test(const struct wm_user *before) {
  struct wm_error error;
  close_workspace();
  wm_case_run_release(&run);
  cr_assert_eq(wm_case_run(workspace, &terms, &test, before, &arena, &run, &error), 0, "%s", error.text);
}

static void expect_differences(size_t count) {
  for (size_t i = 0; i < run.difference_count && run.difference_count != count; i++)
    cr_log_error("expected %.*s, but %.*s", WM_TEXT_ARG(run.differences[i].expected),
                 WM_TEXT_ARG(run.differences[i].actual));
  cr_assert_eq(run.difference_count, count);
}

static void expect_difference(const char *expected, const char *actual) {
  expect_differences(1);
  cr_expect(wm_text_is(run.differences[0].expected, expected), "%.*s", WM_TEXT_ARG(run.differences[0].expected));
  cr_expect(wm_text_is(run.differences[0].actual, actual), "%.*s", WM_TEXT_ARG(run.differences[0].actual));
}

/* Every milestone gives 'member' for 100 s. */
static struct wm_automation *given_member(void) {
  given_role("member");
  struct wm_automation *automation = given_automation("join");
  given_add(automation, 10, "member")->expires_after_us = 100 * SECOND;
  return automation;
}

Test(case, a_step_sees_what_the_one_before_left) {
  given_member();
  struct wm_case_step *first = step_at(1000, 1000), *second = step_at(1099, 1099), *third = step_at(1100, 1100);
  come(first, milestone("e1", 1000));
  expect_role(first, "member", WM_GAINED);
  expect_role(second, "member", WM_HELD);
  expect_role(third, "member", WM_LOST);
  expect_role(third, "member", WM_NOT_HELD);
  run_test(NULL);
  expect_differences(0);
  cr_assert_eq(run.moment_count, 1);
  cr_expect_eq(run.moments[0].step, 0);
  cr_expect_not_null(run.user);
}

Test(case, gained_is_more_than_held) {
  given_member();
  struct wm_case_step *first = step_at(1000, 1000), *second = step_at(1001, 1001);
  come(first, milestone("e1", 1000));
  come(second, milestone("e2", 1001));
  expect_role(second, "member", WM_GAINED);
  run_test(NULL);
  expect_difference("role member gained", "held, before and after");
  cr_expect_eq(run.differences[0].step, 1);
}

Test(case, a_register_that_is_given_is_not_changed) {
  given_member();
  struct wm_user *before = wm_user_new(WM_TEXT("user-7"), 3);
  struct wm_case_step *step = step_at(1000, 1000);
  come(step, milestone("e1", 1000));
  expect_role(step, "member", WM_GAINED);
  run_test(before);
  expect_differences(0);
  cr_expect_eq(before->role_count, 0);
  cr_expect_neq(run.user, before);
  wm_user_free(before);
}

Test(case, a_role_that_nobody_knows_proves_nothing) {
  given_member();
  expect_role(step_at(1000, 1000), "membre", WM_NOT_HELD);
  run_test(NULL);
  expect_difference("role membre not held", "the catalogue has no such role");
}

Test(case, an_automation_that_nobody_knows_proves_nothing) {
  given_member();
  expect_run(step_at(1000, 1000), "jion", false);
  run_test(NULL);
  expect_difference("automation jion does not run", "the workspace has no such automation");
}

Test(case, tasks_are_those_of_the_last_event_that_was_taken) {
  given_member();
  struct wm_case_step *step = step_at(1000, 1001);
  come(step, milestone("e1", 1000));
  come(step, milestone("e2", 1001));
  expect_task(expect_run(step, "join", true), 10, WM_RESULT_CHANGED, WM_OK);
  run_test(NULL);
  expect_difference("automation join, task 10 changed", "unchanged");
}

Test(case, has_run_already_is_not_running) {
  given_member()->repeat = WM_ONCE_PER_USER;
  struct wm_case_step *first = step_at(1000, 1000), *second = step_at(1001, 1001);
  come(first, milestone("e1", 1000));
  come(second, milestone("e2", 1001));
  expect_run(first, "join", true);
  expect_task(expect_run(second, "join", true), 10, WM_RESULT_SKIPPED, WM_E_ALREADY_RAN);
  expect_run(second, "join", false);
  second->then.nothing = PLACE;
  run_test(NULL);
  expect_differences(0);
}

Test(case, a_code_is_compared_where_it_is_named) {
  given_member();
  workspace->roles[0].status = WM_ROLE_INACTIVE;
  struct wm_case_step *step = step_at(1000, 1000);
  come(step, milestone("e1", 1000));
  expect_task(expect_run(step, "join", true), 10, WM_RESULT_FAILED, WM_OK);
  expect_task(expect_run(step, "join", true), 10, WM_RESULT_FAILED, WM_E_ROLE_INACTIVE);
  expect_task(expect_run(step, "join", true), 10, WM_RESULT_FAILED, WM_E_ROLE_ARCHIVED);
  run_test(NULL);
  expect_differences(1);
  cr_expect(wm_text_starts_with(run.differences[0].actual, WM_TEXT("failed ROLE_INACTIVE: ")));
}

Test(case, a_list_of_all_roles_and_automations_lets_no_other_in) {
  given_member();
  struct wm_case_step *step = step_at(1000, 1000);
  come(step, milestone("e1", 1000));
  step->then.all_roles = step->then.all_runs = PLACE;
  run_test(NULL);
  expect_differences(2);
  expect_role(step, "member", WM_HELD);
  expect_run(step, "join", true);
  run_test(NULL);
  expect_differences(0);
}

Test(case, nothing_counts_the_end_of_a_role) {
  given_member();
  struct wm_case_step *first = step_at(1000, 1000), *second = step_at(1100, 1100);
  come(first, milestone("e1", 1000));
  second->then.nothing = PLACE;
  run_test(NULL);
  expect_difference("nothing happens", "roles before: member; after: none");
}

Test(case, a_request_is_compared_like_a_task) {
  given_role("member")->kind = WM_ROLE_ADMINISTRATOR;
  struct wm_case_step *step = step_at(1000, 1000);
  come(step, request_event("e1", 1000, true, "member"));
  struct wm_expected_run *expected = expect_run(step, "", true);
  expected->automation = WM_NO_TEXT;
  expect_task(expected, 0, WM_RESULT_CHANGED, WM_OK);
  run_test(NULL);
  expect_differences(1);
  cr_expect(wm_text_is(run.differences[0].expected, "the request changed"));
  cr_expect(wm_text_starts_with(run.differences[0].actual, WM_TEXT("failed ROLE_PROTECTED: ")));
}

/* An event that says hello on channel 'mail'. */
static struct wm_case_step *given_hello(void) {
  given_channel("mail");
  given_notify(given_automation("hello"), 10, "mail", "Hello {{ data.name }}, 5 * 3?");
  struct wm_case_step *step = step_at(1000, 1000);
  come(step, milestone_with("e1", 1000, OBJECT(MEMBER("name", STRING("Ann")))));
  step->then.all_messages = PLACE;
  return step;
}

static void expect_message(struct wm_case_step *step, struct wm_expected_message message) {
  if (!step->then.messages)
    step->then.messages = WM_ARENA_ARRAY(&memory, struct wm_expected_message, ROOM);
  message.place = PLACE;
  step->then.messages[step->then.message_count++] = message;
}

Test(case, notifications_are_compared_in_all_that_is_named) {
  static const struct wm_expected_message fitting[] = {
      {.channel = WM_TEXT("mail")},
      {.automation = WM_TEXT("hello")},
      {.to = WM_TEXT("user")},
      {.to = WM_TEXT("user-7")},
      {.message = WM_TEXT("Hello Ann, 5 * 3?")}, /* a pattern fits itself */
      {.message = WM_TEXT("Hello ???, *")},
  };
  static const struct wm_expected_message other[] = {
      {.channel = WM_TEXT("chat")},  {.automation = WM_TEXT("hallo")},
      {.to = WM_TEXT("user-8")},     {.title = WM_TEXT("*")}, /* it has none */
      {.message = WM_TEXT("Hello")},
  };
  struct wm_case_step *step = given_hello();
  for (size_t i = 0; i < sizeof(fitting) / sizeof(fitting[0]); i++) {
    step->then.message_count = 0;
    expect_message(step, fitting[i]);
    run_test(NULL);
    expect_differences(0);
  }
  for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
    step->then.message_count = 0;
    expect_message(step, other[i]);
    run_test(NULL);
    cr_expect_eq(run.difference_count, other[i].title.bytes ? 0 : 1, "%zu", i);
  }
}

Test(case, notifications_are_counted) {
  struct wm_case_step *step = given_hello();
  run_test(NULL);
  expect_differences(1); /* none */
  step->then.message_count = 2;
  run_test(NULL);
  expect_difference("2 notifications", "1");
  step->then.message_count = 0;
  expect_message(step, (struct wm_expected_message){.channel = WM_TEXT("mail")});
  expect_message(step, (struct wm_expected_message){.channel = WM_TEXT("mail")});
  run_test(NULL);
  expect_difference("notification 2: channel 'mail'", "there is none");
}

Test(case, an_event_without_a_user_leaves_the_register_alone) {
  given_member();
  struct wm_case_step *step = step_at(1000, 1000);
  struct wm_event event = milestone("e1", 1000);
  event.user = WM_NO_TEXT;
  come(step, event);
  expect_role(step, "member", WM_NOT_HELD);
  expect_task(expect_run(step, "join", true), 10, WM_RESULT_FAILED, WM_E_USER_MISSING);
  run_test(NULL);
  expect_differences(0);
}

Test(case, without_an_expectation_nothing_is_proved) {
  struct wm_case_step *step = step_at(1000, 1000);
  cr_expect_not(wm_case_proves(&test));
  step->then.all_messages = PLACE;
  cr_expect(wm_case_proves(&test));
}

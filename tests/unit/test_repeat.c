#include "tests/unit/given.h"

/* Automation 'a' gives gold with this 'repeat'; every event has an id of its own. */
static struct wm_automation *given_repeat(enum wm_repeat repeat) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  automation->repeat = repeat;
  given_add(automation, 10, "gold");
  return automation;
}

/* Decides a milestone with this data; true: its tasks ran. */
static bool runs(struct wm_value data) {
  static char ids[64][8];
  static int number;
  snprintf(ids[number], sizeof(ids[number]), "e-%d", number);
  decide(milestone_with(ids[number], 10 + number, data));
  number++;
  cr_assert_eq(decision.execution_count, 1);
  bool ran = outcome(0, 0)->result != WM_RESULT_SKIPPED;
  cr_assert_eq(outcome(0, 0)->code, ran ? WM_OK : WM_E_ALREADY_RAN);
  return ran;
}

#define JOURNEY(...) OBJECT(MEMBER("journey", __VA_ARGS__))
#define ENROLLMENT(...) OBJECT(MEMBER("enrollment", __VA_ARGS__))

Test(repeat, every_event_runs_every_time) {
  given_repeat(WM_EVERY_EVENT);
  close_workspace();
  cr_assert(runs(EMPTY_OBJECT));
  cr_assert(runs(EMPTY_OBJECT));
  cr_assert_eq(user->ran_count, 0, "nothing needs to be remembered");
}

Test(repeat, once_per_user_gives_every_later_task_skipped) {
  struct wm_automation *automation = given_repeat(WM_ONCE_PER_USER);
  given_notify(automation, 20, "nowhere", "Hello");
  close_workspace();
  cr_assert(runs(JOURNEY(STRING("x"))));
  cr_assert_not(runs(JOURNEY(STRING("y"))));
  EXPECT_OUTCOME(0, 1, WM_RESULT_SKIPPED, WM_E_ALREADY_RAN);
  cr_assert_eq(outcome(0, 0)->effective, WM_EFFECTIVE_YES);
  cr_assert_null(decision.user, "skipped alone is not remembered");
}

Test(repeat, once_per_journey_runs_for_each) {
  given_repeat(WM_ONCE_PER_JOURNEY);
  close_workspace();
  cr_assert(runs(JOURNEY(STRING("x"))));
  cr_assert(runs(JOURNEY(STRING("y"))));
  cr_assert_not(runs(JOURNEY(STRING("x"))));
  cr_assert_not(runs(JOURNEY(STRING("y"))));
}

Test(repeat, enrollment_counts_before_the_journey) {
  given_repeat(WM_ONCE_PER_JOURNEY);
  close_workspace();
  cr_assert(runs(OBJECT(MEMBER("journey", STRING("x")), MEMBER("enrollment", STRING("1")))));
  cr_assert(runs(OBJECT(MEMBER("journey", STRING("x")), MEMBER("enrollment", STRING("2")))));
  cr_assert_not(runs(OBJECT(MEMBER("journey", STRING("y")), MEMBER("enrollment", STRING("1")))));
}

Test(repeat, enrollment_and_journey_are_told_apart) {
  given_repeat(WM_ONCE_PER_JOURNEY);
  close_workspace();
  cr_assert(runs(ENROLLMENT(STRING("x"))));
  cr_assert(runs(JOURNEY(STRING("x"))));
  cr_assert_not(runs(ENROLLMENT(STRING("x"))));
}

Test(repeat, numbers_and_booleans_are_as_json_writes_them) {
  given_repeat(WM_ONCE_PER_JOURNEY);
  close_workspace();
  cr_assert(runs(ENROLLMENT(INTEGER(17))));
  cr_assert_not(runs(ENROLLMENT(INTEGER(17))));
  cr_assert(runs(ENROLLMENT(INTEGER(18))));
  cr_assert(runs(ENROLLMENT(REAL(1.5))));
  cr_assert_not(runs(ENROLLMENT(REAL(1.5))));
  cr_assert(runs(ENROLLMENT(BOOLEAN(true))));
  cr_assert_not(runs(ENROLLMENT(STRING("true"))));
}

Test(repeat, anything_else_is_absent) {
  given_repeat(WM_ONCE_PER_JOURNEY);
  close_workspace();
  cr_assert(runs(OBJECT(MEMBER("enrollment", NOTHING), MEMBER("journey", STRING("x")))));
  cr_assert_not(runs(JOURNEY(STRING("x"))));
  cr_assert_not(runs(OBJECT(MEMBER("enrollment", LIST(INTEGER(1))), MEMBER("journey", STRING("x")))));
}

Test(repeat, events_without_a_journey_are_one_of_their_own) {
  given_repeat(WM_ONCE_PER_JOURNEY);
  close_workspace();
  cr_assert(runs(EMPTY_OBJECT));
  cr_assert_not(runs(OBJECT(MEMBER("journey", EMPTY_OBJECT))));
  cr_assert_not(runs(LIST(INTEGER(1))));
  cr_assert(runs(JOURNEY(STRING(""))), "an empty name is a name");
  cr_assert(runs(JOURNEY(STRING("none"))));
}

Test(repeat, event_without_data_is_one_too) {
  given_repeat(WM_ONCE_PER_JOURNEY);
  close_workspace();
  cr_assert(runs(EMPTY_OBJECT));
  struct wm_event event = milestone("bare", 50);
  event.data = NULL;
  decide(event);
  EXPECT_OUTCOME(0, 0, WM_RESULT_SKIPPED, WM_E_ALREADY_RAN);
}

Test(repeat, failure_alone_is_no_run) {
  struct wm_automation *automation = given_repeat(WM_ONCE_PER_USER);
  automation->tasks[0].role = WM_TEXT("tin");
  given_add(automation, 20, "tin")->stop_on_failure = true;
  close_workspace();
  decide(milestone("e-1", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_ROLE_UNKNOWN);
  decide(milestone("e-2", 11));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_ROLE_UNKNOWN);
}

Test(repeat, one_task_that_did_not_fail_is_a_run) {
  struct wm_automation *automation = given_repeat(WM_ONCE_PER_USER);
  given_add(automation, 20, "tin");
  close_workspace();
  decide(milestone("e-1", 10));
  EXPECT_OUTCOME(0, 1, WM_RESULT_FAILED, WM_E_ROLE_UNKNOWN);
  decide(milestone("e-2", 11));
  EXPECT_OUTCOME(0, 1, WM_RESULT_SKIPPED, WM_E_ALREADY_RAN);
}

Test(repeat, suppressed_is_a_run) {
  given_channel("mail");
  struct wm_automation *automation = given_automation("a");
  automation->repeat = WM_ONCE_PER_USER;
  given_notify(automation, 10, "mail", "Hello");
  close_workspace();
  struct wm_event event = milestone("e-1", 10);
  event.now_us = event.time_us + 2 * DAY;
  decide(event);
  EXPECT_OUTCOME(0, 0, WM_RESULT_SUPPRESSED, WM_E_TOO_OLD);
  decide(milestone("e-2", 11));
  EXPECT_OUTCOME(0, 0, WM_RESULT_SKIPPED, WM_E_ALREADY_RAN);
}

Test(repeat, order_of_arrival_counts) {
  given_repeat(WM_ONCE_PER_USER);
  close_workspace();
  decide(milestone("late", 50));
  decide(milestone("early", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_SKIPPED, WM_E_ALREADY_RAN);
}

Test(repeat, automations_are_told_apart) {
  given_repeat(WM_ONCE_PER_USER);
  struct wm_automation *other = given_automation("b");
  other->repeat = WM_ONCE_PER_USER;
  given_add(other, 10, "gold");
  close_workspace();
  decide(milestone("e-1", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  EXPECT_OUTCOME(1, 0, WM_RESULT_UNCHANGED, WM_OK);
  cr_assert_eq(user->ran_count, 2);
}

Test(repeat, rehire_begins_anew) {
  given_repeat(WM_ONCE_PER_USER);
  close_workspace();
  decide(milestone("e-1", 10));
  decide(deletion_event("d", 20));
  decide(profile_event("p", 30, OBJECT(MEMBER("status", STRING("active")))));
  decide(milestone("e-2", 40));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
}

Test(repeat, events_without_a_user_are_not_counted) {
  given_repeat(WM_ONCE_PER_USER);
  close_workspace();
  decide(without_user(milestone("e-1", 10)));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_USER_MISSING);
}

/* The other tasks of the run were fine, so the automation has run; the one that failed has not. */
Test(repeat, one_task_that_is_sent_again_is_a_rest_of_its_run) {
  struct wm_automation *automation = given_repeat(WM_ONCE_PER_USER);
  given_add(automation, 20, "silver");
  given_role("silver")->status = WM_ROLE_INACTIVE;
  close_workspace();
  decide(milestone("e", 10));
  EXPECT_OUTCOME(0, 1, WM_RESULT_FAILED, WM_E_ROLE_INACTIVE);
  workspace->roles[1].status = WM_ROLE_ACTIVE;
  struct wm_event again = milestone("e", 10);
  again.run = WM_TEXT("fix");
  again.only = (struct wm_only){.automation = WM_TEXT("a")};
  decide(again);
  EXPECT_OUTCOME(0, 0, WM_RESULT_SKIPPED, WM_E_ALREADY_RAN);
  again.only.task = true;
  again.only.sequence = 20;
  decide(again);
  cr_assert_eq(decision.executions[0].count, 1);
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
}

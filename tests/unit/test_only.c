/* Replays for one automation, or one task of it. */
#include "tests/unit/given.h"

/* The replay of a milestone for one automation, or one task of it. */
static struct wm_event only(struct wm_event event, const char *automation, const int64_t *sequence) {
  event.run = WM_TEXT("fix");
  event.only = (struct wm_only){.automation = wm_text_of(automation), .task = sequence != NULL};
  event.only.sequence = sequence ? *sequence : 0;
  return event;
}

/* 'a' gives gold and silver, 'b' gives bronze, whatever comes. */
static void given_two(void) {
  static const char *const roles[] = {"bronze", "gold", "silver"};
  for (size_t i = 0; i < 3; i++)
    given_role(roles[i]);
  struct wm_automation *a = given_automation("a");
  given_add(a, 10, "gold");
  given_add(a, 20, "silver");
  given_add(given_automation("b"), 10, "bronze");
  close_workspace();
}

Test(only, replay_for_one_automation_runs_no_other) {
  given_two();
  decide(only(milestone("e", 10), "b", NULL));
  cr_assert_eq(decision.execution_count, 1);
  cr_assert(wm_text_is(decision.executions[0].automation->name, "b"));
  cr_assert_eq(decision.change_count, 1);
}

Test(only, replay_for_one_task_runs_no_other_with_the_clock_that_it_always_had) {
  const int64_t sequence = 20;
  given_two();
  decide(only(milestone("e", 10), "a", &sequence));
  cr_assert_eq(decision.execution_count, 1);
  cr_assert_eq(decision.executions[0].count, 1);
  cr_assert_eq(outcome(0, 0)->task->sequence, 20);
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  cr_assert_eq(user->roles[0].grants[0].clock.sequence, 20);
  decide(milestone("e", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  EXPECT_OUTCOME(0, 1, WM_RESULT_UNCHANGED, WM_OK);
}

Test(only, replay_for_what_is_not_there_decides_nothing) {
  const int64_t sequence = 30;
  given_two();
  decide(only(milestone("e", 10), "c", NULL));
  cr_assert_eq(decision.fate, WM_FATE_NOTHING);
  decide(only(milestone("e", 10), "a", &sequence));
  cr_assert_eq(decision.fate, WM_FATE_NOTHING);
  cr_assert_null(user);
}

Test(only, replay_for_an_automation_is_no_profile_and_no_request) {
  given_two();
  decide(only(profile_event("p", 10, EMPTY_OBJECT), "a", NULL));
  cr_assert_eq(decision.fate, WM_FATE_NOTHING);
  decide(only(request_event("r", 10, true, "gold"), "a", NULL));
  cr_assert_eq(decision.fate, WM_FATE_NOTHING);
  cr_assert_null(user);
}

Test(only, replay_for_one_automation_asks_its_condition_again) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_when(automation, ALL(FIELD("data.score", TEST("is", STRING("high")))));
  given_add(automation, 10, "gold");
  close_workspace();
  decide(only(milestone_with("e", 10, OBJECT(MEMBER("score", STRING("low")))), "a", NULL));
  cr_assert_eq(decision.fate, WM_FATE_NOTHING);
}

/* A removal that leaves nothing, and the role of last resort. What it gives is data: tests/fixtures/simulate/baseline.
 */
#include "tests/unit/given.h"

static void given_baseline(void) {
  given_role("gold");
  given_role("member");
  given_remove(given_automation("take"), 10, "gold");
  close_workspace();
  workspace->baseline = WM_TEXT("member");
  decide(request_event("r", 1, true, "gold"));
}

static const struct wm_change *change_of(const char *role) {
  for (size_t i = 0; i < decision.change_count; i++)
    if (wm_text_is(decision.changes[i].role, role))
      return &decision.changes[i];
  cr_assert_fail("no change of '%s'", role);
  return NULL;
}

Test(baseline, both_changes_say_task_and_the_loss_stays_a_lockout) {
  given_baseline();
  decide(milestone("evt", 10));
  cr_assert(outcome(0, 0)->lockout);
  EXPECT_TEXT(outcome(0, 0)->baseline, "member");
  cr_assert_eq(decision.change_count, 2u);
  const struct wm_change *lost = change_of("gold"), *gained = change_of("member");
  cr_assert(!lost->effective && lost->lockout && lost->cause == WM_CAUSE_TASK);
  cr_assert(gained->effective && !gained->lockout && gained->cause == WM_CAUSE_TASK);
  EXPECT_TEXT(gained->clock.automation, "baseline");
  cr_assert_eq(gained->clock.sequence, 10);
  cr_assert_eq(gained->clock.time_us, 10 * SECOND);
}

Test(baseline, a_request_gives_it_too) {
  given_baseline();
  decide(request_event("q", 10, false, "gold"));
  EXPECT_TEXT(outcome(0, 0)->baseline, "member");
  cr_assert_eq(change_of("member")->cause, WM_CAUSE_REQUEST);
  EXPECT_TEXT(change_of("member")->clock.automation, "baseline");
  cr_assert_eq(change_of("member")->clock.sequence, 0);
}

Test(baseline, without_one_the_lockout_is_only_told) {
  given_baseline();
  workspace->baseline = WM_NO_TEXT;
  decide(milestone("evt", 10));
  cr_assert(outcome(0, 0)->lockout);
  cr_assert_null(outcome(0, 0)->baseline.bytes);
  cr_assert_eq(decision.change_count, 1);
}

Test(baseline, a_replay_of_the_removal_changes_nothing) {
  given_baseline();
  decide(milestone("evt", 10));
  struct wm_clock before;
  wm_clock_copy(&wm_user_role(user, WM_TEXT("member"))->grants[0].clock, &memory, &before);
  struct wm_event again = milestone("evt", 10);
  again.run = WM_TEXT("again");
  decide(again);
  EXPECT_OUTCOME(0, 0, WM_RESULT_UNCHANGED, WM_OK);
  cr_assert_null(outcome(0, 0)->baseline.bytes);
  cr_assert_eq(decision.change_count, 0);
  cr_assert_eq(wm_user_role(user, WM_TEXT("member"))->grant_count, 1);
  cr_assert_eq(wm_clock_compare(&wm_user_role(user, WM_TEXT("member"))->grants[0].clock, &before), 0);
}

static size_t too_large(const struct wm_user *of) {
  return wm_user_role(of, WM_TEXT("member")) ? 10 * terms.register_bytes : 0;
}

/* The register may not pass its limit for it. */
Test(baseline, one_that_is_too_large_is_not_given) {
  given_baseline();
  terms.register_size = too_large;
  terms.register_bytes = 1024;
  decide(milestone("evt", 10));
  cr_assert(outcome(0, 0)->lockout);
  cr_assert_null(outcome(0, 0)->baseline.bytes);
  cr_assert_not(is_assigned("member", 11));
  cr_assert_not(is_assigned("gold", 11));
}

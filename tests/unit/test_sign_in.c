/* Derived roles that begin at a sign-in. */
#include "tests/unit/given.h"

#define ACTIVE MEMBER("status", STRING("active"))
#define STAFF OBJECT(ACTIVE, MEMBER("groups", LIST(STRING("staff"))))

static void given_waiting_role(const char *name) {
  struct wm_role *role = given_role(name);
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_GROUP, .name = WM_TEXT("staff")});
  role->at_sign_in = true;
}

static bool holds(const char *role) {
  struct wm_role_set set;
  bool has = wm_project_has(workspace, user, wm_text_of(role), DAY);
  cr_assert_eq(wm_project(workspace, user, DAY, &memory, &set), 0);
  bool listed = false;
  for (size_t i = 0; i < set.count; i++)
    listed |= wm_text_is(set.roles[i]->name, role);
  cr_assert_eq(has, listed, "one role and all of them disagree about '%s'", role);
  return has;
}

Test(sign_in, begins_the_role_in_the_same_decision) {
  given_waiting_role("desk");
  close_workspace();
  cr_assert_eq(decide(profile_event("p", 10, STAFF))->change_count, 0);
  cr_assert_not(holds("desk"));
  decide(sign_in_event("s", 20));
  cr_assert_eq(decision.fate, WM_FATE_DECIDED);
  cr_assert_eq(decision.change_count, 1);
  EXPECT_TEXT(decision.changes[0].role, "desk");
  cr_assert(decision.changes[0].effective);
  cr_assert_eq(decision.changes[0].cause, WM_CAUSE_SIGN_IN);
  cr_assert_eq(decision.changes[0].clock.time_us, 20 * SECOND);
  cr_assert(holds("desk"));
}

Test(sign_in, a_profile_that_comes_late_shows_in_its_own_decision) {
  given_waiting_role("desk");
  close_workspace();
  decide(sign_in_event("s", 20));
  decide(profile_event("p", 20, STAFF));
  cr_assert_eq(decision.change_count, 1);
  cr_assert_eq(decision.changes[0].cause, WM_CAUSE_PROFILE);
}

Test(sign_in, a_newer_profile_ends_it_and_leaves_no_role) {
  given_waiting_role("desk");
  close_workspace();
  decide(profile_event("p", 10, STAFF));
  decide(sign_in_event("s", 20));
  decide(profile_event("q", 21, STAFF));
  cr_assert_eq(decision.change_count, 1);
  cr_assert_not(decision.changes[0].effective);
  cr_assert(decision.changes[0].lockout);
}

Test(sign_in, an_older_or_repeated_one_is_nothing) {
  close_workspace();
  decide(sign_in_event("s", 20));
  cr_assert_eq(decide(sign_in_event("s", 20))->fate, WM_FATE_NOTHING);
  cr_assert_eq(decide(sign_in_event("r", 10))->fate, WM_FATE_NOTHING);
  cr_assert_eq(user->signed_in.time_us, 20 * SECOND);
}

Test(sign_in, a_deletion_forgets_those_before_it_in_any_order) {
  given_waiting_role("desk");
  close_workspace();
  decide(sign_in_event("s", 20));
  decide(deletion_event("d", 30));
  cr_assert_not(wm_clock_is_set(&user->signed_in));
  cr_assert_eq(decide(sign_in_event("t", 25))->fate, WM_FATE_NOTHING);
  decide(profile_event("p", 30, STAFF));
  cr_assert_not(holds("desk"));
  decide(sign_in_event("u", 40));
  decide(deletion_event("c", 35));
  cr_assert_eq(user->signed_in.time_us, 40 * SECOND);
}

/* At the moment of the deletion the ids decide, as everywhere. */
Test(sign_in, a_tie_with_the_deletion_goes_by_the_clock) {
  close_workspace();
  decide(deletion_event("m", 30));
  cr_assert_eq(decide(sign_in_event("a", 30))->fate, WM_FATE_NOTHING);
  cr_assert_eq(decide(sign_in_event("z", 30))->fate, WM_FATE_DECIDED);
}

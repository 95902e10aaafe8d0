#include "tests/unit/given.h"

#define ACTIVE MEMBER("status", STRING("active"))

static void expect_change(size_t at, const char *role, bool effective, enum wm_cause cause) {
  cr_assert_lt(at, decision.change_count);
  const struct wm_change *change = &decision.changes[at];
  EXPECT_TEXT(change->role, role);
  cr_assert_eq(change->effective, effective);
  cr_assert(change->cause == cause, "%s", wm_cause_name(change->cause));
}

static void expect_clock(struct wm_clock clock, int64_t at_s, const char *id, const char *automation,
                         int64_t sequence) {
  cr_assert_eq(clock.time_us, at_s * SECOND);
  EXPECT_TEXT(clock.id, id);
  EXPECT_TEXT(clock.automation, automation);
  cr_assert_eq(clock.sequence, sequence);
}

/* --- which automations run, and in which order --- */

Test(decide, nothing_takes_the_event) {
  given_automation("a")->triggers[0] = WM_TEXT("journey.started");
  close_workspace();
  decide(milestone("evt", 10));
  cr_assert_eq(decision.fate, WM_FATE_NOTHING);
  cr_assert_null(decision.user);
  cr_assert_eq(decision.execution_count, 0);
}

Test(decide, automation_that_is_off_does_not_run) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "gold");
  automation->enabled = false;
  close_workspace();
  cr_assert_eq(decide(milestone("evt", 10))->fate, WM_FATE_NOTHING);
}

Test(decide, automations_run_by_name_and_tasks_by_sequence) {
  static const char *const names[] = {"b", "a-2", "a"};
  static const int64_t sequences[] = {30, -5, 10};
  given_role("gold");
  for (size_t i = 0; i < 3; i++) {
    struct wm_automation *automation = given_automation(names[i]);
    for (size_t t = 0; t < 3; t++)
      given_add(automation, sequences[t], "gold");
  }
  close_workspace();
  decide(milestone("evt", 10));
  cr_assert_eq(decision.fate, WM_FATE_DECIDED);
  cr_assert_eq(decision.execution_count, 3);
  EXPECT_TEXT(decision.executions[0].automation->name, "a");
  EXPECT_TEXT(decision.executions[1].automation->name, "a-2");
  EXPECT_TEXT(decision.executions[2].automation->name, "b");
  cr_assert_eq(outcome(0, 0)->task->sequence, -5);
  cr_assert_eq(outcome(0, 1)->task->sequence, 10);
  cr_assert_eq(outcome(0, 2)->task->sequence, 30);
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  EXPECT_OUTCOME(1, 0, WM_RESULT_UNCHANGED, WM_OK);
}

Test(decide, all_are_matched_against_the_state_before) {
  given_role("gold");
  given_role("silver");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "gold");
  automation = given_automation("b-with-gold");
  given_when(automation, ALL(FIELD("user.roles", TEST("has", STRING("gold")))));
  given_add(automation, 10, "silver");
  automation = given_automation("c-without-gold");
  given_when(automation, ALL(NOT(FIELD("user.roles", TEST("has", STRING("gold"))))));
  given_add(automation, 10, "silver");
  close_workspace();
  decide(milestone("evt-1", 10));
  cr_assert_eq(decision.execution_count, 2);
  EXPECT_TEXT(decision.executions[1].automation->name, "c-without-gold");
  decide(milestone("evt-2", 11));
  cr_assert_eq(decision.execution_count, 2);
  EXPECT_TEXT(decision.executions[1].automation->name, "b-with-gold");
}

Test(decide, conditions_see_the_roles_at_the_time_of_the_record) {
  given_role("gold");
  given_role("silver");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "gold")->expires_after_us = 5 * SECOND;
  automation = given_automation("b");
  given_when(automation, ALL(FIELD("user.roles", TEST("has", STRING("gold")))));
  given_add(automation, 10, "silver");
  close_workspace();
  decide(milestone("evt-1", 10));
  decide(milestone("evt-2", 14));
  cr_assert_eq(decision.execution_count, 2);
  struct wm_event late = milestone("evt-3", 14);
  late.now_us = 19 * SECOND;
  decide(late);
  cr_assert_eq(decision.execution_count, 1, "his grant of evt-2 had ended when the record came");
}

Test(decide, conditions_see_the_profile) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_when(automation, ALL(FIELD("user.type", TEST("is", STRING("partner")))));
  given_add(automation, 10, "gold");
  close_workspace();
  cr_assert_eq(decide(milestone("evt-1", 10))->fate, WM_FATE_NOTHING, "cannot tell is not yes");
  decide(profile_event("p", 11, OBJECT(ACTIVE, MEMBER("type", STRING("partner")))));
  cr_assert_eq(decide(milestone("evt-2", 12))->fate, WM_FATE_DECIDED);
}

Test(decide, user_without_register_has_an_empty_list_of_roles) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_when(automation, ALL(FIELD("user.roles", TEST("has-none", LIST(STRING("gold"))))));
  given_add(automation, 10, "gold");
  close_workspace();
  cr_assert_eq(decide(milestone("evt", 10))->fate, WM_FATE_DECIDED);
}

Test(decide, event_without_user_has_no_roles_at_all) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_when(automation, ALL(FIELD("user.roles", TEST("has-none", LIST(STRING("gold"))))));
  given_add(automation, 10, "gold");
  close_workspace();
  cr_assert_eq(decide(without_user(milestone("evt", 10)))->fate, WM_FATE_NOTHING);
}

Test(decide, candidates_that_were_sifted_are_taken) {
  struct wm_candidates candidates = {0};
  struct wm_error error;
  given_role("gold");
  given_add(given_automation("a"), 10, "gold");
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  cr_assert(wm_decide_needs_user(&event, NULL));
  cr_assert_not(wm_decide_needs_user(&event, &candidates));
  cr_assert(wm_decide(workspace, &terms, &event, NULL, 5, &candidates, &memory, &decision, &error) == 0);
  cr_assert_eq(decision.fate, WM_FATE_NOTHING);
  cr_assert(wm_index_sift(workspace->index, &event, &memory, &candidates) == 0);
  cr_assert(wm_decide_needs_user(&event, &candidates));
  cr_assert(wm_decide(workspace, &terms, &event, NULL, 5, &candidates, &memory, &decision, &error) == 0);
  cr_assert_eq(decision.fate, WM_FATE_DECIDED);
}

Test(decide, register_is_needed_where_there_is_a_user_to_write) {
  struct wm_candidates candidates = {.count = 1};
  struct wm_event event = without_user(milestone("evt", 10));
  cr_assert_not(wm_decide_needs_user(&event, &candidates));
  event = profile_event("p", 1, OBJECT(ACTIVE));
  cr_assert(wm_decide_needs_user(&event, NULL));
  event = request_event("r", 1, true, "gold");
  cr_assert(wm_decide_needs_user(&event, NULL));
  event.event_class = WM_EVENT_RESERVED;
  cr_assert_not(wm_decide_needs_user(&event, NULL));
}

/* --- tasks --- */

Test(decide, failed_task_lets_the_next_one_run) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "tin");
  given_add(automation, 20, "gold");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_ROLE_UNKNOWN);
  EXPECT_OUTCOME(0, 1, WM_RESULT_CHANGED, WM_OK);
}

Test(decide, failed_task_that_says_stop_skips_the_rest_of_its_automation) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 5, "gold")->stop_on_failure = true;
  given_add(automation, 10, "tin")->stop_on_failure = true;
  given_remove(automation, 20, "gold");
  given_notify(automation, 30, "nowhere", "Hello");
  given_remove(given_automation("b"), 10, "gold");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  EXPECT_OUTCOME(0, 1, WM_RESULT_FAILED, WM_E_ROLE_UNKNOWN);
  EXPECT_OUTCOME(0, 2, WM_RESULT_SKIPPED, WM_E_STOPPED);
  cr_assert_eq(outcome(0, 2)->effective, WM_EFFECTIVE_YES);
  EXPECT_OUTCOME(0, 3, WM_RESULT_SKIPPED, WM_E_STOPPED);
  cr_assert_eq(outcome(0, 3)->effective, WM_EFFECTIVE_NOT_TOLD);
  EXPECT_OUTCOME(1, 0, WM_RESULT_CHANGED, WM_OK);
}

Test(decide, stop_works_without_a_user) {
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "gold")->stop_on_failure = true;
  given_notify(automation, 20, "nowhere", "Hello");
  close_workspace();
  decide(without_user(milestone("evt", 10)));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_USER_MISSING);
  EXPECT_OUTCOME(0, 1, WM_RESULT_SKIPPED, WM_E_STOPPED);
}

Test(decide, automation_without_tasks_has_an_empty_execution) {
  given_automation("a");
  close_workspace();
  decide(milestone("evt", 10));
  cr_assert_eq(decision.fate, WM_FATE_DECIDED);
  cr_assert_eq(decision.execution_count, 1);
  cr_assert_eq(decision.executions[0].count, 0);
  cr_assert_null(decision.user);
}

/* --- duplicates --- */

static void given_gold_on_milestones(void) {
  given_role("gold");
  given_add(given_automation("a"), 10, "gold");
  close_workspace();
}

Test(decide, event_that_comes_again_is_a_duplicate) {
  given_gold_on_milestones();
  decide(milestone("evt", 10));
  decide(milestone("evt", 11));
  cr_assert_eq(decision.fate, WM_FATE_DUPLICATE);
  cr_assert_eq(decision.execution_count, 0);
  cr_assert_null(decision.user);
}

Test(decide, other_source_or_id_is_another_event) {
  given_gold_on_milestones();
  decide(milestone("evt", 10));
  cr_assert_eq(decide(milestone("evt-2", 10))->fate, WM_FATE_DECIDED);
  struct wm_event event = milestone("evt", 10);
  event.source = WM_TEXT("/other");
  cr_assert_eq(decide(event)->fate, WM_FATE_DECIDED);
}

Test(decide, unchanged_is_remembered_too) {
  given_gold_on_milestones();
  decide(milestone("evt-1", 10));
  decide(milestone("evt-2", 11));
  EXPECT_OUTCOME(0, 0, WM_RESULT_UNCHANGED, WM_OK);
  cr_assert_eq(decide(milestone("evt-2", 11))->fate, WM_FATE_DUPLICATE);
}

Test(decide, duplicate_is_told_before_conditions_on_the_user_are_asked) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_when(automation, ALL(FIELD("user.roles", TEST("has-none", LIST(STRING("gold"))))));
  given_add(automation, 10, "gold");
  close_workspace();
  decide(milestone("evt", 10));
  cr_assert_eq(decide(milestone("evt", 10))->fate, WM_FATE_DUPLICATE);
}

Test(decide, thirty_third_event_is_forgotten) {
  static char ids[33][8];
  given_gold_on_milestones();
  for (int i = 0; i < 33; i++) {
    snprintf(ids[i], sizeof(ids[i]), "evt-%d", i);
    cr_assert_eq(decide(milestone(ids[i], 10 + i))->fate, WM_FATE_DECIDED);
  }
  cr_assert_eq(decide(milestone("evt-1", 11))->fate, WM_FATE_DUPLICATE);
  cr_assert_eq(decide(milestone("evt-0", 10))->fate, WM_FATE_DECIDED);
}

Test(decide, event_that_failed_altogether_can_be_sent_again) {
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "tin")->stop_on_failure = true;
  given_add(automation, 20, "tin");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_ROLE_UNKNOWN);
  EXPECT_OUTCOME(0, 1, WM_RESULT_SKIPPED, WM_E_STOPPED);
  cr_assert_null(decision.user, "nothing to remember");
  cr_assert_eq(decide(milestone("evt", 10))->fate, WM_FATE_DECIDED);
}

Test(decide, event_that_failed_in_part_is_remembered) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "tin");
  given_add(automation, 20, "gold");
  close_workspace();
  decide(milestone("evt", 10));
  cr_assert_eq(decide(milestone("evt", 10))->fate, WM_FATE_DUPLICATE);
}

Test(decide, without_a_user_nothing_is_remembered) {
  given_gold_on_milestones();
  decide(without_user(milestone("evt", 10)));
  decide(without_user(milestone("evt", 10)));
  cr_assert_eq(decision.fate, WM_FATE_DECIDED);
}

Test(decide, replay_sees_events_of_the_live_run_again) {
  given_gold_on_milestones();
  decide(milestone("evt", 10));
  struct wm_event replayed = milestone("evt", 10);
  replayed.run = WM_TEXT("again");
  decide(replayed);
  EXPECT_OUTCOME(0, 0, WM_RESULT_UNCHANGED, WM_OK);
  cr_assert_null(user->roles[0].grants[0].by.run.bytes, "the same rules give the same register");
}

/* --- role changes --- */

Test(decide, changes_are_what_is_left_by_role) {
  given_role("gold");
  given_role("silver");
  given_role("bronze");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "silver");
  given_add(automation, 20, "gold");
  given_add(automation, 30, "bronze");
  automation = given_automation("b");
  given_remove(automation, 10, "silver");
  given_add(automation, 20, "gold");
  close_workspace();
  decide(milestone("evt", 10));
  cr_assert_eq(decision.change_count, 2);
  expect_change(0, "bronze", true, WM_CAUSE_TASK);
  expect_clock(decision.changes[0].clock, 10, "evt", "a", 30);
  expect_change(1, "gold", true, WM_CAUSE_TASK);
  expect_clock(decision.changes[1].clock, 10, "evt", "a", 20);
}

Test(decide, change_has_the_clock_of_the_last_write_that_made_it) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "gold");
  given_remove(automation, 20, "gold");
  given_add(automation, 30, "gold");
  close_workspace();
  decide(milestone("evt", 10));
  cr_assert_eq(decision.change_count, 1);
  expect_clock(decision.changes[0].clock, 10, "evt", "a", 30);
}

Test(decide, loss_that_left_none_is_a_lockout) {
  given_role("gold");
  given_role("silver");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "gold");
  given_add(automation, 20, "silver");
  automation = given_automation("b");
  automation->triggers[0] = WM_TEXT("journey.abandoned");
  given_remove(automation, 10, "silver");
  given_remove(automation, 20, "gold");
  close_workspace();
  decide(milestone("evt-1", 10));
  struct wm_event abandoned = milestone("evt-2", 11);
  abandoned.type = WM_TEXT("journey.abandoned");
  decide(abandoned);
  cr_assert_eq(decision.change_count, 2);
  expect_change(0, "gold", false, WM_CAUSE_TASK);
  cr_assert(decision.changes[0].lockout);
  expect_change(1, "silver", false, WM_CAUSE_TASK);
  cr_assert_not(decision.changes[1].lockout);
}

Test(decide, loss_with_a_role_left_is_no_lockout) {
  given_role("gold");
  given_role("silver");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "gold");
  automation = given_automation("b");
  automation->triggers[0] = WM_TEXT("journey.abandoned");
  given_remove(automation, 10, "gold");
  given_add(automation, 20, "silver");
  close_workspace();
  decide(milestone("evt-1", 10));
  struct wm_event abandoned = milestone("evt-2", 11);
  abandoned.type = WM_TEXT("journey.abandoned");
  decide(abandoned);
  cr_assert(outcome(0, 0)->lockout, "at that point he had none");
  cr_assert_eq(decision.change_count, 2);
  cr_assert_not(decision.changes[0].lockout);
}

Test(decide, grant_of_a_role_that_does_not_get_in_force_is_no_change) {
  given_role("gold");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "gold");
  close_workspace();
  decide(milestone("evt-1", 10));
  workspace->roles[0].status = WM_ROLE_INACTIVE;
  automation = &workspace->automations[0];
  automation->tasks[0].action = WM_REMOVE;
  decide(milestone("evt-2", 11));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  cr_assert_eq(decision.change_count, 0, "it was not effective before");
}

/* --- directory --- */

Test(decide, profile_makes_a_register_in_his_home) {
  given_role("gold");
  close_workspace();
  decide(profile_event("p", 10, OBJECT(ACTIVE)));
  cr_assert_eq(decision.fate, WM_FATE_DECIDED);
  cr_assert_eq(decision.execution_count, 0);
  cr_assert_eq(user->home, 5);
  EXPECT_TEXT(user->id, "user-7");
  expect_clock(user->profile.clock, 10, "p", "", 0);
}

Test(decide, profile_changes_derived_roles) {
  struct wm_role *role = given_role("staff");
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_GROUP, .name = WM_TEXT("staff")});
  role = given_role("sales");
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_GROUP, .name = WM_TEXT("sales")});
  close_workspace();
  decide(profile_event("p-1", 10, OBJECT(ACTIVE, MEMBER("groups", LIST(STRING("staff"))))));
  cr_assert_eq(decision.change_count, 1);
  expect_change(0, "staff", true, WM_CAUSE_PROFILE);
  expect_clock(decision.changes[0].clock, 10, "p-1", "", 0);
  decide(profile_event("p-2", 11, OBJECT(ACTIVE, MEMBER("groups", LIST(STRING("sales"))))));
  cr_assert_eq(decision.change_count, 2);
  expect_change(0, "sales", true, WM_CAUSE_PROFILE);
  expect_change(1, "staff", false, WM_CAUSE_PROFILE);
  cr_assert_not(decision.changes[1].lockout);
}

Test(decide, suspension_is_a_lockout_and_keeps_the_grants) {
  given_role("silver");
  given_gold_on_milestones();
  decide(milestone("evt", 10));
  decide(profile_event("p-1", 11, OBJECT(MEMBER("status", STRING("suspended")))));
  cr_assert_eq(decision.change_count, 1);
  expect_change(0, "gold", false, WM_CAUSE_PROFILE);
  cr_assert(decision.changes[0].lockout);
  decide(profile_event("p-2", 12, OBJECT(ACTIVE)));
  cr_assert_eq(decision.change_count, 1);
  expect_change(0, "gold", true, WM_CAUSE_PROFILE);
}

Test(decide, older_or_repeated_profile_is_nothing) {
  close_workspace();
  decide(profile_event("p-2", 20, OBJECT(ACTIVE)));
  cr_assert_eq(decide(profile_event("p-1", 10, OBJECT(ACTIVE)))->fate, WM_FATE_NOTHING);
  cr_assert_eq(decide(profile_event("p-2", 20, OBJECT(ACTIVE)))->fate, WM_FATE_NOTHING);
  cr_assert_eq(decide(profile_event("p-2", 20, OBJECT(ACTIVE, MEMBER("name", STRING("J")))))->fate, WM_FATE_DECIDED);
}

Test(decide, deletion_ends_every_role) {
  given_gold_on_milestones();
  decide(milestone("evt", 10));
  decide(deletion_event("d", 20));
  cr_assert_eq(decision.fate, WM_FATE_DECIDED);
  cr_assert_eq(decision.change_count, 1);
  expect_change(0, "gold", false, WM_CAUSE_DELETION);
  expect_clock(decision.changes[0].clock, 20, "d", "", 0);
  cr_assert(decision.changes[0].lockout);
  cr_assert_eq(decide(deletion_event("d", 20))->fate, WM_FATE_NOTHING);
}

/* --- requests --- */

Test(decide, request_gives_and_takes_with_the_source_manual) {
  given_role("gold");
  close_workspace();
  struct wm_event event = request_event("r-1", 10, true, "gold");
  event.request.until_us = 99 * SECOND;
  event.request.by = WM_TEXT("jane");
  event.request.reason = WM_TEXT("asked for it");
  decide(event);
  cr_assert_eq(decision.fate, WM_FATE_DECIDED);
  cr_assert_eq(decision.execution_count, 1);
  cr_assert_null(decision.executions[0].automation);
  cr_assert_eq(decision.executions[0].count, 1);
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  cr_assert_eq(outcome(0, 0)->task->sequence, 0);
  cr_assert_null(outcome(0, 0)->task->name.bytes);
  cr_assert_eq(outcome(0, 0)->task->type, &wm_change_role);
  EXPECT_TEXT(outcome(0, 0)->task->role, "gold");
  const struct wm_grant *grant = &user->roles[0].grants[0];
  EXPECT_TEXT(grant->source, "manual");
  expect_clock(grant->clock, 10, "r-1", "", 0);
  cr_assert_eq(grant->until_us, 99 * SECOND);
  EXPECT_TEXT(grant->by.by, "jane");
  EXPECT_TEXT(grant->by.reason, "asked for it");
  cr_assert_null(grant->by.version.bytes);
  expect_change(0, "gold", true, WM_CAUSE_REQUEST);
  expect_clock(decision.changes[0].clock, 10, "r-1", "", 0);
  decide(request_event("r-2", 11, false, "gold"));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  cr_assert_eq(outcome(0, 0)->dropped.count, 0);
  expect_change(0, "gold", false, WM_CAUSE_REQUEST);
}

Test(decide, request_without_end_has_none) {
  given_role("gold");
  close_workspace();
  decide(request_event("r", 10, true, "gold"));
  cr_assert_eq(user->roles[0].grants[0].until_us, WM_NEVER);
}

Test(decide, request_drops_the_grants_of_automations) {
  given_gold_on_milestones();
  decide(milestone("evt", 10));
  decide(request_event("r", 11, false, "gold"));
  cr_assert_eq(outcome(0, 0)->dropped.count, 1);
  EXPECT_TEXT(outcome(0, 0)->dropped.sources[0], "automation/a");
}

Test(decide, request_is_checked_and_tells_what_was_meant) {
  given_role("gold");
  close_workspace();
  decide(request_event("r", 10, true, "glod"));
  EXPECT_FAILED(0, 0, WM_E_ROLE_UNKNOWN, "role 'glod' is not in the catalogue, did you mean 'gold'");
  cr_assert_null(decision.user);
}

Test(decide, request_that_comes_again_is_a_duplicate) {
  given_role("gold");
  close_workspace();
  decide(request_event("r", 10, true, "gold"));
  cr_assert_eq(decide(request_event("r", 10, true, "gold"))->fate, WM_FATE_DUPLICATE);
}

Test(decide, reserved_type_is_ignored) {
  struct wm_automation *automation = given_automation("a");
  automation->triggers[0] = WM_TEXT("*");
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.type = WM_TEXT("role.something.new");
  event.event_class = WM_EVENT_RESERVED;
  cr_assert_eq(decide(event)->fate, WM_FATE_IGNORED);
}

/* --- the register --- */

Test(decide, register_that_was_given_is_left_alone) {
  given_gold_on_milestones();
  struct wm_user *given = wm_user_new(WM_TEXT("user-7"), 9);
  struct wm_event event = milestone("evt", 10);
  struct wm_error error;
  cr_assert(wm_decide(workspace, &terms, &event, given, 5, NULL, &memory, &decision, &error) == 0);
  cr_assert_eq(given->role_count, 0);
  cr_assert_eq(given->recent_count, 0);
  cr_assert_neq(decision.user, given);
  cr_assert_eq(decision.user->home, 9, "his home stays");
  wm_user_free(given);
  wm_user_free(decision.user);
}

Test(decide, same_events_give_the_same_roles_in_any_order) {
  given_role("gold");
  given_add(given_automation("a"), 10, "gold");
  struct wm_automation *taker = given_automation("b");
  taker->triggers[0] = WM_TEXT("journey.abandoned");
  given_remove(taker, 10, "gold");
  close_workspace();
  struct wm_event events[] = {milestone("e-1", 10), milestone("e-2", 20), milestone("e-3", 30), milestone("e-4", 40)};
  events[1].type = events[3].type = WM_TEXT("journey.abandoned");
  static const size_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 3, 0, 1}, {1, 0, 3, 2}, {3, 0, 1, 2}};
  for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
    wm_user_free(user);
    user = NULL;
    for (size_t e = 0; e < 4; e++)
      decide(events[orders[i][e]]);
    cr_assert_not(is_assigned("gold", 50));
    cr_assert_eq(user->roles[0].removed.time_us, 40 * SECOND);
    cr_assert_eq(user->roles[0].grant_count, 0);
  }
}

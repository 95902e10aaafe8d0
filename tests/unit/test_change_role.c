#include "tests/unit/given.h"

#define ACTIVE MEMBER("status", STRING("active"))

/* One automation 'a' with one task that adds or removes 'gold', on a catalogue with 'gold'. */
static struct wm_automation *automation;
static struct wm_task *task;
static struct wm_role *gold;

static void given_task_on_gold(enum wm_action action) {
  gold = given_role("gold");
  automation = given_automation("a");
  task = given_add(automation, 10, "gold");
  task->action = action;
}

static void given_profile(struct wm_value fields) {
  decide(profile_event("p", 1, fields));
  cr_assert_not_null(user);
}

static void expect_failed(enum wm_code code, const char *sentence) {
  close_workspace();
  const struct wm_user *before = user;
  decide(milestone("evt", 10));
  EXPECT_FAILED(0, 0, code, sentence);
  cr_assert_null(decision.user, "a failure leaves the register");
  cr_assert_eq(user, before);
  cr_assert_eq(decision.change_count, 0);
}

Test(change_role, gives_a_role) {
  given_task_on_gold(WM_ADD);
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  cr_assert_eq(outcome(0, 0)->effective, WM_EFFECTIVE_YES);
  cr_assert_not(outcome(0, 0)->lockout);
  cr_assert_null(outcome(0, 0)->message.bytes);
  const struct wm_grant *grant = &wm_user_role(user, WM_TEXT("gold"))->grants[0];
  EXPECT_TEXT(grant->source, "automation/a");
  cr_assert_eq(grant->clock.time_us, 10 * SECOND);
  EXPECT_TEXT(grant->clock.source, "/journeys");
  EXPECT_TEXT(grant->clock.id, "evt");
  EXPECT_TEXT(grant->clock.automation, "a");
  cr_assert_eq(grant->clock.sequence, 10);
  cr_assert_eq(grant->until_us, WM_NEVER);
  EXPECT_TEXT(grant->by.version, "3f9c2a417b60");
  EXPECT_TEXT(grant->by.origin.topic, "journey.milestones");
  cr_assert_eq(grant->by.origin.partition, 3);
  cr_assert_eq(grant->by.origin.offset, 10);
  cr_assert_null(grant->by.run.bytes);
}

Test(change_role, second_time_is_unchanged) {
  given_task_on_gold(WM_ADD);
  close_workspace();
  decide(milestone("evt-1", 10));
  decide(milestone("evt-2", 11));
  EXPECT_OUTCOME(0, 0, WM_RESULT_UNCHANGED, WM_OK);
  cr_assert_eq(outcome(0, 0)->effective, WM_EFFECTIVE_YES);
  cr_assert_eq(decision.change_count, 0);
}

Test(change_role, end_counts_from_the_time_of_the_event) {
  given_task_on_gold(WM_ADD);
  task->expires_after_us = DAY;
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.now_us = 20 * SECOND;
  decide(event);
  cr_assert_eq(user->roles[0].grants[0].until_us, 10 * SECOND + DAY);
}

Test(change_role, end_beyond_all_time_is_no_end) {
  given_task_on_gold(WM_ADD);
  task->expires_after_us = DAY;
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.time_us = INT64_MAX - 5;
  decide(event);
  cr_assert_eq(user->roles[0].grants[0].until_us, WM_NEVER);
}

Test(change_role, grant_that_has_ended_by_now_is_unchanged_and_not_effective) {
  given_task_on_gold(WM_ADD);
  task->expires_after_us = 5 * SECOND;
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.now_us = 20 * SECOND;
  decide(event);
  EXPECT_OUTCOME(0, 0, WM_RESULT_UNCHANGED, WM_OK);
  cr_assert_eq(outcome(0, 0)->effective, WM_EFFECTIVE_NO);
}

Test(change_role, replay_names_its_run) {
  given_task_on_gold(WM_ADD);
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.run = WM_TEXT("after-the-fix");
  decide(event);
  EXPECT_TEXT(user->roles[0].grants[0].by.run, "after-the-fix");
}

/* --- failures of add, in the order of contract 6 --- */

Test(change_role, other_entity_fails) {
  given_task_on_gold(WM_ADD);
  automation->entity = WM_TEXT("order");
  expect_failed(WM_E_ENTITY_NOT_ALLOWED, "entity 'order' may not change roles, only 'user-journey' may");
}

Test(change_role, other_event_type_fails) {
  given_task_on_gold(WM_ADD);
  automation->triggers[0] = WM_TEXT("order.*");
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.type = WM_TEXT("order.placed");
  decide(event);
  EXPECT_FAILED(0, 0, WM_E_ENTITY_NOT_ALLOWED,
                "event type 'order.placed' may not change roles, only those that begin with 'journey.' may");
}

Test(change_role, event_without_user_fails) {
  given_task_on_gold(WM_ADD);
  close_workspace();
  decide(without_user(milestone("evt", 10)));
  EXPECT_FAILED(0, 0, WM_E_USER_MISSING, "the event names no user");
  cr_assert_eq(outcome(0, 0)->effective, WM_EFFECTIVE_NOT_TOLD);
  cr_assert_null(decision.user);
}

Test(change_role, entity_comes_before_the_missing_user) {
  given_task_on_gold(WM_ADD);
  automation->entity = WM_TEXT("order");
  close_workspace();
  decide(without_user(milestone("evt", 10)));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_ENTITY_NOT_ALLOWED);
}

Test(change_role, unknown_user_fails_when_users_is_closed) {
  terms.users_closed = true;
  given_task_on_gold(WM_ADD);
  expect_failed(WM_E_USER_UNKNOWN, "user 'user-7' has no profile and users is 'closed'");
}

Test(change_role, user_with_a_profile_is_known_when_users_is_closed) {
  terms.users_closed = true;
  given_task_on_gold(WM_ADD);
  close_workspace();
  given_profile(OBJECT(ACTIVE));
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
}

Test(change_role, suspended_user_fails) {
  given_task_on_gold(WM_ADD);
  close_workspace();
  given_profile(OBJECT(MEMBER("status", STRING("suspended"))));
  expect_failed(WM_E_USER_INACTIVE, "user 'user-7' is not active but 'suspended'");
  cr_assert_eq(outcome(0, 0)->effective, WM_EFFECTIVE_NO);
}

Test(change_role, deleted_user_fails) {
  given_task_on_gold(WM_ADD);
  close_workspace();
  decide(deletion_event("d", 1));
  expect_failed(WM_E_USER_INACTIVE, "user 'user-7' is not active but 'deleted'");
}

Test(change_role, inactive_user_comes_before_the_unknown_role) {
  given_task_on_gold(WM_ADD);
  task->role = WM_TEXT("tin");
  close_workspace();
  given_profile(OBJECT(MEMBER("status", STRING("inactive"))));
  expect_failed(WM_E_USER_INACTIVE, "user 'user-7' is not active but 'inactive'");
}

Test(change_role, unknown_role_fails_with_the_one_that_was_meant) {
  given_role("certified-partner");
  given_task_on_gold(WM_ADD);
  task->role = WM_TEXT("certifed-partner");
  expect_failed(WM_E_ROLE_UNKNOWN, "role 'certifed-partner' is not in the catalogue, did you mean 'certified-partner'");
}

Test(change_role, unknown_role_fails_with_no_guess_when_nothing_is_near) {
  given_task_on_gold(WM_ADD);
  task->role = WM_TEXT("administrator-of-everything");
  expect_failed(WM_E_ROLE_UNKNOWN, "role 'administrator-of-everything' is not in the catalogue");
}

Test(change_role, administrator_role_is_protected) {
  given_task_on_gold(WM_ADD);
  gold->kind = WM_ROLE_ADMINISTRATOR;
  expect_failed(WM_E_ROLE_PROTECTED, "role 'gold' is of kind 'administrator' and never automated");
}

Test(change_role, system_role_is_protected) {
  given_task_on_gold(WM_ADD);
  gold->kind = WM_ROLE_SYSTEM;
  gold->status = WM_ROLE_ARCHIVED;
  expect_failed(WM_E_ROLE_PROTECTED, "role 'gold' is of kind 'system' and never automated");
}

Test(change_role, managed_role_is_protected) {
  given_task_on_gold(WM_ADD);
  gold->managed = true;
  expect_failed(WM_E_ROLE_PROTECTED, "role 'gold' is managed and never automated");
}

Test(change_role, inactive_role_fails) {
  given_task_on_gold(WM_ADD);
  gold->status = WM_ROLE_INACTIVE;
  expect_failed(WM_E_ROLE_INACTIVE, "role 'gold' is inactive");
}

Test(change_role, archived_role_fails) {
  given_task_on_gold(WM_ADD);
  gold->status = WM_ROLE_ARCHIVED;
  expect_failed(WM_E_ROLE_ARCHIVED, "role 'gold' is archived");
}

Test(change_role, role_of_another_type_fails) {
  given_task_on_gold(WM_ADD);
  gold->type = WM_TEXT("partner");
  close_workspace();
  given_profile(OBJECT(ACTIVE, MEMBER("type", STRING("guest"))));
  expect_failed(WM_E_ROLE_TYPE_MISMATCH, "role 'gold' is for type 'partner', user 'user-7' is of type 'guest'");
}

Test(change_role, type_comes_before_portals) {
  static struct wm_text portals[] = {{"partners", 8}};
  given_task_on_gold(WM_ADD);
  gold->type = WM_TEXT("partner");
  gold->portals = portals;
  gold->portal_count = 1;
  close_workspace();
  given_profile(OBJECT(ACTIVE, MEMBER("type", STRING("guest"))));
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_ROLE_TYPE_MISMATCH);
}

Test(change_role, role_of_other_portals_fails) {
  static struct wm_text portals[] = {{"partners", 8}};
  given_task_on_gold(WM_ADD);
  gold->portals = portals;
  gold->portal_count = 1;
  close_workspace();
  given_profile(OBJECT(ACTIVE, MEMBER("portals", LIST(STRING("shop")))));
  expect_failed(WM_E_ROLE_PORTAL_MISMATCH, "user 'user-7' has none of the portals of role 'gold'");
}

/* --- limits.register-bytes --- */

static size_t measured;

/* Stands in for the codec: 100 bytes a grant. */
static size_t hundred_a_grant(const struct wm_user *someone) {
  size_t size = 0;
  for (size_t i = 0; i < someone->role_count; i++)
    size += 100 * someone->roles[i].grant_count;
  measured++;
  return size;
}

Test(change_role, register_that_would_be_too_large_stays_as_it_was) {
  terms.register_bytes = 250;
  terms.register_size = hundred_a_grant;
  automation = given_automation("a");
  static const char *const names[] = {"r1", "r2", "r3", "r4"};
  for (size_t i = 0; i < 4; i++) {
    given_role(names[i]);
    given_add(automation, (int64_t)i, names[i]);
  }
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 1, WM_RESULT_CHANGED, WM_OK);
  EXPECT_FAILED(0, 2, WM_E_USER_TOO_LARGE,
                "the register of user 'user-7' would have 316 bytes, more than limits.register-bytes of 250");
  cr_assert_eq(outcome(0, 2)->effective, WM_EFFECTIVE_NO);
  EXPECT_OUTCOME(0, 3, WM_RESULT_FAILED, WM_E_USER_TOO_LARGE);
  cr_assert_eq(user->role_count, 2);
  cr_assert_eq(decision.change_count, 2);
  cr_assert(is_assigned("r1", 10) && is_assigned("r2", 10));
}

Test(change_role, superseded_add_is_never_too_large) {
  terms.register_bytes = 1;
  terms.register_size = hundred_a_grant;
  given_task_on_gold(WM_ADD);
  struct wm_automation *taker = given_automation("b");
  taker->triggers[0] = WM_TEXT("journey.abandoned");
  given_remove(taker, 10, "gold");
  close_workspace();
  struct wm_event abandoned = milestone("evt-2", 20);
  abandoned.type = WM_TEXT("journey.abandoned");
  decide(abandoned);
  decide(milestone("evt-1", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_SUPERSEDED, WM_OK);
}

Test(change_role, small_register_is_not_measured) {
  terms.register_size = hundred_a_grant;
  given_task_on_gold(WM_ADD);
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  cr_assert_eq(measured, 0);
}

/* --- remove --- */

/* 'a' takes gold on milestones; 'g' and 'h' give it when a journey is started. */
static void given_gold_taken(int64_t started_at_s) {
  given_task_on_gold(WM_REMOVE);
  struct wm_automation *giver = given_automation("g");
  giver->triggers[0] = WM_TEXT("journey.started");
  given_add(giver, 10, "gold");
  giver = given_automation("h");
  giver->triggers[0] = WM_TEXT("journey.started");
  given_add(giver, 10, "gold");
  close_workspace();
  struct wm_event started = milestone("start", started_at_s);
  started.type = WM_TEXT("journey.started");
  decide(started);
  cr_assert(is_assigned("gold", started_at_s));
}

Test(change_role, takes_a_role_and_tells_whose_grants) {
  given_gold_taken(5);
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  cr_assert_eq(outcome(0, 0)->effective, WM_EFFECTIVE_NO);
  cr_assert_eq(outcome(0, 0)->dropped.count, 2);
  EXPECT_TEXT(outcome(0, 0)->dropped.sources[0], "automation/g");
  EXPECT_TEXT(outcome(0, 0)->dropped.sources[1], "automation/h");
  cr_assert(outcome(0, 0)->lockout);
  cr_assert_not(is_assigned("gold", 10));
}

Test(change_role, own_grant_is_not_told_as_dropped) {
  given_task_on_gold(WM_ADD);
  given_remove(automation, 20, "gold");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 1, WM_RESULT_CHANGED, WM_OK);
  cr_assert_eq(outcome(0, 1)->dropped.count, 0);
}

Test(change_role, removal_of_what_nobody_gave_is_unchanged) {
  given_task_on_gold(WM_REMOVE);
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_UNCHANGED, WM_OK);
  cr_assert_not(outcome(0, 0)->lockout, "it changed nothing");
  cr_assert(wm_clock_is_set(&user->roles[0].removed));
}

Test(change_role, late_removal_is_superseded_by_the_newest_grant) {
  given_gold_taken(50);
  struct wm_event late = milestone("evt", 10);
  late.now_us = 60 * SECOND;
  decide(late);
  EXPECT_OUTCOME(0, 0, WM_RESULT_SUPERSEDED, WM_OK);
  cr_assert_eq(outcome(0, 0)->stands.time_us, 50 * SECOND);
  EXPECT_TEXT(outcome(0, 0)->stands.automation, "h");
  cr_assert_eq(outcome(0, 0)->effective, WM_EFFECTIVE_YES);
}

Test(change_role, late_grant_is_superseded_by_the_removal) {
  given_task_on_gold(WM_ADD);
  struct wm_automation *taker = given_automation("b");
  taker->triggers[0] = WM_TEXT("journey.abandoned");
  given_remove(taker, 70, "gold");
  close_workspace();
  struct wm_event abandoned = milestone("evt-2", 20);
  abandoned.type = WM_TEXT("journey.abandoned");
  decide(abandoned);
  decide(milestone("evt-1", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_SUPERSEDED, WM_OK);
  cr_assert_eq(outcome(0, 0)->stands.time_us, 20 * SECOND);
  EXPECT_TEXT(outcome(0, 0)->stands.id, "evt-2");
  EXPECT_TEXT(outcome(0, 0)->stands.automation, "b");
  cr_assert_eq(outcome(0, 0)->stands.sequence, 70);
}

Test(change_role, late_grant_is_superseded_by_a_deletion) {
  given_task_on_gold(WM_ADD);
  close_workspace();
  decide(deletion_event("gone", 20));
  decide(profile_event("back", 30, OBJECT(ACTIVE)));
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_SUPERSEDED, WM_OK);
  EXPECT_TEXT(outcome(0, 0)->stands.id, "gone");
  EXPECT_TEXT(outcome(0, 0)->stands.automation, "");
  cr_assert_eq(outcome(0, 0)->stands.sequence, 0);
}

Test(change_role, removal_is_no_lockout_while_another_role_is_left) {
  given_role("silver");
  given_task_on_gold(WM_ADD);
  given_add(automation, 20, "silver");
  given_remove(automation, 30, "gold");
  given_remove(automation, 40, "silver");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 2, WM_RESULT_CHANGED, WM_OK);
  cr_assert_not(outcome(0, 2)->lockout);
  cr_assert(outcome(0, 3)->lockout);
}

Test(change_role, removal_of_a_derived_role_says_so) {
  given_task_on_gold(WM_ADD);
  given_remove(automation, 20, "gold");
  given_remove(automation, 30, "gold");
  given_criterion(gold, (struct wm_criterion){.kind = WM_CRITERION_ALL});
  close_workspace();
  given_profile(OBJECT(ACTIVE));
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  EXPECT_OUTCOME(0, 1, WM_RESULT_CHANGED, WM_E_STILL_DERIVED);
  cr_assert_eq(outcome(0, 1)->effective, WM_EFFECTIVE_YES);
  cr_assert_not(outcome(0, 1)->lockout);
  cr_assert_null(outcome(0, 1)->message.bytes);
  EXPECT_OUTCOME(0, 2, WM_RESULT_UNCHANGED, WM_E_STILL_DERIVED);
  cr_assert_eq(decision.change_count, 0, "it is effective before and after");
}

Test(change_role, criterion_of_a_role_that_is_out_of_force_does_not_count) {
  given_task_on_gold(WM_REMOVE);
  given_criterion(gold, (struct wm_criterion){.kind = WM_CRITERION_ALL});
  gold->status = WM_ROLE_INACTIVE;
  close_workspace();
  given_profile(OBJECT(ACTIVE));
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_UNCHANGED, WM_OK);
}

Test(change_role, removal_works_on_a_suspended_user_and_a_retired_role) {
  given_gold_taken(5);
  struct wm_role *role = &workspace->roles[0];
  role->status = WM_ROLE_ARCHIVED;
  role->type = WM_TEXT("partner");
  given_profile(OBJECT(MEMBER("status", STRING("suspended")), MEMBER("type", STRING("guest"))));
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_CHANGED, WM_OK);
  cr_assert_not(is_assigned("gold", 10));
}

Test(change_role, removal_checks_entity_user_and_role) {
  given_task_on_gold(WM_REMOVE);
  given_remove(automation, 20, "tin");
  given_role("root")->kind = WM_ROLE_ADMINISTRATOR;
  given_remove(automation, 30, "root");
  given_role("kept")->managed = true;
  given_remove(automation, 40, "kept");
  close_workspace();
  terms.users_closed = true;
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_USER_UNKNOWN);
  EXPECT_OUTCOME(0, 1, WM_RESULT_FAILED, WM_E_USER_UNKNOWN);
  decide(without_user(milestone("evt", 10)));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_USER_MISSING);
  EXPECT_OUTCOME(0, 1, WM_RESULT_FAILED, WM_E_USER_MISSING);
  terms.users_closed = false;
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_UNCHANGED, WM_OK);
  EXPECT_OUTCOME(0, 1, WM_RESULT_FAILED, WM_E_ROLE_UNKNOWN);
  EXPECT_OUTCOME(0, 2, WM_RESULT_FAILED, WM_E_ROLE_PROTECTED);
  EXPECT_OUTCOME(0, 3, WM_RESULT_FAILED, WM_E_ROLE_PROTECTED);
  workspace->automations[0].entity = WM_TEXT("order");
  decide(milestone("evt-2", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_ENTITY_NOT_ALLOWED);
}

/* --- lint --- */

static struct wm_findings findings;

static void check(void) {
  close_workspace();
  wm_findings_release(&findings); /* a test may check several times */
  wm_findings_init(&findings);
  const struct wm_automation *checked = &workspace->automations[0];
  wm_change_role.check(workspace, checked, &checked->tasks[0], &findings);
}

static void expect_finding(enum wm_severity severity, enum wm_code code, const char *text) {
  check();
  cr_assert_eq(findings.count, 1, "%zu findings", findings.count);
  cr_assert_eq(findings.items[0].severity, severity);
  cr_assert_eq(findings.items[0].code, code);
  EXPECT_TEXT(findings.items[0].text, text);
}

Test(change_role, good_task_has_no_findings) {
  given_task_on_gold(WM_ADD);
  check();
  cr_assert_eq(findings.count, 0);
}

Test(change_role, dangling_role_is_an_error) {
  given_task_on_gold(WM_ADD);
  task->role = WM_TEXT("golf");
  expect_finding(WM_ERROR, WM_E_ROLE_UNKNOWN, "role 'golf' is not in the catalogue, did you mean 'gold'");
}

Test(change_role, protected_role_is_an_error) {
  given_task_on_gold(WM_REMOVE);
  gold->managed = true;
  expect_finding(WM_ERROR, WM_E_ROLE_PROTECTED, "role 'gold' is managed and never automated");
}

Test(change_role, inactive_role_is_a_warning) {
  given_task_on_gold(WM_ADD);
  gold->status = WM_ROLE_INACTIVE;
  expect_finding(WM_WARNING, WM_E_ROLE_INACTIVE, "role 'gold' is inactive");
}

Test(change_role, archived_role_is_a_warning) {
  given_task_on_gold(WM_ADD);
  gold->status = WM_ROLE_ARCHIVED;
  expect_finding(WM_WARNING, WM_E_ROLE_ARCHIVED, "role 'gold' is archived");
}

Test(change_role, removal_of_an_archived_role_is_fine) {
  given_task_on_gold(WM_REMOVE);
  gold->status = WM_ROLE_ARCHIVED;
  check();
  cr_assert_eq(findings.count, 0);
}

Test(change_role, other_entity_is_an_error) {
  given_task_on_gold(WM_ADD);
  automation->entity = WM_TEXT("order");
  expect_finding(WM_ERROR, WM_E_ENTITY_NOT_ALLOWED, "entity 'order' may not change roles, only 'user-journey' may");
}

Test(change_role, triggers_that_never_take_a_journey_are_an_error) {
  given_task_on_gold(WM_ADD);
  automation->triggers[0] = WM_TEXT("order.placed");
  expect_finding(WM_ERROR, WM_E_ENTITY_NOT_ALLOWED,
                 "automation 'a' has no trigger that begins with 'journey.', only such events may change roles");
}

Test(change_role, trigger_that_may_take_a_journey_is_fine) {
  static const char *const triggers[] = {"*", "jour*", "journey.*", "journey.x", "journey.milestone.*"};
  given_task_on_gold(WM_ADD);
  for (size_t i = 0; i < sizeof(triggers) / sizeof(*triggers); i++) {
    automation->triggers[0] = wm_text_of(triggers[i]);
    check();
    cr_assert_eq(findings.count, 0, "%s", triggers[i]);
  }
}

#include "tests/unit/given.h"

#define ACTIVE MEMBER("status", STRING("active"))

static struct wm_automation *automation;
static struct wm_task *task;

static void given_notification(const char *channel, const char *to, const char *message) {
  given_channel("partner-mail");
  automation = given_automation("a");
  task = given_notify(automation, 10, channel, message);
  task->title = template_of("You are certified");
  task->to = wm_text_of(to);
}

static const struct wm_notification *only_notification(void) {
  cr_assert_eq(decision.notification_count, 1);
  return &decision.notifications[0];
}

Test(notify, requests_a_notification) {
  given_notification("partner-mail", NULL, "Hello {{ user.name }}, {{ data.milestone }} is done.");
  close_workspace();
  decide(profile_event("p", 1, OBJECT(ACTIVE, MEMBER("name", STRING("Jane")), MEMBER("email", STRING("j@x.example")))));
  decide(milestone_with("evt", 10, OBJECT(MEMBER("milestone", STRING("certified")))));
  EXPECT_OUTCOME(0, 0, WM_RESULT_REQUESTED, WM_OK);
  cr_assert_eq(outcome(0, 0)->effective, WM_EFFECTIVE_NOT_TOLD);
  EXPECT_TEXT(only_notification()->recipient, "user-7");
  EXPECT_TEXT(only_notification()->address, "j@x.example");
  EXPECT_TEXT(only_notification()->title, "You are certified");
  EXPECT_TEXT(only_notification()->message, "Hello Jane, certified is done.");
  cr_assert_eq(only_notification()->automation, &workspace->automations[0]);
  cr_assert_eq(only_notification()->task, &workspace->automations[0].tasks[0]);
  cr_assert_eq(decision.change_count, 0);
}

Test(notify, user_without_address_is_requested_too) {
  given_notification("partner-mail", "user", "Hello");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_OUTCOME(0, 0, WM_RESULT_REQUESTED, WM_OK);
  EXPECT_TEXT(only_notification()->recipient, "user-7");
  cr_assert_null(only_notification()->address.bytes);
}

Test(notify, manager_is_named_by_his_user_id) {
  given_notification("partner-mail", "manager", "Hello");
  close_workspace();
  decide(profile_event("p", 1,
                       OBJECT(ACTIVE, MEMBER("email", STRING("j@x.example")),
                              MEMBER("managers", LIST(STRING("user-1"), STRING("user-2"))))));
  decide(milestone("evt", 10));
  EXPECT_TEXT(only_notification()->recipient, "user-2");
  cr_assert_null(only_notification()->address.bytes);
}

Test(notify, address_is_taken_as_it_is) {
  given_notification("partner-mail", "help@acme.example", "Hello");
  close_workspace();
  decide(milestone("evt", 10));
  cr_assert_null(only_notification()->recipient.bytes);
  EXPECT_TEXT(only_notification()->address, "help@acme.example");
}

Test(notify, task_without_title_has_an_empty_one) {
  given_notification("partner-mail", NULL, "Hello");
  task->title = (struct wm_template){0};
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_TEXT(only_notification()->title, "");
}

Test(notify, templates_see_the_roles_after_earlier_tasks) {
  given_role("gold");
  given_role("silver");
  given_notification("partner-mail", NULL, "{{ user.roles }}");
  given_add(automation, 5, "silver");
  given_add(automation, 20, "gold");
  given_notify(automation, 30, "partner-mail", "{{user.roles}}");
  close_workspace();
  decide(milestone("evt", 10));
  cr_assert_eq(decision.notification_count, 2);
  EXPECT_TEXT(decision.notifications[0].message, "silver");
  EXPECT_TEXT(decision.notifications[1].message, "gold, silver");
}

/* --- failures, in the order of contract 6 --- */

Test(notify, event_without_user_fails_first) {
  given_notification("nowhere", "manager", "{{ data.x }}");
  close_workspace();
  decide(without_user(milestone("evt", 10)));
  EXPECT_FAILED(0, 0, WM_E_USER_MISSING, "the event names no user");
}

Test(notify, unknown_channel_fails_second) {
  given_notification("partner-mial", "manager", "{{ data.x }}");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_FAILED(0, 0, WM_E_CHANNEL_UNKNOWN, "channel 'partner-mial' is not known, did you mean 'partner-mail'");
}

Test(notify, unknown_manager_fails_third) {
  given_notification("partner-mail", "manager", "{{ data.x }}");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_FAILED(0, 0, WM_E_RECIPIENT_UNKNOWN, "user 'user-7' has no manager that is known");
}

Test(notify, template_without_its_field_fails_last) {
  given_notification("partner-mail", NULL, "{{ data.x }}");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_FAILED(0, 0, WM_E_TEMPLATE_FAILED, "'data.x' is absent");
  cr_assert_eq(decision.notification_count, 0);
  cr_assert_null(decision.user, "a failure is not remembered");
}

Test(notify, title_can_fail_too) {
  given_notification("partner-mail", NULL, "Hello");
  task->title = template_of("{{ user.name }}");
  close_workspace();
  decide(milestone("evt", 10));
  EXPECT_FAILED(0, 0, WM_E_TEMPLATE_FAILED, "'user.name' is absent");
}

/* --- suppression --- */

Test(notify, replay_without_notifications_suppresses) {
  given_notification("partner-mail", NULL, "Hello");
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.notify = false;
  decide(event);
  EXPECT_OUTCOME(0, 0, WM_RESULT_SUPPRESSED, WM_E_REPLAY);
  cr_assert_eq(decision.notification_count, 0);
  cr_assert_null(outcome(0, 0)->message.bytes);
}

Test(notify, old_event_suppresses) {
  given_notification("partner-mail", NULL, "Hello");
  close_workspace();
  struct wm_event event = milestone("evt-1", 10);
  event.now_us = event.time_us + DAY;
  decide(event);
  EXPECT_OUTCOME(0, 0, WM_RESULT_REQUESTED, WM_OK);
  event = milestone("evt-2", 10);
  event.now_us = event.time_us + DAY + 1;
  decide(event);
  EXPECT_OUTCOME(0, 0, WM_RESULT_SUPPRESSED, WM_E_TOO_OLD);
}

Test(notify, no_age_is_too_old_where_there_is_no_limit) {
  terms.notify_age_us = 0;
  given_notification("partner-mail", NULL, "Hello");
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.now_us = INT64_MAX - 1;
  event.time_us = INT64_MIN + 1;
  decide(event);
  EXPECT_OUTCOME(0, 0, WM_RESULT_REQUESTED, WM_OK);
}

Test(notify, failure_comes_before_suppression) {
  given_notification("partner-mail", NULL, "{{ data.x }}");
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.notify = false;
  decide(event);
  EXPECT_OUTCOME(0, 0, WM_RESULT_FAILED, WM_E_TEMPLATE_FAILED);
}

Test(notify, suppressed_event_is_remembered) {
  given_notification("partner-mail", NULL, "Hello");
  close_workspace();
  struct wm_event event = milestone("evt", 10);
  event.now_us = event.time_us + 2 * DAY;
  decide(event);
  cr_assert_not_null(decision.user);
  cr_assert_eq(decide(event)->fate, WM_FATE_DUPLICATE);
}

/* --- lint --- */

Test(notify, dangling_channel_is_an_error) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  given_notification("partner-mial", NULL, "Hello");
  given_notify(automation, 20, "partner-mail", "Hello");
  close_workspace();
  automation = &workspace->automations[0];
  wm_notify.check(workspace, automation, &automation->tasks[0], &findings);
  wm_notify.check(workspace, automation, &automation->tasks[1], &findings);
  cr_assert_eq(findings.count, 1);
  cr_assert_eq(findings.items[0].severity, WM_ERROR);
  cr_assert_eq(findings.items[0].code, WM_E_CHANNEL_UNKNOWN);
  EXPECT_TEXT(findings.items[0].text, "channel 'partner-mial' is not known, did you mean 'partner-mail'");
  wm_findings_release(&findings);
}

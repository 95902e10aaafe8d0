#include <criterion/criterion.h>

#include <stdio.h>

#include "core/running.h"

static struct wm_running running;

static void tear_down(void) {
  wm_running_release(&running);
}
TestSuite(running, .fini = tear_down);

static int take(enum wm_running_kind kind, const char *name, enum wm_running_state state) {
  struct wm_running_word word = {.kind = kind, .name = wm_text_of(name), .state = state, .by = WM_TEXT("jane")};
  struct wm_error error;
  return wm_running_take(&running, &word, &error);
}

Test(running, what_nobody_spoke_of_is_as_written) {
  cr_expect(wm_running_enabled(&running, WM_TEXT("a"), true));
  cr_expect_not(wm_running_enabled(&running, WM_TEXT("a"), false));
  cr_expect_not(wm_running_enabled(NULL, WM_TEXT("a"), false));
  cr_expect_eq(wm_running_status(NULL, WM_TEXT("r"), WM_ROLE_INACTIVE), WM_ROLE_INACTIVE);
  cr_expect_eq(wm_running_status(&running, WM_TEXT("r"), WM_ROLE_ARCHIVED), WM_ROLE_ARCHIVED);
}

Test(running, the_newest_word_counts_against_what_is_written) {
  cr_expect_eq(take(WM_RUNNING_AUTOMATION, "a", WM_RUNNING_OFF), 1);
  cr_expect_eq(take(WM_RUNNING_AUTOMATION, "a", WM_RUNNING_OFF), 0);
  cr_expect_not(wm_running_enabled(&running, WM_TEXT("a"), true));
  cr_expect_eq(take(WM_RUNNING_AUTOMATION, "a", WM_RUNNING_ON), 1);
  cr_expect(wm_running_enabled(&running, WM_TEXT("a"), false));
  cr_expect_eq(take(WM_RUNNING_AUTOMATION, "a", WM_RUNNING_AS_WRITTEN), 1);
  cr_expect_eq(take(WM_RUNNING_AUTOMATION, "a", WM_RUNNING_AS_WRITTEN), 0);
  cr_expect_not(wm_running_enabled(&running, WM_TEXT("a"), false));
}

Test(running, a_role_is_archived_and_comes_back) {
  take(WM_RUNNING_ROLE, "r", WM_RUNNING_OFF);
  cr_expect_eq(wm_running_status(&running, WM_TEXT("r"), WM_ROLE_ACTIVE), WM_ROLE_ARCHIVED);
  cr_expect_eq(wm_running_status(&running, WM_TEXT("r"), WM_ROLE_INACTIVE), WM_ROLE_ARCHIVED);
  take(WM_RUNNING_ROLE, "r", WM_RUNNING_ON);
  cr_expect_eq(wm_running_status(&running, WM_TEXT("r"), WM_ROLE_ACTIVE), WM_ROLE_ACTIVE);
  cr_expect_eq(wm_running_status(&running, WM_TEXT("r"), WM_ROLE_INACTIVE), WM_ROLE_INACTIVE);
  cr_expect_eq(wm_running_status(&running, WM_TEXT("r"), WM_ROLE_ARCHIVED), WM_ROLE_ACTIVE);
}

Test(running, automations_and_roles_of_one_name_are_two_things) {
  take(WM_RUNNING_ROLE, "x", WM_RUNNING_OFF);
  cr_expect(wm_running_enabled(&running, WM_TEXT("x"), true));
}

Test(running, words_stand_by_name_whatever_order_they_came_in) {
  char name[16];
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "n%03d", i * 617 % 1000);
    cr_assert_eq(take(WM_RUNNING_ROLE, name, i % 2 ? WM_RUNNING_ON : WM_RUNNING_OFF), 1);
  }
  cr_assert_eq(running.lists[WM_RUNNING_ROLE].count, 1000);
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "n%03d", i);
    cr_assert(wm_text_is(running.lists[WM_RUNNING_ROLE].items[i]->name, name));
    cr_assert_not_null(wm_running_get(&running, WM_RUNNING_ROLE, wm_text_of(name)));
  }
  for (int i = 0; i < 1000; i += 2) {
    snprintf(name, sizeof name, "n%03d", i);
    take(WM_RUNNING_ROLE, name, WM_RUNNING_AS_WRITTEN);
  }
  cr_expect_eq(running.lists[WM_RUNNING_ROLE].count, 500);
  cr_expect_null(wm_running_get(&running, WM_RUNNING_ROLE, WM_TEXT("n500")));
  cr_expect_not_null(wm_running_get(&running, WM_RUNNING_ROLE, WM_TEXT("n501")));
}

Test(running, texts_are_copied_and_given_back) {
  char reason[] = "audit";
  struct wm_running_word word = {.name = WM_TEXT("a"), .state = WM_RUNNING_OFF, .reason = wm_text_of(reason)};
  wm_running_take(&running, &word, NULL);
  reason[0] = 'X';
  const struct wm_running_word *kept = wm_running_get(&running, WM_RUNNING_AUTOMATION, WM_TEXT("a"));
  cr_expect(wm_text_is(kept->reason, "audit"));
  cr_expect_null(kept->by.bytes);
  take(WM_RUNNING_AUTOMATION, "a", WM_RUNNING_AS_WRITTEN);
  cr_expect_eq(running.text_size, 0);
}

Test(running, more_text_than_is_kept_is_refused_and_changes_nothing) {
  static char reason[WM_RUNNING_TEXT_LIMIT];
  memset(reason, 'x', sizeof reason);
  struct wm_running_word word = {.name = WM_TEXT("a"), .state = WM_RUNNING_OFF, .reason = {reason, sizeof reason}};
  struct wm_error error;
  cr_expect_eq(wm_running_take(&running, &word, &error), -1);
  cr_expect_eq(error.code, WM_E_CONTROL_INVALID);
  cr_expect_null(wm_running_get(&running, WM_RUNNING_AUTOMATION, WM_TEXT("a")));
  word.reason.size -= 1;
  cr_expect_eq(wm_running_take(&running, &word, &error), 1);
  cr_expect_eq(take(WM_RUNNING_AUTOMATION, "b", WM_RUNNING_OFF), -1);
}

/* What a withdrawal takes back of what one source gave, and of which version. */
#include <criterion/criterion.h>

#include "core/moment.h"
#include "core/user.h"

#define NOW (100 * WM_SECOND_US)
#define ROLE WM_TEXT("gold")
#define SOURCE WM_TEXT("automation/a")

static struct wm_user *user;
static struct wm_clock stands;

static void begin(void) {
  user = wm_user_new(WM_TEXT("user-7"), 3);
  cr_assert_not_null(user);
}

static void end(void) {
  wm_user_free(user);
}

TestSuite(withdrawal, .init = begin, .fini = end);

static struct wm_clock clock_at(int64_t at_s) {
  return (struct wm_clock){at_s * WM_SECOND_US, WM_TEXT("/journeys"), WM_TEXT("evt"), WM_TEXT("a"), 10};
}

static void add_by(int64_t at_s, const char *version) {
  const struct wm_grant grant = {
      .source = SOURCE, .clock = clock_at(at_s), .until_us = WM_NEVER, .by = {.version = wm_text_of(version)}};
  enum wm_write write;
  cr_assert_eq(wm_user_add_grant(user, ROLE, &grant, NOW, &write, &stands), 0);
}

static enum wm_write take_back(int64_t at_s, const char *version) {
  const struct wm_withdrawn withdrawn = {SOURCE, version ? wm_text_of(version) : WM_NO_TEXT};
  struct wm_clock clock = clock_at(at_s);
  enum wm_write ret;
  cr_assert_eq(wm_user_take_back(user, ROLE, &withdrawn, &clock, NOW, &ret, &stands), 0);
  return ret;
}

static bool assigned(void) {
  return wm_user_is_assigned(user, ROLE, NOW);
}

/* Somebody looked, and before he is heard a replay renews the grant: same clock, another version. */
Test(withdrawal, of_a_version_takes_only_what_that_version_gave) {
  add_by(10, "old");
  add_by(10, "new");
  cr_assert_eq(take_back(11, "old"), WM_WRITE_SUPERSEDED);
  cr_assert_eq(stands.time_us, 10 * WM_SECOND_US);
  cr_assert(assigned());
  cr_assert_not(wm_clock_is_set(&wm_user_grant(user, ROLE, SOURCE)->taken), "it leaves nothing behind");
  cr_assert_eq(take_back(11, "new"), WM_WRITE_CHANGED);
  cr_assert_not(assigned());
  cr_assert_eq(take_back(12, "old"), WM_WRITE_UNCHANGED);
  add_by(10, "old");
  cr_assert_not(assigned());
}

Test(withdrawal, without_a_version_takes_whatever_the_source_gave) {
  add_by(10, "new");
  cr_assert_eq(take_back(11, NULL), WM_WRITE_CHANGED);
}

/* limits.register-bytes with the size that is really stored. */
#include "tests/unit/given.h"

#include "core/codec/register.h"

/* Text that JSON makes six times as long. */
static struct wm_text controls(size_t size) {
  char *bytes = wm_arena_alloc(&memory, size);
  memset(bytes, 1, size);
  return (struct wm_text){bytes, size};
}

/* Events with sources and ids of 'size' such bytes give forty roles, three at a time, once per journey. */
static void fill(size_t size, size_t limit) {
  static char names[40][16];
  terms.register_size = wm_register_size;
  terms.register_bytes = limit;
  for (int i = 0; i < 40; i++) {
    snprintf(names[i], sizeof(names[i]), "role-%d", i);
    given_role(names[i]);
    struct wm_automation *automation = given_automation(names[i]);
    automation->repeat = WM_ONCE_PER_JOURNEY;
    given_when(automation, ALL(FIELD("data.round", TEST("is", INTEGER(i / 3)))));
    given_add(automation, 10, names[i]);
  }
  close_workspace();
  size_t changed = 0, failed = 0;
  for (int round = 0; round < 14; round++) {
    struct wm_event event = milestone_with("e", 10 + round, OBJECT(MEMBER("round", INTEGER(round))));
    event.source = event.id = controls(size);
    event.id.size -= (size_t)round;
    decide(event);
    for (size_t i = 0; i < decision.execution_count; i++) {
      changed += outcome(i, 0)->result == WM_RESULT_CHANGED;
      failed += outcome(i, 0)->code == WM_E_USER_TOO_LARGE;
    }
    if (user)
      cr_assert_leq(wm_register_size(user), limit, "%zu bytes", wm_register_size(user));
  }
  cr_assert_eq(changed + failed, 40);
  cr_assert_gt(changed, 0);
  cr_assert_gt(failed, 0);
}

Test(limits, register_of_long_texts_never_passes) {
  fill(1000, 100000);
}

Test(limits, register_of_shared_texts_never_passes) {
  fill(100, 12000);
}

Test(limits, register_of_short_texts_never_passes) {
  fill(20, 6000);
}

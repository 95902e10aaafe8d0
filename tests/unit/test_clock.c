#include <criterion/criterion.h>

#include "core/clock.h"

/* In the order in which contract 7 says that they run. */
static const struct wm_clock ascending[] = {
    {0},
    {-5, {"/b", 2}, {"9", 1}, {"z", 1}, 99},
    {7, {"/a", 2}, {"9", 1}, {"z", 1}, 99},
    {7, {"/b", 2}, {"1", 1}, {"z", 1}, 99},
    {7, {"/b", 2}, {"10", 2}, {"", 0}, 0},
    {7, {"/b", 2}, {"10", 2}, {"a", 1}, -1},
    {7, {"/b", 2}, {"10", 2}, {"a", 1}, 10},
    {7, {"/b", 2}, {"10", 2}, {"a-b", 3}, 1},
    {7, {"/b", 2}, {"2", 1}, {"", 0}, 0},
    {8, {"", 0}, {"", 0}, {"", 0}, 0},
};

Test(clock, orders_left_to_right) {
  size_t count = sizeof(ascending) / sizeof(ascending[0]);
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      int order = wm_clock_compare(&ascending[i], &ascending[j]);
      cr_expect_eq((order > 0) - (order < 0), (i > j) - (i < j), "%zu against %zu", i, j);
    }
}

Test(clock, a_copy_shares_nothing) {
  char id[] = "evt-1";
  struct wm_clock clock = {7, WM_TEXT("/a"), wm_text_of(id), WM_TEXT("rule"), 10}, copy;
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  cr_assert_eq(wm_clock_copy(&clock, &arena, &copy), 0);
  id[0] = 'X';
  cr_assert(wm_text_is(copy.id, "evt-1"));
  cr_assert_eq(copy.sequence, 10);
  cr_assert_eq(wm_clock_copy(&WM_NO_CLOCK, &arena, &copy), 0);
  cr_assert_not(wm_clock_is_set(&copy));
  wm_arena_release(&arena);
}

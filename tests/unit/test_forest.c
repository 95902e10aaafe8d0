/* Trees by parents: depths, circles, and what hangs below them. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/forest.h"

#define TOP WM_FOREST_TOP
#define BROKEN WM_FOREST_BROKEN
#define LOST WM_FOREST_LOST
#define CIRCLE WM_FOREST_CIRCLE

static void expect_depths(const uint32_t *parents, const uint32_t *expected, uint32_t count) {
  uint32_t depths[16];
  wm_forest_depths(parents, count, depths);
  for (uint32_t i = 0; i < count; i++)
    cr_expect_eq(depths[i], expected[i], "node %u: %u, not %u", i, depths[i], expected[i]);
}

Test(forest, depths_count_from_the_top) {
  const uint32_t parents[] = {1, 2, TOP, 2, TOP, 0};
  expect_depths(parents, (const uint32_t[]){2, 1, 0, 1, 0, 3}, 6);
}

Test(forest, nothing_is_a_forest_too) {
  wm_forest_depths(NULL, 0, NULL);
}

Test(forest, a_circle_is_lost_and_so_is_what_hangs_below_it) {
  const uint32_t parents[] = {1, 2, 0, 0, 3, TOP};
  expect_depths(parents, (const uint32_t[]){CIRCLE, CIRCLE, CIRCLE, LOST, LOST, 0}, 6);
  expect_depths((const uint32_t[]){0}, (const uint32_t[]){CIRCLE}, 1);
}

Test(forest, below_a_broken_node_all_is_lost) {
  const uint32_t parents[] = {2, 0, BROKEN, TOP};
  expect_depths(parents, (const uint32_t[]){LOST, LOST, LOST, 0}, 4);
}

Test(forest, two_circles_and_a_way_into_one_that_is_found_first) {
  const uint32_t parents[] = {2, 0, 3, 2, 5, 4, 4};
  expect_depths(parents, (const uint32_t[]){LOST, LOST, CIRCLE, CIRCLE, CIRCLE, CIRCLE, LOST}, 7);
}

/* Each against a way up of its own, step by step. */
Test(forest, random_forests_have_the_depths_that_a_walk_finds) {
  enum { COUNT = 200, ROUNDS = 300 };
  static uint32_t parents[COUNT], depths[COUNT];
  srand(7);
  for (int round = 0; round < ROUNDS; round++) {
    for (uint32_t i = 0; i < COUNT; i++) {
      uint32_t chance = (uint32_t)rand() % 100;
      parents[i] = chance < 10 ? TOP : chance < 12 ? BROKEN : (uint32_t)rand() % COUNT;
    }
    wm_forest_depths(parents, COUNT, depths);
    for (uint32_t i = 0; i < COUNT; i++) {
      uint32_t steps = 0, at = i;
      while (at < COUNT && steps <= COUNT && parents[at] < COUNT) {
        at = parents[at];
        steps++;
      }
      uint32_t expected = steps > COUNT || parents[at] == BROKEN ? LOST : steps;
      for (uint32_t round_trip = parents[i], n = 0; round_trip < COUNT && n <= COUNT; n++) {
        if (round_trip == i)
          expected = CIRCLE;
        round_trip = parents[round_trip];
      }
      cr_assert_eq(depths[i], expected, "round %d, node %u", round, i);
    }
  }
}

Test(forest, a_chain_of_a_million_is_walked_once) {
  enum { COUNT = 1000000 };
  uint32_t *parents = malloc(COUNT * sizeof *parents), *depths = malloc(COUNT * sizeof *depths);
  cr_assert(parents && depths);
  for (uint32_t i = 0; i < COUNT; i++)
    parents[i] = i + 1 < COUNT ? i + 1 : TOP;
  wm_forest_depths(parents, COUNT, depths);
  cr_expect_eq(depths[0], COUNT - 1);
  cr_expect_eq(depths[COUNT - 1], 0);
  free(parents);
  free(depths);
}

#include "core/forest.h"

#define UNKNOWN (UINT32_MAX - 1) /* a depth that nobody has asked for yet */
#define ASKED (UINT32_MAX - 2)   /* a depth on the way up from where we began: to meet it again is a circle */

static void mark_circle(const uint32_t *parents, uint32_t node, uint32_t *depths) {
  for (; depths[node] == ASKED; node = parents[node])
    depths[node] = WM_FOREST_CIRCLE;
}

/* Goes up from 'node' over nodes without a depth, counts them, and gives the depth of the last of them. */
static uint32_t climb(const uint32_t *parents, uint32_t node, uint32_t *depths, uint32_t *ret_steps) {
  for (*ret_steps = 0; depths[node] == UNKNOWN; node = parents[node]) {
    depths[node] = ASKED;
    ++*ret_steps;
    if (parents[node] == WM_FOREST_TOP)
      return 0;
    if (parents[node] == WM_FOREST_BROKEN)
      return WM_FOREST_LOST;
  }
  mark_circle(parents, node, depths);
  return depths[node] >= WM_FOREST_CIRCLE ? WM_FOREST_LOST : depths[node] + 1;
}

void wm_forest_depths(const uint32_t *parents, uint32_t count, uint32_t *ret_depths) {
  for (uint32_t i = 0; i < count; i++)
    ret_depths[i] = UNKNOWN;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t steps, last = climb(parents, i, ret_depths, &steps), node = i;
    for (uint32_t left = steps; left > 0 && ret_depths[node] == ASKED; left--, node = parents[node])
      ret_depths[node] = last == WM_FOREST_LOST ? WM_FOREST_LOST : last + left - 1;
  }
}

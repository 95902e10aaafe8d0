#include "tests/lib/world.h"

#define START_US INT64_C(1795255200000000) /* 2026-11-21T10:00:00Z */

void world_init(struct world *world, uint64_t seed) {
  *world = (struct world){.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, .now_us = START_US};
  world_random(world);
}

/* splitmix64 */
uint64_t world_random(struct world *world) {
  uint64_t z = (world->random += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

uint64_t world_below(struct world *world, uint64_t limit) {
  return world_random(world) % limit;
}

bool world_chance(struct world *world, unsigned per_10000) {
  return per_10000 > 0 && world_below(world, 10000) < per_10000;
}

void world_touch(struct world *world) {
  world->touches++;
  if (world->touched)
    world->touched(world->self);
}

static int64_t now_us(void *self) {
  return ((struct world *)self)->now_us;
}

struct clock_door world_clock(struct world *world) {
  return (struct clock_door){.wall_us = now_us, .monotonic_us = now_us, .self = world};
}

/* What the in-memory doors have in common: one seed, one virtual clock, and the points at which a worker may be
 * interrupted. The same seed gives the same run. */
#ifndef WM_TESTS_WORLD_H
#define WM_TESTS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/clock.h"

/* How likely a door misbehaves at a call, in parts per 10 000. */
struct world_faults {
  unsigned give_way;      /* another worker goes on in the middle of a step */
  unsigned log_again;     /* "not now" */
  unsigned log_down;      /* poll: brokers away */
  unsigned log_abort;     /* the transaction can't be committed */
  unsigned log_uncertain; /* the answer to a commit is lost */
  unsigned late_marker;   /* a commit is decided, but its markers are not written yet */
  unsigned cache_lost;    /* the connection breaks between two commands */
  unsigned cache_late;    /* what was under way on a broken connection is still executed, later */
};

struct world {
  uint64_t random;
  int64_t now_us; /* wall clock and monotonic clock in one */
  struct world_faults faults;
  uint64_t touches;            /* calls of doors so far */
  void (*touched)(void *self); /* NULL, or told of every call of a door: crashes and interruptions happen here */
  void *self;
};

void world_init(struct world *world, uint64_t seed);

uint64_t world_random(struct world *world);
uint64_t world_below(struct world *world, uint64_t limit); /* 0 .. limit - 1 */
bool world_chance(struct world *world, unsigned per_10000);

/* Every call of a door comes by here, some more than once. */
void world_touch(struct world *world);

struct clock_door world_clock(struct world *world);

#endif

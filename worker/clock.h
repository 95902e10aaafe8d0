/* The clock door: the loop never asks the system what time it is. */
#ifndef WM_WORKER_CLOCK_H
#define WM_WORKER_CLOCK_H

#include <stdint.h>

struct clock_door {
  int64_t (*wall_us)(void *self);      /* since 1970 */
  int64_t (*monotonic_us)(void *self); /* never goes back */
  void *self;
};

/* The system's clocks. */
extern const struct clock_door system_clock;

#endif

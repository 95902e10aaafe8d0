#include "worker/clock.h"

#include <time.h>

static int64_t read_us(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t wall_us(void *self) {
  (void)self;
  return read_us(CLOCK_REALTIME);
}

static int64_t monotonic_us(void *self) {
  (void)self;
  return read_us(CLOCK_MONOTONIC);
}

const struct clock_door system_clock = {wall_us, monotonic_us, NULL};

/* Clocks order every write to a register exactly as they run (contract 7). */
#ifndef WM_CORE_CLOCK_H
#define WM_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/text.h"

struct wm_clock {
  int64_t time_us;           /* the event's time */
  struct wm_text source;     /* of the event; bytes == NULL: this is no clock (JSON null) */
  struct wm_text id;         /* of the event */
  struct wm_text automation; /* its name; "" for a manual request or a profile */
  int64_t sequence;          /* of the task; 0 for a manual request or a profile */
};

#define WM_NO_CLOCK ((struct wm_clock){0})

static inline bool wm_clock_is_set(const struct wm_clock *clock) {
  return clock->source.bytes != NULL;
}

/* Left to right, texts by bytes. No clock is before every clock. <0, 0, >0. */
int wm_clock_compare(const struct wm_clock *a, const struct wm_clock *b);

/* Fills 'ret' with a deep copy; -1: out of memory. */
int wm_clock_copy(const struct wm_clock *clock, struct wm_arena *arena, struct wm_clock *ret);

#endif

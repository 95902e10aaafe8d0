#include "core/clock.h"

int wm_clock_compare(const struct wm_clock *a, const struct wm_clock *b) {
  if (!wm_clock_is_set(a) || !wm_clock_is_set(b))
    return (int)wm_clock_is_set(a) - (int)wm_clock_is_set(b);
  if (a->time_us != b->time_us)
    return a->time_us < b->time_us ? -1 : 1;
  int order = wm_text_compare(a->source, b->source);
  if (order == 0)
    order = wm_text_compare(a->id, b->id);
  if (order == 0)
    order = wm_text_compare(a->automation, b->automation);
  if (order != 0)
    return order;
  return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

int wm_clock_copy(const struct wm_clock *clock, struct wm_arena *arena, struct wm_clock *ret) {
  struct wm_clock copy = *clock;
  if (wm_arena_text(arena, clock->source, &copy.source) < 0 || wm_arena_text(arena, clock->id, &copy.id) < 0 ||
      wm_arena_text(arena, clock->automation, &copy.automation) < 0)
    return -1;
  *ret = copy;
  return 0;
}

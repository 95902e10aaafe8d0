/* What the changes topic has told: who has which role. A repetition of one id counts once. */
#ifndef WM_TESTS_TOLD_H
#define WM_TESTS_TOLD_H

#include <stdbool.h>

#include "core/arena.h"
#include "core/text.h"

struct told {
  struct wm_arena *arena;
  struct told_record *newest;
};

/* The value of the next record. False: it says what was said already, under another id. */
bool told_take(struct told *told, struct wm_text value);

/* Would this record say what was said already? */
bool told_is_known(const struct told *told, struct wm_text value);

#endif

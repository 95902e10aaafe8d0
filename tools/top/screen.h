/* What is seen: lines of text out of what the workers said. */
#ifndef WM_TOOLS_TOP_SCREEN_H
#define WM_TOOLS_TOP_SCREEN_H

#include "core/buf.h"
#include "tools/top/look.h"

/* One worker. */
struct watched {
  const char *url;
  struct look *now;    /* the last answer, or why there is none; NULL: none yet */
  struct look *before; /* of an earlier moment, for rates; NULL: none */
  int64_t moved_us;    /* monotonic: when 'time' of the answers last changed */
  bool late;           /* the question is still under way */
};

enum screen_order { SCREEN_BY_LAG, SCREEN_BY_GROWTH, SCREEN_BY_TOPIC, SCREEN_ORDERS };

struct screen {
  const struct watched *workers;
  size_t count;
  int64_t wall_us, monotonic_us; /* now */
  enum screen_order order;       /* of the partitions */
  bool paused;
  bool keyed; /* the keys are told */
  bool colours;
  size_t rows, columns; /* SIZE_MAX: no end */
};

/* Appends the screen, a line end behind each line and fewer lines than rows. -1: out of memory. */
int screen_draw(const struct screen *screen, struct wm_buf *ret);

#endif

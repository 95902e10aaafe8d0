/* A rebuild (`waymark rebuild`) in place, while applications read: the command raises the generation in wm:meta, marks
 * every partition there and takes wm:progress away, in one step. Whoever owns a partition notices within half a second,
 * catches up from the beginning of the log, and writes each user's newest register under the new generation; until then
 * a user keeps what he has. What is of an older generation afterwards, no register stands behind: it is taken out, page
 * by page between batches, and then the mark goes. A crash leaves marks and progress, and the next owner goes on. */
#ifndef WM_WORKER_REBUILD_H
#define WM_WORKER_REBUILD_H

#include "worker/cache.h"

struct loop;

struct rebuild {
  bool scanning;
  char cursor[CACHE_CURSOR_SIZE];
  int64_t dropped;
  struct wm_arena arena;
};

void rebuild_init(struct rebuild *rebuild);
void rebuild_release(struct rebuild *rebuild);

/* Begins the sweep anew when there is something to sweep. */
void rebuild_cancel(struct loop *loop);

/* Was this left behind by the generation before, so that it counts for nothing? */
bool rebuild_left(const struct loop *loop, const struct cache_user *user);

/* One page of the sweep. True: there is more to do at once. */
bool rebuild_step(struct loop *loop);

#endif

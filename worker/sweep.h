/* Ends of grants reach Redis without any event: users in wm:ends whose time has come are projected anew. */
#ifndef WM_WORKER_SWEEP_H
#define WM_WORKER_SWEEP_H

#include <stdint.h>

#include "core/arena.h"

struct loop;

struct sweep {
  struct wm_arena arena;
  int64_t next_us; /* monotonic: not before */
  size_t skip;     /* due users that belong to others, passed over on this round */
};

void sweep_init(struct sweep *sweep);
void sweep_release(struct sweep *sweep);

/* One page of due users. True: there is more to do at once. */
bool sweep_step(struct loop *loop);

#endif

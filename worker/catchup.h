/* Redis catches up with the log, one partition after the other, while they are paused (architecture 4): the
 * read-uncommitted end of users/p, everything committed up to it, applied and acknowledged, then the partition lives.
 * From zero it is a rebuild. It does not vouch for the catalogue: role sets of the same registers may be there already,
 * written by somebody who had another one; projecting anew follows. */
#ifndef WM_WORKER_CATCHUP_H
#define WM_WORKER_CATCHUP_H

#include "core/arena.h"
#include "worker/fold.h"
#include "worker/log.h"

struct loop;

struct catchup {
  int32_t partition;     /* at work; -1: none */
  int64_t position, end; /* in the users topic */
  /* Redis may be ahead of what is read, and keeps its role sets until each user's newest register comes: those are
   * looked for first, from 'from' on. */
  bool folding;
  int64_t from;
  struct fold fold;
  uint64_t registers;
  struct wm_arena arena; /* one chunk */
  bool reading;          /* the reader of the users topic is open, for this partition */
};

void catchup_init(struct catchup *catchup);
void catchup_release(struct catchup *catchup);

/* Lets go of the partition at work. */
void catchup_cancel(struct loop *loop);

/* Does one chunk of work. True: there is more to do at once. */
bool catchup_step(struct loop *loop);

#endif

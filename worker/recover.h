/* What a failed call of a door means, and the way back: which calls have to succeed before anything is decided again.
 * They are tried in one fixed order; a door that says "not now" is asked again later, while the log is still polled
 * (with everything paused), so that the worker stays a member of its group. */
#ifndef WM_WORKER_RECOVER_H
#define WM_WORKER_RECOVER_H

#include "worker/cache.h"
#include "worker/log.h"
#include "worker/metrics.h"

struct loop;

/* In the order in which they are done. */
enum need {
  NEED_ABORT = 1,     /* a transaction is open and must not be committed */
  NEED_RECYCLE = 2,   /* the producer is suspicious */
  NEED_UNASSIGN = 4,  /* the group took everything */
  NEED_COMMITTED = 8, /* ask the group where to read on */
  NEED_ASSIGN = 16,   /* take over what the group gave */
  NEED_REWIND = 32    /* read again from what was committed */
};

struct recover {
  unsigned needs;
  int64_t not_before_us; /* monotonic: nothing is tried before */
  int64_t delay_us;      /* the next wait; 0: the last try succeeded */
  unsigned aborts_in_row;
  const char *reason; /* said for the present pause; NULL: none */
};

/* Nothing is needed, and no wait is under way: transactions may begin. */
bool recover_is_clear(const struct loop *loop);

/* Tries what is needed, as far as it gets; returns recover_is_clear(). */
bool recover_step(struct loop *loop);

/* What to do after a log call that did not give LOG_DONE. */
void recover_from_log(struct loop *loop, enum log_result result, const struct wm_error *error);

/* What to do after a cache call that did not give CACHE_DONE: every partition catches up before it goes on. */
void recover_from_cache(struct loop *loop, enum cache_result result, const struct wm_error *error);

/* Drops the batch and the users table; every live partition is paused and has to catch up; 'reason' for the log. */
void recover_fall_back(struct loop *loop, const char *reason, const struct wm_error *error);

/* Why the worker is paused; METRICS_PAUSES: it is not, or for no reason that has a name. Who has nothing that he could
 * fail to commit still waits for brokers that are away. */
enum metrics_pause recover_paused(const struct loop *loop);

/* Counts a pause that began, or has another reason than 'before'. */
void recover_count_pause(struct loop *loop, enum metrics_pause before);

/* All that was decided since is committed: the doors work. */
void recover_succeeded(struct loop *loop);

#endif

/* What a worker shows of itself, as it was at one moment. The loop makes one a second and hands it over; whoever looks
 * (the HTTP thread) borrows the newest. Nobody but the loop ever touches what the loop works with. */
#ifndef WM_WORKER_SNAPSHOT_H
#define WM_WORKER_SNAPSHOT_H

#include "worker/loop.h"
#include "worker/metrics.h"

#define SNAPSHOT_PERIOD_US 1000000
#define SNAPSHOT_LAGS 1000 /* partitions of input topics that are shown one by one */

/* One input of a partition that is ours. */
struct snapshot_lag {
  struct wm_text topic; /* borrowed from the log door */
  int32_t partition;
  enum partition_state state;
  int64_t records; /* -1: not known */
};

struct snapshot {
  unsigned borrowers; /* under the board's mutex */
  int64_t wall_us, monotonic_us;
  enum loop_phase phase;
  bool assigned; /* the group has told what is ours, once at least */
  bool ready, spare, kafka_is_down, redis_is_down, clear, control_is_known;
  enum metrics_pause paused; /* METRICS_PAUSES: it is not, or for no reason that has a name */
  int64_t control_offset;
  size_t partitions[PARTITION_LIVE + 1]; /* by state */
  size_t unprojected;                    /* live partitions that do not follow the catalogue yet */
  int64_t projection_left;               /* records of the users topic, of the partition at work */
  int64_t lag;                           /* of all that is ours; -1: of none it is known */
  int64_t stuck_us;                      /* the longest time that an input has stood still (worker/stall.h) */
  int64_t unapplied;                     /* records of the users topic that Redis has not acknowledged */
  uint64_t drift_users, drift_rounds;    /* users who differ from the log, and how often all were compared */
  int64_t drift_round_us;                /* how long the last round took */
  size_t input_count;
  char workspace[16], catalogue[16];
  size_t automations, roles;
  struct loop_counters counters;
  struct metrics metrics;
  size_t lag_count;
  struct snapshot_lag lags[SNAPSHOT_LAGS];
};

/* Where they are handed over, between two threads. */
struct board;

struct board *board_new(void); /* NULL: out of memory */
void board_free(struct board *board);

/* Makes a snapshot if the last one is a period old ('now': in any case). Never waits for a reader; out of memory the
 * old one stays. */
void board_publish(struct board *board, const struct loop *loop, bool now);

/* Takes a snapshot that was made otherwise (calloc). */
void board_put(struct board *board, struct snapshot *snapshot);

/* The newest, to be given back; NULL: none was made yet. */
const struct snapshot *board_borrow(struct board *board);
void board_return(struct board *board, const struct snapshot *snapshot);

#endif

/* The numbers that a worker shows: counters and histograms, pure data without a clock. Only the loop's thread writes
 * them; others get a copy (worker/snapshot.h). How many series there can be is bounded here: automations beyond
 * METRICS_AUTOMATIONS share one row, so do roles beyond METRICS_ROLES, and nothing is kept by user. */
#ifndef WM_WORKER_METRICS_H
#define WM_WORKER_METRICS_H

#include "core/outcome.h"
#include "core/workspace.h"

#define METRICS_AUTOMATIONS 500
#define METRICS_ROLES 500
#define METRICS_OTHER "_other"  /* the row of those beyond; no automation can have this name */
#define METRICS_MANUAL "manual" /* the row of requests; contract 3 keeps the name free */
#define METRICS_SLOTS 2048      /* of the table by name; a power of two, more than twice the rows */
#define METRICS_TASK_TYPES 3    /* of tasks.def, and 'delegate' of requests */
#define METRICS_RESULTS (WM_RESULT_FAILED + 1)
#define METRICS_CAUSES (WM_CAUSE_EXPIRY + 1)
#define METRICS_BUCKETS 16
#define METRICS_RECENT 20 /* failures that are kept to be shown */

struct metrics_histogram {
  uint64_t counts[METRICS_BUCKETS + 1]; /* each bucket alone; the last: above all bounds */
  uint64_t sum;
};

/* Upper bounds, ascending. */
extern const int64_t metrics_bounds_us[METRICS_BUCKETS];
extern const int64_t metrics_bounds_events[METRICS_BUCKETS];

/* One automation. */
struct metrics_row {
  char name[64];
  bool has[METRICS_TASK_TYPES]; /* tasks of this type were seen, or stand in its document */
  uint64_t tasks[METRICS_TASK_TYPES][METRICS_RESULTS];
  uint64_t unknown; /* events for which its conditions could not be told */
};

/* One role: how many users gained it and lost it. */
struct metrics_role {
  char name[64];
  uint64_t gained, lost;
};

enum metrics_transaction { METRICS_COMMITTED, METRICS_ABORTED, METRICS_UNCERTAIN, METRICS_TRANSACTIONS };
extern const char *const metrics_transactions[METRICS_TRANSACTIONS]; /* "committed" ... */

/* Why a worker pauses; the words stand in metrics_pauses. */
enum metrics_pause {
  METRICS_PAUSE_REDIS,
  METRICS_PAUSE_MOVED,
  METRICS_PAUSE_KAFKA,
  METRICS_PAUSE_COMMIT,
  METRICS_PAUSES
};

/* A failed task or a rejected event: what the log says of it, without the user and without what the event said. */
struct metrics_failure {
  int64_t wall_us;
  enum wm_code code;
  char automation[64]; /* "": the event was rejected */
  int64_t sequence;
  char origin[320]; /* topic/partition/offset */
};

struct metrics {
  uint64_t failures[WM_CODE_COUNT]; /* records on the failures topic */
  uint64_t changes[METRICS_CAUSES]; /* effective roles gained or lost: records on the changes topic */
  uint64_t notifications;
  struct metrics_histogram commit_lag, redis_lag; /* from the record's timestamp, in microseconds */
  struct metrics_histogram batch_events, batch_us;
  struct metrics_histogram transactions_us;
  uint64_t transactions[METRICS_TRANSACTIONS];
  struct metrics_histogram redis_us; /* one round trip that fetches */
  uint64_t pauses[METRICS_PAUSES];
  uint64_t reloads_refused;
  bool reload_failed;                               /* the last reload was refused */
  struct metrics_failure recent[METRICS_RECENT];    /* a ring */
  uint64_t recent_count;                            /* so many ever */
  struct metrics_row rows[METRICS_AUTOMATIONS + 2]; /* manual, then automations as they came; the last: the others */
  size_t row_count;                                 /* without the others */
  uint16_t slots[METRICS_SLOTS];                    /* row + 1 by name; 0: free */
  struct metrics_role roles[METRICS_ROLES + 1];     /* as they came; the last: the others */
  size_t role_count;                                /* without the others */
  uint16_t role_slots[METRICS_SLOTS];
};

void metrics_init(struct metrics *metrics);

/* Makes a row for each automation and each role, so that its first failure is one more than none. Nothing when they are
 * too many for the rows that are left: then those get one that do something first. Rows never go away, counters only
 * grow. */
void metrics_follow(struct metrics *metrics, const struct wm_workspace *workspace);

void metrics_observe(struct metrics_histogram *histogram, const int64_t bounds[METRICS_BUCKETS], int64_t value);
uint64_t metrics_total(const struct metrics_histogram *histogram);

void metrics_outcome(struct metrics *metrics, struct wm_text automation, const struct wm_outcome *outcome);

/* A record on the failures topic; 'automation' without text: a rejected event. */
void metrics_failure(struct metrics *metrics, int64_t wall_us, enum wm_code code, struct wm_text automation,
                     int64_t sequence, struct wm_text origin);
/* Effective roles that were gained or lost, and told on the changes topic. */
void metrics_changed(struct metrics *metrics, const struct wm_change *changes, size_t count);

void metrics_unknown(struct metrics *metrics, struct wm_text automation);

/* The name of a task type by its place in metrics_row.tasks. */
const char *metrics_task_type(size_t index);

/* One word for labels, and what 'recover' calls it. */
struct metrics_pause_name {
  const char *word, *reason;
};
extern const struct metrics_pause_name metrics_pauses[METRICS_PAUSES];
enum metrics_pause metrics_pause_of(const char *reason); /* METRICS_PAUSES: unknown */

#endif

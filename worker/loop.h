/* The worker's loop over its doors: decide -> commit -> apply (architecture 1). It never asks the system for the time,
 * a random number, Kafka or Redis; everything from outside comes through struct loop_doors. */
#ifndef WM_WORKER_LOOP_H
#define WM_WORKER_LOOP_H

#include "core/decide.h"
#include "worker/batch.h"
#include "worker/catchup.h"
#include "worker/clock.h"
#include "worker/control.h"
#include "worker/drift.h"
#include "worker/logger.h"
#include "worker/metrics.h"
#include "worker/partitions.h"
#include "worker/rebuild.h"
#include "worker/recover.h"
#include "worker/reproject.h"
#include "worker/sweep.h"
#include "worker/users.h"

/* How waymarkd ends (contract 2). */
#define LOOP_EXIT_ASKED 0
#define LOOP_EXIT_BUG 70
#define LOOP_EXIT_AGAIN 75
#define LOOP_EXIT_CONFIGURATION 78

struct loop_doors {
  struct log_door log;
  struct cache_door cache;
  struct clock_door clock;
  struct logger *logger;
};

/* What settings say about the loop; a reload replaces it together with the workspace. */
struct loop_rules {
  struct wm_terms terms;
  size_t event_bytes;
  int64_t clock_skew_us;
  size_t batch_events;
  int64_t batch_us;
  size_t users_bytes;    /* bound of the users table; 0: 64 MiB */
  size_t applying_bytes; /* may be under way to Redis before it is waited for; 0: 4 MiB */
  size_t drift_users;    /* a second, that are compared with the log (worker/drift.h); 0: none */
};

/* What the loop has done since it was made; of batches that were committed, not of those that were tried. */
struct loop_counters {
  uint64_t events; /* read and gone to their fate, rejected ones too */
  uint64_t empty;  /* records without value and ce_id */
  uint64_t rejected, duplicates, ignored;
  uint64_t nothing; /* no automation takes it */
  uint64_t decided;
  uint64_t tasks[WM_RESULT_FAILED + 1]; /* by result */
  uint64_t lockouts;                    /* removals that left no role, with or without a baseline in its place */
  uint64_t batches, aborts, recycles;
  uint64_t catch_ups, caught_up; /* how often, and how many registers */
  uint64_t expired, reprojected; /* role changes written for these causes */
  uint64_t reloads;
  uint64_t drift_checked, drift_found; /* users compared with the log, and found to differ */
};

/* The records whose registers are on their way to Redis. */
struct awaited {
  int64_t *timestamps_ms;
  size_t count, capacity;
};

enum loop_phase { LOOP_RUNNING, LOOP_STOPPING, LOOP_STOPPED };

struct loop {
  struct loop_doors doors;
  struct loop_rules rules;
  struct wm_text group;                /* borrowed: the consumer group, for headers */
  struct wm_workspace *workspace;      /* owned, never NULL */
  struct wm_workspace *next_workspace; /* owned: waits for the end of the batch; NULL: none */
  struct loop_rules next_rules;

  enum loop_phase phase;
  int exit_code;
  struct wm_error exit_error; /* why it stopped by itself */

  struct partitions partitions;
  struct users users;
  struct batch batch;
  struct recover recover;
  struct catchup catchup;
  struct sweep sweep;
  struct reproject reproject;
  struct rebuild rebuild;
  struct drift drift;
  struct control control;
  bool in_transaction;
  size_t applying;     /* bytes of the applies under way; 0: there is none */
  bool log_is_down;    /* said so already */
  int64_t log_down_us; /* monotonic: when that was last heard */
  bool cache_is_down;  /* the last that was heard of Redis */
  bool spare;          /* of the group, which has given it nothing: it stands by */
  bool ready;          /* as told to the log and to Redis */
  int64_t beat_us;     /* monotonic: the next wm:meta beat */
  bool assigned;       /* the group has told what is ours, once at least */
  struct loop_counters counters;
  struct metrics metrics;
  struct awaited awaited;
  size_t look_next; /* the automation that is asked next although the index leaves it out */
};

/* Makes a loop over 'doors' (copied). Takes 'workspace' in any case. 'group' is borrowed. NULL: out of memory. */
struct loop *loop_new(const struct loop_doors *doors, const struct loop_rules *rules, struct wm_text group,
                      struct wm_workspace *workspace);
void loop_free(struct loop *loop);

/* One bounded piece of work: at most one wait for the log (100 ms), one batch, one chunk of catching up. False: the
 * loop has stopped, exit_code and exit_error say how. */
bool loop_step(struct loop *loop);

/* From the next batch on: another workspace (taken) and other rules. */
void loop_reload(struct loop *loop, struct wm_workspace *workspace, const struct loop_rules *rules);

/* The next step finishes the batch, lets Redis acknowledge it, and stops with 0. */
void loop_stop(struct loop *loop);

/* For the parts of the loop. */
#define LOOP_LOG(loop, call, ...) ((loop)->doors.log.ops->call((loop)->doors.log.self, ##__VA_ARGS__))
#define LOOP_CACHE(loop, call, ...) ((loop)->doors.cache.ops->call((loop)->doors.cache.self, ##__VA_ARGS__))
int64_t loop_wall(const struct loop *loop);
int64_t loop_now(const struct loop *loop); /* monotonic */

/* Waits for the applies under way and writes the progress that they made. False: the loop has fallen back or stopped.
 */
bool loop_settle(struct loop *loop);

/* The same, only when so much is under way that Redis has to be waited for. */
bool loop_make_room(struct loop *loop);

/* Sends writes to Redis without waiting for them; the caller has set what each partition has 'applied'. The same. */
bool loop_apply(struct loop *loop, const struct cache_write *writes, size_t count);

/* Stops by itself, with the exit code that belongs to the error. */
void loop_fail(struct loop *loop, const struct wm_error *error);
bool loop_fail_memory(struct loop *loop); /* out of memory; returns false */

void loop_say(const struct loop *loop, enum logger_level level, const char *message, const struct logger_field *fields);
/* One field "error" when there is one. */
void loop_say_error(const struct loop *loop, enum logger_level level, const char *message,
                    const struct wm_error *error);

#endif

/* The dry run of a plan: what its records would do to private copies of the registers. */
#ifndef WM_TOOLS_REPLAY_DRY_H
#define WM_TOOLS_REPLAY_DRY_H

#include "core/decide.h"
#include "tools/lib/tally.h"
#include "tools/replay/replay.h"
#include "worker/registers.h"

/* Columns of the tallies. */
enum { DRY_ADDED, DRY_REMOVED, DRY_UNCHANGED, DRY_SUPERSEDED, DRY_FAILED, DRY_SKIPPED }; /* by automation and role */
enum { DRY_SEND, DRY_TOO_OLD, DRY_NOT_SENT };                                            /* by automation and channel */
enum { DRY_FAILURES };                                                                   /* by automation and code */
enum { DRY_GAIN, DRY_LOSE };                                                             /* by role: users */

/* One user: his register as it is, and as the records leave it (the same one as long as nothing is written). */
struct dry_user {
  struct wm_text id;
  struct wm_user *before, *now; /* NULL: none */
};

#define DRY_BATCH REGISTERS_SOME

struct dry_event {
  struct wm_event event;
  struct wm_candidates candidates;
  int32_t home;
};

struct dry_run {
  const struct loaded *loaded;
  struct replay_plan *plan;    /* its counts are filled */
  struct registers *registers; /* NULL: all users were given, others are not known */
  struct wm_terms terms;
  struct wm_arena names, arena; /* of all users; of one batch */
  struct dry_user **slots;      /* hash table by user id */
  size_t user_count, capacity;
  struct dry_event batch[DRY_BATCH];
  size_t batch_count;
  int64_t oldest_ms; /* timestamp of the oldest record; INT64_MAX: none was read */
  struct tally roles, sent, failures, users;
};

/* 'registers' are borrowed. */
void dry_init(struct dry_run *dry, const struct loaded *loaded, struct replay_plan *plan, struct registers *registers);
void dry_release(struct dry_run *dry);

/* Gives a user his register, which is copied. 0, or -1: out of memory. For roles_users_of_file. */
int dry_give(void *dry, const struct wm_user *user);

/* Decides all records of the plan. EXIT_FINE, or told. */
int dry_play(struct dry_run *dry, struct replay_records *records);

/* A user whose effective roles would be others. Borrowed. */
typedef void dry_user_fn(void *taker, struct wm_text user, const struct wm_role_set *before,
                         const struct wm_role_set *after);

/* Compares the effective roles of all users at 'now_us', by user id: counts, and calls 'take' for each who differs. -1:
 * out of memory. */
int dry_compare(struct dry_run *dry, int64_t now_us, dry_user_fn *take, void *taker);

#endif

/* Projecting users anew without an event (architecture 1): no register is written. The role changes are appended in a
 * transaction that moves nothing; then Redis gets the role set, if it still has the register that it comes from. */
#ifndef WM_WORKER_PROJECTION_H
#define WM_WORKER_PROJECTION_H

#include "core/outcome.h"
#include "core/project.h"
#include "worker/cache.h"
#include "worker/ends.h"
#include "worker/users.h"

struct loop;

struct projection {
  const struct wm_user *user; /* a committed register, as (gen, at) wrote it */
  int64_t gen, at;
  int32_t partition;
  struct ends ends;          /* what time changed */
  struct wm_change *changes; /* what the catalogue changed */
  size_t change_count;
  int64_t now_us;        /* wall clock that the changes were told for: an end that passes later is still due */
  int64_t at_us;         /* for the ids of the catalogue's changes: since when it is followed */
  struct wm_text digest; /* the catalogue's */
};

/* What Redis is to hold of a register: roles as they are effective now, ends as seen from 'since_us'. Borrows from
 * 'arena', 'user' and the workspace. -1: out of memory. */
int projection_write(const struct loop *loop, const struct wm_user *user, int64_t since_us, struct wm_arena *arena,
                     struct cache_write *ret);

/* Appends the changes of all items and commits them with an unchanged position of each partition, rewrites the role
 * sets without waiting for Redis (loop_settle). False: the loop has fallen back or stopped, or the transaction was
 * aborted; then all of it has to be done again. */
bool projection_commit(struct loop *loop, const struct projection *items, size_t count, struct wm_arena *arena);

#endif

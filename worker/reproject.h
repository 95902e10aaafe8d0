/* A changed catalogue reaches Redis without any event: every user of a partition is projected anew, in chunks between
 * batches. wm:meta remembers the catalogue that a partition was last projected with. */
#ifndef WM_WORKER_REPROJECT_H
#define WM_WORKER_REPROJECT_H

#include "core/codec/out.h"
#include "core/project.h"
#include "worker/users.h"

struct loop;
struct projection;

struct reproject {
  int32_t partition; /* at work; -1: none */
  int64_t position, end;
  uint64_t users;
  struct wm_arena arena;
  bool reading;
};

void reproject_init(struct reproject *reproject);
void reproject_release(struct reproject *reproject);

/* Lets go of the partition at work; it will be started again from the beginning. */
void reproject_cancel(struct loop *loop);

/* Closes its reader, because somebody else needs it; it goes on where it was. */
void reproject_yield(struct loop *loop);

/* The catalogue is another one: every partition has to be projected. */
void reproject_all(struct loop *loop);

/* Takes back in wm:meta what an earlier catalogue was projected to, for 'partition' or (-1) all live ones: from now on
 * role sets are written as another one has them. False: the loop has fallen back or stopped. */
bool reproject_mark(struct loop *loop, int32_t partition);

/* Is any live partition still to be projected? Then a batch needs the role sets of its users. */
bool reproject_is_pending(const struct loop *loop);

/* What the catalogue changes for a user with a register, against the role set that Redis has. -1: out of memory. */
int reproject_compare(const struct loop *loop, const struct users_entry *entry, const struct wm_role_set *before,
                      struct wm_arena *arena, struct projection *ret);

/* Users whom a batch is about to change before their partition is projected: appends what the catalogue changes for
 * them first, so that no role change is without its record. 'roles' as Redis has them, one per entry. -1 as encode. */
int reproject_ahead(struct loop *loop, const struct wm_encode *encode, struct users_entry **entries,
                    const struct wm_role_set *roles, size_t count, struct wm_error *error);

/* One chunk of one live partition. True: there is more to do at once. */
bool reproject_step(struct loop *loop);

#endif

/* A changed catalogue reaches Redis without any event: every user of a partition is projected anew, in chunks between
 * batches.
 *
 * wm:meta remembers for each partition "<digest> <since> <next>": the catalogue that its role sets follow, since when
 * (wall clock in microseconds, so that a catalogue which comes back is another one), and the offset in the users topic
 * up to which everybody was projected to it, or "done". The next owner goes on there. Who has another catalogue
 * replaces it before he writes anything; from then on what the one before still has under way is refused by its stamp,
 * the first two words. */
#ifndef WM_WORKER_REPROJECT_H
#define WM_WORKER_REPROJECT_H

#include "core/codec/out.h"
#include "core/project.h"
#include "worker/users.h"

struct loop;
struct projection;

struct reproject {
  int32_t partition; /* at work; -1: none */
  int64_t start, position, end;
  size_t chunk_users;       /* as many as are done in the time that a batch may wait */
  int64_t said_us, kept_us; /* monotonic: when the progress was last told to the log, and to wm:meta */
  struct wm_arena arena;
  bool reading;
};

void reproject_init(struct reproject *reproject);
void reproject_release(struct reproject *reproject);

/* Lets go of the partition at work; it will go on where wm:meta says. */
void reproject_cancel(struct loop *loop);

/* Closes its reader, because somebody else needs it; it goes on where it was. */
void reproject_yield(struct loop *loop);

/* The catalogue is another one: every partition has to be projected. */
void reproject_all(struct loop *loop);

/* What wm:meta says of this partition's catalogue. */
void reproject_adopt(struct loop *loop, int32_t partition, const char *catalogue);

/* Puts the present catalogue in place of another one in wm:meta, for 'partition' or (-1) all live ones: from now on
 * role sets are written as it has them. False: the loop has fallen back or stopped. */
bool reproject_mark(struct loop *loop, int32_t partition);

/* Is any live partition still to be projected? Then a batch needs the role sets of its users. */
bool reproject_is_pending(const struct loop *loop);

/* What time changed for a register since 'told_us', and what else the catalogue changes against the role set that Redis
 * has; (gen, at) is left to be filled in. -1: out of memory. */
int reproject_compare(const struct loop *loop, const struct wm_user *user, int64_t told_us,
                      const struct wm_role_set *before, struct wm_arena *arena, struct projection *ret);

/* Users whom a batch is about to change before their partition is projected: appends what the catalogue changes for
 * them first, so that no role change is without its record. 'roles' as Redis has them, one per entry. -1 as encode. */
int reproject_ahead(struct loop *loop, const struct wm_encode *encode, struct users_entry **entries,
                    const struct wm_role_set *roles, size_t count, struct wm_error *error);

/* One chunk of one live partition. True: there is more to do at once. */
bool reproject_step(struct loop *loop);

#endif

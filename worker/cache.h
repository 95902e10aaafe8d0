/* The cache door: everything the loop asks of Redis. redis.c stands behind it, tests/lib/memory_cache.c in the
 * simulation. One thread. Nothing here is the truth; CACHE_DOWN means pause and try again, never an outcome. */
#ifndef WM_WORKER_CACHE_H
#define WM_WORKER_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/text.h"

enum cache_result {
  CACHE_DONE,
  CACHE_DOWN,  /* away, loading, read-only, out of memory ...: everything sent and not acknowledged is unknown */
  CACHE_STALE, /* progress is not what was expected, or a newer generation or another catalogue is there: catch up */
  CACHE_BROKEN /* a bug or a wrong server (WRONGTYPE, NOPERM, eviction policy, another incarnation): 'error' says */
};

#define CACHE_CURSOR_SIZE 24
#define CACHE_NO_PROGRESS (-1) /* wm:progress has no such partition */

/* What Redis knows of a user; texts are borrowed from the arena of the call. */
struct cache_user {
  struct wm_text id;     /* in */
  bool bare;             /* in: without the register */
  bool lenient;          /* in: a key of another type than Waymark's is told by 'strange', and is no error */
  bool strange;          /* out */
  struct wm_text json;   /* out: the register; bytes == NULL: none */
  int64_t gen, at;       /* out */
  int64_t end_us;        /* out: the next end that is known; INT64_MAX: none */
  struct wm_text *roles; /* out, only when asked for: members of the role set, sorted by bytes */
  size_t role_count;
};

struct cache_progress {
  int32_t partition;
  int64_t next; /* next offset of the users topic to apply; CACHE_NO_PROGRESS: none */
};

enum cache_mode {
  /* Either writes the role set, and 'end_us' as the user's next end, later or not (INT64_MAX: out of wm:ends); so a
   * zombie can't move an end that is not his. */
  CACHE_NEWER, /* the register too, if (gen, at) is newer than what is there (or nothing is) */
  CACHE_SAME   /* a projection: only if (gen, at) is exactly what is there, and wm:meta has 'stamp' (else CACHE_STALE):
                  nor can he bring back an earlier catalogue */
};

/* One user to be written by the fenced script. Borrowed until apply returns. */
struct cache_write {
  enum cache_mode mode;
  struct wm_text user;
  int64_t gen, at;
  struct wm_text json;         /* the register; not used by CACHE_SAME */
  const struct wm_text *roles; /* effective now, sorted */
  size_t role_count;
  int64_t end_us;    /* wall clock at which time alone may change the role set (core/project.h); INT64_MAX: never */
  int32_t partition; /* for CACHE_SAME: the user's home, and what its catalogue in wm:meta has to begin with */
  struct wm_text stamp;
};

struct cache_meta {
  char incarnation[64]; /* "" : Redis does not know one */
  int64_t generation;   /* 0: Redis does not know one */
  int64_t rebuild;      /* a generation under which 'partition' is being rebuilt; 0: it is not */
  char catalogue[64]; /* what the role sets of partition 'partition' were projected with, see reproject.h; "" : none */
  char was[64];       /* for set_meta: what the catalogue in wm:meta has to begin with; "" : there must be none */
};

struct cache_ops {
  /* Connects if need be and looks at what must hold (eviction policy). */
  enum cache_result (*check)(void *self, struct wm_error *error);

  /* Registers of 'users', then wm:progress of 'progress' (both filled), in one round trip. 'with_roles': role sets too.
   */
  enum cache_result (*fetch)(void *self, struct cache_user *users, size_t count, bool with_roles,
                             struct cache_progress *progress, size_t progress_count, struct wm_arena *arena,
                             struct wm_error *error);

  /* Sends the writes and returns without waiting; several applies may be under way, in order. wait() reads all their
   * replies. After anything but CACHE_DONE nothing is known of any of them. */
  enum cache_result (*apply)(void *self, const struct cache_write *writes, size_t count, struct wm_error *error);
  enum cache_result (*wait)(void *self, struct wm_error *error);

  /* wm:progress by compare-and-set: CACHE_STALE when it is not 'from', or when wm:meta has another generation than
   * 'gen': what was written under it does not count there. Only catch-up creates ('from' == CACHE_NO_PROGRESS: it must
   * not be there). */
  enum cache_result (*advance)(void *self, int32_t partition, int64_t gen, int64_t from, int64_t to,
                               struct wm_error *error);

  /* wm:meta. set_meta writes what is not "" or 0 and refuses another incarnation (CACHE_BROKEN) and a catalogue in
   * place of one that is not 'was' (CACHE_STALE). 'partition' -1: without catalogue. */
  enum cache_result (*get_meta)(void *self, int32_t partition, struct cache_meta *ret, struct wm_error *error);
  enum cache_result (*set_meta)(void *self, int32_t partition, const struct cache_meta *meta, struct wm_error *error);

  /* wm:meta 'ready' and 'alive-at' (wall clock, ms). CACHE_STALE: written, but there is no generation beside them, or
   * not what the last beat left: wm:meta was deleted since. */
  enum cache_result (*beat)(void *self, bool ready, int64_t wall_us, struct wm_error *error);

  /* Users in wm:ends whose end is not after 'until_us', ascending, 'skip' left out first; ids borrowed from arena. */
  enum cache_result (*due)(void *self, int64_t until_us, size_t skip, size_t limit, struct wm_arena *arena,
                           struct wm_text **ret_users, int64_t **ret_ends, size_t *ret_count, struct wm_error *error);

  /* Sets the user's next end, or takes him out of wm:ends (INT64_MAX): for users without a register. */
  enum cache_result (*set_end)(void *self, struct wm_text user, int64_t end_us, struct wm_error *error);

  /* After a rebuild: some of all users of whom there is anything, with 'gen' (0: nothing tells it). 'cursor' is "0" at
   * first, and again when that was all. Users may come twice. */
  enum cache_result (*scan)(void *self, char cursor[static CACHE_CURSOR_SIZE], struct wm_arena *arena,
                            struct cache_user **ret_users, size_t *ret_count, struct wm_error *error);

  /* Takes out all that is there of a user whom no generation from 'gen' on has written. */
  enum cache_result (*drop)(void *self, struct wm_text user, int64_t gen, struct wm_error *error);

  /* The partition is rebuilt under 'gen' (unless it is to be once more). */
  enum cache_result (*rebuilt)(void *self, int32_t partition, int64_t gen, struct wm_error *error);
};

struct cache_door {
  const struct cache_ops *ops;
  void *self;
};

#endif

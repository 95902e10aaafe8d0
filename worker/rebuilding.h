/* The command's side of a rebuild: asking for one, and how far it is (worker/rebuild.h is the worker's). */
#ifndef WM_WORKER_REBUILDING_H
#define WM_WORKER_REBUILDING_H

#include "core/error.h"
#include "worker/settings.h"

struct rebuilding;

struct rebuilding_state {
  int64_t generation; /* 0: Redis knows none */
  int64_t alive_ms;   /* when a worker said a word last; 0: never */
  int32_t pending;    /* partitions that are not rebuilt and swept yet */
};

/* 'settings' are borrowed until close; connects with the first question. NULL with SETTING_INVALID or OUT_OF_MEMORY. */
struct rebuilding *rebuilding_open(const struct settings *settings, struct wm_error *error);
void rebuilding_close(struct rebuilding *rebuilding); /* NULL is fine */

/* -1 with REDIS_FAILED, SETTING_INVALID or OUT_OF_MEMORY. */
int rebuilding_look(struct rebuilding *rebuilding, struct rebuilding_state *ret, struct wm_error *error);

/* Begins one under 'generation' + 1, if that is still Redis's generation. 1: begun, 0: it is not, -1 as above. */
int rebuilding_begin(struct rebuilding *rebuilding, int64_t generation, struct wm_text reason, int64_t wall_us,
                     struct wm_error *error);

/* --- another users topic (waymark topics rehome) --- */

struct rebuilding_move {
  const char *from, *to; /* incarnations of the users topics */
  const char *topic;     /* name of the new one */
  int32_t from_count;    /* partitions of the old one */
  int64_t next;          /* the first offset behind the births: what is of it counts as caught up with */
  struct wm_text reason;
  int64_t wall_us;
};

enum rebuilding_moved {
  REBUILDING_MOVED,
  REBUILDING_EMPTY,      /* Redis knows no log: the first worker fills it */
  REBUILDING_DONE,       /* it belongs to 'to' already */
  REBUILDING_FOREIGN,    /* it was filled from a third one */
  REBUILDING_PROJECTING, /* not everybody has the roles of the newest catalogue yet: workers have to finish that */
  REBUILDING_WAITING     /* a rebuild is under way: likewise */
};

/* Makes Redis belong to 'to', under the next generation, with a rebuild of every partition to be done: applications
 * keep what they have meanwhile. In one step. 'look': only says what it would do. -1 as above. */
int rebuilding_move(struct rebuilding *rebuilding, const struct rebuilding_move *move, bool look,
                    enum rebuilding_moved *ret, struct wm_error *error);

#endif

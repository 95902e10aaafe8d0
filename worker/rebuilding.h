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

#endif

/* wm:meta for the command: what the workers have last said of themselves in Redis. */
#ifndef WM_WORKER_META_H
#define WM_WORKER_META_H

#include "core/arena.h"
#include "core/error.h"
#include "worker/settings.h"

#define META_FIELDS_LIMIT 100000

struct meta_field {
  struct wm_text name, value;
};

/* All fields, borrowed from 'arena', in no order; none: nobody has ever written there. The process has to ignore
 * SIGPIPE. -1 with REDIS_FAILED, SETTING_INVALID (password file) or OUT_OF_MEMORY. */
int meta_read(const struct settings *settings, struct wm_arena *arena, struct meta_field **ret, size_t *ret_count,
              struct wm_error *error);

#endif

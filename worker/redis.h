/* The cache door in production: Redis by hiredis. */
#ifndef WM_WORKER_REDIS_H
#define WM_WORKER_REDIS_H

#include "worker/cache.h"
#include "worker/logger.h"
#include "worker/settings.h"

struct redis;

/* Makes the door; nothing is connected before its first call, and a connection that fails is made anew by the next.
 * 'settings' are copied, 'logger' is borrowed until redis_close. The process has to ignore SIGPIPE. NULL with
 * OUT_OF_MEMORY or SETTING_INVALID. */
struct redis *redis_open(const struct settings *settings, struct logger *logger, struct cache_door *ret,
                         struct wm_error *error);
void redis_close(struct redis *redis); /* NULL is fine */

#endif

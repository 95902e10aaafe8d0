/* A Redis of our own for `waymark dev`: reached by a Unix socket in a temporary folder, gone when we are gone. */
#ifndef WM_TOOLS_PRIVATE_REDIS_H
#define WM_TOOLS_PRIVATE_REDIS_H

#include <sys/types.h>

#include "core/error.h"

struct private_redis {
  char folder[80];
  char socket[96]; /* for settings.redis.address */
  pid_t pid;       /* 0: not started */
};

/* Starts redis-server and waits until it listens. -1 with REDIS_FAILED; nothing is left then. */
int private_redis_start(struct private_redis *redis, struct wm_error *error);

/* Ends the server and removes the folder. */
void private_redis_stop(struct private_redis *redis);

#endif

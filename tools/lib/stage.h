/* Everything that `waymark dev` needs around a workspace: an embedded broker, a private Redis, and the worker itself in
 * this process. */
#ifndef WM_TOOLS_STAGE_H
#define WM_TOOLS_STAGE_H

#include "tools/lib/private_redis.h"
#include "worker/client.h"
#include "worker/files.h"
#include "worker/kafka.h"
#include "worker/loop.h"
#include "worker/mock.h"
#include "worker/redis.h"

struct stage {
  struct settings settings; /* the workspace's, with our broker and our Redis in place of its own; owns nothing */
  struct logger logger;
  struct private_redis private_redis;
  struct mock_broker *broker;
  struct kafka *kafka;
  struct redis *redis;      /* the worker's */
  struct redis *look_redis; /* and one to look with: the worker may have an apply under way on its own */
  struct cache_door look;
  struct loop *loop;
  struct client *client;   /* sends, and follows the outcomes */
  struct client *failures; /* follows the failures */
};

/* Opens everything; 'loaded' is borrowed until the close, 'workspace' (the same one, read again) is taken in any case.
 * -1: whatever could not be had; close in any case. */
int stage_open(struct stage *stage, const struct loaded *loaded, struct wm_workspace *workspace,
               struct wm_error *error);
void stage_close(struct stage *stage);

/* Lets the worker do one piece of work (at most 100 ms). -1: it has stopped. */
int stage_step(struct stage *stage, struct wm_error *error);

/* Is the worker at work on its partitions? */
bool stage_is_ready(const struct stage *stage);

/* Events that it has read and brought to their fate. */
uint64_t stage_events(const struct stage *stage);

#endif

/* One thread for each worker that is watched: a worker that does not answer keeps neither the screen nor the keys
 * waiting. */
#ifndef WM_TOOLS_TOP_ASKER_H
#define WM_TOOLS_TOP_ASKER_H

#include "tools/top/look.h"

#define ASKER_TIMEOUT_MS 2000

struct asker;

/* 'url' is copied. 'wake_fd' (an eventfd) is written to when an answer is there; it stays the caller's. NULL: told by
 * errno. */
struct asker *asker_start(const char *url, int wake_fd);

/* Lets go of it without waiting: a question that is under way is forgotten when it ends. */
void asker_stop(struct asker *asker);

/* Begins to ask, if no question is under way. */
void asker_ask(struct asker *asker);

/* Is a question under way? */
bool asker_is_busy(struct asker *asker);

/* What came since the last call, now the caller's; NULL: nothing. */
struct look *asker_take(struct asker *asker);

#endif

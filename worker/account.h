/* What a batch came to: counted, and told where it failed, once it is committed. */
#ifndef WM_WORKER_ACCOUNT_H
#define WM_WORKER_ACCOUNT_H

#include <stddef.h>

struct batch;
struct ends;
struct loop;
struct wm_automation;

/* Adds the batch at hand to the counters; one warning line for each failed task and each rejected event. */
void account_batch(struct loop *loop);

/* The batch at hand is on its way to Redis; and Redis has acknowledged it. */
void account_sent(struct loop *loop);
void account_applied(struct loop *loop);

/* Automations that could not tell whether to take an event of the batch; borrowed until it is cleared. -1: no memory.
 */
int account_unknown(struct batch *batch, const struct wm_automation *const *items, size_t count);

/* What time changed and the batch tells; roles borrowed from the workspace, until it is cleared. -1: no memory. */
int account_told(struct batch *batch, const struct ends *ends);

#endif

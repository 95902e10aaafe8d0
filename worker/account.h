/* What a batch came to: counted, and told where it failed, once it is committed. */
#ifndef WM_WORKER_ACCOUNT_H
#define WM_WORKER_ACCOUNT_H

struct loop;

/* Adds the batch at hand to the counters; one warning line for each failed task and each rejected event. */
void account_batch(struct loop *loop);

#endif

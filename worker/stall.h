/* For how long an input that has records waiting has not moved although its partition is decided: behind an open
 * transaction of a producer nobody may read on, and a batch that is aborted again and again commits nothing. */
#ifndef WM_WORKER_STALL_H
#define WM_WORKER_STALL_H

#include "worker/loop.h"

/* Where an input stood when it was last seen to move. */
struct stall_place {
  int64_t base;
  int64_t since_us; /* monotonic */
};

struct stall {
  struct stall_place *places; /* input * partitions + partition; NULL: out of memory, nothing is told */
  size_t count;
};

void stall_release(struct stall *stall);

/* To be called with what is left of one input of a partition that is ours (-1: not known). For how long it has stood
 * still; 0: it moves, or has nothing to do, or waits for something that is told otherwise. */
int64_t stall_look(struct stall *stall, const struct loop *loop, size_t input, int32_t partition, int64_t left);

#endif

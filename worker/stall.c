#include "worker/stall.h"

void stall_release(struct stall *stall) {
  free(stall->places);
  *stall = (struct stall){0};
}

static bool may_move(const struct loop *loop, int32_t partition) {
  return partitions_is_live(&loop->partitions, partition) && !loop->recover.reason && !loop->log_is_down;
}

int64_t stall_look(struct stall *stall, const struct loop *loop, size_t input, int32_t partition, int64_t left) {
  const struct partitions *partitions = &loop->partitions;
  if (!stall->places) {
    stall->count = partitions->input_count * (size_t)partitions->count;
    stall->places = calloc(stall->count, sizeof *stall->places);
    if (!stall->places)
      return 0;
  }
  struct stall_place *place = &stall->places[input * (size_t)partitions->count + (size_t)partition];
  int64_t base = partitions->items[partition].inputs[input].base, now_us = loop_now(loop);
  if (left <= 0 || base != place->base || place->since_us == 0 || !may_move(loop, partition))
    *place = (struct stall_place){base, now_us};
  return now_us - place->since_us;
}

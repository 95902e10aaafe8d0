#include "worker/partitions.h"

int partitions_init(struct partitions *partitions, int32_t count, size_t input_count) {
  size_t all = (size_t)count * input_count;
  *partitions = (struct partitions){
      .items = calloc((size_t)count, sizeof *partitions->items),
      .count = count,
      .input_count = input_count,
      .inputs = calloc(all, sizeof *partitions->inputs),
      .positions = calloc(all, sizeof *partitions->positions),
  };
  if (!partitions->items || !partitions->inputs || !partitions->positions)
    return -1;
  for (int32_t p = 0; p < count; p++)
    partitions->items[p].inputs = partitions->inputs + (size_t)p * input_count;
  partitions_clear(partitions);
  return 0;
}

void partitions_release(struct partitions *partitions) {
  free(partitions->items);
  free(partitions->inputs);
  free(partitions->positions);
  *partitions = (struct partitions){0};
}

void partitions_clear(struct partitions *partitions) {
  for (int32_t p = 0; p < partitions->count; p++) {
    struct partition *partition = &partitions->items[p];
    *partition =
        (struct partition){.inputs = partition->inputs, .progress = CACHE_NO_PROGRESS, .applied = CACHE_NO_PROGRESS};
    for (size_t i = 0; i < partitions->input_count; i++)
      partition->inputs[i] = (struct partition_input){.base = LOG_BEGINNING, .next = LOG_BEGINNING};
  }
}

int partitions_take(struct partitions *partitions, const struct log_position *positions, size_t count) {
  partitions_clear(partitions);
  for (size_t i = 0; i < count; i++) {
    const struct log_position *position = &positions[i];
    if (position->partition < 0 || position->partition >= partitions->count ||
        position->topic >= partitions->input_count)
      return -1;
    partitions->items[position->partition].inputs[position->topic].ours = true;
  }
  for (int32_t p = 0; p < partitions->count; p++) {
    size_t ours = 0;
    for (size_t i = 0; i < partitions->input_count; i++)
      ours += partitions->items[p].inputs[i].ours;
    if (ours > 0)
      partitions->items[p].state = ours == partitions->input_count ? PARTITION_BEHIND : PARTITION_SPLIT;
  }
  return 0;
}

struct log_position *partitions_ask(struct partitions *partitions, size_t *ret_count) {
  size_t count = 0;
  for (int32_t p = 0; p < partitions->count; p++) {
    for (size_t i = 0; i < partitions->input_count; i++) {
      const struct partition_input *input = &partitions->items[p].inputs[i];
      if (input->ours)
        partitions->positions[count++] = (struct log_position){.topic = i, .partition = p, .offset = input->base};
    }
  }
  *ret_count = count;
  return partitions->positions;
}

const struct log_position *partitions_ours(struct partitions *partitions, size_t *ret_count) {
  return partitions_ask(partitions, ret_count);
}

void partitions_answered(struct partitions *partitions, const struct log_position *positions, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct partition_input *input = &partitions->items[positions[i].partition].inputs[positions[i].topic];
    int64_t *told_us = &partitions->items[positions[i].partition].told_us;
    input->base = input->next = positions[i].offset;
    if (positions[i].told_us > *told_us)
      *told_us = positions[i].told_us;
  }
}

const struct log_position *partitions_moved(struct partitions *partitions, size_t *ret_count) {
  size_t count = 0;
  for (int32_t p = 0; p < partitions->count; p++) {
    for (size_t i = 0; i < partitions->input_count; i++) {
      const struct partition_input *input = &partitions->items[p].inputs[i];
      if (input->next != input->base)
        partitions->positions[count++] = (struct log_position){
            .topic = i, .partition = p, .offset = input->next, .told_us = partitions->items[p].told_us};
    }
  }
  *ret_count = count;
  return partitions->positions;
}

void partitions_committed(struct partitions *partitions) {
  for (size_t i = 0; i < (size_t)partitions->count * partitions->input_count; i++)
    partitions->inputs[i].base = partitions->inputs[i].next;
}

void partitions_dropped(struct partitions *partitions) {
  for (size_t i = 0; i < (size_t)partitions->count * partitions->input_count; i++)
    partitions->inputs[i].next = partitions->inputs[i].base;
}

struct log_position partitions_anchor(const struct partitions *partitions, int32_t partition) {
  const struct partition_input *inputs = partitions->items[partition].inputs;
  size_t topic = 0;
  while (topic < partitions->input_count && inputs[topic].base < 0)
    topic++;
  if (topic == partitions->input_count)
    topic = 0;
  return (struct log_position){.topic = topic,
                               .partition = partition,
                               .offset = inputs[topic].base,
                               .told_us = partitions->items[partition].told_us};
}

bool partitions_is_live(const struct partitions *partitions, int32_t partition) {
  return partition >= 0 && partition < partitions->count && partitions->items[partition].state == PARTITION_LIVE;
}

size_t partitions_count(const struct partitions *partitions, enum partition_state state) {
  size_t count = 0;
  for (int32_t p = 0; p < partitions->count; p++)
    count += partitions->items[p].state == state;
  return count;
}

int32_t partitions_first(const struct partitions *partitions, enum partition_state state) {
  for (int32_t p = 0; p < partitions->count; p++)
    if (partitions->items[p].state == state)
      return p;
  return -1;
}

void partitions_swept(struct partitions *partitions, int64_t wall_us, bool found) {
  for (int32_t p = 0; p < partitions->count; p++)
    partitions->items[p].swept_us = partitions->items[p].state == PARTITION_LIVE ? wall_us : 0;
  if (found)
    partitions_found(partitions);
}

void partitions_not_told(struct partitions *partitions) {
  for (int32_t p = 0; p < partitions->count; p++)
    partitions->items[p].told_us = partitions->items[p].swept_us = 0;
}

void partitions_found(struct partitions *partitions) {
  for (int32_t p = 0; p < partitions->count; p++)
    if (partitions->items[p].state == PARTITION_LIVE && partitions->items[p].swept_us != 0)
      partitions->items[p].told_us = partitions->items[p].swept_us;
}

bool partitions_are_ready(const struct partitions *partitions) {
  return partitions_count(partitions, PARTITION_LIVE) > 0 && partitions_count(partitions, PARTITION_BEHIND) == 0 &&
         partitions_count(partitions, PARTITION_SPLIT) == 0;
}

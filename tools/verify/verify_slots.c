#include "tools/verify/verify_slots.h"

#include <stdlib.h>

#define FIRST 4096

static size_t place_of(const struct verify_slots *slots, uint64_t hash) {
  size_t at = hash & (slots->capacity - 1);
  while (slots->items[at].hash && slots->items[at].hash != hash)
    at = (at + 1) & (slots->capacity - 1);
  return at;
}

static int grow(struct verify_slots *slots) {
  struct verify_slots larger = {.capacity = slots->capacity ? 2 * slots->capacity : FIRST, .count = slots->count};
  larger.items = calloc(larger.capacity, sizeof *larger.items);
  if (!larger.items)
    return -1;
  for (size_t i = 0; i < slots->capacity; i++)
    if (slots->items[i].hash)
      larger.items[place_of(&larger, slots->items[i].hash)] = slots->items[i];
  free(slots->items);
  *slots = larger;
  return 0;
}

struct verify_slot *verify_slots_at(struct verify_slots *slots, uint64_t hash) {
  hash = hash ? hash : 1;
  if (8 * slots->count >= 7 * slots->capacity && grow(slots) != 0)
    return NULL;
  struct verify_slot *slot = &slots->items[place_of(slots, hash)];
  if (!slot->hash) {
    *slot = (struct verify_slot){.hash = hash, .log_at = SLOT_NONE, .cache_at = SLOT_NONE, .end_s = SLOT_NO_END};
    slots->count++;
  }
  return slot;
}

struct verify_slot *verify_slots_find(const struct verify_slots *slots, uint64_t hash) {
  if (!slots->capacity)
    return NULL;
  struct verify_slot *slot = &slots->items[place_of(slots, hash ? hash : 1)];
  return slot->hash ? slot : NULL;
}

void verify_slots_release(struct verify_slots *slots) {
  free(slots->items);
  *slots = (struct verify_slots){0};
}

struct verify_slot *verify_slots_next(const struct verify_slots *slots, size_t *at) {
  while (*at < slots->capacity) {
    struct verify_slot *slot = &slots->items[(*at)++];
    if (slot->hash)
      return slot;
  }
  return NULL;
}

bool verify_slot_agrees(const struct verify_slot *slot) {
  return slot->drifts == 0 && !slot->late && slot->log_at == slot->cache_at && slot->log_state == slot->cache_state;
}

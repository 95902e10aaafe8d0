#include "worker/fold.h"

#include <stdlib.h>

#include "core/hash.h"

#define FIRST 1024

struct fold_slot {
  uint64_t hash; /* 0: free */
  int64_t offset;
};

static uint64_t hash_of(struct wm_text user) {
  uint64_t hash = wm_hash(user);
  return hash ? hash : 1;
}

static size_t place_of(const struct fold *fold, uint64_t hash) {
  size_t at = hash & (fold->capacity - 1);
  while (fold->slots[at].hash && fold->slots[at].hash != hash)
    at = (at + 1) & (fold->capacity - 1);
  return at;
}

static int grow(struct fold *fold) {
  struct fold larger = {.capacity = fold->capacity ? 2 * fold->capacity : FIRST, .count = fold->count};
  larger.slots = calloc(larger.capacity, sizeof *larger.slots);
  if (!larger.slots)
    return -1;
  for (size_t i = 0; i < fold->capacity; i++)
    if (fold->slots[i].hash)
      larger.slots[place_of(&larger, fold->slots[i].hash)] = fold->slots[i];
  free(fold->slots);
  *fold = larger;
  return 0;
}

int fold_take(struct fold *fold, struct wm_text user, int64_t offset) {
  if (4 * fold->count >= 3 * fold->capacity && grow(fold) != 0)
    return -1;
  uint64_t hash = hash_of(user);
  struct fold_slot *slot = &fold->slots[place_of(fold, hash)];
  fold->count += !slot->hash;
  *slot = (struct fold_slot){hash, offset};
  return 0;
}

bool fold_is_newest(const struct fold *fold, struct wm_text user, int64_t offset) {
  if (!fold->capacity)
    return true;
  const struct fold_slot *slot = &fold->slots[place_of(fold, hash_of(user))];
  return !slot->hash || slot->offset <= offset;
}

void fold_clear(struct fold *fold) {
  free(fold->slots);
  *fold = (struct fold){0};
}

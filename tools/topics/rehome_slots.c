#include <stdlib.h>

#include "core/hash.h"
#include "tools/topics/rehome_parts.h"

#define FIRST 4096

static struct rehome_slot *place_of(const struct rehome_slots *slots, uint64_t first, uint64_t second) {
  size_t at = first & (slots->capacity - 1);
  for (;;) {
    struct rehome_slot *slot = &slots->items[at];
    if ((!slot->first && !slot->second) || (slot->first == first && slot->second == second))
      return slot;
    at = (at + 1) & (slots->capacity - 1);
  }
}

static int grow(struct rehome_slots *slots) {
  struct rehome_slots larger = {.capacity = slots->capacity ? 2 * slots->capacity : FIRST, .count = slots->count};
  larger.items = calloc(larger.capacity, sizeof *larger.items);
  if (!larger.items)
    return -1;
  for (size_t i = 0; i < slots->capacity; i++) {
    const struct rehome_slot *slot = &slots->items[i];
    if (slot->first || slot->second)
      *place_of(&larger, slot->first, slot->second) = *slot;
  }
  free(slots->items);
  *slots = larger;
  return 0;
}

static uint64_t second_of(struct wm_text user) {
  return wm_hash_pair(WM_TEXT("rehome"), user);
}

struct rehome_slot *rehome_slot_at(struct rehome_slots *slots, struct wm_text user) {
  if (4 * slots->count >= 3 * slots->capacity && grow(slots) != 0)
    return NULL;
  struct rehome_slot *slot = place_of(slots, wm_hash(user), second_of(user));
  if (!slot->first && !slot->second) {
    *slot = (struct rehome_slot){.first = wm_hash(user), .second = second_of(user), .newest = -1};
    slots->count++;
  }
  return slot;
}

struct rehome_slot *rehome_slot_find(const struct rehome_slots *slots, struct wm_text user) {
  if (!slots->capacity)
    return NULL;
  struct rehome_slot *slot = place_of(slots, wm_hash(user), second_of(user));
  return slot->first || slot->second ? slot : NULL;
}

void rehome_slots_release(struct rehome_slots *slots) {
  free(slots->items);
  *slots = (struct rehome_slots){0};
}

#include "tools/directory/directory_names.h"

#include <stdlib.h>

#include "core/hash.h"

void names_release(struct names *names) {
  free(names->items);
  free(names->slots);
  *names = (struct names){0};
}

/* Where the text stands, or would have to stand. */
static uint32_t slot_of(const struct names *names, struct wm_text text) {
  uint32_t slot = (uint32_t)wm_hash(text) & names->mask;
  while (names->slots[slot] && !wm_text_equal(names->items[names->slots[slot] - 1], text))
    slot = (slot + 1) & names->mask;
  return slot;
}

uint32_t names_find(const struct names *names, struct wm_text text) {
  return names->slots ? names->slots[slot_of(names, text)] - 1 : NAMES_NONE; /* 0 - 1: none */
}

static int make_room(struct names *names) {
  uint32_t capacity = names->capacity ? 2 * names->capacity : 64;
  if (capacity > UINT32_MAX / 8)
    return -1;
  struct wm_text *items = reallocarray(names->items, capacity, sizeof *items);
  if (!items)
    return -1;
  names->items = items;
  uint32_t *slots = calloc(2 * (size_t)capacity, sizeof *slots);
  if (!slots)
    return -1;
  free(names->slots);
  names->slots = slots;
  names->mask = 2 * capacity - 1;
  names->capacity = capacity;
  for (uint32_t i = 0; i < names->count; i++)
    slots[slot_of(names, items[i])] = i + 1;
  return 0;
}

int names_add(struct names *names, struct wm_text text) {
  if (names->count == names->capacity && make_room(names) < 0)
    return -1;
  names->items[names->count] = text;
  names->slots[slot_of(names, text)] = names->count + 1;
  names->count++;
  return 0;
}

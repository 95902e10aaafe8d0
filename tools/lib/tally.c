#include "tools/lib/tally.h"

#include <stdlib.h>

#include "core/hash.h"

void tally_init(struct tally *tally) {
  *tally = (struct tally){0};
  wm_arena_init(&tally->arena, 0);
}

void tally_release(struct tally *tally) {
  free(tally->slots);
  wm_arena_release(&tally->arena);
  *tally = (struct tally){0};
}

static bool is_named(const struct tally_row *row, const struct wm_text *parts) {
  for (size_t i = 0; i < TALLY_PARTS; i++)
    if (!wm_text_equal(row->parts[i], parts[i]))
      return false;
  return true;
}

static uint64_t hash_of(const struct wm_text *parts) {
  return wm_hash_pair(parts[0], parts[1]) ^ wm_hash(parts[2]) * 3;
}

/* The slot of a name: its own, or the free one where it belongs. */
static struct tally_row **find(struct tally_row **slots, size_t capacity, const struct wm_text *parts) {
  size_t at = (size_t)hash_of(parts) & (capacity - 1);
  while (slots[at] && !is_named(slots[at], parts))
    at = (at + 1) & (capacity - 1);
  return &slots[at];
}

static int grow(struct tally *tally) {
  size_t capacity = tally->capacity ? 2 * tally->capacity : 64;
  struct tally_row **slots = calloc(capacity, sizeof *slots);
  if (!slots)
    return -1;
  for (size_t i = 0; i < tally->capacity; i++)
    if (tally->slots[i])
      *find(slots, capacity, tally->slots[i]->parts) = tally->slots[i];
  free(tally->slots);
  tally->slots = slots;
  tally->capacity = capacity;
  return 0;
}

struct tally_row *tally_row(struct tally *tally, struct wm_text first, struct wm_text second, struct wm_text third) {
  const struct wm_text parts[TALLY_PARTS] = {first, second, third};
  if (2 * (tally->count + 1) > tally->capacity && grow(tally) < 0)
    return NULL;
  struct tally_row **slot = find(tally->slots, tally->capacity, parts);
  if (*slot)
    return *slot;
  struct tally_row *row = WM_ARENA_NEW(&tally->arena, struct tally_row);
  for (size_t i = 0; row && i < TALLY_PARTS; i++)
    if (wm_arena_text(&tally->arena, parts[i], &row->parts[i]) < 0)
      return NULL;
  *slot = row;
  tally->count += row != NULL;
  return row;
}

int tally_example(struct tally *tally, struct tally_row *row, struct wm_text example) {
  return row->example.bytes ? 0 : wm_arena_text(&tally->arena, example, &row->example);
}

static int by_name(const void *a, const void *b) {
  const struct tally_row *const *left = a, *const *right = b;
  for (size_t i = 0; i < TALLY_PARTS; i++) {
    int order = wm_text_compare((*left)->parts[i], (*right)->parts[i]);
    if (order)
      return order;
  }
  return 0;
}

struct tally_row **tally_sorted(const struct tally *tally) {
  struct tally_row **rows = calloc(tally->count + 1, sizeof *rows);
  size_t count = 0;
  for (size_t i = 0; rows && i < tally->capacity; i++)
    if (tally->slots[i])
      rows[count++] = tally->slots[i];
  if (rows)
    qsort(rows, count, sizeof *rows, by_name);
  return rows;
}

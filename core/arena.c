#include "core/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CHUNK 65536
#define LARGEST_CHUNK 1048576 /* chunks double up to here, unless the caller wants more at once */
#define ALIGNMENT alignof(max_align_t)

struct wm_arena_chunk {
  struct wm_arena_chunk *next; /* older */
  size_t size, used;
  alignas(max_align_t) char bytes[];
};

void wm_arena_init(struct wm_arena *arena, size_t chunk_size) {
  *arena = (struct wm_arena){.chunk_size = chunk_size ? chunk_size : DEFAULT_CHUNK};
}

void wm_arena_release(struct wm_arena *arena) {
  struct wm_arena_chunk *chunk = arena->head;
  while (chunk) {
    struct wm_arena_chunk *next = chunk->next;
    free(chunk);
    chunk = next;
  }
  arena->head = NULL;
  arena->used = 0;
}

void wm_arena_rewind(struct wm_arena *arena) {
  struct wm_arena_chunk *largest = arena->head;
  for (struct wm_arena_chunk *chunk = arena->head; chunk; chunk = chunk->next)
    if (chunk->size > largest->size)
      largest = chunk;
  struct wm_arena_chunk *chunk = arena->head;
  while (chunk) {
    struct wm_arena_chunk *next = chunk->next;
    if (chunk != largest)
      free(chunk);
    chunk = next;
  }
  if (largest) {
    largest->next = NULL;
    largest->used = 0;
  }
  arena->head = largest;
  arena->used = 0;
}

/* A new chunk in front with room for at least 'size' bytes. */
static struct wm_arena_chunk *add_chunk(struct wm_arena *arena, size_t size) {
  size_t room = arena->chunk_size ? arena->chunk_size : DEFAULT_CHUNK; /* an arena of all zeros works too */
  if (room < size)
    room = size;
  struct wm_arena_chunk *chunk = malloc(sizeof(*chunk) + room);
  if (!chunk)
    return NULL;
  chunk->next = arena->head;
  chunk->size = room;
  chunk->used = 0;
  arena->head = chunk;
  if (arena->chunk_size <= LARGEST_CHUNK / 2)
    arena->chunk_size *= 2;
  return chunk;
}

static void *take(struct wm_arena *arena, size_t size) {
  if (size > PTRDIFF_MAX - sizeof(struct wm_arena_chunk) - ALIGNMENT) /* nobody has that much */
    return NULL;
  size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  struct wm_arena_chunk *chunk = arena->head;
  if (!chunk || chunk->size - chunk->used < rounded)
    chunk = add_chunk(arena, rounded);
  if (!chunk)
    return NULL;
  char *bytes = chunk->bytes + chunk->used;
  chunk->used += rounded;
  arena->used += rounded;
  return bytes;
}

void *wm_arena_alloc(struct wm_arena *arena, size_t size) {
  void *bytes = take(arena, size);
  return bytes ? memset(bytes, 0, size) : NULL;
}

void *wm_arena_array(struct wm_arena *arena, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total))
    return NULL;
  return wm_arena_alloc(arena, total);
}

char *wm_arena_copy(struct wm_arena *arena, const char *bytes, size_t size) {
  char *copy = size < SIZE_MAX ? take(arena, size + 1) : NULL;
  if (!copy)
    return NULL;
  if (size > 0)
    memcpy(copy, bytes, size);
  copy[size] = '\0';
  return copy;
}

int wm_arena_text(struct wm_arena *arena, struct wm_text text, struct wm_text *ret) {
  if (!text.bytes) {
    *ret = WM_NO_TEXT;
    return 0;
  }
  char *copy = wm_arena_copy(arena, text.bytes, text.size);
  if (!copy)
    return -1;
  *ret = (struct wm_text){copy, text.size};
  return 0;
}

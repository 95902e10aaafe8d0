/* Memory that is given back all at once: a batch, a register, a workspace. */
#ifndef WM_CORE_ARENA_H
#define WM_CORE_ARENA_H

#include <stddef.h>

#include "core/text.h"

struct wm_arena_chunk;

struct wm_arena {
  struct wm_arena_chunk *head; /* the newest chunk; NULL: nothing taken yet */
  size_t chunk_size;           /* bytes of the next chunk */
  size_t used;                 /* bytes handed out since init or rewind */
};

/* Prepares an arena whose chunks have at least 'chunk_size' bytes (0: 64 KiB). Takes no memory yet. */
void wm_arena_init(struct wm_arena *arena, size_t chunk_size);

/* Gives everything back; the arena can be used again. */
void wm_arena_release(struct wm_arena *arena);

/* Forgets everything but keeps one chunk (the largest) for the next batch. */
void wm_arena_rewind(struct wm_arena *arena);

/* Borrows 'size' zeroed bytes, aligned for any type, until release or rewind. NULL: out of memory. */
void *wm_arena_alloc(struct wm_arena *arena, size_t size);

/* Like wm_arena_alloc for an array; NULL also when count * size overflows. */
void *wm_arena_array(struct wm_arena *arena, size_t count, size_t size);

/* A copy of 'size' bytes with a NUL behind. NULL: out of memory. */
char *wm_arena_copy(struct wm_arena *arena, const char *bytes, size_t size);

/* Fills 'ret' with a copy of the text, a NUL behind it; no text stays no text. -1: out of memory. */
int wm_arena_text(struct wm_arena *arena, struct wm_text text, struct wm_text *ret);

#define WM_ARENA_NEW(arena, type) ((type *)wm_arena_alloc((arena), sizeof(type)))
#define WM_ARENA_ARRAY(arena, type, count) ((type *)wm_arena_array((arena), (count), sizeof(type)))

#endif

#include <criterion/criterion.h>
#include <stdint.h>

#include "core/arena.h"

Test(arena, gives_zeroed_and_aligned_memory) {
  struct wm_arena arena;
  wm_arena_init(&arena, 256);
  for (int round = 0; round < 3; round++) {
    for (size_t size = 0; size < 1000; size += 7) {
      unsigned char *bytes = wm_arena_alloc(&arena, size);
      cr_assert_not_null(bytes);
      cr_assert_eq((uintptr_t)bytes % _Alignof(max_align_t), 0);
      for (size_t i = 0; i < size; i++)
        cr_assert_eq(bytes[i], 0);
      memset(bytes, 0xff, size);
    }
    wm_arena_rewind(&arena);
  }
  wm_arena_release(&arena);
}

Test(arena, rewinding_keeps_memory_for_the_next_batch) {
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  void *first = wm_arena_alloc(&arena, 100);
  wm_arena_rewind(&arena);
  cr_assert_eq(arena.used, 0);
  cr_assert_eq(wm_arena_alloc(&arena, 100), first);
  wm_arena_release(&arena);
  cr_assert_null(arena.head);
  cr_assert_not_null(wm_arena_alloc(&arena, 1), "it can be used again");
  wm_arena_release(&arena);
}

Test(arena, what_was_given_stays_when_it_grows) {
  struct wm_arena arena;
  wm_arena_init(&arena, 64);
  char *texts[500];
  for (size_t i = 0; i < 500; i++) {
    char text[16];
    int size = snprintf(text, sizeof(text), "text %zu", i);
    texts[i] = wm_arena_copy(&arena, text, (size_t)size);
  }
  for (size_t i = 0; i < 500; i++) {
    char text[16];
    snprintf(text, sizeof(text), "text %zu", i);
    cr_assert_str_eq(texts[i], text);
  }
  wm_arena_release(&arena);
}

Test(arena, refuses_sizes_that_no_memory_has) {
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  cr_assert_null(wm_arena_alloc(&arena, SIZE_MAX));
  cr_assert_null(wm_arena_alloc(&arena, SIZE_MAX - 64));
  cr_assert_null(wm_arena_array(&arena, SIZE_MAX / 2, 3));
  cr_assert_null(wm_arena_copy(&arena, "", SIZE_MAX));
  cr_assert_not_null(wm_arena_alloc(&arena, 10), "a refusal breaks nothing");
  wm_arena_release(&arena);
}

Test(arena, copies_text_and_keeps_no_text_apart) {
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  struct wm_text copy = WM_TEXT("x");
  cr_assert_eq(wm_arena_text(&arena, WM_NO_TEXT, &copy), 0);
  cr_assert_null(copy.bytes);
  cr_assert_eq(wm_arena_text(&arena, WM_TEXT(""), &copy), 0);
  cr_assert_not_null(copy.bytes);
  cr_assert_eq(copy.size, 0);
  cr_assert_eq(wm_arena_text(&arena, WM_TEXT("a\0b"), &copy), 0);
  cr_assert(wm_text_equal(copy, WM_TEXT("a\0b")));
  cr_assert_eq(copy.bytes[3], '\0');
  wm_arena_release(&arena);
}

/* Any bytes as a register: what is taken is written, read and written again without a difference. And as JSON: what
 * the short way takes, jansson reads as the same. */
#include "core/codec/json_plain.h"
#include "core/codec/register.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert() is not compiled in here. */
static void expect(bool truth) {
  if (!truth)
    abort();
}

static void compare_ways(struct wm_text text) {
  struct wm_arena arena;
  struct wm_value plain, any;
  struct wm_buf first = WM_BUF_INIT, second = WM_BUF_INIT;
  wm_arena_init(&arena, 0);
  if (wm_json_read_plain(text, &arena, &plain) == WM_PLAIN_READ) {
    expect(wm_json_read_any(text, &arena, &any, NULL, NULL) == 0);
    wm_value_to_json(&plain, &first);
    wm_value_to_json(&any, &second);
    expect(first.size == second.size && memcmp(first.bytes, second.bytes, first.size) == 0);
  }
  wm_buf_release(&first);
  wm_buf_release(&second);
  wm_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wm_error error;
  compare_ways((struct wm_text){(const char *)data, size});
  struct wm_buf first = WM_BUF_INIT, second = WM_BUF_INIT;
  struct wm_user *user = wm_register_decode((struct wm_text){(const char *)data, size}, &error);
  if (!user)
    return 0;
  wm_register_encode(user, &first);
  struct wm_user *again = wm_register_decode((struct wm_text){first.bytes, first.size}, &error);
  expect(again != NULL);
  wm_register_encode(again, &second);
  expect(first.size == second.size && memcmp(first.bytes, second.bytes, first.size) == 0);
  wm_buf_release(&first);
  wm_buf_release(&second);
  wm_user_free(user);
  wm_user_free(again);
  return 0;
}

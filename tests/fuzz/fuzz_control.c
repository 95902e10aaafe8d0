/* Any bytes as a record of the control topic: the first line is the key. What is taken is about the name in the key,
 * and comes back the same when it is written and read again. */
#include <stdlib.h>

#include "core/codec/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert() is not compiled in here. */
static void expect(bool truth) {
  if (!truth)
    abort();
}

static int decode(struct wm_text key, struct wm_text value, struct wm_arena *arena, enum wm_control *ret,
                  struct wm_running_word *ret_word) {
  static const struct wm_header header = {{"content-type", sizeof "content-type" - 1},
                                          {"application/cloudevents+json", sizeof "application/cloudevents+json" - 1}};
  struct wm_record record = {
      .topic = WM_TEXT("control"), .key = key, .value = value, .headers = &header, .header_count = value.bytes ? 1 : 0};
  struct wm_error error;
  return wm_control_decode(&record, arena, ret, ret_word, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *bytes = (const char *)data, *end = size ? memchr(bytes, '\n', size) : NULL;
  struct wm_text key = {bytes, end ? (size_t)(end - bytes) : size};
  struct wm_text value = end ? (struct wm_text){end + 1, size - key.size - 1} : WM_NO_TEXT;
  struct wm_arena arena;
  struct wm_running_word word, again;
  enum wm_control what;
  wm_arena_init(&arena, 0);
  if (decode(key, value, &arena, &what, &word) == 0 && what == WM_CONTROL_WORD) {
    struct wm_buf first = WM_BUF_INIT, second = WM_BUF_INIT;
    wm_control_key(&word, &first);
    expect(wm_text_equal(key, (struct wm_text){first.bytes, first.size}));
    if (word.state != WM_RUNNING_AS_WRITTEN) {
      wm_control_value(&word, WM_TEXT("id"), &second);
      expect(decode(key, (struct wm_text){second.bytes, second.size}, &arena, &what, &again) == 0);
      expect(again.state == word.state && wm_text_equal(again.by, word.by) && wm_text_equal(again.reason, word.reason));
    }
    wm_buf_release(&first);
    wm_buf_release(&second);
  }
  wm_arena_release(&arena);
  return 0;
}

#include <criterion/criterion.h>

#include "core/buf.h"

Test(buf, grows_and_stays_terminated) {
  struct wm_buf buf = WM_BUF_INIT;
  for (int i = 0; i < 1000; i++)
    wm_buf_add(&buf, "abc", 3);
  cr_assert_eq(buf.size, 3000);
  cr_assert_eq(strlen(buf.bytes), 3000);
  cr_assert_not(buf.failed);
  wm_buf_clear(&buf);
  cr_assert_eq(buf.size, 0);
  cr_assert_str_eq(buf.bytes, "");
  wm_buf_release(&buf);
  cr_assert_null(buf.bytes);
}

Test(buf, takes_nothing_from_nowhere) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_text(&buf, WM_NO_TEXT);
  cr_assert_eq(buf.size, 0);
  cr_assert_not(buf.failed);
  wm_buf_release(&buf);
}

Test(buf, writes_every_integer) {
  static const int64_t numbers[] = {0, 7, -1, 10, INT64_MAX, INT64_MIN};
  static const char *const texts[] = {"0", "7", "-1", "10", "9223372036854775807", "-9223372036854775808"};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    struct wm_buf buf = WM_BUF_INIT;
    wm_buf_add_integer(&buf, numbers[i]);
    cr_expect_str_eq(buf.bytes, texts[i]);
    wm_buf_release(&buf);
  }
}

Test(buf, formats_behind_what_is_there) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_string(&buf, "partition ");
  wm_buf_printf(&buf, "%d of %s", 3, "journey.milestones, which is longer than the first sixty-four bytes");
  cr_assert_str_eq(buf.bytes, "partition 3 of journey.milestones, which is longer than the first sixty-four bytes");
  cr_assert_eq(buf.size, strlen(buf.bytes));
  wm_buf_release(&buf);
}

Test(buf, a_size_that_no_memory_has_fails_and_sticks) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_char(&buf, 'a');
  wm_buf_add(&buf, "b", SIZE_MAX);
  cr_assert(buf.failed);
  wm_buf_add_char(&buf, 'c');
  cr_assert(buf.failed);
  cr_assert_str_eq(buf.bytes, "a");
  wm_buf_clear(&buf);
  cr_assert_not(buf.failed);
  wm_buf_release(&buf);
}

Test(buf, json_strings_escape_what_json_must) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_json(&buf, WM_TEXT("\"a\\b\b\f\n\r\t\0\x1f/\xe2\x82\xac"));
  cr_assert_str_eq(buf.bytes, "\"\\\"a\\\\b\\b\\f\\n\\r\\t\\u0000\\u001f/\xe2\x82\xac\"");
  wm_buf_release(&buf);
}

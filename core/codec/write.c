#include "core/codec/write.h"

#include "core/moment.h"

void wm_write_name(struct wm_buf *buf, struct wm_text name) {
  wm_buf_add_json(buf, name);
  wm_buf_add_char(buf, ':');
}

void wm_write_open(struct wm_buf *buf, struct wm_text key, char bracket) {
  wm_buf_add_text(buf, key);
  wm_buf_add_char(buf, bracket);
}

void wm_write_end(struct wm_buf *buf) {
  if (buf->size > 0 && buf->bytes[buf->size - 1] == ',')
    buf->bytes[--buf->size] = '\0';
}

void wm_write_close(struct wm_buf *buf, char bracket) {
  const char end[2] = {bracket, ','};
  wm_write_end(buf);
  wm_buf_add(buf, end, sizeof end);
}

void wm_write_text(struct wm_buf *buf, struct wm_text key, struct wm_text text) {
  if (!text.bytes)
    return;
  wm_buf_add_text(buf, key);
  wm_buf_add_json(buf, text);
  wm_buf_add_char(buf, ',');
}

void wm_write_string(struct wm_buf *buf, struct wm_text key, const char *string) {
  wm_write_text(buf, key, wm_text_of(string));
}

void wm_write_integer(struct wm_buf *buf, struct wm_text key, int64_t number) {
  wm_buf_add_text(buf, key);
  wm_buf_add_integer(buf, number);
  wm_buf_add_char(buf, ',');
}

void wm_write_boolean(struct wm_buf *buf, struct wm_text key, bool value) {
  wm_buf_add_text(buf, key);
  wm_buf_add_text(buf, value ? WM_TEXT("true,") : WM_TEXT("false,"));
}

void wm_write_true(struct wm_buf *buf, struct wm_text key, bool value) {
  if (value)
    wm_write_boolean(buf, key, true);
}

void wm_write_null(struct wm_buf *buf, struct wm_text key) {
  wm_buf_add_text(buf, key);
  wm_buf_add_text(buf, WM_TEXT("null,"));
}

void wm_write_moment(struct wm_buf *buf, struct wm_text key, int64_t us) {
  char text[WM_MOMENT_SIZE];
  size_t size = wm_moment_format(us, text);
  wm_write_text(buf, key, (struct wm_text){text, size});
}

void wm_write_clock(struct wm_buf *buf, struct wm_text key, const struct wm_clock *clock) {
  if (!wm_clock_is_set(clock)) {
    wm_write_null(buf, key);
    return;
  }
  struct wm_text automation = clock->automation.bytes ? clock->automation : WM_TEXT("");
  wm_write_open(buf, key, '[');
  wm_write_integer(buf, WM_NO_KEY, clock->time_us);
  wm_write_text(buf, WM_NO_KEY, clock->source);
  wm_write_text(buf, WM_NO_KEY, clock->id);
  wm_write_text(buf, WM_NO_KEY, automation);
  wm_write_integer(buf, WM_NO_KEY, clock->sequence);
  wm_write_close(buf, ']');
}

void wm_write_origin(struct wm_buf *buf, const struct wm_origin *origin) {
  if (!origin->topic.bytes)
    return;
  wm_write_text(buf, WM_KEY("topic"), origin->topic);
  wm_write_integer(buf, WM_KEY("partition"), origin->partition);
  wm_write_integer(buf, WM_KEY("offset"), origin->offset);
}

#include "core/codec/write.h"

#include "core/moment.h"

#define EACH_BYTE (UINT64_MAX / 255)

/* In a word: is any byte below 'limit' (at most 128)? */
static uint64_t any_below(uint64_t word, unsigned char limit) {
  return (word - EACH_BYTE * limit) & ~word & (EACH_BYTE << 7);
}

/* Nothing to escape? Eight bytes at a time, since this looks at nearly every byte that is sent. */
static bool is_plain(struct wm_text text) {
  uint64_t odd = 0;
  size_t i = 0;
  for (; i + 8 <= text.size; i += 8) {
    uint64_t word;
    memcpy(&word, text.bytes + i, sizeof word);
    odd |= any_below(word, 0x20) | any_below(word ^ EACH_BYTE * '"', 1) | any_below(word ^ EACH_BYTE * '\\', 1);
  }
  for (; i < text.size; i++) {
    unsigned char c = (unsigned char)text.bytes[i];
    odd |= c < 0x20 || c == '"' || c == '\\';
  }
  return odd == 0;
}

static bool has_room(const struct wm_buf *buf, size_t size) {
  return !buf->failed && buf->capacity - buf->size > size;
}

void wm_write_reserve(struct wm_buf *buf, size_t size) {
  if (buf->failed || has_room(buf, size))
    return;
  char *bytes = realloc(buf->bytes, buf->size + size + 1);
  buf->failed = bytes == NULL;
  if (!bytes)
    return;
  bytes[buf->size] = '\0';
  buf->bytes = bytes;
  buf->capacity = buf->size + size + 1;
}

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
  size_t size = key.size + text.size + 3;
  if (has_room(buf, size) && is_plain(text)) {
    char *at = buf->bytes + buf->size;
    memcpy(at, key.bytes, key.size);
    at[key.size] = '"';
    memcpy(at + key.size + 1, text.bytes, text.size);
    memcpy(at + size - 2, "\",", 3);
    buf->size += size;
    return;
  }
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

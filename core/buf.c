#include "core/buf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void wm_buf_release(struct wm_buf *buf) {
  free(buf->bytes);
  *buf = (struct wm_buf)WM_BUF_INIT;
}

void wm_buf_clear(struct wm_buf *buf) {
  buf->size = 0;
  buf->failed = false;
  if (buf->bytes)
    buf->bytes[0] = '\0';
}

/* Makes room for 'size' more bytes and a NUL. */
static bool reserve(struct wm_buf *buf, size_t size) {
  if (buf->failed)
    return false;
  size_t needed = size + 1;
  if (needed == 0 || __builtin_add_overflow(needed, buf->size, &needed)) {
    buf->failed = true;
    return false;
  }
  if (needed <= buf->capacity)
    return true;
  size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
  while (capacity < needed)
    capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
  char *bytes = realloc(buf->bytes, capacity);
  if (!bytes) {
    buf->failed = true;
    return false;
  }
  buf->bytes = bytes;
  buf->capacity = capacity;
  return true;
}

void wm_buf_add(struct wm_buf *buf, const char *bytes, size_t size) {
  if (!reserve(buf, size))
    return;
  if (size > 0)
    memcpy(buf->bytes + buf->size, bytes, size);
  buf->size += size;
  buf->bytes[buf->size] = '\0';
}

void wm_buf_add_text(struct wm_buf *buf, struct wm_text text) {
  wm_buf_add(buf, text.bytes, text.size);
}

void wm_buf_add_string(struct wm_buf *buf, const char *string) {
  wm_buf_add(buf, string, strlen(string));
}

void wm_buf_add_char(struct wm_buf *buf, char c) {
  wm_buf_add(buf, &c, 1);
}

void wm_buf_add_integer(struct wm_buf *buf, int64_t number) {
  char digits[24];
  size_t at = sizeof(digits);
  uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  do {
    digits[--at] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (number < 0)
    digits[--at] = '-';
  wm_buf_add(buf, digits + at, sizeof(digits) - at);
}

void wm_buf_printf(struct wm_buf *buf, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) {
    buf->failed = true;
    return;
  }
  if (!reserve(buf, (size_t)length))
    return;
  va_start(arguments, format);
  vsnprintf(buf->bytes + buf->size, (size_t)length + 1, format, arguments);
  va_end(arguments);
  buf->size += (size_t)length;
}

static void add_escaped(struct wm_buf *buf, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  static const char shorts[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
  if (c >= 0x20 || shorts[c]) {
    const char pair[2] = {'\\', c >= 0x20 ? (char)c : shorts[c]};
    wm_buf_add(buf, pair, sizeof(pair));
  } else {
    const char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    wm_buf_add(buf, escape, sizeof(escape));
  }
}

void wm_buf_add_json(struct wm_buf *buf, struct wm_text text) {
  wm_buf_add_char(buf, '"');
  size_t start = 0;
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.bytes[i];
    if (c >= 0x20 && c != '"' && c != '\\')
      continue;
    wm_buf_add(buf, text.bytes + start, i - start);
    add_escaped(buf, c);
    start = i + 1;
  }
  if (start < text.size)
    wm_buf_add(buf, text.bytes + start, text.size - start);
  wm_buf_add_char(buf, '"');
}

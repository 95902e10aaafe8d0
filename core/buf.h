/* A growing byte string. Errors stick: append at will, look at 'failed' once. */
#ifndef WM_CORE_BUF_H
#define WM_CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"

struct wm_buf {
  char *bytes; /* NUL-terminated when not NULL; owned */
  size_t size;
  size_t capacity;
  bool failed; /* out of memory somewhere on the way: the content is not whole */
};

#define WM_BUF_INIT                                                                                                    \
  { 0 }

void wm_buf_release(struct wm_buf *buf);
void wm_buf_clear(struct wm_buf *buf); /* empties, keeps the memory, resets 'failed' */
void wm_buf_add(struct wm_buf *buf, const char *bytes, size_t size);
void wm_buf_add_text(struct wm_buf *buf, struct wm_text text);
void wm_buf_add_string(struct wm_buf *buf, const char *string);
void wm_buf_add_char(struct wm_buf *buf, char c);
void wm_buf_add_integer(struct wm_buf *buf, int64_t number);
void wm_buf_printf(struct wm_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends a JSON string with quotes; the text must be UTF-8. Control characters as \uXXXX or \n and so on. */
void wm_buf_add_json(struct wm_buf *buf, struct wm_text text);

#endif

/* JSON by appending, for what is written in bulk. Every member leaves a comma behind; closing takes the last one
 * back. Members without a value are left out. Private to the codec. */
#ifndef WM_CODEC_WRITE_H
#define WM_CODEC_WRITE_H

#include "core/buf.h"
#include "core/clock.h"
#include "core/event.h"

/* The key of a member, from a literal that needs no escapes. */
#define WM_KEY(literal) WM_TEXT("\"" literal "\":")
#define WM_NO_KEY WM_TEXT("")

/* Makes room for 'size' bytes at once, where it is known that they will come. */
void wm_write_reserve(struct wm_buf *buf, size_t size);

/* "name": for a name from outside. */
void wm_write_name(struct wm_buf *buf, struct wm_text name);

/* Begins an object or list: 'bracket' is "{" or "[". wm_write_close ends it with "}" or "]". */
void wm_write_open(struct wm_buf *buf, struct wm_text key, char bracket);
void wm_write_close(struct wm_buf *buf, char bracket);

/* Takes the comma behind the outermost value back. */
void wm_write_end(struct wm_buf *buf);

void wm_write_text(struct wm_buf *buf, struct wm_text key, struct wm_text text); /* left out without a text */
void wm_write_string(struct wm_buf *buf, struct wm_text key, const char *string);
void wm_write_integer(struct wm_buf *buf, struct wm_text key, int64_t number);
void wm_write_true(struct wm_buf *buf, struct wm_text key, bool value); /* left out when false */
void wm_write_boolean(struct wm_buf *buf, struct wm_text key, bool value);
void wm_write_null(struct wm_buf *buf, struct wm_text key);
void wm_write_moment(struct wm_buf *buf, struct wm_text key, int64_t us);

/* [time in microseconds, source, id, automation, sequence], or null. */
void wm_write_clock(struct wm_buf *buf, struct wm_text key, const struct wm_clock *clock);

/* 'topic', 'partition' and 'offset' as members; nothing without a topic. */
void wm_write_origin(struct wm_buf *buf, const struct wm_origin *origin);

#endif

/* JSON text to values: the only file that knows jansson. */
#ifndef WM_CODEC_JSON_H
#define WM_CODEC_JSON_H

#include "core/error.h"
#include "core/value.h"

/* What is wrong with a text that is not JSON, as one word each ("json", "utf8", "duplicate-key", "nul", "range"). */
enum wm_json_fault {
  WM_JSON_SYNTAX,
  WM_JSON_UTF8,
  WM_JSON_DUPLICATE,
  WM_JSON_NUL,  /* U+0000 in a text or a name */
  WM_JSON_RANGE /* a number that no double can hold */
};
const char *wm_json_fault_name(enum wm_json_fault fault);

/* Reads one JSON value of any type (the whole text) into 'ret', which borrows from 'arena'. Refuses duplicate keys,
 * NUL, invalid UTF-8, anything behind the value. Integers over 64 bits become reals. -1 with JSON_INVALID (line,
 * column set) or OUT_OF_MEMORY. */
int wm_json_parse(struct wm_text text, struct wm_arena *arena, struct wm_value *ret, struct wm_error *error);

/* The same; with JSON_INVALID 'ret_fault' says in which way. */
int wm_json_read(struct wm_text text, struct wm_arena *arena, struct wm_value *ret, enum wm_json_fault *ret_fault,
                 struct wm_error *error);

/* How deep lists and objects are nested, by a scan that needs no valid JSON: "5" is 0, "{}" is 1. */
size_t wm_json_depth(struct wm_text text);

/* 'ret' gets an indented rendering for people (--json never uses it). */
void wm_json_pretty(const struct wm_value *value, struct wm_buf *ret);

#endif

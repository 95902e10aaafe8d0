/* JSON text to values: the only file that knows jansson. */
#ifndef WM_CODEC_JSON_H
#define WM_CODEC_JSON_H

#include "core/error.h"
#include "core/value.h"

/* Reads one JSON value of any type (the whole text) into 'ret', which borrows from 'arena'. Refuses duplicate keys,
 * NUL, invalid UTF-8, anything behind the value. Integers over 64 bits become reals. -1 with JSON_INVALID (line,
 * column set) or OUT_OF_MEMORY. */
int wm_json_parse(struct wm_text text, struct wm_arena *arena, struct wm_value *ret, struct wm_error *error);

/* How deep lists and objects are nested, by a scan that needs no valid JSON: "5" is 0, "{}" is 1. */
size_t wm_json_depth(struct wm_text text);

/* 'ret' gets an indented rendering for people (--json never uses it). */
void wm_json_pretty(const struct wm_value *value, struct wm_buf *ret);

#endif

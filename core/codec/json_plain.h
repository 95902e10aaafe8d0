/* A short way for the JSON that nearly every record is: no escapes, no exponents, nothing odd. It gives the same value
 * as jansson or says that the text is not for it; what is wrong with a text only jansson says. Private to json.c. */
#ifndef WM_CODEC_JSON_PLAIN_H
#define WM_CODEC_JSON_PLAIN_H

#include "core/codec/json.h"

enum wm_plain { WM_PLAIN_READ, WM_PLAIN_NOT, WM_PLAIN_NO_MEMORY };

/* Reads 'text' into 'ret', which borrows from 'arena'; its texts have a NUL behind them. */
enum wm_plain wm_json_read_plain(struct wm_text text, struct wm_arena *arena, struct wm_value *ret);

/* The long way, as wm_json_read; in json.c. Tests hold the two against each other. */
int wm_json_read_any(struct wm_text text, struct wm_arena *arena, struct wm_value *ret, enum wm_json_fault *ret_fault,
                     struct wm_error *error);

#endif

/* Points in time as microseconds since 1970-01-01T00:00:00Z, and durations in microseconds. */
#ifndef WM_CORE_MOMENT_H
#define WM_CORE_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"

#define WM_SECOND_US INT64_C(1000000)
#define WM_MOMENT_SIZE 40 /* room for wm_moment_format */

/* RFC 3339 date-time, the whole text: calendar checked, 't' and 'z' too, second 60 is the next second, more digits than
 * microseconds cut off. False leaves 'ret_us' alone. */
bool wm_moment_parse(struct wm_text text, int64_t *ret_us);

/* Writes "2026-11-21T10:00:00Z", with as many fraction digits as are not zero (".25Z"). Returns the length.
 * Years outside 0..9999 are clamped to the nearest moment that can be written. */
size_t wm_moment_format(int64_t us, char ret[static WM_MOMENT_SIZE]);

/* "<digits><s|m|h|d|w>", 0 .. 36500 days. False: not a duration. */
bool wm_duration_parse(struct wm_text text, int64_t *ret_us);

#endif

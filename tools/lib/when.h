/* Moments as people type them. */
#ifndef WM_TOOLS_WHEN_H
#define WM_TOOLS_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-11-20" (UTC; its first moment, or its last if 'end_of_day'), an RFC 3339 time, or a duration before 'now_us'
 * ("7d"). EXIT_FINE, or EXIT_USAGE: told, with the option's name. */
int when_parse(const char *option, const char *text, bool end_of_day, int64_t now_us, int64_t *ret_us);

#endif

/* Numbers and rates as people type them. */
#ifndef WM_TOOLS_RATE_H
#define WM_TOOLS_RATE_H

#include <stddef.h>

/* "500" or "500/s", above 0. EXIT_FINE, or EXIT_USAGE: told, with the option's name. */
int rate_read(const char *option, const char *text, double *ret);

/* The same, or "max": 0, no limit. 'text' NULL leaves 'ret' as it is. */
int rate_read_limit(const char *option, const char *text, double *ret);

/* A whole number, 0 too. 'text' NULL leaves 'ret' as it is. EXIT_FINE, or EXIT_USAGE, told. */
int rate_read_count(const char *option, const char *text, size_t *ret);

#endif

/* Texts and their numbers: each text once, numbered in the order in which they came. */
#ifndef WM_TOOLS_DIRECTORY_NAMES_H
#define WM_TOOLS_DIRECTORY_NAMES_H

#include <stdint.h>

#include "core/text.h"

#define NAMES_NONE UINT32_MAX

/* All zeros is an empty one. */
struct names {
  struct wm_text *items; /* by number; borrowed from whoever keeps the texts */
  uint32_t count, capacity;
  uint32_t *slots; /* number + 1; 0: free */
  uint32_t mask;
};

void names_release(struct names *names);

/* The number of a text; NAMES_NONE: it has none. */
uint32_t names_find(const struct names *names, struct wm_text text);

/* Gives a text that has no number the next one; the text has to live as long as the names. -1: out of memory. */
int names_add(struct names *names, struct wm_text text);

#endif

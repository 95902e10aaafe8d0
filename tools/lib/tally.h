/* Counts by name: small tables that grow with what there is to tell, not with the events. */
#ifndef WM_TOOLS_TALLY_H
#define WM_TOOLS_TALLY_H

#include "core/arena.h"

#define TALLY_COLUMNS 8
#define TALLY_PARTS 3

struct tally_row {
  struct wm_text parts[TALLY_PARTS]; /* the name, of one part or more */
  size_t counts[TALLY_COLUMNS];
  struct wm_text example; /* WM_NO_TEXT: none */
};

struct tally {
  struct wm_arena arena;
  struct tally_row **slots; /* hash table */
  size_t count, capacity;
};

void tally_init(struct tally *tally);
void tally_release(struct tally *tally);

/* The row of a name, made where there is none; parts that are not needed are WM_NO_TEXT. NULL: out of memory. */
struct tally_row *tally_row(struct tally *tally, struct wm_text first, struct wm_text second, struct wm_text third);

/* Gives a row its example, unless it has one. -1: out of memory. */
int tally_example(struct tally *tally, struct tally_row *row, struct wm_text example);

/* All rows by name: a new array of 'count' pointers, free() it. NULL: out of memory. */
struct tally_row **tally_sorted(const struct tally *tally);

#endif

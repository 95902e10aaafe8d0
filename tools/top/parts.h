/* The parts of a screen that are lists: failures by code, the last failures, partitions. */
#ifndef WM_TOOLS_TOP_PARTS_H
#define WM_TOOLS_TOP_PARTS_H

#include <stdio.h>

#include "tools/lib/table.h"
#include "tools/top/screen.h"

#define PART_ALARMS 40 /* lines of alarms, and of one worker's checks */
#define PART_LINES 20  /* lines of a list where there is no end */

struct part {
  const struct screen *screen;
  FILE *file;
  size_t room; /* lines that there are; SIZE_MAX: no end */
};

void part_codes(const struct part *part);
void part_failures(const struct part *part);
void part_lags(const struct part *part);

/* An empty line and the table; nothing when it has no rows. Releases it. */
void part_print(const struct part *part, struct table *table);

/* A count; a rate in tenths. Less than 0: not known. 'style' is for those above 0. */
void part_number(struct table *table, int64_t value, enum style style);
void part_rate(struct table *table, int64_t tenths, enum style style);

/* A text of a stranger, cut after so many bytes. */
#define PART_TEXT 120
void part_text(struct table *table, enum style style, struct wm_text text);

/* Adds what is known. */
void part_sum(int64_t *sum, int64_t value);

/* The worker's own name, else the address that was asked. */
struct wm_text part_name(const struct watched *worker);

#endif

/* Tables for people on stdout: columns as wide as their widest cell, by what a terminal shows (UTF-8, wide and
 * combining characters); colours only on a terminal that wants them. */
#ifndef WM_TOOLS_TABLE_H
#define WM_TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/text.h"

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_BAD, STYLE_WARN, STYLE_NOTE };

/* Prints to 'file', coloured when it is a terminal, NO_COLOR is not set and TERM is not dumb. The text is made safe. */
void style_print(FILE *file, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Is 'file' a terminal that shows colours? */
bool style_wanted(FILE *file);

/* How many columns a terminal needs for the text. */
size_t text_width(struct wm_text text);

#define TABLE_COLUMNS 12

struct table_cell;

struct table {
  const char *const *heads; /* ended by NULL */
  size_t columns;
  size_t widths[TABLE_COLUMNS]; /* only grow */
  struct table_cell *cells;     /* rows not printed yet */
  size_t count, capacity;
  size_t indent;
  bool headed; /* the head is printed */
  bool failed; /* no memory: rows are missing */
};

/* 'heads' is borrowed. */
void table_init(struct table *table, const char *const *heads);
void table_release(struct table *table);

/* Adds the next cell, row by row. The text is copied and made safe. */
void table_cell(struct table *table, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
void table_text(struct table *table, enum style style, struct wm_text text);

/* Prints what was added since the last print; the head comes before the first row only. An empty table prints
 * nothing. On a terminal a line is cut at its right edge; a last cell that does not fit gets a line of its own. */
void table_print(struct table *table, FILE *file);

/* The same on something that is no terminal but will be shown on one, 'edge' columns wide (SIZE_MAX: no end). Each row
 * is one line, cut at the edge. */
void table_print_page(struct table *table, FILE *file, bool colours, size_t edge);

/* Rows that wait to be printed. */
size_t table_rows(const struct table *table);

#endif

/* Organisation units: the tree of each type, from a file of its own or from the paths that people's units are. */
#ifndef WM_TOOLS_DIRECTORY_UNITS_H
#define WM_TOOLS_DIRECTORY_UNITS_H

#include "tools/directory/directory_names.h"
#include "tools/directory/directory_records.h"

#define UNITS_DEPTH_LIMIT 1000    /* units above one another */
#define UNITS_COUNT_LIMIT 1000000 /* units in all */

struct unit {
  struct wm_text type, name;
  uint32_t parent; /* WM_FOREST_TOP: none */
  unsigned line, column;
};

struct units {
  const char *path;   /* NULL: no file, units are what people's paths say */
  struct names names; /* number = unit: "type NUL name" with a file, else "type NUL parent NUL name" */
  struct names plain; /* without a file: "type NUL name", to see one name below two parents */
  uint32_t *first;    /* by number in 'plain': the unit that had the name first; UINT32_MAX: was told */
  struct unit *items;
  uint32_t capacity, first_capacity;
  uint32_t *depths; /* with a file: WM_FOREST_LOST for units on or below a circle */
  struct wm_arena arena;
  struct wm_buf key;
};

void units_init(struct units *units);
void units_release(struct units *units);

/* Reads 'path' with the columns (or members) type, unit and parent. What is wrong with it becomes findings; exit code
 * otherwise. */
int units_read(struct units *units, const char *path, char separator, struct wm_findings *findings);

/* The unit that a value means, with findings of 'records' at its place: a text is the name of a unit (with a file) or
 * a path of one; a list is a path from the top down. False: it means none; it was told. */
bool units_resolve(struct units *units, struct wm_text type, const struct record_field *field,
                   const struct records *records, uint32_t *ret);

/* The member "type":[path from the top down]. */
void units_write(const struct units *units, uint32_t unit, struct wm_buf *buf);

#endif

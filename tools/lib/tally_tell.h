/* Tallies as tables, or as JSON lines. */
#ifndef WM_TOOLS_TALLY_TELL_H
#define WM_TOOLS_TALLY_TELL_H

#include "tools/lib/table.h"
#include "tools/lib/tally.h"

/* How one tally is told; every list ends with NULL. */
struct tally_shape {
  const char *kind;                      /* of a JSON line */
  const char *parts[TALLY_PARTS + 1];    /* members for the name */
  const char *counts[TALLY_COLUMNS + 1]; /* members for the numbers */
  const char *heads[TABLE_COLUMNS];
  bool example; /* the last column */
};

/* All rows by name on stdout, an empty line behind the table. EXIT_FINE, or told. */
int tally_tell(const struct tally_shape *shape, const struct tally *tally, bool json);

#endif

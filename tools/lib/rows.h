/* Outcomes and rejections as rows, from the records that other programs read. */
#ifndef WM_TOOLS_ROWS_H
#define WM_TOOLS_ROWS_H

#include "core/value.h"
#include "tools/lib/table.h"

extern const char *const rows_heads[];

/* One row for each task of an executed.v1 event; returns how many. */
size_t rows_add_outcome(struct table *table, const struct wm_value *outcome);

/* One row for a rejected.v1 event. False: it is another one. */
bool rows_add_rejection(struct table *table, const struct wm_value *failure);

#endif

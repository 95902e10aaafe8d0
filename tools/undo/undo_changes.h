/* The audit trail lives longer than the outcomes: where retention has deleted those, it still tells which roles in
 * force were lost by the automation, and who had given them. */
#ifndef WM_TOOLS_UNDO_CHANGES_H
#define WM_TOOLS_UNDO_CHANGES_H

#include "tools/undo/undo.h"

/* Adds what was lost by the automation and is not known yet, as 'bare' losses, in no order. A change does not tell the
 * version: with one in the filter nothing is added. EXIT_FINE, or told. */
int undo_changes_read(struct undo_losses *losses);

/* Fills 'givers' of the bare losses that are to be given back, as far as the trail tells. EXIT_FINE, or told. */
int undo_changes_givers(struct undo_losses *losses);

#endif

/* Who had given what a removal took, and until when. */
#ifndef WM_TOOLS_UNDO_GIVERS_H
#define WM_TOOLS_UNDO_GIVERS_H

#include "tools/undo/undo.h"

/* When a grant of an automation ends, by its document: WM_NEVER when it does not. False: the workspace has another
 * version of it, or no such task. */
bool undo_end_of(const struct wm_workspace *workspace, struct wm_text automation, struct wm_text version,
                 const struct wm_clock *clock, int64_t *ret_until_us);

/* Judges the losses that may be to be given back: givers, ends, and whether they are. EXIT_FINE, or told. */
int undo_givers_find(struct undo_losses *losses);

#endif

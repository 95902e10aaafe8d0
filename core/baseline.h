/* The role of last resort: [000] Maintain Baseline Access. */
#ifndef WM_CORE_BASELINE_H
#define WM_CORE_BASELINE_H

#include "core/run.h"

/* The automation of its clocks, and with a prefix the source of its grants. */
#define WM_BASELINE "baseline"

/* 'removal' has left the user without any effective role. Gives him the workspace's baseline, if there is one that he
 * may hold and that nothing newer took from him; 'outcome' gets its name. The removal of the baseline itself does not
 * bring it back. -1: out of memory. */
int wm_baseline_give(struct wm_run *run, const struct wm_task *removal, struct wm_outcome *outcome);

#endif

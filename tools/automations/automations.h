/* waymark automations: what its ways share. Each is in its own file, automations_<what>.c. */
#ifndef WM_TOOLS_AUTOMATIONS_H
#define WM_TOOLS_AUTOMATIONS_H

#include "core/running.h"
#include "tools/lib/files.h"
#include "tools/lib/show.h"

/* What became of one automation's tasks. */
struct automation_runs {
  size_t executions;            /* events that it matched */
  int64_t last_us;              /* the latest of them; INT64_MIN: none */
  size_t results[SHOW_RESULTS]; /* of tasks */
};

/* Counts the outcomes since 'from_us' of each automation of the workspace, by its position: from the outcomes topic, or
 * from 'file' (NULL: none; '-' is stdin). Records that are no outcomes are told on stderr and passed over. EXIT_FINE,
 * or what went wrong, told. */
int automations_count(const struct loaded *loaded, const char *file, int64_t from_us, struct automation_runs *runs);

/* Is the automation in the workspace? Else told, with what the name may have meant: EXIT_BAD_NEWS. */
int automations_check_name(const struct wm_workspace *workspace, struct wm_text name);

int automations_list(const struct invocation *invocation);

/* 'state': WM_RUNNING_AS_WRITTEN takes back what was said. */
int automations_switch(const struct invocation *invocation, enum wm_running_state state);

#endif

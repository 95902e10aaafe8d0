/* How results, times and tasks look to people. */
#ifndef WM_TOOLS_SHOW_H
#define WM_TOOLS_SHOW_H

#include "core/decide.h"
#include "core/moment.h"
#include "tools/lib/table.h"

#define SHOW_RESULTS (WM_RESULT_FAILED + 1)

/* The colour of a result. */
enum style show_result_style(enum wm_result result);

/* "add certified-partner", "partner-mail": what a task is about. */
void show_task_subject(const struct wm_task *task, struct wm_buf *buf);

/* Code and message of an outcome, and what else is worth saying (dropped grants, a lock-out). */
void show_outcome_note(const struct wm_outcome *outcome, struct wm_buf *buf);

/* "2026-11-21 10:00:00" */
void show_time(int64_t us, struct wm_buf *buf);

/* The heads of a table of outcomes, and its rows: one for each task. */
extern const char *const show_outcome_heads[];
void show_execution(struct table *table, const struct wm_event *event, const struct wm_execution *execution);

/* A table on stdout of what automations are for; 'which' (by their positions) NULL: all; 'before' is printed first.
 * False: nothing is printed, since none of them says so. */
bool show_descriptions(const struct wm_workspace *workspace, const bool *which, const char *before);

/* "3 events, 1 error": appends 'count' and the word, with an 's' when it is not one. */
void show_count(struct wm_buf *buf, size_t count, const char *word);

#endif

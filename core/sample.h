/* A sample of events, and what the workspace asks for that none of them has (waymark lint --events). */
#ifndef WM_CORE_SAMPLE_H
#define WM_CORE_SAMPLE_H

#include "core/match.h"

struct wm_sample;

/* A new, empty sample; 'workspace' is borrowed until it is freed. NULL: out of memory. */
struct wm_sample *wm_sample_new(const struct wm_workspace *workspace);
void wm_sample_free(struct wm_sample *sample);

/* Notes the type and the fields of one event, and which automations may take it whatever the user is like. Nothing of
 * the event is kept. -1: out of memory. */
int wm_sample_add(struct wm_sample *sample, const struct wm_event *event);

/* FIELD_UNSEEN for paths that no event has that could run the automation, EVENT_UNSEEN for automations that are on and
 * that no event would run. */
void wm_lint_sample(const struct wm_sample *sample, struct wm_findings *findings);

/* What a change from 'live' to 'workspace' breaks (waymark lint --against): roles and automations under other names,
 * roles that are gone, tasks with other sequences. */
void wm_lint_against(const struct wm_workspace *workspace, const struct wm_workspace *live,
                     struct wm_findings *findings);

#endif

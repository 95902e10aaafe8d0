/* Which automations can an event concern? An index by type and by one equality of each automation, so that
 * automations which can't match cost nothing. */
#ifndef WM_CORE_MATCH_H
#define WM_CORE_MATCH_H

#include "core/workspace.h"

/* Automations by position in workspace->automations, ascending, borrowed from the arena that was given. */
struct wm_candidates {
  const struct wm_automation **items;
  size_t count;
  const struct wm_automation **unknown; /* looked at, and could certainly not tell: they do not take it */
  size_t unknown_count;
};

/* Builds the index over enabled automations. NULL: out of memory. */
struct wm_index *wm_index_new(const struct wm_automation *automations, size_t count);
void wm_index_free(struct wm_index *index);

/* Does any trigger (enabled or not) take this type? For EVENT_MISROUTED. */
bool wm_index_takes(const struct wm_index *index, struct wm_text type);

/* Sift: every enabled automation that takes the event by its event and data fields alone. Those that do not read
 * the user are a final yes; the others (reads_user) still have to be asked with the register. By name.
 * -1: out of memory. */
int wm_index_sift(const struct wm_index *index, const struct wm_event *event, struct wm_arena *arena,
                  struct wm_candidates *ret);

/* The index passes over automations whose equality the event does not meet without asking them, also when the field
 * is missing. Asks these 'count' automations all the same (not those that the sift has found already), and adds those
 * that can't tell to candidates->unknown. -1: out of memory. */
int wm_match_look(const struct wm_automation *automations, size_t count, const struct wm_event *event,
                  struct wm_arena *arena, struct wm_candidates *candidates);

#endif

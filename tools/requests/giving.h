/* A task that gives or takes a role, with all that has to happen for it to run. */
#ifndef WM_TOOLS_GIVING_H
#define WM_TOOLS_GIVING_H

#include "core/workspace.h"

/* Prints, on stdout:
 *
 *   automation certified-partner, task 10 Grant the certified role
 *     <descriptions>
 *     on journey.milestone.achieved, when
 *       data.score at-least 80
 *
 * 'scope' has the user whose fields are looked at, no event; NULL: nobody's. */
void giving_print(const struct wm_automation *automation, const struct wm_task *task, const struct wm_scope *scope,
                  size_t indent);

/* One line below it, in a style that stands out. */
void giving_note(size_t indent, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends {"automation":..,"description":..,"owner":..,"enabled":..,"sequence":..,"task":..,"triggers":[..],"when":{..}
 * and leaves the object open. */
void giving_to_json(const struct wm_automation *automation, const struct wm_task *task, const struct wm_scope *scope,
                    struct wm_buf *buf);

#endif

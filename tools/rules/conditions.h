/* How conditions look: as a sentence, as a tree with an answer before each line, as JSON. */
#ifndef WM_TOOLS_CONDITIONS_H
#define WM_TOOLS_CONDITIONS_H

#include "core/condition.h"

/* Appends "data.score at-least 80 and user.roles has member": as one line, without answers; "always" for none. */
void conditions_text(const struct wm_condition *condition, struct wm_buf *buf);

/* Appends a value as JSON, cut where it gets long. */
void conditions_value(const struct wm_value *value, struct wm_buf *buf);

/* Prints what must hold on stdout, one line each, with the answer and what was found. Without an event in 'scope' the
 * parts about it have no answer, without a user those about him. */
void conditions_print(const struct wm_condition *when, const struct wm_scope *scope, size_t indent);

/* Appends the tree as one JSON object; parts without an answer have no "answer". */
void conditions_to_json(const struct wm_condition *condition, const struct wm_scope *scope, struct wm_buf *buf);

#endif

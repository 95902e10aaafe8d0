/* How the criteria of derived roles look, and what of a profile satisfies them or does not. */
#ifndef WM_TOOLS_CRITERIA_H
#define WM_TOOLS_CRITERIA_H

#include "core/derive.h"

/* "org-unit", "group" ...: the key in the role's YAML. */
const char *criteria_key(const struct wm_criterion *criterion);

/* Appends whom it means: "directory group training-partners", "org unit emea and all below". */
void criteria_text(const struct wm_criterion *criterion, struct wm_buf *buf);

/* Appends what the profile says to it: "user.groups is [...]", "user.org-units is absent"; why it holds, or what keeps
 * it from holding. 'facts' NULL: there is no profile. */
void criteria_evidence(const struct wm_criterion *criterion, const struct wm_facts *facts, struct wm_buf *buf);

/* Appends "path":..,"found":.. of the field that decides; without "found" it is absent. Not for WHEN, which has many.
 */
void criteria_evidence_to_json(const struct wm_criterion *criterion, const struct wm_facts *facts, struct wm_buf *buf);

#endif

/* What is said of roles in several places: their words, their YAML as JSON, what makes an automation start. */
#ifndef WM_TOOLS_ROLE_TEXT_H
#define WM_TOOLS_ROLE_TEXT_H

#include "core/workspace.h"

/* The words of the YAML: "portal", "archived" ... */
const char *role_kind_name(enum wm_role_kind kind);
const char *role_status_name(enum wm_role_status status);

/* Finds a role of the catalogue. EXIT_FINE, or EXIT_USAGE: told, with the name that was likely meant. */
int role_find(const struct wm_workspace *workspace, const char *name, const struct wm_role **ret);

/* Appends "journey.started, journey.abandoned". */
void role_text_triggers(const struct wm_automation *automation, struct wm_buf *buf);

/* Appends "role":..,"label":.. and what else the catalogue says, without the braces. */
void role_text_members(const struct wm_role *role, struct wm_buf *buf);

#endif

/* What was said at run time about roles and automations, and saying it: records of topics.control. */
#ifndef WM_TOOLS_ROLES_CONTROL_H
#define WM_TOOLS_ROLES_CONTROL_H

#include "core/workspace.h"
#include "worker/settings.h"

/* Reads the topic to its present end into 'ret' (release it in any case). A record that means nothing is told on
 * stderr. EXIT_FINE, or EXIT_OUTSIDE, told. */
int roles_control_read(const struct settings *settings, struct wm_running *ret);

/* Lays what was said at run time over a workspace. EXIT_FINE, or told. */
int roles_control_follow(const struct settings *settings, struct wm_workspace *workspace);

/* Writes all words and waits until Kafka has them. EXIT_FINE, or EXIT_OUTSIDE, told. */
int roles_control_write(const struct settings *settings, const struct wm_running_word *words, size_t count);

#endif

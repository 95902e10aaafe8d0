/* All users, one at a time in bounded memory: as Redis has them, or out of a file of registers. */
#ifndef WM_TOOLS_ROLES_USERS_H
#define WM_TOOLS_ROLES_USERS_H

#include "core/user.h"
#include "worker/settings.h"

/* Takes one register, borrowed for the call. Not 0 ends it: out of memory. */
typedef int roles_user_fn(void *taker, const struct wm_user *user);

/* From Redis. What is no register there is counted in 'ret_faults'. EXIT_FINE, or what went wrong, told. */
int roles_users_of_redis(const struct settings *settings, roles_user_fn *take, void *taker, size_t *ret_faults);

/* From a file ('-': stdin) as `waymark simulate --users` writes it, or with a register a line; every other line is a
 * mistake, told with its place. */
int roles_users_of_file(const char *path, roles_user_fn *take, void *taker);

#endif

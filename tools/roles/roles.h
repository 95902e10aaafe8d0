/* `waymark roles`: one command, and what its first argument makes it do (cmd_roles.c has the table). */
#ifndef WM_TOOLS_ROLES_H
#define WM_TOOLS_ROLES_H

#include "tools/command.h"

/* Each in tools/roles_<name>.c. */
int roles_list(const struct invocation *invocation);
int roles_show(const struct invocation *invocation);
int roles_preview(const struct invocation *invocation);
int roles_archive(const struct invocation *invocation);
int roles_unarchive(const struct invocation *invocation);
int roles_reset(const struct invocation *invocation);
int roles_export(const struct invocation *invocation);
int roles_import(const struct invocation *invocation);

#endif

/* grant and revoke: one request, those of a file, or one for each user that a criterion takes. */
#ifndef WM_TOOLS_REQUEST_ASSIGN_H
#define WM_TOOLS_REQUEST_ASSIGN_H

#include "tools/requests/request_command.h"

/* Both commands; 'kind' is REQUEST_ADD or REQUEST_REMOVE. Returns the exit code. */
int request_assign(const struct invocation *invocation, enum request_kind kind);

#endif

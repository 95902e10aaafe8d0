/* Files of requests: who, and which role; every line is looked at before anything is sent. */
#ifndef WM_TOOLS_REQUEST_FILE_H
#define WM_TOOLS_REQUEST_FILE_H

#include "tools/requests/request_command.h"

/* Adds a request for each line of 'path' ('-': stdin): a JSON object with user, role and, if need be, until and reason,
 * or, when the first line is none, comma-separated values (directory_csv.h); a first line that names them says which
 * stand where, else they are user, role, until and reason. 'role' (WM_NO_TEXT: none) is meant where a line names none.
 * Every mistake is told with its line. EXIT_FINE, or the exit code of the first mistake. */
int request_file_read(struct asking *asking, const char *path, struct wm_text role);

#endif

/* Who asks: --by, else the login name. A claim (contract 4). */
#ifndef WM_TOOLS_ASKER_H
#define WM_TOOLS_ASKER_H

#include "tools/lib/options.h"

#define ASKER_SIZE 257

/* EXIT_FINE, or EXIT_USAGE, told. */
int asker_read(const struct options *options, char ret[static ASKER_SIZE]);

/* --reason, which is kept with 'what'. EXIT_FINE, or EXIT_USAGE, told: it is missing, or no text of at most
 * WM_CONTROL_REASON_LIMIT bytes. */
int asker_reason(const struct options *options, const char *what);

#endif

/* Who asks: --by, else the login name. A claim (contract 4). */
#ifndef WM_TOOLS_ASKER_H
#define WM_TOOLS_ASKER_H

#include "tools/lib/options.h"

#define ASKER_SIZE 257

/* EXIT_FINE, or EXIT_USAGE, told. */
int asker_read(const struct options *options, char ret[static ASKER_SIZE]);

#endif

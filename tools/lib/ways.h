/* Commands whose first argument says what they do: `waymark roles archive ROLE...`. */
#ifndef WM_TOOLS_WAYS_H
#define WM_TOOLS_WAYS_H

#include "tools/command.h"

/* What one of the words does. */
struct way {
  const char *name;
  const char *arguments; /* behind the word: words as in command.arguments: "" or "ROLE" or "FILE [DIR]" or "ROLE..." */
  const char *options;   /* names of the options that it takes, blanks between; -C is always one */
  int (*run)(const struct invocation *invocation);
};

#define WAY_FIRST 1 /* where the arguments behind the word begin */

/* Does what the first argument says; without one what the first of 'ways' does. 'ways' ends with a row without a name
 * and has every word of the command's pattern. EXIT_USAGE, told, when options or arguments do not fit the word. */
int ways_run(const struct invocation *invocation, const struct way *ways);

#endif

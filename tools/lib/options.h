/* Options and arguments of a command line, by tables. */
#ifndef WM_TOOLS_OPTIONS_H
#define WM_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_LIMIT 24
#define ARGUMENTS_LIMIT 128

struct option {
  const char *name;    /* "outcomes" for --outcomes */
  char letter;         /* 'C' for -C; 0: none */
  const char *value;   /* "FILE": takes a value, shown like this; NULL: a flag */
  const char *summary; /* one line */
};

/* Rows that several commands have. */
#define OPTION_WORKSPACE                                                                                               \
  { "workspace", 'C', "DIR", "the workspace (else $WAYMARK_WORKSPACE, else the nearest waymark.yaml upwards)" }
#define OPTION_JSON                                                                                                    \
  { "json", 0, NULL, "one JSON value per line instead of tables" }
#define OPTION_YES                                                                                                     \
  { "yes", 'y', NULL, "do not ask" }
#define OPTION_REASON                                                                                                  \
  { "reason", 0, "TEXT", "why, for the record" }

/* What was given; everything is borrowed from argv. */
struct options {
  const struct option *rows;
  const char *values[OPTIONS_LIMIT]; /* by row: NULL not given, "" for a flag */
  const char *arguments[ARGUMENTS_LIMIT + 1];
  size_t argument_count;
  bool help, version; /* --help or -h, --version: every command has them */
  int consumed;       /* how many of argv were read */
};

/* Reads 'argv' (without the program's and the command's name). Options may stand anywhere, '--' ends them, '-' is an
 * argument; a value stands behind '=' or is the next word; of an option given twice the last one counts.
 * 'stop_at_argument': reads only the options before the first argument. 'who' ("waymark lint") begins the complaint
 * on stderr. 0, or -1: wrong usage, told. */
int options_parse(struct options *ret, const struct option *rows, const char *who, bool stop_at_argument, int argc,
                  char **argv);

/* Does a command have its own meaning for an option? --version with a value, where --version alone stays what it is. */
bool options_own(const struct option *rows, const char *name);

/* The value of an option; NULL: not given; "" for a flag that is there. */
const char *options_value(const struct options *options, const char *name);
bool options_has(const struct options *options, const char *name);

/* The argument at 'index' of the pattern, NULL: not given. */
const char *options_argument(const struct options *options, size_t index);

/* Moves each argument to its place in the pattern of the command's row; one in [brackets] that was left out is NULL
 * there, wherever it stands: "[DIR] FILE" takes one argument as FILE. A last one that ends with "..." ("ROLE...",
 * "[ROLE...]") takes all that are left, 'argument_count' tells how far they go. 0, or -1: wrong usage, told on stderr.
 */
int options_place_arguments(struct options *options, const char *who, const char *pattern);

#endif

/* The rows behind `waymark`: help, suggestions, argument counts, the manual page and completion come from them. */
#ifndef WM_TOOLS_COMMAND_H
#define WM_TOOLS_COMMAND_H

#include "tools/lib/options.h"

/* Contract 2. */
enum {
  EXIT_FINE = 0,     /* nothing to complain about */
  EXIT_BAD_NEWS = 1, /* the answer is bad news: lint errors, a rejected event, an unknown user */
  EXIT_USAGE = 2,    /* wrong usage, a file that can't be read or written */
  EXIT_OUTSIDE = 3,  /* Kafka or Redis could not be reached */
  EXIT_BUG = 4       /* a bug, or no memory */
};

/* One call: the row, and what the user gave. */
struct invocation {
  const struct command *command;
  struct options options;
};

struct command {
  const char *name;
  /* As help shows them: "DIR EVENTS.jsonl". [brackets]: may be left out; lower case with '|': one of these words.
   * How many there may be and which words are right is read from here. */
  const char *arguments;
  const char *summary;          /* one line, for the list of commands */
  const struct option *options; /* ended by a row without a name */
  const char *help;             /* paragraphs; lines that begin with two blanks are shown as they are */
  int (*run)(const struct invocation *invocation); /* returns the exit code */
};

/* Every command, in the order in which help lists them; ended by NULL (waymark.c). */
extern const struct command *const commands[];

extern const struct command command_dev, command_new, command_lint, command_check_event, command_send, command_simulate,
    command_explain, command_topics, command_user, command_test, command_diff, command_help;
extern const struct command command_automations;
extern const struct command command_grant, command_revoke, command_delegate;
extern const struct command command_roles, command_why, command_who, command_history, command_uses;
extern const struct command command_directory;
extern const struct command command_status, command_top;
extern const struct command command_verify, command_rebuild, command_doctor;
extern const struct command command_failures, command_redrive, command_event;
extern const struct command command_replay;
extern const struct command command_undo;

/* NULL: there is none of that name. */
const struct command *command_find(const char *name);

/* Says on stderr that there is no such command, with the nearest name. Returns EXIT_USAGE. */
int command_unknown(const char *name);

/* The whole help of one command (NULL: the list of all) on stdout (help.c). */
void help_print(const struct command *command);

/* waymark(1) as a man page on stdout (manual.c). */
void manual_print(void);

#endif

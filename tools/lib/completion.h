/* What the command line takes at a place, read from the rows: the three shells' completions are written from it. */
#ifndef WM_TOOLS_COMPLETION_H
#define WM_TOOLS_COMPLETION_H

#include "core/buf.h"
#include "tools/command.h"

enum {
  COMPLETE_FILES = 1,
  COMPLETE_FOLDERS = 2,
  COMPLETE_COMMANDS = 4,
  COMPLETE_ROLES = 8,       /* of the workspace */
  COMPLETE_AUTOMATIONS = 16 /* of the workspace */
};

struct completion_slot {
  unsigned kinds;      /* COMPLETE_*, 0: anything, nothing to offer */
  struct wm_buf words; /* separated by blanks; empty: none */
};

/* What the value of an option is ("DIR", "text|json"): adds to 'slot'. */
void completion_of_value(const char *value, struct completion_slot *slot);

/* What the argument at 'position' (0 is the first) is; one that may be left out before it is counted both ways. False:
 * there is none there. 'ret_rest': all that follow are like it. */
bool completion_of_argument(const char *pattern, size_t position, struct completion_slot *slot, bool *ret_rest);

/* Calls 'take' with each option of a command, --help and --version too. */
void completion_options(const struct command *command,
                        void (*take)(const struct command *command, const struct option *option));

/* The whole script on stdout. */
void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

#endif

/* `waymark roles`: one command, and what its first argument makes it do (cmd_roles.c has the table). */
#ifndef WM_TOOLS_ROLES_H
#define WM_TOOLS_ROLES_H

#include "tools/command.h"

/* What one of the words does: 'list' (or no word) ... The arguments behind the word begin at ROLES_FIRST. */
struct roles_way {
  const char *name;
  const char *arguments; /* behind the word: words as in command.arguments: "" or "ROLE" or "FILE [DIR]" or "ROLE..." */
  const char *options;   /* names of the options that it takes, blanks between; -C is always one */
  int (*run)(const struct invocation *invocation);
};

#define ROLES_FIRST 1

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

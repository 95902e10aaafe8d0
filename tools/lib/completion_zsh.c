/* Completion for zsh: one function of _arguments for each command. */
#include <stdio.h>

#include "tools/lib/completion.h"

enum { POSITIONS = 8 };

static const char head[] =
    "#compdef waymark\n"
    "# Completion of waymark for zsh, written by 'waymark help --completion zsh'.\n"
    "\n"
    "# Names of the workspace that the line is about.\n"
    "_waymark_names() { # roles|automations\n"
    "  local -a names folder\n"
    "  local at=${opt_args[-C]}${opt_args[--workspace]}\n"
    "  if [[ -n $at ]]; then folder=(-C ${(Q)at}); else folder=($waymark_folder); fi\n"
    "  names=(${(f)\"$(waymark $folder $1 list --offline --json 2>/dev/null |\n"
    "    sed -n \"s/^{\\\"${1%s}\\\":\\\"\\([a-z0-9-]*\\)\\\".*/\\1/p\")\"})\n"
    "  compadd -a names\n"
    "}\n"
    "_waymark_roles() { _waymark_names roles }\n"
    "_waymark_automations() { _waymark_names automations }\n"
    "_waymark_files_or_roles() { _alternative 'roles:role:_waymark_roles' 'files:file:_files' }\n";

static const char tail[] =
    "\n"
    "_waymark() {\n"
    "  local context state state_descr line\n"
    "  local -a waymark_folder\n"
    "  typeset -A opt_args\n"
    "  _arguments -C -A '-*' '(-C --workspace)'{-C+,--workspace=}'[the workspace]:DIR:_files -/' \\\n"
    "    '(- *)'{-h,--help}'[the list of commands]' '(- *)--version[the version]' \\\n"
    "    '1:command:_waymark_commands' '*::argument:->arguments'\n"
    "  local at=${opt_args[-C]}${opt_args[--workspace]}\n"
    "  [[ -n $at ]] && waymark_folder=(-C ${(Q)at})\n"
    "  if [[ $state == arguments ]]; then\n"
    "    (( $+functions[_waymark-$line[1]] )) && _waymark-$line[1]\n"
    "  fi\n"
    "}\n"
    "\n"
    "if [[ $funcstack[1] == _waymark ]]; then _waymark \"$@\"; else compdef _waymark waymark; fi\n";

/* 'text' inside single quotes, with what _arguments would read in it. */
static void put_quoted(const char *text, const char *special) {
  for (; *text; text++) {
    for (const char *one = special; *one; one++)
      if (*text == *one)
        putchar('\\');
    fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stdout);
  }
}

static void put_action(struct completion_slot *slot) {
  static const struct {
    unsigned kinds;
    const char *action;
  } actions[] = {{COMPLETE_FILES | COMPLETE_ROLES, "_waymark_files_or_roles"},
                 {COMPLETE_FILES, "_files"},
                 {COMPLETE_FOLDERS, "_files -/"},
                 {COMPLETE_COMMANDS, "_waymark_commands"},
                 {COMPLETE_ROLES, "_waymark_roles"},
                 {COMPLETE_AUTOMATIONS, "_waymark_automations"}};
  size_t i = 0;
  while (i < sizeof actions / sizeof *actions && (slot->kinds & actions[i].kinds) != actions[i].kinds)
    i++;
  if (slot->words.size > 0)
    printf("(%s)", slot->words.bytes);
  else if (i < sizeof actions / sizeof *actions)
    fputs(actions[i].action, stdout);
  else
    putchar(' ');
  wm_buf_release(&slot->words);
}

static void put_option(const struct command *command, const struct option *option) {
  (void)command;
  const char *equals = option->value ? "=" : "", *plus = option->value ? "+" : "";
  fputs(" \\\n    ", stdout);
  if (option->letter)
    printf("'(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name, option->letter, plus, option->name, equals);
  else
    printf("'--%s%s[", option->name, equals);
  put_quoted(option->summary, "[]:\\");
  putchar(']');
  if (option->value) {
    struct completion_slot slot = {.words = WM_BUF_INIT};
    printf(":%s:", option->value);
    completion_of_value(option->value, &slot);
    put_action(&slot);
  }
  putchar('\'');
}

static void put_arguments(const char *pattern) {
  bool rest = false;
  for (size_t position = 0; position < POSITIONS && !rest; position++) {
    struct completion_slot slot = {.words = WM_BUF_INIT};
    if (!completion_of_argument(pattern, position, &slot, &rest))
      return;
    if (rest)
      fputs(" \\\n    '*:argument:", stdout);
    else
      printf(" \\\n    '%zu:argument:", position + 1);
    put_action(&slot);
    putchar('\'');
  }
}

void completion_zsh(void) {
  fputs(head, stdout);
  puts("\n_waymark_commands() {\n  local -a known=(");
  for (const struct command *const *command = commands; *command; command++) {
    printf("    '%s:", (*command)->name);
    put_quoted((*command)->summary, ":\\");
    puts("'");
  }
  puts("  )\n  _describe command known\n}");
  for (const struct command *const *command = commands; *command; command++) {
    printf("\n_waymark-%s() {\n  _arguments", (*command)->name);
    completion_options(*command, put_option);
    put_arguments((*command)->arguments);
    puts("\n}");
  }
  fputs(tail, stdout);
}

/* Completion for bash: three functions of tables, and one that looks up. Needs no bash-completion. */
#include <stdio.h>

#include "tools/lib/completion.h"

enum { POSITIONS = 8 }; /* more arguments than any pattern has */

static const char head[] = "# Completion of waymark for bash, written by 'waymark help --completion bash'.\n";

/* In the tables: $1 is the command, $2 the option or the number of the argument. They set 'words' and 'kinds'. */
static const char tail[] =
    "\n"
    "# Names of the workspace that the line is about.\n"
    "_waymark_names() { # roles|automations\n"
    "  local member=${1%s}\n"
    "  \"$program\" ${folder:+-C \"$folder\"} \"$1\" list --offline --json 2>/dev/null |\n"
    "    sed -n \"s/^{\\\"$member\\\":\\\"\\([a-z0-9-]*\\)\\\".*/\\1/p\"\n"
    "}\n"
    "\n"
    "_waymark_offer() { # what of 'words' and 'kinds' begins with $1\n"
    "  local IFS=$' \\t\\n' kind\n"
    "  for kind in $kinds; do\n"
    "    case $kind in\n"
    "      commands) _waymark_commands ;;\n"
    "      roles | automations) words+=\" $(_waymark_names \"$kind\")\" ;;\n"
    "    esac\n"
    "  done\n"
    "  COMPREPLY=($(compgen -W \"$words\" -- \"$1\"))\n"
    "  IFS=$'\\n'\n"
    "  case \" $kinds \" in\n"
    "    *' files '*) compopt -o filenames; COMPREPLY+=($(compgen -f -- \"$1\")) ;;\n"
    "    *' folders '*) compopt -o filenames; COMPREPLY+=($(compgen -d -- \"$1\")) ;;\n"
    "  esac\n"
    "}\n"
    "\n"
    "# bash cuts a line at '=' too: --format=js is three words.\n"
    "_waymark() {\n"
    "  local program=$1 command='' option='' folder='' count=0 ended='' words='' kinds='' word i\n"
    "  local current=${COMP_WORDS[COMP_CWORD]}\n"
    "  COMPREPLY=()\n"
    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "    word=${COMP_WORDS[i]}\n"
    "    if [ \"$word\" = = ]; then continue; fi\n"
    "    if [ -n \"$option\" ]; then\n"
    "      case $option in -C | --workspace) folder=$word ;; esac\n"
    "      option=''\n"
    "    elif [ -z \"$ended\" ] && [ \"$word\" = -- ]; then ended=yes\n"
    "    elif [ -z \"$ended\" ] && [[ $word == -?* ]]; then\n"
    "      if _waymark_value \"$command\" \"$word\"; then option=$word; fi\n"
    "    elif [ -z \"$command\" ]; then command=$word\n"
    "    else count=$((count + 1)); fi\n"
    "  done\n"
    "  words='' kinds=''\n"
    "  if [ -n \"$option\" ]; then\n"
    "    if [ \"$current\" = = ]; then current=''; fi\n"
    "    _waymark_value \"$command\" \"$option\"\n"
    "  elif [ -z \"$ended\" ] && [[ $current == -* ]]; then _waymark_options \"$command\"\n"
    "  elif [ -z \"$command\" ]; then kinds=commands\n"
    "  else _waymark_argument \"$command\" \"$count\"; fi\n"
    "  _waymark_offer \"$current\"\n"
    "}\n"
    "\n"
    "complete -F _waymark waymark\n";

static void put_slot(struct completion_slot *slot) {
  static const struct {
    unsigned kind;
    const char *word;
  } kinds[] = {{COMPLETE_FILES, "files"},
               {COMPLETE_FOLDERS, "folders"},
               {COMPLETE_COMMANDS, "commands"},
               {COMPLETE_ROLES, "roles"},
               {COMPLETE_AUTOMATIONS, "automations"}};
  printf(" words='%s' kinds='", slot->words.size > 0 ? slot->words.bytes : "");
  const char *separator = "";
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (slot->kinds & kinds[i].kind) {
      printf("%s%s", separator, kinds[i].word);
      separator = " ";
    }
  puts("' ;;");
  wm_buf_release(&slot->words);
}

static void put_value(const struct command *command, const struct option *option) {
  if (!option->value)
    return;
  struct completion_slot slot = {.words = WM_BUF_INIT};
  completion_of_value(option->value, &slot);
  printf("    '%s --%s'", command->name, option->name);
  if (option->letter)
    printf(" | '%s -%c'", command->name, option->letter);
  putchar(')');
  put_slot(&slot);
}

static void put_spelling(const struct command *command, const struct option *option) {
  (void)command;
  if (option->letter)
    printf(" -%c", option->letter);
  printf(" --%s", option->name);
}

static void put_arguments(const struct command *command) {
  bool rest = false;
  for (size_t position = 0; position < POSITIONS && !rest; position++) {
    struct completion_slot slot = {.words = WM_BUF_INIT};
    if (!completion_of_argument(command->arguments, position, &slot, &rest))
      return;
    if (rest)
      printf("    '%s '*)", command->name);
    else
      printf("    '%s %zu')", command->name, position);
    put_slot(&slot);
  }
}

void completion_bash(void) {
  fputs(head, stdout);
  fputs("\n_waymark_commands() {\n  words='", stdout);
  for (const struct command *const *command = commands; *command; command++)
    printf("%s ", (*command)->name);
  puts("'\n}\n\n_waymark_options() {\n  case $1 in\n    '') words='-C --workspace --help --version' ;;");
  for (const struct command *const *command = commands; *command; command++) {
    printf("    %s) words='", (*command)->name);
    completion_options(*command, put_spelling);
    puts("' ;;");
  }
  puts("  esac\n}\n\n# false: the option takes no value\n_waymark_value() {\n  case \"$1 $2\" in\n"
       "    ' -C' | ' --workspace') kinds=folders ;;");
  for (const struct command *const *command = commands; *command; command++)
    completion_options(*command, put_value);
  puts("    *) return 1 ;;\n  esac\n}\n\n_waymark_argument() {\n  case \"$1 $2\" in");
  for (const struct command *const *command = commands; *command; command++)
    put_arguments(*command);
  fputs("  esac\n}\n", stdout);
  fputs(tail, stdout);
}

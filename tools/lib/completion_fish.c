/* Completion for fish: one line for each option and each argument. */
#include <stdio.h>

#include "tools/lib/completion.h"

enum { POSITIONS = 8 };

static const char head[] =
    "# Completion of waymark for fish, written by 'waymark help --completion fish'.\n"
    "\n"
    "# The command of the line, and how many of its arguments stand before the cursor; then the workspace, if any.\n"
    "function __waymark_line\n"
    "    set -l words (commandline -opc)\n"
    "    set -e words[1]\n"
    "    set -l command ''\n"
    "    set -l folder\n"
    "    set -l option ''\n"
    "    set -l count 0\n"
    "    for word in $words\n"
    "        if test -n \"$option\"\n"
    "            contains -- $option -C --workspace; and set folder $word\n"
    "            set option ''\n"
    "        else if string match -qr '^-.' -- $word\n"
    "            string match -q -- '*=*' $word; or __waymark_takes_value $command $word; and set option $word\n"
    "        else if test -z \"$command\"\n"
    "            set command $word\n"
    "        else\n"
    "            set count (math $count + 1)\n"
    "        end\n"
    "    end\n"
    "    printf '%s\\n' \"$command\" $count $folder\n"
    "end\n"
    "\n"
    "function __waymark_command # is the command this one? '': there is none yet\n"
    "    set -l line (__waymark_line)\n"
    "    test \"$line[1]\" = \"$argv[1]\"\n"
    "end\n"
    "\n"
    "function __waymark_argument # COMMAND FIRST LAST: is the next argument one of these?\n"
    "    set -l line (__waymark_line)\n"
    "    test \"$line[1]\" = $argv[1]; and test $line[2] -ge $argv[2]; and test $line[2] -le $argv[3]\n"
    "end\n"
    "\n"
    "function __waymark_names # roles|automations of the workspace that the line is about\n"
    "    set -l line (__waymark_line)\n"
    "    set -l folder\n"
    "    set -q line[3]; and set folder -C $line[3]\n"
    "    set -l member (string replace -r 's$' '' $argv[1])\n"
    "    waymark $folder $argv[1] list --offline --json 2>/dev/null |\n"
    "        string replace -rf '^{\"'$member'\":\"([a-z0-9-]+)\".*' '$1'\n"
    "end\n";

static void put_quoted(const char *text) {
  for (; *text; text++) {
    if (*text == '\'' || *text == '\\')
      putchar('\\');
    putchar(*text);
  }
}

/* The switches of 'complete' for what stands there; -f alone: nothing to offer. */
static void put_slot(struct completion_slot *slot) {
  if (slot->words.size > 0)
    printf(" -a '%s'", slot->words.bytes);
  if (slot->kinds & COMPLETE_FOLDERS && !(slot->kinds & COMPLETE_FILES))
    fputs(" -a '(__fish_complete_directories)'", stdout);
  if (slot->kinds & COMPLETE_COMMANDS)
    fputs(" -a '(__waymark_commands)'", stdout);
  if (slot->kinds & COMPLETE_ROLES)
    fputs(" -a '(__waymark_names roles)'", stdout);
  if (slot->kinds & COMPLETE_AUTOMATIONS)
    fputs(" -a '(__waymark_names automations)'", stdout);
  fputs(slot->kinds & COMPLETE_FILES ? " -F" : "", stdout);
  wm_buf_release(&slot->words);
}

static void put_option(const struct command *command, const struct option *option) {
  printf("complete -c waymark -n '__waymark_command %s' -l %s", command->name, option->name);
  if (option->letter)
    printf(" -s %c", option->letter);
  if (option->value) {
    struct completion_slot slot = {.words = WM_BUF_INIT};
    completion_of_value(option->value, &slot);
    fputs(slot.kinds & COMPLETE_FILES ? " -r" : " -x", stdout);
    put_slot(&slot);
  }
  fputs(" -d '", stdout);
  put_quoted(option->summary);
  puts("'");
}

static void put_arguments(const struct command *command) {
  bool rest = false;
  for (size_t position = 0; position < POSITIONS && !rest; position++) {
    struct completion_slot slot = {.words = WM_BUF_INIT};
    if (!completion_of_argument(command->arguments, position, &slot, &rest))
      return;
    if (slot.kinds || slot.words.size > 0) {
      printf("complete -c waymark -n '__waymark_argument %s %zu %zu'", command->name, position,
             rest ? (size_t)ARGUMENTS_LIMIT : position);
      put_slot(&slot);
      putchar('\n');
    }
    wm_buf_release(&slot.words);
  }
}

static void put_valued(const struct command *command, const struct option *option) {
  if (!option->value)
    return;
  printf(" '%s --%s'", command->name, option->name);
  if (option->letter)
    printf(" '%s -%c'", command->name, option->letter);
}

void completion_fish(void) {
  fputs(head, stdout);
  fputs("\nfunction __waymark_takes_value # COMMAND OPTION\n    contains -- \"$argv\" ' -C' ' --workspace'", stdout);
  for (const struct command *const *command = commands; *command; command++)
    completion_options(*command, put_valued);
  puts("\nend\n\nfunction __waymark_commands\n    printf '%s\\t%s\\n' \\");
  for (const struct command *const *command = commands; *command; command++) {
    printf("        %s '", (*command)->name);
    put_quoted((*command)->summary);
    puts(command[1] ? "' \\" : "'");
  }
  puts("end\n\ncomplete -c waymark -f\n"
       "complete -c waymark -n '__waymark_command \"\"' -a '(__waymark_commands)'\n"
       "complete -c waymark -n '__waymark_command \"\"' -l workspace -s C -x -a '(__fish_complete_directories)' "
       "-d 'the workspace'\n"
       "complete -c waymark -n '__waymark_command \"\"' -l help -s h -d 'the list of commands'\n"
       "complete -c waymark -n '__waymark_command \"\"' -l version -d 'the version'");
  for (const struct command *const *command = commands; *command; command++) {
    completion_options(*command, put_option);
    put_arguments(*command);
  }
}

/* waymark help: the same texts as --help, and the manual page that the build makes from them. */
#include <stdio.h>

#include "tools/command.h"
#include "tools/say.h"

static int run(const struct invocation *invocation) {
  const char *name = options_argument(&invocation->options, 0);
  if (options_has(&invocation->options, "man")) {
    if (name)
      return say(EXIT_USAGE, "help --man is one page for all commands, without an argument");
    manual_print();
    return EXIT_FINE;
  }
  const struct command *command = name ? command_find(name) : NULL;
  if (name && !command)
    return command_unknown(name);
  help_print(command);
  return EXIT_FINE;
}

static const struct option options[] = {
    {"man", 0, NULL, "waymark(1) as a manual page, for man -l or mandoc"},
    {0},
};

const struct command command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "what a command does and which options it has",
    .options = options,
    .help = "Without a command: the list of them.\n\n"
            "  waymark help lint\n"
            "  waymark help --man | man -l -",
    .run = run,
};

/* waymark help: the same texts as --help, and the manual page and completions that the build makes from them. */
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "tools/command.h"
#include "tools/lib/completion.h"
#include "tools/lib/say.h"

static int complete(const char *shell) {
  static const char *const names[] = {"bash", "zsh", "fish", NULL};
  static void (*const write[])(void) = {completion_bash, completion_zsh, completion_fish};
  for (size_t i = 0; names[i]; i++)
    if (strcmp(names[i], shell) == 0) {
      write[i]();
      return EXIT_FINE;
    }
  const char *nearest = wm_text_nearest(wm_text_of(shell), names);
  if (nearest)
    return say(EXIT_USAGE, "help: --completion '%s' is unknown (did you mean '%s'?)", shell, nearest);
  return say(EXIT_USAGE, "help: --completion is bash, zsh or fish");
}

static int run(const struct invocation *invocation) {
  const char *name = options_argument(&invocation->options, 0);
  if (options_has(&invocation->options, "man")) {
    if (name)
      return say(EXIT_USAGE, "help --man is one page for all commands, without an argument");
    manual_print();
    return EXIT_FINE;
  }
  const char *shell = options_value(&invocation->options, "completion");
  if (shell)
    return name ? say(EXIT_USAGE, "help --completion is one script for all commands, without an argument")
                : complete(shell);
  const struct command *command = name ? command_find(name) : NULL;
  if (name && !command)
    return command_unknown(name);
  help_print(command);
  return EXIT_FINE;
}

static const struct option options[] = {
    {"man", 0, NULL, "waymark(1) as a manual page, for man -l or mandoc"},
    {"completion", 0, "bash|zsh|fish", "a script for this shell that completes commands, options and words"},
    {0},
};

const struct command command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "what a command does and which options it has",
    .options = options,
    .help = "Without a command: the list of them.\n\n"
            "  waymark help lint\n"
            "  waymark help --man | man -l -\n"
            "  source <(waymark help --completion bash)",
    .run = run,
};

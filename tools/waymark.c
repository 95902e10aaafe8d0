/* The `waymark` command: a table of subcommands. Everything a subcommand is stands in its row (cmd_*.c). */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "tools/command.h"
#include "tools/lib/say.h"

/* clang-format off: one a line, so that two that are added beside each other do not meet */
const struct command *const commands[] = {
    &command_dev,
    &command_new,
    &command_lint,
    &command_simulate,
    &command_explain,
    &command_test,
    &command_diff,
    &command_check_event,
    &command_send,
    &command_topics,
    &command_user,
    &command_why,
    &command_who,
    &command_history,
    &command_roles,
    &command_uses,
    &command_automations,
    &command_failures,
    &command_redrive,
    &command_event,
    &command_grant,
    &command_revoke,
    &command_delegate,
    &command_directory,
    &command_replay,
    &command_undo,
    &command_verify,
    &command_rebuild,
    &command_doctor,
    &command_status,
    &command_top,
    &command_help,
    NULL,
};
/* clang-format on */

/* Before the command only: `waymark -C DIR lint` is `waymark lint -C DIR`. */
static const struct option before_command[] = {OPTION_WORKSPACE, {0}};

const struct command *command_find(const char *name) {
  for (const struct command *const *command = commands; *command; command++)
    if (strcmp((*command)->name, name) == 0)
      return *command;
  return NULL;
}

int command_unknown(const char *name) {
  const char *names[sizeof commands / sizeof commands[0]];
  size_t count = 0;
  for (; commands[count]; count++)
    names[count] = commands[count]->name;
  names[count] = NULL;
  const char *nearest = wm_text_nearest(wm_text_of(name), names);
  fprintf(stderr, "waymark: unknown command '%s'", name);
  if (nearest)
    fprintf(stderr, " (did you mean '%s'?)", nearest);
  fputs("\nTry 'waymark --help'.\n", stderr);
  return EXIT_USAGE;
}

static int print_version(void) {
  puts("waymark " WAYMARK_VERSION);
  return EXIT_FINE;
}

static void take_workspace(struct options *options, const char *folder) {
  for (size_t i = 0; folder && options->rows && options->rows[i].name; i++)
    if (strcmp(options->rows[i].name, "workspace") == 0 && !options->values[i])
      options->values[i] = folder;
}

static int run_command(const struct command *command, const char *workspace, int argc, char **argv) {
  struct invocation invocation = {.command = command};
  char who[64];
  snprintf(who, sizeof who, "waymark %s", command->name);
  if (options_parse(&invocation.options, command->options, who, false, argc, argv) < 0)
    return EXIT_USAGE;
  if (invocation.options.help) {
    help_print(command);
    return EXIT_FINE;
  }
  if (invocation.options.version)
    return print_version();
  if (options_place_arguments(&invocation.options, who, command->arguments) < 0)
    return EXIT_USAGE;
  take_workspace(&invocation.options, workspace);
  return command->run(&invocation);
}

static int run(int argc, char **argv) {
  struct options before;
  if (options_parse(&before, before_command, "waymark", true, argc - 1, argv + 1) < 0)
    return EXIT_USAGE;
  if (before.version)
    return print_version();
  int at = 1 + before.consumed;
  if (before.help) {
    const struct command *command = at < argc ? command_find(argv[at]) : NULL;
    help_print(command);
    return EXIT_FINE;
  }
  if (at >= argc) {
    fputs("waymark: which command?\nTry 'waymark --help'.\n", stderr);
    return EXIT_USAGE;
  }
  const struct command *command = command_find(argv[at]);
  if (!command)
    return command_unknown(argv[at]);
  return run_command(command, options_value(&before, "workspace"), argc - at - 1, argv + at + 1);
}

/* A failed assertion is a bug, and has its exit code. */
static void on_abort(int number) {
  (void)number;
  static const char text[] = "waymark: this is a bug in waymark; please report it with the lines above\n";
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  _exit(written < 0 ? EXIT_BUG : EXIT_BUG);
}

int main(int argc, char **argv) {
  signal(SIGABRT, on_abort);
  int exit_code = run(argc, argv);
  if (fflush(stdout) != 0 || ferror(stdout))
    return say(EXIT_OUTSIDE, "can't write to standard output");
  return exit_code;
}

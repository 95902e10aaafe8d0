/* --help: written from the rows. */
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/lib/table.h"

/* "-C, --workspace DIR", into 'ret'. */
static void option_spelling(const struct option *option, char *ret, size_t size) {
  char letter[8] = "    ";
  if (option->letter)
    snprintf(letter, sizeof letter, "-%c, ", option->letter);
  snprintf(ret, size, "%s--%s%s%s", letter, option->name, option->value ? " " : "", option->value ? option->value : "");
}

static void print_options(const struct option *options) {
  static const struct option common[] = {{"help", 'h', NULL, "this text"}, {"version", 0, NULL, "the version"}, {0}};
  const struct option *const lists[] = {options, common};
  char spelling[64];
  size_t width = 0;
  for (size_t list = 0; list < 2; list++)
    for (const struct option *option = lists[list]; option && option->name; option++) {
      option_spelling(option, spelling, sizeof spelling);
      width = strlen(spelling) > width ? strlen(spelling) : width;
    }
  style_print(stdout, STYLE_BOLD, "Options");
  putchar('\n');
  for (size_t list = 0; list < 2; list++)
    for (const struct option *option = lists[list]; option && option->name; option++) {
      if (list == 1 && options_own(options, option->name))
        continue;
      option_spelling(option, spelling, sizeof spelling);
      printf("  %-*s  %s\n", (int)width, spelling, option->summary);
    }
}

static void print_list(void) {
  puts("Waymark turns milestones of people's journeys into roles.\n");
  style_print(stdout, STYLE_BOLD, "Usage:");
  puts(" waymark COMMAND [ARGUMENTS] [OPTIONS]\n");
  style_print(stdout, STYLE_BOLD, "Commands");
  putchar('\n');
  for (const struct command *const *command = commands; *command; command++)
    printf("  %-12s  %s\n", (*command)->name, (*command)->summary);
  puts("\n'waymark help COMMAND' or 'waymark COMMAND --help' tells more about one of them.");
  puts("Exit codes: 0 fine, 1 bad news, 2 wrong usage, 3 an outside system could not be reached, 4 a bug.");
}

void help_print(const struct command *command) {
  if (!command) {
    print_list();
    return;
  }
  printf("%s\n\n", command->summary);
  style_print(stdout, STYLE_BOLD, "Usage:");
  printf(" waymark %s%s%s%s\n\n", command->name, *command->arguments ? " " : "", command->arguments,
         command->options && command->options->name ? " [OPTIONS]" : "");
  printf("%s\n\n", command->help);
  print_options(command->options);
}

#include "tools/lib/ways.h"

#include <string.h>

#include "tools/lib/say.h"

static const struct way *find(const struct way *ways, const char *name) {
  const struct way *way = ways;
  while (name && way->name && strcmp(way->name, name) != 0)
    way++;
  return way;
}

/* Is 'word' one of the words of 'list'? */
static bool is_listed(const char *list, const char *word) {
  size_t size = strlen(word);
  for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ')
    if (strcspn(at, " ") == size && strncmp(at, word, size) == 0)
      return true;
  return false;
}

static int check_options(const char *command, const struct way *way, const struct options *options) {
  for (size_t i = 0; options->rows[i].name; i++)
    if (options->values[i] && strcmp(options->rows[i].name, "workspace") != 0 &&
        !is_listed(way->options, options->rows[i].name))
      return say(EXIT_USAGE, "%s %s: it has no option '--%s'", command, way->name, options->rows[i].name);
  return EXIT_FINE;
}

static int check_arguments(const char *command, const struct way *way, const struct options *options) {
  size_t given = 0;
  while (options_argument(options, WAY_FIRST + given))
    given++;
  size_t fewest = 0, most = 0;
  for (const char *at = way->arguments; *at; at += strcspn(at, " "), at += *at == ' ') {
    fewest += *at != '[';
    most++;
  }
  if (given < fewest)
    return say(EXIT_USAGE, "%s %s: %s is missing", command, way->name, way->arguments);
  if (given > most && !strstr(way->arguments, "..."))
    return say(EXIT_USAGE, "%s %s: one argument too many: '%s'", command, way->name,
               options_argument(options, WAY_FIRST + most));
  return EXIT_FINE;
}

int ways_run(const struct invocation *invocation, const struct way *ways) {
  const struct options *options = &invocation->options;
  const struct way *way = find(ways, options_argument(options, 0));
  int exit_code = check_options(invocation->command->name, way, options);
  if (exit_code == EXIT_FINE)
    exit_code = check_arguments(invocation->command->name, way, options);
  return exit_code == EXIT_FINE ? way->run(invocation) : exit_code;
}

/* waymark roles: the table of what can be done with the catalogue. */
#include <stdio.h>
#include <string.h>

#include "tools/changes.h"
#include "tools/roles.h"
#include "tools/say.h"
#include "tools/source.h"

static const struct roles_way ways[] = {
    {"list", "", "json offline register changes", roles_list},
    {"show", "ROLE", "json count register", roles_show},
    {0},
};

static const struct roles_way *find_way(const char *name) {
  const struct roles_way *way = ways;
  while (way->name && strcmp(way->name, name) != 0)
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

static int check_options(const struct roles_way *way, const struct options *options) {
  for (size_t i = 0; options->rows[i].name; i++)
    if (options->values[i] && strcmp(options->rows[i].name, "workspace") != 0 &&
        !is_listed(way->options, options->rows[i].name))
      return say(EXIT_USAGE, "roles %s: it has no option '--%s'", way->name, options->rows[i].name);
  return EXIT_FINE;
}

static int check_arguments(const struct roles_way *way, const struct options *options) {
  size_t given = 0;
  while (options_argument(options, ROLES_FIRST + given))
    given++;
  bool many = strstr(way->arguments, "...") != NULL, some = *way->arguments != '\0';
  if (some && given == 0)
    return say(EXIT_USAGE, "roles %s: %s is missing", way->name, way->arguments);
  if (given > (some ? 1 : 0) && !many)
    return say(EXIT_USAGE, "roles %s: one argument too many: '%s'", way->name,
               options_argument(options, ROLES_FIRST + (some ? 1 : 0)));
  return EXIT_FINE;
}

static int run(const struct invocation *invocation) {
  const char *name = options_argument(&invocation->options, 0);
  const struct roles_way *way = find_way(name ? name : "list");
  int exit_code = check_options(way, &invocation->options);
  if (exit_code == EXIT_FINE)
    exit_code = check_arguments(way, &invocation->options);
  return exit_code == EXIT_FINE ? way->run(invocation) : exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"offline", 0, NULL, "list: the catalogue alone, Redis and Kafka are not asked"},
    {"count", 0, NULL, "show: how many users hold the role"},
    OPTION_REGISTER,
    OPTION_CHANGES,
    OPTION_JSON,
    {0},
};

const struct command command_roles = {
    .name = "roles",
    .arguments = "[list|show] [ROLE]",
    .summary = "the catalogue: who holds how much of it, and what a role is",
    .options = options,
    .help =
        "list (or nothing): every role with its holders by source (a user counts once for each source that gives it\n"
        "to him), how many have it in force, and how many gained and lost it in the last day and week. It marks\n"
        "roles that nobody has in force, and those that nine of ten active users have. Reads Redis and the changes\n"
        "topic.\n"
        "show ROLE: all that the catalogue says of it, who is meant to have it, and which automations give or take "
        "it.\n\n"
        "  waymark roles\n"
        "  waymark roles show certified-partner --count",
    .run = run,
};

/* waymark automations: which run, and switching them at run time. */
#include <string.h>

#include "tools/automations/automations.h"
#include "tools/lib/say.h"
#include "tools/requests/request_command.h"

static int switch_on(const struct invocation *invocation) {
  return automations_switch(invocation, WM_RUNNING_ON);
}
static int switch_off(const struct invocation *invocation) {
  return automations_switch(invocation, WM_RUNNING_OFF);
}
static int reset(const struct invocation *invocation) {
  return automations_switch(invocation, WM_RUNNING_AS_WRITTEN);
}

static const struct {
  const char *name;
  bool names;          /* takes names of automations */
  const char *options; /* that have a meaning for it, ended by a blank */
  int (*run)(const struct invocation *invocation);
} ways[] = {
    {"list", false, "workspace json since offline outcomes ", automations_list},
    {"on", true, "workspace reason by yes ", switch_on},
    {"off", true, "workspace reason by yes ", switch_off},
    {"reset", true, "workspace reason by yes ", reset},
};

static int check(size_t way, const struct options *options) {
  char word[64];
  for (size_t i = 0; options->rows[i].name; i++) {
    snprintf(word, sizeof word, "%s ", options->rows[i].name);
    if (options->values[i] && !strstr(ways[way].options, word))
      return say(EXIT_USAGE, "automations %s: it has no option '--%s'", ways[way].name, options->rows[i].name);
  }
  const char *first = options_argument(options, AUTOMATIONS_FIRST);
  if (ways[way].names && !first)
    return say(EXIT_USAGE, "automations %s: AUTOMATION... is missing", ways[way].name);
  if (!ways[way].names && first)
    return say(EXIT_USAGE, "automations %s: one argument too many: '%s'", ways[way].name, first);
  return EXIT_FINE;
}

static int run(const struct invocation *invocation) {
  const char *name = options_argument(&invocation->options, 0);
  size_t way = 0;
  while (name && way < sizeof ways / sizeof *ways && strcmp(ways[way].name, name) != 0)
    way++;
  int exit_code = check(way, &invocation->options);
  return exit_code == EXIT_FINE ? ways[way].run(invocation) : exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"since", 0, "DURATION|TIME", "list: count what came of them since then (default 24h)"},
    {"outcomes", 0, "FILE", "list: outcome records from a file ('-' is stdin), one a line, in place of the topic"},
    {"offline", 0, NULL, "list: what the workspace says, Kafka is not asked"},
    OPTION_REASON,
    OPTION_BY,
    OPTION_YES,
    OPTION_JSON,
    {0},
};

const struct command command_automations = {
    .name = "automations",
    .arguments = "[list|on|off|reset] [AUTOMATION...]",
    .summary = "which automations run and what they did lately; switch them on and off",
    .options = options,
    .help =
        "list (or nothing): every automation with its state and who says so (the workspace's 'enabled', or a word on\n"
        "topics.control with who, when and why), its version, and what came of its tasks since --since.\n"
        "on, off AUTOMATION...: a word on topics.control. Every worker follows it between two batches, keeps it over\n"
        "restarts and reloads, and knows it before it decides anything. What an automation granted stays when it is\n"
        "switched off; events that come meanwhile are not kept for it. 'enabled: false' in the workspace means off\n"
        "until somebody switches it on.\n"
        "reset AUTOMATION...: takes back what was said; the workspace counts again.\n"
        "Ends as soon as Kafka has the word: on, off and reset need --reason and ask before they send. Exit 1 for an\n"
        "automation that the workspace does not have, 3 when Kafka can't be reached.\n\n"
        "  waymark automations --since 7d\n"
        "  waymark automations off certified-partner --reason 'the exam system sends every result twice'",
    .run = run,
};

/* waymark automations: which run, and switching them at run time. */
#include "tools/automations/automations.h"
#include "tools/lib/ways.h"
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

static const struct way ways[] = {
    {"list", "", "json since offline outcomes", automations_list},
    {"on", "AUTOMATION...", "reason by yes", switch_on},
    {"off", "AUTOMATION...", "reason by yes", switch_off},
    {"reset", "AUTOMATION...", "reason by yes", reset},
    {0},
};

static int run(const struct invocation *invocation) {
  return ways_run(invocation, ways);
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
        "Ends half a second after Kafka has the word, when workers that are not held up follow it: on, off and reset\n"
        "need --reason and ask before they send. Exit 1 for an automation that the workspace does not have, 3 when\n"
        "Kafka can't be reached.\n\n"
        "  waymark automations --since 7d\n"
        "  waymark automations off certified-partner --reason 'the exam system sends every result twice'",
    .run = run,
};

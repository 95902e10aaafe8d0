/* waymark failures: failed tasks and rejected events, listed, counted, and one with all that is known of it. */
#include "tools/failures/failures.h"
#include "tools/lib/ways.h"

static const struct way ways[] = {
    {"list", "", "failures code automation role user since until rejected failed limit follow exit-code json",
     failures_list},
    {"show", "ID", "failures since until json", failures_show},
    {"stats", "", "failures code automation role user since until rejected failed exit-code json", failures_stats},
    {0},
};

static int run(const struct invocation *invocation) {
  return ways_run(invocation, ways);
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    OPTION_CODE,
    OPTION_AUTOMATION,
    {"role", 0, "ROLE", "only those of tasks for this role"},
    OPTION_USER,
    OPTION_FAILED_SINCE,
    OPTION_FAILED_UNTIL,
    {"rejected", 0, NULL, "only events that were rejected"},
    {"failed", 0, NULL, "only tasks that failed"},
    {"limit", 0, "N", "list: end after so many"},
    {"follow", 0, NULL, "list: go on with those to come"},
    {"exit-code", 0, NULL, "list, stats: exit 1 when there are any"},
    OPTION_FAILURES,
    OPTION_JSON,
    {0},
};

const struct command command_failures = {
    .name = "failures",
    .arguments = "[list|show|stats] [ID]",
    .summary = "failed tasks and rejected events: who, what, why, how many",
    .options = options,
    .help =
        "Reads topics.failures in bounded memory, partition by partition.\n"
        "list (or nothing): one row for each, with the time when it failed and its id, which show and redrive take.\n"
        "show ID: all of one, and the record that it is about with its headers, byte for byte but made safe for a\n"
        "terminal: of a failed task from the input topic, of a rejected event from <topic>.dlq. ID may be the place "
        "of\n"
        "the event too (TOPIC/PARTITION/OFFSET).\n"
        "stats: counts by code, automation, role and hour (day, when there are many), of the ten users who have most (of\n"
        "the first 100000), first and last; how many users.\n"
        "Exit 0, with --exit-code 1 when there are any; 1 when show finds nothing, 3 when Kafka can't be reached.\n\n"
        "  waymark failures --since 2h --code ROLE_INACTIVE\n"
        "  waymark failures stats --since 7d\n"
        "  waymark failures list --follow --json",
    .run = run,
};

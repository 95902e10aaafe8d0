/* waymark grant: a manual assignment, by an event that the worker decides. */
#include "tools/requests/request_assign.h"
#include "tools/requests/request_bulk.h"

static int run(const struct invocation *invocation) {
  return request_assign(invocation, REQUEST_ADD);
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    OPTION_REASON,
    OPTION_UNTIL,
    OPTION_BY,
    {"delegation", 0, NULL, "the user may hand the role on ('waymark delegate')"},
    {"file", 0, "FILE", "users and roles, one request a line ('-' is stdin)"},
    OPTIONS_CRITERION,
    {"dry-run", 0, NULL, "show what would be sent, send nothing"},
    OPTION_TIMEOUT,
    OPTION_NO_WAIT,
    OPTION_YES,
    OPTION_JSON,
    {0},
};

const struct command command_grant = {
    .name = "grant",
    .arguments = "[USER] [ROLE]",
    .summary = "give a role to a user, or to many, and wait for what comes of it",
    .options = options,
    .help = "Sends a request (role.assignment.requested) to the user's home on topics.requests; the worker there\n"
            "decides. Waits for the outcome: exit 0 when the user holds the role, 1 when a newer removal stands,\n"
            "when a check failed or the request was rejected (the sentence and its code say why), 3 when Kafka is\n"
            "away or no worker answers in time. A manual assignment lives beside those of automations. --reason is\n"
            "required and kept with the assignment, like --by, which is a claim: who may write to the requests\n"
            "topic decides who may grant.\n"
            "\n"
            "--file takes JSON lines ({\"user\":..,\"role\":..,\"until\":..,\"reason\":..}) or CSV, with\n"
            "a head or as user,role,until,reason; nothing is sent before every line was found to be right. With\n"
            "ROLE alone and a criterion the users are those that Redis has now, shown and counted before anything\n"
            "is sent; those who may not hold the role are left out.\n"
            "\n"
            "  waymark grant user-7 certified-partner --until 365d --reason 'exam passed on paper'\n"
            "  waymark grant certified-partner --org-unit emea --include-subordinates --reason 'new region' --dry-run\n"
            "  waymark grant --file people.csv --reason 'migration of 2026'",
    .run = run,
};

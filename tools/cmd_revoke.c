/* waymark revoke: takes a role away, by an event that the worker decides. */
#include "tools/requests/request_assign.h"
#include "tools/requests/request_bulk.h"

static int run(const struct invocation *invocation) {
  return request_assign(invocation, REQUEST_REMOVE);
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    OPTION_REASON,
    OPTION_BY,
    {"file", 0, "FILE", "users and roles, one request a line ('-' is stdin)"},
    OPTIONS_CRITERION,
    {"dry-run", 0, NULL, "show what would be sent, send nothing"},
    OPTION_TIMEOUT,
    OPTION_NO_WAIT,
    OPTION_YES,
    OPTION_JSON,
    {0},
};

const struct command command_revoke = {
    .name = "revoke",
    .arguments = "[USER] [ROLE]",
    .summary = "take a role from a user, or from many, and wait for what comes of it",
    .options = options,
    .help = "Sends a request (role.assignment.requested, action remove) to the user's home; the worker there\n"
            "decides. It takes every assignment of the role, those of automations too, which are named; what a\n"
            "criterion of the role gives stays, and that is said (STILL_DERIVED). So is a user who has no role left\n"
            "in force (lockout). Exit codes, --file and the criteria are those of 'waymark grant'; with a criterion\n"
            "only users to whom the role is assigned get a request.\n"
            "\n"
            "  waymark revoke user-7 certified-partner --reason 'left the programme'\n"
            "  waymark revoke certified-partner --group trainees --reason 'programme ended' --yes",
    .run = run,
};

/* waymark roles: the table of what can be done with the catalogue. */
#include "tools/answers/changes.h"
#include "tools/lib/source.h"
#include "tools/lib/ways.h"
#include "tools/requests/request_command.h"
#include "tools/roles/roles.h"

static const struct way ways[] = {
    {"list", "", "json offline register changes", roles_list},
    {"show", "ROLE", "json count register", roles_show},
    {"preview", "DIR", "json users users-shown max-losses", roles_preview},
    {"archive", "ROLE...", "reason by dry-run no-wait timeout yes", roles_archive},
    {"unarchive", "ROLE...", "reason by dry-run no-wait timeout yes", roles_unarchive},
    {"reset", "ROLE...", "reason by dry-run no-wait timeout yes", roles_reset},
    {"export", "[ROLE...]", "offline output", roles_export},
    {"import", "FILE [DIR]", "yes", roles_import},
    {0},
};

static int run(const struct invocation *invocation) {
  return ways_run(invocation, ways);
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"offline", 0, NULL, "list, export: the catalogue alone, Redis and Kafka are not asked"},
    {"count", 0, NULL, "show: how many users hold the role"},
    OPTION_REGISTER,
    OPTION_CHANGES,
    {"users", 0, "FILE", "preview: these users ('waymark simulate --users') in place of those in Redis"},
    {"users-shown", 0, "N", "preview: so many users for each role (default 5)"},
    {"max-losses", 0, "N", "preview: exit 1 when users would lose more roles than that"},
    {"output", 'o', "FILE", "export: write there, not to standard output"},
    OPTION_REASON,
    OPTION_BY,
    {"timeout", 0, "DURATION", "archive, unarchive, reset: how long to wait for the workers (default 60s)"},
    {"no-wait", 0, NULL, "archive, unarchive, reset: only say it, do not wait until it is done"},
    {"dry-run", 0, NULL, "archive, unarchive, reset: only show how many users it concerns"},
    OPTION_YES,
    OPTION_JSON,
    {0},
};

const struct command command_roles = {
    .name = "roles",
    .arguments = "[list|show|preview|archive|unarchive|reset|export|import] [ARGUMENT...]",
    .summary = "the catalogue: who holds how much of it, and what a role is",
    .options = options,
    .help = "list (or nothing): every role with its holders by source (a user counts once for each source that\n"
            "gives it to him), how many have it in force, and how many gained and lost it in the last day and week.\n"
            "It marks roles that nobody has in force, and those that nine of ten active users have. Reads Redis and\n"
            "the changes topic.\n"
            "show ROLE: all that the catalogue says of it, who is meant to have it, and which automations give or\n"
            "take it.\n"
            "preview DIR: what users would gain and lose if the workspace in DIR went live in place of this one\n"
            "(-C): per role, with the first users, and who would be left without any role. The users are those in\n"
            "Redis, or those of --users FILE, which needs no server.\n"
            "archive ROLE..., unarchive ROLE...: retires roles at run time, by a record on topics.control that\n"
            "every worker follows, and brings them back; nobody's assignment is lost. Shows whom it concerns, asks,\n"
            "and waits until the role sets in Redis are as they should be: exit 3 when that takes longer than\n"
            "--timeout. reset ROLE...: the document of the role counts again, whatever was said at run time.\n"
            "export [ROLE...]: a line of JSON for each role (without names: all): its document, what it says, its\n"
            "state, and the automations that give and take it. import FILE [DIR]: writes such roles into the folder\n"
            "'roles' of a workspace, one file each; nothing that is there is written over.\n"
            "\n"
            "  waymark roles\n"
            "  waymark roles show certified-partner --count\n"
            "  waymark roles preview ../next --max-losses 0\n"
            "  waymark roles archive old-partner --reason 'programme ended'\n"
            "  waymark roles export certified-partner -o role.jsonl",
    .run = run,
};

/* waymark undo: what one automation gave, taken back. */
#include "tools/answers/changes.h"
#include "tools/lib/ways.h"
#include "tools/requests/request_command.h"
#include "tools/undo/undo.h"

static const struct way ways[] = {
    {"plan", "", "automation version run from to user also-renewed users outcomes changes output give-back limit json",
     undo_plan_run},
    {"apply", "PLAN", "reason rate by max-changes timeout no-wait yes json", undo_apply_run},
    {0},
};

static int run(const struct invocation *invocation) {
  return ways_run(invocation, ways);
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"automation", 0, "AUTOMATION", "whose assignments; it need not be in the workspace any more"},
    {"version", 0, "VERSION",
     "only what this version of it gave, as the plan lists them (alone: the version of waymark)"},
    {"run", 0, "RUN", "only what it gave in this run: 'live', or the name of a replay"},
    {"from", 0, "TIME", "only by events from then on: a day, a time, or how long ago (7d)"},
    {"to", 0, "TIME", "only by events up to then; a day or a time is included"},
    {"user", 0, "USER|@FILE", "only of this user, or of those in a file, one a line"},
    {"also-renewed", 0, NULL, "also where another decision of the automation, which is not meant, gave the role too"},
    {"users", 0, "FILE", "registers from a file in place of Redis, as 'simulate --users' writes them"},
    {"outcomes", 0, "FILE", "outcomes from a file in place of the topic, as 'simulate --outcomes' writes them"},
    OPTION_CHANGES,
    {"output", 'o', "FILE", "where the plan goes"},
    {"give-back", 0, "FILE", "where requests go that give back what its removals took ('waymark grant --file')"},
    {"limit", 0, "N", "show the first N of each list (default 20, with --json all; 0: all)"},
    {"rate", 0, "N/s", "apply: so many a second at most (default 1000; 'max': no limit)"},
    {"max-changes", 0, "N", "apply: refuse when the plan counts more changes of roles"},
    OPTION_TIMEOUT,
    OPTION_NO_WAIT,
    OPTION_REASON,
    OPTION_BY,
    OPTION_YES,
    OPTION_JSON,
    {0},
};

const struct command command_undo = {
    .name = "undo",
    .arguments = "[plan|apply] [PLAN]",
    .summary = "take back what one automation gave, and nothing that others gave, after a plan",
    .options = options,
    .help =
        "plan (or nothing): finds the assignments that one automation gave (all of them, or those of one version, run\n"
        "or time) in the registers that Redis has, lets the core take them back on private copies, and tells how many\n"
        "users would lose each role, how many keep it by way of another source or a criterion, the first users before\n"
        "and after, and who would be left without any role. Lists what the removals of the automation took, as far as\n"
        "topics.outcomes still has them. Sends nothing; --output writes the plan, a file with a digest, --give-back\n"
        "requests that 'waymark grant --file' reads.\n\n"
        "apply PLAN: sends a role.grant.withdrawn for each assignment of the plan to the user's home, and waits for\n"
        "the outcomes. Refuses when the workspace or the catalogue is not that of the plan any more. What was given\n"
        "again since, by a newer event or another version, stays (exit 1). May be called again at any time, after a\n"
        "kill too: what is taken back is not taken twice. No notification is sent.\n\n"
        "  waymark undo plan --automation certified-partner --version 3f9c2a417b60 --output undo.jsonl\n"
        "  waymark undo apply undo.jsonl --reason 'the rule matched every milestone'",
    .run = run,
};

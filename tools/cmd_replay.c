/* waymark replay: events once more, after a dry run. */
#include "tools/lib/ways.h"
#include "tools/replay/replay.h"
#include "tools/requests/request_command.h"

static const struct way ways[] = {
    {"plan", "", "topic from to partition user type automation where input users output limit json", replay_plan_run},
    {"apply", "PLAN", "reason run rate notify max-changes by yes json", replay_apply_run},
    {"list", "", "json", replay_list_run},
    {"status", "RUN", "json", replay_status_run},
    {"pause", "RUN", "reason by yes", replay_pause_run},
    {"resume", "RUN", "reason by yes", replay_resume_run},
    {"cancel", "RUN", "reason by yes", replay_cancel_run},
    {0},
};

static int run(const struct invocation *invocation) {
  return ways_run(invocation, ways);
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"topic", 0, "TOPIC", "whose events; an input topic of the workspace"},
    {"from", 0, "TIME|OFFSET", "the first of them: a day, a time, how long ago (7d), or an offset"},
    {"to", 0, "TIME|OFFSET", "the end: a day or a time is included, an offset is not"},
    {"partition", 0, "NUMBER", "only this partition; offsets other than 0 need it"},
    {"user", 0, "USER|@FILE", "only events of this user, or of those in a file, one a line"},
    {"type", 0, "TYPE,...", "only events of these types; a trailing * matches any rest"},
    {"automation", 0, "AUTOMATION", "only what this automation does with them"},
    {"where", 0, "CONDITION", "only events for which this holds, as behind 'when:' on one line"},
    {"input", 0, "FILE", "events from a file, one a line, in place of the topic"},
    {"users", 0, "FILE", "registers from a file in place of Redis, as 'simulate --users' writes them"},
    {"output", 0, "FILE", "where the plan goes"},
    {"limit", 0, "N", "show the first N users whose roles change (default 20, with --json all; 0: all)"},
    {"run", 0, "NAME", "apply: the name of the run, never used twice (default: from the plan's digest)"},
    {"rate", 0, "N/s", "apply: events a second at most (default 1000; 'max': no limit); less while live lag grows"},
    {"notify", 0, NULL, "apply: send notifications too"},
    {"max-changes", 0, "N", "apply: refuse when the plan counts more changes of roles, stop when there are more"},
    OPTION_REASON,
    OPTION_BY,
    OPTION_YES,
    OPTION_JSON,
    {0},
};

const struct command command_replay = {
    .name = "replay",
    .arguments = "plan|apply|list|status|pause|resume|cancel [ARGUMENT]",
    .summary = "play events of a topic once more, after a dry run that tells what would change",
    .options = options,
    .help =
        "plan: reads a bounded range of a topic (or a file), decides it on private copies of the registers as they "
        "are\n"
        "now, and tells per automation and role what would be added, removed, unchanged, superseded and failed, the\n"
        "first users before and after, notifications, what retention has deleted, and how long it would take. Sends\n"
        "and writes nothing but the plan, a file with a digest.\n\n"
        "apply PLAN: sends copies of those events to topics.replay, each to its user's home, and follows what the "
        "workers\n"
        "make of them. Refuses when the workspace, what is switched off or archived, or the range is not that of the "
        "plan\n"
        "any more. Copies and position are written in one transaction: after a kill, the same command goes on to the\n"
        "record. Notifications are suppressed without --notify. The group and its offsets are never touched.\n"
        "list, status RUN: which runs there were, and how far they are. pause, resume, cancel RUN: words on\n"
        "topics.control, which the process that applies it follows.\n\n"
        "  waymark replay plan --topic journey.milestones --from 2026-11-17 --to 2026-11-17 --output tuesday.json\n"
        "  waymark replay apply tuesday.json --reason 'the exam system sent the wrong score' --rate 500/s",
    .run = run,
};

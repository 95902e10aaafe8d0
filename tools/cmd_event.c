/* waymark event: what became of an event. */
#include "tools/failures/event.h"
#include "tools/lib/say.h"
#include "tools/lib/source.h"

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct loaded loaded = {0};
  struct failures_filter times;
  struct event_finding finding = {.loaded = &loaded,
                                  .options = options,
                                  .source = wm_text_of(options_argument(options, 0)),
                                  .id = wm_text_of(options_argument(options, 1)),
                                  .topic = options_value(options, "topic")};
  wm_arena_init(&finding.arena, 0);
  int exit_code = failures_filter_read(options, &times);
  finding.since_us = times.since_us;
  finding.until_us = times.until_us;
  if (exit_code == EXIT_FINE && (finding.source.size == 0 || finding.id.size == 0))
    exit_code = say(EXIT_USAGE, "SOURCE and ID are those of the CloudEvent: neither is empty");
  if (exit_code == EXIT_FINE)
    exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = event_find(&finding);
  if (exit_code == EXIT_FINE)
    exit_code = event_tell(&finding, options_has(options, "json"));
  client_close(finding.client);
  wm_arena_release(&finding.arena);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"topic", 0, "TOPIC", "look through this input only (default: all of the settings)"},
    {"since", 0, "TIME|DURATION", "records of then or later: a day, a time, or how long ago (2h)"},
    {"until", 0, "TIME|DURATION", "records of then or before"},
    OPTION_REGISTER,
    OPTION_JSON,
    {0},
};

const struct command command_event = {
    .name = "event",
    .arguments = "SOURCE ID",
    .summary = "what became of an event: outcomes, failures, dead letter, or why nothing",
    .options = options,
    .help =
        "Looks through the input topics for records of the CloudEvent with this source and id, and through outcomes "
        "and\n"
        "failures for what came of each: the result of every task, or the rejection with its dead letter; or that it "
        "is\n"
        "not decided yet; or that it is a duplicate. Where nothing came of it, it says of every automation why it "
        "does\n"
        "not take the event, by the workspace, the running state and the user's register as they are now.\n"
        "Reads whole topics: --since keeps that short. Exit 1 when the event is found nowhere, 3 when Kafka or Redis\n"
        "can't be reached.\n\n"
        "  waymark event /journeys evt-4711 --since 2h",
    .run = run,
};

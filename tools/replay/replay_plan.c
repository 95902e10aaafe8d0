/* waymark replay plan: what a replay would do, told before anything is sent. */
#include <signal.h>
#include <stdlib.h>

#include "tools/lib/say.h"
#include "tools/replay/replay_dry.h"
#include "tools/replay/replay_tell.h"
#include "tools/roles/roles_control.h"
#include "tools/roles/roles_users.h"
#include "worker/clock.h"

#define REJECTED_SHOWN 10

struct planning {
  const struct options *options;
  struct loaded loaded;
  struct replay_plan plan;
  struct ranges *ranges;       /* NULL: a file is read */
  struct registers *registers; /* NULL: registers come from a file */
  struct dry_run dry;
};

static const char *const inputs[] = {"input", "users", "@user", NULL};

static int check(const struct options *options) {
  bool input = options_value(options, "input") != NULL;
  if (!options_value(options, "topic") && !input)
    return say(EXIT_USAGE, "--topic is missing: which topic's events are to be played again");
  if (!options_value(options, "output"))
    return say(EXIT_USAGE, "--output is missing: the file for the plan, which 'replay apply' reads");
  if (output_check(options, "output", inputs) != EXIT_FINE)
    return EXIT_USAGE;
  if (input && (options_value(options, "from") || options_value(options, "to") || options_value(options, "partition")))
    return say(EXIT_USAGE, "--input is played whole: it takes no --from, --to or --partition");
  return input ? EXIT_FINE : replay_resolve_check(options);
}

/* --- what decides --- */

int replay_know(const struct loaded *loaded, struct replay_plan *plan) {
  char running[WM_DIGEST_SIZE];
  replay_running_digest(loaded->workspace, running);
  plan->workspace = loaded->workspace->digest;
  plan->catalogue = loaded->workspace->catalogue_digest;
  return wm_arena_text(&plan->arena, wm_text_of(running), &plan->running) < 0 ? say_memory() : EXIT_FINE;
}

static int check_topic(struct planning *planning) {
  const char *topic = options_value(planning->options, "topic");
  enum wm_topic_kind kind;
  planning->plan.topic = topic ? wm_text_of(topic) : WM_NO_TEXT;
  return replay_topic_kind(&planning->loaded.settings, planning->plan.topic, &kind);
}

static int open_topic(struct planning *planning) {
  struct replay_plan *plan = &planning->plan;
  int exit_code = replay_resolve(planning->options, &planning->loaded.settings, planning->ranges, plan);
  if (exit_code == EXIT_FINE && ranges_cluster(planning->ranges, &plan->arena, &plan->cluster) < 0)
    exit_code = say_memory();
  return exit_code;
}

static int open_source(struct planning *planning) {
  const char *input = options_value(planning->options, "input");
  struct wm_error error = {0};
  char digest[WM_DIGEST_SIZE];
  struct replay_plan *plan = &planning->plan;
  if (!input) {
    planning->ranges = ranges_open(&planning->loaded.settings, &error);
    return planning->ranges ? open_topic(planning) : say_error(EXIT_BAD_NEWS, &error);
  }
  if (strcmp(input, "-") == 0)
    return say(EXIT_USAGE, "--input: 'replay apply' reads the events once more, so they have to be in a file");
  int exit_code = replay_file_digest(input, digest);
  plan->input = wm_text_of(input);
  return exit_code == EXIT_FINE && wm_arena_text(&plan->arena, wm_text_of(digest), &plan->input_digest) < 0
             ? say_memory()
             : exit_code;
}

static int open_registers(struct planning *planning) {
  struct wm_error error = {0};
  if (options_value(planning->options, "users"))
    return EXIT_FINE;
  signal(SIGPIPE, SIG_IGN);
  planning->registers = registers_open(&planning->loaded.settings, &error);
  return planning->registers ? EXIT_FINE : say_error(EXIT_BAD_NEWS, &error);
}

/* --- the dry run --- */

static int play(struct planning *planning) {
  const char *users = options_value(planning->options, "users");
  struct replay_records records;
  dry_init(&planning->dry, &planning->loaded, &planning->plan, planning->registers);
  int exit_code = users ? roles_users_of_file(users, dry_give, &planning->dry) : EXIT_FINE;
  if (exit_code == EXIT_FINE) {
    exit_code = replay_records_open(&records, &planning->loaded, &planning->plan, planning->ranges);
    records.tell = REJECTED_SHOWN;
    if (exit_code == EXIT_FINE)
      exit_code = dry_play(&planning->dry, &records);
    replay_records_close(&records);
  }
  return exit_code;
}

static int tell(struct planning *planning) {
  struct replay_telling telling = {.json = options_has(planning->options, "json")};
  int exit_code = replay_tell_begin(&telling, options_value(planning->options, "limit"));
  if (exit_code == EXIT_FINE &&
      dry_compare(&planning->dry, system_clock.wall_us(system_clock.self), replay_tell_user, &telling) < 0)
    exit_code = say_memory();
  if (exit_code == EXIT_FINE)
    exit_code = replay_plan_write(&planning->plan, options_value(planning->options, "output"));
  if (exit_code == EXIT_FINE)
    exit_code = replay_tell(&telling, &planning->dry, options_value(planning->options, "output"));
  replay_tell_end(&telling);
  return exit_code;
}

int replay_plan_run(const struct invocation *invocation) {
  struct planning planning = {.options = &invocation->options};
  replay_plan_init(&planning.plan);
  planning.plan.made_us = system_clock.wall_us(system_clock.self);
  int exit_code = check(planning.options);
  bool offline = options_value(planning.options, "input") && options_value(planning.options, "users");
  if (exit_code == EXIT_FINE)
    exit_code = workspace_open(invocation, NULL, offline ? SETTINGS_OFFLINE : SETTINGS_FULL, &planning.loaded);
  if (exit_code == EXIT_FINE)
    exit_code = check_topic(&planning);
  if (exit_code == EXIT_FINE && !offline)
    exit_code = roles_control_follow(&planning.loaded.settings, planning.loaded.workspace);
  if (exit_code == EXIT_FINE)
    exit_code =
        replay_filter_read(planning.options, planning.loaded.workspace, &planning.plan.arena, &planning.plan.filter);
  if (exit_code == EXIT_FINE)
    exit_code = open_source(&planning);
  if (exit_code == EXIT_FINE)
    exit_code = open_registers(&planning);
  if (exit_code == EXIT_FINE)
    exit_code = replay_know(&planning.loaded, &planning.plan);
  if (exit_code == EXIT_FINE)
    exit_code = play(&planning);
  if (exit_code == EXIT_FINE && planning.ranges && planning.plan.counts.read > 0)
    exit_code = replay_count_first(&planning.loaded, &planning.plan, planning.dry.oldest_ms);
  if (exit_code == EXIT_FINE)
    exit_code = tell(&planning);
  if (planning.dry.loaded)
    dry_release(&planning.dry);
  ranges_close(planning.ranges);
  registers_close(planning.registers);
  replay_plan_release(&planning.plan);
  files_unload(&planning.loaded);
  return exit_code;
}

/* waymark rebuild: Redis anew from the log, in place, while workers and applications go on (worker/rebuild.h). */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/codec/write.h"
#include "tools/lib/files.h"
#include "tools/lib/progress.h"
#include "tools/lib/say.h"
#include "tools/requests/asker.h"
#include "worker/clock.h"
#include "worker/rebuilding.h"

#define LOOK_US 250000
#define SILENT_MS 15000 /* no worker has said a word for so long: none is at work */

struct rebuild_command {
  const struct invocation *invocation;
  struct loaded loaded;
  struct rebuilding *redis;
  struct rebuilding_state state; /* as it was when the question was asked */
  int64_t generation;            /* the new one */
};

static int64_t silence_ms(const struct rebuilding_state *state) {
  return system_clock.wall_us(system_clock.self) / 1000 - state->alive_ms;
}

static int ask(const struct rebuild_command *command) {
  const struct options *options = &command->invocation->options;
  char question[320];
  const char *prefix = command->loaded.settings.redis.prefix, *address = command->loaded.settings.redis.address;
  if (command->state.pending > 0)
    say(0, "a rebuild under generation %lld is under way in %d partitions; this one would begin again",
        (long long)command->state.generation, (int)command->state.pending);
  snprintf(question, sizeof question, "Rebuild '%.60s' in the Redis at %.120s from the log? Events wait meanwhile.",
           prefix, address);
  if (options_has(options, "yes") || say_ask(question))
    return EXIT_FINE;
  return say(EXIT_BAD_NEWS, "nothing was done");
}

static int begin(struct rebuild_command *command) {
  struct wm_error error = {0};
  const char *reason = options_value(&command->invocation->options, "reason");
  if (rebuilding_look(command->redis, &command->state, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (command->state.generation == 0)
    return say(EXIT_BAD_NEWS, "no worker has filled this Redis yet: the first that starts does");
  int exit_code = ask(command);
  if (exit_code != EXIT_FINE)
    return exit_code;
  int begun = rebuilding_begin(command->redis, command->state.generation, wm_text_of(reason ? reason : ""),
                               system_clock.wall_us(system_clock.self), &error);
  if (begun < 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (begun == 0)
    return say(EXIT_BAD_NEWS, "somebody else has begun a rebuild just now; nothing was done");
  command->generation = command->state.generation + 1;
  if (silence_ms(&command->state) > SILENT_MS)
    say(0, "no worker is at work: the rebuild begins when one starts");
  return EXIT_FINE;
}

static int tell(const struct rebuild_command *command, const char *state) {
  struct wm_buf line = WM_BUF_INIT;
  if (!options_has(&command->invocation->options, "json")) {
    printf("generation %lld: %s\n", (long long)command->generation, state);
    return EXIT_FINE;
  }
  wm_write_open(&line, WM_NO_KEY, '{');
  wm_write_integer(&line, WM_KEY("generation"), command->generation);
  wm_write_string(&line, WM_KEY("state"), state);
  wm_write_close(&line, '}');
  wm_write_end(&line);
  if (!line.failed)
    puts(line.bytes);
  wm_buf_release(&line);
  return EXIT_FINE;
}

/* Workers may come and go meanwhile; only when there is none for long, nobody will do it. */
static int wait(const struct rebuild_command *command) {
  struct wm_error error = {0};
  struct rebuilding_state now = {0};
  struct progress progress;
  int64_t began_ms = system_clock.wall_us(system_clock.self) / 1000;
  int32_t all = command->loaded.settings.kafka.partitions;
  progress_begin(&progress, "partitions rebuilt", (size_t)all);
  progress.calls = 63; /* every look counts: there are few */
  int exit_code = EXIT_FINE;
  for (;;) {
    if (rebuilding_look(command->redis, &now, &error) < 0) {
      exit_code = say_error(EXIT_OUTSIDE, &error);
      break;
    }
    if (now.generation < command->generation) {
      exit_code = say(EXIT_BAD_NEWS, "Redis was emptied or went back in time meanwhile: the workers fill it anew");
      break;
    }
    if (now.pending == 0)
      break;
    if (silence_ms(&now) > SILENT_MS && system_clock.wall_us(system_clock.self) / 1000 - began_ms > SILENT_MS) {
      exit_code = say(EXIT_BAD_NEWS, "no worker is at work; %d partitions are still to be rebuilt", (int)now.pending);
      break;
    }
    progress.calls = 63;
    progress_set(&progress, (size_t)(all - now.pending));
    usleep(LOOK_US);
  }
  progress_end(&progress);
  return exit_code == EXIT_FINE ? tell(command, "rebuilt") : exit_code;
}

static int act(struct rebuild_command *command) {
  const struct options *options = &command->invocation->options;
  struct wm_error error = {0};
  signal(SIGPIPE, SIG_IGN);
  command->redis = rebuilding_open(&command->loaded.settings, &error);
  if (!command->redis)
    return say_error(EXIT_BUG, &error);
  int exit_code = begin(command);
  if (exit_code == EXIT_FINE)
    exit_code = options_has(options, "wait") ? wait(command) : tell(command, "begun");
  rebuilding_close(command->redis);
  return exit_code;
}

static int run(const struct invocation *invocation) {
  struct rebuild_command command = {.invocation = invocation};
  int exit_code = asker_reason(&invocation->options, "the rebuild");
  if (exit_code == EXIT_FINE)
    exit_code = workspace_open_settings(invocation, &command.loaded);
  if (exit_code == EXIT_FINE)
    exit_code = act(&command);
  files_unload(&command.loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE, OPTION_YES, OPTION_REASON, {"wait", 0, NULL, "wait until all partitions are rebuilt and swept"},
    OPTION_JSON,      {0},
};

const struct command command_rebuild = {
    .name = "rebuild",
    .arguments = "",
    .summary = "make Redis anew from the log, in place, while applications read",
    .options = options,
    .help =
        "Tells the workers to write every user's newest register and role set again, under the next generation, and\n"
        "to take out what no register in the log stands behind. Nothing is emptied: each user keeps his roles until\n"
        "he is written. The events of a partition wait while it is rebuilt, and are lost by nothing: a worker that\n"
        "dies is followed by another that goes on. --reason is kept in wm:meta.\n\n"
        "Exit 0: begun, or with --wait done; 1: not done (no, no worker, another rebuild); 3: Redis can't be "
        "reached.\n\n"
        "  waymark rebuild --reason 'drift in partition 3' --wait\n"
        "  waymark verify",
    .run = run,
};

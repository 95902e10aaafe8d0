/* waymark undo plan: what taking back would do, told before anything is sent. */
#include <signal.h>

#include "tools/lib/say.h"
#include "tools/roles/roles_control.h"
#include "tools/undo/undo_tell.h"
#include "worker/clock.h"
#include "worker/meta.h"

struct planning {
  const struct options *options;
  struct loaded loaded;
  struct undo_plan plan;
  struct undo_selection selection;
  struct undo_losses losses;
  struct undo_dry dry;
  struct replay_telling users;
  bool offline; /* registers come from a file: no server is asked */
};

static int know(struct planning *planning) {
  const struct wm_workspace *workspace = planning->loaded.workspace;
  int exit_code = EXIT_FINE;
  if (!planning->offline)
    exit_code = roles_control_follow(&planning->loaded.settings, planning->loaded.workspace);
  planning->plan.workspace = workspace->digest;
  planning->plan.catalogue = workspace->catalogue_digest;
  return exit_code;
}

/* With registers from a file, outcomes come from a file or not at all. */
static bool has_outcomes(const struct planning *planning) {
  return !planning->offline || planning->losses.file;
}

static int look(struct planning *planning) {
  const char *users = options_value(planning->options, "users");
  int exit_code = undo_select(&planning->selection, users);
  if (exit_code == EXIT_FINE && has_outcomes(planning))
    exit_code = undo_losses_read(&planning->losses, options_has(planning->options, "also-renewed"));
  if (exit_code == EXIT_FINE)
    exit_code = undo_dry_run(&planning->dry);
  return exit_code == EXIT_FINE && has_outcomes(planning) ? undo_losses_judge(&planning->losses, users) : exit_code;
}

/* What Redis does not have yet can't be planned. */
static int look_at_redis(const struct planning *planning) {
  struct wm_error error = {0};
  struct wm_arena arena;
  struct meta_field *fields;
  size_t count = 0;
  bool ready = false;
  signal(SIGPIPE, SIG_IGN);
  wm_arena_init(&arena, 0);
  int result = meta_read(&planning->loaded.settings, &arena, &fields, &count, &error);
  for (size_t i = 0; i < count && result == 0; i++)
    ready |= wm_text_is(fields[i].name, "ready") && wm_text_is(fields[i].value, "1");
  wm_arena_release(&arena);
  if (result < 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (!ready)
    say(0, "Redis does not have all yet ('waymark status' says why): the plan may miss assignments");
  return EXIT_FINE;
}

static int tell(struct planning *planning) {
  const struct options *options = planning->options;
  const struct undo_telling telling = {.dry = &planning->dry,
                                       .losses = has_outcomes(planning) ? &planning->losses : NULL,
                                       .users = &planning->users,
                                       .output = options_value(options, "output"),
                                       .give_back = options_value(options, "give-back")};
  int exit_code = undo_plan_write(&planning->plan, telling.output);
  if (exit_code == EXIT_FINE && telling.losses)
    exit_code = undo_losses_write(&planning->losses, telling.give_back);
  return exit_code == EXIT_FINE ? undo_tell(&telling) : exit_code;
}

static const char *const inputs[] = {"@user", "users", "outcomes", "changes", NULL};

static int check(struct planning *planning) {
  const struct options *options = planning->options;
  int exit_code = undo_filter_read(options, planning->plan.made_us, &planning->plan);
  if (exit_code == EXIT_FINE)
    exit_code = output_check(options, "output", inputs);
  if (exit_code == EXIT_FINE)
    exit_code = output_check(options, "give-back", inputs);
  if (exit_code == EXIT_FINE && options_value(options, "give-back") && !has_outcomes(planning))
    exit_code = say(EXIT_USAGE, "--give-back needs to know what was taken: with --users, give --outcomes too");
  return exit_code == EXIT_FINE ? replay_tell_begin(&planning->users, options_value(options, "limit")) : exit_code;
}

static int run(struct planning *planning, const struct invocation *invocation) {
  int exit_code = check(planning);
  if (exit_code == EXIT_FINE)
    exit_code =
        workspace_open(invocation, NULL, planning->offline ? SETTINGS_OFFLINE : SETTINGS_FULL, &planning->loaded);
  if (exit_code == EXIT_FINE)
    exit_code = know(planning);
  if (exit_code == EXIT_FINE && !planning->offline)
    exit_code = look_at_redis(planning);
  if (exit_code == EXIT_FINE)
    exit_code = look(planning);
  return exit_code == EXIT_FINE ? tell(planning) : exit_code;
}

int undo_plan_run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct planning planning = {.options = options, .offline = options_value(options, "users") != NULL};
  undo_plan_init(&planning.plan);
  planning.plan.made_us = system_clock.wall_us(system_clock.self);
  undo_selection_init(&planning.selection, &planning.loaded, &planning.plan);
  undo_losses_init(&planning.losses, &planning.selection);
  planning.losses.file = options_value(options, "outcomes");
  planning.losses.servers = !planning.offline;
  planning.losses.options = options;
  planning.users.json = options_has(options, "json");
  planning.dry =
      (struct undo_dry){.selection = &planning.selection, .take = replay_tell_user, .taker = &planning.users};
  int exit_code = run(&planning, invocation);
  replay_tell_end(&planning.users);
  undo_dry_release(&planning.dry);
  undo_losses_release(&planning.losses);
  undo_selection_release(&planning.selection);
  undo_plan_release(&planning.plan);
  files_unload(&planning.loaded);
  return exit_code;
}

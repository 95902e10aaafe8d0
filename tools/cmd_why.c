/* waymark why: does a user hold a role, because of what, what took it, what would give it. */
#include "core/moment.h"
#include "tools/answers/answer.h"
#include "tools/lib/say.h"
#include "tools/lib/when.h"
#include "tools/roles/role_text.h"
#include "tools/roles/roles_control.h"
#include "worker/clock.h"

/* A role that neither the catalogue nor the register knows is a slip of the pen. */
static int check_role(const struct loaded *loaded, const struct wm_user *user, const char *name) {
  const struct wm_role *role;
  if (user && wm_user_role(user, wm_text_of(name)))
    return EXIT_FINE;
  return role_find(loaded->workspace, name, &role);
}

/* Lays what was archived and switched off at run time over the workspace. False: that is not known. */
static bool ask_control(const struct loaded *loaded, const struct options *options, struct wm_running *running) {
  struct wm_overlay overlay;
  struct wm_error error = {0};
  if (options_has(options, "register"))
    return false;
  return roles_control_read(&loaded->settings, running) == EXIT_FINE &&
         wm_workspace_overlay(loaded->workspace, running, &overlay, &error) == 0;
}

/* Whatever is known now counts, at another moment: grants have ended by then. */
static int read_now(const struct options *options, int64_t *ret_us) {
  const char *at = options_value(options, "at");
  *ret_us = system_clock.wall_us(system_clock.self);
  return at ? when_parse("at", at, true, *ret_us, ret_us) : EXIT_FINE;
}

static int answer(const struct loaded *loaded, const struct invocation *invocation, struct wm_arena *arena,
                  struct source_user *source, struct wm_user **user, struct wm_running *running) {
  const struct options *options = &invocation->options;
  const char *role = options_argument(options, 1);
  struct wm_text name = wm_text_of(options_argument(options, 0));
  struct answer found;
  int64_t now_us;
  int exit_code = read_now(options, &now_us);
  if (exit_code == EXIT_FINE)
    exit_code = source_find(loaded, options, name, arena, source, user);
  if (exit_code == EXIT_FINE)
    exit_code = check_role(loaded, *user, role);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (!*user)
    *user = wm_user_new(name, 0);
  if (!*user)
    return say_memory();
  bool asked = ask_control(loaded, options, running);
  answer_find(loaded, source, *user, wm_text_of(role), now_us, &found);
  found.has_redis = found.has_redis && !options_has(options, "at");
  found.running = asked ? running : NULL;
  found.offline = options_has(options, "register");
  if (answer_add_roles(&found, arena) < 0)
    return say_memory();
  if (options_has(options, "json"))
    answer_print_json(&found);
  else
    answer_print(&found);
  return found.held ? EXIT_FINE : EXIT_BAD_NEWS;
}

static int run(const struct invocation *invocation) {
  const char *name = options_argument(&invocation->options, 0);
  bool offline = options_has(&invocation->options, "register");
  struct loaded loaded;
  struct wm_arena arena;
  struct source_user source;
  struct wm_user *user = NULL;
  struct wm_running running;
  if (!wm_text_is_user_id(wm_text_of(name)))
    return say(EXIT_USAGE, "'%s' is no user id: 1 to 256 bytes of text without control characters", name);
  wm_arena_init(&arena, 0);
  wm_running_init(&running);
  int exit_code = workspace_open(invocation, NULL, offline ? SETTINGS_OFFLINE : SETTINGS_FULL, &loaded);
  if (exit_code == EXIT_BAD_NEWS)
    exit_code = EXIT_USAGE; /* 1 says that he does not hold it */
  if (exit_code == EXIT_FINE)
    exit_code = answer(&loaded, invocation, &arena, &source, &user, &running);
  wm_running_release(&running);
  wm_user_free(user);
  wm_arena_release(&arena);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"at", 0, "WHEN",
     "by what is known now, but at another moment (a day means its end, UTC): after grants have ended"},
    OPTION_REGISTER,
    OPTION_JSON,
    {0},
};

const struct command command_why = {
    .name = "why",
    .arguments = "USER ROLE",
    .summary = "because of what a user holds a role; or why not, what took it, and what would give it",
    .options = options,
    .help =
        "Reads the user's register in Redis and the workspace, and tells: does he hold the role (it is in force now);\n"
        "because of which automation, task and event, which request by hand, or which criterion and field of his\n"
        "profile; since when and until when; what keeps a role that he has from being in force; what took it; and\n"
        "what would give it, or take it away. What was archived or switched off at run time comes from Kafka; when it\n"
        "can't be reached, the answer says so. Exit 0: he holds it, 1: he does not, 2: there is no such role, or the\n"
        "workspace is invalid, 3: Redis can't be reached.\n\n"
        "  waymark why user-7 certified-partner\n"
        "  waymark simulate . events.jsonl --users - | waymark why user-7 certified-partner --register -",
    .run = run,
};

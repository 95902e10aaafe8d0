/* waymark user: what Waymark knows of one user, from Redis. */
#include <stdio.h>

#include "core/codec/json.h"
#include "core/codec/register.h"
#include "tools/answers/why.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/roles/roles_control.h"
#include "worker/clock.h"
#include "worker/redis.h"

struct looking {
  const struct loaded *loaded;
  struct wm_arena arena;
  struct cache_user found;
  struct wm_user *user; /* the register, decoded */
};

static int fetch(struct looking *looking, const char *name) {
  struct wm_error error = {0};
  struct cache_door cache = {0};
  struct logger quiet = {.level = LOGGER_ERROR, .fd = -1};
  looking->found = (struct cache_user){.id = wm_text_of(name)};
  struct redis *redis = redis_open(&looking->loaded->settings, &quiet, &cache, &error);
  if (!redis)
    return say_error(EXIT_OUTSIDE, &error);
  enum cache_result result = cache.ops->check(cache.self, &error);
  if (result == CACHE_DONE)
    result = cache.ops->fetch(cache.self, &looking->found, 1, true, NULL, 0, &looking->arena, &error);
  redis_close(redis);
  return result == CACHE_DONE ? EXIT_FINE : say_error(EXIT_OUTSIDE, &error);
}

static void print_json(const struct looking *looking) {
  const struct cache_user *found = &looking->found;
  struct wm_buf line = WM_BUF_INIT;
  wm_buf_add_string(&line, "{\"user\":");
  wm_buf_add_json(&line, found->id);
  wm_buf_add_string(&line, ",\"effective\":[");
  for (size_t i = 0; i < found->role_count; i++) {
    wm_buf_add_string(&line, i ? "," : "");
    wm_buf_add_json(&line, found->roles[i]);
  }
  wm_buf_printf(&line, "],\"gen\":%lld,\"at\":%lld,\"register\":", (long long)found->gen, (long long)found->at);
  wm_register_encode(looking->user, &line);
  wm_buf_add_char(&line, '}');
  if (!line.failed)
    puts(line.bytes);
  wm_buf_release(&line);
}

static void print_register(const struct looking *looking) {
  struct wm_value value;
  struct wm_error error;
  struct wm_buf pretty = WM_BUF_INIT;
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  if (wm_json_parse(looking->found.json, &arena, &value, &error) == 0)
    wm_json_pretty(&value, &pretty);
  puts(pretty.bytes ? pretty.bytes : "");
  wm_buf_release(&pretty);
  wm_arena_release(&arena);
}

static void print_clock(const char *name, struct wm_text what, const struct wm_clock *clock) {
  struct wm_buf buf = WM_BUF_INIT;
  if (!wm_clock_is_set(clock))
    return;
  show_time(clock->time_us, &buf);
  style_print(stdout, STYLE_DIM, "%-8s ", name);
  style_print(stdout, STYLE_PLAIN, "%.*s%s%.*s", WM_TEXT_ARG(what), what.size ? ", " : "",
              WM_TEXT_ARG(((struct wm_text){buf.bytes, buf.size})));
  style_print(stdout, STYLE_DIM, " (%.*s from %.*s)", WM_TEXT_ARG(clock->id), WM_TEXT_ARG(clock->source));
  putchar('\n');
  wm_buf_release(&buf);
}

/* What the directory says of him, and when it did. */
static void print_directory(const struct wm_user *user) {
  struct wm_text name = wm_value_text(wm_user_field(user, WM_TEXT("name")));
  struct wm_text status = wm_value_text(wm_user_field(user, WM_TEXT("status"))), type = user->profile.type;
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_printf(&buf, "%.*s%s%.*s%s%.*s", WM_TEXT_ARG(name), name.size && status.size ? ", " : "", WM_TEXT_ARG(status),
                type.size ? ", " : "", WM_TEXT_ARG(type));
  print_clock("profile", (struct wm_text){buf.bytes, buf.size}, &user->profile.clock);
  print_clock("sign-in", WM_NO_TEXT, &user->signed_in);
  print_clock("deleted", WM_NO_TEXT, &user->cleared);
  wm_buf_release(&buf);
}

/* A role that was archived at run time is in nobody's role set, whatever its document says. Kafka may be away: that is
 * told, and the register is shown all the same. */
static void overlay_control(const struct looking *looking) {
  struct wm_overlay overlay;
  struct wm_running running;
  struct wm_error error = {0};
  struct wm_workspace *workspace = looking->loaded->workspace;
  wm_running_init(&running);
  if (workspace && (roles_control_read(&looking->loaded->settings, &running) != EXIT_FINE ||
                    wm_workspace_overlay(workspace, &running, &overlay, &error) < 0))
    say(0, "what was archived at run time is not known: the roles below are in force by their documents");
  wm_running_release(&running);
}

static void print_people(const struct looking *looking) {
  const struct cache_user *found = &looking->found;
  struct table table;
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(found->id));
  style_print(stdout, STYLE_DIM, "  home %d, offset %lld of %s, generation %lld", (int)looking->user->home,
              (long long)found->at, looking->loaded->settings.topics.users, (long long)found->gen);
  putchar('\n');
  print_directory(looking->user);
  fputs("roles ", stdout);
  for (size_t i = 0; i < found->role_count; i++)
    style_print(stdout, STYLE_GOOD, "%s%.*s", i ? ", " : "", WM_TEXT_ARG(found->roles[i]));
  puts(found->role_count ? "\n" : "none\n");
  table_init(&table, why_heads);
  overlay_control(looking);
  if (looking->loaded->workspace)
    why_table(looking->loaded->workspace, looking->user, system_clock.wall_us(system_clock.self), &table);
  if (table_rows(&table) > 0) {
    table_print(&table, stdout);
    putchar('\n');
  }
  table_release(&table);
  print_register(looking);
}

static int look(struct looking *looking, const struct options *options) {
  const char *name = options_argument(options, 0);
  struct wm_error error = {0};
  if (!wm_text_is_user_id(wm_text_of(name)))
    return say(EXIT_USAGE, "'%s' is no user id: 1 to 256 bytes of text without control characters", name);
  int exit_code = fetch(looking, name);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (!looking->found.json.bytes)
    return say(EXIT_BAD_NEWS, "Redis knows no user '%s'", name);
  looking->user = wm_register_decode(looking->found.json, &error);
  if (!looking->user)
    return say_error(EXIT_BAD_NEWS, &error);
  if (options_has(options, "json"))
    print_json(looking);
  else
    print_people(looking);
  return EXIT_FINE;
}

static int run(const struct invocation *invocation) {
  struct loaded loaded;
  struct looking looking = {.loaded = &loaded};
  wm_arena_init(&looking.arena, 0);
  int exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = look(&looking, &invocation->options);
  wm_user_free(looking.user);
  wm_arena_release(&looking.arena);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {OPTION_WORKSPACE, OPTION_JSON, {0}};

const struct command command_user = {
    .name = "user",
    .arguments = "USER",
    .summary = "what Waymark knows of a user: roles, because of what, the register",
    .options = options,
    .help =
        "Reads Redis: the roles in force, for each role because of what it is held (or why it is not in force), and\n"
        "the register. What was archived at run time comes from Kafka; when it can't be reached, that is told.\n"
        "Exit 1 when the user is not known, 3 when Redis can't be reached.\n\n"
        "  waymark user user-7 -C /etc/waymark",
    .run = run,
};

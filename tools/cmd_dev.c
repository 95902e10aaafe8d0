/* waymark dev: all in one for a first look. The events of a workspace go through an embedded broker, the worker and a
 * private Redis; what comes out is shown, and compared with what simulate says must come out. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "core/codec/register.h"
#include "tools/answers/why.h"
#include "tools/lib/files.h"
#include "tools/lib/rows.h"
#include "tools/lib/say.h"
#include "tools/lib/script.h"
#include "tools/lib/show.h"
#include "tools/lib/stage.h"

#define READY_US (20 * WM_SECOND_US)  /* for the worker to get its partitions */
#define RESULT_US (15 * WM_SECOND_US) /* for what must come, after the last event */
#define SHOW_US (4 * WM_SECOND_US)    /* on a terminal the events are spread over this */
#define STEP_US (WM_SECOND_US / 50)   /* between the times of two events */
#define SEND_MS 10000

struct dev {
  struct loaded loaded;
  struct stage stage;
  struct script script;
  struct table table;
  struct wm_arena arena; /* of one record */
  bool terminal;
  size_t sent, tasks, unexpected, rejections;
};

static volatile sig_atomic_t asked_to_stop;

static void on_signal(int number) {
  (void)number;
  asked_to_stop = 1;
}

static void catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
}

static int64_t now_us(void) {
  return system_clock.monotonic_us(system_clock.self);
}

static void take_record(struct dev *dev, const struct wm_record *record, bool is_outcome) {
  struct wm_value value;
  struct wm_error error;
  wm_arena_rewind(&dev->arena);
  if (wm_json_parse(record->value, &dev->arena, &value, &error) < 0)
    return;
  if (is_outcome) {
    bool expected = script_take(&dev->script, &value);
    dev->unexpected += !expected;
    dev->tasks += rows_add_outcome(&dev->table, &value);
  } else {
    dev->rejections += rows_add_rejection(&dev->table, &value);
  }
}

/* Shows whatever has come. */
static int follow(struct dev *dev, struct wm_error *error) {
  struct client *clients[] = {dev->stage.client, dev->stage.failures};
  for (size_t i = 0; i < 2; i++) {
    struct wm_record record;
    int got;
    while ((got = client_next(clients[i], 0, &record, error)) > 0)
      take_record(dev, &record, i == 0);
    if (got < 0)
      return -1;
  }
  table_print(&dev->table, stdout);
  fflush(stdout);
  return 0;
}

static int step(struct dev *dev, struct wm_error *error) {
  return stage_step(&dev->stage, error) < 0 || follow(dev, error) < 0 ? -1 : 0;
}

static int wait_ready(struct dev *dev, struct wm_error *error) {
  int64_t end_us = now_us() + READY_US;
  if (style_wanted(stdout)) { /* gone when there is something to see */
    fputs("the worker joins its consumer group ...\r", stdout);
    fflush(stdout);
  }
  while (!stage_is_ready(&dev->stage) && !asked_to_stop) {
    if (step(dev, error) < 0)
      return -1;
    if (now_us() > end_us)
      return wm_error_set(error, WM_E_KAFKA_FAILED, "the worker did not get its partitions in time");
  }
  fputs(style_wanted(stdout) ? "\033[K" : "", stdout);
  return 0;
}

/* Until the worker has read everything that was sent: there is no order between two topics, and a profile has to be
 * there before the events that ask for it. */
static int wait_read(struct dev *dev, struct wm_error *error) {
  int64_t end_us = now_us() + RESULT_US;
  while (stage_events(&dev->stage) < dev->sent && !asked_to_stop) {
    if (step(dev, error) < 0)
      return -1;
    if (now_us() > end_us)
      return wm_error_set(error, WM_E_KAFKA_FAILED, "the worker did not read what was sent in time");
  }
  return 0;
}

static int send_all(struct dev *dev, struct wm_error *error) {
  const struct script *script = &dev->script;
  int64_t pause_us = dev->terminal && script->count ? SHOW_US / (int64_t)script->count : 0;
  for (size_t i = 0; i < script->count && !asked_to_stop; i++) {
    const struct wm_record *record = &script->lines[i].record;
    bool other_topic = i > 0 && !wm_text_equal(record->topic, script->lines[i - 1].record.topic);
    if (other_topic && wait_read(dev, error) < 0)
      return -1;
    if (client_send(dev->stage.client, record, 1, SEND_MS, NULL, error) < 0)
      return -1;
    dev->sent++;
    for (int64_t end_us = now_us() + pause_us; now_us() < end_us && !asked_to_stop;)
      if (step(dev, error) < 0)
        return -1;
  }
  return wait_read(dev, error);
}

/* Is the role set in Redis what the registers of the script come to? Fills 'ret' with the user as Redis knows him. */
static int look_up(struct dev *dev, const struct wm_user *user, bool *ret_same, struct cache_user *ret,
                   struct wm_error *error) {
  const struct cache_door *cache = &dev->stage.look;
  struct wm_role_set roles;
  *ret = (struct cache_user){.id = user->id};
  if (cache->ops->fetch(cache->self, ret, 1, true, NULL, 0, &dev->arena, error) != CACHE_DONE)
    return -1;
  if (wm_project(dev->loaded.workspace, user, system_clock.wall_us(system_clock.self), &dev->arena, &roles) < 0)
    return wm_error_memory(error);
  *ret_same = ret->role_count == roles.count;
  for (size_t i = 0; *ret_same && i < roles.count; i++)
    *ret_same = wm_text_equal(ret->roles[i], roles.roles[i]->name);
  return 0;
}

static int roles_are_right(struct dev *dev, bool *ret, struct wm_error *error) {
  const struct play *play = &dev->script.play;
  *ret = true;
  for (size_t i = 0; i < play->user_capacity && *ret; i++) {
    struct cache_user found;
    wm_arena_rewind(&dev->arena);
    if (play->users[i] && look_up(dev, play->users[i], ret, &found, error) < 0)
      return -1;
  }
  return 0;
}

/* Until everything that must come has come. 'ret_right': it has. */
static int wait_results(struct dev *dev, bool *ret_right, struct wm_error *error) {
  int64_t end_us = now_us() + RESULT_US;
  for (*ret_right = false; !asked_to_stop && now_us() < end_us;) {
    if (step(dev, error) < 0)
      return -1;
    if (script_missing(&dev->script) > 0 || dev->rejections < dev->script.rejections)
      continue;
    if (roles_are_right(dev, ret_right, error) < 0)
      return -1;
    if (*ret_right)
      return 0;
  }
  return 0;
}

static void add_user(const struct dev *dev, const struct wm_user *user, struct table *table) {
  size_t before = table_rows(table);
  why_user_rows(dev->loaded.workspace, user, system_clock.wall_us(system_clock.self), table);
  if (table_rows(table) > before)
    return;
  table_text(table, STYLE_PLAIN, user->id);
  table_text(table, STYLE_DIM, WM_TEXT("–"));
  table_text(table, STYLE_DIM, WM_TEXT("–"));
  table_text(table, STYLE_DIM, WM_TEXT("holds no role"));
}

static int print_roles(struct dev *dev, struct wm_error *error) {
  struct wm_user **users = play_users_sorted(&dev->script.play);
  struct table table;
  int result = users ? 0 : wm_error_memory(error);
  table_init(&table, why_user_heads);
  for (size_t i = 0; result == 0 && i < dev->script.play.user_count; i++) {
    struct cache_user found;
    bool same;
    wm_arena_rewind(&dev->arena);
    result = look_up(dev, users[i], &same, &found, error);
    struct wm_user *user = result == 0 && found.json.bytes ? wm_register_decode(found.json, error) : NULL;
    if (user)
      add_user(dev, user, &table);
    wm_user_free(user);
  }
  putchar('\n');
  style_print(stdout, STYLE_BOLD, "The roles in Redis, and because of what");
  putchar('\n');
  table_print(&table, stdout);
  table_release(&table);
  free(users);
  return result;
}

static int print_verdict(const struct dev *dev, bool right) {
  putchar('\n');
  if (right && !dev->unexpected) {
    style_print(stdout, STYLE_GOOD, "%zu events, %zu task outcomes, %zu rejected: all as 'waymark simulate' says.",
                dev->sent, dev->tasks, dev->rejections);
    puts(" A failed task is recorded; the tasks after it run all the same.");
    return EXIT_FINE;
  }
  if (asked_to_stop)
    return EXIT_FINE;
  style_print(stdout, STYLE_BAD,
              "Not as 'waymark simulate' says: %zu outcomes missing, %zu unexpected, %zu of %zu rejections.",
              script_missing(&dev->script), dev->unexpected, dev->rejections, dev->script.rejections);
  putchar('\n');
  return EXIT_BAD_NEWS;
}

/* On a terminal it stays, for the curious. */
static int stay(struct dev *dev, struct wm_error *error) {
  if (!dev->terminal || asked_to_stop)
    return 0;
  printf("\nLook for yourself:  redis-cli -s %s SMEMBERS '%s:{USER}:roles'\n", dev->stage.private_redis.socket,
         dev->stage.settings.redis.prefix);
  printf("The broker listens on %s. Ctrl-C ends all of it.\n", dev->stage.settings.kafka.bootstrap);
  fflush(stdout);
  while (!asked_to_stop)
    if (step(dev, error) < 0)
      return -1;
  putchar('\n');
  return 0;
}

static void print_head(const struct dev *dev, const char *folder) {
  const struct wm_workspace *workspace = dev->loaded.workspace;
  struct wm_buf line = WM_BUF_INIT;
  show_count(&line, workspace->automation_count, "automation");
  wm_buf_add_string(&line, ", ");
  show_count(&line, workspace->role_count, "role");
  wm_buf_add_string(&line, ", ");
  show_count(&line, dev->script.count, "event");
  style_print(stdout, STYLE_BOLD, "%s", folder);
  printf("  %s\n", line.bytes ? line.bytes : "");
  style_print(stdout, STYLE_DIM, "embedded broker %s, private Redis %s, worker in this process",
              dev->stage.settings.kafka.bootstrap, dev->stage.private_redis.socket);
  puts("\n");
  if (show_descriptions(workspace, NULL, ""))
    putchar('\n');
  fflush(stdout);
  wm_buf_release(&line);
}

/* The table is as wide from its first row as it will be at its end. */
static void shape_table(struct dev *dev) {
  table_init(&dev->table, rows_heads);
  memcpy(dev->table.widths, dev->script.shape.widths, sizeof dev->table.widths);
}

static int perform(struct dev *dev, const char *folder, struct wm_error *error) {
  bool right = false;
  shape_table(dev);
  print_head(dev, folder);
  if (wait_ready(dev, error) < 0 || send_all(dev, error) < 0 || wait_results(dev, &right, error) < 0 ||
      print_roles(dev, error) < 0)
    return say_error(EXIT_OUTSIDE, error);
  int exit_code = print_verdict(dev, right);
  return stay(dev, error) < 0 ? say_error(EXIT_OUTSIDE, error) : exit_code;
}

/* The worker owns its workspace: it gets one of its own. */
static int open_stage(struct dev *dev, const char *folder, struct wm_error *error) {
  struct loaded again = {0};
  if (files_load(folder, SETTINGS_OFFLINE, &again, error) < 0)
    return -1;
  struct wm_workspace *workspace = again.workspace;
  again.workspace = NULL;
  files_unload(&again);
  return workspace ? stage_open(&dev->stage, &dev->loaded, workspace, error) : -1;
}

static int dev_run(struct dev *dev, const char *folder, const char *events) {
  struct wm_error error = {0};
  catch_signals();
  int exit_code = EXIT_FINE;
  if (open_stage(dev, folder, &error) < 0)
    exit_code = say_error(EXIT_OUTSIDE, &error);
  if (exit_code == EXIT_FINE)
    exit_code = script_open(&dev->script, events, &dev->loaded, &dev->stage.settings,
                            system_clock.wall_us(system_clock.self), STEP_US);
  if (exit_code == EXIT_FINE)
    exit_code = perform(dev, folder, &error);
  script_release(&dev->script);
  stage_close(&dev->stage);
  table_release(&dev->table);
  return exit_code;
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  const char *argument = options_argument(options, 0), *events = options_value(options, "events");
  struct dev dev = {.terminal = isatty(STDOUT_FILENO)};
  struct wm_error error = {0};
  char *path = NULL, *folder = NULL;
  wm_arena_init(&dev.arena, 0);
  int exit_code = workspace_open(invocation, argument, SETTINGS_OFFLINE, &dev.loaded);
  if (exit_code == EXIT_FINE)
    folder = files_find_workspace(argument, options_value(options, "workspace"), &error);
  if (folder && !events && asprintf(&path, "%s/events.jsonl", folder) >= 0)
    events = path;
  if (folder && !events)
    exit_code = say_memory();
  if (folder && events)
    exit_code = dev_run(&dev, folder, events);
  free(path);
  free(folder);
  wm_arena_release(&dev.arena);
  files_unload(&dev.loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"events", 0, "FILE", "play this file instead of DIR/events.jsonl"},
    {0},
};

const struct command command_dev = {
    .name = "dev",
    .arguments = "[DIR]",
    .summary = "all in one for a first look: embedded broker, private Redis, worker",
    .options = options,
    .help =
        "Plays DIR/events.jsonl against the automations of DIR, the whole way: a broker in this process, the worker,\n"
        "a Redis of its own that goes away again. The times of the events are moved to the present. Shows each\n"
        "outcome as it comes, then the roles in Redis and because of what they are held. On a terminal it stays\n"
        "until Ctrl-C; else it ends by itself, with 1 when something else came out than simulate says.\n"
        "Nothing outside is touched: Kafka and Redis of the settings are not used.\n\n"
        "  waymark dev deploy/sample",
    .run = run,
};

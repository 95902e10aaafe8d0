/* waymarkd: reads the workspace, opens the doors, and steps the loop until it is asked to stop or stops by itself.
 * Signals come as flags between two steps; systemd is told what state this is in. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "core/codec/register.h"
#include "worker/files.h"
#include "worker/http.h"
#include "worker/kafka.h"
#include "worker/loop.h"
#include "worker/redis.h"
#include "worker/walk.h"

#define STOP_SECONDS 4                   /* SIGTERM ends it within five */
#define LISTEN_US (5 * INT64_C(1000000)) /* between two tries to listen */
#define EXIT_USAGE 78                    /* a wrong command line is a wrong configuration: don't restart */

static volatile sig_atomic_t asked_to_stop, asked_to_reload;
static volatile sig_atomic_t looking_for_doors; /* nothing was decided yet, so there is nothing to hand over */
static volatile sig_atomic_t ends_with;         /* why it has stopped by itself, as exit code; 0: it has not */

struct worker {
  char *folder;
  struct loaded loaded; /* its workspace belongs to the loop from loop_new on */
  struct logger logger;
  struct kafka *kafka;
  struct redis *redis;
  struct loop_doors doors;
  struct loop *loop;
  struct expose_worker shown;
  struct board *board;
  struct http *http;
  int64_t listen_us;    /* monotonic: the next try; 0: none was made yet */
  uint64_t watchdog_us; /* 0: nobody watches */
  int64_t watched_us;   /* monotonic: when systemd was last told that this is alive */
  bool told_ready;
};

static void stop_before_the_start(void) {
  static const char text[] = "waymarkd: stopped before brokers and redis were found\n";
  if (write(2, text, sizeof text - 1) < 0)
    _exit(0);
  _exit(0);
}

static void on_signal(int number) {
  if (number == SIGHUP) {
    asked_to_reload = 1;
    return;
  }
  if (looking_for_doors)
    stop_before_the_start();
  asked_to_stop = 1;
  alarm(STOP_SECONDS);
}

/* Brokers that hang must not hold a stop up: what is not committed is read again by the next owner. */
static void on_alarm(int number) {
  static const char text[] = "waymarkd: brokers or redis did not answer in time, stopped without a hand-over\n";
  int code = ends_with ? ends_with : LOOP_EXIT_AGAIN;
  (void)number;
  if (write(2, text, sizeof text - 1) < 0)
    _exit(code);
  _exit(code);
}

/* Nor may they hold up an end that this worker has found by itself: librdkafka waits for ever to be rid of a consumer
 * whose topic was deleted. */
static void end_with(int code) {
  if (code == 0 || asked_to_stop)
    return;
  ends_with = code;
  alarm(STOP_SECONDS);
}

static void catch_signals(void) {
  static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
  struct sigaction action = {.sa_handler = on_signal};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    sigaction(numbers[i], &action, NULL);
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
}

static int64_t wall_us(void) {
  return system_clock.wall_us(system_clock.self);
}

/* --- what the settings say --- */

static enum logger_level level_of(const char *name) {
  static const char *const names[] = {"debug", "info", "warning", "error"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0)
      return (enum logger_level)i;
  return LOGGER_INFO;
}

static struct logger logger_of(const struct settings *settings) {
  return (struct logger){
      .level = level_of(settings->log_level),
      .json = strcmp(settings->log_format, "json") == 0,
      .fd = 2,
      .burst = 50,
  };
}

static struct loop_rules rules_of(const struct settings *settings) {
  return (struct loop_rules){
      .terms = {.users_closed = settings->users_closed,
                .notify_age_us = settings->limits.notify_age_us,
                .register_bytes = settings->limits.register_bytes,
                .register_size = wm_register_size},
      .event_bytes = settings->limits.event_bytes,
      .clock_skew_us = settings->limits.clock_skew_us,
      .batch_events = settings->limits.batch_events,
      .batch_us = settings->limits.batch_us,
      .drift_users = settings->limits.drift_users,
  };
}

/* --- another workspace --- */

/* As lint prints them; in a JSON log what is no warning, one line each, under the rate limit. */
static void log_findings(struct worker *worker, const struct wm_findings *findings) {
  if (!worker->logger.json) {
    files_print_findings(findings);
    return;
  }
  for (size_t i = 0; i < findings->count; i++) {
    const struct wm_finding *finding = &findings->items[i];
    if (finding->severity == WM_WARNING)
      continue;
    logger_flood(&worker->logger, LOGGER_ERROR, wall_us(), finding->severity == WM_INVALID ? "invalid" : "error",
                 (const struct logger_field[]){{.name = "code", .text = wm_text_of(wm_code_name(finding->code))},
                                               {.name = "file", .text = finding->file},
                                               {.name = "line", .number = finding->line},
                                               {.name = "column", .number = finding->column},
                                               {.name = "error", .text = finding->text},
                                               {0}});
  }
}

static void refuse_reload(struct worker *worker, const char *error) {
  worker->loop->metrics.reloads_refused++;
  worker->loop->metrics.reload_failed = true;
  logger_say(&worker->logger, LOGGER_ERROR, wall_us(), "reload refused, the old workspace stays",
             (const struct logger_field[]){{.name = "error", .text = wm_text_of(error)}, {0}});
}

/* Against what this worker was started with: nothing is to be said of what was changed back. */
static void tell_restarts(struct worker *worker, const struct settings *fresh) {
  size_t at = 0;
  const char *name;
  while ((name = settings_next_changed(&worker->loaded.settings, fresh, &at)))
    logger_say(&worker->logger, LOGGER_WARNING, wall_us(), "a setting was changed that needs a restart",
               (const struct logger_field[]){{.name = "setting", .text = wm_text_of(name)}, {0}});
}

static void reload(struct worker *worker) {
  struct loaded fresh;
  struct wm_error error = {0};
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)system_clock.monotonic_us(system_clock.self));
  if (files_load(worker->folder, SETTINGS_FULL, &fresh, &error) != 0) {
    refuse_reload(worker, error.text);
    sd_notify(0, "READY=1");
    return;
  }
  log_findings(worker, &fresh.findings);
  if (fresh.findings.invalid > 0 || !fresh.workspace) {
    refuse_reload(worker, "the workspace is invalid");
  } else {
    struct loop_rules rules = rules_of(&fresh.settings);
    struct logger said = logger_of(&fresh.settings);
    worker->logger.level = said.level;
    worker->logger.json = said.json;
    loop_reload(worker->loop, fresh.workspace, &rules);
    worker->loop->metrics.reload_failed = false;
    fresh.workspace = NULL;
    tell_restarts(worker, &fresh.settings);
  }
  files_unload(&fresh);
  sd_notify(0, "READY=1");
}

/* --- seen from outside --- */

/* Others want to know how it goes, but it goes on without them: a port that is taken is told once and tried again. */
static void listen_for_http(struct worker *worker) {
  const char *address = worker->loaded.settings.http_listen;
  int64_t now_us = system_clock.monotonic_us(system_clock.self);
  struct wm_error error = {0};
  if (!address[0] || worker->http || now_us < worker->listen_us)
    return;
  worker->http = http_open(address, &worker->shown, worker->board, &error);
  if (worker->http)
    logger_say(&worker->logger, LOGGER_INFO, wall_us(), "serves metrics and health",
               (const struct logger_field[]){{.name = "address", .text = wm_text_of(http_address(worker->http))}, {0}});
  else if (worker->listen_us == 0)
    logger_say(&worker->logger, LOGGER_WARNING, wall_us(), "does not serve metrics and health, and tries again",
               (const struct logger_field[]){{.name = "error", .text = wm_text_of(error.text)}, {0}});
  worker->listen_us = now_us + LISTEN_US;
}

/* --- running --- */

static void tell_systemd(struct worker *worker) {
  if (!worker->told_ready && worker->loop->phase == LOOP_RUNNING) {
    worker->told_ready = true;
    sd_notify(0, "READY=1");
  }
  int64_t now = system_clock.monotonic_us(system_clock.self);
  if (worker->watchdog_us == 0 || now - worker->watched_us < (int64_t)(worker->watchdog_us / 3))
    return;
  worker->watched_us = now;
  sd_notify(0, "WATCHDOG=1");
}

static int run(struct worker *worker) {
  bool stopping = false;
  do {
    if (asked_to_reload) {
      asked_to_reload = 0;
      reload(worker);
    }
    if (asked_to_stop && !stopping) {
      stopping = true;
      sd_notify(0, "STOPPING=1");
      loop_stop(worker->loop);
      board_publish(worker->board, worker->loop, true);
    }
    tell_systemd(worker);
    listen_for_http(worker);
    board_publish(worker->board, worker->loop, false);
    logger_tick(&worker->logger, wall_us());
  } while (loop_step(worker->loop));
  return worker->loop->exit_code;
}

static int exit_code_of(enum wm_code code) {
  if (code == WM_E_SETTING_INVALID || code == WM_E_TOPIC_INVALID)
    return LOOP_EXIT_CONFIGURATION;
  return LOOP_EXIT_AGAIN;
}

static int fail_to_start(struct worker *worker, const struct wm_error *error) {
  logger_say(&worker->logger, LOGGER_ERROR, wall_us(), "could not start",
             (const struct logger_field[]){{.name = "code", .text = wm_text_of(wm_code_name(error->code))},
                                           {.name = "error", .text = wm_text_of(error->text)},
                                           {0}});
  return exit_code_of(error->code);
}

static int open_and_run(struct worker *worker) {
  const struct settings *settings = &worker->loaded.settings;
  struct wm_error error = {0};
  struct loop_rules rules = rules_of(settings);

  worker->doors.clock = system_clock;
  worker->doors.logger = &worker->logger;
  logger_say(
      &worker->logger, LOGGER_INFO, wall_us(), "starting",
      (const struct logger_field[]){
          {.name = "version", .text = WM_TEXT(WAYMARK_VERSION)},
          {.name = "instance", .text = wm_text_of(settings->instance)},
          {.name = "group", .text = wm_text_of(settings->kafka.group)},
          {.name = "delivery", .text = wm_text_of(settings->kafka.exactly_once ? "exactly-once" : "at-least-once")},
          {.name = "workspace", .text = worker->loaded.workspace->digest},
          {0}});
  worker->shown = (struct expose_worker){
      .instance = settings->instance, .group = settings->kafka.group, .exactly_once = settings->kafka.exactly_once};
  worker->board = board_new();
  if (!worker->board) {
    wm_error_memory(&error);
    return fail_to_start(worker, &error);
  }
  listen_for_http(worker);
  looking_for_doors = 1;
  if (asked_to_stop)
    stop_before_the_start();
  worker->redis = redis_open(settings, &worker->logger, &worker->doors.cache, &error);
  if (!worker->redis)
    return fail_to_start(worker, &error);
  worker->kafka = kafka_open(settings, &worker->logger, &worker->doors.log, &error);
  if (!worker->kafka)
    return fail_to_start(worker, &error);
  worker->loop = loop_new(&worker->doors, &rules, wm_text_of(settings->kafka.group), worker->loaded.workspace);
  worker->loaded.workspace = NULL;
  if (!worker->loop) {
    wm_error_memory(&error);
    return fail_to_start(worker, &error);
  }
  sd_watchdog_enabled(0, &worker->watchdog_us);
  looking_for_doors = 0;
  return run(worker);
}

struct arguments {
  bool check;
  const char *option, *workspace;
};

/* A start finds out by itself what librdkafka thinks of its properties. */
static void check_kafka(struct worker *worker) {
  char *file = walk_join(worker->folder, "waymark.yaml");
  if (file && worker->loaded.findings.invalid == 0)
    kafka_check(&worker->loaded.settings, file, &worker->loaded.findings);
  free(file);
}

/* Lint, settings and secrets; the exit code is that of a start. */
static int load(struct worker *worker, const struct arguments *arguments) {
  struct wm_error error = {0};
  worker->folder = files_find_workspace(arguments->workspace, arguments->option, &error);
  if (!worker->folder || files_load(worker->folder, SETTINGS_FULL, &worker->loaded, &error) != 0) {
    fprintf(stderr, "waymarkd: %s\n", error.text);
    return LOOP_EXIT_CONFIGURATION;
  }
  if (arguments->check)
    check_kafka(worker);
  files_print_findings(&worker->loaded.findings);
  worker->logger = logger_of(&worker->loaded.settings);
  return worker->loaded.findings.invalid > 0 || !worker->loaded.workspace ? LOOP_EXIT_CONFIGURATION : 0;
}

/* --- the command line --- */

static const char usage[] =
    "usage: waymarkd [--check] [-C DIR] [WORKSPACE]\n"
    "       waymarkd --help | --version\n"
    "\n"
    "Turns journey milestones in Kafka into roles in Redis.\n"
    "\n"
    "  WORKSPACE   the folder with waymark.yaml; else DIR, else $WAYMARK_WORKSPACE, else the nearest one upwards\n"
    "  -C DIR      the same, as an option\n"
    "  --check     read workspace, settings and secrets, print every finding, and end with 0 or 78\n"
    "\n"
    "Signals: SIGTERM ends it cleanly, SIGHUP reloads the workspace.\n"
    "Exit codes: 0 asked to stop, 70 a bug, 75 try again, 78 the configuration is wrong, don't restart.\n";

/* -1: go on; else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *ret) {
  static const struct option options[] = {
      {"check", no_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'}, {0}};
  int found;
  while ((found = getopt_long(argc, argv, "C:h", options, NULL)) != -1) {
    switch (found) {
    case 'c':
      ret->check = true;
      break;
    case 'C':
      ret->option = optarg;
      break;
    case 'h':
      fputs(usage, stdout);
      return 0;
    case 'v':
      puts("waymarkd " WAYMARK_VERSION);
      return 0;
    default:
      fputs(usage, stderr);
      return EXIT_USAGE;
    }
  }
  if (argc - optind > 1) {
    fputs(usage, stderr);
    return EXIT_USAGE;
  }
  ret->workspace = argv[optind];
  return -1;
}

int main(int argc, char **argv) {
  struct arguments arguments = {0};
  struct worker worker = {0};
  int code = read_arguments(argc, argv, &arguments);
  if (code >= 0)
    return code;
  catch_signals();
  code = load(&worker, &arguments);
  if (code == 0 && arguments.check && worker.loaded.findings.errors > 0)
    code = LOOP_EXIT_CONFIGURATION;
  if (code == 0 && !arguments.check)
    code = open_and_run(&worker);
  end_with(code);
  http_close(worker.http); /* its thread looks at what is freed below */
  board_free(worker.board);
  loop_free(worker.loop);
  kafka_close(worker.kafka);
  redis_close(worker.redis);
  files_unload(&worker.loaded);
  free(worker.folder);
  return code;
}

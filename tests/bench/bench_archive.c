/* Archiving a role that everybody has, through the worker's loop into a real Redis; the log is in memory.
 *
 *   bench_archive [USERS]   (default 100 000) starts a private redis-server, gives every user the role by an event,
 *                           archives it, brings it back, and prints users per second for both, and how long an event
 *                           that came meanwhile waited for its role. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/codec/load.h"
#include "core/codec/register.h"
#include "tests/lib/memory_log.h"
#include "worker/loop.h"
#include "worker/redis.h"

static const char documents[] =
    "role: certified\n---\nrole: welcome\n---\nrole: everybody\nassigned-when: [{ all: true }]\n---\n"
    "automation: grant\ntrigger: journey.milestone.achieved\nwhen: { data.milestone: done }\ntasks:\n"
    "  - { name: Grant, sequence: 10, type: change-role, role: certified, action: add }\n---\n"
    "automation: greet\ntrigger: journey.milestone.achieved\ntasks:\n"
    "  - { name: Greet, sequence: 10, type: change-role, role: welcome, action: add }\n";

static struct {
  char folder[64], socket[96];
  pid_t server;
  struct world world;
  struct memory_log *log;
  struct logger logger;
  struct redis *redis;
  struct loop_doors doors;
  struct loop *loop;
} bench;

static void die(const char *what) {
  fprintf(stderr, "bench_archive: %s\n", what);
  exit(1);
}

static int64_t now_us(void) {
  return system_clock.monotonic_us(system_clock.self);
}

/* --- Redis --- */

static void stop_server(void) {
  if (bench.server <= 0)
    return;
  kill(bench.server, SIGTERM);
  waitpid(bench.server, NULL, 0);
  unlink(bench.socket);
  rmdir(bench.folder);
}

static void start_server(void) {
  snprintf(bench.folder, sizeof bench.folder, "/tmp/waymark-bench-XXXXXX");
  if (!mkdtemp(bench.folder))
    die("no folder");
  snprintf(bench.socket, sizeof bench.socket, "%s/s", bench.folder);
  bench.server = fork();
  if (bench.server == 0) {
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", bench.socket, "--dir", bench.folder, "--save",
           "", "--loglevel", "warning", (char *)NULL);
    _exit(127);
  }
  atexit(stop_server);
  for (int i = 0; i < 500 && access(bench.socket, F_OK) != 0; i++)
    usleep(10000);
}

/* --- the worker --- */

static struct wm_workspace *load(void) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  if (!loader || wm_loader_add(loader, WM_TEXT("bench.yaml"), wm_text_of(documents)))
    die("out of memory");
  struct wm_workspace *workspace = wm_loader_finish(loader);
  wm_loader_free(loader);
  wm_findings_release(&findings);
  if (!workspace)
    die("the workspace is invalid");
  return workspace;
}

static void start_worker(void) {
  const struct settings settings = {
      .instance = "bench",
      .redis = {.address = bench.socket, .username = "", .password_file = "", .prefix = "wm"},
      .topics = {.users = "users"},
  };
  const struct loop_rules rules = {
      .terms = {.notify_age_us = 0, .register_bytes = 262144, .register_size = wm_register_size},
      .event_bytes = 524288,
      .batch_events = 2000,
      .batch_us = 50000,
  };
  struct wm_error error = {0};
  signal(SIGPIPE, SIG_IGN);
  world_init(&bench.world, 1);
  bench.log = memory_log_new(&bench.world, 1);
  bench.logger = (struct logger){.level = LOGGER_WARNING, .fd = 2, .burst = 50};
  bench.redis = redis_open(&settings, &bench.logger, &bench.doors.cache, &error);
  if (!bench.redis)
    die(error.text);
  memory_log_join(bench.log, "bench", &bench.doors.log);
  bench.doors.clock = system_clock;
  bench.doors.logger = &bench.logger;
  bench.loop = loop_new(&bench.doors, &rules, WM_TEXT("bench"), load());
  if (!bench.loop)
    die("out of memory");
}

static void step(void) {
  if (!loop_step(bench.loop))
    die(bench.loop->exit_error.text);
}

/* --- users --- */

static void send(size_t topic, const char *type, size_t user, const char *data) {
  char value[1024], key[32];
  snprintf(key, sizeof key, "user-%zu", user);
  int size = snprintf(value, sizeof value,
                      "{\"specversion\":\"1.0\",\"id\":\"%s-%zu\",\"source\":\"/b\",\"type\":\"%s\",\"subject\":\"%s\","
                      "\"data\":%s}",
                      type, user, type, key, data);
  memory_log_produce(bench.log, topic, 0, wm_text_of(key), (struct wm_text){value, (size_t)size},
                     bench.world.now_us / 1000);
}

static void send_user(size_t user) {
  char data[700];
  snprintf(
      data, sizeof data,
      "{\"status\":\"active\",\"type\":\"partner\",\"name\":\"User %zu\",\"email\":\"user-%zu@acme.example\","
      "\"org-units\":{\"division\":[\"acme\",\"emea\",\"unit-%zu\"]},\"groups\":[\"g-%zu\",\"g-%zu\",\"certified\"],"
      "\"manager\":\"user-%zu\",\"attributes\":{\"region\":\"emea-west\",\"tier\":\"gold\",\"level\":%zu}}",
      user, user, user % 400, user % 97, user % 31, user / 10, user % 12);
  send(1, "directory.user.updated", user, data);
  send(0, "journey.milestone.achieved", user, "{\"milestone\":\"done\"}");
}

static size_t left(size_t topic) {
  int64_t committed = bench.log->committed[topic][0];
  return bench.log->inputs[topic][0].count - (size_t)(committed < 0 ? 0 : committed);
}

static void fill(size_t users) {
  int64_t began_us = now_us();
  for (size_t i = 0; i < users; i++)
    send_user(i);
  while (left(0) + left(1) > 0)
    step();
  printf("%zu users made in %.1f s\n", users, (double)(now_us() - began_us) / 1e6);
}

/* --- archiving --- */

/* Of this process: the machine may be busy with other things. */
static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Events of somebody new, one after the other; the longest that one was on its way. */
static int64_t waits_us(size_t *users, int64_t *sent_us, int64_t longest_us) {
  if (*sent_us > 0 && left(0) == 0) {
    int64_t took_us = now_us() - *sent_us;
    *sent_us = 0;
    return took_us > longest_us ? took_us : longest_us;
  }
  if (*sent_us == 0) {
    *sent_us = now_us();
    send(0, "journey.milestone.achieved", (*users)++, "{\"milestone\":\"begun\"}");
  }
  return longest_us;
}

/* Of redis-server, so far. */
static double server_seconds(void) {
  char path[64];
  unsigned long user = 0, system = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)bench.server);
  FILE *file = fopen(path, "r");
  if (!file || fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    die("no times of redis-server");
  fclose(file);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void change(const char *what, enum wm_running_state state, size_t *users) {
  double cpu_before = cpu_seconds(), server_before = server_seconds();
  uint64_t before = bench.loop->counters.reprojected;
  int64_t sent_us = 0, longest_us = 0;
  memory_log_say(bench.log, WM_RUNNING_ROLE, "certified", state);
  int64_t began_us = now_us();
  bool begun = false;
  do {
    step();
    longest_us = waits_us(users, &sent_us, longest_us);
    begun = begun || reproject_is_pending(bench.loop);
  } while (!begun || reproject_is_pending(bench.loop));
  uint64_t of = bench.loop->counters.reprojected - before;
  double took = (double)(now_us() - began_us) / 1e6;
  double cpu = cpu_seconds() - cpu_before, server = server_seconds() - server_before;
  printf("%-10s %" PRIu64
         " users, %.0f users/s; CPU for each: %.1f us here, %.1f us of Redis; an event meanwhile waited "
         "%.0f ms at most\n",
         what, of, (double)of / took, cpu * 1e6 / (double)of, server * 1e6 / (double)of, (double)longest_us / 1e3);
}

int main(int argc, char **argv) {
  size_t users = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
  start_server();
  start_worker();
  fill(users);
  change("archive", WM_RUNNING_OFF, &users);
  change("unarchive", WM_RUNNING_AS_WRITTEN, &users);
  loop_free(bench.loop);
  redis_close(bench.redis);
  memory_log_free(bench.log);
  return 0;
}

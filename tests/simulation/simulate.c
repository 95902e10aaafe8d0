#include "tests/simulation/simulate.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define SETTLE_ROUNDS 6000
#define COMPARE_US 8000000
#define QUIET_US 1500000 /* an idle worker notices within a second that Redis is not what it was */

static void blame(struct simulation *simulation, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void blame(struct simulation *simulation, const char *format, ...) {
  va_list arguments;
  if (simulation->why[0])
    return;
  va_start(arguments, format);
  vsnprintf(simulation->why, sizeof simulation->why, format, arguments);
  va_end(arguments);
}

/* --- what is watched all the time --- */

/* Every call of a door: the process may be interrupted here, or it was its last. */
static void touched(void *self) {
  struct simulation *simulation = self;
  struct process *process = simulation->current;
  if (!process || !process->fiber)
    return;
  if (simulation->hook && simulation->world.touches == simulation->hook_at)
    simulation->hook(simulation);
  if (process->crash_in > 0 && --process->crash_in == 0) {
    process->gone = true;
    fiber_give_way(process->fiber);
  }
  if (world_chance(&simulation->world, simulation->world.faults.give_way))
    fiber_give_way(process->fiber);
}

/* A register in Redis is always one that a transaction committed. */
static void written(void *self, const struct cache_write *write) {
  struct simulation *simulation = self;
  struct wm_text value = memory_log_register(simulation->log, memory_log_home(simulation->log, write->user), write->at);
  if (!value.bytes || !wm_text_equal(value, write->json))
    blame(simulation, "redis got a register of '%.*s' at %lld that nobody committed", WM_TEXT_ARG(write->user),
          (long long)write->at);
}

static uint64_t rules_of(void *self, struct memory_member *member) {
  struct simulation *simulation = self;
  for (size_t i = 0; i < simulation->process_count; i++)
    if (simulation->processes[i].member == member)
      return sample_rules(simulation->processes[i].loop->workspace);
  return 0;
}

void simulation_init(struct simulation *simulation, uint64_t seed, int32_t partitions,
                     struct wm_workspace *const *versions) {
  *simulation = (struct simulation){.seed = seed};
  world_init(&simulation->world, seed);
  simulation->world.touched = touched;
  simulation->world.self = simulation;
  simulation->log = memory_log_new(&simulation->world, partitions);
  simulation->log->rules_of = rules_of;
  simulation->log->self = simulation;
  simulation->cache = memory_cache_new(&simulation->world);
  simulation->cache->written = written;
  simulation->cache->self = simulation;
  simulation->logger = (struct logger){.level = LOGGER_ERROR, .fd = -1};
  if (getenv("SIMULATION_LOG"))
    simulation->logger = (struct logger){.level = LOGGER_DEBUG, .fd = 2, .burst = 1000};
  simulation->rules = (struct loop_rules){.terms = sample_terms,
                                          .event_bytes = SAMPLE_EVENT_BYTES,
                                          .batch_events = 1 + world_below(&simulation->world, 8),
                                          .batch_us = 20000,
                                          .drift_users = 1000,
                                          .users_bytes = world_chance(&simulation->world, 3000) ? 1 : 0,
                                          .applying_bytes = 1 + world_below(&simulation->world, 8000)};
  for (int i = 0; i < SAMPLE_VERSIONS; i++)
    simulation->versions[i] = versions[i];
}

/* --- processes --- */

static void run_loop(void *argument) {
  struct process *process = argument;
  while (loop_step(process->loop))
    fiber_give_way(process->fiber);
}

struct process *simulation_start(struct simulation *simulation, unsigned slot) {
  if (simulation->process_count == SIMULATION_PROCESSES)
    return NULL;
  struct process *process = &simulation->processes[simulation->process_count++];
  char id[16];
  snprintf(id, sizeof id, "w%u", slot);
  *process = (struct process){.simulation = simulation, .slot = slot};
  struct loop_doors doors = {.clock = world_clock(&simulation->world), .logger = &simulation->logger};
  process->member = memory_log_join(simulation->log, id, &doors.log);
  memory_cache_connect(simulation->cache, &doors.cache);
  process->loop = loop_new(&doors, &simulation->rules, SAMPLE_GROUP, sample_workspace(simulation->version));
  process->fiber = fiber_new(run_loop, process);
  if (!process->loop || !process->fiber)
    abort();
  return process;
}

static void add_counters(struct loop_counters *to, const struct loop_counters *from) {
  uint64_t *sums = (uint64_t *)to;
  const uint64_t *numbers = (const uint64_t *)from;
  for (size_t i = 0; i < sizeof *to / sizeof *sums; i++)
    sums[i] += numbers[i];
}

static void bury(struct process *process) {
  process->gone = true;
  if (!process->loop)
    return;
  add_counters(&process->simulation->totals, &process->loop->counters);
  fiber_free(process->fiber);
  loop_free(process->loop);
  process->fiber = NULL;
  process->loop = NULL;
}

void simulation_kill(struct process *process) {
  memory_log_kill(process->member);
  bury(process);
}

void simulation_release(struct simulation *simulation) {
  for (size_t i = 0; i < simulation->process_count; i++)
    bury(&simulation->processes[i]);
  memory_log_free(simulation->log);
  memory_cache_free(simulation->cache);
}

/* It ended by itself: asked to, or because somebody else has its place. Anything else is a bug. */
static void ended(struct process *process) {
  const struct loop *loop = process->loop;
  if (loop->exit_code == LOOP_EXIT_ASKED)
    memory_log_leave(process->member);
  else
    memory_log_kill(process->member);
  if (loop->exit_code != LOOP_EXIT_ASKED && loop->exit_code != LOOP_EXIT_AGAIN)
    blame(process->simulation, "w%u stopped with %d: %s", process->slot, loop->exit_code, loop->exit_error.text);
  bury(process);
}

void simulation_run(struct process *process) {
  struct simulation *simulation = process->simulation;
  simulation->current = process;
  bool goes_on = fiber_resume(process->fiber);
  simulation->current = NULL;
  if (!goes_on)
    ended(process);
  else if (process->gone)
    simulation_kill(process);
}

/* --- the quiet end --- */

static bool is_consumed(const struct simulation *simulation) {
  for (size_t topic = 0; topic < MEMORY_INPUTS; topic++) {
    for (int32_t p = 0; p < simulation->log->partition_count; p++) {
      int64_t committed = simulation->log->committed[topic][p];
      if ((committed < 0 ? 0 : committed) != (int64_t)simulation->log->inputs[topic][p].count)
        return false;
    }
  }
  return true;
}

static bool is_swept(const struct simulation *simulation) {
  const struct memory_data *data = &simulation->cache->data;
  for (size_t i = 0; i < data->user_count; i++)
    if (data->users[i].has_end && data->users[i].end_us <= simulation->world.now_us)
      return false;
  return true;
}

static bool is_up_to_date(const struct process *process) {
  return !process->loop->next_workspace && sample_version(process->loop->workspace) == process->simulation->version;
}

/* Everything is owned by workers that have nothing left to do, and decide by the newest workspace. */
static bool is_settled(const struct simulation *simulation) {
  size_t live = 0;
  for (size_t i = 0; i < simulation->process_count; i++) {
    const struct process *process = &simulation->processes[i];
    if (process->gone)
      continue;
    const struct loop *loop = process->loop;
    if (loop->recover.needs || reproject_is_pending(loop) || loop->batch.events > 0 || !is_up_to_date(process))
      return false;
    if (!control_is_followed(loop) || loop->control.position != (int64_t)simulation->log->control.count)
      return false;
    if (partitions_are_ready(&loop->partitions) != loop->ready)
      return false;
    live += partitions_count(&loop->partitions, PARTITION_LIVE);
  }
  return live == (size_t)simulation->log->partition_count && is_consumed(simulation) && is_swept(simulation);
}

static void calm(struct simulation *simulation) {
  unsigned give_way = simulation->world.faults.give_way;
  simulation->world.faults = (struct world_faults){.give_way = give_way};
  memory_cache_set_down(simulation->cache, false);
  memory_log_tick(simulation->log, true);
  memory_cache_tick(simulation->cache, true);
  for (size_t i = 0; i < simulation->process_count; i++) {
    struct process *process = &simulation->processes[i];
    process->suspended = false;
    process->crash_in = 0;
    if (!process->gone && !is_up_to_date(process))
      loop_reload(process->loop, sample_workspace(simulation->version), &simulation->rules);
  }
}

static size_t count_running(const struct simulation *simulation) {
  size_t count = 0;
  for (size_t i = 0; i < simulation->process_count; i++)
    count += !simulation->processes[i].gone;
  return count;
}

static void say_where(struct simulation *simulation) {
  struct wm_buf buf = WM_BUF_INIT;
  for (size_t i = 0; i < simulation->process_count; i++) {
    const struct process *process = &simulation->processes[i];
    if (!process->gone)
      wm_buf_printf(&buf, " w%u: needs %x, live %zu, behind %zu, batch %zu;", process->slot,
                    process->loop->recover.needs, partitions_count(&process->loop->partitions, PARTITION_LIVE),
                    partitions_count(&process->loop->partitions, PARTITION_BEHIND), process->loop->batch.events);
  }
  blame(simulation, "it does not settle:%s consumed %d, swept %d", buf.bytes ? buf.bytes : " nobody is there;",
        is_consumed(simulation), is_swept(simulation));
  wm_buf_release(&buf);
}

bool simulation_settle(struct simulation *simulation) {
  calm(simulation);
  int64_t restless_us = simulation->world.now_us;
  for (int round = 0; round < SETTLE_ROUNDS && !simulation->why[0]; round++) {
    if (!is_settled(simulation))
      restless_us = simulation->world.now_us;
    else if (simulation->world.now_us - restless_us > QUIET_US)
      return true;
    if (count_running(simulation) == 0)
      simulation_start(simulation, 0);
    for (size_t i = 0; i < simulation->process_count; i++)
      if (!simulation->processes[i].gone)
        simulation_run(&simulation->processes[i]);
    simulation->world.now_us += 1000;
    memory_log_tick(simulation->log, false);
  }
  say_where(simulation);
  return false;
}

bool simulation_end(struct simulation *simulation) {
  if (!simulation_settle(simulation))
    return false;
  for (size_t i = 0; i < simulation->process_count; i++)
    if (!simulation->processes[i].gone)
      loop_stop(simulation->processes[i].loop);
  int64_t began_us = simulation->world.now_us;
  while (count_running(simulation) > 0 && !simulation->why[0]) {
    for (size_t i = 0; i < simulation->process_count; i++)
      if (!simulation->processes[i].gone)
        simulation_run(&simulation->processes[i]);
    if (simulation->world.now_us - began_us > 5000000)
      blame(simulation, "a worker that was asked to stop goes on");
    simulation->world.now_us += 1000;
  }
  memory_log_tick(simulation->log, true);
  if (simulation->why[0])
    return false;
  bool steady = !simulation->unsteady && simulation->version == 0 && simulation->totals.reloads == 0 &&
                simulation->log->control.count <= 1;
  return judge(simulation->log, simulation->cache, simulation->versions, simulation->version, steady, simulation->why);
}

/* --- a run at random --- */

/* How much of what: some seeds are quiet, so that rare meetings of few faults are played too. */
struct mood {
  unsigned crash, stop, suspend, start, flush, rebuild, down, restore, reload, jump, send, say;
};

static struct mood choose_mood(struct simulation *simulation) {
  struct world *world = &simulation->world;
  unsigned scale = (unsigned[]){0, 1, 1, 2, 4}[world_below(world, 5)];
  unsigned storm = (unsigned)world_below(world, 4) * 25;
  world->faults = (struct world_faults){
      .give_way = world_chance(world, 7000) ? 1500 : 0,
      .log_again = storm,
      .log_down = storm,
      .log_abort = storm * 2,
      .log_uncertain = storm * 2,
      .late_marker = (unsigned)world_below(world, 3) * 3000,
      .cache_lost = (unsigned)world_below(world, 3) * 20,
      .cache_late = 5000,
  };
  if (world_chance(world, 1000))
    simulation->log->largest[WM_OUT_OUTCOMES] = 500;
  if (world_chance(world, 1000))
    simulation->log->largest[WM_OUT_FAILURES] = 900;
  return (struct mood){
      .crash = 40 * scale,
      .stop = 10 * scale,
      .suspend = 20 * scale,
      .start = 60 * scale,
      .flush = world_chance(world, 3000) ? 20 : 0,
      .rebuild = world_chance(world, 3000) ? 30 : 0,
      .down = world_chance(world, 3000) ? 20 : 0,
      .restore = world_chance(world, 3000) ? 20 : 0,
      .reload = world_chance(world, 3000) ? 30 : 0,
      .jump = world_chance(world, 6000) ? 40 : 0,
      .send = 2000,
      .say = world_chance(world, 4000) ? 100 : 0,
  };
}

static struct process *any_running(struct simulation *simulation) {
  struct process *running[SIMULATION_PROCESSES];
  size_t count = 0;
  for (size_t i = 0; i < simulation->process_count; i++)
    if (!simulation->processes[i].gone && !simulation->processes[i].suspended)
      running[count++] = &simulation->processes[i];
  return count > 0 ? running[world_below(&simulation->world, count)] : NULL;
}

static void wake_some(struct simulation *simulation) {
  for (size_t i = 0; i < simulation->process_count; i++)
    if (simulation->processes[i].suspended && world_chance(&simulation->world, 100))
      simulation->processes[i].suspended = false;
}

static bool slot_is_used(const struct simulation *simulation, unsigned slot) {
  for (size_t i = 0; i < simulation->process_count; i++)
    if (!simulation->processes[i].gone && simulation->processes[i].slot == slot && !simulation->processes[i].suspended)
      return true;
  return false;
}

/* A new process in a slot that is free, or whose process only seems to be gone. */
static void start_some(struct simulation *simulation) {
  unsigned slot = (unsigned)world_below(&simulation->world, SIMULATION_SLOTS);
  if (!slot_is_used(simulation, slot) && simulation->process_count < SIMULATION_PROCESSES - 4)
    simulation_start(simulation, slot);
}

static void disturb_processes(struct simulation *simulation, const struct mood *mood) {
  struct world *world = &simulation->world;
  struct process *process = any_running(simulation);
  if (world_chance(world, mood->start) || count_running(simulation) == 0)
    start_some(simulation);
  if (!process)
    return;
  if (world_chance(world, mood->crash))
    process->crash_in = 1 + world_below(world, 40);
  if (world_chance(world, mood->stop))
    loop_stop(process->loop);
  if (world_chance(world, mood->suspend))
    process->suspended = true;
  if (world_chance(world, mood->reload)) {
    simulation->version = (unsigned)world_below(world, SAMPLE_VERSIONS);
    simulation->unsteady = true;
    loop_reload(process->loop, sample_workspace(simulation->version), &simulation->rules);
  }
}

/* Redis may only go back to a state after the last flush: a snapshot knows nothing of a later life. */
static void disturb_redis(struct simulation *simulation, const struct mood *mood) {
  struct world *world = &simulation->world;
  struct memory_cache *cache = simulation->cache;
  if (world_chance(world, mood->flush))
    memory_cache_flush(cache);
  if (world_chance(world, mood->rebuild))
    memory_cache_rebuild(cache);
  if (world_chance(world, mood->restore * 3)) {
    simulation->snapshot = cache->data;
    simulation->has_snapshot = true;
  }
  if (simulation->has_snapshot && world_chance(world, mood->restore))
    memory_cache_restore(cache, &simulation->snapshot);
  if (world_chance(world, mood->down)) {
    memory_cache_set_down(cache, true);
    simulation->down_until_us = world->now_us + (int64_t)world_below(world, 3000000);
  }
  if (cache->down && world->now_us >= simulation->down_until_us)
    memory_cache_set_down(cache, false);
}

/* Nobody has touched Redis behind the workers' backs: comparing all the time, they find nothing, and nobody is under
 * suspicion for long. */
static void compare_with_log(struct simulation *simulation) {
  int64_t until_us = simulation->world.now_us + COMPARE_US;
  while (!simulation->why[0] && simulation->world.now_us < until_us) {
    for (size_t i = 0; i < simulation->process_count; i++)
      if (!simulation->processes[i].gone)
        simulation_run(&simulation->processes[i]);
    simulation->world.now_us += 1000;
    memory_log_tick(simulation->log, false);
  }
  uint64_t found = simulation->totals.drift_found;
  for (size_t i = 0; i < simulation->process_count; i++)
    if (!simulation->processes[i].gone)
      found += simulation->processes[i].loop->counters.drift_found;
  if (found > 0)
    blame(simulation, "%llu users are said not to be in redis as they are in the log", (unsigned long long)found);
}

bool simulation_play(struct simulation *simulation) {
  struct world *world = &simulation->world;
  struct mood mood = choose_mood(simulation);
  unsigned actions = 150 + (unsigned)world_below(world, 450);
  simulation_start(simulation, 0);
  for (unsigned i = 0; i < actions && !simulation->why[0]; i++) {
    if (world_chance(world, mood.send))
      sample_send(simulation->log);
    if (world_chance(world, mood.say))
      sample_say(simulation->log);
    disturb_processes(simulation, &mood);
    disturb_redis(simulation, &mood);
    wake_some(simulation);
    struct process *process = any_running(simulation);
    if (process)
      simulation_run(process);
    world->now_us += (int64_t)world_below(world, 2000);
    if (world_chance(world, mood.jump))
      world->now_us += (int64_t)world_below(world, 12000000);
    memory_log_tick(simulation->log, false);
    memory_cache_tick(simulation->cache, false);
  }
  if (!simulation->why[0] && simulation_settle(simulation))
    compare_with_log(simulation);
  return !simulation->why[0] && simulation_end(simulation);
}

/* A step: look at the control topic, take over a new workspace, go on with the way back from a failure, one chunk of
 * catching up, sweeping, projecting and comparing, then the log; a batch that is full or old enough is run. */
#include "worker/loop.h"

#include "worker/account.h"
#include "worker/collect.h"
#include "worker/fetch.h"

#define WAIT_US 100000 /* for the log, at most */
#define BEAT_US 500000
#define LOG_DOWN_US 5000000
#define APPLY_US 2000     /* so long Redis is left alone with what was sent, when there is nothing else to do */
#define STEP_RECORDS 1000 /* taken before anything else is looked at */
#define USERS_BYTES (64 * 1024 * 1024)
#define APPLYING_BYTES (4 * 1024 * 1024)
#define WRITE_BYTES 256 /* what a write takes beside its register and the names of roles */
#define ROLE_BYTES 32

struct loop *loop_new(const struct loop_doors *doors, const struct loop_rules *rules, struct wm_text group,
                      struct wm_workspace *workspace) {
  struct loop *loop = calloc(1, sizeof *loop);
  if (!loop || partitions_init(&loop->partitions, doors->log.partition_count, doors->log.input_count) < 0) {
    if (loop)
      partitions_release(&loop->partitions);
    free(loop);
    wm_workspace_free(workspace);
    return NULL;
  }
  loop->doors = *doors;
  loop->rules = *rules;
  loop->group = group;
  loop->workspace = workspace;
  users_init(&loop->users, rules->users_bytes ? rules->users_bytes : USERS_BYTES);
  batch_init(&loop->batch);
  catchup_init(&loop->catchup);
  sweep_init(&loop->sweep);
  reproject_init(&loop->reproject);
  rebuild_init(&loop->rebuild);
  drift_init(&loop->drift);
  control_init(&loop->control);
  metrics_init(&loop->metrics);
  metrics_follow(&loop->metrics, workspace);
  return loop;
}

void loop_free(struct loop *loop) {
  if (!loop)
    return;
  free(loop->awaited.timestamps_ms);
  control_release(&loop->control);
  drift_release(&loop->drift);
  rebuild_release(&loop->rebuild);
  reproject_release(&loop->reproject);
  sweep_release(&loop->sweep);
  catchup_release(&loop->catchup);
  batch_release(&loop->batch);
  users_release(&loop->users);
  partitions_release(&loop->partitions);
  wm_workspace_free(loop->next_workspace);
  wm_workspace_free(loop->workspace);
  free(loop);
}

int64_t loop_wall(const struct loop *loop) {
  return loop->doors.clock.wall_us(loop->doors.clock.self);
}
int64_t loop_now(const struct loop *loop) {
  return loop->doors.clock.monotonic_us(loop->doors.clock.self);
}

void loop_say(const struct loop *loop, enum logger_level level, const char *message,
              const struct logger_field *fields) {
  static const struct logger_field none[] = {{0}};
  logger_say(loop->doors.logger, level, loop_wall(loop), message, fields ? fields : none);
}

void loop_say_error(const struct loop *loop, enum logger_level level, const char *message,
                    const struct wm_error *error) {
  loop_say(loop, level, message,
           (const struct logger_field[]){{.name = "code", .text = wm_text_of(wm_code_name(error->code))},
                                         {.name = "error", .text = wm_text_of(error->text)},
                                         {0}});
}

/* --- ends --- */

static int exit_code_of(enum wm_code code) {
  static const struct {
    enum wm_code code;
    int exit_code;
  } codes[] = {
      {WM_E_KAFKA_FENCED, LOOP_EXIT_AGAIN},
      {WM_E_KAFKA_FAILED, LOOP_EXIT_AGAIN},
      {WM_E_OUT_OF_MEMORY, LOOP_EXIT_AGAIN},
      {WM_E_TOPIC_INVALID, LOOP_EXIT_CONFIGURATION},
      {WM_E_LOG_TRUNCATED, LOOP_EXIT_CONFIGURATION},
      {WM_E_REGISTER_INVALID, LOOP_EXIT_CONFIGURATION}, /* somebody else's hand, or a newer version's */
      {WM_E_REDIS_FAILED, LOOP_EXIT_CONFIGURATION},
      {WM_E_SETTING_INVALID, LOOP_EXIT_CONFIGURATION},
  };
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (codes[i].code == code)
      return codes[i].exit_code;
  return LOOP_EXIT_BUG;
}

void loop_fail(struct loop *loop, const struct wm_error *error) {
  if (loop->phase == LOOP_STOPPED)
    return;
  loop->phase = LOOP_STOPPED;
  loop->exit_error = *error;
  loop->exit_code = exit_code_of(error->code);
  loop_say_error(loop, LOGGER_ERROR, "stopped", error);
}

bool loop_fail_memory(struct loop *loop) {
  struct wm_error error = {0};
  wm_error_memory(&error);
  loop_fail(loop, &error);
  return false;
}

void loop_stop(struct loop *loop) {
  if (loop->phase == LOOP_RUNNING)
    loop->phase = LOOP_STOPPING;
}

/* What is done is committed and applied; what can't be finished now is left for the next owner. */
static void wind_up(struct loop *loop) {
  if (recover_is_clear(loop))
    batch_run(loop);
  batch_commit_idle(loop, true);
  if (recover_is_clear(loop))
    loop_settle(loop);
}

static void end(struct loop *loop) {
  struct wm_error error = {0};
  bool owned = partitions_count(&loop->partitions, PARTITION_FOREIGN) < (size_t)loop->partitions.count;
  wind_up(loop);
  if (loop->phase == LOOP_STOPPED)
    return;
  if (owned && recover_is_clear(loop))
    LOOP_CACHE(loop, beat, false, loop_wall(loop), &error);
  loop->phase = LOOP_STOPPED;
  loop->exit_code = LOOP_EXIT_ASKED;
  loop_say(loop, LOGGER_INFO, "stopped", NULL);
}

/* --- another workspace --- */

void loop_reload(struct loop *loop, struct wm_workspace *workspace, const struct loop_rules *rules) {
  wm_workspace_free(loop->next_workspace);
  loop->next_workspace = workspace;
  loop->next_rules = *rules;
}

static void take_next(struct loop *loop) {
  if (!loop->next_workspace)
    return;
  wm_workspace_free(loop->workspace);
  loop->workspace = loop->next_workspace;
  loop->next_workspace = NULL;
  loop->rules = loop->next_rules;
  loop->counters.reloads++;
  metrics_follow(&loop->metrics, loop->workspace);
  loop_say(loop, LOGGER_INFO, "reloaded",
           (const struct logger_field[]){{.name = "workspace", .text = loop->workspace->digest},
                                         {.name = "automations", .number = (int64_t)loop->workspace->automation_count},
                                         {.name = "roles", .number = (int64_t)loop->workspace->role_count},
                                         {0}});
}

/* A new workspace, or what was said of it at run time. What the old one had nothing to say to is committed first: it is
 * not asked of the new one. */
static void swap_workspace(struct loop *loop) {
  char catalogue[64];
  if ((!loop->next_workspace && !loop->control.pending) || loop->batch.events > 0)
    return;
  batch_commit_idle(loop, true);
  if (loop->phase == LOOP_STOPPED)
    return;
  snprintf(catalogue, sizeof catalogue, "%.*s", WM_TEXT_ARG(loop->workspace->catalogue_digest));
  take_next(loop);
  if (!control_apply(loop) || wm_text_is(loop->workspace->catalogue_digest, catalogue))
    return;
  catchup_cancel(loop); /* it begins again, and takes back in wm:meta the catalogue that it began with */
  reproject_all(loop);
}

/* --- Redis --- */

bool loop_settle(struct loop *loop) {
  struct wm_error error = {0};
  enum cache_result result = CACHE_DONE;
  if (loop->applying) {
    loop->applying = 0;
    result = LOOP_CACHE(loop, wait, &error);
    if (result == CACHE_DONE) {
      users_unpin(&loop->users);
      account_applied(loop);
    }
  }
  for (int32_t p = 0; result == CACHE_DONE && p < loop->partitions.count; p++) {
    struct partition *partition = &loop->partitions.items[p];
    if (partition->applied == partition->progress)
      continue;
    result = LOOP_CACHE(loop, advance, p, partition->generation, partition->progress, partition->applied, &error);
    if (result == CACHE_DONE)
      partition->progress = partition->applied;
  }
  if (result != CACHE_DONE)
    recover_from_cache(loop, result, &error);
  return result == CACHE_DONE;
}

bool loop_make_room(struct loop *loop) {
  size_t limit = loop->rules.applying_bytes ? loop->rules.applying_bytes : APPLYING_BYTES;
  return loop->applying < limit || loop_settle(loop);
}

bool loop_apply(struct loop *loop, const struct cache_write *writes, size_t count) {
  struct wm_error error = {0};
  enum cache_result result = LOOP_CACHE(loop, apply, writes, count, &error);
  for (size_t i = 0; result == CACHE_DONE && i < count; i++)
    loop->applying += writes[i].json.size + WRITE_BYTES + writes[i].role_count * ROLE_BYTES;
  if (result != CACHE_DONE)
    recover_from_cache(loop, result, &error);
  return result == CACHE_DONE;
}

static void say_ready(struct loop *loop, bool ready) {
  loop->ready = ready;
  loop->beat_us = 0;
  if (ready)
    loop->recover.reason = NULL;
  size_t live = partitions_count(&loop->partitions, PARTITION_LIVE);
  loop_say(loop, LOGGER_INFO, ready ? "ready" : "not ready",
           (const struct logger_field[]){{.name = "partitions", .number = (int64_t)live}, {0}});
}

/* Tells Redis every half second that somebody is at work, and looks whether Redis is still where it was left: it may
 * have been emptied while there was nothing to do. Who stands by keeps nobody waiting: that he fell silent would be
 * taken for a worker that has vanished. Who owns nothing yet has nothing to say. */
static void beat(struct loop *loop) {
  struct wm_error error = {0};
  bool ready = recover_is_clear(loop) && partitions_are_ready(&loop->partitions);
  if (ready != loop->ready)
    say_ready(loop, ready);
  bool clear = recover_is_clear(loop);
  if (loop_now(loop) < loop->beat_us || (loop->cache_is_down && !clear) ||
      (!loop->spare && partitions_count(&loop->partitions, PARTITION_FOREIGN) == (size_t)loop->partitions.count))
    return;
  loop->beat_us = loop_now(loop) + BEAT_US;
  wm_arena_rewind(&loop->sweep.arena);
  if (clear && !fetch_users(loop, NULL, 0, &loop->sweep.arena, NULL))
    return;
  enum cache_result result = LOOP_CACHE(loop, beat, ready || loop->spare, loop_wall(loop), &error);
  loop->cache_is_down = result == CACHE_DOWN;
  bool agreed = partitions_first(&loop->partitions, PARTITION_LIVE) >= 0; /* on what stands in wm:meta */
  if (result != CACHE_DONE && (result != CACHE_STALE || agreed))
    recover_from_cache(loop, result, &error);
}

/* --- the log --- */

static void assigned(struct loop *loop, const struct log_polled *polled) {
  struct wm_error error = {0};
  if (partitions_take(&loop->partitions, polled->positions, polled->position_count) < 0) {
    wm_error_set(&error, WM_E_TOPIC_INVALID, "was assigned a partition beyond 'kafka.partitions'");
    loop_fail(loop, &error);
    return;
  }
  loop->spare = polled->position_count == 0;
  loop->assigned = true;
  control_ask(loop);
  size_t split = partitions_count(&loop->partitions, PARTITION_SPLIT);
  size_t behind = partitions_count(&loop->partitions, PARTITION_BEHIND);
  loop->recover.needs |= polled->position_count > 0 ? NEED_COMMITTED | NEED_ASSIGN : NEED_ASSIGN;
  loop_say(loop, LOGGER_INFO, "assigned",
           (const struct logger_field[]){{.name = "partitions", .number = (int64_t)behind}, {0}});
  if (split > 0)
    loop_say(loop, LOGGER_WARNING,
             "paused partitions of which another worker has some topics: all workers of a group must read the same",
             (const struct logger_field[]){{.name = "partitions", .number = (int64_t)split}, {0}});
}

/* Everything that belonged to the partitions is forgotten. A transaction that is still open, or a suspicious producer,
 * has to be dealt with all the same. */
static void leave(struct loop *loop) {
  batch_drop(loop);
  catchup_cancel(loop);
  reproject_cancel(loop);
  rebuild_cancel(loop);
  drift_cancel(loop);
  users_clear(&loop->users);
  partitions_clear(&loop->partitions);
  loop->sweep.skip = 0;
  loop->spare = false;
  loop->recover.needs &= NEED_ABORT | NEED_RECYCLE;
  loop->recover.needs |= NEED_UNASSIGN;
  loop_say(loop, LOGGER_INFO, "gave up all partitions", NULL);
}

/* A record that comes although nobody waits for it (it was fetched before a pause) must come again later. */
static void take_record(struct loop *loop, const struct log_polled *polled) {
  loop->log_is_down = false;
  if (loop->recover.needs == 0 && partitions_is_live(&loop->partitions, polled->record.partition)) {
    collect_record(loop, &polled->record, polled->topic);
    return;
  }
  batch_drop(loop);
  loop->recover.needs |= NEED_REWIND;
}

/* Nothing to decide, but an offset to commit. Who is not waiting for it rewinds, and is told again. */
static void take_passed(struct loop *loop, const struct log_position *position) {
  if (loop->recover.needs == 0 && partitions_is_live(&loop->partitions, position->partition))
    batch_pass(loop, position);
}

static void say_log_down(struct loop *loop, const struct wm_error *error) {
  enum metrics_pause before = recover_paused(loop);
  if (!loop->log_is_down)
    loop_say_error(loop, LOGGER_WARNING, "kafka is away", error);
  loop->log_is_down = true;
  loop->log_down_us = loop_now(loop);
  recover_count_pause(loop, before);
}

/* The log repeats it every second or two as long as it is so. */
static void forget_log_down(struct loop *loop) {
  if (loop->log_is_down && loop_now(loop) - loop->log_down_us > LOG_DOWN_US)
    loop->log_is_down = false;
}

/* True: there may be more at once. */
static bool take_one(struct loop *loop, int timeout_ms) {
  struct log_polled polled = {0};
  struct wm_error error = {0};
  switch (LOOP_LOG(loop, poll, timeout_ms, &polled, &error)) {
  case LOG_NOTHING:
    forget_log_down(loop);
    return false;
  case LOG_RECORD:
    take_record(loop, &polled);
    return true;
  case LOG_PASSED:
    take_passed(loop, polled.positions);
    return true;
  case LOG_ASSIGNED:
    assigned(loop, &polled);
    return false;
  case LOG_REVOKED:
    wind_up(loop);
    leave(loop);
    return false;
  case LOG_LOST:
    leave(loop);
    return false;
  case LOG_DOWN:
    say_log_down(loop, &error);
    return false;
  case LOG_FENCED:
  case LOG_BROKEN:
    loop_fail(loop, &error);
    return false;
  }
  return false;
}

static int wait_ms(const struct loop *loop, bool busy) {
  int64_t wait_us;
  if (batch_is_due(loop, &wait_us) || busy)
    return 0;
  if (loop->applying && wait_us > APPLY_US)
    wait_us = APPLY_US;
  if (wait_us > WAIT_US)
    wait_us = WAIT_US;
  return (int)((wait_us + 999) / 1000);
}

/* True: nothing more has come. */
static bool collect(struct loop *loop, bool busy) {
  int64_t wait_us;
  bool more = take_one(loop, wait_ms(loop, busy));
  for (size_t i = 1; more && loop->phase != LOOP_STOPPED && i < STEP_RECORDS && !batch_is_due(loop, &wait_us); i++)
    more = take_one(loop, 0);
  return !more;
}

bool loop_step(struct loop *loop) {
  int64_t wait_us;
  bool busy = control_step(loop);
  swap_workspace(loop);
  busy |= recover_step(loop) && control_is_followed(loop) && reproject_mark(loop, -1) && catchup_step(loop);
  busy |= sweep_step(loop);
  busy |= reproject_step(loop);
  busy |= rebuild_step(loop);
  drift_step(loop);
  beat(loop);
  bool quiet = loop->phase == LOOP_RUNNING && collect(loop, busy);
  if (quiet && loop->applying && loop->phase != LOOP_STOPPED)
    loop_settle(loop);
  if (batch_is_due(loop, &wait_us) && recover_is_clear(loop))
    batch_run(loop);
  batch_commit_idle(loop, false);
  if (loop->phase == LOOP_STOPPING)
    end(loop);
  return loop->phase != LOOP_STOPPED;
}

#include "worker/loop.h"

#define DELAY_FIRST_US 100000
#define DELAY_LAST_US 1000000
#define ABORTS_WITHOUT_WAIT 2 /* the third in a row waits */

static enum log_result abort_transaction(struct loop *loop, struct wm_error *error) {
  enum log_result result = LOOP_LOG(loop, abort, error);
  if (result == LOG_DONE)
    loop->in_transaction = false;
  return result;
}

static enum log_result recycle(struct loop *loop, struct wm_error *error) {
  enum log_result result = LOOP_LOG(loop, recycle, error);
  if (result == LOG_DONE) {
    loop->in_transaction = false;
    loop->counters.recycles++;
    loop_say(loop, LOGGER_WARNING, "recycled the producer", NULL);
  }
  return result;
}

static enum log_result unassign(struct loop *loop, struct wm_error *error) {
  return LOOP_LOG(loop, unassign, error);
}

/* The stable committed offsets come first, the end of the users topic later: the other way round, registers whose
 * offsets are committed in between would be missed (KAFKA-10167). */
static enum log_result ask_committed(struct loop *loop, struct wm_error *error) {
  size_t count;
  struct log_position *positions = partitions_ask(&loop->partitions, &count);
  enum log_result result = count > 0 ? LOOP_LOG(loop, committed, positions, count, error) : LOG_DONE;
  if (result == LOG_DONE)
    partitions_answered(&loop->partitions, positions, count);
  return result;
}

static enum log_result assign(struct loop *loop, struct wm_error *error) {
  size_t count;
  const struct log_position *positions = partitions_ours(&loop->partitions, &count);
  enum log_result result = LOOP_LOG(loop, assign, positions, count, error);
  if (result == LOG_DONE)
    loop->recover.needs &= ~(unsigned)NEED_REWIND;
  return result;
}

static enum log_result rewind_all(struct loop *loop, struct wm_error *error) {
  size_t count;
  const struct log_position *positions = partitions_ours(&loop->partitions, &count);
  return count > 0 ? LOOP_LOG(loop, rewind, positions, count, error) : LOG_DONE;
}

static const struct {
  enum need need;
  enum log_result (*try)(struct loop *loop, struct wm_error *error);
} way[] = {
    {NEED_ABORT, abort_transaction}, {NEED_RECYCLE, recycle}, {NEED_UNASSIGN, unassign},
    {NEED_COMMITTED, ask_committed}, {NEED_ASSIGN, assign},   {NEED_REWIND, rewind_all},
};

static void postpone(struct loop *loop) {
  struct recover *recover = &loop->recover;
  int64_t delay = recover->delay_us * 2;
  if (delay < DELAY_FIRST_US)
    delay = DELAY_FIRST_US;
  if (delay > DELAY_LAST_US)
    delay = DELAY_LAST_US;
  recover->delay_us = delay;
  recover->not_before_us = loop_now(loop) + delay;
}

/* A step of the way back failed. A producer that can't even abort is made anew. */
static void stumble(struct loop *loop, enum need need, enum log_result result, const struct wm_error *error) {
  if (result == LOG_FATAL) {
    loop_fail(loop, error);
    return;
  }
  if (need == NEED_ABORT && result != LOG_AGAIN) {
    loop->recover.needs &= ~(unsigned)NEED_ABORT;
    loop->recover.needs |= NEED_RECYCLE;
    recover_fall_back(loop, "kafka", error);
    if (partitions_first(&loop->partitions, PARTITION_BEHIND) >= 0)
      loop->recover.needs |= NEED_COMMITTED;
  }
  postpone(loop);
}

bool recover_is_clear(const struct loop *loop) {
  return loop->phase != LOOP_STOPPED && loop->recover.needs == 0 && loop_now(loop) >= loop->recover.not_before_us;
}

bool recover_step(struct loop *loop) {
  struct recover *recover = &loop->recover;
  if (recover->needs == 0 || loop_now(loop) < recover->not_before_us)
    return recover_is_clear(loop);
  for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
    if (!(recover->needs & way[i].need))
      continue;
    struct wm_error error = {0};
    enum log_result result = way[i].try(loop, &error);
    if (result != LOG_DONE) {
      stumble(loop, way[i].need, result, &error);
      return false;
    }
    recover->needs &= ~(unsigned)way[i].need;
  }
  return recover_is_clear(loop);
}

void recover_succeeded(struct loop *loop) {
  loop->recover.delay_us = 0;
  loop->recover.aborts_in_row = 0;
}

enum metrics_pause recover_paused(const struct loop *loop) {
  enum metrics_pause pause = metrics_pause_of(loop->recover.reason);
  return pause == METRICS_PAUSES && loop->log_is_down ? METRICS_PAUSE_KAFKA : pause;
}

void recover_count_pause(struct loop *loop, enum metrics_pause before) {
  enum metrics_pause now = recover_paused(loop);
  if (now != before && now != METRICS_PAUSES)
    loop->metrics.pauses[now]++;
}

void recover_fall_back(struct loop *loop, const char *reason, const struct wm_error *error) {
  struct partitions *partitions = &loop->partitions;
  batch_drop(loop);
  users_clear(&loop->users);
  catchup_cancel(loop);
  reproject_cancel(loop);
  rebuild_cancel(loop);
  if (reason != loop->recover.reason) {
    enum metrics_pause before = recover_paused(loop);
    loop->recover.reason = reason;
    recover_count_pause(loop, before);
    loop_say(
        loop, LOGGER_WARNING, "paused",
        (const struct logger_field[]){{.name = "reason", .text = wm_text_of(reason)},
                                      {.name = error ? "error" : NULL, .text = wm_text_of(error ? error->text : "")},
                                      {0}});
  }
  for (int32_t p = 0; p < partitions->count; p++) {
    struct partition *partition = &partitions->items[p];
    if (partition->state == PARTITION_LIVE) {
      LOOP_LOG(loop, pause, p);
      partition->state = PARTITION_BEHIND;
    }
    partition->progress = partition->applied = CACHE_NO_PROGRESS;
    partition->swept_us = 0;
  }
  if (partitions_first(partitions, PARTITION_BEHIND) >= 0)
    loop->recover.needs |= NEED_REWIND;
}

/* The batch is read again from where it began; registers that were committed before stay in memory. */
static void give_up_batch(struct loop *loop, const struct wm_error *error) {
  struct recover *recover = &loop->recover;
  loop->counters.aborts++;
  loop_say_error(loop, LOGGER_WARNING, "aborted a batch", error);
  batch_drop(loop);
  recover->needs |= NEED_REWIND | (loop->in_transaction ? NEED_ABORT : 0);
  if (++recover->aborts_in_row > ABORTS_WITHOUT_WAIT) {
    recover_fall_back(loop, "kafka", error);
    postpone(loop);
  }
}

void recover_from_log(struct loop *loop, enum log_result result, const struct wm_error *error) {
  if (result != LOG_DONE && loop->in_transaction)
    loop->metrics.transactions[result == LOG_UNCERTAIN ? METRICS_UNCERTAIN : METRICS_ABORTED]++;
  switch (result) {
  case LOG_DONE:
    return;
  case LOG_AGAIN:
    recover_fall_back(loop, "kafka", error);
    loop->recover.needs |= loop->in_transaction ? NEED_ABORT : 0;
    postpone(loop);
    return;
  case LOG_ABORT:
    batch_shrink(loop);
    give_up_batch(loop, error);
    return;
  case LOG_TOO_LARGE:
    give_up_batch(loop, error);
    return;
  case LOG_UNCERTAIN:
    batch_shrink(loop);
    recover_fall_back(loop, "a commit without an answer", error);
    loop->recover.needs &= ~(unsigned)NEED_ABORT;
    loop->recover.needs |= NEED_RECYCLE | NEED_COMMITTED | NEED_REWIND;
    return;
  case LOG_FATAL:
    loop_fail(loop, error);
    return;
  }
}

void recover_from_cache(struct loop *loop, enum cache_result result, const struct wm_error *error) {
  switch (result) {
  case CACHE_DONE:
    return;
  case CACHE_DOWN:
    loop->applying = 0;
    loop->awaited.count = 0;
    loop->cache_is_down = true;
    recover_fall_back(loop, "redis", error);
    postpone(loop);
    return;
  case CACHE_STALE:
    recover_fall_back(loop, "redis is not where this worker left it", error);
    return;
  case CACHE_BROKEN:
    loop_fail(loop, error);
    return;
  }
}

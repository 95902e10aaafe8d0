/* The round of the sample: each live partition from its beginning to where Redis had applied it when it was begun, then
 * once over the keys in Redis. What is written meanwhile is looked at in the next round. */
#include "worker/drift.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/moment.h"
#include "worker/loop.h"

#define STEP_US 100000
#define PATIENCE_US 200000 /* so long a step waits for Redis to be idle */
#define STEP_LEAST 16      /* a millisecond of work, whatever the clock says on a busy machine */
#define STEP_FIRST 16
#define STEP_MOST 128
#define STEP_LONG_US 3000 /* a step that takes longer is followed by smaller ones */
#define STEP_BYTES (256 * 1024)
#define ROUND_US (5 * WM_SECOND_US) /* at least, for each partition: its reader is a connection of its own */
#define RETRY_US (60 * WM_SECOND_US)
#define SCAN_COST 8 /* keys that are only passed by cost a fraction of a comparison */

void drift_init(struct drift *drift) {
  *drift = (struct drift){.partition = -1, .step_users = STEP_FIRST};
  wm_arena_init(&drift->arena, 0);
}

static void forget_users(struct drift *drift) {
  for (size_t i = 0; i < drift->count; i++)
    free((char *)(uintptr_t)drift->users[i].id.bytes);
  drift->count = drift->standing = 0;
  drift->beyond = drift->beyond_before = 0;
}

void drift_release(struct drift *drift) {
  forget_users(drift);
  free(drift->users);
  wm_arena_release(&drift->arena);
}

static void close_reader(struct loop *loop) {
  if (loop->drift.reading)
    LOOP_LOG(loop, sample_end);
  loop->drift.reading = false;
}

void drift_cancel(struct loop *loop) {
  close_reader(loop);
  forget_users(&loop->drift);
  loop->drift.phase = DRIFT_RESTS;
}

uint64_t drift_users(const struct drift *drift) {
  return drift->standing + (drift->beyond > drift->beyond_before ? drift->beyond : drift->beyond_before);
}

/* --- when --- */

static bool is_rebuilding(const struct loop *loop) {
  for (int32_t p = 0; p < loop->partitions.count; p++)
    if (partitions_is_live(&loop->partitions, p) && loop->partitions.items[p].rebuild != 0)
      return true;
  return false;
}

/* Nothing is under way after which Redis will be another. */
static bool is_quiet(const struct loop *loop) {
  return loop->phase == LOOP_RUNNING && recover_is_clear(loop) && !loop->log_is_down && !loop->next_workspace &&
         !loop->control.pending && partitions_first(&loop->partitions, PARTITION_BEHIND) < 0 &&
         partitions_first(&loop->partitions, PARTITION_LIVE) >= 0 && loop_now(loop) < loop->sweep.next_us &&
         !reproject_is_pending(loop) && !is_rebuilding(loop);
}

/* How many users this step may look at. What was not used is not saved up for more than a second. */
static size_t allowance(struct loop *loop) {
  struct drift *drift = &loop->drift;
  int64_t rate = (int64_t)loop->rules.drift_users, now_us = loop_now(loop), gone_us = now_us - drift->credited_us;
  drift->credit += rate * (gone_us < WM_SECOND_US ? gone_us : WM_SECOND_US);
  drift->credited_us = now_us;
  if (drift->credit > rate * WM_SECOND_US)
    drift->credit = rate * WM_SECOND_US;
  size_t users = drift->credit > 0 ? (size_t)(drift->credit / WM_SECOND_US) : 0;
  return users < drift->step_users ? users : drift->step_users;
}

static void pay(struct drift *drift, size_t users) {
  drift->credit -= (int64_t)users * WM_SECOND_US;
}

/* --- the log --- */

/* It is nothing that the worker should stop for, nor trouble anybody with more often than so. */
static void give_up_round(struct loop *loop, const struct wm_error *error) {
  loop_say_error(loop, LOGGER_INFO, "could not compare redis with the log, and tries again", error);
  close_reader(loop);
  loop->drift.phase = DRIFT_RESTS;
  loop->drift.rest_us = loop_now(loop) + RETRY_US;
}

static void begin_scan(struct drift *drift) {
  drift->phase = DRIFT_SCANS;
  snprintf(drift->cursor, sizeof drift->cursor, "0");
}

static void next_partition(struct loop *loop) {
  struct drift *drift = &loop->drift;
  close_reader(loop);
  int32_t p = drift->partition + 1;
  while (p < loop->partitions.count && !partitions_is_live(&loop->partitions, p))
    p++;
  if (p == loop->partitions.count) {
    begin_scan(drift);
    return;
  }
  drift->partition = p;
  drift->position = 0;
  drift->end = loop->partitions.items[p].progress;
}

static void begin_round(struct loop *loop) {
  struct drift *drift = &loop->drift;
  drift->began_us = loop_now(loop);
  drift->phase = DRIFT_READS;
  drift->partition = -1;
  next_partition(loop);
}

static bool open_reader(struct loop *loop) {
  struct drift *drift = &loop->drift;
  struct wm_error error = {0};
  if (drift->reading)
    return true;
  drift->reading = LOOP_LOG(loop, sample_begin, drift->partition, drift->position, &error) == LOG_DONE;
  if (!drift->reading)
    give_up_round(loop, &error);
  return drift->reading;
}

static bool is_register(const struct wm_record *record) {
  return record->key.size > 0 && record->key.bytes[0] != '\0' && record->value.bytes;
}

/* Whatever has arrived, without waiting for more. False: nothing is to be done with it. */
static bool read_some(struct loop *loop, size_t most, struct drift_user *users, size_t *ret_count) {
  struct drift *drift = &loop->drift;
  size_t bytes = 0;
  *ret_count = 0;
  while (*ret_count < most && bytes < STEP_BYTES && drift->position < drift->end) {
    struct wm_record record;
    struct wm_error error = {0};
    enum log_poll polled = LOOP_LOG(loop, sample_next, 0, &record, &drift->position, &error);
    if (polled == LOG_NOTHING)
      break;
    if (polled != LOG_RECORD) {
      give_up_round(loop, &error);
      return false;
    }
    bytes += record.value.size;
    if (!is_register(&record) || record.offset >= drift->end)
      continue;
    struct drift_user *user = &users[(*ret_count)++];
    *user = (struct drift_user){.partition = drift->partition, .at = record.offset, .hash = wm_hash(record.value)};
    if (wm_arena_text(&drift->arena, record.key, &user->id) < 0)
      return loop_fail_memory(loop);
  }
  return true;
}

/* Those who differ are suspects. False: the loop has fallen back or stopped. */
static bool compare(struct loop *loop, struct drift_user *users, size_t count) {
  enum drift_answer *answers;
  if (count == 0)
    return true;
  if (!drift_look(loop, users, count, &answers))
    return false;
  for (size_t i = 0; i < count; i++) {
    loop->counters.drift_checked += users[i].at >= 0 && (answers[i] == DRIFT_AGREES || answers[i] == DRIFT_DIFFERS);
    if (answers[i] == DRIFT_DIFFERS && !drift_suspect(loop, &users[i]))
      return false;
  }
  return true;
}

static void read_on(struct loop *loop, size_t most) {
  struct drift *drift = &loop->drift;
  struct drift_user *users = WM_ARENA_ARRAY(&drift->arena, struct drift_user, most + 1);
  size_t count = 0;
  if (!users) {
    loop_fail_memory(loop);
    return;
  }
  if (drift->position < drift->end && (!open_reader(loop) || !read_some(loop, most, users, &count)))
    return;
  pay(drift, count);
  if (compare(loop, users, count) && drift->position >= drift->end)
    next_partition(loop);
}

/* --- the keys in Redis --- */

static void end_round(struct loop *loop) {
  struct drift *drift = &loop->drift;
  drift->phase = DRIFT_RESTS;
  drift->rounds++;
  drift->round_us = loop_now(loop) - drift->began_us;
  drift->rest_us = drift->began_us + ROUND_US * (int64_t)partitions_count(&loop->partitions, PARTITION_LIVE);
  drift->beyond_before = drift->beyond;
  drift->beyond = 0;
}

/* One page. Of users who have a register the walk through the log tells more. */
static void scan_on(struct loop *loop) {
  struct drift *drift = &loop->drift;
  struct wm_error error = {0};
  struct cache_user *found;
  size_t found_count, count = 0;
  if (!loop_settle(loop))
    return;
  enum cache_result result = LOOP_CACHE(loop, scan, drift->cursor, &drift->arena, &found, &found_count, &error);
  if (result != CACHE_DONE) {
    recover_from_cache(loop, result, &error);
    return;
  }
  struct drift_user *users = WM_ARENA_ARRAY(&drift->arena, struct drift_user, found_count + 1);
  if (!users) {
    loop_fail_memory(loop);
    return;
  }
  for (size_t i = 0; i < found_count; i++) {
    int32_t home = LOOP_LOG(loop, home, found[i].id);
    if (partitions_is_live(&loop->partitions, home) && found[i].gen != loop->partitions.items[home].generation)
      users[count++] = (struct drift_user){.id = found[i].id, .partition = home, .at = -1};
  }
  pay(drift, count + found_count / SCAN_COST);
  if (compare(loop, users, count) && strcmp(drift->cursor, "0") == 0)
    end_round(loop);
}

/* --- one step --- */

/* While it can't be told of a full list whether they really differ, nobody is added. */
static bool has_room(const struct drift *drift) {
  return drift->count < DRIFT_KEPT || drift->standing == drift->count;
}

static void go_on(struct loop *loop, size_t most) {
  struct drift *drift = &loop->drift;
  drift->again = !drift->again;
  if (drift->again && drift_is_due(loop)) {
    pay(drift, most);
    drift_look_again(loop, most);
    return;
  }
  if (!has_room(drift))
    return;
  if (drift->phase == DRIFT_RESTS && loop_now(loop) >= drift->rest_us)
    begin_round(loop);
  if (drift->phase == DRIFT_READS)
    read_on(loop, most);
  else if (drift->phase == DRIFT_SCANS)
    scan_on(loop);
}

static void size_step(struct drift *drift, int64_t took_us) {
  if (took_us > STEP_LONG_US && drift->step_users > STEP_LEAST)
    drift->step_users /= 2;
  else if (took_us < STEP_LONG_US / 3 && drift->step_users < STEP_MOST)
    drift->step_users *= 2;
}

void drift_step(struct loop *loop) {
  struct drift *drift = &loop->drift;
  int64_t now_us = loop_now(loop);
  if (loop->rules.drift_users == 0) {
    if (drift->reading || drift->count > 0)
      drift_cancel(loop);
    return;
  }
  if (now_us < drift->next_us || !is_quiet(loop) || (loop->applying && now_us < drift->next_us + PATIENCE_US))
    return;
  drift->next_us = now_us + STEP_US;
  size_t most = allowance(loop);
  if (most == 0)
    return;
  if (!loop_settle(loop)) /* what a batch waits for anyway is no part of the step */
    return;
  wm_arena_rewind(&drift->arena);
  int64_t began_us = loop_now(loop);
  go_on(loop, most);
  size_step(drift, loop_now(loop) - began_us);
}

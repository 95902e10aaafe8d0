#include "worker/catchup.h"

#include "core/codec/register.h"
#include "worker/loop.h"
#include "worker/projection.h"

#define CHUNK_REGISTERS 500
#define CHUNK_BYTES (4 * 1024 * 1024)
#define FOLD_REGISTERS 5000
#define READ_MS 50

void catchup_init(struct catchup *catchup) {
  *catchup = (struct catchup){.partition = -1};
  wm_arena_init(&catchup->arena, 256 * 1024);
}

void catchup_release(struct catchup *catchup) {
  wm_arena_release(&catchup->arena);
  fold_clear(&catchup->fold);
}

void catchup_cancel(struct loop *loop) {
  struct catchup *catchup = &loop->catchup;
  if (catchup->reading)
    LOOP_LOG(loop, read_end);
  catchup->reading = catchup->folding = false;
  catchup->partition = -1;
  fold_clear(&catchup->fold);
}

/* The three kinds of call that begin() and finish() make; each arranges for what comes next when it fails. */
static bool log_worked(struct loop *loop, enum log_result result, const struct wm_error *error) {
  if (result != LOG_DONE)
    recover_from_log(loop, result, error);
  return result == LOG_DONE;
}

static bool cache_worked(struct loop *loop, enum cache_result result, const struct wm_error *error) {
  if (result != CACHE_DONE)
    recover_from_cache(loop, result, error);
  return result == CACHE_DONE;
}

static bool refuse(struct loop *loop, struct wm_error *error) {
  loop_fail(loop, error);
  return false;
}

/* --- what Redis and the users topic know of each other --- */

/* A topic made anew would be taken for the old one with everything forgotten: stop and say so. */
static bool check_incarnation(struct loop *loop, int32_t p, const struct cache_meta *meta,
                              struct cache_meta *ret_fill) {
  struct wm_error error = {0};
  char incarnation[64];
  if (!log_worked(loop, LOOP_LOG(loop, incarnation, p, incarnation, &error), &error))
    return false;
  if (meta->incarnation[0] && strcmp(meta->incarnation, incarnation) != 0) {
    wm_error_set(&error, WM_E_LOG_TRUNCATED,
                 "'%s' partition %d is of incarnation '%s', redis was filled from '%s': connect the right redis, or "
                 "empty this one to have it rebuilt",
                 loop->doors.log.users_topic, (int)p, incarnation, meta->incarnation);
    return refuse(loop, &error);
  }
  if (!meta->incarnation[0])
    memcpy(ret_fill->incarnation, incarnation, sizeof incarnation);
  return true;
}

static bool agree_on_meta(struct loop *loop, int32_t p) {
  struct partition *partition = &loop->partitions.items[p];
  struct wm_error error = {0};
  struct cache_meta meta = {0}, fill = {0};
  if (!cache_worked(loop, LOOP_CACHE(loop, get_meta, p, &meta, &error), &error) ||
      !check_incarnation(loop, p, &meta, &fill))
    return false;
  if (meta.generation == 0) /* registers may be there that this worker wrote: then it knows of which generation */
    meta.generation = fill.generation = partition->generation > 0 ? partition->generation : 1;
  if ((fill.generation != 0 || fill.incarnation[0]) &&
      !cache_worked(loop, LOOP_CACHE(loop, set_meta, -1, &fill, &error), &error))
    return false;
  partition->generation = meta.generation;
  partition->rebuild = meta.rebuild == meta.generation ? meta.rebuild : 0;
  reproject_adopt(loop, p, meta.catalogue);
  return reproject_mark(loop, p);
}

/* Progress is created before anything is applied: created afterwards, it could hide that Redis was emptied meanwhile.
 */
static bool begin_progress(struct loop *loop, int32_t p, int64_t start, struct cache_progress *progress) {
  struct wm_error error = {0};
  if (progress->next != CACHE_NO_PROGRESS)
    return true;
  progress->next = start;
  return cache_worked(
      loop, LOOP_CACHE(loop, advance, p, loop->partitions.items[p].generation, CACHE_NO_PROGRESS, start, &error),
      &error);
}

static void set_range(struct loop *loop, int32_t p, int64_t end, int64_t progress) {
  struct catchup *catchup = &loop->catchup;
  struct partition *partition = &loop->partitions.items[p];
  partition->progress = partition->applied = progress;
  catchup->position = catchup->from = progress;
  catchup->end = end;
  catchup->folding = partition->rebuild != 0 && progress < end;
}

static bool find_range(struct loop *loop, int32_t p) {
  struct catchup *catchup = &loop->catchup;
  struct wm_error error = {0};
  int64_t start, end;
  struct cache_progress progress = {.partition = p};
  if (!cache_worked(loop, LOOP_CACHE(loop, fetch, NULL, 0, false, &progress, 1, &catchup->arena, &error), &error) ||
      !log_worked(loop, LOOP_LOG(loop, users_end, p, &start, &end, &error), &error))
    return false;
  if (progress.next > end) {
    wm_error_set(
        &error, WM_E_LOG_TRUNCATED,
        "'%s' partition %d ends at offset %lld, but redis has applied it up to %lld: bring back what the topic "
        "has lost, or empty redis to have it rebuilt from what is left",
        loop->doors.log.users_topic, (int)p, (long long)end, (long long)progress.next);
    return refuse(loop, &error);
  }
  if (!begin_progress(loop, p, start, &progress))
    return false;
  set_range(loop, p, end, progress.next);
  return true;
}

static bool begin(struct loop *loop, int32_t p) {
  struct catchup *catchup = &loop->catchup;
  struct wm_error error = {0};
  wm_arena_rewind(&catchup->arena);
  reproject_yield(loop);
  if (!loop_settle(loop) || !cache_worked(loop, LOOP_CACHE(loop, check, &error), &error) || !agree_on_meta(loop, p) ||
      !find_range(loop, p))
    return false;
  loop->cache_is_down = false;
  catchup->registers = 0;
  if (catchup->position < catchup->end) {
    if (!log_worked(loop, LOOP_LOG(loop, read_begin, p, catchup->position, &error), &error))
      return false;
    catchup->reading = true;
    loop_say(loop, LOGGER_INFO, "catching up",
             (const struct logger_field[]){{.name = "partition", .number = p},
                                           {.name = "from", .number = catchup->position},
                                           {.name = "to", .number = catchup->end},
                                           {0}});
  }
  catchup->partition = p;
  return true;
}

/* --- one chunk --- */

/* The first record of the topic is its birth, not a register. */
static bool is_register(const struct wm_record *record) {
  return record->key.size == 0 || record->key.bytes[0] != '\0';
}

/* Up to which moment it is told what time changed of the register. With the record itself everything up to its time;
 * later the sweep told, up to what stands with the group's offsets. Where nothing stands there (somebody else set
 * them), what was told is told again, with the same ids. */
static int64_t told_since(const struct loop *loop, const struct wm_record *record) {
  int64_t wall_us = loop_wall(loop), told_us = loop->partitions.items[loop->catchup.partition].told_us;
  if (record->timestamp_ms < 0 || record->timestamp_ms > wall_us / 1000)
    return wall_us;
  return told_us <= wall_us && told_us > record->timestamp_ms * 1000 ? told_us : record->timestamp_ms * 1000;
}

static int read_register(struct loop *loop, const struct wm_record *record, struct cache_write *ret,
                         struct wm_error *error) {
  struct wm_arena *arena = &loop->catchup.arena;
  struct wm_error why = {0};
  struct wm_user *user = record->value.bytes ? wm_register_decode(record->value, &why) : NULL;
  int result = -1;
  if (!user && why.code == WM_E_OUT_OF_MEMORY)
    return wm_error_memory(error);
  if (!user || !wm_text_equal(user->id, record->key)) {
    wm_user_free(user);
    return wm_error_set(error, WM_E_REGISTER_INVALID, "the register of user '%.*s' at %.*s/%d/%lld: %s",
                        WM_TEXT_ARG(record->key), WM_TEXT_ARG(record->topic), (int)record->partition,
                        (long long)record->offset, why.code ? why.text : "it is not a register of this user");
  }
  *ret = (struct cache_write){
      .mode = CACHE_NEWER,
      .gen = loop->partitions.items[loop->catchup.partition].generation,
      .at = record->offset,
      .json = {wm_arena_copy(arena, record->value.bytes, record->value.size), record->value.size},
  };
  if (!ret->json.bytes || projection_write(loop, user, told_since(loop, record), arena, ret) < 0) {
    wm_error_memory(error);
  } else {
    ret->user = (struct wm_text){wm_arena_copy(arena, record->key.bytes, record->key.size), record->key.size};
    result = ret->user.bytes ? 0 : wm_error_memory(error);
  }
  wm_user_free(user);
  return result;
}

/* What has no newer one behind it. */
static bool is_wanted(const struct loop *loop, const struct wm_record *record) {
  return is_register(record) && fold_is_newest(&loop->catchup.fold, record->key, record->offset);
}

/* Looks for the newest registers, a chunk at a time; then all is read once more. False: stopped or fallen back. */
static bool fold_chunk(struct loop *loop) {
  struct catchup *catchup = &loop->catchup;
  struct wm_error error = {0};
  for (int i = 0; i < FOLD_REGISTERS && catchup->position < catchup->end; i++) {
    struct wm_record record;
    enum log_poll polled = LOOP_LOG(loop, read_next, i > 0 ? 0 : READ_MS, &record, &catchup->position, &error);
    if (polled == LOG_NOTHING || polled == LOG_DOWN)
      return true;
    if (polled != LOG_RECORD) {
      loop_fail(loop, &error);
      return false;
    }
    if (is_register(&record) && fold_take(&catchup->fold, record.key, record.offset) < 0)
      return loop_fail_memory(loop);
  }
  if (catchup->position < catchup->end)
    return true;
  LOOP_LOG(loop, read_end);
  catchup->reading = catchup->folding = false;
  catchup->position = catchup->from;
  if (!log_worked(loop, LOOP_LOG(loop, read_begin, catchup->partition, catchup->from, &error), &error))
    return false;
  catchup->reading = true;
  return true;
}

/* Reads what is there, up to a chunk. -1: stopped. */
static int read_chunk(struct loop *loop, struct cache_write *writes, size_t *ret_count) {
  struct catchup *catchup = &loop->catchup;
  struct wm_error error = {0};
  size_t count = 0;
  while (count < CHUNK_REGISTERS && catchup->arena.used < CHUNK_BYTES && catchup->position < catchup->end) {
    struct wm_record record;
    enum log_poll polled = LOOP_LOG(loop, read_next, count > 0 ? 0 : READ_MS, &record, &catchup->position, &error);
    if (polled == LOG_NOTHING || polled == LOG_DOWN)
      break;
    if (polled != LOG_RECORD ||
        (is_wanted(loop, &record) && read_register(loop, &record, &writes[count], &error) < 0)) {
      loop_fail(loop, &error);
      return -1;
    }
    count += is_wanted(loop, &record);
  }
  *ret_count = count;
  return 0;
}

/* Redis works on one chunk while the next is read; its progress is written when it has acknowledged all of it. */
static bool apply_chunk(struct loop *loop, const struct cache_write *writes, size_t count) {
  if (!loop_settle(loop) || (count > 0 && !loop_apply(loop, writes, count)))
    return false;
  loop->partitions.items[loop->catchup.partition].applied = loop->catchup.position;
  loop->catchup.registers += count;
  loop->counters.caught_up += count;
  return true;
}

/* --- the end --- */

static void finish(struct loop *loop) {
  struct catchup *catchup = &loop->catchup;
  int32_t p = catchup->partition;
  struct partition *partition = &loop->partitions.items[p];
  if (partition->applied < catchup->position)
    partition->applied = catchup->position;
  if (!loop_settle(loop))
    return;
  catchup_cancel(loop);
  recover_succeeded(loop);
  loop->counters.catch_ups++;
  partition->state = PARTITION_LIVE;
  LOOP_LOG(loop, resume, p);
  loop_say(loop, LOGGER_INFO, "caught up",
           (const struct logger_field[]){
               {.name = "partition", .number = p}, {.name = "registers", .number = (int64_t)catchup->registers}, {0}});
}

bool catchup_step(struct loop *loop) {
  struct catchup *catchup = &loop->catchup;
  int32_t p = partitions_first(&loop->partitions, PARTITION_BEHIND);
  if (!recover_is_clear(loop) || p < 0 || (catchup->partition < 0 && !begin(loop, p)))
    return false;
  if (catchup->folding)
    return fold_chunk(loop);
  if (catchup->position < catchup->end) {
    wm_arena_rewind(&catchup->arena);
    struct cache_write *writes = WM_ARENA_ARRAY(&catchup->arena, struct cache_write, CHUNK_REGISTERS);
    size_t count = 0;
    if (!writes)
      return loop_fail_memory(loop);
    if (read_chunk(loop, writes, &count) < 0 || !apply_chunk(loop, writes, count))
      return false;
  }
  if (catchup->position >= catchup->end)
    finish(loop);
  return partitions_first(&loop->partitions, PARTITION_BEHIND) >= 0;
}

#include "worker/reproject.h"

#include "worker/fetch.h"
#include "worker/loop.h"
#include "worker/projection.h"

#define CHUNK_USERS 500
#define READ_MS 50

void reproject_init(struct reproject *reproject) {
  *reproject = (struct reproject){.partition = -1};
  wm_arena_init(&reproject->arena, 256 * 1024);
}

void reproject_release(struct reproject *reproject) {
  wm_arena_release(&reproject->arena);
}

void reproject_yield(struct loop *loop) {
  if (loop->reproject.reading)
    LOOP_LOG(loop, read_end);
  loop->reproject.reading = false;
}

void reproject_cancel(struct loop *loop) {
  reproject_yield(loop);
  loop->reproject.partition = -1;
}

void reproject_all(struct loop *loop) {
  reproject_cancel(loop);
  for (int32_t p = 0; p < loop->partitions.count; p++)
    loop->partitions.items[p].catalogue = CATALOGUE_OTHER;
}

static bool mark(struct loop *loop, int32_t p) {
  static const struct cache_meta none = {.catalogue = "none"};
  struct wm_error error = {0};
  enum cache_result result = LOOP_CACHE(loop, set_meta, p, &none, &error);
  if (result != CACHE_DONE) {
    recover_from_cache(loop, result, &error);
    return false;
  }
  loop->partitions.items[p].catalogue = CATALOGUE_NONE;
  return true;
}

bool reproject_mark(struct loop *loop, int32_t partition) {
  for (int32_t p = 0; p < loop->partitions.count; p++) {
    bool meant = partition >= 0 ? p == partition : partitions_is_live(&loop->partitions, p);
    if (meant && loop->partitions.items[p].catalogue == CATALOGUE_OTHER && !mark(loop, p))
      return false;
  }
  return true;
}

static int32_t first_pending(const struct loop *loop) {
  for (int32_t p = 0; p < loop->partitions.count; p++)
    if (partitions_is_live(&loop->partitions, p) && loop->partitions.items[p].catalogue != CATALOGUE_PROJECTED)
      return p;
  return -1;
}

bool reproject_is_pending(const struct loop *loop) {
  return first_pending(loop) >= 0;
}

int reproject_compare(const struct loop *loop, const struct users_entry *entry, const struct wm_role_set *before,
                      struct wm_arena *arena, struct projection *ret) {
  struct wm_role_set after;
  *ret = (struct projection){
      .entry = (struct users_entry *)entry, .now_us = loop_wall(loop), .digest = loop->workspace->catalogue_digest};
  if (wm_project(loop->workspace, entry->committed, ret->now_us, arena, &after) < 0)
    return -1;
  return wm_role_set_diff(before, &after, WM_CAUSE_CATALOGUE, NULL, arena, &ret->changes, &ret->change_count);
}

int reproject_ahead(struct loop *loop, const struct wm_encode *encode, struct users_entry **entries,
                    const struct wm_role_set *roles, size_t count, struct wm_error *error) {
  for (size_t i = 0; i < count; i++) {
    struct projection item;
    const struct partition *home = &loop->partitions.items[LOOP_LOG(loop, home, entries[i]->id)];
    if (!entries[i]->committed || home->catalogue == CATALOGUE_PROJECTED)
      continue;
    if (reproject_compare(loop, entries[i], &roles[i], encode->arena, &item) < 0)
      return wm_error_memory(error);
    if (item.change_count > 0 && wm_encode_changes(encode, entries[i]->committed, item.changes, item.change_count,
                                                   item.at_us, item.digest, error) < 0)
      return -1;
  }
  return 0;
}

/* --- one chunk --- */

static bool begin(struct loop *loop, int32_t p) {
  struct reproject *reproject = &loop->reproject;
  struct wm_error error = {0};
  int64_t start, end;
  enum log_result result = LOOP_LOG(loop, users_end, p, &start, &end, &error);
  if (result != LOG_DONE) {
    recover_from_log(loop, result, &error);
    return false;
  }
  reproject->partition = p;
  reproject->position = start;
  reproject->end = end;
  reproject->users = 0;
  return true;
}

static bool open_reader(struct loop *loop) {
  struct reproject *reproject = &loop->reproject;
  struct wm_error error = {0};
  if (reproject->reading || reproject->position >= reproject->end)
    return true;
  enum log_result result = LOOP_LOG(loop, read_begin, reproject->partition, reproject->position, &error);
  if (result != LOG_DONE) {
    recover_from_log(loop, result, &error);
    return false;
  }
  reproject->reading = true;
  return true;
}

/* Who has a register: each user once, however often he stands in the chunk. 'ret_fresh' marks those that nobody had in
 * memory. -1: stopped. */
static int read_users(struct loop *loop, struct users_entry **entries, bool *fresh, size_t *ret_count) {
  struct reproject *reproject = &loop->reproject;
  struct wm_error error = {0};
  size_t count = 0;
  users_begin_walk(&loop->users);
  for (size_t read = 0; read < CHUNK_USERS && reproject->position < reproject->end; read++) {
    struct wm_record record;
    enum log_poll polled = LOOP_LOG(loop, read_next, count > 0 ? 0 : READ_MS, &record, &reproject->position, &error);
    if (polled == LOG_NOTHING || polled == LOG_DOWN)
      break;
    if (polled != LOG_RECORD) {
      loop_fail(loop, &error);
      return -1;
    }
    if (record.key.size == 0 || record.key.bytes[0] == '\0')
      continue;
    struct users_entry *entry = users_find(&loop->users, record.key);
    fresh[count] = !entry;
    if (!entry)
      entry = users_add(&loop->users, record.key);
    if (!entry) {
      loop_fail_memory(loop);
      return -1;
    }
    if (users_meet(&loop->users, entry))
      entries[count++] = entry;
  }
  *ret_count = count;
  return 0;
}

static bool project(struct loop *loop, struct users_entry **entries, const struct wm_role_set *roles, size_t count) {
  struct wm_arena *arena = &loop->reproject.arena;
  struct projection *items = WM_ARENA_ARRAY(arena, struct projection, count);
  size_t item_count = 0, change_count = 0;
  if (!items)
    return loop_fail_memory(loop);
  for (size_t i = 0; i < count; i++) {
    if (!entries[i]->committed)
      continue;
    if (reproject_compare(loop, entries[i], &roles[i], arena, &items[item_count]) < 0)
      return loop_fail_memory(loop);
    items[item_count].partition = loop->reproject.partition;
    change_count += items[item_count].change_count;
    item_count += items[item_count].change_count > 0;
  }
  if (!projection_commit(loop, items, item_count, arena))
    return false;
  loop->reproject.users += count;
  loop->counters.reprojected += change_count;
  return true;
}

/* A scan must not push out those whom the events are about. */
static void forget_fresh(struct loop *loop, struct users_entry **entries, const bool *fresh, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (fresh[i])
      users_remove(&loop->users, entries[i]);
}

static bool project_chunk(struct loop *loop) {
  struct wm_arena *arena = &loop->reproject.arena;
  wm_arena_rewind(arena);
  struct users_entry **entries = WM_ARENA_ARRAY(arena, struct users_entry *, CHUNK_USERS);
  bool *fresh = WM_ARENA_ARRAY(arena, bool, CHUNK_USERS);
  struct wm_role_set *roles = WM_ARENA_ARRAY(arena, struct wm_role_set, CHUNK_USERS);
  int64_t position = loop->reproject.position;
  size_t count = 0;
  if (!entries || !fresh || !roles)
    return loop_fail_memory(loop);
  if (read_users(loop, entries, fresh, &count) < 0)
    return false;
  if (count == 0)
    return true;
  if (!fetch_users(loop, entries, count, arena, roles))
    return false;
  if (!project(loop, entries, roles, count)) {
    reproject_yield(loop);
    loop->reproject.position = position;
    return false;
  }
  forget_fresh(loop, entries, fresh, count);
  return true;
}

static void finish(struct loop *loop) {
  struct reproject *reproject = &loop->reproject;
  struct wm_error error = {0};
  struct cache_meta meta = {0};
  int32_t p = reproject->partition;
  snprintf(meta.catalogue, sizeof meta.catalogue, "%.*s", WM_TEXT_ARG(loop->workspace->catalogue_digest));
  enum cache_result result = LOOP_CACHE(loop, set_meta, p, &meta, &error);
  if (result != CACHE_DONE) {
    recover_from_cache(loop, result, &error);
    return;
  }
  loop->partitions.items[p].catalogue = CATALOGUE_PROJECTED;
  loop_say(loop, LOGGER_INFO, "projected the catalogue",
           (const struct logger_field[]){
               {.name = "partition", .number = p}, {.name = "users", .number = (int64_t)reproject->users}, {0}});
  reproject_cancel(loop);
}

bool reproject_step(struct loop *loop) {
  struct reproject *reproject = &loop->reproject;
  if (!recover_is_clear(loop) || partitions_first(&loop->partitions, PARTITION_BEHIND) >= 0)
    return false;
  if (reproject->partition < 0) {
    int32_t p = first_pending(loop);
    if (p < 0 || !begin(loop, p))
      return false;
  }
  if (reproject->position < reproject->end && (!open_reader(loop) || !project_chunk(loop)))
    return false;
  if (reproject->position >= reproject->end)
    finish(loop);
  return recover_is_clear(loop) && first_pending(loop) >= 0;
}

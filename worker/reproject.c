#include "worker/reproject.h"

#include <stdlib.h>

#include "core/codec/register.h"
#include "core/derive.h"
#include "worker/fetch.h"
#include "worker/loop.h"
#include "worker/projection.h"

#define CHUNK_FIRST 500
#define CHUNK_LEAST 100
#define CHUNK_MOST 2000
#define CHUNK_US 40000 /* about as long as a batch may wait anyway */
#define READ_MS 50
#define SAY_US 5000000
#define KEEP_US 500000

void reproject_init(struct reproject *reproject) {
  *reproject = (struct reproject){.partition = -1, .chunk_users = CHUNK_FIRST};
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

/* --- what wm:meta remembers --- */

/* Leaves 'partition' as it is, but for what wm:meta must have when it is written: "<digest> <since> ". */
static void set_stamp(const struct loop *loop, struct partition *partition) {
  snprintf(partition->stamp, sizeof partition->stamp, "%.*s %lld ", WM_TEXT_ARG(loop->workspace->catalogue_digest),
           (long long)partition->since_us);
}

static bool write_meta(struct loop *loop, int32_t p, const char *was, const char *next) {
  const struct partition *partition = &loop->partitions.items[p];
  struct cache_meta meta = {0};
  struct wm_error error = {0};
  snprintf(meta.was, sizeof meta.was, "%s", was);
  snprintf(meta.catalogue, sizeof meta.catalogue, "%.*s%s", (int)strnlen(partition->stamp, 44), partition->stamp, next);
  enum cache_result result = LOOP_CACHE(loop, set_meta, p, &meta, &error);
  if (result != CACHE_DONE)
    recover_from_cache(loop, result, &error);
  return result == CACHE_DONE;
}

/* Everything behind the digest. False: it is not as we write it. */
static bool read_meta(const char *words, struct partition *partition, bool *ret_done) {
  char *end;
  partition->since_us = strtoll(words, &end, 10);
  if (end == words || *end != ' ')
    return false;
  *ret_done = strcmp(end + 1, "done") == 0;
  if (*ret_done)
    return true;
  const char *next = end + 1;
  partition->projected_to = strtoll(next, &end, 10);
  return end != next && *end == '\0' && partition->projected_to >= 0;
}

void reproject_adopt(struct loop *loop, int32_t p, const char *catalogue) {
  struct partition *partition = &loop->partitions.items[p];
  struct wm_text digest = loop->workspace->catalogue_digest, words = wm_text_of(catalogue);
  bool ours = words.size > digest.size && wm_text_starts_with(words, digest) && catalogue[digest.size] == ' ';
  bool done = false;
  partition->projected_users = 0;
  partition->projected_to = 0;
  if (ours && read_meta(catalogue + digest.size + 1, partition, &done)) {
    partition->catalogue = done ? CATALOGUE_PROJECTED : CATALOGUE_AT_WORK;
    set_stamp(loop, partition);
    return;
  }
  partition->catalogue = CATALOGUE_OTHER;
  snprintf(partition->stamp, sizeof partition->stamp, "%s", catalogue);
}

static bool mark(struct loop *loop, int32_t p) {
  struct partition *partition = &loop->partitions.items[p];
  char was[sizeof partition->stamp];
  int64_t wall_us = loop_wall(loop);
  memcpy(was, partition->stamp, sizeof was);
  partition->since_us = wall_us > partition->since_us ? wall_us : partition->since_us + 1;
  partition->projected_to = 0;
  partition->projected_users = 0;
  set_stamp(loop, partition);
  if (!write_meta(loop, p, was, "0"))
    return false;
  partition->catalogue = CATALOGUE_AT_WORK;
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

/* An end that nobody came by to tell is no change of the catalogue. */
static void leave_out(struct projection *item) {
  size_t count = 0;
  for (size_t i = 0; i < item->change_count; i++) {
    bool told = false;
    for (size_t j = 0; j < item->ends.count; j++)
      told |= wm_text_equal(item->changes[i].role, item->ends.changes[j].role);
    if (!told)
      item->changes[count++] = item->changes[i];
  }
  item->change_count = count;
}

int reproject_compare(const struct loop *loop, const struct wm_user *user, int64_t told_us,
                      const struct wm_role_set *before, struct wm_arena *arena, struct projection *ret) {
  struct wm_role_set after;
  int32_t home = LOOP_LOG(loop, home, user->id);
  *ret = (struct projection){.user = user,
                             .partition = home,
                             .now_us = loop_wall(loop),
                             .at_us = loop->partitions.items[home].since_us,
                             .digest = loop->workspace->catalogue_digest};
  if (ends_list(loop->workspace, user, told_us, ret->now_us, arena, &ret->ends) < 0 ||
      wm_project(loop->workspace, user, ret->now_us, arena, &after) < 0 ||
      wm_role_set_diff(before, &after, WM_CAUSE_CATALOGUE, NULL, arena, &ret->changes, &ret->change_count) < 0)
    return -1;
  leave_out(ret);
  return 0;
}

int reproject_ahead(struct loop *loop, const struct wm_encode *encode, struct users_entry **entries,
                    const struct wm_role_set *roles, size_t count, struct wm_error *error) {
  for (size_t i = 0; i < count; i++) {
    struct projection item;
    const struct partition *home = &loop->partitions.items[LOOP_LOG(loop, home, entries[i]->id)];
    if (!entries[i]->committed || home->catalogue == CATALOGUE_PROJECTED)
      continue;
    if (reproject_compare(loop, entries[i]->committed, entries[i]->told_us, &roles[i], encode->arena, &item) < 0)
      return wm_error_memory(error);
    if (ends_encode(encode, entries[i]->committed, &item.ends, error) < 0)
      return -1;
    entries[i]->telling_us = item.now_us;
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
  int64_t next = loop->partitions.items[p].projected_to;
  reproject->partition = p;
  reproject->start = start;
  reproject->position = next > start && next <= end ? next : start;
  reproject->end = end;
  reproject->said_us = loop_now(loop);
  reproject->kept_us = reproject->said_us - KEEP_US; /* the first chunk is kept at once */
  if (reproject->position > start)
    loop_say(loop, LOGGER_INFO, "goes on projecting the catalogue",
             (const struct logger_field[]){{.name = "partition", .number = p},
                                           {.name = "done", .number = reproject->position - start},
                                           {.name = "of", .number = end - start},
                                           {0}});
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

/* The users of one chunk; everything is borrowed from the arena but the registers. */
struct chunk {
  struct wm_user **registers; /* owned */
  int64_t *offsets;
  struct cache_user *users;
  struct wm_role_set *roles;
  size_t count;
};

static bool chunk_init(struct chunk *chunk, size_t most, struct wm_arena *arena) {
  *chunk = (struct chunk){
      .registers = WM_ARENA_ARRAY(arena, struct wm_user *, most),
      .offsets = WM_ARENA_ARRAY(arena, int64_t, most),
      .users = WM_ARENA_ARRAY(arena, struct cache_user, most),
      .roles = WM_ARENA_ARRAY(arena, struct wm_role_set, most),
  };
  return chunk->registers && chunk->offsets && chunk->users && chunk->roles;
}

static void chunk_release(struct chunk *chunk) {
  for (size_t i = 0; i < chunk->count; i++)
    wm_user_free(chunk->registers[i]);
}

static int take_register(struct loop *loop, const struct wm_record *record, struct chunk *chunk) {
  struct wm_error why = {0}, error = {0};
  struct wm_user *user = record->value.bytes ? wm_register_decode(record->value, &why) : NULL;
  if (!user && why.code == WM_E_OUT_OF_MEMORY) {
    loop_fail_memory(loop);
    return -1;
  }
  if (!user || !wm_text_equal(user->id, record->key)) {
    wm_user_free(user);
    wm_error_set(&error, WM_E_REGISTER_INVALID, "the register of user '%.*s' at %.*s/%d/%lld: %s",
                 WM_TEXT_ARG(wm_text_shown(record->key)), WM_TEXT_ARG(record->topic), (int)record->partition,
                 (long long)record->offset, why.code ? why.text : "it is not a register of this user");
    loop_fail(loop, &error);
    return -1;
  }
  chunk->users[chunk->count] = (struct cache_user){.id = user->id};
  chunk->offsets[chunk->count] = record->offset;
  chunk->registers[chunk->count++] = user;
  return 0;
}

/* Registers as they come, up to a chunk. Redis works meanwhile on the chunk before. -1: stopped. */
static int read_chunk(struct loop *loop, struct chunk *chunk) {
  struct reproject *reproject = &loop->reproject;
  struct wm_error error = {0};
  while (chunk->count < reproject->chunk_users && reproject->position < reproject->end) {
    struct wm_record record;
    int wait_ms = chunk->count > 0 ? 0 : READ_MS;
    enum log_poll polled = LOOP_LOG(loop, read_next, wait_ms, &record, &reproject->position, &error);
    if (polled == LOG_NOTHING || polled == LOG_DOWN)
      break;
    if (polled != LOG_RECORD) {
      loop_fail(loop, &error);
      return -1;
    }
    if (record.key.size > 0 && record.key.bytes[0] == '\0')
      continue;
    if (take_register(loop, &record, chunk) < 0)
      return -1;
  }
  return 0;
}

/* Nothing of the role set is another, but the present catalogue has an end for it: wm:ends is to know. */
static bool turns(const struct loop *loop, const struct projection *item) {
  const struct wm_derive *derive = loop->workspace->derive;
  return derive && wm_derive_next_turn(derive, item->user, item->now_us) != WM_NEVER;
}

/* Only a user's newest register counts: Redis knows which that is. One that is not in the log up to 'end' was written
 * since, by the present catalogue. */
static bool project(struct loop *loop, const struct chunk *chunk) {
  struct wm_arena *arena = &loop->reproject.arena;
  struct projection *items = WM_ARENA_ARRAY(arena, struct projection, chunk->count);
  size_t item_count = 0, change_count = 0, newest = 0;
  if (!items)
    return loop_fail_memory(loop);
  for (size_t i = 0; i < chunk->count; i++) {
    if (chunk->users[i].at != chunk->offsets[i])
      continue;
    newest++;
    if (reproject_compare(loop, chunk->registers[i],
                          fetch_told(loop, loop->reproject.partition, chunk->users[i].end_us), &chunk->roles[i], arena,
                          &items[item_count]) < 0)
      return loop_fail_memory(loop);
    items[item_count].gen = chunk->users[i].gen;
    items[item_count].at = chunk->users[i].at;
    change_count += items[item_count].change_count;
    item_count += items[item_count].change_count + items[item_count].ends.count > 0 || turns(loop, &items[item_count]);
  }
  if (!projection_commit(loop, items, item_count, arena))
    return false;
  for (size_t i = 0; i < item_count; i++) {
    struct users_entry *entry = users_find(&loop->users, items[i].user->id);
    if (entry && entry->known)
      users_told(entry, items[i].now_us);
  }
  loop->partitions.items[loop->reproject.partition].projected_users += newest;
  loop->counters.reprojected += change_count;
  return true;
}

static bool project_chunk(struct loop *loop) {
  struct wm_arena *arena = &loop->reproject.arena;
  int64_t position = loop->reproject.position;
  struct chunk chunk;
  wm_arena_rewind(arena);
  if (!chunk_init(&chunk, loop->reproject.chunk_users, arena))
    return loop_fail_memory(loop);
  bool done = read_chunk(loop, &chunk) == 0;
  if (done && chunk.count > 0 &&
      (!fetch_role_sets(loop, chunk.users, chunk.count, arena, chunk.roles) || !project(loop, &chunk))) {
    reproject_yield(loop);
    loop->reproject.position = position;
    done = false;
  }
  chunk_release(&chunk);
  return done;
}

/* --- progress --- */

/* A chunk takes about as long as events may be kept waiting. */
static void size_chunk(struct reproject *reproject, int64_t took_us) {
  if (took_us > CHUNK_US && reproject->chunk_users > CHUNK_LEAST)
    reproject->chunk_users /= 2;
  else if (took_us < CHUNK_US / 3 && reproject->chunk_users < CHUNK_MOST)
    reproject->chunk_users *= 2;
}

static void say_progress(struct loop *loop) {
  struct reproject *reproject = &loop->reproject;
  int64_t now_us = loop_now(loop);
  if (now_us - reproject->said_us < SAY_US)
    return;
  reproject->said_us = now_us;
  loop_say(loop, LOGGER_INFO, "projecting the catalogue",
           (const struct logger_field[]){{.name = "partition", .number = reproject->partition},
                                         {.name = "done", .number = reproject->position - reproject->start},
                                         {.name = "of", .number = reproject->end - reproject->start},
                                         {0}});
}

/* What is done is acknowledged by Redis: the next owner need not do it again. */
static bool keep_progress(struct loop *loop) {
  struct reproject *reproject = &loop->reproject;
  struct partition *partition = &loop->partitions.items[reproject->partition];
  char next[24];
  partition->projected_to = reproject->position;
  if (loop_now(loop) - reproject->kept_us < KEEP_US)
    return true;
  reproject->kept_us = loop_now(loop);
  if (!loop_settle(loop))
    return false;
  snprintf(next, sizeof next, "%lld", (long long)reproject->position);
  return write_meta(loop, reproject->partition, partition->stamp, next);
}

static void finish(struct loop *loop) {
  int32_t p = loop->reproject.partition;
  struct partition *partition = &loop->partitions.items[p];
  if (!loop_settle(loop) || !write_meta(loop, p, partition->stamp, "done"))
    return;
  partition->catalogue = CATALOGUE_PROJECTED;
  loop_say(loop, LOGGER_INFO, "projected the catalogue",
           (const struct logger_field[]){{.name = "partition", .number = p},
                                         {.name = "users", .number = (int64_t)partition->projected_users},
                                         {0}});
  reproject_cancel(loop);
}

/* One chunk, and what has to be told of it. False: not now. */
static bool go_on(struct loop *loop) {
  int64_t began_us = loop_now(loop);
  if (!open_reader(loop) || !project_chunk(loop))
    return false;
  size_chunk(&loop->reproject, loop_now(loop) - began_us);
  say_progress(loop);
  return keep_progress(loop);
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
  if (reproject->position < reproject->end && !go_on(loop))
    return false;
  if (reproject->position >= reproject->end)
    finish(loop);
  return recover_is_clear(loop) && first_pending(loop) >= 0;
}

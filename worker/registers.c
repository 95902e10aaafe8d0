/* SCAN gives keys in pages; each page is asked for in slices, HMGET and SMEMBERS in one pipeline. A key that holds
 * something else than Waymark wrote is told and passed over, since one of them must not hide a million others.
 *
 * Redis may give a key twice while its table grows or shrinks; so the hashes of the users that came are kept. */
#include "worker/registers.h"

#include <stdlib.h>

#include "core/hash.h"
#include "worker/redis_internal.h"

enum { SLICE = 256 };
#define PAGE WM_TEXT("1000") /* what SCAN looks at in one go */

struct seen {
  uint64_t *hashes; /* open addressing; 0: free */
  size_t count, capacity;
};

struct registers {
  struct redis *redis;
  struct logger quiet;
  struct wm_arena page, slice;
  struct wm_buf pattern, scratch;
  struct seen seen;
  bool thorough;
};

struct registers *registers_open(const struct settings *settings, struct wm_error *error) {
  struct cache_door door;
  struct registers *registers = calloc(1, sizeof *registers);
  if (!registers) {
    wm_error_memory(error);
    return NULL;
  }
  registers->quiet = (struct logger){.level = LOGGER_ERROR + 1, .fd = -1};
  wm_arena_init(&registers->page, 0);
  wm_arena_init(&registers->slice, 0);
  registers->redis = redis_open(settings, &registers->quiet, &door, error);
  if (registers->redis)
    return registers;
  registers_close(registers);
  return NULL;
}

void registers_close(struct registers *registers) {
  if (!registers)
    return;
  redis_close(registers->redis);
  wm_arena_release(&registers->page);
  wm_arena_release(&registers->slice);
  wm_buf_release(&registers->pattern);
  wm_buf_release(&registers->scratch);
  free(registers->seen.hashes);
  free(registers);
}

void registers_be_thorough(struct registers *registers) {
  registers->thorough = true;
}

/* --- who came already --- */

static size_t place_of(const struct seen *seen, uint64_t hash) {
  size_t at = hash & (seen->capacity - 1);
  while (seen->hashes[at] && seen->hashes[at] != hash)
    at = (at + 1) & (seen->capacity - 1);
  return at;
}

static int grow(struct seen *seen) {
  struct seen larger = {.capacity = seen->capacity ? 2 * seen->capacity : 4096, .count = seen->count};
  larger.hashes = calloc(larger.capacity, sizeof *larger.hashes);
  if (!larger.hashes)
    return -1;
  for (size_t i = 0; i < seen->capacity; i++)
    if (seen->hashes[i])
      larger.hashes[place_of(&larger, seen->hashes[i])] = seen->hashes[i];
  free(seen->hashes);
  *seen = larger;
  return 0;
}

/* 1: for the first time, 0: again, -1: out of memory. */
static int see(struct seen *seen, struct wm_text key) {
  uint64_t hash = wm_hash(key);
  hash = hash ? hash : 1;
  if (2 * seen->count >= seen->capacity && grow(seen) != 0)
    return -1;
  size_t at = place_of(seen, hash);
  if (seen->hashes[at])
    return 0;
  seen->hashes[at] = hash;
  seen->count++;
  return 1;
}

/* --- replies --- */

/* A reply of another type than was asked for is what a stranger's key gives: it is handed on. */
static enum cache_result read_reply(struct redis *redis, redisReply **ret, struct wm_error *error) {
  void *reply = NULL;
  *ret = NULL;
  if (redisGetReply(redis->context, &reply) != REDIS_OK || !reply)
    return redis_down(redis, error);
  *ret = reply;
  if ((*ret)->type != REDIS_REPLY_ERROR || strncmp((*ret)->str, "WRONGTYPE", 9) == 0)
    return CACHE_DONE;
  enum cache_result result = redis_refused(redis, *ret, error);
  freeReplyObject(*ret);
  *ret = NULL;
  return result;
}

static bool is_text(const redisReply *reply) {
  return reply->type == REDIS_REPLY_STRING;
}

static int keep_text(struct wm_arena *arena, const redisReply *reply, struct wm_text *ret) {
  return wm_arena_text(arena, (struct wm_text){reply->str, reply->len}, ret);
}

static int take_register(struct wm_arena *arena, const redisReply *reply, struct registers_entry *entry) {
  if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
    entry->fault = "the key holds no hash";
    return 0;
  }
  entry->user.gen = redis_number(reply->element[0], 0);
  entry->user.at = redis_number(reply->element[1], -1);
  entry->user.json = WM_NO_TEXT;
  if (is_text(reply->element[2]))
    return keep_text(arena, reply->element[2], &entry->user.json);
  return 0;
}

static int by_text(const void *a, const void *b) {
  return wm_text_compare(*(const struct wm_text *)a, *(const struct wm_text *)b);
}

static int take_roles(struct wm_arena *arena, const redisReply *reply, struct registers_entry *entry) {
  struct cache_user *user = &entry->user;
  if (reply->type != REDIS_REPLY_ARRAY) {
    entry->fault = entry->fault ? entry->fault : "the key of the user's roles holds no set";
    return 0;
  }
  user->roles = WM_ARENA_ARRAY(arena, struct wm_text, reply->elements + 1);
  if (!user->roles)
    return -1;
  for (size_t i = 0; i < reply->elements; i++)
    if (is_text(reply->element[i]) && keep_text(arena, reply->element[i], &user->roles[user->role_count++]) < 0)
      return -1;
  qsort(user->roles, user->role_count, sizeof *user->roles, by_text);
  return 0;
}

static enum cache_result read_end(struct registers *registers, struct registers_entry *entry, struct wm_error *error) {
  redisReply *reply;
  entry->end_us = INT64_MAX;
  if (!registers->thorough)
    return CACHE_DONE;
  enum cache_result result = read_reply(registers->redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  if (is_text(reply))
    entry->end_us = (int64_t)strtod(reply->str, NULL); /* microseconds fit in 53 bits */
  freeReplyObject(reply);
  return CACHE_DONE;
}

static enum cache_result read_entry(struct registers *registers, struct registers_entry *entry,
                                    struct wm_error *error) {
  redisReply *reply;
  enum cache_result result = read_reply(registers->redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  int failed = take_register(&registers->slice, reply, entry);
  freeReplyObject(reply);
  result = failed ? redis_no_memory(registers->redis, error) : read_reply(registers->redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  failed = take_roles(&registers->slice, reply, entry);
  freeReplyObject(reply);
  return failed ? redis_no_memory(registers->redis, error) : read_end(registers, entry, error);
}

/* --- one slice --- */

static int ask(const struct registers *registers, struct wm_text user, struct wm_error *error) {
  struct redis *redis = registers->redis;
  if (APPEND(redis, error, WM_TEXT("HMGET"), redis_user_key(redis, &redis->user_key, user, "user"), WM_TEXT("gen"),
             WM_TEXT("at"), WM_TEXT("register")) != CACHE_DONE)
    return -1;
  if (APPEND(redis, error, WM_TEXT("SMEMBERS"), redis_user_key(redis, &redis->roles_key, user, "roles")) != CACHE_DONE)
    return -1;
  if (!registers->thorough)
    return 0;
  return APPEND(redis, error, WM_TEXT("ZSCORE"), wm_text_of(redis->ends), user) == CACHE_DONE ? 0 : -1;
}

/* Fills the entry of a key that has not come before, and asks for its user. 1: it is one, 0: it came already. */
static int begin_entry(struct registers *registers, struct wm_text key, struct registers_entry *entry,
                       struct wm_error *error) {
  *entry = (struct registers_entry){0};
  struct wm_text user = redis_user_of(registers->redis, key, registers->thorough, &registers->scratch);
  if (registers->scratch.failed)
    return wm_error_memory(error);
  int fresh = see(&registers->seen, user.bytes ? user : key);
  if (fresh <= 0)
    return fresh == 0 ? 0 : wm_error_memory(error);
  if (!user.bytes) {
    entry->fault = "the key names no user id";
    entry->user.id = key;
    return 1;
  }
  if (wm_arena_text(&registers->slice, user, &entry->user.id) < 0)
    return wm_error_memory(error);
  return ask(registers, user, error) == 0 ? 1 : -1;
}

/* A user without a register has gone since SCAN saw him. */
static bool is_there(const struct registers_entry *entry) {
  return entry->fault || entry->user.json.bytes || entry->user.role_count > 0;
}

static int hand_over(struct registers_entry *entry, struct wm_text key, bool thorough, registers_fn *take,
                     void *taker) {
  if (entry->fault)
    *entry = (struct registers_entry){.user.id = key, .fault = entry->fault};
  bool wanted = thorough ? is_there(entry) : entry->fault || entry->user.json.bytes;
  return wanted ? take(taker, entry) : 0;
}

static int take_slice(struct registers *registers, const struct wm_text *keys, size_t count, registers_fn *take,
                      void *taker, struct wm_error *error) {
  struct registers_entry entries[SLICE];
  struct wm_text names[SLICE];
  size_t used = 0;
  wm_arena_rewind(&registers->slice);
  redis_pipe_clear(registers->redis);
  for (size_t i = 0; i < count; i++) {
    int begun = begin_entry(registers, keys[i], &entries[used], error);
    if (begun < 0)
      return -1;
    names[used] = keys[i];
    used += (size_t)begun;
  }
  if (redis_flush(registers->redis, error) != CACHE_DONE)
    return -1;
  for (size_t i = 0; i < used; i++)
    if (!entries[i].fault && read_entry(registers, &entries[i], error) != CACHE_DONE)
      return -1;
  for (size_t i = 0; i < used; i++) {
    int said = hand_over(&entries[i], names[i], registers->thorough, take, taker);
    if (said != 0)
      return said;
  }
  return 0;
}

/* --- pages --- */

struct page {
  struct wm_text cursor; /* of the next one; "0": this was the last */
  struct wm_text *keys;
  size_t count;
};

static int take_page(struct wm_arena *arena, const redisReply *reply, struct page *page) {
  const redisReply *keys = reply->element[1];
  page->keys = WM_ARENA_ARRAY(arena, struct wm_text, keys->elements + 1);
  page->count = 0;
  if (!page->keys || keep_text(arena, reply->element[0], &page->cursor) < 0)
    return -1;
  for (size_t i = 0; i < keys->elements; i++)
    if (is_text(keys->element[i]) && keep_text(arena, keys->element[i], &page->keys[page->count++]) < 0)
      return -1;
  return 0;
}

static int read_page(struct registers *registers, struct page *page, struct wm_error *error) {
  struct redis *redis = registers->redis;
  struct digits cursor = {{0}};
  redisReply *reply;
  snprintf(cursor.bytes, sizeof cursor.bytes, "%.*s", WM_TEXT_ARG(page->cursor));
  wm_arena_rewind(&registers->page);
  struct wm_text pattern = redis_users_pattern(registers->redis, registers->thorough, &registers->pattern);
  if (registers->pattern.failed)
    return wm_error_memory(error);
  if (redis_ensure(redis, error) != CACHE_DONE ||
      APPEND(redis, error, WM_TEXT("SCAN"), wm_text_of(cursor.bytes), WM_TEXT("MATCH"), pattern, WM_TEXT("COUNT"),
             PAGE) != CACHE_DONE ||
      redis_read(redis, &reply, error) != CACHE_DONE)
    return -1;
  bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && is_text(reply->element[0]) &&
              reply->element[0]->len < sizeof cursor.bytes && reply->element[1]->type == REDIS_REPLY_ARRAY;
  int failed = good ? take_page(&registers->page, reply, page) : 0;
  freeReplyObject(reply);
  if (good && !failed)
    return 0;
  good ? redis_no_memory(redis, error) : redis_strange(redis, error);
  return -1;
}

int registers_each(struct registers *registers, registers_fn *take, void *taker, struct wm_error *error) {
  struct page page = {.cursor = WM_TEXT("0")};
  free(registers->seen.hashes);
  registers->seen = (struct seen){0};
  do {
    if (read_page(registers, &page, error) < 0)
      return -1;
    for (size_t i = 0; i < page.count; i += SLICE) {
      size_t count = page.count - i < SLICE ? page.count - i : SLICE;
      int said = take_slice(registers, page.keys + i, count, take, taker, error);
      if (said != 0)
        return said;
    }
  } while (!wm_text_is(page.cursor, "0"));
  return 0;
}

/* --- one user --- */

int registers_look(struct registers *registers, struct wm_text user, struct registers_entry *ret,
                   struct wm_error *error) {
  *ret = (struct registers_entry){.user.id = user};
  wm_arena_rewind(&registers->slice);
  if (redis_ensure(registers->redis, error) != CACHE_DONE || ask(registers, user, error) < 0 ||
      redis_flush(registers->redis, error) != CACHE_DONE || read_entry(registers, ret, error) != CACHE_DONE)
    return -1;
  return 0;
}

int registers_get(struct registers *registers, struct wm_text user, struct wm_arena *arena, struct cache_user *ret,
                  struct wm_error *error) {
  struct registers_entry entry;
  if (registers_look(registers, user, &entry, error) < 0)
    return -1;
  if (entry.fault)
    return wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s', user '%.*s': %s", registers->redis->address,
                        WM_TEXT_ARG(wm_text_shown(user)), entry.fault);
  *ret = entry.user;
  ret->roles = WM_ARENA_ARRAY(arena, struct wm_text, entry.user.role_count + 1);
  if (!ret->roles || wm_arena_text(arena, entry.user.json, &ret->json) < 0)
    return wm_error_memory(error);
  for (size_t i = 0; i < ret->role_count; i++)
    if (wm_arena_text(arena, entry.user.roles[i], &ret->roles[i]) < 0)
      return wm_error_memory(error);
  return 0;
}

int registers_get_some(struct registers *registers, const struct wm_text *users, size_t count, registers_fn *take,
                       void *taker, struct wm_error *error) {
  int said = 0;
  wm_arena_rewind(&registers->slice);
  redis_pipe_clear(registers->redis);
  if (redis_ensure(registers->redis, error) != CACHE_DONE)
    return -1;
  for (size_t i = 0; i < count; i++)
    if (ask(registers, users[i], error) < 0)
      return -1;
  if (redis_flush(registers->redis, error) != CACHE_DONE)
    return -1;
  for (size_t i = 0; i < count; i++) { /* every reply is read: the connection goes on being used */
    struct registers_entry entry = {.user.id = users[i]};
    if (read_entry(registers, &entry, error) != CACHE_DONE)
      return -1;
    if (said == 0)
      said = take(taker, &entry);
  }
  return said;
}

/* What a rebuild needs besides catching up: which partitions it is for, and taking out what it left behind. */
#include "worker/redis_internal.h"

#define PAGE WM_TEXT("500") /* what SCAN looks at in one go: a batch waits for it */

/* KEYS: role set, user hash, ends. ARGV: generation, user, channel. */
static const char drop_script[] =
    "local gen = 0\n"
    "if redis.call('TYPE', KEYS[2]).ok == 'hash' then\n"
    "  gen = tonumber(redis.call('HGET', KEYS[2], 'gen') or 0) or 0\n"
    "end\n"
    "if gen >= tonumber(ARGV[1]) then return 0 end\n"
    "redis.call('ZREM', KEYS[3], ARGV[2])\n"
    "redis.call('DEL', KEYS[2])\n"
    "if redis.call('DEL', KEYS[1]) == 1 then redis.call('PUBLISH', ARGV[3], ARGV[2]) end\n"
    "return 1\n";

/* KEYS: meta. ARGV: field, generation. */
static const char rebuilt_script[] = "if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end\n"
                                     "return redis.call('HDEL', KEYS[1], ARGV[1])\n";

struct wm_text redis_rebuild_field(int32_t partition, char room[static REDIS_FIELD_SIZE]) {
  int size = snprintf(room, REDIS_FIELD_SIZE, "rebuild:%d", (int)partition);
  return (struct wm_text){room, (size_t)size};
}

/* --- the users that are there --- */

static int take_users(struct redis *redis, const redisReply *keys, struct wm_arena *arena, struct cache_user *users,
                      size_t *ret_count) {
  struct wm_buf scratch = WM_BUF_INIT;
  int failed = 0;
  for (size_t i = 0; !failed && i < keys->elements; i++) {
    const redisReply *key = keys->element[i];
    struct wm_text user = WM_NO_TEXT;
    if (key->type == REDIS_REPLY_STRING)
      user = redis_user_of(redis, (struct wm_text){key->str, key->len}, true, &scratch);
    failed = scratch.failed;
    if (!failed && user.bytes) {
      users[*ret_count] = (struct cache_user){0};
      failed = wm_arena_text(arena, user, &users[(*ret_count)++].id) < 0;
    }
  }
  wm_buf_release(&scratch);
  return failed ? -1 : 0;
}

static enum cache_result read_page(struct redis *redis, char cursor[static CACHE_CURSOR_SIZE], struct wm_arena *arena,
                                   struct cache_user **ret_users, size_t *ret_count, struct wm_error *error) {
  redisReply *reply;
  enum cache_result result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
              reply->element[0]->type == REDIS_REPLY_STRING && reply->element[0]->len < CACHE_CURSOR_SIZE &&
              reply->element[1]->type == REDIS_REPLY_ARRAY;
  int taken = 0;
  if (good) {
    memcpy(cursor, reply->element[0]->str, reply->element[0]->len + 1);
    *ret_users = WM_ARENA_ARRAY(arena, struct cache_user, reply->element[1]->elements + 1);
    taken = *ret_users ? take_users(redis, reply->element[1], arena, *ret_users, ret_count) : -1;
  }
  freeReplyObject(reply);
  if (good && taken == 0)
    return CACHE_DONE;
  return good ? redis_no_memory(redis, error) : redis_strange(redis, error);
}

/* A key of another type than Waymark's has no generation. */
static enum cache_result read_generation(struct redis *redis, struct cache_user *user, struct wm_error *error) {
  void *reply = NULL;
  if (redisGetReply(redis->context, &reply) != REDIS_OK || !reply)
    return redis_down(redis, error);
  const redisReply *answer = reply;
  bool refused = answer->type == REDIS_REPLY_ERROR && strncmp(answer->str, "WRONGTYPE", 9) != 0;
  enum cache_result result = refused ? redis_refused(redis, answer, error) : CACHE_DONE;
  if (!refused)
    user->gen = redis_number(answer, 0);
  freeReplyObject(reply);
  return result;
}

enum cache_result redis_scan(void *self, char cursor[static CACHE_CURSOR_SIZE], struct wm_arena *arena,
                             struct cache_user **ret_users, size_t *ret_count, struct wm_error *error) {
  struct redis *redis = self;
  struct wm_buf pattern = WM_BUF_INIT;
  *ret_count = 0;
  enum cache_result result = redis_ensure(redis, error);
  redis_users_pattern(redis, true, &pattern);
  if (result == CACHE_DONE && pattern.failed)
    result = redis_no_memory(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("SCAN"), wm_text_of(cursor), WM_TEXT("MATCH"),
                    ((struct wm_text){pattern.bytes, pattern.size}), WM_TEXT("COUNT"), PAGE);
  wm_buf_release(&pattern);
  if (result == CACHE_DONE)
    result = read_page(redis, cursor, arena, ret_users, ret_count, error);
  for (size_t i = 0; result == CACHE_DONE && i < *ret_count; i++)
    result = APPEND(redis, error, WM_TEXT("HGET"), redis_user_key(redis, &redis->user_key, (*ret_users)[i].id, "user"),
                    WM_TEXT("gen"));
  if (result == CACHE_DONE)
    result = redis_flush(redis, error);
  for (size_t i = 0; result == CACHE_DONE && i < *ret_count; i++)
    result = read_generation(redis, &(*ret_users)[i], error);
  return result;
}

/* --- what is left behind --- */

enum cache_result redis_drop_user(void *self, struct wm_text user, int64_t gen, struct wm_error *error) {
  struct redis *redis = self;
  long long dropped;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("EVAL"), WM_TEXT(drop_script), WM_TEXT("3"),
                    redis_user_key(redis, &redis->roles_key, user, "roles"),
                    redis_user_key(redis, &redis->user_key, user, "user"), wm_text_of(redis->ends), DIGITS(gen), user,
                    wm_text_of(redis->changes));
  return result == CACHE_DONE ? redis_read_integer(redis, &dropped, error) : result;
}

enum cache_result redis_rebuilt(void *self, int32_t partition, int64_t gen, struct wm_error *error) {
  struct redis *redis = self;
  long long removed;
  char field[REDIS_FIELD_SIZE];
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("EVAL"), WM_TEXT(rebuilt_script), WM_TEXT("1"), wm_text_of(redis->meta),
                    redis_rebuild_field(partition, field), DIGITS(gen));
  return result == CACHE_DONE ? redis_read_integer(redis, &removed, error) : result;
}

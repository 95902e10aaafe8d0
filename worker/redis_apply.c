#include "worker/redis_internal.h"

/* KEYS: role set, user hash. ARGV: mode, gen, at, register, channel, user, roles... Returns 1 when it wrote. */
static const char apply_script[] =
    "local have = redis.call('HMGET', KEYS[2], 'gen', 'at')\n"
    "local g, a = tonumber(have[1] or -1), tonumber(have[2] or -1)\n"
    "local gen, at = tonumber(ARGV[2]), tonumber(ARGV[3])\n"
    "if ARGV[1] == 'same' then\n"
    "  if g ~= gen or a ~= at then return 0 end\n"
    "else\n"
    "  if g > gen or (g == gen and a >= at) then return 0 end\n"
    "  redis.call('HSET', KEYS[2], 'gen', ARGV[2], 'at', ARGV[3], 'register', ARGV[4])\n"
    "end\n"
    "local same = redis.call('SCARD', KEYS[1]) == #ARGV - 6\n"
    "for first = 7, #ARGV, 1000 do\n"
    "  if not same then break end\n"
    "  local last = math.min(first + 999, #ARGV)\n"
    "  for _, held in ipairs(redis.call('SMISMEMBER', KEYS[1], unpack(ARGV, first, last))) do\n"
    "    same = same and held == 1\n"
    "  end\n"
    "end\n"
    "if same then return 1 end\n"
    "redis.call('DEL', KEYS[1])\n"
    "for first = 7, #ARGV, 1000 do\n"
    "  redis.call('SADD', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))\n"
    "end\n"
    "redis.call('PUBLISH', ARGV[5], ARGV[6])\n"
    "return 1\n";

/* KEYS: progress. ARGV: partition, expected ('' for none), next. */
static const char advance_script[] = "if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end\n"
                                     "redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])\n"
                                     "return 1\n";

/* --- applying --- */

static enum cache_result load_script(struct redis *redis, struct wm_error *error) {
  redisReply *reply;
  if (redis->sha[0])
    return CACHE_DONE;
  enum cache_result result = APPEND(redis, error, WM_TEXT("SCRIPT"), WM_TEXT("LOAD"), WM_TEXT(apply_script));
  if (result == CACHE_DONE)
    result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  bool good = reply->type == REDIS_REPLY_STRING && reply->len == SHA_SIZE;
  if (good)
    memcpy(redis->sha, reply->str, SHA_SIZE + 1);
  freeReplyObject(reply);
  return good ? CACHE_DONE : redis_strange(redis, error);
}

static enum cache_result append_script(struct redis *redis, const struct cache_write *write, struct wm_error *error) {
  const struct wm_text head[] = {
      WM_TEXT("EVALSHA"),
      {redis->sha, SHA_SIZE},
      WM_TEXT("2"),
      redis_user_key(redis, &redis->roles_key, write->user, "roles"),
      redis_user_key(redis, &redis->user_key, write->user, "user"),
      write->mode == CACHE_SAME ? WM_TEXT("same") : WM_TEXT("newer"),
      DIGITS(write->gen),
      DIGITS(write->at),
      write->mode == CACHE_SAME ? WM_TEXT("") : write->json,
      wm_text_of(redis->changes),
      write->user,
  };
  const size_t head_count = sizeof head / sizeof *head;
  struct wm_text *words = WM_ARENA_ARRAY(&redis->arena, struct wm_text, head_count + write->role_count);
  if (!words || redis->roles_key.failed || redis->user_key.failed)
    return redis_no_memory(redis, error);
  memcpy(words, head, sizeof head);
  if (write->role_count > 0)
    memcpy(words + head_count, write->roles, write->role_count * sizeof *words);
  return redis_append(redis, words, head_count + write->role_count, error);
}

/* The end goes out before the script, and only ever lowers: a role whose end nobody watches would not end. */
static enum cache_result append_write(struct redis *redis, const struct cache_write *write, struct wm_error *error) {
  enum cache_result result = CACHE_DONE;
  if (write->mode == CACHE_NEWER && write->end_us != INT64_MAX) {
    result = APPEND(redis, error, WM_TEXT("ZADD"), wm_text_of(redis->ends), WM_TEXT("LT"), DIGITS(write->end_us),
                    write->user);
    redis->apply_replies++;
  }
  if (write->mode == CACHE_SAME) {
    struct same *same = &redis->sames[redis->same_count++];
    *same = (struct same){.index = redis->apply_replies, .end_us = write->end_us};
    same->user = (struct wm_text){wm_arena_copy(&redis->arena, write->user.bytes, write->user.size), write->user.size};
    if (!same->user.bytes)
      return redis_no_memory(redis, error);
  }
  if (result == CACHE_DONE)
    result = append_script(redis, write, error);
  redis->apply_replies++;
  return result;
}

enum cache_result redis_apply(void *self, const struct cache_write *writes, size_t count,
                                     struct wm_error *error) {
  struct redis *redis = self;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = load_script(redis, error);
  if (result != CACHE_DONE)
    return result;
  wm_arena_rewind(&redis->arena);
  redis->apply_replies = redis->same_count = 0;
  redis->sames = WM_ARENA_ARRAY(&redis->arena, struct same, count + 1);
  if (!redis->sames)
    return redis_no_memory(redis, error);
  for (size_t i = 0; result == CACHE_DONE && i < count; i++)
    result = append_write(redis, &writes[i], error);
  return result == CACHE_DONE ? redis_flush(redis, error) : result;
}

enum cache_result redis_append_end(struct redis *redis, struct wm_text user, int64_t end_us, struct wm_error *error) {
  if (end_us == INT64_MAX)
    return APPEND(redis, error, WM_TEXT("ZREM"), wm_text_of(redis->ends), user);
  return APPEND(redis, error, WM_TEXT("ZADD"), wm_text_of(redis->ends), DIGITS(end_us), user);
}

enum cache_result redis_wait(void *self, struct wm_error *error) {
  struct redis *redis = self;
  enum cache_result result = CACHE_DONE;
  long long wrote;
  size_t same = 0, ends = 0;
  if (!redis->context)
    return redis_down(redis, error);
  for (size_t i = 0; result == CACHE_DONE && i < redis->apply_replies; i++) {
    result = redis_read_integer(redis, &wrote, error);
    if (result != CACHE_DONE || same == redis->same_count || redis->sames[same].index != i)
      continue;
    if (wrote == 1)
      redis->sames[ends++] = redis->sames[same];
    same++;
  }
  for (size_t i = 0; result == CACHE_DONE && i < ends; i++)
    result = redis_append_end(redis, redis->sames[i].user, redis->sames[i].end_us, error);
  for (size_t i = 0; result == CACHE_DONE && i < ends; i++)
    result = redis_read_integer(redis, &wrote, error);
  redis->apply_replies = redis->same_count = 0;
  return result;
}

enum cache_result redis_advance(void *self, int32_t partition, int64_t from, int64_t to,
                                       struct wm_error *error) {
  struct redis *redis = self;
  long long done;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("EVAL"), WM_TEXT(advance_script), WM_TEXT("1"), wm_text_of(redis->progress),
                    DIGITS(partition), from == CACHE_NO_PROGRESS ? WM_TEXT("") : DIGITS(from), DIGITS(to));
  if (result == CACHE_DONE)
    result = redis_read_integer(redis, &done, error);
  return result == CACHE_DONE && !done ? CACHE_STALE : result;
}

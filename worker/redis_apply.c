#include "worker/redis_internal.h"

/* KEYS: role set, user hash, ends, meta. ARGV: mode, gen, at, end or '', channel, user, register or (same) field of the
 * catalogue, what that has to begin with (same), roles... Returns 1 when it wrote, 0 when it had nothing to do, -1
 * when Redis is of another generation (a newer one, or it was emptied since), or somebody with another catalogue has
 * written. What is there of a generation that no longer is gives way. */
static const char apply_script[] =
    "local have = redis.call('HMGET', KEYS[2], 'gen', 'at')\n"
    "local g, a = tonumber(have[1] or -1), tonumber(have[2] or -1)\n"
    "local gen, at = tonumber(ARGV[2]), tonumber(ARGV[3])\n"
    "if ARGV[1] == 'same' then\n"
    "  local catalogue = redis.call('HGET', KEYS[4], ARGV[7]) or ''\n"
    "  if string.sub(catalogue, 1, #ARGV[8]) ~= ARGV[8] then return -1 end\n"
    "  if g ~= gen or a ~= at then return 0 end\n"
    "else\n"
    "  if (redis.call('HGET', KEYS[4], 'generation') or ARGV[2]) ~= ARGV[2] then return -1 end\n"
    "  if g == gen and a >= at then return 0 end\n"
    "  redis.call('HSET', KEYS[2], 'gen', ARGV[2], 'at', ARGV[3], 'register', ARGV[7])\n"
    "end\n"
    "if ARGV[4] == '' then redis.call('ZREM', KEYS[3], ARGV[6])\n"
    "else redis.call('ZADD', KEYS[3], ARGV[4], ARGV[6]) end\n"
    "local same = redis.call('SCARD', KEYS[1]) == #ARGV - 8\n"
    "for first = 9, #ARGV, 1000 do\n"
    "  if not same then break end\n"
    "  local last = math.min(first + 999, #ARGV)\n"
    "  for _, held in ipairs(redis.call('SMISMEMBER', KEYS[1], unpack(ARGV, first, last))) do\n"
    "    same = same and held == 1\n"
    "  end\n"
    "end\n"
    "if same then return 1 end\n"
    "redis.call('DEL', KEYS[1])\n"
    "for first = 9, #ARGV, 1000 do\n"
    "  redis.call('SADD', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))\n"
    "end\n"
    "redis.call('PUBLISH', ARGV[5], ARGV[6])\n"
    "return 1\n";

/* KEYS: progress, meta. ARGV: partition, expected ('' for none), next, generation. */
static const char advance_script[] = "if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end\n"
                                     "if redis.call('HGET', KEYS[2], 'generation') ~= ARGV[4] then return 0 end\n"
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
  bool same = write->mode == CACHE_SAME;
  char field[REDIS_FIELD_SIZE];
  const struct wm_text end = write->end_us == INT64_MAX ? WM_TEXT("") : DIGITS(write->end_us);
  const struct wm_text head[] = {
      WM_TEXT("EVALSHA"),
      {redis->sha, SHA_SIZE},
      WM_TEXT("4"),
      redis_user_key(redis, &redis->roles_key, write->user, "roles"),
      redis_user_key(redis, &redis->user_key, write->user, "user"),
      wm_text_of(redis->ends),
      wm_text_of(redis->meta),
      same ? WM_TEXT("same") : WM_TEXT("newer"),
      DIGITS(write->gen),
      DIGITS(write->at),
      end,
      wm_text_of(redis->changes),
      write->user,
      same ? redis_catalogue_field(write->partition, field) : write->json,
      same ? write->stamp : WM_TEXT(""),
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

/* Remembers where the command lies that is appended next. */
static struct sent *next_sent(struct redis *redis) {
  struct sent *sent = &redis->sent[redis->sent_count++];
  *sent = (struct sent){.start = redis->pipe.size};
  return sent;
}

static enum cache_result append_write(struct redis *redis, const struct cache_write *write, struct wm_error *error) {
  struct sent *sent = next_sent(redis);
  enum cache_result result = append_script(redis, write, error);
  sent->size = redis->pipe.size - sent->start;
  return result;
}

enum cache_result redis_apply(void *self, const struct cache_write *writes, size_t count, struct wm_error *error) {
  struct redis *redis = self;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = load_script(redis, error);
  if (result != CACHE_DONE)
    return result;
  wm_arena_rewind(&redis->arena);
  redis->answered = false;
  redis->sent_count = 0;
  redis->sent = WM_ARENA_ARRAY(&redis->arena, struct sent, count + 1);
  if (!redis->sent)
    return redis_no_memory(redis, error);
  for (size_t i = 0; result == CACHE_DONE && i < count; i++) {
    result = append_write(redis, &writes[i], error);
    if (result == CACHE_DONE && redis->pipe.size - redis->piped >= SLICE_BYTES)
      result = redis_flush(redis, error); /* Redis is at work while the rest is written down */
  }
  if (result == CACHE_DONE)
    result = redis_flush(redis, error);
  redis->applying = result == CACHE_DONE;
  return result;
}

enum cache_result redis_append_end(struct redis *redis, struct wm_text user, int64_t end_us, struct wm_error *error) {
  if (end_us == INT64_MAX)
    return APPEND(redis, error, WM_TEXT("ZREM"), wm_text_of(redis->ends), user);
  return APPEND(redis, error, WM_TEXT("ZADD"), wm_text_of(redis->ends), DIGITS(end_us), user);
}

/* The reply to one command. 'ret_written': what the script said. */
static enum cache_result read_reply(struct redis *redis, struct sent *sent, long long *ret_written,
                                    struct wm_error *error) {
  redisReply *reply;
  *ret_written = 0;
  enum cache_result result = redis_read_any(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  sent->forgotten = reply->type == REDIS_REPLY_ERROR; /* NOSCRIPT: the others are results */
  bool good = sent->forgotten || reply->type == REDIS_REPLY_INTEGER;
  if (good && !sent->forgotten)
    *ret_written = reply->integer;
  freeReplyObject(reply);
  return good ? CACHE_DONE : redis_strange(redis, error);
}

/* Reads what is still owed, and notes it. */
static enum cache_result read_replies(struct redis *redis, bool again, bool *ret_newer, size_t *ret_forgotten,
                                      struct wm_error *error) {
  enum cache_result result = CACHE_DONE;
  *ret_forgotten = 0;
  for (size_t i = 0; result == CACHE_DONE && i < redis->sent_count; i++) {
    struct sent *sent = &redis->sent[i];
    long long written;
    if (again && !sent->forgotten)
      continue;
    result = read_reply(redis, sent, &written, error);
    *ret_newer = *ret_newer || written < 0;
    *ret_forgotten += sent->forgotten;
  }
  return result;
}

/* Redis lost its scripts (a restart, a fail-over, SCRIPT FLUSH): what it could not run is sent again, in order. */
static enum cache_result send_again(struct redis *redis, struct wm_error *error) {
  redis->sha[0] = '\0';
  enum cache_result result = load_script(redis, error);
  for (size_t i = 0; result == CACHE_DONE && i < redis->sent_count; i++) {
    const struct sent *sent = &redis->sent[i];
    if (!sent->forgotten)
      continue;
    struct wm_buf copy = WM_BUF_INIT; /* the pipe moves while it grows */
    wm_buf_add(&copy, redis->pipe.bytes + sent->start, sent->size);
    wm_buf_add_text(&redis->pipe, (struct wm_text){copy.bytes, copy.size});
    if (copy.failed || redis->pipe.failed)
      result = redis_no_memory(redis, error);
    wm_buf_release(&copy);
  }
  return result;
}

enum cache_result redis_settle(struct redis *redis, struct wm_error *error) {
  bool newer = false;
  size_t forgotten;
  redis->applying = false;
  enum cache_result result = read_replies(redis, false, &newer, &forgotten, error);
  if (result == CACHE_DONE && forgotten > 0) {
    result = send_again(redis, error);
    if (result == CACHE_DONE)
      result = read_replies(redis, true, &newer, &forgotten, error);
    if (result == CACHE_DONE && forgotten > 0) {
      wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s' forgets its scripts at once", redis->address);
      result = redis_drop(redis, CACHE_DOWN);
    }
  }
  if (result != CACHE_DONE || !newer)
    return result;
  wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s' holds a newer generation or another catalogue", redis->address);
  return CACHE_STALE;
}

enum cache_result redis_wait(void *self, struct wm_error *error) {
  struct redis *redis = self;
  if (redis->applying)
    return redis_settle(redis, error);
  if (!redis->answered)
    return redis->context ? CACHE_DONE : redis_down(redis, error);
  redis->answered = false;
  if (error && redis->answer != CACHE_DONE)
    *error = redis->answer_error;
  return redis->answer;
}

enum cache_result redis_advance(void *self, int32_t partition, int64_t gen, int64_t from, int64_t to,
                                struct wm_error *error) {
  struct redis *redis = self;
  long long done;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("EVAL"), WM_TEXT(advance_script), WM_TEXT("2"), wm_text_of(redis->progress),
                    wm_text_of(redis->meta), DIGITS(partition), from == CACHE_NO_PROGRESS ? WM_TEXT("") : DIGITS(from),
                    DIGITS(to), DIGITS(gen));
  if (result == CACHE_DONE)
    result = redis_read_integer(redis, &done, error);
  return result == CACHE_DONE && !done ? CACHE_STALE : result;
}

#include "worker/redis_internal.h"

/* One script for many users, since calling one costs nearly as much as what it does for a user. Each user is fenced
 * alone.
 *
 * KEYS: ends, meta, then for each user role set and user hash. ARGV: mode, gen, channel, the field of meta that fences,
 * what that has to be (newer) or to begin with (same), then for each user at, end or '', user, register, number of
 * roles, roles... Returns how many it wrote, or -1, and nothing is written, when Redis is of another generation (a
 * newer one, or it was emptied since), or somebody with another catalogue has written. What is there of a generation
 * that no longer is gives way. */
static const char apply_script[] =
    "local same, gen, expected = ARGV[1] == 'same', tonumber(ARGV[2]), ARGV[5]\n"
    "local fence = redis.call('HGET', KEYS[2], ARGV[4])\n"
    "if same then\n"
    "  if string.sub(fence or '', 1, #expected) ~= expected then return -1 end\n"
    "elseif (fence or expected) ~= expected then\n"
    "  return -1\n"
    "end\n"
    "local written, word = 0, 6\n"
    "for key = 3, #KEYS, 2 do\n"
    "  local roles, hash, at, user = KEYS[key], KEYS[key + 1], tonumber(ARGV[word]), ARGV[word + 2]\n"
    "  local first, last = word + 5, word + 4 + tonumber(ARGV[word + 4])\n"
    "  local have = redis.call('HMGET', hash, 'gen', 'at')\n"
    "  local have_gen, have_at = tonumber(have[1]) or -1, tonumber(have[2]) or -1\n"
    "  local due\n"
    "  if same then\n"
    "    due = have_gen == gen and have_at == at\n"
    "  else\n"
    "    due = have_gen ~= gen or have_at < at\n"
    "    if due then redis.call('HSET', hash, 'gen', ARGV[2], 'at', ARGV[word], 'register', ARGV[word + 3]) end\n"
    "  end\n"
    "  if due then\n"
    "    if ARGV[word + 1] == '' then redis.call('ZREM', KEYS[1], user)\n"
    "    else redis.call('ZADD', KEYS[1], ARGV[word + 1], user) end\n"
    "    local equal = redis.call('SCARD', roles) == last - first + 1\n"
    "    for from = first, last, 1000 do\n"
    "      if not equal then break end\n"
    "      for _, held in ipairs(redis.call('SMISMEMBER', roles, unpack(ARGV, from, math.min(from + 999, last)))) do\n"
    "        equal = equal and held == 1\n"
    "      end\n"
    "    end\n"
    "    if not equal then\n"
    "      redis.call('DEL', roles)\n"
    "      for from = first, last, 1000 do\n"
    "        redis.call('SADD', roles, unpack(ARGV, from, math.min(from + 999, last)))\n"
    "      end\n"
    "      redis.call('PUBLISH', ARGV[3], user)\n"
    "    end\n"
    "    written = written + 1\n"
    "  end\n"
    "  word = last + 1\n"
    "end\n"
    "return written\n";

/* KEYS: progress, meta. ARGV: partition, expected ('' for none), next, generation. */
static const char advance_script[] = "if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end\n"
                                     "if redis.call('HGET', KEYS[2], 'generation') ~= ARGV[4] then return 0 end\n"
                                     "redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])\n"
                                     "return 1\n";

/* --- applying --- */

/* What came of applies whose replies another call has read. */
static enum cache_result take_answer(struct redis *redis, struct wm_error *error) {
  redis->answered = false;
  if (error && redis->answer != CACHE_DONE)
    *error = redis->answer_error;
  return redis->answer;
}

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

enum { HEAD_WORDS = 10, USER_WORDS = 7, SCRIPT_USERS = 16, SCRIPT_WORDS = 1000 };

static bool same_fence(const struct cache_write *a, const struct cache_write *b) {
  return a->mode == b->mode && a->gen == b->gen &&
         (a->mode == CACHE_NEWER || (a->partition == b->partition && wm_text_equal(a->stamp, b->stamp)));
}

/* How many of the first writes go into one script, and how many words that are. */
static size_t script_users(const struct cache_write *writes, size_t count, size_t *ret_words) {
  size_t bytes = 0, words = HEAD_WORDS, taken = 0;
  while (taken < count && taken < SCRIPT_USERS && bytes < SLICE_BYTES && words < SCRIPT_WORDS &&
         same_fence(writes, &writes[taken])) {
    words += USER_WORDS + writes[taken].role_count;
    bytes += writes[taken++].json.size;
  }
  *ret_words = words;
  return taken;
}

/* The keys of a user: role set, hash. */
static int add_keys(struct redis *redis, struct wm_text user, struct wm_text ret[2]) {
  const struct wm_text roles = redis_user_key(redis, &redis->roles_key, user, "roles");
  const struct wm_text hash = redis_user_key(redis, &redis->user_key, user, "user");
  if (redis->roles_key.failed || redis->user_key.failed)
    return -1;
  return wm_arena_text(&redis->arena, roles, &ret[0]) < 0 || wm_arena_text(&redis->arena, hash, &ret[1]) < 0 ? -1 : 0;
}

/* What the script is told of a user; returns the place of the next word. */
static struct wm_text *add_user(const struct cache_write *write, struct digits room[static 3], struct wm_text *word) {
  *word++ = redis_digits(write->at, &room[0]);
  *word++ = write->end_us == INT64_MAX ? WM_TEXT("") : redis_digits(write->end_us, &room[1]);
  *word++ = write->user;
  *word++ = write->mode == CACHE_SAME ? WM_TEXT("") : write->json;
  *word++ = redis_digits((int64_t)write->role_count, &room[2]);
  for (size_t i = 0; i < write->role_count; i++)
    *word++ = write->roles[i];
  return word;
}

/* Remembers where the command lies that is appended next. NULL: out of memory. */
static struct sent *next_sent(struct redis *redis) {
  if (redis->sent_count == redis->sent_capacity) {
    size_t capacity = redis->sent_capacity ? 2 * redis->sent_capacity : 128;
    struct sent *larger = reallocarray(redis->sent, capacity, sizeof *larger);
    if (!larger)
      return NULL;
    redis->sent = larger;
    redis->sent_capacity = capacity;
  }
  struct sent *sent = &redis->sent[redis->sent_count++];
  *sent = (struct sent){.start = redis->pipe.size};
  return sent;
}

/* One script for as many of the first writes as go into one; tells how many. */
static enum cache_result append_script(struct redis *redis, const struct cache_write *writes, size_t count,
                                       size_t *ret_taken, struct wm_error *error) {
  bool same = writes->mode == CACHE_SAME;
  char field[REDIS_FIELD_SIZE];
  size_t word_count, users = script_users(writes, count, &word_count);
  struct wm_text *words = WM_ARENA_ARRAY(&redis->arena, struct wm_text, word_count), *word = words;
  struct digits *room = WM_ARENA_ARRAY(&redis->arena, struct digits, 3 * users);
  struct sent *sent = next_sent(redis);
  if (!words || !room || !sent)
    return redis_no_memory(redis, error);
  *word++ = WM_TEXT("EVALSHA");
  *word++ = (struct wm_text){redis->sha, SHA_SIZE};
  *word++ = DIGITS((int64_t)(2 + 2 * users));
  *word++ = wm_text_of(redis->ends);
  *word++ = wm_text_of(redis->meta);
  for (size_t i = 0; i < users; i++, word += 2)
    if (add_keys(redis, writes[i].user, word) < 0)
      return redis_no_memory(redis, error);
  *word++ = same ? WM_TEXT("same") : WM_TEXT("newer");
  *word++ = DIGITS(writes->gen);
  *word++ = wm_text_of(redis->changes);
  *word++ = same ? redis_catalogue_field(writes->partition, field) : WM_TEXT("generation");
  *word++ = same ? writes->stamp : DIGITS(writes->gen);
  for (size_t i = 0; i < users; i++)
    word = add_user(&writes[i], &room[3 * i], word);
  enum cache_result result = redis_append(redis, words, word_count, error);
  sent->size = redis->pipe.size - sent->start;
  *ret_taken = users;
  return result;
}

/* The first apply since all that was sent was answered: by a call in between perhaps, and nobody has waited since. */
static enum cache_result begin_applying(struct redis *redis, struct wm_error *error) {
  enum cache_result result = redis->answered ? take_answer(redis, error) : CACHE_DONE;
  if (result == CACHE_DONE)
    result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = load_script(redis, error);
  redis->sent_count = 0;
  return result;
}

enum cache_result redis_apply(void *self, const struct cache_write *writes, size_t count, struct wm_error *error) {
  struct redis *redis = self;
  enum cache_result result = redis->applying ? CACHE_DONE : begin_applying(redis, error);
  wm_arena_rewind(&redis->arena);
  for (size_t done = 0, taken = 0; result == CACHE_DONE && done < count; done += taken) {
    result = append_script(redis, &writes[done], count - done, &taken, error);
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
  return take_answer(redis, error);
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

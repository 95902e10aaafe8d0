/* The happy path: a pipeline is appended, written in one go, and its replies are read in order.
 *
 * It can fail on the way in (no connection, a time-out: CACHE_DOWN, the connection is dropped and the next call makes a
 * new one), by a reply that passes (LOADING, READONLY, OOM ...: CACHE_DOWN too; nothing that was sent is known any
 * more), or by one that does not (WRONGTYPE, NOPERM ...: CACHE_BROKEN). A script that Redis forgot is loaded and what
 * failed is sent again. */
#include "worker/redis_internal.h"

#define STALL_MS 5000 /* a worker that is alive may be kept by one call for so long, and has no word meanwhile */
#define SLICE 256     /* users asked for in one pipeline: their registers wait in the memory of Redis */

/* KEYS: meta. ARGV: incarnation or '', generation or '', field of a catalogue or '', what it has to begin with ('': it
 * must not be there), fields and values... Returns 1 when it wrote, 0 when another incarnation is there, -1 when a
 * newer generation or another catalogue is. */
static const char meta_script[] = "local have = redis.call('HMGET', KEYS[1], 'incarnation', 'generation')\n"
                                  "if ARGV[1] ~= '' and have[1] and have[1] ~= ARGV[1] then return 0 end\n"
                                  "if ARGV[2] ~= '' and tonumber(have[2] or 0) > tonumber(ARGV[2]) then return -1 end\n"
                                  "if ARGV[3] ~= '' then\n"
                                  "  local was = redis.call('HGET', KEYS[1], ARGV[3]) or ''\n"
                                  "  if string.sub(was, 1, #ARGV[4]) ~= ARGV[4] then return -1 end\n"
                                  "  if ARGV[4] == '' and was ~= '' then return -1 end\n"
                                  "end\n"
                                  "if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], 'incarnation', ARGV[1]) end\n"
                                  "if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'generation', ARGV[2]) end\n"
                                  "for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end\n"
                                  "return 1\n";

/* KEYS: meta. ARGV: the worker's field, '1' when it is ready, now in ms, after how many ms a worker is given up, and
 * '1' when its field must be there. Returns 0 when it was not, or when there is no generation: meta was deleted since.
 * 'ready' is what all workers say that were seen lately; one that went without a word counts as not ready until the
 * group has certainly given its partitions away. */
static const char beat_script[] = "local now = tonumber(ARGV[3])\n"
                                  "local new = redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3]) == 1\n"
                                  "local all, ready = redis.call('HGETALL', KEYS[1]), '1'\n"
                                  "for i = 1, #all, 2 do\n"
                                  "  if string.sub(all[i], 1, 7) == 'worker:' then\n"
                                  "    local age = now - (tonumber(string.sub(all[i + 1], 3)) or 0)\n"
                                  "    if age > tonumber(ARGV[4]) then redis.call('HDEL', KEYS[1], all[i])\n"
                                  "    elseif age > 3000 or string.sub(all[i + 1], 1, 1) ~= '1' then ready = '0' end\n"
                                  "  end\n"
                                  "end\n"
                                  "redis.call('HSET', KEYS[1], 'ready', ready, 'alive-at', ARGV[3])\n"
                                  "if new and ARGV[5] == '1' then return 0 end\n"
                                  "return redis.call('HGET', KEYS[1], 'generation') and 1 or 0\n";

/* --- fetching --- */

/* Microseconds fit in 53 bits. */
static int64_t end_of(const redisReply *reply) {
  return (int64_t)strtod(reply->str, NULL);
}

static int by_text(const void *a, const void *b) {
  return wm_text_compare(*(const struct wm_text *)a, *(const struct wm_text *)b);
}

static int take_roles(const redisReply *reply, struct wm_arena *arena, struct cache_user *user) {
  user->role_count = reply->elements;
  user->roles = WM_ARENA_ARRAY(arena, struct wm_text, reply->elements + 1);
  for (size_t i = 0; user->roles && i < reply->elements; i++) {
    const redisReply *role = reply->element[i];
    user->roles[i] = (struct wm_text){wm_arena_copy(arena, role->str, role->len), role->len};
    if (!user->roles[i].bytes)
      return -1;
  }
  if (!user->roles)
    return -1;
  qsort(user->roles, user->role_count, sizeof *user->roles, by_text);
  return 0;
}

static int take_register(const redisReply *reply, struct wm_arena *arena, struct cache_user *user) {
  const redisReply *json = user->bare ? NULL : reply->element[2];
  user->gen = redis_number(reply->element[0], 0);
  user->at = redis_number(reply->element[1], -1);
  user->json = WM_NO_TEXT;
  if (!json || json->type != REDIS_REPLY_STRING)
    return 0;
  user->json = (struct wm_text){wm_arena_copy(arena, json->str, json->len), json->len};
  return user->json.bytes ? 0 : -1;
}

static enum cache_result read_end(struct redis *redis, struct cache_user *user, struct wm_error *error) {
  redisReply *reply;
  enum cache_result result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  bool good = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_NIL;
  user->end_us = good && reply->type != REDIS_REPLY_NIL ? end_of(reply) : INT64_MAX;
  freeReplyObject(reply);
  return good ? CACHE_DONE : redis_strange(redis, error);
}

static enum cache_result read_register(struct redis *redis, struct wm_arena *arena, struct cache_user *user,
                                       struct wm_error *error) {
  redisReply *reply;
  user->gen = 0;
  user->at = -1;
  user->json = WM_NO_TEXT;
  enum cache_result result = redis_read_of(redis, user, &reply, error);
  if (result != CACHE_DONE || !reply)
    return result;
  bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == (user->bare ? 2 : 3);
  int taken = good ? take_register(reply, arena, user) : 0;
  freeReplyObject(reply);
  if (!good || taken < 0)
    return good ? redis_no_memory(redis, error) : redis_strange(redis, error);
  return CACHE_DONE;
}

static enum cache_result read_roles(struct redis *redis, struct wm_arena *arena, struct cache_user *user,
                                    struct wm_error *error) {
  redisReply *reply;
  enum cache_result result = redis_read_of(redis, user, &reply, error);
  if (result != CACHE_DONE || !reply)
    return result;
  bool good = reply->type == REDIS_REPLY_ARRAY;
  int taken = good ? take_roles(reply, arena, user) : 0;
  freeReplyObject(reply);
  if (!good || taken < 0)
    return good ? redis_no_memory(redis, error) : redis_strange(redis, error);
  return CACHE_DONE;
}

static enum cache_result read_user(struct redis *redis, bool with_roles, struct wm_arena *arena,
                                   struct cache_user *user, struct wm_error *error) {
  user->strange = false;
  user->roles = NULL;
  user->role_count = 0;
  enum cache_result result = read_register(redis, arena, user, error);
  if (result == CACHE_DONE)
    result = read_end(redis, user, error);
  return result == CACHE_DONE && with_roles ? read_roles(redis, arena, user, error) : result;
}

static enum cache_result ask_user(struct redis *redis, const struct cache_user *asked, bool with_roles,
                                  struct wm_error *error) {
  struct wm_text user = asked->id, key = redis_user_key(redis, &redis->user_key, user, "user");
  enum cache_result result =
      asked->bare ? APPEND(redis, error, WM_TEXT("HMGET"), key, WM_TEXT("gen"), WM_TEXT("at"))
                  : APPEND(redis, error, WM_TEXT("HMGET"), key, WM_TEXT("gen"), WM_TEXT("at"), WM_TEXT("register"));
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("ZSCORE"), wm_text_of(redis->ends), user);
  if (result != CACHE_DONE || !with_roles)
    return result;
  return APPEND(redis, error, WM_TEXT("SMEMBERS"), redis_user_key(redis, &redis->roles_key, user, "roles"));
}

static enum cache_result fetch_slice(struct redis *redis, struct cache_user *users, size_t count, bool with_roles,
                                     struct wm_arena *arena, struct wm_error *error) {
  enum cache_result result = CACHE_DONE;
  for (size_t i = 0; result == CACHE_DONE && i < count; i++)
    result = ask_user(redis, &users[i], with_roles, error);
  if (result == CACHE_DONE)
    result = redis_flush(redis, error);
  for (size_t i = 0; result == CACHE_DONE && i < count; i++)
    result = read_user(redis, with_roles, arena, &users[i], error);
  return result;
}

static enum cache_result fetch_progress(struct redis *redis, struct cache_progress *progress, size_t count,
                                        struct wm_error *error) {
  enum cache_result result = CACHE_DONE;
  for (size_t i = 0; result == CACHE_DONE && i < count; i++)
    result = APPEND(redis, error, WM_TEXT("HGET"), wm_text_of(redis->progress), DIGITS(progress[i].partition));
  for (size_t i = 0; result == CACHE_DONE && i < count; i++) {
    redisReply *reply;
    result = redis_read(redis, &reply, error);
    if (result != CACHE_DONE)
      break;
    progress[i].next = redis_number(reply, CACHE_NO_PROGRESS);
    freeReplyObject(reply);
  }
  return result;
}

static enum cache_result redis_fetch(void *self, struct cache_user *users, size_t count, bool with_roles,
                                     struct cache_progress *progress, size_t progress_count, struct wm_arena *arena,
                                     struct wm_error *error) {
  struct redis *redis = self;
  enum cache_result result = redis_ensure(redis, error);
  for (size_t i = 0; result == CACHE_DONE && i < count; i += SLICE)
    result = fetch_slice(redis, users + i, count - i < SLICE ? count - i : SLICE, with_roles, arena, error);
  return result == CACHE_DONE ? fetch_progress(redis, progress, progress_count, error) : result;
}

/* --- meta, ends --- */

struct wm_text redis_catalogue_field(int32_t partition, char room[static REDIS_FIELD_SIZE]) {
  int size = snprintf(room, REDIS_FIELD_SIZE, "catalogue:%d", (int)partition);
  return (struct wm_text){room, (size_t)size};
}

static void take_string(const redisReply *reply, char ret[static 64]) {
  ret[0] = '\0';
  if (reply->type == REDIS_REPLY_STRING)
    snprintf(ret, 64, "%.*s", (int)reply->len, reply->str);
}

static enum cache_result redis_get_meta(void *self, int32_t partition, struct cache_meta *ret, struct wm_error *error) {
  struct redis *redis = self;
  redisReply *reply;
  char field[REDIS_FIELD_SIZE], rebuild[REDIS_FIELD_SIZE];
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result =
        APPEND(redis, error, WM_TEXT("HMGET"), wm_text_of(redis->meta), WM_TEXT("incarnation"), WM_TEXT("generation"),
               redis_catalogue_field(partition, field), redis_rebuild_field(partition, rebuild));
  if (result == CACHE_DONE)
    result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == 4;
  if (good) {
    take_string(reply->element[0], ret->incarnation);
    ret->generation = redis_number(reply->element[1], 0);
    take_string(reply->element[2], ret->catalogue);
    ret->rebuild = redis_number(reply->element[3], 0);
  }
  freeReplyObject(reply);
  return good ? CACHE_DONE : redis_strange(redis, error);
}

static enum cache_result redis_set_meta(void *self, int32_t partition, const struct cache_meta *meta,
                                        struct wm_error *error) {
  struct redis *redis = self;
  char field[REDIS_FIELD_SIZE];
  long long wrote = 1;
  bool with_catalogue = partition >= 0 && meta->catalogue[0];
  struct wm_text words[14] = {WM_TEXT("EVAL"),
                              WM_TEXT(meta_script),
                              WM_TEXT("1"),
                              wm_text_of(redis->meta),
                              wm_text_of(meta->incarnation),
                              meta->generation ? DIGITS(meta->generation) : WM_TEXT(""),
                              with_catalogue ? redis_catalogue_field(partition, field) : WM_TEXT(""),
                              wm_text_of(meta->was),
                              WM_TEXT("format"),
                              WM_TEXT("1"),
                              WM_TEXT("users-topic"),
                              wm_text_of(redis->users_topic)};
  size_t count = 12;
  if (with_catalogue) {
    words[count++] = redis_catalogue_field(partition, field);
    words[count++] = wm_text_of(meta->catalogue);
  }
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = redis_append(redis, words, count, error);
  if (result == CACHE_DONE)
    result = redis_read_integer(redis, &wrote, error);
  if (result != CACHE_DONE || wrote > 0)
    return result;
  if (wrote == 0)
    wm_error_set(error, WM_E_LOG_TRUNCATED, "redis at '%s' was filled from another users topic than incarnation '%s'",
                 redis->address, meta->incarnation);
  else
    wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s' holds a newer generation or another catalogue",
                 redis->address);
  return wrote == 0 ? CACHE_BROKEN : CACHE_STALE;
}

static enum cache_result redis_beat(void *self, bool ready, int64_t wall_us, struct wm_error *error) {
  struct redis *redis = self;
  long long whole;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("EVAL"), WM_TEXT(beat_script), WM_TEXT("1"), wm_text_of(redis->meta),
                    wm_text_of(redis->worker), ready ? WM_TEXT("1") : WM_TEXT("0"), DIGITS(wall_us / 1000),
                    DIGITS(redis->session_ms + STALL_MS), redis->beating ? WM_TEXT("1") : WM_TEXT("0"));
  if (result == CACHE_DONE)
    result = redis_read_integer(redis, &whole, error);
  redis->beating = redis->beating || result == CACHE_DONE;
  if (result != CACHE_DONE || whole)
    return result;
  wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s' has lost what stood in '%s'", redis->address, redis->meta);
  return CACHE_STALE;
}

/* A worker that takes its leave is not waited for. */
static void say_goodbye(struct redis *redis) {
  long long removed;
  if (!redis->beating || !redis->context || redis_ensure(redis, NULL) != CACHE_DONE)
    return;
  if (APPEND(redis, NULL, WM_TEXT("HDEL"), wm_text_of(redis->meta), wm_text_of(redis->worker)) == CACHE_DONE)
    redis_read_integer(redis, &removed, NULL);
}

static int take_due(const redisReply *reply, struct wm_arena *arena, struct wm_text **ret_users, int64_t **ret_ends,
                    size_t *ret_count) {
  size_t count = reply->elements / 2;
  *ret_users = WM_ARENA_ARRAY(arena, struct wm_text, count + 1);
  *ret_ends = WM_ARENA_ARRAY(arena, int64_t, count + 1);
  if (!*ret_users || !*ret_ends)
    return -1;
  for (size_t i = 0; i < count; i++) {
    const redisReply *user = reply->element[2 * i];
    (*ret_users)[i] = (struct wm_text){wm_arena_copy(arena, user->str, user->len), user->len};
    (*ret_ends)[i] = end_of(reply->element[2 * i + 1]);
    if (!(*ret_users)[i].bytes)
      return -1;
  }
  *ret_count = count;
  return 0;
}

static enum cache_result redis_due(void *self, int64_t until_us, size_t skip, size_t limit, struct wm_arena *arena,
                                   struct wm_text **ret_users, int64_t **ret_ends, size_t *ret_count,
                                   struct wm_error *error) {
  struct redis *redis = self;
  redisReply *reply;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("ZRANGEBYSCORE"), wm_text_of(redis->ends), WM_TEXT("-inf"), DIGITS(until_us),
                    WM_TEXT("WITHSCORES"), WM_TEXT("LIMIT"), DIGITS((int64_t)skip), DIGITS((int64_t)limit));
  if (result == CACHE_DONE)
    result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements % 2 == 0;
  int taken = good ? take_due(reply, arena, ret_users, ret_ends, ret_count) : 0;
  freeReplyObject(reply);
  if (!good || taken < 0)
    return good ? redis_no_memory(redis, error) : redis_strange(redis, error);
  return CACHE_DONE;
}

static enum cache_result redis_set_end(void *self, struct wm_text user, int64_t end_us, struct wm_error *error) {
  struct redis *redis = self;
  long long changed;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = redis_append_end(redis, user, end_us, error);
  return result == CACHE_DONE ? redis_read_integer(redis, &changed, error) : result;
}

/* --- the door --- */

static const struct cache_ops ops = {
    .check = redis_check,
    .fetch = redis_fetch,
    .apply = redis_apply,
    .wait = redis_wait,
    .advance = redis_advance,
    .get_meta = redis_get_meta,
    .set_meta = redis_set_meta,
    .beat = redis_beat,
    .due = redis_due,
    .set_end = redis_set_end,
    .scan = redis_scan,
    .drop = redis_drop_user,
    .rebuilt = redis_rebuilt,
};

static char *join(const char *prefix, const char *name) {
  char *joined;
  return asprintf(&joined, "%s:%s", prefix, name) < 0 ? NULL : joined;
}

struct redis *redis_open(const struct settings *settings, struct logger *logger, struct cache_door *ret,
                         struct wm_error *error) {
  struct redis *redis = calloc(1, sizeof *redis);
  if (redis) {
    redis->logger = logger;
    redis->session_ms = settings_session_ms(settings);
    wm_arena_init(&redis->arena, 0);
    redis->address = strdup(settings->redis.address);
    redis->username = strdup(settings->redis.username);
    redis->password_file = strdup(settings->redis.password_file);
    redis->users_topic = strdup(settings->topics.users);
    redis->prefix = strdup(settings->redis.prefix);
    redis->progress = join(settings->redis.prefix, "progress");
    redis->ends = join(settings->redis.prefix, "ends");
    redis->meta = join(settings->redis.prefix, "meta");
    redis->changes = join(settings->redis.prefix, "changes");
    redis->worker = join("worker", settings->instance);
  }
  if (!redis || !redis->address || !redis->username || !redis->password_file || !redis->users_topic || !redis->prefix ||
      !redis->progress || !redis->ends || !redis->meta || !redis->changes || !redis->worker) {
    redis_close(redis);
    wm_error_memory(error);
    return NULL;
  }
  *ret = (struct cache_door){.ops = &ops, .self = redis};
  return redis;
}

void redis_close(struct redis *redis) {
  if (!redis)
    return;
  say_goodbye(redis);
  redis_drop(redis, CACHE_DONE);
  wm_arena_release(&redis->arena);
  free(redis->sent);
  wm_buf_release(&redis->pipe);
  wm_buf_release(&redis->roles_key);
  wm_buf_release(&redis->user_key);
  char *const texts[] = {redis->address,  redis->username, redis->password_file, redis->users_topic, redis->prefix,
                         redis->progress, redis->ends,     redis->meta,          redis->changes,     redis->worker};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    free(texts[i]);
  free(redis);
}

/* The happy path: a pipeline is appended, written in one go, and its replies are read in order.
 *
 * It can fail on the way in (no connection, a time-out: CACHE_DOWN, the connection is dropped and the next call makes a
 * new one), by a reply that passes (LOADING, READONLY, OOM ...: CACHE_DOWN too; nothing that was sent is known any more),
 * or by one that does not (WRONGTYPE, NOPERM ...: CACHE_BROKEN). A script that Redis forgot in the middle of a pipeline is
 * CACHE_DOWN: the caller catches up, which is always right. */
#include "worker/redis_internal.h"

#define SLICE 1000 /* users asked for in one pipeline */

/* KEYS: meta. ARGV: incarnation or ''. Returns 0 when another one is there. */
static const char incarnation_script[] =
    "local have = redis.call('HGET', KEYS[1], 'incarnation')\n"
    "if ARGV[1] == '' or have == ARGV[1] then return 1 end\n"
    "if have then return 0 end\n"
    "redis.call('HSET', KEYS[1], 'incarnation', ARGV[1])\n"
    "return 1\n";

/* --- fetching --- */

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
  const redisReply *json = reply->element[2];
  user->gen = redis_number(reply->element[0], 0);
  user->at = redis_number(reply->element[1], -1);
  user->json = WM_NO_TEXT;
  if (json->type != REDIS_REPLY_STRING)
    return 0;
  user->json = (struct wm_text){wm_arena_copy(arena, json->str, json->len), json->len};
  return user->json.bytes ? 0 : -1;
}

static enum cache_result read_user(struct redis *redis, bool with_roles, struct wm_arena *arena,
                                   struct cache_user *user, struct wm_error *error) {
  redisReply *reply;
  enum cache_result result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == 3;
  int taken = good ? take_register(reply, arena, user) : 0;
  freeReplyObject(reply);
  if (!good || taken < 0)
    return good ? redis_no_memory(redis, error) : redis_strange(redis, error);
  user->roles = NULL;
  user->role_count = 0;
  if (!with_roles)
    return CACHE_DONE;
  result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  good = reply->type == REDIS_REPLY_ARRAY;
  taken = good ? take_roles(reply, arena, user) : 0;
  freeReplyObject(reply);
  if (!good || taken < 0)
    return good ? redis_no_memory(redis, error) : redis_strange(redis, error);
  return CACHE_DONE;
}

static enum cache_result ask_user(struct redis *redis, struct wm_text user, bool with_roles, struct wm_error *error) {
  struct wm_text key = redis_user_key(redis, &redis->user_key, user, "user");
  enum cache_result result =
      APPEND(redis, error, WM_TEXT("HMGET"), key, WM_TEXT("gen"), WM_TEXT("at"), WM_TEXT("register"));
  if (result != CACHE_DONE || !with_roles)
    return result;
  return APPEND(redis, error, WM_TEXT("SMEMBERS"), redis_user_key(redis, &redis->roles_key, user, "roles"));
}

static enum cache_result fetch_slice(struct redis *redis, struct cache_user *users, size_t count, bool with_roles,
                                     struct wm_arena *arena, struct wm_error *error) {
  enum cache_result result = CACHE_DONE;
  for (size_t i = 0; result == CACHE_DONE && i < count; i++)
    result = ask_user(redis, users[i].id, with_roles, error);
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

static struct wm_text catalogue_field(int32_t partition, char room[static 32]) {
  int size = snprintf(room, 32, "catalogue:%d", (int)partition);
  return (struct wm_text){room, (size_t)size};
}

static void take_string(const redisReply *reply, char ret[static 64]) {
  ret[0] = '\0';
  if (reply->type == REDIS_REPLY_STRING)
    snprintf(ret, 64, "%.*s", (int)reply->len, reply->str);
}

static enum cache_result redis_get_meta(void *self, int32_t partition, struct cache_meta *ret,
                                        struct wm_error *error) {
  struct redis *redis = self;
  redisReply *reply;
  char field[32];
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("HMGET"), wm_text_of(redis->meta), WM_TEXT("incarnation"),
                    WM_TEXT("generation"), catalogue_field(partition, field));
  if (result == CACHE_DONE)
    result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == 3;
  if (good) {
    take_string(reply->element[0], ret->incarnation);
    ret->generation = redis_number(reply->element[1], 0);
    take_string(reply->element[2], ret->catalogue);
  }
  freeReplyObject(reply);
  return good ? CACHE_DONE : redis_strange(redis, error);
}

static enum cache_result claim_incarnation(struct redis *redis, const char *incarnation, struct wm_error *error) {
  long long ours;
  enum cache_result result = APPEND(redis, error, WM_TEXT("EVAL"), WM_TEXT(incarnation_script), WM_TEXT("1"),
                                    wm_text_of(redis->meta), wm_text_of(incarnation));
  if (result == CACHE_DONE)
    result = redis_read_integer(redis, &ours, error);
  if (result != CACHE_DONE || ours)
    return result;
  wm_error_set(error, WM_E_LOG_TRUNCATED, "redis at '%s' was filled from another users topic than incarnation '%s'",
               redis->address, incarnation);
  return CACHE_BROKEN;
}

static enum cache_result redis_set_meta(void *self, int32_t partition, const struct cache_meta *meta,
                                        struct wm_error *error) {
  struct redis *redis = self;
  char field[32];
  long long added;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = claim_incarnation(redis, meta->incarnation, error);
  if (result != CACHE_DONE)
    return result;
  struct wm_text words[10] = {WM_TEXT("HSET"), wm_text_of(redis->meta), WM_TEXT("format"),
                              WM_TEXT("1"),    WM_TEXT("users-topic"),  wm_text_of(redis->users_topic)};
  size_t count = 6;
  if (meta->generation != 0) {
    words[count++] = WM_TEXT("generation");
    words[count++] = DIGITS(meta->generation);
  }
  if (partition >= 0 && meta->catalogue[0]) {
    words[count++] = catalogue_field(partition, field);
    words[count++] = wm_text_of(meta->catalogue);
  }
  result = redis_append(redis, words, count, error);
  return result == CACHE_DONE ? redis_read_integer(redis, &added, error) : result;
}

static enum cache_result redis_beat(void *self, bool ready, int64_t wall_us, struct wm_error *error) {
  struct redis *redis = self;
  long long added;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("HSET"), wm_text_of(redis->meta), WM_TEXT("ready"),
                    ready ? WM_TEXT("1") : WM_TEXT("0"), WM_TEXT("alive-at"), DIGITS(wall_us / 1000));
  return result == CACHE_DONE ? redis_read_integer(redis, &added, error) : result;
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
    (*ret_ends)[i] = (int64_t)strtod(reply->element[2 * i + 1]->str, NULL); /* microseconds fit in 53 bits */
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
  }
  if (!redis || !redis->address || !redis->username || !redis->password_file || !redis->users_topic || !redis->prefix ||
      !redis->progress || !redis->ends || !redis->meta || !redis->changes) {
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
  redis_drop(redis, CACHE_DONE);
  wm_arena_release(&redis->arena);
  wm_buf_release(&redis->roles_key);
  wm_buf_release(&redis->user_key);
  char *const texts[] = {redis->address, redis->username, redis->password_file, redis->users_topic, redis->prefix,
                         redis->progress, redis->ends, redis->meta, redis->changes};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    free(texts[i]);
  free(redis);
}

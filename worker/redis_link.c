#include "worker/redis_internal.h"

#define TIMEOUT_MS 2000
#define PASSWORD_SIZE 1024

/* --- failures --- */

enum cache_result redis_drop(struct redis *redis, enum cache_result result) {
  if (redis->context)
    redisFree(redis->context);
  redis->context = NULL;
  redis->sha[0] = '\0';
  redis->applying = redis->answered = false; /* who is told of this knows that nothing is known */
  return result;
}

enum cache_result redis_down(struct redis *redis, struct wm_error *error) {
  const char *why = redis->context && redis->context->errstr[0] ? redis->context->errstr : "the connection is gone";
  wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s': %s", redis->address, why);
  return redis_drop(redis, CACHE_DOWN);
}

/* What an error reply means: most words pass with time, the others are a bug or somebody else's settings. A password
 * that was right before is one that is being changed, on one side first. */
enum cache_result redis_refused(struct redis *redis, const redisReply *reply, struct wm_error *error) {
  static const struct {
    const char *word;
    bool later; /* passes only when there was a connection before */
  } passing[] = {{"LOADING", false},    {"READONLY", false},    {"MISCONF", false},  {"OOM", false},
                 {"MASTERDOWN", false}, {"CLUSTERDOWN", false}, {"TRYAGAIN", false}, {"BUSY", false},
                 {"NOREPLICAS", false}, {"NOSCRIPT", false},    {"WRONGPASS", true}, {"NOAUTH", true}};
  wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s' says: %.*s", redis->address, (int)reply->len, reply->str);
  if (strncmp(reply->str, "WRONGTYPE", strlen("WRONGTYPE")) == 0)
    wm_error_set(
        error, WM_E_REDIS_FAILED,
        "redis at '%s' has a key below '%s:' that is not Waymark's: delete it ('waymark verify' names those of "
        "users), then 'waymark rebuild'; it says: %.*s",
        redis->address, redis->prefix, (int)reply->len, reply->str);
  for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
    if (strncmp(reply->str, passing[i].word, strlen(passing[i].word)) == 0 &&
        (!passing[i].later || redis->was_connected))
      return redis_drop(redis, CACHE_DOWN);
  return redis_drop(redis, CACHE_BROKEN);
}

enum cache_result redis_strange(struct redis *redis, struct wm_error *error) {
  wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s' gave an answer of another shape", redis->address);
  return redis_drop(redis, CACHE_BROKEN);
}

enum cache_result redis_no_memory(struct redis *redis, struct wm_error *error) {
  wm_error_memory(error);
  return redis_drop(redis, CACHE_BROKEN);
}

/* --- the connection --- */

static enum cache_result read_password(struct redis *redis, char *ret, struct wm_error *error) {
  FILE *file = fopen(redis->password_file, "re");
  size_t size = file ? fread(ret, 1, PASSWORD_SIZE - 1, file) : 0;
  bool more = file && fgetc(file) != EOF, good = file && !ferror(file);
  if (file)
    fclose(file);
  if (!good || more) {
    wm_error_set(error, WM_E_SETTING_INVALID,
                 more ? "'redis.password-file': '%s' is longer than a password may be"
                      : "'redis.password-file': can't read '%s'",
                 redis->password_file);
    return redis_drop(redis, CACHE_BROKEN);
  }
  while (size > 0 && (ret[size - 1] == '\n' || ret[size - 1] == '\r'))
    size--;
  ret[size] = '\0';
  return CACHE_DONE;
}

static enum cache_result log_in(struct redis *redis, struct wm_error *error) {
  char password[PASSWORD_SIZE];
  redisReply *reply;
  if (!redis->password_file[0])
    return CACHE_DONE;
  enum cache_result result = read_password(redis, password, error);
  if (result == CACHE_DONE)
    result = redis->username[0]
                 ? APPEND(redis, error, WM_TEXT("AUTH"), wm_text_of(redis->username), wm_text_of(password))
                 : APPEND(redis, error, WM_TEXT("AUTH"), wm_text_of(password));
  explicit_bzero(password, sizeof password);
  if (result == CACHE_DONE)
    result = redis_read(redis, &reply, error);
  if (result == CACHE_DONE)
    freeReplyObject(reply);
  return result;
}

/* A cache that forgets what it likes would forget roles. */
static enum cache_result check_policy(struct redis *redis, struct wm_error *error) {
  static const char name[] = "maxmemory_policy:";
  redisReply *reply;
  enum cache_result result = APPEND(redis, error, WM_TEXT("INFO"), WM_TEXT("memory"));
  if (result == CACHE_DONE)
    result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  const char *found = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, name) : NULL;
  int size = found ? (int)strcspn(found + sizeof name - 1, "\r\n") : 0;
  const char *policy = found ? found + sizeof name - 1 : "not told";
  bool good = found && size == 10 && strncmp(policy, "noeviction", 10) == 0;
  if (!good)
    wm_error_set(error, WM_E_REDIS_FAILED,
                 "redis at '%s' has 'maxmemory-policy %.*s': roles would be forgotten, it must be 'noeviction'",
                 redis->address, found ? size : (int)strlen(policy), policy);
  freeReplyObject(reply);
  return good ? CACHE_DONE : redis_drop(redis, CACHE_BROKEN);
}

static redisContext *dial(const struct redis *redis) {
  const struct timeval timeout = {.tv_sec = TIMEOUT_MS / 1000, .tv_usec = TIMEOUT_MS % 1000 * 1000};
  if (redis->address[0] == '/')
    return redisConnectUnixWithTimeout(redis->address, timeout);
  const char *colon = strrchr(redis->address, ':');
  char host[256];
  size_t size = colon ? (size_t)(colon - redis->address) : strlen(redis->address);
  if (size > 1 && redis->address[0] == '[' && redis->address[size - 1] == ']') /* an IPv6 address */
    snprintf(host, sizeof host, "%.*s", (int)(size - 2), redis->address + 1);
  else
    snprintf(host, sizeof host, "%.*s", (int)size, redis->address);
  return redisConnectWithTimeout(host, colon ? (int)strtol(colon + 1, NULL, 10) : 6379, timeout);
}

static enum cache_result connect_now(struct redis *redis, struct wm_error *error) {
  const struct timeval timeout = {.tv_sec = TIMEOUT_MS / 1000, .tv_usec = TIMEOUT_MS % 1000 * 1000};
  redis->context = dial(redis);
  if (!redis->context)
    return redis_no_memory(redis, error);
  if (redis->context->err || redisSetTimeout(redis->context, timeout) != REDIS_OK)
    return redis_down(redis, error);
  if (redis->address[0] != '/')
    redisEnableKeepAlive(redis->context);
  enum cache_result result = log_in(redis, error);
  if (redis->pipe.bytes)
    explicit_bzero(redis->pipe.bytes, redis->pipe.size); /* the password went through it */
  redis_pipe_clear(redis);
  if (result == CACHE_DONE && !redis->any_policy)
    result = check_policy(redis, error);
  redis->was_connected = redis->was_connected || result == CACHE_DONE;
  return result;
}

enum cache_result redis_ensure(struct redis *redis, struct wm_error *error) {
  if (redis->applying) {
    redis->answer = redis_settle(redis, &redis->answer_error);
    redis->answered = true;
  }
  redis_pipe_clear(redis);
  return redis->context ? CACHE_DONE : connect_now(redis, error);
}

enum cache_result redis_check(void *self, struct wm_error *error) {
  struct redis *redis = self;
  enum cache_result result = redis_ensure(redis, error);
  return result == CACHE_DONE ? check_policy(redis, error) : result;
}

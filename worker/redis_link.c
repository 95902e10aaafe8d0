#include "worker/redis_internal.h"

#include <errno.h>
#include <inttypes.h>

#define TIMEOUT_MS 2000
#define PASSWORD_SIZE 1024

/* --- failures --- */

enum cache_result redis_drop(struct redis *redis, enum cache_result result) {
  if (redis->context)
    redisFree(redis->context);
  redis->context = NULL;
  redis->sha[0] = '\0';
  redis->apply_replies = redis->same_count = 0;
  return result;
}

enum cache_result redis_down(struct redis *redis, struct wm_error *error) {
  const char *why = redis->context && redis->context->errstr[0] ? redis->context->errstr : "the connection is gone";
  wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s': %s", redis->address, why);
  return redis_drop(redis, CACHE_DOWN);
}

/* What an error reply means: most words pass with time, the others are a bug or somebody else's settings. */
static enum cache_result is_refused(struct redis *redis, const redisReply *reply, struct wm_error *error) {
  static const char *const passing[] = {"LOADING",     "READONLY", "MISCONF", "OOM",        "MASTERDOWN",
                                        "CLUSTERDOWN", "TRYAGAIN", "BUSY",    "NOREPLICAS", "NOSCRIPT"};
  wm_error_set(error, WM_E_REDIS_FAILED, "redis at '%s' says: %.*s", redis->address, (int)reply->len, reply->str);
  for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
    if (strncmp(reply->str, passing[i], strlen(passing[i])) == 0)
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

/* --- commands and replies --- */

/* Appends one command of 'count' texts to the pipeline. */
enum cache_result redis_append(struct redis *redis, const struct wm_text *words, size_t count,
                                struct wm_error *error) {
  const char **bytes = malloc(count * sizeof *bytes);
  size_t *sizes = malloc(count * sizeof *sizes);
  bool good = bytes && sizes;
  for (size_t i = 0; good && i < count; i++) {
    bytes[i] = words[i].bytes ? words[i].bytes : "";
    sizes[i] = words[i].size;
  }
  good = good && redisAppendCommandArgv(redis->context, (int)count, bytes, sizes) == REDIS_OK;
  free(bytes);
  free(sizes);
  return good ? CACHE_DONE : redis_no_memory(redis, error);
}

enum cache_result redis_flush(struct redis *redis, struct wm_error *error) {
  int done = 0;
  while (!done)
    if (redisBufferWrite(redis->context, &done) != REDIS_OK)
      return redis_down(redis, error);
  return CACHE_DONE;
}

/* The next reply, to be freed by the caller; an error reply is a result. */
enum cache_result redis_read(struct redis *redis, redisReply **ret, struct wm_error *error) {
  void *reply = NULL;
  *ret = NULL;
  if (redisGetReply(redis->context, &reply) != REDIS_OK || !reply)
    return redis_down(redis, error);
  *ret = reply;
  if ((*ret)->type != REDIS_REPLY_ERROR)
    return CACHE_DONE;
  enum cache_result result = is_refused(redis, *ret, error);
  freeReplyObject(*ret);
  *ret = NULL;
  return result;
}

/* One reply of integer type. */
enum cache_result redis_read_integer(struct redis *redis, long long *ret, struct wm_error *error) {
  redisReply *reply;
  enum cache_result result = redis_read(redis, &reply, error);
  if (result != CACHE_DONE)
    return result;
  bool good = reply->type == REDIS_REPLY_INTEGER;
  *ret = good ? reply->integer : 0;
  freeReplyObject(reply);
  return good ? CACHE_DONE : redis_strange(redis, error);
}

/* A text of decimal digits that fits; else 'fallback'. */
int64_t redis_number(const redisReply *reply, int64_t fallback) {
  if (reply->type != REDIS_REPLY_STRING || reply->len == 0)
    return fallback;
  char *end;
  errno = 0;
  long long number = strtoll(reply->str, &end, 10);
  return errno == 0 && end == reply->str + reply->len ? number : fallback;
}

struct wm_text redis_digits(int64_t number, struct digits *room) {
  int size = snprintf(room->bytes, sizeof room->bytes, "%" PRId64, number);
  return (struct wm_text){room->bytes, (size_t)size};
}

/* "<prefix>:{<user>}:<kind>"; '{', '}' and '%' of the user are percent-encoded (contract 10). */
struct wm_text redis_user_key(struct redis *redis, struct wm_buf *buf, struct wm_text user, const char *kind) {
  wm_buf_clear(buf);
  wm_buf_printf(buf, "%s:{", redis->prefix);
  for (size_t i = 0; i < user.size; i++) {
    char c = user.bytes[i];
    if (c == '{' || c == '}' || c == '%')
      wm_buf_add_string(buf, c == '{' ? "%7B" : c == '}' ? "%7D" : "%25");
    else
      wm_buf_add_char(buf, c);
  }
  wm_buf_printf(buf, "}:%s", kind);
  return (struct wm_text){buf->bytes, buf->size};
}

/* --- the connection --- */

static enum cache_result read_password(struct redis *redis, char *ret, struct wm_error *error) {
  FILE *file = fopen(redis->password_file, "re");
  size_t size = file ? fread(ret, 1, PASSWORD_SIZE - 1, file) : 0;
  bool good = file && !ferror(file);
  if (file)
    fclose(file);
  if (!good) {
    wm_error_set(error, WM_E_SETTING_INVALID, "'redis.password-file': can't read '%s'", redis->password_file);
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
  return result == CACHE_DONE ? check_policy(redis, error) : result;
}

/* Between two applies: whoever reads replies must know which they are. */
enum cache_result redis_ensure(struct redis *redis, struct wm_error *error) {
  return redis->context ? CACHE_DONE : connect_now(redis, error);
}

enum cache_result redis_check(void *self, struct wm_error *error) {
  struct redis *redis = self;
  return redis->context ? check_policy(redis, error) : connect_now(redis, error);
}

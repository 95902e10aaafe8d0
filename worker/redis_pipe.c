/* Commands go into the pipe as the protocol's bytes and stay there until they are answered, so that an apply can send
 * again what Redis could not run. */
#include "worker/redis_internal.h"

#include <errno.h>
#include <inttypes.h>

enum { KEEP_BYTES = 8 * 1024 * 1024 };

void redis_pipe_clear(struct redis *redis) {
  redis->piped = 0;
  if (redis->pipe.capacity > KEEP_BYTES)
    wm_buf_release(&redis->pipe);
  else
    wm_buf_clear(&redis->pipe);
}

static void add_count(struct wm_buf *pipe, char sign, size_t count) {
  wm_buf_add_char(pipe, sign);
  wm_buf_add_integer(pipe, (int64_t)count);
  wm_buf_add(pipe, "\r\n", 2);
}

enum cache_result redis_append(struct redis *redis, const struct wm_text *words, size_t count, struct wm_error *error) {
  struct wm_buf *pipe = &redis->pipe;
  add_count(pipe, '*', count);
  for (size_t i = 0; i < count; i++) {
    add_count(pipe, '$', words[i].size);
    wm_buf_add_text(pipe, words[i]);
    wm_buf_add(pipe, "\r\n", 2);
  }
  return pipe->failed ? redis_no_memory(redis, error) : CACHE_DONE;
}

/* In slices: hiredis moves what it could not send yet to the front of its buffer, again and again. */
enum cache_result redis_flush(struct redis *redis, struct wm_error *error) {
  while (redis->piped < redis->pipe.size) {
    size_t left = redis->pipe.size - redis->piped, size = left < SLICE_BYTES ? left : SLICE_BYTES;
    if (redisAppendFormattedCommand(redis->context, redis->pipe.bytes + redis->piped, size) != REDIS_OK)
      return redis_no_memory(redis, error);
    redis->piped += size;
    for (int done = 0; !done;)
      if (redisBufferWrite(redis->context, &done) != REDIS_OK)
        return redis_down(redis, error);
  }
  return CACHE_DONE;
}

enum cache_result redis_read_any(struct redis *redis, redisReply **ret, struct wm_error *error) {
  void *reply = NULL;
  *ret = NULL;
  enum cache_result result = redis_flush(redis, error);
  if (result != CACHE_DONE)
    return result;
  if (redisGetReply(redis->context, &reply) != REDIS_OK || !reply)
    return redis_down(redis, error);
  *ret = reply;
  if ((*ret)->type != REDIS_REPLY_ERROR || strncmp((*ret)->str, "NOSCRIPT", 8) == 0)
    return CACHE_DONE;
  result = redis_refused(redis, *ret, error);
  freeReplyObject(*ret);
  *ret = NULL;
  return result;
}

enum cache_result redis_read(struct redis *redis, redisReply **ret, struct wm_error *error) {
  enum cache_result result = redis_read_any(redis, ret, error);
  if (result != CACHE_DONE || (*ret)->type != REDIS_REPLY_ERROR)
    return result;
  result = redis_refused(redis, *ret, error);
  freeReplyObject(*ret);
  *ret = NULL;
  return result;
}

enum cache_result redis_read_of(struct redis *redis, struct cache_user *user, redisReply **ret,
                                struct wm_error *error) {
  void *reply = NULL;
  if (!user->lenient)
    return redis_read(redis, ret, error);
  enum cache_result result = redis_flush(redis, error);
  if (result == CACHE_DONE && (redisGetReply(redis->context, &reply) != REDIS_OK || !reply))
    result = redis_down(redis, error);
  *ret = reply;
  if (result != CACHE_DONE || (*ret)->type != REDIS_REPLY_ERROR)
    return result;
  user->strange = strncmp((*ret)->str, "WRONGTYPE", 9) == 0;
  if (!user->strange)
    result = redis_refused(redis, *ret, error);
  freeReplyObject(*ret);
  *ret = NULL;
  return result;
}

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

struct wm_text redis_user_key(struct redis *redis, struct wm_buf *buf, struct wm_text user, const char *kind) {
  wm_buf_clear(buf);
  wm_buf_add_string(buf, redis->prefix);
  wm_buf_add(buf, ":{", 2);
  for (size_t i = 0; i < user.size; i++) {
    char c = user.bytes[i];
    if (c == '{' || c == '}' || c == '%')
      wm_buf_add_string(buf, c == '{' ? "%7B" : c == '}' ? "%7D" : "%25");
    else
      wm_buf_add_char(buf, c);
  }
  wm_buf_add(buf, "}:", 2);
  wm_buf_add_string(buf, kind);
  return (struct wm_text){buf->bytes, buf->size};
}

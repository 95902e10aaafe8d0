/* What the parts of the Redis door share: redis_link.c (connection), redis_pipe.c (commands and replies), redis_apply.c
 * (fenced writes), redis.c (everything else). The only header that knows hiredis. */
#ifndef WM_WORKER_REDIS_INTERNAL_H
#define WM_WORKER_REDIS_INTERNAL_H

#include <hiredis.h>

#include "core/buf.h"
#include "worker/redis.h"

#define SHA_SIZE 40
#define SLICE_BYTES (64 * 1024) /* written at once */

/* One command of the applies under way. */
struct sent {
  size_t start, size; /* in the pipe */
  bool forgotten;     /* Redis had lost the script: to be sent again */
};

struct redis {
  char *address, *username, *password_file, *users_topic;
  char *progress, *ends, *meta, *changes; /* keys and channel with the prefix */
  char *prefix;
  char *worker;       /* field of meta that is this worker's */
  int64_t session_ms; /* of the consumer group */
  struct logger *logger;
  redisContext *context; /* NULL: not connected */
  bool was_connected;    /* at least once: then a refused password is one that is just being changed */
  bool beating;          /* 'worker' stands in meta */
  bool any_policy;       /* connects whatever the eviction policy is: only to look */
  struct wm_buf roles_key, user_key;
  struct wm_buf pipe; /* commands in the protocol's bytes; kept until the next call or the last answer of the applies */
  size_t piped;       /* of which so many bytes were sent */
  char sha[SHA_SIZE + 1]; /* of apply_script; "" before it was loaded on this connection */

  struct wm_arena arena; /* of the call at hand */
  struct sent *sent;
  size_t sent_count, sent_capacity;
  bool applying; /* replies of 'sent' are still to be read */
  bool answered; /* they were read by another call, before wait; this came of it: */
  enum cache_result answer;
  struct wm_error answer_error;
};

/* A failed call: fills 'error', drops the connection, and is the result. */
enum cache_result redis_drop(struct redis *redis, enum cache_result result);
enum cache_result redis_down(struct redis *redis, struct wm_error *error);
enum cache_result redis_strange(struct redis *redis, struct wm_error *error); /* an answer of another shape */
enum cache_result redis_no_memory(struct redis *redis, struct wm_error *error);

/* How every call but a further apply begins: takes the replies of applies that nobody has waited for, empties the pipe,
 * and connects unless there is a connection. */
enum cache_result redis_ensure(struct redis *redis, struct wm_error *error);
enum cache_result redis_check(void *self, struct wm_error *error);

/* What an error reply means; drops the connection. */
enum cache_result redis_refused(struct redis *redis, const redisReply *reply, struct wm_error *error);

/* redis_pipe.c. */
void redis_pipe_clear(struct redis *redis);
/* Appends one command of 'count' texts to the pipe; flush writes what is in it. */
enum cache_result redis_append(struct redis *redis, const struct wm_text *words, size_t count, struct wm_error *error);
enum cache_result redis_flush(struct redis *redis, struct wm_error *error);
#define APPEND(redis, error, ...)                                                                                      \
  redis_append(redis, (const struct wm_text[]){__VA_ARGS__},                                                           \
               sizeof((const struct wm_text[]){__VA_ARGS__}) / sizeof(struct wm_text), error)

/* The next reply, to be freed by the caller (the pipe is flushed before). An error reply is a result, but for NOSCRIPT
 * with redis_read_any. */
enum cache_result redis_read_any(struct redis *redis, redisReply **ret, struct wm_error *error);
enum cache_result redis_read(struct redis *redis, redisReply **ret, struct wm_error *error);
enum cache_result redis_read_integer(struct redis *redis, long long *ret, struct wm_error *error);
/* A reply about 'user'; NULL: his key is of another type, and he is lenient. */
enum cache_result redis_read_of(struct redis *redis, struct cache_user *user, redisReply **ret, struct wm_error *error);

/* A text of decimal digits that fits; else 'fallback'. And back. */
int64_t redis_number(const redisReply *reply, int64_t fallback);
struct digits {
  char bytes[24];
};
struct wm_text redis_digits(int64_t number, struct digits *room);
#define DIGITS(number) redis_digits((number), &(struct digits){{0}})

/* "<prefix>:{<user>}:<kind>" in 'buf'; '{', '}' and '%' of the user are percent-encoded (contract 10). */
struct wm_text redis_user_key(struct redis *redis, struct wm_buf *buf, struct wm_text user, const char *kind);

/* redis_keys.c: the pattern of all such keys, in 'buf': of registers, or of 'all' kinds; and whose key one is, as
 * redis_user_key wrote it. WM_NO_TEXT: nobody's, or out of memory (buf->failed). */
struct wm_text redis_users_pattern(const struct redis *redis, bool all, struct wm_buf *buf);
struct wm_text redis_user_of(const struct redis *redis, struct wm_text key, bool all, struct wm_buf *buf);

/* The field of meta that tells the catalogue of a partition. */
#define REDIS_FIELD_SIZE 32
struct wm_text redis_catalogue_field(int32_t partition, char room[static REDIS_FIELD_SIZE]);

/* redis_apply.c */
enum cache_result redis_apply(void *self, const struct cache_write *writes, size_t count, struct wm_error *error);
enum cache_result redis_wait(void *self, struct wm_error *error);
/* Reads the replies of the applies under way. */
enum cache_result redis_settle(struct redis *redis, struct wm_error *error);
enum cache_result redis_advance(void *self, int32_t partition, int64_t gen, int64_t from, int64_t to,
                                struct wm_error *error);
enum cache_result redis_append_end(struct redis *redis, struct wm_text user, int64_t end_us, struct wm_error *error);

/* redis_rebuild.c */
enum cache_result redis_scan(void *self, char cursor[static CACHE_CURSOR_SIZE], struct wm_arena *arena,
                             struct cache_user **ret_users, size_t *ret_count, struct wm_error *error);
enum cache_result redis_drop_user(void *self, struct wm_text user, int64_t gen, struct wm_error *error);
enum cache_result redis_rebuilt(void *self, int32_t partition, int64_t gen, struct wm_error *error);
struct wm_text redis_rebuild_field(int32_t partition, char room[static REDIS_FIELD_SIZE]);

#endif

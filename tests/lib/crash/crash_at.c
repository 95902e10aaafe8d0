/* Dies by SIGKILL at a named point of a worker's way, without a line in the worker: preload it, and say
 *   WAYMARK_CRASH_AT=<point>:<n>   where, and at which passage
 *   WAYMARK_CRASH_MARK=<file>      in which "<point>:<n>" stands afterwards, so that a test knows where it died
 *
 * It stands between the worker and its two libraries. The calls to librdkafka show a transaction's steps; what goes to
 * Redis is told by its bytes: EVALSHA is an apply, EVAL on the key of the progress moves (or creates) the progress. */
#include <dlfcn.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <hiredis/sds.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum point {
  AFTER_BEGIN,        /* before any record */
  AFTER_PRODUCE,      /* n records are in the transaction */
  BEFORE_OFFSETS,     /* all records are */
  AFTER_OFFSETS,      /* the consumed offsets too */
  BEFORE_COMMIT,      /* as after-offsets, one call later */
  COMMIT_SENT,        /* EndTxn is on its way, its answer is not read */
  AFTER_COMMIT,       /* nothing is applied */
  HALF_APPLIED,       /* half of the bytes of an apply are with Redis */
  AFTER_APPLY,        /* all of it is, the progress of a partition is not; once for each partition */
  BETWEEN_PROGRESS,   /* the progress of a partition is, that of the next is not; a batch of one partition has none */
  AFTER_FLUSH,        /* without transactions: outcomes stand (odd n), registers too (even), the offsets do not */
  AFTER_NEW_PROGRESS, /* catch-up has created the progress, and applied nothing */
  AFTER_PROJECTED,    /* wm:meta knows that a projection of the catalogue came so far; not without any users */
  POINT_COUNT,
};

static const char *const names[POINT_COUNT] = {
    [AFTER_BEGIN] = "after-begin",         [AFTER_PRODUCE] = "after-produce",
    [BEFORE_OFFSETS] = "before-offsets",   [AFTER_OFFSETS] = "after-offsets",
    [BEFORE_COMMIT] = "before-commit",     [COMMIT_SENT] = "commit-sent",
    [AFTER_COMMIT] = "after-commit",       [HALF_APPLIED] = "half-applied",
    [AFTER_APPLY] = "after-apply",         [BETWEEN_PROGRESS] = "between-progress",
    [AFTER_FLUSH] = "after-flush",         [AFTER_NEW_PROGRESS] = "after-new-progress",
    [AFTER_PROJECTED] = "after-projected",
};

/* What the command that was put last into the buffer for Redis is. */
enum sort { OTHER, APPLY, ADVANCE, NEW_PROGRESS, PROJECTED };

static struct {
  enum point point;
  atomic_long left; /* passages; never comes to 0 again once it is below */
  const char *mark;
  const char *said;
  enum sort sort;
  bool applied;  /* something, by now: before that, progress moves behind records that are no registers */
  bool advanced; /* the progress of a partition since the last apply */
} at = {.point = POINT_COUNT};

__attribute__((constructor)) static void choose(void) {
  at.said = getenv("WAYMARK_CRASH_AT");
  at.mark = getenv("WAYMARK_CRASH_MARK");
  if (!at.said || !at.mark)
    return;
  size_t size = strcspn(at.said, ":");
  for (int i = 0; i < POINT_COUNT; i++)
    if (strlen(names[i]) == size && strncmp(names[i], at.said, size) == 0)
      at.point = (enum point)i;
  long passages = at.said[size] ? strtol(at.said + size + 1, NULL, 10) : 0;
  atomic_store(&at.left, passages);
  if (at.point == POINT_COUNT || passages < 1) {
    fprintf(stderr, "crash_at: no such point and passage: '%s'\n", at.said);
    abort();
  }
}

_Noreturn static void die(void) {
  int file = open(at.mark, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || write(file, at.said, strlen(at.said)) < 0)
    perror("crash_at");
  for (;;)
    kill(getpid(), SIGKILL);
}

static bool is_now(enum point point) {
  return point == at.point && atomic_fetch_sub(&at.left, 1) == 1;
}

static void pass(enum point point) {
  if (is_now(point))
    die();
}

static void *next_of(const char *name) {
  void *next = dlsym(RTLD_NEXT, name);
  if (!next)
    abort();
  return next;
}
#define NEXT(function) ((__typeof__(&(function)))next_of(#function))

/* --- Kafka --- */

/* The records have left librdkafka, so that the broker is left with an open transaction. */
static void pass_with_records(enum point point, rd_kafka_t *rk) {
  if (!is_now(point))
    return;
  rd_kafka_flush(rk, 5000);
  die();
}

rd_kafka_error_t *rd_kafka_begin_transaction(rd_kafka_t *rk) {
  rd_kafka_error_t *failed = NEXT(rd_kafka_begin_transaction)(rk);
  if (!failed)
    pass(AFTER_BEGIN);
  return failed;
}

/* Reads what RD_KAFKA_V_... made of one argument. False: it is the last, or one that the worker does not use. */
static bool read_argument(va_list *list, rd_kafka_vu_t *ret) {
  ret->vtype = (rd_kafka_vtype_t)va_arg(*list, int);
  switch ((int)ret->vtype) {
  case RD_KAFKA_VTYPE_RKT:
    ret->u.rkt = va_arg(*list, rd_kafka_topic_t *);
    return true;
  case RD_KAFKA_VTYPE_PARTITION:
    ret->u.i32 = va_arg(*list, int32_t);
    return true;
  case RD_KAFKA_VTYPE_KEY:
  case RD_KAFKA_VTYPE_VALUE:
    ret->u.mem.ptr = va_arg(*list, void *);
    ret->u.mem.size = va_arg(*list, size_t);
    return true;
  case RD_KAFKA_VTYPE_OPAQUE:
    ret->u.ptr = va_arg(*list, void *);
    return true;
  case RD_KAFKA_VTYPE_MSGFLAGS:
    ret->u.i = va_arg(*list, int);
    return true;
  case RD_KAFKA_VTYPE_TIMESTAMP:
    ret->u.i64 = va_arg(*list, int64_t);
    return true;
  case RD_KAFKA_VTYPE_HEADERS:
    ret->u.headers = va_arg(*list, rd_kafka_headers_t *);
    return true;
  case RD_KAFKA_VTYPE_END:
    return false;
  }
  fprintf(stderr, "crash_at: rd_kafka_producev() with an argument of type %d\n", (int)ret->vtype);
  abort();
}

/* Can't be handed on as it is; its sister takes the same as an array. */
rd_kafka_resp_err_t rd_kafka_producev(rd_kafka_t *rk, ...) {
  rd_kafka_vu_t arguments[16];
  size_t count = 0;
  va_list list;
  va_start(list, rk);
  while (count < sizeof arguments / sizeof *arguments && read_argument(&list, &arguments[count]))
    count++;
  va_end(list);
  rd_kafka_error_t *failed = rd_kafka_produceva(rk, arguments, count);
  rd_kafka_resp_err_t code = rd_kafka_error_code(failed);
  rd_kafka_error_destroy(failed);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    pass_with_records(AFTER_PRODUCE, rk);
  return code;
}

rd_kafka_error_t *rd_kafka_send_offsets_to_transaction(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *offsets,
                                                       const rd_kafka_consumer_group_metadata_t *metadata,
                                                       int timeout_ms) {
  pass_with_records(BEFORE_OFFSETS, rk);
  rd_kafka_error_t *failed = NEXT(rd_kafka_send_offsets_to_transaction)(rk, offsets, metadata, timeout_ms);
  if (!failed)
    pass_with_records(AFTER_OFFSETS, rk);
  return failed;
}

rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms) {
  pass_with_records(BEFORE_COMMIT, rk);
  rd_kafka_error_t *failed = NEXT(rd_kafka_commit_transaction)(rk, timeout_ms);
  if (!failed)
    pass(AFTER_COMMIT);
  return failed;
}

rd_kafka_resp_err_t rd_kafka_flush(rd_kafka_t *rk, int timeout_ms) {
  rd_kafka_resp_err_t code = NEXT(rd_kafka_flush)(rk, timeout_ms);
  pass(AFTER_FLUSH);
  return code;
}

/* A request of Kafka's protocol: its size without the size, its kind, ... */
static bool is_end_of_transaction(const struct msghdr *message, size_t size) {
  enum { END_TXN = 26, HEAD = 6 };
  if (message->msg_iovlen == 0 || message->msg_iov[0].iov_len < HEAD)
    return false;
  const unsigned char *head = message->msg_iov[0].iov_base;
  size_t told = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
  return told + 4 == size && head[4] == 0 && head[5] == END_TXN;
}

/* Called by librdkafka, in a thread of its own. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  ssize_t sent = NEXT(sendmsg)(fd, message, flags);
  if (at.point == COMMIT_SENT && sent > 0 && is_end_of_transaction(message, (size_t)sent))
    pass(COMMIT_SENT);
  return sent;
}

/* --- Redis --- */

static bool holds(const char *bytes, size_t size, const char *text) {
  return memmem(bytes, size, text, strlen(text)) != NULL;
}

/* Its last word ends with the offset that a projection has reached; with 0 one begins, with "done" one ends. */
static bool tells_projection(const char *command, size_t size) {
  size_t end = size > 2 ? size - 2 : 0, at_digits = end;
  while (at_digits > 0 && command[at_digits - 1] >= '0' && command[at_digits - 1] <= '9')
    at_digits--;
  return holds(command, size, "\r\ncatalogue:") && at_digits > 0 && at_digits < end && command[at_digits - 1] == ' ' &&
         command[at_digits] != '0';
}

static enum sort sort_of(const char *command, size_t size) {
  if (holds(command, size, "\r\nEVALSHA\r\n"))
    return APPLY;
  if (tells_projection(command, size))
    return PROJECTED;
  if (!holds(command, size, "\r\nEVAL\r\n") || !holds(command, size, ":progress\r\n"))
    return OTHER;
  return holds(command, size, "\r\n$0\r\n\r\n") ? NEW_PROGRESS : ADVANCE; /* it expects none */
}

int redisAppendFormattedCommand(redisContext *context, const char *command, size_t size) {
  at.sort = sort_of(command, size);
  if (at.sort == ADVANCE && at.applied)
    pass(AFTER_APPLY);
  if (at.sort == ADVANCE && at.advanced)
    pass(BETWEEN_PROGRESS);
  return NEXT(redisAppendFormattedCommand)(context, command, size);
}

/* hiredis calls it too, before it reads, with an empty buffer. */
int redisBufferWrite(redisContext *context, int *done) {
  if (at.sort == APPLY && sdslen(context->obuf) > 0) {
    at.applied = true;
    at.advanced = false;
    if (is_now(HALF_APPLIED)) {
      if (write(context->fd, context->obuf, sdslen(context->obuf) / 2) < 0)
        perror("crash_at");
      die();
    }
  }
  return NEXT(redisBufferWrite)(context, done);
}

int redisGetReply(redisContext *context, void **reply) {
  int result = NEXT(redisGetReply)(context, reply);
  if (result == REDIS_OK && at.sort == ADVANCE && at.applied)
    at.advanced = true;
  if (result == REDIS_OK && at.sort == NEW_PROGRESS)
    pass(AFTER_NEW_PROGRESS);
  if (result == REDIS_OK && at.sort == PROJECTED && at.applied)
    pass(AFTER_PROJECTED);
  at.sort = OTHER;
  return result;
}

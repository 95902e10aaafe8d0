/* A private redis-server on a Unix socket for one test, a door to it, and a connection to look behind the door. */
#ifndef WM_TESTS_REDIS_SERVER_H
#define WM_TESTS_REDIS_SERVER_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/redis.h"

static struct {
  char folder[64], socket[96];
  pid_t pid;
  redisContext *look;
  struct logger logger;
  struct redis *redis;
  struct cache_door door;
  struct wm_arena arena;
  struct settings settings;
  struct wm_error error;
} server;

/* 'OP(fetch, ...)' calls the door. */
#define OP(name, ...) server.door.ops->name(server.door.self, __VA_ARGS__, &server.error)
#define CHECK() server.door.ops->check(server.door.self, &server.error)
#define WAIT() server.door.ops->wait(server.door.self, &server.error)

/* A command behind the door's back; its reply as a text, borrowed until the next. */
__attribute__((unused, format(printf, 1, 2))) static const char *redis(const char *format, ...) {
  static char said[4096];
  va_list arguments;
  va_start(arguments, format);
  redisReply *reply = redisvCommand(server.look, format, arguments);
  va_end(arguments);
  cr_assert_not_null(reply, "%s", server.look->errstr);
  if (reply->type == REDIS_REPLY_INTEGER)
    snprintf(said, sizeof said, "%lld", reply->integer);
  else if (reply->type == REDIS_REPLY_NIL)
    snprintf(said, sizeof said, "(nil)");
  else if (reply->type == REDIS_REPLY_ARRAY) {
    said[0] = '\0';
    for (size_t i = 0; i < reply->elements; i++)
      snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s", i ? " " : "",
               reply->element[i]->str ? reply->element[i]->str : "(nil)");
  } else
    snprintf(said, sizeof said, "%.*s", (int)reply->len, reply->str);
  freeReplyObject(reply);
  return said;
}

__attribute__((unused)) static void start_server(void) {
  server.pid = fork();
  if (server.pid == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", server.socket, "--dir", server.folder,
           "--save", "", (char *)NULL);
    _exit(127);
  }
  for (int i = 0; i < 6000; i++) {
    server.look = redisConnectUnix(server.socket);
    if (server.look && !server.look->err)
      return;
    redisFree(server.look);
    server.look = NULL;
    usleep(10000);
  }
  cr_assert_fail("redis-server does not start");
}

__attribute__((unused)) static void kill_server(void) {
  if (server.look)
    redisFree(server.look);
  server.look = NULL;
  kill(server.pid, SIGKILL);
  waitpid(server.pid, NULL, 0);
  unlink(server.socket);
}

__attribute__((unused)) static void open_door(void) {
  server.redis = redis_open(&server.settings, &server.logger, &server.door, &server.error);
  cr_assert_not_null(server.redis, "%s", server.error.text);
}

__attribute__((unused)) static void set_up(void) {
  snprintf(server.folder, sizeof server.folder, "/tmp/waymark-redis-XXXXXX");
  cr_assert_not_null(mkdtemp(server.folder));
  snprintf(server.socket, sizeof server.socket, "%s/s", server.folder);
  server.logger = (struct logger){.level = LOGGER_ERROR, .fd = 2};
  server.settings = (struct settings){
      .instance = "worker-1",
      .redis = {.address = server.socket, .username = "", .password_file = "", .prefix = "wm"},
      .topics = {.users = "waymark.users"},
  };
  signal(SIGPIPE, SIG_IGN);
  wm_arena_init(&server.arena, 0);
  start_server();
  open_door();
}

__attribute__((unused)) static void tear_down(void) {
  redis_close(server.redis);
  wm_arena_release(&server.arena);
  kill_server();
  rmdir(server.folder);
}

/* A write of a register whose text is its offset. */
__attribute__((unused)) static struct cache_write write_of(const char *user, int64_t gen, int64_t at,
                                                           const struct wm_text *roles, size_t role_count) {
  char json[32];
  int size = snprintf(json, sizeof json, "{\"at\":%lld}", (long long)at);
  return (struct cache_write){.mode = CACHE_NEWER,
                              .user = wm_text_of(user),
                              .gen = gen,
                              .at = at,
                              .json = {wm_arena_copy(&server.arena, json, (size_t)size), (size_t)size},
                              .roles = roles,
                              .role_count = role_count,
                              .end_us = INT64_MAX};
}

/* Applies and waits. */
__attribute__((unused)) static enum cache_result apply(const struct cache_write *writes, size_t count) {
  enum cache_result result = OP(apply, writes, count);
  return result == CACHE_DONE ? WAIT() : result;
}

#endif

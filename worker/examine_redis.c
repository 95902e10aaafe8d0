#include <stdlib.h>

#include "worker/clock.h"
#include "worker/examine.h"
#include "worker/redis_internal.h"

struct asked {
  struct redis *redis;
  struct wm_arena *arena;
  struct wm_text info;
};

/* The value of a line 'name:value' of INFO; "": there is none. */
static const char *info_text(const struct asked *asked, const char *name) {
  size_t size = strlen(name);
  const char *at = asked->info.bytes;
  while (at && *at) {
    const char *end = strchr(at, '\r');
    if (strncmp(at, name, size) == 0 && at[size] == ':' && end) {
      const char *text = wm_arena_copy(asked->arena, at + size + 1, (size_t)(end - at) - size - 1);
      return text ? text : "";
    }
    at = strchr(at, '\n');
    at = at ? at + 1 : NULL;
  }
  return "";
}

static int64_t info_number(const struct asked *asked, const char *name) {
  return strtoll(info_text(asked, name), NULL, 10);
}

static int ask_info(struct asked *asked, struct wm_error *error) {
  redisReply *reply;
  if (APPEND(asked->redis, error, WM_TEXT("INFO"), WM_TEXT("everything")) != CACHE_DONE ||
      redis_read(asked->redis, &reply, error) != CACHE_DONE)
    return -1;
  bool good = reply->type == REDIS_REPLY_STRING && reply->len > 0;
  int failed = good ? wm_arena_text(asked->arena, (struct wm_text){reply->str, reply->len}, &asked->info) : 0;
  freeReplyObject(reply);
  if (good && failed == 0)
    return 0;
  good ? redis_no_memory(asked->redis, error) : redis_strange(asked->redis, error);
  return -1;
}

/* Half of the way there and back is taken off. Who may not ask does not know; the connection is gone then. */
static int64_t ask_time(struct asked *asked) {
  redisReply *reply;
  struct wm_error ignored = {0};
  int64_t began_us = system_clock.wall_us(system_clock.self);
  if (redis_ensure(asked->redis, &ignored) != CACHE_DONE ||
      APPEND(asked->redis, &ignored, WM_TEXT("TIME")) != CACHE_DONE ||
      redis_read(asked->redis, &reply, &ignored) != CACHE_DONE)
    return EXAMINED_NOT_ALLOWED;
  int64_t ended_us = system_clock.wall_us(system_clock.self);
  int64_t ahead_us = EXAMINED_NOT_ALLOWED;
  if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
    ahead_us = redis_number(reply->element[0], 0) * 1000000 + redis_number(reply->element[1], 0) -
               (began_us + (ended_us - began_us) / 2);
  freeReplyObject(reply);
  return ahead_us;
}

/* The same. */
static int64_t ask_saves(struct asked *asked) {
  redisReply *reply;
  struct wm_error ignored = {0};
  if (redis_ensure(asked->redis, &ignored) != CACHE_DONE ||
      APPEND(asked->redis, &ignored, WM_TEXT("CONFIG"), WM_TEXT("GET"), WM_TEXT("save")) != CACHE_DONE ||
      redis_read(asked->redis, &reply, &ignored) != CACHE_DONE)
    return -1;
  bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[1]->str;
  int64_t saves = good ? reply->element[1]->len > 0 : -1;
  freeReplyObject(reply);
  return saves;
}

/* What a worker does, each with keys that it would take; a script may ask whether its user may, since Redis 7. No key
 * is named as one: who may only read would be refused before it runs. */
static const char rights_script[] =
    "if not redis.acl_check_cmd then return '?' end "
    "local key, lacks = ARGV[1], {} "
    "for _, call in ipairs({{'hget', key, 'f'}, {'hmget', key, 'f'}, {'hset', key, 'f', 'v'}, {'hdel', key, 'f'}, "
    "{'hgetall', key}, {'smembers', key}, {'smismember', key, 'm'}, {'scard', key}, {'sadd', key, 'm'}, {'del', key}, "
    "{'zadd', key, '1', 'm'}, {'zrem', key, 'm'}, {'zscore', key, 'm'}, {'zrangebyscore', key, '0', '1'}, "
    "{'type', key}, {'publish', ARGV[2], 'm'}, {'scan', '0'}, {'info'}, {'script', 'load', ''}}) do "
    "if not redis.acl_check_cmd(unpack(call)) then lacks[#lacks + 1] = call[1] end end "
    "return table.concat(lacks, ', ')";

static void take_rights(struct asked *asked, const redisReply *reply, struct examined_rights *ret) {
  bool known = reply->type == REDIS_REPLY_STRING && !(reply->len == 1 && reply->str[0] == '?');
  const char *lacks = known ? wm_arena_copy(asked->arena, reply->str, reply->len) : NULL;
  if (lacks)
    *ret = (struct examined_rights){.state = *lacks ? EXAMINED_LACKS : EXAMINED_MAY, .who = "", .lacks = lacks};
}

static void ask_rights(struct asked *asked, const struct settings *settings, struct examined_rights *ret) {
  redisReply *reply;
  struct wm_error ignored = {0};
  char key[512], channel[512];
  *ret = (struct examined_rights){.state = EXAMINED_SECRET, .who = "", .lacks = ""};
  snprintf(key, sizeof key, "%s:{doctor}:roles", settings->redis.prefix);
  snprintf(channel, sizeof channel, "%s:changes", settings->redis.prefix);
  if (redis_ensure(asked->redis, &ignored) != CACHE_DONE ||
      APPEND(asked->redis, &ignored, WM_TEXT("EVAL"), wm_text_of(rights_script), WM_TEXT("0"), wm_text_of(key),
             wm_text_of(channel)) != CACHE_DONE ||
      redis_read(asked->redis, &reply, &ignored) != CACHE_DONE)
    return;
  take_rights(asked, reply, ret);
  freeReplyObject(reply);
}

static int ask(struct asked *asked, const struct settings *settings, struct examined_redis *ret,
               struct wm_error *error) {
  if (redis_ensure(asked->redis, error) != CACHE_DONE || ask_info(asked, error) < 0)
    return -1;
  ret->version = info_text(asked, "redis_version");
  ret->policy = info_text(asked, "maxmemory_policy");
  ret->role = info_text(asked, "role");
  ret->save_status = info_text(asked, "rdb_last_bgsave_status");
  ret->append_status = info_text(asked, "aof_last_write_status");
  ret->cluster = info_number(asked, "cluster_enabled") == 1;
  ret->appends = info_number(asked, "aof_enabled") == 1;
  ret->used = info_number(asked, "used_memory");
  ret->limit = info_number(asked, "maxmemory");
  ret->evicted = info_number(asked, "evicted_keys");
  ret->saves = ask_saves(asked);
  ret->ahead_us = ask_time(asked);
  ask_rights(asked, settings, &ret->rights);
  return 0;
}

int examine_redis(const struct settings *settings, struct wm_arena *arena, struct examined_redis *ret,
                  struct wm_error *error) {
  struct logger quiet = {.level = LOGGER_ERROR + 1, .fd = -1};
  struct cache_door door;
  struct asked asked = {.arena = arena};
  *ret = (struct examined_redis){0};
  asked.redis = redis_open(settings, &quiet, &door, error);
  if (asked.redis)
    asked.redis->any_policy = true;
  int result = asked.redis ? ask(&asked, settings, ret, error) : -1;
  redis_close(asked.redis);
  return result;
}

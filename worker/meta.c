#include "worker/meta.h"

#include "worker/redis_internal.h"

static int take(const redisReply *reply, struct wm_arena *arena, struct meta_field **ret, size_t *ret_count,
                struct wm_error *error) {
  size_t count = reply->type == REDIS_REPLY_ARRAY ? reply->elements / 2 : META_FIELDS_LIMIT + 1;
  if (count > META_FIELDS_LIMIT)
    return wm_error_set(error, WM_E_REDIS_FAILED, "what stands in redis in the place of 'meta' is not Waymark's");
  *ret = WM_ARENA_ARRAY(arena, struct meta_field, count + 1);
  *ret_count = count;
  for (size_t i = 0; *ret && i < count; i++) {
    const redisReply *name = reply->element[2 * i], *value = reply->element[2 * i + 1];
    (*ret)[i] = (struct meta_field){{wm_arena_copy(arena, name->str, name->len), name->len},
                                    {wm_arena_copy(arena, value->str, value->len), value->len}};
    if (!(*ret)[i].name.bytes || !(*ret)[i].value.bytes)
      return wm_error_memory(error);
  }
  return *ret ? 0 : wm_error_memory(error);
}

int meta_read(const struct settings *settings, struct wm_arena *arena, struct meta_field **ret, size_t *ret_count,
              struct wm_error *error) {
  struct logger quiet = {.level = LOGGER_ERROR + 1, .fd = -1};
  struct cache_door door;
  redisReply *reply;
  int result = -1;
  struct redis *redis = redis_open(settings, &quiet, &door, error);
  if (!redis)
    return -1;
  if (redis_ensure(redis, error) == CACHE_DONE &&
      APPEND(redis, error, WM_TEXT("HGETALL"), wm_text_of(redis->meta)) == CACHE_DONE &&
      redis_read(redis, &reply, error) == CACHE_DONE) {
    result = take(reply, arena, ret, ret_count, error);
    freeReplyObject(reply);
  }
  redis_close(redis);
  return result;
}

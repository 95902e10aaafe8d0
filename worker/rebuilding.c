#include "worker/rebuilding.h"

#include <stdlib.h>

#include "worker/redis_internal.h"

/* In one step: the generation, a mark for every partition, and no progress. KEYS: meta, progress. ARGV: the generation
 * before, how many partitions, reason, now in ms. */
static const char begin_script[] = "if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return 0 end\n"
                                   "local gen = string.format('%.0f', tonumber(ARGV[1]) + 1)\n"
                                   "redis.call('HSET', KEYS[1], 'generation', gen, 'rebuild-reason', ARGV[3],\n"
                                   "  'rebuild-asked-at', ARGV[4])\n"
                                   "for p = 0, tonumber(ARGV[2]) - 1 do\n"
                                   "  redis.call('HSET', KEYS[1], 'rebuild:' .. p, gen)\n"
                                   "end\n"
                                   "redis.call('DEL', KEYS[2])\n"
                                   "return 1\n";

/* KEYS: meta, progress. ARGV: incarnation before, now, users topic, partitions before, now, first offset, reason, now
 * in ms, '1' when nothing is to be written. Returns enum rebuilding_moved. Every catalogue field has to be '<digest>
 * <since> done' with one digest: the new partitions begin with that. */
static const char move_script[] =
    "local have = redis.call('HMGET', KEYS[1], 'incarnation', 'generation')\n"
    "if not have[1] then return 1 end\n"
    "if have[1] == ARGV[2] then return 2 end\n"
    "if have[1] ~= ARGV[1] then return 3 end\n"
    "local stamp\n"
    "for p = 0, tonumber(ARGV[4]) - 1 do\n"
    "  local one = redis.call('HGET', KEYS[1], 'catalogue:' .. p) or ''\n"
    "  local digest = string.match(one, '^(%S+) %d+ done$')\n"
    "  if not digest or (stamp and string.match(stamp, '^%S+') ~= digest) then return 4 end\n"
    "  stamp = one\n"
    "  if redis.call('HGET', KEYS[1], 'rebuild:' .. p) then return 5 end\n"
    "end\n"
    "if ARGV[9] == '1' then return 0 end\n"
    "local gen = string.format('%.0f', tonumber(have[2] or 0) + 1)\n"
    "redis.call('HSET', KEYS[1], 'incarnation', ARGV[2], 'users-topic', ARGV[3], 'generation', gen,\n"
    "  'rebuild-reason', ARGV[7], 'rebuild-asked-at', ARGV[8], 'ready', '0')\n"
    "redis.call('DEL', KEYS[2])\n"
    "for p = 0, tonumber(ARGV[5]) - 1 do\n"
    "  redis.call('HSET', KEYS[1], 'rebuild:' .. p, gen, 'catalogue:' .. p, stamp)\n"
    "  redis.call('HSET', KEYS[2], p, ARGV[6])\n"
    "end\n"
    "return 0\n";

struct rebuilding {
  struct redis *redis;
  struct logger quiet;
  int32_t partitions;
};

struct rebuilding *rebuilding_open(const struct settings *settings, struct wm_error *error) {
  struct cache_door door;
  struct rebuilding *rebuilding = calloc(1, sizeof *rebuilding);
  if (!rebuilding) {
    wm_error_memory(error);
    return NULL;
  }
  rebuilding->quiet = (struct logger){.level = LOGGER_ERROR + 1, .fd = -1};
  rebuilding->partitions = settings->kafka.partitions;
  rebuilding->redis = redis_open(settings, &rebuilding->quiet, &door, error);
  if (rebuilding->redis)
    return rebuilding;
  free(rebuilding);
  return NULL;
}

void rebuilding_close(struct rebuilding *rebuilding) {
  if (!rebuilding)
    return;
  redis_close(rebuilding->redis);
  free(rebuilding);
}

static int take_state(const redisReply *reply, struct rebuilding_state *ret) {
  if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2)
    return -1;
  ret->generation = redis_number(reply->element[0], 0);
  ret->alive_ms = redis_number(reply->element[1], 0);
  for (size_t i = 2; i < reply->elements; i++)
    ret->pending += reply->element[i]->type == REDIS_REPLY_STRING;
  return 0;
}

int rebuilding_look(struct rebuilding *rebuilding, struct rebuilding_state *ret, struct wm_error *error) {
  struct redis *redis = rebuilding->redis;
  struct wm_arena arena;
  redisReply *reply;
  size_t count = 0;
  *ret = (struct rebuilding_state){0};
  if (redis_ensure(redis, error) != CACHE_DONE)
    return -1;
  wm_arena_init(&arena, 0);
  struct wm_text *words = WM_ARENA_ARRAY(&arena, struct wm_text, (size_t)rebuilding->partitions + 4);
  char(*fields)[REDIS_FIELD_SIZE] = wm_arena_array(&arena, (size_t)rebuilding->partitions + 1, sizeof *fields);
  int result = words && fields ? 0 : wm_error_memory(error);
  if (result == 0) {
    words[count++] = WM_TEXT("HMGET");
    words[count++] = wm_text_of(redis->meta);
    words[count++] = WM_TEXT("generation");
    words[count++] = WM_TEXT("alive-at");
    for (int32_t p = 0; p < rebuilding->partitions; p++)
      words[count++] = redis_rebuild_field(p, fields[p]);
    result = redis_append(redis, words, count, error) == CACHE_DONE && redis_read(redis, &reply, error) == CACHE_DONE
                 ? 0
                 : -1;
  }
  wm_arena_release(&arena);
  if (result < 0)
    return -1;
  if (take_state(reply, ret) < 0) {
    redis_strange(redis, error);
    result = -1;
  }
  freeReplyObject(reply);
  return result;
}

int rebuilding_begin(struct rebuilding *rebuilding, int64_t generation, struct wm_text reason, int64_t wall_us,
                     struct wm_error *error) {
  struct redis *redis = rebuilding->redis;
  long long begun = 0;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("EVAL"), WM_TEXT(begin_script), WM_TEXT("2"), wm_text_of(redis->meta),
                    wm_text_of(redis->progress), DIGITS(generation), DIGITS(rebuilding->partitions), reason,
                    DIGITS(wall_us / 1000));
  if (result == CACHE_DONE)
    result = redis_read_integer(redis, &begun, error);
  return result == CACHE_DONE ? begun != 0 : -1;
}

int rebuilding_move(struct rebuilding *rebuilding, const struct rebuilding_move *move, bool look,
                    enum rebuilding_moved *ret, struct wm_error *error) {
  struct redis *redis = rebuilding->redis;
  long long moved = 0;
  enum cache_result result = redis_ensure(redis, error);
  if (result == CACHE_DONE)
    result = APPEND(redis, error, WM_TEXT("EVAL"), WM_TEXT(move_script), WM_TEXT("2"), wm_text_of(redis->meta),
                    wm_text_of(redis->progress), wm_text_of(move->from), wm_text_of(move->to), wm_text_of(move->topic),
                    DIGITS(move->from_count), DIGITS(rebuilding->partitions), DIGITS(move->next), move->reason,
                    DIGITS(move->wall_us / 1000), look ? WM_TEXT("1") : WM_TEXT("0"));
  if (result == CACHE_DONE)
    result = redis_read_integer(redis, &moved, error);
  *ret = (enum rebuilding_moved)moved;
  return result == CACHE_DONE ? 0 : -1;
}

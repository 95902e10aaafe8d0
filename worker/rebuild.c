#include "worker/rebuild.h"

#include "worker/loop.h"

void rebuild_init(struct rebuild *rebuild) {
  *rebuild = (struct rebuild){0};
  wm_arena_init(&rebuild->arena, 0);
}

void rebuild_release(struct rebuild *rebuild) {
  wm_arena_release(&rebuild->arena);
}

void rebuild_cancel(struct loop *loop) {
  loop->rebuild.scanning = false;
  for (int32_t p = 0; p < loop->partitions.count; p++)
    loop->partitions.items[p].sweeping = false;
}

bool rebuild_left(const struct loop *loop, const struct cache_user *user) {
  const struct partition *home = &loop->partitions.items[LOOP_LOG(loop, home, user->id)];
  return home->rebuild != 0 && user->gen < home->generation;
}

/* Only what is rebuilt now: what becomes ours later is swept by another scan. */
static bool begin(struct loop *loop) {
  struct rebuild *rebuild = &loop->rebuild;
  bool any = false;
  for (int32_t p = 0; p < loop->partitions.count; p++) {
    struct partition *partition = &loop->partitions.items[p];
    partition->sweeping = partition->state == PARTITION_LIVE && partition->rebuild != 0;
    any |= partition->sweeping;
  }
  if (any)
    snprintf(rebuild->cursor, sizeof rebuild->cursor, "0");
  rebuild->dropped = 0;
  rebuild->scanning = any;
  return any;
}

static bool worked(struct loop *loop, enum cache_result result, const struct wm_error *error) {
  if (result != CACHE_DONE)
    recover_from_cache(loop, result, error);
  return result == CACHE_DONE;
}

static bool sweep_page(struct loop *loop) {
  struct rebuild *rebuild = &loop->rebuild;
  struct wm_error error = {0};
  struct cache_user *users;
  size_t count;
  wm_arena_rewind(&rebuild->arena);
  if (!worked(loop, LOOP_CACHE(loop, scan, rebuild->cursor, &rebuild->arena, &users, &count, &error), &error))
    return false;
  for (size_t i = 0; i < count; i++) {
    const struct partition *home = &loop->partitions.items[LOOP_LOG(loop, home, users[i].id)];
    if (!home->sweeping || !rebuild_left(loop, &users[i]))
      continue;
    if (!worked(loop, LOOP_CACHE(loop, drop, users[i].id, home->generation, &error), &error))
      return false;
    rebuild->dropped++;
  }
  return true;
}

static bool finish(struct loop *loop) {
  struct wm_error error = {0};
  for (int32_t p = 0; p < loop->partitions.count; p++) {
    struct partition *partition = &loop->partitions.items[p];
    if (!partition->sweeping)
      continue;
    if (!worked(loop, LOOP_CACHE(loop, rebuilt, p, partition->rebuild, &error), &error))
      return false;
    loop_say(loop, LOGGER_INFO, "rebuilt",
             (const struct logger_field[]){
                 {.name = "partition", .number = p}, {.name = "generation", .number = partition->rebuild}, {0}});
    partition->rebuild = 0;
    partition->sweeping = false;
  }
  if (loop->rebuild.dropped > 0)
    loop_say(loop, LOGGER_WARNING, "took users out of redis whom the log does not know",
             (const struct logger_field[]){{.name = "users", .number = loop->rebuild.dropped}, {0}});
  loop->rebuild.scanning = false;
  return true;
}

bool rebuild_step(struct loop *loop) {
  struct rebuild *rebuild = &loop->rebuild;
  if (!recover_is_clear(loop) || partitions_first(&loop->partitions, PARTITION_BEHIND) >= 0 ||
      (!rebuild->scanning && !begin(loop)) || !loop_settle(loop) || !sweep_page(loop))
    return false;
  if (strcmp(rebuild->cursor, "0") == 0 && !finish(loop))
    return false;
  return rebuild->scanning;
}

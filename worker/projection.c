#include "worker/projection.h"

#include "worker/loop.h"

int projection_write(const struct loop *loop, const struct wm_user *user, int64_t since_us, struct wm_arena *arena,
                     struct cache_write *ret) {
  struct wm_role_set set;
  if (wm_project(loop->workspace, user, loop_wall(loop), arena, &set) < 0)
    return -1;
  struct wm_text *roles = WM_ARENA_ARRAY(arena, struct wm_text, set.count + 1);
  if (!roles)
    return -1;
  for (size_t i = 0; i < set.count; i++)
    roles[i] = set.roles[i]->name;
  ret->user = user->id;
  ret->roles = roles;
  ret->role_count = set.count;
  ret->end_us = wm_project_next_turn(loop->workspace, user, since_us);
  return 0;
}

struct appender {
  struct loop *loop;
  enum log_result result;
};

static int append(void *taker, const struct wm_out *out, struct wm_error *error) {
  struct appender *appender = taker;
  appender->result = LOOP_LOG(appender->loop, append, out, 0, error);
  return appender->result == LOG_DONE ? 0 : -1;
}

static int encode(struct appender *appender, const struct projection *items, size_t count, struct wm_arena *arena,
                  struct wm_error *error) {
  struct wm_encode encode = {.group = appender->loop->group, .arena = arena, .take = append, .taker = appender};
  for (size_t i = 0; i < count; i++) {
    const struct projection *item = &items[i];
    if (ends_encode(&encode, item->user, &item->ends, error) < 0)
      return -1;
    if (item->change_count > 0 &&
        wm_encode_changes(&encode, item->user, item->changes, item->change_count, item->at_us, item->digest, error) < 0)
      return -1;
  }
  return 0;
}

/* One unchanged position of each partition: without it a zombie's transaction would pass (architecture 4, Fenced
 * writes). */
static size_t anchors(const struct loop *loop, const struct projection *items, size_t count, struct log_position *ret) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    bool known = false;
    for (size_t j = 0; j < found; j++)
      known |= ret[j].partition == items[i].partition;
    if (!known)
      ret[found++] = partitions_anchor(&loop->partitions, items[i].partition);
  }
  return found;
}

static bool write_changes(struct loop *loop, const struct projection *items, size_t count, struct wm_arena *arena) {
  struct wm_error error = {0};
  struct log_position *positions = WM_ARENA_ARRAY(arena, struct log_position, count);
  if (!positions)
    return loop_fail_memory(loop);
  loop->in_transaction = true;
  struct appender appender = {loop, LOOP_LOG(loop, begin, &error)};
  if (appender.result == LOG_DONE && encode(&appender, items, count, arena, &error) < 0 &&
      appender.result == LOG_DONE) {
    loop_fail(loop, &error);
    return false;
  }
  const struct log_written *written;
  size_t written_count;
  if (appender.result == LOG_DONE)
    appender.result =
        LOOP_LOG(loop, commit, positions, anchors(loop, items, count, positions), &written, &written_count, &error);
  if (appender.result != LOG_DONE) {
    recover_from_log(loop, appender.result, &error);
    return false;
  }
  loop->in_transaction = false;
  loop->metrics.transactions[METRICS_COMMITTED]++;
  for (size_t i = 0; i < count; i++) {
    metrics_changed(&loop->metrics, items[i].ends.changes, items[i].ends.count);
    metrics_changed(&loop->metrics, items[i].changes, items[i].change_count);
  }
  return true;
}

bool projection_commit(struct loop *loop, const struct projection *items, size_t count, struct wm_arena *arena) {
  if (count == 0)
    return true;
  struct cache_write *writes = WM_ARENA_ARRAY(arena, struct cache_write, count);
  if (!write_changes(loop, items, count, arena))
    return false;
  for (size_t i = 0; i < count; i++) {
    if (!writes || projection_write(loop, items[i].user, items[i].now_us, arena, &writes[i]) < 0)
      return loop_fail_memory(loop);
    writes[i].mode = CACHE_SAME;
    writes[i].partition = items[i].partition;
    writes[i].stamp = wm_text_of(loop->partitions.items[items[i].partition].stamp);
    writes[i].gen = items[i].gen;
    writes[i].at = items[i].at;
  }
  return loop_apply(loop, writes, count);
}

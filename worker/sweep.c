#include "worker/sweep.h"

#include "worker/ends.h"
#include "worker/fetch.h"
#include "worker/loop.h"
#include "worker/projection.h"

#define PERIOD_US 500000
#define PAGE_USERS 200

/* One due user of ours. */
struct due {
  struct users_entry *entry;
  int32_t partition;
  int64_t end_us;
};

void sweep_init(struct sweep *sweep) {
  *sweep = (struct sweep){0};
  wm_arena_init(&sweep->arena, 0);
}

void sweep_release(struct sweep *sweep) {
  wm_arena_release(&sweep->arena);
}

/* Those that this worker answers for. Others are passed over: their owners come by. */
static struct due *pick_ours(struct loop *loop, const struct wm_text *users, const int64_t *ends, size_t count,
                             struct users_entry ***ret_entries, size_t *ret_count) {
  struct due *ours = WM_ARENA_ARRAY(&loop->sweep.arena, struct due, count + 1);
  *ret_entries = WM_ARENA_ARRAY(&loop->sweep.arena, struct users_entry *, count + 1);
  size_t picked = 0;
  for (size_t i = 0; ours && *ret_entries && i < count; i++) {
    int32_t home = LOOP_LOG(loop, home, users[i]);
    if (!partitions_is_live(&loop->partitions, home))
      continue;
    struct users_entry *entry = users_find(&loop->users, users[i]);
    if (!entry)
      entry = users_add(&loop->users, users[i]);
    if (!entry)
      return NULL;
    ours[picked] = (struct due){entry, home, ends[i]};
    (*ret_entries)[picked++] = entry;
  }
  *ret_count = picked;
  return *ret_entries ? ours : NULL;
}

/* What time took from the user since somebody came by. The role set that is about to be written is that of the present
 * catalogue: where nobody has been projected to it yet, what it changes is told too. 'held': the role set in Redis, or
 * NULL. -1: out of memory. */
static int compare(struct loop *loop, const struct due *due, const struct wm_role_set *held, struct projection *ret) {
  struct wm_arena *arena = &loop->sweep.arena;
  const struct users_entry *entry = due->entry;
  int64_t told_us = entry->told_us >= due->end_us ? entry->told_us : due->end_us - 1;
  *ret = (struct projection){.user = entry->committed, .partition = due->partition, .now_us = loop_wall(loop)};
  if (held ? reproject_compare(loop, entry->committed, told_us, held, arena, ret) < 0
           : ends_list(loop->workspace, entry->committed, told_us, ret->now_us, arena, &ret->ends) < 0)
    return -1;
  ret->gen = entry->gen;
  ret->at = entry->at;
  return 0;
}

/* An end without a register (somebody deleted keys by hand) would be due for ever. */
static bool forget_ends(struct loop *loop, const struct due *ours, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct wm_error error = {0};
    if (ours[i].entry->committed)
      continue;
    enum cache_result result = LOOP_CACHE(loop, set_end, ours[i].entry->id, WM_NEVER, &error);
    if (result != CACHE_DONE) {
      recover_from_cache(loop, result, &error);
      return false;
    }
  }
  return true;
}

/* The next end is written together with the role set: a crash before that only repeats the sweep. */
static bool sweep_ours(struct loop *loop, const struct due *ours, const struct wm_role_set *roles, size_t count) {
  struct projection *items = WM_ARENA_ARRAY(&loop->sweep.arena, struct projection, count + 1);
  size_t item_count = 0, change_count = 0;
  if (!items)
    return loop_fail_memory(loop);
  for (size_t i = 0; i < count; i++) {
    bool pending = roles && loop->partitions.items[ours[i].partition].catalogue != CATALOGUE_PROJECTED;
    if (!ours[i].entry->committed)
      continue;
    if (compare(loop, &ours[i], pending ? &roles[i] : NULL, &items[item_count]) < 0)
      return loop_fail_memory(loop);
    change_count += items[item_count++].ends.count;
  }
  if (!projection_commit(loop, items, item_count, &loop->sweep.arena) || !loop_settle(loop))
    return false;
  for (size_t i = 0, item = 0; i < count; i++)
    if (ours[i].entry->committed)
      users_told(ours[i].entry, items[item++].now_us);
  loop->counters.expired += change_count;
  return forget_ends(loop, ours, count);
}

bool sweep_step(struct loop *loop) {
  struct sweep *sweep = &loop->sweep;
  struct wm_error error = {0};
  struct wm_text *users;
  int64_t *ends;
  size_t count, our_count;
  struct users_entry **entries;
  if (!recover_is_clear(loop) || loop_now(loop) < sweep->next_us ||
      partitions_count(&loop->partitions, PARTITION_LIVE) == 0 || !loop_settle(loop))
    return false;
  wm_arena_rewind(&sweep->arena);
  int64_t wall_us = loop_wall(loop);
  enum cache_result result =
      LOOP_CACHE(loop, due, wall_us, sweep->skip, PAGE_USERS, &sweep->arena, &users, &ends, &count, &error);
  if (result != CACHE_DONE) {
    recover_from_cache(loop, result, &error);
    return false;
  }
  struct due *ours = pick_ours(loop, users, ends, count, &entries, &our_count);
  if (!ours)
    return loop_fail_memory(loop);
  struct wm_role_set *roles = NULL;
  if (reproject_is_pending(loop) && !(roles = WM_ARENA_ARRAY(&sweep->arena, struct wm_role_set, our_count + 1)))
    return loop_fail_memory(loop);
  if (our_count > 0 && !fetch_users(loop, entries, our_count, &sweep->arena, roles))
    return false;
  if (count < PAGE_USERS && sweep->skip == 0)
    partitions_swept(&loop->partitions, wall_us, our_count > 0);
  if (our_count > 0 && !sweep_ours(loop, ours, roles, our_count)) {
    partitions_not_told(&loop->partitions);
    return false;
  }
  users_trim(&loop->users);
  sweep->skip += count - our_count;
  if (count == PAGE_USERS)
    return true;
  sweep->skip = 0;
  sweep->next_us = loop_now(loop) + PERIOD_US;
  return false;
}

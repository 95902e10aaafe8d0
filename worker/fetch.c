#include "worker/fetch.h"

#include "core/codec/register.h"
#include "worker/loop.h"
#include "worker/rebuild.h"

/* Role names as a set that can be compared with a projection; these roles have nothing but a name. */
static int name_set(const struct cache_user *user, struct wm_arena *arena, struct wm_role_set *ret) {
  struct wm_role *roles = WM_ARENA_ARRAY(arena, struct wm_role, user->role_count);
  const struct wm_role **set = WM_ARENA_ARRAY(arena, const struct wm_role *, user->role_count);
  if (user->role_count > 0 && (!roles || !set))
    return -1;
  for (size_t i = 0; i < user->role_count; i++) {
    roles[i].name = user->roles[i];
    set[i] = &roles[i];
  }
  *ret = (struct wm_role_set){.roles = set, .count = user->role_count};
  return 0;
}

int64_t fetch_told(const struct loop *loop, int32_t home, int64_t end_us) {
  const struct partition *partition = &loop->partitions.items[home];
  int64_t wall_us = loop_wall(loop), told_us = partition->told_us;
  if (end_us > wall_us)
    return wall_us;
  bool known = partition->catalogue == CATALOGUE_PROJECTED && told_us >= end_us && told_us <= wall_us;
  return known ? told_us : end_us - 1;
}

/* A register that can't be read is a bug or somebody else's hand in Redis: never an empty register. */
static int fill(struct loop *loop, struct users_entry *entry, const struct cache_user *user, struct wm_error *error) {
  struct wm_user *found = NULL;
  entry->told_us = fetch_told(loop, LOOP_LOG(loop, home, entry->id), user->end_us);
  if (rebuild_left(loop, user)) {
    users_fill(&loop->users, entry, NULL, 0, -1);
    return 0;
  }
  if (user->json.bytes) {
    struct wm_error why = {0};
    found = wm_register_decode(user->json, &why);
    if (!found && why.code == WM_E_OUT_OF_MEMORY)
      return wm_error_memory(error);
    if (!found)
      return wm_error_set(error, WM_E_REGISTER_INVALID,
                          "the register of user '%.*s' in redis: %s ('waymark rebuild' makes redis anew)",
                          WM_TEXT_ARG(entry->id), why.text);
    if (!wm_text_equal(found->id, entry->id) || found->home != LOOP_LOG(loop, home, entry->id)) {
      wm_user_free(found);
      return wm_error_set(error, WM_E_REGISTER_INVALID, "the register of user '%.*s' in redis is somebody else's",
                          WM_TEXT_ARG(entry->id));
    }
  }
  users_fill(&loop->users, entry, found, user->gen, user->at);
  return 0;
}

static struct cache_progress *ask_progress(struct loop *loop, struct wm_arena *arena, size_t *ret_count) {
  struct partitions *partitions = &loop->partitions;
  struct cache_progress *progress = WM_ARENA_ARRAY(arena, struct cache_progress, (size_t)partitions->count);
  size_t count = 0;
  for (int32_t p = 0; progress && p < partitions->count; p++)
    if (partitions_is_live(partitions, p))
      progress[count++].partition = p;
  *ret_count = count;
  return progress;
}

static bool is_as_left(struct loop *loop, const struct cache_progress *progress, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (progress[i].next != loop->partitions.items[progress[i].partition].progress) {
      recover_fall_back(loop, "redis is not where this worker left it", NULL);
      return false;
    }
  }
  partitions_found(&loop->partitions);
  return true;
}

/* The entries to ask for; 'ret_entries' says whose each of them is. */
static struct cache_user *ask_users(struct users_entry **entries, size_t count, bool all, struct wm_arena *arena,
                                    struct users_entry ***ret_entries, size_t *ret_count) {
  struct cache_user *users = WM_ARENA_ARRAY(arena, struct cache_user, count + 1);
  *ret_entries = WM_ARENA_ARRAY(arena, struct users_entry *, count + 1);
  size_t asked = 0;
  for (size_t i = 0; users && *ret_entries && i < count; i++) {
    if (!entries[i]->known || all) {
      users[asked].id = entries[i]->id;
      (*ret_entries)[asked++] = entries[i];
    }
  }
  *ret_count = asked;
  return *ret_entries ? users : NULL;
}

/* Asks for 'users', and whether Redis is where it was left. */
static bool ask(struct loop *loop, struct cache_user *users, size_t count, bool with_roles, struct wm_arena *arena) {
  struct wm_error error = {0};
  size_t progress_count;
  struct cache_progress *progress = ask_progress(loop, arena, &progress_count);
  if (!progress)
    return loop_fail_memory(loop);
  int64_t began_us = loop_now(loop);
  enum cache_result result = LOOP_CACHE(loop, fetch, users, count, with_roles, progress, progress_count, arena, &error);
  metrics_observe(&loop->metrics.redis_us, metrics_bounds_us, loop_now(loop) - began_us);
  if (result != CACHE_DONE) {
    recover_from_cache(loop, result, &error);
    return false;
  }
  return is_as_left(loop, progress, progress_count);
}

bool fetch_role_sets(struct loop *loop, struct cache_user *users, size_t count, struct wm_arena *arena,
                     struct wm_role_set *ret_roles) {
  if (!loop_settle(loop))
    return false;
  for (size_t i = 0; i < count; i++)
    users[i].bare = true;
  if (!ask(loop, users, count, true, arena))
    return false;
  for (size_t i = 0; i < count; i++)
    if (name_set(&users[i], arena, &ret_roles[i]) < 0)
      return loop_fail_memory(loop);
  return true;
}

bool fetch_as_they_are(struct loop *loop, struct cache_user *users, size_t count, struct wm_arena *arena) {
  return loop_settle(loop) && ask(loop, users, count, true, arena);
}

bool fetch_users(struct loop *loop, struct users_entry **entries, size_t count, struct wm_arena *arena,
                 struct wm_role_set *ret_roles) {
  if (!loop_settle(loop))
    return false;
  struct wm_error error = {0};
  size_t user_count;
  struct users_entry **asked;
  struct cache_user *users = ask_users(entries, count, ret_roles != NULL, arena, &asked, &user_count);
  if (!users)
    return loop_fail_memory(loop);
  if (!ask(loop, users, user_count, ret_roles != NULL, arena))
    return false;
  for (size_t i = 0; i < user_count; i++) {
    if (ret_roles && name_set(&users[i], arena, &ret_roles[i]) < 0)
      return loop_fail_memory(loop);
    if (!asked[i]->known && fill(loop, asked[i], &users[i], &error) < 0) {
      loop_fail(loop, &error);
      return false;
    }
  }
  return true;
}

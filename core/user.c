#include "core/user.h"

#include <stdlib.h>

#define CHUNK_SIZE 512 /* most registers are small, and a worker keeps a hundred thousand of them */

struct wm_user *wm_user_new(struct wm_text id, int32_t home) {
  struct wm_user *user = calloc(1, sizeof(*user));
  if (!user)
    return NULL;
  wm_arena_init(&user->arena, CHUNK_SIZE);
  user->home = home;
  if (wm_arena_text(&user->arena, id, &user->id) < 0) {
    wm_user_free(user);
    return NULL;
  }
  return user;
}

void wm_user_free(struct wm_user *user) {
  if (!user)
    return;
  wm_arena_release(&user->arena);
  free(user);
}

static int copy_profile(const struct wm_profile *profile, struct wm_arena *arena, struct wm_profile *ret) {
  *ret = *profile;
  if (!wm_clock_is_set(&profile->clock))
    return 0;
  if (wm_clock_copy(&profile->clock, arena, &ret->clock) < 0 ||
      wm_value_copy_into(&profile->fields, arena, &ret->fields) < 0)
    return -1;
  wm_profile_read(ret);
  return 0;
}

/* 'like' is the grant that was copied before: those of one event share most of their texts. */
static int copy_role(const struct wm_user_role *role, const struct wm_grant **like, struct wm_arena *arena,
                     struct wm_user_role *ret) {
  *ret = *role;
  if (wm_arena_text(arena, role->name, &ret->name) < 0 || wm_clock_copy(&role->removed, arena, &ret->removed) < 0)
    return -1;
  if (role->grant_count == 0) {
    ret->grants = NULL;
    return 0;
  }
  ret->grants = WM_ARENA_ARRAY(arena, struct wm_grant, role->grant_count);
  if (!ret->grants)
    return -1;
  for (size_t i = 0; i < role->grant_count; i++) {
    if (wm_grant_copy(&role->grants[i], *like, arena, &ret->grants[i]) < 0)
      return -1;
    *like = &ret->grants[i];
  }
  return 0;
}

static int copy_roles(const struct wm_user *user, struct wm_user *clone) {
  clone->roles = NULL;
  clone->role_count = clone->role_capacity = 0;
  if (user->role_count == 0)
    return 0;
  clone->roles = WM_ARENA_ARRAY(&clone->arena, struct wm_user_role, user->role_count);
  if (!clone->roles)
    return -1;
  const struct wm_grant *like = NULL;
  for (size_t i = 0; i < user->role_count; i++)
    if (copy_role(&user->roles[i], &like, &clone->arena, &clone->roles[i]) < 0)
      return -1;
  clone->role_count = clone->role_capacity = user->role_count;
  return 0;
}

static int copy_ran(const struct wm_user *user, struct wm_user *clone) {
  clone->ran = NULL;
  clone->ran_count = 0;
  if (user->ran_count == 0)
    return 0;
  clone->ran = WM_ARENA_ARRAY(&clone->arena, struct wm_ran, user->ran_count);
  if (!clone->ran)
    return -1;
  for (size_t i = 0; i < user->ran_count; i++) {
    const struct wm_ran *ran = &user->ran[i];
    struct wm_ran *copy = &clone->ran[i];
    copy->journeys = WM_ARENA_ARRAY(&clone->arena, uint64_t, ran->count);
    if (!copy->journeys || wm_arena_text(&clone->arena, ran->automation, &copy->automation) < 0)
      return -1;
    if (ran->count > 0)
      memcpy(copy->journeys, ran->journeys, ran->count * sizeof(*ran->journeys));
    copy->count = ran->count;
  }
  clone->ran_count = user->ran_count;
  return 0;
}

/* With room for as many as are remembered, so that the clone can go on remembering. */
static int copy_replayed(const struct wm_replayed *replayed, struct wm_arena *arena, struct wm_replayed *ret) {
  *ret = (struct wm_replayed){0};
  if (!replayed->run.bytes)
    return 0;
  ret->events = WM_ARENA_ARRAY(arena, uint64_t, WM_RECENT_COUNT);
  if (!ret->events || wm_arena_text(arena, replayed->run, &ret->run) < 0)
    return -1;
  if (replayed->count > 0)
    memcpy(ret->events, replayed->events, replayed->count * sizeof(*ret->events));
  ret->count = replayed->count;
  return 0;
}

struct wm_user *wm_user_clone(const struct wm_user *user) {
  struct wm_user *clone = malloc(sizeof(*clone));
  if (!clone)
    return NULL;
  *clone = *user;
  wm_arena_init(&clone->arena, wm_user_memory(user) + 1);
  if (wm_arena_text(&clone->arena, user->id, &clone->id) < 0 ||
      copy_profile(&user->profile, &clone->arena, &clone->profile) < 0 ||
      wm_clock_copy(&user->cleared, &clone->arena, &clone->cleared) < 0 ||
      wm_clock_copy(&user->signed_in, &clone->arena, &clone->signed_in) < 0 || copy_roles(user, clone) < 0 ||
      copy_ran(user, clone) < 0 || copy_replayed(&user->replayed, &clone->arena, &clone->replayed) < 0) {
    wm_user_free(clone);
    return NULL;
  }
  clone->arena.chunk_size = CHUNK_SIZE;
  return clone;
}

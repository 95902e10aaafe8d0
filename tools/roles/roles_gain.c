#include "tools/roles/roles_gain.h"

#include <stdlib.h>

/* --- the tables --- */

/* Both catalogues are sorted by name: one walk through both. */
static void merge(struct gain *gain) {
  const struct wm_workspace *old = gain->old, *new = gain->new;
  for (size_t a = 0, b = 0; a < old->role_count || b < new->role_count;) {
    struct gain_role *role = &gain->roles[gain->role_count++];
    int order = a == old->role_count   ? 1
                : b == new->role_count ? -1
                                       : wm_text_compare(old->roles[a].name, new->roles[b].name);
    if (order <= 0) {
      role->old = &old->roles[a];
      role->name = role->old->name;
      gain->of_old[a++] = role;
    }
    if (order >= 0) {
      role->new = &new->roles[b];
      role->name = role->new->name;
      gain->of_new[b++] = role;
    }
  }
}

int gain_init(struct gain *gain, const struct wm_workspace *old, const struct wm_workspace *new, int64_t now_us,
              size_t limit) {
  *gain = (struct gain){.old = old, .new = new, .now_us = now_us, .limit = limit};
  wm_arena_init(&gain->arena, 0);
  wm_arena_init(&gain->scratch, 0);
  gain->roles = WM_ARENA_ARRAY(&gain->arena, struct gain_role, old->role_count + new->role_count + 1);
  gain->of_old = WM_ARENA_ARRAY(&gain->arena, struct gain_role *, old->role_count + 1);
  gain->of_new = WM_ARENA_ARRAY(&gain->arena, struct gain_role *, new->role_count + 1);
  if (!gain->roles || !gain->of_old || !gain->of_new)
    return -1;
  merge(gain);
  return 0;
}

static void release_users(struct gain_users *users) {
  for (size_t i = 0; i < users->shown; i++)
    free(users->ids[i]);
  free(users->ids);
}

void gain_release(struct gain *gain) {
  for (size_t i = 0; i < gain->role_count; i++) {
    release_users(&gain->roles[i].gained);
    release_users(&gain->roles[i].lost);
  }
  release_users(&gain->locked_out);
  wm_arena_release(&gain->scratch);
  wm_arena_release(&gain->arena);
}

/* --- one user --- */

/* Keeps the id if it is among the first 'limit'. -1: out of memory. */
static int add_user(struct gain_users *users, size_t limit, struct wm_text id) {
  size_t at = users->shown;
  users->count++;
  while (at > 0 && wm_text_compare(id, wm_text_of(users->ids[at - 1])) < 0)
    at--;
  if (at == limit)
    return 0;
  if (!users->ids)
    users->ids = calloc(limit, sizeof *users->ids);
  char *copy = users->ids ? strndup(id.bytes, id.size) : NULL;
  if (!copy)
    return -1;
  if (users->shown == limit)
    free(users->ids[--users->shown]);
  memmove(&users->ids[at + 1], &users->ids[at], (users->shown - at) * sizeof *users->ids);
  users->ids[at] = copy;
  users->shown++;
  return 0;
}

static int add_gain(struct gain *gain, struct gain_role *role, struct wm_text id) {
  gain->gains++;
  return add_user(&role->gained, gain->limit, id);
}

static int add_loss(struct gain *gain, struct gain_role *role, struct wm_text id) {
  gain->losses++;
  return add_user(&role->lost, gain->limit, id);
}

static struct gain_role *of_old(const struct gain *gain, const struct wm_role_set *set, size_t at) {
  return at < set->count ? gain->of_old[set->roles[at] - gain->old->roles] : NULL;
}

static struct gain_role *of_new(const struct gain *gain, const struct wm_role_set *set, size_t at) {
  return at < set->count ? gain->of_new[set->roles[at] - gain->new->roles] : NULL;
}

int gain_take(struct gain *gain, const struct wm_user *user) {
  struct wm_role_set had, has;
  size_t before = gain->gains + gain->losses;
  wm_arena_rewind(&gain->scratch);
  if (wm_project(gain->old, user, gain->now_us, &gain->scratch, &had) < 0 ||
      wm_project(gain->new, user, gain->now_us, &gain->scratch, &has) < 0)
    return -1;
  gain->users++;
  for (size_t a = 0, b = 0; a < had.count || b < has.count;) {
    /* roles of both stand in the order of their names, so their places tell which comes first */
    struct gain_role *old = of_old(gain, &had, a), *new = of_new(gain, &has, b);
    int failed = 0;
    if (old == new)
      old->kept++;
    else if (!new || (old && old < new))
      failed = add_loss(gain, old, user->id);
    else
      failed = add_gain(gain, new, user->id);
    if (failed)
      return -1;
    bool loses = old && (!new || old <= new), gains = new && (!old || new <= old);
    a += loses;
    b += gains;
  }
  gain->changed += gain->gains + gain->losses > before;
  return had.count > 0 && has.count == 0 ? add_user(&gain->locked_out, gain->limit, user->id) : 0;
}

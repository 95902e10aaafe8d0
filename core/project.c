#include "core/project.h"

#include "core/derive.h"

/* Marks the catalogue's roles of which a grant is live. */
static void mark_assigned(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us,
                          unsigned char *marks) {
  for (size_t i = 0; i < user->role_count; i++) {
    const struct wm_user_role *entry = &user->roles[i];
    bool live = false;
    for (size_t g = 0; g < entry->grant_count && !live; g++)
      live = wm_grant_is_live(user, entry, &entry->grants[g], now_us);
    const struct wm_role *role = live ? wm_workspace_role(workspace, entry->name) : NULL;
    if (role)
      marks[role - workspace->roles] = 1;
  }
}

int wm_project(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us, struct wm_arena *arena,
               struct wm_role_set *ret) {
  *ret = (struct wm_role_set){0};
  if (!user || workspace->role_count == 0 || (wm_user_has_profile(user) && user->profile.status != WM_USER_ACTIVE))
    return 0;
  unsigned char *marks = wm_arena_alloc(arena, workspace->role_count);
  if (!marks)
    return -1;
  mark_assigned(workspace, user, now_us, marks);
  if (workspace->derive)
    wm_derive_mark(workspace->derive, user, now_us, marks);

  size_t count = 0;
  for (size_t i = 0; i < workspace->role_count; i++) {
    marks[i] = marks[i] && wm_role_fits(&workspace->roles[i], user) == WM_OK;
    count += marks[i];
  }
  if (count == 0)
    return 0;
  const struct wm_role **roles = WM_ARENA_ARRAY(arena, const struct wm_role *, count);
  if (!roles)
    return -1;
  for (size_t i = 0; i < workspace->role_count; i++)
    if (marks[i])
      roles[ret->count++] = &workspace->roles[i];
  ret->roles = roles;
  return 0;
}

int64_t wm_project_next_turn(const struct wm_workspace *workspace, const struct wm_user *user, int64_t since_us) {
  int64_t end_us = wm_user_next_end(user, since_us);
  int64_t turn_us = workspace->derive ? wm_derive_next_turn(workspace->derive, user, since_us) : WM_NEVER;
  return turn_us < end_us ? turn_us : end_us;
}

bool wm_project_has(const struct wm_workspace *workspace, const struct wm_user *user, struct wm_text name,
                    int64_t now_us) {
  const struct wm_role *role = user ? wm_workspace_role(workspace, name) : NULL;
  return role && wm_role_fits(role, user) == WM_OK &&
         (wm_user_is_assigned(user, name, now_us) || wm_role_is_derived(role, user, now_us, NULL));
}

struct wm_value *wm_role_set_value(const struct wm_role_set *set, struct wm_arena *arena) {
  struct wm_value *list = WM_ARENA_NEW(arena, struct wm_value);
  if (!list)
    return NULL;
  *list = (struct wm_value){.type = WM_LIST};
  if (set->count == 0)
    return list;
  list->list.items = WM_ARENA_ARRAY(arena, struct wm_value, set->count);
  if (!list->list.items)
    return NULL;
  list->list.count = set->count;
  for (size_t i = 0; i < set->count; i++)
    list->list.items[i] = (struct wm_value){.type = WM_STRING, .string = set->roles[i]->name};
  return list;
}

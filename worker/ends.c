#include "worker/ends.h"

/* Adds 'more', all of one moment. -1: out of memory. */
static int add(struct ends *ends, const struct wm_change *more, size_t count, int64_t moment_us,
               struct wm_arena *arena) {
  if (count == 0)
    return 0;
  struct wm_change *changes = WM_ARENA_ARRAY(arena, struct wm_change, ends->count + count);
  int64_t *moments = WM_ARENA_ARRAY(arena, int64_t, ends->count + count);
  if (!changes || !moments)
    return -1;
  for (size_t i = 0; i < ends->count; i++) {
    changes[i] = ends->changes[i];
    moments[i] = ends->moments[i];
  }
  for (size_t i = 0; i < count; i++) {
    changes[ends->count + i] = more[i];
    moments[ends->count + i] = moment_us;
  }
  *ends = (struct ends){changes, moments, ends->count + count};
  return 0;
}

int ends_list(const struct wm_workspace *workspace, const struct wm_user *user, int64_t since_us, int64_t until_us,
              struct wm_arena *arena, struct ends *ret) {
  struct wm_role_set before, after;
  *ret = (struct ends){0};
  int64_t turn_us = user ? wm_project_next_turn(workspace, user, since_us) : WM_NEVER;
  if (turn_us > until_us || turn_us == WM_NEVER)
    return 0;
  if (wm_project(workspace, user, since_us, arena, &before) < 0)
    return -1;
  while (turn_us <= until_us && turn_us != WM_NEVER) {
    struct wm_change *changes;
    size_t count;
    if (wm_project(workspace, user, turn_us, arena, &after) < 0 ||
        wm_role_set_diff(&before, &after, WM_CAUSE_EXPIRY, NULL, arena, &changes, &count) < 0 ||
        add(ret, changes, count, turn_us, arena) < 0)
      return -1;
    before = after;
    turn_us = wm_project_next_turn(workspace, user, turn_us);
  }
  return 0;
}

static bool has(const struct wm_role_set *set, struct wm_text name) {
  for (size_t i = 0; i < set->count; i++)
    if (wm_text_equal(set->roles[i]->name, name))
      return true;
  return false;
}

/* Has he the role by what has been told, this decision included? */
static bool is_told(const struct wm_role_set *told, const struct wm_decision *decision, struct wm_text name) {
  bool held = has(told, name);
  for (size_t i = 0; i < decision->change_count; i++)
    if (wm_text_equal(decision->changes[i].role, name))
      held = decision->changes[i].effective;
  return held;
}

/* Roles that the new register has (or has not) from 'now_us' to 'told_us', while something else has been told. */
static int compare_told(const struct wm_workspace *workspace, const struct wm_user *before,
                        const struct wm_decision *decision, int64_t now_us, int64_t told_us, struct wm_arena *arena,
                        struct ends *ret) {
  struct wm_role_set told, now, then;
  if (wm_project(workspace, before, told_us, arena, &told) < 0 ||
      wm_project(workspace, decision->user, now_us, arena, &now) < 0 ||
      wm_project(workspace, decision->user, told_us, arena, &then) < 0)
    return -1;
  for (size_t i = 0; i < workspace->role_count; i++) {
    struct wm_text name = workspace->roles[i].name;
    bool held = has(&then, name);
    struct wm_change change = {.role = name,
                               .effective = held,
                               .cause = WM_CAUSE_EXPIRY,
                               .clock = WM_NO_CLOCK,
                               .lockout = !held && then.count == 0};
    if (held == has(&now, name) && held != is_told(&told, decision, name) && add(ret, &change, 1, now_us, arena) < 0)
      return -1;
  }
  return 0;
}

static bool turns(const struct wm_workspace *workspace, const struct wm_user *user, int64_t since_us,
                  int64_t until_us) {
  return user && wm_project_next_turn(workspace, user, since_us) <= until_us;
}

int ends_around(const struct wm_workspace *workspace, struct users_entry *entry, const struct wm_decision *decision,
                int64_t now_us, struct wm_arena *arena, struct ends *ret_before, struct ends *ret_after) {
  const struct wm_user *before = users_current(entry);
  int64_t told_us = entry->telling_us;
  *ret_before = *ret_after = (struct ends){0};
  if (told_us <= now_us) {
    entry->telling_us = now_us;
    return ends_list(workspace, before, told_us, now_us, arena, ret_before);
  }
  if (!turns(workspace, before, now_us, told_us) && !turns(workspace, decision->user, now_us, told_us))
    return 0;
  entry->telling_us = now_us;
  return compare_told(workspace, before, decision, now_us, told_us, arena, ret_after);
}

int ends_encode(const struct wm_encode *encode, const struct wm_user *user, const struct ends *ends,
                struct wm_error *error) {
  for (size_t i = 0; i < ends->count; i++)
    if (wm_encode_changes(encode, user, &ends->changes[i], 1, ends->moments[i], WM_TEXT(""), error) < 0)
      return -1;
  return 0;
}

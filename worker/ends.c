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

/* By role of the workspace: what has been told of a user. */
struct told {
  const struct wm_workspace *workspace;
  int64_t until_us; /* what time changed up to then */
  bool *held;
};

static size_t number_of(const struct told *told, struct wm_text role) {
  return (size_t)(wm_workspace_role(told->workspace, role) - told->workspace->roles);
}

static int set_told(struct told *told, const struct wm_workspace *workspace, const struct wm_role_set *set,
                    struct wm_arena *arena) {
  *told = (struct told){.workspace = workspace, .held = WM_ARENA_ARRAY(arena, bool, workspace->role_count + 1)};
  for (size_t i = 0; told->held && i < set->count; i++)
    told->held[set->roles[i] - workspace->roles] = true;
  return told->held ? 0 : -1;
}

/* Is it news? Then it is told from here on. */
static bool tell(struct told *told, const struct wm_change *change) {
  bool *held = &told->held[number_of(told, change->role)];
  bool news = *held != change->effective;
  *held = change->effective;
  return news;
}

/* Of an event that waited, time may have done already, and told, what it decides now: one loss is told once. */
static void leave_out_told(struct told *told, struct wm_decision *decision) {
  size_t count = 0;
  for (size_t i = 0; i < decision->change_count; i++)
    if (tell(told, &decision->changes[i]))
      decision->changes[count++] = decision->changes[i];
  decision->change_count = count;
}

/* What is told of a moment up to which all was told already, is told of it once more, because of this event: under an
 * id of its own. */
static int add_after(const struct told *told, const struct wm_change *change, int64_t moment_us,
                     const struct ends_span *span, struct wm_arena *arena, struct ends *ret) {
  struct wm_change late = *change;
  if (moment_us <= told->until_us)
    late.clock = span->clock;
  return add(ret, &late, 1, moment_us, arena);
}

/* Turns of the new register up to 'until_us', and at last what it has without any turn while something else is told. */
static int tell_rest(struct told *told, const struct wm_decision *decision, const struct ends_span *span,
                     int64_t until_us, struct wm_arena *arena, struct ends *ret) {
  const struct wm_workspace *workspace = told->workspace;
  struct ends turned;
  struct wm_role_set then;
  struct told wanted;
  if (ends_list(workspace, decision->user, span->now_us, until_us, arena, &turned) < 0 ||
      wm_project(workspace, decision->user, until_us, arena, &then) < 0 ||
      set_told(&wanted, workspace, &then, arena) < 0)
    return -1;
  for (size_t i = 0; i < turned.count; i++)
    if (tell(told, &turned.changes[i]) && add_after(told, &turned.changes[i], turned.moments[i], span, arena, ret) < 0)
      return -1;
  for (size_t i = 0; i < workspace->role_count; i++) {
    const struct wm_change change = {.role = workspace->roles[i].name,
                                     .effective = wanted.held[i],
                                     .cause = WM_CAUSE_EXPIRY,
                                     .clock = WM_NO_CLOCK,
                                     .lockout = !wanted.held[i] && then.count == 0};
    if (tell(told, &change) && add_after(told, &change, span->now_us, span, arena, ret) < 0)
      return -1;
  }
  return 0;
}

static bool turns(const struct wm_workspace *workspace, const struct wm_user *user, int64_t since_us,
                  int64_t until_us) {
  return user && wm_project_next_turn(workspace, user, since_us) <= until_us;
}

int ends_around(const struct wm_workspace *workspace, struct users_entry *entry, struct wm_decision *decision,
                const struct ends_span *span, struct wm_arena *arena, struct ends *ret_before, struct ends *ret_after) {
  const struct wm_user *before = users_current(entry);
  int64_t told_us = entry->telling_us, now_us = span->now_us;
  int64_t until_us = span->wall_us > now_us ? span->wall_us : now_us;
  struct wm_role_set set;
  struct told told;
  *ret_before = *ret_after = (struct ends){0};
  if (told_us <= now_us && ends_list(workspace, before, told_us, now_us, arena, ret_before) < 0)
    return -1;
  if (told_us < now_us)
    told_us = now_us;
  if (until_us < told_us)
    until_us = told_us;
  entry->telling_us = until_us;
  if (!turns(workspace, before, now_us, told_us) && !turns(workspace, decision->user, now_us, until_us))
    return 0;
  if (wm_project(workspace, before, told_us, arena, &set) < 0 || set_told(&told, workspace, &set, arena) < 0)
    return -1;
  told.until_us = told_us;
  leave_out_told(&told, decision);
  return tell_rest(&told, decision, span, until_us, arena, ret_after);
}

int ends_encode(const struct wm_encode *encode, const struct wm_user *user, const struct ends *ends,
                struct wm_error *error) {
  for (size_t i = 0; i < ends->count; i++)
    if (wm_encode_changes(encode, user, &ends->changes[i], 1, ends->moments[i], WM_TEXT(""), error) < 0)
      return -1;
  return 0;
}

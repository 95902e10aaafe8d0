/* Grants and removals (contract 7). Every write keeps the larger clock, so that writes commute: whatever order they
 * arrive in, and however often, the register ends up the same. */
#include "core/user.h"

static const size_t grant_texts[] = {
    offsetof(struct wm_grant, source),
    offsetof(struct wm_grant, clock.source),
    offsetof(struct wm_grant, clock.id),
    offsetof(struct wm_grant, clock.automation),
    offsetof(struct wm_grant, taken.source),
    offsetof(struct wm_grant, taken.id),
    offsetof(struct wm_grant, taken.automation),
    offsetof(struct wm_grant, by.version),
    offsetof(struct wm_grant, by.by),
    offsetof(struct wm_grant, by.reason),
    offsetof(struct wm_grant, by.run),
    offsetof(struct wm_grant, by.origin.topic),
};
#define GRANT_TEXTS (sizeof(grant_texts) / sizeof(*grant_texts))

static struct wm_text *text_at(struct wm_grant *grant, size_t offset) {
  return (struct wm_text *)(void *)((char *)grant + offset);
}

static const struct wm_text *const_text_at(const struct wm_grant *grant, size_t offset) {
  return (const struct wm_text *)(const void *)((const char *)grant + offset);
}

/* Takes 'text' from 'like' or from nowhere when that is possible. */
static bool share_text(struct wm_text *text, const struct wm_text *like) {
  if (!text->bytes)
    return true;
  if (text->size == 0)
    *text = WM_TEXT("");
  else if (like && wm_text_equal(*text, *like))
    *text = *like;
  else
    return false;
  return true;
}

size_t wm_grant_text_size(const struct wm_grant *grant, const struct wm_grant *like) {
  size_t size = 0;
  for (size_t i = 0; i < GRANT_TEXTS; i++) {
    struct wm_text text = *const_text_at(grant, grant_texts[i]);
    if (!share_text(&text, like ? const_text_at(like, grant_texts[i]) : NULL))
      size += text.size;
  }
  return size;
}

/* All texts that must be copied lie in one piece: registers are many, and each piece costs its rounding. */
int wm_grant_copy(const struct wm_grant *grant, const struct wm_grant *like, struct wm_arena *arena,
                  struct wm_grant *ret) {
  struct wm_grant copy = *grant;
  size_t size = wm_grant_text_size(grant, like);
  char *bytes = size > 0 ? wm_arena_alloc(arena, size) : NULL;
  if (size > 0 && !bytes)
    return -1;
  for (size_t i = 0; i < GRANT_TEXTS; i++) {
    struct wm_text *text = text_at(&copy, grant_texts[i]);
    if (share_text(text, like ? const_text_at(like, grant_texts[i]) : NULL))
      continue;
    memcpy(bytes, text->bytes, text->size);
    text->bytes = bytes;
    bytes += text->size;
  }
  *ret = copy;
  return 0;
}

/* Where the role stands, or would have to. */
static size_t role_position(const struct wm_user *user, struct wm_text name, bool *ret_found) {
  return wm_text_position(user->roles, user->role_count, sizeof(*user->roles), name, ret_found);
}

static struct wm_user_role *find_role(const struct wm_user *user, struct wm_text name) {
  bool found;
  size_t at = role_position(user, name, &found);
  return found ? &user->roles[at] : NULL;
}

const struct wm_user_role *wm_user_role(const struct wm_user *user, struct wm_text role) {
  return find_role(user, role);
}

/* Roles have few sources: in order, one after the other. */
static size_t grant_position(const struct wm_user_role *role, struct wm_text source, bool *ret_found) {
  size_t at = 0;
  *ret_found = false;
  while (at < role->grant_count) {
    int order = wm_text_compare(role->grants[at].source, source);
    *ret_found = order == 0;
    if (order >= 0)
      break;
    at++;
  }
  return at;
}

bool wm_grant_is_live(const struct wm_user *user, const struct wm_user_role *role, const struct wm_grant *grant,
                      int64_t now_us) {
  return grant->until_us > now_us && wm_clock_compare(&grant->clock, &role->removed) > 0 &&
         wm_clock_compare(&grant->clock, &user->cleared) > 0 && wm_clock_compare(&grant->clock, &grant->taken) > 0;
}

/* The live grant with the largest clock; NULL: none is live. */
static const struct wm_grant *newest_live(const struct wm_user *user, const struct wm_user_role *role, int64_t now_us) {
  const struct wm_grant *newest = NULL;
  for (size_t i = 0; role && i < role->grant_count; i++) {
    const struct wm_grant *grant = &role->grants[i];
    if (wm_grant_is_live(user, role, grant, now_us) && (!newest || wm_clock_compare(&grant->clock, &newest->clock) > 0))
      newest = grant;
  }
  return newest;
}

bool wm_user_is_assigned(const struct wm_user *user, struct wm_text role, int64_t now_us) {
  return user && newest_live(user, wm_user_role(user, role), now_us) != NULL;
}

int64_t wm_user_next_end(const struct wm_user *user, int64_t now_us) {
  int64_t next = WM_NEVER;
  for (size_t i = 0; i < user->role_count; i++) {
    const struct wm_user_role *role = &user->roles[i];
    for (size_t g = 0; g < role->grant_count; g++)
      if (role->grants[g].until_us < next && wm_grant_is_live(user, role, &role->grants[g], now_us))
        next = role->grants[g].until_us;
  }
  return next;
}

/* Room for one role at 'at', of which the caller fills the name and the rest. NULL: out of memory. */
static struct wm_user_role *insert_role(struct wm_user *user, size_t at, const struct wm_user_role *role) {
  if (user->role_capacity <= user->role_count) {
    size_t capacity = user->role_count < 4 ? user->role_count + 1 : user->role_count * 2;
    struct wm_user_role *roles = WM_ARENA_ARRAY(&user->arena, struct wm_user_role, capacity);
    if (!roles)
      return NULL;
    if (user->role_count > 0)
      memcpy(roles, user->roles, user->role_count * sizeof(*roles));
    user->roles = roles;
    user->role_capacity = capacity;
  }
  memmove(&user->roles[at + 1], &user->roles[at], (user->role_count - at) * sizeof(*user->roles));
  user->roles[at] = *role;
  user->role_count++;
  return &user->roles[at];
}

/* The role's entry, made when there is none; then with 'grant' alone, if any. NULL: out of memory. */
static struct wm_user_role *new_role(struct wm_user *user, struct wm_text name, const struct wm_grant *grant) {
  bool found;
  size_t at = role_position(user, name, &found);
  struct wm_user_role role = {0};
  if (wm_arena_text(&user->arena, name, &role.name) < 0)
    return NULL;
  if (grant) {
    role.grants = WM_ARENA_NEW(&user->arena, struct wm_grant);
    if (!role.grants)
      return NULL;
    role.grants[0] = *grant;
    role.grant_count = 1;
  }
  return insert_role(user, at, &role);
}

/* A new source among the grants of a role. */
static int insert_grant(struct wm_user *user, struct wm_user_role *role, size_t at, const struct wm_grant *grant) {
  struct wm_grant *grants = WM_ARENA_ARRAY(&user->arena, struct wm_grant, role->grant_count + 1);
  if (!grants)
    return -1;
  if (at > 0)
    memcpy(grants, role->grants, at * sizeof(*grants));
  grants[at] = *grant;
  if (at < role->grant_count)
    memcpy(grants + at + 1, role->grants + at, (role->grant_count - at) * sizeof(*grants));
  role->grants = grants;
  role->grant_count++;
  return 0;
}

/* What takes every grant of the role away: the larger of 'cleared' and 'removed'. */
static struct wm_clock last_removal(const struct wm_user *user, const struct wm_user_role *role) {
  return role && wm_clock_compare(&role->removed, &user->cleared) > 0 ? role->removed : user->cleared;
}

/* Does 'grant' take the place of 'old'? The larger clock does, the newer one of equals; but a replay of the same
 * decision by the same rules differs by its run alone, and changes nothing (contract 13). */
static bool replaces(const struct wm_grant *grant, const struct wm_grant *old) {
  int order = wm_clock_compare(&grant->clock, &old->clock);
  if (order != 0)
    return order > 0;
  const struct wm_by *by = &grant->by, *was = &old->by;
  return grant->until_us != old->until_us || by->delegable != was->delegable ||
         !wm_text_equal(by->version, was->version) || !wm_text_equal(by->by, was->by) ||
         !wm_text_equal(by->reason, was->reason) || !wm_text_equal(by->origin.topic, was->origin.topic) ||
         by->origin.partition != was->origin.partition || by->origin.offset != was->origin.offset;
}

/* Writes 'grant' at its place. */
static int put_grant(struct wm_user *user, struct wm_text name, const struct wm_grant *grant) {
  struct wm_user_role *role = find_role(user, name);
  bool found = false;
  size_t at = role ? grant_position(role, grant->source, &found) : 0;
  const struct wm_grant *old = found ? &role->grants[at] : NULL;
  struct wm_grant copy;
  if (wm_grant_copy(grant, old, &user->arena, &copy) < 0)
    return -1;
  copy.taken = old ? old->taken : WM_NO_CLOCK;
  if (!role)
    return new_role(user, name, &copy) ? 0 : -1;
  if (!found)
    return insert_grant(user, role, at, &copy);
  role->grants[at] = copy;
  return 0;
}

int wm_user_add_grant(struct wm_user *user, struct wm_text role, const struct wm_grant *grant, int64_t now_us,
                      enum wm_write *ret, struct wm_clock *ret_stands) {
  const struct wm_user_role *before = wm_user_role(user, role);
  bool found = false;
  size_t at = before ? grant_position(before, grant->source, &found) : 0;
  const struct wm_grant *old = found ? &before->grants[at] : NULL;

  struct wm_clock stands = last_removal(user, before);
  if (wm_clock_compare(&stands, &grant->clock) >= 0) {
    *ret_stands = stands;
    *ret = WM_WRITE_SUPERSEDED;
    return 0;
  }
  bool was_assigned = newest_live(user, before, now_us) != NULL;
  struct wm_clock taken = old ? old->taken : WM_NO_CLOCK;
  if ((!old || replaces(grant, old)) && put_grant(user, role, grant) < 0)
    return -1;
  if (wm_clock_compare(&taken, &grant->clock) >= 0) {
    *ret_stands = taken;
    *ret = WM_WRITE_SUPERSEDED;
    return 0;
  }
  *ret = !was_assigned && wm_user_is_assigned(user, role, now_us) ? WM_WRITE_CHANGED : WM_WRITE_UNCHANGED;
  return 0;
}

void wm_user_role_drop(struct wm_user_role *role, const struct wm_clock *removal) {
  size_t kept = 0;
  for (size_t i = 0; i < role->grant_count; i++) {
    struct wm_grant grant = role->grants[i];
    if (wm_clock_compare(&grant.taken, removal) <= 0)
      grant.taken = WM_NO_CLOCK;
    if (wm_clock_compare(&grant.clock, removal) <= 0)
      grant = (struct wm_grant){.source = grant.source, .taken = grant.taken, .until_us = WM_NEVER};
    if (wm_clock_is_set(&grant.clock) || wm_clock_is_set(&grant.taken))
      role->grants[kept++] = grant;
  }
  role->grant_count = kept;
}

/* The sources that a removal with 'clock' takes while they are live. */
static int list_dropped(const struct wm_user *user, const struct wm_user_role *role, const struct wm_clock *clock,
                        int64_t now_us, struct wm_arena *arena, struct wm_dropped *ret) {
  *ret = (struct wm_dropped){0};
  if (!role || role->grant_count == 0)
    return 0;
  struct wm_text *sources = WM_ARENA_ARRAY(arena, struct wm_text, role->grant_count);
  if (!sources)
    return -1;
  size_t count = 0;
  for (size_t i = 0; i < role->grant_count; i++) {
    const struct wm_grant *grant = &role->grants[i];
    if (!wm_grant_is_live(user, role, grant, now_us) || wm_clock_compare(&grant->clock, clock) > 0)
      continue;
    if (wm_arena_text(arena, grant->source, &sources[count]) < 0)
      return -1;
    count++;
  }
  *ret = (struct wm_dropped){sources, count};
  return 0;
}

int wm_user_remove_role(struct wm_user *user, struct wm_text role, const struct wm_clock *clock, int64_t now_us,
                        struct wm_arena *arena, enum wm_write *ret, struct wm_clock *ret_stands,
                        struct wm_dropped *ret_dropped) {
  struct wm_user_role *entry = find_role(user, role);
  bool was_assigned = newest_live(user, entry, now_us) != NULL;
  if (ret_dropped && list_dropped(user, entry, clock, now_us, arena, ret_dropped) < 0)
    return -1;
  struct wm_clock removed;
  if (wm_clock_copy(clock, &user->arena, &removed) < 0)
    return -1;
  if (!entry && !(entry = new_role(user, role, NULL)))
    return -1;
  if (wm_clock_compare(&removed, &entry->removed) > 0) {
    entry->removed = removed;
    wm_user_role_drop(entry, &removed);
  }
  const struct wm_grant *stands = newest_live(user, entry, now_us);
  if (stands)
    *ret_stands = stands->clock;
  *ret = !was_assigned ? WM_WRITE_UNCHANGED : stands ? WM_WRITE_SUPERSEDED : WM_WRITE_CHANGED;
  return 0;
}

/* This source's grant with 'taken' set, made where there is none. */
static int put_taken(struct wm_user *user, struct wm_text name, struct wm_text source, const struct wm_clock *taken) {
  struct wm_user_role *role = find_role(user, name);
  bool found = false;
  size_t at = role ? grant_position(role, source, &found) : 0;
  if (found)
    return wm_clock_copy(taken, &user->arena, &role->grants[at].taken);
  struct wm_grant grant = {.source = source, .taken = *taken, .until_us = WM_NEVER}, copy;
  if (wm_grant_copy(&grant, NULL, &user->arena, &copy) < 0)
    return -1;
  return role ? insert_grant(user, role, at, &copy) : new_role(user, name, &copy) ? 0 : -1;
}

const struct wm_grant *wm_user_grant(const struct wm_user *user, struct wm_text name, struct wm_text source) {
  const struct wm_user_role *role = wm_user_role(user, name);
  bool found = false;
  size_t at = role ? grant_position(role, source, &found) : 0;
  return found ? &role->grants[at] : NULL;
}

/* Is what stands there what the withdrawal is about? Where nothing stands, it is about what may come. */
static bool is_meant(const struct wm_withdrawn *withdrawn, const struct wm_grant *grant) {
  return !withdrawn->version.bytes || !grant || !wm_clock_is_set(&grant->clock) ||
         wm_text_equal(withdrawn->version, grant->by.version);
}

int wm_user_take_back(struct wm_user *user, struct wm_text role, const struct wm_withdrawn *withdrawn,
                      const struct wm_clock *clock, int64_t now_us, enum wm_write *ret, struct wm_clock *ret_stands) {
  const struct wm_grant *grant = wm_user_grant(user, role, withdrawn->source);
  struct wm_clock removal = last_removal(user, wm_user_role(user, role));
  bool was_live = grant && wm_grant_is_live(user, wm_user_role(user, role), grant, now_us);
  bool newer = wm_clock_compare(clock, &removal) > 0 && (!grant || wm_clock_compare(clock, &grant->taken) > 0);
  if (newer && is_meant(withdrawn, grant) && put_taken(user, role, withdrawn->source, clock) < 0)
    return -1;
  *ret = WM_WRITE_UNCHANGED;
  if (!was_live)
    return 0;
  grant = wm_user_grant(user, role, withdrawn->source);
  if (wm_grant_is_live(user, wm_user_role(user, role), grant, now_us)) {
    *ret = WM_WRITE_SUPERSEDED;
    *ret_stands = grant->clock;
  } else if (!wm_user_is_assigned(user, role, now_us)) {
    *ret = WM_WRITE_CHANGED;
  }
  return 0;
}

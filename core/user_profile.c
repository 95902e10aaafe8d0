/* What the directory says of a user: the profile of a register, and its end. */
#include "core/user.h"

static const struct {
  const char *name;
  enum wm_user_status status;
} statuses[] = {
    {"active", WM_USER_ACTIVE},
    {"suspended", WM_USER_SUSPENDED},
    {"inactive", WM_USER_INACTIVE},
    {"deleted", WM_USER_DELETED},
};

static enum wm_user_status status_of(const struct wm_value *field) {
  if (!field)
    return WM_USER_ACTIVE;
  struct wm_text text = wm_value_text(field);
  for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
    if (wm_text_is(text, statuses[i].name))
      return statuses[i].status;
  return WM_USER_INACTIVE;
}

void wm_profile_read(struct wm_profile *profile) {
  profile->status = status_of(wm_value_member(&profile->fields, WM_TEXT("status")));
  profile->type = wm_value_text(wm_value_member(&profile->fields, WM_TEXT("type")));
}

const struct wm_value *wm_user_field(const struct wm_user *user, struct wm_text name) {
  return wm_user_has_profile(user) ? wm_value_member(&user->profile.fields, name) : NULL;
}

struct wm_text wm_user_manager(const struct wm_user *user) {
  struct wm_text manager = wm_value_text(wm_user_field(user, WM_TEXT("manager")));
  if (manager.size > 0)
    return manager;
  const struct wm_value *managers = wm_user_field(user, WM_TEXT("managers"));
  if (!managers || managers->type != WM_LIST || managers->list.count == 0)
    return WM_NO_TEXT;
  struct wm_text last = wm_value_text(&managers->list.items[managers->list.count - 1]);
  return last.size > 0 ? last : WM_NO_TEXT;
}

/* Equal in every respect, order of members too: such a profile need not be written again. */
static bool same_value(const struct wm_value *a, const struct wm_value *b) {
  if (a->type != b->type)
    return false;
  if (a->type == WM_LIST) {
    if (a->list.count != b->list.count)
      return false;
    for (size_t i = 0; i < a->list.count; i++)
      if (!same_value(&a->list.items[i], &b->list.items[i]))
        return false;
    return true;
  }
  if (a->type == WM_OBJECT) {
    if (a->object.count != b->object.count)
      return false;
    for (size_t i = 0; i < a->object.count; i++)
      if (!wm_text_equal(a->object.members[i].name, b->object.members[i].name) ||
          !same_value(&a->object.members[i].value, &b->object.members[i].value))
        return false;
    return true;
  }
  return a->type == WM_NULL || wm_value_equal(a, b);
}

int wm_user_set_profile(struct wm_user *user, const struct wm_clock *clock, const struct wm_value *fields,
                        bool *ret_changed) {
  *ret_changed = false;
  int order = wm_clock_compare(clock, &user->profile.clock);
  if (order < 0 || (order == 0 && same_value(fields, &user->profile.fields)))
    return 0;
  struct wm_profile profile = {0};
  if (wm_clock_copy(clock, &user->arena, &profile.clock) < 0 ||
      wm_value_copy_into(fields, &user->arena, &profile.fields) < 0)
    return -1;
  wm_profile_read(&profile);
  user->profile = profile;
  *ret_changed = true;
  return 0;
}

/* Grants that are not after 'cleared' go, and roles of which nothing is left to remember: a deletion that comes
 * first leaves the same register as one that comes last. */
static void drop_cleared(struct wm_user *user) {
  size_t kept_roles = 0;
  for (size_t i = 0; i < user->role_count; i++) {
    struct wm_user_role *role = &user->roles[i];
    wm_user_role_drop(role, &user->cleared);
    if (role->grant_count > 0 || wm_clock_is_set(&role->removed))
      user->roles[kept_roles++] = *role;
  }
  user->role_count = kept_roles;
}

int wm_user_delete(struct wm_user *user, const struct wm_clock *clock, bool *ret_changed) {
  struct wm_member status = {WM_TEXT("status"), {.type = WM_STRING, .string = WM_TEXT("deleted")}};
  struct wm_value fields = {.type = WM_OBJECT, .object = {&status, 1}};
  if (wm_user_set_profile(user, clock, &fields, ret_changed) < 0)
    return -1;
  if (wm_clock_compare(clock, &user->cleared) <= 0)
    return 0;
  if (wm_clock_copy(clock, &user->arena, &user->cleared) < 0)
    return -1;
  drop_cleared(user);
  if (wm_clock_compare(&user->signed_in, &user->cleared) <= 0)
    user->signed_in = WM_NO_CLOCK;
  user->ran_count = 0;
  *ret_changed = true;
  return 0;
}

int wm_user_sign_in(struct wm_user *user, const struct wm_clock *clock, bool *ret_changed) {
  *ret_changed = wm_clock_compare(clock, &user->cleared) > 0 && wm_clock_compare(clock, &user->signed_in) > 0;
  return *ret_changed ? wm_clock_copy(clock, &user->arena, &user->signed_in) : 0;
}

bool wm_user_has_signed_in(const struct wm_user *user) {
  return wm_clock_is_set(&user->signed_in) && user->signed_in.time_us >= user->profile.clock.time_us;
}

/* How much memory a clone needs. Workers keep a hundred thousand registers, so a clone gets one chunk of just that
 * size; a wrong number here costs a second chunk, nothing else. */
#include "core/user.h"

/* What an arena takes for 'size' bytes. */
static size_t room(size_t size) {
  size_t step = _Alignof(max_align_t);
  return (size + step - 1) / step * step;
}

static size_t text_room(struct wm_text text) {
  return text.bytes ? room(text.size + 1) : 0;
}

static size_t clock_room(const struct wm_clock *clock) {
  return text_room(clock->source) + text_room(clock->id) + text_room(clock->automation);
}

static size_t value_room(const struct wm_value *value) {
  size_t size = 0;
  if (value->type == WM_STRING)
    size = text_room(value->string);
  if (value->type == WM_LIST) {
    size = room(value->list.count * sizeof(struct wm_value));
    for (size_t i = 0; i < value->list.count; i++)
      size += value_room(&value->list.items[i]);
  }
  if (value->type == WM_OBJECT) {
    size = room(value->object.count * sizeof(struct wm_member));
    for (size_t i = 0; i < value->object.count; i++)
      size += text_room(value->object.members[i].name) + value_room(&value->object.members[i].value);
  }
  return size;
}

static size_t roles_room(const struct wm_user *user) {
  const struct wm_grant *like = NULL;
  size_t size = room(user->role_count * sizeof(*user->roles));
  for (size_t i = 0; i < user->role_count; i++) {
    const struct wm_user_role *role = &user->roles[i];
    size += text_room(role->name) + clock_room(&role->removed) + room(role->grant_count * sizeof(*role->grants));
    for (size_t g = 0; g < role->grant_count; g++) {
      size += room(wm_grant_text_size(&role->grants[g], like));
      like = &role->grants[g];
    }
  }
  return size;
}

size_t wm_user_memory(const struct wm_user *user) {
  size_t size = text_room(user->id) + clock_room(&user->cleared) + clock_room(&user->signed_in) + roles_room(user);
  if (wm_user_has_profile(user))
    size += clock_room(&user->profile.clock) + value_room(&user->profile.fields);
  size += room(user->ran_count * sizeof(*user->ran));
  for (size_t i = 0; i < user->ran_count; i++)
    size += text_room(user->ran[i].automation) + room(user->ran[i].count * sizeof(*user->ran[i].journeys));
  if (user->replayed.run.bytes)
    size += text_room(user->replayed.run) + room(WM_RECENT_COUNT * sizeof(*user->replayed.events));
  return size;
}

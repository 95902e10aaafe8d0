#include "core/derive.h"
#include "core/project.h"

static bool has_criterion(const struct wm_role *role, const struct wm_user *user, int64_t now_us,
                          const struct wm_criterion **ret_criterion) {
  struct wm_facts facts;
  if (role->criterion_count == 0 || !wm_facts_read(user, &facts))
    return false;
  for (size_t i = 0; i < role->criterion_count; i++) {
    if (!wm_criterion_holds(&role->criteria[i], &facts, now_us))
      continue;
    if (ret_criterion)
      *ret_criterion = &role->criteria[i];
    return true;
  }
  return false;
}

bool wm_role_is_derived(const struct wm_role *role, const struct wm_user *user, int64_t now_us,
                        const struct wm_criterion **ret_criterion) {
  return (!role->at_sign_in || wm_user_has_signed_in(user)) && has_criterion(role, user, now_us, ret_criterion);
}

bool wm_role_awaits_sign_in(const struct wm_role *role, const struct wm_user *user, int64_t now_us,
                            const struct wm_criterion **ret_criterion) {
  return role->at_sign_in && !wm_user_has_signed_in(user) && has_criterion(role, user, now_us, ret_criterion);
}

static bool has_portal(const struct wm_role *role, const struct wm_value *portals) {
  for (size_t i = 0; portals && portals->type == WM_LIST && i < portals->list.count; i++)
    for (size_t p = 0; p < role->portal_count; p++)
      if (wm_text_equal(wm_value_text(&portals->list.items[i]), role->portals[p]))
        return true;
  return false;
}

enum wm_code wm_role_fits(const struct wm_role *role, const struct wm_user *user) {
  bool known = wm_user_has_profile(user);
  if (known && user->profile.status != WM_USER_ACTIVE)
    return WM_E_USER_INACTIVE;
  if (role->status == WM_ROLE_INACTIVE)
    return WM_E_ROLE_INACTIVE;
  if (role->status == WM_ROLE_ARCHIVED)
    return WM_E_ROLE_ARCHIVED;
  if (!known)
    return WM_OK;
  if (role->type.bytes && user->profile.type.bytes && !wm_text_equal(role->type, user->profile.type))
    return WM_E_ROLE_TYPE_MISMATCH;
  if (role->portal_count > 0 && !has_portal(role, wm_user_field(user, WM_TEXT("portals"))))
    return WM_E_ROLE_PORTAL_MISMATCH;
  return WM_OK;
}

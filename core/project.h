/* Effective roles: what register, catalogue and time make of a user (contract 7, architecture 1). */
#ifndef WM_CORE_PROJECT_H
#define WM_CORE_PROJECT_H

#include "core/user.h"
#include "core/workspace.h"

struct wm_role_set {
  const struct wm_role **roles; /* by name; borrowed from the arena (the array) and the workspace (the roles) */
  size_t count;
};

/* The effective roles of 'user' (NULL: none) at 'now_us'. -1: out of memory. */
int wm_project(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us, struct wm_arena *arena,
               struct wm_role_set *ret);

/* The first moment after 'since_us' at which time alone may make the set another one: a live grant ends, or a
 * criterion that goes by time ('within', 'older-than') turns. WM_NEVER: none. */
int64_t wm_project_next_turn(const struct wm_workspace *workspace, const struct wm_user *user, int64_t since_us);

/* Is this one role effective? Costs the criteria of this role alone. */
bool wm_project_has(const struct wm_workspace *workspace, const struct wm_user *user, struct wm_text role,
                    int64_t now_us);

/* Is the role derived for this user, whatever its status and type say? 'ret_criterion' (may be NULL) gets the
 * first criterion that holds. */
bool wm_role_is_derived(const struct wm_role *role, const struct wm_user *user, int64_t now_us,
                        const struct wm_criterion **ret_criterion);

/* Would it be, had he signed in since his profile is what it is? */
bool wm_role_awaits_sign_in(const struct wm_role *role, const struct wm_user *user, int64_t now_us,
                            const struct wm_criterion **ret_criterion);

/* Do status, type and portals let this user hold it? WM_OK or the code that says why not
 * (USER_INACTIVE, ROLE_INACTIVE, ROLE_ARCHIVED, ROLE_TYPE_MISMATCH, ROLE_PORTAL_MISMATCH). */
enum wm_code wm_role_fits(const struct wm_role *role, const struct wm_user *user);

/* The set as a list value of strings, for conditions. NULL: out of memory. */
struct wm_value *wm_role_set_value(const struct wm_role_set *set, struct wm_arena *arena);

#endif

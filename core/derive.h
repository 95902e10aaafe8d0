/* Derived roles: which criteria of the catalogue hold for a profile (contract 8). An index over the criteria, so that
 * a projection costs what the profile says and not what the catalogue has. */
#ifndef WM_CORE_DERIVE_H
#define WM_CORE_DERIVE_H

#include "core/role.h"
#include "core/user.h"

/* What criteria ask of a profile, looked up once. Borrowed from the register. */
struct wm_facts {
  const struct wm_user *user;
  struct wm_text manager;           /* the direct one */
  const struct wm_value *org_units; /* NULL or an object of lists */
  const struct wm_value *groups;    /* NULL or a list */
  bool is_manager;
};

/* False: there is no profile, so nothing is derived. */
bool wm_facts_read(const struct wm_user *user, struct wm_facts *ret);

bool wm_criterion_holds(const struct wm_criterion *criterion, const struct wm_facts *facts, int64_t now_us);

/* The first moment after 'now_us' at which time alone may decide a criterion of the role otherwise ('within',
 * 'older-than'); WM_NEVER: none. */
int64_t wm_role_next_turn(const struct wm_role *role, const struct wm_user *user, int64_t now_us);

struct wm_derive;

/* An index over the criteria of all active roles, in 'arena'; it borrows 'roles'. NULL: out of memory. */
struct wm_derive *wm_derive_new(const struct wm_role *roles, size_t count, struct wm_arena *arena);

/* Sets 'marks[i]' for every active role i that is derived; 'marks' has room for all roles. */
void wm_derive_mark(const struct wm_derive *derive, const struct wm_user *user, int64_t now_us, unsigned char *marks);

/* The least wm_role_next_turn of all active roles. Costs nothing where no criterion goes by time. */
int64_t wm_derive_next_turn(const struct wm_derive *derive, const struct wm_user *user, int64_t now_us);

#endif

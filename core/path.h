/* A field path: event.<attribute>, data.<a.b.c>, user.<field> (contract 5). */
#ifndef WM_CORE_PATH_H
#define WM_CORE_PATH_H

#include "core/arena.h"
#include "core/error.h"
#include "core/event.h"
#include "core/text.h"
#include "core/value.h"

enum wm_path_root { WM_PATH_EVENT, WM_PATH_DATA, WM_PATH_USER_ROLES, WM_PATH_USER };

struct wm_path {
  enum wm_path_root root;
  struct wm_text written; /* as the administrator wrote it, for messages */
  struct wm_text *names;  /* members to follow below the root; for WM_PATH_USER the first is the profile field */
  size_t count;           /* 1 or more, 0 for user.roles */
};

struct wm_user;

/* What a condition or a template may look at. */
struct wm_scope {
  const struct wm_event *event;
  const struct wm_user *user;   /* NULL: the event is without a user */
  const struct wm_value *roles; /* list of strings: the effective roles; NULL: not known (then absent) */
  int64_t now_us;
};

/* Parses 'text' (trimmed) into 'ret', borrowing from 'arena'. -1 with PATH_UNKNOWN and a sentence with "did you
 * mean" otherwise. 'data."a.b".c' has two names. */
int wm_path_parse(struct wm_text text, struct wm_arena *arena, struct wm_path *ret, struct wm_error *error);

/* The value there; NULL when it is absent. JSON null is returned as a WM_NULL value. Borrowed from the scope. */
const struct wm_value *wm_path_get(const struct wm_path *path, const struct wm_scope *scope);

/* Is it below user.? Such a path needs the register. */
static inline bool wm_path_is_user(const struct wm_path *path) {
  return path->root >= WM_PATH_USER_ROLES;
}

/* Can the field only be a list (user.roles, user.groups, user.portals, user.org-units.t)? */
bool wm_path_is_list(const struct wm_path *path);

bool wm_path_equal(const struct wm_path *a, const struct wm_path *b);

#endif

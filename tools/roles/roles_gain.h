/* Two catalogues and all users: who would gain and who would lose what. */
#ifndef WM_TOOLS_ROLES_GAIN_H
#define WM_TOOLS_ROLES_GAIN_H

#include "core/project.h"

#define GAIN_SHOWN_LIMIT 1000

/* The first users by their ids (bytes), however many there are. */
struct gain_users {
  char **ids; /* sorted; NUL-terminated, owned */
  size_t shown;
  size_t count; /* of all */
};

struct gain_role {
  struct wm_text name;
  const struct wm_role *old, *new; /* NULL: not in that catalogue */
  struct gain_users gained, lost;
  size_t kept;
};

struct gain {
  const struct wm_workspace *old, *new;
  int64_t now_us;
  size_t limit;            /* of users shown, each time */
  struct gain_role *roles; /* of both catalogues, by name */
  size_t role_count;
  struct gain_role **of_old, **of_new; /* by position in the catalogues */
  size_t users, changed;               /* all, and those whose roles would change */
  size_t gains, losses;                /* of all roles and users */
  struct gain_users locked_out;        /* who had roles in force and would have none */
  struct wm_arena arena;               /* of the tables */
  struct wm_arena scratch;             /* of one user */
};

/* Both workspaces are borrowed. -1: out of memory; release in any case. */
int gain_init(struct gain *gain, const struct wm_workspace *old, const struct wm_workspace *new, int64_t now_us,
              size_t limit);
void gain_release(struct gain *gain);

/* Takes one user into account: what he holds by either catalogue (wm_project). -1: out of memory. */
int gain_take(struct gain *gain, const struct wm_user *user);

#endif

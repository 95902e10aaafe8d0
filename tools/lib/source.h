/* Where a command that answers questions about users gets registers from: Redis, or a file of them. */
#ifndef WM_TOOLS_SOURCE_H
#define WM_TOOLS_SOURCE_H

#include "core/user.h"
#include "tools/lib/files.h"

#define OPTION_REGISTER                                                                                                \
  {                                                                                                                    \
    "register", 0, "FILE",                                                                                             \
        "registers from a file ('-' is stdin) in place of Redis, as 'simulate --users' or 'user --json' write them"    \
  }

/* A user; borrowed for the call. */
struct source_user {
  const struct wm_user *user;
  /* The role set in Redis, sorted; NULL: there is no Redis, compute what is in force. */
  const struct wm_text *roles;
  size_t role_count;
};

/* Does Redis have the role in force for him? Without Redis: does the workspace say so? */
bool source_holds(const struct source_user *user, const struct wm_workspace *workspace, struct wm_text role,
                  int64_t now_us);

/* Takes one user. Not EXIT_FINE ends the walk with this exit code; SOURCE_ENOUGH ends it with EXIT_FINE. */
typedef int source_fn(void *taker, const struct source_user *user);
#define SOURCE_ENOUGH 1000

struct source_walk {
  /* Users whose register does not have this text, and whose role set does not either, are only counted; WM_NO_TEXT:
   * all are handed over. For questions about one role: a million registers need not be decoded. */
  struct wm_text about;
  source_fn *take;
  void *taker;
  size_t users;  /* out: that were seen */
  size_t faults; /* out: entries that are no register; told on stderr and passed over */
};

/* All users, in no order. EXIT_FINE (look at 'faults'), or what went wrong, told. */
int source_each(const struct loaded *loaded, const struct options *options, struct source_walk *walk);

/* One user in 'ret' (a new register, free it; NULL: not known) with his roles, which are borrowed from 'arena'.
 * EXIT_FINE, or what went wrong, told. */
int source_find(const struct loaded *loaded, const struct options *options, struct wm_text name, struct wm_arena *arena,
                struct source_user *ret, struct wm_user **ret_user);

#endif

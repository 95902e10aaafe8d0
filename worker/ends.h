/* What time took from a user (or gave him) without any event. Each change is told with the moment at which it came to
 * pass in its id, so that whoever tells it, and whenever, tells it with the same id. An entry of the users table knows
 * up to which moment that has been told ('told_us'). */
#ifndef WM_WORKER_ENDS_H
#define WM_WORKER_ENDS_H

#include "core/codec/out.h"
#include "core/project.h"
#include "worker/users.h"

struct ends {
  struct wm_change *changes;
  int64_t *moments; /* when each of them came to pass */
  size_t count;
};

/* The changes of (since_us, until_us], in their order; borrows from 'arena' and 'workspace'. -1: out of memory. */
int ends_list(const struct wm_workspace *workspace, const struct wm_user *user, int64_t since_us, int64_t until_us,
              struct wm_arena *arena, struct ends *ret);

/* Before a decision made at 'now_us' is staged: what time changed up to then is told before it, because the new
 * register does not say it any more. Of an event that waited, more may have been told than it knew: 'ret_after' is what
 * does not hold any more with it. What time takes from the new register is left to the sweep. Moves the entry's
 * 'telling_us'. -1: out of memory. */
int ends_around(const struct wm_workspace *workspace, struct users_entry *entry, const struct wm_decision *decision,
                int64_t now_us, struct wm_arena *arena, struct ends *ret_before, struct ends *ret_after);

/* -1 as encode. */
int ends_encode(const struct wm_encode *encode, const struct wm_user *user, const struct ends *ends,
                struct wm_error *error);

#endif

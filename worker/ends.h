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

/* When a decision is made: 'now' of its event, and the wall clock. And the event's clock. */
struct ends_span {
  int64_t now_us, wall_us;
  struct wm_clock clock;
};

/* Around a decision that is about to be staged. 'ret_before': what time changed up to 'now', told before it, because
 * the new register does not say it any more. 'ret_after': what time has changed of the new register since. An event
 * that waited knows less than has been told meanwhile: what it changes and was told already is left out of 'decision',
 * and what was told and does not hold any more is in 'ret_after'. So gains and losses of a role alternate. Afterwards
 * all is told up to the wall clock ('telling_us'): with the transaction that brings the register. -1: out of memory. */
int ends_around(const struct wm_workspace *workspace, struct users_entry *entry, struct wm_decision *decision,
                const struct ends_span *span, struct wm_arena *arena, struct ends *ret_before, struct ends *ret_after);

/* -1 as encode. */
int ends_encode(const struct wm_encode *encode, const struct wm_user *user, const struct ends *ends,
                struct wm_error *error);

#endif

/* What two workspaces make of the same events and registers, and where they part. */
#ifndef WM_TOOLS_DIFF_H
#define WM_TOOLS_DIFF_H

#include "tools/lib/play.h"
#include "tools/lib/tally.h"

enum side { SIDE_OLD, SIDE_NEW };
#define SIDES 2

/* Columns of the tallies. */
enum { RUNS_ADDED, RUNS_REMOVED, RUNS_CHANGED, RUNS_SAME }; /* by automation */
enum { SENT_OLD, SENT_NEW, SENT_CHANGED };                  /* by channel; changed: another text, title or recipient */
enum { FAILS_NEWLY, FAILS_NO_LONGER };                      /* by automation, sequence and code */
enum { ROLE_GAINED, ROLE_LOST };                            /* by role: users */

struct diff {
  struct play plays[SIDES];
  struct tally runs, sent, failures, roles;
  size_t events, blank, rejected[SIDES];
  size_t users, users_gaining, users_losing;
};

void diff_init(struct diff *diff, const struct loaded *before, const struct loaded *after);
void diff_release(struct diff *diff);

/* Gives both sides the same register: one in JSON, or a line with one in it. -1: it is none, or no memory. */
int diff_add_user(struct diff *diff, struct wm_text line, struct wm_error *error);

/* Plays one line to both sides and counts where they part. -1: out of memory. */
int diff_line(struct diff *diff, struct wm_text line, struct wm_error *error);

/* A user whose effective roles are different now. Borrowed. */
typedef void diff_user_fn(void *taker, struct wm_text user, const struct wm_change *changes, size_t count);

/* Compares the effective roles of all users at 'now_us', by user id: counts, and calls 'take' for each who differs.
 * -1: out of memory. */
int diff_users(struct diff *diff, int64_t now_us, diff_user_fn *take, void *taker);

/* Is anything different? After diff_users. */
bool diff_differs(const struct diff *diff);

#endif

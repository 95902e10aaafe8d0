/* The decision: a pure function of workspace, event, register and time. */
#ifndef WM_CORE_DECIDE_H
#define WM_CORE_DECIDE_H

#include "core/match.h"
#include "core/outcome.h"
#include "core/project.h"

/* What the settings say about deciding. */
struct wm_terms {
  bool users_closed;     /* users: closed */
  int64_t notify_age_us; /* limits.notify-age; 0: no TOO_OLD (simulate) */
  size_t register_bytes; /* limits.register-bytes */
  /* Bytes of the register as it will be stored (the codec's encoder). */
  size_t (*register_size)(const struct wm_user *user);
};

enum wm_fate {
  WM_FATE_NOTHING,   /* no automation takes it, or an older profile: no record at all */
  WM_FATE_DUPLICATE, /* one of the last 32 events of its run that did something */
  WM_FATE_IGNORED,   /* a reserved type that this version does not know */
  WM_FATE_DECIDED
};

/* All arrays are borrowed from the arena given to wm_decide; 'user' belongs to the caller. */
struct wm_decision {
  enum wm_fate fate;
  struct wm_user *user;            /* a new register that replaces the old one; NULL: the register stays as it is */
  struct wm_execution *executions; /* by automation name */
  size_t execution_count;
  struct wm_change *changes; /* by role name */
  size_t change_count;
  struct wm_notification *notifications;
  size_t notification_count;
  const struct wm_approval *approval;   /* NULL: none */
  const struct wm_automation **unknown; /* candidates that could not tell when they were asked with the register */
  size_t unknown_count;
};

/* Decides one event. 'before' is the user's register, NULL when there is none yet (or no user). 'candidates' is what
 * wm_index_sift gave for a triggering event, NULL: sift here. 'home' is the partition for a new register.
 * -1 only when out of memory; then nothing is to be released. */
int wm_decide(const struct wm_workspace *workspace, const struct wm_terms *terms, const struct wm_event *event,
              const struct wm_user *before, int32_t home, const struct wm_candidates *candidates,
              struct wm_arena *arena, struct wm_decision *ret, struct wm_error *error);

/* Does deciding this event need the user's register? (false: it names no user, or nothing can take it) */
bool wm_decide_needs_user(const struct wm_event *event, const struct wm_candidates *candidates);

/* The clock of a task of this event: automation NULL for manual requests and profiles. Borrows. */
struct wm_clock wm_event_clock(const struct wm_event *event, const struct wm_automation *automation, int64_t sequence);

/* The changes from one set of effective roles to another, by role name; borrowed from the arena. -1: no memory. */
int wm_role_set_diff(const struct wm_role_set *before, const struct wm_role_set *after, enum wm_cause cause,
                     const struct wm_clock *clock, struct wm_arena *arena, struct wm_change **ret, size_t *ret_count);

#endif

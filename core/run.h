/* While a decision is being made: automations run on a working copy of the register. */
#ifndef WM_CORE_RUN_H
#define WM_CORE_RUN_H

#include "core/decide.h"

/* A role whose effectiveness a task changed; changes are what is left of that when all have run. */
struct wm_touch {
  struct wm_text role;
  bool before, now;      /* effective before the event, and after the tasks so far */
  struct wm_clock clock; /* of the write that made it what it is now */
};

/* What a task type's run() works on. */
struct wm_run {
  const struct wm_workspace *workspace;
  const struct wm_terms *terms;
  const struct wm_event *event;
  const struct wm_automation *automation; /* NULL: a manual request */
  struct wm_user *user;                   /* the working copy; NULL: the event is without a user */
  bool wrote;                             /* 'user' may differ from the register */
  struct wm_arena *arena;
  struct wm_decision *decision; /* notifications are added to it */
  size_t notification_capacity;
  struct wm_touch *touches;
  size_t touch_count, touch_capacity;
  bool gave_baseline;
  struct wm_error *error;
};

/* Runs one automation: 'repeat', tasks by sequence, 'on-failure'. -1: out of memory. */
int wm_run_automation(struct wm_run *run, const struct wm_automation *automation, struct wm_execution *ret);

/* Runs the one task of a request: change-role, or delegate for a holder's. -1: out of memory. */
int wm_run_request(struct wm_run *run, struct wm_execution *ret);

/* Did any task give a result other than skipped or failed? */
bool wm_execution_did(const struct wm_execution *execution);

/* The outcome of a failed task: one sentence, subject in single quotes. -1: out of memory. */
int wm_run_fail(struct wm_run *run, struct wm_outcome *outcome, enum wm_code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The role has become effective, or not effective any more, by the write with 'clock'. -1: out of memory. */
int wm_run_touch(struct wm_run *run, struct wm_text role, bool before, bool now, const struct wm_clock *clock);

/* Gives the role at the event's now. 'ret_too_large' gets the bytes that the register would have had when that is too
 * many: then nothing was written; else 0, and the others are as wm_user_add_grant fills them ('ret_stands' borrowed
 * from the arena). -1: out of memory. */
int wm_run_add_grant(struct wm_run *run, struct wm_text role, const struct wm_grant *grant, enum wm_write *ret,
                     struct wm_clock *ret_stands, size_t *ret_too_large);

/* Appends to the decision's notifications. -1: out of memory. */
int wm_run_notify(struct wm_run *run, const struct wm_notification *notification);

/* The effective roles of the working copy as it is now. -1: out of memory. */
int wm_run_project(struct wm_run *run, struct wm_role_set *ret);

#endif

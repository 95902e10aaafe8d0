/* What became of one event: values that the codec turns into records (contract 6 and 9). */
#ifndef WM_CORE_OUTCOME_H
#define WM_CORE_OUTCOME_H

#include "core/automation.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/user.h"

enum wm_result {
  WM_RESULT_CHANGED,
  WM_RESULT_UNCHANGED,
  WM_RESULT_SUPERSEDED,
  WM_RESULT_REQUESTED,
  WM_RESULT_SKIPPED,
  WM_RESULT_SUPPRESSED,
  WM_RESULT_HELD,
  WM_RESULT_FAILED
};

/* "changed", "unchanged" ... */
const char *wm_result_name(enum wm_result result);

enum wm_effective { WM_EFFECTIVE_NOT_TOLD, WM_EFFECTIVE_NO, WM_EFFECTIVE_YES };

/* A live grant by hand that gave way to one by hand that ends earlier. */
struct wm_replaced {
  struct wm_clock clock;
  int64_t until_us; /* WM_NEVER: it had no end */
  struct wm_text by;
};

struct wm_outcome {
  const struct wm_task *task;
  enum wm_result result;
  enum wm_code code;                  /* WM_OK: none */
  struct wm_text message;             /* of a failure; WM_NO_TEXT: none */
  enum wm_effective effective;        /* change-role with a user: is the role effective after this task? */
  bool lockout;                       /* a removal that left the user without any effective role */
  struct wm_text baseline;            /* the role that he was given in that case; WM_NO_TEXT: none */
  struct wm_clock stands;             /* superseded: the clock that stands */
  struct wm_dropped dropped;          /* a removal: grants of other sources that it took */
  const struct wm_replaced *replaces; /* a request that gives: what would have lasted longer; NULL: nothing */
};

/* The outcomes of one automation for one event. */
struct wm_execution {
  const struct wm_automation *automation; /* NULL: a manual request, or a holder's */
  struct wm_outcome *outcomes;
  size_t count;
  bool delegation; /* of a holder */
};

enum wm_cause {
  WM_CAUSE_TASK,
  WM_CAUSE_REQUEST,
  WM_CAUSE_PROFILE,
  WM_CAUSE_DELETION,
  WM_CAUSE_SIGN_IN,
  WM_CAUSE_CATALOGUE,
  WM_CAUSE_EXPIRY
};

/* "task", "request", "profile", "deletion", "sign-in", "catalogue", "expiry" */
const char *wm_cause_name(enum wm_cause cause);

/* An effective role gained or lost. */
struct wm_change {
  struct wm_text role;
  bool effective; /* gained, else lost */
  enum wm_cause cause;
  struct wm_clock clock; /* of the decision; not set for catalogue and expiry, see core/codec/out.h */
  bool lockout;
};

/* A holder's request that was approved: the role.assignment.requested that goes to the home of the receiver. */
struct wm_approval {
  struct wm_text to, role;
  struct wm_text by;     /* the giver */
  struct wm_text reason; /* WM_NO_TEXT: none */
  int64_t until_us;      /* WM_NEVER: no end */
};

/* A notification to be requested. */
struct wm_notification {
  const struct wm_automation *automation;
  const struct wm_task *task;
  struct wm_text recipient; /* user id of the one it is for; WM_NO_TEXT: 'address' was given in the task */
  struct wm_text address;   /* WM_NO_TEXT: not known; then the channel must do without */
  struct wm_text title, message;
};

#endif

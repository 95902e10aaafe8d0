/* The changes topic for people: role changes one by one, repetitions taken out (contract 9). */
#ifndef WM_TOOLS_CHANGES_H
#define WM_TOOLS_CHANGES_H

#include "core/clock.h"
#include "tools/lib/files.h"

#define OPTION_CHANGES                                                                                                 \
  { "changes", 0, "FILE", "change records from a file ('-' is stdin), one a line, in place of the changes topic" }

/* One effective role gained or lost; borrowed for the call. */
struct change {
  int64_t at_us; /* when it took effect: the record's timestamp. In a file: the event's time, else the one before */
  struct wm_text id, user, role;
  bool effective;            /* gained, else lost */
  struct wm_text cause;      /* "task", "request", "profile", "deletion", "catalogue", "expiry" ... */
  struct wm_clock clock;     /* of the decision; not set for catalogue and expiry */
  bool lockout;              /* the user was left without any role */
  struct wm_text event_type; /* of the event that caused it; WM_NO_TEXT: none did */
  struct wm_origin origin;   /* where that stands; topic WM_NO_TEXT: not told */
  struct wm_text catalogue;  /* digest, of one by the catalogue */
  struct wm_text by, reason; /* of a request; WM_NO_TEXT: not said */
};

/* Takes one change. Not EXIT_FINE ends the walk with this exit code. */
typedef int change_fn(void *taker, const struct change *change);

struct changes_walk {
  const char *user; /* NULL: everybody's */
  int64_t from_us;  /* INT64_MIN: from the beginning */
  change_fn *take;
  void *taker;
  size_t faults;     /* out: records that are no change; told on stderr and passed over */
  int64_t begins_us; /* out: of the first record, where retention has deleted older ones; else INT64_MIN */
};

/* Each change once, in the order in which they took effect (of one user; of several, partition by partition). A
 * repetition by catalogue or expiry is left out: the same id again while the role is as it says. EXIT_FINE, or what
 * went wrong, told: EXIT_OUTSIDE when Kafka can't be reached. */
int changes_each(const struct loaded *loaded, const struct options *options, struct changes_walk *walk);

#endif

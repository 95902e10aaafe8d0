/* Running failed tasks again: which, whether they may, what is sent, what came of it. Only the worker that owns a
 * partition writes registers, so what is sent is a copy of the event on topics.replay that says: only this task. */
#ifndef WM_TOOLS_REDRIVE_H
#define WM_TOOLS_REDRIVE_H

#include "tools/failures/failures.h"
#include "tools/requests/asker.h"

#define REDRIVE_PREFIX "redrive-"
#define REDRIVE_LIMIT 100000 /* tasks at once: they are kept in memory until all are told */

enum redrive_state {
  REDRIVE_READY,  /* is to be sent */
  REDRIVE_BEFORE, /* was sent again before */
  REDRIVE_GONE,   /* the event's record is there no more */
  REDRIVE_SENT
};

/* One failed task. Texts are in the arena. */
struct redrive_item {
  struct wm_origin origin;
  struct wm_text automation; /* "manual": a request */
  int64_t sequence;
  size_t order; /* in which failures were read */
  struct wm_text failure, user, code, what, task_type;
  int64_t at_us;
  enum redrive_state state;
  struct wm_text before;                /* REDRIVE_BEFORE: in which run */
  struct wm_text result, then, message; /* what came of it: result, code, message; no result: nothing came */
};

struct redrive {
  const struct options *options;
  struct loaded loaded;
  struct client *client;
  struct wm_arena arena;
  struct redrive_item *items; /* by origin, automation and sequence; one for each task */
  size_t count, capacity;
  size_t ready; /* are to be sent */
  char run[64];
  char by[ASKER_SIZE];
  const char *reason;
  bool notify, again, json;
  int64_t timeout_us;
  int64_t *outcome_ends, *failure_ends; /* by partition: where these topics ended before anything was sent */
  int64_t *replay_ends;                 /* and behind what was sent to topics.replay; 0: nothing was */
  size_t sent, rejected;
};

/* Selects the failures that are meant, the newest of each task, and finds what was sent before and what is gone.
 * EXIT_FINE, or what went wrong, told. */
int redrive_select(struct redrive *redrive);

/* The plan on stdout, and a line about what is left out on stderr. */
void redrive_tell_plan(const struct redrive *redrive);

/* Sends what is ready. EXIT_FINE, or what went wrong, told. */
int redrive_send(struct redrive *redrive);

/* Waits until the workers have passed what was sent, and reads what came of it. EXIT_FINE, or EXIT_OUTSIDE, told. */
int redrive_wait(struct redrive *redrive);

/* What came of it, on stdout. EXIT_BAD_NEWS when a task failed again or did not run. */
int redrive_tell(const struct redrive *redrive, bool waited);

/* The other way of `waymark redrive`: a rejected event is mended in an editor, and sent as a new one. The exit code. */
int redrive_edit(struct redrive *redrive);

/* Order of items; 'order' does not count. */
int redrive_compare(const struct redrive_item *a, const struct redrive_item *b);

#endif

/* The failures topic for people: failed tasks and rejected events one by one (contract 9). */
#ifndef WM_TOOLS_FAILURES_H
#define WM_TOOLS_FAILURES_H

#include "core/event.h"
#include "tools/lib/files.h"
#include "worker/client.h"

/* Rows of the commands that select failures. */
#define OPTION_FAILURES                                                                                                \
  { "failures", 0, "FILE", "failure records from a file ('-' is stdin), one a line, in place of topics.failures" }
#define OPTION_CODE                                                                                                    \
  { "code", 0, "CODE", "only those with this code" }
#define OPTION_AUTOMATION                                                                                              \
  { "automation", 0, "AUTOMATION", "only those of this automation; 'manual': of requests" }
#define OPTION_USER                                                                                                    \
  { "user", 0, "USER", "only those of this user" }
#define OPTION_FAILED_SINCE                                                                                            \
  { "since", 0, "TIME|DURATION", "only those of then or later: a day, a time, or how long ago (2h)" }
#define OPTION_FAILED_UNTIL                                                                                            \
  { "until", 0, "TIME|DURATION", "only those of then or before" }

/* One failed task or rejected event; borrowed for the call. */
struct failure {
  int64_t at_us; /* when it was recorded: the record's timestamp. In a file: the event's time, else the one before */
  struct wm_text id; /* <run>:<topic>/<partition>/<offset>[:<automation>:<sequence>] */
  struct wm_text user, run, code, message;
  struct wm_text event_source, event_id, event_type; /* WM_NO_TEXT: not known */
  struct wm_origin origin;
  bool rejected;             /* the event was; else a task failed, and these are set: */
  struct wm_text automation; /* "manual": a request */
  struct wm_text task_name, task_type, role;
  int64_t sequence;
  const struct wm_value *value; /* all of it */
  struct wm_text json;          /* the same as it was written */
};

struct failures_filter {
  const char *code, *automation, *role, *user; /* NULL: any */
  bool rejected, failed;                       /* only these; neither: both */
  int64_t since_us, until_us;
};

/* Reads the options of the rows above and "role", "rejected", "failed", as far as the command has them. EXIT_FINE, or
 * EXIT_USAGE, told. */
int failures_filter_read(const struct options *options, struct failures_filter *ret);
bool failures_filter_takes(const struct failures_filter *filter, const struct failure *failure);

/* Takes one. Not EXIT_FINE ends the walk with this exit code; FAILURES_ENOUGH ends it with EXIT_FINE. */
typedef int failure_fn(void *taker, const struct failure *failure);
#define FAILURES_ENOUGH 1000

struct failures_walk {
  struct failures_filter filter;
  bool follow; /* go on with those to come, until the process ends or 'take' has enough */
  failure_fn *take;
  void (*pause)(void *taker); /* NULL, or called when there is nothing to read for now */
  void *taker;
  size_t faults;     /* out: records that are no failure; told on stderr and passed over */
  int64_t begins_us; /* out: of the first record, where retention has deleted older ones; else INT64_MIN */
};

/* Each failure that the filter takes, in the order of each partition (partitions mixed), in bounded memory. EXIT_FINE,
 * or what went wrong, told: EXIT_OUTSIDE when Kafka can't be reached. */
int failures_each(const struct loaded *loaded, const struct options *options, struct failures_walk *walk);

/* "a, task 20 Grant it", "request by hand", "rejected event": what failed. */
void failure_what(const struct failure *failure, struct wm_buf *buf);

/* The ways of `waymark failures`. */
int failures_list(const struct invocation *invocation);
int failures_stats(const struct invocation *invocation);
int failures_show(const struct invocation *invocation);

#endif

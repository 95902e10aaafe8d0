/* Waymark's topics: making them, and looking whether they are as they must be (contract 4, 9; architecture 4). */
#ifndef WM_WORKER_TOPICS_H
#define WM_WORKER_TOPICS_H

#include "core/codec/out.h"
#include "worker/settings.h"

enum topics_what {
  TOPICS_CREATED,
  TOPICS_FINE,     /* it was there, and nothing is wrong with it */
  TOPICS_DOUBTFUL, /* a worker can live with it, an operator should know */
  TOPICS_WRONG     /* a worker refuses to start */
};

struct topics_line {
  const char *topic;
  enum topics_what what;
  const char *sentence; /* what was done or is wrong, and the remedy */
};

/* Takes one line; it is borrowed for the call. */
typedef void topics_fn(void *taker, const struct topics_line *line);

/* max.message.bytes by output, the smallest of the dead letter topics; SIZE_MAX: not known. */
struct topics_limits {
  size_t bytes[WM_OUT_COUNT];
};

/* Creates what is missing (users and control compacted, failures and dead letter topics with room above their inputs'
 * limit, replication as the broker's default), writes the birth records and the record 'partitions' of waymark.control,
 * and then checks everything. What exists is never changed. Each topic is told once or more. Waits up to 15 s for
 * brokers. Returns 0 (lines may tell of TOPICS_WRONG), -1 with KAFKA_FAILED, SETTING_INVALID or OUT_OF_MEMORY. */
int topics_create(const struct settings *settings, topics_fn *tell, void *taker, struct wm_error *error);

/* Only looks. 'ret_limits' may be NULL. */
int topics_check(const struct settings *settings, topics_fn *tell, void *taker, struct topics_limits *ret_limits,
                 struct wm_error *error);

/* Only the records of a new cluster: births and 'partitions'. For the embedded broker, which makes topics its own way.
 */
int topics_seed(const struct settings *settings, topics_fn *tell, void *taker, struct wm_error *error);

/* --- another number of partitions (waymark topics rehome) --- */

struct topics_found {
  const char *topic; /* borrowed for the call */
  bool input;
  int32_t wanted, found; /* partitions; found -1: there is no such topic */
};
typedef int topics_found_fn(void *taker, const struct topics_found *found);

/* What is there of every topic, in the order of a plan. Not 0 of 'take' ends it and is returned; -1 as topics_create.
 */
int topics_survey(const struct settings *settings, topics_found_fn *take, void *taker, struct wm_error *error);

/* Only the first half of topics_create: what is missing, with birth records; nothing is checked. */
int topics_make(const struct settings *settings, topics_fn *tell, void *taker, struct wm_error *error);

/* Would the brokers let us do what topics_grow does? Tells of each topic for which they would not. */
int topics_may_grow(const struct settings *settings, topics_fn *tell, void *taker, struct wm_error *error);

/* Gives every topic but users and control as many partitions as the settings say, if it has fewer, and waits until
 * the brokers know of them. 'ret_left': how many still have fewer; it was told why, or the brokers are slow. */
int topics_grow(const struct settings *settings, topics_fn *tell, void *taker, size_t *ret_left,
                struct wm_error *error);

/* Every topic and its number of partitions, in the order of a plan. -1: 'take' said so, or out of memory. */
typedef int topics_name_fn(void *taker, const char *topic, int32_t partitions);
int topics_each(const struct settings *settings, topics_name_fn *take, void *taker);

#endif

/* What topics.c (topics and their settings), topics_records.c (the records that they begin with) and topics_grow.c
 * (more partitions) share. */
#ifndef WM_WORKER_TOPICS_INTERNAL_H
#define WM_WORKER_TOPICS_INTERNAL_H

#include "worker/kafka_internal.h"
#include "worker/topics.h"

enum topics_kind {
  TOPICS_INPUT,
  TOPICS_USERS,
  TOPICS_CONTROL,
  TOPICS_OUTPUT,
  TOPICS_ROOMY /* failures and dead letters: more room than the inputs */
};

struct topics_plan {
  const char *name;
  enum topics_kind kind;
  enum wm_topic output; /* WM_OUT_COUNT: none */
  int32_t partitions;   /* wanted */
  int32_t found;        /* -1: no such topic; 0: there is one perhaps, but not for us to look at ('refused') */
  rd_kafka_resp_err_t refused;
  bool made;       /* it is there now, whether or not the broker that is asked knows of it yet */
  bool told;       /* something was said of it */
  char policy[64]; /* cleanup.policy; "": not known */
  size_t limit;    /* max.message.bytes; SIZE_MAX: not known */
};

struct topics_work {
  const struct settings *settings;
  topics_fn *tell;
  void *taker;
  struct wm_arena arena;
  struct kafka_handle admin; /* a consumer: its metadata requests create nothing */
  int64_t deadline_us;
  struct topics_plan *plans;
  size_t count;
  int32_t broker; /* one of the cluster, to be asked for settings; -1: not known */
  bool doubted;   /* it was told that settings can't be read */
};

__attribute__((format(printf, 4, 5))) void topics_say(struct topics_work *work, struct topics_plan *plan,
                                                      enum topics_what what, const char *format, ...);
struct topics_plan *topics_find(struct topics_work *work, enum topics_kind kind);

/* Makes the plan and connects; close in any case. */
int topics_open(struct topics_work *work, const struct settings *settings, topics_fn *tell, void *taker,
                struct wm_error *error);
void topics_close(struct topics_work *work);

/* Fills what is found of each plan. */
int topics_look(struct topics_work *work, struct wm_error *error);

/* Creates the topics that are missing and writes the records that they begin with. */
int topics_make_missing(struct topics_work *work, struct wm_error *error);

/* Writes what is missing. */
int topics_write_records(struct topics_work *work, struct wm_error *error);
/* Tells what is wrong with them. */
int topics_check_records(struct topics_work *work, struct wm_error *error);

#endif

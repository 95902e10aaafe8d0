/* What `waymark doctor` asks of Redis and Kafka themselves; nothing is changed. */
#ifndef WM_WORKER_EXAMINE_H
#define WM_WORKER_EXAMINE_H

#include "core/arena.h"
#include "core/error.h"
#include "worker/settings.h"

#define EXAMINED_NOT_ALLOWED INT64_MIN

/* Texts are borrowed from the arena of the call; "": Redis does not say it. */
struct examined_redis {
  const char *version;     /* "7.0.15" */
  const char *policy;      /* maxmemory-policy */
  const char *role;        /* "master" or "slave" */
  const char *save_status; /* "ok" or "err": the last save to disk */
  const char *append_status;
  bool cluster, appends; /* cluster mode; an append-only file */
  int64_t saves;         /* saves to disk are configured: 1, not: 0, not known: -1 */
  int64_t used, limit;   /* bytes; limit 0: none */
  int64_t evicted;       /* keys, since it was started */
  int64_t ahead_us;      /* how far its clock is before the host's; EXAMINED_NOT_ALLOWED */
};

/* -1 with REDIS_FAILED, SETTING_INVALID (password file) or OUT_OF_MEMORY. The process has to ignore SIGPIPE. */
int examine_redis(const struct settings *settings, struct wm_arena *arena, struct examined_redis *ret,
                  struct wm_error *error);

/* How long a topic keeps records. */
struct examined_topic {
  const char *name;
  bool input;
  int64_t keep_ms; /* -1: for ever, -2: not known */
};

struct examined_kafka {
  int brokers;
  const char *group_state; /* "Stable", "Empty" ...; "": not known */
  const char *group_error; /* why nothing is known of the group; "": it is */
  int members;
  int64_t lag; /* records of all inputs that the group has not committed; -1: not known */
  const char *lag_error;
  struct examined_topic *topics;
  size_t topic_count;
  const char *topic_error; /* why the settings of topics are not known */
};

/* -1 with KAFKA_FAILED (no broker answers), SETTING_INVALID or OUT_OF_MEMORY. */
int examine_kafka(const struct settings *settings, struct wm_arena *arena, struct examined_kafka *ret,
                  struct wm_error *error);

#endif

/* What `waymark doctor` asks of Redis and Kafka themselves; nothing is changed. */
#ifndef WM_WORKER_EXAMINE_H
#define WM_WORKER_EXAMINE_H

#include "core/arena.h"
#include "core/error.h"
#include "worker/settings.h"

#define EXAMINED_NOT_ALLOWED INT64_MIN

/* What somebody may do, of what a worker has to. */
enum examined_state {
  EXAMINED_MAY,
  EXAMINED_LACKS,
  EXAMINED_NAMELESS, /* the settings do not tell by which name he is known */
  EXAMINED_SECRET,   /* he may not ask, or the server can't tell */
};
struct examined_rights {
  enum examined_state state;
  const char *who, *lacks; /* borrowed from the arena of the call; "": nothing to say */
};

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
  struct examined_rights rights;
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
  struct examined_rights rights;
};

/* -1 with KAFKA_FAILED (no broker answers), SETTING_INVALID or OUT_OF_MEMORY. */
int examine_kafka(const struct settings *settings, struct wm_arena *arena, struct examined_kafka *ret,
                  struct wm_error *error);

bool examine_is_input(const struct settings *settings, const char *topic);

/* The rights of the user in 'sasl.username', by the ACLs of the brokers. */
struct kafka_handle;
void examine_acls(struct kafka_handle *handle, const struct settings *settings, struct wm_arena *arena,
                  struct examined_rights *ret);

#endif

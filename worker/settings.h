/* waymark.yaml (contract 11): one table of settings, read by the worker and the command. */
#ifndef WM_WORKER_SETTINGS_H
#define WM_WORKER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/finding.h"
#include "core/path.h"

struct setting_pair {
  const char *name, *value;
};

/* In waymark.yaml. */
struct setting_place {
  unsigned line, column;
};

/* All strings are NUL-terminated and belong to the arena. */
struct settings {
  struct wm_arena arena;
  const char *instance; /* default: the host name */
  struct {
    const char *bootstrap, *group;
    bool exactly_once; /* delivery: exactly-once | at-least-once */
    int32_t partitions;
    const char *partitioner; /* murmur2 | consistent | fnv1a (names of librdkafka) */
    struct setting_pair *properties;
    struct setting_place *property_places; /* one for each, as long as the settings are those that were read */
    size_t property_count;
  } kafka;
  struct {
    const char **events; /* topics.events */
    size_t event_count;
    const char *directory, *requests, *replay;
    const char *users, *outcomes, *changes, *failures, *notifications, *control;
  } topics;
  struct {
    const char *address; /* "host:port" or an absolute path of a Unix socket */
    const char *username, *password_file, *prefix;
  } redis;
  bool users_closed;
  struct {
    const char *role; /* "": none */
    unsigned line, column;
  } baseline;
  struct {
    size_t event_bytes, register_bytes, batch_events, drift_users;
    int64_t batch_us, clock_skew_us, notify_age_us; /* batch-ms, clock-skew, notify-age */
  } limits;
  const char **ignore;
  size_t ignore_count;
  struct wm_path *user_written; /* trust.user-written */
  size_t user_written_count;
  const char *http_listen;
  const char *log_level;  /* debug | info | warning | error */
  const char *log_format; /* text | json */
};

enum settings_mode {
  SETTINGS_OFFLINE, /* a missing variable is a warning and its setting the default, no secret is read */
  SETTINGS_LINT,    /* a missing variable is invalid; no secret is read */
  SETTINGS_FULL     /* a missing variable or password file is invalid */
};

/* Reads the bytes of waymark.yaml (bytes == NULL: no such file, all defaults). Findings are added; 0 when nothing was
 * invalid. 'file' is for messages. Release with settings_release in any case. */
int settings_read(struct settings *settings, struct wm_text file, struct wm_text bytes, enum settings_mode mode,
                  struct wm_findings *findings);
void settings_release(struct settings *settings);

/* The settings that differ and need a restart, one after the other: their names from row 'at' on, which begins with 0;
 * NULL after the last. */
const char *settings_next_changed(const struct settings *before, const struct settings *after, size_t *at);

/* After how long without a word the group takes its partitions from a worker: 'session.timeout.ms' or its default. */
#define SETTINGS_SESSION_MS 10000
int64_t settings_session_ms(const struct settings *settings);

/* Why a property of librdkafka can't be set by the user; NULL: it can. */
const char *settings_property_refused(const char *name);

/* One row of the table: the sample file, the schema and the manual page come from it. */
struct setting_row {
  const char *name;     /* "kafka.bootstrap" */
  const char *type;     /* "text", "name", "number", "bytes", "duration", "list", "map", "a | b" */
  const char *fallback; /* the default as it is written in YAML */
  bool reloadable;      /* takes effect on SIGHUP */
  const char *help;
};
extern const struct setting_row setting_rows[]; /* ended by a row without a name */

#endif

/* What the files of the settings share. */
#ifndef WM_WORKER_SETTINGS_PARTS_H
#define WM_WORKER_SETTINGS_PARTS_H

#include "core/codec/yaml.h"
#include "worker/settings.h"

/* A topic and where it is named; line 0: nowhere, it is the default. */
struct settings_topic {
  const char *setting, *name;
  bool input;
  unsigned line, column;
};

#define SETTINGS_TOPICS_LIMIT 128

struct settings_place;

/* waymark.yaml while it is read. */
struct settings_reading {
  struct settings *settings;
  struct wm_findings *findings;
  struct wm_text file;
  enum settings_mode mode;
  const struct setting_row *row; /* what is being read */
  const struct settings_place *place;
  bool fallback; /* it is a default: it has no place in the file */
  bool memory;   /* out of it */
  struct settings_topic topics[SETTINGS_TOPICS_LIMIT];
  size_t topic_count;
};

/* Reads a value into 'place'; reports what is wrong. */
typedef void settings_fn(struct settings_reading *reading, const struct wm_node *node, void *place);

struct settings_place {
  settings_fn *set;
  size_t offset;
  int64_t low, high;
};

/* What rows of settings.def name. */
settings_fn set_instance, set_text, set_filled, set_key_prefix, set_brokers, set_address, set_listen, set_secret_file, set_word, set_partitioner,
    set_delivery, set_users, set_role, set_int32, set_size, set_milliseconds, set_duration, set_topic, set_topics,
    set_ignore, set_user_written, set_properties;

/* No two topics may be one, nor be the dead letters of another. */
void settings_check_topics(struct settings_reading *reading);

const char *settings_keep(struct settings_reading *reading, struct wm_text text); /* a copy in the settings' arena */

/* A relative path counts from the folder of waymark.yaml. NULL: out of memory. */
const char *settings_path(struct settings_reading *reading, const char *path);

/* The text of a scalar with ${NAME} filled in, new in the settings' arena. NULL: reported, or left open (lint). */
const char *settings_scalar(struct settings_reading *reading, const struct wm_node *node);

#define settings_invalid(reading, node, code, ...)                                                                     \
  wm_findings_add((reading)->findings, WM_INVALID, (code), (reading)->file, (node)->line, (node)->column, __VA_ARGS__)

#endif

/* What the two halves of the index share: match_build.c makes it, match.c asks it. */
#ifndef WM_CORE_MATCH_PARTS_H
#define WM_CORE_MATCH_PARTS_H

#include "core/hash.h"
#include "core/match.h"

/* Automations by position, ascending, each once. */
struct wm_match_list {
  const struct wm_automation **items;
  size_t count;
};

/* Those that need one value of a path. */
struct wm_match_slot {
  const struct wm_value *value; /* NULL: a free slot */
  uint64_t hash;
  struct wm_match_list list;
};

/* Those that need some value of one path: a hash table with open addressing. */
struct wm_match_group {
  const struct wm_path *path;
  struct wm_match_slot *slots;
  size_t mask; /* slots - 1, a power of two */
};

/* The groups whose paths begin with one name below event. or data. */
struct wm_match_name {
  const struct wm_match_group *groups; /* NULL: a free place */
  size_t count;
};

#define WM_MATCH_FEW_GROUPS 8 /* so many paths are looked up one by one; more are found by the event's own names */

/* Those of one trigger. */
struct wm_match_bucket {
  struct wm_text text; /* an event type, or what stands before the '*' */
  bool prefix;
  uint64_t hash;
  struct wm_match_list members;  /* all that are enabled; only while it is built */
  struct wm_match_group *groups; /* by path */
  size_t group_count;
  struct wm_match_name *names; /* a hash table with open addressing; NULL: few groups */
  size_t name_mask;
  struct wm_match_list always; /* those without an equality to go by */
};

struct wm_index {
  struct wm_arena arena;
  struct wm_match_bucket **buckets; /* a hash table with open addressing */
  size_t mask;
  size_t *prefix_sizes; /* how long the prefixes are, each once */
  size_t prefix_size_count;
};

static inline uint64_t wm_match_bucket_hash(struct wm_text text, bool prefix) {
  return wm_hash(text) ^ (prefix ? UINT64_C(0x9e3779b97f4a7c15) : 0);
}

/* The place of a bucket, or the free one where it belongs. */
struct wm_match_bucket **wm_match_bucket_place(const struct wm_index *index, struct wm_text text, bool prefix);

/* The place of a first name below a root, or the free one where it belongs. */
struct wm_match_name *wm_match_name_place(const struct wm_match_bucket *bucket, enum wm_path_root root,
                                          struct wm_text name);

/* The slot of a value, or the free one where it belongs. */
struct wm_match_slot *wm_match_slot_place(const struct wm_match_group *group, const struct wm_value *value,
                                          uint64_t hash);

#endif

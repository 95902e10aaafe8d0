#include "core/match.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/match_parts.h"

struct wm_match_bucket **wm_match_bucket_place(const struct wm_index *index, struct wm_text text, bool prefix) {
  uint64_t hash = wm_match_bucket_hash(text, prefix);
  for (size_t at = hash & index->mask;; at = (at + 1) & index->mask) {
    struct wm_match_bucket *bucket = index->buckets[at];
    if (!bucket || (bucket->hash == hash && bucket->prefix == prefix && wm_text_equal(bucket->text, text)))
      return &index->buckets[at];
  }
}

struct wm_match_slot *wm_match_slot_place(const struct wm_match_group *group, const struct wm_value *value,
                                          uint64_t hash) {
  for (size_t at = hash & group->mask;; at = (at + 1) & group->mask) {
    struct wm_match_slot *slot = &group->slots[at];
    if (!slot->value || (slot->hash == hash && wm_value_equal(slot->value, value)))
      return slot;
  }
}

struct wm_match_name *wm_match_name_place(const struct wm_match_bucket *bucket, enum wm_path_root root,
                                          struct wm_text name) {
  for (size_t at = (wm_hash(name) + root) & bucket->name_mask;; at = (at + 1) & bucket->name_mask) {
    struct wm_match_name *place = &bucket->names[at];
    if (!place->groups)
      return place;
    const struct wm_path *path = place->groups[0].path;
    if (path->root == root && wm_text_equal(path->names[0], name))
      return place;
  }
}

bool wm_index_takes(const struct wm_index *index, struct wm_text type) {
  if (wm_event_type_is_reserved(type))
    return false;
  if (*wm_match_bucket_place(index, type, false))
    return true;
  for (size_t i = 0; i < index->prefix_size_count; i++) {
    struct wm_text prefix = {type.bytes, index->prefix_sizes[i]};
    if (prefix.size <= type.size && *wm_match_bucket_place(index, prefix, true))
      return true;
  }
  return false;
}

/* Automations collected for one event, in memory of the caller's arena. */
struct collection {
  const struct wm_automation **items;
  size_t count, capacity;
  struct wm_arena *arena;
};

static int collect(struct collection *collection, const struct wm_match_list *list) {
  size_t needed = collection->count + list->count;
  if (needed > collection->capacity) {
    size_t capacity = needed < 8 ? 8 : needed * 2;
    const struct wm_automation **items = WM_ARENA_ARRAY(collection->arena, const struct wm_automation *, capacity);
    if (!items)
      return -1;
    if (collection->count > 0)
      memcpy(items, collection->items, collection->count * sizeof(const struct wm_automation *));
    collection->items = items;
    collection->capacity = capacity;
  }
  if (list->count > 0)
    memcpy(collection->items + collection->count, list->items, list->count * sizeof(const struct wm_automation *));
  collection->count = needed;
  return 0;
}

/* An automation whose equality does not hold can't answer yes. */
static int collect_group(struct collection *collection, const struct wm_match_group *group,
                         const struct wm_value *value) {
  if (!value || !wm_value_is_scalar(value))
    return 0;
  const struct wm_match_slot *slot = wm_match_slot_place(group, value, wm_value_hash(value));
  return slot->value ? collect(collection, &slot->list) : 0;
}

/* The groups that the members of an object lead to: paths that the event does not have cost nothing. */
static int collect_members(struct collection *collection, const struct wm_match_bucket *bucket, enum wm_path_root root,
                           const struct wm_value *object) {
  size_t count = object && object->type == WM_OBJECT ? object->object.count : 0;
  for (size_t i = 0; i < count; i++) {
    const struct wm_member *member = &object->object.members[i];
    const struct wm_match_name *name = wm_match_name_place(bucket, root, member->name);
    for (size_t g = 0; g < name->count; g++) {
      const struct wm_path *path = name->groups[g].path;
      const struct wm_value *value = &member->value;
      for (size_t n = 1; n < path->count && value; n++)
        value = wm_value_member(value, path->names[n]);
      if (collect_group(collection, &name->groups[g], value) < 0)
        return -1;
    }
  }
  return 0;
}

/* Looks up each path of the bucket at most once. */
static int collect_bucket(struct collection *collection, const struct wm_match_bucket *bucket,
                          const struct wm_scope *scope) {
  if (bucket->names) {
    if (collect_members(collection, bucket, WM_PATH_EVENT, &scope->event->attributes) < 0 ||
        collect_members(collection, bucket, WM_PATH_DATA, scope->event->data) < 0)
      return -1;
    return collect(collection, &bucket->always);
  }
  for (size_t i = 0; i < bucket->group_count; i++) {
    const struct wm_match_group *group = &bucket->groups[i];
    if (collect_group(collection, group, wm_path_get(group->path, scope)) < 0)
      return -1;
  }
  return collect(collection, &bucket->always);
}

static int compare_positions(const void *left, const void *right) {
  const struct wm_automation *const *a = left, *const *b = right;
  return *a < *b ? -1 : *a > *b; /* all in one array */
}

/* Several triggers of an automation may take one event. */
static void sort_without_doubles(struct collection *collection) {
  const struct wm_automation **items = collection->items;
  bool sorted = true;
  for (size_t i = 1; i < collection->count && sorted; i++)
    sorted = items[i - 1] < items[i];
  if (sorted)
    return;
  qsort(items, collection->count, sizeof(const struct wm_automation *), compare_positions);
  size_t kept = 1;
  for (size_t i = 1; i < collection->count; i++)
    if (items[i] != items[kept - 1])
      items[kept++] = items[i];
  collection->count = kept;
}

/* Between which answers the condition lies while nothing is known of the user. */
struct bounds {
  enum wm_answer low, high;
};

static struct bounds bounds_of(const struct wm_condition *condition, const struct wm_scope *scope) {
  if (condition->kind == WM_FIELD) {
    if (wm_path_is_user(&condition->path))
      return (struct bounds){WM_NO, WM_YES};
    enum wm_answer answer = wm_condition_answer(condition, scope);
    return (struct bounds){answer, answer};
  }
  if (condition->kind == WM_NOT) {
    struct bounds child = bounds_of(&condition->children[0], scope);
    return (struct bounds){(enum wm_answer)(WM_YES - child.high), (enum wm_answer)(WM_YES - child.low)};
  }
  bool all = condition->kind == WM_ALL;
  struct bounds bounds = all ? (struct bounds){WM_YES, WM_YES} : (struct bounds){WM_NO, WM_NO};
  for (size_t i = 0; i < condition->count; i++) {
    struct bounds child = bounds_of(&condition->children[i], scope);
    if (all ? child.low < bounds.low : child.low > bounds.low)
      bounds.low = child.low;
    if (all ? child.high < bounds.high : child.high > bounds.high)
      bounds.high = child.high;
  }
  return bounds;
}

static struct bounds ask(const struct wm_automation *automation, const struct wm_scope *scope) {
  if (automation->reads_user && scope->event->user.bytes)
    return bounds_of(&automation->when, scope);
  enum wm_answer answer = wm_condition_answer(&automation->when, scope);
  return (struct bounds){answer, answer};
}

static bool cannot_tell(const struct bounds *bounds) {
  return bounds->low == WM_UNKNOWN && bounds->high == WM_UNKNOWN;
}

static int collect_all(const struct wm_index *index, const struct wm_scope *scope, struct collection *collection) {
  struct wm_text type = scope->event->type;
  const struct wm_match_bucket *bucket = *wm_match_bucket_place(index, type, false);
  if (bucket && collect_bucket(collection, bucket, scope) < 0)
    return -1;
  for (size_t i = 0; i < index->prefix_size_count; i++) {
    struct wm_text prefix = {type.bytes, index->prefix_sizes[i]};
    bucket = prefix.size <= type.size ? *wm_match_bucket_place(index, prefix, true) : NULL;
    if (bucket && collect_bucket(collection, bucket, scope) < 0)
      return -1;
  }
  return 0;
}

/* They come in the order of the workspace, at most 'most' of them. */
static int add_unknown(struct wm_candidates *candidates, const struct wm_automation *automation, size_t most,
                       struct wm_arena *arena) {
  if (!candidates->unknown)
    candidates->unknown = WM_ARENA_ARRAY(arena, const struct wm_automation *, most);
  if (!candidates->unknown)
    return -1;
  candidates->unknown[candidates->unknown_count++] = automation;
  return 0;
}

int wm_index_sift(const struct wm_index *index, const struct wm_event *event, struct wm_arena *arena,
                  struct wm_candidates *ret) {
  *ret = (struct wm_candidates){0};
  if (wm_event_type_is_reserved(event->type))
    return 0;
  struct collection collection = {.arena = arena};
  const struct wm_scope scope = {.event = event, .now_us = event->now_us};
  if (collect_all(index, &scope, &collection) < 0)
    return -1;
  sort_without_doubles(&collection);
  size_t kept = 0;
  for (size_t i = 0; i < collection.count; i++) {
    struct bounds bounds = ask(collection.items[i], &scope);
    if (cannot_tell(&bounds) && add_unknown(ret, collection.items[i], collection.count, arena) < 0)
      return -1;
    if (bounds.high == WM_YES)
      collection.items[kept++] = collection.items[i];
  }
  ret->items = collection.items;
  ret->count = kept;
  return 0;
}

int wm_match_look(const struct wm_automation *automations, size_t count, const struct wm_event *event,
                  struct wm_arena *arena, struct wm_candidates *candidates) {
  const struct wm_scope scope = {.event = event, .now_us = event->now_us};
  struct wm_candidates all = {0};
  size_t known = 0, most = count + candidates->unknown_count;
  if (wm_event_type_is_reserved(event->type))
    return 0;
  for (size_t i = 0; i < count; i++) {
    const struct wm_automation *automation = &automations[i];
    for (; known < candidates->unknown_count && candidates->unknown[known] < automation; known++)
      if (add_unknown(&all, candidates->unknown[known], most, arena) < 0)
        return -1;
    if (!automation->enabled || !wm_automation_takes(automation, event->type))
      continue;
    struct bounds bounds = ask(automation, &scope);
    bool counted = known < candidates->unknown_count && candidates->unknown[known] == automation;
    if (!counted && cannot_tell(&bounds) && add_unknown(&all, automation, most, arena) < 0)
      return -1;
  }
  for (; known < candidates->unknown_count; known++)
    if (add_unknown(&all, candidates->unknown[known], most, arena) < 0)
      return -1;
  candidates->unknown = all.unknown;
  candidates->unknown_count = all.unknown_count;
  return 0;
}

/* Making the index. Each automation of a bucket is filed under one equality that its conditions can't do without
 * (a field of the event that must be one value, or one of some), so that an event meets only those that need what
 * it says. Which one: the one whose values are rarest in the bucket. */
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/match_parts.h"

/* An equality that an automation can't do without. */
struct equality {
  const struct wm_path *path;
  const struct wm_test *test; /* 'is' or 'in' */
};

static size_t value_count(const struct equality *equality) {
  const struct wm_value *operand = &equality->test->operand;
  return operand->type == WM_LIST ? operand->list.count : 1;
}

static const struct wm_value *value_at(const struct equality *equality, size_t i) {
  const struct wm_value *operand = &equality->test->operand;
  return operand->type == WM_LIST ? &operand->list.items[i] : operand;
}

/* How often something occurs, by its hash; two things with one hash only make the guess worse. */
struct tally {
  struct {
    uint64_t hash;
    size_t count;
  } * entries;
  size_t mask;
};

static size_t power_above(size_t count) {
  size_t size = 4;
  while (size < count * 2)
    size *= 2;
  return size;
}

static int tally_init(struct tally *tally, size_t count, struct wm_arena *scratch) {
  size_t size = power_above(count);
  tally->entries = wm_arena_array(scratch, size, sizeof(*tally->entries));
  tally->mask = size - 1;
  return tally->entries ? 0 : -1;
}

static size_t *tally_count(const struct tally *tally, uint64_t hash) {
  size_t at = hash & tally->mask;
  while (tally->entries[at].count > 0 && tally->entries[at].hash != hash)
    at = (at + 1) & tally->mask;
  tally->entries[at].hash = hash;
  return &tally->entries[at].count;
}

static uint64_t path_hash(const struct wm_path *path) {
  uint64_t hash = (uint64_t)path->root + 1;
  for (size_t i = 0; i < path->count; i++)
    hash = (hash ^ wm_hash(path->names[i])) * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ hash >> 32;
}

static uint64_t pair_hash(uint64_t path, const struct wm_value *value) {
  uint64_t hash = (path ^ wm_value_hash(value)) * UINT64_C(0xff51afd7ed558ccd);
  return hash ^ hash >> 32;
}

/* Calls 'use' for each equality that 'condition' can't do without: entries of 'all', at any depth. */
typedef void use_equality(void *context, const struct equality *equality);

static void each_equality(const struct wm_condition *condition, use_equality *use, void *context) {
  if (condition->kind == WM_ALL)
    for (size_t i = 0; i < condition->count; i++)
      each_equality(&condition->children[i], use, context);
  if (condition->kind != WM_FIELD || wm_path_is_user(&condition->path))
    return;
  for (size_t i = 0; i < condition->test_count; i++) {
    const struct equality equality = {&condition->path, &condition->tests[i]};
    const char *name = equality.test->operator->name;
    if (strcmp(name, "is") == 0 || strcmp(name, "in") == 0)
      use(context, &equality);
  }
}

static void count_values(void *context, const struct equality *equality) {
  size_t *count = context;
  *count += value_count(equality);
}

/* What occurs how often in a bucket. */
struct occurrences {
  struct tally paths, pairs;
};

static void tally_equality(void *context, const struct equality *equality) {
  struct occurrences *occurrences = context;
  uint64_t path = path_hash(equality->path);
  size_t count = value_count(equality);
  *tally_count(&occurrences->paths, path) += count;
  for (size_t i = 0; i < count; i++)
    ++*tally_count(&occurrences->pairs, pair_hash(path, value_at(equality, i)));
}

/* The best equality found so far for one automation. */
struct choice {
  const struct occurrences *occurrences;
  struct equality best; /* path == NULL: none */
  size_t tries, used;
};

/* An event pays for the tries, as often as the values occur. Of two that cost the same, the one whose path is used
 * more: fewer paths to look up. */
static void weigh_equality(void *context, const struct equality *equality) {
  struct choice *choice = context;
  uint64_t path = path_hash(equality->path);
  size_t tries = 0, used = *tally_count(&choice->occurrences->paths, path);
  for (size_t i = 0; i < value_count(equality); i++)
    tries += *tally_count(&choice->occurrences->pairs, pair_hash(path, value_at(equality, i)));
  bool better = tries < choice->tries || (tries == choice->tries && used > choice->used);
  if (choice->best.path && !better)
    return;
  choice->best = *equality;
  choice->tries = tries;
  choice->used = used;
}

/* One automation under one value. */
struct entry {
  const struct wm_path *path;
  const struct wm_value *value;
  const struct wm_automation *automation;
};

/* Name by name, so that paths with the same first name stand together. */
static int compare_paths(const struct wm_path *a, const struct wm_path *b) {
  if (a->root != b->root)
    return a->root < b->root ? -1 : 1;
  for (size_t i = 0; i < a->count && i < b->count; i++) {
    int order = wm_text_compare(a->names[i], b->names[i]);
    if (order != 0)
      return order;
  }
  return a->count < b->count ? -1 : a->count > b->count;
}

static int compare_values(const struct wm_value *a, const struct wm_value *b) {
  if (!wm_value_same_kind(a, b))
    return a->type < b->type ? -1 : 1; /* integers and reals, one kind, stand together */
  if (a->type == WM_STRING)
    return wm_text_compare(a->string, b->string);
  if (a->type == WM_BOOLEAN)
    return (int)a->boolean - (int)b->boolean;
  return wm_value_compare_numbers(a, b);
}

static int compare_entries(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  int order = compare_paths(a->path, b->path);
  if (order == 0)
    order = compare_values(a->value, b->value);
  if (order == 0)
    order = a->automation < b->automation ? -1 : a->automation > b->automation;
  return order;
}

/* The entries of one group, sorted: one slot per value, the lists in one array. */
static int build_group(struct wm_match_group *group, const struct entry *entries, size_t count,
                       struct wm_arena *arena) {
  size_t size = power_above(count);
  const struct wm_automation **items = WM_ARENA_ARRAY(arena, const struct wm_automation *, count);
  group->path = entries[0].path;
  group->slots = WM_ARENA_ARRAY(arena, struct wm_match_slot, size);
  group->mask = size - 1;
  if (!items || !group->slots)
    return -1;
  for (size_t i = 0; i < count; i++) {
    uint64_t hash = wm_value_hash(entries[i].value);
    struct wm_match_slot *slot = wm_match_slot_place(group, entries[i].value, hash);
    if (!slot->value)
      *slot = (struct wm_match_slot){entries[i].value, hash, {items + i, 0}};
    if (slot->list.count == 0 || slot->list.items[slot->list.count - 1] != entries[i].automation)
      slot->list.items[slot->list.count++] = entries[i].automation; /* a value may stand in a list twice */
  }
  return 0;
}

static int build_groups(struct wm_match_bucket *bucket, struct entry *entries, size_t count, struct wm_arena *arena) {
  if (count == 0)
    return 0;
  qsort(entries, count, sizeof(*entries), compare_entries);
  size_t groups = 1;
  for (size_t i = 1; i < count; i++)
    groups += !wm_path_equal(entries[i - 1].path, entries[i].path);
  bucket->groups = WM_ARENA_ARRAY(arena, struct wm_match_group, groups);
  if (!bucket->groups)
    return -1;
  for (size_t start = 0, end = 0; start < count; start = end) {
    while (end < count && wm_path_equal(entries[start].path, entries[end].path))
      end++;
    if (build_group(&bucket->groups[bucket->group_count++], entries + start, end - start, arena) < 0)
      return -1;
  }
  return 0;
}

/* Groups by their first names. Those of one name stand together. */
static int build_names(struct wm_match_bucket *bucket, struct wm_arena *arena) {
  if (bucket->group_count <= WM_MATCH_FEW_GROUPS)
    return 0;
  size_t size = power_above(bucket->group_count);
  bucket->names = WM_ARENA_ARRAY(arena, struct wm_match_name, size);
  bucket->name_mask = size - 1;
  if (!bucket->names)
    return -1;
  for (size_t i = 0; i < bucket->group_count; i++) {
    const struct wm_path *path = bucket->groups[i].path;
    struct wm_match_name *name = wm_match_name_place(bucket, path->root, path->names[0]);
    if (!name->groups)
      name->groups = &bucket->groups[i];
    name->count++;
  }
  return 0;
}

/* Builds groups and 'always' from 'members'. */
static int build_bucket(struct wm_match_bucket *bucket, struct wm_arena *arena, struct wm_arena *scratch) {
  const struct wm_match_list *members = &bucket->members;
  struct occurrences occurrences;
  size_t values = 0, entry_count = 0;
  for (size_t i = 0; i < members->count; i++)
    each_equality(&members->items[i]->when, count_values, &values);
  if (tally_init(&occurrences.paths, values, scratch) < 0 || tally_init(&occurrences.pairs, values, scratch) < 0)
    return -1;
  for (size_t i = 0; i < members->count; i++)
    each_equality(&members->items[i]->when, tally_equality, &occurrences);
  struct entry *entries = WM_ARENA_ARRAY(scratch, struct entry, values);
  bucket->always.items = WM_ARENA_ARRAY(arena, const struct wm_automation *, members->count);
  if (!entries || !bucket->always.items)
    return -1;
  for (size_t i = 0; i < members->count; i++) {
    struct choice choice = {.occurrences = &occurrences};
    each_equality(&members->items[i]->when, weigh_equality, &choice);
    if (!choice.best.path)
      bucket->always.items[bucket->always.count++] = members->items[i];
    else
      for (size_t v = 0; v < value_count(&choice.best); v++)
        entries[entry_count++] = (struct entry){choice.best.path, value_at(&choice.best, v), members->items[i]};
  }
  if (build_groups(bucket, entries, entry_count, arena) < 0)
    return -1;
  return build_names(bucket, arena);
}

/* A trigger as the index knows it. */
struct trigger {
  struct wm_text text;
  bool prefix;
};

static struct trigger trigger_of(struct wm_text text) {
  if (text.size > 0 && text.bytes[text.size - 1] == '*')
    return (struct trigger){{text.bytes, text.size - 1}, true};
  return (struct trigger){text, false};
}

/* Makes the buckets, with their members counted, and tells the sizes of prefixes. */
static int add_buckets(struct wm_index *index, const struct wm_automation *automation) {
  for (size_t i = 0; i < automation->trigger_count; i++) {
    struct trigger trigger = trigger_of(automation->triggers[i]);
    struct wm_match_bucket **place = wm_match_bucket_place(index, trigger.text, trigger.prefix);
    if (!*place) {
      struct wm_match_bucket *bucket = WM_ARENA_NEW(&index->arena, struct wm_match_bucket);
      if (!bucket)
        return -1;
      bucket->text = trigger.text;
      bucket->prefix = trigger.prefix;
      bucket->hash = wm_match_bucket_hash(trigger.text, trigger.prefix);
      *place = bucket;
    }
    (*place)->members.count += automation->enabled;
  }
  return 0;
}

/* Fills the members in; a trigger that stands twice gives one. */
static void add_members(struct wm_index *index, const struct wm_automation *automation) {
  for (size_t i = 0; i < automation->trigger_count; i++) {
    struct trigger trigger = trigger_of(automation->triggers[i]);
    struct wm_match_list *members = &(*wm_match_bucket_place(index, trigger.text, trigger.prefix))->members;
    if (members->count == 0 || members->items[members->count - 1] != automation)
      members->items[members->count++] = automation;
  }
}

static int compare_sizes(const void *left, const void *right) {
  const size_t *a = left, *b = right;
  return *a < *b ? -1 : *a > *b;
}

static int note_prefix_sizes(struct wm_index *index) {
  size_t count = 0;
  for (size_t i = 0; i <= index->mask; i++)
    count += index->buckets[i] && index->buckets[i]->prefix;
  size_t *sizes = WM_ARENA_ARRAY(&index->arena, size_t, count);
  if (!sizes)
    return -1;
  count = 0;
  for (size_t i = 0; i <= index->mask; i++)
    if (index->buckets[i] && index->buckets[i]->prefix)
      sizes[count++] = index->buckets[i]->text.size;
  qsort(sizes, count, sizeof(*sizes), compare_sizes);
  for (size_t i = 0; i < count; i++)
    if (i == 0 || sizes[i] != sizes[i - 1])
      sizes[index->prefix_size_count++] = sizes[i];
  index->prefix_sizes = sizes;
  return 0;
}

static int build(struct wm_index *index, const struct wm_automation *automations, size_t count,
                 struct wm_arena *scratch) {
  size_t triggers = 0;
  for (size_t i = 0; i < count; i++)
    triggers += automations[i].trigger_count;
  index->mask = power_above(triggers) - 1;
  index->buckets = WM_ARENA_ARRAY(&index->arena, struct wm_match_bucket *, index->mask + 1);
  if (!index->buckets)
    return -1;
  for (size_t i = 0; i < count; i++)
    if (add_buckets(index, &automations[i]) < 0)
      return -1;
  for (size_t i = 0; i <= index->mask; i++) {
    struct wm_match_list *members = index->buckets[i] ? &index->buckets[i]->members : NULL;
    if (members && !(members->items = WM_ARENA_ARRAY(scratch, const struct wm_automation *, members->count)))
      return -1;
    if (members)
      members->count = 0;
  }
  for (size_t i = 0; i < count; i++)
    if (automations[i].enabled)
      add_members(index, &automations[i]);
  for (size_t i = 0; i <= index->mask; i++) {
    if (index->buckets[i] && build_bucket(index->buckets[i], &index->arena, scratch) < 0)
      return -1;
    if (index->buckets[i])
      index->buckets[i]->members = (struct wm_match_list){NULL, 0}; /* they go with 'scratch' */
  }
  return note_prefix_sizes(index);
}

struct wm_index *wm_index_new(const struct wm_automation *automations, size_t count) {
  struct wm_index *index = calloc(1, sizeof(*index));
  if (!index)
    return NULL;
  struct wm_arena scratch;
  wm_arena_init(&index->arena, 4096);
  wm_arena_init(&scratch, 0);
  int failed = build(index, automations, count, &scratch);
  wm_arena_release(&scratch);
  if (failed) {
    wm_index_free(index);
    return NULL;
  }
  return index;
}

void wm_index_free(struct wm_index *index) {
  if (!index)
    return;
  wm_arena_release(&index->arena);
  free(index);
}

#include "core/derive.h"

#include <stdlib.h>

#include "core/hash.h"

/* --- one criterion --- */

static const struct wm_value *list_field(const struct wm_user *user, struct wm_text name) {
  const struct wm_value *value = wm_user_field(user, name);
  return value && value->type == WM_LIST ? value : NULL;
}

bool wm_facts_read(const struct wm_user *user, struct wm_facts *ret) {
  if (!wm_user_has_profile(user))
    return false;
  const struct wm_value *units = wm_user_field(user, WM_TEXT("org-units"));
  const struct wm_value *manager = wm_user_field(user, WM_TEXT("manager-of-anyone"));
  *ret = (struct wm_facts){
      .user = user,
      .manager = wm_user_manager(user),
      .org_units = units && units->type == WM_OBJECT ? units : NULL,
      .groups = list_field(user, WM_TEXT("groups")),
      .is_manager = manager && manager->type == WM_BOOLEAN && manager->boolean,
  };
  return true;
}

static bool is_text(const struct wm_value *value, struct wm_text text) {
  return value->type == WM_STRING && wm_text_equal(value->string, text);
}

static bool user_holds(const struct wm_criterion *criterion, const struct wm_facts *facts) {
  return wm_text_equal(facts->user->id, criterion->name) ||
         (criterion->include_subordinates && facts->manager.bytes && wm_text_equal(facts->manager, criterion->name));
}

/* A path goes from the top down to the user's own unit, which is the last. */
static bool path_holds(const struct wm_criterion *criterion, const struct wm_value *path) {
  if (path->type != WM_LIST || path->list.count == 0)
    return false;
  size_t first = criterion->include_subordinates ? 0 : path->list.count - 1;
  for (size_t i = first; i < path->list.count; i++)
    if (is_text(&path->list.items[i], criterion->name))
      return true;
  return false;
}

static bool org_unit_holds(const struct wm_criterion *criterion, const struct wm_facts *facts) {
  for (size_t i = 0; facts->org_units && i < facts->org_units->object.count; i++) {
    const struct wm_member *path = &facts->org_units->object.members[i];
    if (criterion->org_unit_type.bytes && !wm_text_equal(path->name, criterion->org_unit_type))
      continue;
    if (path_holds(criterion, &path->value))
      return true;
  }
  return false;
}

static bool group_holds(const struct wm_criterion *criterion, const struct wm_facts *facts) {
  for (size_t i = 0; facts->groups && i < facts->groups->list.count; i++)
    if (is_text(&facts->groups->list.items[i], criterion->name))
      return true;
  return false;
}

bool wm_criterion_holds(const struct wm_criterion *criterion, const struct wm_facts *facts, int64_t now_us) {
  switch (criterion->kind) {
  case WM_CRITERION_ALL:
    return true;
  case WM_CRITERION_USER:
    return user_holds(criterion, facts);
  case WM_CRITERION_ORG_UNIT:
    return org_unit_holds(criterion, facts);
  case WM_CRITERION_GROUP:
    return group_holds(criterion, facts);
  case WM_CRITERION_MANAGER:
    return facts->is_manager;
  case WM_CRITERION_WHEN:
    break;
  }
  /* no roles: what derives them can't ask for them */
  struct wm_scope scope = {.user = facts->user, .now_us = now_us};
  return wm_condition_answer(&criterion->when, &scope) == WM_YES;
}

static int64_t criterion_turn(const struct wm_criterion *criterion, const struct wm_user *user, int64_t now_us) {
  struct wm_scope scope = {.user = user, .now_us = now_us};
  return criterion->kind == WM_CRITERION_WHEN ? wm_condition_next_turn(&criterion->when, &scope) : WM_NEVER;
}

int64_t wm_role_next_turn(const struct wm_role *role, const struct wm_user *user, int64_t now_us) {
  int64_t next_us = WM_NEVER;
  for (size_t i = 0; i < role->criterion_count; i++) {
    int64_t turn_us = criterion_turn(&role->criteria[i], user, now_us);
    next_us = turn_us < next_us ? turn_us : next_us;
  }
  return next_us;
}

/* --- the index ---
 * Each criterion stands under a key that a profile must have for it to hold: the user, unit or group that it names,
 * or the value that a 'when' wants at one path. Those for which no such key is known stand under ALWAYS. What is
 * found under a key is only a candidate: wm_criterion_holds has the last word. */

enum key_kind { KEY_ALWAYS, KEY_USER, KEY_ORG_UNIT, KEY_GROUP, KEY_VALUE };

struct entry {
  uint64_t key;
  const struct wm_criterion *criterion;
  uint32_t role;
  uint32_t next; /* position + 1 of the next in this bucket; 0: none */
};

/* A path that 'when' criteria stand under. Each is looked up in every profile, so there are only so many. */
#define PATHS_LIMIT 64

struct path_entry {
  const struct wm_path *path;
  uint64_t hash;
};

struct wm_derive {
  const struct wm_role *roles;
  struct entry *entries;
  size_t entry_count;
  uint32_t *buckets; /* position + 1 of the first entry; 0: none */
  size_t bucket_mask;
  struct path_entry paths[PATHS_LIMIT];
  size_t path_count;
  const struct wm_criterion **timed; /* those that go by time */
  size_t timed_count;
};

static uint64_t key_of(enum key_kind kind, uint64_t hash) {
  return hash ^ (((uint64_t)kind + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

static uint64_t value_key(uint64_t path_hash, const struct wm_value *value) {
  return key_of(KEY_VALUE, path_hash + wm_value_hash(value));
}

static uint64_t path_hash(const struct wm_path *path) {
  uint64_t hash = path->root;
  for (size_t i = 0; i < path->count; i++)
    hash = hash * UINT64_C(0x100000001b3) ^ wm_hash(path->names[i]);
  return hash;
}

/* A test that needs its path to have one of these values, or to be a list that has one. */
struct keyed_test {
  const struct wm_path *path;
  const struct wm_value *values;
  size_t count;
};

static bool read_keyed_test(const struct wm_path *path, const struct wm_test *test, struct keyed_test *ret) {
  static const char *const names[] = {"is", "in", "has"};
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
    if (strcmp(test->operator->name, names[i]) != 0)
      continue;
    bool many = test->operand.type == WM_LIST;
    *ret = (struct keyed_test){path, many ? test->operand.list.items : &test->operand,
                               many ? test->operand.list.count : 1};
    return true;
  }
  return false;
}

/* How many keys of 'when' criteria fall on the same place: some values are what many criteria ask for. */
struct crowd {
  uint32_t *counts;
  size_t mask;
};

static void count_keys(struct crowd *crowd, const struct keyed_test *test) {
  uint64_t hash = path_hash(test->path);
  for (size_t i = 0; i < test->count; i++)
    crowd->counts[value_key(hash, &test->values[i]) & crowd->mask]++;
}

static size_t crowd_of(const struct crowd *crowd, const struct keyed_test *test) {
  uint64_t hash = path_hash(test->path);
  size_t size = 0;
  for (size_t i = 0; i < test->count; i++)
    size += crowd->counts[value_key(hash, &test->values[i]) & crowd->mask];
  return size;
}

/* Goes through the tests that all must hold for a 'when' to hold. */
static void each_keyed_test(const struct wm_condition *when, void (*take)(void *, const struct keyed_test *),
                            void *taker) {
  struct keyed_test keyed;
  for (size_t i = 0; i < when->count && when->kind == WM_ALL; i++) {
    const struct wm_condition *child = &when->children[i];
    for (size_t t = 0; t < child->test_count && child->kind == WM_FIELD; t++)
      if (read_keyed_test(&child->path, &child->tests[t], &keyed))
        take(taker, &keyed);
  }
}

static void take_count(void *crowd, const struct keyed_test *test) {
  count_keys(crowd, test);
}

struct choice {
  const struct crowd *crowd;
  struct keyed_test test; /* the least crowded so far; path NULL: none */
  size_t size;
};

static void take_choice(void *taker, const struct keyed_test *test) {
  struct choice *choice = taker;
  size_t size = crowd_of(choice->crowd, test);
  if (choice->test.path && size >= choice->size)
    return;
  choice->test = *test;
  choice->size = size;
}

static void add_entry(struct wm_derive *derive, uint64_t key, const struct wm_criterion *criterion, size_t role) {
  uint32_t *bucket = &derive->buckets[key & derive->bucket_mask];
  derive->entries[derive->entry_count++] =
      (struct entry){.key = key, .criterion = criterion, .role = (uint32_t)role, .next = *bucket};
  *bucket = (uint32_t)derive->entry_count;
}

/* False: there are too many. */
static bool add_path(struct wm_derive *derive, const struct wm_path *path, uint64_t hash) {
  for (size_t i = 0; i < derive->path_count; i++)
    if (derive->paths[i].hash == hash && wm_path_equal(derive->paths[i].path, path))
      return true;
  if (derive->path_count == PATHS_LIMIT)
    return false;
  derive->paths[derive->path_count++] = (struct path_entry){path, hash};
  return true;
}

static void add_when(struct wm_derive *derive, const struct crowd *crowd, const struct wm_criterion *criterion,
                     size_t role) {
  struct choice choice = {.crowd = crowd};
  each_keyed_test(&criterion->when, take_choice, &choice);
  uint64_t hash = choice.test.path ? path_hash(choice.test.path) : 0;
  if (!choice.test.path || !add_path(derive, choice.test.path, hash)) {
    add_entry(derive, key_of(KEY_ALWAYS, 0), criterion, role);
    return;
  }
  for (size_t i = 0; i < choice.test.count; i++)
    add_entry(derive, value_key(hash, &choice.test.values[i]), criterion, role);
}

static void add_criterion(struct wm_derive *derive, const struct crowd *crowd, const struct wm_criterion *criterion,
                          size_t role) {
  switch (criterion->kind) {
  case WM_CRITERION_ALL:
  case WM_CRITERION_MANAGER:
    add_entry(derive, key_of(KEY_ALWAYS, 0), criterion, role);
    break;
  case WM_CRITERION_USER:
    add_entry(derive, key_of(KEY_USER, wm_hash(criterion->name)), criterion, role);
    break;
  case WM_CRITERION_ORG_UNIT:
    add_entry(derive, key_of(KEY_ORG_UNIT, wm_hash(criterion->name)), criterion, role);
    break;
  case WM_CRITERION_GROUP:
    add_entry(derive, key_of(KEY_GROUP, wm_hash(criterion->name)), criterion, role);
    break;
  case WM_CRITERION_WHEN:
    add_when(derive, crowd, criterion, role);
    break;
  }
}

static void take_size(void *taker, const struct keyed_test *test) {
  *(size_t *)taker += test->count;
}

static bool is_timed(const struct wm_criterion *criterion) {
  return criterion->kind == WM_CRITERION_WHEN && wm_condition_goes_by_time(&criterion->when);
}

/* Room for all entries, however the keys are chosen, and a table twice as large. NULL: out of memory. */
static struct wm_derive *make_room(const struct wm_role *roles, size_t count, struct wm_arena *arena) {
  size_t entries = 1, buckets = 16, timed = 1;
  for (size_t i = 0; i < count; i++)
    for (size_t c = 0; c < roles[i].criterion_count; c++) {
      entries++;
      timed += is_timed(&roles[i].criteria[c]);
      if (roles[i].criteria[c].kind == WM_CRITERION_WHEN)
        each_keyed_test(&roles[i].criteria[c].when, take_size, &entries);
    }
  if (entries > UINT32_MAX / 4)
    return NULL;
  while (buckets < 2 * entries)
    buckets *= 2;
  struct wm_derive *derive = WM_ARENA_NEW(arena, struct wm_derive);
  if (!derive)
    return NULL;
  derive->entries = WM_ARENA_ARRAY(arena, struct entry, entries);
  derive->buckets = WM_ARENA_ARRAY(arena, uint32_t, buckets);
  derive->timed = WM_ARENA_ARRAY(arena, const struct wm_criterion *, timed);
  derive->roles = roles;
  derive->bucket_mask = buckets - 1;
  return derive->entries && derive->buckets && derive->timed ? derive : NULL;
}

struct wm_derive *wm_derive_new(const struct wm_role *roles, size_t count, struct wm_arena *arena) {
  struct wm_derive *derive = make_room(roles, count, arena);
  if (!derive)
    return NULL;
  struct crowd crowd = {calloc(derive->bucket_mask + 1, sizeof(*crowd.counts)), derive->bucket_mask};
  if (!crowd.counts)
    return NULL;
  for (size_t i = 0; i < count; i++)
    for (size_t c = 0; c < roles[i].criterion_count; c++)
      if (roles[i].criteria[c].kind == WM_CRITERION_WHEN)
        each_keyed_test(&roles[i].criteria[c].when, take_count, &crowd);
  for (size_t i = 0; i < count; i++)
    for (size_t c = 0; c < roles[i].criterion_count && roles[i].status == WM_ROLE_ACTIVE; c++) {
      add_criterion(derive, &crowd, &roles[i].criteria[c], i);
      if (is_timed(&roles[i].criteria[c]))
        derive->timed[derive->timed_count++] = &roles[i].criteria[c];
    }
  free(crowd.counts);
  return derive;
}

/* --- a projection --- */

struct marking {
  const struct wm_derive *derive;
  struct wm_facts facts;
  int64_t now_us;
  bool signed_in;
  unsigned char *marks;
};

/* What was found in the profile that a key is made of: a group, or a unit and where it stands in its path. */
struct seen {
  enum key_kind kind;
  struct wm_text text;
  struct wm_text hierarchy;
  bool own; /* the last of its path */
};

/* A profile may have a hundred thousand groups, so they are not gone through again for each criterion. */
static bool holds(const struct marking *marking, const struct wm_criterion *criterion, const struct seen *seen) {
  if (seen->kind == KEY_GROUP)
    return criterion->kind == WM_CRITERION_GROUP && wm_text_equal(criterion->name, seen->text);
  if (seen->kind == KEY_ORG_UNIT)
    return criterion->kind == WM_CRITERION_ORG_UNIT && wm_text_equal(criterion->name, seen->text) &&
           (seen->own || criterion->include_subordinates) &&
           (!criterion->org_unit_type.bytes || wm_text_equal(criterion->org_unit_type, seen->hierarchy));
  return wm_criterion_holds(criterion, &marking->facts, marking->now_us);
}

static void mark_key(const struct marking *marking, uint64_t key, const struct seen *seen) {
  const struct wm_derive *derive = marking->derive;
  for (uint32_t at = derive->buckets[key & derive->bucket_mask]; at > 0; at = derive->entries[at - 1].next) {
    const struct entry *entry = &derive->entries[at - 1];
    if (entry->key == key && !marking->marks[entry->role] &&
        (marking->signed_in || !derive->roles[entry->role].at_sign_in) && holds(marking, entry->criterion, seen))
      marking->marks[entry->role] = 1;
  }
}

static void mark_texts(const struct marking *marking, enum key_kind kind, struct wm_text hierarchy,
                       const struct wm_value *list) {
  size_t count = list && list->type == WM_LIST ? list->list.count : 0;
  for (size_t i = 0; i < count; i++) {
    const struct wm_value *item = &list->list.items[i];
    const struct seen seen = {kind, wm_value_text(item), hierarchy, i + 1 == count};
    if (seen.text.bytes)
      mark_key(marking, key_of(kind, wm_hash(seen.text)), &seen);
  }
}

static void mark_user(const struct marking *marking, struct wm_text id) {
  const struct seen seen = {.kind = KEY_USER};
  mark_key(marking, key_of(KEY_USER, wm_hash(id)), &seen);
}

static void mark_path(const struct marking *marking, const struct path_entry *entry) {
  struct wm_scope scope = {.user = marking->facts.user, .now_us = marking->now_us};
  const struct wm_value *value = wm_path_get(entry->path, &scope);
  const struct seen seen = {.kind = KEY_VALUE};
  if (!value)
    return;
  bool many = value->type == WM_LIST;
  const struct wm_value *items = many ? value->list.items : value;
  for (size_t i = 0; i < (many ? value->list.count : 1); i++)
    if (wm_value_is_scalar(&items[i]))
      mark_key(marking, value_key(entry->hash, &items[i]), &seen);
}

void wm_derive_mark(const struct wm_derive *derive, const struct wm_user *user, int64_t now_us, unsigned char *marks) {
  struct marking marking = {.derive = derive, .now_us = now_us, .marks = marks};
  if (derive->entry_count == 0 || !wm_facts_read(user, &marking.facts))
    return;
  const struct wm_facts *facts = &marking.facts;
  marking.signed_in = wm_user_has_signed_in(user);
  const struct seen always = {.kind = KEY_ALWAYS};
  mark_key(&marking, key_of(KEY_ALWAYS, 0), &always);
  mark_user(&marking, user->id);
  if (facts->manager.bytes)
    mark_user(&marking, facts->manager);
  for (size_t i = 0; facts->org_units && i < facts->org_units->object.count; i++) {
    const struct wm_member *path = &facts->org_units->object.members[i];
    mark_texts(&marking, KEY_ORG_UNIT, path->name, &path->value);
  }
  mark_texts(&marking, KEY_GROUP, WM_NO_TEXT, facts->groups);
  for (size_t i = 0; i < derive->path_count; i++)
    mark_path(&marking, &derive->paths[i]);
}

int64_t wm_derive_next_turn(const struct wm_derive *derive, const struct wm_user *user, int64_t now_us) {
  int64_t next_us = WM_NEVER;
  for (size_t i = 0; i < derive->timed_count && wm_user_has_profile(user); i++) {
    int64_t turn_us = criterion_turn(derive->timed[i], user, now_us);
    next_us = turn_us < next_us ? turn_us : next_us;
  }
  return next_us;
}

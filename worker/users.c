#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->known = true) /* users_add looks at it */
#define HASH_FUNCTION(key, size, hash) ((hash) = users_hash((key), (size)))

#include "worker/users.h"

#include "core/hash.h"

/* Strangers choose user ids: a keyed hash, so that they can't choose collisions too. */
static unsigned users_hash(const void *bytes, size_t size) {
  return (unsigned)(wm_hash((struct wm_text){bytes, size}) & UINT32_MAX);
}

void users_init(struct users *users, size_t limit_bytes) {
  *users = (struct users){.limit_bytes = limit_bytes};
}

static void unlink_entry(struct users *users, struct users_entry *entry) {
  if (entry->newer)
    entry->newer->older = entry->older;
  else
    users->newest = entry->older;
  if (entry->older)
    entry->older->newer = entry->newer;
  else
    users->oldest = entry->newer;
  entry->newer = entry->older = NULL;
}

static void link_newest(struct users *users, struct users_entry *entry) {
  entry->older = users->newest;
  if (users->newest)
    users->newest->newer = entry;
  else
    users->oldest = entry;
  users->newest = entry;
}

static void free_entry(struct users_entry *entry) {
  wm_user_free(entry->committed);
  wm_user_free(entry->staged);
  free(entry);
}

/* Counts an entry anew after one of its registers came or went. */
static void weigh(struct users *users, struct users_entry *entry) {
  size_t bytes = sizeof *entry + entry->id.size;
  if (entry->committed)
    bytes += sizeof *entry->committed + entry->committed->arena.used;
  if (entry->staged)
    bytes += sizeof *entry->staged + entry->staged->arena.used;
  users->bytes = users->bytes - entry->bytes + bytes;
  entry->bytes = bytes;
}

void users_clear(struct users *users) {
  HASH_CLEAR(hh, users->table);
  for (struct users_entry *entry = users->newest, *older; entry; entry = older) {
    older = entry->older;
    free_entry(entry);
  }
  *users = (struct users){.limit_bytes = users->limit_bytes, .mark = users->mark};
}

void users_release(struct users *users) {
  users_clear(users);
}

struct users_entry *users_find(struct users *users, struct wm_text id) {
  struct users_entry *entry = NULL;
  HASH_FIND(hh, users->table, id.bytes, id.size, entry);
  if (entry && entry != users->newest) {
    unlink_entry(users, entry);
    link_newest(users, entry);
  }
  return entry;
}

struct users_entry *users_add(struct users *users, struct wm_text id) {
  struct users_entry *entry = calloc(1, sizeof *entry + id.size + 1);
  if (!entry)
    return NULL;
  char *bytes = (char *)(entry + 1);
  memcpy(bytes, id.bytes, id.size);
  entry->id = (struct wm_text){bytes, id.size};
  HASH_ADD_KEYPTR(hh, users->table, entry->id.bytes, entry->id.size, entry);
  if (entry->known) {
    free(entry);
    return NULL;
  }
  link_newest(users, entry);
  users->count++;
  weigh(users, entry);
  return entry;
}

void users_fill(struct users *users, struct users_entry *entry, struct wm_user *user, int64_t gen, int64_t at) {
  wm_user_free(entry->committed);
  entry->committed = user;
  entry->gen = gen;
  entry->at = at;
  entry->known = true;
  weigh(users, entry);
}

static void link_staged(struct users *users, struct users_entry *entry) {
  entry->next_staged = users->staged;
  entry->link_staged = &users->staged;
  if (entry->next_staged)
    entry->next_staged->link_staged = &entry->next_staged;
  users->staged = entry;
}

static void unlink_staged(struct users_entry *entry) {
  *entry->link_staged = entry->next_staged;
  if (entry->next_staged)
    entry->next_staged->link_staged = entry->link_staged;
  entry->next_staged = NULL;
  entry->link_staged = NULL;
}

void users_stage(struct users *users, struct users_entry *entry, struct wm_user *user) {
  if (!entry->staged)
    link_staged(users, entry);
  wm_user_free(entry->staged);
  entry->staged = user;
  weigh(users, entry);
}

void users_drop_staged(struct users *users) {
  while (users->staged) {
    struct users_entry *entry = users->staged;
    unlink_staged(entry);
    wm_user_free(entry->staged);
    entry->staged = NULL;
    weigh(users, entry);
  }
}

void users_commit(struct users *users, struct users_entry *entry, int64_t gen, int64_t at) {
  unlink_staged(entry);
  wm_user_free(entry->committed);
  entry->committed = entry->staged;
  entry->staged = NULL;
  entry->told_us = entry->telling_us;
  entry->gen = gen;
  entry->at = at;
  if (!entry->pinned) {
    entry->pinned = true;
    entry->next_pinned = users->pinned;
    users->pinned = entry;
  }
  weigh(users, entry);
}

void users_unpin(struct users *users) {
  for (struct users_entry *entry = users->pinned, *next; entry; entry = next) {
    next = entry->next_pinned;
    entry->next_pinned = NULL;
    entry->pinned = false;
  }
  users->pinned = NULL;
}

void users_remove(struct users *users, struct users_entry *entry) {
  HASH_DEL(users->table, entry);
  unlink_entry(users, entry);
  users->count--;
  users->bytes -= entry->bytes;
  free_entry(entry);
}

void users_trim(struct users *users) {
  for (struct users_entry *entry = users->oldest, *newer; entry && users->bytes > users->limit_bytes; entry = newer) {
    newer = entry->newer;
    if (!entry->pinned && !entry->staged)
      users_remove(users, entry);
  }
}

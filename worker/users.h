/* The users table: registers in memory, as structs, in two layers. The committed layer is what the log holds; the
 * batch layer is what the batch at hand has decided on top of it. An abort drops the batch layer only. An entry is
 * pinned from its commit until Redis has acknowledged it, so that nobody fetches what is older than the log.
 *
 * Bounded by bytes, least recently used first; entries that are staged or pinned stay whatever the limit says. */
#ifndef WM_WORKER_USERS_H
#define WM_WORKER_USERS_H

#include <uthash.h>

#include "core/user.h"

struct users_entry {
  struct wm_text id;
  bool known;                /* false: added, but not fetched yet */
  struct wm_user *committed; /* NULL: the log holds no register of this user */
  int64_t gen, at;           /* of 'committed': generation, and offset in the users topic */
  struct wm_user *staged;    /* what this batch decided; NULL: nothing */
  int64_t told_us;           /* wall clock up to which it is told what time changed of 'committed' (ends.h) */
  int64_t telling_us;        /* the same of what is current, while a batch is run */
  bool pinned;
  size_t last_item; /* of the batch at hand that is about this user */
  uint64_t mark;    /* see users_meet */
  size_t bytes;     /* counted for this entry */
  struct users_entry *older, *newer;
  struct users_entry *next_staged, **link_staged; /* link: what points to this entry */
  struct users_entry *next_pinned;
  UT_hash_handle hh;
};

struct users {
  struct users_entry *table; /* by id */
  struct users_entry *newest, *oldest;
  struct users_entry *staged, *pinned; /* lists */
  size_t count, bytes, limit_bytes;
  uint64_t mark;
};

void users_init(struct users *users, size_t limit_bytes);
void users_release(struct users *users);

/* Forgets everybody: after an assignment, and whenever nobody knows what the log or Redis hold. */
void users_clear(struct users *users);

/* The user's entry, which is now the most recently used; NULL: none. Entries stay where they are until users_trim,
 * users_remove or users_clear. */
struct users_entry *users_find(struct users *users, struct wm_text id);

/* A new, unknown entry for a user who has none; the id is copied. NULL: out of memory. */
struct users_entry *users_add(struct users *users, struct wm_text id);

/* Makes an entry known. Takes 'user' (NULL: there is no register). */
void users_fill(struct users *users, struct users_entry *entry, struct wm_user *user, int64_t gen, int64_t at);

/* The register as the next event of this batch must see it; NULL: none. */
static inline const struct wm_user *users_current(const struct users_entry *entry) {
  return entry->staged ? entry->staged : entry->committed;
}

/* A decision of this batch: takes 'user', which replaces what was staged before. */
void users_stage(struct users *users, struct users_entry *entry, struct wm_user *user);

/* Everything that time changed of the committed register is told up to 'until_us'. */
static inline void users_told(struct users_entry *entry, int64_t until_us) {
  if (entry->told_us < until_us)
    entry->told_us = until_us;
}

/* The batch was aborted. */
void users_drop_staged(struct users *users);

/* The batch was committed: one entry's staged register is now the one that (gen, at) wrote, and the entry is pinned. */
void users_commit(struct users *users, struct users_entry *entry, int64_t gen, int64_t at);

/* Redis has acknowledged everything. */
void users_unpin(struct users *users);

/* Goes back to the limit. Not while somebody holds entries. */
void users_trim(struct users *users);

/* Takes out one entry that is neither staged nor pinned. */
void users_remove(struct users *users, struct users_entry *entry);

/* A new walk: an entry whose 'mark' is not users->mark has not been met on it. */
static inline void users_begin_walk(struct users *users) {
  users->mark++;
}
static inline bool users_meet(struct users *users, struct users_entry *entry) {
  bool first = entry->mark != users->mark;
  entry->mark = users->mark;
  return first;
}

#endif

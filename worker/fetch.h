/* Registers from Redis into the users table, in one round trip that also proves that Redis is where this worker left
 * it: a hole is not a new user (architecture 4). */
#ifndef WM_WORKER_FETCH_H
#define WM_WORKER_FETCH_H

#include "core/project.h"
#include "worker/cache.h"
#include "worker/users.h"

struct loop;

/* Up to which moment it is told what time changed of a user of partition 'home', whose next end Redis knows as
 * 'end_us'. Whoever told it may have been killed before Redis heard of it: the log knows. But while role sets are
 * compared with what another catalogue made of them, Redis is believed, and it is told once more: an end is no change
 * of a catalogue. */
int64_t fetch_told(const struct loop *loop, int32_t home, int64_t end_us);

/* Makes every entry known. With 'ret_roles' (room for 'count', or NULL) all entries are asked for, and their role sets
 * as Redis has them are borrowed from 'arena'. wm:progress of every live partition is looked at even if 'count' is 0.
 * False: the loop has fallen back or stopped, and the entries are gone. */
bool fetch_users(struct loop *loop, struct users_entry **entries, size_t count, struct wm_arena *arena,
                 struct wm_role_set *ret_roles);

/* Only (gen, at) and role set of each of 'users' (their ids are filled in), borrowed from 'arena'; memory is not asked.
 * False as above. */
bool fetch_role_sets(struct loop *loop, struct cache_user *users, size_t count, struct wm_arena *arena,
                     struct wm_role_set *ret_roles);

/* What Redis has of each of 'users' at this moment, as they ask for it, with roles; nothing of it is taken over. False
 * as above. */
bool fetch_as_they_are(struct loop *loop, struct cache_user *users, size_t count, struct wm_arena *arena);

#endif

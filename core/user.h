/* The register: everything Waymark knows of one user (contract 7). A register owns its memory; the texts that it
 * is given are copied. */
#ifndef WM_CORE_USER_H
#define WM_CORE_USER_H

#include "core/arena.h"
#include "core/clock.h"
#include "core/event.h"
#include "core/value.h"

#define WM_NEVER INT64_MAX     /* an 'until' that is null */
#define WM_RECENT_COUNT 32     /* events remembered, contract 4 */
#define WM_JOURNEYS_LIMIT 1024 /* journeys remembered per automation; the oldest is forgotten first */

enum wm_user_status { WM_USER_ACTIVE, WM_USER_SUSPENDED, WM_USER_INACTIVE, WM_USER_DELETED };

struct wm_profile {
  struct wm_clock clock; /* not set: there is no profile */
  enum wm_user_status status;
  struct wm_text type;    /* WM_NO_TEXT: not known */
  struct wm_value fields; /* object: the members of the profile as the register writes them, 'status' too */
};

/* What made a grant, for `why`; texts may be WM_NO_TEXT. */
struct wm_by {
  struct wm_text version;    /* of the automation */
  struct wm_text by, reason; /* of a manual request */
  struct wm_text run;        /* WM_NO_TEXT for live */
  bool delegable;            /* the holder may give the role to others */
  struct wm_origin origin;
};

struct wm_grant {
  struct wm_text source; /* "automation/<name>" or "manual" */
  struct wm_clock clock; /* not set: it was taken back before it was known; nothing but 'taken' is */
  struct wm_clock taken; /* not set: not taken back since the role was removed */
  int64_t until_us;      /* WM_NEVER: no end */
  struct wm_by by;
};

struct wm_user_role {
  struct wm_text name;
  struct wm_clock removed; /* not set: never removed */
  struct wm_grant *grants; /* sorted by source */
  size_t grant_count;
};

struct wm_ran {
  struct wm_text automation;
  uint64_t *journeys; /* oldest first */
  size_t count;
};

/* The events of the replay that came last: another run begins with an empty memory. */
struct wm_replayed {
  struct wm_text run; /* WM_NO_TEXT: no replay has done anything yet */
  uint64_t *events;   /* oldest first, WM_RECENT_COUNT at most */
  size_t count;
};

struct wm_user {
  struct wm_arena arena;
  struct wm_text id;
  int32_t home;
  struct wm_profile profile;
  struct wm_clock cleared;
  struct wm_clock signed_in;  /* the newest sign-in; not set: none since 'cleared' */
  struct wm_user_role *roles; /* sorted by name */
  size_t role_count;
  size_t role_capacity; /* 0: 'roles' has no room beyond 'role_count' */
  struct wm_ran *ran;   /* sorted by automation */
  size_t ran_count;
  uint64_t recent[WM_RECENT_COUNT]; /* oldest first */
  size_t recent_count;
  struct wm_replayed replayed;
};

/* A new, empty register. NULL: out of memory. */
struct wm_user *wm_user_new(struct wm_text id, int32_t home);

/* A new register that is equal and shares nothing, in as little memory as it needs. NULL: out of memory. */
struct wm_user *wm_user_clone(const struct wm_user *user);
void wm_user_free(struct wm_user *user);

/* Bytes that the arena of a clone holds. */
size_t wm_user_memory(const struct wm_user *user);

static inline bool wm_user_has_profile(const struct wm_user *user) {
  return user && wm_clock_is_set(&user->profile.clock);
}

/* Sets 'status' and 'type' by 'fields': no status is active, one that is not known counts as inactive. */
void wm_profile_read(struct wm_profile *profile);

/* A member of the profile; NULL without a profile or such a member. Borrowed from the register. */
const struct wm_value *wm_user_field(const struct wm_user *user, struct wm_text name);

/* His direct manager: 'manager', else the last of 'managers'; WM_NO_TEXT: not known. */
struct wm_text wm_user_manager(const struct wm_user *user);

/* Fills 'ret' with a deep copy in 'arena'; texts that are equal in 'like' (may be NULL, must live as long as
 * 'arena') are shared with it. -1: out of memory. */
int wm_grant_copy(const struct wm_grant *grant, const struct wm_grant *like, struct wm_arena *arena,
                  struct wm_grant *ret);

/* Bytes of the texts that such a copy does not share. */
size_t wm_grant_text_size(const struct wm_grant *grant, const struct wm_grant *like);

/* What a write did (contract 6 and 7). */
enum wm_write { WM_WRITE_CHANGED, WM_WRITE_UNCHANGED, WM_WRITE_SUPERSEDED };

/* add with 'grant->clock', at 'now_us'. Everything of 'grant' is copied but 'taken', which this source keeps.
 * 'ret_stands' gets the clock that stands when superseded (borrowed from the register). A grant that differs from
 * the one that is there by nothing but its run changes nothing. -1: out of memory (register as it was). */
int wm_user_add_grant(struct wm_user *user, struct wm_text role, const struct wm_grant *grant, int64_t now_us,
                      enum wm_write *ret, struct wm_clock *ret_stands);

/* remove with 'clock', at 'now_us'. 'ret_dropped' (may be NULL) gets the sources of the grants that this took
 * while they were live, borrowed from 'arena'; 'ret_stands' the newest live grant's clock when superseded (borrowed
 * from the register). -1: out of memory (register as it was). */
struct wm_dropped {
  struct wm_text *sources;
  size_t count;
};
int wm_user_remove_role(struct wm_user *user, struct wm_text role, const struct wm_clock *clock, int64_t now_us,
                        struct wm_arena *arena, enum wm_write *ret, struct wm_clock *ret_stands,
                        struct wm_dropped *ret_dropped);

/* Whose grant is to be taken back: of 'source', and if 'version' is not WM_NO_TEXT only if that version gave it. */
struct wm_withdrawn {
  struct wm_text source, version;
};

/* Takes a grant back with 'clock', at 'now_us': 'taken' becomes the larger one. Changed if the role is not assigned any
 * more; superseded if a newer grant of this source stands, or one that another version gave (then nothing is written),
 * with its clock in 'ret_stands' (borrowed from the register). -1: out of memory (register as it was). */
int wm_user_take_back(struct wm_user *user, struct wm_text role, const struct wm_withdrawn *withdrawn,
                      const struct wm_clock *clock, int64_t now_us, enum wm_write *ret, struct wm_clock *ret_stands);

/* Forgets what is not after 'removal': grants, and that they were taken back. For user_*.c. */
void wm_user_role_drop(struct wm_user_role *role, const struct wm_clock *removal);

/* directory.user.updated: 'fields' (status defaults to active, checked by the decoder) stand if 'clock' is not
 * older than the profile's. 'ret_changed' tells. -1: out of memory (register as it was). */
int wm_user_set_profile(struct wm_user *user, const struct wm_clock *clock, const struct wm_value *fields,
                        bool *ret_changed);

/* directory.user.deleted (contract 4): the profile becomes {status: deleted} if 'clock' is not older than it;
 * 'cleared' becomes 'clock' if it is newer, then grants and a sign-in that are not after it are dropped and 'ran' is
 * emptied. -1: out of memory; then the register is not to be used. */
int wm_user_delete(struct wm_user *user, const struct wm_clock *clock, bool *ret_changed);

/* directory.user.signed-in: the newest clock stands; one that is not after 'cleared' counts for nothing. -1: out of
 * memory (register as it was). */
int wm_user_sign_in(struct wm_user *user, const struct wm_clock *clock, bool *ret_changed);

/* Has he signed in since his profile is what it is? The times are compared: a sign-in at the same moment counts. */
bool wm_user_has_signed_in(const struct wm_user *user);

/* Finds; NULL: none. */
const struct wm_user_role *wm_user_role(const struct wm_user *user, struct wm_text role);
const struct wm_grant *wm_user_grant(const struct wm_user *user, struct wm_text role, struct wm_text source);
bool wm_grant_is_live(const struct wm_user *user, const struct wm_user_role *role, const struct wm_grant *grant,
                      int64_t now_us);
bool wm_user_is_assigned(const struct wm_user *user, struct wm_text role, int64_t now_us);

/* The next end of a live grant after 'now_us'; WM_NEVER: none ends. */
int64_t wm_user_next_end(const struct wm_user *user, int64_t now_us);

/* Duplicates: hash of source and id (wm_hash_pair). The oldest of WM_RECENT_COUNT is forgotten for a new one. */
bool wm_user_remembers(const struct wm_user *user, uint64_t event_hash);
void wm_user_remember(struct wm_user *user, uint64_t event_hash);

/* The same for a replay, of whose runs only the latest is remembered. -1: out of memory (register as it was). */
bool wm_user_remembers_replay(const struct wm_user *user, struct wm_text run, uint64_t event_hash);
int wm_user_remember_replay(struct wm_user *user, struct wm_text run, uint64_t event_hash);

/* repeat: has 'automation' run at all / for this journey? */
bool wm_user_has_run(const struct wm_user *user, struct wm_text automation);
bool wm_user_has_run_journey(const struct wm_user *user, struct wm_text automation, uint64_t journey);
/* Remembers that it has; once is enough. -1: out of memory (register as it was). */
int wm_user_mark_run(struct wm_user *user, struct wm_text automation, uint64_t journey);

#endif

/* The background sample: does Redis still hold what the log says? Round after round, a few users at a time between two
 * batches, the worker walks through the registers of its partitions in the users topic and looks what Redis has of
 * their users; then through the keys in Redis, for users of whom the log has nothing. Whoever differs is looked at
 * again some seconds later, and counts when he still does. It says so, and changes nothing.
 *
 * It stands back while anything else is at work: a pause, catching up, a rebuild, projecting a catalogue, ends that
 * are due. A user whose roles may change by time alone within a minute is not judged: clocks differ. */
#ifndef WM_WORKER_DRIFT_H
#define WM_WORKER_DRIFT_H

#include <stdbool.h>

#include "worker/cache.h"

struct loop;

#define DRIFT_KEPT 256 /* users who differ that are known by name */

/* What is wrong; `waymark verify` has the same words. */
enum drift_kind {
  DRIFT_MISSING = 1,
  DRIFT_UNBACKED = 2, /* roles, but no register */
  DRIFT_OLDER = 4,
  DRIFT_NEWER = 8,
  DRIFT_REGISTER = 16,
  DRIFT_ROLES = 32,
  DRIFT_END = 64,
  DRIFT_UNREADABLE = 128
};

enum drift_answer {
  DRIFT_AGREES,
  DRIFT_DIFFERS,
  DRIFT_MOVED, /* there is a newer register: that one counts */
  DRIFT_LATER  /* not now: an end is near */
};

/* A user as the log has him. */
struct drift_user {
  struct wm_text id;
  int32_t partition;
  int64_t at;     /* offset of his newest register that was read; -1: none was */
  uint64_t hash;  /* of its value */
  unsigned kinds; /* what was wrong when he was last looked at */
  bool stands;    /* it was so twice: counted, and told */
  int64_t due_us; /* monotonic: to be looked at again */
};

enum drift_phase { DRIFT_RESTS, DRIFT_READS, DRIFT_SCANS };

struct drift {
  enum drift_phase phase;
  bool reading;                   /* the sample's reader is open, for this partition: */
  int32_t partition;              /* -1: the first one */
  int64_t position, end;          /* in the users topic */
  char cursor[CACHE_CURSOR_SIZE]; /* in Redis */
  int64_t next_us;                /* monotonic: no step before */
  int64_t credit, credited_us;    /* millionths of users that may be looked at, and up to when they were given */
  size_t step_users;              /* as many as are looked at in a few milliseconds */
  bool again;                     /* the next step is for those who differ */
  int64_t rest_us;                /* monotonic: the next round does not begin before */
  int64_t began_us;               /* monotonic: the round */
  struct drift_user *users;       /* those who differ, DRIFT_KEPT at most; ids are owned */
  size_t count, standing;
  uint64_t beyond, beyond_before; /* users who differ and have no place there: in this round, and in the last one */
  int64_t minute_us;              /* monotonic: when the present minute of lines began */
  unsigned said, unsaid;          /* lines in it, and users that there was no line for */
  uint64_t rounds;
  int64_t round_us; /* how long the last one took */
  struct wm_arena arena;
};

void drift_init(struct drift *drift);
void drift_release(struct drift *drift);

/* Forgets everything but what was counted: the partitions are not ours any more. */
void drift_cancel(struct loop *loop);

/* Users who differ, as far as it is known. */
uint64_t drift_users(const struct drift *drift);

/* One small step, when it is time for one; a few milliseconds at most. */
void drift_step(struct loop *loop);

/* drift_look.c: what Redis has of one user against what the log has; 'kinds' is filled in. -1: out of memory. */
int drift_compare(const struct loop *loop, struct drift_user *user, const struct cache_user *held,
                  struct wm_arena *arena, enum drift_answer *ret);

/* Asks Redis for 'users' and compares them, with answers borrowed from the arena of the sample. False: the loop has
 * fallen back or stopped. */
bool drift_look(struct loop *loop, struct drift_user *users, size_t count, enum drift_answer **ret);

/* Those who differ: one is added (the id is copied), or looked at again, as many as are due, 'most' at most. False as
 * above. */
bool drift_suspect(struct loop *loop, const struct drift_user *user);
bool drift_look_again(struct loop *loop, size_t most);
bool drift_is_due(const struct loop *loop);

#endif

/* Plays events against a workspace in memory: the worker's core without Kafka and Redis. */
#ifndef WM_TOOLS_PLAY_H
#define WM_TOOLS_PLAY_H

#include "core/decide.h"
#include "tools/lib/events.h"
#include "worker/files.h"

enum played {
  PLAYED_BLANK,    /* nothing in the line */
  PLAYED_REJECTED, /* 'decoded.rejection' */
  PLAYED_DUPLICATE,
  PLAYED_IGNORED, /* a reserved type that Waymark does not know */
  PLAYED_NOTHING, /* no automation takes it */
  PLAYED_DECIDED  /* 'decision' */
};

/* What became of one line; borrowed until the next one. 'user' is the register after it (NULL: there is none). */
struct playing {
  enum played played;
  struct decoded decoded;
  struct wm_decision decision;
  const struct wm_user *user;
};

struct play {
  const struct loaded *loaded;
  struct wm_terms terms;
  struct wm_arena arena;  /* of one event */
  int64_t line;           /* lines so far; the offset of the next record */
  int64_t last_us;        /* time of the event before; 1970 at first */
  struct wm_user **users; /* hash table by user id */
  size_t user_count, user_capacity;
  struct wm_buf request;    /* what the last event's decision asks of another user; empty: nothing */
  int64_t request_offset;   /* of that event */
  struct wm_user *replaced; /* the register before the last event: the decision may still borrow from it */
};

/* 'loaded' is borrowed and has a workspace. */
void play_init(struct play *play, const struct loaded *loaded);
void play_release(struct play *play);

/* Decodes a line like a record of topic 'simulate', partition 0, offset = line - 1, decides it, and keeps the
 * register. -1: out of memory. */
int play_line(struct play *play, struct wm_text line, struct playing *ret, struct wm_error *error);

/* What a delegation that was approved makes is an event too: plays it as the worker would, with the origin of the
 * delegation. 'ret_more' tells whether there was one; call it after each line, until there is none. -1: out of memory.
 */
int play_request(struct play *play, struct playing *ret, bool *ret_more, struct wm_error *error);

/* How the settings let the core decide, with an age limit for notifications only if 'with_age'. */
struct wm_terms play_terms(const struct settings *settings, bool with_age);

/* All registers, sorted by user id (bytes): a new array of 'user_count' pointers, free() it. NULL: no memory. */
struct wm_user **play_users_sorted(const struct play *play);
const struct wm_user *play_user(const struct play *play, struct wm_text id);

/* Keeps a register, and takes it: for a user who is known before. -1: out of memory. */
int play_keep(struct play *play, struct wm_user *user);

/* Appends {"user":..,"effective":[..],"register":{..}}, effective at 'now_us'. -1: out of memory. */
int play_user_to_json(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us,
                      struct wm_arena *arena, struct wm_buf *buf);

#endif

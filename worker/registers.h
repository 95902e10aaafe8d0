/* Registers out of Redis for the command: one user, or all of them in bounded memory. Reads only; Redis is a cache of
 * the log, so what comes is as new as the workers have applied. */
#ifndef WM_WORKER_REGISTERS_H
#define WM_WORKER_REGISTERS_H

#include "worker/cache.h"
#include "worker/settings.h"

struct registers;

/* 'settings' are borrowed until close; connects with the first question. The process has to ignore SIGPIPE. NULL with
 * SETTING_INVALID or OUT_OF_MEMORY. */
struct registers *registers_open(const struct settings *settings, struct wm_error *error);
void registers_close(struct registers *registers); /* NULL is fine */

/* One user with his role set; what 'ret' holds is borrowed from 'arena'. Nobody of that id: 0 and ret->json.bytes is
 * NULL. -1 with REDIS_FAILED, SETTING_INVALID (password file) or OUT_OF_MEMORY. */
int registers_get(struct registers *registers, struct wm_text user, struct wm_arena *arena, struct cache_user *ret,
                  struct wm_error *error);

/* From now on every key that begins with '<prefix>:{' is looked at, and users come with their next end: one of whom
 * there is only a role set comes too, without a register; what is no key of Waymark's at all is a fault. */
void registers_be_thorough(struct registers *registers);

#define REGISTERS_SOME 256

/* One key '<prefix>:{...}:user'. */
struct registers_entry {
  struct cache_user user; /* id, gen, at, json (not checked: decode it) and the role set */
  int64_t end_us;         /* in wm:ends; INT64_MAX: none. Only when thorough */
  /* NULL: all is as it should be. Else a sentence about what stands in Redis there instead of a user; then user.id is
   * the whole key, any bytes, and nothing else is set. */
  const char *fault;
};

/* One user as registers_each gives him, borrowed until the next question; nobody of that id: neither register nor
 * roles. 'ret->fault' may be set. -1 as above. */
int registers_look(struct registers *registers, struct wm_text user, struct registers_entry *ret,
                   struct wm_error *error);

/* Takes one; everything is borrowed for the call, in which the registers must not be asked anything. Not 0 ends the
 * stream, which then returns it. */
typedef int registers_fn(void *taker, const struct registers_entry *entry);

/* Up to REGISTERS_SOME users in one round trip, each handed over in this order; of one who is not known 'json' is NULL
 * bytes. Returns 0, what 'take' said, or -1 with an error as above. */
int registers_get_some(struct registers *registers, const struct wm_text *users, size_t count, registers_fn *take,
                       void *taker, struct wm_error *error);

/* Every user that stood in Redis all the time of the call, once, in no order; one who comes or goes meanwhile may be
 * among them. Memory: some 256 registers and 16 bytes a user. Returns 0, what 'take' said, or -1 with an error as
 * above ('take' should say something else than -1). */
int registers_each(struct registers *registers, registers_fn *take, void *taker, struct wm_error *error);

#endif

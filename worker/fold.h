/* The newest register of each user in a stretch of the log: 16 bytes a slot, at most three quarters of them taken.
 * Users are told apart by a 64-bit hash. */
#ifndef WM_WORKER_FOLD_H
#define WM_WORKER_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"

struct fold_slot;

struct fold {
  struct fold_slot *slots;
  size_t count, capacity;
};

/* The register at 'offset' is the newest of this user so far. -1: out of memory. */
int fold_take(struct fold *fold, struct wm_text user, int64_t offset);

/* Is it the newest of all that were taken? */
bool fold_is_newest(const struct fold *fold, struct wm_text user, int64_t offset);
void fold_clear(struct fold *fold);

#endif

/* A keyed 64-bit hash (SipHash-1-3 with a fixed key): spreads what strangers send, and never changes between
 * versions, since registers keep it. */
#ifndef WM_CORE_HASH_H
#define WM_CORE_HASH_H

#include <stdint.h>

#include "core/text.h"

uint64_t wm_hash(struct wm_text text);

/* Hash of a pair, told apart from the hash of the pair's concatenation. */
uint64_t wm_hash_pair(struct wm_text first, struct wm_text second);

#endif

/* SHA-256 as hex: the only file that knows nettle. */
#ifndef WM_CODEC_DIGEST_H
#define WM_CODEC_DIGEST_H

#include "core/text.h"

#define WM_DIGEST_SIZE 65 /* 64 hex digits and a NUL */

void wm_digest(struct wm_text text, char ret[static WM_DIGEST_SIZE]);

/* Over several texts, each with its length, so that borders count. */
void wm_digest_all(const struct wm_text *texts, size_t count, char ret[static WM_DIGEST_SIZE]);

#endif

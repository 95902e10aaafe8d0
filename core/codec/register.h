/* Registers to and from JSON (contract 7). */
#ifndef WM_CODEC_REGISTER_H
#define WM_CODEC_REGISTER_H

#include "core/error.h"
#include "core/user.h"

/* Appends the register; the same register always gives the same bytes. */
void wm_register_encode(const struct wm_user *user, struct wm_buf *buf);

/* Its size without keeping the bytes, for wm_terms.register_size. */
size_t wm_register_size(const struct wm_user *user);

/* A new register from bytes that may be hostile. NULL with REGISTER_INVALID or OUT_OF_MEMORY. */
struct wm_user *wm_register_decode(struct wm_text json, struct wm_error *error);

#endif

/* Registers to and from JSON (contract 7):
 *
 *   {"v":1,"user":"user-7","home":3,
 *    "profile":{"clock":[...],"status":"active",...},               null: none
 *    "cleared":null,                                                 or a clock
 *    "signed-in":[...],                                              of the newest sign-in
 *    "roles":{"<role>":{"removed":null,"grants":{"<source>":
 *      {"clock":[...],"until":null,"taken":[...],"by":{...}}}}},
 *    "ran":{"<automation>":"<16 hex digits a journey>"},"recent":"<16 hex digits an event>",
 *    "replay":{"run":"<name>","recent":"<16 hex digits an event>"}}
 *
 * A clock is [microseconds, source, id, automation, sequence]. 'until' is in microseconds since 1970 (null: no end;
 * the decoder takes an RFC 3339 text too); 'taken', 'signed-in' and 'replay' stand only where they are set, and a grant
 * that was taken back before it came has a null clock; 'by' has 'version', 'by', 'reason', 'run', 'delegation',
 * 'topic', 'partition' and 'offset' as far as they are known. All else is always there. */
#ifndef WM_CODEC_REGISTER_H
#define WM_CODEC_REGISTER_H

#include "core/error.h"
#include "core/user.h"

/* Appends the register; the same register always gives the same bytes. */
void wm_register_encode(const struct wm_user *user, struct wm_buf *buf);

/* Its size without keeping the bytes, for wm_terms.register_size. */
size_t wm_register_size(const struct wm_user *user);

/* A new register from bytes that may be hostile. What came in another order is sorted; members that this version does
 * not know are dropped. NULL with REGISTER_INVALID or OUT_OF_MEMORY. */
struct wm_user *wm_register_decode(struct wm_text json, struct wm_error *error);

#endif

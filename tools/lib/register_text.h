/* Registers that come as text: from a file, or as a line of `simulate --users`. */
#ifndef WM_TOOLS_REGISTER_TEXT_H
#define WM_TOOLS_REGISTER_TEXT_H

#include "core/error.h"
#include "core/user.h"

/* A register, or an object with one in its member 'register'. 'arena' is for scratch; the caller rewinds it. NULL with
 * JSON_INVALID, REGISTER_INVALID or OUT_OF_MEMORY. */
struct wm_user *register_of_text(struct wm_text text, struct wm_arena *arena, struct wm_error *error);

/* The same from a whole file ('-': stdin; NULL: none, *ret stays as it is). EXIT_FINE, or what went wrong, told. */
int register_of_file(const char *path, struct wm_arena *arena, struct wm_user **ret);

#endif

/* The users that --user names: one, or those of a file. */
#ifndef WM_TOOLS_USER_LIST_H
#define WM_TOOLS_USER_LIST_H

#include <stdbool.h>

#include "core/arena.h"

#define USER_LIST_LIMIT 100000

struct user_list {
  struct wm_text *items; /* sorted, none twice is not promised */
  size_t count;          /* 0: nobody in particular */
};

/* 'given' is a user id, or '@' and a file with one a line; NULL: nobody in particular. Texts are in 'arena'. EXIT_FINE,
 * or told. */
int user_list_read(const char *given, struct wm_arena *arena, struct user_list *ret);

/* Is he meant? Everybody is where nobody in particular is. */
bool user_list_has(const struct user_list *list, struct wm_text user);

#endif

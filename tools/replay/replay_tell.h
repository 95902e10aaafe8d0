/* What a dry run came to, as tables or as JSON lines. */
#ifndef WM_TOOLS_REPLAY_TELL_H
#define WM_TOOLS_REPLAY_TELL_H

#include "tools/lib/table.h"
#include "tools/replay/replay_dry.h"

struct replay_telling {
  struct table users;
  size_t limit, shown, more; /* users */
  struct wm_buf lines;       /* JSON of the users */
  bool json;
};

/* 'limit' as it was typed; NULL: the default. EXIT_FINE, or EXIT_USAGE: told. */
int replay_tell_begin(struct replay_telling *telling, const char *limit);
void replay_tell_end(struct replay_telling *telling);

/* For dry_compare. */
void replay_tell_user(void *telling, struct wm_text user, const struct wm_role_set *before,
                      const struct wm_role_set *after);

/* The users that were taken, on stdout. */
void replay_tell_users(struct replay_telling *telling);

/* All of it on stdout; 'path' is where the plan was written. EXIT_FINE, or told. */
int replay_tell(struct replay_telling *telling, const struct dry_run *dry, const char *path);

#endif

#include "tools/lib/user_list.h"

#include <stdlib.h>

#include "tools/lib/files.h"
#include "tools/lib/say.h"

static int by_text(const void *a, const void *b) {
  return wm_text_compare(*(const struct wm_text *)a, *(const struct wm_text *)b);
}

static int add(struct user_list *list, struct wm_text user, struct wm_arena *arena) {
  if (!wm_text_is_user_id(user))
    return say(EXIT_USAGE, "--user: '%.*s' is no user id", WM_TEXT_ARG(wm_text_shown(user)));
  if (list->count == USER_LIST_LIMIT)
    return say(EXIT_USAGE, "--user: more than %d users; leave it out to take them all", USER_LIST_LIMIT);
  return wm_arena_text(arena, user, &list->items[list->count++]) < 0 ? say_memory() : EXIT_FINE;
}

/* Where the users of a file go. */
struct filling {
  struct user_list *list;
  struct wm_arena *arena;
};

static int take_line(void *taker, const struct lines *lines, struct wm_text line) {
  const struct filling *filling = taker;
  (void)lines;
  return add(filling->list, line, filling->arena);
}

static int read_file(struct user_list *list, const char *path, struct wm_arena *arena) {
  struct filling filling = {list, arena};
  int exit_code = lines_each(path, take_line, &filling);
  if (exit_code == EXIT_FINE && list->count == 0)
    return say(EXIT_USAGE, "--user: '%s' names no user", path);
  return exit_code;
}

int user_list_read(const char *given, struct wm_arena *arena, struct user_list *ret) {
  *ret = (struct user_list){0};
  if (!given)
    return EXIT_FINE;
  ret->items = WM_ARENA_ARRAY(arena, struct wm_text, given[0] == '@' ? USER_LIST_LIMIT : 1);
  if (!ret->items)
    return say_memory();
  int exit_code = given[0] == '@' ? read_file(ret, given + 1, arena) : add(ret, wm_text_of(given), arena);
  if (exit_code == EXIT_FINE)
    qsort(ret->items, ret->count, sizeof *ret->items, by_text);
  return exit_code;
}

bool user_list_has(const struct user_list *list, struct wm_text user) {
  return list->count == 0 || (user.bytes && bsearch(&user, list->items, list->count, sizeof *list->items, by_text));
}

#include "tools/lib/source.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/json.h"
#include "core/codec/register.h"
#include "core/project.h"
#include "tools/lib/register_text.h"
#include "tools/lib/say.h"
#include "worker/registers.h"

#define FAULTS_TOLD 20 /* more are only counted */

static int compare(const void *a, const void *b) {
  return wm_text_compare(*(const struct wm_text *)a, *(const struct wm_text *)b);
}

bool source_holds(const struct source_user *user, const struct wm_workspace *workspace, struct wm_text role,
                  int64_t now_us) {
  if (!user->roles)
    return wm_project_has(workspace, user->user, role, now_us);
  return user->role_count > 0 && bsearch(&role, user->roles, user->role_count, sizeof role, compare);
}

static void tell_fault(struct source_walk *walk, const char *where, struct wm_text key, const char *what) {
  struct wm_text shown = wm_text_shown(key);
  if (++walk->faults <= FAULTS_TOLD)
    say(0, "%s '%.*s' is passed over: %s", where, WM_TEXT_ARG(shown), what);
  else if (walk->faults == FAULTS_TOLD + 1)
    say(0, "more of that kind are only counted");
}

/* --- Redis --- */

static bool is_about(const struct source_walk *walk, const struct cache_user *found) {
  if (!walk->about.bytes || memmem(found->json.bytes, found->json.size, walk->about.bytes, walk->about.size))
    return true;
  return found->role_count > 0 && bsearch(&walk->about, found->roles, found->role_count, sizeof walk->about, compare);
}

/* A register of somebody else under this key would be counted for him. */
static struct wm_user *decode(struct source_walk *walk, const char *where, struct wm_text name, struct wm_text json) {
  struct wm_error error = {0};
  struct wm_user *user = wm_register_decode(json, &error);
  if (!user) {
    tell_fault(walk, where, name, error.text);
  } else if (name.bytes && !wm_text_equal(user->id, name)) {
    tell_fault(walk, where, name, "the register that stands there is another user's");
    wm_user_free(user);
    user = NULL;
  }
  return user;
}

static int take_entry(void *taker, const struct registers_entry *entry) {
  struct source_walk *walk = taker;
  if (entry->fault) {
    tell_fault(walk, "redis key", entry->user.id, entry->fault);
    return 0;
  }
  walk->users++;
  if (!is_about(walk, &entry->user))
    return 0;
  struct wm_user *user = decode(walk, "redis: user", entry->user.id, entry->user.json);
  if (!user)
    return 0;
  struct source_user source = {user, entry->user.roles, entry->user.role_count};
  int exit_code = walk->take(walk->taker, &source);
  wm_user_free(user);
  return exit_code;
}

static int each_in_redis(const struct loaded *loaded, struct source_walk *walk) {
  struct wm_error error = {0};
  signal(SIGPIPE, SIG_IGN);
  struct registers *registers = registers_open(&loaded->settings, &error);
  int said = registers ? registers_each(registers, take_entry, walk, &error) : -1;
  registers_close(registers);
  return said < 0 ? say_error(EXIT_OUTSIDE, &error) : said;
}

/* --- files --- */

static int take_line(struct source_walk *walk, struct wm_text name, struct wm_text line, struct wm_arena *arena) {
  struct wm_error error = {0};
  wm_arena_rewind(arena);
  walk->users++;
  struct wm_user *user = register_of_text(line, arena, &error);
  if (!user) {
    tell_fault(walk, "register", name, error.text);
    return EXIT_FINE;
  }
  struct source_user source = {.user = user};
  int exit_code = walk->take(walk->taker, &source);
  wm_user_free(user);
  return exit_code;
}

static int each_line(const char *path, struct source_walk *walk) {
  struct lines lines;
  struct wm_text line;
  struct wm_arena arena;
  bool end = false;
  wm_arena_init(&arena, 0);
  int exit_code = lines_open(&lines, path);
  while (exit_code == EXIT_FINE && (exit_code = lines_next(&lines, &line, &end)) == EXIT_FINE && !end) {
    char name[64];
    snprintf(name, sizeof name, "line %lld", (long long)lines.number);
    if (!line_is_blank(line))
      exit_code = take_line(walk, wm_text_of(name), line, &arena);
  }
  lines_close(&lines);
  wm_arena_release(&arena);
  return exit_code;
}

int source_each(const struct loaded *loaded, const struct options *options, struct source_walk *walk) {
  const char *path = options_value(options, "register");
  int exit_code = path ? each_line(path, walk) : each_in_redis(loaded, walk);
  return exit_code == SOURCE_ENOUGH ? EXIT_FINE : exit_code;
}

/* --- one user --- */

static int find_in_redis(const struct loaded *loaded, struct wm_text name, struct wm_arena *arena,
                         struct source_user *ret, struct wm_user **ret_user) {
  struct wm_error error = {0};
  struct cache_user found = {0};
  signal(SIGPIPE, SIG_IGN);
  struct registers *registers = registers_open(&loaded->settings, &error);
  int failed = registers ? registers_get(registers, name, arena, &found, &error) : -1;
  registers_close(registers);
  if (failed)
    return say_error(EXIT_OUTSIDE, &error);
  *ret = (struct source_user){.roles = found.roles, .role_count = found.role_count};
  if (!found.json.bytes)
    return EXIT_FINE;
  *ret_user = wm_register_decode(found.json, &error);
  if (*ret_user && !wm_text_equal((*ret_user)->id, name))
    return say(EXIT_BAD_NEWS, "redis holds the register of '%.*s' under '%.*s'", WM_TEXT_ARG((*ret_user)->id),
               WM_TEXT_ARG(name));
  return *ret_user ? EXIT_FINE : say_error(EXIT_BAD_NEWS, &error);
}

/* Keeps the register in 'text' if it is this user's. */
static int look_at(const char *path, int64_t number, struct wm_text text, struct wm_text name, struct wm_arena *arena,
                   struct wm_user **ret_user) {
  struct wm_error error = {0};
  struct wm_user *user = register_of_text(text, arena, &error);
  if (!user)
    return say(EXIT_USAGE, "%s:%lld: this is no register: %s", path, (long long)number, error.text);
  if (wm_text_equal(user->id, name))
    *ret_user = user;
  else
    wm_user_free(user);
  return EXIT_FINE;
}

static bool is_json(struct wm_text text) {
  struct wm_arena arena;
  struct wm_value value;
  wm_arena_init(&arena, 0);
  bool answer = wm_json_parse(text, &arena, &value, NULL) == 0;
  wm_arena_release(&arena);
  return answer;
}

/* The first register of this user: the file is one register, over several lines if need be, or one a line. */
static int find_in_file(const char *path, struct wm_text name, struct wm_arena *arena, struct wm_user **ret_user) {
  char *bytes = NULL;
  size_t size = 0;
  int exit_code = file_read(path, &bytes, &size);
  struct wm_text rest = {bytes, size};
  bool whole = exit_code == EXIT_FINE && is_json(rest);
  for (int64_t number = 1; exit_code == EXIT_FINE && !*ret_user && rest.size > 0; number++) {
    const char *newline = whole ? NULL : memchr(rest.bytes, '\n', rest.size);
    struct wm_text line = {rest.bytes, newline ? (size_t)(newline - rest.bytes) : rest.size};
    size_t used = line.size + (newline ? 1 : 0);
    rest = (struct wm_text){rest.bytes + used, rest.size - used};
    if (!line_is_blank(line))
      exit_code = look_at(path, number, line, name, arena, ret_user);
  }
  free(bytes);
  return exit_code;
}

int source_find(const struct loaded *loaded, const struct options *options, struct wm_text name, struct wm_arena *arena,
                struct source_user *ret, struct wm_user **ret_user) {
  const char *path = options_value(options, "register");
  *ret = (struct source_user){0};
  *ret_user = NULL;
  int exit_code = path ? find_in_file(path, name, arena, ret_user) : find_in_redis(loaded, name, arena, ret, ret_user);
  ret->user = *ret_user;
  return exit_code;
}

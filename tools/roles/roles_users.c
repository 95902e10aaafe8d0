#include "tools/roles/roles_users.h"

#include <signal.h>

#include "core/codec/register.h"
#include "tools/lib/files.h"
#include "tools/lib/register_text.h"
#include "tools/lib/say.h"
#include "worker/registers.h"

struct source {
  roles_user_fn *take;
  void *taker;
  size_t faults;
  struct wm_arena arena; /* of one line */
};

/* --- Redis --- */

static int take_entry(void *taker, const struct registers_entry *entry) {
  struct source *source = taker;
  struct wm_error error = {0};
  struct wm_user *user = entry->fault ? NULL : wm_register_decode(entry->user.json, &error);
  if (!user) {
    source->faults++;
    return error.code == WM_E_OUT_OF_MEMORY;
  }
  int taken = source->take(source->taker, user);
  wm_user_free(user);
  return taken != 0;
}

int roles_users_of_redis(const struct settings *settings, roles_user_fn *take, void *taker, size_t *ret_faults) {
  struct source source = {.take = take, .taker = taker};
  struct wm_error error = {0};
  signal(SIGPIPE, SIG_IGN);
  struct registers *registers = registers_open(settings, &error);
  int result = registers ? registers_each(registers, take_entry, &source, &error) : -1;
  registers_close(registers);
  *ret_faults = source.faults;
  if (result < 0)
    return say_error(EXIT_OUTSIDE, &error);
  return result ? say_memory() : EXIT_FINE;
}

/* --- a file --- */

/* The register in a line of `simulate --users` without reading the line twice: no text in JSON has a bare quote, so
 * what is found is a member, and of those before it none is an object. */
static struct wm_text find_register(struct wm_text line) {
  struct wm_text key = WM_TEXT(",\"register\":{\"v\":");
  const char *found = NULL;
  if (wm_text_starts_with(line, WM_TEXT("{\"user\":\"")) && wm_text_ends_with(line, WM_TEXT("}}")))
    found = memmem(line.bytes, line.size, key.bytes, key.size);
  const char *brace = memchr(line.bytes + 1, '{', line.size - 1);
  if (!found || brace != found + strlen(",\"register\":"))
    return WM_NO_TEXT;
  return (struct wm_text){brace, (size_t)(line.bytes + line.size - 1 - brace)};
}

static int take_line(void *taker, const struct lines *lines, struct wm_text line) {
  struct source *source = taker;
  struct wm_error error = {0};
  struct wm_text json = find_register(line);
  struct wm_user *user = json.bytes ? wm_register_decode(json, &error) : NULL;
  if (!user) { /* any other layout */
    wm_arena_rewind(&source->arena);
    error = (struct wm_error){0};
    user = register_of_text(line, &source->arena, &error);
  }
  if (!user && error.code == WM_E_OUT_OF_MEMORY)
    return say_memory();
  if (!user)
    return say(EXIT_BAD_NEWS, "%s:%lld: no register: %s [%s]", lines->path, (long long)lines->number, error.text,
               wm_code_name(error.code));
  int taken = source->take(source->taker, user);
  wm_user_free(user);
  return taken ? say_memory() : EXIT_FINE;
}

int roles_users_of_file(const char *path, roles_user_fn *take, void *taker) {
  struct source source = {.take = take, .taker = taker};
  wm_arena_init(&source.arena, 0);
  int exit_code = lines_each(path, take_line, &source);
  wm_arena_release(&source.arena);
  return exit_code;
}

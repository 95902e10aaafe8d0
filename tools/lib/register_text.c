#include "tools/lib/register_text.h"

#include <stdlib.h>

#include "core/codec/json.h"
#include "core/codec/register.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"

struct wm_user *register_of_text(struct wm_text text, struct wm_arena *arena, struct wm_error *error) {
  struct wm_value value;
  struct wm_buf inner = WM_BUF_INIT;
  if (wm_json_parse(text, arena, &value, error) < 0)
    return NULL;
  const struct wm_value *member = wm_value_member(&value, WM_TEXT("register"));
  if (member) {
    wm_value_to_json(member, &inner);
    text = (struct wm_text){inner.bytes, inner.size};
  }
  struct wm_user *user = NULL;
  if (inner.failed)
    wm_error_memory(error);
  else
    user = wm_register_decode(text, error);
  wm_buf_release(&inner);
  return user;
}

int register_of_file(const char *path, struct wm_arena *arena, struct wm_user **ret) {
  char *bytes = NULL;
  size_t size = 0;
  struct wm_error error = {0};
  if (!path)
    return EXIT_FINE;
  int exit_code = file_read(path, &bytes, &size);
  if (exit_code == EXIT_FINE) {
    *ret = register_of_text((struct wm_text){bytes, size}, arena, &error);
    exit_code = *ret ? EXIT_FINE : say(EXIT_USAGE, "'%s' is no register: %s", path, error.text);
  }
  free(bytes);
  return exit_code;
}

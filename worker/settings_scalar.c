/* Scalars of waymark.yaml: what every setting shares, ${NAME} and ${file:PATH} among it. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "worker/settings_parts.h"

const char *settings_keep(struct settings_reading *reading, struct wm_text text) {
  const char *copy = wm_arena_copy(&reading->settings->arena, text.bytes, text.size);
  if (!copy)
    reading->memory = true;
  return copy;
}

#define SECRET_LIMIT 65536

static bool is_file(struct wm_text name) {
  return wm_text_starts_with(name, WM_TEXT("file:")) && name.size > sizeof "file:" - 1;
}

static bool is_variable(struct wm_text name) {
  if (name.size == 0 || isdigit((unsigned char)name.bytes[0]))
    return false;
  for (size_t i = 0; i < name.size; i++)
    if (!isalnum((unsigned char)name.bytes[i]) && name.bytes[i] != '_')
      return false;
  return true;
}

/* The variable that begins at 'at' ("${"). False: reported. */
static bool find_variable(struct settings_reading *reading, const struct wm_node *node, size_t at,
                          struct wm_text *ret) {
  const char *start = node->text.bytes + at + 2;
  const char *end = memchr(start, '}', node->text.size - at - 2);
  *ret = (struct wm_text){start, end ? (size_t)(end - start) : 0};
  if (end && (is_variable(*ret) || is_file(*ret)))
    return true;
  settings_invalid(reading, node, WM_E_SETTING_INVALID, "'%s' has a '${' without a variable's name and '}'",
                   reading->row->name);
  return false;
}

/* A worker can't start without it; where events are only played through, it may well be missing. */
static void tell_missing(struct settings_reading *reading, const struct wm_node *node, const char *variable) {
  enum wm_severity severity = reading->mode == SETTINGS_OFFLINE ? WM_WARNING : WM_INVALID;
  wm_findings_add(reading->findings, severity, WM_E_ENV_MISSING, reading->file, node->line, node->column,
                  "environment variable '%s' is not set", variable);
}

const char *settings_path(struct settings_reading *reading, const char *path) {
  struct wm_text file = reading->file;
  while (file.size > 0 && file.bytes[file.size - 1] != '/')
    file.size--;
  struct wm_buf joined = {0};
  if (*path != '/')
    wm_buf_add(&joined, file.bytes, file.size);
  wm_buf_add_string(&joined, path);
  const char *kept = joined.failed ? NULL : settings_keep(reading, (struct wm_text){joined.bytes, joined.size});
  reading->memory |= joined.failed;
  wm_buf_release(&joined);
  return kept;
}

/* What a file holds, without the end of its last line. False: told, out of memory, or not to be known here: where only
 * the text is looked at, no secret is read. */
static bool add_file(struct settings_reading *reading, const struct wm_node *node, struct wm_text name,
                     struct wm_buf *ret) {
  if (reading->mode != SETTINGS_FULL)
    return false;
  const char *given = settings_keep(reading, (struct wm_text){name.bytes + 5, name.size - 5});
  const char *path = given ? settings_path(reading, given) : NULL;
  FILE *file = path ? fopen(path, "re") : NULL;
  char *bytes = file ? malloc(SECRET_LIMIT + 1) : NULL;
  size_t size = bytes ? fread(bytes, 1, SECRET_LIMIT + 1, file) : 0;
  const char *why = !file                                ? strerror(errno)
                    : bytes && ferror(file)              ? "it is no file"
                    : size > SECRET_LIMIT                ? "it is too large"
                    : bytes && memchr(bytes, '\0', size) ? "there is a NUL in it"
                                                         : NULL;
  reading->memory |= path && file && !bytes;
  if (path && why)
    settings_invalid(reading, node, WM_E_SETTING_INVALID, "'%s': can't read '%s': %s", reading->row->name, path, why);
  if (bytes && !why) {
    size -= size > 0 && bytes[size - 1] == '\n';
    size -= size > 0 && bytes[size - 1] == '\r';
    wm_buf_add(ret, bytes, size);
  }
  free(bytes);
  if (file)
    fclose(file);
  return path && bytes && !why;
}

static bool expand(struct settings_reading *reading, const struct wm_node *node, struct wm_buf *ret) {
  for (size_t at = 0; at < node->text.size;) {
    struct wm_text rest = {node->text.bytes + at, node->text.size - at}, name;
    if (!wm_text_starts_with(rest, WM_TEXT("${"))) {
      wm_buf_add_char(ret, *rest.bytes);
      at++;
      continue;
    }
    if (!find_variable(reading, node, at, &name))
      return false;
    at += name.size + 3;
    if (is_file(name)) {
      if (!add_file(reading, node, name, ret))
        return false;
      continue;
    }
    const char *variable = settings_keep(reading, name), *value = variable ? getenv(variable) : NULL;
    if (variable && !value)
      tell_missing(reading, node, variable);
    if (!value)
      return false;
    wm_buf_add_string(ret, value);
  }
  return true;
}

const char *settings_scalar(struct settings_reading *reading, const struct wm_node *node) {
  const char *text = NULL;
  if (node->broken)
    return NULL;
  if (node->kind != WM_NODE_SCALAR) {
    settings_invalid(reading, node, WM_E_TYPE_WRONG, "'%s' must be one value, not a %s", reading->row->name,
                     node->kind == WM_NODE_LIST ? "list" : "mapping");
    return NULL;
  }
  struct wm_buf all = WM_BUF_INIT;
  bool whole = expand(reading, node, &all);
  if (whole && memchr(node->text.bytes, '\0', node->text.size))
    settings_invalid(reading, node, WM_E_SETTING_INVALID, "'%s' has a NUL in it", reading->row->name);
  else if (whole && !all.failed)
    text = settings_keep(reading, (struct wm_text){all.bytes ? all.bytes : "", all.size});
  reading->memory |= all.failed;
  wm_buf_release(&all);
  return text;
}

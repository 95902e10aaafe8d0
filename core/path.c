#include "core/path.h"

#include <string.h>

#include "core/user.h"

/* What a user path may look like: contract 5. */
static const struct user_field {
  const char *name;
  size_t least, most; /* names, this one included; most 0: no limit */
  bool list;
  const char *below; /* what is missing when only the field is named */
} user_fields[] = {
    {"roles", 1, 1, true, NULL},         {"status", 1, 1, false, NULL}, {"type", 1, 1, false, NULL},
    {"org-units", 2, 2, true, "type"},   {"groups", 1, 1, true, NULL},  {"portals", 1, 1, true, NULL},
    {"manager", 1, 1, false, NULL},      {"name", 1, 1, false, NULL},   {"email", 1, 1, false, NULL},
    {"attributes", 2, 0, false, "name"},
};

static const char *const user_names[] = {"roles",   "status", "type",  "org-units",  "groups", "portals",
                                         "manager", "name",   "email", "attributes", NULL};
static const char *const root_names[] = {"event", "data", "user", NULL};
static const char *const attribute_names[] = {"id",          "source",          "type",       "time", "subject",
                                              "specversion", "datacontenttype", "dataschema", NULL};

static const struct user_field *find_user_field(struct wm_text name) {
  for (size_t i = 0; i < sizeof(user_fields) / sizeof(user_fields[0]); i++)
    if (wm_text_is(name, user_fields[i].name))
      return &user_fields[i];
  return NULL;
}

static bool is_one_of(struct wm_text word, const char *const *words) {
  for (size_t i = 0; words[i]; i++)
    if (wm_text_is(word, words[i]))
      return true;
  return false;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct wm_text trim(struct wm_text text) {
  while (text.size > 0 && is_space(text.bytes[0])) {
    text.bytes++;
    text.size--;
  }
  while (text.size > 0 && is_space(text.bytes[text.size - 1]))
    text.size--;
  return text;
}

/* Takes the next name off the front of 'rest', and the dot behind it. NULL, or what is wrong with it. */
static const char *take_name(struct wm_text *rest, struct wm_text *ret) {
  bool quoted = rest->size > 0 && rest->bytes[0] == '"';
  size_t end = quoted;
  while (end < rest->size && rest->bytes[end] != (quoted ? '"' : '.')) {
    char c = rest->bytes[end++];
    if (!quoted && (c == '"' || is_space(c)))
      return "has a name that needs double quotes";
  }
  if (quoted && end == rest->size)
    return "has a double quote that is not closed";
  *ret = (struct wm_text){rest->bytes + quoted, end - quoted};
  end += quoted;
  if (ret->size == 0)
    return "has an empty name";
  if (end < rest->size && rest->bytes[end] != '.')
    return "has text behind a closing double quote";
  if (end + 1 == rest->size)
    return "ends with a dot";
  size_t taken = end < rest->size ? end + 1 : end;
  *rest = (struct wm_text){rest->bytes + taken, rest->size - taken};
  return NULL;
}

static int unknown(struct wm_text written, struct wm_error *error, const char *why) {
  return wm_error_set(error, WM_E_PATH_UNKNOWN, "path '%.*s' %s", WM_TEXT_ARG(written), why);
}

/* An unknown path with what it was likely meant to be: 'prefix' + 'word' + 'rest'. */
static int suggest(struct wm_text written, struct wm_error *error, const char *prefix, const char *word,
                   struct wm_text rest) {
  return wm_error_set(error, WM_E_PATH_UNKNOWN, "unknown path '%.*s', did you mean '%s%s%.*s'", WM_TEXT_ARG(written),
                      prefix, word, WM_TEXT_ARG(rest));
}

/* The path does not begin with a root: a slip in the root, or a field without one. */
static int unknown_root(struct wm_text written, struct wm_text root, struct wm_error *error) {
  struct wm_text behind = {written.bytes + root.size, written.size - root.size};
  const char *near = behind.size > 0 ? wm_text_nearest(root, root_names) : NULL;
  if (near)
    return suggest(written, error, "", near, behind);
  if (is_one_of(root, attribute_names) && behind.size == 0)
    return suggest(written, error, "event.", "", written);
  if (find_user_field(root))
    return suggest(written, error, "user.", "", written);
  for (size_t i = 0; i < written.size; i++)
    if (is_space(written.bytes[i]))
      return unknown(written, error, "does not begin with 'event.', 'data.' or 'user.'");
  return suggest(written, error, "data.", "", written);
}

static int check_event(struct wm_path *path, struct wm_error *error) {
  struct wm_text name = path->names[0];
  if (wm_text_is(name, "data")) {
    if (path->count > 1)
      return suggest(path->written, error, "", "", (struct wm_text){path->written.bytes + 6, path->written.size - 6});
    return unknown(path->written, error, "is the whole data, name a field: 'data.<name>'");
  }
  if (path->count > 1)
    return unknown(path->written, error, "goes below an attribute, attributes have no fields");
  for (size_t i = 0; i < name.size; i++) {
    char c = name.bytes[i];
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      continue;
    const char *near = wm_text_nearest(name, attribute_names);
    if (near)
      return suggest(path->written, error, "event.", near, WM_NO_TEXT);
    return unknown(path->written, error, "is no attribute, their names are [a-z0-9]+");
  }
  return 0;
}

static int check_user(struct wm_path *path, struct wm_error *error) {
  const struct user_field *field = find_user_field(path->names[0]);
  if (!field) {
    const char *near = wm_text_nearest(path->names[0], user_names);
    const char *end = path->names[path->count - 1].bytes + path->names[path->count - 1].size;
    const char *behind = path->names[0].bytes + path->names[0].size;
    if (near && path->names[0].bytes[-1] != '"')
      return suggest(path->written, error, "user.", near, (struct wm_text){behind, (size_t)(end - behind)});
    return wm_error_set(error, WM_E_PATH_UNKNOWN, "unknown path '%.*s', a field of the profile's attributes is '%s'",
                        WM_TEXT_ARG(path->written), "user.attributes.<name>");
  }
  if (path->count < field->least)
    return wm_error_set(error, WM_E_PATH_UNKNOWN, "path '%.*s' needs one more name, did you mean 'user.%s.<%s>'",
                        WM_TEXT_ARG(path->written), field->name, field->below);
  if (field->most > 0 && path->count > field->most)
    return wm_error_set(error, WM_E_PATH_UNKNOWN, "path '%.*s' goes below 'user.%s%s', which has no fields",
                        WM_TEXT_ARG(path->written), field->name, field->least > 1 ? ".<type>" : "");
  if (wm_text_is(path->names[0], "roles")) {
    path->root = WM_PATH_USER_ROLES;
    path->count = 0;
  }
  return 0;
}

static int take_names(struct wm_text rest, struct wm_path *path, struct wm_arena *arena, struct wm_error *error) {
  size_t most = 1;
  for (size_t i = 0; i < rest.size; i++)
    most += rest.bytes[i] == '.';
  path->names = WM_ARENA_ARRAY(arena, struct wm_text, most);
  if (!path->names)
    return wm_error_memory(error);
  while (rest.size > 0) {
    const char *wrong = take_name(&rest, &path->names[path->count]);
    if (wrong)
      return unknown(path->written, error, wrong);
    path->count++;
  }
  return 0;
}

int wm_path_parse(struct wm_text text, struct wm_arena *arena, struct wm_path *ret, struct wm_error *error) {
  struct wm_path path = {0};
  text = trim(text);
  if (text.size == 0)
    return wm_error_set(error, WM_E_PATH_UNKNOWN, "an empty path");
  if (wm_arena_text(arena, text, &path.written) < 0)
    return wm_error_memory(error);
  const char *dot = memchr(path.written.bytes, '.', path.written.size);
  struct wm_text root = {path.written.bytes, dot ? (size_t)(dot - path.written.bytes) : path.written.size};
  if (!is_one_of(root, root_names))
    return unknown_root(path.written, root, error);
  if (root.size + 1 >= path.written.size)
    return unknown(path.written, error, "names no field");
  if (take_names((struct wm_text){dot + 1, path.written.size - root.size - 1}, &path, arena, error) < 0)
    return -1;
  path.root = wm_text_is(root, "event") ? WM_PATH_EVENT : wm_text_is(root, "data") ? WM_PATH_DATA : WM_PATH_USER;
  if (path.root == WM_PATH_EVENT && check_event(&path, error) < 0)
    return -1;
  if (path.root == WM_PATH_USER && check_user(&path, error) < 0)
    return -1;
  *ret = path;
  return 0;
}

static const struct wm_value *follow(const struct wm_value *value, const struct wm_path *path) {
  for (size_t i = 0; i < path->count && value; i++)
    value = wm_value_member(value, path->names[i]);
  return value;
}

const struct wm_value *wm_path_get(const struct wm_path *path, const struct wm_scope *scope) {
  switch (path->root) {
  case WM_PATH_EVENT:
    return scope->event ? follow(&scope->event->attributes, path) : NULL;
  case WM_PATH_DATA:
    return scope->event ? follow(scope->event->data, path) : NULL;
  case WM_PATH_USER_ROLES:
    return scope->user ? scope->roles : NULL;
  case WM_PATH_USER:
    if (!scope->user || !wm_clock_is_set(&scope->user->profile.clock))
      return NULL;
    return follow(&scope->user->profile.fields, path);
  }
  return NULL;
}

bool wm_path_is_list(const struct wm_path *path) {
  if (path->root == WM_PATH_USER_ROLES)
    return true;
  const struct user_field *field = path->root == WM_PATH_USER ? find_user_field(path->names[0]) : NULL;
  return field && field->list;
}

bool wm_path_equal(const struct wm_path *a, const struct wm_path *b) {
  if (a->root != b->root || a->count != b->count)
    return false;
  for (size_t i = 0; i < a->count; i++)
    if (!wm_text_equal(a->names[i], b->names[i]))
      return false;
  return true;
}

/* Values of keys: texts, names, words, numbers, durations, templates. */
#include <assert.h>

#include "core/codec/load_parts.h"
#include "core/moment.h"

struct wm_text load_copy(struct load *load, struct wm_text text) {
  struct wm_text copy = WM_NO_TEXT;
  if (wm_arena_text(load->arena, text, &copy))
    load->memory = true;
  return copy;
}

void *load_array(struct load *load, size_t count, size_t size) {
  void *items = wm_arena_array(load->arena, count, size);
  if (!items)
    load->memory = true;
  return items;
}

const char *load_kind_name(const struct wm_node *node) {
  switch (node->kind) {
  case WM_NODE_SCALAR:
    return "text";
  case WM_NODE_LIST:
    return "a list";
  case WM_NODE_MAP:
    return "a mapping";
  }
  return "something else";
}

bool load_scalar(struct load *load, const char *name, const struct wm_node *value, struct wm_text *ret) {
  if (value->broken)
    return false;
  if (value->kind != WM_NODE_SCALAR) {
    load_invalid(load, value, WM_E_TYPE_WRONG, "'%s' must be one value, not %s", name, load_kind_name(value));
    return false;
  }
  *ret = value->text;
  return true;
}

static bool is_null(const struct wm_node *value) {
  return wm_node_value(value, NULL).type == WM_NULL;
}

/* A scalar with something in it. Empty ones are reported where 'required'. */
static bool filled_scalar(struct load *load, const struct load_key *key, bool required, const struct wm_node *value,
                          struct wm_text *ret) {
  if (!load_scalar(load, key->name, value, ret))
    return false;
  if (ret->size > 0 && !is_null(value))
    return true;
  if (required)
    load_invalid(load, value, WM_E_VALUE_INVALID, "'%s' is empty%s", key->name,
                 value->comment_behind ? ", text that begins with '#' needs quotes" : "");
  return false;
}

void load_text(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_text text;
  if (filled_scalar(load, key, key->required, value, &text))
    *(struct wm_text *)place = load_copy(load, text);
}

void load_filled(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_text text;
  if (filled_scalar(load, key, true, value, &text))
    *(struct wm_text *)place = load_copy(load, text);
}

void load_name(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_text text;
  if (!filled_scalar(load, key, true, value, &text))
    return;
  if (!wm_text_is_name(text))
    load_invalid(load, value, WM_E_NAME_INVALID,
                 "'%.*s' is no name: use small letters, digits and '-', a letter or digit first, at most 63",
                 WM_TEXT_ARG(wm_text_shown(text)));
  *(struct wm_text *)place = load_copy(load, text);
}

void load_word(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_text text;
  if (!filled_scalar(load, key, true, value, &text))
    return;
  struct wm_buf all = WM_BUF_INIT;
  for (unsigned i = 0; key->words[i]; i++) {
    if (wm_text_is(text, key->words[i])) {
      *(unsigned *)place = i;
      wm_buf_release(&all);
      return;
    }
    wm_buf_printf(&all, "%s'%s'", i == 0 ? "" : key->words[i + 1] ? ", " : " or ", key->words[i]);
  }
  const char *near = wm_text_nearest(text, key->words);
  load_invalid(load, value, WM_E_VALUE_INVALID, "'%s' can't be '%.*s', it is %s" LOAD_NEAR, key->name,
               WM_TEXT_ARG(wm_text_shown(text)), all.failed ? "something else" : all.bytes, LOAD_NEAR_ARG(near));
  wm_buf_release(&all);
}

/* 'yes' and quotes are how other formats write booleans. */
static const char *near_boolean(struct wm_text text) {
  static const char *const trues[] = {"yes", "Yes", "on", "On", "true", "y", "1", NULL};
  static const char *const falses[] = {"no", "No", "off", "Off", "false", "n", "0", NULL};
  for (size_t i = 0; trues[i]; i++)
    if (wm_text_is(text, trues[i]))
      return "true";
  for (size_t i = 0; falses[i]; i++)
    if (wm_text_is(text, falses[i]))
      return "false";
  return NULL;
}

void load_boolean(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_text text;
  if (!filled_scalar(load, key, true, value, &text))
    return;
  struct wm_value typed = wm_node_value(value, NULL);
  if (typed.type == WM_BOOLEAN)
    *(bool *)place = typed.boolean;
  else
    load_invalid(load, value, WM_E_TYPE_WRONG, "'%s' must be true or false, not '%.*s'%s" LOAD_NEAR, key->name,
                 WM_TEXT_ARG(wm_text_shown(text)), value->plain ? "" : " in quotes", LOAD_NEAR_ARG(near_boolean(text)));
}

#define SEQUENCE_LIMIT (INT64_C(1) << 53) /* what every JSON reader can hold */

void load_sequence(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_text text;
  if (!filled_scalar(load, key, true, value, &text))
    return;
  struct wm_value typed = wm_node_value(value, NULL);
  if (typed.type != WM_INTEGER)
    load_invalid(load, value, WM_E_TYPE_WRONG, "'%s' must be an integer, not '%.*s'%s", key->name,
                 WM_TEXT_ARG(wm_text_shown(text)), value->plain ? "" : " in quotes");
  else if (typed.integer < -SEQUENCE_LIMIT || typed.integer > SEQUENCE_LIMIT)
    load_invalid(load, value, WM_E_VALUE_INVALID, "'%s' must be within -2^53 and 2^53", key->name);
  else
    *(int64_t *)place = typed.integer;
}

void load_duration(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_text text;
  int64_t us;
  if (!filled_scalar(load, key, true, value, &text))
    return;
  if (!wm_duration_parse(text, &us))
    load_invalid(load, value, WM_E_VALUE_INVALID,
                 "'%s' needs a number and a unit (s m h d w) such as '365d', at most 36500d, not '%.*s'", key->name,
                 WM_TEXT_ARG(wm_text_shown(text)));
  else if (us == 0)
    load_invalid(load, value, WM_E_VALUE_INVALID, "'%s' must be more than nothing", key->name);
  else
    *(int64_t *)place = us;
}

void load_template(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_text text;
  struct wm_error error;
  size_t at;
  if (!filled_scalar(load, key, key->required, value, &text))
    return;
  if (wm_template_parse(load_copy(load, text), load->arena, place, &at, &error) == 0)
    return;
  if (error.code == WM_E_OUT_OF_MEMORY)
    load->memory = true;
  else
    load_invalid(load, value, error.code, "%s", error.text);
}

/* A word is more likely 'manager' misspelt than the address of anybody: those have a sign or a digit in them. A
 * placeholder would never be filled in here. */
static bool is_address(struct wm_text text) {
  if (wm_text_contains(text, WM_TEXT("{{")))
    return false;
  for (size_t i = 0; i < text.size; i++) {
    char letter = (char)(text.bytes[i] | 0x20);
    if ((letter < 'a' || letter > 'z') && text.bytes[i] != '-' && text.bytes[i] != ' ')
      return true;
  }
  return false;
}

void load_recipient(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  static const char *const words[] = {"user", "manager", NULL};
  struct wm_text text;
  if (!filled_scalar(load, key, true, value, &text))
    return;
  if (wm_text_is(text, "user") || wm_text_is(text, "manager") || is_address(text))
    *(struct wm_text *)place = load_copy(load, text);
  else
    load_invalid(load, value, WM_E_VALUE_INVALID, "'%s' must be 'user', 'manager' or an address, not '%.*s'" LOAD_NEAR,
                 key->name, WM_TEXT_ARG(wm_text_shown(text)), LOAD_NEAR_ARG(wm_text_nearest(text, words)));
}

void load_anything(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  (void)load, (void)key, (void)value, (void)place;
}

bool load_texts(struct load *load, const struct load_key *key, const struct wm_node *value, bool scalar,
                struct wm_text **ret, size_t *ret_count) {
  if (value->broken)
    return false;
  bool one = scalar && value->kind == WM_NODE_SCALAR;
  if (!one && value->kind != WM_NODE_LIST) {
    load_invalid(load, value, WM_E_TYPE_WRONG, "'%s' must be %sa list, not %s", key->name, scalar ? "text or " : "",
                 value->kind == WM_NODE_SCALAR ? "one value" : "a mapping");
    return false;
  }
  const struct wm_node *items = one ? value : value->items;
  size_t count = one ? 1 : value->count;
  if (count == 0)
    load_invalid(load, value, WM_E_VALUE_INVALID, "'%s' is an empty list", key->name);
  struct wm_text *texts = load_array(load, count, sizeof(*texts));
  *ret_count = 0;
  for (size_t i = 0; texts && i < count; i++) {
    struct wm_text text;
    if (filled_scalar(load, key, true, &items[i], &text))
      texts[(*ret_count)++] = load_copy(load, text);
  }
  *ret = texts;
  return true;
}

static const struct load_key *find_key(const struct load_key *keys, struct wm_text name) {
  for (; keys->name; keys++)
    if (wm_text_is(name, keys->name))
      return keys;
  return NULL;
}

static void report_unknown(struct load *load, const struct wm_node *key, const char *what,
                           const struct load_key *keys) {
  const char *names[LOAD_KEYS_LIMIT + 1] = {NULL};
  for (size_t i = 0; keys[i].name; i++) {
    assert(i < LOAD_KEYS_LIMIT);
    names[i] = keys[i].name;
  }
  load_invalid(load, key, WM_E_KEY_UNKNOWN, "unknown key '%.*s' in %s" LOAD_NEAR, WM_TEXT_ARG(wm_text_shown(key->text)),
               what, LOAD_NEAR_ARG(wm_text_nearest(key->text, names)));
}

bool load_is_reported(const struct wm_node *key) {
  return key->broken || key->kind != WM_NODE_SCALAR ||
         (key->plain && (key->text.size == 0 || wm_text_is(key->text, "<<")));
}

bool load_has_reported(const struct wm_node *map) {
  for (size_t i = 0; i < map->count; i++)
    if (load_is_reported(&map->items[2 * i]))
      return true;
  return false;
}

static void warn_of_comment(struct load *load, const struct load_key *key, const struct wm_node *value) {
  if (key->prose && value->comment_behind && value->text.size > 0)
    load_warning(load, value, WM_E_COMMENT_IN_TEXT,
                 "'%s' ends before ' #', which begins a comment: quote the text if it belongs to it", key->name);
}

bool load_map(struct load *load, const struct wm_node *map, const char *what, const struct load_key *keys, void *into) {
  if (map->broken)
    return false;
  if (map->kind != WM_NODE_MAP) {
    load_invalid(load, map, WM_E_TYPE_WRONG, "%s must be a mapping, not %s", what, load_kind_name(map));
    return false;
  }
  for (size_t i = 0; i < map->count; i++) {
    const struct wm_node *name = &map->items[2 * i], *value = &map->items[2 * i + 1];
    const struct load_key *key = name->kind == WM_NODE_SCALAR ? find_key(keys, name->text) : NULL;
    if (key) {
      warn_of_comment(load, key, value);
      key->read(load, key, value, (char *)into + key->offset);
    } else if (!load_is_reported(name)) {
      report_unknown(load, name, what, keys);
    }
  }
  bool open = load_has_reported(map);
  for (const struct load_key *key = keys; key->name && !open; key++)
    if (key->required && !wm_node_get(map, key->name))
      load_invalid(load, map, WM_E_KEY_MISSING, "%s needs '%s'", what, key->name);
  return true;
}

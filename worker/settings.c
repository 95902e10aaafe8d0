/* waymark.yaml by the table of settings.def. Defaults are read the same way, from the text that the manual prints. */
#include "worker/settings.h"

#include <stddef.h>

#include "worker/settings_parts.h"

const struct setting_row setting_rows[] = {
#define SETTING(name, type, fallback, reloadable, set, place, low, high, help) {name, type, fallback, reloadable, help},
#include "worker/settings.def"
#undef SETTING
    {NULL, NULL, NULL, false, NULL},
};

/* How a value gets to its place; the rows of setting_rows in the same order. */
static const struct settings_place places[] = {
#define SETTING(name, type, fallback, reloadable, set, place, low, high, help)                                         \
  {set, offsetof(struct settings, place), low, high},
#include "worker/settings.def"
#undef SETTING
};
#define COUNT (sizeof(places) / sizeof(places[0]))

static void set(struct settings_reading *reading, size_t i, const struct wm_node *node) {
  reading->row = &setting_rows[i];
  reading->place = &places[i];
  places[i].set(reading, node, (char *)reading->settings + places[i].offset);
}

static void read_fallbacks(struct settings_reading *reading) {
  reading->fallback = true;
  for (size_t i = 0; i < COUNT; i++) {
    struct wm_document *documents;
    size_t count;
    if (wm_yaml_read(reading->file, wm_text_of(setting_rows[i].fallback), &reading->settings->arena, reading->findings,
                     &documents, &count, NULL) ||
        count != 1)
      reading->memory = true;
    else
      set(reading, i, &documents[0].root);
  }
  reading->fallback = false;
}

static const char *in_group(const char *name, struct wm_text group) {
  return wm_text_starts_with(wm_text_of(name), group) ? name + group.size : NULL;
}

/* The names that a key of this group may have: up to their next dot, each once. */
static const char *nearest(struct settings_reading *reading, struct wm_text group, struct wm_text key) {
  const char *names[COUNT + 1] = {NULL};
  size_t count = 0;
  for (size_t i = 0; i < COUNT; i++) {
    const char *rest = in_group(setting_rows[i].name, group);
    if (!rest)
      continue;
    names[count] = wm_arena_copy(&reading->settings->arena, rest, strcspn(rest, "."));
    if (!names[count++])
      reading->memory = true;
  }
  return reading->memory ? NULL : wm_text_nearest(key, names);
}

static void report_unknown(struct settings_reading *reading, struct wm_text group, const struct wm_node *key) {
  struct wm_text text = key->text;
  for (size_t i = 0; i < COUNT; i++) {
    const char *dot = strchr(setting_rows[i].name, '.');
    if (group.size > 0 || !dot || !wm_text_is(text, setting_rows[i].name))
      continue;
    settings_invalid(reading, key, WM_E_KEY_UNKNOWN, "unknown setting '%.*s', did you mean '%.*s: { %s: ... }'",
                     WM_TEXT_ARG(text), (int)(dot - setting_rows[i].name), setting_rows[i].name, dot + 1);
    return;
  }
  const char *near = nearest(reading, group, text);
  settings_invalid(reading, key, WM_E_KEY_UNKNOWN, "unknown setting '%.*s%.*s'%s%s%s", WM_TEXT_ARG(group),
                   WM_TEXT_ARG(wm_text_shown(text)), near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
}

static void read_map(struct settings_reading *reading, struct wm_text group, const struct wm_node *map);

static void read_pair(struct settings_reading *reading, struct wm_text group, const struct wm_node *key,
                      const struct wm_node *value) {
  struct wm_buf name = WM_BUF_INIT;
  wm_buf_add_text(&name, group);
  wm_buf_add_text(&name, key->text);
  struct wm_text full = {name.bytes, name.size};
  bool found = false, dotted = memchr(key->text.bytes, '.', key->text.size);
  for (size_t i = 0; i < COUNT && !found && !dotted && !name.failed; i++) {
    found = wm_text_is(full, setting_rows[i].name);
    if (found)
      set(reading, i, value);
  }
  wm_buf_add_char(&name, '.');
  full = (struct wm_text){name.bytes, name.size};
  for (size_t i = 0; i < COUNT && !found && !dotted && !name.failed; i++) {
    found = in_group(setting_rows[i].name, full) != NULL;
    if (found)
      read_map(reading, full, value);
  }
  if (name.failed)
    reading->memory = true;
  else if (!found)
    report_unknown(reading, group, key);
  wm_buf_release(&name);
}

static void read_map(struct settings_reading *reading, struct wm_text group, const struct wm_node *map) {
  bool empty = map->kind == WM_NODE_SCALAR && wm_node_value(map, NULL).type == WM_NULL;
  if (map->broken || empty)
    return;
  if (map->kind != WM_NODE_MAP) {
    settings_invalid(reading, map, WM_E_TYPE_WRONG, "'%.*s' must be a mapping",
                     (int)(group.size > 0 ? group.size - 1 : 8), group.size > 0 ? group.bytes : "settings");
    return;
  }
  for (size_t i = 0; i < map->count; i++) {
    const struct wm_node *key = &map->items[2 * i];
    if (!key->broken && key->kind == WM_NODE_SCALAR && key->text.size > 0)
      read_pair(reading, group, key, &map->items[2 * i + 1]);
  }
}

static void read_file(struct settings_reading *reading, struct wm_text bytes) {
  struct wm_document *documents;
  size_t count;
  if (wm_yaml_read(reading->file, bytes, &reading->settings->arena, reading->findings, &documents, &count, NULL)) {
    reading->memory = true;
    return;
  }
  if (count > 0)
    read_map(reading, WM_TEXT(""), &documents[0].root);
  if (count > 1)
    settings_invalid(reading, &documents[1].root, WM_E_SETTING_INVALID, "settings are one document, this is another");
}

/* On an administrator's machine the host name does not matter. */
static void check_instance(struct settings_reading *reading) {
  if (reading->settings->instance)
    return;
  reading->settings->instance = "waymark";
  if (reading->mode == SETTINGS_FULL)
    wm_findings_add(reading->findings, WM_INVALID, WM_E_SETTING_INVALID, reading->file, 1, 1,
                    "'instance' is needed: the host name has more in it than letters, digits, '.', '_' and '-'");
}

int settings_read(struct settings *settings, struct wm_text file, struct wm_text bytes, enum settings_mode mode,
                  struct wm_findings *findings) {
  size_t invalid = findings->invalid;
  struct settings_reading reading = {.settings = settings, .findings = findings, .file = file, .mode = mode};
  *settings = (struct settings){0};
  wm_arena_init(&settings->arena, 4096);
  read_fallbacks(&reading);
  if (bytes.bytes)
    read_file(&reading, bytes);
  check_instance(&reading);
  settings_check_topics(&reading);
  if (!reading.memory && !findings->failed)
    return findings->invalid > invalid ? -1 : 0;
  findings->failed = true;
  return -1;
}

void settings_release(struct settings *settings) {
  wm_arena_release(&settings->arena);
  *settings = (struct settings){0};
}

/* --- what has changed --- */

static bool same_topics(const struct settings *a, const struct settings *b) {
  bool same = a->topics.event_count == b->topics.event_count;
  for (size_t i = 0; same && i < a->topics.event_count; i++)
    same = strcmp(a->topics.events[i], b->topics.events[i]) == 0;
  return same;
}

static bool same_properties(const struct settings *a, const struct settings *b) {
  bool same = a->kafka.property_count == b->kafka.property_count;
  for (size_t i = 0; same && i < a->kafka.property_count; i++)
    same = strcmp(a->kafka.properties[i].name, b->kafka.properties[i].name) == 0 &&
           strcmp(a->kafka.properties[i].value, b->kafka.properties[i].value) == 0;
  return same;
}

static bool is_same(const struct settings *a, const struct settings *b, const struct settings_place *place) {
  const void *one = (const char *)a + place->offset, *other = (const char *)b + place->offset;
  if (place->set == set_topics)
    return same_topics(a, b);
  if (place->set == set_properties)
    return same_properties(a, b);
  if (place->set == set_delivery)
    return *(const bool *)one == *(const bool *)other;
  if (place->set == set_int32)
    return *(const int32_t *)one == *(const int32_t *)other;
  return strcmp(*(const char *const *)one, *(const char *const *)other) == 0;
}

const char *settings_next_changed(const struct settings *before, const struct settings *after, size_t *at) {
  while (*at < COUNT) {
    size_t i = (*at)++;
    if (!setting_rows[i].reloadable && !is_same(before, after, &places[i]))
      return setting_rows[i].name;
  }
  return NULL;
}

#include "tools/directory/directory_units.h"

#include <stdlib.h>

#include "core/forest.h"
#include "tools/lib/say.h"

void units_init(struct units *units) {
  *units = (struct units){0};
  wm_arena_init(&units->arena, 0);
}

void units_release(struct units *units) {
  names_release(&units->names);
  names_release(&units->plain);
  free(units->first);
  free(units->items);
  free(units->depths);
  wm_buf_release(&units->key);
  wm_arena_release(&units->arena);
  *units = (struct units){0};
}

/* --- the table --- */

/* "type NUL name", or with a parent "type NUL parent NUL name"; borrowed until the next one. */
static struct wm_text key_of(struct units *units, struct wm_text type, const uint32_t *parent, struct wm_text name) {
  wm_buf_clear(&units->key);
  wm_buf_add_text(&units->key, type);
  wm_buf_add_char(&units->key, '\0');
  if (parent)
    wm_buf_printf(&units->key, "%u", *parent);
  if (parent)
    wm_buf_add_char(&units->key, '\0');
  wm_buf_add_text(&units->key, name);
  return (struct wm_text){units->key.bytes, units->key.failed ? 0 : units->key.size};
}

static int make_room(struct units *units) {
  if (units->names.count < units->capacity)
    return 0;
  uint32_t capacity = units->capacity ? 2 * units->capacity : 64;
  struct unit *items = reallocarray(units->items, capacity, sizeof *items);
  if (!items)
    return -1;
  units->items = items;
  units->capacity = capacity;
  return 0;
}

/* Adds a unit under a key; its type and name are parts of it. */
static int add_unit(struct units *units, struct wm_text key, struct wm_text type, struct wm_text name, uint32_t parent,
                    const struct record_field *field) {
  struct wm_text kept;
  if (make_room(units) < 0 || wm_arena_text(&units->arena, key, &kept) < 0)
    return -1;
  units->items[units->names.count] = (struct unit){
      .type = {kept.bytes, type.size},
      .name = {kept.bytes + kept.size - name.size, name.size},
      .parent = parent,
      .line = field->line,
      .column = field->column,
  };
  return names_add(&units->names, kept);
}

/* --- a file of units --- */

enum { UNIT_TYPE, UNIT_NAME, UNIT_PARENT, UNIT_FIELDS };
static const char *const unit_fields[] = {"type", "unit", "parent", NULL};

struct reading {
  struct units *units;
  struct records records;
  struct wm_text *parents; /* by unit: the name that its row gives; WM_NO_TEXT: none */
  uint32_t capacity;
};

static int field_index(const struct reading *reading, const struct record_field *field, unsigned line,
                       unsigned column) {
  for (int i = 0; unit_fields[i]; i++)
    if (wm_text_is(field->name, unit_fields[i]))
      return i;
  const char *nearest = wm_text_nearest(field->name, unit_fields);
  records_find(&reading->records, WM_ERROR, WM_E_DIRECTORY_COLUMN, line, column,
               "unknown column '%.*s'%s%s%s: units have 'type', 'unit' and 'parent'", SHOWN(field->name),
               nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "");
  return -1;
}

static bool take_fields(const struct reading *reading, const struct record *record,
                        const struct record_field *ret[static UNIT_FIELDS]) {
  for (size_t i = 0; i < record->count; i++) {
    const struct record_field *field = &record->fields[i];
    bool of_csv = reading->records.format == RECORDS_CSV; /* its columns were checked with the header */
    int index = field_index(reading, field, field->line, field->column);
    if (index < 0 && of_csv)
      continue;
    if (index < 0)
      return false;
    if (field->value.type != WM_STRING) {
      records_find(&reading->records, WM_ERROR, WM_E_DIRECTORY_VALUE, field->line, field->column, "'%s' is not a text",
                   unit_fields[index]);
      return false;
    }
    ret[index] = field->value.string.size > 0 ? field : NULL;
  }
  for (int i = UNIT_TYPE; i <= UNIT_NAME; i++)
    if (!ret[i]) {
      records_find(&reading->records, WM_ERROR, WM_E_DIRECTORY_VALUE, record->line, record->column, "'%s' is missing",
                   unit_fields[i]);
      return false;
    }
  return true;
}

static int keep_parent(struct reading *reading, uint32_t unit, const struct record_field *parent) {
  if (unit >= reading->capacity) {
    uint32_t capacity = reading->capacity ? 2 * reading->capacity : 64;
    struct wm_text *parents = reallocarray(reading->parents, capacity, sizeof *parents);
    if (!parents)
      return -1;
    reading->parents = parents;
    reading->capacity = capacity;
  }
  return wm_arena_text(&reading->units->arena, parent ? parent->value.string : WM_NO_TEXT, &reading->parents[unit]);
}

static int take_unit(struct reading *reading, const struct record *record) {
  struct units *units = reading->units;
  const struct record_field *fields[UNIT_FIELDS] = {NULL};
  if (!take_fields(reading, record, fields))
    return 0;
  struct wm_text type = fields[UNIT_TYPE]->value.string, name = fields[UNIT_NAME]->value.string;
  struct wm_text key = key_of(units, type, NULL, name);
  uint32_t known = names_find(&units->names, key);
  if (known != NAMES_NONE) {
    records_find(&reading->records, WM_ERROR, WM_E_DIRECTORY_DUPLICATE, fields[UNIT_NAME]->line,
                 fields[UNIT_NAME]->column, "unit '%.*s' of '%.*s' stands in line %u too", SHOWN(name), SHOWN(type),
                 units->items[known].line);
    return 0;
  }
  if (units->names.count == UNITS_COUNT_LIMIT) {
    records_find(&reading->records, WM_ERROR, WM_E_DIRECTORY_LIMIT, record->line, record->column, "more than %d units",
                 UNITS_COUNT_LIMIT);
    return 0;
  }
  const struct record_field *place = fields[UNIT_PARENT] ? fields[UNIT_PARENT] : fields[UNIT_NAME];
  return add_unit(units, key, type, name, WM_FOREST_TOP, place) < 0 ||
                 keep_parent(reading, units->names.count - 1, fields[UNIT_PARENT]) < 0
             ? -1
             : 0;
}

__attribute__((format(printf, 4, 5))) static void complain_unit(const struct reading *reading, enum wm_code code,
                                                                uint32_t unit, const char *format, ...) {
  const struct unit *item = &reading->units->items[unit];
  va_list arguments;
  va_start(arguments, format);
  records_vfind(&reading->records, WM_ERROR, code, item->line, item->column, format, arguments);
  va_end(arguments);
}

/* Parents by name become parents by number. */
static int join_units(struct reading *reading, uint32_t *parents) {
  struct units *units = reading->units;
  for (uint32_t i = 0; i < units->names.count; i++) {
    struct unit *unit = &units->items[i];
    parents[i] = WM_FOREST_TOP;
    if (!reading->parents[i].bytes)
      continue;
    parents[i] = names_find(&units->names, key_of(units, unit->type, NULL, reading->parents[i]));
    if (parents[i] == NAMES_NONE) {
      parents[i] = WM_FOREST_BROKEN;
      records_find(&reading->records, WM_ERROR, WM_E_DIRECTORY_UNIT_UNKNOWN, unit->line, unit->column,
                   "the parent '%.*s' is no unit of '%.*s' in this file", SHOWN(reading->parents[i]),
                   SHOWN(unit->type));
    }
    unit->parent = parents[i];
  }
  return units->key.failed ? -1 : 0;
}

/* The first unit of a circle tells it, for all of them. */
static void tell_circle(struct reading *reading, const uint32_t *parents, uint32_t unit) {
  uint32_t *depths = reading->units->depths;
  complain_unit(reading, WM_E_DIRECTORY_CYCLE, unit, "the parents of unit '%.*s' lead back to itself",
                SHOWN(reading->units->items[unit].name));
  for (uint32_t at = unit; depths[at] == WM_FOREST_CIRCLE; at = parents[at])
    depths[at] = WM_FOREST_LOST;
}

static int measure_units(struct reading *reading) {
  struct units *units = reading->units;
  uint32_t count = units->names.count;
  uint32_t *parents = calloc((size_t)count + 1, sizeof *parents);
  units->depths = calloc((size_t)count + 1, sizeof *units->depths);
  int result = parents && units->depths ? join_units(reading, parents) : -1;
  if (result == 0)
    wm_forest_depths(parents, count, units->depths);
  for (uint32_t i = 0; i < count && result == 0; i++) {
    if (units->depths[i] == UNITS_DEPTH_LIMIT)
      complain_unit(reading, WM_E_DIRECTORY_LIMIT, i, "1000 units above '%.*s'", SHOWN(units->items[i].name));
    if (units->depths[i] == WM_FOREST_CIRCLE)
      tell_circle(reading, parents, i);
  }
  free(parents);
  return result;
}

static int read_all(struct reading *reading) {
  struct record record;
  bool end = false;
  for (size_t i = 0; i < reading->records.header.count; i++) {
    const struct record_field *column = &reading->records.header.fields[i];
    if (field_index(reading, column, column->line, column->column) < 0)
      return EXIT_BAD_NEWS;
  }
  for (;;) {
    int exit_code = records_next(&reading->records, &record, &end);
    if (exit_code != EXIT_FINE)
      return exit_code;
    if (end)
      return measure_units(reading) < 0 ? say_memory() : EXIT_FINE;
    if (take_unit(reading, &record) < 0)
      return say_memory();
  }
}

int units_read(struct units *units, const char *path, char separator, struct wm_findings *findings) {
  struct reading reading = {.units = units};
  units->path = path;
  int exit_code = records_open(path, RECORDS_BY_NAME, separator, findings, &reading.records);
  if (exit_code == EXIT_FINE)
    exit_code = read_all(&reading);
  records_close(&reading.records);
  free(reading.parents);
  return exit_code;
}

/* --- what people's units mean --- */

__attribute__((format(printf, 4, 5))) static bool complain(const struct records *records, enum wm_code code,
                                                           const struct record_field *field, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  records_vfind(records, WM_ERROR, code, field->line, field->column, format, arguments);
  va_end(arguments);
  return false;
}

#define CANDIDATES_LIMIT 2000  /* names that a suggestion is looked for in */
#define SUGGESTIONS_LIMIT 100u /* errors that get one: a million of them would take hours */

static bool unknown_unit(struct units *units, struct wm_text type, const struct record_field *field,
                         const struct records *records, struct wm_text name) {
  const char *candidates[CANDIDATES_LIMIT + 1], *nearest;
  size_t count = 0;
  bool wanted = records->findings->errors < SUGGESTIONS_LIMIT;
  for (uint32_t i = 0; wanted && i < units->names.count && count < CANDIDATES_LIMIT; i++)
    if (wm_text_equal(units->items[i].type, type))
      candidates[count++] = units->items[i].name.bytes; /* the end of a key: a NUL stands behind it */
  candidates[count] = NULL;
  nearest = wm_text_nearest(name, candidates);
  records_find(records, WM_ERROR, WM_E_DIRECTORY_UNIT_UNKNOWN, field->line, field->column,
               "'%.*s' is no unit of '%.*s' in %s%s%.64s%s", SHOWN(name), SHOWN(type), units->path,
               nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "");
  return false;
}

/* One name below two parents: conditions and criteria know units by name and can't tell the two apart. */
static int look_for_twin(struct units *units, uint32_t unit, const struct record_field *field,
                         const struct records *records) {
  struct unit *item = &units->items[unit];
  struct wm_text key = key_of(units, item->type, NULL, item->name), kept;
  uint32_t known = names_find(&units->plain, key);
  if (known != NAMES_NONE) {
    if (units->first[known] != UINT32_MAX)
      records_find(records, WM_WARNING, WM_E_DIRECTORY_UNIT_AMBIGUOUS, field->line, field->column,
                   "unit '%.*s' of '%.*s' stands below another parent in line %u: a role for '%.*s' means both",
                   SHOWN(item->name), SHOWN(item->type), units->items[units->first[known]].line, SHOWN(item->name));
    units->first[known] = UINT32_MAX;
    return 0;
  }
  if (units->plain.count == units->first_capacity) {
    uint32_t capacity = units->first_capacity ? 2 * units->first_capacity : 64;
    uint32_t *first = reallocarray(units->first, capacity, sizeof *first);
    if (!first)
      return -1;
    units->first = first;
    units->first_capacity = capacity;
  }
  units->first[units->plain.count] = unit;
  return wm_arena_text(&units->arena, key, &kept) < 0 || names_add(&units->plain, kept) < 0 ? -1 : 0;
}

static bool is_above(const struct units *units, uint32_t unit, struct wm_text name) {
  for (; unit != WM_FOREST_TOP; unit = units->items[unit].parent)
    if (wm_text_equal(units->items[unit].name, name))
      return true;
  return false;
}

/* The unit 'name' below 'parent', which comes into being when nobody named it before. */
static bool step_down(struct units *units, struct wm_text type, uint32_t parent, struct wm_text name,
                      const struct record_field *field, const struct records *records, uint32_t *ret) {
  struct wm_text key = key_of(units, type, &parent, name);
  *ret = names_find(&units->names, key);
  if (*ret != NAMES_NONE)
    return true;
  if (is_above(units, parent, name))
    return complain(records, WM_E_DIRECTORY_CYCLE, field, "unit '%.*s' stands above itself in this path", SHOWN(name));
  if (units->names.count == UNITS_COUNT_LIMIT)
    return complain(records, WM_E_DIRECTORY_LIMIT, field, "more than 1000000 units, at '%.*s'", SHOWN(name));
  *ret = units->names.count;
  if (add_unit(units, key, type, name, parent, field) < 0 || look_for_twin(units, *ret, field, records) < 0)
    records->findings->failed = true;
  return !records->findings->failed;
}

static bool resolve_path(struct units *units, struct wm_text type, const struct wm_value *path,
                         const struct record_field *field, const struct records *records, uint32_t *ret) {
  uint32_t unit = WM_FOREST_TOP;
  if (path->list.count > UNITS_DEPTH_LIMIT)
    return complain(records, WM_E_DIRECTORY_LIMIT, field, "more than 1000 units in one path of '%.*s'", SHOWN(type));
  for (size_t i = 0; i < path->list.count; i++) {
    struct wm_text name = path->list.items[i].string;
    if (!step_down(units, type, unit, name, field, records, &unit))
      return false;
  }
  *ret = unit;
  return true;
}

/* With a file a path says nothing new: it must be the one that the file has. */
static bool same_path(const struct units *units, uint32_t unit, const struct wm_value *path) {
  for (size_t i = path->list.count; i > 0; i--, unit = units->items[unit].parent)
    if (unit == WM_FOREST_TOP || !wm_text_equal(units->items[unit].name, path->list.items[i - 1].string))
      return false;
  return unit == WM_FOREST_TOP;
}

static bool look_up(struct units *units, struct wm_text type, const struct wm_value *path,
                    const struct record_field *field, const struct records *records, uint32_t *ret) {
  struct wm_text name = path->list.items[path->list.count - 1].string;
  *ret = names_find(&units->names, key_of(units, type, NULL, name));
  if (*ret == NAMES_NONE)
    return unknown_unit(units, type, field, records, name);
  if (units->depths[*ret] == WM_FOREST_LOST)
    return complain(records, WM_E_DIRECTORY_CYCLE, field, "nobody knows what is above unit '%.*s'", SHOWN(name));
  if (units->depths[*ret] >= UNITS_DEPTH_LIMIT)
    return complain(records, WM_E_DIRECTORY_LIMIT, field, "more than 1000 units above '%.*s'", SHOWN(name));
  if (path->list.count > 1 && !same_path(units, *ret, path))
    return complain(records, WM_E_DIRECTORY_UNIT_UNKNOWN, field,
                    "unit '%.*s' has other units above it in the file of units", SHOWN(name));
  return true;
}

bool units_resolve(struct units *units, struct wm_text type, const struct record_field *field,
                   const struct records *records, uint32_t *ret) {
  struct wm_value single = {.type = WM_STRING}, path = {.type = WM_LIST, .list = {&single, 1}};
  if (field->value.type == WM_LIST)
    path = field->value;
  else
    single = field->value;
  for (size_t i = 0; i < path.list.count; i++) {
    const struct wm_value *item = &path.list.items[i];
    if (item->type != WM_STRING || item->string.size == 0)
      return complain(records, WM_E_DIRECTORY_VALUE, field, "a unit of '%.*s' that is no text, or an empty one",
                      SHOWN(type));
  }
  if (path.list.count == 0)
    return complain(records, WM_E_DIRECTORY_VALUE, field, "an empty path of '%.*s'", SHOWN(type));
  return units->path ? look_up(units, type, &path, field, records, ret)
                     : resolve_path(units, type, &path, field, records, ret);
}

void units_write(const struct units *units, uint32_t unit, struct wm_buf *buf) {
  uint32_t path[UNITS_DEPTH_LIMIT + 1];
  size_t count = 0;
  wm_buf_add_json(buf, units->items[unit].type);
  for (uint32_t at = unit; at != WM_FOREST_TOP && count <= UNITS_DEPTH_LIMIT; at = units->items[at].parent)
    path[count++] = at;
  wm_buf_add_char(buf, ':');
  for (size_t i = count; i > 0; i--) {
    wm_buf_add_char(buf, i == count ? '[' : ',');
    wm_buf_add_json(buf, units->items[path[i - 1]].name);
  }
  wm_buf_add_char(buf, ']');
}

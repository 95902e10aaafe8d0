/* From a record to a draft of a person: what its columns or members mean. */
#include <stdlib.h>
#include <strings.h>

#include "core/codec/json.h"
#include "core/path.h"
#include "tools/directory/directory_people.h"
#include "tools/lib/say.h"

#define UNITS_LIMIT 500 /* units of one person */

enum shape { SHAPE_TEXT, SHAPE_SET, SHAPE_PATH, SHAPE_UNITS, SHAPE_OBJECT };

static const enum shape shapes[FIELD_COUNT] = {
    [FIELD_GROUPS] = SHAPE_SET,      [FIELD_PORTALS] = SHAPE_SET,       [FIELD_ACCOUNTS] = SHAPE_PATH,
    [FIELD_ORG_UNITS] = SHAPE_UNITS, [FIELD_ATTRIBUTES] = SHAPE_OBJECT,
};

/* What an attribute's cell is read as: attributes.score:number. */
enum kind { KIND_TEXT, KIND_NUMBER, KIND_BOOLEAN, KIND_LIST };
static const char *const kinds[] = {"text", "number", "boolean", "list", NULL};

/* One column of a CSV file. */
struct column {
  enum people_field field;
  struct wm_text type; /* of units */
  struct wm_path path; /* of an attribute, the name 'attributes' first */
  enum kind kind;
};

struct reading {
  struct people *people;
  struct records *records;
  struct wm_arena *arena; /* of the record */
  struct column *columns;
  size_t attribute_columns;
  struct draft draft;
};

__attribute__((format(printf, 4, 5))) static void complain(struct reading *reading, enum wm_code code,
                                                           const struct record_field *place, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  records_vfind(reading->records, WM_ERROR, code, place->line, place->column, format, arguments);
  va_end(arguments);
  reading->draft.wrong = true;
}

/* 'user' is the id too: that is what registers and events call it. */
static int find_field(struct wm_text name) {
  if (wm_text_is(name, "user"))
    return FIELD_ID;
  for (int i = 0; i < FIELD_COUNT; i++)
    if (wm_text_is(name, people_fields[i]))
      return i;
  return -1;
}

/* --- the header of a CSV file --- */

static void unknown_column(struct reading *reading, const struct record_field *place) {
  static const char *const computed[] = {"managers", "manager-of-anyone", NULL};
  const char *nearest = wm_text_nearest(place->name, people_fields);
  const char *dot = memchr(place->name.bytes, '.', place->name.size);
  struct wm_text prefix = {place->name.bytes, dot ? (size_t)(dot - place->name.bytes) : 0};
  const char *nearest_prefix =
      dot ? wm_text_nearest(prefix, (const char *const[]){"org-units", "attributes", NULL}) : NULL;
  char hint[200] = "";
  for (size_t i = 0; computed[i]; i++)
    if (wm_text_is(place->name, computed[i]))
      snprintf(hint, sizeof hint, ": it is computed from 'manager'");
  if (hint[0] == '\0' && nearest_prefix)
    snprintf(hint, sizeof hint, ", did you mean '%s.%.*s'", nearest_prefix,
             (int)(place->name.size - prefix.size - 1 < 64 ? place->name.size - prefix.size - 1 : 64), dot + 1);
  else if (hint[0] == '\0' && nearest)
    snprintf(hint, sizeof hint, ", did you mean '%s%s'", nearest,
             strcmp(nearest, "org-units") == 0    ? ".<type>"
             : strcmp(nearest, "attributes") == 0 ? ".<name>"
                                                  : "");
  else if (hint[0] == '\0')
    snprintf(hint, sizeof hint, ": what else is known of people goes into 'attributes.<name>'");
  records_find(reading->records, WM_ERROR, WM_E_DIRECTORY_COLUMN, place->line, place->column, "unknown %s '%.*s'%s",
               reading->records->format == RECORDS_CSV ? "column" : "member", SHOWN(place->name), hint);
  reading->draft.wrong = true;
}

/* Takes ":number" off the name of an attribute. False: there is no such kind; it was told. */
static bool take_kind(struct reading *reading, const struct record_field *place, struct wm_text *name,
                      struct column *column) {
  const char *colon = memrchr(name->bytes, ':', name->size);
  if (!colon || name->bytes[name->size - 1] == '"')
    return true;
  struct wm_text kind = {colon + 1, (size_t)(name->bytes + name->size - colon) - 1};
  for (int i = 0; kinds[i]; i++)
    if (wm_text_is(kind, kinds[i])) {
      column->kind = (enum kind)i;
      name->size -= kind.size + 1;
      return true;
    }
  complain(reading, WM_E_DIRECTORY_COLUMN, place,
           "'%.*s' is no kind of attribute: text, number, boolean or list (or put the name into double quotes)",
           SHOWN(kind));
  return false;
}

/* attributes.tier, attributes.address.city, attributes."a.b": the names that conditions use. */
static int read_attribute(struct reading *reading, const struct record_field *place, struct column *column) {
  struct wm_text name = place->name;
  struct wm_buf path = WM_BUF_INIT;
  struct wm_error error = {0};
  if (!take_kind(reading, place, &name, column))
    return 0;
  wm_buf_add_string(&path, "user.");
  wm_buf_add_text(&path, name);
  int result = path.failed ? -1
                           : wm_path_parse((struct wm_text){path.bytes, path.size}, &reading->records->kept,
                                           &column->path, &error);
  wm_buf_release(&path);
  if (result < 0 && error.code != WM_E_PATH_UNKNOWN)
    return -1;
  if (result < 0)
    complain(reading, WM_E_DIRECTORY_COLUMN, place, "'%.*s' names no attribute: write 'attributes.<name>'",
             SHOWN(name));
  column->field = FIELD_ATTRIBUTES;
  reading->attribute_columns++;
  return 0;
}

static int read_column(struct reading *reading, const struct record_field *place, struct column *column) {
  struct wm_text units = WM_TEXT("org-units.");
  if (wm_text_starts_with(place->name, WM_TEXT("attributes.")))
    return read_attribute(reading, place, column);
  if (wm_text_starts_with(place->name, units) && place->name.size > units.size) {
    *column = (struct column){.field = FIELD_ORG_UNITS,
                              .type = {place->name.bytes + units.size, place->name.size - units.size}};
    return 0;
  }
  int field = find_field(place->name);
  if (field < 0 || shapes[field] == SHAPE_UNITS || shapes[field] == SHAPE_OBJECT) {
    unknown_column(reading, place);
    return 0;
  }
  column->field = (enum people_field)field;
  return 0;
}

/* Is one the same as the other, or above it? */
static bool paths_clash(const struct wm_path *a, const struct wm_path *b) {
  for (size_t i = 0; i < a->count && i < b->count; i++)
    if (!wm_text_equal(a->names[i], b->names[i]))
      return false;
  return true;
}

static bool columns_clash(const struct column *a, const struct column *b) {
  if (a->field != b->field)
    return false;
  if (a->field == FIELD_ATTRIBUTES)
    return a->path.count > 0 && b->path.count > 0 && paths_clash(&a->path, &b->path);
  return wm_text_equal(a->type, b->type);
}

static void check_columns(struct reading *reading) {
  const struct record *header = &reading->records->header;
  bool has_id = false;
  for (size_t i = 0; i < header->count; i++) {
    has_id |= reading->columns[i].field == FIELD_ID;
    for (size_t before = 0; before < i; before++)
      if (columns_clash(&reading->columns[before], &reading->columns[i]))
        complain(reading, WM_E_DIRECTORY_COLUMN, &header->fields[i], "the column '%.*s' stands there twice",
                 SHOWN(header->fields[i].name));
  }
  if (!has_id && !reading->draft.wrong)
    complain(reading, WM_E_DIRECTORY_COLUMN, &header->fields[0], "no column 'id'");
}

static int read_header(struct reading *reading) {
  const struct record *header = &reading->records->header;
  reading->columns = calloc(header->count + 1, sizeof *reading->columns);
  if (!reading->columns)
    return say_memory();
  reading->draft.wrong = false;
  for (size_t i = 0; i < header->count; i++) {
    reading->columns[i].field = FIELD_COUNT;
    if (read_column(reading, &header->fields[i], &reading->columns[i]) < 0)
      return say_memory();
  }
  check_columns(reading);
  return reading->draft.wrong ? EXIT_BAD_NEWS : EXIT_FINE;
}

/* --- cells --- */

static struct wm_text trimmed(struct wm_text text) {
  while (text.size > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t'))
    text.bytes++, text.size--;
  while (text.size > 0 && (text.bytes[text.size - 1] == ' ' || text.bytes[text.size - 1] == '\t'))
    text.size--;
  return text;
}

/* "a; b|c" or "acme/emea": the parts without blanks around them. A backslash before a separator, or before another
 * backslash, makes it a part of the text. -1: out of memory. */
static int split(struct reading *reading, struct wm_text cell, const char *separators, struct wm_value *ret) {
  size_t most = 1;
  for (size_t i = 0; i < cell.size; i++)
    most += strchr(separators, cell.bytes[i]) != NULL;
  char *bytes = wm_arena_alloc(reading->arena, cell.size + 1);
  *ret = (struct wm_value){.type = WM_LIST};
  ret->list.items = WM_ARENA_ARRAY(reading->arena, struct wm_value, most);
  if (!bytes || !ret->list.items)
    return -1;
  size_t begin = 0, end = 0;
  for (size_t i = 0; i <= cell.size; i++) {
    char c = i < cell.size ? cell.bytes[i] : '\0', next = i + 1 < cell.size ? cell.bytes[i + 1] : '\0';
    if (c == '\\' && next && (next == '\\' || strchr(";|/", next))) {
      bytes[end++] = next;
      i++;
    } else if (i < cell.size && !strchr(separators, c)) {
      bytes[end++] = c;
    } else {
      struct wm_value *item = &ret->list.items[ret->list.count++];
      *item = (struct wm_value){.type = WM_STRING, .string = trimmed((struct wm_text){bytes + begin, end - begin})};
      begin = end;
    }
  }
  return 0;
}

static void drop_empty(struct wm_value *list) {
  size_t kept = 0;
  for (size_t i = 0; i < list->list.count; i++)
    if (list->list.items[i].string.size > 0)
      list->list.items[kept++] = list->list.items[i];
  list->list.count = kept;
}

static bool read_number(struct reading *reading, const struct record_field *field, struct wm_value *ret) {
  struct wm_error error;
  struct wm_text text = field->value.string;
  if (wm_json_parse(text, reading->arena, ret, &error) == 0 && wm_value_is_number(ret))
    return true;
  complain(reading, WM_E_DIRECTORY_VALUE, field, "'%.*s' is no number: write it like 80 or 80.5", SHOWN(text));
  return false;
}

static bool read_boolean(struct reading *reading, const struct record_field *field, struct wm_value *ret) {
  struct wm_text text = field->value.string;
  bool is_true = text.size == 4 && strncasecmp(text.bytes, "true", 4) == 0;
  *ret = (struct wm_value){.type = WM_BOOLEAN, .boolean = is_true};
  if (is_true || (text.size == 5 && strncasecmp(text.bytes, "false", 5) == 0))
    return true;
  complain(reading, WM_E_DIRECTORY_VALUE, field, "'%.*s' is neither true nor false", SHOWN(text));
  return false;
}

/* False: there is no value; it was told. */
static bool read_kind(struct reading *reading, const struct column *column, const struct record_field *field,
                      struct wm_value *ret) {
  *ret = field->value;
  switch (column->kind) {
  case KIND_TEXT:
    break;
  case KIND_NUMBER:
    return read_number(reading, field, ret);
  case KIND_BOOLEAN:
    return read_boolean(reading, field, ret);
  case KIND_LIST:
    if (split(reading, field->value.string, ";|", ret) < 0)
      reading->records->findings->failed = true;
    drop_empty(ret);
    break;
  }
  return true;
}

/* Puts a value into an object below the names of a path, and makes the objects on the way. -1: out of memory. */
static int put(struct reading *reading, struct wm_value *object, const struct wm_text *names, size_t count,
               const struct wm_value *value) {
  if (object->type != WM_OBJECT) {
    *object = (struct wm_value){.type = WM_OBJECT};
    object->object.members = WM_ARENA_ARRAY(reading->arena, struct wm_member, reading->attribute_columns);
    if (!object->object.members)
      return -1;
  }
  struct wm_member *member = object->object.members, *end = member + object->object.count;
  while (member < end && !wm_text_equal(member->name, names[0]))
    member++;
  if (member == end) {
    *member = (struct wm_member){.name = names[0]};
    object->object.count++;
  }
  if (count > 1)
    return put(reading, &member->value, names + 1, count - 1, value);
  member->value = *value;
  return 0;
}

static int take_attribute(struct reading *reading, const struct column *column, const struct record_field *field) {
  struct record_field *attributes = &reading->draft.fields[FIELD_ATTRIBUTES];
  struct wm_value value;
  if (!read_kind(reading, column, field, &value))
    return 0;
  if (attributes->line == 0) {
    attributes->line = field->line;
    attributes->column = field->column;
  }
  return put(reading, &attributes->value, column->path.names + 1, column->path.count - 1, &value);
}

/* A path has no empty part. */
static bool check_path(struct reading *reading, const struct record_field *field) {
  for (size_t i = 0; i < field->value.list.count; i++)
    if (field->value.list.items[i].string.size == 0) {
      complain(reading, WM_E_DIRECTORY_VALUE, field, "a path with an empty part");
      return false;
    }
  return true;
}

/* An empty cell says nothing; but an empty status must not make somebody active. */
static bool is_empty(struct reading *reading, enum people_field field, const struct record_field *place) {
  if (place->value.type != WM_STRING || place->value.string.size > 0)
    return false;
  if (field == FIELD_STATUS)
    complain(reading, WM_E_DIRECTORY_VALUE, place, "an empty status");
  return true;
}

static int take_cell(struct reading *reading, const struct column *column, const struct record_field *cell) {
  struct draft *draft = &reading->draft;
  struct record_field field = *cell;
  enum people_field number = column->field;
  if (number == FIELD_ID)
    draft->fields[FIELD_ID] = field; /* an empty one has a place too */
  if (number == FIELD_COUNT || is_empty(reading, number, cell))
    return 0;
  if (number == FIELD_ATTRIBUTES)
    return take_attribute(reading, column, cell);
  if (shapes[number] != SHAPE_TEXT &&
      split(reading, cell->value.string, shapes[number] == SHAPE_SET ? ";|" : "/", &field.value) < 0)
    return -1;
  if (shapes[number] == SHAPE_SET)
    drop_empty(&field.value);
  else if (shapes[number] != SHAPE_TEXT && !check_path(reading, &field))
    return 0;
  if (number == FIELD_ORG_UNITS) {
    field.name = column->type;
    draft->units[draft->unit_count++] = field;
  } else {
    draft->fields[number] = field;
  }
  return 0;
}

/* --- members --- */

static bool is_texts(const struct wm_value *value) {
  if (value->type != WM_LIST)
    return false;
  for (size_t i = 0; i < value->list.count; i++)
    if (value->list.items[i].type != WM_STRING)
      return false;
  return true;
}

static bool check_shape(struct reading *reading, enum people_field number, const struct record_field *field) {
  static const struct {
    const char *text;
    enum wm_type type;
  } wanted[] = {
      [SHAPE_TEXT] = {"a text", WM_STRING},
      [SHAPE_SET] = {"a list of texts", WM_LIST},
      [SHAPE_PATH] = {"a list of texts, from the top down", WM_LIST},
      [SHAPE_UNITS] = {"an object: {\"division\":\"emea\"} or {\"division\":[\"acme\",\"emea\"]}", WM_OBJECT},
      [SHAPE_OBJECT] = {"an object", WM_OBJECT},
  };
  enum shape shape = shapes[number];
  if (field->value.type == wanted[shape].type && (wanted[shape].type != WM_LIST || is_texts(&field->value)))
    return shape != SHAPE_PATH || check_path(reading, field);
  complain(reading, WM_E_DIRECTORY_VALUE, field, "'%.*s' is not %s", SHOWN(field->name), wanted[shape].text);
  return false;
}

static int take_unit_members(struct reading *reading, const struct record_field *field) {
  struct draft *draft = &reading->draft;
  const struct wm_value *units = &field->value;
  if (units->object.count > UNITS_LIMIT) {
    complain(reading, WM_E_DIRECTORY_LIMIT, field, "more than 500 organisation units of one person");
    return 0;
  }
  draft->units = WM_ARENA_ARRAY(reading->arena, struct record_field, units->object.count);
  if (!draft->units && units->object.count > 0)
    return -1;
  for (size_t i = 0; i < units->object.count; i++) {
    struct record_field unit = {units->object.members[i].name, units->object.members[i].value, field->line,
                                field->column};
    if (unit.name.size == 0)
      complain(reading, WM_E_DIRECTORY_VALUE, field, "an organisation unit without a type");
    else if (unit.value.type != WM_NULL)
      draft->units[draft->unit_count++] = unit;
  }
  return 0;
}

static int take_member(struct reading *reading, const struct record_field *field) {
  int number = find_field(field->name);
  if (number < 0) {
    unknown_column(reading, field);
    return 0;
  }
  if (!check_shape(reading, (enum people_field)number, field)) {
    reading->draft.fields[number] = (struct record_field){.line = field->line, .column = field->column};
    return 0;
  }
  if (number == FIELD_ID && reading->draft.fields[FIELD_ID].line > 0)
    complain(reading, WM_E_DIRECTORY_COLUMN, field, "'id' and 'user' are one thing: it stands twice");
  if (number == FIELD_ID)
    reading->draft.fields[FIELD_ID] = *field;
  if (is_empty(reading, (enum people_field)number, field))
    return 0;
  if (number == FIELD_ORG_UNITS)
    return take_unit_members(reading, field);
  reading->draft.fields[number] = *field;
  return 0;
}

/* --- records --- */

static int take_record(struct reading *reading, const struct record *record) {
  struct draft *draft = &reading->draft;
  bool of_csv = reading->records->format == RECORDS_CSV;
  *draft = (struct draft){.line = record->line, .column = record->column};
  if (of_csv) {
    draft->units = WM_ARENA_ARRAY(reading->arena, struct record_field, record->count);
    if (!draft->units)
      return -1;
  }
  for (size_t i = 0; i < record->count; i++) {
    int result = of_csv ? take_cell(reading, &reading->columns[i], &record->fields[i])
                        : take_member(reading, &record->fields[i]);
    if (result < 0)
      return -1;
  }
  struct record_field *status = &draft->fields[FIELD_STATUS];
  if (status->value.type == WM_NULL) /* the file lists who is there */
    status->value = (struct wm_value){.type = WM_STRING, .string = WM_TEXT("active")};
  return people_add(reading->people, draft, reading->records);
}

int people_read(struct people *people, struct records *records, struct progress *progress) {
  struct reading reading = {.people = people, .records = records, .arena = &records->arena};
  struct record record;
  bool end = false;
  int exit_code = records->format == RECORDS_CSV ? read_header(&reading) : EXIT_FINE;
  progress_begin(progress, "reading", records->size);
  while (exit_code == EXIT_FINE && !end) {
    exit_code = records_next(records, &record, &end);
    if (exit_code == EXIT_FINE && !end && take_record(&reading, &record) < 0)
      exit_code = say_memory();
    progress_set(progress, records->position);
  }
  progress_end(progress);
  free(reading.columns);
  people->rows += records->bad;
  people->nameless += records->bad;
  if (exit_code == EXIT_FINE && people_join(people, records) < 0)
    exit_code = say_memory();
  return exit_code;
}

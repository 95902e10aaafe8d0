/* A million people fit into memory because a person is one row of numbers and one piece of text: the part of the
 * profile that his row says is kept as JSON, the part that follows from others is computed when it is written. */
#include "tools/directory/directory_people.h"

#include <stdlib.h>

#include "core/codec/json.h"
#include "core/forest.h"
#include "tools/lib/say.h"

#define DEPTH_LIMIT                                                                                                    \
  30 /* of a profile's members: an event may be 32 deep, and two of them are the event and its data                    \
      */

const char *const people_fields[] = {"id",      "status",   "type",       "name",    "email",     "groups",
                                     "portals", "accounts", "attributes", "manager", "org-units", NULL};
static const char *const statuses[] = {"active", "suspended", "inactive", NULL};
static const char *const types[] = {"employee", "partner", "customer", "guest", NULL};

void people_init(struct people *people) {
  *people = (struct people){0};
  wm_arena_init(&people->arena, 0);
  units_init(&people->units);
}

void people_release(struct people *people) {
  names_release(&people->ids);
  free(people->items);
  free(people->uses);
  units_release(&people->units);
  wm_arena_release(&people->arena);
}

/* --- a row --- */

struct adding {
  struct people *people;
  const struct draft *draft;
  const struct records *records;
  bool wrong;
};

__attribute__((format(printf, 4, 5))) static void complain(struct adding *adding, enum wm_code code,
                                                           enum people_field field, const char *format, ...) {
  const struct record_field *place = &adding->draft->fields[field];
  const struct draft *draft = adding->draft;
  va_list arguments;
  va_start(arguments, format);
  records_vfind(adding->records, WM_ERROR, code, place->line ? place->line : draft->line,
                place->line ? place->column : draft->column, format, arguments);
  va_end(arguments);
  adding->wrong = true;
}

static struct wm_text text_of(const struct draft *draft, enum people_field field) {
  return wm_value_text(&draft->fields[field].value);
}

static bool is_one_of(struct wm_text word, const char *const *words) {
  while (*words && !wm_text_is(word, *words))
    words++;
  return *words;
}

static void check_word(struct adding *adding, enum people_field field, const char *const *words) {
  struct wm_text word = text_of(adding->draft, field);
  if (!word.bytes || is_one_of(word, words))
    return;
  struct wm_buf list = WM_BUF_INIT;
  for (size_t i = 0; words[i]; i++)
    wm_buf_printf(&list, "%s%s", i ? ", " : "", words[i]);
  const char *nearest = wm_text_nearest(word, words);
  bool deleted = field == FIELD_STATUS && wm_text_is(word, "deleted");
  complain(adding, WM_E_DIRECTORY_VALUE, field, "'%.*s' is no %s (%s)%s%s%s%s", SHOWN(word), people_fields[field],
           list.bytes ? list.bytes : "", nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "",
           deleted ? ": leave out who is gone, and import with --delete-missing" : "");
  wm_buf_release(&list);
}

static int by_text(const void *a, const void *b) {
  return wm_text_compare(((const struct wm_value *)a)->string, ((const struct wm_value *)b)->string);
}

/* Groups and portals are sets: in the order of their bytes, each once. */
static void sort_set(struct wm_value *list) {
  size_t kept = 0;
  if (list->list.count > 1)
    qsort(list->list.items, list->list.count, sizeof *list->list.items, by_text);
  for (size_t i = 0; i < list->list.count; i++)
    if (i == 0 || by_text(&list->list.items[i], &list->list.items[kept - 1]) != 0)
      list->list.items[kept++] = list->list.items[i];
  list->list.count = kept;
}

/* The members that the row says itself, in the order of the fields. */
static void write_own(struct adding *adding, struct wm_buf *buf) {
  wm_buf_clear(buf);
  for (enum people_field field = FIELD_STATUS; field <= FIELD_ATTRIBUTES; field++) {
    struct wm_value value = adding->draft->fields[field].value;
    if (value.type == WM_NULL)
      continue;
    if (field == FIELD_GROUPS || field == FIELD_PORTALS)
      sort_set(&value);
    wm_buf_printf(buf, "%s\"%s\":", buf->size ? "," : "", people_fields[field]);
    wm_value_to_json(&value, buf);
  }
  struct wm_text own = {buf->bytes, buf->size};
  if (!buf->failed && wm_json_depth(own) > DEPTH_LIMIT)
    complain(adding, WM_E_DIRECTORY_LIMIT, FIELD_ATTRIBUTES, "lists and objects nested deeper than an event may be");
}

static int take_units(struct adding *adding, struct person *person) {
  struct people *people = adding->people;
  const struct draft *draft = adding->draft;
  person->first_unit = people->use_count;
  for (size_t i = 0; i < draft->unit_count; i++) {
    uint32_t unit;
    if (!units_resolve(&people->units, draft->units[i].name, &draft->units[i], adding->records, &unit)) {
      adding->wrong = true;
      continue;
    }
    if (people->use_count == people->use_capacity) {
      uint32_t capacity = people->use_capacity ? 2 * people->use_capacity : 256;
      uint32_t *uses = capacity > people->use_capacity ? reallocarray(people->uses, capacity, sizeof *uses) : NULL;
      if (!uses)
        return -1;
      people->uses = uses;
      people->use_capacity = capacity;
    }
    people->uses[people->use_count++] = unit;
    person->unit_count++;
  }
  return 0;
}

static struct person *next_person(struct people *people) {
  if (people->ids.count == people->capacity) {
    uint32_t capacity = people->capacity ? people->capacity + people->capacity / 2 : 256;
    struct person *items = reallocarray(people->items, capacity, sizeof *items);
    if (!items)
      return NULL;
    people->items = items;
    people->capacity = capacity;
  }
  return &people->items[people->ids.count];
}

/* One piece of memory for all texts of a person. */
static int keep_texts(struct people *people, struct wm_text id, struct wm_text manager, const struct wm_buf *own,
                      struct person *person) {
  char *bytes = wm_arena_alloc(&people->arena, id.size + manager.size + own->size);
  if (!bytes || own->failed)
    return -1;
  memcpy(bytes, id.bytes, id.size);
  if (manager.size > 0)
    memcpy(bytes + id.size, manager.bytes, manager.size);
  if (own->size > 0)
    memcpy(bytes + id.size + manager.size, own->bytes, own->size);
  person->manager = manager.size > 0 ? (struct wm_text){bytes + id.size, manager.size} : WM_NO_TEXT;
  person->own = (struct wm_text){bytes + id.size + manager.size, own->size};
  return names_add(&people->ids, (struct wm_text){bytes, id.size});
}

static int add_person(struct adding *adding, struct wm_text id, struct wm_buf *own) {
  const struct draft *draft = adding->draft;
  struct wm_text manager = text_of(draft, FIELD_MANAGER);
  const struct record_field *place = &draft->fields[manager.size > 0 ? FIELD_MANAGER : FIELD_ID];
  struct person *person = next_person(adding->people);
  if (!person)
    return -1;
  *person = (struct person){.chief = WM_FOREST_TOP, .line = place->line, .column = place->column};
  if (manager.size > 0 && !wm_text_is_user_id(manager)) {
    complain(adding, WM_E_DIRECTORY_VALUE, FIELD_MANAGER, "the manager '%.*s' is no user id", SHOWN(manager));
    person->chief = WM_FOREST_BROKEN;
  }
  check_word(adding, FIELD_STATUS, statuses);
  check_word(adding, FIELD_TYPE, types);
  write_own(adding, own);
  if (take_units(adding, person) < 0)
    return -1;
  person->state = adding->wrong ? PERSON_INVALID : PERSON_FINE;
  return keep_texts(adding->people, id, manager, own, person);
}

/* Neither of two rows is to be believed. */
static void find_twin(struct adding *adding, uint32_t known, struct wm_text id) {
  struct person *first = &adding->people->items[known];
  const struct record_field *place = &adding->draft->fields[FIELD_ID];
  first->state = PERSON_INVALID;
  records_find(adding->records, WM_ERROR, WM_E_DIRECTORY_DUPLICATE, place->line, place->column,
               "'%.*s' stands in line %u too", SHOWN(id), first->line);
}

int people_add(struct people *people, const struct draft *draft, const struct records *records) {
  struct adding adding = {.people = people, .draft = draft, .records = records, .wrong = draft->wrong};
  struct wm_text id = text_of(draft, FIELD_ID);
  people->rows++;
  if (id.size == 0 || !wm_text_is_user_id(id)) {
    people->nameless++;
    if (id.size > 0)
      complain(&adding, WM_E_DIRECTORY_VALUE, FIELD_ID,
               "'%.*s' is no user id: 1 to 256 bytes without control characters", SHOWN(id));
    else if (draft->fields[FIELD_ID].line == 0 || draft->fields[FIELD_ID].value.type == WM_STRING)
      complain(&adding, WM_E_DIRECTORY_VALUE, FIELD_ID, "a row without an id");
    return 0;
  }
  uint32_t known = names_find(&people->ids, id);
  if (known != NAMES_NONE) {
    find_twin(&adding, known, id);
    return 0;
  }
  if (people->ids.count == PEOPLE_COUNT_LIMIT) {
    complain(&adding, WM_E_DIRECTORY_LIMIT, FIELD_ID, "more than 2000000 people, at '%.*s'", SHOWN(id));
    return 0;
  }
  struct wm_buf own = WM_BUF_INIT;
  int result = add_person(&adding, id, &own);
  wm_buf_release(&own);
  return result;
}

/* --- managers --- */

static void find_person(const struct people *people, const struct records *records, enum wm_code code, uint32_t person,
                        const char *text) {
  const struct person *item = &people->items[person];
  records_find(records, WM_ERROR, code, item->line, item->column, "%s", text);
}

static void join_chiefs(struct people *people, const struct records *records, uint32_t *parents) {
  for (uint32_t i = 0; i < people->ids.count; i++) {
    struct person *person = &people->items[i];
    if (person->manager.bytes && person->chief == WM_FOREST_TOP)
      person->chief = names_find(&people->ids, person->manager);
    if (person->manager.bytes && person->chief == NAMES_NONE) {
      char text[200];
      person->chief = WM_FOREST_BROKEN;
      person->state = PERSON_INVALID;
      snprintf(text, sizeof text, "the manager '%.*s' is not in the file", SHOWN(person->manager));
      find_person(people, records, WM_E_DIRECTORY_MANAGER_UNKNOWN, i, text);
    }
    if (person->chief < people->ids.count)
      people->items[person->chief].manages = true;
    parents[i] = person->chief;
  }
}

#define CIRCLE_SHOWN 6 /* people of a circle that are named */

/* The first of a circle tells it; all on it are invalid. */
static void tell_circle(struct people *people, const struct records *records, uint32_t first, uint32_t *depths) {
  struct wm_buf text = WM_BUF_INIT;
  size_t count = 0;
  uint32_t at = first;
  for (; depths[at] == WM_FOREST_CIRCLE; at = people->items[at].chief, count++) {
    depths[at] = WM_FOREST_LOST;
    people->items[at].state = PERSON_INVALID;
    if (count < CIRCLE_SHOWN)
      wm_buf_printf(&text, "%s'%.*s'", count ? ", " : "", SHOWN(people->ids.items[at]));
  }
  if (count == 1)
    wm_buf_add_string(&text, " is his own manager");
  else if (count > CIRCLE_SHOWN)
    wm_buf_printf(&text, " and %zu more are managers in a circle", count - CIRCLE_SHOWN);
  else
    wm_buf_add_string(&text, " are managers in a circle");
  find_person(people, records, WM_E_DIRECTORY_CYCLE, first, text.bytes ? text.bytes : "");
  wm_buf_release(&text);
}

static void judge_depth(struct people *people, const struct records *records, uint32_t i, uint32_t *depths) {
  struct person *person = &people->items[i];
  if (depths[i] == WM_FOREST_CIRCLE)
    tell_circle(people, records, i, depths);
  if (depths[i] == PEOPLE_MANAGERS_LIMIT + 1) {
    char text[200];
    snprintf(text, sizeof text, "'%.*s' has more than %d managers one above the other", SHOWN(people->ids.items[i]),
             PEOPLE_MANAGERS_LIMIT);
    person->state = PERSON_INVALID;
    find_person(people, records, WM_E_DIRECTORY_LIMIT, i, text);
  }
  if (depths[i] > PEOPLE_MANAGERS_LIMIT && person->state == PERSON_FINE)
    person->state = PERSON_BELOW;
  people->fine += person->state == PERSON_FINE;
  people->below += person->state == PERSON_BELOW;
}

int people_join(struct people *people, const struct records *records) {
  uint32_t count = people->ids.count;
  uint32_t *parents = calloc((size_t)count + 1, sizeof *parents), *depths = calloc((size_t)count + 1, sizeof *depths);
  int result = parents && depths ? 0 : -1;
  if (result == 0) {
    join_chiefs(people, records, parents);
    wm_forest_depths(parents, count, depths);
    people->fine = people->below = 0;
    for (uint32_t i = 0; i < count; i++)
      judge_depth(people, records, i, depths);
  }
  free(parents);
  free(depths);
  return result;
}

/* --- profiles --- */

static void write_managers(const struct people *people, uint32_t person, struct wm_buf *buf) {
  uint32_t path[PEOPLE_MANAGERS_LIMIT];
  size_t count = 0;
  for (uint32_t at = people->items[person].chief; at < people->ids.count && count < PEOPLE_MANAGERS_LIMIT;
       at = people->items[at].chief)
    path[count++] = at;
  for (size_t i = count; i > 0; i--) {
    wm_buf_add_string(buf, i == count ? "[" : ",");
    wm_buf_add_json(buf, people->ids.items[path[i - 1]]);
  }
  wm_buf_add_char(buf, ']');
}

void people_write(const struct people *people, uint32_t person, struct wm_buf *buf) {
  const struct person *item = &people->items[person];
  wm_buf_add_char(buf, '{');
  wm_buf_add_text(buf, item->own);
  for (uint32_t i = 0; i < item->unit_count; i++) {
    wm_buf_add_string(buf, i ? "," : ",\"org-units\":{");
    units_write(&people->units, people->uses[item->first_unit + i], buf);
  }
  if (item->unit_count > 0)
    wm_buf_add_char(buf, '}');
  if (item->manager.bytes) {
    wm_buf_add_string(buf, ",\"manager\":");
    wm_buf_add_json(buf, item->manager);
    wm_buf_add_string(buf, ",\"managers\":");
    write_managers(people, person, buf);
  }
  if (item->manages)
    wm_buf_add_string(buf, ",\"manager-of-anyone\":true");
  wm_buf_add_char(buf, '}');
}

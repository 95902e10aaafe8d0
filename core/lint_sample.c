/* Paths and automations against a sample of events. Of the events only their fields are kept, as a tree for each type,
 * so that a sample may be as long as it likes. */
#include <stdlib.h>

#include "core/sample.h"

#define FIELDS_LIMIT 100000 /* of all types together; a sample with more tells nothing of fields */
#define NEAR_LIMIT 2000     /* fields that are looked through for a suggestion */
#define NEAR_BUDGET 200     /* suggestions */

/* A field that some event has. By name, which comes first for wm_text_position(). */
struct field {
  struct wm_text name;
  struct field *below;
  size_t count, capacity;
};

/* All events of one type: what they have below event. and data. */
struct type {
  struct wm_text name;
  struct field attributes, data;
};

struct wm_sample {
  const struct wm_workspace *workspace;
  struct wm_arena arena;   /* names and fields */
  struct wm_arena scratch; /* one event's candidates */
  struct type *types;      /* by name */
  size_t type_count, type_capacity;
  size_t fields, events;
  bool *taken; /* by automation */
};

struct wm_sample *wm_sample_new(const struct wm_workspace *workspace) {
  struct wm_sample *sample = calloc(1, sizeof(*sample));
  if (!sample)
    return NULL;
  sample->workspace = workspace;
  wm_arena_init(&sample->arena, 0);
  wm_arena_init(&sample->scratch, 0);
  sample->taken = WM_ARENA_ARRAY(&sample->arena, bool, workspace->automation_count + 1);
  if (sample->taken)
    return sample;
  wm_sample_free(sample);
  return NULL;
}

void wm_sample_free(struct wm_sample *sample) {
  if (!sample)
    return;
  wm_arena_release(&sample->arena);
  wm_arena_release(&sample->scratch);
  free(sample);
}

/* --- taking events in --- */

/* The item of that name in a sorted array in the arena, made if need be. NULL: out of memory. */
static void *reach(struct wm_sample *sample, void **items, size_t *count, size_t *capacity, size_t size,
                   struct wm_text name) {
  bool found;
  size_t at = wm_text_position(*items, *count, size, name, &found);
  if (found)
    return (char *)*items + at * size;
  if (*count == *capacity) {
    size_t more = *capacity ? *capacity * 2 : 4;
    void *grown = wm_arena_array(&sample->arena, more, size);
    if (!grown)
      return NULL;
    if (*count > 0)
      memcpy(grown, *items, *count * size);
    *items = grown;
    *capacity = more;
  }
  struct wm_text copy;
  if (wm_arena_text(&sample->arena, name, &copy) < 0)
    return NULL;
  char *place = (char *)*items + at * size;
  memmove(place + size, place, (*count - at) * size);
  memset(place, 0, size);
  memcpy(place, &copy, sizeof(copy));
  ++*count;
  sample->fields++;
  return place;
}

/* The depth of an event is bounded by its decoder. */
static int add_fields(struct wm_sample *sample, struct field *field, const struct wm_value *value) {
  size_t count = value && value->type == WM_OBJECT ? value->object.count : 0;
  for (size_t i = 0; i < count && sample->fields < FIELDS_LIMIT; i++) {
    const struct wm_member *member = &value->object.members[i];
    void *items = field->below;
    struct field *below = reach(sample, &items, &field->count, &field->capacity, sizeof(*below), member->name);
    field->below = items;
    if (!below || add_fields(sample, below, &member->value) < 0)
      return -1;
  }
  return 0;
}

static int mark_taken(struct wm_sample *sample, const struct wm_event *event) {
  struct wm_candidates candidates;
  wm_arena_rewind(&sample->scratch);
  if (wm_index_sift(sample->workspace->index, event, &sample->scratch, &candidates) < 0)
    return -1;
  for (size_t i = 0; i < candidates.count; i++)
    sample->taken[candidates.items[i] - sample->workspace->automations] = true;
  return 0;
}

int wm_sample_add(struct wm_sample *sample, const struct wm_event *event) {
  if (wm_event_type_is_reserved(event->type))
    return 0;
  void *items = sample->types;
  struct type *type = reach(sample, &items, &sample->type_count, &sample->type_capacity, sizeof(*type), event->type);
  sample->types = items;
  sample->events++;
  if (!type || add_fields(sample, &type->attributes, &event->attributes) < 0 ||
      add_fields(sample, &type->data, event->data) < 0)
    return -1;
  return mark_taken(sample, event);
}

/* --- asking --- */

struct asking {
  const struct wm_sample *sample;
  const struct wm_automation *automation;
  struct wm_findings *findings;
  size_t *budget;
  size_t unseen;
};

static bool has_field(const struct field *field, const struct wm_path *path) {
  for (size_t i = 0; i < path->count; i++) {
    bool found;
    size_t at = wm_text_position(field->below, field->count, sizeof(*field), path->names[i], &found);
    if (!found)
      return false;
    field = &field->below[at];
  }
  return true;
}

static const struct field *root_of(const struct type *type, const struct wm_path *path) {
  return path->root == WM_PATH_EVENT ? &type->attributes : &type->data;
}

static bool is_seen(const struct asking *asking, const struct wm_path *path) {
  const struct wm_sample *sample = asking->sample;
  for (size_t i = 0; i < sample->type_count; i++)
    if (wm_automation_takes(asking->automation, sample->types[i].name) &&
        has_field(root_of(&sample->types[i], path), path))
      return true;
  return false;
}

/* Paths as they would be written. */
struct names {
  const char **items;
  size_t count;
  struct wm_arena *arena;
};

static bool needs_quotes(struct wm_text name) {
  for (size_t i = 0; i < name.size; i++)
    if (strchr(". \t\"", name.bytes[i]) || (unsigned char)name.bytes[i] < 0x20)
      return true;
  return name.size == 0;
}

static void add_names(struct names *names, const struct field *field, const char *above) {
  for (size_t i = 0; i < field->count && names->count < NEAR_LIMIT; i++) {
    const struct field *below = &field->below[i];
    struct wm_buf buf = WM_BUF_INIT;
    wm_buf_printf(&buf, needs_quotes(below->name) ? "%s.\"%.*s\"" : "%s.%.*s", above, WM_TEXT_ARG(below->name));
    char *path = buf.bytes && !buf.failed ? wm_arena_copy(names->arena, buf.bytes, buf.size) : NULL;
    wm_buf_release(&buf);
    if (!path)
      return;
    names->items[names->count++] = path;
    add_names(names, below, path);
  }
}

static bool ends_alike(const char *path, struct wm_text last) {
  struct wm_text text = wm_text_of(path);
  return wm_text_ends_with(text, last) && text.size > last.size && text.bytes[text.size - last.size - 1] == '.';
}

/* The nearest field, else one of the same name elsewhere; in 'arena'. NULL: none. */
static const char *find_near(const struct asking *asking, const struct wm_path *path, struct wm_arena *arena) {
  const struct wm_sample *sample = asking->sample;
  struct names names = {.items = WM_ARENA_ARRAY(arena, const char *, NEAR_LIMIT + 1), .arena = arena};
  if (!names.items || *asking->budget == 0)
    return NULL;
  --*asking->budget;
  for (size_t i = 0; i < sample->type_count; i++)
    if (wm_automation_takes(asking->automation, sample->types[i].name))
      add_names(&names, root_of(&sample->types[i], path), path->root == WM_PATH_EVENT ? "event" : "data");
  const char *near = wm_text_nearest(path->written, names.items);
  for (size_t i = 0; i < names.count && !near; i++)
    if (ends_alike(names.items[i], path->names[path->count - 1]))
      near = names.items[i];
  return near;
}

static void check_path(struct asking *asking, const struct wm_path *path, unsigned line, unsigned column) {
  struct wm_arena arena;
  if (wm_path_is_user(path) || is_seen(asking, path))
    return;
  wm_arena_init(&arena, 0);
  const char *near = find_near(asking, path, &arena);
  asking->unseen++;
  wm_findings_add(asking->findings, WM_WARNING, WM_E_FIELD_UNSEEN, asking->automation->file, line, column,
                  "no event of the sample that automation '%.*s' is triggered by has '%.*s'%s%s%s",
                  WM_TEXT_ARG(asking->automation->name), WM_TEXT_ARG(wm_text_shown(path->written)),
                  near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
  wm_arena_release(&arena);
}

static void check_condition(struct asking *asking, const struct wm_condition *condition) {
  if (condition->kind == WM_FIELD)
    check_path(asking, &condition->path, condition->line, condition->column);
  for (size_t i = 0; i < condition->count; i++)
    check_condition(asking, &condition->children[i]);
}

static void check_template(struct asking *asking, const struct wm_task *task, const struct wm_template *template) {
  for (size_t i = 0; i < template->count; i++)
    if (!template->parts[i].literal.bytes)
      check_path(asking, &template->parts[i].path, task->line, task->column);
}

static bool takes_any(const struct wm_sample *sample, const struct wm_automation *automation) {
  for (size_t i = 0; i < sample->type_count; i++)
    if (wm_automation_takes(automation, sample->types[i].name))
      return true;
  return false;
}

static void check_automation(struct asking *asking) {
  const struct wm_automation *automation = asking->automation;
  const struct wm_sample *sample = asking->sample;
  bool triggered = takes_any(sample, automation);
  if (triggered && sample->fields < FIELDS_LIMIT) {
    check_condition(asking, &automation->when);
    for (size_t i = 0; i < automation->task_count; i++) {
      check_template(asking, &automation->tasks[i], &automation->tasks[i].title);
      check_template(asking, &automation->tasks[i], &automation->tasks[i].message);
    }
  }
  if (!automation->enabled || asking->unseen > 0 || sample->taken[automation - sample->workspace->automations])
    return;
  if (!triggered)
    wm_findings_add(asking->findings, WM_WARNING, WM_E_EVENT_UNSEEN, automation->file, automation->line,
                    automation->column, "no event of the sample has a type that automation '%.*s' is triggered by",
                    WM_TEXT_ARG(automation->name));
  else
    wm_findings_add(asking->findings, WM_WARNING, WM_E_EVENT_UNSEEN, automation->file, automation->line,
                    automation->column, "no event of the sample passes the conditions of automation '%.*s'",
                    WM_TEXT_ARG(automation->name));
}

void wm_lint_sample(const struct wm_sample *sample, struct wm_findings *findings) {
  size_t budget = NEAR_BUDGET;
  for (size_t i = 0; i < sample->workspace->automation_count; i++) {
    struct asking asking = {
        .sample = sample, .automation = &sample->workspace->automations[i], .findings = findings, .budget = &budget};
    check_automation(&asking);
  }
}

/* The tasks of an automation: keys that all have, and those of their type's table (core/task.h). */
#include <assert.h>
#include <stddef.h>

#include "core/automation.h"
#include "core/codec/load_parts.h"

static const char *const failure_words[] = {"continue", "stop", NULL};
static const char *const action_words[] = {"add", "remove", NULL};

static void load_failure(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  unsigned word = 0;
  load_word(load, key, value, &word);
  *(bool *)place = word == 1;
}

#define AT(field) offsetof(struct wm_task, field)
static const struct load_key common_keys[] = {
    {"name", load_text, AT(name), true, true, NULL},
    {"sequence", load_sequence, AT(sequence), true, false, NULL},
    {"description", load_text, AT(description), false, true, NULL},
    {"type", load_anything, 0, true, false, NULL}, /* read before the others, since it says which they are */
    {"on-failure", load_failure, AT(stop_on_failure), false, false, failure_words},
};
#undef AT
#define COMMON_COUNT (sizeof(common_keys) / sizeof(common_keys[0]))

/* How each kind of field of a task type is read. */
static const struct load_key field_keys[] = {
    [WM_FIELD_ROLE] = {.read = load_text},
    [WM_FIELD_USER] = {.read = load_text},
    [WM_FIELD_CHANNEL] = {.read = load_text},
    [WM_FIELD_ACTION] = {.read = load_word, .words = action_words},
    [WM_FIELD_DURATION] = {.read = load_duration},
    [WM_FIELD_TEXT] = {.read = load_text},
    [WM_FIELD_TEMPLATE] = {.read = load_template, .prose = true},
};

/* Adds a type's own keys behind the 'count' that are there. */
static size_t add_fields(struct load_key *keys, size_t count, const struct wm_task_type *type) {
  for (const struct wm_field *field = type->fields; field->name; field++) {
    assert(count < LOAD_KEYS_LIMIT);
    struct load_key *key = &keys[count++];
    *key = field_keys[field->kind];
    key->name = field->name;
    key->offset = field->offset;
    key->required = field->required;
    if (field->offset == offsetof(struct wm_task, to))
      key->read = load_recipient;
  }
  return count;
}

/* Which type the keys must have is not known: those of any will do. */
static size_t add_any_fields(struct load_key *keys, size_t count) {
  size_t first = count;
  for (size_t i = 0; wm_task_types[i]; i++)
    count = add_fields(keys, count, wm_task_types[i]);
  for (size_t i = first; i < count; i++) {
    keys[i].read = load_anything;
    keys[i].required = false;
  }
  return count;
}

static const struct wm_task_type *read_type(struct load *load, const struct wm_node *map) {
  const struct wm_node *node = wm_node_get(map, "type");
  struct wm_text text;
  if (!node || !load_scalar(load, "type", node, &text))
    return NULL;
  const struct wm_task_type *type = wm_task_type_find(text);
  if (type)
    return type;
  const char *names[LOAD_KEYS_LIMIT + 1] = {NULL};
  for (size_t i = 0; wm_task_types[i] && i < LOAD_KEYS_LIMIT; i++)
    names[i] = wm_task_types[i]->name;
  load_invalid(load, node, WM_E_VALUE_INVALID, "unknown type of task '%.*s'" LOAD_NEAR,
               WM_TEXT_ARG(wm_text_shown(text)), LOAD_NEAR_ARG(wm_text_nearest(text, names)));
  return NULL;
}

/* A role that is taken away has no end. */
static void check_end(struct load *load, const struct wm_node *map, const struct wm_task *task) {
  const struct wm_node *end = wm_node_get(map, "expires-after");
  if (end && task->type && task->action == WM_REMOVE && task->role.bytes)
    load_invalid(load, end, WM_E_VALUE_INVALID, "'expires-after' needs 'action: add'");
}

/* Was its sequence read? Otherwise it was reported, and 0 stands in its place. */
static bool has_sequence(const struct wm_node *map, const struct wm_task *task) {
  const struct wm_node *node = wm_node_get(map, "sequence");
  if (!node || node->broken || node->kind != WM_NODE_SCALAR)
    return false;
  struct wm_value value = wm_node_value(node, NULL);
  return value.type == WM_INTEGER && value.integer == task->sequence;
}

static bool is_reference(const struct wm_field *field) {
  return field->kind == WM_FIELD_ROLE || field->kind == WM_FIELD_CHANNEL;
}

/* Enough to say more about: the references that its type needs. */
static bool has_references(const struct wm_task *task) {
  for (const struct wm_field *field = task->type->fields; field->name; field++) {
    const struct wm_text *text = (const struct wm_text *)(const void *)((const char *)task + field->offset);
    if (is_reference(field) && field->required && !text->bytes)
      return false;
  }
  return true;
}

/* Where the role or channel is named, for what is only known to be wrong once all documents are read. */
static void place_name(const struct wm_node *map, struct wm_task *task) {
  task->name_line = task->line;
  task->name_column = task->column;
  for (const struct wm_field *field = task->type ? task->type->fields : NULL; field && field->name; field++) {
    const struct wm_node *node = is_reference(field) ? wm_node_get(map, field->name) : NULL;
    if (!node)
      continue;
    task->name_line = node->line;
    task->name_column = node->column;
  }
}

static void read_task(struct load *load, const struct wm_node *map, struct wm_task *ret) {
  *ret = (struct wm_task){.line = map->line, .column = map->column};
  struct load_key keys[LOAD_KEYS_LIMIT + 1] = {0};
  memcpy(keys, common_keys, sizeof(common_keys));
  ret->type = map->kind == WM_NODE_MAP ? read_type(load, map) : NULL;
  if (ret->type)
    add_fields(keys, COMMON_COUNT, ret->type);
  else
    add_any_fields(keys, COMMON_COUNT);
  char what[64];
  snprintf(what, sizeof(what), "a %s%stask", ret->type ? ret->type->name : "", ret->type ? " " : "");
  if (load_map(load, map, what, keys, ret))
    check_end(load, map, ret);
  place_name(map, ret);
}

/* Against the tasks before it in the file. */
static void check_sequence(struct load *load, const struct wm_node *maps, const struct wm_task *tasks, size_t at) {
  for (size_t i = 0; i < at && has_sequence(&maps[at], &tasks[at]); i++) {
    if (tasks[i].sequence != tasks[at].sequence || !has_sequence(&maps[i], &tasks[i]))
      continue;
    load_invalid(load, wm_node_get(&maps[at], "sequence"), WM_E_SEQUENCE_DUPLICATE,
                 "sequence %lld stands already in the task of line %u", (long long)tasks[at].sequence, tasks[i].line);
    return;
  }
}

void load_tasks(struct load *load, const struct wm_node *list, struct wm_task **ret, size_t *ret_count) {
  if (list->broken)
    return;
  if (list->kind != WM_NODE_LIST) {
    load_invalid(load, list, WM_E_TYPE_WRONG, "'tasks' must be a list, one '- ' each, not %s",
                 list->kind == WM_NODE_MAP ? "a mapping" : "text");
    return;
  }
  if (list->count == 0)
    load_invalid(load, list, WM_E_VALUE_INVALID, "'tasks' is an empty list");
  if (list->count > WM_TASKS_LIMIT)
    load_invalid(load, &list->items[WM_TASKS_LIMIT], WM_E_WORKSPACE_LIMIT, "an automation has at most %d tasks",
                 WM_TASKS_LIMIT);
  size_t most = list->count < WM_TASKS_LIMIT ? list->count : WM_TASKS_LIMIT;
  struct wm_task *tasks = load_array(load, most, sizeof(*tasks));
  size_t kept = 0;
  for (size_t i = 0; tasks && i < most; i++) {
    read_task(load, &list->items[i], &tasks[i]);
    check_sequence(load, list->items, tasks, i);
  }
  for (size_t i = 0; tasks && i < most; i++)
    if (tasks[i].type && has_sequence(&list->items[i], &tasks[i]) && has_references(&tasks[i]))
      tasks[kept++] = tasks[i];
  *ret = tasks;
  *ret_count = kept;
}

/* What a test expects. In 'then' every key that is no word of ours is the name of a role. */
#include <stddef.h>

#include "core/codec/load_test_parts.h"

static const char *const held_words[] = {"held", "not held", "gained", "lost", NULL};
static const char *const run_words[] = {"does not run", "runs", NULL};

static bool word_at(struct wm_text text, const char *const *words, unsigned *ret) {
  for (unsigned i = 0; words[i]; i++)
    if (wm_text_is(text, words[i])) {
      *ret = i;
      return true;
    }
  return false;
}

/* --- roles --- */

static void read_role(struct load *load, const struct wm_node *name, const struct wm_node *word,
                      struct wm_expectation *then) {
  struct wm_expected_role role = {.place = load_place(name)};
  struct load_key key = {.name = "a role", .words = held_words, .read = load_word};
  static const struct load_key name_key = {.name = "role"};
  unsigned held = 0;
  if (load_is_reported(name) || word->broken)
    return;
  load_name(load, &name_key, name, &role.role);
  load_word(load, &key, word, &held);
  role.held = (enum wm_held)held;
  if (wm_text_is_name(role.role))
    then->roles[then->role_count++] = role;
}

static bool has_role(const struct wm_expectation *then, struct wm_text role) {
  for (size_t i = 0; i < then->role_count; i++)
    if (wm_text_equal(then->roles[i].role, role))
      return true;
  return false;
}

/* A list is all that is held, a mapping says of each role what it is. */
static void read_roles(struct load *load, const struct wm_node *roles, struct wm_expectation *then) {
  static const struct load_key key = {.name = "roles"};
  if (roles->broken)
    return;
  if (roles->kind == WM_NODE_SCALAR) {
    load_invalid(load, roles, WM_E_TYPE_WRONG, "'roles' must be a list of all roles that are held, or a mapping");
    return;
  }
  for (size_t i = 0; roles->kind == WM_NODE_MAP && i < roles->count; i++)
    read_role(load, &roles->items[2 * i], &roles->items[2 * i + 1], then);
  if (roles->kind == WM_NODE_MAP)
    return;
  then->all_roles = load_place(roles);
  for (size_t i = 0; i < roles->count; i++) {
    struct wm_expected_role role = {.held = WM_HELD, .place = load_place(&roles->items[i])};
    load_name(load, &key, &roles->items[i], &role.role);
    if (wm_text_is_name(role.role))
      then->roles[then->role_count++] = role;
  }
}

/* --- automations --- */

static bool find_result(struct wm_text text, enum wm_result *ret) {
  for (unsigned i = 0; i <= WM_RESULT_FAILED; i++)
    if (wm_text_is(text, wm_result_name((enum wm_result)i))) {
      *ret = (enum wm_result)i;
      return true;
    }
  return false;
}

/* The codes that an outcome can have. */
static bool find_code(struct wm_text text, enum wm_code *ret) {
  for (enum wm_code code = WM_E_ENTITY_NOT_ALLOWED; code <= WM_E_TOO_OLD; code++)
    if (wm_text_is(text, wm_code_name(code))) {
      *ret = code;
      return true;
    }
  return false;
}

static const char *near_result(struct wm_text text) {
  const char *names[WM_RESULT_FAILED + 2] = {NULL};
  for (unsigned i = 0; i <= WM_RESULT_FAILED; i++)
    names[i] = wm_result_name((enum wm_result)i);
  return wm_text_nearest(text, names);
}

static const char *near_code(struct wm_text text) {
  const char *names[WM_E_TOO_OLD - WM_E_ENTITY_NOT_ALLOWED + 2] = {NULL};
  for (enum wm_code code = WM_E_ENTITY_NOT_ALLOWED; code <= WM_E_TOO_OLD; code++)
    names[code - WM_E_ENTITY_NOT_ALLOWED] = wm_code_name(code);
  return wm_text_nearest(text, names);
}

/* "changed", "failed TEMPLATE_FAILED". False: reported. */
static bool read_result(struct load *load, const struct wm_node *node, struct wm_expected_task *ret) {
  struct wm_text text, code = WM_NO_TEXT;
  if (!load_scalar(load, "a result", node, &text))
    return false;
  const char *blank = memchr(text.bytes, ' ', text.size);
  if (blank) {
    code = (struct wm_text){blank + 1, text.size - (size_t)(blank - text.bytes) - 1};
    text.size = (size_t)(blank - text.bytes);
  }
  ret->place = load_place(node);
  if (!find_result(text, &ret->result)) {
    load_invalid(load, node, WM_E_VALUE_INVALID,
                 "'%.*s' is no result of a task: changed, unchanged, superseded, requested, skipped, suppressed, held "
                 "or failed" LOAD_NEAR,
                 WM_TEXT_ARG(wm_text_shown(text)), LOAD_NEAR_ARG(near_result(text)));
    return false;
  }
  if (!code.bytes || find_code(code, &ret->code))
    return true;
  load_invalid(load, node, WM_E_VALUE_INVALID, "'%.*s' is no code of a task" LOAD_NEAR,
               WM_TEXT_ARG(wm_text_shown(code)), LOAD_NEAR_ARG(near_code(code)));
  return false;
}

static void read_tasks(struct load *load, const struct wm_node *map, struct wm_expected_run *run) {
  static const struct load_key key = {.name = "sequence"};
  if (map->count == 0)
    load_invalid(load, map, WM_E_VALUE_INVALID, "no task is named: write 'runs', or the sequence of each");
  run->tasks = load_array(load, map->count, sizeof(*run->tasks));
  for (size_t i = 0; run->tasks && i < map->count; i++) {
    const struct wm_node *sequence = &map->items[2 * i];
    struct wm_expected_task *task = &run->tasks[run->task_count];
    size_t before = load->findings->invalid;
    *task = (struct wm_expected_task){0};
    if (load_is_reported(sequence))
      continue;
    load_sequence(load, &key, sequence, &task->sequence);
    if (read_result(load, &map->items[2 * i + 1], task) && load->findings->invalid == before)
      run->task_count++;
  }
}

static void read_run(struct load *load, const struct wm_node *name, const struct wm_node *value,
                     struct wm_expectation *then) {
  static const struct load_key name_key = {.name = "automation"};
  static const struct load_key key = {.name = "an automation", .words = run_words};
  struct wm_expected_run run = {.runs = true, .place = load_place(name)};
  unsigned word = 1;
  if (load_is_reported(name) || value->broken)
    return;
  load_name(load, &name_key, name, &run.automation);
  if (value->kind == WM_NODE_MAP)
    read_tasks(load, value, &run);
  else
    load_word(load, &key, value, &word);
  run.runs = word == 1;
  if (wm_text_is_name(run.automation))
    then->runs[then->run_count++] = run;
}

static void read_runs(struct load *load, const struct wm_node *runs, struct wm_expectation *then) {
  static const struct load_key key = {.name = "automations"};
  if (runs->broken)
    return;
  if (runs->kind == WM_NODE_SCALAR) {
    load_invalid(load, runs, WM_E_TYPE_WRONG, "'automations' must be a list of all that run, or a mapping");
    return;
  }
  for (size_t i = 0; runs->kind == WM_NODE_MAP && i < runs->count; i++)
    read_run(load, &runs->items[2 * i], &runs->items[2 * i + 1], then);
  if (runs->kind == WM_NODE_MAP)
    return;
  then->all_runs = load_place(runs);
  for (size_t i = 0; i < runs->count; i++) {
    struct wm_expected_run run = {.runs = true, .place = load_place(&runs->items[i])};
    load_name(load, &key, &runs->items[i], &run.automation);
    if (wm_text_is_name(run.automation))
      then->runs[then->run_count++] = run;
  }
}

/* The one task of a request by hand. */
static void read_request(struct load *load, const struct wm_node *node, struct wm_expectation *then) {
  struct wm_expected_run run = {.runs = true, .place = load_place(node)};
  struct wm_expected_task *task = load_array(load, 1, sizeof(*task));
  if (!task || !read_result(load, node, task))
    return;
  run.tasks = task;
  run.task_count = 1;
  then->runs[then->run_count++] = run;
}

/* --- notifications --- */

static load_fn load_channel_name, load_automation_name;

#define AT(field) offsetof(struct wm_expected_message, field)
static const struct load_key message_keys[] = {
    {"automation", load_automation_name, 0, false, false, NULL},
    {"channel", load_channel_name, 0, false, false, NULL},
    {"to", load_filled, AT(to), false, false, NULL},
    {"title", load_text, AT(title), false, true, NULL},
    {"message", load_text, AT(message), false, true, NULL},
    {NULL, NULL, 0, false, false, NULL},
};
#undef AT

static void load_channel_name(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_expected_message *message = place;
  load_name(load, key, value, &message->channel);
  message->channel_place = load_place(value);
}

static void load_automation_name(struct load *load, const struct load_key *key, const struct wm_node *value,
                                 void *place) {
  struct wm_expected_message *message = place;
  load_name(load, key, value, &message->automation);
  message->automation_place = load_place(value);
}

#define MESSAGES_LIMIT 1000000 /* more can't come of a test */

/* A list of them, how many they are, or 'none'. */
static void read_messages(struct load *load, const struct wm_node *node, struct wm_expectation *then) {
  if (node->broken)
    return;
  then->all_messages = load_place(node);
  struct wm_value count = node->kind == WM_NODE_SCALAR ? wm_node_value(node, NULL) : (struct wm_value){0};
  if (node->kind == WM_NODE_LIST) {
    then->messages = load_array(load, node->count, sizeof(*then->messages));
    for (size_t i = 0; then->messages && i < node->count; i++) {
      struct wm_expected_message *message = &then->messages[then->message_count++];
      message->place = load_place(&node->items[i]);
      load_map(load, &node->items[i], "a notification", message_keys, message);
    }
  } else if (count.type == WM_INTEGER && count.integer >= 0 && count.integer <= MESSAGES_LIMIT) {
    then->message_count = (size_t)count.integer;
  } else if (node->kind != WM_NODE_SCALAR || !wm_text_is(node->text, "none")) {
    load_invalid(load, node, node->kind == WM_NODE_MAP ? WM_E_TYPE_WRONG : WM_E_VALUE_INVALID,
                 "'notifications' must be a list of them, their number, or 'none'");
  }
}

/* --- the whole --- */

static void read_nothing(struct load *load, const struct wm_node *node, struct wm_expectation *then) {
  static const struct load_key key = {.name = "nothing"};
  bool nothing = true;
  load_boolean(load, &key, node, &nothing);
  if (nothing)
    then->nothing = load_place(node);
  else
    load_invalid(load, node, WM_E_VALUE_INVALID, "'nothing' can only be true: say what happens instead");
}

static const struct {
  const char *name;
  void (*read)(struct load *load, const struct wm_node *node, struct wm_expectation *then);
} parts[] = {
    {"roles", read_roles},     {"automations", read_runs}, {"request", read_request}, {"notifications", read_messages},
    {"nothing", read_nothing},
};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

/* A key that is no name of a role, or whose value says so, was meant to be one of ours. */
static bool is_slip(struct load *load, const struct wm_node *key, const struct wm_node *value) {
  const char *names[PART_COUNT + 1] = {NULL};
  unsigned word;
  for (size_t i = 0; i < PART_COUNT; i++)
    names[i] = parts[i].name;
  const char *near = wm_text_nearest(key->text, names);
  if (value->kind == WM_NODE_SCALAR && (word_at(value->text, held_words, &word) || !near))
    return false;
  load_invalid(load, key, WM_E_KEY_UNKNOWN,
               "unknown key '%.*s' in 'then'" LOAD_NEAR ": a role is held, not held, gained or lost",
               WM_TEXT_ARG(wm_text_shown(key->text)), LOAD_NEAR_ARG(near));
  return true;
}

static void read_part(struct load *load, const struct wm_node *key, const struct wm_node *value,
                      struct wm_expectation *then) {
  for (size_t i = 0; i < PART_COUNT; i++)
    if (wm_text_is(key->text, parts[i].name)) {
      parts[i].read(load, value, then);
      return;
    }
  if (!value->broken && !is_slip(load, key, value))
    read_role(load, key, value, then);
}

/* How many of a list or mapping there can be. */
static size_t count_in(const struct wm_node *map, const char *name) {
  const struct wm_node *node = wm_node_get(map, name);
  return node && node->kind != WM_NODE_SCALAR ? node->count : 0;
}

static void check_twice(struct load *load, struct wm_expectation *then) {
  struct wm_expectation seen = *then;
  if (then->all_roles.line) /* a role that is gained may stand in the list of all, too */
    return;
  for (seen.role_count = 0; seen.role_count < then->role_count && seen.role_count < 256; seen.role_count++) {
    const struct wm_expected_role *role = &then->roles[seen.role_count];
    if (has_role(&seen, role->role))
      wm_findings_add(load->findings, WM_INVALID, WM_E_KEY_DUPLICATE, load->file, role->place.line, role->place.column,
                      "role '%.*s' stands in this 'then' already", WM_TEXT_ARG(role->role));
  }
}

void load_case_then(struct load_case *given, const struct wm_node *value, struct wm_expectation *ret) {
  struct load *load = given->load;
  if (value->broken)
    return;
  if (value->kind != WM_NODE_MAP) {
    load_invalid(load, value, WM_E_TYPE_WRONG, "'then' must be a mapping of what is expected, not %s",
                 load_kind_name(value));
    return;
  }
  ret->roles = load_array(load, value->count + count_in(value, "roles"), sizeof(*ret->roles));
  ret->runs = load_array(load, 1 + count_in(value, "automations"), sizeof(*ret->runs));
  for (size_t i = 0; ret->roles && ret->runs && i < value->count; i++)
    if (!load_is_reported(&value->items[2 * i]))
      read_part(load, &value->items[2 * i], &value->items[2 * i + 1], ret);
  check_twice(load, ret);
}

/* The condition language (contract 5) from YAML. Its depth is bounded by the YAML reader. */
#include "core/codec/load_parts.h"

/* How other languages call our operators. */
static const struct {
  const char *name, *ours;
} foreign[] = {
    {"eq", "is"},
    {"equals", "is"},
    {"==", "is"},
    {"=", "is"},
    {"ne", "is-not"},
    {"not", "is-not"},
    {"!=", "is-not"},
    {"one-of", "in"},
    {"any-of", "in"},
    {"none-of", "not-in"},
    {"nin", "not-in"},
    {"gt", "above"},
    {">", "above"},
    {"more-than", "above"},
    {"greater-than", "above"},
    {"gte", "at-least"},
    {">=", "at-least"},
    {"min", "at-least"},
    {"lt", "below"},
    {"<", "below"},
    {"less-than", "below"},
    {"lte", "at-most"},
    {"<=", "at-most"},
    {"max", "at-most"},
    {"exists", "present"},
    {"defined", "present"},
    {"like", "glob"},
    {"matches", "glob"},
    {"regex", "glob"},
    {"prefix", "starts-with"},
    {"suffix", "ends-with"},
    {"has-not", "has-none"},
    {"includes", "has"},
};

static const char *near_operator(struct wm_text name) {
  const char *names[LOAD_KEYS_LIMIT + 1] = {NULL};
  for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
    if (wm_text_is(name, foreign[i].name))
      return foreign[i].ours;
  for (size_t i = 0; wm_operators[i].name && i < LOAD_KEYS_LIMIT; i++)
    names[i] = wm_operators[i].name;
  return wm_text_nearest(name, names);
}

static void warn_of_zero(struct load *load, const struct wm_node *node) {
  struct wm_value value = wm_node_value(node, NULL);
  if (value.type == WM_INTEGER && wm_node_has_leading_zero(node))
    load_warning(load, node, WM_E_NUMBER_LEADING_ZERO, "'%.*s' is the number %lld here, quote it if text was meant",
                 WM_TEXT_ARG(wm_text_shown(node->text)), (long long)value.integer);
  else if (value.type == WM_REAL && wm_node_has_leading_zero(node))
    load_warning(load, node, WM_E_NUMBER_LEADING_ZERO, "'%.*s' is a number here, quote it if text was meant",
                 WM_TEXT_ARG(wm_text_shown(node->text)));
}

/* A scalar operand, null included. False: reported. */
static bool read_scalar(struct load *load, const struct wm_node *node, struct wm_value *ret) {
  bool odd;
  *ret = wm_node_value(node, &odd);
  if (odd) {
    load_invalid(load, node, WM_E_OPERAND_INVALID,
                 "'%.*s' is no number that can be compared, quote it if text was meant",
                 WM_TEXT_ARG(wm_text_shown(node->text)));
    return false;
  }
  warn_of_zero(load, node);
  if (ret->type == WM_STRING)
    ret->string = load_copy(load, ret->string);
  return true;
}

static bool read_list(struct load *load, const struct wm_node *node, struct wm_value *ret) {
  *ret = (struct wm_value){.type = WM_LIST};
  ret->list.items = load_array(load, node->count, sizeof(struct wm_value));
  bool good = ret->list.items != NULL;
  for (size_t i = 0; ret->list.items && i < node->count; i++) {
    const struct wm_node *item = &node->items[i];
    if (item->broken) {
      good = false;
    } else if (item->kind != WM_NODE_SCALAR) {
      load_invalid(load, item, WM_E_OPERAND_INVALID, "a list of operands holds texts, numbers and booleans, not %s",
                   load_kind_name(item));
      good = false;
    } else if (!read_scalar(load, item, &ret->list.items[ret->list.count++])) {
      good = false;
    }
  }
  return good;
}

static bool read_operand(struct load *load, const struct wm_operator *operator, const struct wm_node * node,
                         struct wm_value *ret) {
  if (node->broken)
    return false;
  if (node->kind == WM_NODE_SCALAR)
    return read_scalar(load, node, ret);
  if (node->kind == WM_NODE_LIST)
    return read_list(load, node, ret);
  load_invalid(load, node, WM_E_OPERAND_INVALID, "the operand of '%s' can't be a mapping", operator->name);
  return false;
}

/* One operator with its operand. False: reported. */
static bool read_test(struct load *load, const struct wm_operator *operator, const struct wm_node * place,
                      const struct wm_node *operand, struct wm_test *ret) {
  struct wm_error error;
  *ret = (struct wm_test){.operator= operator, .line = place->line, .column = place->column};
  if (!read_operand(load, operator, operand, &ret->operand))
    return false;
  if (wm_test_check(ret, &error) == 0)
    return true;
  if (error.code == WM_E_OUT_OF_MEMORY)
    load->memory = true;
  else
    load_invalid(load, operand, error.code, "%s", error.text);
  return false;
}

static void read_operators(struct load *load, const struct wm_node *path, const struct wm_node *map,
                           struct wm_condition *ret) {
  if (map->count == 0)
    load_invalid(load, map, WM_E_OPERAND_INVALID, "'%.*s' is given no operator",
                 WM_TEXT_ARG(wm_text_shown(path->text)));
  ret->tests = load_array(load, map->count, sizeof(*ret->tests));
  for (size_t i = 0; ret->tests && i < map->count; i++) {
    const struct wm_node *name = &map->items[2 * i], *operand = &map->items[2 * i + 1];
    if (load_is_reported(name))
      continue;
    const struct wm_operator *operator= wm_operator_find(name->text);
    if (!operator)
      load_invalid(load, name, WM_E_OPERATOR_UNKNOWN, "unknown operator '%.*s'" LOAD_NEAR,
                   WM_TEXT_ARG(wm_text_shown(name->text)), LOAD_NEAR_ARG(near_operator(name->text)));
    else if (read_test(load, operator, name, operand, &ret->tests[ret->test_count]))
      ret->test_count++;
  }
}

/* 'path: value' is short for 'path: { is: value }'. */
static void read_shorthand(struct load *load, const struct wm_node *path, const struct wm_node *value,
                           struct wm_condition *ret) {
  struct wm_text name = wm_text_shown(path->text);
  if (value->kind == WM_NODE_LIST) {
    load_invalid(load, value, WM_E_OPERAND_INVALID, "'%.*s' is given a list, did you mean '%s: [...]'",
                 WM_TEXT_ARG(name), wm_path_is_list(&ret->path) ? "has-any" : "in");
    return;
  }
  if (wm_node_value(value, NULL).type == WM_NULL) {
    load_invalid(load, value, WM_E_OPERAND_INVALID, "'%.*s' can't be compared with null, did you mean 'present: false'",
                 WM_TEXT_ARG(name));
    return;
  }
  ret->tests = load_array(load, 1, sizeof(*ret->tests));
  if (ret->tests && read_test(load, wm_operator_find(WM_TEXT("is")), path, value, ret->tests))
    ret->test_count = 1;
}

/* A key that is no path: 'error' says why, unless more can be guessed from what stands around it. */
static void report_path(struct load *load, const struct wm_node *path, const struct wm_node *value,
                        const struct wm_error *error) {
  static const char *const words[] = {"all", "any", "not", NULL};
  bool root = wm_text_is(path->text, "data") || wm_text_is(path->text, "user") || wm_text_is(path->text, "event");
  bool nested = value->kind == WM_NODE_MAP && value->count > 0 && value->items[0].kind == WM_NODE_SCALAR;
  bool dotted = memchr(path->text.bytes, '.', path->text.size);
  const char *near = dotted ? NULL : wm_text_nearest(path->text, words);
  if (error->code == WM_E_OUT_OF_MEMORY)
    load->memory = true;
  else if (root && nested)
    load_invalid(load, path, error->code, "a path is one key, did you mean '%.*s.%.*s'", WM_TEXT_ARG(path->text),
                 WM_TEXT_ARG(wm_text_shown(value->items[0].text)));
  else if (near)
    load_invalid(load, path, error->code, "unknown path '%.*s'" LOAD_NEAR, WM_TEXT_ARG(path->text),
                 LOAD_NEAR_ARG(near));
  else
    load_invalid(load, path, error->code, "%s", error->text);
}

static void read_field(struct load *load, const struct wm_node *path, const struct wm_node *value,
                       struct wm_condition *ret) {
  struct wm_error error;
  if (wm_path_parse(path->text, load->arena, &ret->path, &error)) {
    report_path(load, path, value, &error);
    return;
  }
  if (value->broken)
    return;
  if (value->kind == WM_NODE_MAP)
    read_operators(load, path, value, ret);
  else
    read_shorthand(load, path, value, ret);
  if (ret->test_count > 0)
    ret->kind = WM_FIELD;
}

static void read_mapping(struct load *load, const char *what, const struct wm_node *map, struct wm_condition *ret);

/* The mappings of 'all' and 'any'. */
static void read_branches(struct load *load, const struct wm_node *key, const struct wm_node *list,
                          struct wm_condition *ret) {
  bool any = wm_text_is(key->text, "any");
  if (list->broken)
    return;
  if (list->kind != WM_NODE_LIST || list->count == 0) {
    load_invalid(load, list, list->kind == WM_NODE_LIST ? WM_E_VALUE_INVALID : WM_E_TYPE_WRONG,
                 "'%s' needs a list of mappings, one '- ' each%s", any ? "any" : "all",
                 list->kind == WM_NODE_LIST ? ": it is empty" : "");
    return;
  }
  ret->children = load_array(load, list->count, sizeof(*ret->children));
  ret->count = ret->children ? list->count : 0;
  ret->kind = any ? WM_ANY : WM_ALL;
  for (size_t i = 0; i < ret->count; i++)
    read_mapping(load, any ? "an entry of 'any'" : "an entry of 'all'", &list->items[i], &ret->children[i]);
}

static void read_negation(struct load *load, const struct wm_node *map, struct wm_condition *ret) {
  ret->children = load_array(load, 1, sizeof(*ret->children));
  if (!ret->children)
    return;
  ret->kind = WM_NOT;
  ret->count = 1;
  read_mapping(load, "'not'", map, ret->children);
}

/* An entry that can't be read stays an empty ALL, which says nothing. */
static void read_entry(struct load *load, const struct wm_node *key, const struct wm_node *value,
                       struct wm_condition *ret) {
  *ret = (struct wm_condition){.kind = WM_ALL, .line = key->line, .column = key->column};
  if (load_is_reported(key))
    return;
  if (wm_text_is(key->text, "all") || wm_text_is(key->text, "any"))
    read_branches(load, key, value, ret);
  else if (wm_text_is(key->text, "not"))
    read_negation(load, value, ret);
  else
    read_field(load, key, value, ret);
}

static void read_mapping(struct load *load, const char *what, const struct wm_node *map, struct wm_condition *ret) {
  *ret = (struct wm_condition){.kind = WM_ALL, .line = map->line, .column = map->column};
  if (map->broken)
    return;
  if (map->kind != WM_NODE_MAP) {
    bool empty = map->kind == WM_NODE_SCALAR && wm_node_value(map, NULL).type == WM_NULL;
    load_invalid(load, map, WM_E_TYPE_WRONG, "%s must be a mapping of conditions, not %s", what,
                 empty ? "nothing" : load_kind_name(map));
    return;
  }
  ret->children = load_array(load, map->count, sizeof(*ret->children));
  ret->count = ret->children ? map->count : 0;
  for (size_t i = 0; i < ret->count; i++)
    read_entry(load, &map->items[2 * i], &map->items[2 * i + 1], &ret->children[i]);
}

void load_condition(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  (void)key;
  read_mapping(load, "'when'", value, place);
}

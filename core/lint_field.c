/* Operators against what a field can be. */
#include "core/lint.h"

enum shape { SHAPE_ANY, SHAPE_TEXT, SHAPE_TEXTS };

static enum shape shape_of(const struct wm_path *path) {
  static const char *const attributes[] = {"id",          "source",          "type",       "time", "subject",
                                           "specversion", "datacontenttype", "dataschema", NULL};
  if (wm_path_is_list(path))
    return SHAPE_TEXTS;
  if (path->root == WM_PATH_USER)
    return wm_text_is(path->names[0], "attributes") ? SHAPE_ANY : SHAPE_TEXT;
  for (size_t i = 0; path->root == WM_PATH_EVENT && attributes[i]; i++)
    if (wm_text_is(path->names[0], attributes[i]))
      return SHAPE_TEXT;
  return SHAPE_ANY; /* extensions may be numbers and booleans */
}

/* The operator for lists, and the one for single values, that mean the same. */
static const struct {
  const char *one, *many;
} siblings[] = {
    {"is", "has"},          {"contains", "has"},  {"glob", "has"},        {"in", "has-any"}, {"starts-with", "has"},
    {"is-not", "has-none"}, {"ends-with", "has"}, {"not-in", "has-none"}, {"in", "has-all"},
};

static const char *sibling(const char *name, bool many) {
  for (size_t i = 0; i < sizeof(siblings) / sizeof(siblings[0]); i++)
    if (strcmp(many ? siblings[i].one : siblings[i].many, name) == 0)
      return many ? siblings[i].many : siblings[i].one;
  return NULL;
}

static bool is_for_lists(const struct wm_test *test) {
  return wm_text_starts_with(wm_text_of(test->operator->name), WM_TEXT("has"));
}

static bool is_present(const struct wm_test *test) {
  return test->operator->operand == WM_OPERAND_BOOLEAN;
}

/* Is one of the operands a text? */
static bool has_text(const struct wm_value *operand) {
  if (operand->type != WM_LIST)
    return operand->type == WM_STRING;
  for (size_t i = 0; i < operand->list.count; i++)
    if (operand->list.items[i].type == WM_STRING)
      return true;
  return false;
}

static void report(const struct lint *lint, const struct wm_path *path, const struct wm_test *test, enum wm_code code,
                   const char *is, const char *near) {
  wm_findings_add(lint->run->findings, WM_WARNING, code, lint->file, test->line, test->column,
                  "'%.*s' is %s, so '%s' never holds%s%s%s", WM_TEXT_ARG(path->written), is, test->operator->name,
                  near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
}

static void check_list(const struct lint *lint, const struct wm_path *path, const struct wm_test *test) {
  const char *near = sibling(test->operator->name, true);
  if (!is_for_lists(test))
    report(lint, path, test, near ? WM_E_LIST_CONTAINS : WM_E_TYPE_MISMATCH_NEVER, "a list", near);
  else if (!has_text(&test->operand))
    report(lint, path, test, WM_E_TYPE_MISMATCH_NEVER, "a list of texts", NULL);
}

static void check_text(const struct lint *lint, const struct wm_path *path, const struct wm_test *test) {
  enum wm_operand operand = test->operator->operand;
  bool time = operand == WM_OPERAND_MOMENT || operand == WM_OPERAND_DURATION;
  if (is_for_lists(test))
    report(lint, path, test, WM_E_TYPE_MISMATCH_NEVER, "text", sibling(test->operator->name, false));
  else if (time && path->root == WM_PATH_USER)
    report(lint, path, test, WM_E_TYPE_MISMATCH_NEVER, "no time", NULL);
  else if (!time && !has_text(&test->operand))
    report(lint, path, test, WM_E_TYPE_MISMATCH_NEVER, "text", NULL);
}

/* Only roles of the catalogue are ever effective. */
static void check_role(const struct lint *lint, const struct wm_test *test, const struct wm_value *operand) {
  if (operand->type != WM_STRING || wm_workspace_role(lint->run->workspace, operand->string))
    return;
  struct wm_text near = wm_workspace_near_role(lint->run->workspace, operand->string);
  wm_findings_add(lint->run->findings, WM_WARNING, WM_E_ROLE_UNKNOWN, lint->file, test->line, test->column,
                  "role '%.*s' is not in the catalogue, so nobody has it%s%.*s%s", WM_TEXT_ARG(operand->string),
                  near.bytes ? ", did you mean '" : "", WM_TEXT_ARG(near), near.bytes ? "'" : "");
}

static void check_roles(const struct lint *lint, const struct wm_test *test) {
  if (!is_for_lists(test))
    return;
  if (test->operand.type != WM_LIST)
    check_role(lint, test, &test->operand);
  for (size_t i = 0; test->operand.type == WM_LIST && i < test->operand.list.count; i++)
    check_role(lint, test, &test->operand.list.items[i]);
}

static void check_field(const struct lint *lint, const struct wm_condition *field) {
  enum shape shape = shape_of(&field->path);
  for (size_t i = 0; i < field->test_count; i++) {
    const struct wm_test *test = &field->tests[i];
    if (is_present(test))
      continue;
    if (shape == SHAPE_TEXTS)
      check_list(lint, &field->path, test);
    else if (shape == SHAPE_TEXT)
      check_text(lint, &field->path, test);
    if (field->path.root == WM_PATH_USER_ROLES)
      check_roles(lint, test);
  }
}

void lint_fields(const struct lint *lint, const struct wm_condition *condition) {
  if (condition->kind == WM_FIELD)
    check_field(lint, condition);
  for (size_t i = 0; i < condition->count; i++)
    lint_fields(lint, &condition->children[i]);
}

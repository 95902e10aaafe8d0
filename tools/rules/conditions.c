#include "tools/rules/conditions.h"

#include <stdio.h>

#include "tools/lib/table.h"

#define VALUE_LIMIT 120 /* bytes of a found value that people see */

static const char *const answers[] = {[WM_NO] = "no", [WM_UNKNOWN] = "cannot tell", [WM_YES] = "yes"};
static const enum style answer_styles[] = {[WM_NO] = STYLE_BAD, [WM_UNKNOWN] = STYLE_WARN, [WM_YES] = STYLE_GOOD};

void conditions_value(const struct wm_value *value, struct wm_buf *buf) {
  size_t before = buf->size;
  wm_value_to_json(value, buf);
  if (buf->failed || buf->size - before <= VALUE_LIMIT)
    return;
  size_t size = before + VALUE_LIMIT;
  while (size > before && ((unsigned char)buf->bytes[size] & 0xc0) == 0x80)
    size--;
  buf->size = size;
  wm_buf_add_string(buf, "…");
}

/* Without an event nothing can be said about what asks for one, nor without a user about him. */
static bool is_askable(const struct wm_condition *condition, const struct wm_scope *scope) {
  if (scope->event)
    return true;
  if (condition->kind == WM_FIELD)
    return scope->user && wm_path_is_user(&condition->path);
  for (size_t i = 0; i < condition->count; i++)
    if (!is_askable(&condition->children[i], scope))
      return false;
  return true;
}

/* All of one thing is that thing. */
static const struct wm_condition *unwrapped(const struct wm_condition *condition) {
  while (condition->kind == WM_ALL && condition->count == 1)
    condition = &condition->children[0];
  return condition;
}

/* --- as a sentence --- */

static void add_tests(const struct wm_condition *condition, struct wm_buf *buf) {
  for (size_t i = 0; i < condition->test_count; i++) {
    const struct wm_test *test = &condition->tests[i];
    wm_buf_printf(buf, "%s%.*s %s ", i ? " and " : "", WM_TEXT_ARG(condition->path.written), test->operator->name);
    conditions_value(&test->operand, buf);
  }
}

static void add_text(const struct wm_condition *condition, bool inside, struct wm_buf *buf) {
  condition = unwrapped(condition);
  bool many = condition->kind == WM_FIELD ? condition->test_count > 1 : condition->count > 1;
  bool braces = inside && many && condition->kind != WM_NOT;
  const char *between = condition->kind == WM_ANY ? " or " : " and ";
  wm_buf_add_string(buf, braces ? "(" : condition->kind == WM_NOT ? "not " : "");
  if (condition->kind == WM_FIELD)
    add_tests(condition, buf);
  for (size_t i = 0; i < condition->count; i++) {
    wm_buf_add_string(buf, i ? between : "");
    add_text(&condition->children[i], true, buf);
  }
  wm_buf_add_string(buf, braces ? ")" : "");
}

void conditions_text(const struct wm_condition *condition, struct wm_buf *buf) {
  if (condition->kind == WM_ALL && condition->count == 0)
    wm_buf_add_string(buf, "always");
  else
    add_text(condition, false, buf);
}

/* --- as a tree --- */

/* What stands at the path, in words. */
static void add_found(const struct wm_value *value, enum wm_answer answer, struct wm_buf *buf) {
  if (!value) {
    wm_buf_add_string(buf, "it is absent");
    return;
  }
  wm_buf_add_string(buf, "found ");
  conditions_value(value, buf);
  if (answer == WM_UNKNOWN && value->type != WM_NULL)
    wm_buf_add_string(buf, ", which can't be compared");
}

/* Where an event is asked, the answer stands before each line; where none is there yet, most lines have none, and it
 * stands behind. */
static void print_answer(size_t indent, const struct wm_scope *scope, enum wm_answer answer) {
  printf("%*s", (int)indent, "");
  if (!scope->event)
    return;
  style_print(stdout, answer_styles[answer], "%s", answers[answer]);
  printf("%*s", (int)(13 - strlen(answers[answer])), "");
}

static void print_note(const struct wm_scope *scope, enum wm_answer answer, const char *found) {
  style_print(stdout, STYLE_DIM, "  (");
  if (!scope->event) {
    style_print(stdout, STYLE_DIM, "now ");
    style_print(stdout, answer_styles[answer], "%s", answers[answer]);
    style_print(stdout, STYLE_DIM, "%s", *found ? ": " : "");
  }
  style_print(stdout, STYLE_DIM, "%s)", found);
}

static void print_test(const struct wm_condition *condition, const struct wm_test *test, const struct wm_scope *scope,
                       size_t indent) {
  const struct wm_value *value = wm_path_get(&condition->path, scope);
  enum wm_answer answer = wm_test_answer(test, value, scope->now_us);
  struct wm_buf operand = WM_BUF_INIT, found = WM_BUF_INIT;
  conditions_value(&test->operand, &operand);
  add_found(value, answer, &found);
  print_answer(indent, scope, answer);
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(condition->path.written));
  style_print(stdout, STYLE_PLAIN, " %s %s", test->operator->name, operand.bytes ? operand.bytes : "");
  if (is_askable(condition, scope))
    print_note(scope, answer, found.bytes ? found.bytes : "");
  putchar('\n');
  wm_buf_release(&operand);
  wm_buf_release(&found);
}

/* The tree, not deeper than the workspace's 32. */
static void print_condition(const struct wm_condition *condition, const struct wm_scope *scope, size_t indent) {
  static const char *const names[] = {[WM_ALL] = "all of", [WM_ANY] = "any of", [WM_NOT] = "not"};
  condition = unwrapped(condition);
  if (condition->kind == WM_FIELD) {
    for (size_t i = 0; i < condition->test_count; i++)
      print_test(condition, &condition->tests[i], scope, indent);
    return;
  }
  enum wm_answer answer = wm_condition_answer(condition, scope);
  print_answer(indent, scope, answer);
  fputs(names[condition->kind], stdout);
  if (!scope->event && is_askable(condition, scope))
    print_note(scope, answer, "");
  putchar('\n');
  for (size_t i = 0; i < condition->count; i++)
    print_condition(&condition->children[i], scope, indent + 2);
}

void conditions_print(const struct wm_condition *when, const struct wm_scope *scope, size_t indent) {
  if (when->kind != WM_ALL) {
    print_condition(when, scope, indent);
    return;
  }
  for (size_t i = 0; i < when->count; i++)
    print_condition(&when->children[i], scope, indent);
}

/* --- as JSON --- */

static void add_answer(const struct wm_condition *condition, const struct wm_scope *scope, struct wm_buf *buf) {
  if (is_askable(condition, scope))
    wm_buf_printf(buf, "\"answer\":\"%s\",", answers[wm_condition_answer(condition, scope)]);
}

static void add_json_tests(const struct wm_condition *condition, const struct wm_scope *scope,
                           const struct wm_value *value, struct wm_buf *buf) {
  wm_buf_add_string(buf, ",\"tests\":[");
  for (size_t i = 0; i < condition->test_count; i++) {
    const struct wm_test *test = &condition->tests[i];
    wm_buf_printf(buf, "%s{\"operator\":\"%s\",\"operand\":", i ? "," : "", test->operator->name);
    wm_value_to_json(&test->operand, buf);
    if (is_askable(condition, scope))
      wm_buf_printf(buf, ",\"answer\":\"%s\"", answers[wm_test_answer(test, value, scope->now_us)]);
    wm_buf_add_char(buf, '}');
  }
  wm_buf_add_char(buf, ']');
}

void conditions_to_json(const struct wm_condition *condition, const struct wm_scope *scope, struct wm_buf *buf) {
  static const char *const names[] = {[WM_ALL] = "all", [WM_ANY] = "any", [WM_NOT] = "not"};
  wm_buf_add_char(buf, '{');
  add_answer(condition, scope, buf);
  if (condition->kind != WM_FIELD) {
    wm_buf_printf(buf, "\"%s\":[", names[condition->kind]);
    for (size_t i = 0; i < condition->count; i++) {
      wm_buf_add_string(buf, i ? "," : "");
      conditions_to_json(&condition->children[i], scope, buf);
    }
    wm_buf_add_string(buf, "]}");
    return;
  }
  const struct wm_value *value = wm_path_get(&condition->path, scope);
  wm_buf_add_string(buf, "\"path\":");
  wm_buf_add_json(buf, condition->path.written);
  if (value) {
    wm_buf_add_string(buf, ",\"found\":");
    wm_value_to_json(value, buf);
  }
  add_json_tests(condition, scope, value, buf);
  wm_buf_add_char(buf, '}');
}

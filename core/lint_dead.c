/* Conditions that never hold because two of their tests exclude each other. Only what is certain is reported: the
 * tests that must all hold, taken two by two. */
#include "core/lint.h"

void lint_collect(const struct wm_condition *condition, struct lint_musts *ret) {
  for (size_t i = 0; condition->kind == WM_FIELD && i < condition->test_count; i++)
    if (ret->count < LINT_MUSTS_LIMIT)
      ret->items[ret->count++] = (struct lint_must){&condition->path, &condition->tests[i]};
  for (size_t i = 0; condition->kind == WM_ALL && i < condition->count; i++)
    lint_collect(&condition->children[i], ret);
}

static bool is(const struct wm_test *test, const char *name) {
  return strcmp(test->operator->name, name) == 0;
}

static bool lists_values(const struct wm_test *test) {
  return is(test, "is") || is(test, "in");
}

/* What a value must be for the operator to tell anything. */
enum needs { NEEDS_ANYTHING, NEEDS_NUMBER, NEEDS_TEXT, NEEDS_LIST };

static enum needs needs_of(const struct wm_test *test) {
  switch (test->operator->operand) {
  case WM_OPERAND_NUMBER:
    return NEEDS_NUMBER;
  case WM_OPERAND_STRING:
  case WM_OPERAND_MOMENT:
  case WM_OPERAND_DURATION:
    return NEEDS_TEXT;
  case WM_OPERAND_SCALAR:
  case WM_OPERAND_SCALARS:
    return wm_text_starts_with(wm_text_of(test->operator->name), WM_TEXT("has")) ? NEEDS_LIST : NEEDS_ANYTHING;
  case WM_OPERAND_BOOLEAN:
    return NEEDS_ANYTHING;
  }
  return NEEDS_ANYTHING;
}

/* Does none of the values that 'values' (is, in) allows pass 'test'? */
static bool excludes_all(const struct wm_test *values, const struct wm_test *test) {
  const struct wm_value *items = is(values, "in") ? values->operand.list.items : &values->operand;
  size_t count = is(values, "in") ? values->operand.list.count : 1;
  if (test->operator->operand == WM_OPERAND_DURATION) /* goes by the time of the event */
    return false;
  for (size_t i = 0; i < count; i++)
    if (wm_test_answer(test, &items[i], 0) == WM_YES)
      return false;
  return true;
}

static bool exclude_numbers(const struct wm_test *low, const struct wm_test *high) {
  bool lower = is(low, "above") || is(low, "at-least"), upper = is(high, "below") || is(high, "at-most");
  if (!lower || !upper)
    return false;
  int order = wm_value_compare_numbers(&low->operand, &high->operand);
  return order > 0 || (order == 0 && (is(low, "above") || is(high, "below")));
}

static bool exclude_moments(const struct wm_test *after, const struct wm_test *before) {
  return is(after, "after") && is(before, "before") && after->operand_us >= before->operand_us;
}

static bool exclude_ages(const struct wm_test *older, const struct wm_test *within) {
  return is(older, "older-than") && is(within, "within") && older->operand_us >= within->operand_us;
}

static bool has_item(const struct wm_value *list, const struct wm_value *item) {
  for (size_t i = 0; i < list->list.count; i++)
    if (wm_value_equal(&list->list.items[i], item))
      return true;
  return false;
}

static bool exclude_lists(const struct wm_test *with, const struct wm_test *without) {
  if (!is(without, "has-none"))
    return false;
  if (is(with, "has"))
    return has_item(&without->operand, &with->operand);
  size_t had = 0;
  if (!is(with, "has-all") && !is(with, "has-any"))
    return false;
  for (size_t i = 0; i < with->operand.list.count; i++)
    had += has_item(&without->operand, &with->operand.list.items[i]);
  return is(with, "has-all") ? had > 0 : had == with->operand.list.count;
}

static bool exclude_presence(const struct wm_test *absent, const struct wm_test *other) {
  return is(absent, "present") && !absent->operand.boolean && !(is(other, "present") && !other->operand.boolean);
}

bool lint_exclude(const struct wm_test *a, const struct wm_test *b) {
  if (exclude_presence(a, b) || exclude_presence(b, a))
    return true;
  if (is(a, "present") || is(b, "present"))
    return false;
  if (lists_values(a) || lists_values(b))
    return lists_values(a) ? excludes_all(a, b) : excludes_all(b, a);
  enum needs first = needs_of(a), second = needs_of(b);
  if (first != second && first != NEEDS_ANYTHING && second != NEEDS_ANYTHING)
    return true;
  return exclude_numbers(a, b) || exclude_numbers(b, a) || exclude_moments(a, b) || exclude_moments(b, a) ||
         exclude_ages(a, b) || exclude_ages(b, a) || exclude_lists(a, b) || exclude_lists(b, a);
}

bool lint_contradiction(const struct lint_musts *a, const struct lint_musts *b, const struct lint_must **ret_first,
                        const struct lint_must **ret_second) {
  for (size_t i = 0; i < a->count; i++) {
    for (size_t j = a == b ? i + 1 : 0; j < b->count; j++) {
      const struct lint_must *first = &a->items[i], *second = &b->items[j];
      if (!wm_path_equal(first->path, second->path) || !lint_exclude(first->test, second->test))
        continue;
      *ret_first = first;
      *ret_second = second;
      return true;
    }
  }
  return false;
}

void lint_dead(const struct lint *lint, const struct wm_condition *condition) {
  const struct lint_must *first, *second;
  struct lint_musts musts = {.count = 0};
  lint_collect(condition, &musts);
  if (!lint_contradiction(&musts, &musts, &first, &second))
    return;
  wm_findings_add(lint->findings, WM_WARNING, WM_E_DEAD_RULE, lint->file, second->test->line, second->test->column,
                  "'%s' and '%s' in line %u can't both hold for '%.*s', so %s '%.*s' is never %s",
                  second->test->operator->name, first->test->operator->name, first->test->line,
                  WM_TEXT_ARG(second->path->written), lint->what, WM_TEXT_ARG(lint->name),
                  strcmp(lint->what, "role") == 0 ? "given by this criterion" : "run");
}

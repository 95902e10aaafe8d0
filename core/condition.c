#include "core/condition.h"

#include "core/moment.h"

/* no < cannot tell < yes: so 'all' is the least of its answers, and 'any' the greatest. */
_Static_assert(WM_NO < WM_UNKNOWN && WM_UNKNOWN < WM_YES, "the order that 'all' and 'any' rely on");

static enum wm_answer answer_all(const struct wm_condition *condition, const struct wm_scope *scope) {
  enum wm_answer least = WM_YES;
  for (size_t i = 0; i < condition->count && least != WM_NO; i++) {
    enum wm_answer answer = wm_condition_answer(&condition->children[i], scope);
    if (answer < least)
      least = answer;
  }
  return least;
}

static enum wm_answer answer_any(const struct wm_condition *condition, const struct wm_scope *scope) {
  enum wm_answer greatest = WM_NO;
  for (size_t i = 0; i < condition->count && greatest != WM_YES; i++) {
    enum wm_answer answer = wm_condition_answer(&condition->children[i], scope);
    if (answer > greatest)
      greatest = answer;
  }
  return greatest;
}

static enum wm_answer answer_field(const struct wm_condition *condition, const struct wm_scope *scope) {
  const struct wm_value *value = wm_path_get(&condition->path, scope);
  enum wm_answer least = WM_YES;
  for (size_t i = 0; i < condition->test_count && least != WM_NO; i++) {
    enum wm_answer answer = wm_test_answer(&condition->tests[i], value, scope->now_us);
    if (answer < least)
      least = answer;
  }
  return least;
}

enum wm_answer wm_condition_answer(const struct wm_condition *condition, const struct wm_scope *scope) {
  switch (condition->kind) {
  case WM_ALL:
    return answer_all(condition, scope);
  case WM_ANY:
    return answer_any(condition, scope);
  case WM_NOT:
    return (enum wm_answer)(WM_YES - wm_condition_answer(&condition->children[0], scope));
  case WM_FIELD:
    return answer_field(condition, scope);
  }
  return WM_UNKNOWN;
}

bool wm_condition_reads_user(const struct wm_condition *condition) {
  if (condition->kind == WM_FIELD)
    return wm_path_is_user(&condition->path);
  for (size_t i = 0; i < condition->count; i++)
    if (wm_condition_reads_user(&condition->children[i]))
      return true;
  return false;
}

/* 'within' and 'older-than' are the operators that look at the clock, and they take durations. */
static bool goes_by_time(const struct wm_test *test) {
  return test->operator->operand == WM_OPERAND_DURATION;
}

bool wm_condition_goes_by_time(const struct wm_condition *condition) {
  for (size_t i = 0; i < condition->test_count; i++)
    if (goes_by_time(&condition->tests[i]))
      return true;
  for (size_t i = 0; i < condition->count; i++)
    if (wm_condition_goes_by_time(&condition->children[i]))
      return true;
  return false;
}

/* A time is within a duration up to its last microsecond; the next one turns it. */
static int64_t test_turn(const struct wm_test *test, const struct wm_value *value) {
  int64_t us, last_us;
  if (!goes_by_time(test) || !value || value->type != WM_STRING || !wm_moment_parse(value->string, &us) ||
      __builtin_add_overflow(us, test->operand_us, &last_us) || last_us == INT64_MAX)
    return INT64_MAX;
  return last_us + 1;
}

int64_t wm_condition_next_turn(const struct wm_condition *condition, const struct wm_scope *scope) {
  int64_t next_us = INT64_MAX, turn_us;
  const struct wm_value *value = condition->test_count > 0 ? wm_path_get(&condition->path, scope) : NULL;
  for (size_t i = 0; i < condition->test_count; i++)
    if ((turn_us = test_turn(&condition->tests[i], value)) > scope->now_us && turn_us < next_us)
      next_us = turn_us;
  for (size_t i = 0; i < condition->count; i++)
    if ((turn_us = wm_condition_next_turn(&condition->children[i], scope)) < next_us)
      next_us = turn_us;
  return next_us;
}

/* The operator that takes what this one was given: a list where it takes one value, or the other way round. */
static const struct {
  const char *one, *many;
} counterparts[] = {{"is", "in"}, {"is-not", "not-in"}, {"has", "has-any"}, {"has", "has-all"}};

static const char *counterpart(const char *name, bool many) {
  for (size_t i = 0; i < sizeof(counterparts) / sizeof(counterparts[0]); i++)
    if (strcmp(many ? counterparts[i].one : counterparts[i].many, name) == 0)
      return many ? counterparts[i].many : counterparts[i].one;
  return NULL;
}

static int wrong(const struct wm_test *test, struct wm_error *error, const char *needs, const char *instead) {
  return wm_error_set(error, WM_E_OPERAND_INVALID, "'%s' needs %s%s%s%s", test->operator->name, needs,
                      instead ? ", did you mean '" : "", instead ? instead : "", instead ? "'" : "");
}

static int refuse_null(const struct wm_test *test, struct wm_error *error) {
  bool negative = strcmp(test->operator->name, "is-not") == 0;
  return wm_error_set(error, WM_E_OPERAND_INVALID, "'%s' can't compare with null, did you mean 'present: %s'",
                      test->operator->name, negative ? "true" : "false");
}

/* Infinite numbers and such that are none can't be compared; NaN - NaN is not 0, nor is infinity - infinity. */
static bool is_finite(const struct wm_value *value) {
  return value->type != WM_REAL || value->real - value->real == 0;
}

static int check_scalar(const struct wm_test *test, struct wm_error *error) {
  if (test->operand.type == WM_LIST)
    return wrong(test, error, "one value, not a list", counterpart(test->operator->name, true));
  if (!wm_value_is_scalar(&test->operand))
    return wrong(test, error, "one text, number or boolean", NULL);
  return is_finite(&test->operand) ? 0 : wrong(test, error, "a finite number", NULL);
}

static int check_scalars(const struct wm_test *test, struct wm_error *error) {
  if (wm_value_is_scalar(&test->operand))
    return wrong(test, error, "a list", counterpart(test->operator->name, false));
  if (test->operand.type != WM_LIST)
    return wrong(test, error, "a list of texts, numbers or booleans", NULL);
  if (test->operand.list.count == 0)
    return wrong(test, error, "a list with something in it", NULL);
  for (size_t i = 0; i < test->operand.list.count; i++) {
    const struct wm_value *item = &test->operand.list.items[i];
    if (item->type == WM_NULL)
      return wrong(test, error, "a list without null", NULL);
    if (!wm_value_is_scalar(item) || !is_finite(item))
      return wrong(test, error, "a list of texts, finite numbers or booleans", NULL);
  }
  return 0;
}

static int check_string(const struct wm_test *test, struct wm_error *error) {
  if (test->operand.type == WM_STRING)
    return 0;
  return wrong(test, error, wm_value_is_scalar(&test->operand) ? "a text, put it in quotes" : "a text", NULL);
}

int wm_test_check(struct wm_test *test, struct wm_error *error) {
  const struct wm_value *operand = &test->operand;
  if (operand->type == WM_NULL)
    return refuse_null(test, error);
  switch (test->operator->operand) {
  case WM_OPERAND_SCALAR:
    return check_scalar(test, error);
  case WM_OPERAND_SCALARS:
    return check_scalars(test, error);
  case WM_OPERAND_NUMBER:
    return wm_value_is_number(operand) && is_finite(operand) ? 0 : wrong(test, error, "a number", NULL);
  case WM_OPERAND_MOMENT:
    if (operand->type == WM_STRING && wm_moment_parse(operand->string, &test->operand_us))
      return 0;
    return wrong(test, error, "a time such as '2026-11-21T10:00:00Z'", NULL);
  case WM_OPERAND_DURATION:
    if (operand->type == WM_STRING && wm_duration_parse(operand->string, &test->operand_us))
      return 0;
    return wrong(test, error, "a duration such as '30d' (s m h d w), at most 36500d", NULL);
  case WM_OPERAND_STRING:
    return check_string(test, error);
  case WM_OPERAND_BOOLEAN:
    return operand->type == WM_BOOLEAN ? 0 : wrong(test, error, "true or false", NULL);
  }
  return wrong(test, error, "another operand", NULL);
}

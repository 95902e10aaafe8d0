/* The operators of the condition language: one function and one row each. */
#include "core/condition.h"
#include "core/moment.h"

static enum wm_answer yes_if(bool holds) {
  return holds ? WM_YES : WM_NO;
}

/* Yes and no swap, cannot tell stays. */
static enum wm_answer swap(enum wm_answer answer) {
  return (enum wm_answer)(WM_YES - answer);
}

static enum wm_answer answer_is(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  (void)now_us;
  if (!wm_value_same_kind(value, &test->operand))
    return WM_UNKNOWN;
  return yes_if(wm_value_equal(value, &test->operand));
}

static enum wm_answer answer_is_not(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  return swap(answer_is(value, test, now_us));
}

static enum wm_answer answer_in(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  (void)now_us;
  enum wm_answer answer = WM_UNKNOWN;
  for (size_t i = 0; i < test->operand.list.count; i++) {
    const struct wm_value *item = &test->operand.list.items[i];
    if (!wm_value_same_kind(value, item))
      continue;
    if (wm_value_equal(value, item))
      return WM_YES;
    answer = WM_NO;
  }
  return answer;
}

static enum wm_answer answer_not_in(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  return swap(answer_in(value, test, now_us));
}

#define NUMBER_OPERATOR(function, relation)                                                                            \
  static enum wm_answer function(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {           \
    (void)now_us;                                                                                                      \
    if (!wm_value_is_number(value))                                                                                    \
      return WM_UNKNOWN;                                                                                               \
    return yes_if(wm_value_compare_numbers(value, &test->operand) relation 0);                                         \
  }
NUMBER_OPERATOR(answer_above, >)
NUMBER_OPERATOR(answer_at_least, >=)
NUMBER_OPERATOR(answer_below, <)
NUMBER_OPERATOR(answer_at_most, <=)
#undef NUMBER_OPERATOR

static bool moment_of(const struct wm_value *value, int64_t *ret_us) {
  return value->type == WM_STRING && wm_moment_parse(value->string, ret_us);
}

static enum wm_answer answer_before(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  (void)now_us;
  int64_t us;
  return moment_of(value, &us) ? yes_if(us < test->operand_us) : WM_UNKNOWN;
}

static enum wm_answer answer_after(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  (void)now_us;
  int64_t us;
  return moment_of(value, &us) ? yes_if(us > test->operand_us) : WM_UNKNOWN;
}

static enum wm_answer answer_within(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  int64_t us, since;
  if (!moment_of(value, &us))
    return WM_UNKNOWN;
  if (__builtin_sub_overflow(now_us, test->operand_us, &since)) /* a clock gone mad: before all times */
    return WM_YES;
  return yes_if(us >= since);
}

static enum wm_answer answer_older_than(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  return swap(answer_within(value, test, now_us));
}

#define STRING_OPERATOR(function, holds)                                                                               \
  static enum wm_answer function(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {           \
    (void)now_us;                                                                                                      \
    return value->type == WM_STRING ? yes_if(holds(value->string, test->operand.string)) : WM_UNKNOWN;                 \
  }
STRING_OPERATOR(answer_starts_with, wm_text_starts_with)
STRING_OPERATOR(answer_ends_with, wm_text_ends_with)
STRING_OPERATOR(answer_contains, wm_text_contains)
STRING_OPERATOR(answer_glob, wm_text_glob)
#undef STRING_OPERATOR

/* A list with anything but scalars in it is another type. */
static bool is_list_of_scalars(const struct wm_value *value) {
  if (value->type != WM_LIST)
    return false;
  for (size_t i = 0; i < value->list.count; i++)
    if (!wm_value_is_scalar(&value->list.items[i]))
      return false;
  return true;
}

static bool list_has(const struct wm_value *list, const struct wm_value *scalar) {
  for (size_t i = 0; i < list->list.count; i++)
    if (wm_value_equal(&list->list.items[i], scalar))
      return true;
  return false;
}

static size_t count_had(const struct wm_value *list, const struct wm_value *operands) {
  size_t count = 0;
  for (size_t i = 0; i < operands->list.count; i++)
    count += list_has(list, &operands->list.items[i]);
  return count;
}

static enum wm_answer answer_has(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  (void)now_us;
  return is_list_of_scalars(value) ? yes_if(list_has(value, &test->operand)) : WM_UNKNOWN;
}

static enum wm_answer answer_has_any(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  (void)now_us;
  return is_list_of_scalars(value) ? yes_if(count_had(value, &test->operand) > 0) : WM_UNKNOWN;
}

static enum wm_answer answer_has_all(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  (void)now_us;
  if (!is_list_of_scalars(value))
    return WM_UNKNOWN;
  return yes_if(count_had(value, &test->operand) == test->operand.list.count);
}

static enum wm_answer answer_has_none(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  return swap(answer_has_any(value, test, now_us));
}

static enum wm_answer answer_present(const struct wm_value *value, const struct wm_test *test, int64_t now_us) {
  (void)now_us;
  bool present = value && value->type != WM_NULL;
  return yes_if(present == test->operand.boolean);
}

const struct wm_operator wm_operators[] = {
    {"is", WM_OPERAND_SCALAR, "equal to", answer_is},
    {"is-not", WM_OPERAND_SCALAR, "not equal to", answer_is_not},
    {"in", WM_OPERAND_SCALARS, "equal to one of", answer_in},
    {"not-in", WM_OPERAND_SCALARS, "equal to none of", answer_not_in},
    {"above", WM_OPERAND_NUMBER, "a number greater than", answer_above},
    {"at-least", WM_OPERAND_NUMBER, "a number not less than", answer_at_least},
    {"below", WM_OPERAND_NUMBER, "a number less than", answer_below},
    {"at-most", WM_OPERAND_NUMBER, "a number not greater than", answer_at_most},
    {"before", WM_OPERAND_MOMENT, "a time before", answer_before},
    {"after", WM_OPERAND_MOMENT, "a time after", answer_after},
    {"within", WM_OPERAND_DURATION, "a time at most this long before now, or after now", answer_within},
    {"older-than", WM_OPERAND_DURATION, "a time more than this long before now", answer_older_than},
    {"starts-with", WM_OPERAND_STRING, "a text that starts with", answer_starts_with},
    {"ends-with", WM_OPERAND_STRING, "a text that ends with", answer_ends_with},
    {"contains", WM_OPERAND_STRING, "a text with this in it", answer_contains},
    {"glob", WM_OPERAND_STRING, "a text like this, '*' is any run and '?' one character", answer_glob},
    {"has", WM_OPERAND_SCALAR, "a list with this in it", answer_has},
    {"has-any", WM_OPERAND_SCALARS, "a list with one of these in it", answer_has_any},
    {"has-all", WM_OPERAND_SCALARS, "a list with all of these in it", answer_has_all},
    {"has-none", WM_OPERAND_SCALARS, "a list with none of these in it", answer_has_none},
    {"present", WM_OPERAND_BOOLEAN, "there and not null (true), or absent or null (false)", answer_present},
    {NULL, WM_OPERAND_SCALAR, NULL, NULL},
};

const struct wm_operator *wm_operator_find(struct wm_text name) {
  for (const struct wm_operator *row = wm_operators; row->name; row++)
    if (wm_text_is(name, row->name))
      return row;
  return NULL;
}

enum wm_answer wm_test_answer(const struct wm_test *test, const struct wm_value *value, int64_t now_us) {
  bool missing = !value || value->type == WM_NULL;
  if (missing && test->operator->answer != answer_present)
    return WM_UNKNOWN;
  return test->operator->answer(value, test, now_us);
}

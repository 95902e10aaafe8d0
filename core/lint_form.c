/* What tests ask of one value, and when no value can give it to them. Everything here errs on one side: what is called
 * impossible is impossible. */
#include "core/lint_solve.h"

static const struct {
  const char *name;
  enum lint_form yes, no;
} forms[] = {
    {"is", LINT_IN, LINT_NOT_IN},
    {"is-not", LINT_NOT_IN, LINT_IN},
    {"in", LINT_IN, LINT_NOT_IN},
    {"not-in", LINT_NOT_IN, LINT_IN},
    {"above", LINT_ABOVE, LINT_AT_MOST},
    {"at-least", LINT_AT_LEAST, LINT_BELOW},
    {"below", LINT_BELOW, LINT_AT_LEAST},
    {"at-most", LINT_AT_MOST, LINT_ABOVE},
    {"before", LINT_BEFORE, LINT_NOT_BEFORE},
    {"after", LINT_AFTER, LINT_NOT_AFTER},
    {"within", LINT_WITHIN, LINT_OLDER},
    {"older-than", LINT_OLDER, LINT_WITHIN},
    {"starts-with", LINT_STARTS, LINT_NOT_STARTS},
    {"ends-with", LINT_ENDS, LINT_NOT_ENDS},
    {"contains", LINT_CONTAINS, LINT_NOT_CONTAINS},
    {"glob", LINT_GLOB, LINT_NOT_GLOB},
    {"has", LINT_HAS_ALL, LINT_HAS_NONE},
    {"has-any", LINT_HAS_ANY, LINT_HAS_NONE},
    {"has-all", LINT_HAS_ALL, LINT_NOT_HAS_ALL},
    {"has-none", LINT_HAS_NONE, LINT_HAS_ANY},
};

enum lint_form lint_form_of(const struct lint_literal *literal) {
  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
    if (strcmp(forms[i].name, literal->test->operator->name) == 0)
      return literal->holds ? forms[i].yes : forms[i].no;
  return literal->test->operand.boolean == literal->holds ? LINT_PRESENT : LINT_ABSENT;
}

const struct wm_value *lint_operands(const struct lint_literal *literal, size_t *ret_count) {
  const struct wm_value *operand = &literal->test->operand;
  *ret_count = operand->type == WM_LIST ? operand->list.count : 1;
  return operand->type == WM_LIST ? operand->list.items : operand;
}

static unsigned kind_of(const struct wm_value *value) {
  switch (value->type) {
  case WM_NULL:
    return LINT_MISSING;
  case WM_BOOLEAN:
    return LINT_BOOLEAN;
  case WM_INTEGER:
  case WM_REAL:
    return LINT_NUMBER;
  case WM_STRING:
    return LINT_STRING;
  case WM_LIST:
    return LINT_LIST;
  case WM_OBJECT:
    return LINT_OBJECT;
  }
  return LINT_ANY_KIND;
}

unsigned lint_kinds(const struct lint_literal *literal) {
  enum lint_form form = lint_form_of(literal);
  if (form == LINT_ABSENT)
    return LINT_MISSING;
  if (form == LINT_PRESENT)
    return LINT_ANY_KIND & ~(unsigned)LINT_MISSING;
  if (form >= LINT_HAS_ANY)
    return LINT_LIST;
  if (form >= LINT_BEFORE)
    return LINT_STRING;
  if (form >= LINT_ABOVE)
    return LINT_NUMBER;
  size_t count;
  const struct wm_value *operands = lint_operands(literal, &count);
  unsigned kinds = 0;
  for (size_t i = 0; i < count; i++)
    kinds |= kind_of(&operands[i]);
  return kinds;
}

bool lint_passes(const struct lint_literal *literal, const struct wm_value *value, int64_t now_us) {
  return wm_test_answer(literal->test, value, now_us) == (literal->holds ? WM_YES : WM_NO);
}

static bool goes_by_now(const struct lint_literal *literal) {
  return literal->test->operator->operand == WM_OPERAND_DURATION;
}

/* Could the value satisfy them all at some time? Tests that go by the time of the event are let pass. */
static bool may_be(const struct wm_value *value, const struct lint_literal *const *literals, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!goes_by_now(literals[i]) && !lint_passes(literals[i], value, 0))
      return false;
  return true;
}

/* Where one literal leaves a few values only, is one of them right for all? */
static bool fit_values(const struct lint_literal *const *literals, size_t count) {
  for (size_t i = 0; i < count; i++) {
    size_t operands, at = 0;
    if (lint_form_of(literals[i]) != LINT_IN)
      continue;
    const struct wm_value *values = lint_operands(literals[i], &operands);
    while (at < operands && !may_be(&values[at], literals, count))
      at++;
    return at < operands;
  }
  return true;
}

static bool fit_booleans(const struct lint_literal *const *literals, size_t count) {
  const struct wm_value yes = {.type = WM_BOOLEAN, .boolean = true}, no = {.type = WM_BOOLEAN, .boolean = false};
  return may_be(&yes, literals, count) || may_be(&no, literals, count);
}

static bool fit_numbers(const struct lint_literal *const *literals, size_t count) {
  const struct wm_value *low = NULL, *high = NULL;
  bool open_low = false, open_high = false;
  for (size_t i = 0; i < count; i++) {
    enum lint_form form = lint_form_of(literals[i]);
    const struct wm_value *operand = &literals[i]->test->operand;
    if (form == LINT_ABOVE || form == LINT_AT_LEAST) {
      int order = low ? wm_value_compare_numbers(operand, low) : 1;
      open_low = order > 0 ? form == LINT_ABOVE : open_low || (order == 0 && form == LINT_ABOVE);
      low = order > 0 ? operand : low;
    } else if (form == LINT_BELOW || form == LINT_AT_MOST) {
      int order = high ? wm_value_compare_numbers(operand, high) : -1;
      open_high = order < 0 ? form == LINT_BELOW : open_high || (order == 0 && form == LINT_BELOW);
      high = order < 0 ? operand : high;
    }
  }
  if (!low || !high)
    return true;
  int order = wm_value_compare_numbers(low, high);
  if (order != 0)
    return order < 0;
  return !open_low && !open_high && may_be(low, literals, count);
}

static bool fit_moments(const struct lint_literal *const *literals, size_t count) {
  int64_t low = INT64_MIN, high = INT64_MAX, youngest = INT64_MIN, oldest = INT64_MAX;
  for (size_t i = 0; i < count; i++) {
    int64_t us = literals[i]->test->operand_us;
    enum lint_form form = lint_form_of(literals[i]);
    if (form == LINT_AFTER && us >= low)
      low = us < INT64_MAX ? us + 1 : us;
    if (form == LINT_NOT_BEFORE && us > low)
      low = us;
    if (form == LINT_BEFORE && us <= high)
      high = us > INT64_MIN ? us - 1 : us;
    if (form == LINT_NOT_AFTER && us < high)
      high = us;
    if (form == LINT_WITHIN && us < oldest)
      oldest = us; /* age at most this */
    if (form == LINT_OLDER && us > youngest)
      youngest = us; /* age more than this */
  }
  return low <= high && oldest > youngest;
}

/* --- texts --- */

/* What the text begins with for sure. */
static struct wm_text head_of(const struct lint_literal *literal) {
  struct wm_text text = literal->test->operand.string;
  enum lint_form form = lint_form_of(literal);
  if (form == LINT_STARTS)
    return text;
  if (form != LINT_GLOB)
    return WM_TEXT("");
  size_t size = 0;
  while (size < text.size && text.bytes[size] != '*' && text.bytes[size] != '?')
    size++;
  return (struct wm_text){text.bytes, size};
}

/* What it ends with for sure. */
static struct wm_text tail_of(const struct lint_literal *literal) {
  struct wm_text text = literal->test->operand.string;
  enum lint_form form = lint_form_of(literal);
  if (form == LINT_ENDS)
    return text;
  if (form != LINT_GLOB)
    return WM_TEXT("");
  size_t begin = text.size;
  while (begin > 0 && text.bytes[begin - 1] != '*' && text.bytes[begin - 1] != '?')
    begin--;
  return (struct wm_text){text.bytes + begin, text.size - begin};
}

static bool fit_positive_texts(const struct lint_literal *a, const struct lint_literal *b) {
  struct wm_text head = head_of(a), other = head_of(b), tail = tail_of(a), end = tail_of(b);
  return (wm_text_starts_with(head, other) || wm_text_starts_with(other, head)) &&
         (wm_text_ends_with(tail, end) || wm_text_ends_with(end, tail));
}

/* Does 'a' promise what 'b' forbids? */
static bool breaks(const struct lint_literal *a, const struct lint_literal *b) {
  struct wm_text forbidden = b->test->operand.string;
  enum lint_form form = lint_form_of(b);
  if (form == LINT_NOT_STARTS)
    return wm_text_starts_with(head_of(a), forbidden);
  if (form == LINT_NOT_ENDS)
    return wm_text_ends_with(tail_of(a), forbidden);
  if (form != LINT_NOT_CONTAINS)
    return false;
  return wm_text_contains(head_of(a), forbidden) || wm_text_contains(tail_of(a), forbidden) ||
         (lint_form_of(a) == LINT_CONTAINS && wm_text_contains(a->test->operand.string, forbidden));
}

static bool is_text(const struct lint_literal *literal) {
  enum lint_form form = lint_form_of(literal);
  return form >= LINT_STARTS && form <= LINT_NOT_GLOB;
}

static bool fit_texts(const struct lint_literal *const *literals, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < count && is_text(literals[i]); j++) {
      if (!is_text(literals[j]))
        continue;
      if (breaks(literals[i], literals[j]) || !fit_positive_texts(literals[i], literals[j]))
        return false;
    }
  }
  return true;
}

/* --- lists --- */

/* Is the item, as far as can be told, in the list (form HAS_ALL) or kept out of it (HAS_NONE)? */
static bool is_named(const struct wm_value *item, enum lint_form form, const struct lint_literal *const *literals,
                     size_t count) {
  for (size_t i = 0; i < count; i++) {
    size_t operands;
    if (lint_form_of(literals[i]) != form)
      continue;
    const struct wm_value *values = lint_operands(literals[i], &operands);
    for (size_t v = 0; v < operands; v++)
      if (wm_value_equal(&values[v], item))
        return true;
  }
  return false;
}

/* How many operands of the literal others put into the list, or keep out of it. */
static size_t count_named(const struct lint_literal *literal, enum lint_form form,
                          const struct lint_literal *const *literals, size_t count) {
  size_t operands, named = 0;
  const struct wm_value *values = lint_operands(literal, &operands);
  for (size_t v = 0; v < operands; v++)
    named += is_named(&values[v], form, literals, count);
  return named;
}

static bool fit_lists(const struct lint_literal *const *literals, size_t count) {
  for (size_t i = 0; i < count; i++) {
    enum lint_form form = lint_form_of(literals[i]);
    size_t operands;
    lint_operands(literals[i], &operands);
    if (form == LINT_HAS_ALL && count_named(literals[i], LINT_HAS_NONE, literals, count) > 0)
      return false;
    if (form == LINT_HAS_ANY && count_named(literals[i], LINT_HAS_NONE, literals, count) == operands)
      return false;
    if (form == LINT_NOT_HAS_ALL && count_named(literals[i], LINT_HAS_ALL, literals, count) == operands)
      return false;
  }
  return true;
}

/* --- all of it --- */

/* Fields that the directory fills with one of these words; registers and profiles with others are refused. */
static const char *const *words_of(const struct wm_path *path) {
  static const char *const statuses[] = {"active", "suspended", "inactive", "deleted", NULL};
  static const char *const types[] = {"employee", "partner", "customer", "guest", NULL};
  if (path->root != WM_PATH_USER)
    return NULL;
  return wm_text_is(path->names[0], "status") ? statuses : wm_text_is(path->names[0], "type") ? types : NULL;
}

static bool fit_words(const char *const *words, const struct lint_literal *const *literals, size_t count) {
  for (size_t i = 0; words[i]; i++) {
    const struct wm_value word = {.type = WM_STRING, .string = wm_text_of(words[i])};
    if (may_be(&word, literals, count))
      return true;
  }
  return false;
}

static unsigned path_kinds(const struct wm_path *path) {
  static const char *const always[] = {"id", "source", "type", "specversion", "time", NULL};
  if (wm_path_is_list(path))
    return LINT_LIST | LINT_MISSING;
  for (size_t i = 0; path->root == WM_PATH_EVENT && always[i]; i++)
    if (wm_text_is(path->names[0], always[i]))
      return LINT_STRING;
  return LINT_ANY_KIND;
}

bool lint_fit(const struct lint_literal *const *literals, size_t count) {
  if (count == 0)
    return true;
  unsigned kinds = path_kinds(literals[0]->path);
  for (size_t i = 0; i < count; i++)
    kinds &= lint_kinds(literals[i]);
  if (kinds == 0)
    return false;
  if (kinds == LINT_BOOLEAN && !fit_booleans(literals, count))
    return false;
  if (kinds == LINT_NUMBER && !fit_numbers(literals, count))
    return false;
  if (kinds == LINT_STRING && !(fit_moments(literals, count) && fit_texts(literals, count)))
    return false;
  if (kinds == LINT_LIST && !fit_lists(literals, count))
    return false;
  if (kinds == LINT_STRING && words_of(literals[0]->path) && !fit_words(words_of(literals[0]->path), literals, count))
    return false;
  return fit_values(literals, count);
}

/* A field below another one is there only if that one is an object. */
static bool is_below(const struct wm_path *inner, const struct wm_path *outer) {
  if (inner->root != outer->root || inner->count <= outer->count || outer->count == 0)
    return false;
  for (size_t i = 0; i < outer->count; i++)
    if (!wm_text_equal(inner->names[i], outer->names[i]))
      return false;
  return true;
}

bool lint_fit_pair(const struct lint_literal *a, const struct lint_literal *b) {
  const struct lint_literal *const both[] = {a, b};
  if (wm_path_equal(a->path, b->path))
    return lint_fit(both, 2);
  if (is_below(b->path, a->path))
    return lint_fit_pair(b, a);
  return !is_below(a->path, b->path) || (lint_kinds(a) & LINT_MISSING) || (lint_kinds(b) & LINT_OBJECT);
}

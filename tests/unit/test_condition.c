#include "core/moment.h"
#include "language.h"

#define NOW INT64_C(1795255200000000) /* 2026-11-21T10:00:00Z */

/* What 'operator: operand' answers for a value; NULL: absent. */
static enum wm_answer ask(const struct wm_value *value, const char *name, struct wm_value operand) {
  struct wm_test test = TEST(name, operand);
  return wm_test_answer(&test, value, NOW);
}

#define ASK(value, name, ...) ask(&(struct wm_value[]){value}[0], (name), (__VA_ARGS__))

Test(condition, missing_and_null_are_unknown_to_every_operator_but_present) {
  static const struct wm_value null = {.type = WM_NULL};
  struct wm_value one[] = {
      [WM_OPERAND_SCALAR] = INTEGER(1),     [WM_OPERAND_SCALARS] = LIST(INTEGER(1)),
      [WM_OPERAND_NUMBER] = INTEGER(1),     [WM_OPERAND_MOMENT] = STRING("2026-11-21T10:00:00Z"),
      [WM_OPERAND_DURATION] = STRING("1d"), [WM_OPERAND_STRING] = STRING("a"),
      [WM_OPERAND_BOOLEAN] = BOOLEAN(true),
  };
  size_t count = 0;
  for (const struct wm_operator *row = wm_operators; row->name; row++, count++) {
    enum wm_answer expected = strcmp(row->name, "present") == 0 ? WM_NO : WM_UNKNOWN;
    cr_expect_eq(ask(NULL, row->name, one[row->operand]), expected, "%s", row->name);
    cr_expect_eq(ask(&null, row->name, one[row->operand]), expected, "%s", row->name);
  }
  cr_assert_eq(count, 21, "contract 5 lists them");
}

Test(condition, present_asks_for_there_and_not_null) {
  static const struct wm_value null = {.type = WM_NULL};
  cr_assert_eq(ASK(INTEGER(0), "present", BOOLEAN(true)), WM_YES);
  cr_assert_eq(ASK(EMPTY_OBJECT, "present", BOOLEAN(true)), WM_YES);
  cr_assert_eq(ASK(EMPTY_LIST, "present", BOOLEAN(false)), WM_NO);
  cr_assert_eq(ask(NULL, "present", BOOLEAN(false)), WM_YES);
  cr_assert_eq(ask(&null, "present", BOOLEAN(false)), WM_YES);
}

Test(condition, equality_cannot_tell_across_types) {
  cr_assert_eq(ASK(STRING("80"), "is", INTEGER(80)), WM_UNKNOWN);
  cr_assert_eq(ASK(STRING("80"), "is-not", INTEGER(80)), WM_UNKNOWN);
  cr_assert_eq(ASK(REAL(80), "is", INTEGER(80)), WM_YES);
  cr_assert_eq(ASK(REAL(80.5), "is-not", INTEGER(80)), WM_YES);
  cr_assert_eq(ASK(BOOLEAN(true), "is", BOOLEAN(false)), WM_NO);
  cr_assert_eq(ASK(LIST(INTEGER(80)), "is", INTEGER(80)), WM_UNKNOWN);
  cr_assert_eq(ASK(EMPTY_OBJECT, "is-not", INTEGER(80)), WM_UNKNOWN);
}

Test(condition, in_cannot_tell_when_no_operand_has_the_values_type) {
  cr_assert_eq(ASK(STRING("a"), "in", LIST(INTEGER(1), STRING("a"))), WM_YES);
  cr_assert_eq(ASK(STRING("b"), "in", LIST(INTEGER(1), STRING("a"))), WM_NO);
  cr_assert_eq(ASK(BOOLEAN(true), "in", LIST(INTEGER(1), STRING("a"))), WM_UNKNOWN);
  cr_assert_eq(ASK(STRING("a"), "not-in", LIST(INTEGER(1), STRING("a"))), WM_NO);
  cr_assert_eq(ASK(STRING("b"), "not-in", LIST(INTEGER(1), STRING("a"))), WM_YES);
  cr_assert_eq(ASK(BOOLEAN(true), "not-in", LIST(INTEGER(1), STRING("a"))), WM_UNKNOWN);
}

Test(condition, numbers_compare_with_their_borders) {
  static const struct {
    const char *operator;
    enum wm_answer below, same, above;
  } rows[] = {{"above", WM_NO, WM_NO, WM_YES},
              {"at-least", WM_NO, WM_YES, WM_YES},
              {"below", WM_YES, WM_NO, WM_NO},
              {"at-most", WM_YES, WM_YES, WM_NO}};
  for (size_t i = 0; i < 4; i++) {
    cr_expect_eq(ASK(REAL(79.999), rows[i].operator, INTEGER(80)), rows[i].below);
    cr_expect_eq(ASK(INTEGER(80), rows[i].operator, REAL(80)), rows[i].same);
    cr_expect_eq(ASK(INTEGER(81), rows[i].operator, INTEGER(80)), rows[i].above);
    cr_expect_eq(ASK(STRING("81"), rows[i].operator, INTEGER(80)), WM_UNKNOWN);
  }
}

Test(condition, before_and_after_compare_moments) {
  struct wm_value noon = STRING("2026-11-21T12:00:00Z");
  cr_assert_eq(ASK(STRING("2026-11-21T12:59:59+01:00"), "before", noon), WM_YES);
  cr_assert_eq(ASK(STRING("2026-11-21T13:00:00+01:00"), "before", noon), WM_NO);
  cr_assert_eq(ASK(STRING("2026-11-21T13:00:00+01:00"), "after", noon), WM_NO);
  cr_assert_eq(ASK(STRING("2026-11-21T12:00:00.000001Z"), "after", noon), WM_YES);
  cr_assert_eq(ASK(STRING("yesterday"), "before", noon), WM_UNKNOWN);
  cr_assert_eq(ASK(INTEGER(0), "after", noon), WM_UNKNOWN);
}

Test(condition, within_and_older_than_look_back_from_now) {
  struct wm_value day = STRING("1d");
  cr_assert_eq(ASK(STRING("2026-11-20T10:00:00Z"), "within", day), WM_YES, "exactly a day");
  cr_assert_eq(ASK(STRING("2026-11-20T09:59:59.999999Z"), "within", day), WM_NO);
  cr_assert_eq(ASK(STRING("2030-01-01T00:00:00Z"), "within", day), WM_YES, "after now");
  cr_assert_eq(ASK(STRING("2026-11-20T10:00:00Z"), "older-than", day), WM_NO);
  cr_assert_eq(ASK(STRING("2026-11-20T09:59:59.999999Z"), "older-than", day), WM_YES);
  cr_assert_eq(ASK(STRING("2030-01-01T00:00:00Z"), "older-than", day), WM_NO);
  cr_assert_eq(ASK(STRING("soon"), "within", day), WM_UNKNOWN);
  cr_assert_eq(ASK(STRING("soon"), "older-than", day), WM_UNKNOWN);
}

Test(condition, a_clock_at_the_end_of_time_breaks_nothing) {
  struct wm_test within = TEST("within", STRING("36500d"));
  struct wm_value time = STRING("2026-11-21T10:00:00Z");
  cr_assert_eq(wm_test_answer(&within, &time, INT64_MIN), WM_YES);
  cr_assert_eq(wm_test_answer(&within, &time, INT64_MAX), WM_NO);
}

Test(condition, text_operators_take_texts_only) {
  cr_assert_eq(ASK(STRING("certified"), "starts-with", STRING("cert")), WM_YES);
  cr_assert_eq(ASK(STRING("certified"), "ends-with", STRING("cert")), WM_NO);
  cr_assert_eq(ASK(STRING("certified"), "contains", STRING("tifi")), WM_YES);
  cr_assert_eq(ASK(STRING("certified"), "glob", STRING("c*d")), WM_YES);
  cr_assert_eq(ASK(STRING("certified"), "glob", STRING("c*")), WM_YES);
  cr_assert_eq(ASK(STRING("certified"), "glob", STRING("ert*")), WM_NO);
  cr_assert_eq(ASK(LIST(STRING("cert")), "contains", STRING("cert")), WM_UNKNOWN);
  cr_assert_eq(ASK(INTEGER(1), "starts-with", STRING("1")), WM_UNKNOWN);
}

Test(condition, lists_are_asked_for_what_they_have) {
  struct wm_value roles = LIST(STRING("a"), STRING("b"), INTEGER(1));
  cr_assert_eq(ASK(roles, "has", STRING("a")), WM_YES);
  cr_assert_eq(ASK(roles, "has", REAL(1)), WM_YES);
  cr_assert_eq(ASK(roles, "has", STRING("c")), WM_NO);
  cr_assert_eq(ASK(roles, "has-any", LIST(STRING("c"), STRING("b"))), WM_YES);
  cr_assert_eq(ASK(roles, "has-any", LIST(STRING("c"))), WM_NO);
  cr_assert_eq(ASK(roles, "has-all", LIST(STRING("a"), STRING("b"))), WM_YES);
  cr_assert_eq(ASK(roles, "has-all", LIST(STRING("a"), STRING("c"))), WM_NO);
  cr_assert_eq(ASK(roles, "has-none", LIST(STRING("c"), STRING("d"))), WM_YES);
  cr_assert_eq(ASK(roles, "has-none", LIST(STRING("c"), STRING("a"))), WM_NO);
}

Test(condition, an_empty_list_has_nothing) {
  cr_assert_eq(ASK(EMPTY_LIST, "has", STRING("a")), WM_NO);
  cr_assert_eq(ASK(EMPTY_LIST, "has-any", LIST(STRING("a"))), WM_NO);
  cr_assert_eq(ASK(EMPTY_LIST, "has-all", LIST(STRING("a"))), WM_NO);
  cr_assert_eq(ASK(EMPTY_LIST, "has-none", LIST(STRING("a"))), WM_YES);
}

Test(condition, a_list_with_more_than_scalars_is_another_type) {
  cr_assert_eq(ASK(LIST(STRING("a"), NOTHING), "has", STRING("a")), WM_UNKNOWN);
  cr_assert_eq(ASK(LIST(EMPTY_LIST), "has-none", LIST(STRING("a"))), WM_UNKNOWN);
  cr_assert_eq(ASK(LIST(EMPTY_OBJECT), "has-any", LIST(STRING("a"))), WM_UNKNOWN);
  cr_assert_eq(ASK(STRING("a"), "has", STRING("a")), WM_UNKNOWN);
}

/* Conditions that answer yes, no and cannot tell for the data below. */
#define YES FIELD("data.x", TEST("is", INTEGER(1)))
#define NO FIELD("data.x", TEST("is", INTEGER(2)))
#define UNKNOWN FIELD("data.missing", TEST("is", INTEGER(1)))

static enum wm_answer answer(struct wm_condition condition) {
  struct wm_value data = OBJECT(MEMBER("x", INTEGER(1)));
  struct wm_event event = event_of("journey.started", &data);
  struct wm_scope scope = {.event = &event, .now_us = NOW};
  return wm_condition_answer(&condition, &scope);
}

Test(condition, all_is_the_least_answer) {
  cr_assert_eq(answer(ALWAYS), WM_YES);
  cr_assert_eq(answer(ALL(YES, YES)), WM_YES);
  cr_assert_eq(answer(ALL(YES, UNKNOWN)), WM_UNKNOWN);
  cr_assert_eq(answer(ALL(UNKNOWN, NO)), WM_NO);
  cr_assert_eq(answer(ALL(NO, UNKNOWN)), WM_NO);
}

Test(condition, any_is_the_greatest_answer) {
  cr_assert_eq(answer(ANY(NO, YES)), WM_YES);
  cr_assert_eq(answer(ANY(UNKNOWN, YES)), WM_YES);
  cr_assert_eq(answer(ANY(NO, UNKNOWN)), WM_UNKNOWN);
  cr_assert_eq(answer(ANY(NO, NO)), WM_NO);
}

Test(condition, not_swaps_yes_and_no_only) {
  cr_assert_eq(answer(NOT(YES)), WM_NO);
  cr_assert_eq(answer(NOT(NO)), WM_YES);
  cr_assert_eq(answer(NOT(UNKNOWN)), WM_UNKNOWN);
  cr_assert_eq(answer(NOT(YES, NO)), WM_YES, "not all of them");
}

Test(condition, tests_of_one_field_must_all_hold) {
  cr_assert_eq(answer(FIELD("data.x", TEST("above", INTEGER(0)), TEST("below", INTEGER(2)))), WM_YES);
  cr_assert_eq(answer(FIELD("data.x", TEST("above", INTEGER(0)), TEST("glob", STRING("*")))), WM_UNKNOWN);
  cr_assert_eq(answer(FIELD("data.x", TEST("glob", STRING("*")), TEST("above", INTEGER(1)))), WM_NO);
  cr_assert_eq(answer(FIELD("data.y", TEST("present", BOOLEAN(true)), TEST("is", INTEGER(1)))), WM_NO);
}

Test(condition, knows_whether_it_reads_the_user) {
  struct wm_condition data = ALL(YES, NOT(ANY(NO)));
  struct wm_condition user = ALL(YES, NOT(ANY(NO, FIELD("user.roles", TEST("has", STRING("a"))))));
  cr_assert_not(wm_condition_reads_user(&data));
  cr_assert(wm_condition_reads_user(&user));
}

static const char *refusal(const char *name, struct wm_value operand) {
  static struct wm_error error;
  struct wm_test test = {wm_operator_find(wm_text_of(name)), operand, 0, 0, 0};
  cr_assert_not_null(test.operator);
  if (wm_test_check(&test, &error) == 0)
    return "taken";
  cr_expect_eq(error.code, WM_E_OPERAND_INVALID);
  return error.text;
}

Test(condition, operands_are_checked_and_the_right_operator_is_named) {
  struct wm_value list = LIST(STRING("a"));
  cr_expect_str_eq(refusal("is", list), "'is' needs one value, not a list, did you mean 'in'");
  cr_expect_str_eq(refusal("is-not", list), "'is-not' needs one value, not a list, did you mean 'not-in'");
  cr_expect_str_eq(refusal("has", list), "'has' needs one value, not a list, did you mean 'has-any'");
  cr_expect_str_eq(refusal("in", STRING("a")), "'in' needs a list, did you mean 'is'");
  cr_expect_str_eq(refusal("has-all", STRING("a")), "'has-all' needs a list, did you mean 'has'");
  cr_expect_str_eq(refusal("is", NOTHING), "'is' can't compare with null, did you mean 'present: false'");
  cr_expect_str_eq(refusal("is-not", NOTHING), "'is-not' can't compare with null, did you mean 'present: true'");
  cr_expect_str_eq(refusal("in", EMPTY_LIST), "'in' needs a list with something in it");
  cr_expect_str_eq(refusal("in", LIST(NOTHING)), "'in' needs a list without null");
  cr_expect_str_eq(refusal("starts-with", INTEGER(1)), "'starts-with' needs a text, put it in quotes");
}

Test(condition, operands_of_the_wrong_type_are_refused) {
  cr_expect_str_neq(refusal("is", EMPTY_OBJECT), "taken");
  cr_expect_str_neq(refusal("is", REAL(1.0 / 0.0)), "taken");
  cr_expect_str_neq(refusal("in", LIST(LIST(INTEGER(1)))), "taken");
  cr_expect_str_neq(refusal("in", LIST(REAL(0.0 / 0.0))), "taken");
  cr_expect_str_neq(refusal("in", EMPTY_OBJECT), "taken");
  cr_expect_str_neq(refusal("above", STRING("80")), "taken");
  cr_expect_str_neq(refusal("above", REAL(0.0 / 0.0)), "taken");
  cr_expect_str_neq(refusal("before", STRING("2026-11-21")), "taken");
  cr_expect_str_neq(refusal("before", INTEGER(0)), "taken");
  cr_expect_str_neq(refusal("within", STRING("30")), "taken");
  cr_expect_str_neq(refusal("within", INTEGER(30)), "taken");
  cr_expect_str_neq(refusal("glob", BOOLEAN(true)), "taken");
  cr_expect_str_neq(refusal("glob", LIST(STRING("a"))), "taken");
  cr_expect_str_neq(refusal("present", STRING("true")), "taken");
  cr_expect_str_eq(refusal("within", STRING("30d")), "taken");
  cr_expect_str_eq(refusal("in", LIST(INTEGER(1), STRING("a"), BOOLEAN(true))), "taken");
}

Test(condition, unknown_operators_are_not_found) {
  cr_assert_null(wm_operator_find(WM_TEXT("equals")));
  cr_assert_null(wm_operator_find(WM_TEXT("")));
}

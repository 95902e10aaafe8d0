#include <float.h>
#include <math.h>

#include "core/hash.h"
#include "language.h"

static int order(struct wm_value a, struct wm_value b) {
  int forth = wm_value_compare_numbers(&a, &b), back = wm_value_compare_numbers(&b, &a);
  cr_expect_eq((forth > 0) - (forth < 0), (back < 0) - (back > 0), "the order must not depend on the side");
  return (forth > 0) - (forth < 0);
}

static bool equal(struct wm_value a, struct wm_value b) {
  bool result = wm_value_equal(&a, &b);
  if (result)
    cr_expect_eq(wm_value_hash(&a), wm_value_hash(&b), "equal values have equal hashes");
  return result;
}

Test(value, numbers_are_equal_by_value) {
  cr_assert(equal(INTEGER(1), REAL(1.0)));
  cr_assert(equal(INTEGER(0), REAL(-0.0)));
  cr_assert(equal(INTEGER(INT64_MIN), REAL(-0x1p63)));
  cr_assert(equal(REAL(0.5), REAL(0.5)));
  cr_assert_not(equal(INTEGER(1), REAL(1.5)));
  cr_assert_not(equal(INTEGER(1), INTEGER(2)));
}

Test(value, integers_and_reals_compare_without_losing_bits) {
  int64_t odd = (INT64_C(1) << 53) + 1; /* as a real this would be 2^53 */
  cr_assert_eq(order(INTEGER(odd), REAL(0x1p53)), 1);
  cr_assert_eq(order(INTEGER(odd - 1), REAL(0x1p53)), 0);
  cr_assert_eq(order(INTEGER(INT64_MAX), REAL(0x1p63)), -1);
  cr_assert_eq(order(INTEGER(INT64_MIN), REAL(-0x1p63)), 0);
  cr_assert_eq(order(INTEGER(INT64_MIN), REAL(-1e300)), 1);
  cr_assert_eq(order(INTEGER(INT64_MAX), REAL(1e300)), -1);
  cr_assert_eq(order(INTEGER(3), REAL(3.000001)), -1);
  cr_assert_eq(order(INTEGER(-3), REAL(-3.000001)), 1);
  cr_assert_eq(order(INTEGER(0), REAL(-DBL_TRUE_MIN)), 1);
  cr_assert_eq(order(REAL(1.5), REAL(2.5)), -1);
  cr_assert_eq(order(INTEGER(INT64_MIN), INTEGER(INT64_MAX)), -1);
}

Test(value, kinds_are_never_equal_to_each_other) {
  cr_assert_not(equal(INTEGER(1), BOOLEAN(true)));
  cr_assert_not(equal(INTEGER(1), STRING("1")));
  cr_assert_not(equal(STRING("true"), BOOLEAN(true)));
  cr_assert_not(equal(NOTHING, NOTHING), "null is no scalar");
  cr_assert_not(equal(EMPTY_LIST, EMPTY_LIST));
}

Test(value, strings_are_equal_by_bytes) {
  cr_assert(equal(STRING("gold"), STRING("gold")));
  cr_assert_not(equal(STRING("gold"), STRING("Gold")));
  cr_assert_not(equal(STRING("e\xcc\x81"), STRING("\xc3\xa9")), "no normalisation");
}

static const char *json(struct wm_value value) {
  static struct wm_buf buf;
  wm_buf_clear(&buf);
  wm_value_to_json(&value, &buf);
  return buf.bytes;
}

Test(value, reals_are_written_short_and_stay_reals) {
  static const struct {
    double real;
    const char *text;
  } cases[] = {
      {80, "80.0"},
      {80.5, "80.5"},
      {-12.25, "-12.25"},
      {0.1, "0.1"},
      {0, "0.0"},
      {-0.0, "-0.0"},
      {0.30000000000000004, "0.30000000000000004"},
      {1e15, "1000000000000000.0"},
      {1e16, "1e+16"},
      {1.5e300, "1.5e+300"},
      {0.0001, "0.0001"},
      {0.00012, "0.00012"},
      {1e-5, "1e-05"},
      {DBL_TRUE_MIN, "5e-324"},
      {DBL_MAX, "1.7976931348623157e+308"},
      {123456.789, "123456.789"},
      {100, "100.0"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    cr_expect_str_eq(json(REAL(cases[i].real)), cases[i].text);
}

Test(value, every_real_reads_back) {
  uint64_t seed = 1;
  for (int i = 0; i < 100000; i++) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t bits = seed ^ seed >> 29;
    double real;
    memcpy(&real, &bits, sizeof(real));
    if (isfinite(real))
      cr_assert_eq(strtod(json(REAL(real)), NULL), real, "%a became %s", real, json(REAL(real)));
  }
}

Test(value, json_is_compact_and_escaped) {
  struct wm_value value = OBJECT(MEMBER("a\"b", LIST(INTEGER(INT64_MIN), NOTHING, BOOLEAN(false), EMPTY_LIST)),
                                 MEMBER("c", STRING("\x01\n\\/\x7f\xc3\xa4")), MEMBER("d", EMPTY_OBJECT));
  cr_assert_str_eq(json(value), "{\"a\\\"b\":[-9223372036854775808,null,false,[]],"
                                "\"c\":\"\\u0001\\n\\\\/\x7f\xc3\xa4\",\"d\":{}}");
}

Test(value, a_copy_shares_nothing) {
  char name[] = "score";
  struct wm_value value = OBJECT(MEMBER(name, LIST(STRING(name), INTEGER(3))));
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  struct wm_value copy;
  cr_assert_eq(wm_value_copy_into(&value, &arena, &copy), 0);
  name[0] = 'X';
  cr_assert_str_eq(json(copy), "{\"score\":[\"score\",3]}");
  wm_arena_release(&arena);
}

Test(value, member_of_anything_else_is_absent) {
  struct wm_value object = OBJECT(MEMBER("a", INTEGER(1))), number = INTEGER(1);
  cr_assert_eq(wm_value_member(&object, WM_TEXT("a"))->integer, 1);
  cr_assert_null(wm_value_member(&object, WM_TEXT("b")));
  cr_assert_null(wm_value_member(&number, WM_TEXT("a")));
  cr_assert_null(wm_value_member(NULL, WM_TEXT("a")));
  cr_assert_null(wm_value_text(&number).bytes);
}

#include <criterion/criterion.h>

#include "core/text.h"

static bool glob(const char *text, const char *pattern) {
  return wm_text_glob(wm_text_of(text), wm_text_of(pattern));
}

Test(text, orders_by_bytes_and_a_prefix_first) {
  cr_assert_lt(wm_text_compare(WM_TEXT("a"), WM_TEXT("b")), 0);
  cr_assert_lt(wm_text_compare(WM_TEXT("a"), WM_TEXT("aa")), 0);
  cr_assert_gt(wm_text_compare(WM_TEXT("\xc3\xa4"), WM_TEXT("z")), 0, "bytes are unsigned");
  cr_assert_eq(wm_text_compare(WM_NO_TEXT, WM_TEXT("")), 0);
}

Test(text, finds_parts_at_the_edges) {
  struct wm_text text = WM_TEXT("certified-partner");
  cr_assert(wm_text_starts_with(text, WM_TEXT("certified")));
  cr_assert(wm_text_ends_with(text, WM_TEXT("partner")));
  cr_assert(wm_text_contains(text, WM_TEXT("d-p")));
  cr_assert(wm_text_contains(text, WM_TEXT("")));
  cr_assert_not(wm_text_contains(text, WM_TEXT("partners")));
  cr_assert_not(wm_text_starts_with(WM_TEXT("a"), WM_TEXT("ab")));
  cr_assert_not(wm_text_ends_with(WM_TEXT("a"), WM_TEXT("ba")));
  cr_assert_not(wm_text_contains(WM_TEXT(""), WM_TEXT("a")));
}

Test(text, glob_goes_over_the_whole_text) {
  cr_assert(glob("partner", "partner"));
  cr_assert_not(glob("partners", "partner"));
  cr_assert_not(glob("partner", "partners"));
  cr_assert(glob("", ""));
  cr_assert_not(glob("a", ""));
}

Test(text, glob_star_takes_any_run) {
  cr_assert(glob("", "*"));
  cr_assert(glob("anything", "*"));
  cr_assert(glob("emea-north", "emea-*"));
  cr_assert(glob("abcabd", "*abd"));
  cr_assert(glob("aXbXc", "a*b*c"));
  cr_assert(glob("aaab", "*a*b"));
  cr_assert(glob("ab", "a**b"));
  cr_assert_not(glob("acb", "a*bc"));
  cr_assert_not(glob("b", "a*"));
}

Test(text, glob_question_mark_is_one_code_point) {
  cr_assert(glob("\xc3\xa4", "?"));
  cr_assert(glob("gr\xc3\xbc\xc3\x9f", "gr??"));
  cr_assert(glob("\xf0\x9f\x98\x80!", "?!"));
  cr_assert(glob("\xc3\xa4\xc3\xb6", "*?"));
  cr_assert_not(glob("\xc3\xa4", "??"));
  cr_assert_not(glob("", "?"));
  cr_assert_not(glob("\xf0\x9f\x98\x80", "*??"), "the star may not split a character");
}

Test(text, glob_of_many_stars_ends_soon, .timeout = 60) {
  static char text[20000], pattern[2000];
  memset(text, 'a', sizeof(text));
  for (size_t i = 0; i < sizeof(pattern); i++)
    pattern[i] = i % 2 ? 'a' : '*';
  pattern[sizeof(pattern) - 1] = 'b';
  cr_assert_not(wm_text_glob((struct wm_text){text, sizeof(text)}, (struct wm_text){pattern, sizeof(pattern)}));
}

static size_t bad_at(struct wm_text text) {
  size_t at = 999;
  return wm_text_is_utf8(text, &at) ? 999 : at;
}

Test(text, utf8_takes_every_length) {
  cr_assert_eq(bad_at(WM_TEXT("")), 999);
  cr_assert_eq(bad_at(WM_TEXT("plain text, long enough for two words")), 999);
  cr_assert_eq(bad_at(WM_TEXT("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")), 999);
  cr_assert_eq(bad_at(WM_TEXT("\xed\x9f\xbf\xee\x80\x80")), 999, "next to the surrogates");
}

Test(text, utf8_is_strict) {
  static const struct {
    struct wm_text text;
    size_t at;
  } cases[] = {
      {WM_TEXT("ab\x80"), 2},               /* a continuation alone */
      {WM_TEXT("\xc0\x80"), 0},             /* overlong NUL */
      {WM_TEXT("\xc1\xbf"), 0},             /* overlong */
      {WM_TEXT("\xe0\x9f\xbf"), 0},         /* overlong */
      {WM_TEXT("\xf0\x8f\xbf\xbf"), 0},     /* overlong */
      {WM_TEXT("12345678\xed\xa0\x80"), 8}, /* a surrogate */
      {WM_TEXT("\xf4\x90\x80\x80"), 0},     /* beyond U+10FFFF */
      {WM_TEXT("\xf5\x80\x80\x80"), 0},
      {WM_TEXT("\xff"), 0},
      {WM_TEXT("1234567\xc3"), 7}, /* cut off */
      {WM_TEXT("\xe2\x82"), 0},
      {WM_TEXT("\xf0\x9f\x98"), 0},
      {WM_TEXT("\xe2\x82x"), 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    cr_expect_eq(bad_at(cases[i].text), cases[i].at, "case %zu", i);
}

Test(text, user_id_is_one_to_256_bytes_without_controls) {
  static char long_id[257];
  memset(long_id, 'x', sizeof(long_id));
  cr_assert(wm_text_is_user_id(WM_TEXT("user-7")));
  cr_assert(wm_text_is_user_id(WM_TEXT("J\xc3\xb6rg {%} \xc2\xa0")));
  cr_assert(wm_text_is_user_id((struct wm_text){long_id, 256}));
  cr_assert_not(wm_text_is_user_id((struct wm_text){long_id, 257}));
  cr_assert_not(wm_text_is_user_id(WM_TEXT("")));
  cr_assert_not(wm_text_is_user_id(WM_TEXT("a\0b")));
  cr_assert_not(wm_text_is_user_id(WM_TEXT("a\x1f")));
  cr_assert_not(wm_text_is_user_id(WM_TEXT("a\x7f")));
  cr_assert_not(wm_text_is_user_id(WM_TEXT("a\xc2\x80")));
  cr_assert_not(wm_text_is_user_id(WM_TEXT("a\xc2\x9f")));
  cr_assert_not(wm_text_is_user_id(WM_TEXT("a\xff")));
}

Test(text, name_is_lower_case_digits_and_hyphens) {
  static char long_name[64];
  memset(long_name, 'x', sizeof(long_name));
  cr_assert(wm_text_is_name(WM_TEXT("certified-partner")));
  cr_assert(wm_text_is_name(WM_TEXT("7")));
  cr_assert(wm_text_is_name(WM_TEXT("a-")));
  cr_assert(wm_text_is_name((struct wm_text){long_name, 63}));
  cr_assert_not(wm_text_is_name((struct wm_text){long_name, 64}));
  cr_assert_not(wm_text_is_name(WM_TEXT("")));
  cr_assert_not(wm_text_is_name(WM_TEXT("-a")));
  cr_assert_not(wm_text_is_name(WM_TEXT("Abc")));
  cr_assert_not(wm_text_is_name(WM_TEXT("a_b")));
  cr_assert_not(wm_text_is_name(WM_TEXT("a.b")));
}

static const char *const operators[] = {"is", "in", "at-least", "at-most", "starts-with", "contains", "present", NULL};

Test(text, nearest_undoes_one_slip) {
  cr_assert_str_eq(wm_text_nearest(WM_TEXT("at-laest"), operators), "at-least");
  cr_assert_str_eq(wm_text_nearest(WM_TEXT("at_least"), operators), "at-least");
  cr_assert_str_eq(wm_text_nearest(WM_TEXT("start-with"), operators), "starts-with");
  cr_assert_str_eq(wm_text_nearest(WM_TEXT("contians"), operators), "contains");
  cr_assert_str_eq(wm_text_nearest(WM_TEXT("Present"), operators), "present");
  cr_assert_str_eq(wm_text_nearest(WM_TEXT("si"), operators), "is");
}

Test(text, nearest_prefers_the_nearer_one) {
  const char *const words[] = {"at-most", "at-mast", NULL};
  cr_assert_str_eq(wm_text_nearest(WM_TEXT("at-mast"), words), "at-mast");
}

Test(text, nearest_does_not_guess_wildly) {
  cr_assert_null(wm_text_nearest(WM_TEXT("regex"), operators));
  cr_assert_null(wm_text_nearest(WM_TEXT("x"), operators));
  cr_assert_null(wm_text_nearest(WM_TEXT(""), operators));
  static char word[100];
  memset(word, 'p', sizeof(word));
  cr_assert_null(wm_text_nearest((struct wm_text){word, sizeof(word)}, operators));
}

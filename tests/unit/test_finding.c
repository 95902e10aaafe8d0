#include <criterion/criterion.h>

#include "core/finding.h"

Test(finding, come_out_by_file_line_and_column) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  wm_findings_add(&findings, WM_WARNING, WM_E_SEQUENCE_ORDER, WM_TEXT("b.yaml"), 1, 1, "later");
  wm_findings_add(&findings, WM_INVALID, WM_E_KEY_UNKNOWN, WM_TEXT("a.yaml"), 10, 2, "third");
  wm_findings_add(&findings, WM_ERROR, WM_E_ROLE_UNKNOWN, WM_TEXT("a.yaml"), 9, 8, "second");
  wm_findings_add(&findings, WM_INVALID, WM_E_KEY_UNKNOWN, WM_TEXT("a.yaml"), 9, 3, "%s", "first");
  wm_findings_sort(&findings);
  static const char *const order[] = {"first", "second", "third", "later"};
  cr_assert_eq(findings.count, 4);
  for (size_t i = 0; i < 4; i++)
    cr_expect_str_eq(findings.items[i].text.bytes, order[i]);
  cr_assert_eq(findings.invalid, 2);
  cr_assert_eq(findings.errors, 1);
  cr_assert_eq(findings.warnings, 1);
  wm_findings_release(&findings);
}

Test(finding, over_the_limit_are_counted_only) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  for (unsigned i = 0; i < WM_FINDINGS_LIMIT + 5; i++)
    wm_findings_add(&findings, WM_WARNING, WM_E_DEAD_RULE, WM_TEXT("a.yaml"), i, 1, "number %u", i);
  cr_assert_eq(findings.count, WM_FINDINGS_LIMIT);
  cr_assert_eq(findings.warnings, WM_FINDINGS_LIMIT + 5);
  cr_assert_not(findings.failed);
  wm_findings_release(&findings);
}

Test(finding, is_one_line_whatever_it_quotes) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  wm_findings_add(&findings, WM_INVALID, WM_E_KEY_UNKNOWN, WM_TEXT("a.yaml"), 1, 1, "unknown key '%s'", "a\nb\x1b[1m");
  cr_assert_str_eq(findings.items[0].text.bytes, "unknown key 'a?b?[1m'");
  wm_findings_release(&findings);
}

Test(error, fits_and_is_never_cut_inside_a_character) {
  struct wm_error error;
  char text[1200] = "x";
  for (size_t i = 1; i + 3 < sizeof(text); i += 3)
    memcpy(text + i, "\xe2\x82\xac", 3);
  for (size_t shift = 0; shift < 3; shift++) {
    cr_assert_eq(wm_error_set(&error, WM_E_PATH_UNKNOWN, "%s", text + (shift ? 1 : 0) + (shift > 1 ? 3 : 0)), -1);
    cr_assert(wm_text_is_utf8(wm_text_of(error.text), NULL));
    cr_assert_gt(strlen(error.text), sizeof(error.text) - 5);
  }
  cr_assert_eq(wm_error_set(&error, WM_E_PATH_UNKNOWN, "%s%s", "ab", text), -1);
  cr_assert(wm_text_is_utf8(wm_text_of(error.text), NULL));
}

Test(error, clears_the_place_and_knows_its_code) {
  struct wm_error error = {.line = 7, .column = 8, .source = "old"};
  cr_assert_eq(wm_error_set(&error, WM_E_ROLE_UNKNOWN, "no role '%s'", "x\ny"), -1);
  cr_assert_eq(error.line, 0);
  cr_assert_eq(error.column, 0);
  cr_assert_str_eq(error.source, "");
  cr_assert_str_eq(error.text, "no role 'x?y'");
  cr_assert_str_eq(wm_code_name(error.code), "ROLE_UNKNOWN");
  cr_assert_eq(wm_error_memory(NULL), -1);
  for (int code = 0; code < WM_CODE_COUNT; code++)
    cr_assert(wm_code_name(code) && wm_code_sentence(code));
}

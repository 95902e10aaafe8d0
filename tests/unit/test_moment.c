#include <criterion/criterion.h>

#include "core/moment.h"

static const char *reread(const char *text) {
  static char written[WM_MOMENT_SIZE];
  int64_t us;
  if (!wm_moment_parse(wm_text_of(text), &us))
    return "refused";
  cr_assert_eq(wm_moment_format(us, written), strlen(written));
  return written;
}

Test(moment, reads_rfc_3339) {
  static const char *const cases[][2] = {
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
      {"2026-11-21t10:00:00z", "2026-11-21T10:00:00Z"},
      {"2026-11-21T10:00:00.5Z", "2026-11-21T10:00:00.5Z"},
      {"2026-11-21T10:00:00.000001Z", "2026-11-21T10:00:00.000001Z"},
      {"2026-11-21T10:00:00.1234567899Z", "2026-11-21T10:00:00.123456Z"},
      {"2026-11-21T10:00:00.0000009Z", "2026-11-21T10:00:00Z"},
      {"2026-11-21T10:00:00+01:30", "2026-11-21T08:30:00Z"},
      {"2026-11-21T22:00:00-05:00", "2026-11-22T03:00:00Z"},
      {"2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00Z"},
      {"1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.25Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
      {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"},
      {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
      {"0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00Z"}, /* before what can be written */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    cr_expect_str_eq(reread(cases[i][0]), cases[i][1]);
}

Test(moment, refuses_what_is_no_moment) {
  static const char *const cases[] = {
      "",
      "2026-11-21",
      "2026-11-21T10:00Z",
      "2026-11-21T10:00:00",
      "2026-11-21 10:00:00Z",
      "2026-11-21T10:00:61Z",
      "2026-11-21T24:00:00Z",
      "2026-11-21T10:60:00Z",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-04-31T00:00:00Z",
      "2026-04-00T00:00:00Z",
      "2023-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "2026-11-21T10:00:00.Z",
      "2026-11-21T10:00:00,5Z",
      "2026-11-21T10:00:00+0100",
      "2026-11-21T10:00:00+24:00",
      "2026-11-21T10:00:00+01:60",
      "2026-11-21T10:00:00ZZ",
      " 2026-11-21T10:00:00Z",
      "2026-11-21T10:00:00Z ",
      "26-11-21T10:00:00Z",
      "12026-11-21T10:00:00Z",
      "-026-11-21T10:00:00Z",
      "2026-1-21T10:00:00Z",
      "now",
      "T",
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    cr_expect_str_eq(reread(cases[i]), "refused", "%s", cases[i]);
  int64_t us = 42;
  cr_assert_not(wm_moment_parse(WM_TEXT("2026-11-21T10:00:00Z\0"), &us), "a NUL behind it");
  cr_assert_eq(us, 42, "a refusal leaves the result alone");
}

Test(moment, counts_microseconds_since_1970) {
  int64_t us;
  cr_assert(wm_moment_parse(WM_TEXT("2026-11-21T10:00:00Z"), &us));
  cr_assert_eq(us, INT64_C(1795255200000000)); /* the clock in contract 7 */
}

Test(moment, every_day_of_400_years_comes_back) {
  char text[WM_MOMENT_SIZE];
  for (int64_t day = 0; day < 146097; day++) {
    int64_t us = (day - 30000) * 86400 * WM_SECOND_US + day, read;
    wm_moment_format(us, text);
    cr_assert(wm_moment_parse(wm_text_of(text), &read), "%s", text);
    cr_assert_eq(read, us, "%s", text);
  }
}

Test(moment, formats_the_extremes) {
  char text[WM_MOMENT_SIZE];
  wm_moment_format(INT64_MIN, text);
  cr_assert_str_eq(text, "0000-01-01T00:00:00Z");
  wm_moment_format(INT64_MAX, text);
  cr_assert_str_eq(text, "9999-12-31T23:59:59.999999Z");
}

Test(moment, reads_durations) {
  static const struct {
    const char *text;
    int64_t seconds;
  } cases[] = {{"0s", 0},
               {"1s", 1},
               {"5m", 300},
               {"24h", 86400},
               {"365d", 31536000},
               {"2w", 1209600},
               {"036500d", 3153600000},
               {"3153600000s", 3153600000}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    int64_t us = -1;
    cr_expect(wm_duration_parse(wm_text_of(cases[i].text), &us), "%s", cases[i].text);
    cr_expect_eq(us, cases[i].seconds * WM_SECOND_US, "%s", cases[i].text);
  }
}

Test(moment, refuses_what_is_no_duration) {
  static const char *const cases[] = {"",      "d",      "5",     "5 d",         "-5d",
                                      "+5d",   "1.5h",   "5D",    "5y",          "5dd",
                                      "1h30m", "36501d", "5300w", "3153600001s", "99999999999999999999s"};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    int64_t us;
    cr_expect_not(wm_duration_parse(wm_text_of(cases[i]), &us), "%s", cases[i]);
  }
}

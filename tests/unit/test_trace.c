#include "core/trace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define ID "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

Test(trace, a_parent_is_as_the_recommendation_has_it) {
  static const struct {
    const char *text;
    bool fine;
  } cases[] = {
      {"00-" ID "-" SPAN "-01", true},
      {"00-" ID "-" SPAN "-ff", true},
      {"cc-" ID "-" SPAN "-01", true},
      {"cc-" ID "-" SPAN "-01-what-comes.later", true},
      {"00-" ID "-" SPAN "-01-", false},
      {"00-" ID "-" SPAN "-01-more", false},
      {"cc-" ID "-" SPAN "-01more", false},
      {"cc-" ID "-" SPAN "-01-a b", false},
      {"cc-" ID "-" SPAN "-01-\033[31m", false},
      {"ff-" ID "-" SPAN "-01", false},
      {"00-00000000000000000000000000000000-" SPAN "-01", false},
      {"00-" ID "-0000000000000000-01", false},
      {"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", false},
      {"00-" ID "-" SPAN "-0g", false},
      {"00_" ID "_" SPAN "_01", false},
      {"0-" ID "-" SPAN "-01", false},
      {" 00-" ID "-" SPAN "-01", false},
      {"00-" ID "-" SPAN "-0", false},
      {"", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    cr_expect_eq(wm_trace_parent_is_fine(wm_text_of(cases[i].text)), cases[i].fine, "%s", cases[i].text);
  cr_expect_not(wm_trace_parent_is_fine(WM_NO_TEXT));
  cr_expect_not(wm_trace_parent_can_pass(WM_NO_TEXT));
  cr_expect(wm_trace_parent_can_pass(WM_TEXT("00-x")));
  cr_expect_not(wm_trace_parent_can_pass(WM_TEXT("00-\x7f")));
}

Test(trace, a_parent_of_a_later_version_has_a_bound) {
  char text[300];
  int size = snprintf(text, sizeof text, "cc-" ID "-" SPAN "-01-");
  memset(text + size, 'x', sizeof text - (size_t)size);
  cr_expect(wm_trace_parent_is_fine((struct wm_text){text, 256}));
  cr_expect_not(wm_trace_parent_is_fine((struct wm_text){text, 257}));
  cr_expect_not(wm_trace_parent_can_pass((struct wm_text){text, 257}));
}

Test(trace, a_state_is_a_list_of_members) {
  static const struct {
    const char *text;
    bool fine;
  } cases[] = {
      {"rojo=00f067aa0ba902b7", true},
      {"rojo=1,congo=t61rcWkgMzE", true},
      {" rojo=1\t,  ,congo=2 ", true},
      {"fw529a3039@dt=FfAAJlMTMYAAAACp", true},
      {"0tenant@acme=1", true},
      {"a=x y", true},
      {"a_-*/0=!~", true},
      {"", false},
      {",", false},
      {"a", false},
      {"=1", false},
      {"a=", false},
      {"A=1", false},
      {"_a=1", false},
      {"a=1=2", false},
      {"a=1,b=2,a=3", false},
      {"a=\033[31m", false},
      {"a=\xc3\xa4", false},
      {"a b=1", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    cr_expect_eq(wm_trace_state_is_fine(wm_text_of(cases[i].text)), cases[i].fine, "'%s'", cases[i].text);
  cr_expect_not(wm_trace_state_is_fine(WM_NO_TEXT));
  cr_expect_not(wm_trace_state_is_fine((struct wm_text){"a=\0b", 4}));
}

/* "k0=x,k1=x,..." */
static bool members_are_fine(int count, int value_size) {
  char text[4096];
  size_t size = 0;
  for (int i = 0; i < count; i++)
    size += (size_t)snprintf(text + size, sizeof text - size, "%sk%d=%0*d", i ? "," : "", i, value_size, 1);
  return wm_trace_state_is_fine((struct wm_text){text, size});
}

Test(trace, a_state_has_bounds) {
  cr_expect(members_are_fine(32, 1));
  cr_expect_not(members_are_fine(33, 1));
  cr_expect(members_are_fine(1, 256));
  cr_expect_not(members_are_fine(1, 257));
  cr_expect(members_are_fine(4, 250));
  cr_expect_not(members_are_fine(5, 250), "more than 1024 bytes");
}

Test(trace, the_id_is_that_of_the_parent) {
  const struct wm_trace none = {WM_NO_TEXT, WM_NO_TEXT}, some = {WM_TEXT("00-" ID "-" SPAN "-01"), WM_NO_TEXT};
  cr_expect_null(wm_trace_id(&none).bytes);
  cr_expect(wm_text_is(wm_trace_id(&some), ID));
}

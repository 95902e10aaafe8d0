#include "language.h"

/* The rendered text, or the error's. */
static const char *render(const char *text, const struct wm_scope *scope) {
  static struct wm_buf buf;
  static struct wm_error error;
  struct wm_template template;
  size_t at;
  wm_buf_clear(&buf);
  wm_buf_add_string(&buf, "");
  cr_assert_eq(wm_template_parse(wm_text_of(text), &memory, &template, &at, &error), 0, "%s", error.text);
  if (wm_template_render(&template, scope, &buf, &error) == 0)
    return buf.bytes;
  cr_expect_eq(error.code, WM_E_TEMPLATE_FAILED);
  cr_expect_eq(buf.size, 0, "nothing is left of a failed text");
  return error.text;
}

static struct wm_scope scope_of(struct wm_value data) {
  static struct wm_value kept;
  static struct wm_event event;
  kept = data;
  event = event_of("journey.milestone.achieved", &kept);
  return (struct wm_scope){.event = &event};
}

Test(template, fills_in_values_as_people_write_them) {
  struct wm_scope scope = scope_of(OBJECT(MEMBER("s", STRING("J\xc3\xb6rg \"x\"")), MEMBER("i", INTEGER(-7)),
                                          MEMBER("r", REAL(80)), MEMBER("b", BOOLEAN(true)), MEMBER("e", STRING("")),
                                          MEMBER("l", LIST(STRING("a"), INTEGER(1), REAL(0.5), BOOLEAN(false))),
                                          MEMBER("none", EMPTY_LIST), MEMBER("a b", STRING("quoted"))));
  cr_expect_str_eq(render("{{data.s}}", &scope), "J\xc3\xb6rg \"x\"");
  cr_expect_str_eq(render("n={{ data.i }} {{data.r}} {{ data.b}}.", &scope), "n=-7 80.0 true.");
  cr_expect_str_eq(render("[{{ data.l }}][{{ data.none }}][{{ data.e }}]", &scope), "[a, 1, 0.5, false][][]");
  cr_expect_str_eq(render("{{ event.type }} {{ data.\"a b\" }}", &scope), "journey.milestone.achieved quoted");
}

Test(template, text_without_placeholders_stays) {
  struct wm_scope scope = scope_of(EMPTY_OBJECT);
  cr_expect_str_eq(render("", &scope), "");
  cr_expect_str_eq(render("plain { single } and }} too", &scope), "plain { single } and }} too");
}

Test(template, four_braces_are_two) {
  struct wm_scope scope = scope_of(OBJECT(MEMBER("x", INTEGER(1))));
  cr_expect_str_eq(render("{{{{ data.x }}", &scope), "{{ data.x }}");
  cr_expect_str_eq(render("{{{{{{ data.x }}", &scope), "{{1");
  cr_expect_str_eq(render("{{{{{{{{", &scope), "{{{{");
}

Test(template, what_has_no_text_fails_with_its_name) {
  struct wm_scope scope = scope_of(OBJECT(MEMBER("null", NOTHING), MEMBER("o", EMPTY_OBJECT),
                                          MEMBER("deep", LIST(STRING("a"), LIST(INTEGER(1)))),
                                          MEMBER("holes", LIST(STRING("a"), NOTHING))));
  cr_expect_str_eq(render("Hello {{ user.name }}", &scope), "'user.name' is absent");
  cr_expect_str_eq(render("{{ data.x.y }}", &scope), "'data.x.y' is absent");
  cr_expect_str_eq(render("{{ data.null }}", &scope), "'data.null' is null");
  cr_expect_str_eq(render("{{ data.o }}", &scope), "'data.o' is an object");
  cr_expect_str_eq(render("{{ data.deep }}", &scope),
                   "'data.deep' is a list with more in it than texts, numbers and booleans");
  cr_expect_str_eq(render("{{ data.holes }}", &scope),
                   "'data.holes' is a list with more in it than texts, numbers and booleans");
}

Test(template, a_text_that_never_ends_fails) {
  static char bytes[WM_TEMPLATE_LIMIT];
  memset(bytes, 'x', sizeof(bytes));
  struct wm_value value = {.type = WM_STRING, .string = {bytes, sizeof(bytes)}};
  struct wm_scope scope = scope_of(OBJECT(MEMBER("x", value)));
  cr_expect_eq(strlen(render("{{ data.x }}", &scope)), WM_TEMPLATE_LIMIT);
  cr_expect_str_eq(render("{{ data.x }}!", &scope), "the text is longer than 65536 bytes");
}

Test(template, what_is_not_a_placeholder_is_invalid_and_located) {
  static const struct {
    const char *text;
    size_t at;
    const char *why;
  } cases[] = {
      {"Hello {{ user.name", 6, "a placeholder '{{' is not closed, write '{{{{' for two braces"},
      {"{{ user.name }} {{", 16, "a placeholder '{{' is not closed, write '{{{{' for two braces"},
      {"ab {{ usr.name }}", 3, "unknown path 'usr.name', did you mean 'user.name'"},
      {"{{}}", 0, "an empty path"},
      {"{{ data.\"}}\" }} {{ x y }}", 16, "path 'x y' does not begin with 'event.', 'data.' or 'user.'"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wm_template template;
    struct wm_error error;
    size_t at = 999;
    cr_expect_eq(wm_template_parse(wm_text_of(cases[i].text), &memory, &template, &at, &error), -1);
    cr_expect_eq(error.code, WM_E_TEMPLATE_INVALID);
    cr_expect_eq(at, cases[i].at, "%s", cases[i].text);
    cr_expect_str_eq(error.text, cases[i].why);
  }
}

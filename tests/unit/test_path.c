#include "language.h"

static const char *refusal(const char *text) {
  static struct wm_error error;
  struct wm_path path;
  if (wm_path_parse(wm_text_of(text), &memory, &path, &error) == 0)
    return "taken";
  cr_expect_eq(error.code, WM_E_PATH_UNKNOWN);
  return error.text;
}

Test(path, takes_what_the_contract_lists) {
  static const char *const paths[] = {
      "event.type",
      "event.partnerregion2",
      "data.a",
      "data.a.b.c",
      "data.\"a.b\"",
      "data.\"a.b\".c.\"d e\"",
      "data.gr\xc3\xb6n-1",
      "user.roles",
      "user.status",
      "user.type",
      "user.org-units.division",
      "user.groups",
      "user.portals",
      "user.manager",
      "user.name",
      "user.email",
      "user.attributes.tier",
      "user.attributes.a.\"b.c\"",
  };
  for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
    cr_expect_str_eq(refusal(paths[i]), "taken", "%s", paths[i]);
}

Test(path, says_what_was_likely_meant) {
  static const char *const cases[][2] = {
      {"usr.roles", "unknown path 'usr.roles', did you mean 'user.roles'"},
      {"dat.score", "unknown path 'dat.score', did you mean 'data.score'"},
      {"score", "unknown path 'score', did you mean 'data.score'"},
      {"journey.id", "unknown path 'journey.id', did you mean 'data.journey.id'"},
      {"roles", "unknown path 'roles', did you mean 'user.roles'"},
      {"subject", "unknown path 'subject', did you mean 'event.subject'"},
      {"user.role", "unknown path 'user.role', did you mean 'user.roles'"},
      {"user.org-unit.division", "unknown path 'user.org-unit.division', did you mean 'user.org-units.division'"},
      {"event.Type", "unknown path 'event.Type', did you mean 'event.type'"},
      {"event.data.score", "unknown path 'event.data.score', did you mean 'data.score'"},
      {"user.tier", "unknown path 'user.tier', a field of the profile's attributes is 'user.attributes.<name>'"},
      {"user.org-units", "path 'user.org-units' needs one more name, did you mean 'user.org-units.<type>'"},
      {"user.attributes", "path 'user.attributes' needs one more name, did you mean 'user.attributes.<name>'"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    cr_expect_str_eq(refusal(cases[i][0]), cases[i][1]);
}

Test(path, refuses_what_no_event_and_no_user_has) {
  static const char *const paths[] = {
      "",
      "  ",
      ".",
      "data",
      "data.",
      "data..a",
      "data.a.",
      "event",
      "event.",
      "event.data",
      "event.a-b",
      "event.a.b",
      "user",
      "user.",
      "user.roles.x",
      "user.name.first",
      "user.org-units.division.x",
      "user.managers",
      "user.accounts",
      "data.\"a",
      "data.\"a\"b",
      "data.a\"b\"",
      "data.a b",
      "data.\"\"",
      "USER.roles",
      "a b",
      "{ data.x",
  };
  for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
    cr_expect_str_neq(refusal(paths[i]), "taken", "%s", paths[i]);
}

Test(path, is_trimmed_and_keeps_how_it_was_written) {
  struct wm_path path = path_of("  data.\"a.b\".c\n");
  cr_assert(wm_text_is(path.written, "data.\"a.b\".c"));
  cr_assert_eq(path.count, 2);
  cr_assert(wm_text_is(path.names[0], "a.b"));
  cr_assert(wm_text_is(path.names[1], "c"));
}

static const struct wm_value *get(const char *text, const struct wm_scope *scope) {
  struct wm_path path = path_of(text);
  return wm_path_get(&path, scope);
}

Test(path, follows_names_into_the_event) {
  struct wm_value data = OBJECT(MEMBER("a", OBJECT(MEMBER("b.c", INTEGER(5)), MEMBER("n", NOTHING))));
  struct wm_event event = event_of("journey.started", &data);
  struct wm_scope scope = {.event = &event};
  cr_assert_eq(get("data.a.\"b.c\"", &scope)->integer, 5);
  cr_assert_eq(get("data.a.n", &scope)->type, WM_NULL);
  cr_assert(wm_text_is(get("event.type", &scope)->string, "journey.started"));
  cr_assert_null(get("data.a.b.c", &scope));
  cr_assert_null(get("data.a.n.x", &scope), "nothing is below null");
  cr_assert_null(get("event.subject", &scope));
  event.data = NULL;
  cr_assert_null(get("data.a", &scope));
}

Test(path, user_fields_need_a_profile) {
  struct wm_user user = user_of(OBJECT(MEMBER("name", STRING("Jane")), MEMBER("groups", LIST(STRING("g"))),
                                       MEMBER("org-units", OBJECT(MEMBER("division", LIST(STRING("acme"))))),
                                       MEMBER("attributes", OBJECT(MEMBER("a", OBJECT(MEMBER("b", INTEGER(1))))))));
  struct wm_event event = event_of("journey.started", NULL);
  struct wm_value roles = EMPTY_LIST;
  struct wm_scope scope = {.event = &event, .user = &user, .roles = &roles};
  cr_assert(wm_text_is(get("user.name", &scope)->string, "Jane"));
  cr_assert_eq(get("user.org-units.division", &scope)->list.count, 1);
  cr_assert_eq(get("user.attributes.a.b", &scope)->integer, 1);
  cr_assert_null(get("user.email", &scope));
  user.profile.clock = WM_NO_CLOCK;
  cr_assert_null(get("user.name", &scope), "without a profile");
  cr_assert_eq(get("user.roles", &scope), &roles, "roles are there without a profile");
  scope.user = NULL;
  cr_assert_null(get("user.roles", &scope), "an event without a user");
  cr_assert_null(get("user.name", &scope));
}

Test(path, knows_which_fields_are_lists_and_which_are_the_users) {
  static const char *const lists[] = {"user.roles", "user.groups", "user.portals", "user.org-units.division"};
  static const char *const others[] = {"user.name", "user.attributes.groups", "data.groups", "event.type"};
  for (size_t i = 0; i < 4; i++) {
    struct wm_path list = path_of(lists[i]), other = path_of(others[i]);
    cr_expect(wm_path_is_list(&list), "%s", lists[i]);
    cr_expect_not(wm_path_is_list(&other), "%s", others[i]);
    cr_expect(wm_path_is_user(&list));
    cr_expect_eq(wm_path_is_user(&other), i < 2, "%s", others[i]);
  }
}

Test(path, equal_is_by_names_not_by_spelling) {
  struct wm_path a = path_of("data.a.b"), b = path_of("data.\"a\".\"b\""), c = path_of("data.\"a.b\"");
  cr_assert(wm_path_equal(&a, &b));
  cr_assert_not(wm_path_equal(&a, &c));
}

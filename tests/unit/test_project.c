#include "tests/unit/given.h"

#include "core/derive.h"

#define NOW (1000 * SECOND)
#define ACTIVE MEMBER("status", STRING("active"))

/* Whoever 'user' was: on the heap only when he came without a profile. */
static void forget_user(void) {
  if (user && wm_user_has_profile(user))
    wm_arena_release(&user->arena);
  else
    wm_user_free(user);
  user = NULL;
}

/* user-7 with a profile of these fields. */
#define GIVEN_PROFILE(...)                                                                                             \
  do {                                                                                                                 \
    static struct wm_user someone;                                                                                     \
    forget_user();                                                                                                     \
    someone = user_of(OBJECT(__VA_ARGS__));                                                                            \
    wm_profile_read(&someone.profile);                                                                                 \
    user = &someone;                                                                                                   \
  } while (0)

static bool set_has(const struct wm_role_set *set, struct wm_text role) {
  for (size_t i = 0; i < set->count; i++)
    if (wm_text_equal(set->roles[i]->name, role))
      return true;
  return false;
}

static struct wm_role_set project(void) {
  struct wm_role_set set;
  cr_assert(wm_project(workspace, user, NOW, &memory, &set) == 0);
  for (size_t i = 0; i < workspace->role_count; i++) {
    const struct wm_role *role = &workspace->roles[i];
    cr_assert_eq(wm_project_has(workspace, user, role->name, NOW), set_has(&set, role->name),
                 "one role alone is the same as all together");
  }
  return set;
}

static bool has(const char *role) {
  struct wm_role_set set = project();
  return set_has(&set, wm_text_of(role));
}

static void assign(const char *role, int64_t until_us) {
  if (!user)
    user = wm_user_new(WM_TEXT("user-7"), 0);
  struct wm_grant grant = {.source = WM_TEXT("manual"), .until_us = until_us};
  grant.clock = (struct wm_clock){SECOND, WM_TEXT("/s"), WM_TEXT("i"), WM_TEXT(""), 0};
  enum wm_write write;
  struct wm_clock stands;
  cr_assert(wm_user_add_grant(user, wm_text_of(role), &grant, NOW, &write, &stands) == 0);
}

/* A role 'r' that is derived by one criterion. */
static void given_derived(struct wm_criterion criterion) {
  given_criterion(given_role("r"), criterion);
  close_workspace();
}

Test(project, nobody_has_no_roles) {
  given_role("a");
  close_workspace();
  cr_assert_eq(project().count, 0);
}

Test(project, assigned_roles_of_the_catalogue_are_effective_by_name) {
  given_role("b");
  given_role("a");
  given_role("c");
  close_workspace();
  assign("c", WM_NEVER);
  assign("a", WM_NEVER);
  assign("not-in-the-catalogue", WM_NEVER);
  struct wm_role_set set = project();
  cr_assert_eq(set.count, 2);
  EXPECT_TEXT(set.roles[0]->name, "a");
  EXPECT_TEXT(set.roles[1]->name, "c");
  cr_assert_not(set_has(&set, WM_TEXT("b")));
  cr_assert_not(wm_project_has(workspace, user, WM_TEXT("not-in-the-catalogue"), NOW));
}

Test(project, ended_grant_is_not_effective) {
  given_role("a");
  close_workspace();
  assign("a", NOW);
  cr_assert_not(has("a"));
}

Test(project, role_that_is_not_active_is_not_in_force) {
  given_role("a")->status = WM_ROLE_INACTIVE;
  given_role("b")->status = WM_ROLE_ARCHIVED;
  close_workspace();
  assign("a", WM_NEVER);
  assign("b", WM_NEVER);
  cr_assert_eq(project().count, 0);
  cr_assert_eq(wm_role_fits(&workspace->roles[0], user), WM_E_ROLE_INACTIVE);
  cr_assert_eq(wm_role_fits(&workspace->roles[1], user), WM_E_ROLE_ARCHIVED);
}

Test(project, user_who_is_not_active_has_none_in_force) {
  given_role("a");
  close_workspace();
  GIVEN_PROFILE(MEMBER("status", STRING("suspended")));
  assign("a", WM_NEVER);
  cr_assert_not(has("a"));
  cr_assert_eq(wm_role_fits(&workspace->roles[0], user), WM_E_USER_INACTIVE);
  user->profile.status = WM_USER_ACTIVE;
  cr_assert(has("a"), "he kept his grant");
}

Test(project, type_must_fit_where_both_are_known) {
  given_role("a")->type = WM_TEXT("partner");
  close_workspace();
  assign("a", WM_NEVER);
  cr_assert(has("a"), "nothing is known of the user");
  GIVEN_PROFILE(ACTIVE);
  assign("a", WM_NEVER);
  cr_assert(has("a"), "his type is not known");
  GIVEN_PROFILE(ACTIVE, MEMBER("type", STRING("partner")));
  assign("a", WM_NEVER);
  cr_assert(has("a"));
  GIVEN_PROFILE(ACTIVE, MEMBER("type", STRING("guest")));
  assign("a", WM_NEVER);
  cr_assert_not(has("a"));
  cr_assert_eq(wm_role_fits(&workspace->roles[0], user), WM_E_ROLE_TYPE_MISMATCH);
}

Test(project, one_of_the_portals_is_enough) {
  static struct wm_text portals[] = {{"partners", 8}, {"shop", 4}};
  struct wm_role *role = given_role("a");
  role->portals = portals;
  role->portal_count = 2;
  close_workspace();
  assign("a", WM_NEVER);
  cr_assert(has("a"), "nothing is known of the user");
  GIVEN_PROFILE(ACTIVE, MEMBER("portals", LIST(STRING("intranet"), STRING("shop"))));
  assign("a", WM_NEVER);
  cr_assert(has("a"));
  GIVEN_PROFILE(ACTIVE, MEMBER("portals", LIST(STRING("intranet"))));
  assign("a", WM_NEVER);
  cr_assert_not(has("a"));
  cr_assert_eq(wm_role_fits(&workspace->roles[0], user), WM_E_ROLE_PORTAL_MISMATCH);
  GIVEN_PROFILE(ACTIVE);
  assign("a", WM_NEVER);
  cr_assert_not(has("a"), "the profile is known and names none");
}

Test(project, nothing_is_derived_without_a_profile) {
  given_derived((struct wm_criterion){.kind = WM_CRITERION_ALL});
  user = wm_user_new(WM_TEXT("user-7"), 0);
  cr_assert_not(has("r"));
}

Test(project, all_is_for_everybody_with_a_profile) {
  given_derived((struct wm_criterion){.kind = WM_CRITERION_ALL});
  GIVEN_PROFILE(ACTIVE);
  cr_assert(has("r"));
}

Test(project, derived_role_must_be_active_and_fit) {
  struct wm_role *role = given_role("r");
  role->type = WM_TEXT("partner");
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_ALL});
  role = given_role("s");
  role->status = WM_ROLE_ARCHIVED;
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_ALL});
  close_workspace();
  GIVEN_PROFILE(ACTIVE, MEMBER("type", STRING("guest")));
  cr_assert_eq(project().count, 0);
  cr_assert(wm_role_is_derived(&workspace->roles[0], user, NOW, NULL), "derived all the same");
  GIVEN_PROFILE(MEMBER("status", STRING("suspended")), MEMBER("type", STRING("partner")));
  cr_assert_eq(project().count, 0);
}

Test(project, user_criterion_names_one) {
  given_derived((struct wm_criterion){.kind = WM_CRITERION_USER, .name = WM_TEXT("user-2")});
  GIVEN_PROFILE(ACTIVE, MEMBER("manager", STRING("user-2")));
  cr_assert_not(has("r"), "his manager is another");
  user->id = WM_TEXT("user-2");
  cr_assert(has("r"));
}

Test(project, user_criterion_with_subordinates_takes_direct_ones) {
  given_derived(
      (struct wm_criterion){.kind = WM_CRITERION_USER, .name = WM_TEXT("user-2"), .include_subordinates = true});
  GIVEN_PROFILE(ACTIVE, MEMBER("manager", STRING("user-2")));
  cr_assert(has("r"));
  GIVEN_PROFILE(ACTIVE, MEMBER("managers", LIST(STRING("user-1"), STRING("user-2"))));
  cr_assert(has("r"));
  GIVEN_PROFILE(ACTIVE, MEMBER("managers", LIST(STRING("user-2"), STRING("user-1"))));
  cr_assert_not(has("r"), "not the direct manager");
  GIVEN_PROFILE(ACTIVE);
  user->id = WM_TEXT("user-2");
  cr_assert(has("r"), "himself too");
}

#define UNITS(...) MEMBER("org-units", OBJECT(__VA_ARGS__))
#define UNIT(kind, ...) MEMBER(kind, LIST(__VA_ARGS__))

Test(project, org_unit_is_the_last_of_a_path) {
  given_derived((struct wm_criterion){.kind = WM_CRITERION_ORG_UNIT, .name = WM_TEXT("emea")});
  GIVEN_PROFILE(ACTIVE, UNITS(UNIT("division", STRING("acme"), STRING("emea"))));
  cr_assert(has("r"));
  GIVEN_PROFILE(ACTIVE, UNITS(UNIT("division", STRING("acme"), STRING("emea"), STRING("sales"))));
  cr_assert_not(has("r"), "a unit below");
  GIVEN_PROFILE(ACTIVE, UNITS(UNIT("division", STRING("acme")), UNIT("region", STRING("emea"))));
  cr_assert(has("r"), "any hierarchy");
  GIVEN_PROFILE(ACTIVE, UNITS(MEMBER("division", EMPTY_LIST)));
  cr_assert_not(has("r"));
}

Test(project, org_unit_with_subordinates_takes_all_below) {
  given_derived(
      (struct wm_criterion){.kind = WM_CRITERION_ORG_UNIT, .name = WM_TEXT("emea"), .include_subordinates = true});
  GIVEN_PROFILE(ACTIVE, UNITS(UNIT("division", STRING("acme"), STRING("emea"), STRING("sales"))));
  cr_assert(has("r"));
  GIVEN_PROFILE(ACTIVE, UNITS(UNIT("division", STRING("acme"))));
  cr_assert_not(has("r"), "a unit above");
}

Test(project, org_unit_type_narrows_to_one_hierarchy) {
  given_derived((struct wm_criterion){
      .kind = WM_CRITERION_ORG_UNIT, .name = WM_TEXT("emea"), .org_unit_type = WM_TEXT("division")});
  GIVEN_PROFILE(ACTIVE, UNITS(UNIT("region", STRING("emea"))));
  cr_assert_not(has("r"));
  GIVEN_PROFILE(ACTIVE, UNITS(UNIT("region", STRING("x")), UNIT("division", STRING("emea"))));
  cr_assert(has("r"));
}

Test(project, group_is_exact) {
  given_derived((struct wm_criterion){.kind = WM_CRITERION_GROUP, .name = WM_TEXT("certified")});
  GIVEN_PROFILE(ACTIVE, MEMBER("groups", LIST(STRING("staff"), STRING("certified"))));
  cr_assert(has("r"));
  GIVEN_PROFILE(ACTIVE, MEMBER("groups", LIST(STRING("Certified"), STRING("certified-gold"))));
  cr_assert_not(has("r"));
}

Test(project, manager_of_anyone_is_what_the_profile_says) {
  given_derived((struct wm_criterion){.kind = WM_CRITERION_MANAGER});
  GIVEN_PROFILE(ACTIVE, MEMBER("manager-of-anyone", BOOLEAN(true)));
  cr_assert(has("r"));
  GIVEN_PROFILE(ACTIVE, MEMBER("manager-of-anyone", BOOLEAN(false)));
  cr_assert_not(has("r"));
  GIVEN_PROFILE(ACTIVE);
  cr_assert_not(has("r"));
}

Test(project, when_asks_the_profile) {
  given_derived((struct wm_criterion){.kind = WM_CRITERION_WHEN,
                                      .when = ALL(FIELD("user.attributes.tier", TEST("is", STRING("gold"))),
                                                  FIELD("user.attributes.level", TEST("at-least", INTEGER(3))))});
  GIVEN_PROFILE(ACTIVE, MEMBER("attributes", OBJECT(MEMBER("tier", STRING("gold")), MEMBER("level", INTEGER(3)))));
  cr_assert(has("r"));
  GIVEN_PROFILE(ACTIVE, MEMBER("attributes", OBJECT(MEMBER("tier", STRING("gold")), MEMBER("level", INTEGER(2)))));
  cr_assert_not(has("r"));
  GIVEN_PROFILE(ACTIVE, MEMBER("attributes", OBJECT(MEMBER("tier", STRING("gold")))));
  cr_assert_not(has("r"), "cannot tell is not yes");
}

Test(project, when_by_one_of_several_or_a_list) {
  struct wm_role *role = given_role("in");
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_WHEN,
                                              .when = ALL(FIELD("user.attributes.tier",
                                                                TEST("in", LIST(STRING("gold"), STRING("silver")))))});
  role = given_role("has");
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_WHEN,
                                              .when = ALL(FIELD("user.groups", TEST("has", STRING("staff"))))});
  role = given_role("not");
  given_criterion(role,
                  (struct wm_criterion){.kind = WM_CRITERION_WHEN,
                                        .when = ALL(FIELD("user.attributes.tier", TEST("is-not", STRING("gold"))))});
  role = given_role("number");
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_WHEN,
                                              .when = ALL(FIELD("user.attributes.level", TEST("is", REAL(3.0))))});
  close_workspace();
  GIVEN_PROFILE(ACTIVE, MEMBER("groups", LIST(STRING("all"), STRING("staff"))),
                MEMBER("attributes", OBJECT(MEMBER("tier", STRING("silver")), MEMBER("level", INTEGER(3)))));
  cr_assert_eq(project().count, 4);
  GIVEN_PROFILE(ACTIVE, MEMBER("attributes", OBJECT(MEMBER("tier", STRING("gold")))));
  cr_assert(has("in"));
  cr_assert_eq(project().count, 1);
}

Test(project, criterion_on_roles_would_be_a_loop_and_never_holds) {
  given_derived((struct wm_criterion){.kind = WM_CRITERION_WHEN,
                                      .when = ALL(FIELD("user.roles", TEST("has-none", LIST(STRING("x")))))});
  GIVEN_PROFILE(ACTIVE);
  cr_assert_not(has("r"));
}

Test(project, first_criterion_that_holds_is_told) {
  struct wm_role *role = given_role("r");
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_GROUP, .name = WM_TEXT("a")});
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_GROUP, .name = WM_TEXT("b"), .line = 7});
  given_criterion(role, (struct wm_criterion){.kind = WM_CRITERION_ALL});
  close_workspace();
  GIVEN_PROFILE(ACTIVE, MEMBER("groups", LIST(STRING("b"))));
  const struct wm_criterion *criterion = NULL;
  cr_assert(wm_role_is_derived(&workspace->roles[0], user, NOW, &criterion));
  cr_assert_eq(criterion->line, 7);
}

/* user-7 came at 995 s, and it is 1000 s. */
static void given_times(struct wm_condition *when) {
  struct wm_error error = {0};
  for (size_t i = 0; i < when->count; i++)
    for (size_t t = 0; t < when->children[i].test_count; t++)
      cr_assert_eq(wm_test_check(&when->children[i].tests[t], &error), 0, "%s", error.text);
  given_derived((struct wm_criterion){.kind = WM_CRITERION_WHEN, .when = *when});
  GIVEN_PROFILE(ACTIVE, MEMBER("attributes", OBJECT(MEMBER("came", STRING("1970-01-01T00:16:35Z")))));
}

Test(project, criterion_that_goes_by_time_names_its_turn) {
  struct wm_condition when = ALL(FIELD("user.attributes.came", TEST("within", STRING("10s"))));
  given_times(&when);
  int64_t turn_us = 1005 * SECOND + 1;
  cr_assert_eq(wm_project_next_turn(workspace, user, NOW), turn_us);
  cr_assert_eq(wm_role_next_turn(&workspace->roles[0], user, NOW), turn_us);
  cr_assert(wm_project_has(workspace, user, WM_TEXT("r"), turn_us - 1));
  cr_assert_not(wm_project_has(workspace, user, WM_TEXT("r"), turn_us));
  cr_assert_eq(wm_project_next_turn(workspace, user, turn_us), WM_NEVER, "it turns once");
}

Test(project, nearest_turn_of_several_counts) {
  struct wm_condition when = ALL(FIELD("user.attributes.came", TEST("older-than", STRING("7s"))),
                                 FIELD("user.attributes.came", TEST("within", STRING("20s"))),
                                 FIELD("user.attributes.gone", TEST("within", STRING("6s"))));
  given_times(&when);
  cr_assert_eq(wm_project_next_turn(workspace, user, NOW), 1002 * SECOND + 1);
  cr_assert_eq(wm_project_next_turn(workspace, user, 1003 * SECOND), 1015 * SECOND + 1);
}

Test(project, criterion_without_a_clock_never_turns) {
  struct wm_condition when = ALL(FIELD("user.attributes.came", TEST("before", STRING("2026-01-01T00:00:00Z"))));
  given_times(&when);
  cr_assert_eq(wm_project_next_turn(workspace, user, NOW), WM_NEVER);
}

Test(project, set_as_a_value_is_a_list_of_names) {
  given_role("b");
  given_role("a");
  close_workspace();
  assign("a", WM_NEVER);
  assign("b", WM_NEVER);
  struct wm_role_set set = project(), empty = {0};
  struct wm_value *list = wm_role_set_value(&set, &memory);
  cr_assert_eq(list->type, WM_LIST);
  cr_assert_eq(list->list.count, 2);
  EXPECT_TEXT(list->list.items[0].string, "a");
  list = wm_role_set_value(&empty, &memory);
  cr_assert_eq(list->type, WM_LIST);
  cr_assert_eq(list->list.count, 0);
}

/* The index finds what going through every criterion finds. */
Test(project, index_leaves_nothing_out) {
  static const char *const names[] = {"a", "b", "c", "d", "e", "user-7", "user-2"};
  for (size_t i = 0; i < ROOM; i++) {
    char *name = wm_arena_copy(&memory, "role-00", 7);
    name[5] = (char)('0' + i / 10);
    name[6] = (char)('0' + i % 10);
    struct wm_role *role = given_role(name);
    for (size_t c = 0; c < 3; c++) {
      size_t number = i * 3 + c;
      struct wm_criterion criterion = {.name = wm_text_of(names[number * 5 % 7]),
                                       .include_subordinates = number % 4 == 0};
      criterion.kind = (enum wm_criterion_kind)(1 + number % 3);
      if (number % 11 == 0)
        criterion.org_unit_type = WM_TEXT("region");
      if (number % 17 == 0)
        criterion =
            (struct wm_criterion){.kind = WM_CRITERION_WHEN,
                                  .when = ALL(FIELD("user.attributes.tier", TEST("is", STRING(names[number % 7]))))};
      given_criterion(role, criterion);
    }
  }
  close_workspace();
  for (size_t i = 0; i < 60; i++) {
    GIVEN_PROFILE(ACTIVE, MEMBER("manager", STRING(names[i % 7])),
                  UNITS(UNIT("division", STRING(names[i % 5]), STRING(names[i / 5 % 5])),
                        UNIT("region", STRING(names[i / 7 % 5]))),
                  MEMBER("groups", LIST(STRING(names[i * 3 % 7]))),
                  MEMBER("attributes", OBJECT(MEMBER("tier", STRING(names[i % 7])))));
    struct wm_role_set set = project(); /* compares with wm_project_has, which knows no index */
    cr_assert_gt(set.count, 0);
    cr_assert_lt(set.count, ROOM);
  }
}

Test(project, more_paths_than_the_index_takes_are_asked_one_by_one) {
  static char names[100][32], values[100][16];
  struct wm_member members[100];
  for (int i = 0; i < 100; i++) {
    snprintf(names[i], sizeof(names[i]), "user.attributes.field-%d", i);
    snprintf(values[i], sizeof(values[i]), "value-%d", i);
    members[i] = MEMBER(names[i] + strlen("user.attributes."), STRING(values[i]));
    given_criterion(
        i % 50 == 0 ? given_role(values[i]) : &workspace->roles[workspace->role_count - 1],
        (struct wm_criterion){.kind = WM_CRITERION_WHEN, .when = ALL(FIELD(names[i], TEST("is", STRING(values[i]))))});
  }
  close_workspace();
  for (int i = 0; i < 100; i++) {
    GIVEN_PROFILE(ACTIVE, MEMBER("attributes", object_of(&members[i], 1)));
    cr_assert_eq(project().count, 1, "%s", names[i]);
  }
}

#include "tests/unit/given.h"

Test(workspace, empty_one_can_be_finished) {
  close_workspace();
  cr_assert_null(wm_workspace_role(workspace, WM_TEXT("a")));
  cr_assert_null(wm_workspace_channel(workspace, WM_TEXT("a")));
  cr_assert_null(wm_workspace_automation(workspace, WM_TEXT("a")));
  wm_workspace_free(workspace);
  wm_workspace_free(NULL);
}

Test(workspace, everything_is_found_by_its_name) {
  static const char *const names[] = {"m", "c", "z", "a", "x", "a-b", "ab"};
  size_t count = sizeof(names) / sizeof(*names);
  for (size_t i = 0; i < count; i++) {
    given_role(names[i]);
    given_channel(names[i]);
    given_automation(names[i]);
  }
  close_workspace();
  for (size_t i = 0; i < count; i++) {
    struct wm_text name = wm_text_of(names[i]);
    EXPECT_TEXT(wm_workspace_role(workspace, name)->name, names[i]);
    EXPECT_TEXT(wm_workspace_channel(workspace, name)->name, names[i]);
    EXPECT_TEXT(wm_workspace_automation(workspace, name)->name, names[i]);
  }
  cr_assert_null(wm_workspace_role(workspace, WM_TEXT("b")));
  for (size_t i = 1; i < count; i++)
    cr_assert_lt(wm_text_compare(workspace->automations[i - 1].name, workspace->automations[i].name), 0);
}

Test(workspace, tasks_are_sorted_by_sequence) {
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 20, "x");
  given_add(automation, -10, "y");
  given_add(automation, 3, "z");
  close_workspace();
  cr_assert_eq(workspace->automations[0].tasks[0].sequence, -10);
  cr_assert_eq(workspace->automations[0].tasks[1].sequence, 3);
  cr_assert_eq(workspace->automations[0].tasks[2].sequence, 20);
}

Test(workspace, automation_that_reads_roles_is_marked) {
  given_when(given_automation("a"), ALL(FIELD("user.type", TEST("is", STRING("guest")))));
  given_when(given_automation("b"),
             ALL(FIELD("data.x", TEST("is", INTEGER(1))), NOT(FIELD("user.roles", TEST("has", STRING("x"))))));
  close_workspace();
  cr_assert_not(workspace->automations[0].reads_roles);
  cr_assert(workspace->automations[1].reads_roles);
}

Test(workspace, nearest_role_is_suggested) {
  given_role("certified-partner");
  given_role("new-partner");
  close_workspace();
  EXPECT_TEXT(wm_workspace_near_role(workspace, WM_TEXT("certifiedpartner")), "certified-partner");
  cr_assert_null(wm_workspace_near_role(workspace, WM_TEXT("x")).bytes);
}

Test(workspace, task_types_are_found_by_name) {
  cr_assert_eq(wm_task_type_find(WM_TEXT("change-role")), &wm_change_role);
  cr_assert_eq(wm_task_type_find(WM_TEXT("notify")), &wm_notify);
  cr_assert_null(wm_task_type_find(WM_TEXT("change")));
  for (size_t i = 0; wm_task_types[i]; i++)
    for (const struct wm_field *field = wm_task_types[i]->fields; field->name; field++)
      cr_assert_gt(strlen(field->summary), 0);
}

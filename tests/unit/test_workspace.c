#include "core/match.h"
#include "core/project.h"
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

/* --- what was said at run time --- */

static struct wm_running running;
static struct wm_overlay overlay;

static void say(enum wm_running_kind kind, const char *name, enum wm_running_state state) {
  struct wm_running_word word = {.kind = kind, .name = wm_text_of(name), .state = state};
  cr_assert_geq(wm_running_take(&running, &word, NULL), 0);
  cr_assert_eq(wm_workspace_overlay(workspace, &running, &overlay, NULL), 0);
}

static size_t sifted(void) {
  struct wm_event event = milestone("e", 1);
  struct wm_candidates candidates;
  cr_assert_eq(wm_index_sift(workspace->index, &event, &memory, &candidates), 0);
  return candidates.count;
}

Test(overlay, an_automation_that_is_off_is_not_matched_until_it_is_on) {
  given_automation("a");
  given_automation("b")->enabled = false;
  close_workspace();
  cr_expect_eq(sifted(), 1);
  say(WM_RUNNING_AUTOMATION, "a", WM_RUNNING_OFF);
  cr_expect_eq(overlay.automations, 1);
  cr_expect_eq(sifted(), 0);
  cr_expect_not(workspace->automations[0].enabled);
  cr_expect(workspace->automations[0].written_enabled);
  cr_expect(wm_index_takes(workspace->index, WM_TEXT("journey.milestone.achieved")));
  say(WM_RUNNING_AUTOMATION, "b", WM_RUNNING_ON);
  cr_expect_eq(sifted(), 1);
  say(WM_RUNNING_AUTOMATION, "a", WM_RUNNING_AS_WRITTEN);
  cr_expect_eq(sifted(), 2);
  say(WM_RUNNING_AUTOMATION, "nobody", WM_RUNNING_OFF);
  cr_expect_eq(overlay.automations + overlay.roles, 0);
}

static size_t projected(void) {
  struct wm_role_set set;
  cr_assert_eq(wm_project(workspace, user, 1000 * SECOND, &memory, &set), 0);
  return set.count;
}

Test(overlay, archive_and_back_is_the_identity) {
  struct wm_criterion all = {.kind = WM_CRITERION_ALL};
  given_criterion(given_role("derived"), all);
  given_criterion(given_role("old"), all);
  given_role("assigned");
  workspace->roles[1].status = WM_ROLE_ARCHIVED;
  workspace->catalogue_digest = WM_TEXT("0123456789ab");
  close_workspace();
  decide(profile_event("p", 1, OBJECT(MEMBER("status", STRING("active")))));
  cr_assert_eq(projected(), 1);

  say(WM_RUNNING_ROLE, "derived", WM_RUNNING_OFF);
  cr_expect_eq(overlay.roles, 1);
  cr_expect_eq(projected(), 0);
  cr_expect_eq(workspace->catalogue_digest.size, 12);
  cr_expect_not(wm_text_is(workspace->catalogue_digest, "0123456789ab"));
  struct wm_text before = workspace->catalogue_digest;
  char kept[13] = {0};
  memcpy(kept, before.bytes, 12);
  say(WM_RUNNING_ROLE, "old", WM_RUNNING_ON);
  cr_expect_eq(projected(), 1);
  cr_expect_not(wm_text_is(workspace->catalogue_digest, kept));
  say(WM_RUNNING_ROLE, "derived", WM_RUNNING_ON);
  cr_expect_eq(projected(), 2);
  say(WM_RUNNING_ROLE, "old", WM_RUNNING_AS_WRITTEN);
  EXPECT_TEXT(workspace->catalogue_digest, "0123456789ab");
  cr_expect_eq(projected(), 1);
}

/* The digest follows what stands, not how it came to be. */
Test(overlay, the_digest_follows_the_state_alone) {
  given_role("a");
  given_role("b");
  given_role("c");
  workspace->catalogue_digest = WM_TEXT("0123456789ab");
  close_workspace();
  char first[13] = {0};
  say(WM_RUNNING_ROLE, "a", WM_RUNNING_OFF);
  say(WM_RUNNING_ROLE, "c", WM_RUNNING_OFF);
  memcpy(first, workspace->catalogue_digest.bytes, 12);
  say(WM_RUNNING_ROLE, "a", WM_RUNNING_AS_WRITTEN);
  say(WM_RUNNING_ROLE, "b", WM_RUNNING_OFF);
  cr_expect_not(wm_text_is(workspace->catalogue_digest, first));
  say(WM_RUNNING_ROLE, "b", WM_RUNNING_ON);
  say(WM_RUNNING_ROLE, "a", WM_RUNNING_OFF);
  EXPECT_TEXT(workspace->catalogue_digest, first);
}

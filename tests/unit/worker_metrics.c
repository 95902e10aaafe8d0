#include "worker/metrics.h"

#include <criterion/criterion.h>

static struct metrics metrics;

static void begin(void) {
  metrics_init(&metrics);
}
TestSuite(metrics, .init = begin);

static void fail_one(const char *automation) {
  static const struct wm_task task = {.type = &wm_change_role};
  const struct wm_outcome outcome = {.task = &task, .result = WM_RESULT_FAILED, .code = WM_E_ROLE_UNKNOWN};
  metrics_outcome(&metrics, wm_text_of(automation), &outcome);
}

Test(metrics, a_value_counts_in_the_first_bucket_that_holds_it) {
  struct metrics_histogram histogram = {0};
  metrics_observe(&histogram, metrics_bounds_us, 1000);
  metrics_observe(&histogram, metrics_bounds_us, 1001);
  metrics_observe(&histogram, metrics_bounds_us, INT64_MAX / 4);
  cr_expect_eq(histogram.counts[0], 1);
  cr_expect_eq(histogram.counts[1], 1);
  cr_expect_eq(histogram.counts[METRICS_BUCKETS], 1);
  cr_expect_eq(metrics_total(&histogram), 3);
}

Test(metrics, a_record_from_the_future_has_no_age) {
  struct metrics_histogram histogram = {0};
  metrics_observe(&histogram, metrics_bounds_us, -5);
  cr_expect_eq(histogram.counts[0], 1);
  cr_expect_eq(histogram.sum, 0);
}

Test(metrics, bounds_ascend) {
  for (size_t i = 1; i < METRICS_BUCKETS; i++) {
    cr_expect_lt(metrics_bounds_us[i - 1], metrics_bounds_us[i]);
    cr_expect_lt(metrics_bounds_events[i - 1], metrics_bounds_events[i]);
  }
}

Test(metrics, automations_beyond_the_cap_share_one_row) {
  char name[64];
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < METRICS_AUTOMATIONS + 100; i++) {
      snprintf(name, sizeof name, "automation-%d", i);
      fail_one(name);
    }
  }
  cr_expect_eq(metrics.row_count, METRICS_AUTOMATIONS + 1, "and the row of requests");
  cr_expect_str_eq(metrics.rows[1].name, "automation-0");
  cr_expect_eq(metrics.rows[1].tasks[0][WM_RESULT_FAILED], 2);
  const struct metrics_row *others = &metrics.rows[METRICS_AUTOMATIONS + 1];
  cr_expect_str_eq(others->name, "_other");
  cr_expect_eq(others->tasks[0][WM_RESULT_FAILED], 200);
}

static void follow(size_t count) {
  struct wm_workspace workspace = {.automation_count = count};
  static struct wm_task task = {.type = &wm_notify};
  static char names[METRICS_AUTOMATIONS * 2][16];
  workspace.automations = calloc(count, sizeof *workspace.automations);
  for (size_t i = 0; i < count; i++) {
    snprintf(names[i], sizeof names[i], "a%zu", i);
    workspace.automations[i] = (struct wm_automation){.name = wm_text_of(names[i]), .tasks = &task, .task_count = 1};
  }
  metrics_follow(&metrics, &workspace);
  free(workspace.automations);
}

Test(metrics, what_a_workspace_has_is_shown_before_it_does_anything) {
  follow(3);
  follow(3);
  cr_expect_eq(metrics.row_count, 4);
  cr_expect_str_eq(metrics.rows[3].name, "a2");
  cr_expect(metrics.rows[3].has[1]);
  cr_expect_not(metrics.rows[3].has[0]);
}

Test(metrics, a_large_workspace_leaves_the_rows_to_those_that_do_something) {
  follow(METRICS_AUTOMATIONS + 1);
  cr_expect_eq(metrics.row_count, 1);
  fail_one("a7");
  cr_expect_str_eq(metrics.rows[1].name, "a7");
}

static void move(const char *role, bool effective, enum wm_cause cause) {
  const struct wm_change change = {.role = wm_text_of(role), .effective = effective, .cause = cause};
  metrics_changed(&metrics, &change, 1);
}

Test(metrics, roles_gained_and_lost_are_counted_by_role_and_by_cause) {
  move("member", true, WM_CAUSE_TASK);
  move("expert", true, WM_CAUSE_EXPIRY);
  move("member", true, WM_CAUSE_TASK);
  move("member", false, WM_CAUSE_EXPIRY);
  cr_assert_eq(metrics.role_count, 2);
  cr_expect_str_eq(metrics.roles[0].name, "member");
  cr_expect_eq(metrics.roles[0].gained, 2);
  cr_expect_eq(metrics.roles[0].lost, 1);
  cr_expect_eq(metrics.changes[WM_CAUSE_TASK], 2);
  cr_expect_eq(metrics.changes[WM_CAUSE_EXPIRY], 2);
}

Test(metrics, roles_beyond_the_cap_share_one_row) {
  char name[64];
  for (int i = 0; i < METRICS_ROLES + 100; i++) {
    snprintf(name, sizeof name, "role-%d", i);
    move(name, true, WM_CAUSE_TASK);
  }
  cr_expect_eq(metrics.role_count, METRICS_ROLES);
  cr_expect_str_eq(metrics.roles[METRICS_ROLES].name, "_other");
  cr_expect_eq(metrics.roles[METRICS_ROLES].gained, 100);
}

static void follow_catalogue(size_t count) {
  struct wm_workspace workspace = {.role_count = count};
  static char names[METRICS_ROLES * 2][16];
  workspace.roles = calloc(count, sizeof *workspace.roles);
  for (size_t i = 0; i < count; i++) {
    snprintf(names[i], sizeof names[i], "r%zu", i);
    workspace.roles[i] = (struct wm_role){.name = wm_text_of(names[i])};
  }
  metrics_follow(&metrics, &workspace);
  free(workspace.roles);
}

Test(metrics, roles_of_the_catalogue_are_shown_before_anybody_has_them) {
  follow_catalogue(3);
  follow_catalogue(3);
  cr_expect_eq(metrics.role_count, 3);
  cr_expect_str_eq(metrics.roles[2].name, "r2");
}

Test(metrics, a_large_catalogue_leaves_the_rows_to_roles_that_somebody_gets) {
  follow_catalogue(METRICS_ROLES + 1);
  cr_expect_eq(metrics.role_count, 0);
  move("r7", true, WM_CAUSE_TASK);
  cr_expect_str_eq(metrics.roles[0].name, "r7");
}

Test(metrics, every_task_type_has_a_name_of_its_own) {
  for (size_t i = 0; i < METRICS_TASK_TYPES; i++)
    for (size_t j = 0; j < i; j++)
      cr_expect_str_neq(metrics_task_type(i), metrics_task_type(j));
  cr_expect_null(wm_task_types[METRICS_TASK_TYPES - 1], "a new task type: METRICS_TASK_TYPES is one too small");
}

Test(metrics, the_last_failures_are_kept_and_no_more) {
  char origin[32];
  for (int i = 0; i < METRICS_RECENT + 5; i++) {
    snprintf(origin, sizeof origin, "events/0/%d", i);
    metrics_failure(&metrics, i, WM_E_EVENT_INVALID, WM_NO_TEXT, 0, wm_text_of(origin));
  }
  cr_expect_eq(metrics.failures[WM_E_EVENT_INVALID], METRICS_RECENT + 5);
  cr_expect_str_eq(metrics.recent[4].origin, "events/0/24");
  cr_expect_str_eq(metrics.recent[5].origin, "events/0/5");
  cr_expect_str_eq(metrics.recent[4].automation, "");
}

Test(metrics, every_reason_to_pause_has_a_word) {
  for (size_t i = 0; i < METRICS_PAUSES; i++)
    cr_expect_eq(metrics_pause_of(metrics_pauses[i].reason), i);
  cr_expect_eq(metrics_pause_of("the weather"), METRICS_PAUSES);
  cr_expect_eq(metrics_pause_of(NULL), METRICS_PAUSES);
}

#include "worker/expose.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW INT64_C(90000000)

static struct snapshot *snapshot;
static struct expose_worker worker;
static struct expose expose;
static struct wm_buf buf;

/* A worker at which everything is as it should be. */
static void begin(void) {
  snapshot = calloc(1, sizeof *snapshot);
  cr_assert_not_null(snapshot);
  *snapshot = (struct snapshot){
      .wall_us = INT64_C(1795255200000000),
      .monotonic_us = NOW - 1000000,
      .phase = LOOP_RUNNING,
      .assigned = true,
      .ready = true,
      .clear = true,
      .control_is_known = true,
      .paused = METRICS_PAUSES,
      .partitions = {[PARTITION_LIVE] = 4},
      .lag = 12,
      .workspace = "3f9c2a417b60",
      .catalogue = "9a419c0b83f0",
  };
  metrics_init(&snapshot->metrics);
  worker = (struct expose_worker){.instance = "worker-1", .group = "waymark", .exactly_once = true};
  expose = (struct expose){&worker, snapshot, NOW};
  wm_buf_clear(&buf);
}

static void end(void) {
  free(snapshot);
  wm_buf_release(&buf);
}
TestSuite(expose, .init = begin, .fini = end);

static void fill(void) {
  struct metrics *metrics = &snapshot->metrics;
  const struct wm_task task = {.type = &wm_change_role};
  const struct wm_outcome outcome = {.task = &task, .result = WM_RESULT_CHANGED};
  metrics_outcome(metrics, WM_TEXT("certified-partner"), &outcome);
  metrics_unknown(metrics, WM_TEXT("certified-partner"));
  metrics_failure(metrics, snapshot->wall_us, WM_E_ROLE_UNKNOWN, WM_TEXT("certified-partner"), 10,
                  WM_TEXT("events/3/8812"));
  const struct wm_change change = {.role = WM_TEXT("member"), .cause = WM_CAUSE_EXPIRY};
  metrics_changed(metrics, &change, 1);
  snapshot->stuck_us = 301500000;
  metrics->reload_failed = true;
  metrics_observe(&metrics->commit_lag, metrics_bounds_us, 31000);
  metrics_observe(&metrics->batch_events, metrics_bounds_events, 7);
  snapshot->lags[snapshot->lag_count++] = (struct snapshot_lag){WM_TEXT("journey.milestones"), 3, PARTITION_LIVE, 12};
}

static bool says(const char *text) {
  return strstr(buf.bytes, text) != NULL;
}

/* --- metrics --- */

/* Prometheus' own linter: format, HELP and TYPE, units, names of counters. */
static int promtool(void) {
  char path[] = "/tmp/waymark-metrics-XXXXXX", command[128];
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, buf.bytes, buf.size), (ssize_t)buf.size);
  close(fd);
  snprintf(command, sizeof command, "promtool check metrics < %s", path);
  int code = system(command);
  unlink(path);
  return code;
}

Test(expose, prometheus_has_no_complaint) {
  if (system("promtool --version > /dev/null 2>&1") != 0)
    cr_skip_test("no promtool (tools/setup --tests brings it)");
  fill();
  expose_metrics(&expose, &buf);
  cr_expect_eq(promtool(), 0);
}

Test(expose, every_sample_stands_below_its_family_and_no_series_twice) {
  fill();
  expose_metrics(&expose, &buf);
  char *copy = strdup(buf.bytes), *rest, family[128] = "";
  size_t samples = 0;
  for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    if (strncmp(line, "# ", 2) == 0) {
      cr_assert_eq(sscanf(line + 6, " %127s", family), 1);
      continue;
    }
    size_t size = strlen(family), name = strcspn(line, " {");
    cr_expect(strncmp(line, family, size) == 0, "'%s' stands below '%s'", line, family);
    cr_expect(name == size || line[size] == '_', "'%s' stands below '%s'", line, family);
    char series[512];
    snprintf(series, sizeof series, "\n%.*s ", (int)(strrchr(line, ' ') - line), line);
    const char *first = strstr(buf.bytes, series);
    cr_expect(!first || !strstr(first + 1, series), "'%s' stands there twice", series);
    samples++;
  }
  cr_expect_gt(samples, 100);
  free(copy);
}

Test(expose, numbers_come_with_their_labels_and_units) {
  fill();
  expose_metrics(&expose, &buf);
  cr_expect(says("waymark_tasks_total{automation=\"certified-partner\",type=\"change-role\",result=\"changed\"} 1\n"));
  cr_expect(says("waymark_tasks_total{automation=\"certified-partner\",type=\"change-role\",result=\"failed\"} 0\n"));
  cr_expect(says("waymark_failures_total{code=\"ROLE_UNKNOWN\"} 1\n"));
  cr_expect(says("waymark_failures_total{code=\"EVENT_INVALID\"} 0\n"), "a first one is one more than none");
  cr_expect(says("waymark_automation_unknown_total{automation=\"certified-partner\"} 1\n"));
  cr_expect(says("waymark_partition_lag_records{topic=\"journey.milestones\",partition=\"3\"} 12\n"));
  cr_expect(says("waymark_commit_latency_seconds_bucket{le=\"0.025\"} 0\n"));
  cr_expect(says("waymark_commit_latency_seconds_bucket{le=\"0.05\"} 1\n"));
  cr_expect(says("waymark_commit_latency_seconds_bucket{le=\"300\"} 1\n"));
  cr_expect(says("waymark_commit_latency_seconds_sum 0.031\n"));
  cr_expect(says("waymark_batch_events_bucket{le=\"10\"} 1\n"));
  cr_expect(says("waymark_role_moves_total{role=\"member\",move=\"gained\"} 0\n"));
  cr_expect(says("waymark_role_moves_total{role=\"member\",move=\"lost\"} 1\n"));
  cr_expect(says("waymark_role_moves_total{role=\"_other\",move=\"lost\"} 0\n"));
  cr_expect(says("waymark_role_changes_total{cause=\"expiry\"} 1\n"));
  cr_expect(says("waymark_stuck_seconds 301.5\n"));
  cr_expect(says("waymark_reload_failed 1\n"));
}

Test(expose, json_has_the_same_numbers) {
  fill();
  snapshot->metrics.transactions[METRICS_ABORTED] = 3;
  expose_json(&expose, &buf);
  cr_expect(says("\"codes\":{\"ROLE_UNKNOWN\":1}"), "only those that there are");
  cr_expect(says("\"transactions\":{\"committed\":0,\"aborted\":3,\"uncertain\":0}"));
  cr_expect(says("\"bounds-us\":[1000,2500,5000,"));
  cr_expect(says("\"commit-latency\":{\"sum-us\":31000,\"counts\":[0,0,0,0,0,1,0,"));
}

Test(expose, a_label_can_not_break_out) {
  worker.group = "a\"} 1\nb\\";
  expose_metrics(&expose, &buf);
  cr_expect(says("group=\"a\\\"} 1\\nb\\\\\""));
}

Test(expose, before_the_first_step_it_is_not_ready) {
  expose.snapshot = NULL;
  expose_metrics(&expose, &buf);
  cr_expect(says("waymark_ready 0\n"));
  wm_buf_clear(&buf);
  expose_json(&expose, &buf);
  cr_expect(says("\"state\":\"starting\""));
  wm_buf_clear(&buf);
  expose_page(&expose, false, &buf);
  cr_expect(says("starting"));
}

Test(expose, what_is_shown_has_a_bound) {
  char name[64];
  const struct wm_task task = {.type = &wm_change_role};
  for (int i = 0; i < 100000; i++) {
    snprintf(name, sizeof name, "automation-%d", i);
    for (int result = 0; result <= WM_RESULT_FAILED; result++) {
      const struct wm_outcome outcome = {.task = &task, .result = (enum wm_result)result};
      metrics_outcome(&snapshot->metrics, wm_text_of(name), &outcome);
    }
    const struct wm_change change = {.role = wm_text_of(name), .effective = i % 2 == 0};
    metrics_changed(&snapshot->metrics, &change, 1);
  }
  expose_metrics(&expose, &buf);
  cr_expect_lt(buf.size, 600000);
}

/* --- the page --- */

Test(expose, nothing_on_the_page_is_markup_but_its_own) {
  worker.instance = "<script>alert('1')</script>";
  worker.group = "a&b\"";
  fill();
  expose_page(&expose, false, &buf);
  cr_expect_not(says("<script"));
  cr_expect(says("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
  cr_expect(says("a&amp;b&quot;"));
  cr_expect(says("events/3/8812"));
  cr_expect_not(says("http://"), "nothing from elsewhere");
  cr_expect_not(says("https://"), "nothing from elsewhere");
}

Test(expose, the_page_tells_why_nothing_is_decided) {
  snapshot->redis_is_down = true;
  snapshot->paused = METRICS_PAUSE_MOVED;
  expose_page(&expose, false, &buf);
  cr_expect(says("<title>worker-1: not ready"));
  cr_expect(says("Nothing is decided, because of: redis is not where this worker left it"));
  cr_expect(says("can't be reached, or refuses"));
}

Test(expose, the_page_loads_itself_anew_unless_it_is_asked_to_be_still) {
  expose_page(&expose, false, &buf);
  cr_expect(says("http-equiv=refresh content=5>"));
  cr_expect(says("href=\"?still\""));
  wm_buf_clear(&buf);
  expose_page(&expose, true, &buf);
  cr_expect_not(says("http-equiv"));
  cr_expect(says("href=\"./\""));
}

/* --- probes --- */

static bool probe(enum expose_probe which) {
  wm_buf_clear(&buf);
  return expose_probe(&expose, which, false, &buf);
}

Test(expose, a_worker_that_is_fine_says_ok) {
  cr_expect(probe(EXPOSE_LIVE));
  cr_expect(probe(EXPOSE_STARTED));
  cr_expect(probe(EXPOSE_READY));
  cr_expect_str_eq(buf.bytes, "ok\n");
  wm_buf_clear(&buf);
  cr_expect(expose_probe(&expose, EXPOSE_READY, true, &buf));
  cr_expect(says("[+]partitions ok\n"));
  cr_expect(says("readyz check passed\n"));
}

Test(expose, what_is_away_or_behind_makes_it_not_ready_and_leaves_it_alive) {
  const struct snapshot fine = *snapshot;
  static const char *const names[] = {"kafka",      "redis",      "control",    "group",     "running",
                                      "partitions", "partitions", "partitions", "partitions"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char line[64];
    *snapshot = fine;
    snapshot->kafka_is_down = i == 0;
    snapshot->redis_is_down = i == 1;
    snapshot->control_is_known = i != 2;
    snapshot->assigned = i != 3;
    snapshot->phase = i == 4 ? LOOP_STOPPING : LOOP_RUNNING;
    snapshot->partitions[PARTITION_BEHIND] = i == 5;
    snapshot->partitions[PARTITION_SPLIT] = i == 6;
    snapshot->partitions[PARTITION_LIVE] = i == 7 ? 0 : 4;
    snapshot->clear = i != 8;
    cr_expect_not(probe(EXPOSE_READY), "%zu", i);
    snprintf(line, sizeof line, "[-]%s failed: ", names[i]);
    cr_expect(says(line), "%zu: %s", i, buf.bytes);
    cr_expect(says("readyz check failed\n"));
    cr_expect(probe(EXPOSE_LIVE), "%zu: starting it again would not help", i);
  }
}

Test(expose, who_stands_by_is_ready) {
  snapshot->partitions[PARTITION_LIVE] = 0;
  snapshot->spare = true;
  snapshot->ready = false;
  cr_expect(probe(EXPOSE_READY));
  cr_expect_str_eq(expose_state(&expose), "stands by");
}

Test(expose, a_loop_that_takes_no_step_is_not_alive) {
  snapshot->monotonic_us = NOW - EXPOSE_STALL_US - 1;
  cr_expect_not(probe(EXPOSE_LIVE));
  cr_expect_not(probe(EXPOSE_READY));
}

Test(expose, a_start_ends_when_the_group_has_told_what_is_ours) {
  snapshot->assigned = false;
  cr_expect_not(probe(EXPOSE_STARTED));
  expose.snapshot = NULL;
  cr_expect_not(probe(EXPOSE_STARTED));
  cr_expect(probe(EXPOSE_LIVE));
}

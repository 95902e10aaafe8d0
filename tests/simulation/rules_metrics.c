/* What a worker counts of itself. */
#include "tests/simulation/quiet.h"

#include "worker/snapshot.h"

static const struct metrics *metrics_of(const struct process *process) {
  return &process->loop->metrics;
}

static const struct metrics_row *row_of(const struct metrics *metrics, const char *name) {
  for (size_t i = 0; i < metrics->row_count; i++)
    if (strcmp(metrics->rows[i].name, name) == 0)
      return &metrics->rows[i];
  cr_assert_fail("no row of '%s'", name);
  return NULL;
}

Test(rules, each_failure_that_is_counted_has_its_record) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "a"); /* the note that a template asks for is not there */
  send_milestone("user-2", "e2", "keep");
  memory_log_produce(s.log, 0, 0, WM_NO_TEXT, WM_TEXT("{"), s.world.now_us / 1000);
  run_for(process, 2000000);
  const struct metrics *metrics = metrics_of(process);
  uint64_t failures = 0;
  for (size_t code = 0; code < WM_CODE_COUNT; code++)
    failures += metrics->failures[code];
  cr_expect_gt(failures, 0);
  cr_expect_eq(failures, count_committed(WM_OUT_FAILURES));
  cr_expect_eq(metrics->failures[WM_E_EVENT_INVALID], 1);
  cr_expect_eq(metrics->recent_count, failures);
  cr_expect_eq(row_of(metrics, "keep-a")->tasks[0][WM_RESULT_CHANGED], 1);
  quiet_end();
}

Test(rules, an_event_without_the_field_is_a_cannot_tell) {
  quiet_begin(1);
  struct process *process = start_ready();
  for (int i = 0; i < 3; i++)
    memory_log_produce(s.log, 0, 0, WM_NO_TEXT,
                       WM_TEXT("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":"
                               "\"journey.milestone.achieved\",\"data\":{\"stone\":\"keep\"}}"),
                       s.world.now_us / 1000);
  run_for(process, 2000000);
  cr_expect_eq(row_of(metrics_of(process), "keep-a")->unknown, 3, "the index has not asked it");
  cr_expect_eq(process->loop->counters.nothing, 3);
  quiet_end();
}

Test(rules, what_redis_has_acknowledged_is_measured_in_a_quiet_moment) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  run_for(process, 300000);
  const struct metrics *metrics = metrics_of(process);
  cr_expect_eq(metrics_total(&metrics->commit_lag), 1);
  cr_expect_eq(metrics_total(&metrics->redis_lag), 1);
  cr_expect_not(process->loop->applying);
  cr_expect_lt(metrics->redis_lag.sum - metrics->commit_lag.sum, 20000, "not only with the next beat");
  quiet_end();
}

Test(rules, a_snapshot_tells_lag_and_pauses) {
  quiet_begin(1);
  struct process *process = start_ready();
  struct board *board = board_new();
  board_publish(board, process->loop, false);
  const struct snapshot *snapshot = board_borrow(board);
  cr_expect(snapshot->ready);
  cr_expect_eq(snapshot->lag, 0);
  cr_expect_eq(snapshot->lag_count, MEMORY_INPUTS);
  cr_expect_eq(snapshot->paused, METRICS_PAUSES);
  cr_expect_eq(snapshot->partitions[PARTITION_LIVE], 1);
  board_publish(board, process->loop, false);
  cr_expect_eq(board_borrow(board), snapshot, "one a second");
  board_return(board, snapshot);
  send_milestone("user-1", "e1", "keep");
  send_milestone("user-2", "e2", "keep");
  recover_fall_back(process->loop, "redis", NULL);
  board_publish(board, process->loop, true);
  const struct snapshot *later = board_borrow(board);
  cr_expect_neq(later, snapshot);
  cr_expect_eq(later->lag, 2);
  cr_expect_eq(later->paused, METRICS_PAUSE_REDIS);
  cr_expect_eq(later->partitions[PARTITION_BEHIND], 1);
  cr_expect_eq(later->metrics.pauses[METRICS_PAUSE_REDIS], 1);
  cr_expect(snapshot->ready, "the one before is as it was, as long as somebody has it");
  board_return(board, snapshot);
  board_return(board, later);
  board_free(board);
  quiet_end();
}

/* Nothing fails, since nothing comes: yet nothing can be decided. */
Test(rules, brokers_that_are_away_are_a_pause_also_when_nothing_waits) {
  quiet_begin(1);
  struct process *process = start_ready();
  struct board *board = board_new();
  s.world.faults.log_down = 5000;
  run_for(process, 3000000);
  board_publish(board, process->loop, true);
  const struct snapshot *snapshot = board_borrow(board);
  cr_expect(snapshot->kafka_is_down);
  cr_expect_eq(snapshot->paused, METRICS_PAUSE_KAFKA);
  cr_expect_eq(snapshot->metrics.pauses[METRICS_PAUSE_KAFKA], 1);
  board_return(board, snapshot);
  s.world.faults.log_down = 0;
  run_for(process, 20000000);
  board_publish(board, process->loop, true);
  snapshot = board_borrow(board);
  cr_expect(snapshot->ready);
  cr_expect_eq(snapshot->paused, METRICS_PAUSES);
  cr_expect_eq(snapshot->metrics.pauses[METRICS_PAUSE_KAFKA], 1);
  board_return(board, snapshot);
  board_free(board);
  quiet_end();
}

/* An end that a decision tells, ends that a sweep tells, and what the decisions change themselves. */
Test(rules, each_role_change_that_is_counted_has_its_record) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "a");
  send_milestone("user-2", "e2", "a");
  run_for(process, 1000000);
  process->loop->sweep.next_us = INT64_MAX;
  s.world.now_us += 22 * INT64_C(1000000);
  send_milestone("user-1", "e3", "keep");
  run_for(process, 500000);
  size_t told = count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\"");
  cr_expect_gt(told, 0);
  process->loop->sweep.next_us = 0;
  run_for(process, 2000000);
  const struct metrics *metrics = metrics_of(process);
  cr_expect_gt(count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\""), told);
  cr_expect_eq(metrics->changes[WM_CAUSE_EXPIRY], count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\""));
  cr_expect_eq(metrics->changes[WM_CAUSE_TASK], count_with(WM_OUT_CHANGES, "\"cause\":\"task\""));
  uint64_t gained = 0, lost = 0;
  for (size_t i = 0; i <= METRICS_ROLES; i++) {
    gained += metrics->roles[i].gained;
    lost += metrics->roles[i].lost;
  }
  cr_expect_eq(gained, count_with(WM_OUT_CHANGES, "\"effective\":true"));
  cr_expect_eq(lost, count_with(WM_OUT_CHANGES, "\"effective\":false"));
  cr_expect_eq(metrics->roles[METRICS_ROLES].gained, 0, "each role has a row of its own");
  quiet_end();
}

static int64_t stuck_us(struct board *board, const struct process *process) {
  board_publish(board, process->loop, true);
  const struct snapshot *snapshot = board_borrow(board);
  int64_t found = snapshot->stuck_us;
  board_return(board, snapshot);
  return found;
}

Test(rules, what_stands_behind_an_open_transaction_is_stuck) {
  quiet_begin(1);
  struct process *process = start_ready();
  struct board *board = board_new();
  struct memory_transaction open = {.state = MEMORY_OPEN};
  cr_expect_eq(stuck_us(board, process), 0);
  send_milestone("user-1", "e1", "keep");
  run_for(process, 5000000);
  cr_expect_eq(stuck_us(board, process), 0, "it was read");
  send_milestone("user-1", "e2", "keep");
  struct memory_partition *input = &s.log->inputs[0][0];
  input->entries[input->count - 1].transaction = &open;
  send_milestone("user-1", "e3", "keep");
  cr_expect_eq(stuck_us(board, process), 0, "it only begins to wait");
  run_for(process, 5000000);
  cr_expect_geq(stuck_us(board, process), 5000000);
  cr_expect_lt(stuck_us(board, process), 5100000);
  open.state = MEMORY_COMMITTED;
  run_for(process, 1000000);
  cr_expect_eq(stuck_us(board, process), 0, "it went on");
  input->entries[input->count - 2].transaction = NULL;
  board_free(board);
  quiet_end();
}

Test(rules, who_is_paused_is_not_stuck) {
  quiet_begin(1);
  struct process *process = start_ready();
  struct board *board = board_new();
  memory_cache_set_down(s.cache, true);
  send_milestone("user-1", "e1", "keep");
  run_for(process, 1000000);
  stuck_us(board, process);
  run_for(process, 5000000);
  cr_expect_eq(stuck_us(board, process), 0);
  memory_cache_set_down(s.cache, false);
  board_free(board);
  quiet_end();
}

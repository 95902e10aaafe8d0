/* The rules of architecture 4: one owner, fenced writes, catching up before deciding, generations. */
#include "tests/lib/memory_log_internal.h"
#include "tests/simulation/quiet.h"

/* --- one owner --- */

Test(rules, a_partition_without_all_its_topics_is_paused_and_not_ready) {
  quiet_begin(2);
  struct process *process = start_ready();
  const struct log_position some[] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {2, 0, 0, 0}, {0, 1, 0, 0}, {1, 1, 0, 0}};
  memory_log_tell(process->member, LOG_REVOKED, NULL, 0);
  run_for(process, 1000);
  memory_log_tell(process->member, LOG_ASSIGNED, some, 5);
  run_for(process, 300000);
  send_to_all("keep");
  run_for(process, 500000);
  cr_assert_eq(process->loop->partitions.items[0].state, PARTITION_LIVE);
  cr_assert_eq(process->loop->partitions.items[1].state, PARTITION_SPLIT);
  cr_assert(memory_log_is_paused(process->member, 0, 1));
  cr_assert_not(process->loop->ready);
  for (int i = 0; i < SAMPLE_USERS; i++) {
    char user[16];
    snprintf(user, sizeof user, "user-%d", i);
    cr_assert_eq(has_role(user, "role-a"), memory_log_home(s.log, wm_text_of(user)) == 0);
  }
  simulation_release(&s);
}

Test(rules, a_worker_that_was_given_nothing_does_not_fall_silent) {
  quiet_begin(2);
  struct process *process = start_ready();
  memory_log_tell(process->member, LOG_REVOKED, NULL, 0);
  run_for(process, 1000);
  int64_t alive_us = s.cache->data.alive_us;
  run_for(process, 2000000);
  cr_assert_eq(s.cache->data.alive_us, alive_us, "between two assignments there is nothing to say");
  memory_log_tell(process->member, LOG_ASSIGNED, NULL, 0);
  run_for(process, 2000000);
  cr_assert(s.cache->data.alive_us > alive_us);
  cr_assert(s.cache->data.ready && !process->loop->ready);
  simulation_release(&s);
}

Test(rules, a_worker_that_was_fenced_stops_with_75_and_writes_nothing) {
  quiet_begin(1);
  struct process *process = start_ready();
  struct log_door other;
  memory_log_join(s.log, "w0", &other);
  send_milestone("user-1", "e1", "keep");
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_AGAIN);
  cr_assert_eq(count_committed(WM_OUT_OUTCOMES), 0);
  simulation_release(&s);
}

/* --- fenced writes --- */

Test(rules, a_zombie_sweeps_nothing) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "a");
  run_for(process, 300000);
  cr_assert(has_role("user-1", "role-a"));
  size_t changes = count_committed(WM_OUT_CHANGES);
  s.log->generation++; /* the group has gone on without it */
  s.world.now_us += 21 * INT64_C(1000000);
  simulation_run(process);
  cr_assert_eq(process->loop->counters.expired, 0);
  cr_assert_eq(process->loop->counters.aborts, 1, "the sweep carries an offset, so that the group can refuse it");
  cr_assert_eq(count_committed(WM_OUT_CHANGES), changes);
  cr_assert(has_role("user-1", "role-a"));
  simulation_release(&s);
}

/* --- catching up --- */

Test(rules, registers_whose_offsets_are_committed_are_not_missed) {
  quiet_begin(1);
  struct process *first = start_ready();
  s.world.faults.late_marker = 10000;
  send_milestone("user-1", "e1", "keep");
  while (!s.log->consumed[0]) {
    simulation_run(first);
    s.world.now_us += 100;
  }
  struct memory_transaction *last = s.log->transactions;
  simulation_kill(first);
  memory_cache_flush(s.cache);
  /* the group's marker is written, that of the users topic is not: KAFKA-10167 */
  last->offsets_visible = true;
  s.log->committed[0][0] = 1;
  memory_group_leave(first->member);

  struct process *second = simulation_start(&s, 1);
  for (int i = 0; i < 300; i++) {
    simulation_run(second);
    s.world.now_us += 100;
  }
  cr_assert_not(second->loop->ready, "there is something before the end that is not decided yet");
  memory_settle(s.log, last);
  for (int i = 0; i < 300 && !second->loop->ready; i++)
    simulation_run(second);
  cr_assert(second->loop->ready);
  cr_assert(has_role("user-1", "role-a"), "a partition is live only when everything up to the end is applied");
  quiet_end();
}

Test(rules, a_lost_assignment_empties_the_users_table) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  run_for(process, 1000000);
  cr_assert_eq(process->loop->users.count, 1);
  memory_log_tell(process->member, LOG_LOST, NULL, 0);
  simulation_run(process);
  cr_assert_eq(process->loop->users.count, 0);
  simulation_release(&s);
}

Test(rules, a_topic_made_anew_stops_the_worker) {
  quiet_begin(1);
  snprintf(s.cache->data.incarnation, sizeof s.cache->data.incarnation, "birth-0");
  struct process *process = simulation_start(&s, 0);
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_CONFIGURATION);
  cr_assert_eq(process->loop->exit_error.code, WM_E_LOG_TRUNCATED);
  simulation_release(&s);
}

Test(rules, a_users_topic_that_lost_its_end_stops_the_worker) {
  quiet_begin(1);
  s.cache->data.progress[0] = 9;
  struct process *process = simulation_start(&s, 0);
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_CONFIGURATION);
  cr_assert_eq(process->loop->exit_error.code, WM_E_LOG_TRUNCATED);
  simulation_release(&s);
}

Test(rules, a_newer_generation_is_taken_over_before_anything_else_is_written) {
  quiet_begin(1);
  struct process *process = start_ready();
  s.cache->data.generation = 2;
  send_milestone("user-1", "e1", "keep");
  run_for(process, 1500000);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert_eq(memory_cache_user(s.cache, WM_TEXT("user-1"))->gen, 2);
  quiet_end();
}

Test(rules, a_register_that_cannot_be_read_stops_the_worker_and_is_not_a_new_user) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  run_for(process, 500000);
  s.cache->data.users[0].json = WM_TEXT("{\"v\":1}");
  users_clear(&process->loop->users);
  send_milestone("user-1", "e2", "b");
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_CONFIGURATION);
  cr_assert(strstr(process->loop->exit_error.text, "user-1") != NULL);
  simulation_release(&s);
}

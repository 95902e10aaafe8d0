/* Batches, handing over, and bounds. */
#include "tests/simulation/quiet.h"

Test(rules, events_of_no_interest_are_committed_within_seconds) {
  quiet_begin(1);
  struct process *process = start_ready();
  for (int i = 0; i < 10; i++)
    memory_log_produce(s.log, 0, 0, WM_NO_TEXT,
                       WM_TEXT("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"of.no.interest\"}"),
                       s.world.now_us / 1000);
  run_for(process, 2000000);
  cr_assert_eq(s.log->committed[0][0], 10);
  cr_assert_eq(process->loop->counters.nothing, 10);
  quiet_end();
}

Test(rules, asked_to_stop_it_finishes_what_it_has_begun) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  simulation_run(process); /* polled, not decided */
  cr_assert_eq(process->loop->batch.events, 1);
  loop_stop(process->loop);
  run_for(process, 100000);
  cr_assert(process->gone);
  cr_assert_eq(s.log->committed[0][0], 1);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert_not(s.cache->data.ready);
  simulation_release(&s);
}

Test(rules, a_user_has_one_register_in_a_batch_and_it_is_the_last) {
  quiet_begin(1);
  struct process *process = start_ready();
  size_t before = count_committed(WM_OUT_USERS);
  send_milestone("user-1", "e1", "keep");
  send_milestone("user-2", "e2", "keep");
  send_milestone("user-1", "e3", "b");
  send_milestone("user-3", "e4", "keep");
  run_for(process, 1000000);
  cr_assert_eq(process->loop->counters.batches, 1);
  cr_assert_eq(count_committed(WM_OUT_USERS), before + 3);
  cr_assert(has_role("user-1", "role-a") && has_role("user-1", "role-b"));
  quiet_end();
}

Test(rules, a_rebalance_hands_over_what_is_done) {
  quiet_begin(2);
  s.rules.batch_events = 100;
  struct process *first = start_ready();
  send_to_all("keep");
  simulation_run(first);
  struct process *second = simulation_start(&s, 1);
  for (int i = 0; i < 200; i++) {
    run_for(first, 5000);
    run_for(second, 5000);
  }
  cr_assert(first->loop->ready && second->loop->ready);
  cr_assert_eq(first->loop->counters.aborts, 0);
  cr_assert_eq(first->loop->counters.events, SAMPLE_USERS, "what was polled before the rebalance is finished");
  cr_assert_eq(first->loop->counters.events + second->loop->counters.events, SAMPLE_USERS);
  quiet_end();
}

Test(rules, a_batch_that_takes_too_long_is_tried_again_in_pieces) {
  quiet_begin(1);
  s.rules.batch_events = 64;
  s.log->slow_above = 3;
  struct process *process = start_ready();
  for (int i = 0; i < 24; i++) {
    char user[16];
    snprintf(user, sizeof user, "someone-%d", i);
    send_milestone(user, "e1", "keep");
  }
  run_for(process, 20000000);
  cr_assert_eq(s.log->committed[0][0], 24);
  cr_assert_eq(process->loop->counters.decided, 24);
  s.log->slow_above = 0;
  for (int i = 0; i < 200; i++) {
    char id[16];
    snprintf(id, sizeof id, "f%d", i);
    send_milestone("user-1", id, "keep");
    run_for(process, 50000);
  }
  cr_assert_eq(process->loop->batch.most, SIZE_MAX, "large again");
  simulation_release(&s);
}

Test(rules, the_users_table_stays_within_its_bound) {
  quiet_begin(1);
  s.rules.users_bytes = 8192;
  struct process *process = start_ready();
  for (int i = 0; i < 60; i++) {
    char user[16];
    snprintf(user, sizeof user, "someone-%d", i % 30);
    char id[16];
    snprintf(id, sizeof id, "e%d", i);
    send_milestone(user, id, "keep");
    run_for(process, 30000);
  }
  run_for(process, 1000000);
  users_trim(&process->loop->users);
  cr_assert(process->loop->users.bytes <= 8192 && process->loop->users.count < 30);
  cr_assert_eq(process->loop->counters.decided, 60);
  simulation_release(&s);
}

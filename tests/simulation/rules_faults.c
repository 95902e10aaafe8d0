/* The rules that make the promises true (architecture 4): whatever fails, at whatever call. Each test fails when its
 * rule is broken. */
#include "tests/simulation/quiet.h"

/* Does something 'at' every touch of a small busy run, one after the other, until the run is over before it. */
static void at_every_touch(void (*hook)(struct simulation *)) {
  static const char *const milestones[] = {"keep", "a", "b", "not-a", "c", "keep"};
  uint64_t touches = 0;
  for (uint64_t at = 0; at <= touches; at += 1 + at / 400) {
    quiet_begin(1);
    s.hook = hook;
    s.hook_at = at;
    s.rules.users_bytes = 1;
    struct process *process = simulation_start(&s, 0);
    for (unsigned i = 0; i < 12; i++) {
      char id[8];
      snprintf(id, sizeof id, "e%u", i);
      send_milestone(i % 2 ? "user-1" : "user-2", id, milestones[i % 6]);
      if (!process->gone)
        run_for(process, 9000);
    }
    if (at == 0)
      touches = s.world.touches; /* nothing was done at any */
    bool right = simulation_end(&s);
    cr_assert(right, "at touch %lu: %s", (unsigned long)at, s.why);
    simulation_release(&s);
  }
  cr_assert(touches > 150, "only %lu", (unsigned long)touches);
}

static void crash(struct simulation *simulation) {
  simulation->current->crash_in = 1;
}
static void flush(struct simulation *simulation) {
  memory_cache_flush(simulation->cache);
}
static void lose_redis(struct simulation *simulation) {
  memory_cache_set_down(simulation->cache, true);
  memory_cache_set_down(simulation->cache, false);
}
static void abort_commit(struct simulation *simulation) {
  simulation->world.faults.log_abort = 3000;
}
static void lose_answer(struct simulation *simulation) {
  simulation->world.faults.log_uncertain = 3000;
}

Test(rules, a_crash_at_any_call_loses_and_doubles_nothing) {
  at_every_touch(crash);
}
Test(rules, redis_emptied_at_any_call_is_noticed) {
  at_every_touch(flush);
}
Test(rules, a_connection_to_redis_that_breaks_at_any_call_is_mended) {
  at_every_touch(lose_redis);
}
Test(rules, an_aborted_commit_drops_the_batch_layer_only) {
  at_every_touch(abort_commit);
}
Test(rules, a_commit_without_an_answer_is_asked_for) {
  at_every_touch(lose_answer);
}

static struct memory_data old_state;
static void go_back(struct simulation *simulation) {
  memory_cache_restore(simulation->cache, &old_state);
}

Test(rules, redis_that_went_back_in_time_at_any_call_is_noticed) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "b");
  run_for(process, 200000);
  quiet_end();
  quiet_begin(1);
  process = start_ready();
  old_state = s.cache->data; /* ready, and nobody in it */
  quiet_end();
  at_every_touch(go_back);
}

Test(rules, redis_emptied_during_a_rebuild_is_noticed) {
  for (uint64_t at = 0; at < 60; at++) {
    quiet_begin(1);
    struct process *process = start_ready();
    send_to_all("keep");
    run_for(process, 1000000);
    loop_stop(process->loop);
    run_for(process, 1000000);
    memory_cache_flush(s.cache);
    s.hook = flush;
    s.hook_at = s.world.touches + at;
    simulation_start(&s, 0);
    quiet_end();
  }
}

Test(rules, a_crash_while_projecting_is_no_projection) {
  for (uint64_t at = 0; at < 80; at++) {
    quiet_begin(1);
    struct process *process = start_ready();
    send_to_all("keep");
    run_for(process, 1000000);
    loop_reload(process->loop, sample_workspace(1), &s.rules);
    s.hook = crash;
    s.hook_at = s.world.touches + at;
    run_for(process, 200000);
    if (!process->gone)
      simulation_kill(process);
    quiet_end(); /* by the old workspace */
  }
}

/* --- only events and rules can fail --- */

Test(rules, redis_away_is_no_failure_and_not_ready) {
  quiet_begin(2);
  struct process *process = start_ready();
  memory_cache_set_down(s.cache, true);
  send_to_all("keep");
  run_for(process, 5000000);
  cr_assert_not(process->loop->ready);
  cr_assert_eq(count_committed(WM_OUT_FAILURES), 0);
  cr_assert(process->member != NULL && memory_log_generation(process->member) == s.log->generation,
            "it stays a member of its group");
  memory_cache_set_down(s.cache, false);
  run_for(process, 3000000);
  cr_assert(process->loop->ready);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert_eq(count_committed(WM_OUT_FAILURES), 0);
  quiet_end();
}

Test(rules, an_idle_worker_notices_that_redis_was_emptied) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  run_for(process, 500000);
  memory_cache_flush(s.cache);
  run_for(process, 1500000);
  cr_assert(has_role("user-1", "role-a"));
  quiet_end();
}

Test(rules, an_idle_worker_notices_that_meta_was_deleted) {
  quiet_begin(1);
  struct process *process = start_ready();
  s.cache->data.generation = 0;
  run_for(process, 1500000);
  cr_assert_eq(s.cache->data.generation, 1);
  cr_assert(process->loop->ready);
  quiet_end();
}

Test(rules, an_idle_worker_notices_that_meta_was_deleted_and_another_has_made_it_anew) {
  quiet_begin(1);
  struct process *process = start_ready();
  run_for(process, 1000000);
  s.cache->data.beating = 0;
  s.cache->data.catalogue[0][0] = '\0';
  run_for(process, 1500000);
  cr_assert_str_not_empty(s.cache->data.catalogue[0]);
  cr_assert(process->loop->ready);
  quiet_end();
}

Test(rules, kafka_away_is_waited_for) {
  quiet_begin(1);
  struct process *process = start_ready();
  s.world.faults.log_again = 10000;
  s.world.faults.log_down = 5000;
  send_milestone("user-1", "e1", "keep");
  run_for(process, 5000000);
  cr_assert_not(process->gone);
  cr_assert_eq(count_committed(WM_OUT_OUTCOMES), 0);
  quiet_end();
}

Test(rules, a_record_that_is_too_large_is_cut_and_committed) {
  quiet_begin(1);
  s.log->largest[WM_OUT_OUTCOMES] = 500;
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "a");
  send_milestone("user-1", "e2", "keep");
  run_for(process, 1000000);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert(s.log->outputs[WM_OUT_OUTCOMES][0].count > 0);
  quiet_end();
}

Test(rules, a_register_too_large_for_its_topic_stops_the_worker) {
  quiet_begin(1);
  s.log->largest[WM_OUT_USERS] = 200;
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_CONFIGURATION);
  cr_assert(strstr(process->loop->exit_error.text, "user-1") != NULL);
  simulation_release(&s);
}

Test(rules, a_profile_too_large_for_the_users_topic_is_rejected_and_blocks_nobody) {
  quiet_begin(1);
  s.log->largest[WM_OUT_USERS] = 2000;
  struct process *process = start_ready();
  char event[4000];
  int size = snprintf(event, sizeof event,
                      "{\"specversion\":\"1.0\",\"id\":\"p1\",\"source\":\"/s\",\"type\":\"directory.user.updated\","
                      "\"subject\":\"user-1\",\"data\":{\"status\":\"active\",\"name\":\"%03000d\"}}",
                      7);
  send_milestone("user-1", "e1", "keep");
  memory_log_produce(s.log, 1, 0, WM_TEXT("user-1"), (struct wm_text){event, (size_t)size}, s.world.now_us / 1000);
  send_milestone("user-2", "e2", "keep");
  run_for(process, 2000000);
  cr_assert_not(process->gone, "%s", process->loop->exit_error.text);
  cr_assert(has_role("user-1", "role-a") && has_role("user-2", "role-a"));
  cr_assert_eq(process->loop->counters.rejected, 1);
  cr_assert_eq(count_with(WM_OUT_FAILURES, "\"code\":\"EVENT_OVERSIZE\""), 1);
  cr_assert_eq(count_with(WM_OUT_COUNT + 1, event), 1, "verbatim");
  simulation_release(&s);
}

Test(rules, a_removal_that_the_users_topic_has_no_room_for_is_rejected_and_blocks_nobody) {
  quiet_begin(1);
  s.log->largest[WM_OUT_USERS] = 900;
  struct process *process = start_ready();
  process->loop->rules.terms.register_bytes = 700;
  char event[2000];
  int size = snprintf(event, sizeof event,
                      "{\"specversion\":\"1.0\",\"id\":\"r1\",\"source\":\"/%01000d\",\"subject\":\"user-1\","
                      "\"type\":\"journey.milestone.achieved\",\"data\":{\"milestone\":\"not-a\"}}",
                      7);
  send_milestone("user-1", "e1", "keep");
  memory_log_produce(s.log, 0, 0, WM_TEXT("user-1"), (struct wm_text){event, (size_t)size}, s.world.now_us / 1000);
  send_milestone("user-2", "e2", "keep");
  run_for(process, 2000000);
  cr_assert_not(process->gone, "%s", process->loop->exit_error.text);
  cr_assert(has_role("user-1", "role-a") && has_role("user-2", "role-a"));
  cr_assert_eq(count_with(WM_OUT_FAILURES, "\"code\":\"EVENT_OVERSIZE\""), 1);
  cr_assert_eq(count_with(WM_OUT_COUNT, event), 1, "verbatim");
  simulation_release(&s);
}

Test(rules, a_record_on_the_wrong_partition_is_rejected_with_both_partitions) {
  quiet_begin(4);
  struct process *process = start_ready();
  int32_t home = memory_log_home(s.log, WM_TEXT("user-1")), astray = (home + 1) % 4;
  struct wm_text value = WM_TEXT("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"subject\":\"user-1\","
                                 "\"type\":\"journey.milestone.achieved\",\"data\":{\"milestone\":\"keep\"}}");
  memory_log_produce(s.log, 0, astray, WM_TEXT("k"), value, s.world.now_us / 1000);
  run_for(process, 1000000);
  const struct memory_partition *failures = &s.log->outputs[WM_OUT_FAILURES][home];
  char both[128];
  snprintf(both, sizeof both, "home of this user is partition %d, but the record came on partition %d", home, astray);
  cr_assert(failures->count > 0 && wm_text_contains(failures->entries[0].value, wm_text_of(both)));
  cr_assert(wm_text_equal(s.log->outputs[WM_OUT_COUNT][astray].entries[0].value, value));
  cr_assert_not(has_role("user-1", "role-a"));
  quiet_end();
}

/* The rules that make the promises true (architecture 4), one test each: it fails when the rule is broken. */
#include <criterion/criterion.h>

#include "tests/lib/memory_log_internal.h"
#include "tests/simulation/simulate.h"

static struct simulation s;
static struct wm_workspace *versions[SAMPLE_VERSIONS];

/* A quiet world with one or more partitions, in which every touch can be counted. */
static void begin(int32_t partitions) {
  for (unsigned i = 0; i < SAMPLE_VERSIONS; i++)
    if (!versions[i])
      versions[i] = sample_workspace(i);
  simulation_init(&s, 7, partitions, versions);
  s.rules.batch_events = 4;
  s.rules.users_bytes = 0;
}

static void end(void) {
  bool right = simulation_end(&s);
  cr_assert(right, "%s", s.why);
  simulation_release(&s);
}

static void run(struct process *process, int64_t for_us) {
  int64_t until_us = s.world.now_us + for_us;
  while (!process->gone && s.world.now_us < until_us) {
    simulation_run(process);
    s.world.now_us += 100;
    memory_log_tick(s.log, false);
    memory_cache_tick(s.cache, false);
  }
}

static struct process *start_ready(void) {
  struct process *process = simulation_start(&s, 0);
  for (int i = 0; i < 200 && !process->loop->ready; i++)
    run(process, 1000);
  cr_assert(process->loop->ready);
  return process;
}

static void send(const char *user, const char *id, const char *milestone) {
  sample_send_milestone(s.log, user, id, milestone);
}

static void send_to_all(const char *milestone) {
  for (int i = 0; i < SAMPLE_USERS; i++) {
    char user[16];
    snprintf(user, sizeof user, "user-%d", i);
    send(user, "e1", milestone);
  }
}

/* Until it stops by itself. */
static void run_out(struct process *process) {
  for (int i = 0; i < 20000 && loop_step(process->loop); i++)
    s.world.now_us += 100;
  cr_assert_eq(process->loop->phase, LOOP_STOPPED);
}

static bool has_role(const char *user, const char *role) {
  return memory_cache_has_role(s.cache, wm_text_of(user), wm_text_of(role));
}

/* Committed records with this in their value. */
static size_t count_with(enum wm_topic topic, const char *part) {
  size_t count = 0;
  for (int32_t p = 0; p < s.log->partition_count; p++)
    for (size_t i = 0; i < s.log->outputs[topic][p].count; i++) {
      const struct memory_entry *entry = &s.log->outputs[topic][p].entries[i];
      count += !entry->marker && entry->transaction && entry->transaction->state == MEMORY_COMMITTED &&
               wm_text_contains(entry->value, wm_text_of(part));
    }
  return count;
}

static size_t count_committed(enum wm_topic topic) {
  return count_with(topic, "");
}

/* Does something 'at' every touch of a small busy run, one after the other, until the run is over before it. */
static void at_every_touch(void (*hook)(struct simulation *)) {
  static const char *const milestones[] = {"keep", "a", "b", "not-a", "c", "keep"};
  uint64_t touches = 0;
  for (uint64_t at = 0; at <= touches; at += 1 + at / 400) {
    begin(1);
    s.hook = hook;
    s.hook_at = at;
    s.rules.users_bytes = 1;
    struct process *process = simulation_start(&s, 0);
    for (unsigned i = 0; i < 12; i++) {
      char id[8];
      snprintf(id, sizeof id, "e%u", i);
      send(i % 2 ? "user-1" : "user-2", id, milestones[i % 6]);
      if (!process->gone)
        run(process, 9000);
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
  begin(1);
  struct process *process = start_ready();
  send("user-1", "e1", "b");
  run(process, 200000);
  end();
  begin(1);
  process = start_ready();
  old_state = s.cache->data; /* ready, and nobody in it */
  end();
  at_every_touch(go_back);
}

/* --- one owner --- */

Test(rules, a_partition_without_all_its_topics_is_paused_and_not_ready) {
  begin(2);
  struct process *process = start_ready();
  const struct log_position some[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {0, 1, 0}, {1, 1, 0}};
  memory_log_tell(process->member, LOG_REVOKED, NULL, 0);
  run(process, 1000);
  memory_log_tell(process->member, LOG_ASSIGNED, some, 5);
  run(process, 300000);
  send_to_all("keep");
  run(process, 500000);
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

Test(rules, a_worker_that_was_fenced_stops_with_75_and_writes_nothing) {
  begin(1);
  struct process *process = start_ready();
  struct log_door other;
  memory_log_join(s.log, "w0", &other);
  send("user-1", "e1", "keep");
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_AGAIN);
  cr_assert_eq(count_committed(WM_OUT_OUTCOMES), 0);
  simulation_release(&s);
}

/* --- fenced writes --- */

Test(rules, a_zombie_sweeps_nothing) {
  begin(1);
  struct process *process = start_ready();
  send("user-1", "e1", "a");
  run(process, 300000);
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
  begin(1);
  struct process *first = start_ready();
  s.world.faults.late_marker = 10000;
  send("user-1", "e1", "keep");
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
  end();
}

Test(rules, redis_emptied_during_a_rebuild_is_noticed) {
  for (uint64_t at = 0; at < 60; at++) {
    begin(1);
    struct process *process = start_ready();
    send_to_all("keep");
    run(process, 1000000);
    loop_stop(process->loop);
    run(process, 1000000);
    memory_cache_flush(s.cache);
    s.hook = flush;
    s.hook_at = s.world.touches + at;
    simulation_start(&s, 0);
    end();
  }
}

Test(rules, a_lost_assignment_empties_the_users_table) {
  begin(1);
  struct process *process = start_ready();
  send("user-1", "e1", "keep");
  run(process, 1000000);
  cr_assert_eq(process->loop->users.count, 1);
  memory_log_tell(process->member, LOG_LOST, NULL, 0);
  simulation_run(process);
  cr_assert_eq(process->loop->users.count, 0);
  simulation_release(&s);
}

Test(rules, a_topic_made_anew_stops_the_worker) {
  begin(1);
  snprintf(s.cache->data.incarnation, sizeof s.cache->data.incarnation, "birth-0");
  struct process *process = simulation_start(&s, 0);
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_CONFIGURATION);
  cr_assert_eq(process->loop->exit_error.code, WM_E_LOG_TRUNCATED);
  simulation_release(&s);
}

Test(rules, a_users_topic_that_lost_its_end_stops_the_worker) {
  begin(1);
  s.cache->data.progress[0] = 9;
  struct process *process = simulation_start(&s, 0);
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_CONFIGURATION);
  cr_assert_eq(process->loop->exit_error.code, WM_E_LOG_TRUNCATED);
  simulation_release(&s);
}

Test(rules, a_newer_generation_is_taken_over_before_anything_else_is_written) {
  begin(1);
  struct process *process = start_ready();
  s.cache->data.generation = 2;
  send("user-1", "e1", "keep");
  run(process, 1500000);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert_eq(memory_cache_user(s.cache, WM_TEXT("user-1"))->gen, 2);
  end();
}

Test(rules, a_register_that_cannot_be_read_stops_the_worker_and_is_not_a_new_user) {
  begin(1);
  struct process *process = start_ready();
  send("user-1", "e1", "keep");
  run(process, 500000);
  s.cache->data.users[0].json = WM_TEXT("{\"v\":1}");
  users_clear(&process->loop->users);
  send("user-1", "e2", "b");
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_BUG);
  cr_assert(strstr(process->loop->exit_error.text, "user-1") != NULL);
  simulation_release(&s);
}

/* --- only events and rules can fail --- */

Test(rules, redis_away_is_no_failure_and_not_ready) {
  begin(2);
  struct process *process = start_ready();
  memory_cache_set_down(s.cache, true);
  send_to_all("keep");
  run(process, 5000000);
  cr_assert_not(process->loop->ready);
  cr_assert_eq(count_committed(WM_OUT_FAILURES), 0);
  cr_assert(process->member != NULL && memory_log_generation(process->member) == s.log->generation,
            "it stays a member of its group");
  memory_cache_set_down(s.cache, false);
  run(process, 3000000);
  cr_assert(process->loop->ready);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert_eq(count_committed(WM_OUT_FAILURES), 0);
  end();
}

Test(rules, an_idle_worker_notices_that_redis_was_emptied) {
  begin(1);
  struct process *process = start_ready();
  send("user-1", "e1", "keep");
  run(process, 500000);
  memory_cache_flush(s.cache);
  run(process, 1500000);
  cr_assert(has_role("user-1", "role-a"));
  end();
}

Test(rules, kafka_away_is_waited_for) {
  begin(1);
  struct process *process = start_ready();
  s.world.faults.log_again = 10000;
  s.world.faults.log_down = 5000;
  send("user-1", "e1", "keep");
  run(process, 5000000);
  cr_assert_not(process->gone);
  cr_assert_eq(count_committed(WM_OUT_OUTCOMES), 0);
  end();
}

Test(rules, a_record_that_is_too_large_is_cut_and_committed) {
  begin(1);
  s.log->largest[WM_OUT_OUTCOMES] = 500;
  struct process *process = start_ready();
  send("user-1", "e1", "a");
  send("user-1", "e2", "keep");
  run(process, 1000000);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert(s.log->outputs[WM_OUT_OUTCOMES][0].count > 0);
  end();
}

Test(rules, a_register_too_large_for_its_topic_stops_the_worker) {
  begin(1);
  s.log->largest[WM_OUT_USERS] = 200;
  struct process *process = start_ready();
  send("user-1", "e1", "keep");
  run_out(process);
  cr_assert_eq(process->loop->exit_code, LOOP_EXIT_CONFIGURATION);
  cr_assert(strstr(process->loop->exit_error.text, "user-1") != NULL);
  simulation_release(&s);
}

Test(rules, a_record_on_the_wrong_partition_is_rejected_with_both_partitions) {
  begin(4);
  struct process *process = start_ready();
  int32_t home = memory_log_home(s.log, WM_TEXT("user-1")), astray = (home + 1) % 4;
  struct wm_text value = WM_TEXT("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"subject\":\"user-1\","
                                 "\"type\":\"journey.milestone.achieved\",\"data\":{\"milestone\":\"keep\"}}");
  memory_log_produce(s.log, 0, astray, WM_TEXT("k"), value, s.world.now_us / 1000);
  run(process, 1000000);
  const struct memory_partition *failures = &s.log->outputs[WM_OUT_FAILURES][astray];
  char both[128];
  snprintf(both, sizeof both, "home of this user is partition %d, but the record came on partition %d", home, astray);
  cr_assert(failures->count > 0 && wm_text_contains(failures->entries[0].value, wm_text_of(both)));
  cr_assert(wm_text_equal(s.log->outputs[WM_OUT_COUNT][astray].entries[0].value, value));
  cr_assert_not(has_role("user-1", "role-a"));
  end();
}

/* --- without any event --- */

Test(rules, an_end_reaches_redis_within_two_seconds) {
  begin(3);
  struct process *process = start_ready();
  send("user-1", "e1", "a");
  send("user-2", "e2", "a");
  run(process, 1000000);
  cr_assert(has_role("user-1", "role-a") && has_role("user-2", "role-a"));
  size_t changes = count_committed(WM_OUT_CHANGES);
  run(process, 18000000);
  cr_assert(has_role("user-1", "role-a"));
  run(process, 3000000);
  cr_assert_not(has_role("user-1", "role-a"));
  cr_assert_not(has_role("user-2", "role-a"));
  cr_assert_eq(count_committed(WM_OUT_CHANGES), changes + 2);
  cr_assert_not(memory_cache_user(s.cache, WM_TEXT("user-1"))->has_end);
  end();
}

Test(rules, an_end_that_passed_while_nobody_was_there_is_told_too) {
  begin(1);
  struct process *process = start_ready();
  send("user-1", "e1", "a");
  run(process, 1000000);
  simulation_kill(process);
  s.world.now_us += 60 * INT64_C(1000000);
  end();
  begin(1);
  send("user-1", "e1", "a");
  s.world.now_us += 60 * INT64_C(1000000); /* the role is gained and lost before anybody looks */
  process = start_ready();
  run(process, 2000000);
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"task\""), 2); /* role-a and role-b */
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\""), 1);
  end();
}

Test(rules, an_end_that_passed_before_redis_caught_up_is_told_too) {
  begin(1);
  struct process *process = start_ready();
  memory_cache_set_down(s.cache, true);
  process->loop->recover.not_before_us = 0;
  send("user-1", "e1", "a");
  users_fill(&process->loop->users, users_add(&process->loop->users, WM_TEXT("user-1")), NULL, 0, 0);
  while (!s.log->consumed[0]) {
    process->loop->beat_us = process->loop->sweep.next_us = INT64_MAX;
    simulation_run(process);
    s.world.now_us += 100;
  }
  simulation_kill(process);
  s.world.now_us += 60 * INT64_C(1000000);
  cr_assert(simulation_settle(&s), "%s", s.why);
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\""), 1);
  end();
}

Test(rules, many_ends_of_others_do_not_hide_ours) {
  begin(2);
  const struct log_position one[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {0, 1, 0}, {1, 1, 0}, {2, 1, 0}};
  int32_t home = memory_log_home(s.log, WM_TEXT("user-1"));
  struct process *process = start_ready();
  memory_log_tell(process->member, LOG_REVOKED, NULL, 0);
  run(process, 1000);
  memory_log_tell(process->member, LOG_ASSIGNED, one + 3 * home, 3);
  run(process, 300000);
  send("user-1", "e1", "a");
  run(process, 1000000);
  for (int i = 0; i < 900 && s.cache->data.user_count < 300; i++) {
    static char ids[900][16];
    int size = snprintf(ids[i], sizeof ids[i], "ghost-%d", i);
    struct wm_text id = {ids[i], (size_t)size};
    if (memory_log_home(s.log, id) != home)
      s.cache->data.users[s.cache->data.user_count++] = (struct memory_user){.id = id, .has_end = true, .end_us = 1};
  }
  cr_assert_eq(s.cache->data.user_count, 300);
  cr_assert(has_role("user-1", "role-a"));
  run(process, 22000000);
  cr_assert_not(has_role("user-1", "role-a"));
  simulation_release(&s);
}

Test(rules, ends_of_other_workers_users_are_passed_over) {
  begin(2);
  struct process *process = start_ready();
  send_to_all("a");
  run(process, 1000000);
  const struct log_position one[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  memory_log_tell(process->member, LOG_REVOKED, NULL, 0);
  run(process, 1000);
  memory_log_tell(process->member, LOG_ASSIGNED, one, 3);
  run(process, 25000000);
  for (int i = 0; i < SAMPLE_USERS; i++) {
    char user[16];
    snprintf(user, sizeof user, "user-%d", i);
    cr_assert_eq(has_role(user, "role-a"), memory_log_home(s.log, wm_text_of(user)) == 1);
  }
  simulation_release(&s);
}

Test(rules, another_catalogue_reaches_redis_without_an_event_and_back) {
  begin(2);
  struct process *process = start_ready();
  send("user-1", "e1", "keep");
  send("user-2", "e2", "keep");
  run(process, 1000000);
  size_t changes = count_committed(WM_OUT_CHANGES);
  loop_reload(process->loop, sample_workspace(1), &s.rules); /* role-a is archived */
  run(process, 2000000);
  cr_assert_not(has_role("user-1", "role-a"));
  cr_assert_not(has_role("user-2", "role-a"));
  cr_assert_eq(count_committed(WM_OUT_CHANGES), changes + 2);
  loop_reload(process->loop, sample_workspace(0), &s.rules);
  run(process, 2000000);
  cr_assert(has_role("user-1", "role-a") && has_role("user-2", "role-a"));
  cr_assert_eq(count_committed(WM_OUT_CHANGES), changes + 4);
  end();
}

Test(rules, a_catalogue_that_changed_while_nobody_was_there_reaches_redis) {
  begin(1);
  struct process *process = start_ready();
  send("user-1", "e1", "keep");
  run(process, 1000000);
  cr_assert(has_role("user-1", "role-a"));
  loop_stop(process->loop);
  run(process, 1000000);
  s.version = 1;
  process = simulation_start(&s, 0);
  run(process, 2000000);
  cr_assert_not(has_role("user-1", "role-a"));
  end();
}

Test(rules, an_event_before_the_projection_leaves_no_change_untold) {
  begin(1);
  struct process *process = start_ready();
  /* a transaction of somebody else keeps the projection from reading, but not events from being decided */
  static struct memory_transaction open = {.state = MEMORY_OPEN};
  memory_append(s.log, &s.log->outputs[WM_OUT_USERS][0])->transaction = &open;
  send("user-1", "e1", "keep");
  run(process, 1000000);
  s.version = 1; /* role-a is archived */
  loop_reload(process->loop, sample_workspace(1), &s.rules);
  send("user-1", "e2", "b");
  run(process, 2000000);
  cr_assert_eq(process->loop->partitions.items[0].catalogue, CATALOGUE_NONE);
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\""), 1);
  cr_assert_not(has_role("user-1", "role-a"));
  cr_assert(has_role("user-1", "role-b"));
  open.state = MEMORY_ABORTED;
  end();
}

Test(rules, a_crash_while_projecting_is_no_projection) {
  for (uint64_t at = 0; at < 80; at++) {
    begin(1);
    struct process *process = start_ready();
    send_to_all("keep");
    run(process, 1000000);
    loop_reload(process->loop, sample_workspace(1), &s.rules);
    s.hook = crash;
    s.hook_at = s.world.touches + at;
    run(process, 200000);
    if (!process->gone)
      simulation_kill(process);
    end(); /* by the old workspace */
  }
}

/* --- the rest --- */

Test(rules, events_of_no_interest_are_committed_within_seconds) {
  begin(1);
  struct process *process = start_ready();
  for (int i = 0; i < 10; i++)
    memory_log_produce(s.log, 0, 0, WM_NO_TEXT,
                       WM_TEXT("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"of.no.interest\"}"),
                       s.world.now_us / 1000);
  run(process, 2000000);
  cr_assert_eq(s.log->committed[0][0], 10);
  cr_assert_eq(process->loop->counters.nothing, 10);
  end();
}

Test(rules, asked_to_stop_it_finishes_what_it_has_begun) {
  begin(1);
  struct process *process = start_ready();
  send("user-1", "e1", "keep");
  simulation_run(process); /* polled, not decided */
  cr_assert_eq(process->loop->batch.events, 1);
  loop_stop(process->loop);
  run(process, 100000);
  cr_assert(process->gone);
  cr_assert_eq(s.log->committed[0][0], 1);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert_not(s.cache->data.ready);
  simulation_release(&s);
}

Test(rules, a_rebalance_hands_over_what_is_done) {
  begin(2);
  s.rules.batch_events = 100;
  struct process *first = start_ready();
  send_to_all("keep");
  simulation_run(first);
  struct process *second = simulation_start(&s, 1);
  for (int i = 0; i < 200; i++) {
    run(first, 5000);
    run(second, 5000);
  }
  cr_assert(first->loop->ready && second->loop->ready);
  cr_assert_eq(first->loop->counters.aborts, 0);
  cr_assert_eq(first->loop->counters.events, SAMPLE_USERS, "what was polled before the rebalance is finished");
  cr_assert_eq(first->loop->counters.events + second->loop->counters.events, SAMPLE_USERS);
  end();
}

Test(rules, the_users_table_stays_within_its_bound) {
  begin(1);
  s.rules.users_bytes = 8192;
  struct process *process = start_ready();
  for (int i = 0; i < 60; i++) {
    char user[16];
    snprintf(user, sizeof user, "someone-%d", i % 30);
    char id[16];
    snprintf(id, sizeof id, "e%d", i);
    send(user, id, "keep");
    run(process, 30000);
  }
  run(process, 1000000);
  users_trim(&process->loop->users);
  cr_assert(process->loop->users.bytes <= 8192 && process->loop->users.count < 30);
  cr_assert_eq(process->loop->counters.decided, 60);
  simulation_release(&s);
}

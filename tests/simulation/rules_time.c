/* What reaches Redis without any event: ends of grants, another catalogue. */
#include "core/moment.h"
#include "tests/lib/memory_log_internal.h"
#include "tests/simulation/quiet.h"

Test(rules, an_end_reaches_redis_within_two_seconds) {
  quiet_begin(3);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "a");
  send_milestone("user-2", "e2", "a");
  run_for(process, 1000000);
  cr_assert(has_role("user-1", "role-a") && has_role("user-2", "role-a"));
  size_t changes = count_committed(WM_OUT_CHANGES);
  run_for(process, 18000000);
  cr_assert(has_role("user-1", "role-a"));
  run_for(process, 3000000);
  cr_assert_not(has_role("user-1", "role-a"));
  cr_assert_not(has_role("user-2", "role-a"));
  cr_assert_eq(count_committed(WM_OUT_CHANGES), changes + 2);
  cr_assert_not(memory_cache_user(s.cache, WM_TEXT("user-1"))->has_end);
  quiet_end();
}

Test(rules, an_end_that_passed_while_nobody_was_there_is_told_too) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "a");
  run_for(process, 1000000);
  simulation_kill(process);
  s.world.now_us += 60 * INT64_C(1000000);
  quiet_end();
  quiet_begin(1);
  send_milestone("user-1", "e1", "a");
  s.world.now_us += 60 * INT64_C(1000000); /* the role is gained and lost before anybody looks */
  process = start_ready();
  run_for(process, 2000000);
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"task\""), 2); /* role-a and role-b */
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\""), 1);
  quiet_end();
}

Test(rules, an_end_that_passed_before_redis_caught_up_is_told_too) {
  quiet_begin(1);
  struct process *process = start_ready();
  memory_cache_set_down(s.cache, true);
  process->loop->recover.not_before_us = 0;
  process->loop->rules.drift_users = 0; /* nor this looks at Redis */
  send_milestone("user-1", "e1", "a");
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
  quiet_end();
}

Test(rules, many_ends_of_others_do_not_hide_ours) {
  quiet_begin(2);
  const struct log_position one[] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {2, 0, 0, 0},
                                     {0, 1, 0, 0}, {1, 1, 0, 0}, {2, 1, 0, 0}};
  int32_t home = memory_log_home(s.log, WM_TEXT("user-1"));
  struct process *process = start_ready();
  memory_log_tell(process->member, LOG_REVOKED, NULL, 0);
  run_for(process, 1000);
  memory_log_tell(process->member, LOG_ASSIGNED, one + 3 * home, 3);
  run_for(process, 300000);
  send_milestone("user-1", "e1", "a");
  run_for(process, 1000000);
  for (int i = 0; i < 900 && s.cache->data.user_count < 300; i++) {
    static char ids[900][16];
    int size = snprintf(ids[i], sizeof ids[i], "ghost-%d", i);
    struct wm_text id = {ids[i], (size_t)size};
    if (memory_log_home(s.log, id) != home)
      s.cache->data.users[s.cache->data.user_count++] = (struct memory_user){.id = id, .has_end = true, .end_us = 1};
  }
  cr_assert_eq(s.cache->data.user_count, 300);
  cr_assert(has_role("user-1", "role-a"));
  run_for(process, 22000000);
  cr_assert_not(has_role("user-1", "role-a"));
  simulation_release(&s);
}

Test(rules, ends_of_other_workers_users_are_passed_over) {
  quiet_begin(2);
  struct process *process = start_ready();
  send_to_all("a");
  run_for(process, 1000000);
  const struct log_position one[] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {2, 0, 0, 0}};
  memory_log_tell(process->member, LOG_REVOKED, NULL, 0);
  run_for(process, 1000);
  memory_log_tell(process->member, LOG_ASSIGNED, one, 3);
  run_for(process, 25000000);
  for (int i = 0; i < SAMPLE_USERS; i++) {
    char user[16];
    snprintf(user, sizeof user, "user-%d", i);
    cr_assert_eq(has_role(user, "role-a"), memory_log_home(s.log, wm_text_of(user)) == 1);
  }
  simulation_release(&s);
}

Test(rules, another_catalogue_reaches_redis_without_an_event_and_back) {
  quiet_begin(2);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  send_milestone("user-2", "e2", "keep");
  run_for(process, 1000000);
  size_t changes = count_committed(WM_OUT_CHANGES);
  loop_reload(process->loop, sample_workspace(1), &s.rules); /* role-a is archived */
  run_for(process, 2000000);
  cr_assert_not(has_role("user-1", "role-a"));
  cr_assert_not(has_role("user-2", "role-a"));
  cr_assert_eq(count_committed(WM_OUT_CHANGES), changes + 2);
  loop_reload(process->loop, sample_workspace(0), &s.rules);
  run_for(process, 2000000);
  cr_assert(has_role("user-1", "role-a") && has_role("user-2", "role-a"));
  cr_assert_eq(count_committed(WM_OUT_CHANGES), changes + 4);
  quiet_end();
}

Test(rules, a_catalogue_that_changed_while_nobody_was_there_reaches_redis) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  run_for(process, 1000000);
  cr_assert(has_role("user-1", "role-a"));
  loop_stop(process->loop);
  run_for(process, 1000000);
  s.version = 1;
  process = simulation_start(&s, 0);
  run_for(process, 2000000);
  cr_assert_not(has_role("user-1", "role-a"));
  quiet_end();
}

static void crash_after_user_2(void *self, const struct cache_write *write) {
  (void)self;
  if (wm_text_is(write->user, "user-2"))
    s.current->crash_in = 2;
}

Test(rules, a_catalogue_that_changes_during_a_catch_up_is_taken_back_first) {
  quiet_begin(1);
  struct process *process = start_ready();
  static struct memory_transaction open = {.state = MEMORY_OPEN}; /* keeps the catch-up from its end */
  run_for(process, 1000000);
  struct memory_data snapshot = s.cache->data;
  send_milestone("user-1", "e1", "keep");
  run_for(process, 100000);
  memory_append(s.log, &s.log->outputs[WM_OUT_USERS][0])->transaction = &open;
  send_milestone("user-2", "e2", "keep");
  run_for(process, 100000);
  memory_cache_restore(s.cache, &snapshot);
  for (int i = 0; i < 10000 && !has_role("user-1", "role-a"); i++)
    run_for(process, 100);
  loop_reload(process->loop, sample_workspace(1), &s.rules); /* role-a is archived */
  run_for(process, 1000000);
  open.state = MEMORY_ABORTED;
  s.cache->written = crash_after_user_2;
  run_for(process, 1000000);
  cr_assert(process->gone);
  cr_assert_not(has_role("user-2", "role-a"));
  process = simulation_start(&s, 0); /* with the old catalogue */
  run_for(process, 30000000);
  cr_assert(process->loop->ready);
  cr_assert(has_role("user-1", "role-a") && has_role("user-2", "role-a"));
  simulation_release(&s);
}

Test(rules, an_end_before_the_projection_leaves_no_change_untold) {
  quiet_begin(1);
  struct process *process = start_ready();
  static struct memory_transaction open = {.state = MEMORY_OPEN}; /* keeps the projection from reading */
  memory_append(s.log, &s.log->outputs[WM_OUT_USERS][0])->transaction = &open;
  send_milestone("user-1", "e1", "a"); /* role-a for 20 s, role-b */
  run_for(process, 1000000);
  s.version = 2; /* role-b is inactive */
  loop_reload(process->loop, sample_workspace(2), &s.rules);
  run_for(process, 22000000);
  cr_assert_eq(process->loop->partitions.items[0].catalogue, CATALOGUE_AT_WORK);
  cr_assert_not(has_role("user-1", "role-a") || has_role("user-1", "role-b"));
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\""), 1);
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\""), 1);
  open.state = MEMORY_ABORTED;
  run_for(process, 1000000);
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\""), 1);
  quiet_end();
}

static void pass_the_time(struct simulation *simulation) {
  simulation->world.now_us += 20 * INT64_C(1000000);
}

Test(rules, an_end_that_passes_while_another_is_swept_is_told) {
  for (uint64_t touch = 0; touch < 40; touch++) {
    quiet_begin(1);
    struct process *process = start_ready();
    send_milestone("user-1", "e1", "c"); /* role-c for 40 s */
    send_milestone("user-1", "e2", "a"); /* role-a for 20 s */
    run_for(process, 19900000);
    cr_assert(has_role("user-1", "role-a") && has_role("user-1", "role-c"));
    process->loop->sweep.next_us = 0;
    s.world.now_us += 200000;
    s.hook = pass_the_time;
    s.hook_at = s.world.touches + touch;
    run_for(process, 25000000);
    cr_assert_not(has_role("user-1", "role-a") || has_role("user-1", "role-c"));
    cr_assert_geq(count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\""), 2, "touch %lu", (unsigned long)touch);
    cr_assert_geq(count_with(WM_OUT_CHANGES, "expiry:user-1:role-c"), 1, "touch %lu", (unsigned long)touch);
    simulation_release(&s);
  }
}

Test(rules, an_event_before_the_projection_leaves_no_change_untold) {
  quiet_begin(1);
  struct process *process = start_ready();
  /* a transaction of somebody else keeps the projection from reading, but not events from being decided */
  static struct memory_transaction open = {.state = MEMORY_OPEN};
  memory_append(s.log, &s.log->outputs[WM_OUT_USERS][0])->transaction = &open;
  send_milestone("user-1", "e1", "keep");
  run_for(process, 1000000);
  s.version = 1; /* role-a is archived */
  loop_reload(process->loop, sample_workspace(1), &s.rules);
  send_milestone("user-1", "e2", "b");
  run_for(process, 2000000);
  cr_assert_eq(process->loop->partitions.items[0].catalogue, CATALOGUE_AT_WORK);
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\""), 1);
  cr_assert_not(has_role("user-1", "role-a"));
  cr_assert(has_role("user-1", "role-b"));
  open.state = MEMORY_ABORTED;
  quiet_end();
}

/* A worker at which user-1 got role-a for 20 s, which are over; nobody has come by to tell that. */
static struct process *pass_an_end(void) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "a");
  run_for(process, 1000000);
  cr_assert(has_role("user-1", "role-a"));
  process->loop->sweep.next_us = INT64_MAX;
  s.world.now_us += 20 * INT64_C(1000000);
  return process;
}

/* What was told of role-a, in its order: '+' and '-'; a repetition of one id is none. */
static void check_told(const char *expected) {
  char told[16] = "", ids[16][80];
  size_t count = 0;
  for (size_t i = 0; i < s.log->outputs[WM_OUT_CHANGES][0].count; i++) {
    const struct memory_entry *entry = &s.log->outputs[WM_OUT_CHANGES][0].entries[i];
    if (entry->marker || !entry->transaction || entry->transaction->state != MEMORY_COMMITTED ||
        !wm_text_contains(entry->value, WM_TEXT("\"role\":\"role-a\"")))
      continue;
    char value[1024];
    snprintf(value, sizeof value, "%.*s", WM_TEXT_ARG(entry->value));
    const char *id = strstr(value, "\"id\":");
    cr_assert(id && count < 15);
    snprintf(ids[count], sizeof ids[count], "%.79s", id);
    *strchrnul(ids[count], ',') = '\0';
    bool repeated = false;
    for (size_t j = 0; j < count; j++)
      repeated |= strcmp(ids[j], ids[count]) == 0;
    if (repeated)
      continue;
    told[count++] = strstr(value, "\"effective\":true") ? '+' : '-';
  }
  told[count] = '\0';
  cr_assert_str_eq(told, expected);
}

static void go_on_sweeping(struct process *process) {
  process->loop->sweep.next_us = 0;
  run_for(process, 2000000);
}

Test(rules, a_removal_between_an_end_and_the_sweep_leaves_the_end_told) {
  struct process *process = pass_an_end();
  send_milestone("user-1", "e2", "not-a");
  run_for(process, 500000);
  check_told("+-");
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"id\":\"expiry:user-1:role-a:"), 1);
  go_on_sweeping(process);
  check_told("+-");
  quiet_end();
}

Test(rules, a_grant_between_an_end_and_the_sweep_leaves_the_end_told) {
  struct process *process = pass_an_end();
  send_milestone("user-1", "e2", "keep");
  run_for(process, 500000);
  check_told("+-+");
  go_on_sweeping(process);
  check_told("+-+");
  cr_assert(has_role("user-1", "role-a"));
  quiet_end();
}

Test(rules, a_short_grant_between_an_end_and_the_sweep_has_an_end_of_its_own) {
  struct process *process = pass_an_end();
  send_milestone("user-1", "e2", "a");
  run_for(process, 500000);
  s.world.now_us += 20 * INT64_C(1000000);
  go_on_sweeping(process);
  check_told("+-+-");
  quiet_end();
}

static void send_profile(const char *id, const char *status) {
  static char values[4][256];
  static size_t count;
  char *value = values[count++];
  char time[WM_MOMENT_SIZE];
  wm_moment_format(s.world.now_us, time);
  int size = snprintf(value, sizeof values[0],
                      "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/d\",\"type\":\"directory.user.updated\","
                      "\"subject\":\"user-1\",\"time\":\"%s\",\"data\":{\"status\":\"%s\"}}",
                      id, time, status);
  memory_log_produce(s.log, 1, 0, WM_TEXT("user-1"), (struct wm_text){value, (size_t)size}, s.world.now_us / 1000);
}

Test(rules, a_profile_between_an_end_and_the_sweep_leaves_the_end_told) {
  struct process *process = pass_an_end();
  send_profile("p1", "suspended");
  run_for(process, 500000);
  check_told("+-");
  send_profile("p2", "active");
  run_for(process, 500000);
  go_on_sweeping(process);
  check_told("+-");
  quiet_end();
}

/* The record waited: it is older than the end, which was told meanwhile. */
Test(rules, a_grant_that_waited_while_an_end_was_told_is_told_as_gained) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "a");
  run_for(process, 1000000);
  s.world.now_us += 22 * INT64_C(1000000);
  go_on_sweeping(process);
  check_told("+-");
  s.world.now_us -= 15 * INT64_C(1000000);
  send_milestone("user-1", "e2", "keep");
  s.world.now_us += 15 * INT64_C(1000000);
  go_on_sweeping(process);
  check_told("+-+");
  cr_assert(has_role("user-1", "role-a"));
  quiet_end();
}

/* Both were told nothing of when it was decided: the end comes after the event, and is told after it. */
Test(rules, an_end_after_an_event_that_waited_is_told_with_it) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "a");
  run_for(process, 1000000);
  process->loop->sweep.next_us = INT64_MAX;
  s.world.now_us += 10 * INT64_C(1000000);
  send_milestone("user-1", "e2", "b");
  s.world.now_us += 15 * INT64_C(1000000);
  run_for(process, 500000);
  check_told("+-");
  send_milestone("user-1", "e3", "not-a");
  run_for(process, 500000);
  check_told("+-");
  go_on_sweeping(process);
  check_told("+-");
  quiet_end();
}

/* An end that nobody has told yet is no change of the catalogue, whatever else the catalogue changes. */
Test(rules, an_end_is_no_change_of_the_catalogue) {
  struct process *process = pass_an_end();
  s.version = 2; /* role-b is inactive */
  loop_reload(process->loop, sample_workspace(2), &s.rules);
  process->loop->sweep.next_us = INT64_MAX;
  run_for(process, 1000000);
  check_told("+-");
  cr_assert_geq(count_with(WM_OUT_CHANGES, "\"id\":\"expiry:user-1:role-a:"), 1);
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\""), 1);
  go_on_sweeping(process);
  check_told("+-");
  quiet_end();
}

/* The record waited: its removal is older than the end, which was told meanwhile. The role is lost once. */
Test(rules, a_removal_that_waited_while_an_end_was_told_is_no_second_loss) {
  struct process *process = pass_an_end();
  go_on_sweeping(process);
  check_told("+-");
  s.world.now_us -= 15 * INT64_C(1000000);
  send_milestone("user-1", "e2", "not-a");
  s.world.now_us += 15 * INT64_C(1000000);
  run_for(process, 1000000);
  check_told("+-");
  cr_assert_eq(count_with(WM_OUT_OUTCOMES, "\"automation\":\"remove-a\""), 1);
  quiet_end();
}

Test(rules, an_end_that_passed_while_redis_was_lost_is_told) {
  struct process *process = pass_an_end();
  memory_cache_flush(s.cache);
  go_on_sweeping(process);
  cr_assert(process->loop->ready);
  check_told("+-");
  cr_assert_not(has_role("user-1", "role-a"));
  quiet_end();
}

/* The log knows up to when all was told: nothing comes again but what has just been told. */
Test(rules, ends_that_were_told_are_not_told_again_when_redis_is_lost) {
  struct process *process = pass_an_end();
  go_on_sweeping(process);
  send_milestone("user-2", "e9", "b"); /* its commit carries the mark */
  run_for(process, 1000000);
  size_t told = count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\"");
  simulation_kill(process);
  memory_cache_flush(s.cache);
  process = simulation_start(&s, 1);
  run_for(process, 30000000);
  cr_assert(process->loop->ready);
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"expiry\""), told);
  quiet_end();
}

/* Somebody set the group's offsets, and what stood with them is gone: told once more, with the same id. */
Test(rules, without_a_mark_ends_are_told_again_with_the_same_id) {
  struct process *process = pass_an_end();
  go_on_sweeping(process);
  simulation_kill(process);
  memset(s.log->told_us, 0, sizeof s.log->told_us);
  memory_cache_flush(s.cache);
  process = simulation_start(&s, 1);
  run_for(process, 30000000);
  cr_assert(process->loop->ready);
  check_told("+-");
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"id\":\"expiry:user-1:role-a:"), 2);
  quiet_end();
}

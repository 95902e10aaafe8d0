/* What is said on the control topic: known before anything is decided, followed between two batches, kept over reloads
 * and restarts, and taken back without a trace. */
#include "tests/lib/memory_log_internal.h"
#include "tests/simulation/quiet.h"

static void say_automation(const char *name, enum wm_running_state state) {
  memory_log_say(s.log, WM_RUNNING_AUTOMATION, name, state);
}
static void say_role(const char *name, enum wm_running_state state) {
  memory_log_say(s.log, WM_RUNNING_ROLE, name, state);
}

Test(rules, what_was_switched_off_is_known_before_the_first_decision) {
  quiet_begin(2);
  say_automation("keep-a", WM_RUNNING_OFF);
  send_to_all("keep");
  struct process *process = start_ready();
  run_for(process, 1000000);
  cr_assert_eq(count_committed(WM_OUT_OUTCOMES), 0);
  simulation_kill(process);
  process = simulation_start(&s, 1);
  send_to_all("keep");
  s.world.now_us += 11000000;
  run_for(process, 2000000);
  cr_assert(process->loop->ready);
  cr_assert_eq(count_committed(WM_OUT_OUTCOMES), 0);
  quiet_end();
}

/* Brokers that don't say where the topic ends: nothing is decided without knowing. */
Test(rules, nothing_is_decided_while_control_is_not_known) {
  quiet_begin(1);
  send_milestone("user-1", "e1", "keep");
  struct process *process = simulation_start(&s, 0);
  for (int i = 0; i < 3000; i++) {
    process->loop->control.known = false;
    process->loop->control.asked = true;
    process->loop->control.end = INT64_MAX;
    run_for(process, 100);
  }
  cr_assert_not(process->loop->ready);
  cr_assert_eq(count_committed(WM_OUT_OUTCOMES), 0);
  process->loop->control.asked = false;
  run_for(process, 1000000);
  cr_assert(has_role("user-1", "role-a"));
  quiet_end();
}

Test(rules, an_automation_is_off_from_the_next_batch_on_and_on_again) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  run_for(process, 500000);
  say_automation("keep-a", WM_RUNNING_OFF);
  run_for(process, 500000);
  send_milestone("user-2", "e2", "keep");
  run_for(process, 500000);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert_not(has_role("user-2", "role-a"));
  say_automation("keep-a", WM_RUNNING_AS_WRITTEN);
  run_for(process, 500000);
  send_milestone("user-2", "e3", "keep");
  run_for(process, 500000);
  cr_assert(has_role("user-2", "role-a"));
  quiet_end();
}

Test(rules, a_reload_keeps_what_was_said) {
  quiet_begin(1);
  say_automation("keep-a", WM_RUNNING_OFF);
  say_role("role-b", WM_RUNNING_OFF);
  struct process *process = start_ready();
  s.version = 2;
  loop_reload(process->loop, sample_workspace(2), &s.rules);
  run_for(process, 500000);
  cr_assert_eq(process->loop->counters.reloads, 1);
  cr_assert_not(wm_workspace_automation(process->loop->workspace, WM_TEXT("keep-a"))->enabled);
  cr_assert_eq(wm_workspace_role(process->loop->workspace, WM_TEXT("role-b"))->status, WM_ROLE_ARCHIVED);
  quiet_end();
}

Test(rules, garbage_on_the_control_topic_stops_nobody) {
  quiet_begin(1);
  memory_log_control(s.log, WM_TEXT("automation/keep-a"), WM_TEXT("{\"state\":\"off\"}"));
  memory_log_control(s.log, WM_NO_TEXT, WM_NO_TEXT);
  struct process *process = start_ready();
  memory_log_control(s.log, WM_TEXT("role/\xff"), WM_TEXT("\xff"));
  run_for(process, 500000);
  send_milestone("user-1", "e1", "keep");
  run_for(process, 500000);
  cr_assert(has_role("user-1", "role-a"));
  quiet_end();
}

Test(rules, an_archived_role_is_gone_and_back_with_nobody_lost) {
  quiet_begin(3);
  struct process *process = start_ready();
  send_to_all("keep");
  run_for(process, 1000000);
  say_role("role-a", WM_RUNNING_OFF);
  run_for(process, 1000000);
  for (int i = 0; i < SAMPLE_USERS; i++)
    cr_assert_not(has_role((char[]){'u', 's', 'e', 'r', '-', (char)('0' + i), 0}, "role-a"));
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\""), SAMPLE_USERS);
  say_role("role-a", WM_RUNNING_ON);
  run_for(process, 1000000);
  for (int i = 0; i < SAMPLE_USERS; i++)
    cr_assert(has_role((char[]){'u', 's', 'e', 'r', '-', (char)('0' + i), 0}, "role-a"));
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\""), 2 * SAMPLE_USERS);
  quiet_end();
}

/* Killed at any call of a door between archive and unarchive: nobody's assignment is lost, and quiet_end judges. */
Test(rules, a_crash_in_the_middle_of_archiving_loses_nothing) {
  for (uint64_t at = 1; at < 120; at += 3) {
    quiet_begin(2);
    struct process *process = start_ready();
    send_to_all("keep");
    run_for(process, 1000000);
    say_role("role-a", WM_RUNNING_OFF);
    process->crash_in = at;
    run_for(process, 1000000);
    say_role("role-a", WM_RUNNING_AS_WRITTEN);
    cr_assert(simulation_settle(&s), "%s", s.why);
    for (int i = 0; i < SAMPLE_USERS; i++)
      cr_assert(has_role((char[]){'u', 's', 'e', 'r', '-', (char)('0' + i), 0}, "role-a"));
    quiet_end();
  }
}

/* --- projecting --- */

static struct process *start_with(unsigned version, unsigned slot) {
  s.version = version;
  return simulation_start(&s, slot);
}

static void send_to_many(int count) {
  for (int i = 0; i < count; i++) {
    char name[16];
    snprintf(name, sizeof name, "many-%d", i);
    send_milestone(name, "e1", "keep");
  }
}

/* As many as the judge has room for do not fill a chunk, so chunks are made small. */
static void keep_chunks_small(struct process *process) {
  process->loop->reproject.chunk_users = 1;
  process->loop->reproject.kept_us = 0;
}

Test(rules, a_projection_goes_on_where_the_one_before_was) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_to_many(10);
  run_for(process, 1000000);
  say_role("role-a", WM_RUNNING_OFF);
  struct partition *partition = &process->loop->partitions.items[0];
  for (int i = 0; i < 20000 && (partition->projected_to < 5 || partition->catalogue == CATALOGUE_PROJECTED); i++) {
    keep_chunks_small(process);
    run_for(process, 100);
  }
  cr_assert_eq(partition->catalogue, CATALOGUE_AT_WORK);
  int64_t done = partition->projected_to, since_us = partition->since_us;
  simulation_kill(process);
  process = simulation_start(&s, 1);
  for (int i = 0; i < 200000 && process->loop->reproject.partition < 0; i++)
    run_for(process, 100);
  cr_assert_geq(process->loop->reproject.position, done, "not from the beginning");
  cr_assert_eq(process->loop->partitions.items[0].since_us, since_us);
  run_for(process, 1000000);
  cr_assert_eq(process->loop->partitions.items[0].catalogue, CATALOGUE_PROJECTED);
  cr_assert_not(has_role("many-9", "role-a"));
  cr_assert_eq(count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\""), 10);
  quiet_end();
}

Test(rules, a_catalogue_that_comes_back_is_told_by_other_ids) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_milestone("user-1", "e1", "keep");
  run_for(process, 1000000);
  for (int round = 0; round < 3; round++) {
    say_role("role-a", WM_RUNNING_OFF);
    run_for(process, 500000);
    say_role("role-a", WM_RUNNING_AS_WRITTEN);
    run_for(process, 500000);
  }
  struct wm_text ids[6];
  size_t count = 0;
  for (size_t i = 0; i < s.log->outputs[WM_OUT_CHANGES][0].count; i++) {
    const struct memory_entry *entry = &s.log->outputs[WM_OUT_CHANGES][0].entries[i];
    if (entry->marker || !wm_text_contains(entry->value, WM_TEXT("\"cause\":\"catalogue\"")))
      continue;
    cr_assert_lt(count, 6);
    const char *id = strstr(entry->value.bytes, "\"id\":");
    ids[count++] = (struct wm_text){id, (size_t)(strstr(id, "\",") - id)};
  }
  cr_assert_eq(count, 6);
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < i; j++)
      cr_assert_not(wm_text_equal(ids[i], ids[j]), "%.*s", WM_TEXT_ARG(ids[i]));
  quiet_end();
}

/* A rolling deploy: the partition goes from hand to hand between workers of two catalogues, some of which are killed in
 * the middle. Each hand changes a user once at most. */
Test(rules, no_user_flaps_more_than_once_per_owner) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_to_many(8);
  run_for(process, 1000000);
  size_t told = count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\"");
  for (unsigned hand = 0; hand < 6; hand++) {
    simulation_kill(process);
    process = start_with(hand % 2 == 0 ? 1 : 0, hand % 2 + 1);
    for (int i = 0; i < 300000 && !process->loop->ready; i++)
      run_for(process, 100);
    for (int i = 0; i < 4000; i++) {
      keep_chunks_small(process);
      run_for(process, 100);
    }
    size_t now = count_with(WM_OUT_CHANGES, "\"cause\":\"catalogue\"");
    cr_assert_leq(now - told, 8, "hand %u told %zu changes", hand, now - told);
    cr_assert_eq(process->loop->partitions.items[0].catalogue, CATALOGUE_PROJECTED);
    told = now;
  }
  quiet_end();
}

/* One chunk of the projection and one batch at most stand between an event and its decision. */
Test(rules, events_do_not_wait_for_a_projection) {
  quiet_begin(1);
  struct process *process = start_ready();
  send_to_many(10);
  run_for(process, 1000000);
  say_role("role-a", WM_RUNNING_OFF);
  struct loop *loop = process->loop;
  for (int i = 0; i < 20000 && loop->partitions.items[0].projected_to < 3; i++) {
    keep_chunks_small(process);
    run_for(process, 100);
  }
  int64_t before = loop->reproject.position;
  size_t decided = count_committed(WM_OUT_OUTCOMES);
  for (int i = 0; i < 4; i++)
    send_milestone("user-1", (char[]){'x', (char)('0' + i), 0}, "keep"); /* fills a batch */
  for (int i = 0; i < 20000 && count_committed(WM_OUT_OUTCOMES) < decided + 4; i++) {
    keep_chunks_small(process);
    run_for(process, 100);
  }
  cr_assert_eq(loop->partitions.items[0].catalogue, CATALOGUE_AT_WORK);
  cr_assert_leq(loop->reproject.position - before, 2);
  quiet_end();
}

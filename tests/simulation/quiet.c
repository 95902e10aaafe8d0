#include "tests/simulation/quiet.h"

struct simulation s;
static struct wm_workspace *versions[SAMPLE_VERSIONS];

void quiet_begin(int32_t partitions) {
  for (unsigned i = 0; i < SAMPLE_VERSIONS; i++)
    if (!versions[i])
      versions[i] = sample_workspace(i);
  simulation_init(&s, 7, partitions, versions);
  s.rules.batch_events = 4;
  s.rules.users_bytes = 0;
  s.rules.applying_bytes = 0;
}

void quiet_end(void) {
  bool right = simulation_end(&s);
  cr_assert(right, "%s", s.why);
  simulation_release(&s);
}

void run_for(struct process *process, int64_t for_us) {
  int64_t until_us = s.world.now_us + for_us;
  while (!process->gone && s.world.now_us < until_us) {
    simulation_run(process);
    s.world.now_us += 100;
    memory_log_tick(s.log, false);
    memory_cache_tick(s.cache, false);
  }
}

struct process *start_ready(void) {
  struct process *process = simulation_start(&s, 0);
  for (int i = 0; i < 200 && !process->loop->ready; i++)
    run_for(process, 1000);
  cr_assert(process->loop->ready);
  return process;
}

void send_milestone(const char *user, const char *id, const char *milestone) {
  sample_send_milestone(s.log, user, id, milestone);
}

void send_to_all(const char *milestone) {
  for (int i = 0; i < SAMPLE_USERS; i++) {
    char user[16];
    snprintf(user, sizeof user, "user-%d", i);
    send_milestone(user, "e1", milestone);
  }
}

void run_out(struct process *process) {
  for (int i = 0; i < 20000 && loop_step(process->loop); i++)
    s.world.now_us += 100;
  cr_assert_eq(process->loop->phase, LOOP_STOPPED);
}

bool has_role(const char *user, const char *role) {
  return memory_cache_has_role(s.cache, wm_text_of(user), wm_text_of(role));
}

size_t count_with(enum wm_topic topic, const char *part) {
  size_t count = 0;
  for (int32_t p = 0; p < s.log->partition_count; p++)
    for (size_t i = 0; i < s.log->outputs[topic][p].count; i++) {
      const struct memory_entry *entry = &s.log->outputs[topic][p].entries[i];
      count += !entry->marker && entry->transaction && entry->transaction->state == MEMORY_COMMITTED &&
               wm_text_contains(entry->value, wm_text_of(part));
    }
  return count;
}

size_t count_committed(enum wm_topic topic) {
  return count_with(topic, "");
}

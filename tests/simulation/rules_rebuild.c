/* A rebuild in place (worker/rebuild.h): what is wrong in Redis is put right, what is right never goes away meanwhile,
 * and it survives whatever may happen to it. */
#include "tests/simulation/quiet.h"

static struct memory_user *cached(const char *user) {
  struct memory_user *found = (struct memory_user *)memory_cache_user(s.cache, wm_text_of(user));
  cr_assert_not_null(found);
  return found;
}

static bool is_rebuilt(void) {
  for (int p = 0; p < s.log->partition_count; p++)
    if (s.cache->data.rebuild[p])
      return false;
  return true;
}

static void wait_rebuilt(struct process *process) {
  for (int i = 0; i < 400 && !(is_rebuilt() && process->loop->ready); i++)
    run_for(process, 100000);
  cr_assert(is_rebuilt());
}

/* A user, and a role set, that nobody ever decided. */
static void add_strangers(void) {
  static struct wm_text role[] = {WM_TEXT("role-a")};
  const char *const names[] = {"ghost", "nobody"};
  for (int i = 0; i < 2; i++) {
    struct memory_user *user = &s.cache->data.users[s.cache->data.user_count++];
    *user = (struct memory_user){.id = wm_text_of(names[i]), .roles = role, .role_count = 1, .has_register = i == 0};
    user->gen = i == 0 ? s.cache->data.generation : 0;
    user->at = i == 0 ? 5000 : -1;
    user->json = WM_TEXT("{}");
  }
}

static struct process *start_filled(int32_t partitions) {
  quiet_begin(partitions);
  struct process *process = start_ready();
  send_to_all("keep");
  run_for(process, 1000000);
  cr_assert(has_role("user-1", "role-a"));
  return process;
}

Test(rebuild, what_is_wrong_is_put_right) {
  struct process *process = start_filled(2);
  struct memory_user *user = cached("user-1");
  user->role_count = 0;
  user->at = 100000;
  cached("user-2")->json = WM_TEXT("{\"v\":1}");
  add_strangers();
  memory_cache_rebuild(s.cache);
  wait_rebuilt(process);
  cr_assert(has_role("user-1", "role-a"));
  cr_assert_eq(user->gen, 2);
  cr_assert(!has_role("ghost", "role-a") && !cached("ghost")->has_register);
  cr_assert_not(has_role("nobody", "role-a"));
  cr_assert_eq(count_committed(WM_OUT_FAILURES), 0);
  quiet_end();
}

static size_t backward;
static void watch(void *self, const struct cache_write *write) {
  (void)self;
  const struct memory_user *user = memory_cache_user(s.cache, write->user);
  backward += user && user->has_register && user->at > write->at;
}

Test(rebuild, nobody_goes_back_to_an_earlier_register) {
  struct process *process = start_filled(2);
  for (int round = 0; round < 5; round++) {
    char id[8];
    snprintf(id, sizeof id, "again-%d", round);
    for (int i = 0; i < SAMPLE_USERS; i++) {
      char user[16];
      snprintf(user, sizeof user, "user-%d", i);
      send_milestone(user, id, round % 2 ? "keep" : "b");
    }
    run_for(process, 300000);
  }
  s.cache->written = watch;
  backward = 0;
  memory_cache_rebuild(s.cache);
  wait_rebuilt(process);
  cr_assert_eq(backward, 0);
  cr_assert_eq(cached("user-1")->gen, 2);
  quiet_end();
}

Test(rebuild, a_stranger_does_not_become_known_by_an_event) {
  struct process *process = start_filled(1);
  struct memory_user *ghost = &s.cache->data.users[s.cache->data.user_count++];
  *ghost = *cached("user-1");
  ghost->id = WM_TEXT("user-77");
  memory_cache_rebuild(s.cache);
  s.world.faults.cache_lost = 0;
  send_milestone("user-77", "e1", "nothing-takes-it");
  wait_rebuilt(process);
  run_for(process, 500000);
  cr_assert_eq(ghost->role_count, 0);
  quiet_end();
}

static void crash(struct simulation *simulation) {
  simulation->current->crash_in = 1;
}
static void rebuild(struct simulation *simulation) {
  memory_cache_rebuild(simulation->cache);
}
static void flush(struct simulation *simulation) {
  memory_cache_flush(simulation->cache);
}

/* Something happens at any call of a rebuild; another worker takes over from one that is gone. */
static void at_any_call(void (*hook)(struct simulation *simulation)) {
  uint64_t touches = 200;
  for (uint64_t at = 0; at < touches; at += 1 + at / 40) {
    struct process *process = start_filled(2);
    add_strangers();
    cached("user-1")->role_count = 0;
    memory_cache_rebuild(s.cache);
    send_milestone("user-2", "late", "b");
    s.hook = hook;
    s.hook_at = s.world.touches + at;
    run_for(process, 1500000);
    if (process->gone)
      process = simulation_start(&s, 1);
    s.hook = NULL;
    run_for(process, 1500000); /* it notices, too, what happened last */
    wait_rebuilt(process);
    cr_assert_not(has_role("ghost", "role-a"), "at %lu", (unsigned long)at);
    cr_assert_not(has_role("nobody", "role-a"), "at %lu", (unsigned long)at);
    cr_assert(has_role("user-1", "role-a"), "at %lu", (unsigned long)at);
    quiet_end();
  }
}

Test(rebuild, a_crash_at_any_call_is_gone_on_from) {
  at_any_call(crash);
}
Test(rebuild, another_rebuild_at_any_call_counts_too) {
  at_any_call(rebuild);
}
Test(rebuild, redis_emptied_at_any_call_is_filled) {
  at_any_call(flush);
}

/* Registers of a generation beyond the present one would be taken for drift, and left as they are by a rebuild. */
Test(rebuild, the_generation_is_brought_back_when_meta_was_deleted) {
  struct process *process = start_filled(2);
  memory_cache_rebuild(s.cache);
  wait_rebuilt(process);
  s.cache->data.generation = 0;
  run_for(process, 1500000);
  cr_assert(process->loop->ready);
  cr_assert_eq(s.cache->data.generation, cached("user-1")->gen);
  run_for(process, 30000000);
  cr_assert_eq(process->loop->counters.drift_found, 0);
  cached("user-1")->role_count = 0;
  memory_cache_rebuild(s.cache);
  wait_rebuilt(process);
  cr_assert(has_role("user-1", "role-a"));
  quiet_end();
}

/* A batch of the generation before can't tell a progress that only the new one has made. */
Test(rebuild, progress_of_an_older_generation_is_refused) {
  struct process *process = start_filled(1);
  struct cache_door door;
  struct wm_error error = {0};
  memory_cache_connect(s.cache, &door);
  memory_cache_rebuild(s.cache);
  wait_rebuilt(process);
  int64_t progress = s.cache->data.progress[0];
  cr_assert_eq(door.ops->advance(door.self, 0, 1, progress, progress + 1, &error), CACHE_STALE);
  cr_assert_eq(door.ops->advance(door.self, 0, 2, progress, progress, &error), CACHE_DONE);
  quiet_end();
}

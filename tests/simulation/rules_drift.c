/* The background sample (worker/drift.h): who changes Redis by hand is found, who does not is left in peace. */
#include "core/moment.h"
#include "tests/simulation/quiet.h"

static struct process *process;

static struct memory_user *cached(const char *user) {
  struct memory_user *found = (struct memory_user *)memory_cache_user(s.cache, wm_text_of(user));
  cr_assert_not_null(found);
  return found;
}

static void begin(void) {
  quiet_begin(2);
  process = start_ready();
  send_to_all("keep");
  run_for(process, 1000000);
  cr_assert(has_role("user-1", "role-a"));
}

static uint64_t drifted(void) {
  return drift_users(&process->loop->drift);
}

static void wait_drift(uint64_t users) {
  for (int i = 0; i < 60 && drifted() != users; i++)
    run_for(process, 1000000);
  cr_assert_eq(drifted(), users, "%lu users", (unsigned long)drifted());
}

static unsigned kinds_of(const char *user) {
  const struct drift *drift = &process->loop->drift;
  for (size_t i = 0; i < drift->count; i++)
    if (wm_text_is(drift->users[i].id, user))
      return drift->users[i].kinds;
  return 0;
}

Test(drift, an_honest_redis_is_compared_and_nobody_found) {
  begin();
  for (int i = 0; i < 30; i++) {
    char id[16];
    snprintf(id, sizeof id, "more-%d", i);
    send_milestone("user-2", id, i % 2 ? "a" : "b");
    run_for(process, 1000000);
  }
  cr_assert_gt(process->loop->drift.rounds, 1);
  cr_assert_geq(process->loop->counters.drift_checked, 2 * SAMPLE_USERS);
  cr_assert_eq(process->loop->counters.drift_found, 0);
  cr_assert_eq(drifted(), 0);
  quiet_end();
}

Test(drift, whatever_is_changed_by_hand_is_found_with_its_kind) {
  static struct wm_text role[] = {WM_TEXT("role-z")};
  begin();
  cached("user-0")->role_count = 0;
  cached("user-1")->roles = role;
  cached("user-2")->at -= 1;
  cached("user-3")->at = 100000;
  cached("user-4")->gen = 9;
  cached("user-5")->has_register = false;
  struct memory_user *stranger = &s.cache->data.users[s.cache->data.user_count++];
  *stranger = (struct memory_user){.id = WM_TEXT("stranger"), .roles = role, .role_count = 1, .at = -1};
  wait_drift(7);
  cr_expect_eq(kinds_of("user-0"), DRIFT_ROLES);
  cr_expect_eq(kinds_of("user-1"), DRIFT_ROLES);
  cr_expect_eq(kinds_of("user-2"), DRIFT_OLDER);
  cr_expect_eq(kinds_of("user-3"), DRIFT_NEWER);
  cr_expect_eq(kinds_of("user-4"), DRIFT_NEWER);
  cr_expect_eq(kinds_of("user-5"), DRIFT_MISSING);
  cr_expect_eq(kinds_of("stranger"), DRIFT_UNBACKED);
  cr_expect_eq(process->loop->counters.drift_found, 7);
  memory_cache_rebuild(s.cache);
  wait_drift(0);
  quiet_end();
}

Test(drift, a_register_of_other_bytes_is_found_and_a_new_decision_puts_it_right) {
  begin();
  struct memory_user *user = cached("user-1");
  user->json = (struct wm_text){user->json.bytes, user->json.size - 1};
  wait_drift(1);
  cr_expect_eq(kinds_of("user-1"), DRIFT_REGISTER);
  send_milestone("user-1", "e2", "b");
  wait_drift(0);
  cr_expect_eq(process->loop->counters.drift_found, 1);
  quiet_end();
}

/* The end of a grant that nobody will come by for, because it is not noted. */
Test(drift, an_end_that_is_taken_out_is_found) {
  char data[128], until[WM_MOMENT_SIZE];
  begin();
  size_t size = wm_moment_format(s.world.now_us + 86400 * WM_SECOND_US, until);
  snprintf(data, sizeof data, "{\"role\":\"role-a\",\"action\":\"add\",\"until\":\"%.*s\"}", (int)size, until);
  sample_send_request(s.log, "user-1", "r1", "role.assignment.requested", data);
  run_for(process, 1000000);
  struct memory_user *user = cached("user-1");
  cr_assert(user->has_end);
  user->has_end = false;
  wait_drift(1);
  cr_expect_eq(kinds_of("user-1"), DRIFT_END);
  user->has_end = true;
  wait_drift(0);
  quiet_end();
}

static struct wm_text stolen[] = {WM_TEXT("role-z")};

/* Between two looks it was put right. */
Test(drift, a_difference_that_does_not_stand_is_none) {
  begin();
  struct memory_user *user = cached("user-1");
  struct wm_text *roles = user->roles;
  user->roles = stolen;
  for (int i = 0; i < 200 && process->loop->drift.count == 0; i++)
    run_for(process, 100000);
  cr_assert_eq(process->loop->drift.count, 1);
  user->roles = roles;
  run_for(process, 5000000);
  cr_assert_eq(process->loop->drift.count, 0);
  cr_assert_eq(process->loop->counters.drift_found, 0);
  quiet_end();
}

Test(drift, nothing_is_looked_at_during_a_pause_or_when_it_is_off) {
  begin();
  memory_cache_set_down(s.cache, true);
  run_for(process, 2000000);
  uint64_t checked = process->loop->counters.drift_checked;
  run_for(process, 30000000);
  cr_expect_eq(process->loop->counters.drift_checked, checked);
  memory_cache_set_down(s.cache, false);
  process->loop->rules.drift_users = 0;
  run_for(process, 30000000);
  cr_expect_eq(process->loop->counters.drift_checked, checked);
  quiet_end();
}

Test(drift, who_loses_the_partitions_forgets_and_the_next_owner_finds) {
  begin();
  cached("user-1")->roles = stolen;
  wait_drift(1);
  simulation_kill(process);
  process = simulation_start(&s, 1);
  wait_drift(1);
  cached("user-1")->role_count = 0;
  wait_drift(1);
  memory_cache_rebuild(s.cache);
  wait_drift(0);
  quiet_end();
}

/* More than are kept by name: the number goes on. */
Test(drift, many_users_are_a_number) {
  begin();
  for (int i = 0; i < DRIFT_KEPT + 40; i++) {
    static char ids[DRIFT_KEPT + 40][16];
    snprintf(ids[i], sizeof ids[i], "ghost-%d", i);
    struct memory_user *ghost = &s.cache->data.users[s.cache->data.user_count++];
    *ghost = (struct memory_user){.id = wm_text_of(ids[i]), .roles = stolen, .role_count = 1, .at = -1};
  }
  wait_drift(DRIFT_KEPT + 40);
  cr_expect_eq(process->loop->drift.count, DRIFT_KEPT);
  s.cache->data.user_count -= DRIFT_KEPT + 40;
  wait_drift(0);
  quiet_end();
}

/* A role that is handed on: from the giver's home to the receiver's, in one transaction each. */
#include "tests/simulation/quiet.h"

#define ADD "role.assignment.requested"
#define HAND_ON "role.delegation.requested"

/* A giver and a receiver with two homes. */
static const char giver[] = "user-0";
static char receiver[16];

static void choose_receiver(void) {
  for (int i = 1; i < 64; i++) {
    snprintf(receiver, sizeof receiver, "user-%d", i);
    if (memory_log_home(s.log, wm_text_of(receiver)) != memory_log_home(s.log, wm_text_of(giver)))
      return;
  }
  cr_assert_fail("everybody lives in one place");
}

static void hand_on(const char *id) {
  char data[64];
  snprintf(data, sizeof data, "{\"role\":\"role-c\",\"to\":\"%s\"}", receiver);
  sample_send_request(s.log, giver, id, HAND_ON, data);
}

Test(rules, a_role_is_handed_on_to_another_home) {
  quiet_begin(4);
  choose_receiver();
  struct process *process = start_ready();
  sample_send_request(s.log, giver, "r1", ADD, "{\"role\":\"role-c\",\"action\":\"add\"}");
  run_for(process, 1000000);
  hand_on("d1");
  run_for(process, 1000000);
  cr_assert(has_role(receiver, "role-c"));
  cr_assert_eq(count_committed(WM_OUT_REQUESTS), 1);
  cr_assert_eq(count_with(WM_OUT_OUTCOMES, ":delegation\""), 1);
  hand_on("d1");
  run_for(process, 1000000);
  cr_assert_eq(count_committed(WM_OUT_REQUESTS), 1, "the same delegation again");
  hand_on("d2");
  run_for(process, 1000000);
  cr_assert_eq(count_committed(WM_OUT_REQUESTS), 2);
  cr_assert_eq(count_with(WM_OUT_CHANGES, receiver), 1);
  quiet_end();
}

Test(rules, who_may_not_hand_a_role_on_fails_and_asks_nobody) {
  quiet_begin(4);
  choose_receiver();
  struct process *process = start_ready();
  hand_on("d1");
  run_for(process, 1000000);
  cr_assert_eq(count_committed(WM_OUT_REQUESTS), 0);
  cr_assert_eq(count_with(WM_OUT_FAILURES, "ROLE_NOT_HELD"), 1);
  quiet_end();
}

/* The worker is killed at the n-th thing that it does with the outside world, for every n until all is done before. */
Test(rules, a_role_that_is_handed_on_survives_every_crash_once, .timeout = 300) {
  bool crashed = true;
  for (uint64_t touch = 1; crashed; touch++) {
    quiet_begin(4);
    choose_receiver();
    struct process *process = start_ready();
    sample_send_request(s.log, giver, "r1", ADD, "{\"role\":\"role-c\",\"action\":\"add\"}");
    run_for(process, 1000000);
    hand_on("d1");
    process->crash_in = touch;
    run_for(process, 1500000);
    crashed = process->gone;
    cr_assert(simulation_settle(&s), "touch %lu: %s", (unsigned long)touch, s.why);
    cr_assert_eq(count_committed(WM_OUT_REQUESTS), 1, "touch %lu", (unsigned long)touch);
    cr_assert_eq(count_with(WM_OUT_OUTCOMES, ":delegation\""), 1, "touch %lu", (unsigned long)touch);
    cr_assert_eq(count_with(WM_OUT_OUTCOMES, receiver), 2, "touch %lu: 'to', and his own", (unsigned long)touch);
    cr_assert(has_role(receiver, "role-c"), "touch %lu", (unsigned long)touch);
    quiet_end();
    cr_assert_lt(touch, 500u);
  }
}

/* Duplicates in a replay: it has a memory of its own, for its latest run. */
#include "tests/unit/given.h"

static void given_gold_on_milestones(void) {
  given_role("gold");
  given_add(given_automation("a"), 10, "gold");
  close_workspace();
}

static struct wm_event replayed(const char *run, const char *id) {
  struct wm_event event = milestone(id, 10);
  event.run = wm_text_of(run);
  return event;
}

Test(decide_replay, a_replay_takes_each_event_once) {
  given_gold_on_milestones();
  decide(replayed("again", "evt"));
  cr_assert_eq(decide(replayed("again", "evt"))->fate, WM_FATE_DUPLICATE);
  cr_assert_eq(decide(replayed("again", "other"))->fate, WM_FATE_DECIDED);
}

Test(decide_replay, the_live_run_knows_nothing_of_what_a_replay_has_seen) {
  given_gold_on_milestones();
  decide(replayed("again", "evt"));
  cr_assert_eq(decide(milestone("evt", 10))->fate, WM_FATE_DECIDED);
  cr_assert_eq(decide(milestone("evt", 10))->fate, WM_FATE_DUPLICATE);
}

Test(decide_replay, only_the_latest_replay_is_remembered) {
  given_gold_on_milestones();
  decide(replayed("one", "evt"));
  decide(replayed("two", "evt"));
  cr_assert_eq(decision.fate, WM_FATE_DECIDED);
  cr_assert_eq(user->replayed.count, 1);
  EXPECT_TEXT(user->replayed.run, "two");
  cr_assert_eq(decide(replayed("two", "evt"))->fate, WM_FATE_DUPLICATE);
  cr_assert_eq(decide(replayed("one", "evt"))->fate, WM_FATE_DECIDED);
}

Test(decide_replay, a_long_replay_does_not_make_a_register_grow_without_end) {
  given_gold_on_milestones();
  char id[16];
  size_t size = 0;
  for (int i = 0; i < 200; i++) {
    snprintf(id, sizeof id, "evt-%03d", i);
    decide(replayed("long", wm_text_of(keep(id, sizeof id)).bytes));
    if (i == WM_RECENT_COUNT)
      size = wm_user_memory(user);
  }
  cr_assert_eq(user->replayed.count, WM_RECENT_COUNT);
  cr_assert_eq(wm_user_memory(user), size);
}

static struct wm_event only_task(const char *id, int64_t sequence) {
  struct wm_event event = replayed("redrive", id);
  event.only = (struct wm_only){.automation = WM_TEXT("a"), .task = true, .sequence = sequence};
  return event;
}

Test(decide_replay, two_tasks_of_one_event_are_no_duplicates_of_each_other) {
  given_role("gold");
  given_role("silver");
  struct wm_automation *automation = given_automation("a");
  given_add(automation, 10, "gold");
  given_add(automation, 20, "silver");
  close_workspace();
  decide(only_task("evt", 10));
  cr_assert_eq(decide(only_task("evt", 20))->fate, WM_FATE_DECIDED);
  cr_assert_eq(decide(only_task("evt", 10))->fate, WM_FATE_DUPLICATE);
  cr_assert_eq(decide(only_task("evt", 20))->fate, WM_FATE_DUPLICATE);
  cr_assert(is_assigned("gold", 20) && is_assigned("silver", 20));
}

#include "tests/unit/given.h"

#include "core/hash.h"

#define NOW (1000 * SECOND)

static struct wm_clock clock_at(int64_t at_s) {
  return (struct wm_clock){at_s * SECOND, WM_TEXT("/journeys"), WM_TEXT("evt"), WM_TEXT("a"), 10};
}

static struct wm_clock clock_of(int64_t at_s, const char *automation, int64_t sequence) {
  struct wm_clock clock = clock_at(at_s);
  clock.automation = wm_text_of(automation);
  clock.sequence = sequence;
  return clock;
}

static struct wm_grant grant_at(const char *source, int64_t at_s) {
  return (struct wm_grant){.source = wm_text_of(source), .clock = clock_at(at_s), .until_us = WM_NEVER};
}

static struct wm_user *someone(void) {
  user = wm_user_new(WM_TEXT("user-7"), 3);
  cr_assert_not_null(user);
  return user;
}

static struct wm_clock stands;

static enum wm_write put(struct wm_grant grant) {
  enum wm_write write;
  cr_assert(wm_user_add_grant(user, WM_TEXT("gold"), &grant, NOW, &write, &stands) == 0);
  return write;
}

static enum wm_write add(const char *source, int64_t at_s) {
  return put(grant_at(source, at_s));
}

static struct wm_dropped dropped;

static enum wm_write take(int64_t at_s) {
  struct wm_clock clock = clock_at(at_s);
  enum wm_write write;
  cr_assert(wm_user_remove_role(user, WM_TEXT("gold"), &clock, NOW, &memory, &write, &stands, &dropped) == 0);
  return write;
}

static void delete (int64_t at_s) {
  struct wm_clock clock = clock_of(at_s, "", 0);
  bool changed;
  cr_assert(wm_user_delete(user, &clock, &changed) == 0);
}

static bool set_profile(int64_t at_s, struct wm_value fields) {
  struct wm_clock clock = clock_of(at_s, "", 0);
  bool changed;
  cr_assert(wm_user_set_profile(user, &clock, &fields, &changed) == 0);
  return changed;
}

static const struct wm_grant *only_grant(void) {
  const struct wm_user_role *role = wm_user_role(user, WM_TEXT("gold"));
  cr_assert_not_null(role);
  cr_assert_eq(role->grant_count, 1);
  return &role->grants[0];
}

static bool assigned(void) {
  return wm_user_is_assigned(user, WM_TEXT("gold"), NOW);
}

Test(user, is_new_and_empty) {
  someone();
  EXPECT_TEXT(user->id, "user-7");
  cr_assert_eq(user->home, 3);
  cr_assert_not(wm_user_has_profile(user));
  cr_assert_eq(user->role_count, 0);
  cr_assert_not(assigned());
}

Test(user, first_grant_changes) {
  someone();
  cr_assert_eq(add("manual", 10), WM_WRITE_CHANGED);
  cr_assert(assigned());
}

Test(user, second_source_leaves_the_role_as_it_is) {
  someone();
  add("manual", 10);
  cr_assert_eq(add("automation/a", 20), WM_WRITE_UNCHANGED);
  cr_assert_eq(wm_user_role(user, WM_TEXT("gold"))->grant_count, 2);
}

Test(user, grants_stand_by_source) {
  someone();
  add("manual", 10);
  add("automation/b", 11);
  add("automation/a", 12);
  const struct wm_user_role *role = wm_user_role(user, WM_TEXT("gold"));
  EXPECT_TEXT(role->grants[0].source, "automation/a");
  EXPECT_TEXT(role->grants[1].source, "automation/b");
  EXPECT_TEXT(role->grants[2].source, "manual");
}

Test(user, roles_stand_by_name) {
  static const char *const names[] = {"m", "c", "z", "a", "x", "b", "n", "y", "d"};
  someone();
  struct wm_grant grant = grant_at("manual", 10);
  enum wm_write write;
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
    cr_assert(wm_user_add_grant(user, wm_text_of(names[i]), &grant, NOW, &write, &stands) == 0);
  cr_assert_eq(user->role_count, sizeof(names) / sizeof(*names));
  for (size_t i = 1; i < user->role_count; i++)
    cr_assert_lt(wm_text_compare(user->roles[i - 1].name, user->roles[i].name), 0);
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
    cr_assert(wm_user_is_assigned(user, wm_text_of(names[i]), NOW));
}

Test(user, texts_of_a_grant_are_copied) {
  char source[] = "manual", version[] = "0123456789ab", topic[] = "t", id[] = "evt";
  someone();
  struct wm_grant grant = grant_at(source, 10);
  grant.clock.id = wm_text_of(id);
  grant.by = (struct wm_by){.version = wm_text_of(version), .origin = {wm_text_of(topic), 3, 8812}};
  put(grant);
  memset(source, 'x', sizeof(source) - 1);
  memset(version, 'x', sizeof(version) - 1);
  memset(topic, 'x', sizeof(topic) - 1);
  memset(id, 'x', sizeof(id) - 1);
  EXPECT_TEXT(only_grant()->source, "manual");
  EXPECT_TEXT(only_grant()->by.version, "0123456789ab");
  EXPECT_TEXT(only_grant()->by.origin.topic, "t");
  EXPECT_TEXT(only_grant()->clock.id, "evt");
  cr_assert_eq(only_grant()->by.origin.offset, 8812);
  cr_assert_null(only_grant()->by.reason.bytes);
}

Test(user, older_grant_of_a_source_does_not_replace) {
  someone();
  add("manual", 20);
  cr_assert_eq(add("manual", 10), WM_WRITE_UNCHANGED);
  cr_assert_eq(only_grant()->clock.time_us, 20 * SECOND);
}

Test(user, newer_grant_of_a_source_replaces) {
  someone();
  add("manual", 10);
  cr_assert_eq(add("manual", 20), WM_WRITE_UNCHANGED);
  cr_assert_eq(only_grant()->clock.time_us, 20 * SECOND);
}

Test(user, equal_clock_takes_the_newer_end) {
  someone();
  add("manual", 10);
  struct wm_grant corrected = grant_at("manual", 10);
  corrected.until_us = 2000 * SECOND;
  cr_assert_eq(put(corrected), WM_WRITE_UNCHANGED);
  cr_assert_eq(only_grant()->until_us, 2000 * SECOND);
}

Test(user, replay_of_the_same_grant_changes_nothing) {
  someone();
  add("manual", 10);
  struct wm_grant replayed = grant_at("manual", 10);
  replayed.by.run = WM_TEXT("again");
  put(replayed);
  cr_assert_null(only_grant()->by.run.bytes);
}

Test(user, same_event_from_another_place_is_the_newer_of_equals) {
  someone();
  add("manual", 10);
  struct wm_grant sent_again = grant_at("manual", 10);
  sent_again.by.origin = (struct wm_origin){WM_TEXT("t"), 0, 99};
  put(sent_again);
  cr_assert_eq(only_grant()->by.origin.offset, 99);
}

Test(user, expired_grant_is_kept_and_not_live) {
  someone();
  struct wm_grant grant = grant_at("manual", 10);
  grant.until_us = NOW;
  cr_assert_eq(put(grant), WM_WRITE_UNCHANGED, "nothing is live at its own end");
  cr_assert_not(assigned());
  cr_assert(wm_user_is_assigned(user, WM_TEXT("gold"), NOW - 1));
  only_grant();
}

Test(user, grant_after_an_expired_one_changes) {
  someone();
  struct wm_grant grant = grant_at("manual", 10);
  grant.until_us = 20 * SECOND;
  put(grant);
  cr_assert_eq(add("automation/a", 30), WM_WRITE_CHANGED);
}

Test(user, next_end_is_that_of_a_live_grant) {
  someone();
  cr_assert_eq(wm_user_next_end(user, NOW), WM_NEVER);
  struct wm_grant grant = grant_at("manual", 10);
  grant.until_us = NOW + 5;
  put(grant);
  grant = grant_at("automation/a", 11);
  grant.until_us = NOW + 3;
  put(grant);
  grant = grant_at("automation/b", 12);
  grant.until_us = NOW - 3;
  put(grant);
  add("automation/c", 13);
  cr_assert_eq(wm_user_next_end(user, NOW), NOW + 3);
  cr_assert_eq(wm_user_next_end(user, NOW + 3), NOW + 5);
  cr_assert_eq(wm_user_next_end(user, NOW + 5), WM_NEVER);
}

Test(user, removal_takes_and_is_remembered) {
  someone();
  add("manual", 10);
  cr_assert_eq(take(20), WM_WRITE_CHANGED);
  cr_assert_not(assigned());
  const struct wm_user_role *role = wm_user_role(user, WM_TEXT("gold"));
  cr_assert_eq(role->grant_count, 0);
  cr_assert_eq(role->removed.time_us, 20 * SECOND);
}

Test(user, removal_of_nothing_is_remembered_too) {
  someone();
  cr_assert_eq(take(20), WM_WRITE_UNCHANGED);
  cr_assert_eq(add("manual", 10), WM_WRITE_SUPERSEDED);
  cr_assert_eq(stands.time_us, 20 * SECOND);
  cr_assert_not(assigned());
}

Test(user, grant_at_the_clock_of_the_removal_is_superseded) {
  someone();
  take(20);
  cr_assert_eq(add("manual", 20), WM_WRITE_SUPERSEDED);
}

Test(user, grant_after_the_removal_changes) {
  someone();
  take(20);
  cr_assert_eq(add("manual", 21), WM_WRITE_CHANGED);
  cr_assert_eq(wm_user_role(user, WM_TEXT("gold"))->removed.time_us, 20 * SECOND, "removals are never forgotten");
}

Test(user, older_removal_leaves_the_newer_one) {
  someone();
  take(20);
  take(10);
  cr_assert_eq(wm_user_role(user, WM_TEXT("gold"))->removed.time_us, 20 * SECOND);
}

Test(user, removal_before_the_grant_is_superseded) {
  someone();
  add("manual", 30);
  cr_assert_eq(take(20), WM_WRITE_SUPERSEDED);
  cr_assert_eq(stands.time_us, 30 * SECOND);
  cr_assert(assigned());
}

Test(user, removal_between_two_grants_takes_the_older) {
  someone();
  add("automation/a", 10);
  add("manual", 30);
  cr_assert_eq(take(20), WM_WRITE_SUPERSEDED);
  cr_assert_eq(dropped.count, 1);
  EXPECT_TEXT(dropped.sources[0], "automation/a");
  EXPECT_TEXT(only_grant()->source, "manual");
}

Test(user, removal_does_not_tell_of_grants_that_had_ended) {
  someone();
  struct wm_grant ended = grant_at("automation/a", 10);
  ended.until_us = 20 * SECOND;
  put(ended);
  add("manual", 11);
  cr_assert_eq(take(30), WM_WRITE_CHANGED);
  cr_assert_eq(dropped.count, 1);
  EXPECT_TEXT(dropped.sources[0], "manual");
}

Test(user, removal_of_an_ended_grant_is_unchanged) {
  someone();
  struct wm_grant ended = grant_at("automation/a", 10);
  ended.until_us = 20 * SECOND;
  put(ended);
  cr_assert_eq(take(30), WM_WRITE_UNCHANGED);
  cr_assert_eq(dropped.count, 0);
}

Test(user, source_that_was_taken_back_is_superseded) {
  someone();
  add("automation/a", 10);
  user->roles[0].grants[0].taken = clock_at(20);
  cr_assert_not(assigned());
  cr_assert_eq(add("automation/a", 20), WM_WRITE_SUPERSEDED);
  cr_assert_eq(stands.time_us, 20 * SECOND);
  cr_assert_eq(add("manual", 15), WM_WRITE_CHANGED, "another source was not");
}

Test(user, source_that_was_taken_back_may_come_again_later) {
  someone();
  add("automation/a", 10);
  user->roles[0].grants[0].taken = clock_at(20);
  cr_assert_eq(add("automation/a", 21), WM_WRITE_CHANGED);
  cr_assert_eq(only_grant()->taken.time_us, 20 * SECOND);
}

Test(user, taken_is_not_forgotten_by_an_older_removal) {
  someone();
  add("automation/a", 10);
  user->roles[0].grants[0].taken = clock_at(30);
  take(20);
  cr_assert_eq(add("automation/a", 25), WM_WRITE_SUPERSEDED);
}

Test(user, profile_is_read) {
  someone();
  cr_assert(set_profile(10, OBJECT(MEMBER("status", STRING("suspended")), MEMBER("type", STRING("partner")))));
  cr_assert(wm_user_has_profile(user));
  cr_assert_eq(user->profile.status, WM_USER_SUSPENDED);
  EXPECT_TEXT(user->profile.type, "partner");
}

Test(user, profile_without_status_is_active) {
  someone();
  set_profile(10, OBJECT(MEMBER("name", STRING("Jane"))));
  cr_assert_eq(user->profile.status, WM_USER_ACTIVE);
}

Test(user, status_that_is_not_known_is_inactive) {
  someone();
  set_profile(10, OBJECT(MEMBER("status", STRING("on-leave"))));
  cr_assert_eq(user->profile.status, WM_USER_INACTIVE);
}

Test(user, older_profile_does_not_stand) {
  someone();
  set_profile(20, OBJECT(MEMBER("status", STRING("active"))));
  cr_assert_not(set_profile(10, OBJECT(MEMBER("status", STRING("suspended")))));
  cr_assert_eq(user->profile.status, WM_USER_ACTIVE);
}

Test(user, same_profile_again_changes_nothing) {
  struct wm_value fields = OBJECT(MEMBER("status", STRING("active")), MEMBER("groups", LIST(STRING("a"))),
                                  MEMBER("org-units", OBJECT(MEMBER("division", LIST(STRING("acme"))))));
  someone();
  cr_assert(set_profile(20, fields));
  cr_assert_not(set_profile(20, fields));
}

Test(user, other_profile_with_an_equal_clock_replaces) {
  someone();
  set_profile(20, OBJECT(MEMBER("status", STRING("active")), MEMBER("groups", LIST(STRING("a")))));
  cr_assert(set_profile(20, OBJECT(MEMBER("status", STRING("active")), MEMBER("groups", LIST(STRING("b"))))));
  EXPECT_TEXT(wm_user_field(user, WM_TEXT("groups"))->list.items[0].string, "b");
}

Test(user, manager_is_the_one_named_or_the_last_above) {
  someone();
  cr_assert_null(wm_user_manager(user).bytes);
  set_profile(10, OBJECT(MEMBER("managers", LIST(STRING("user-1"), STRING("user-2")))));
  EXPECT_TEXT(wm_user_manager(user), "user-2");
  set_profile(11, OBJECT(MEMBER("manager", STRING("user-9")), MEMBER("managers", LIST(STRING("user-1")))));
  EXPECT_TEXT(wm_user_manager(user), "user-9");
}

Test(user, deletion_ends_every_role_and_what_has_run) {
  someone();
  add("manual", 10);
  set_profile(11, OBJECT(MEMBER("status", STRING("active")), MEMBER("name", STRING("Jane"))));
  wm_user_mark_run(user, WM_TEXT("a"), 1);
  wm_user_remember(user, 77);
  delete (20);
  cr_assert_not(assigned());
  cr_assert_eq(user->cleared.time_us, 20 * SECOND);
  cr_assert_eq(user->profile.status, WM_USER_DELETED);
  cr_assert_null(wm_user_field(user, WM_TEXT("name")));
  cr_assert_not(wm_user_has_run(user, WM_TEXT("a")));
  cr_assert(wm_user_remembers(user, 77));
  cr_assert_eq(user->home, 3);
}

Test(user, grant_before_the_deletion_is_superseded) {
  someone();
  delete (20);
  cr_assert_eq(add("manual", 15), WM_WRITE_SUPERSEDED);
  cr_assert_eq(stands.time_us, 20 * SECOND);
  cr_assert_eq(add("manual", 25), WM_WRITE_CHANGED, "a rehire begins anew");
}

Test(user, late_deletion_leaves_newer_grants_and_profile) {
  someone();
  add("manual", 30);
  set_profile(31, OBJECT(MEMBER("status", STRING("active"))));
  delete (20);
  cr_assert(assigned());
  cr_assert_eq(user->profile.status, WM_USER_ACTIVE);
  cr_assert_eq(user->cleared.time_us, 20 * SECOND);
}

Test(user, older_deletion_changes_nothing) {
  someone();
  delete (20);
  wm_user_mark_run(user, WM_TEXT("a"), 1);
  delete (10);
  cr_assert_eq(user->cleared.time_us, 20 * SECOND);
  cr_assert(wm_user_has_run(user, WM_TEXT("a")));
}

Test(user, remembers_the_last_32_events) {
  someone();
  for (uint64_t hash = 1; hash <= 33; hash++)
    wm_user_remember(user, hash);
  cr_assert_not(wm_user_remembers(user, 1));
  for (uint64_t hash = 2; hash <= 33; hash++)
    cr_assert(wm_user_remembers(user, hash));
  cr_assert_eq(user->recent_count, WM_RECENT_COUNT);
}

Test(user, what_has_run_is_kept_by_automation_and_journey) {
  someone();
  wm_user_mark_run(user, WM_TEXT("b"), 1);
  wm_user_mark_run(user, WM_TEXT("a"), 2);
  wm_user_mark_run(user, WM_TEXT("c"), 3);
  wm_user_mark_run(user, WM_TEXT("b"), 4);
  wm_user_mark_run(user, WM_TEXT("b"), 4);
  cr_assert(wm_user_has_run(user, WM_TEXT("a")));
  cr_assert_not(wm_user_has_run(user, WM_TEXT("d")));
  cr_assert(wm_user_has_run_journey(user, WM_TEXT("b"), 1));
  cr_assert(wm_user_has_run_journey(user, WM_TEXT("b"), 4));
  cr_assert_not(wm_user_has_run_journey(user, WM_TEXT("b"), 2));
  cr_assert_eq(user->ran_count, 3);
  cr_assert_eq(user->ran[1].count, 2);
}

Test(user, oldest_journey_is_forgotten_first) {
  someone();
  for (uint64_t journey = 0; journey <= WM_JOURNEYS_LIMIT; journey++)
    cr_assert(wm_user_mark_run(user, WM_TEXT("a"), journey) == 0);
  cr_assert_eq(user->ran[0].count, WM_JOURNEYS_LIMIT);
  cr_assert_not(wm_user_has_run_journey(user, WM_TEXT("a"), 0));
  cr_assert(wm_user_has_run_journey(user, WM_TEXT("a"), 1));
  cr_assert(wm_user_has_run_journey(user, WM_TEXT("a"), WM_JOURNEYS_LIMIT));
}

/* --- equality, for clones and for writes in any order --- */

static bool same_clock(const struct wm_clock *a, const struct wm_clock *b) {
  return wm_clock_is_set(a) == wm_clock_is_set(b) && wm_clock_compare(a, b) == 0;
}

static bool same_grant(const struct wm_grant *a, const struct wm_grant *b) {
  return wm_text_equal(a->source, b->source) && same_clock(&a->clock, &b->clock) && same_clock(&a->taken, &b->taken) &&
         a->until_us == b->until_us && wm_text_equal(a->by.version, b->by.version) &&
         wm_text_equal(a->by.origin.topic, b->by.origin.topic) && a->by.origin.offset == b->by.origin.offset &&
         (a->by.run.bytes == NULL) == (b->by.run.bytes == NULL);
}

static bool same_role(const struct wm_user_role *a, const struct wm_user_role *b) {
  if (!wm_text_equal(a->name, b->name) || !same_clock(&a->removed, &b->removed) || a->grant_count != b->grant_count)
    return false;
  for (size_t i = 0; i < a->grant_count; i++)
    if (!same_grant(&a->grants[i], &b->grants[i]))
      return false;
  return true;
}

static bool same_register(const struct wm_user *a, const struct wm_user *b) {
  struct wm_buf left = WM_BUF_INIT, right = WM_BUF_INIT;
  wm_value_to_json(&a->profile.fields, &left);
  wm_value_to_json(&b->profile.fields, &right);
  bool same = left.size == right.size && memcmp(left.bytes, right.bytes, left.size) == 0;
  wm_buf_release(&left);
  wm_buf_release(&right);
  if (!same || !same_clock(&a->profile.clock, &b->profile.clock) || a->profile.status != b->profile.status ||
      !wm_text_equal(a->profile.type, b->profile.type) || !same_clock(&a->cleared, &b->cleared) ||
      a->role_count != b->role_count)
    return false;
  for (size_t i = 0; i < a->role_count; i++)
    if (!same_role(&a->roles[i], &b->roles[i]))
      return false;
  return true;
}

Test(user, clone_is_equal_and_shares_nothing) {
  someone();
  add("manual", 10);
  struct wm_grant grant = grant_at("automation/a", 11);
  grant.by = (struct wm_by){.version = WM_TEXT("v"), .run = WM_TEXT("again"), .origin = {WM_TEXT("t"), 1, 2}};
  put(grant);
  set_profile(12, OBJECT(MEMBER("status", STRING("active")), MEMBER("type", STRING("guest"))));
  wm_user_mark_run(user, WM_TEXT("a"), 9);
  wm_user_remember(user, 5);
  struct wm_user *clone = wm_user_clone(user);
  cr_assert_not_null(clone);
  struct wm_user *second = wm_user_clone(clone);
  cr_assert(same_register(user, clone));
  wm_user_free(user);
  wm_user_free(clone);
  user = second;
  EXPECT_TEXT(second->id, "user-7");
  EXPECT_TEXT(second->profile.type, "guest");
  cr_assert(wm_user_has_run_journey(second, WM_TEXT("a"), 9));
  cr_assert(wm_user_remembers(second, 5));
  cr_assert(assigned());
  EXPECT_TEXT(second->roles[0].grants[0].by.run, "again");
  cr_assert_eq(add("automation/z", 40), WM_WRITE_UNCHANGED);
}

/* A write is told by its number alone: the same clock always carries the same content. */
enum { WRITES = 120 };

static uint64_t random_number(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static void write_number(struct wm_user *target, uint64_t number) {
  static const char *const roles[] = {"gold", "silver", "bronze"};
  static const char *const sources[] = {"manual", "automation/a", "automation/b"};
  static const char *const statuses[] = {"active", "suspended", "inactive"};
  struct wm_text role = wm_text_of(roles[number / 10 % 3]);
  struct wm_clock clock = clock_of((int64_t)(number * 7 % 23), "a", (int64_t)number);
  enum wm_write write;
  bool changed;
  if (number % 10 < 5) {
    struct wm_grant grant = {
        .source = wm_text_of(sources[number / 3 % 3]), .clock = clock, .by.origin.offset = (int64_t)number};
    grant.until_us = number % 4 == 0 ? (int64_t)(number * SECOND) : WM_NEVER;
    cr_assert(wm_user_add_grant(target, role, &grant, NOW, &write, &stands) == 0);
  } else if (number % 10 < 8) {
    cr_assert(wm_user_remove_role(target, role, &clock, NOW, &memory, &write, &stands, NULL) == 0);
  } else if (number % 10 < 9) {
    struct wm_value fields = OBJECT(MEMBER("status", STRING(statuses[number / 10 % 3])));
    cr_assert(wm_user_set_profile(target, &clock, &fields, &changed) == 0);
  } else if (number % 20 == 9) {
    cr_assert(wm_user_delete(target, &clock, &changed) == 0);
  }
}

/* All numbers below 'count' in some order, a few of them several times. */
static void write_in_order(struct wm_user *target, size_t count, uint64_t base, uint64_t seed) {
  uint64_t order[WRITES], state = seed;
  for (size_t i = 0; i < count; i++)
    order[i] = base + i;
  for (size_t i = count; i > 1; i--) {
    size_t other = random_number(&state) % i;
    uint64_t swapped = order[i - 1];
    order[i - 1] = order[other];
    order[other] = swapped;
  }
  for (size_t i = 0; i < count; i++) {
    write_number(target, order[i]);
    if (random_number(&state) % 3 == 0)
      write_number(target, order[random_number(&state) % (i + 1)]);
  }
}

Test(user, writes_commute_and_are_idempotent) {
  for (uint64_t seed = 1; seed <= 400; seed++) {
    size_t count = 2 + seed % (WRITES - 2);
    uint64_t base = seed * 31;
    struct wm_user *one = wm_user_new(WM_TEXT("user-7"), 0), *other = wm_user_new(WM_TEXT("user-7"), 0);
    write_in_order(one, count, base, seed * 7919);
    write_in_order(other, count, base, seed * 104729 + 1);
    cr_assert(same_register(one, other), "seed %d", (int)seed);
    write_in_order(one, count, base, seed * 3571);
    cr_assert(same_register(one, other), "again with seed %d", (int)seed);
    wm_user_free(one);
    wm_user_free(other);
  }
}

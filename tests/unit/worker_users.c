/* The users table: two layers, pins, a bound. */
#include <criterion/criterion.h>

#include "worker/users.h"

static struct users users;

static void begin(void) {
  users_init(&users, SIZE_MAX);
}
static void end(void) {
  users_release(&users);
}

TestSuite(users, .init = begin, .fini = end);

static struct users_entry *known(const char *id) {
  struct users_entry *entry = users_add(&users, wm_text_of(id));
  users_fill(&users, entry, wm_user_new(wm_text_of(id), 3), 1, 10);
  return entry;
}

static struct wm_user *decided(const struct users_entry *entry) {
  return wm_user_new(entry->id, 3);
}

Test(users, a_user_who_was_never_added_is_not_found) {
  known("user-1");
  cr_assert_null(users_find(&users, WM_TEXT("user-2")));
  cr_assert_null(users_find(&users, WM_TEXT("user-")));
}

Test(users, an_entry_copies_the_id) {
  char id[] = "user-1";
  users_add(&users, wm_text_of(id));
  id[5] = '2';
  cr_assert_not_null(users_find(&users, WM_TEXT("user-1")));
}

Test(users, an_id_may_hold_any_bytes) {
  struct wm_text id = {"a\0b", 3};
  users_add(&users, id);
  cr_assert_null(users_find(&users, WM_TEXT("a")));
  cr_assert_not_null(users_find(&users, id));
}

Test(users, a_new_entry_is_not_known) {
  struct users_entry *entry = users_add(&users, WM_TEXT("user-1"));
  cr_assert_not(entry->known);
  users_fill(&users, entry, NULL, 0, 0);
  cr_assert(entry->known);
  cr_assert_null(users_current(entry));
}

Test(users, the_next_event_of_a_batch_sees_what_was_decided) {
  struct users_entry *entry = known("user-1");
  struct wm_user *first = decided(entry), *second = decided(entry);
  users_stage(&users, entry, first);
  cr_assert_eq(users_current(entry), first);
  users_stage(&users, entry, second);
  cr_assert_eq(users_current(entry), second);
}

Test(users, an_abort_drops_the_batch_layer_only) {
  struct users_entry *entry = known("user-1"), *other = known("user-2");
  const struct wm_user *before = entry->committed;
  users_stage(&users, entry, decided(entry));
  users_stage(&users, other, decided(other));
  users_drop_staged(&users);
  cr_assert_eq(users_current(entry), before);
  cr_assert_null(users.staged);
  users_stage(&users, entry, decided(entry));
}

Test(users, a_commit_makes_the_batch_layer_the_committed_one) {
  struct users_entry *entry = known("user-1");
  struct wm_user *after = decided(entry);
  users_stage(&users, entry, after);
  users_commit(&users, entry, 2, 11);
  cr_assert_eq(entry->committed, after);
  cr_assert_null(entry->staged);
  cr_assert_eq(entry->gen, 2);
  cr_assert_eq(entry->at, 11);
}

Test(users, commits_in_any_order_leave_nothing_staged) {
  struct users_entry *entries[] = {known("user-1"), known("user-2"), known("user-3")};
  for (int i = 0; i < 3; i++)
    users_stage(&users, entries[i], decided(entries[i]));
  users_commit(&users, entries[1], 1, 11);
  users_commit(&users, entries[0], 1, 12);
  cr_assert_eq(users.staged, entries[2]);
  users_commit(&users, entries[2], 1, 13);
  cr_assert_null(users.staged);
}

Test(users, the_least_recently_used_goes_first) {
  known("user-1");
  known("user-2");
  known("user-3");
  users_find(&users, WM_TEXT("user-1"));
  users.limit_bytes = users.bytes - 1;
  users_trim(&users);
  cr_assert_null(users_find(&users, WM_TEXT("user-2")));
  cr_assert_not_null(users_find(&users, WM_TEXT("user-1")));
  cr_assert_not_null(users_find(&users, WM_TEXT("user-3")));
}

Test(users, what_redis_has_not_acknowledged_stays) {
  struct users_entry *entry = known("user-1");
  users_stage(&users, entry, decided(entry));
  users_commit(&users, entry, 1, 11);
  users.limit_bytes = 0;
  users_trim(&users);
  cr_assert_not_null(users_find(&users, WM_TEXT("user-1")));
  users_unpin(&users);
  users_trim(&users);
  cr_assert_null(users_find(&users, WM_TEXT("user-1")));
  cr_assert_eq(users.count, 0);
}

Test(users, what_is_staged_stays) {
  struct users_entry *entry = known("user-1");
  users_stage(&users, entry, decided(entry));
  users.limit_bytes = 0;
  users_trim(&users);
  cr_assert_not_null(users_find(&users, WM_TEXT("user-1")));
}

Test(users, a_second_commit_before_the_acknowledgement_pins_once) {
  struct users_entry *entry = known("user-1");
  for (int i = 0; i < 2; i++) {
    users_stage(&users, entry, decided(entry));
    users_commit(&users, entry, 1, 11 + i);
  }
  users_unpin(&users);
  cr_assert_null(users.pinned);
  cr_assert_not(entry->pinned);
}

Test(users, bytes_are_counted_and_given_back) {
  struct users_entry *entry = known("user-1");
  size_t before = users.bytes;
  cr_assert(before > sizeof(struct wm_user));
  users_stage(&users, entry, decided(entry));
  cr_assert(users.bytes > before);
  users_drop_staged(&users);
  cr_assert_eq(users.bytes, before);
  users_remove(&users, entry);
  cr_assert_eq(users.bytes, 0);
}

Test(users, clearing_forgets_everybody) {
  struct users_entry *entry = known("user-1");
  users_stage(&users, entry, decided(entry));
  known("user-2");
  users_clear(&users);
  cr_assert_eq(users.count, 0);
  cr_assert_eq(users.bytes, 0);
  cr_assert_null(users.staged);
  cr_assert_null(users_find(&users, WM_TEXT("user-2")));
}

Test(users, a_walk_meets_each_entry_once) {
  struct users_entry *entry = known("user-1");
  users_begin_walk(&users);
  cr_assert(users_meet(&users, entry));
  cr_assert_not(users_meet(&users, entry));
  users_begin_walk(&users);
  cr_assert(users_meet(&users, entry));
}

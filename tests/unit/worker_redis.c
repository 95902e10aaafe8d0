/* What the door writes into Redis, and what it reads there. */
#include "tests/unit/redis_server.h"

TestSuite(redis, .init = set_up, .fini = tear_down);

static const struct wm_text gold[] = {{"gold", 4}}, both[] = {{"gold", 4}, {"silver", 6}};

Test(redis, a_write_puts_register_and_roles_there) {
  struct cache_write write = write_of("user-7", 1, 42, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE, "%s", server.error.text);
  cr_assert_str_eq(redis("HMGET wm:{user-7}:user gen at register"), "1 42 {\"at\":42}");
  cr_assert_str_eq(redis("SISMEMBER wm:{user-7}:roles silver"), "1");
  cr_assert_str_eq(redis("SCARD wm:{user-7}:roles"), "2");
}

Test(redis, no_role_means_no_set) {
  struct cache_write write = write_of("u", 1, 1, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  write = write_of("u", 1, 2, NULL, 0);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("EXISTS wm:{u}:roles"), "0");
  cr_assert_str_eq(redis("HGET wm:{u}:user at"), "2");
}

Test(redis, an_older_or_equal_write_changes_nothing) {
  struct cache_write write = write_of("u", 2, 10, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  redis("HSET wm:{u}:user register mark");
  write = write_of("u", 2, 10, gold, 1);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  write = write_of("u", 2, 9, gold, 1);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("HMGET wm:{u}:user gen at register"), "2 10 mark");
  cr_assert_str_eq(redis("SCARD wm:{u}:roles"), "2");
}

Test(redis, a_newer_generation_wins_whatever_its_offset) {
  struct cache_write write = write_of("u", 1, 1000, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  write = write_of("u", 2, 3, gold, 1);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("HMGET wm:{u}:user gen at"), "2 3");
}

Test(redis, a_write_of_an_older_generation_is_stale) {
  struct cache_write writes[] = {write_of("u", 2, 3, gold, 1), write_of("v", 1, 4, gold, 1)};
  cr_assert_eq(apply(writes, 2), CACHE_DONE);
  redis("HSET wm:meta generation 2");
  writes[0] = write_of("u", 1, 1000, both, 2);
  writes[1] = write_of("v", 2, 5, both, 2);
  cr_assert_eq(apply(writes, 2), CACHE_STALE);
  cr_assert_str_eq(redis("HMGET wm:{u}:user gen at"), "2 3");
  cr_assert_str_eq(redis("HMGET wm:{v}:user gen at"), "2 5", "the others are written all the same");
  writes[0] = write_of("v", 1, 1000, both, 2);
  cr_assert_eq(apply(writes, 1), CACHE_STALE, "nobody of an older generation writes");
}

Test(redis, what_a_generation_that_is_no_more_has_left_gives_way) {
  struct cache_write write = write_of("u", 5, 1000, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  redis("HSET wm:meta generation 1");
  write = write_of("u", 1, 3, gold, 1);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("HMGET wm:{u}:user gen at"), "1 3");
}

Test(redis, a_projection_needs_exactly_the_register_it_came_from) {
  struct cache_write write = write_of("u", 1, 10, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  write = write_of("u", 1, 9, gold, 1);
  write.mode = CACHE_SAME;
  write.end_us = 77;
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("SCARD wm:{u}:roles"), "2");
  cr_assert_str_eq(redis("ZSCORE wm:ends u"), "(nil)", "the end of another register is not set either");
  write.at = 10;
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("SMEMBERS wm:{u}:roles"), "gold");
  cr_assert_str_eq(redis("HGET wm:{u}:user register"), "{\"at\":10}");
  cr_assert_str_eq(redis("ZSCORE wm:ends u"), "77");
  write.end_us = INT64_MAX;
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("ZSCORE wm:ends u"), "(nil)");
}

/* Somebody with another catalogue has come since: what is still under way is refused. */
Test(redis, a_projection_by_an_earlier_catalogue_is_stale) {
  struct cache_write write = write_of("u", 1, 10, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("HSET wm:meta catalogue:3 new_8_0"), "1");
  write.mode = CACHE_SAME;
  write.partition = 3;
  write.stamp = WM_TEXT("old_7_");
  write.roles = gold;
  write.role_count = 1;
  cr_assert_eq(apply(&write, 1), CACHE_STALE);
  cr_assert_str_eq(redis("SCARD wm:{u}:roles"), "2");
  write.stamp = WM_TEXT("new_8_");
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("SCARD wm:{u}:roles"), "1");
}

Test(redis, a_catalogue_takes_the_place_of_the_one_that_is_known_alone) {
  struct cache_meta meta = {.catalogue = "one 5 0"}, found;
  cr_assert_eq(OP(set_meta, 3, &meta), CACHE_DONE);
  cr_assert_eq(OP(set_meta, 3, &meta), CACHE_STALE, "it is there already");
  meta = (struct cache_meta){.was = "one 4 ", .catalogue = "one 4 done"};
  cr_assert_eq(OP(set_meta, 3, &meta), CACHE_STALE);
  meta = (struct cache_meta){.was = "one 5 ", .catalogue = "one 5 17"};
  cr_assert_eq(OP(set_meta, 3, &meta), CACHE_DONE);
  cr_assert_eq(OP(get_meta, 3, &found), CACHE_DONE);
  cr_assert_str_eq(found.catalogue, "one 5 17");
  meta = (struct cache_meta){.was = "one 5 ", .catalogue = "two 6 0"};
  cr_assert_eq(OP(set_meta, 4, &meta), CACHE_STALE, "another partition's");
}

Test(redis, a_projection_of_nobody_writes_nothing) {
  struct cache_write write = write_of("u", 1, 10, gold, 1);
  write.mode = CACHE_SAME;
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("EXISTS wm:{u}:roles wm:{u}:user"), "0");
}

Test(redis, an_end_is_that_of_the_newest_write) {
  struct cache_write write = write_of("u", 1, 1, gold, 1);
  write.end_us = 1795255200000000;
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  write = write_of("u", 1, 2, gold, 1);
  write.end_us = 1795255200000001;
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("ZSCORE wm:ends u"), "1795255200000001");
  write = write_of("u", 1, 1, gold, 1);
  write.end_us = 5;
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("ZSCORE wm:ends u"), "1795255200000001", "an older one says nothing");
  write = write_of("u", 1, 3, gold, 1);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("ZSCORE wm:ends u"), "(nil)");
  cr_assert_eq(OP(set_end, WM_TEXT("u"), 9), CACHE_DONE);
  cr_assert_str_eq(redis("ZSCORE wm:ends u"), "9");
  cr_assert_eq(OP(set_end, WM_TEXT("u"), INT64_MAX), CACHE_DONE);
  cr_assert_str_eq(redis("ZSCORE wm:ends u"), "(nil)");
}

Test(redis, users_are_due_in_the_order_of_their_ends) {
  static const char *const ids[] = {"a", "b", "c", "d"};
  for (int i = 0; i < 4; i++)
    cr_assert_eq(OP(set_end, wm_text_of(ids[i]), 1795255200000000 + 4 - i), CACHE_DONE);
  struct wm_text *users;
  int64_t *ends;
  size_t count;
  cr_assert_eq(OP(due, 1795255200000003, 1, 5, &server.arena, &users, &ends, &count), CACHE_DONE);
  cr_assert_eq(count, 2);
  cr_assert(wm_text_is(users[0], "c") && wm_text_is(users[1], "b"));
  cr_assert_eq(ends[1], 1795255200000003);
  cr_assert_eq(OP(due, 0, 0, 5, &server.arena, &users, &ends, &count), CACHE_DONE);
  cr_assert_eq(count, 0);
}

Test(redis, a_change_of_roles_is_published_and_nothing_else_is) {
  redisContext *listener = redisConnectUnix(server.socket);
  freeReplyObject(redisCommand(listener, "SUBSCRIBE wm:changes"));
  struct cache_write write = write_of("user-1", 1, 1, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  write = write_of("user-1", 1, 2, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  write = write_of("user-2", 1, 3, gold, 1);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  for (int i = 1; i <= 2; i++) {
    redisReply *reply;
    cr_assert_eq(redisGetReply(listener, (void **)&reply), REDIS_OK);
    char user[16];
    snprintf(user, sizeof user, "user-%d", i);
    cr_assert_str_eq(reply->element[2]->str, user, "the second write of user-1 changed no role");
    freeReplyObject(reply);
  }
  redisFree(listener);
}

Test(redis, braces_and_percents_of_a_user_are_encoded_in_keys) {
  struct cache_write write = write_of("a{b}c%d", 1, 1, gold, 1);
  write.end_us = 7;
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  cr_assert_str_eq(redis("EXISTS wm:{a%%7Bb%%7Dc%%25d}:roles wm:{a%%7Bb%%7Dc%%25d}:user"), "2");
  cr_assert_str_eq(redis("ZSCORE wm:ends %s", "a{b}c%d"), "7", "members are no keys");
}

Test(redis, many_users_come_back_with_roles_sorted_and_progress) {
  enum { COUNT = 3000 };
  static char ids[COUNT][16];
  static struct cache_write writes[COUNT];
  static struct cache_user users[COUNT];
  for (int i = 0; i < COUNT; i++) {
    snprintf(ids[i], sizeof ids[i], "user-%d", i);
    writes[i] = write_of(ids[i], 1, i, i % 2 ? both : gold, i % 2 ? 2 : 1);
    users[i].id = wm_text_of(ids[i]);
  }
  cr_assert_eq(apply(writes, COUNT - 1), CACHE_DONE);
  redis("HSET wm:meta generation 1");
  redis("ZADD wm:ends 1795255221002222 %s", ids[2701]);
  cr_assert_eq(OP(advance, 3, 1, CACHE_NO_PROGRESS, 17), CACHE_DONE);
  struct cache_progress progress[] = {{.partition = 3}, {.partition = 4}};
  cr_assert_eq(OP(fetch, users, COUNT, true, progress, 2, &server.arena), CACHE_DONE, "%s", server.error.text);
  cr_assert_eq(users[2701].at, 2701);
  cr_assert_eq(users[2701].end_us, INT64_C(1795255221002222));
  cr_assert_eq(users[COUNT - 1].end_us, INT64_MAX);
  cr_assert(wm_text_is(users[2701].json, "{\"at\":2701}"));
  cr_assert_eq(users[2701].role_count, 2);
  cr_assert(wm_text_is(users[2701].roles[0], "gold") && wm_text_is(users[2701].roles[1], "silver"));
  cr_assert_null(users[COUNT - 1].json.bytes, "nobody");
  cr_assert_eq(users[COUNT - 1].role_count, 0);
  cr_assert_eq(progress[0].next, 17);
  cr_assert_eq(progress[1].next, CACHE_NO_PROGRESS);
}

Test(redis, a_user_with_thousands_of_roles_is_written_whole) {
  enum { COUNT = 9000 };
  static char names[COUNT][16];
  static struct wm_text roles[COUNT];
  for (int i = 0; i < COUNT; i++)
    roles[i] = (struct wm_text){names[i], (size_t)snprintf(names[i], sizeof names[i], "role-%05d", i)};
  for (int at = 1; at <= 2; at++) {
    struct cache_write write = write_of("u", 1, at, roles, COUNT - (size_t)at);
    cr_assert_eq(apply(&write, 1), CACHE_DONE, "%s", server.error.text);
  }
  cr_assert_str_eq(redis("SCARD wm:{u}:roles"), "8998");
}

Test(redis, progress_moves_by_compare_and_set) {
  redis("HSET wm:meta generation 1");
  cr_assert_eq(OP(advance, 0, 1, 5, 6), CACHE_STALE, "only catching up creates it");
  cr_assert_eq(OP(advance, 0, 1, CACHE_NO_PROGRESS, 6), CACHE_DONE);
  cr_assert_eq(OP(advance, 0, 1, CACHE_NO_PROGRESS, 6), CACHE_STALE);
  cr_assert_eq(OP(advance, 0, 1, 5, 7), CACHE_STALE);
  cr_assert_eq(OP(advance, 0, 1, 6, 9), CACHE_DONE);
  cr_assert_eq(OP(advance, 0, 2, 9, 10), CACHE_STALE, "another generation");
  redis("HSET wm:meta generation 2");
  cr_assert_eq(OP(advance, 0, 1, 9, 10), CACHE_STALE, "an older generation");
  cr_assert_str_eq(redis("HGETALL wm:progress"), "0 9");
}

Test(redis, meta_remembers_the_topic_and_refuses_another) {
  struct cache_meta meta = {.incarnation = "one", .generation = 2, .catalogue = "abc"}, found;
  cr_assert_eq(OP(get_meta, 3, &found), CACHE_DONE);
  cr_assert(!found.incarnation[0] && !found.generation && !found.catalogue[0]);
  cr_assert_eq(OP(set_meta, 3, &meta), CACHE_DONE, "%s", server.error.text);
  cr_assert_eq(OP(get_meta, 3, &found), CACHE_DONE);
  cr_assert_str_eq(found.incarnation, "one");
  cr_assert_eq(found.generation, 2);
  cr_assert_str_eq(found.catalogue, "abc");
  cr_assert_str_eq(redis("HMGET wm:meta format users-topic"), "1 waymark.users");
  cr_assert_eq(OP(get_meta, 4, &found), CACHE_DONE);
  cr_assert_str_empty(found.catalogue);

  cr_assert_eq(OP(set_meta, -1, &(struct cache_meta){.incarnation = "two"}), CACHE_BROKEN);
  cr_assert_eq(server.error.code, WM_E_LOG_TRUNCATED);
  cr_assert_eq(OP(set_meta, -1, &(struct cache_meta){.generation = 1}), CACHE_STALE);
  cr_assert_str_eq(redis("HMGET wm:meta incarnation generation"), "one 2");
}

Test(redis, a_beat_notices_that_meta_is_not_whole) {
  cr_assert_eq(OP(beat, true, 1000000000), CACHE_STALE, "somebody has deleted it");
  cr_assert_not_null(strstr(server.error.text, "wm:meta"));
  cr_assert_eq(OP(set_meta, -1, &(struct cache_meta){.incarnation = "one", .generation = 1}), CACHE_DONE);
  cr_assert_eq(OP(beat, true, 1000500000), CACHE_DONE);
  redis("DEL wm:meta");
  redis("HSET wm:meta generation 1"); /* another worker was faster */
  cr_assert_eq(OP(beat, true, 1001000000), CACHE_STALE);
  cr_assert_eq(OP(beat, true, 1001500000), CACHE_DONE);
}

Test(redis, ready_is_what_all_workers_say) {
  redis("HSET wm:meta generation 1");
  cr_assert_eq(OP(beat, true, 1000000000), CACHE_DONE);
  cr_assert_str_eq(redis("HMGET wm:meta ready alive-at"), "1 1000000");
  struct settings settings = server.settings;
  settings.instance = "worker-2";
  struct cache_door door;
  struct redis *other = redis_open(&settings, &server.logger, &door, NULL);
  cr_assert_eq(door.ops->beat(door.self, false, 1000500000, NULL), CACHE_DONE);
  cr_assert_eq(OP(beat, true, 1001000000), CACHE_DONE);
  cr_assert_str_eq(redis("HGET wm:meta ready"), "0", "worker-2 is catching up");
  cr_assert_eq(door.ops->beat(door.self, true, 1001500000, NULL), CACHE_DONE);
  cr_assert_str_eq(redis("HGET wm:meta ready"), "1");
  cr_assert_eq(OP(beat, true, 1008000000), CACHE_DONE);
  cr_assert_str_eq(redis("HGET wm:meta ready"), "0", "worker-2 went without a word");
  redis_close(other);
  cr_assert_eq(OP(beat, true, 1008500000), CACHE_DONE);
  cr_assert_str_eq(redis("HGET wm:meta ready"), "1", "worker-2 has taken its leave");
}

Test(redis, a_worker_that_vanished_is_waited_for_only_so_long) {
  redis("HSET wm:meta generation 1 worker:gone %s", "1 1000000");
  cr_assert_eq(OP(beat, true, 1010000000), CACHE_DONE);
  cr_assert_str_eq(redis("HGET wm:meta ready"), "0");
  cr_assert_eq(OP(beat, true, 1016000000), CACHE_DONE);
  cr_assert_str_eq(redis("HMGET wm:meta ready worker:gone"), "1 (nil)");
}

Test(redis, a_worker_that_vanished_is_waited_for_as_long_as_its_session_lasts) {
  struct setting_pair session = {"session.timeout.ms", "30000"};
  struct settings settings = server.settings;
  settings.instance = "patient";
  settings.kafka.properties = &session;
  settings.kafka.property_count = 1;
  struct cache_door door;
  struct redis *patient = redis_open(&settings, &server.logger, &door, NULL);
  redis("HSET wm:meta generation 1 worker:gone %s", "1 1000000");
  cr_assert_eq(door.ops->beat(door.self, true, 1034900000, NULL), CACHE_DONE);
  cr_assert_str_eq(redis("HGET wm:meta ready"), "0", "the group may still wait for it");
  cr_assert_eq(door.ops->beat(door.self, true, 1035100000, NULL), CACHE_DONE);
  cr_assert_str_eq(redis("HMGET wm:meta ready worker:gone"), "1 (nil)");
  redis_close(patient);
}

/* --- rebuild --- */

Test(redis, what_an_older_generation_left_is_found_and_taken_out) {
  struct cache_write write = write_of("a{}%", 1, 7, both, 2);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  write = write_of("b", 2, 7, gold, 1);
  cr_assert_eq(apply(&write, 1), CACHE_DONE);
  redis("SADD wm:{c}:roles gold");
  redis("SET wm:{d}:user text");
  redis("SET wm:{e}:other text");
  redis("ZADD wm:ends 5 c");
  char cursor[CACHE_CURSOR_SIZE] = "0";
  struct cache_user *users;
  size_t count, older = 0;
  do {
    cr_assert_eq(OP(scan, cursor, &server.arena, &users, &count), CACHE_DONE, "%s", server.error.text);
    for (size_t i = 0; i < count; i++) {
      cr_assert_not(wm_text_is(users[i].id, "e"));
      cr_assert_eq(users[i].gen, wm_text_is(users[i].id, "b") ? 2 : wm_text_is(users[i].id, "a{}%") ? 1 : 0);
      older += users[i].gen < 2;
      cr_assert_eq(OP(drop, users[i].id, 2), CACHE_DONE, "%s", server.error.text);
    }
  } while (strcmp(cursor, "0") != 0);
  cr_assert_geq(older, 3);
  cr_assert_str_eq(redis("DBSIZE"), "3", "b's two keys and the one that is none of ours");
  cr_assert_str_eq(redis("EXISTS wm:{b}:user wm:{b}:roles wm:{e}:other"), "3");
}

Test(redis, the_mark_of_a_rebuild_goes_with_its_generation) {
  struct cache_meta found;
  redis("HSET wm:meta generation 4 rebuild:3 4");
  cr_assert_eq(OP(get_meta, 3, &found), CACHE_DONE);
  cr_assert_eq(found.rebuild, 4);
  cr_assert_eq(OP(rebuilt, 3, 3), CACHE_DONE);
  cr_assert_str_eq(redis("HGET wm:meta rebuild:3"), "4");
  cr_assert_eq(OP(rebuilt, 3, 4), CACHE_DONE);
  cr_assert_eq(OP(get_meta, 3, &found), CACHE_DONE);
  cr_assert_eq(found.rebuild, 0);
}

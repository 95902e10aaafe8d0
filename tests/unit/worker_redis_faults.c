/* What the door makes of a Redis that is away, unwilling, or not what it should be. */
#include "tests/unit/redis_server.h"

TestSuite(redis_faults, .init = set_up, .fini = tear_down, .timeout = 300);

static const struct wm_text gold[] = {{"gold", 4}}, both[] = {{"gold", 4}, {"silver", 6}};

static enum cache_result apply_one(int64_t at) {
  struct cache_write write = write_of("u", 1, at, gold, 1);
  return apply(&write, 1);
}

Test(redis_faults, a_server_that_dies_is_down_and_welcome_when_it_returns) {
  cr_assert_eq(CHECK(), CACHE_DONE);
  kill_server();
  cr_assert_eq(apply_one(1), CACHE_DOWN);
  cr_assert_eq(server.error.code, WM_E_REDIS_FAILED);
  cr_assert_eq(CHECK(), CACHE_DOWN);
  start_server();
  cr_assert_eq(apply_one(1), CACHE_DONE, "%s", server.error.text);
  cr_assert_str_eq(redis("HGET wm:{u}:user at"), "1");
}

Test(redis_faults, a_server_that_dies_before_it_answers_leaves_the_apply_unknown) {
  struct cache_write write = write_of("u", 1, 1, gold, 1);
  cr_assert_eq(OP(apply, &write, 1), CACHE_DONE);
  kill_server();
  enum cache_result result = WAIT();
  cr_assert(result == CACHE_DOWN || result == CACHE_DONE, "it may have answered before");
  cr_assert_eq(apply_one(2), CACHE_DOWN);
  start_server();
}

Test(redis_faults, a_server_that_does_not_answer_is_down_after_two_seconds) {
  cr_assert_eq(CHECK(), CACHE_DONE);
  kill(server.pid, SIGSTOP);
  cr_assert_eq(apply_one(1), CACHE_DOWN);
  kill(server.pid, SIGCONT);
  cr_assert_eq(apply_one(2), CACHE_DONE, "%s", server.error.text);
}

Test(redis_faults, forgotten_scripts_are_loaded_and_their_writes_sent_again_in_order) {
  cr_assert_eq(apply_one(1), CACHE_DONE);
  redis("SCRIPT FLUSH");
  struct cache_write writes[] = {write_of("u", 1, 2, both, 2), write_of("v", 1, 3, gold, 1),
                                 write_of("u", 1, 4, gold, 1), write_of("u", 1, 4, both, 2)};
  writes[1].end_us = 99;
  writes[3].mode = CACHE_SAME;
  writes[3].end_us = 50;
  cr_assert_eq(apply(writes, 4), CACHE_DONE, "%s", server.error.text);
  cr_assert_str_eq(redis("HMGET wm:{u}:user at register"), "4 {\"at\":4}");
  cr_assert_str_eq(redis("SCARD wm:{u}:roles"), "2", "the projection came last");
  cr_assert_str_eq(redis("ZSCORE wm:ends u"), "50");
  cr_assert_str_eq(redis("HGET wm:{v}:user at"), "3");
  cr_assert_str_eq(redis("ZSCORE wm:ends v"), "99");
  cr_assert_eq(apply_one(5), CACHE_DONE);
}

Test(redis_faults, several_applies_are_answered_by_one_wait_and_what_was_forgotten_is_sent_again) {
  struct cache_write first = write_of("u", 1, 1, gold, 1), second = write_of("v", 1, 1, both, 2),
                     third = write_of("u", 1, 2, both, 2);
  cr_assert_eq(OP(apply, &first, 1), CACHE_DONE);
  redis("SCRIPT FLUSH");
  cr_assert_eq(OP(apply, &second, 1), CACHE_DONE);
  cr_assert_eq(OP(apply, &third, 1), CACHE_DONE);
  cr_assert_eq(WAIT(), CACHE_DONE, "%s", server.error.text);
  cr_assert_str_eq(redis("HMGET wm:{u}:user at register"), "2 {\"at\":2}");
  cr_assert_str_eq(redis("SCARD wm:{u}:roles"), "2");
  cr_assert_str_eq(redis("HGET wm:{v}:user at"), "1");
}

Test(redis_faults, what_another_call_has_read_of_an_apply_is_not_lost_on_the_next) {
  redis("HSET wm:meta generation 2");
  struct cache_write old = write_of("u", 1, 1, gold, 1), new = write_of("v", 2, 1, gold, 1);
  cr_assert_eq(OP(apply, &old, 1), CACHE_DONE, "nobody knows yet");
  cr_assert_eq(CHECK(), CACHE_DONE);
  cr_assert_eq(OP(apply, &new, 1), CACHE_STALE);
  cr_assert_eq(apply(&new, 1), CACHE_DONE, "it is told once");
}

Test(redis_faults, what_another_call_has_told_of_a_lost_apply_is_not_told_again) {
  redis("HSET wm:meta generation 2");
  struct cache_write old = write_of("u", 1, 1, gold, 1), new = write_of("v", 2, 1, gold, 1);
  cr_assert_eq(OP(apply, &old, 1), CACHE_DONE);
  kill_server();
  cr_assert_eq(CHECK(), CACHE_DOWN);
  start_server();
  cr_assert_eq(apply(&new, 1), CACHE_DONE, "%s", server.error.text);
}

Test(redis_faults, another_call_before_wait_does_not_mix_up_replies) {
  struct cache_write writes[] = {write_of("u", 2, 1, gold, 1), write_of("v", 1, 1, gold, 1)};
  cr_assert_eq(apply(writes, 1), CACHE_DONE);
  writes[0].gen = 1;
  writes[1].gen = 2;
  redis("HSET wm:meta generation 2");
  cr_assert_eq(OP(apply, writes, 2), CACHE_DONE);
  cr_assert_eq(OP(advance, 0, 2, CACHE_NO_PROGRESS, 6), CACHE_DONE);
  struct cache_user user = {.id = WM_TEXT("v")};
  cr_assert_eq(OP(fetch, &user, 1, false, NULL, 0, &server.arena), CACHE_DONE);
  cr_assert_eq(user.at, 1);
  cr_assert_eq(WAIT(), CACHE_STALE, "what the apply had to say is not lost");
  cr_assert_eq(apply_one(9), CACHE_STALE);
}

/* Words that pass: the door says down, and works again when the cause is gone. */
static void passes(const char *cause, const char *cure) {
  cr_assert_eq(apply_one(1), CACHE_DONE);
  redis(cause);
  cr_assert_eq(apply_one(2), CACHE_DOWN, "%s: %s", cause, server.error.text);
  redis(cure);
  cr_assert_eq(apply_one(3), CACHE_DONE, "%s: %s", cure, server.error.text);
}

Test(redis_faults, out_of_memory_passes) {
  passes("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0");
}
Test(redis_faults, a_read_only_replica_passes) {
  passes("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE");
}
Test(redis_faults, too_few_replicas_pass) {
  passes("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0");
}

Test(redis_faults, a_busy_server_passes) {
  cr_assert_eq(apply_one(1), CACHE_DONE);
  redis("CONFIG SET busy-reply-threshold 10");
  redisContext *other = redisConnectUnix(server.socket);
  int done = 0;
  redisAppendCommand(other, "EVAL %s 0", "while true do end");
  while (!done)
    redisBufferWrite(other, &done);
  while (strncmp(redis("PING"), "BUSY", 4) != 0)
    usleep(10000);
  cr_assert_eq(apply_one(2), CACHE_DOWN);
  redis("SCRIPT KILL");
  freeReplyObject(({
    void *reply;
    redisGetReply(other, &reply);
    reply;
  })); /* it has been killed */
  redisFree(other);
  cr_assert_eq(apply_one(3), CACHE_DONE, "%s", server.error.text);
}

Test(redis_faults, a_key_of_another_type_is_a_bug) {
  redis("SET wm:{u}:roles x");
  cr_assert_eq(apply_one(1), CACHE_BROKEN);
  cr_assert_not_null(strstr(server.error.text, "WRONGTYPE"), "%s", server.error.text);
}

Test(redis_faults, only_noeviction_will_do) {
  cr_assert_eq(CHECK(), CACHE_DONE);
  redis("CONFIG SET maxmemory-policy allkeys-lru");
  cr_assert_eq(CHECK(), CACHE_BROKEN);
  cr_assert_not_null(strstr(server.error.text, "allkeys-lru"), "%s", server.error.text);
}

static void write_password(const char *password) {
  char path[128];
  snprintf(path, sizeof path, "%s/password", server.folder);
  FILE *file = fopen(path, "w");
  fprintf(file, "%s\n", password);
  fclose(file);
}

/* The door as user 'waymark' with the password of a file. */
static void open_as_user(const char *password) {
  static char path[128];
  snprintf(path, sizeof path, "%s/password", server.folder);
  redis_close(server.redis);
  server.settings.redis.username = "waymark";
  server.settings.redis.password_file = path;
  write_password(password);
  open_door();
}

static void forget_password(void) {
  unlink(server.settings.redis.password_file);
}

Test(redis_faults, the_password_is_read_anew_for_each_connection) {
  redis("ACL SETUSER waymark on >one ~* &* +@all");
  open_as_user("one");
  cr_assert_eq(apply_one(1), CACHE_DONE, "%s", server.error.text);
  redis("ACL SETUSER waymark >two <one");
  redis("CLIENT KILL USER waymark");
  cr_assert_eq(apply_one(2), CACHE_DOWN);
  cr_assert_eq(apply_one(2), CACHE_DOWN, "a password that is being changed passes");
  cr_assert_not_null(strstr(server.error.text, "WRONGPASS"), "%s", server.error.text);
  cr_assert_null(strstr(server.error.text, "one"), "no secret is told");
  write_password("two");
  cr_assert_eq(apply_one(2), CACHE_DONE, "%s", server.error.text);
  forget_password();
}

Test(redis_faults, a_password_that_was_never_right_is_a_setting) {
  redis("ACL SETUSER waymark on >one ~* &* +@all");
  open_as_user("wrong");
  cr_assert_eq(CHECK(), CACHE_BROKEN);
  forget_password();
  cr_assert_eq(CHECK(), CACHE_BROKEN);
  cr_assert_eq(server.error.code, WM_E_SETTING_INVALID);
}

Test(redis_faults, no_password_is_cut) {
  static char password[1100];
  memset(password, 'x', sizeof password - 1);
  open_as_user(password);
  cr_assert_eq(CHECK(), CACHE_BROKEN);
  cr_assert_not_null(strstr(server.error.text, "longer than a password may be"), "%s", server.error.text);
  forget_password();
}

Test(redis_faults, a_user_who_may_not_look_at_the_memory_policy_is_refused) {
  redis("ACL SETUSER waymark on >one ~* &* +@all -info");
  open_as_user("one");
  cr_assert_eq(CHECK(), CACHE_BROKEN);
  cr_assert_not_null(strstr(server.error.text, "NOPERM"), "%s", server.error.text);
  forget_password();
}

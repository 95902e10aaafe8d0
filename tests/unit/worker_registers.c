/* Registers out of Redis: every user once, strangers told, none of them in the way of the others. */
#include "core/buf.h"
#include "tests/unit/redis_server.h"
#include "worker/registers.h"

static struct registers *registers;

static void set_up_registers(void) {
  set_up();
  registers = registers_open(&server.settings, &server.error);
  cr_assert_not_null(registers);
}

static void tear_down_registers(void) {
  registers_close(registers);
  tear_down();
}

TestSuite(registers, .init = set_up_registers, .fini = tear_down_registers, .timeout = 300);

static const struct wm_text both[] = {{"gold", 4}, {"silver", 6}};

/* What came, as "id(gen,at,roles) ", and the faults. */
struct heard {
  size_t users, faults, stop_at;
  struct wm_buf text;
};

static int hear(void *taker, const struct registers_entry *entry) {
  struct heard *heard = taker;
  if (entry->fault) {
    heard->faults++;
    wm_buf_printf(&heard->text, "%.*s: %s ", WM_TEXT_ARG(entry->user.id), entry->fault);
    return 0;
  }
  heard->users++;
  wm_buf_printf(&heard->text, "%.*s(%d,%d,%d) ", WM_TEXT_ARG(entry->user.id), (int)entry->user.gen, (int)entry->user.at,
                (int)entry->user.role_count);
  return heard->users == heard->stop_at ? 7 : 0;
}

static void put(const char *user, int64_t at, size_t role_count) {
  struct cache_write write = write_of(user, 1, at, both, role_count);
  cr_assert_eq(apply(&write, 1), CACHE_DONE, "%s", server.error.text);
}

Test(registers, nobody) {
  struct heard heard = {0};
  cr_assert_eq(registers_each(registers, hear, &heard, &server.error), 0);
  cr_assert_eq(heard.users + heard.faults, 0);
  wm_buf_release(&heard.text);
}

Test(registers, a_user_id_comes_back_as_it_was_written) {
  struct heard heard = {0};
  put("a{b}%25 c", 5, 2);
  cr_assert_eq(registers_each(registers, hear, &heard, &server.error), 0);
  cr_assert_str_eq(heard.text.bytes, "a{b}%25 c(1,5,2) ");
  wm_buf_release(&heard.text);
}

Test(registers, one_user) {
  struct cache_user user;
  put("user-7", 5, 2);
  cr_assert_eq(registers_get(registers, WM_TEXT("user-7"), &server.arena, &user, &server.error), 0);
  cr_assert(wm_text_is(user.json, "{\"at\":5}") && wm_text_is(user.roles[1], "silver"));
  cr_assert_eq(registers_get(registers, WM_TEXT("user-8"), &server.arena, &user, &server.error), 0);
  cr_assert_null(user.json.bytes);
}

Test(registers, thousands_come_once_each) {
  struct heard heard = {0};
  enum { COUNT = 5000 };
  bool *seen = calloc(COUNT, 1);
  for (int i = 0; i < COUNT; i++)
    redis("HSET wm:{%d}:user gen 1 at %d register {}", i, i);
  cr_assert_eq(registers_each(registers, hear, &heard, &server.error), 0);
  cr_assert_eq(heard.users, COUNT);
  for (char *rest = heard.text.bytes; *rest; rest = strchr(rest, ' ') + 1)
    seen[strtol(rest, NULL, 10)] = true;
  for (int i = 0; i < COUNT; i++)
    cr_assert(seen[i], "%d did not come", i);
  free(seen);
  wm_buf_release(&heard.text);
}

Test(registers, what_is_no_user_is_told_and_passed_over) {
  struct heard heard = {0};
  put("good", 5, 1);
  redis("SET wm:{text}:user x");
  redis("HSET wm:{set}:user gen 1 at 1 register {}");
  redis("SET wm:{set}:roles x");
  redis("HSET wm:{%s}:user gen 1 at 1 register {}", "%zz");
  redis("HSET wm:{a{b}:user gen 1 at 1 register {}");
  redis("HSET wm:{a\nb}:user gen 1 at 1 register {}");
  redis("HSET wm:{}:user gen 1 at 1 register {}");
  redis("HSET other:{x}:user gen 1 at 1 register {}");
  cr_assert_eq(registers_each(registers, hear, &heard, &server.error), 0, "%s", server.error.text);
  cr_assert_eq(heard.users, 1, "%s", heard.text.bytes);
  cr_assert_eq(heard.faults, 6, "%s", heard.text.bytes);
  cr_assert_not_null(strstr(heard.text.bytes, "wm:{text}:user: the key holds no hash"));
  cr_assert_not_null(strstr(heard.text.bytes, "wm:{set}:user: the key of the user's roles holds no set"));
  wm_buf_release(&heard.text);
}

Test(registers, a_prefix_means_itself) {
  struct heard heard = {0};
  redis("HSET wm:{x}:user gen 1 at 1 register {}");
  redis("HSET w*:{y}:user gen 1 at 1 register {}");
  registers_close(registers);
  server.settings.redis.prefix = "w*";
  registers = registers_open(&server.settings, &server.error);
  cr_assert_eq(registers_each(registers, hear, &heard, &server.error), 0);
  cr_assert_str_eq(heard.text.bytes, "y(1,1,0) ");
  wm_buf_release(&heard.text);
}

Test(registers, a_taker_may_have_enough_and_ask_again) {
  struct heard heard = {.stop_at = 2};
  for (int i = 0; i < 1000; i++)
    redis("HSET wm:{%d}:user gen 1 at 1 register {}", i);
  cr_assert_eq(registers_each(registers, hear, &heard, &server.error), 7);
  cr_assert_eq(heard.users, 2);
  wm_buf_release(&heard.text);
  heard = (struct heard){0};
  cr_assert_eq(registers_each(registers, hear, &heard, &server.error), 0);
  cr_assert_eq(heard.users, 1000);
  wm_buf_release(&heard.text);
}

Test(registers, no_redis_is_an_error) {
  struct heard heard = {0};
  kill_server();
  cr_assert_eq(registers_each(registers, hear, &heard, &server.error), -1);
  cr_assert_eq(server.error.code, WM_E_REDIS_FAILED, "%s", server.error.text);
  start_server();
  wm_buf_release(&heard.text);
}

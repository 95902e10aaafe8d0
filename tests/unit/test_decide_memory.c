/* Memory that runs out: call N of the allocator fails, for N = 1, 2, ... until a decision succeeds. */
#include "tests/unit/given.h"

#include <errno.h>

#ifdef __SANITIZE_ADDRESS__
#define OWN_ALLOCATOR 0 /* the sanitizer's stands there */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_ALLOCATOR 0
#endif
#endif
#if defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define OWN_ALLOCATOR 0
#endif
#ifndef OWN_ALLOCATOR
#define OWN_ALLOCATOR 1
#endif

#if OWN_ALLOCATOR
static bool armed;
static long calls_left;
static long held; /* blocks that the decision took and did not give back */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static bool fails(void) {
  if (!armed)
    return false;
  if (calls_left-- == 0) {
    errno = ENOMEM;
    return true;
  }
  held++;
  return false;
}

void *malloc(size_t size) {
  return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  if (armed && block)
    held--;
  return fails() ? NULL : __libc_realloc(block, size);
}

void free(void *block) {
  if (armed && block)
    held--;
  __libc_free(block);
}

static size_t two_hundred(const struct wm_user *someone) {
  return 200 * someone->role_count;
}

/* Everything that takes memory in one event: conditions on roles, grants, removals, measuring, repeat, templates. */
static void given_everything(void) {
  static const char *const roles[] = {"bronze", "gold", "silver"};
  for (size_t i = 0; i < 3; i++)
    given_role(roles[i]);
  given_channel("mail");
  struct wm_automation *automation = given_automation("a");
  automation->repeat = WM_ONCE_PER_JOURNEY;
  given_when(automation, ALL(FIELD("user.roles", TEST("has-none", LIST(STRING("gold"))))));
  given_add(automation, 10, "gold");
  given_remove(automation, 20, "silver");
  given_add(automation, 30, "tin");
  given_notify(automation, 40, "mail", "{{ user.roles }} for {{ data.enrollment }}");
  automation = given_automation("b");
  given_remove(automation, 10, "gold");
  given_add(automation, 20, "bronze");
  terms.register_size = two_hundred;
  terms.register_bytes = 500;
  close_workspace();
}

/* Decides until no call fails; the register that was given must stay as it is, and nothing be left behind. */
static void run_out_of_memory(struct wm_event event, enum wm_fate expected) {
  long fault = 0;
  for (int result = -1; result < 0; fault++) {
    struct wm_arena arena;
    struct wm_error error = {0};
    wm_arena_init(&arena, 64); /* many small chunks: many calls that can fail */
    armed = true;
    calls_left = fault;
    held = 0;
    result = wm_decide(workspace, &terms, &event, user, 5, NULL, &arena, &decision, &error);
    wm_arena_release(&arena);
    if (result < 0) {
      armed = false;
      cr_assert_eq(held, 0, "call %ld: %ld blocks", fault, held);
      cr_assert_eq(error.code, WM_E_OUT_OF_MEMORY);
      cr_assert_null(decision.user);
      cr_assert_lt(fault, 10000);
    } else {
      wm_user_free(decision.user);
      armed = false;
      cr_assert_eq(held, 0);
    }
  }
  cr_assert_gt(fault, 3, "no call failed");
  cr_assert_eq(decision.fate, expected);
}

Test(decide_memory, new_user) {
  given_everything();
  run_out_of_memory(milestone_with("e", 10, OBJECT(MEMBER("enrollment", INTEGER(7)))), WM_FATE_DECIDED);
}

Test(decide_memory, user_with_a_register) {
  given_everything();
  decide(profile_event("p", 1, OBJECT(MEMBER("status", STRING("active")), MEMBER("name", STRING("Jane")))));
  decide(milestone_with("e-1", 10, OBJECT(MEMBER("enrollment", INTEGER(7)))));
  run_out_of_memory(milestone_with("e-2", 20, OBJECT(MEMBER("enrollment", INTEGER(8)))), WM_FATE_DECIDED);
  cr_assert_eq(user->recent_count, 1);
}

Test(decide_memory, profile_and_deletion) {
  given_everything();
  run_out_of_memory(profile_event("p", 5, OBJECT(MEMBER("status", STRING("active")))), WM_FATE_DECIDED);
  decide(milestone("e-1", 10));
  run_out_of_memory(deletion_event("d", 20), WM_FATE_DECIDED);
  cr_assert_not(wm_clock_is_set(&user->cleared));
}

Test(decide_memory, request) {
  given_everything();
  run_out_of_memory(request_event("r", 5, true, "gold"), WM_FATE_DECIDED);
}
#else
Test(decide_memory, is_tested_without_sanitizers, .disabled = true) {}
#endif

#include "tests/lib/fiber.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_SIZE (512 * 1024)

struct fiber {
  ucontext_t own, other;
  fiber_fn *run;
  void *argument;
  void *stack;
  bool returned;
  void *fake_own, *fake_other; /* AddressSanitizer's view of the two stacks */
  const void *other_stack;
  size_t other_size;
};

/* AddressSanitizer has to know which stack is in use. 'save' NULL: the stack that is left is never used again. */
static void announce(void **save, const void *stack, size_t size) {
#ifdef FIBER_ASAN
  __sanitizer_start_switch_fiber(save, stack, size);
#else
  (void)save, (void)stack, (void)size;
#endif
}

static void arrived(void *fake, const void **ret_stack, size_t *ret_size) {
#ifdef FIBER_ASAN
  __sanitizer_finish_switch_fiber(fake, ret_stack, ret_size);
#else
  (void)fake, (void)ret_stack, (void)ret_size;
#endif
}

static void enter(unsigned high, unsigned low) {
  struct fiber *fiber = (struct fiber *)(((unsigned long)high << 32) | low); /* makecontext passes ints only */
  arrived(NULL, &fiber->other_stack, &fiber->other_size);
  fiber->run(fiber->argument);
  fiber->returned = true;
  announce(NULL, fiber->other_stack, fiber->other_size);
  setcontext(&fiber->other);
}

static void prepare(struct fiber *fiber) {
  unsigned long address = (unsigned long)fiber;
  getcontext(&fiber->own);
  fiber->own.uc_stack.ss_sp = fiber->stack;
  fiber->own.uc_stack.ss_size = STACK_SIZE;
  makecontext(&fiber->own, (void (*)(void))enter, 2, (unsigned)(address >> 32), (unsigned)(address & 0xffffffffU));
}

struct fiber *fiber_new(fiber_fn *run, void *argument) {
  struct fiber *fiber = calloc(1, sizeof *fiber);
  if (!fiber)
    return NULL;
  fiber->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (fiber->stack == MAP_FAILED) {
    free(fiber);
    return NULL;
  }
  fiber->run = run;
  fiber->argument = argument;
  prepare(fiber);
  return fiber;
}

void fiber_free(struct fiber *fiber) {
  if (!fiber)
    return;
  munmap(fiber->stack, STACK_SIZE);
  free(fiber);
}

bool fiber_resume(struct fiber *fiber) {
  announce(&fiber->fake_other, fiber->stack, STACK_SIZE);
  swapcontext(&fiber->other, &fiber->own);
  arrived(fiber->fake_other, NULL, NULL);
  return !fiber->returned;
}

void fiber_give_way(struct fiber *fiber) {
  announce(&fiber->fake_own, fiber->other_stack, fiber->other_size);
  swapcontext(&fiber->own, &fiber->other);
  arrived(fiber->fake_own, &fiber->other_stack, &fiber->other_size);
}

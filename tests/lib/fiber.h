/* Coroutines for the simulation: each worker has a stack of its own and gives way in the middle of whatever it does. */
#ifndef WM_TESTS_FIBER_H
#define WM_TESTS_FIBER_H

#include <stdbool.h>

struct fiber;

typedef void fiber_fn(void *argument);

/* NULL: out of memory. */
struct fiber *fiber_new(fiber_fn *run, void *argument);

/* Drops a fiber wherever it stands; what its functions hold on the stack is lost, as in a crash. */
void fiber_free(struct fiber *fiber);

/* Runs it until it gives way or returns. False: it has returned. */
bool fiber_resume(struct fiber *fiber);

/* In a fiber: back to whoever resumed it. */
void fiber_give_way(struct fiber *fiber);

#endif

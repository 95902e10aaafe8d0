/* `waymark test`: running tests, and writing one from a real event. */
#ifndef WM_TOOLS_TEST_H
#define WM_TOOLS_TEST_H

#include "core/case.h"
#include "tools/command.h"
#include "worker/files.h"

/* How tests are decided: as the worker would, by the settings. */
struct wm_terms test_terms(const struct settings *settings);

/* The register that is given to a test: new memory in 'ret', NULL when none is given. -1: out of memory. */
int test_given(const struct wm_case *test, struct wm_user **ret);

/* waymark test --record: writes a test of what the event does now. Exit code. */
int test_record(const struct invocation *invocation, const struct loaded *loaded, const char *path);

#endif

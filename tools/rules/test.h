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

/* Runs a test of one event that expects nothing yet, and appends what comes of it as lines below 'then:'. -1: it can't
 * be read or run. */
int test_then(const struct loaded *loaded, struct wm_text document, struct wm_buf *then);

/* Appends a filled test for a workspace: an event that the first of its automations that is on may take, and what comes
 * of it. */
void test_template(const struct loaded *loaded, struct wm_text name, struct wm_buf *ret);

/* waymark test --record: writes a test of what the event does now. Exit code. */
int test_record(const struct invocation *invocation, const struct loaded *loaded, const char *path);

#endif

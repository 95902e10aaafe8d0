/* Why a test did not come to what it expects: what explain would say, in a line each. */
#ifndef WM_TOOLS_TEST_WHY_H
#define WM_TOOLS_TEST_WHY_H

#include "core/case.h"

/* Appends lines, each ended by a newline; nothing when there is no more to say than the difference does. */
void test_why(const struct wm_case_run *run, const struct wm_difference *difference, struct wm_buf *buf);

#endif

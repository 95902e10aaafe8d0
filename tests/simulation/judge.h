/* Was everything done once, in order, and only that? The judge decides every input record again, in the order in which
 * it was consumed, with nothing but the core, and compares byte for byte. */
#ifndef WM_TESTS_JUDGE_H
#define WM_TESTS_JUDGE_H

#include "tests/lib/memory_cache.h"
#include "tests/lib/memory_log.h"
#include "tests/simulation/sample.h"

#define JUDGE_TEXT 2048

/* 'steady': nobody had another catalogue, so every gain and loss of a role is told once, whatever happened.
 * 'versions' by the tag of memory_consumed (sample_rules), 'last' is the one in force at the end, with what the control
 * topic says laid over. False: 'ret_why' says what is wrong. */
bool judge(const struct memory_log *log, const struct memory_cache *cache,
           struct wm_workspace *const versions[SAMPLE_VERSIONS], unsigned last, bool steady,
           char ret_why[static JUDGE_TEXT]);

#endif

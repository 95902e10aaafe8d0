/* What of a workspace's automations the tests have seen: each one run, each condition hold and not hold, each task
 * run. */
#ifndef WM_TOOLS_COVERAGE_H
#define WM_TOOLS_COVERAGE_H

#include "core/case.h"

enum covered { COVERED_AUTOMATION, COVERED_CONDITION, COVERED_TASK };
#define COVERED_KINDS (COVERED_TASK + 1)

struct coverage_entry {
  enum covered kind;
  const struct wm_automation *automation;
  const struct wm_condition *condition; /* of a condition: one field path with its operators */
  const struct wm_task *task;
  bool yes, no; /* a condition held, did not; the others: 'yes' when they ran */
};

struct coverage {
  const struct wm_workspace *workspace;
  struct coverage_entry *entries; /* by automation; each begins with its own entry */
  size_t *first;                  /* where the entries of each automation begin, and the end */
  size_t count, capacity;
  size_t total[COVERED_KINDS], seen[COVERED_KINDS]; /* as coverage_count leaves them */
};

/* Automations that are switched off are left out. -1: out of memory. */
int coverage_init(struct coverage *coverage, const struct wm_workspace *workspace);
void coverage_release(struct coverage *coverage);

/* Takes note of all that a test came to. */
void coverage_see(struct coverage *coverage, const struct wm_case_run *run);

void coverage_count(struct coverage *coverage);

/* "5 of 6 automations, 20 of 26 conditions both ways, 10 of 12 tasks" */
void coverage_summary(const struct coverage *coverage, struct wm_buf *buf);

/* A table of what no test exercised. */
void coverage_print(const struct coverage *coverage);

/* Appends {"automations":{"total":..,"seen":..},"conditions":..,"tasks":..}; with 'missing' what no test exercised. */
void coverage_to_json(const struct coverage *coverage, bool missing, struct wm_buf *buf);

#endif

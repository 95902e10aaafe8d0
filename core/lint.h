/* The parts of wm_lint. Private to core/lint*.c. */
#ifndef WM_CORE_LINT_H
#define WM_CORE_LINT_H

#include "core/workspace.h"

/* Where a condition stands, and who is told about it. */
struct lint {
  const struct wm_workspace *workspace;
  struct wm_findings *findings;
  struct wm_text file;
  const char *what;    /* "automation" or "role": what the condition decides about */
  struct wm_text name; /* of it */
};

/* Operators that can't fit the field they stand at (LIST_CONTAINS, TYPE_MISMATCH_NEVER), roles that nobody has. */
void lint_fields(const struct lint *lint, const struct wm_condition *condition);

/* The tests that must all hold for a condition to hold, with their paths: those under 'all' only. */
#define LINT_MUSTS_LIMIT 128 /* more are left out */
struct lint_must {
  const struct wm_path *path;
  const struct wm_test *test;
};
struct lint_musts {
  struct lint_must items[LINT_MUSTS_LIMIT];
  size_t count;
};
void lint_collect(const struct wm_condition *condition, struct lint_musts *ret);

/* Can no value pass both? False also when it can't be told. */
bool lint_exclude(const struct wm_test *a, const struct wm_test *b);

/* The first pair that can't hold together; false: none is known. */
bool lint_contradiction(const struct lint_musts *a, const struct lint_musts *b, const struct lint_must **ret_first,
                        const struct lint_must **ret_second);

/* A condition that never holds (DEAD_RULE). */
void lint_dead(const struct lint *lint, const struct wm_condition *condition);

/* Tests that name what the workspace does not have, or that prove nothing. */
void lint_cases(const struct wm_workspace *workspace, struct wm_findings *findings);

/* One automation gives what another takes on the same event (CONFLICT). */
void lint_conflicts(const struct wm_workspace *workspace, struct wm_findings *findings);

#endif

/* The parts of wm_lint. Private to core/lint*.c. */
#ifndef WM_CORE_LINT_H
#define WM_CORE_LINT_H

#include "core/lint_solve.h"
#include "core/workspace.h"

/* The tests that must all hold for a condition to hold, with their paths: those under 'all' only. */
#define LINT_MUSTS_LIMIT 64 /* more are left out */
struct lint_musts {
  struct lint_literal *items;
  size_t count;
};

/* One run of wm_lint. */
struct lint_run {
  const struct wm_workspace *workspace;
  const struct wm_lint_terms *terms; /* NULL: not known */
  struct wm_findings *findings;
  struct wm_arena arena;    /* lives as long as the run */
  struct wm_arena scratch;  /* for one question */
  bool *dead;               /* by automation: it never runs, and that was said */
  bool *derivable;          /* by role: it has a criterion that can hold */
  struct lint_musts *musts; /* by automation; items NULL: not collected yet */
  size_t looks, steps;      /* budgets: lint ends, whatever it is given; what is not looked at is not told */
};

static inline size_t lint_position(const struct lint_run *run, const struct wm_automation *automation) {
  return (size_t)(automation - run->workspace->automations);
}

#define LINT_LOOKS 20000000 /* pairs of tests compared by quick looks; about a second */
#define LINT_STEPS 2000000  /* steps of all searches together; about a second, and in the worst of cases ten */

/* lint_solve within the run's budget. A search that could not be made is PERHAPS. */
void lint_search(struct lint_run *run, const struct lint_goal *goal, size_t steps, bool examples,
                 struct lint_answer *ret);

/* Where a condition stands, and who is told about it. */
struct lint {
  struct lint_run *run;
  struct wm_text file;
  const char *what;    /* "automation" or "role": what the condition decides about */
  struct wm_text name; /* of it */
};

/* Operators that can't fit the field they stand at (LIST_CONTAINS, TYPE_MISMATCH_NEVER), roles that nobody has. */
void lint_fields(const struct lint *lint, const struct wm_condition *condition);

/* A condition that never holds (DEAD_RULE); 'automation' is the one that it belongs to, NULL: none. True: said so. */
bool lint_dead(const struct lint *lint, const struct wm_condition *condition, const struct wm_automation *automation);

/* Those of an automation, collected once. */
const struct lint_musts *lint_musts_of(struct lint_run *run, const struct wm_automation *automation);

/* Can one event run both, as far as a quick look tells? 'any_user': leave out what goes by the user. */
bool lint_may_meet(struct lint_run *run, const struct wm_automation *a, const struct wm_automation *b, bool any_user);

/* Tests that name what the workspace does not have, or that prove nothing. */
void lint_cases(const struct wm_workspace *workspace, struct wm_findings *findings);

/* One automation gives what another takes on the same event (CONFLICT). */
void lint_conflicts(struct lint_run *run);

/* SWITCH_GAP, LOCK_OUT and SELF_WRITTEN of one automation. 'floor': lint_has_floor(). */
void lint_access(struct lint_run *run, const struct wm_automation *automation, bool floor);

/* Once for all: are users safe from being locked out by something that is for everybody? */
bool lint_has_floor(const struct lint_run *run);

/* SELF_WRITTEN of one criterion. */
void lint_criterion(struct lint_run *run, const struct wm_role *role, const struct wm_criterion *criterion);

/* Roles that nobody can get (ROLE_NOBODY). */
void lint_nobody(struct lint_run *run);

/* Automations that undo each other by way of user.roles (ROLE_LOOP). */
void lint_loops(struct lint_run *run);

#endif

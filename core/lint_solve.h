/* Can conditions hold, alone or together, and for which event? What is called impossible is impossible; what is not
 * may still be. Private to core/lint*.c. */
#ifndef WM_CORE_LINT_SOLVE_H
#define WM_CORE_LINT_SOLVE_H

#include "core/automation.h"
#include "core/user.h"

#define LINT_LITERALS_LIMIT 96 /* on one way through a condition; more are left out, which only says less */

/* One test that must answer yes ('holds') or no. */
struct lint_literal {
  const struct wm_path *path;
  const struct wm_test *test;
  bool holds;
};

/* What a test asks for, yes and no sides told apart; lists of values are "one of", "all of" and so on. */
enum lint_form {
  LINT_IN,
  LINT_NOT_IN,
  LINT_ABOVE,
  LINT_AT_LEAST,
  LINT_BELOW,
  LINT_AT_MOST,
  LINT_BEFORE,
  LINT_AFTER,
  LINT_NOT_BEFORE,
  LINT_NOT_AFTER,
  LINT_WITHIN,
  LINT_OLDER,
  LINT_STARTS,
  LINT_NOT_STARTS,
  LINT_ENDS,
  LINT_NOT_ENDS,
  LINT_CONTAINS,
  LINT_NOT_CONTAINS,
  LINT_GLOB,
  LINT_NOT_GLOB,
  LINT_HAS_ANY,
  LINT_HAS_ALL,
  LINT_HAS_NONE,
  LINT_NOT_HAS_ALL,
  LINT_PRESENT,
  LINT_ABSENT
};
enum lint_form lint_form_of(const struct lint_literal *literal);

/* The operands of a literal, one or many. */
const struct wm_value *lint_operands(const struct lint_literal *literal, size_t *ret_count);

/* What a value can be, as bits. */
enum lint_kind {
  LINT_MISSING = 1,
  LINT_BOOLEAN = 2,
  LINT_NUMBER = 4,
  LINT_STRING = 8,
  LINT_LIST = 16,
  LINT_OBJECT = 32,
  LINT_ANY_KIND = 63
};
unsigned lint_kinds(const struct lint_literal *literal);

/* Has this value the answer that the literal wants? 'value' NULL: absent. */
bool lint_passes(const struct lint_literal *literal, const struct wm_value *value, int64_t now_us);

/* May one value at one path satisfy all of these? False only when none can. Their paths are equal. */
bool lint_fit(const struct lint_literal *const *literals, size_t count);

/* The same for two literals, whatever their paths are: one may stand below the other. */
bool lint_fit_pair(const struct lint_literal *a, const struct lint_literal *b);

/* An event, and the user that it is about, for which everything holds. */
struct lint_example {
  struct wm_event event;
  struct wm_user user;   /* only its profile is filled */
  struct wm_value roles; /* effective ones: a list of texts */
  bool tells_user;       /* the conditions go by the user: he belongs to the example */
  struct wm_scope scope; /* of all that */
};

/* Conditions that must hold, and automations of which a trigger must take the event. */
struct lint_goal {
  const struct wm_condition *const *conditions;
  size_t condition_count;
  const struct wm_automation *const *automations; /* their conditions too */
  size_t automation_count;
  bool any_user; /* leave out what goes by the user: he changes */
  bool journey;  /* only events that may change roles */
};

enum lint_verdict {
  LINT_NEVER,   /* proven: no event and no user make it hold */
  LINT_PERHAPS, /* nothing was found against it, and no example either */
  LINT_SHOWN    /* here is an example */
};

struct lint_answer {
  enum lint_verdict verdict;
  struct lint_literal clash[2]; /* NEVER: two that exclude each other; the first without a path: the second alone does
                                   not go with all the others; both without: nothing is to be told */
  struct lint_example example;  /* SHOWN; borrowed from the arena; its scope borrows from this answer: don't copy */
};

/* '*steps' bounds the work, and what is left of it stays there; what is not finished is PERHAPS. Without 'examples'
 * SHOWN does not come. -1: no memory. */
int lint_solve(const struct lint_goal *goal, size_t *steps, bool examples, struct wm_arena *arena,
               struct lint_answer *ret);

/* Tries to make an example of literals that nothing speaks against. 1: made, 0: not, -1: no memory. The caller checks
 * it against the conditions. */
int lint_example_make(const struct lint_literal *literals, size_t count, struct wm_arena *arena,
                      struct lint_example *ret);

/* Appends the event as JSON, and what must be true of its user. */
void lint_example_print(const struct lint_example *example, struct wm_buf *buf);

#endif

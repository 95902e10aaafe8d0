/* The condition language and its three answers (contract 5). */
#ifndef WM_CORE_CONDITION_H
#define WM_CORE_CONDITION_H

#include "core/path.h"

enum wm_answer { WM_NO, WM_UNKNOWN, WM_YES }; /* UNKNOWN is "cannot tell" */

enum wm_operand {                     /* what an operator takes */
                  WM_OPERAND_SCALAR,  /* one boolean, number or string */
                  WM_OPERAND_SCALARS, /* a list of them, not empty */
                  WM_OPERAND_NUMBER,
                  WM_OPERAND_MOMENT,   /* RFC 3339 text, parsed into wm_test.operand_us */
                  WM_OPERAND_DURATION, /* "30d", parsed into wm_test.operand_us */
                  WM_OPERAND_STRING,
                  WM_OPERAND_BOOLEAN
};

struct wm_test;

/* One row of the operator table (core/operators.c). */
struct wm_operator {
  const char *name;
  enum wm_operand operand;
  const char *summary; /* for the manual and the schema */
  /* 'value' is NULL or WM_NULL only for 'present'; for all others the caller has answered UNKNOWN already. */
  enum wm_answer (*answer)(const struct wm_value *value, const struct wm_test *test, int64_t now_us);
};

/* The table, ended by a row without a name. */
extern const struct wm_operator wm_operators[];
const struct wm_operator *wm_operator_find(struct wm_text name); /* NULL: none of that name */

struct wm_test {
  const struct wm_operator *operator;
  struct wm_value operand;
  int64_t operand_us;
  unsigned line, column;
};

enum wm_condition_kind { WM_ALL, WM_ANY, WM_NOT, WM_FIELD };

struct wm_condition {
  enum wm_condition_kind kind;
  unsigned line, column;
  struct wm_condition *children; /* ALL, ANY: any number; NOT: exactly one (an ALL) */
  size_t count;
  struct wm_path path;   /* FIELD */
  struct wm_test *tests; /* FIELD: all must hold */
  size_t test_count;
};

/* Fills 'test->operand_us' and checks that 'test->operand' fits the operator. -1 with OPERAND_INVALID. */
int wm_test_check(struct wm_test *test, struct wm_error *error);

enum wm_answer wm_test_answer(const struct wm_test *test, const struct wm_value *value, int64_t now_us);

/* The answer for a scope; an ALL without children is yes. No memory, no recursion deeper than the workspace's 32. */
enum wm_answer wm_condition_answer(const struct wm_condition *condition, const struct wm_scope *scope);

/* Does any path in it need the register (user.*)? */
bool wm_condition_reads_user(const struct wm_condition *condition);

/* Can its answer change by time alone? And the first moment after 'scope->now_us' at which a test in it does; the whole
 * may say the same then. INT64_MAX: none. */
bool wm_condition_goes_by_time(const struct wm_condition *condition);
int64_t wm_condition_next_turn(const struct wm_condition *condition, const struct wm_scope *scope);

#endif

/* A test of the rules, as a `test:` document says it: events of one user, step by step, and what must come of them
 * (deploy/guide/testing.md). It is run by wm_decide, as live events are. */
#ifndef WM_CORE_CASE_H
#define WM_CORE_CASE_H

#include "core/decide.h"

#define WM_CASES_LIMIT 100000
#define WM_CASE_STEPS_LIMIT 1000
#define WM_CASE_EVENTS_LIMIT 1000 /* of one test */

/* Where something stands in the test's file. */
struct wm_place {
  unsigned line, column;
};

struct wm_case_event {
  struct wm_event event; /* 'time_us' and 'now_us' are those of the test's clock */
  struct wm_place place;
};

enum wm_held { WM_HELD, WM_NOT_HELD, WM_GAINED, WM_LOST };

/* A role that must be effective (or not) when the step is over; gained and lost compare with its beginning. */
struct wm_expected_role {
  struct wm_text role;
  enum wm_held held;
  struct wm_place place;
};

struct wm_expected_task {
  int64_t sequence;
  enum wm_result result;
  enum wm_code code; /* WM_OK: any, or none */
  struct wm_place place;
};

/* What an automation does in the step. */
struct wm_expected_run {
  struct wm_text automation; /* WM_NO_TEXT: the request by hand, whose one task has sequence 0 */
  bool runs;                 /* some task of it is run; else none is */
  struct wm_expected_task *tasks;
  size_t task_count;
  struct wm_place place;
};

/* A notification that must be requested; WM_NO_TEXT: any. 'title' and 'message' are globs. */
struct wm_expected_message {
  struct wm_text automation, channel, to, title, message;
  struct wm_place place, channel_place, automation_place;
};

/* Each part is looked at only where its place is set. */
struct wm_expectation {
  struct wm_expected_role *roles;
  size_t role_count;
  struct wm_place all_roles; /* 'roles' with WM_HELD are all that the user holds */
  struct wm_expected_run *runs;
  size_t run_count;
  struct wm_place all_runs; /* 'runs' are all automations that run */
  struct wm_expected_message *messages;
  size_t message_count;
  struct wm_place all_messages; /* there are 'message_count', these ones if 'messages' is not NULL */
  struct wm_place nothing;      /* no automation runs, no role changes */
};

struct wm_case_step {
  struct wm_case_event *events;
  size_t event_count;
  struct wm_expectation then;
  int64_t begin_us, end_us; /* the test's clock before the first event, and when the expectation is looked at */
  struct wm_place place;
};

struct wm_case {
  struct wm_text name; /* free text, unique */
  struct wm_text description;
  struct wm_text user;          /* the one whom all is about */
  struct wm_text given;         /* his register before, as JSON; WM_NO_TEXT: nothing is known of him */
  struct wm_expected_role *had; /* roles that 'given' names, for lint */
  size_t had_count;
  struct wm_expected_run *on; /* automations that run in this test whatever the workspace says: who runs it lays that
                                 over the workspace (wm_workspace_overlay) */
  size_t on_count;
  struct wm_case_step *steps;
  size_t step_count;
  struct wm_text file;
  unsigned line, column;
};

/* One event of a run: what was known before it, and what was decided. */
struct wm_case_moment {
  const struct wm_case_event *event;
  size_t step;
  struct wm_scope scope; /* with roles, unless the event is without a user */
  struct wm_decision decision;
  const struct wm_user *after;
};

enum wm_about { WM_ABOUT_ROLE, WM_ABOUT_RUN, WM_ABOUT_TASK, WM_ABOUT_MESSAGES, WM_ABOUT_NOTHING };

/* Something that did not come as it was expected. Texts are borrowed from the arena. */
struct wm_difference {
  enum wm_about about;
  size_t step;
  struct wm_place place;
  struct wm_text expected, actual;
  struct wm_text name; /* of the role or automation; WM_NO_TEXT: none */
  bool held;           /* of a role: it is, when the step is over */
};

struct wm_case_run {
  const struct wm_workspace *workspace;
  const struct wm_case *test;
  struct wm_case_moment *moments; /* all events, in order */
  size_t moment_count;
  struct wm_difference *differences;
  size_t difference_count, difference_capacity;
  struct wm_role_set before, after; /* of the step that is looked at; the last one at the end */
  const struct wm_user *user;       /* the register at the end; NULL: there is none */
  struct wm_user **owned;
  size_t owned_count;
  struct wm_arena *arena;
};

/* Runs a test on a register (NULL: none; borrowed until the release). Everything in 'ret' is borrowed from 'arena' and
 * the registers; release in any case. -1: out of memory. */
int wm_case_run(const struct wm_workspace *workspace, const struct wm_terms *terms, const struct wm_case *test,
                const struct wm_user *before, struct wm_arena *arena, struct wm_case_run *ret, struct wm_error *error);
void wm_case_run_release(struct wm_case_run *run);

/* Does the test expect anything at all? */
bool wm_case_proves(const struct wm_case *test);

/* Did the execution run a task, so that it was more than 'has run already'? */
bool wm_execution_ran(const struct wm_execution *execution);

/* Compares what the moments of a step came to with what was expected: fills 'differences'. For case.c.
 * -1: out of memory. */
int wm_case_compare(struct wm_case_run *run, size_t step);

#endif

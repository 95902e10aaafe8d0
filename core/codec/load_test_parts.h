/* What the files that read `test:` documents share. Private to load_test*.c. */
#ifndef WM_CODEC_LOAD_TEST_PARTS_H
#define WM_CODEC_LOAD_TEST_PARTS_H

#include "core/case.h"
#include "core/codec/load_parts.h"

/* One test while it is read: its clock runs through it. */
struct load_case {
  struct load *load;
  struct wm_case *test;
  struct wm_text user; /* WM_NO_TEXT: not said yet */
  int64_t clock_us;
  bool used;     /* an event has this time already: the next one comes a second later */
  bool anchored; /* 'clock_us' was said, or is that of an event */
  size_t event_count;
};

/* Unless the document says another: the clock at the beginning, and who it is about. */
#define LOAD_CASE_BEGIN_US INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */
#define LOAD_CASE_USER "test-user"
#define LOAD_CASE_GIVEN "given" /* the id of the event that made what was given */

static inline struct wm_place load_place(const struct wm_node *node) {
  return (struct wm_place){node->line, node->column};
}

/* The value of a node as JSON has it, in the arena of the workspace. False: reported, or out of memory. */
bool load_value(struct load *load, const struct wm_node *node, struct wm_value *ret);

/* An RFC 3339 time, or a date. False: reported. */
bool load_moment(struct load *load, const char *name, const struct wm_node *value, int64_t *ret_us);

/* The user whom the first event that names one is about, borrowed from it or 'arena'; WM_NO_TEXT: none does. Reports
 * nothing. */
struct wm_text load_case_find_user(const struct wm_node *events, struct wm_arena *arena);

/* The time of the first event, if it says one. */
bool load_case_find_time(const struct wm_node *events, int64_t *ret_us);

/* 'when': one event or a list of them. */
void load_case_events(struct load_case *given, const struct wm_node *value, struct wm_case_step *step);

/* 'then'. */
void load_case_then(struct load_case *given, const struct wm_node *value, struct wm_expectation *ret);

/* 'given': to the JSON of a register. */
void load_case_given(struct load_case *given, const struct wm_node *value);

#endif

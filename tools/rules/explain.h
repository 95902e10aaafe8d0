/* Why an automation takes an event, or does not: the answers behind `waymark explain`, and how they look. */
#ifndef WM_TOOLS_EXPLAIN_H
#define WM_TOOLS_EXPLAIN_H

#include "core/decide.h"
#include "tools/lib/table.h"

enum verdict {
  VERDICT_TAKES,
  VERDICT_OFF,       /* enabled: false, or switched off */
  VERDICT_TRIGGER,   /* it waits for other event types */
  VERDICT_NO,        /* a condition does not hold */
  VERDICT_UNKNOWN,   /* a condition cannot tell */
  VERDICT_DUPLICATE, /* it would, but the event was decided before */
  VERDICT_RAN        /* it takes it, but 'repeat' skips its tasks */
};

/* One automation and one event. */
struct explanation {
  const struct wm_automation *automation;
  enum verdict verdict;
  const struct wm_scope *scope;
  const struct wm_execution *execution; /* NULL: it does not run */
  const struct wm_running_word *word;   /* what the control topic says of it; NULL: nothing, or not asked */
};

struct explanation explain(const struct wm_automation *automation, const struct wm_scope *scope,
                           const struct wm_decision *decision);

/* For people, on stdout. */
void explain_print(const struct explanation *explanation);

/* One row of name, triggers and, in a third column if there is one, description, for an automation that waits for other
 * events. */
void explain_add_waiting(struct table *table, const struct wm_automation *automation);

/* Appends one JSON object. */
void explain_to_json(const struct explanation *explanation, struct wm_buf *buf);

#endif

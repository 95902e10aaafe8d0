/* W3C Trace Context: which trace an event belongs to. Waymark makes no spans; it passes on what an event came with,
 * as it is. */
#ifndef WM_CORE_TRACE_H
#define WM_CORE_TRACE_H

#include "core/text.h"

struct wm_trace {
  struct wm_text parent; /* traceparent; WM_NO_TEXT: the event is in no trace */
  struct wm_text state;  /* tracestate; WM_NO_TEXT: none, and always so without a parent that is fine */
};

/* "00-<32 hex>-<16 hex>-<2 hex>" in lower case, neither id all zeros; a later version may have more behind it. */
bool wm_trace_parent_is_fine(struct wm_text text);

/* Whatever a header may hold and a terminal may show, up to 256 characters: it is for others to judge. */
bool wm_trace_parent_can_pass(struct wm_text text);

/* A list of at most 32 key=value, no key twice, up to 1024 bytes. */
bool wm_trace_state_is_fine(struct wm_text text);

/* The trace id, borrowed from the parent; WM_NO_TEXT when that is none, or not fine. */
struct wm_text wm_trace_id(const struct wm_trace *trace);

#endif

/* W3C Trace Context: which trace an event belongs to. Waymark makes no spans; it passes on what an event came with,
 * as it is, and nothing that is not as the recommendation has it. */
#ifndef WM_CORE_TRACE_H
#define WM_CORE_TRACE_H

#include "core/text.h"

struct wm_trace {
  struct wm_text parent; /* traceparent; WM_NO_TEXT: the event is in no trace */
  struct wm_text state;  /* tracestate; WM_NO_TEXT: none, and always so without a parent */
};

/* "00-<32 hex>-<16 hex>-<2 hex>" in lower case, neither id all zeros; a later version may have more behind it. */
bool wm_trace_parent_is_fine(struct wm_text text);

/* A list of at most 32 key=value, no key twice, up to 1024 bytes. */
bool wm_trace_state_is_fine(struct wm_text text);

/* The trace id of a parent that is fine, borrowed from it; WM_NO_TEXT when there is none. */
struct wm_text wm_trace_id(const struct wm_trace *trace);

#endif

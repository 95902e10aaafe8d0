/* What lint has to say, collected; a workspace is read to its end whatever is wrong with it. */
#ifndef WM_CORE_FINDING_H
#define WM_CORE_FINDING_H

#include "core/arena.h"
#include "core/error.h"
#include "core/text.h"

enum wm_severity { WM_INVALID, WM_ERROR, WM_WARNING };

struct wm_finding {
  enum wm_severity severity;
  enum wm_code code;
  struct wm_text file; /* as it was given to the loader */
  unsigned line, column;
  struct wm_text text;
  bool silenced;         /* a document says that this is fine: not counted as a warning, not shown unless asked for */
  struct wm_text reason; /* why it is fine; WM_NO_TEXT when not silenced. */
};

#define WM_FINDINGS_LIMIT 10000 /* more are counted, not kept */

struct wm_findings {
  struct wm_arena arena;
  struct wm_finding *items;
  size_t count, capacity;
  size_t invalid, errors, warnings; /* how many of each, those over the limit too */
  size_t silenced;                  /* not among the warnings */
  bool failed;                      /* out of memory: not whole */
};

void wm_findings_init(struct wm_findings *findings);
void wm_findings_release(struct wm_findings *findings);
void wm_findings_add(struct wm_findings *findings, enum wm_severity severity, enum wm_code code, struct wm_text file,
                     unsigned line, unsigned column, const char *format, ...) __attribute__((format(printf, 7, 8)));

/* Marks a warning as known and fine: it moves from 'warnings' to 'silenced'. Once is enough. */
void wm_findings_silence(struct wm_findings *findings, struct wm_finding *finding, struct wm_text reason);

/* By file, line, column. */
void wm_findings_sort(struct wm_findings *findings);

/* "invalid", "error", "warning" */
const char *wm_severity_name(enum wm_severity severity);

#endif

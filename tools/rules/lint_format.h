/* Findings for machines: JSON lines, SARIF for code scanners, commands for GitHub's log. */
#ifndef WM_TOOLS_LINT_FORMAT_H
#define WM_TOOLS_LINT_FORMAT_H

#include "core/buf.h"
#include "core/finding.h"

/* Appends all findings; of the silenced ones as 'all' says: SARIF has a place for them and always tells them. */
typedef void lint_format(const struct wm_findings *findings, bool all, struct wm_buf *buf);

/* NULL: there is no format of that name. 'text' is known and prints nothing here. */
lint_format *lint_format_find(const char *name);

#endif

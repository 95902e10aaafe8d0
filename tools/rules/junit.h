/* The results of tests as JUnit XML, which CI systems read. */
#ifndef WM_TOOLS_JUNIT_H
#define WM_TOOLS_JUNIT_H

#include "core/buf.h"

/* Appends 'text' so that it can stand in XML, in an attribute too: characters that XML has no way to write become
 * \xNN. */
void junit_escape(struct wm_buf *buf, struct wm_text text);

/* Appends one test; 'failure' (WM_NO_TEXT: it passed) is what went wrong, its first line in short. */
void junit_add(struct wm_buf *cases, struct wm_text file, unsigned line, struct wm_text name, int64_t took_us,
               struct wm_text failure);

/* The whole document around the tests. Appends to 'buf'. */
void junit_finish(struct wm_buf *buf, const struct wm_buf *cases, size_t count, size_t failed, int64_t took_us);

#endif

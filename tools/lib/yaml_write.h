/* Values as YAML that the loader reads back as they were. */
#ifndef WM_TOOLS_YAML_WRITE_H
#define WM_TOOLS_YAML_WRITE_H

#include "core/value.h"

/* Appends a text: plain where nobody can take it for something else, else in double quotes. */
void yaml_text(struct wm_buf *buf, struct wm_text text);

/* Appends ' value' or, where it is long, a block below, each line 'indent' blanks in. Ends with a newline. */
void yaml_value(struct wm_buf *buf, const struct wm_value *value, size_t indent);

/* Appends "key: value", with 'indent' blanks before it. */
void yaml_member(struct wm_buf *buf, size_t indent, struct wm_text key, const struct wm_value *value);
void yaml_member_text(struct wm_buf *buf, size_t indent, const char *key, struct wm_text text);

#endif

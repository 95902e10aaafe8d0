/* Texts with {{ path }} in them (contract 5). */
#ifndef WM_CORE_TEMPLATE_H
#define WM_CORE_TEMPLATE_H

#include "core/path.h"

struct wm_template_part {
  struct wm_text literal; /* bytes != NULL: as it is, else 'path' */
  struct wm_path path;
};

struct wm_template {
  struct wm_template_part *parts;
  size_t count;
};

#define WM_TEMPLATE_LIMIT 65536 /* bytes of a rendered text; more is TEMPLATE_FAILED */

/* Parses. '{{{{' is two braces. -1 with TEMPLATE_INVALID and 'ret_at' = byte offset of the placeholder at fault. */
int wm_template_parse(struct wm_text text, struct wm_arena *arena, struct wm_template *ret, size_t *ret_at,
                      struct wm_error *error);

/* Renders into 'buf' (appended). -1 with TEMPLATE_FAILED ("'user.name' is absent") or OUT_OF_MEMORY. */
int wm_template_render(const struct wm_template *template, const struct wm_scope *scope, struct wm_buf *buf,
                       struct wm_error *error);

#endif

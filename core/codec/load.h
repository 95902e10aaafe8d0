/* YAML documents to a workspace (contract 3, 5, 8). Bytes come in, findings and one value come out. */
#ifndef WM_CODEC_LOAD_H
#define WM_CODEC_LOAD_H

#include "core/finding.h"
#include "core/workspace.h"

struct wm_loader;

/* Collects files; 'findings' is borrowed until the loader is freed. NULL: out of memory. */
struct wm_loader *wm_loader_new(struct wm_findings *findings);
void wm_loader_free(struct wm_loader *loader);

/* One file. The name is for messages. Bytes are not kept. -1 only when out of memory. */
int wm_loader_add(struct wm_loader *loader, struct wm_text file, struct wm_text bytes);

/* Puts everything together: duplicates across files, digests, index. Returns a new workspace; NULL when anything
 * was invalid (see the findings) or out of memory. Then wm_lint has not run: the caller does that. */
struct wm_workspace *wm_loader_finish(struct wm_loader *loader);

#endif

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

/* A file of the workspace could not be read at all (the caller has said so): names that stand in it are not called
 * unknown. */
void wm_loader_miss(struct wm_loader *loader);

/* What lint goes by if the workspace turns out to be invalid; borrowed. Not called: the settings are not known. */
void wm_loader_terms(struct wm_loader *loader, const struct wm_lint_terms *terms);

/* Puts everything together: duplicates across files, digests, index. Returns a new workspace, on which wm_lint has not
 * run: the caller does that. NULL when anything was invalid or out of memory; then wm_lint has run on what could be
 * read, so that the findings are all there is to mend. */
struct wm_workspace *wm_loader_finish(struct wm_loader *loader);

#endif

/* A workspace on disk: finding it, reading its files, handing their bytes to the loader (contract 2 and 3). */
#ifndef WM_WORKER_FILES_H
#define WM_WORKER_FILES_H

#include "core/finding.h"
#include "core/workspace.h"
#include "worker/settings.h"

/* A whole file, new memory. NULL with FILE_UNREADABLE. At most 'limit' bytes. */
char *files_read(const char *path, size_t limit, size_t *ret_size, struct wm_error *error);

/* The folder to use: 'argument' if given, else 'option' (-C), else WAYMARK_WORKSPACE, else the nearest waymark.yaml
 * upwards from the current folder. New memory; NULL with an error when there is none. */
char *files_find_workspace(const char *argument, const char *option, struct wm_error *error);

struct loaded {
  struct settings settings;
  struct wm_findings findings;    /* settings, loading and lint, sorted */
  struct wm_workspace *workspace; /* NULL: something is invalid */
};

/* Reads waymark.yaml (when there is one) and every other *.yaml below 'folder' (no dot names, nothing that 'ignore'
 * names), in byte order of their paths; paths in findings are relative to the current folder as the user would type
 * them: 'folder'/name. Runs wm_lint. -1 only when the folder itself can't be read or memory is out (error set). */
int files_load(const char *folder, enum settings_mode mode, struct loaded *ret, struct wm_error *error);
void files_unload(struct loaded *loaded);

/* Findings that are not silenced, as 'FILE:LINE:COLUMN: invalid|error|warning: text [CODE]' lines on stderr. */
void files_print_findings(const struct wm_findings *findings);

#endif

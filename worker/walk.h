/* The document files of a workspace, found on disk (contract 3). */
#ifndef WM_WORKER_WALK_H
#define WM_WORKER_WALK_H

#include <stddef.h>

#include "core/finding.h"

struct walk {
  char **paths; /* below the folder, '/' between names, in byte order; owned */
  size_t count, capacity;
};

#define WALK_DEPTH_LIMIT 64      /* folders in folders */
#define WALK_FILES_LIMIT 1000000 /* files of a workspace */

/* Finds every regular '*.yaml' below 'folder': no dot names, not the folder's own waymark.yaml, nothing that a glob of
 * 'ignore' matches by its path or by its name (a folder that matches is left out with all below): '*' is any run,
 * slashes too, '?' one character, a folder named '**' any number of them or none; a slash in front means by its path
 * alone. Symbolic links are followed, each folder is entered once. What can't be looked at is reported as invalid and
 * counted in '*ret_missed'.
 * -1: out of memory. Release 'ret' in any case. */
int walk_folder(const char *folder, const char *const *ignore, size_t ignore_count, struct wm_findings *findings,
                struct walk *ret, size_t *ret_missed);
void walk_release(struct walk *walk);

/* "folder/name", new memory; slashes at the folder's end don't double. NULL: out of memory. */
char *walk_join(const char *folder, const char *name);

#endif

/* An import: what was asked for, what came of it, and how it is told. */
#ifndef WM_TOOLS_DIRECTORY_IMPORT_H
#define WM_TOOLS_DIRECTORY_IMPORT_H

#include "tools/directory/directory_compare.h"
#include "tools/directory/directory_send.h"

struct import {
  /* asked for */
  const char *path, *units_path, *output_path, *against_path;
  enum records_format format;
  char separator;
  bool full, dry_run, skip_invalid, delete_missing, json, yes;
  int64_t max_deletions; /* -1: not given */

  /* what came of it */
  const struct settings *settings;
  struct wm_findings findings;
  struct people people;
  struct comparison comparison;
  struct dispatch dispatch;
  struct progress progress;
  bool compared; /* with the registers */
  size_t unchanged, fresh, changed, deletions, planned;
};

/* What is going to be sent (or would be), on 'file': counts, and the first users of each kind; with import.json one
 * line for each of them. */
void import_preview(const struct import *import, FILE *file);

/* With import.json: the last line, with all counts. */
void import_summary(const struct import *import, FILE *file);

#endif

/* Cases as data: a folder each below tests/fixtures, with what is read and an 'expect' of diagnostics, line by line. */
#ifndef WM_TESTS_CASES_H
#define WM_TESTS_CASES_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/finding.h"

static __attribute__((unused)) int cases_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

static __attribute__((unused)) int cases_by_bytes(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

/* Calls 'visit' with every name in the folder, in byte order; returns how many there are. */
static __attribute__((unused)) int
cases_each(const char *folder, void (*visit)(const char *folder, const char *name, void *context), void *context) {
  struct dirent **names;
  int count = scandir(folder, &names, cases_visible, cases_by_bytes);
  cr_assert_geq(count, 0, "%s", folder);
  for (int i = 0; i < count; i++) {
    visit(folder, names[i]->d_name, context);
    free(names[i]);
  }
  free(names);
  return count;
}

/* A whole file; release the buffer. */
static __attribute__((unused)) struct wm_buf cases_read(const char *folder, const char *name) {
  struct wm_buf buf = WM_BUF_INIT;
  char path[1024], bytes[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  cr_assert(file != NULL, "%s", path);
  for (size_t size; (size = fread(bytes, 1, sizeof bytes, file)) > 0;)
    wm_buf_add(&buf, bytes, size);
  fclose(file);
  wm_buf_add(&buf, "", 0);
  return buf;
}

static __attribute__((unused)) void cases_print(const struct wm_findings *findings, struct wm_buf *ret) {
  for (size_t i = 0; i < findings->count; i++) {
    const struct wm_finding *finding = &findings->items[i];
    wm_buf_printf(ret, "%.*s:%u:%u: %s: %.*s [%s]\n", WM_TEXT_ARG(finding->file), finding->line, finding->column,
                  finding->silenced ? "silenced" : wm_severity_name(finding->severity), WM_TEXT_ARG(finding->text),
                  wm_code_name(finding->code));
  }
  wm_buf_add(ret, "", 0);
}

/* The findings of a case against its 'expect'. */
static __attribute__((unused)) void cases_compare(const char *folder, struct wm_findings *findings) {
  struct wm_buf expect = cases_read(folder, "expect"), got = WM_BUF_INIT;
  wm_findings_sort(findings);
  cases_print(findings, &got);
  cr_expect_str_eq(got.bytes, expect.bytes, "%s\n--- expected\n%s--- got\n%s", folder, expect.bytes, got.bytes);
  wm_buf_release(&expect);
  wm_buf_release(&got);
}

#endif

#include "core/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void wm_findings_init(struct wm_findings *findings) {
  *findings = (struct wm_findings){0};
  wm_arena_init(&findings->arena, 0);
}

void wm_findings_release(struct wm_findings *findings) {
  wm_arena_release(&findings->arena);
  *findings = (struct wm_findings){0};
}

static void count_one(struct wm_findings *findings, enum wm_severity severity) {
  switch (severity) {
  case WM_INVALID:
    findings->invalid++;
    break;
  case WM_ERROR:
    findings->errors++;
    break;
  case WM_WARNING:
    findings->warnings++;
    break;
  }
}

/* The next free place; the old array stays in the arena, together no more than the new one. */
static struct wm_finding *next_place(struct wm_findings *findings) {
  if (findings->count == findings->capacity) {
    size_t capacity = findings->capacity ? findings->capacity * 2 : 16;
    struct wm_finding *items = WM_ARENA_ARRAY(&findings->arena, struct wm_finding, capacity);
    if (!items)
      return NULL;
    if (findings->count > 0)
      memcpy(items, findings->items, findings->count * sizeof(*items));
    findings->items = items;
    findings->capacity = capacity;
  }
  return &findings->items[findings->count];
}

/* Findings come file by file: one copy of its name serves them all. */
static int keep_file(struct wm_findings *findings, struct wm_text file, struct wm_text *ret) {
  if (findings->count > 0 && wm_text_equal(findings->items[findings->count - 1].file, file)) {
    *ret = findings->items[findings->count - 1].file;
    return 0;
  }
  return wm_arena_text(&findings->arena, file, ret);
}

static int keep_text(struct wm_findings *findings, const char *format, va_list arguments, struct wm_text *ret) {
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *bytes = length < 0 ? NULL : wm_arena_alloc(&findings->arena, (size_t)length + 1);
  if (!bytes)
    return -1;
  vsnprintf(bytes, (size_t)length + 1, format, arguments);
  for (char *c = bytes; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f) /* one finding is one line, whatever was quoted in it */
      *c = '?';
  *ret = (struct wm_text){bytes, (size_t)length};
  return 0;
}

void wm_findings_add(struct wm_findings *findings, enum wm_severity severity, enum wm_code code, struct wm_text file,
                     unsigned line, unsigned column, const char *format, ...) {
  count_one(findings, severity);
  if (findings->count >= WM_FINDINGS_LIMIT)
    return;
  struct wm_finding *finding = next_place(findings);
  if (!finding) {
    findings->failed = true;
    return;
  }
  *finding = (struct wm_finding){.severity = severity, .code = code, .line = line, .column = column};
  va_list arguments;
  va_start(arguments, format);
  int failed = keep_file(findings, file, &finding->file);
  if (!failed)
    failed = keep_text(findings, format, arguments, &finding->text);
  va_end(arguments);
  if (failed)
    findings->failed = true;
  else
    findings->count++;
}

void wm_findings_silence(struct wm_findings *findings, struct wm_finding *finding, struct wm_text reason) {
  if (finding->silenced)
    return;
  if (wm_arena_text(&findings->arena, reason, &finding->reason) < 0) {
    findings->failed = true;
    return;
  }
  finding->silenced = true;
  findings->warnings--;
  findings->silenced++;
}

/* Severity, code and text only make the order of findings at one place the same every time. */
static int compare(const void *left, const void *right) {
  const struct wm_finding *a = left, *b = right;
  int order = wm_text_compare(a->file, b->file);
  if (order != 0)
    return order;
  if (a->line != b->line)
    return a->line < b->line ? -1 : 1;
  if (a->column != b->column)
    return a->column < b->column ? -1 : 1;
  if (a->severity != b->severity)
    return a->severity < b->severity ? -1 : 1;
  if (a->code != b->code)
    return a->code < b->code ? -1 : 1;
  return wm_text_compare(a->text, b->text);
}

void wm_findings_sort(struct wm_findings *findings) {
  if (findings->count > 1)
    qsort(findings->items, findings->count, sizeof(*findings->items), compare);
}

const char *wm_severity_name(enum wm_severity severity) {
  switch (severity) {
  case WM_INVALID:
    return "invalid";
  case WM_ERROR:
    return "error";
  case WM_WARNING:
    return "warning";
  }
  return "unknown";
}

/* 'silence:' of a document: warnings that it says are fine, each with its reason. */
#include <stdlib.h>

#include "core/workspace.h"

/* Warnings of codes that are errors elsewhere. */
static const enum wm_code also[] = {WM_E_ROLE_UNKNOWN, WM_E_ROLE_INACTIVE, WM_E_ROLE_ARCHIVED};

static enum wm_look look_of(enum wm_code code) {
  if (code == WM_E_FIELD_UNSEEN || code == WM_E_EVENT_UNSEEN)
    return WM_LOOK_SAMPLE;
  if (code == WM_E_AUTOMATION_RENAMED || code == WM_E_TASK_MOVED)
    return WM_LOOK_AGAINST;
  return WM_LOOK_WORKSPACE;
}

static bool can_be_silenced(enum wm_code code) {
  for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++)
    if (code == also[i])
      return true;
  bool finding = code >= WM_E_NUMBER_LEADING_ZERO && code < WM_E_SILENCE_UNUSED && code != WM_E_TEST_DANGLING;
  return finding || look_of(code) != WM_LOOK_WORKSPACE;
}

enum wm_code wm_silence_code(struct wm_text name) {
  for (enum wm_code code = WM_OK + 1; code < WM_CODE_COUNT; code++)
    if (can_be_silenced(code) && wm_text_is(name, wm_code_name(code)))
      return code;
  return WM_OK;
}

const char *wm_silence_near(struct wm_text name) {
  const char *names[WM_CODE_COUNT + 1] = {NULL};
  size_t count = 0;
  for (enum wm_code code = WM_OK + 1; code < WM_CODE_COUNT; code++)
    if (can_be_silenced(code))
      names[count++] = wm_code_name(code);
  return wm_text_nearest(name, names);
}

static int compare_place(const struct wm_silences *document, const struct wm_finding *finding) {
  int order = wm_text_compare(finding->file, document->file);
  if (order != 0)
    return order;
  return finding->line < document->first_line ? -1 : finding->line > document->last_line;
}

static int by_place(const void *key, const void *item) {
  return compare_place(item, key);
}

static struct wm_silences *find(const struct wm_workspace *workspace, const struct wm_finding *finding) {
  if (workspace->silence_count == 0)
    return NULL;
  return bsearch(finding, workspace->silences, workspace->silence_count, sizeof(*workspace->silences), by_place);
}

void wm_silence_apply(const struct wm_workspace *workspace, struct wm_findings *findings) {
  for (size_t i = 0; i < findings->count; i++) {
    struct wm_finding *finding = &findings->items[i];
    struct wm_silences *document = find(workspace, finding);
    if (!document)
      continue;
    document->asleep |= finding->severity != WM_WARNING;
    for (size_t s = 0; s < document->count && finding->severity == WM_WARNING; s++) {
      if (document->items[s].code != finding->code)
        continue;
      document->items[s].used = true;
      wm_findings_silence(findings, finding, document->items[s].reason);
    }
  }
}

void wm_silence_check(const struct wm_workspace *workspace, enum wm_look look, struct wm_findings *findings) {
  bool whole = findings->count < WM_FINDINGS_LIMIT; /* else it may have silenced one that was not kept */
  for (size_t d = 0; whole && d < workspace->silence_count; d++) {
    const struct wm_silences *document = &workspace->silences[d];
    for (size_t i = 0; i < document->count && !document->asleep; i++) {
      const struct wm_silence *silence = &document->items[i];
      if (look_of(silence->code) == look && !silence->used)
        wm_findings_add(findings, WM_WARNING, WM_E_SILENCE_UNUSED, document->file, silence->line, silence->column,
                        "there is no '%s' here to be silenced", wm_code_name(silence->code));
    }
  }
}

/* Any bytes as a file of a workspace: findings or a workspace, and lint has something to say about that; the tests in
 * it are run. */
#include <stdlib.h>

#include "core/case.h"
#include "core/codec/load.h"
#include "core/codec/register.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_tests(const struct wm_workspace *workspace) {
  const struct wm_terms terms = {.register_bytes = 262144, .register_size = wm_register_size};
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  for (size_t i = 0; i < workspace->case_count; i++) {
    struct wm_case_run run;
    struct wm_error error;
    const struct wm_case *test = &workspace->cases[i];
    struct wm_user *before = test->given.bytes ? wm_register_decode(test->given, &error) : NULL;
    if (test->given.bytes && !before)
      abort(); /* the loader has read it */
    if (wm_case_run(workspace, &terms, test, before, &arena, &run, &error))
      abort();
    wm_case_run_release(&run);
    wm_user_free(before);
    wm_arena_rewind(&arena);
  }
  wm_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct wm_lint_terms terms = {0};
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  if (loader && !wm_loader_add(loader, WM_TEXT("fuzz.yaml"), (struct wm_text){(const char *)data, size})) {
    struct wm_workspace *workspace = wm_loader_finish(loader);
    if (workspace) {
      wm_lint(workspace, &terms, &findings);
      wm_silence_apply(workspace, &findings);
      wm_silence_check(workspace, WM_LOOK_WORKSPACE, &findings);
      run_tests(workspace);
    }
    wm_workspace_free(workspace);
  }
  wm_loader_free(loader);
  wm_findings_release(&findings);
  return 0;
}

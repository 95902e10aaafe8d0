/* Any bytes as a file of a workspace: findings or a workspace, and lint has something to say about that. */
#include "core/codec/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct wm_lint_terms terms = {0};
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  if (loader && !wm_loader_add(loader, WM_TEXT("fuzz.yaml"), (struct wm_text){(const char *)data, size})) {
    struct wm_workspace *workspace = wm_loader_finish(loader);
    if (workspace)
      wm_lint(workspace, &terms, &findings), wm_silence_apply(workspace, &findings),
          wm_silence_check(workspace, WM_LOOK_WORKSPACE, &findings);
    wm_workspace_free(workspace);
  }
  wm_loader_free(loader);
  wm_findings_release(&findings);
  return 0;
}

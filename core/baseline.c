#include "core/baseline.h"

static bool may_hold(const struct wm_run *run, const struct wm_role *role) {
  return role && role->kind == WM_ROLE_PORTAL && !role->managed && wm_role_fits(role, run->user) == WM_OK;
}

int wm_baseline_give(struct wm_run *run, const struct wm_task *removal, struct wm_outcome *outcome) {
  struct wm_text name = run->workspace->baseline;
  if (!name.bytes || wm_text_equal(name, removal->role) || !may_hold(run, wm_workspace_role(run->workspace, name)))
    return 0;
  struct wm_clock clock = wm_event_clock(run->event, NULL, removal->sequence), stands;
  clock.automation = WM_TEXT(WM_BASELINE);
  struct wm_grant grant = {
      .source = WM_TEXT("automation/" WM_BASELINE),
      .clock = clock,
      .until_us = WM_NEVER,
      .by = {.origin = run->event->origin, .run = wm_text_is(run->event->run, "live") ? WM_NO_TEXT : run->event->run},
  };
  enum wm_write write;
  size_t too_large;
  if (wm_run_add_grant(run, name, &grant, &write, &stands, &too_large) < 0)
    return -1;
  if (too_large > 0 || write != WM_WRITE_CHANGED)
    return 0;
  outcome->baseline = name;
  run->gave_baseline = true;
  return wm_run_touch(run, name, false, true, &clock);
}

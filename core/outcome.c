#include "core/outcome.h"

const char *wm_result_name(enum wm_result result) {
  switch (result) {
  case WM_RESULT_CHANGED:
    return "changed";
  case WM_RESULT_UNCHANGED:
    return "unchanged";
  case WM_RESULT_SUPERSEDED:
    return "superseded";
  case WM_RESULT_REQUESTED:
    return "requested";
  case WM_RESULT_SKIPPED:
    return "skipped";
  case WM_RESULT_SUPPRESSED:
    return "suppressed";
  case WM_RESULT_HELD:
    return "held";
  case WM_RESULT_FAILED:
    break;
  }
  return "failed";
}

const char *wm_cause_name(enum wm_cause cause) {
  switch (cause) {
  case WM_CAUSE_TASK:
    return "task";
  case WM_CAUSE_REQUEST:
    return "request";
  case WM_CAUSE_PROFILE:
    return "profile";
  case WM_CAUSE_DELETION:
    return "deletion";
  case WM_CAUSE_SIGN_IN:
    return "sign-in";
  case WM_CAUSE_CATALOGUE:
    return "catalogue";
  case WM_CAUSE_EXPIRY:
    break;
  }
  return "expiry";
}

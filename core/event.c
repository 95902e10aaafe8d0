#include "core/event.h"

bool wm_event_type_is_reserved(struct wm_text type) {
  return wm_text_starts_with(type, WM_TEXT("directory.")) || wm_text_starts_with(type, WM_TEXT("role."));
}

#include "core/automation.h"

bool wm_trigger_takes(struct wm_text trigger, struct wm_text type) {
  if (wm_event_type_is_reserved(type))
    return false;
  if (trigger.size > 0 && trigger.bytes[trigger.size - 1] == '*')
    return wm_text_starts_with(type, (struct wm_text){trigger.bytes, trigger.size - 1});
  return wm_text_equal(trigger, type);
}

bool wm_automation_takes(const struct wm_automation *automation, struct wm_text type) {
  for (size_t i = 0; i < automation->trigger_count; i++)
    if (wm_trigger_takes(automation->triggers[i], type))
      return true;
  return false;
}

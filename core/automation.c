#include "core/automation.h"

bool wm_trigger_takes(struct wm_text trigger, struct wm_text type) {
  if (wm_event_type_is_reserved(type))
    return false;
  if (trigger.size > 0 && trigger.bytes[trigger.size - 1] == '*')
    return wm_text_starts_with(type, (struct wm_text){trigger.bytes, trigger.size - 1});
  return wm_text_equal(trigger, type);
}

const struct wm_task *wm_automation_task(const struct wm_automation *automation, int64_t sequence) {
  for (size_t i = 0; i < automation->task_count; i++)
    if (automation->tasks[i].sequence == sequence)
      return &automation->tasks[i];
  return NULL;
}

bool wm_automation_takes(const struct wm_automation *automation, struct wm_text type) {
  for (size_t i = 0; i < automation->trigger_count; i++)
    if (wm_trigger_takes(automation->triggers[i], type))
      return true;
  return false;
}

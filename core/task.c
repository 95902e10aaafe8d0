#include "core/task.h"

const struct wm_task_type *const wm_task_types[] = {
#define WM_TASK(variable) &variable,
#include "core/tasks/tasks.def"
#undef WM_TASK
    NULL,
};

const struct wm_task_type *wm_task_type_find(struct wm_text name) {
  for (size_t i = 0; wm_task_types[i]; i++)
    if (wm_text_is(name, wm_task_types[i]->name))
      return wm_task_types[i];
  return NULL;
}

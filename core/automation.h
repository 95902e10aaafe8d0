/* An automation: a trigger, conditions and an ordered list of tasks (contract 5). */
#ifndef WM_CORE_AUTOMATION_H
#define WM_CORE_AUTOMATION_H

#include "core/condition.h"
#include "core/task.h"

#define WM_TASKS_LIMIT 256 /* of one automation */

enum wm_repeat { WM_EVERY_EVENT, WM_ONCE_PER_USER, WM_ONCE_PER_JOURNEY };

struct wm_automation {
  struct wm_text name, description, entity, owner;
  struct wm_text version; /* 12 hex digits of the SHA-256 of its document */
  bool enabled;           /* now: wm_workspace_overlay sets it */
  bool written_enabled;   /* as the document says */
  enum wm_repeat repeat;
  struct wm_text *triggers; /* event types; a trailing '*' matches any rest */
  size_t trigger_count;
  struct wm_condition when; /* WM_ALL at the top */
  bool reads_user;          /* some condition needs the register */
  bool reads_roles;         /* some condition needs user.roles; set by wm_workspace_finish */
  struct wm_task *tasks;    /* by sequence */
  size_t task_count;
  struct wm_text file;
  unsigned line, column;
};

bool wm_trigger_takes(struct wm_text trigger, struct wm_text type);
bool wm_automation_takes(const struct wm_automation *automation, struct wm_text type);

/* The task of this sequence; NULL: there is none. */
const struct wm_task *wm_automation_task(const struct wm_automation *automation, int64_t sequence);

/* The entity that may change roles. [000] */
#define WM_ENTITY_USER_JOURNEY "user-journey"

#endif

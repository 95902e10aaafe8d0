/* Task types: one file in core/tasks/, one line in tasks.def. */
#ifndef WM_CORE_TASK_H
#define WM_CORE_TASK_H

#include "core/template.h"

struct wm_run;
struct wm_task;
struct wm_outcome;
struct wm_findings;
struct wm_workspace;
struct wm_automation;

enum wm_field_kind {
  WM_FIELD_ROLE,     /* name of a role -> struct wm_text */
  WM_FIELD_USER,     /* a user id -> struct wm_text */
  WM_FIELD_CHANNEL,  /* name of a channel -> struct wm_text */
  WM_FIELD_ACTION,   /* add | remove -> enum wm_action */
  WM_FIELD_DURATION, /* -> int64_t, microseconds; 0 is refused; absent: 0 */
  WM_FIELD_TEXT,     /* -> struct wm_text */
  WM_FIELD_TEMPLATE  /* -> struct wm_template */
};

/* One key that a task type has beside the common ones; the loader and the schema go by this table. */
struct wm_field {
  const char *name;
  enum wm_field_kind kind;
  bool required;
  size_t offset; /* in struct wm_task */
  const char *summary;
};

struct wm_task_type {
  const char *name;
  const struct wm_field *fields; /* ended by a row without a name */
  /* What can be known wrong when the workspace is read: adds findings at the task's place or that of what it names. */
  void (*check)(const struct wm_workspace *workspace, const struct wm_automation *automation,
                const struct wm_task *task, struct wm_findings *findings);
  /* Runs the task on the run's working copy and fills 'outcome' (result, code, message ...). -1: out of memory. */
  int (*run)(struct wm_run *run, const struct wm_task *task, struct wm_outcome *outcome);
};

extern const struct wm_task_type wm_change_role;
extern const struct wm_task_type wm_notify;
extern const struct wm_task_type wm_delegate; /* of requests alone: it is not in tasks.def and has no check */

/* All of tasks.def, ended by NULL. */
extern const struct wm_task_type *const wm_task_types[];
const struct wm_task_type *wm_task_type_find(struct wm_text name);

enum wm_action { WM_ADD, WM_REMOVE, WM_WITHDRAW /* of requests alone */ };

struct wm_task {
  const struct wm_task_type *type;
  struct wm_text name, description; /* name: WM_NO_TEXT for a manual request */
  int64_t sequence;
  bool stop_on_failure;
  unsigned line, column;
  unsigned name_line, name_column; /* of the role or channel that it names: findings about that one stand there */
  struct wm_text near; /* the role or channel that was likely meant when there is none of the name that stands here;
                          set by wm_workspace_finish */
  /* change-role */
  struct wm_text role;
  enum wm_action action;
  int64_t expires_after_us; /* 0: no end */
  struct wm_text source;    /* withdraw: whose grant */
  struct wm_text version;   /* withdraw: only if this version gave it; WM_NO_TEXT: any */
  int64_t until_us;         /* of a manual request, WM_NEVER: no end; 0 for tasks */
  /* notify */
  struct wm_text channel;
  struct wm_text to; /* "user", "manager" or an address; WM_NO_TEXT: user. delegate: a user id */
  struct wm_template title, message;
};

#endif

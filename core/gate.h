/* What stands between a task and a role (contract 6). Each gate fails the outcome when it is shut. */
#ifndef WM_CORE_GATE_H
#define WM_CORE_GATE_H

#include "core/run.h"

/* 'role' is the catalogue's, NULL when it has none of the task's name. -1: out of memory. */
typedef int wm_gate_fn(struct wm_run *run, const struct wm_task *task, const struct wm_role *role,
                       struct wm_outcome *outcome);

wm_gate_fn wm_gate_user;   /* USER_MISSING, USER_UNKNOWN */
wm_gate_fn wm_gate_active; /* USER_INACTIVE */
wm_gate_fn wm_gate_role;   /* ROLE_UNKNOWN, ROLE_PROTECTED */
wm_gate_fn wm_gate_fit;    /* ROLE_INACTIVE, ROLE_ARCHIVED, ROLE_TYPE_MISMATCH, ROLE_PORTAL_MISMATCH */

/* One after the other, ended by NULL, until one is shut: then 'outcome' has a code. -1: out of memory. */
int wm_gates_pass(struct wm_run *run, const struct wm_task *task, const struct wm_role *role, wm_gate_fn *const *gates,
                  struct wm_outcome *outcome);

#endif

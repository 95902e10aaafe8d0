/* Automations, roles and channels, read and indexed: immutable while the worker decides by it. What was switched off or
 * archived at run time is laid over it between two batches. */
#ifndef WM_CORE_WORKSPACE_H
#define WM_CORE_WORKSPACE_H

#include "core/arena.h"
#include "core/automation.h"
#include "core/finding.h"
#include "core/role.h"
#include "core/running.h"

#define WM_AUTOMATIONS_LIMIT 100000
#define WM_ROLES_LIMIT 100000

struct wm_channel {
  struct wm_text name, kind, description;
  struct wm_text file;
  unsigned line, column;
};

struct wm_case;
struct wm_index;
struct wm_derive;

struct wm_workspace {
  struct wm_arena arena;             /* owns all below but the indexes */
  struct wm_automation *automations; /* by name (bytes) */
  size_t automation_count;
  struct wm_role *roles; /* by name */
  size_t role_count;
  struct wm_channel *channels; /* by name */
  size_t channel_count;
  struct wm_case *cases; /* tests, by name; core/case.h */
  size_t case_count;
  struct wm_text digest;            /* 12 hex digits over everything, as written */
  struct wm_text written_catalogue; /* 12 hex digits over the roles, as written */
  struct wm_text catalogue_digest;  /* the same while no role is archived or brought back at run time, else another one;
                                       stands in 'overlaid' then */
  char overlaid[13];
  struct wm_text baseline;      /* setting: the role that a removal leaves to him who has no other; WM_NO_TEXT: none */
  struct wm_index *index;       /* core/match.h, over 'automations' */
  struct wm_derive *derive;     /* core/derive.h, over 'roles' */
  struct wm_arena derive_arena; /* owns 'derive' */
};

/* A new, empty workspace. NULL: out of memory. */
struct wm_workspace *wm_workspace_new(void);
void wm_workspace_free(struct wm_workspace *workspace);

/* Sorts everything by name and tasks by sequence, finds what names without a document may have meant, and builds
 * the indexes; the loader calls it once. -1: out of memory. */
int wm_workspace_finish(struct wm_workspace *workspace, struct wm_error *error);

/* How many are switched or archived otherwise than before. */
struct wm_overlay {
  size_t automations, roles;
};

/* Lays what was said at run time (NULL: nothing) over what is written: sets 'enabled' and 'status' of all, and follows
 * with indexes and catalogue digest. What was said about names that are not here does nothing. Never while decisions
 * are under way that hold candidates of the index. The same words always give the same digest, and none the written
 * one. Cheap when nothing changes. -1: out of memory; then the workspace can only be freed. */
int wm_workspace_overlay(struct wm_workspace *workspace, const struct wm_running *running, struct wm_overlay *ret,
                         struct wm_error *error);

/* By name; NULL: none. */
const struct wm_role *wm_workspace_role(const struct wm_workspace *workspace, struct wm_text name);
const struct wm_channel *wm_workspace_channel(const struct wm_workspace *workspace, struct wm_text name);
const struct wm_automation *wm_workspace_automation(const struct wm_workspace *workspace, struct wm_text name);

/* What 'name' may have meant; WM_NO_TEXT: nothing is near, or the catalogue is too large to look through while
 * deciding. Borrowed from the workspace. */
struct wm_text wm_workspace_near_role(const struct wm_workspace *workspace, struct wm_text name);

/* The same for automations. */
struct wm_text wm_workspace_near_automation(const struct wm_workspace *workspace, struct wm_text name);

/* Everything that can be said about a workspace that could be read: dangling and protected roles, dangling
 * channels, order against sequence, dead rules ... (core/lint.c). Adds errors and warnings. */
void wm_lint(const struct wm_workspace *workspace, struct wm_findings *findings);

#endif

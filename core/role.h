/* A role of the catalogue (contract 8). */
#ifndef WM_CORE_ROLE_H
#define WM_CORE_ROLE_H

#include "core/condition.h"
#include "core/text.h"

enum wm_role_kind { WM_ROLE_PORTAL, WM_ROLE_SYSTEM, WM_ROLE_ADMINISTRATOR };
enum wm_role_status { WM_ROLE_ACTIVE, WM_ROLE_INACTIVE, WM_ROLE_ARCHIVED };
enum wm_delegation { WM_DELEGATION_NONE, WM_DELEGATION_HOLDERS };

enum wm_criterion_kind {
  WM_CRITERION_ALL,
  WM_CRITERION_USER,
  WM_CRITERION_ORG_UNIT,
  WM_CRITERION_GROUP,
  WM_CRITERION_MANAGER,
  WM_CRITERION_WHEN
};

struct wm_criterion {
  enum wm_criterion_kind kind;
  struct wm_text name;          /* the user, org unit or group */
  struct wm_text org_unit_type; /* WM_NO_TEXT: any hierarchy */
  bool include_subordinates;
  struct wm_condition when; /* user paths only */
  unsigned line, column;
};

struct wm_role {
  struct wm_text name; /* the uid */
  struct wm_text label, description;
  struct wm_text type; /* WM_NO_TEXT: for users of any type */
  enum wm_role_kind kind;
  enum wm_role_status status;         /* now: wm_workspace_overlay sets it */
  enum wm_role_status written_status; /* as the document says */
  enum wm_delegation delegation;
  bool managed;
  bool at_sign_in; /* activate: a criterion counts once the user has signed in */
  struct wm_text *portals;
  size_t portal_count;
  struct wm_criterion *criteria;
  size_t criterion_count;
  struct wm_text file; /* where it stands */
  unsigned line, column;
};

#endif

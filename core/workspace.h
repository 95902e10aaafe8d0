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

/* A warning that a document says is fine, under its key 'silence'. */
struct wm_silence {
  enum wm_code code;
  struct wm_text reason;
  unsigned line, column;
  bool used; /* set by wm_silence_apply */
};

/* Those of one document. */
struct wm_silences {
  struct wm_text file;
  unsigned first_line, last_line; /* of the document */
  struct wm_silence *items;
  size_t count;
  bool asleep; /* an automation that is off, or an error in it: what it silences may come back when that is mended */
};

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
  struct wm_silences *silences; /* by file and line, of documents that have some */
  size_t silence_count;
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

/* What the settings say that lint goes by. */
struct wm_lint_terms {
  const struct wm_path *user_written; /* fields that users fill in themselves, and all that is below them */
  size_t user_written_count;
};

/* Everything that can be said about a workspace that could be read: dangling and protected roles, dangling
 * channels, order against sequence, dead rules, lock-outs ... (core/lint.c). Adds errors and warnings. 'terms' NULL:
 * the settings are not known, and nothing is said that hangs on them. */
void wm_lint(const struct wm_workspace *workspace, const struct wm_lint_terms *terms, struct wm_findings *findings);

/* --- silencing (core/silence.c) --- */

/* What was looked at: a silence for the findings of another look is no unused one. */
enum wm_look {
  WM_LOOK_WORKSPACE, /* wm_lint */
  WM_LOOK_SAMPLE,    /* wm_lint_sample */
  WM_LOOK_AGAINST    /* wm_lint_against */
};

/* Marks the warnings that their documents say are fine. */
void wm_silence_apply(const struct wm_workspace *workspace, struct wm_findings *findings);

/* After wm_silence_apply: SILENCE_UNUSED for every silence of this look's codes that silenced nothing. */
void wm_silence_check(const struct wm_workspace *workspace, enum wm_look look, struct wm_findings *findings);

/* The code of a warning that may be silenced, by its name. WM_OK: there is no such one. */
enum wm_code wm_silence_code(struct wm_text name);

/* The code that was likely meant; NULL: none is near. */
const char *wm_silence_near(struct wm_text name);

#endif

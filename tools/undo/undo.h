/* waymark undo: taking back the grants that came from one automation (of one version, run or time), and nothing that
 * others gave. A plan names each grant by its clock; applying it sends a role.grant.withdrawn for each, whose time is
 * the first moment behind that clock: the worker takes what was given up to then, and a grant that is newer stands
 * (contract 7). So a plan can be applied again at any time. Each part is in its own file, undo_<what>.c. */
#ifndef WM_TOOLS_UNDO_H
#define WM_TOOLS_UNDO_H

#include "core/codec/digest.h"
#include "core/project.h"
#include "tools/lib/files.h"
#include "tools/lib/tally.h"
#include "tools/lib/user_list.h"
#include "tools/requests/request.h"

/* What is meant; all that is not given leaves everything of the automation. */
struct undo_filter {
  struct wm_text automation;
  struct wm_text version; /* WM_NO_TEXT: any */
  struct wm_text run;     /* "live" or a name; WM_NO_TEXT: any */
  int64_t from_us, to_us; /* of the event's time, both included; INT64_MIN, INT64_MAX: any */
  struct user_list users;
};

struct undo_grant {
  struct wm_text user, role; /* first: searched by them */
  struct wm_clock clock;
  struct wm_text version, run; /* WM_NO_TEXT: not said, live */
  bool left;                   /* is not taken back: see 'other' and undo_dry */
  struct wm_clock other; /* set: the automation gave it by this decision too, which is not meant and still counts */
  struct wm_text other_version;
};

struct undo_counts {
  size_t users, grants; /* to be taken back */
  size_t lose, keep;    /* roles of users: not in force any more; in force all the same */
  size_t idle;          /* not in force before either */
  size_t gain;          /* of the baseline role */
  size_t lockouts;      /* users without any role in force after it, who had some */
};

struct undo_plan {
  struct wm_arena arena; /* owns the texts */
  int64_t made_us;
  struct undo_filter filter;
  struct wm_text workspace, catalogue; /* digests of what was looked at */
  struct undo_grant *grants;           /* by user and role; one for each */
  size_t grant_count, grant_capacity;
  struct undo_counts counts;
  char digest[WM_DIGEST_SIZE]; /* over all else */
};

void undo_plan_init(struct undo_plan *plan);
void undo_plan_release(struct undo_plan *plan);

/* Adds one; texts are copied. -1: out of memory. */
int undo_plan_add(struct undo_plan *plan, const struct undo_grant *grant);

/* --- undo_file.c --- */

/* Writes the plan as JSON lines, without the grants that are left, and sets plan->digest. EXIT_FINE, or told. */
int undo_plan_write(struct undo_plan *plan, const char *path);

/* Reads a plan, which may have been tampered with. EXIT_FINE, or told. */
int undo_plan_read(const char *path, struct undo_plan *ret);

/* --- undo_select.c --- */

/* Reads the filter out of the options. EXIT_FINE, or told. */
int undo_filter_read(const struct options *options, int64_t now_us, struct undo_plan *plan);

/* Is this decision of the automation meant? 'run': WM_NO_TEXT or "live" for live. */
bool undo_filter_takes(const struct undo_filter *filter, struct wm_text version, struct wm_text run, int64_t time_us);

/* "automation/<name>", borrowed from 'arena'. -1: out of memory. */
int undo_source(const struct undo_filter *filter, struct wm_arena *arena, struct wm_text *ret);

/* A user of whom something is taken or was taken. */
struct undo_user {
  struct wm_text id;
  struct wm_user *before;
  struct wm_user *after; /* as the plan leaves him: a register of its own, or 'before' */
  bool lost;             /* a removal took something of him: his registers are needed behind the dry run */
};

struct undo_selection {
  const struct loaded *loaded;
  struct undo_plan *plan;
  int64_t now_us;
  struct wm_text source;
  struct undo_user *users; /* by id */
  size_t user_count, user_capacity;
  struct tally versions; /* by version and run: all live grants of the automation, and those that are meant */
  size_t registers;      /* that were looked at */
  size_t faults;         /* keys that hold none */
  size_t ended;          /* grants that are meant and not live any more */
};

enum { UNDO_GRANTS, UNDO_MEANT }; /* columns of 'versions' */

void undo_selection_init(struct undo_selection *selection, const struct loaded *loaded, struct undo_plan *plan);
void undo_selection_release(struct undo_selection *selection);

/* Gives his registers back; the name stays. */
void undo_user_release(struct undo_user *user);

/* Finds the grants that are meant in all registers: out of Redis, or of a file (NULL: none). EXIT_FINE, or told. */
int undo_select(struct undo_selection *selection, const char *file);

/* Adds the registers of these users (sorted) as far as they are not there yet. EXIT_FINE, or told. */
int undo_select_users(struct undo_selection *selection, const char *file, const struct wm_text *users, size_t count);

/* NULL: not known. */
struct undo_user *undo_selection_user(const struct undo_selection *selection, struct wm_text id);

/* --- undo_outcomes.c --- */

/* One change-role task of an execution; borrowed for the call. */
struct undo_outcome {
  struct wm_text user;
  struct wm_text automation; /* "": a request */
  struct wm_text version, run, role, action, source, result, code;
  struct wm_clock clock;
  struct wm_origin origin;
  const struct wm_value *dropped; /* NULL, or a list of sources */
};

struct undo_reading {
  const struct loaded *loaded;
  const char *file; /* NULL: the topic */
  int64_t from_ms;  /* or CLIENT_BEGINNING */
  /* Is a record worth reading? 'key' is WM_NO_TEXT in a file. */
  bool (*wants)(void *taker, struct wm_text record, struct wm_text key);
  int (*take)(void *taker, const struct undo_outcome *outcome); /* 0, or -1: out of memory */
  void *taker;
  bool cut; /* out: retention has deleted the oldest records */
};

/* All of them, those of a user in their order. EXIT_FINE, or told. */
int undo_outcomes_each(struct undo_reading *reading);

/* --- undo_losses.c --- */

enum undo_loss_state {
  LOSS_BACK,    /* a grant by hand would give it back */
  LOSS_OWN,     /* it took what the same decisions had given */
  LOSS_HELD,    /* he has it again */
  LOSS_STANDS,  /* another removal stands, or he was deleted */
  LOSS_ENDED,   /* it would have ended by now */
  LOSS_NO_ROLE, /* the catalogue has no such role, or it can't be assigned */
  LOSS_UNKNOWN  /* Redis does not know the user */
};

/* A role that a removal of the automation took, or keeps away. */
struct undo_loss {
  struct wm_text user, role; /* first: searched by them */
  struct wm_clock clock;     /* of the removal that took it; where none did, of the newest */
  struct wm_clock newest;    /* of the newest removal that is meant */
  bool took;                 /* some removal took something; else it is only told when it is to be given back */
  bool bare;                 /* told by the changes alone: no outcome of it is left */
  struct wm_text version, run;
  struct wm_text *dropped; /* sources whose grants went along, as the outcome says */
  bool *dropped_seen;      /* does the log tell of such a grant? */
  size_t dropped_count;
  enum undo_loss_state state;
  struct wm_buf givers; /* "manual, automation/x"; empty: the log does not tell any more */
  int64_t until_us;     /* when the last of what it took would have ended, as far as that is known; WM_NEVER: not */
  size_t open_ends;     /* givers of whom it is not known */
};

struct undo_losses {
  struct undo_selection *selection;
  const struct options *options; /* for the changes */
  const char *file;              /* outcomes; NULL: the topic */
  bool servers;                  /* Kafka may be asked where grants by hand end */
  struct wm_arena arena;
  struct undo_loss *items; /* by user and role, one of each */
  size_t count, capacity;
  bool cut;
  size_t taken, back; /* to be told; of these LOSS_BACK */
};

void undo_losses_init(struct undo_losses *losses, struct undo_selection *selection);
void undo_losses_release(struct undo_losses *losses);

/* Adds one, as an outcome tells it; texts are copied. -1: out of memory. */
int undo_losses_add(struct undo_losses *losses, const struct undo_outcome *outcome);

/* NULL: none. After undo_losses_read. */
struct undo_loss *undo_losses_find(const struct undo_losses *losses, struct wm_text user, struct wm_text role);

/* Reads what the automation decided: what its removals took, and which grants it gave by other decisions too, which
 * sets their 'left' unless 'all'. EXIT_FINE, or told. */
int undo_losses_read(struct undo_losses *losses, bool all);

/* After undo_dry: what would have to be given back, who had given it, and until when. EXIT_FINE, or told. */
int undo_losses_judge(struct undo_losses *losses, const char *users_file);

/* A file for 'waymark grant --file'. EXIT_FINE, or told. */
int undo_losses_write(const struct undo_losses *losses, const char *path);

/* Is it worth telling? */
bool undo_loss_is_told(const struct undo_loss *loss);

const char *undo_loss_why(enum undo_loss_state state);

/* --- undo_dry.c --- */

/* Adds a request for each grant that is not left; 'terms' are those of all, without a role. -1: out of memory. */
int undo_requests(const struct undo_plan *plan, const struct request_terms *terms, struct requests *requests);

enum { UNDO_TAKEN, UNDO_LOSE, UNDO_KEEP, UNDO_IDLE, UNDO_GAIN }; /* columns by role */

typedef void undo_user_fn(void *taker, struct wm_text user, const struct wm_role_set *before,
                          const struct wm_role_set *after);

struct undo_dry {
  struct undo_selection *selection;
  struct tally roles, failures; /* by role; by role and code */
  undo_user_fn *take;           /* called for each user whose roles in force would be others, by id */
  void *taker;
};

/* Lets the core decide all withdrawals on private copies: counts, and leaves out what would fail. EXIT_FINE, or told.
 */
int undo_dry_run(struct undo_dry *dry);
void undo_dry_release(struct undo_dry *dry);

/* --- ways --- */

int undo_plan_run(const struct invocation *invocation);
int undo_apply_run(const struct invocation *invocation);

#endif

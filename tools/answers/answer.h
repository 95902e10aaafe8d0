/* The answer behind `waymark why`: does a user hold a role, because of what, what took it, what would give it. */
#ifndef WM_TOOLS_ANSWER_H
#define WM_TOOLS_ANSWER_H

#include "core/derive.h"
#include "core/project.h"
#include "core/running.h"
#include "tools/lib/source.h"

enum grant_state {
  GRANT_LIVE,
  GRANT_ENDED,   /* 'until' is over */
  GRANT_TAKEN,   /* this source alone was taken back */
  GRANT_REMOVED, /* a removal of the role is newer */
  GRANT_CLEARED  /* the user was deleted later */
};

struct answer {
  const struct loaded *loaded;
  const struct wm_workspace *workspace;
  const struct wm_user *user; /* never NULL; a blank one when 'known' is false */
  struct wm_text name;
  const struct wm_role *role;       /* NULL: the catalogue does not have it */
  const struct wm_user_role *entry; /* NULL: nobody ever decided about it */
  int64_t now_us;
  bool known; /* is there a register? */
  bool assigned, derived, awaits_sign_in;
  enum wm_code gate; /* what keeps an assigned or derived role from being in force; WM_OK: nothing */
  bool held;         /* in force: this is the answer */
  bool has_redis, redis_says;
  struct wm_facts facts; /* facts.user NULL: there is no profile */
  struct wm_scope scope; /* the user as conditions see him, without an event */
  /* What was said at run time; NULL: not asked, or Kafka could not be reached. Set by the caller. */
  const struct wm_running *running;
  bool offline;           /* the register is from a file: nothing outside was to be asked */
  struct wm_clock stands; /* the newest of 'removed' and 'cleared'; not set: nothing was ever taken */
};

/* Fills 'ret', which borrows everything; its scope is without user.roles. */
void answer_find(const struct loaded *loaded, const struct source_user *source, const struct wm_user *user,
                 struct wm_text role, int64_t now_us, struct answer *ret);

/* Puts user.roles into the scope, in 'arena'. -1: out of memory. */
int answer_add_roles(struct answer *answer, struct wm_arena *arena);

enum grant_state answer_grant_state(const struct answer *answer, const struct wm_grant *grant);

/* The automation and task of a grant or a removal, as the workspace has them now; NULL: it has them no more, or it was
 * none. */
const struct wm_automation *answer_automation(const struct answer *answer, const struct wm_clock *clock);
const struct wm_task *answer_task(const struct wm_automation *automation, int64_t sequence);

/* Is it the work of Waymark's own 'automation/baseline'? */
bool answer_is_baseline(const struct answer *answer, const struct wm_clock *clock);

/* When he came to hold it, as far as the register tells: the oldest live grant, else the profile or sign-in that
 * derives it. INT64_MIN: not known. */
int64_t answer_since(const struct answer *answer);

/* The end of the last reason to hold it; WM_NEVER: none ends. A criterion ends when it goes by time. */
int64_t answer_until(const struct answer *answer);

/* Does criterion i hold? */
bool answer_criterion_holds(const struct answer *answer, size_t i);

/* What keeps it from being in force, one after the other: opens the gate that it returns in the two copies. WM_OK: it
 * would be in force. */
enum wm_code answer_next_gate(struct wm_role *role, struct wm_user *user);

/* Appends why the role is not in force though he has it: a sentence. */
void answer_gate_text(const struct answer *answer, struct wm_buf *buf);

/* May this automation give or take the role at all? Appends why not, nothing if it may. Returns the code that its task
 * would have; WM_OK: none, or the task would not run. */
enum wm_code answer_obstacle(const struct answer *answer, const struct wm_automation *automation, struct wm_buf *buf);

/* A task that adds or removes the role, one after the other by automation: the next after '*at' (0 at first). */
struct answer_giver {
  const struct wm_automation *automation;
  const struct wm_task *task;
};
bool answer_next_giver(const struct answer *answer, enum wm_action action, size_t *at, struct answer_giver *ret);

/* The answer on stdout: for people, or as one JSON object. */
void answer_print(const struct answer *answer);
void answer_print_json(const struct answer *answer);

#endif

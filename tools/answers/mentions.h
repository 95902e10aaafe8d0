/* Where a workspace names a role, a channel or a field. */
#ifndef WM_TOOLS_MENTIONS_H
#define WM_TOOLS_MENTIONS_H

#include "worker/files.h"

enum mention_kind {
  MENTION_GIVES,    /* a task adds the role */
  MENTION_TAKES,    /* a task removes it */
  MENTION_NOTIFIES, /* a task uses the channel */
  MENTION_ASKS,     /* a condition of an automation reads the field, or looks for the role in user.roles */
  MENTION_SHOWS,    /* a template puts the field into a text */
  MENTION_DERIVES,  /* a criterion of a role reads the field */
  MENTION_TESTS,    /* a test says what must become of it */
  MENTION_SETS,     /* a setting names it */
  MENTION_IS        /* the role or the channel itself */
};

struct mention {
  enum mention_kind kind;
  const struct wm_automation *automation; /* NULL: it stands somewhere else */
  const struct wm_task *task;             /* NULL: it stands in the conditions */
  const struct wm_role *role;             /* whose criterion it is */
  struct wm_text test;                    /* name of the test that it stands in */
  const char *place;                      /* "when", "title", "message", "assigned-when" ... */
  struct wm_text file;
  unsigned line, column; /* 0: not known */
};

enum mention_of { MENTION_OF_ROLE, MENTION_OF_CHANNEL, MENTION_OF_FIELD };

/* Takes one mention, borrowed for the call. */
typedef void mention_fn(void *taker, const struct mention *mention);

/* Everything that names 'name': a role or channel that need not exist, or a field path, with all below it
 * ("user.attributes" finds "user.attributes.tier"). Automations by name, then roles, tests
 * and settings. Returns how many. */
size_t mentions_each(const struct loaded *loaded, enum mention_of of, struct wm_text name, mention_fn *take,
                     void *taker);

/* Every field path that is read somewhere, each as often as it is; for 'did you mean'. */
typedef void mention_path_fn(void *taker, const struct wm_path *path);
void mentions_each_path(const struct loaded *loaded, mention_path_fn *take, void *taker);

#endif

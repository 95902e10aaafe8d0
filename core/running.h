/* What was switched off and retired at run time: the state of automations and roles by name, as the records of
 * waymark.control tell it (contract 9). The workspace says how things begin; what stands here counts instead. */
#ifndef WM_CORE_RUNNING_H
#define WM_CORE_RUNNING_H

#include <stdint.h>

#include "core/error.h"
#include "core/role.h"
#include "core/text.h"

enum wm_running_kind { WM_RUNNING_AUTOMATION, WM_RUNNING_ROLE };
#define WM_RUNNING_KINDS 2

enum wm_running_state {
  WM_RUNNING_AS_WRITTEN, /* nothing is said: the workspace counts */
  WM_RUNNING_ON,         /* an automation runs; a role is not archived, whatever the workspace says */
  WM_RUNNING_OFF         /* an automation does not run; a role is archived */
};

/* One thing that was said about one name. Borrows its texts. */
struct wm_running_word {
  enum wm_running_kind kind;
  struct wm_text name;
  enum wm_running_state state;
  struct wm_text by, reason; /* claims; WM_NO_TEXT: not said */
  int64_t time_us;
};

#define WM_RUNNING_LIMIT 100000                  /* names of one kind */
#define WM_RUNNING_TEXT_LIMIT (32 * 1024 * 1024) /* bytes of all texts together */

struct wm_running_list {
  struct wm_running_word **items; /* by name (bytes), none AS_WRITTEN; owned */
  size_t count, capacity;
};

struct wm_running {
  struct wm_running_list lists[WM_RUNNING_KINDS];
  size_t text_size;
};

void wm_running_init(struct wm_running *running);
void wm_running_release(struct wm_running *running);

/* Takes what 'word' says (copied) in place of what was said of that name before; AS_WRITTEN forgets it. 1: the state
 * of the name is another one now, 0: it is the same. -1 with CONTROL_INVALID (more names or texts than are kept) or
 * OUT_OF_MEMORY; then nothing has changed. */
int wm_running_take(struct wm_running *running, const struct wm_running_word *word, struct wm_error *error);

/* What was said last of a name; NULL: nothing. 'running' may be NULL. Borrowed until the next take. */
const struct wm_running_word *wm_running_get(const struct wm_running *running, enum wm_running_kind kind,
                                             struct wm_text name);

/* Does the automation run, does the role stand, when the workspace says 'enabled', 'status'? A role that is switched
 * back on is active if the workspace has it archived, else as the workspace says. 'running' may be NULL. */
bool wm_running_enabled(const struct wm_running *running, struct wm_text automation, bool enabled);
enum wm_role_status wm_running_status(const struct wm_running *running, struct wm_text role,
                                      enum wm_role_status status);

#endif

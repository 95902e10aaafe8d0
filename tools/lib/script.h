/* The script of `waymark dev`: the events of a workspace, moved to the present, and what they must come to. */
#ifndef WM_TOOLS_SCRIPT_H
#define WM_TOOLS_SCRIPT_H

#include "tools/lib/play.h"
#include "tools/lib/table.h"

/* One outcome record that must come. */
struct expectation {
  char *text; /* user, automation, event and tasks, to be compared by bytes */
  bool came;
};

struct script_line {
  struct wm_text text;     /* the event, with its new time */
  struct wm_record record; /* to be sent; its topic is NULL when no record can be made of the line */
};

struct script {
  struct wm_arena arena;
  struct script_line *lines;
  size_t count, capacity;
  struct expectation *expectations;
  size_t expectation_count, expectation_capacity;
  size_t rejections;  /* that must come */
  struct play play;   /* after the last line: the registers that must be there */
  struct table shape; /* what the table of outcomes will hold: its widths */
};

/* Reads 'path', moves the times of its events to 'begin_us' and on, one 'step_us' after the other, and plays it. The
 * settings say where each event goes. Exit code; release in any case. */
int script_open(struct script *script, const char *path, const struct loaded *loaded, const struct settings *settings,
                int64_t begin_us, int64_t step_us);
void script_release(struct script *script);

/* An outcome record came. False: nothing like it is expected. */
bool script_take(struct script *script, const struct wm_value *outcome);

/* How many expected outcomes have not come yet. */
size_t script_missing(const struct script *script);

#endif

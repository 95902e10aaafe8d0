/* What a worker said of itself at one moment (/status.json), and what two of them in a row tell: rates, quantiles.
 * Whatever answered is a stranger: members may be missing, of other types, or beyond all sense; then they are unknown.
 */
#ifndef WM_TOOLS_TOP_LOOK_H
#define WM_TOOLS_TOP_LOOK_H

#include "core/value.h"

#define LOOK_BYTES ((size_t)1 << 20) /* a thousand partitions with long names need a third of it */
#define LOOK_UNKNOWN INT64_C(-1)

struct look {
  struct wm_arena arena;
  struct wm_value value; /* an object with 'worker' and 'state' when 'trouble' is empty */
  int64_t heard_us;      /* monotonic */
  int64_t time_us;       /* when the worker's loop made this; LOOK_UNKNOWN: it did not say */
  char trouble[640];     /* why there is nothing */
};

/* Asks the worker at 'url' and waits 'timeout_ms' at most (and for the name of its host). Returns a new look, also when
 * nobody answers; NULL: out of memory. */
struct look *look_ask(const char *url, int timeout_ms);
void look_free(struct look *look);

/* False: nobody has answered, or somebody else ('look' may be NULL). */
bool look_is_heard(const struct look *look);

/* The member 'name' of the member 'group' (NULL: of the whole). Texts may be absent; numbers are 0 .. 2^53 or
 * LOOK_UNKNOWN. */
const struct wm_value *look_member(const struct look *look, const char *group, const char *name);
struct wm_text look_text(const struct look *look, const char *name);
int64_t look_number(const struct look *look, const char *group, const char *name);
bool look_truth(const struct look *look, const char *name);

/* The same of any value. */
int64_t look_count(const struct wm_value *value);
size_t look_items(const struct wm_value *value, const struct wm_value **ret_items); /* none, when it is no list */

/* How much a counter grew in a second between two looks, in tenths. LOOK_UNKNOWN: there are no two, or the worker began
 * anew between them. A counter that was not there before began at 0 if 'group' was there. */
int64_t look_rate(const struct look *before, const struct look *now, const char *group, const char *name);

/* The quantile (0 .. 100) of a histogram of 'times' in microseconds, of what came between two looks, by a straight line
 * within its bucket; above all bounds: the last bound. LOOK_UNKNOWN: nothing came. */
int64_t look_quantile(const struct look *before, const struct look *now, const char *name, int percent);

#endif

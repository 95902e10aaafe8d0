/* Runs on topics.control: how far each is (replay/<run>, written with the copies in one transaction), and what somebody
 * asked of it (replay-ask/<run>). */
#ifndef WM_TOOLS_REPLAY_CONTROL_H
#define WM_TOOLS_REPLAY_CONTROL_H

#include "tools/replay/replay.h"

enum replay_ask { ASK_NOTHING, ASK_RESUME, ASK_PAUSE, ASK_CANCEL };

struct replay_position {
  int32_t partition;
  int64_t offset; /* of the next record; of a file: its next line, from 0 */
};

struct replay_run {
  struct wm_text name, plan, topic, by, reason;
  bool begun, done, notify;
  int64_t started_us, time_us;
  size_t sent, planned;
  struct replay_position *positions;
  size_t position_count;
  enum replay_ask ask;
  struct wm_text asked_by, asked_reason;
};

struct replay_runs {
  struct wm_arena arena;
  struct replay_run *items; /* by name */
  size_t count, capacity;
};

void replay_runs_init(struct replay_runs *runs);
void replay_runs_release(struct replay_runs *runs);

/* All runs that the control topic knows now. Records that can't be read are told and passed over. EXIT_FINE, or told.
 */
int replay_runs_read(const struct settings *settings, struct replay_runs *ret);

/* NULL: it is not known. */
const struct replay_run *replay_runs_find(const struct replay_runs *runs, struct wm_text name);

/* "running", "paused", "cancelled", "done" */
const char *replay_run_state(const struct replay_run *run);

/* The record that says how far a run is, borrowed from 'arena'. -1: out of memory. */
int replay_run_record(const struct settings *settings, const struct replay_run *run, struct wm_arena *arena,
                      struct wm_record *ret);

/* Asks something of a run. EXIT_FINE, or told. */
int replay_ask_send(const struct settings *settings, struct wm_text run, enum replay_ask ask, const char *by,
                    const char *reason);

/* The ask in a record of the control topic, if it is about this run; else ASK_NOTHING. */
enum replay_ask replay_ask_of(const struct wm_record *record, struct wm_text run, struct wm_arena *arena);

#endif

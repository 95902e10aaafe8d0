/* One batch on its way: collect, fetch, decide, encode, commit, apply (architecture 1). */
#ifndef WM_WORKER_BATCH_H
#define WM_WORKER_BATCH_H

#include "core/codec/out.h"
#include "worker/log.h"
#include "worker/users.h"

struct loop;

/* A record that does something: a rejection, or an event that has to be decided. */
struct batch_item {
  struct wm_record record; /* copied; value and headers only when 'whole' */
  bool whole;              /* it is rejected or may be later: then it is passed on verbatim */
  bool rejected;
  struct wm_rejection rejection;
  struct wm_event event;
  struct wm_candidates candidates;
  struct users_entry *user; /* while the batch is run; NULL: no register is needed */
  struct wm_decision decision;
};

struct batch {
  struct wm_arena arena;   /* everything of the batch */
  struct wm_arena scratch; /* one item's records */
  struct batch_item *items;
  size_t count, capacity;
  size_t events; /* records taken, those that do nothing too */
  uint64_t empty, nothing, ignored;
  const struct wm_automation **unknown; /* could not tell whether to take one of the events; as often as that */
  size_t unknown_count, unknown_capacity;
  struct wm_change *told; /* what time changed, and is told with a decision */
  size_t told_count, told_capacity;
  size_t looked;              /* automations that were asked although the index leaves them out */
  size_t most;                /* events in a batch at present; SIZE_MAX: what the settings say */
  int64_t began_us;           /* monotonic, of the first record */
  int64_t commit_us;          /* how long commits take at present */
  size_t idle_events;         /* taken by earlier batches that had nothing to write, not committed yet */
  int64_t idle_us;            /* since when */
  struct cache_write *writes; /* registers of this batch, borrowed from 'arena'; token = index + 1 */
  struct users_entry **written;
  size_t write_count;
  uint64_t token;         /* of the register being encoded; 0: something else */
  enum log_result result; /* of the append that failed */
};

void batch_init(struct batch *batch);
void batch_release(struct batch *batch);

/* Forgets everything that was taken and staged; what was idle has to be read again too. */
void batch_drop(struct loop *loop);

/* Takes a record of input 'topic' from a live partition: decoded, checked for its home, sifted. */
void batch_take(struct loop *loop, const struct wm_record *record, size_t topic);

/* A live partition's input goes on at 'position' without a record: to be committed like events that do nothing. */
void batch_pass(struct loop *loop, const struct log_position *position);

/* Full, or old enough? 'ret_wait_us' (when not) is how long it may still grow; INT64_MAX: it is empty. */
bool batch_is_due(const struct loop *loop, int64_t *ret_wait_us);

/* The batch at hand could not be committed, maybe because it takes too long: the next ones are smaller for a while. */
void batch_shrink(struct loop *loop);

/* Runs it to its end: afterwards it is empty, and either committed and sent to Redis, or dropped with everything
 * arranged for reading it again. */
void batch_run(struct loop *loop);

/* Commits what only idle events have moved, if it is time (or 'now'). */
void batch_commit_idle(struct loop *loop, bool now);

#endif

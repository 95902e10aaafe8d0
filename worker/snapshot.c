#include "worker/snapshot.h"

#include <pthread.h>

#include "worker/stall.h"

struct board {
  pthread_mutex_t mutex;
  struct snapshot *newest;
  struct stall stall; /* the loop's thread alone */
  int64_t next_us;    /* monotonic */
};

struct board *board_new(void) {
  struct board *board = calloc(1, sizeof *board);
  if (board)
    pthread_mutex_init(&board->mutex, NULL);
  return board;
}

void board_free(struct board *board) {
  if (!board)
    return;
  free(board->newest);
  stall_release(&board->stall);
  pthread_mutex_destroy(&board->mutex);
  free(board);
}

/* --- what the loop knows --- */

static int64_t records_left(const struct loop *loop, size_t topic, int32_t partition) {
  const struct partition_input *input = &loop->partitions.items[partition].inputs[topic];
  int64_t start, end;
  if (!LOOP_LOG(loop, heard, topic, partition, &start, &end))
    return -1;
  int64_t next = input->base < start ? start : input->base;
  return end > next ? end - next : 0;
}

static void take_lags(const struct loop *loop, struct stall *stall, struct snapshot *ret) {
  const struct partitions *partitions = &loop->partitions;
  ret->lag = -1;
  for (size_t topic = 0; topic < partitions->input_count; topic++) {
    for (int32_t p = 0; p < partitions->count; p++) {
      if (!partitions->items[p].inputs[topic].ours)
        continue;
      int64_t records = records_left(loop, topic, p);
      if (records >= 0)
        ret->lag = (ret->lag < 0 ? 0 : ret->lag) + records;
      int64_t stuck_us = stall_look(stall, loop, topic, p, records);
      if (stuck_us > ret->stuck_us)
        ret->stuck_us = stuck_us;
      if (ret->lag_count < SNAPSHOT_LAGS)
        ret->lags[ret->lag_count++] =
            (struct snapshot_lag){wm_text_of(loop->doors.log.inputs[topic]), p, partitions->items[p].state, records};
    }
  }
}

static void take_partitions(const struct loop *loop, struct snapshot *ret) {
  const struct partitions *partitions = &loop->partitions;
  for (int32_t p = 0; p < partitions->count; p++) {
    const struct partition *partition = &partitions->items[p];
    ret->partitions[partition->state]++;
    ret->unprojected += partition->state == PARTITION_LIVE && partition->catalogue != CATALOGUE_PROJECTED;
    if (partition->progress >= 0 && partition->applied > partition->progress)
      ret->unapplied += partition->applied - partition->progress;
  }
  if (loop->catchup.partition >= 0 && loop->catchup.end > loop->catchup.position)
    ret->unapplied += loop->catchup.end - loop->catchup.position;
  if (loop->reproject.partition >= 0 && loop->reproject.end > loop->reproject.position)
    ret->projection_left = loop->reproject.end - loop->reproject.position;
}

static void copy_digest(char room[static 16], struct wm_text digest) {
  snprintf(room, 16, "%.*s", WM_TEXT_ARG(digest));
}

static void take(const struct loop *loop, struct stall *stall, struct snapshot *ret) {
  ret->wall_us = loop_wall(loop);
  ret->monotonic_us = loop_now(loop);
  ret->phase = loop->phase;
  ret->assigned = loop->assigned;
  ret->ready = loop->ready;
  ret->spare = loop->spare;
  ret->kafka_is_down = loop->log_is_down;
  ret->redis_is_down = loop->cache_is_down;
  ret->clear = recover_is_clear(loop);
  ret->control_is_known = control_is_followed(loop);
  ret->paused = recover_paused(loop);
  ret->control_offset = loop->control.position;
  ret->input_count = loop->partitions.input_count;
  copy_digest(ret->workspace, loop->workspace->digest);
  copy_digest(ret->catalogue, loop->workspace->catalogue_digest);
  ret->automations = loop->workspace->automation_count;
  ret->roles = loop->workspace->role_count;
  ret->drift_users = drift_users(&loop->drift);
  ret->drift_rounds = loop->drift.rounds;
  ret->drift_round_us = loop->drift.round_us;
  ret->counters = loop->counters;
  ret->metrics = loop->metrics;
  take_partitions(loop, ret);
  take_lags(loop, stall, ret);
}

/* --- handing over --- */

/* The last one who has it frees it. */
static void let_go(struct board *board, struct snapshot *snapshot) {
  pthread_mutex_lock(&board->mutex);
  bool last = snapshot && --snapshot->borrowers == 0;
  pthread_mutex_unlock(&board->mutex);
  if (last)
    free(snapshot);
}

void board_put(struct board *board, struct snapshot *snapshot) {
  snapshot->borrowers = 1; /* the board itself */
  pthread_mutex_lock(&board->mutex);
  struct snapshot *old = board->newest;
  board->newest = snapshot;
  pthread_mutex_unlock(&board->mutex);
  let_go(board, old);
}

void board_publish(struct board *board, const struct loop *loop, bool now) {
  int64_t now_us = loop_now(loop);
  if (!now && now_us < board->next_us)
    return;
  struct snapshot *fresh = calloc(1, sizeof *fresh);
  if (!fresh)
    return;
  take(loop, &board->stall, fresh);
  board_put(board, fresh);
  board->next_us = now_us + SNAPSHOT_PERIOD_US;
}

const struct snapshot *board_borrow(struct board *board) {
  pthread_mutex_lock(&board->mutex);
  struct snapshot *newest = board->newest;
  if (newest)
    newest->borrowers++;
  pthread_mutex_unlock(&board->mutex);
  return newest;
}

void board_return(struct board *board, const struct snapshot *snapshot) {
  let_go(board, (struct snapshot *)snapshot);
}

/* What the files of the in-memory log share: memory_log.c (topics, transactions), memory_group.c (the consumer group),
 * memory_door.c (the log door of a member). */
#ifndef WM_TESTS_MEMORY_LOG_INTERNAL_H
#define WM_TESTS_MEMORY_LOG_INTERNAL_H

#include "tests/lib/memory_log.h"

#define SESSION_US (10 * INT64_C(1000000))
#define TRANSACTION_US (10 * INT64_C(1000000))
#define REBALANCE_US (60 * INT64_C(1000000))

struct memory_place {
  bool ours, paused;
  int64_t next;
};

struct memory_member {
  struct memory_log *log;
  struct memory_producer *producer;
  int64_t epoch;
  struct memory_transaction *transaction; /* begun by this member; NULL: none */
  /* the group */
  bool alive;
  bool in_group;
  bool holds; /* has an assignment that it has not given back */
  bool told;  /* of a revocation that it has not followed yet */
  bool ready; /* has joined the rebalance that is under way */
  int64_t generation;
  int64_t seen_us;
  enum log_poll event; /* the next thing to be told; LOG_NOTHING: nothing */
  struct log_position given[MEMORY_INPUTS * MEMORY_PARTITIONS];
  size_t given_count;
  /* reading */
  struct memory_place places[MEMORY_INPUTS][MEMORY_PARTITIONS];
  struct memory_consumed *polled, **polled_end; /* since the last commit or rewind */
  struct memory_reading {
    int32_t partition; /* of the users topic; -1: closed */
    int64_t position;
  } reading, sample;
  int64_t control_position;
  /* writing */
  struct log_written *written;
  size_t written_count, written_capacity;
  size_t cut_limits[WM_OUT_COUNT];
};

struct memory_entry *memory_append(struct memory_log *log, struct memory_partition *partition);
struct wm_text memory_copy(struct memory_log *log, struct wm_text text);

/* Decides an open transaction: 'commit' or abort; markers may come later. */
void memory_decide(struct memory_log *log, struct memory_transaction *transaction, bool commit);
void memory_settle(struct memory_log *log, struct memory_transaction *transaction);

/* A new epoch: what is open is aborted, what is under way comes too late. */
void memory_fence(struct memory_log *log, struct memory_producer *producer);

void memory_group_join(struct memory_member *member);
void memory_group_leave(struct memory_member *member);
void memory_group_tick(struct memory_log *log);
enum log_poll memory_group_poll(struct memory_member *member, struct log_polled *ret);

extern const struct log_ops memory_log_ops;

#endif

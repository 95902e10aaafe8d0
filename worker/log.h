/* The log door: everything the loop asks of Kafka. kafka.c stands behind it in production, tests/lib/memory_log.c in
 * the simulation. All calls come from one thread. A call that fails fills 'error'; which way it failed is its result.
 *
 * Partition p means partition number p of every input topic at once: a user's home. The loop decides for p only
 * while it is assigned p of all input topics (architecture 4, "One owner"). */
#ifndef WM_WORKER_LOG_H
#define WM_WORKER_LOG_H

#include "core/codec/out.h"
#include "core/codec/record.h"
#include "core/error.h"

/* Where to go on reading, or what to commit: the next offset of one input topic's partition. */
struct log_position {
  size_t topic; /* index into log_ops.inputs */
  int32_t partition;
  int64_t offset; /* next offset to read; LOG_BEGINNING when nothing was ever committed */
  /* Stands with the group's offset as its metadata, and comes back with it: the wall clock up to which all is told what
   * time changed of the partition's users; 0: nobody knows. */
  int64_t told_us;
};
#define LOG_BEGINNING (-2)

enum log_poll {
  LOG_NOTHING,  /* the time is over, no record */
  LOG_RECORD,   /* 'ret->record', borrowed until the next poll */
  LOG_PASSED,   /* 'ret->positions', one: up to there is nothing more that a reader sees, commit it some time */
  LOG_ASSIGNED, /* 'ret->positions' (offsets unset) are ours from assign() on; nothing is read until then */
  LOG_REVOKED,  /* all that was assigned goes: commit what is done, then unassign() */
  LOG_LOST,     /* it is gone already: a commit is not possible, drop, then unassign() */
  LOG_DOWN,     /* brokers can't be reached; poll again, it passes */
  LOG_FENCED,   /* fatal: another owner; exit 75 */
  LOG_BROKEN    /* fatal: a bug, a missing topic, a changed partition count; 'error' says what */
};

struct log_polled {
  struct wm_record record;
  size_t topic; /* index of the record's topic in log_ops.inputs */
  const struct log_position *positions;
  size_t position_count;
};

enum log_result {
  LOG_DONE,
  LOG_AGAIN,     /* not now (broker away, time-out): the same call again later, nothing has happened */
  LOG_ABORT,     /* the transaction can't be committed: abort(), rewind, decide the batch again */
  LOG_TOO_LARGE, /* append or commit: a record was refused for its size: abort(), cut it ('ret_topic' limit is
                    remembered by the door: cut_limit()), decide again */
  LOG_UNCERTAIN, /* commit: nobody knows whether it happened, or it is suspicious (engines.md: over 5 s, transport
                    errors): recycle(), ask committed(), empty the users table, catch up */
  LOG_FATAL      /* fenced or broken: 'error->code' is KAFKA_FENCED or KAFKA_FAILED */
};

/* A register that a committed transaction wrote. */
struct log_written {
  uint64_t token; /* as given to append */
  int64_t offset; /* in the users topic */
};

struct log_ops {
  /* Waits up to 'timeout_ms' for one thing to happen. */
  enum log_poll (*poll)(void *self, int timeout_ms, struct log_polled *ret, struct wm_error *error);

  /* Takes over the partitions of the last LOG_ASSIGNED from these positions, all paused. */
  enum log_result (*assign)(void *self, const struct log_position *positions, size_t count, struct wm_error *error);
  enum log_result (*unassign)(void *self, struct wm_error *error);

  /* Fetches partition p of every assigned input topic, or stops it. */
  void (*resume)(void *self, int32_t partition);
  void (*pause)(void *self, int32_t partition);

  /* Fills 'positions' with the group's stable committed offsets and what stands with them (pending transactions waited
   * for; LOG_AGAIN while one is open). */
  enum log_result (*committed)(void *self, struct log_position *positions, size_t count, struct wm_error *error);

  /* Reads on from these positions (assigned partitions), whatever was fetched ahead is dropped. */
  enum log_result (*rewind)(void *self, const struct log_position *positions, size_t count, struct wm_error *error);

  /* A transaction (or, where the broker has none, a batch with flushes in the order outcomes..., registers, offsets).
   * append: 'token' != 0 for registers (WM_OUT_USERS), told back by commit. The bytes are copied. */
  enum log_result (*begin)(void *self, struct wm_error *error);
  enum log_result (*append)(void *self, const struct wm_out *out, uint64_t token, struct wm_error *error);
  /* Commits the records and 'positions' (at least one: fenced writes; LOG_BEGINNING commits where the log starts).
   * 'ret_written' is borrowed until begin. */
  enum log_result (*commit)(void *self, const struct log_position *positions, size_t count,
                            const struct log_written **ret_written, size_t *ret_written_count, struct wm_error *error);
  enum log_result (*abort)(void *self, struct wm_error *error);

  /* After LOG_UNCERTAIN: a new producer with the same transactional id; what the old one left open is fenced. */
  enum log_result (*recycle)(void *self, struct wm_error *error);

  /* Records of this topic above that size are known to be refused; SIZE_MAX: none known. */
  size_t (*cut_limit)(void *self, enum wm_topic topic);

  /* The users topic: the end of partition p for a reader that sees uncommitted records too (the next offset). And
   * where its log starts. */
  enum log_result (*users_end)(void *self, int32_t partition, int64_t *ret_start, int64_t *ret_end,
                               struct wm_error *error);

  /* Reading the users topic, committed records only, one partition at a time. read_next: LOG_RECORD, LOG_NOTHING (time
   * is over), LOG_DOWN, or *ret_position >= the end that was asked for: done. *ret_position is the next offset,
   * behind control records and compacted gaps too. */
  enum log_result (*read_begin)(void *self, int32_t partition, int64_t from, struct wm_error *error);
  enum log_poll (*read_next)(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                             struct wm_error *error);
  void (*read_end)(void *self);

  /* The same with a reader of its own that holds little ahead: what reads there is in no hurry (worker/drift.h). */
  enum log_result (*sample_begin)(void *self, int32_t partition, int64_t from, struct wm_error *error);
  enum log_poll (*sample_next)(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                               struct wm_error *error);
  void (*sample_end)(void *self);

  /* The birth record of users/p (architecture 4, Generations): its incarnation, copied into 'ret'. LOG_FATAL with
   * TOPIC_INVALID when the partition does not begin with one. */
  enum log_result (*incarnation)(void *self, int32_t partition, char ret[static 64], struct wm_error *error);

  /* The control topic, committed records only, from its beginning on, by a reader of its own. control_end: where it
   * ends now. control_next: LOG_RECORD, LOG_NOTHING (time is over), LOG_DOWN or LOG_BROKEN; *ret_position is the next
   * offset, behind gaps too. */
  enum log_result (*control_end)(void *self, int64_t *ret_end, struct wm_error *error);
  enum log_poll (*control_next)(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                                struct wm_error *error);

  /* Where the log of an assigned input partition starts and ends, as was last heard; asks nobody. False: never heard.
   */
  bool (*heard)(void *self, size_t topic, int32_t partition, int64_t *ret_start, int64_t *ret_end);

  /* The home partition of a user. */
  int32_t (*home)(void *self, struct wm_text user);
};

struct log_door {
  const struct log_ops *ops;
  void *self;
  bool transactions;       /* false: at-least-once */
  const char *users_topic; /* its name, for messages; borrowed */
  int32_t partition_count; /* of every topic but control */
  size_t input_count;      /* input topics, in the order of log_position.topic */
  const enum wm_topic_kind *input_kinds;
  const char *const *inputs; /* their names; borrowed */
};

#endif

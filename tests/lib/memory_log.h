/* A broker in memory: topics, one consumer group, transactions with epochs, pending offsets and control records, as
 * far as the log door can see them. Every worker that joins gets a door of its own.
 *
 * What it does as Kafka does: offsets and records become true together; a reader of committed records stops at the
 * first one that is not decided; a stale generation can't add offsets, a stale epoch can do nothing; the offsets of an
 * open transaction are pending; the answer to a commit comes before its markers are written. */
#ifndef WM_TESTS_MEMORY_LOG_H
#define WM_TESTS_MEMORY_LOG_H

#include "core/arena.h"
#include "core/running.h"
#include "tests/lib/world.h"
#include "worker/log.h"

#define MEMORY_INPUTS 3
#define MEMORY_REQUESTS 2   /* the input that WM_OUT_REQUESTS is */
#define MEMORY_PARTITIONS 4 /* at most */
#define MEMORY_MEMBERS 64   /* processes that ever joined, at most */
#define MEMORY_INCARNATION "birth-1"

enum memory_state { MEMORY_OPEN, MEMORY_DECIDED, MEMORY_COMMITTED, MEMORY_ABORTED };

/* An input record on its way through a transaction, in the order in which it was polled. */
struct memory_consumed {
  size_t topic;
  int32_t partition;
  int64_t offset;
  uint64_t rules; /* what log->rules_of said of the worker at the commit */
  struct memory_consumed *next;
};

struct memory_producer;

struct memory_transaction {
  const struct memory_producer *producer;
  enum memory_state state; /* DECIDED: it will be committed, its markers are not written yet */
  int64_t began_us;
  struct log_position offsets[MEMORY_INPUTS * MEMORY_PARTITIONS];
  size_t offset_count;
  bool offsets_visible;
  struct memory_consumed *consumed;
  uint64_t touched[WM_OUT_COUNT + MEMORY_INPUTS]; /* bit per partition, for the markers */
  struct memory_transaction *next;
};

struct memory_entry {
  bool marker;                            /* a control record */
  struct memory_transaction *transaction; /* NULL: written without one */
  struct wm_text key, value;
  int64_t timestamp_ms;
  bool cut; /* has a header wm-truncated */
};

struct memory_partition {
  struct memory_entry *entries;
  size_t count, capacity;
};

struct memory_producer {
  char id[32];
  int64_t epoch;
  struct memory_transaction *open;
  bool late_commit; /* an EndTxn is still under way */
};

struct memory_member;

struct memory_log {
  struct world *world;
  struct wm_arena arena; /* everything that is written */
  int32_t partition_count;
  struct memory_partition inputs[MEMORY_INPUTS][MEMORY_PARTITIONS];
  /* by enum wm_topic; WM_OUT_DLQ is not used: the dlq of input i is WM_OUT_COUNT + i */
  struct memory_partition outputs[WM_OUT_COUNT + MEMORY_INPUTS][MEMORY_PARTITIONS];
  struct memory_partition control;
  size_t largest[WM_OUT_COUNT]; /* records above are refused; 0: none are */
  size_t slow_above; /* a transaction with more registers takes too long and has to be aborted; 0: none does */
  struct memory_producer producers[MEMORY_MEMBERS];
  size_t producer_count;
  struct memory_transaction *transactions; /* newest first */
  struct memory_member *members[MEMORY_MEMBERS];
  size_t member_count;
  int64_t committed[MEMORY_INPUTS][MEMORY_PARTITIONS];
  int64_t told_us[MEMORY_INPUTS][MEMORY_PARTITIONS]; /* what was committed with them */
  int64_t generation;
  bool rebalancing;
  int64_t rebalancing_since_us;
  struct memory_consumed *consumed[MEMORY_PARTITIONS], **consumed_end[MEMORY_PARTITIONS]; /* of decided transactions */
  uint64_t (*rules_of)(void *self, struct memory_member *member); /* a tag for memory_consumed; may be NULL */
  void *self;
};

struct memory_log *memory_log_new(struct world *world, int32_t partition_count);
void memory_log_free(struct memory_log *log);

/* The names and kinds of the inputs: "events", "directory", "requests". */
struct wm_text memory_log_input(size_t topic);

/* A record of the outside world; returns its offset. */
int64_t memory_log_produce(struct memory_log *log, size_t topic, int32_t partition, struct wm_text key,
                           struct wm_text value, int64_t timestamp_ms);

/* A word on the control topic; 'state' as core/running.h has it. Or any record at all. */
void memory_log_say(struct memory_log *log, enum wm_running_kind kind, const char *name, enum wm_running_state state);
void memory_log_control(struct memory_log *log, struct wm_text key, struct wm_text value);

/* A process with this transactional id; fences earlier ones of the same id. The member belongs to the log. */
struct memory_member *memory_log_join(struct memory_log *log, const char *id, struct log_door *ret);

/* The process is gone without a word: the group finds out when the session runs out. Or it says goodbye. */
void memory_log_kill(struct memory_member *member);
void memory_log_leave(struct memory_member *member);

/* What happens by itself as time goes by: sessions and transactions run out, markers are written, late requests come
 * in. 'all': nothing is left to be late. */
void memory_log_tick(struct memory_log *log, bool all);

/* For tests of one rule: what this member is told next, instead of what the group says. */
void memory_log_tell(struct memory_member *member, enum log_poll event, const struct log_position *positions,
                     size_t count);
int64_t memory_log_generation(const struct memory_member *member);
bool memory_log_is_paused(const struct memory_member *member, size_t topic, int32_t partition);

/* Is the record at this offset of users/p part of a transaction that is or will be committed? Its value, or no text. */
struct wm_text memory_log_register(const struct memory_log *log, int32_t partition, int64_t offset);

int32_t memory_log_home(const struct memory_log *log, struct wm_text user);

#endif

/* What this worker owns. Partition p is partition number p of every input topic at once: a user's home. */
#ifndef WM_WORKER_PARTITIONS_H
#define WM_WORKER_PARTITIONS_H

#include "worker/cache.h"
#include "worker/log.h"

/* What wm:meta says of the role sets of a partition (worker/reproject.h). */
enum partition_catalogue {
  CATALOGUE_OTHER,    /* it does not name the present one: it has to, before anything is written */
  CATALOGUE_AT_WORK,  /* role sets are being projected to the present one */
  CATALOGUE_PROJECTED /* every role set is as the present one has it */
};

enum partition_state {
  PARTITION_FOREIGN, /* none of its inputs is ours */
  PARTITION_SPLIT,   /* only some of them are: paused, nothing is decided */
  PARTITION_BEHIND,  /* ours and paused: Redis has to catch up with the log before anything is decided */
  PARTITION_LIVE     /* ours, fetched and decided */
};

struct partition_input {
  bool ours;
  int64_t base; /* committed for the group, LOG_BEGINNING: nothing yet */
  int64_t next; /* behind what the batch at hand has taken */
};

struct partition {
  enum partition_state state;
  struct partition_input *inputs; /* one per input topic */
  int64_t generation;             /* of the registers in Redis */
  int64_t rebuild;                /* the generation, while it is not swept yet what a rebuild has left; else 0 */
  bool sweeping;                  /* the sweep under way is for this partition too (worker/rebuild.h) */
  int64_t progress;               /* wm:progress as last acknowledged to this worker; or CACHE_NO_PROGRESS */
  int64_t applied; /* what it shall be once the apply under way is acknowledged; == progress: nothing to do */
  enum partition_catalogue catalogue;
  char stamp[64];           /* what wm:meta has of the catalogue, or begins with; "" : nothing */
  int64_t since_us;         /* wall clock: when the present catalogue was first seen here */
  int64_t projected_to;     /* offset in the users topic: who stands before it has been projected */
  uint64_t projected_users; /* so far, by this worker */
  int64_t told_us;          /* up to this moment all is told what time changed of its users; 0: nobody knows */
  int64_t swept_us;         /* so far nothing was left to be told, if Redis is still where it was left; 0: unknown */
};

struct partitions {
  struct partition *items;
  int32_t count;
  size_t input_count;
  struct partition_input *inputs; /* of all items */
  struct log_position *positions; /* room for every input of every partition */
};

/* -1: out of memory. */
int partitions_init(struct partitions *partitions, int32_t count, size_t input_count);
void partitions_release(struct partitions *partitions);

/* These inputs are ours now, at offsets that are asked for later. Every partition of which all inputs are ours
 * is BEHIND, the others are SPLIT or FOREIGN. -1: a position that can't be. */
int partitions_take(struct partitions *partitions, const struct log_position *positions, size_t count);

/* Nothing is ours any more. */
void partitions_clear(struct partitions *partitions);

/* All inputs that are ours with their committed offsets; borrowed until the next call. */
const struct log_position *partitions_ours(struct partitions *partitions, size_t *ret_count);

/* The same for writing: what log_ops.committed is to fill in, and then takes over as base and next. */
struct log_position *partitions_ask(struct partitions *partitions, size_t *ret_count);
void partitions_answered(struct partitions *partitions, const struct log_position *positions, size_t count);

/* What the batch at hand has moved: the positions that its commit carries; borrowed until the next call. */
const struct log_position *partitions_moved(struct partitions *partitions, size_t *ret_count);
void partitions_committed(struct partitions *partitions); /* base = next */
void partitions_dropped(struct partitions *partitions);   /* next = base */

/* A position of partition p (all of whose inputs are ours) for a transaction that moves nothing. */
struct log_position partitions_anchor(const struct partitions *partitions, int32_t partition);

bool partitions_is_live(const struct partitions *partitions, int32_t partition);
size_t partitions_count(const struct partitions *partitions, enum partition_state state);
int32_t partitions_first(const struct partitions *partitions, enum partition_state state); /* -1: none */

/* With the transaction that comes next, all is told that time had changed by 'wall_us' for live partitions, if Redis is
 * where it was left: 'found' says that somebody has looked since; else partitions_found does. The transaction failed:
 * partitions_not_told. */
void partitions_swept(struct partitions *partitions, int64_t wall_us, bool found);
void partitions_found(struct partitions *partitions);
void partitions_not_told(struct partitions *partitions);

/* At least one partition is ours, and every one that is ours is live. */
bool partitions_are_ready(const struct partitions *partitions);

#endif

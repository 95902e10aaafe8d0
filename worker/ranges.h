/* Ranges of a topic by offsets, for commands that read only a part of it; and how far a group is behind. Reads only:
 * no group is joined, and nothing is committed. */
#ifndef WM_WORKER_RANGES_H
#define WM_WORKER_RANGES_H

#include "core/arena.h"
#include "core/codec/record.h"
#include "core/error.h"
#include "worker/settings.h"

#define RANGES_ALL (-1) /* every partition */

/* Of one partition. */
struct range {
  int32_t partition;
  int64_t low, high; /* what the log holds: the oldest record, and behind the newest committed one */
  int64_t from, to;  /* what is to be read: from 'from' on, less than 'to' */
};

struct ranges;

/* 'settings' are borrowed until close. Connects with the first question. NULL with SETTING_INVALID or OUT_OF_MEMORY. */
struct ranges *ranges_open(const struct settings *settings, struct wm_error *error);
void ranges_close(struct ranges *ranges); /* NULL is fine */

/* The partitions of 'topic', or one of them, with from = low and to = high, in a new array (free() it). All but
 * memory fails with KAFKA_FAILED. */
int ranges_ask(struct ranges *ranges, const char *topic, int32_t partition, struct range **ret, size_t *ret_count,
               struct wm_error *error);

/* Kafka's own id of the cluster that answered, as text of 'arena'; WM_NO_TEXT where it has none. -1: out of memory. */
int ranges_cluster(struct ranges *ranges, struct wm_arena *arena, struct wm_text *ret);

/* The first offset of each of the ranges' partitions whose timestamp is 'time_ms' or later, by position; 'high' where
 * there is none. */
int ranges_at(struct ranges *ranges, const char *topic, const struct range *list, size_t count, int64_t time_ms,
              int64_t *ret, struct wm_error *error);

/* From now on ranges_next gives the committed records of these ranges. */
int ranges_begin(struct ranges *ranges, const char *topic, const struct range *list, size_t count,
                 struct wm_error *error);

/* The next record, borrowed until the next call; in the order of each partition, partitions mixed. 1: a record, 0: that
 * was all, -1: with KAFKA_FAILED, after ten seconds without a sign of life too. */
int ranges_next(struct ranges *ranges, struct wm_record *ret, struct wm_error *error);

/* How many records of 'topic' the group of the settings has not taken up yet. Partitions for which it never committed
 * count from the start of their log. */
int ranges_lag(struct ranges *ranges, const char *topic, int64_t *ret, struct wm_error *error);

#endif

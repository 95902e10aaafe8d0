/* What the command does with Kafka: sending records, following a topic, reading what a topic holds. */
#ifndef WM_WORKER_CLIENT_H
#define WM_WORKER_CLIENT_H

#include "core/codec/record.h"
#include "core/error.h"
#include "worker/settings.h"

struct client;

/* 'settings' are borrowed until close. Connects when it is first used. NULL with SETTING_INVALID or OUT_OF_MEMORY. */
struct client *client_open(const struct settings *settings, struct wm_error *error);
void client_close(struct client *client); /* NULL is fine */

/* Writes records (topic, partition, timestamp or -1, key, value, headers; offsets are not looked at) in their order and
 * waits until all are acknowledged. 'ret_sent' (may be NULL) gets how many were. -1 with KAFKA_FAILED: the first
 * refusal, or no answer within 'timeout_ms'. */
int client_send(struct client *client, const struct wm_record *records, size_t count, int timeout_ms, size_t *ret_sent,
                struct wm_error *error);

/* The offset behind the last record that client_send has sent to this partition, of any topic; 0: none. */
int64_t client_sent_end(const struct client *client, int32_t partition);

/* From now on client_next gives the committed records of this topic, from its beginning or from its present end.
 * Takes the place of a topic followed before. */
int client_follow(struct client *client, const char *topic, bool from_beginning, struct wm_error *error);

/* The same from the first record on whose timestamp is 'from_ms' or later. */
int client_follow_since(struct client *client, const char *topic, int64_t from_ms, struct wm_error *error);

/* The next record, borrowed until the next call. 1: a record, 0: none within 'timeout_ms', -1: it can't be read. */
int client_next(struct client *client, int timeout_ms, struct wm_record *ret, struct wm_error *error);

/* --- reading what is there --- */

#define CLIENT_ALL_PARTITIONS (-1)
#define CLIENT_BEGINNING INT64_MIN

/* From now on client_read_next gives the committed records that 'topic' holds at this moment: of one partition or of
 * all, from its beginning or those whose timestamp is 'from_ms' or later. A topic that is not there has none if
 * 'optional'. Takes the place of a topic read before; following another goes on beside it. -1 with KAFKA_FAILED,
 * SETTING_INVALID or OUT_OF_MEMORY. */
struct client_reading {
  const char *topic;
  int32_t partition; /* or CLIENT_ALL_PARTITIONS */
  int64_t from_ms;   /* milliseconds since 1970, or CLIENT_BEGINNING */
  bool optional;
  int64_t from_offset; /* with CLIENT_BEGINNING: the first offset to read, where it is still there */
};
int client_read(struct client *client, const struct client_reading *reading, struct wm_error *error);

/* The committed position of the group: records before it are decided. -1 where there is none yet. */
int client_committed(struct client *client, const char *topic, int32_t partition, int64_t *ret, struct wm_error *error);

/* Where a partition ends at this moment for a reader of committed records: all before it is there to be read. */
int client_end(struct client *client, const char *topic, int32_t partition, int64_t *ret, struct wm_error *error);

/* Waits until all that 'topic' (one partition or CLIENT_ALL_PARTITIONS) holds at this moment is committed or taken
 * back, and so there for a reader of committed records. To be asked between client_committed and client_read: the
 * broker shows a position of the group some moments before the records that were committed with it. -1 with
 * KAFKA_FAILED: a transaction stays open, or it can't be asked. A topic that is not there has nothing to wait for:
 * reading it tells. */
int client_settle(struct client *client, const char *topic, int32_t partition, struct wm_error *error);

/* Has retention deleted the oldest records of what is read? */
bool client_read_is_cut(const struct client *client);

/* The next record, borrowed until the next call; in the order of each partition, partitions mixed. 1: a record, 0: that
 * was all, -1: with KAFKA_FAILED, after ten seconds without a sign of life too. */
int client_read_next(struct client *client, struct wm_record *ret, struct wm_error *error);

#endif

/* What the command does with Kafka: sending records and following a topic. */
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

/* From now on client_next gives the committed records of this topic, from its beginning or from its present end.
 * Takes the place of a topic followed before. */
int client_follow(struct client *client, const char *topic, bool from_beginning, struct wm_error *error);

/* The next record, borrowed until the next call. 1: a record, 0: none within 'timeout_ms', -1: it can't be read. */
int client_next(struct client *client, int timeout_ms, struct wm_record *ret, struct wm_error *error);

#endif

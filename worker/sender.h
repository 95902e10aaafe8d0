/* Sending records in transactions of its own: all of them, or none. For commands that have to go on after a kill. */
#ifndef WM_WORKER_SENDER_H
#define WM_WORKER_SENDER_H

#include "core/codec/record.h"
#include "core/error.h"
#include "worker/settings.h"

struct sender;

/* 'settings' and 'id' are borrowed until close. Claims the transactional id: whoever had it before can't commit any
 * more when this returns, and what he left open is undone. Waits up to 30 s. Where the settings say at-least-once,
 * there are no transactions, and a kill may send the last records twice. NULL with SETTING_INVALID, KAFKA_FAILED or
 * OUT_OF_MEMORY.
 */
struct sender *sender_open(const struct settings *settings, const char *id, struct wm_error *error);
void sender_close(struct sender *sender); /* NULL is fine */

/* Writes records (topic, partition, timestamp or -1, key, value, headers) in one transaction and waits until it is
 * committed. -1 with KAFKA_FAILED (nobody knows whether it was committed: open a new sender and look) or KAFKA_FENCED
 * (another one has the id now). */
int sender_send(struct sender *sender, const struct wm_record *records, size_t count, struct wm_error *error);

#endif

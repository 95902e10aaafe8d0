/* Directory events, to Kafka or into a file. */
#ifndef WM_TOOLS_DIRECTORY_SEND_H
#define WM_TOOLS_DIRECTORY_SEND_H

#include <stdio.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/codec/record.h"
#include "core/event.h"
#include "worker/client.h"

#define DISPATCH_BATCH 1000               /* events that are sent together */
#define DISPATCH_BYTES ((size_t)16 << 20) /* or so many bytes of them */

struct dispatch {
  const struct settings *settings;
  const char *source, *reason; /* reason NULL: none */
  int64_t time_us;             /* of every event */
  FILE *output;                /* NULL: to Kafka */
  struct client *client;       /* opened with the first batch */
  struct wm_arena arena;       /* texts of the batch */
  struct wm_record records[DISPATCH_BATCH];
  size_t count;
  struct wm_buf line;
  size_t sent;
};

void dispatch_init(struct dispatch *dispatch, const struct settings *settings);
void dispatch_release(struct dispatch *dispatch);

/* Appends the event: 'profile' WM_NO_TEXT is a deletion. The id is the same for the same user, profile and time, and
 * another one otherwise. */
void dispatch_write(const struct dispatch *dispatch, struct wm_text user, struct wm_text profile, struct wm_buf *buf);

/* Bytes of such an event with its header, as limits.event-bytes counts them. */
size_t dispatch_size(struct dispatch *dispatch, struct wm_text user, struct wm_text profile);

/* Sends one; it may wait for others until dispatch_flush. EXIT_FINE, or told. */
int dispatch_send(struct dispatch *dispatch, struct wm_text user, struct wm_text profile);
int dispatch_flush(struct dispatch *dispatch);

#endif

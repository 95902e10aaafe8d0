/* Events to records: the right topic, key, partition and header for each. */
#ifndef WM_TOOLS_SEND_H
#define WM_TOOLS_SEND_H

#include "core/codec/record.h"
#include "core/event.h"
#include "worker/settings.h"

/* The input topic that an event of this type belongs on. */
const char *send_topic(const struct settings *settings, const struct wm_event *event);

/* Fills a record that carries 'text' in structured mode to its user's home; borrows everything. 'topic' NULL: where
 * the type belongs. */
void send_record(const struct settings *settings, const struct wm_event *event, struct wm_text text, const char *topic,
                 struct wm_record *ret);

#endif

/* Files of events, and what the decoder makes of one. */
#ifndef WM_TOOLS_EVENTS_H
#define WM_TOOLS_EVENTS_H

#include "core/codec/cloudevent.h"
#include "worker/settings.h"

/* A file that is one event (over several lines, if need be) or one event a line. */
struct events {
  char *bytes;
  struct wm_text *items; /* borrow from 'bytes' */
  int64_t *lines;        /* where each begins, from 1 */
  size_t count, capacity, blank;
};

/* EXIT_FINE, or what went wrong (told). Release in any case. */
int events_read(const char *path, struct events *ret);
void events_release(struct events *events);

/* The header of a record in structured mode. */
extern const struct wm_header events_headers[1];

/* One event in structured mode, decoded. */
struct decoded {
  enum wm_decoded what;
  struct wm_record record;
  struct wm_event event;         /* when 'what' is an event */
  struct wm_rejection rejection; /* when it was rejected */
};

/* By the rules of simulate: no topic, no clock; 'before_us' stands in for a missing time. */
struct wm_decode_rules events_rules(const struct settings *settings, int64_t before_us);

/* By the rules of the worker at this moment. */
struct wm_decode_rules events_rules_now(const struct settings *settings);

/* Decodes the text of an event as a record of topic 'simulate', partition 0. -1: out of memory. */
int events_decode(struct wm_text text, int64_t offset, const struct wm_decode_rules *rules, struct wm_arena *arena,
                  struct decoded *ret);

/* Appends {"accepted":false,"code":..,"reason":..,"pointer":..,"message":..} without the braces. */
void events_rejection_members(const struct wm_rejection *rejection, struct wm_buf *buf);

#endif

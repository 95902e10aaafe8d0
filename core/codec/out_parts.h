/* What the files of out share. Private to them. */
#ifndef WM_CODEC_OUT_PARTS_H
#define WM_CODEC_OUT_PARTS_H

#include "core/buf.h"
#include "core/codec/out.h"

/* What every record about one event has in common, written once: parts of JSON. */
struct wm_about {
  const struct wm_event *event;
  struct wm_buf buf; /* the three one after the other; 'failed': out of memory */
  size_t id_size;    /* <run>:<topic>/<partition>/<offset> */
  size_t head_size;  /* what stands between the type and the first member of "data" but "run" */
  size_t cause_size; /* "event" and "origin" */
};

void wm_about_init(struct wm_about *about, const struct wm_event *event);
void wm_about_release(struct wm_about *about);

/* The value of one record each, appended. */
void wm_write_execution(const struct wm_about *about, const struct wm_execution *execution, struct wm_buf *buf);
void wm_write_failure(const struct wm_about *about, const struct wm_execution *execution,
                      const struct wm_outcome *outcome, struct wm_buf *buf);
void wm_write_change(const struct wm_about *about, const struct wm_change *change, struct wm_buf *buf);
void wm_write_notification(const struct wm_about *about, const struct wm_notification *notification,
                           struct wm_buf *buf);

/* A change that no event caused; 'at_us' and 'digest' as in wm_encode_changes. */
void wm_write_lone_change(const struct wm_user *user, const struct wm_change *change, int64_t at_us,
                          struct wm_text digest, struct wm_buf *buf);

/* Headers in the making, in an arena. */
struct wm_headers {
  struct wm_header *items;
  size_t count;
};

/* What went wrong with which record, for the headers of failures and dead letters. */
struct wm_trouble {
  struct wm_origin origin;
  int64_t timestamp_ms;
  enum wm_code code;
  struct wm_text group, message, run;
  struct wm_text automation; /* WM_NO_TEXT: none */
};

/* Room for 'given' headers, copied, and all that the two below can add. -1: out of memory. */
int wm_headers_begin(const struct wm_header *given, size_t count, struct wm_arena *arena, struct wm_headers *ret);

/* content-type of structured CloudEvents, and the trace if there is one. */
void wm_headers_add_event(struct wm_headers *headers, const struct wm_trace *trace);

/* The two families of headers that dead-letter tools read, and Waymark's own. -1: out of memory. */
int wm_headers_add_trouble(struct wm_headers *headers, const struct wm_trouble *trouble, struct wm_arena *arena);

#endif

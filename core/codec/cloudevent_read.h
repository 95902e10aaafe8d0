/* The steps of decoding an event, shared by the files of cloudevent. Private to them. */
#ifndef WM_CODEC_CLOUDEVENT_READ_H
#define WM_CODEC_CLOUDEVENT_READ_H

#include "core/codec/cloudevent.h"

/* How the record carries its event (contract 4). */
enum wm_mode {
  WM_MODE_STRUCTURED,
  WM_MODE_BINARY,
  WM_MODE_GUESS,  /* neither content type nor ce_ headers: structured if the value says so */
  WM_MODE_REFUSED /* batch mode, or CloudEvents in a format that is not JSON */
};

/* One record on its way to an event. Every step returns 0, or -1 when it refused the record or memory ran out. */
struct wm_decoding {
  const struct wm_record *record;
  const struct wm_decode_rules *rules;
  struct wm_arena *arena;
  struct wm_event *event;
  struct wm_rejection *rejection; /* its code is set once the record is refused */

  /* from the headers */
  enum wm_mode mode;
  const struct wm_header *content_type; /* NULL: none */
  const struct wm_header *traceparent, *tracestate;
  size_t ce_count; /* of ce_* headers */
  bool has_id;     /* a ce_id header */
  size_t content_type_count;
  size_t header_bytes;
  int64_t record_us; /* timestamp of the (original) record; negative: none */

  struct wm_value data;
};

/* Refuses with a sentence. 'reason' is static. */
int wm_refuse(struct wm_decoding *decoding, enum wm_code code, const char *reason, struct wm_text pointer,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Looks once at every header. */
void wm_scan_headers(struct wm_decoding *decoding);

/* Reads attributes and data by the mode. */
int wm_read_record(struct wm_decoding *decoding);

/* The value of a header (NULL: none) when it is UTF-8 without NUL; WM_NO_TEXT otherwise. */
struct wm_text wm_header_text(const struct wm_header *header);

/* The text of header ce_<name>; WM_NO_TEXT: there is none. */
struct wm_text wm_find_ce_header(const struct wm_record *record, struct wm_text name);

/* Case does not count in header names. */
bool wm_header_is(struct wm_text name, struct wm_text lower);

/* cloudevent_data.c: the class of the event by its type, and what its data must be. */
int wm_read_data(struct wm_decoding *decoding);

/* cloudevent_replay.c: run, origin, notify, only and record_us from the wm-* headers. */
int wm_read_replay(struct wm_decoding *decoding);

/* The run that a record of the replay topic names; WM_NO_TEXT: none, or no record of that topic. */
struct wm_text wm_find_run(const struct wm_decoding *decoding);

/* A Kafka timestamp as microseconds; negative: none. Strangers set it, so it is kept where sums can't overflow. */
int64_t wm_timestamp_us(int64_t timestamp_ms);

#endif

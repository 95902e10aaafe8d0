/* Records to events (contract 4): every check that the record alone allows, in the contract's order. */
#ifndef WM_CODEC_CLOUDEVENT_H
#define WM_CODEC_CLOUDEVENT_H

#include "core/arena.h"
#include "core/codec/record.h"
#include "core/error.h"
#include "core/event.h"

enum wm_topic_kind { WM_TOPIC_EVENTS, WM_TOPIC_DIRECTORY, WM_TOPIC_REQUESTS, WM_TOPIC_REPLAY, WM_TOPIC_ANY };

struct wm_decode_rules {
  enum wm_topic_kind topic; /* ANY: no EVENT_FORBIDDEN (simulate, check-event) */
  size_t event_bytes;       /* limits.event-bytes */
  int64_t clock_skew_us;    /* limits.clock-skew; 0: no EVENT_FUTURE (simulate) */
  int64_t wall_us;          /* the worker's clock */
  int64_t fallback_time_us; /* simulate: the time of the event before; used when the record has no timestamp */
};

/* Why a record was refused. Texts are borrowed from the arena. */
struct wm_rejection {
  enum wm_code code;
  struct wm_text reason;  /* one word: "oversize", "depth", "json", "utf8", "nul", "duplicate-key", "missing", "type",
                             "range", "mode", "topic", "future", "partition" */
  struct wm_text pointer; /* JSON pointer to what is at fault; WM_NO_TEXT: none. An attribute that came as a header
                             is "/time" and so on, as if structured; other headers have none */
  struct wm_text message; /* the sentence */
  struct wm_text user;    /* the user id if it could be read; else WM_NO_TEXT */
  struct wm_text source, id, type; /* as far as they could be read; else WM_NO_TEXT */
  struct wm_trace trace;
  struct wm_text run; /* name of the replay that sent it again; WM_NO_TEXT: live, or not known */
};

enum wm_decoded {
  WM_DECODED_EVENT,
  WM_DECODED_NOTHING, /* a null value and no ce_id header: counted and skipped */
  WM_DECODED_REJECTED
};

/* Decodes one record. All that 'ret' holds is copied to or borrowed from 'arena', nothing from the record.
 * On the replay topic the wm-* headers give run, origin, notify, only and now; bad ones are EVENT_INVALID, and they do
 * not count for EVENT_OVERSIZE, since the original had none. -1 only when out of memory. */
int wm_event_decode(const struct wm_record *record, const struct wm_decode_rules *rules, struct wm_arena *arena,
                    enum wm_decoded *ret, struct wm_event *ret_event, struct wm_rejection *ret_rejection);

/* A rejection of an event that could be decoded (EVENT_MISROUTED: reason "partition"). Texts of the event are borrowed,
 * 'reason' is static, 'message' is copied into 'arena'. -1: out of memory. */
int wm_rejection_of(const struct wm_event *event, const char *reason, const struct wm_error *message,
                    struct wm_arena *arena, struct wm_rejection *ret);

#endif

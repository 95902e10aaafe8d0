/* Decisions to records (contract 9). A record is built in an arena; its value is one JSON text, written by appending.
 *
 * What no sentence of the contract settles:
 *   "source" of every event is "/waymark"; the time of a record about an event is the event's, written canonically
 *   a change has "run", "role", "effective", "cause", "clock", "lockout" (only when true), "event", "origin"; one of
 *     the catalogue has "catalogue" (its digest) instead of the clock and all that names an event
 *   a rejection has "event" with source, id and type as far as they could be read, and "run"
 *   an approved delegation has the id delegation:<topic>/<partition>/<offset>, of the holder's request
 *   "stands" of a superseded task is a clock, "dropped" a list of sources
 *   a change by expiry has the id expiry:<user>:<role>:<end in microseconds>, with :<source>:<id> of an event that came
 *     late and made it so once more (that event's clock is the change's); one by the catalogue
 *     catalogue:<digest>:<since>:<user>:<role>:<gained|lost>, where 'since' is when the catalogue was first followed
 * for the user's partition: a catalogue that comes back makes other ids */
#ifndef WM_CODEC_OUT_H
#define WM_CODEC_OUT_H

#include "core/codec/cloudevent.h"
#include "core/codec/record.h"
#include "core/decide.h"

enum wm_topic {
  WM_OUT_USERS,
  WM_OUT_OUTCOMES,
  WM_OUT_CHANGES,
  WM_OUT_FAILURES,
  WM_OUT_DLQ, /* <input>.dlq: 'dlq_of' tells which */
  WM_OUT_NOTIFICATIONS,
  WM_OUT_REQUESTS, /* the input topic of requests: what a holder was allowed to hand on */
  WM_OUT_COUNT
};

/* A record to be sent to the partition of its input, or to the home of whom it is for. Everything is borrowed. */
struct wm_out {
  enum wm_topic topic;
  struct wm_text dlq_of; /* the input topic, for WM_OUT_DLQ */
  int32_t partition;
  int64_t timestamp_ms; /* -1: now */
  struct wm_text key, value;
  const struct wm_header *headers;
  size_t header_count;
};

/* Takes one record; -1 stops the encoder and is passed on. */
typedef int wm_out_fn(void *taker, const struct wm_out *out, struct wm_error *error);

/* What the encoders need to know beside the decision. */
struct wm_encode {
  struct wm_text group;   /* consumer group, for headers */
  struct wm_arena *arena; /* where records are built; the caller rewinds it */
  wm_out_fn *take;
  void *taker;
  int32_t (*home)(void *taker, struct wm_text user); /* the user's partition; NULL: that of the input */
};

/* Everything of one decision but the register: outcomes, changes, failures, notifications, the request that a
 * delegation makes, in this order. 'record' is where the event was read (its partition is where the records go, its key
 * stands in for a missing user).
 */
int wm_encode_decision(const struct wm_encode *encode, const struct wm_record *record, const struct wm_event *event,
                       const struct wm_decision *decision, struct wm_error *error);

/* A rejected record: the verbatim copy for <topic>.dlq, and the failure record, which goes home where the user is known:
 * an event may have come to another partition. */
int wm_encode_rejection(const struct wm_encode *encode, const struct wm_record *record,
                        const struct wm_rejection *rejection, struct wm_error *error);

/* Role changes that no event caused (expiry, catalogue). 'at_us' is the grant's end, or since when the catalogue is
 * followed, and becomes the time of the record; 'digest' is the catalogue's or "". Both make the id, so that a
 * repetition is recognisable. */
int wm_encode_changes(const struct wm_encode *encode, const struct wm_user *user, const struct wm_change *changes,
                      size_t count, int64_t at_us, struct wm_text digest, struct wm_error *error);

/* A register for waymark.users. */
int wm_encode_register(const struct wm_encode *encode, const struct wm_user *user, struct wm_error *error);

/* Only the value of an outcome record, for simulate; one JSON line without the newline, appended. */
void wm_execution_to_json(const struct wm_event *event, const struct wm_execution *execution, struct wm_buf *buf);
void wm_rejection_to_json(const struct wm_record *record, const struct wm_rejection *rejection, struct wm_buf *buf);

/* The value of the request that an approved delegation makes. Its id goes by where the delegation stands (or stood,
 * before a replay), so that a repetition is one request. */
void wm_approval_to_json(const struct wm_event *event, const struct wm_approval *approval, struct wm_buf *buf);

/* A smaller stand-in for a record that the broker refused as too large: key, headers and value together stay within
 * 'limit' bytes. The value is cut at the end of a character, headers (the first ones first) and at last the key are
 * dropped where they do not fit; headers 'wm-truncated' = size of the original value and 'sha256' of it are added.
 * Never for WM_OUT_USERS: a register that is cut is none. -1: out of memory. */
int wm_out_cut(const struct wm_out *out, size_t limit, struct wm_arena *arena, struct wm_out *ret);

#endif

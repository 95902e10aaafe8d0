/* One CloudEvent as the core sees it. Everything is borrowed from the arena that it was decoded into. */
#ifndef WM_CORE_EVENT_H
#define WM_CORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"
#include "core/trace.h"
#include "core/value.h"

/* Where a record stands (or stood, before a replay copied it). */
struct wm_origin {
  struct wm_text topic;
  int32_t partition;
  int64_t offset;
};

enum wm_event_class {
  WM_EVENT_TRIGGERING, /* any type that a trigger may name */
  WM_EVENT_USER_UPDATED,
  WM_EVENT_USER_DELETED,
  WM_EVENT_SIGNED_IN,  /* directory.user.signed-in */
  WM_EVENT_ASSIGNMENT, /* role.assignment.requested */
  WM_EVENT_DELEGATION, /* role.delegation.requested */
  WM_EVENT_WITHDRAWAL, /* role.grant.withdrawn */
  WM_EVENT_RESERVED    /* directory.* or role.* that this version does not know: counted and ignored */
};

/* Of an event that is sent again: what of it may run (contract 13). */
struct wm_only {
  struct wm_text automation; /* WM_NO_TEXT: all of them */
  bool task;                 /* only the task of this sequence; else all of the automation's */
  int64_t sequence;
};

/* Data of a request, checked by the decoder. */
struct wm_request {
  struct wm_text role;
  struct wm_text to;      /* delegation: the user who is to hold it too; else WM_NO_TEXT */
  struct wm_text source;  /* withdrawal: whose grant, "automation/<name>" or "manual"; else WM_NO_TEXT */
  struct wm_text version; /* withdrawal: only what this version of the automation gave; WM_NO_TEXT: whatever it was */
  bool add;               /* else remove */
  bool delegable;         /* delegation: holders: who is given it may hand it on */
  int64_t until_us;       /* WM_NEVER when it has no end */
  struct wm_text by, reason; /* WM_NO_TEXT when absent; claims, contract 4 */
};

struct wm_event {
  struct wm_text source, id, type; /* 1..1024 bytes each */
  struct wm_text user;             /* WM_NO_TEXT: the event names no user */
  int64_t time_us;                 /* of the event */
  int64_t now_us;                  /* "now" while deciding: the (original) record's timestamp */
  enum wm_event_class event_class;
  struct wm_value attributes; /* object: every attribute, extensions too, 'time' filled in; without data */
  const struct wm_value
      *data;                 /* NULL: none. For USER_UPDATED: the checked profile, nulls and unknown fields left out */
  struct wm_request request; /* only for requests */
  struct wm_origin origin;
  struct wm_text run; /* "live" or the name of a replay */
  bool notify;        /* false: notifications are suppressed (REPLAY) */
  struct wm_only only;
  struct wm_trace trace; /* passed on */
  struct wm_text key;    /* of the record; WM_NO_TEXT when it has none */
};

/* 'directory.' and 'role.' belong to Waymark; no trigger matches them (contract 4). */
bool wm_event_type_is_reserved(struct wm_text type);

#endif

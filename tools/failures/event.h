/* What became of an event: where it stands, and what the topics say of it. */
#ifndef WM_TOOLS_EVENT_H
#define WM_TOOLS_EVENT_H

#include "core/codec/cloudevent.h"
#include "tools/failures/failures.h"

#define EVENT_PLACES_LIMIT 1000 /* records of one event */

enum event_state {
  EVENT_DECIDED, /* there are outcomes */
  EVENT_REJECTED,
  EVENT_WAITING,   /* the group has not passed it */
  EVENT_DUPLICATE, /* another record of it was decided, or the register remembers it */
  EVENT_APPLIED,   /* a word of the directory: it has no outcome */
  EVENT_NOTHING    /* decided, and nothing came of it */
};

/* One record that carries the event. Texts are in the arena of the finding. */
struct event_place {
  struct wm_origin record; /* where it stands; topic WM_NO_TEXT: not found, only what came of it */
  struct wm_origin origin; /* of the event: the same, or what a replay says */
  struct wm_text run;      /* "live", or that of a replay */
  int64_t at_us;           /* the record's timestamp */
  bool readable;           /* 'event' is set */
  struct wm_event event;
  struct wm_text rejection; /* the failure record; WM_NO_TEXT: none */
  struct wm_text *outcomes; /* executed.v1 records */
  size_t outcome_count, outcome_capacity;
  int64_t committed; /* where the group is; -1: nowhere yet */
  enum event_state state;
};

struct event_finding {
  const struct loaded *loaded;
  const struct options *options;
  struct wm_text source, id;
  int64_t since_us, until_us;
  const char *topic; /* NULL: every input */
  struct client *client;
  struct wm_arena arena;
  struct event_place *places;
  size_t count;
  bool cut; /* retention has deleted records of an input */
};

/* Looks through the inputs, then through outcomes and failures. EXIT_FINE, or what went wrong, told. */
int event_find(struct event_finding *finding);

/* Why nothing came of the event in this place: automation by automation, by the workspace, the running state and the
 * user's register as they are now. Sets 'place->state'. Text on stdout, or appended as JSON members to 'json' (NULL:
 * text). EXIT_FINE, or what went wrong, told. */
int event_why(struct event_finding *finding, struct event_place *place, struct wm_buf *json);

/* All of it on stdout. EXIT_FINE, or what went wrong, told. */
int event_tell(struct event_finding *finding, bool json);

#endif

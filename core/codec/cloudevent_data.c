/* Directory events and requests: types that belong to Waymark, with data that is checked here (contract 4 and 8). */
#include "core/codec/check.h"
#include "core/codec/cloudevent_read.h"
#include "core/moment.h"
#include "core/user.h"

static const char *const actions[] = {"add", "remove", NULL};

static const char *const delegations[] = {"none", "holders", NULL};

/* clang-format off */
static const struct wm_shape_row assignment_rows[] = {
    {"role", WM_SHAPE_TEXT, true, NULL},
    {"action", WM_SHAPE_WORD, true, actions},
    {"until", WM_SHAPE_TIME, false, NULL},
    {"by", WM_SHAPE_TEXT, false, NULL},
    {"reason", WM_SHAPE_TEXT, false, NULL},
    {"delegation", WM_SHAPE_WORD, false, delegations},
    {NULL, WM_SHAPE_TEXT, false, NULL},
};

static const struct wm_shape_row delegation_rows[] = {
    {"role", WM_SHAPE_TEXT, true, NULL},
    {"to", WM_SHAPE_TEXT, true, NULL},
    {"until", WM_SHAPE_TIME, false, NULL},
    {"reason", WM_SHAPE_TEXT, false, NULL},
    {NULL, WM_SHAPE_TEXT, false, NULL},
};

static const struct wm_shape_row withdrawal_rows[] = {
    {"role", WM_SHAPE_TEXT, true, NULL},
    {"source", WM_SHAPE_TEXT, true, NULL},
    {"version", WM_SHAPE_TEXT, false, NULL},
    {"by", WM_SHAPE_TEXT, false, NULL},
    {"reason", WM_SHAPE_TEXT, false, NULL},
    {NULL, WM_SHAPE_TEXT, false, NULL},
};
/* clang-format on */

#define REASON_LIMIT 1024 /* of a delegation: it is sent on, and has to fit wherever it came from */

static int check_data(struct wm_decoding *decoding, const struct wm_shape_row *rows, struct wm_value *ret) {
  struct wm_fault fault;
  if (!wm_check_object(decoding->event->data, rows, WM_TEXT("/data"), decoding->arena, ret, &fault))
    return 0;
  if (!fault.reason)
    return -1;
  return wm_refuse(decoding, WM_E_EVENT_INVALID, fault.reason, fault.pointer, "%.*s", WM_TEXT_ARG(fault.message));
}

static int read_updated(struct wm_decoding *decoding) {
  struct wm_value *profile = WM_ARENA_NEW(decoding->arena, struct wm_value);
  if (!profile || check_data(decoding, wm_profile_rows, profile))
    return -1;
  decoding->event->data = profile;
  return 0;
}

/* A deletion or a sign-in: what else stands in it does not matter. */
static int read_bare(struct wm_decoding *decoding) {
  decoding->event->data = NULL;
  return 0;
}

/* What the rows name, as far as it is there. */
static void take_request(const struct wm_value *data, struct wm_request *ret) {
  *ret = (struct wm_request){
      .role = wm_value_text(wm_value_member(data, WM_TEXT("role"))),
      .to = wm_value_text(wm_value_member(data, WM_TEXT("to"))),
      .source = wm_value_text(wm_value_member(data, WM_TEXT("source"))),
      .version = wm_value_text(wm_value_member(data, WM_TEXT("version"))),
      .add = wm_text_is(wm_value_text(wm_value_member(data, WM_TEXT("action"))), "add"),
      .delegable = wm_text_is(wm_value_text(wm_value_member(data, WM_TEXT("delegation"))), "holders"),
      .by = wm_value_text(wm_value_member(data, WM_TEXT("by"))),
      .reason = wm_value_text(wm_value_member(data, WM_TEXT("reason"))),
  };
  if (!wm_moment_parse(wm_value_text(wm_value_member(data, WM_TEXT("until"))), &ret->until_us))
    ret->until_us = WM_NEVER;
}

static int read_assignment(struct wm_decoding *decoding) {
  struct wm_value data;
  if (check_data(decoding, assignment_rows, &data))
    return -1;
  take_request(&data, &decoding->event->request);
  return 0;
}

static int read_delegation(struct wm_decoding *decoding) {
  struct wm_value data;
  struct wm_request *request = &decoding->event->request;
  if (check_data(decoding, delegation_rows, &data))
    return -1;
  take_request(&data, request);
  if (!wm_text_is_user_id(request->to))
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "range", WM_TEXT("/data/to"),
                     "'/data/to' is not 1 to 256 bytes of text without control characters");
  if (request->reason.size > REASON_LIMIT)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "range", WM_TEXT("/data/reason"),
                     "'/data/reason' has %zu bytes, more than %d", request->reason.size, REASON_LIMIT);
  return 0;
}

static bool is_source(struct wm_text text) {
  struct wm_text prefix = WM_TEXT("automation/");
  return wm_text_is(text, "manual") ||
         (wm_text_starts_with(text, prefix) &&
          wm_text_is_name((struct wm_text){text.bytes + prefix.size, text.size - prefix.size}));
}

static int read_withdrawal(struct wm_decoding *decoding) {
  struct wm_value data;
  struct wm_request *request = &decoding->event->request;
  if (check_data(decoding, withdrawal_rows, &data))
    return -1;
  take_request(&data, request);
  if (is_source(request->source))
    return 0;
  return wm_refuse(decoding, WM_E_EVENT_INVALID, "range", WM_TEXT("/data/source"),
                   "'/data/source' is neither 'manual' nor 'automation/' and a name");
}

static const struct {
  const char *type;
  enum wm_event_class event_class;
  int (*read)(struct wm_decoding *decoding);
} known[] = {
    {"directory.user.updated", WM_EVENT_USER_UPDATED, read_updated},
    {"directory.user.deleted", WM_EVENT_USER_DELETED, read_bare},
    {"directory.user.signed-in", WM_EVENT_SIGNED_IN, read_bare},
    {"role.assignment.requested", WM_EVENT_ASSIGNMENT, read_assignment},
    {"role.delegation.requested", WM_EVENT_DELEGATION, read_delegation},
    {"role.grant.withdrawn", WM_EVENT_WITHDRAWAL, read_withdrawal},
};

int wm_read_data(struct wm_decoding *decoding) {
  struct wm_event *event = decoding->event;
  event->data = decoding->data.type == WM_NULL ? NULL : &decoding->data;
  event->event_class = wm_event_type_is_reserved(event->type) ? WM_EVENT_RESERVED : WM_EVENT_TRIGGERING;
  for (size_t i = 0; event->event_class == WM_EVENT_RESERVED && i < sizeof known / sizeof *known; i++) {
    if (!wm_text_is(event->type, known[i].type))
      continue;
    event->event_class = known[i].event_class;
    if (!event->user.bytes)
      return wm_refuse(decoding, WM_E_EVENT_INVALID, "missing", WM_TEXT("/subject"), "'%s' names no user",
                       known[i].type);
    return known[i].read(decoding);
  }
  return 0;
}

/* The events of a test. Whichever way they are written, they become the JSON of a CloudEvent, and the decoder that
 * reads Kafka's records reads that. */
#include "core/codec/cloudevent.h"
#include "core/codec/json.h"
#include "core/codec/load_test_parts.h"
#include "core/moment.h"

#define SOURCE "/test"

static bool value_of_list(struct load *load, const struct wm_node *node, struct wm_value *ret) {
  *ret = (struct wm_value){.type = WM_LIST};
  ret->list.items = load_array(load, node->count, sizeof(*ret->list.items));
  for (size_t i = 0; ret->list.items && i < node->count; i++)
    if (!load_value(load, &node->items[i], &ret->list.items[ret->list.count++]))
      return false;
  return ret->list.items != NULL;
}

static bool value_of_map(struct load *load, const struct wm_node *node, struct wm_value *ret) {
  *ret = (struct wm_value){.type = WM_OBJECT};
  ret->object.members = load_array(load, node->count, sizeof(*ret->object.members));
  for (size_t i = 0; ret->object.members && i < node->count; i++) {
    const struct wm_node *key = &node->items[2 * i];
    struct wm_member *member = &ret->object.members[ret->object.count];
    if (load_is_reported(key))
      return false;
    *member = (struct wm_member){.name = load_copy(load, key->text)};
    if (load->memory || !load_value(load, &node->items[2 * i + 1], &member->value))
      return false;
    ret->object.count++;
  }
  return ret->object.members != NULL;
}

static bool value_of_scalar(struct load *load, const struct wm_node *node, struct wm_value *ret) {
  bool odd;
  *ret = wm_node_value(node, &odd);
  if (odd) {
    load_invalid(load, node, WM_E_VALUE_INVALID, "'%.*s' is a number that can't be held, quote it if text was meant",
                 WM_TEXT_ARG(wm_text_shown(node->text)));
    return false;
  }
  if (ret->type == WM_STRING)
    ret->string = load_copy(load, ret->string);
  return !load->memory;
}

bool load_value(struct load *load, const struct wm_node *node, struct wm_value *ret) {
  *ret = (struct wm_value){.type = WM_NULL};
  if (node->broken)
    return false;
  switch (node->kind) {
  case WM_NODE_SCALAR:
    return value_of_scalar(load, node, ret);
  case WM_NODE_LIST:
    return value_of_list(load, node, ret);
  case WM_NODE_MAP:
    return value_of_map(load, node, ret);
  }
  return false;
}

/* --- how an event is written --- */

/* {json: '...'}: the JSON of a CloudEvent. */
static const struct wm_node *json_of(const struct wm_node *map) {
  const struct wm_node *json = map->count == 1 ? wm_node_get(map, "json") : NULL;
  return json && json->kind == WM_NODE_SCALAR ? json : NULL;
}

/* {type: ..., data: ...}: the attributes of a CloudEvent, as far as they matter. */
static bool is_full(const struct wm_node *map) {
  const struct wm_node *type = wm_node_get(map, "type");
  return type && type->kind == WM_NODE_SCALAR && type->text.size > 0;
}

static const struct wm_node *first_event(const struct wm_node *events) {
  return events->kind == WM_NODE_LIST && events->count > 0 ? &events->items[0] : events;
}

/* A text member of an event that is written in JSON, in 'arena'. */
static struct wm_text json_text(const struct wm_node *json, const char *name, struct wm_arena *arena) {
  struct wm_value value;
  struct wm_error error;
  if (wm_json_parse(json->text, arena, &value, &error) < 0)
    return WM_NO_TEXT;
  struct wm_text text = wm_value_text(wm_value_member(&value, wm_text_of(name)));
  if (!text.bytes && strcmp(name, "subject") == 0)
    text = wm_value_text(wm_value_member(wm_value_member(&value, WM_TEXT("data")), WM_TEXT("user")));
  return text;
}

static bool is_text(const struct wm_node *node) {
  return node && node->kind == WM_NODE_SCALAR && wm_node_value(node, NULL).type != WM_NULL;
}

/* Who an event in YAML says that it is about: its subject, else 'user' in its data. */
static struct wm_text user_of(const struct wm_node *event) {
  const struct wm_node *subject = is_full(event) ? wm_node_get(event, "subject") : NULL;
  const struct wm_node *data = wm_node_get(event, "data");
  if (!is_full(event))
    data = event->kind == WM_NODE_MAP && event->count > 0 ? &event->items[1] : NULL;
  const struct wm_node *user = data ? wm_node_get(data, "user") : NULL;
  if (is_text(subject))
    return subject->text;
  return is_text(user) && wm_node_value(user, NULL).type == WM_STRING ? user->text : WM_NO_TEXT;
}

struct wm_text load_case_find_user(const struct wm_node *events, struct wm_arena *arena) {
  const struct wm_node *list = events->kind == WM_NODE_LIST ? events->items : events;
  size_t count = events->kind == WM_NODE_LIST ? events->count : 1;
  for (size_t i = 0; i < count; i++) {
    const struct wm_node *json = json_of(&list[i]);
    struct wm_text user = json ? json_text(json, "subject", arena) : user_of(&list[i]);
    if (user.bytes)
      return user;
  }
  return WM_NO_TEXT;
}

bool load_case_find_time(const struct wm_node *events, int64_t *ret_us) {
  const struct wm_node *first = first_event(events), *json = json_of(first);
  const struct wm_node *time = is_full(first) ? wm_node_get(first, "time") : NULL;
  if (time && time->kind == WM_NODE_SCALAR)
    return wm_moment_parse(time->text, ret_us);
  if (!json)
    return false;
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  bool found = wm_moment_parse(json_text(json, "time", &arena), ret_us);
  wm_arena_release(&arena);
  return found;
}

/* --- one event --- */

/* The clock at which an event comes that says no time of its own. */
static int64_t next_us(const struct load_case *given) {
  return given->clock_us + (given->used ? WM_SECOND_US : 0);
}

/* An earlier time than the clock's is that of an event that comes late. */
static void take_time(struct load_case *given, struct wm_event *event) {
  if (event->time_us > given->clock_us)
    given->clock_us = event->time_us;
  given->used = true;
  event->now_us = given->clock_us;
}

static void check_user(struct load_case *given, const struct wm_node *node, const struct wm_event *event) {
  if (event->user.bytes && !wm_text_equal(event->user, given->user))
    load_invalid(given->load, node, WM_E_VALUE_INVALID,
                 "this event is about user '%.*s', the test about '%.*s': a test has one user",
                 WM_TEXT_ARG(wm_text_shown(event->user)), WM_TEXT_ARG(wm_text_shown(given->user)));
}

static void decode(struct load_case *given, const struct wm_node *node, struct wm_text json,
                   struct wm_case_step *step) {
  static const struct wm_header header = {{"content-type", sizeof("content-type") - 1},
                                          {"application/cloudevents+json", sizeof("application/cloudevents+json") - 1}};
  struct load *load = given->load;
  struct wm_case_event *event = &step->events[step->event_count];
  struct wm_record record = {.topic = WM_TEXT("test"),
                             .offset = (int64_t)given->event_count,
                             .timestamp_ms = -1,
                             .value = json,
                             .headers = &header,
                             .header_count = 1};
  struct wm_decode_rules rules = {
      .topic = WM_TOPIC_ANY, .event_bytes = WM_DOCUMENT_LIMIT * 8, .fallback_time_us = next_us(given)};
  struct wm_rejection rejection;
  enum wm_decoded what;
  *event = (struct wm_case_event){.place = load_place(node)};
  if (wm_event_decode(&record, &rules, load->arena, &what, &event->event, &rejection) < 0) {
    load->memory = true;
    return;
  }
  if (what != WM_DECODED_EVENT) {
    load_invalid(load, node, what == WM_DECODED_REJECTED ? rejection.code : WM_E_VALUE_INVALID,
                 "the event would be rejected: %.*s",
                 WM_TEXT_ARG(what == WM_DECODED_REJECTED ? rejection.message : WM_TEXT("it is empty")));
    return;
  }
  check_user(given, node, &event->event);
  take_time(given, &event->event);
  given->event_count++;
  step->event_count++;
}

/* Appends a member of the event's JSON. */
static void add_member(struct wm_buf *buf, struct wm_text name, const struct wm_value *value) {
  wm_buf_add_char(buf, buf->size ? ',' : '{');
  wm_buf_add_json(buf, name);
  wm_buf_add_char(buf, ':');
  wm_value_to_json(value, buf);
}

static void add_text(struct wm_buf *buf, const char *name, struct wm_text text) {
  const struct wm_value value = {.type = WM_STRING, .string = text};
  add_member(buf, wm_text_of(name), &value);
}

/* What the document does not say itself. */
static void add_defaults(const struct load_case *given, const struct wm_node *full, struct wm_buf *buf) {
  char id[40];
  snprintf(id, sizeof(id), "test-%zu", given->event_count + 1);
  const struct {
    const char *name;
    struct wm_text text;
  } defaults[] = {
      {"specversion", WM_TEXT("1.0")},
      {"id", wm_text_of(id)},
      {"source", WM_TEXT(SOURCE)},
      {"subject", given->user},
  };
  for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
    if (!full || !wm_node_get(full, defaults[i].name))
      add_text(buf, defaults[i].name, defaults[i].text);
}

static void decode_members(struct load_case *given, const struct wm_node *node, struct wm_buf *buf,
                           struct wm_case_step *step) {
  wm_buf_add_char(buf, '}');
  if (buf->failed)
    given->load->memory = true;
  else
    decode(given, node, (struct wm_text){buf->bytes, buf->size}, step);
}

static const char *const attributes[] = {"type", "data", "time", "subject", "source", "id", NULL};

/* A slip of an attribute that we know would be an extension that nobody asks for. */
static bool check_attribute(struct load *load, const struct wm_node *key) {
  if (load_is_reported(key))
    return false;
  for (size_t i = 0; attributes[i]; i++)
    if (wm_text_is(key->text, attributes[i]))
      return true;
  const char *near = wm_text_nearest(key->text, attributes);
  if (near)
    load_invalid(load, key, WM_E_KEY_UNKNOWN, "unknown key '%.*s' in an event" LOAD_NEAR,
                 WM_TEXT_ARG(wm_text_shown(key->text)), LOAD_NEAR_ARG(near));
  return !near;
}

static void read_full(struct load_case *given, const struct wm_node *map, struct wm_case_step *step) {
  struct wm_buf buf = WM_BUF_INIT;
  bool whole = true;
  for (size_t i = 0; i < map->count; i++) {
    const struct wm_node *key = &map->items[2 * i], *node = &map->items[2 * i + 1];
    struct wm_value value;
    bool is_data = wm_text_is(key->text, "data");
    if (!check_attribute(given->load, key) || !load_value(given->load, node, &value)) {
      whole = false;
      continue;
    }
    if (!is_data && node->kind == WM_NODE_SCALAR && value.type != WM_NULL) /* attributes are text as it is written */
      value = (struct wm_value){.type = WM_STRING, .string = node->text};
    add_member(&buf, key->text, &value);
  }
  load_warn_of_slip(given->load, wm_node_get(map, "type"), wm_node_get(map, "type")->text);
  add_defaults(given, map, &buf);
  if (whole)
    decode_members(given, map, &buf, step);
  wm_buf_release(&buf);
}

/* TYPE: DATA */
static void read_short(struct load_case *given, const struct wm_node *key, const struct wm_node *data,
                       struct wm_case_step *step) {
  struct load *load = given->load;
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_value value;
  if (load_is_reported(key) || data->broken)
    return;
  bool none = data->kind == WM_NODE_SCALAR && wm_node_value(data, NULL).type == WM_NULL;
  if (data->kind != WM_NODE_MAP && !none) {
    load_invalid(load, data, WM_E_TYPE_WRONG,
                 "the data of '%.*s' must be a mapping, not %s; an event in full is {type: ..., data: ...}",
                 WM_TEXT_ARG(wm_text_shown(key->text)), load_kind_name(data));
    return;
  }
  if (!load_value(load, data, &value))
    return;
  load_warn_of_slip(load, key, key->text);
  add_defaults(given, NULL, &buf);
  add_text(&buf, "type", key->text);
  if (!none)
    add_member(&buf, WM_TEXT("data"), &value);
  decode_members(given, key, &buf, step);
  wm_buf_release(&buf);
}

static void read_events(struct load_case *given, const struct wm_node *item, struct wm_case_step *step) {
  if (item->broken)
    return;
  if (item->kind != WM_NODE_MAP || item->count == 0) {
    load_invalid(given->load, item, WM_E_TYPE_WRONG, "an event is written 'TYPE: DATA' or {type: ..., data: ...}");
    return;
  }
  const struct wm_node *json = json_of(item);
  if (json)
    decode(given, json, json->text, step);
  else if (is_full(item))
    read_full(given, item, step);
  else
    for (size_t i = 0; i < item->count && !given->load->memory; i++)
      read_short(given, &item->items[2 * i], &item->items[2 * i + 1], step);
}

/* How many events an item of 'when' may be. */
static size_t count_events(const struct wm_node *item) {
  return item->kind == WM_NODE_MAP && !is_full(item) && !json_of(item) ? item->count : 1;
}

void load_case_events(struct load_case *given, const struct wm_node *value, struct wm_case_step *step) {
  if (value->broken)
    return;
  const struct wm_node *items = value->kind == WM_NODE_LIST ? value->items : value;
  size_t item_count = value->kind == WM_NODE_LIST ? value->count : 1, count = 0;
  if (item_count == 0)
    load_invalid(given->load, value, WM_E_VALUE_INVALID, "'when' is an empty list");
  for (size_t i = 0; i < item_count; i++)
    count += count_events(&items[i]);
  if (count > WM_CASE_EVENTS_LIMIT - given->event_count) {
    load_invalid(given->load, value, WM_E_WORKSPACE_LIMIT, "a test has at most %d events", WM_CASE_EVENTS_LIMIT);
    return;
  }
  step->events = load_array(given->load, count, sizeof(*step->events));
  for (size_t i = 0; step->events && i < item_count && !given->load->memory; i++)
    read_events(given, &items[i], step);
}

#include "core/codec/control.h"

#include "core/codec/check.h"
#include "core/codec/cloudevent.h"
#include "core/codec/write.h"

static const char *const states[] = {"on", "off", NULL};

static const struct wm_shape_row automation_rows[] = {
    {"automation", WM_SHAPE_TEXT, true, NULL}, {"state", WM_SHAPE_WORD, true, states},
    {"by", WM_SHAPE_TEXT, false, NULL},        {"reason", WM_SHAPE_TEXT, false, NULL},
    {NULL, WM_SHAPE_TEXT, false, NULL},
};
static const struct wm_shape_row role_rows[] = {
    {"role", WM_SHAPE_TEXT, true, NULL}, {"archived", WM_SHAPE_BOOLEAN, true, NULL},
    {"by", WM_SHAPE_TEXT, false, NULL},  {"reason", WM_SHAPE_TEXT, false, NULL},
    {NULL, WM_SHAPE_TEXT, false, NULL},
};

static const struct {
  const char *prefix, *noun, *type;
  const struct wm_shape_row *rows;
} kinds[WM_RUNNING_KINDS] = {
    [WM_RUNNING_AUTOMATION] = {"automation/", "automation", "dev.waymark.automation.switched.v1", automation_rows},
    [WM_RUNNING_ROLE] = {"role/", "role", "dev.waymark.role.archived.v1", role_rows},
};

/* One record on its way to a word. */
struct decoding {
  const struct wm_record *record;
  struct wm_arena *arena;
  struct wm_running_word *word;
  struct wm_error *error;
};

static int refuse(const struct decoding *decoding, const char *what, struct wm_text value) {
  const struct wm_record *record = decoding->record;
  struct wm_text key = wm_text_is_utf8(record->key, NULL) ? wm_text_shown(record->key) : WM_TEXT("?");
  wm_error_set(decoding->error, WM_E_CONTROL_INVALID, "record at offset %lld with key '%.*s': %s%.*s",
               (long long)record->offset, WM_TEXT_ARG(key), what, WM_TEXT_ARG(value));
  snprintf(decoding->error->source, sizeof decoding->error->source, "%.*s", WM_TEXT_ARG(record->topic));
  return -1;
}

/* Which name the key is about. */
static int read_key(const struct decoding *decoding) {
  struct wm_text key = decoding->record->key;
  for (size_t i = 0; i < WM_RUNNING_KINDS; i++) {
    size_t size = strlen(kinds[i].prefix);
    if (!wm_text_starts_with(key, wm_text_of(kinds[i].prefix)))
      continue;
    decoding->word->kind = (enum wm_running_kind)i;
    if (!wm_text_is_name((struct wm_text){key.bytes + size, key.size - size}))
      return refuse(decoding, "it ends with no name of the workspace ([a-z0-9][a-z0-9-]{0,62})", WM_NO_TEXT);
    if (wm_arena_text(decoding->arena, (struct wm_text){key.bytes + size, key.size - size}, &decoding->word->name))
      return wm_error_memory(decoding->error);
    return 0;
  }
  return refuse(decoding, "keys are 'automation/<name>', 'role/<name>' and 'partitions'", WM_NO_TEXT);
}

static int read_event(const struct decoding *decoding, struct wm_event *ret) {
  static const struct wm_decode_rules rules = {.topic = WM_TOPIC_ANY, .event_bytes = WM_CONTROL_BYTES_LIMIT};
  const struct wm_running_word *word = decoding->word;
  struct wm_rejection rejection;
  enum wm_decoded decoded;
  if (wm_event_decode(decoding->record, &rules, decoding->arena, &decoded, ret, &rejection) < 0)
    return wm_error_memory(decoding->error);
  if (decoded != WM_DECODED_EVENT)
    return refuse(decoding, "", decoded == WM_DECODED_REJECTED ? rejection.message : WM_TEXT("it has no value"));
  if (!wm_text_is(ret->type, kinds[word->kind].type))
    return refuse(decoding, "its type has to be ", wm_text_of(kinds[word->kind].type));
  if (!wm_text_equal(ret->user, decoding->record->key))
    return refuse(decoding, "'/subject' is not the key", WM_NO_TEXT);
  return 0;
}

static struct wm_text text_in(const struct wm_value *data, const char *name) {
  return wm_value_text(wm_value_member(data, wm_text_of(name)));
}

static enum wm_running_state state_in(const struct wm_value *data, enum wm_running_kind kind) {
  bool off = kind == WM_RUNNING_ROLE ? wm_value_member(data, WM_TEXT("archived"))->boolean
                                     : wm_text_is(text_in(data, "state"), "off");
  return off ? WM_RUNNING_OFF : WM_RUNNING_ON;
}

static int read_word(const struct decoding *decoding, const struct wm_event *event) {
  struct wm_running_word *word = decoding->word;
  struct wm_fault fault;
  struct wm_value data;
  if (wm_check_object(event->data, kinds[word->kind].rows, WM_TEXT("/data"), decoding->arena, &data, &fault) < 0)
    return fault.reason ? refuse(decoding, "", fault.message) : wm_error_memory(decoding->error);
  if (!wm_text_equal(text_in(&data, kinds[word->kind].noun), word->name))
    return refuse(decoding, "its subject and its data name different things, see /data/",
                  wm_text_of(kinds[word->kind].noun));
  word->state = state_in(&data, word->kind);
  word->by = text_in(&data, "by");
  word->reason = text_in(&data, "reason");
  word->time_us = event->time_us;
  if (word->by.size > WM_CONTROL_BY_LIMIT)
    return refuse(decoding, "'/data/by' is longer than 256 bytes", WM_NO_TEXT);
  if (word->reason.size > WM_CONTROL_REASON_LIMIT)
    return refuse(decoding, "'/data/reason' is longer than 4096 bytes", WM_NO_TEXT);
  return 0;
}

int wm_control_decode(const struct wm_record *record, struct wm_arena *arena, enum wm_control *ret,
                      struct wm_running_word *ret_word, struct wm_error *error) {
  struct wm_error unwanted;
  struct decoding decoding = {record, arena, ret_word, error ? error : &unwanted};
  struct wm_event event;
  *ret_word = (struct wm_running_word){.time_us = record->timestamp_ms > 0 ? record->timestamp_ms * 1000 : 0};
  *ret = WM_CONTROL_OTHER;
  if (wm_text_is(record->key, "partitions") || wm_text_starts_with(record->key, WM_TEXT("replay/")) ||
      wm_text_starts_with(record->key, WM_TEXT("replay-ask/")))
    return 0;
  if (read_key(&decoding) < 0)
    return -1;
  *ret = WM_CONTROL_WORD;
  if (!record->value.bytes)
    return 0;
  return read_event(&decoding, &event) < 0 ? -1 : read_word(&decoding, &event);
}

/* Names need no escapes. */
void wm_control_key(const struct wm_running_word *word, struct wm_buf *buf) {
  wm_buf_add_string(buf, kinds[word->kind].prefix);
  wm_buf_add_text(buf, word->name);
}

static void write_state(struct wm_buf *buf, const struct wm_running_word *word) {
  bool off = word->state == WM_RUNNING_OFF;
  if (word->kind == WM_RUNNING_ROLE)
    wm_write_boolean(buf, WM_KEY("archived"), off);
  else
    wm_write_string(buf, WM_KEY("state"), off ? "off" : "on");
}

void wm_control_value(const struct wm_running_word *word, struct wm_text id, struct wm_buf *buf) {
  struct wm_buf key = WM_BUF_INIT;
  wm_control_key(word, &key);
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_string(buf, WM_KEY("specversion"), "1.0");
  wm_write_text(buf, WM_KEY("id"), id);
  wm_write_string(buf, WM_KEY("source"), "/waymark");
  wm_write_string(buf, WM_KEY("type"), kinds[word->kind].type);
  wm_write_text(buf, WM_KEY("subject"), (struct wm_text){key.bytes, key.size});
  wm_write_moment(buf, WM_KEY("time"), word->time_us);
  wm_write_string(buf, WM_KEY("datacontenttype"), "application/json");
  wm_write_open(buf, WM_KEY("data"), '{');
  wm_write_name(buf, wm_text_of(kinds[word->kind].noun));
  wm_write_text(buf, WM_NO_KEY, word->name);
  write_state(buf, word);
  wm_write_text(buf, WM_KEY("by"), word->by);
  wm_write_text(buf, WM_KEY("reason"), word->reason);
  wm_write_close(buf, '}');
  wm_write_close(buf, '}');
  wm_write_end(buf);
  buf->failed |= key.failed;
  wm_buf_release(&key);
}

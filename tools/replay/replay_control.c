#include "tools/replay/replay_control.h"

#include <stdlib.h>
#include <sys/random.h>

#include "core/codec/json.h"
#include "core/codec/write.h"
#include "core/moment.h"
#include "tools/lib/say.h"
#include "worker/client.h"
#include "worker/clock.h"

#define PROGRESS "dev.waymark.replay.progressed.v1"
#define ASKED "dev.waymark.replay.asked.v1"
#define RUN_KEY "replay/"
#define ASK_KEY "replay-ask/"
#define WRITE_TIMEOUT_MS 15000

static const char *const asks[] = {
    [ASK_NOTHING] = "", [ASK_RESUME] = "resume", [ASK_PAUSE] = "pause", [ASK_CANCEL] = "cancel"};

void replay_runs_init(struct replay_runs *runs) {
  *runs = (struct replay_runs){0};
  wm_arena_init(&runs->arena, 0);
}

void replay_runs_release(struct replay_runs *runs) {
  free(runs->items);
  wm_arena_release(&runs->arena);
}

static struct replay_run *find(const struct replay_runs *runs, struct wm_text name) {
  for (size_t i = 0; i < runs->count; i++)
    if (wm_text_equal(runs->items[i].name, name))
      return &runs->items[i];
  return NULL;
}

const struct replay_run *replay_runs_find(const struct replay_runs *runs, struct wm_text name) {
  return find(runs, name);
}

const char *replay_run_state(const struct replay_run *run) {
  if (run->done)
    return "done";
  return run->ask == ASK_CANCEL ? "cancelled" : run->ask == ASK_PAUSE ? "paused" : "running";
}

/* NULL: out of memory. */
static struct replay_run *add(struct replay_runs *runs, struct wm_text name) {
  struct replay_run *known = find(runs, name);
  if (known)
    return known;
  if (runs->count == runs->capacity) {
    size_t capacity = runs->capacity ? 2 * runs->capacity : 16;
    struct replay_run *items = reallocarray(runs->items, capacity, sizeof *items);
    if (!items)
      return NULL;
    runs->items = items;
    runs->capacity = capacity;
  }
  struct replay_run *run = &runs->items[runs->count++];
  *run = (struct replay_run){0};
  return wm_arena_text(&runs->arena, name, &run->name) < 0 ? NULL : run;
}

/* --- reading --- */

static const struct wm_value *member(const struct wm_value *object, const char *name) {
  return wm_value_member(object, wm_text_of(name));
}

static int64_t number_in(const struct wm_value *data, const char *name) {
  const struct wm_value *value = member(data, name);
  return value && value->type == WM_INTEGER && value->integer > 0 ? value->integer : 0;
}

static bool read_positions(struct replay_runs *runs, const struct wm_value *list, struct replay_run *ret) {
  if (!list || list->type != WM_LIST)
    return false;
  ret->position_count = 0;
  ret->positions = WM_ARENA_ARRAY(&runs->arena, struct replay_position, list->list.count + 1);
  for (size_t i = 0; ret->positions && i < list->list.count; i++)
    ret->positions[ret->position_count++] = (struct replay_position){
        (int32_t)number_in(&list->list.items[i], "partition"), number_in(&list->list.items[i], "offset")};
  return ret->positions != NULL;
}

static bool read_progress(struct replay_runs *runs, const struct wm_value *event, const struct wm_value *data,
                          struct replay_run *ret) {
  const struct wm_value *notify = member(data, "notify");
  ret->plan = wm_value_text(member(data, "plan"));
  ret->topic = wm_value_text(member(data, "topic"));
  ret->by = wm_value_text(member(data, "by"));
  ret->reason = wm_value_text(member(data, "reason"));
  ret->sent = (size_t)number_in(data, "sent");
  ret->planned = (size_t)number_in(data, "planned");
  ret->notify = notify && notify->type == WM_BOOLEAN && notify->boolean;
  ret->done = wm_text_is(wm_value_text(member(data, "state")), "done");
  ret->begun = true;
  return wm_moment_parse(wm_value_text(member(event, "time")), &ret->time_us) &&
         wm_moment_parse(wm_value_text(member(data, "started")), &ret->started_us) && ret->plan.bytes &&
         read_positions(runs, member(data, "positions"), ret);
}

static enum replay_ask ask_in(const struct wm_value *data) {
  struct wm_text word = wm_value_text(member(data, "ask"));
  for (unsigned i = ASK_RESUME; i <= ASK_CANCEL; i++)
    if (wm_text_is(word, asks[i]))
      return (enum replay_ask)i;
  return ASK_NOTHING;
}

/* The name behind one of the two prefixes; WM_NO_TEXT: the key is about something else. */
static struct wm_text name_in(struct wm_text key, const char *prefix) {
  size_t size = strlen(prefix);
  if (!wm_text_starts_with(key, wm_text_of(prefix)))
    return WM_NO_TEXT;
  struct wm_text name = {key.bytes + size, key.size - size};
  return wm_text_is_name(name) ? name : WM_NO_TEXT;
}

static int take(struct replay_runs *runs, const struct wm_record *record) {
  struct wm_text name = name_in(record->key, RUN_KEY), asked = name_in(record->key, ASK_KEY);
  struct wm_text json;
  struct wm_value event;
  struct wm_error error;
  if (!name.bytes && !asked.bytes)
    return EXIT_FINE;
  struct replay_run *run = add(runs, name.bytes ? name : asked);
  if (!run || wm_arena_text(&runs->arena, record->value, &json) < 0)
    return say_memory();
  bool fine = json.bytes && wm_json_parse(json, &runs->arena, &event, &error) == 0 && event.type == WM_OBJECT;
  const struct wm_value *data = fine ? member(&event, "data") : NULL;
  if (fine && name.bytes) {
    fine = read_progress(runs, &event, data, run);
  } else if (fine) {
    run->ask = ask_in(data);
    run->asked_by = wm_value_text(member(data, "by"));
    run->asked_reason = wm_value_text(member(data, "reason"));
  }
  if (!fine)
    say(0, "the control record '%.*s' can't be read", WM_TEXT_ARG(record->key));
  return EXIT_FINE;
}

static int by_name(const void *a, const void *b) {
  return wm_text_compare(((const struct replay_run *)a)->name, ((const struct replay_run *)b)->name);
}

int replay_runs_read(const struct settings *settings, struct replay_runs *ret) {
  const struct client_reading reading = {
      .topic = settings->topics.control, .partition = CLIENT_ALL_PARTITIONS, .from_ms = CLIENT_BEGINNING};
  struct wm_error error = {0};
  struct wm_record record;
  struct client *client = client_open(settings, &error);
  int exit_code = EXIT_FINE, got = client && client_read(client, &reading, &error) == 0 ? 1 : -1;
  while (got > 0 && exit_code == EXIT_FINE)
    if ((got = client_read_next(client, &record, &error)) > 0)
      exit_code = take(ret, &record);
  client_close(client);
  if (got < 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (ret->count > 0)
    qsort(ret->items, ret->count, sizeof *ret->items, by_name);
  return exit_code;
}

enum replay_ask replay_ask_of(const struct wm_record *record, struct wm_text run, struct wm_arena *arena) {
  struct wm_value event;
  struct wm_error error;
  if (!wm_text_equal(name_in(record->key, ASK_KEY), run) || !record->value.bytes ||
      wm_json_parse(record->value, arena, &event, &error) < 0)
    return ASK_NOTHING;
  return ask_in(member(&event, "data"));
}

/* --- writing --- */

static void open_event(struct wm_buf *buf, const char *type, const char *prefix, struct wm_text run) {
  uint64_t number = 0;
  char id[32];
  if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
    number = (uint64_t)system_clock.wall_us(system_clock.self);
  snprintf(id, sizeof id, "%016llx", (unsigned long long)number);
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_string(buf, WM_KEY("specversion"), "1.0");
  wm_write_string(buf, WM_KEY("id"), id);
  wm_write_string(buf, WM_KEY("source"), "/waymark");
  wm_write_string(buf, WM_KEY("type"), type);
  wm_write_name(buf, WM_TEXT("subject"));
  wm_buf_printf(buf, "\"%s%.*s\",", prefix, WM_TEXT_ARG(run)); /* names need no escapes */
  wm_write_moment(buf, WM_KEY("time"), system_clock.wall_us(system_clock.self));
  wm_write_string(buf, WM_KEY("datacontenttype"), "application/json");
  wm_write_open(buf, WM_KEY("data"), '{');
  wm_write_text(buf, WM_KEY("replay"), run);
}

static int close_event(const struct settings *settings, struct wm_buf *buf, const char *prefix, struct wm_text run,
                       struct wm_arena *arena, struct wm_record *ret) {
  struct wm_buf key = WM_BUF_INIT;
  wm_write_close(buf, '}');
  wm_write_close(buf, '}');
  wm_write_end(buf);
  wm_buf_printf(&key, "%s%.*s", prefix, WM_TEXT_ARG(run));
  *ret = (struct wm_record){
      .topic = wm_text_of(settings->topics.control), .timestamp_ms = -1, .headers = events_headers, .header_count = 1};
  bool failed = buf->failed || key.failed ||
                wm_arena_text(arena, (struct wm_text){key.bytes, key.size}, &ret->key) < 0 ||
                wm_arena_text(arena, (struct wm_text){buf->bytes, buf->size}, &ret->value) < 0;
  wm_buf_release(&key);
  wm_buf_release(buf);
  return failed ? -1 : 0;
}

int replay_run_record(const struct settings *settings, const struct replay_run *run, struct wm_arena *arena,
                      struct wm_record *ret) {
  struct wm_buf buf = WM_BUF_INIT;
  open_event(&buf, PROGRESS, RUN_KEY, run->name);
  wm_write_string(&buf, WM_KEY("state"), run->done ? "done" : "running");
  wm_write_text(&buf, WM_KEY("plan"), run->plan);
  wm_write_text(&buf, WM_KEY("topic"), run->topic);
  wm_write_moment(&buf, WM_KEY("started"), run->started_us);
  wm_write_integer(&buf, WM_KEY("sent"), (int64_t)run->sent);
  wm_write_integer(&buf, WM_KEY("planned"), (int64_t)run->planned);
  wm_write_boolean(&buf, WM_KEY("notify"), run->notify);
  wm_write_text(&buf, WM_KEY("by"), run->by);
  wm_write_text(&buf, WM_KEY("reason"), run->reason);
  wm_write_open(&buf, WM_KEY("positions"), '[');
  for (size_t i = 0; i < run->position_count; i++) {
    wm_write_open(&buf, WM_NO_KEY, '{');
    wm_write_integer(&buf, WM_KEY("partition"), run->positions[i].partition);
    wm_write_integer(&buf, WM_KEY("offset"), run->positions[i].offset);
    wm_write_close(&buf, '}');
  }
  wm_write_close(&buf, ']');
  return close_event(settings, &buf, RUN_KEY, run->name, arena, ret);
}

int replay_ask_send(const struct settings *settings, struct wm_text run, enum replay_ask ask, const char *by,
                    const char *reason) {
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_arena arena;
  struct wm_record record;
  struct wm_error error = {0};
  wm_arena_init(&arena, 0);
  open_event(&buf, ASKED, ASK_KEY, run);
  wm_write_string(&buf, WM_KEY("ask"), asks[ask]);
  wm_write_text(&buf, WM_KEY("by"), wm_text_of(by));
  wm_write_text(&buf, WM_KEY("reason"), wm_text_of(reason));
  int result = close_event(settings, &buf, ASK_KEY, run, &arena, &record);
  if (result < 0)
    wm_error_memory(&error);
  struct client *client = result == 0 ? client_open(settings, &error) : NULL;
  result = client ? client_send(client, &record, 1, WRITE_TIMEOUT_MS, NULL, &error) : -1;
  client_close(client);
  wm_arena_release(&arena);
  return result < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

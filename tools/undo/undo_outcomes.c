/* Outcomes one task at a time: of the topic, or of a file. */
#include "core/codec/json.h"
#include "core/moment.h"
#include "tools/lib/progress.h"
#include "tools/lib/say.h"
#include "tools/undo/undo.h"
#include "worker/client.h"

static const struct wm_value *get(const struct wm_value *object, const char *name) {
  return wm_value_member(object, wm_text_of(name));
}

static struct wm_text text_in(const struct wm_value *object, const char *name) {
  return wm_value_text(get(object, name));
}

static int64_t number_in(const struct wm_value *object, const char *name) {
  const struct wm_value *value = get(object, name);
  return value && value->type == WM_INTEGER ? value->integer : 0;
}

static bool read_execution(const struct wm_value *value, struct undo_outcome *ret) {
  const struct wm_value *data = get(value, "data"), *event = get(data, "event"), *origin = get(data, "origin");
  struct wm_text automation = text_in(data, "automation");
  *ret = (struct undo_outcome){
      .user = text_in(value, "subject"),
      .automation = automation.bytes ? automation : WM_TEXT(""),
      .version = text_in(data, "version"),
      .run = text_in(data, "run"),
      .clock = {.source = text_in(event, "source"), .id = text_in(event, "id")},
      .origin = {text_in(origin, "topic"), (int32_t)number_in(origin, "partition"), number_in(origin, "offset")},
  };
  ret->clock.automation = ret->automation;
  return wm_text_is(text_in(value, "type"), "dev.waymark.automation.executed.v1") && ret->user.bytes &&
         ret->clock.source.bytes && ret->clock.id.bytes && wm_moment_parse(text_in(event, "time"), &ret->clock.time_us);
}

static int take_tasks(struct undo_reading *reading, struct undo_outcome *outcome, const struct wm_value *tasks) {
  for (size_t i = 0; tasks && tasks->type == WM_LIST && i < tasks->list.count; i++) {
    const struct wm_value *task = &tasks->list.items[i], *dropped = get(task, "dropped");
    outcome->role = text_in(task, "role");
    outcome->action = text_in(task, "action");
    outcome->source = text_in(task, "source");
    outcome->result = text_in(task, "result");
    outcome->code = text_in(task, "code");
    outcome->clock.sequence = number_in(task, "sequence");
    outcome->dropped = dropped && dropped->type == WM_LIST ? dropped : NULL;
    if (wm_text_is(text_in(task, "type"), "change-role") && outcome->role.bytes &&
        reading->take(reading->taker, outcome) < 0)
      return say_memory();
  }
  return EXIT_FINE;
}

/* What is no outcome is passed over: rejections stand in a file of 'simulate' too. */
static int take_text(struct undo_reading *reading, struct wm_text text, struct wm_arena *arena) {
  struct undo_outcome outcome;
  struct wm_value value;
  struct wm_error error = {0};
  wm_arena_rewind(arena);
  if (wm_json_parse(text, arena, &value, &error) < 0)
    return error.code == WM_E_OUT_OF_MEMORY ? say_memory() : EXIT_FINE;
  if (!read_execution(&value, &outcome))
    return EXIT_FINE;
  return take_tasks(reading, &outcome, get(get(&value, "data"), "tasks"));
}

static int each_in_file(struct undo_reading *reading, struct wm_arena *arena) {
  struct lines lines;
  struct wm_text line;
  bool end = false;
  int exit_code = lines_open(&lines, reading->file);
  while (exit_code == EXIT_FINE && (exit_code = lines_next(&lines, &line, &end)) == EXIT_FINE && !end)
    if (reading->wants(reading->taker, line, WM_NO_TEXT))
      exit_code = take_text(reading, line, arena);
  lines_close(&lines);
  return exit_code;
}

static int each_in_topic(struct undo_reading *reading, struct client *client, struct wm_arena *arena) {
  const struct client_reading what = {.topic = reading->loaded->settings.topics.outcomes,
                                      .partition = CLIENT_ALL_PARTITIONS,
                                      .from_ms = reading->from_ms,
                                      .optional = true};
  struct wm_record record;
  struct wm_error error = {0};
  bool settled = client_settle(client, what.topic, what.partition, &error) == 0;
  int exit_code = EXIT_FINE, more = settled && client_read(client, &what, &error) == 0 ? 1 : -1;
  struct progress progress;
  size_t count = 0;
  reading->cut = more > 0 && client_read_is_cut(client);
  progress_begin(&progress, "outcomes read", 0);
  while (exit_code == EXIT_FINE && more > 0 && (more = client_read_next(client, &record, &error)) > 0) {
    progress_set(&progress, ++count);
    if (record.value.bytes && reading->wants(reading->taker, record.value, record.key))
      exit_code = take_text(reading, record.value, arena);
  }
  progress_end(&progress);
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

int undo_outcomes_each(struct undo_reading *reading) {
  struct wm_error error = {0};
  struct wm_arena arena;
  int exit_code;
  reading->cut = false;
  wm_arena_init(&arena, 0);
  if (reading->file) {
    exit_code = each_in_file(reading, &arena);
  } else {
    struct client *client = client_open(&reading->loaded->settings, &error);
    exit_code = client ? each_in_topic(reading, client, &arena) : say_error(EXIT_BAD_NEWS, &error);
    client_close(client);
  }
  wm_arena_release(&arena);
  return exit_code;
}

/* What became of the tasks of automations lately, from the records of their executions. */
#include "core/codec/json.h"
#include "tools/automations/automations.h"
#include "tools/lib/say.h"
#include "worker/client.h"

#define FAULTS_TOLD 20
#define EXECUTED "dev.waymark.automation.executed.v1"

struct counting {
  const struct wm_workspace *workspace;
  struct automation_runs *runs;
  int64_t from_us;
  struct wm_arena arena; /* of one record */
  size_t faults;
};

static struct wm_text text_of(const struct wm_value *object, const char *name) {
  return wm_value_text(wm_value_member(object, wm_text_of(name)));
}

static void count_results(struct automation_runs *runs, const struct wm_value *tasks) {
  for (size_t i = 0; tasks && tasks->type == WM_LIST && i < tasks->list.count; i++) {
    struct wm_text result = text_of(&tasks->list.items[i], "result");
    for (size_t r = 0; r < SHOW_RESULTS; r++)
      runs->results[r] += wm_text_is(result, wm_result_name((enum wm_result)r));
  }
}

/* 'at_us' INT64_MIN: the time that the outcome names. */
static void count_outcome(struct counting *counting, const struct wm_value *outcome, int64_t at_us) {
  const struct wm_value *data = wm_value_member(outcome, WM_TEXT("data"));
  const struct wm_automation *automation = wm_workspace_automation(counting->workspace, text_of(data, "automation"));
  if (at_us == INT64_MIN && !wm_moment_parse(text_of(outcome, "time"), &at_us))
    at_us = 0;
  if (!automation || at_us < counting->from_us)
    return;
  struct automation_runs *runs = &counting->runs[automation - counting->workspace->automations];
  runs->executions++;
  if (at_us > runs->last_us)
    runs->last_us = at_us;
  count_results(runs, wm_value_member(data, WM_TEXT("tasks")));
}

static void take(struct counting *counting, const char *where, struct wm_text text, int64_t at_us) {
  struct wm_error error = {0};
  struct wm_value value;
  wm_arena_rewind(&counting->arena);
  bool read = wm_json_parse(text, &counting->arena, &value, &error) == 0;
  if (read && wm_text_is(text_of(&value, "type"), EXECUTED))
    count_outcome(counting, &value, at_us);
  else if (!read && ++counting->faults <= FAULTS_TOLD)
    say(0, "%s is passed over: %s", where, error.text);
}

static int count_topic(struct counting *counting, const struct settings *settings) {
  const struct client_reading reading = {.topic = settings->topics.outcomes,
                                         .partition = CLIENT_ALL_PARTITIONS,
                                         .from_ms = counting->from_us / 1000,
                                         .optional = true};
  struct wm_error error = {0};
  struct wm_record record;
  char where[320];
  struct client *client = client_open(settings, &error);
  int got = client && client_read(client, &reading, &error) == 0 ? 1 : -1;
  while (got > 0 && (got = client_read_next(client, &record, &error)) > 0) {
    snprintf(where, sizeof where, "%s/%d/%lld", reading.topic, (int)record.partition, (long long)record.offset);
    take(counting, where, record.value, record.timestamp_ms >= 0 ? record.timestamp_ms * 1000 : INT64_MIN);
  }
  client_close(client);
  return got < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

static int count_file(struct counting *counting, const char *path) {
  struct lines lines;
  struct wm_text line;
  bool end = false;
  char where[320];
  int exit_code = lines_open(&lines, path);
  while (exit_code == EXIT_FINE && !end) {
    exit_code = lines_next(&lines, &line, &end);
    if (exit_code != EXIT_FINE || end || line_is_blank(line))
      continue;
    snprintf(where, sizeof where, "%s:%lld", path, (long long)lines.number);
    take(counting, where, line, INT64_MIN);
  }
  lines_close(&lines);
  return exit_code;
}

int automations_count(const struct loaded *loaded, const char *file, int64_t from_us, struct automation_runs *runs) {
  struct counting counting = {.workspace = loaded->workspace, .runs = runs, .from_us = from_us};
  wm_arena_init(&counting.arena, 0);
  int exit_code = file ? count_file(&counting, file) : count_topic(&counting, &loaded->settings);
  if (counting.faults > FAULTS_TOLD)
    say(0, "%zu records in all are no JSON", counting.faults);
  wm_arena_release(&counting.arena);
  return exit_code;
}

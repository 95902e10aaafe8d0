#include "tools/lib/script.h"

#include <stdlib.h>

#include "core/codec/json.h"
#include "core/codec/out.h"
#include "core/moment.h"
#include "tools/lib/files.h"
#include "tools/lib/rows.h"
#include "tools/lib/say.h"
#include "tools/lib/send.h"
#include "worker/kafka.h"

/* The event with another time; as it is when it is no event, or its time is no time. Borrowed from the arena. */
static struct wm_text at_time(struct wm_text line, int64_t us, struct wm_arena *arena) {
  struct wm_value event;
  struct wm_error error;
  char moment[WM_MOMENT_SIZE];
  int64_t before_us;
  struct wm_text time = {moment, wm_moment_format(us, moment)};
  if (wm_json_parse(line, arena, &event, &error) < 0 || event.type != WM_OBJECT || event.object.count == 0)
    return line;
  struct wm_member *member = event.object.members, *end = member + event.object.count;
  while (member < end && !wm_text_is(member->name, "time"))
    member++;
  if (member < end && !wm_moment_parse(wm_value_text(&member->value), &before_us))
    return line;
  if (member < end)
    member->value.string = time;
  struct wm_buf json = WM_BUF_INIT;
  wm_value_to_json(&event, &json);
  if (member == end && json.bytes) { /* it had none: in front of the others */
    struct wm_buf with = WM_BUF_INIT;
    wm_buf_printf(&with, "{\"time\":\"%.*s\",%s", WM_TEXT_ARG(time), json.bytes + 1);
    wm_buf_release(&json);
    json = with;
  }
  char *copy = json.failed ? NULL : wm_arena_copy(arena, json.bytes, json.size);
  struct wm_text moved = copy ? (struct wm_text){copy, json.size} : line;
  wm_buf_release(&json);
  return moved;
}

/* User, automation, event and tasks: all that is the same wherever the event stood. */
static char *expectation_text(const struct wm_value *outcome) {
  const struct wm_value *data = wm_value_member(outcome, WM_TEXT("data"));
  const struct wm_value *event = wm_value_member(data, WM_TEXT("event"));
  const struct wm_value *tasks = wm_value_member(data, WM_TEXT("tasks"));
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_text(&buf, wm_value_text(wm_value_member(outcome, WM_TEXT("subject"))));
  wm_buf_add_char(&buf, '\n');
  wm_buf_add_text(&buf, wm_value_text(wm_value_member(data, WM_TEXT("automation"))));
  wm_buf_add_char(&buf, '\n');
  if (event && tasks) {
    wm_value_to_json(event, &buf);
    wm_value_to_json(tasks, &buf);
  }
  if (buf.failed)
    wm_buf_release(&buf);
  return buf.bytes;
}

static int expect_outcome(struct script *script, const struct playing *playing, size_t index) {
  struct wm_value outcome;
  struct wm_error error;
  struct wm_buf json = WM_BUF_INIT;
  wm_execution_to_json(&playing->decoded.event, &playing->decision.executions[index], &json);
  int parsed = wm_json_parse((struct wm_text){json.bytes, json.size}, &script->arena, &outcome, &error);
  wm_buf_release(&json);
  if (script->expectation_count == script->expectation_capacity) {
    size_t capacity = script->expectation_capacity ? 2 * script->expectation_capacity : 64;
    struct expectation *grown = reallocarray(script->expectations, capacity, sizeof *grown);
    if (!grown)
      return -1;
    script->expectations = grown;
    script->expectation_capacity = capacity;
  }
  if (parsed < 0)
    return -1;
  rows_add_outcome(&script->shape, &outcome);
  char *text = expectation_text(&outcome);
  if (text)
    script->expectations[script->expectation_count++] = (struct expectation){.text = text};
  return text ? 0 : -1;
}

/* A rejection makes the table as wide as its type. */
static int expect_rejection(struct script *script, const struct decoded *decoded) {
  struct wm_value failure;
  struct wm_error error;
  struct wm_buf json = WM_BUF_INIT;
  wm_rejection_to_json(&decoded->record, &decoded->rejection, &json);
  int parsed = wm_json_parse((struct wm_text){json.bytes, json.size}, &script->arena, &failure, &error);
  wm_buf_release(&json);
  if (parsed < 0)
    return -1;
  rows_add_rejection(&script->shape, &failure);
  script->rejections++;
  return 0;
}

/* Where the line goes: to the home of its user, an event that can't be read to anywhere. */
static int make_record(struct script *script, struct script_line *line, const struct playing *playing,
                       const struct settings *settings) {
  const struct decoded *decoded = &playing->decoded;
  struct wm_event event = decoded->event;
  if (playing->played == PLAYED_REJECTED)
    event = (struct wm_event){.type = WM_TEXT(""), .id = WM_TEXT(""), .user = decoded->rejection.user};
  if (event.user.bytes) {
    char *copy = wm_arena_copy(&script->arena, event.user.bytes, event.user.size);
    if (!copy)
      return -1;
    event.user.bytes = copy;
  }
  send_record(settings, &event, line->text, NULL, &line->record);
  return 0;
}

static int expect_outcomes(struct script *script, const struct playing *playing) {
  for (size_t i = 0; i < playing->decision.execution_count; i++)
    if (expect_outcome(script, playing, i) < 0)
      return -1;
  return 0;
}

static int add_line(struct script *script, struct wm_text text, const struct settings *settings) {
  struct playing playing;
  struct wm_error error = {0};
  if (script->count == script->capacity) {
    size_t capacity = script->capacity ? 2 * script->capacity : 64;
    struct script_line *grown = reallocarray(script->lines, capacity, sizeof *grown);
    if (!grown)
      return -1;
    script->lines = grown;
    script->capacity = capacity;
  }
  struct script_line *line = &script->lines[script->count];
  *line = (struct script_line){.text = text};
  if (play_line(&script->play, text, &playing, &error) < 0)
    return -1;
  if (playing.played == PLAYED_BLANK)
    return 0;
  script->count++;
  if (playing.played == PLAYED_REJECTED && expect_rejection(script, &playing.decoded) < 0)
    return -1;
  if (expect_outcomes(script, &playing) < 0 || make_record(script, line, &playing, settings) < 0)
    return -1;
  bool more = true;
  while (more)
    if (play_request(&script->play, &playing, &more, &error) < 0 || (more && expect_outcomes(script, &playing) < 0))
      return -1;
  return 0;
}

int script_open(struct script *script, const char *path, const struct loaded *loaded, const struct settings *settings,
                int64_t begin_us, int64_t step_us) {
  struct lines lines;
  *script = (struct script){0};
  wm_arena_init(&script->arena, 0);
  play_init(&script->play, loaded);
  table_init(&script->shape, rows_heads);
  int exit_code = lines_open(&lines, path);
  bool end = false;
  for (int64_t i = 0; exit_code == EXIT_FINE && !end; i++) {
    struct wm_text text;
    exit_code = lines_next(&lines, &text, &end);
    if (exit_code != EXIT_FINE || end)
      break;
    char *copy = wm_arena_copy(&script->arena, text.bytes, text.size);
    if (!copy)
      exit_code = say_memory();
    else if (add_line(script, at_time((struct wm_text){copy, text.size}, begin_us + i * step_us, &script->arena),
                      settings) < 0)
      exit_code = say_memory();
  }
  lines_close(&lines);
  return exit_code;
}

void script_release(struct script *script) {
  for (size_t i = 0; i < script->expectation_count; i++)
    free(script->expectations[i].text);
  free(script->expectations);
  free(script->lines);
  table_release(&script->shape);
  play_release(&script->play);
  wm_arena_release(&script->arena);
}

bool script_take(struct script *script, const struct wm_value *outcome) {
  char *text = expectation_text(outcome);
  bool known = false;
  for (size_t i = 0; text && i < script->expectation_count && !known; i++) {
    struct expectation *expectation = &script->expectations[i];
    known = strcmp(expectation->text, text) == 0;
    expectation->came = expectation->came || known;
  }
  free(text);
  return known;
}

size_t script_missing(const struct script *script) {
  size_t missing = 0;
  for (size_t i = 0; i < script->expectation_count; i++)
    missing += !script->expectations[i].came;
  return missing;
}

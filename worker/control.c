#include "worker/control.h"

#include "core/codec/control.h"
#include "worker/loop.h"

#define PERIOD_US 100000 /* between two looks, once all is known */
#define STEP_RECORDS 1000
#define READ_MS 20
#define DEAF_US 60000000
#define AGAIN_US 500000 /* brokers did not say where the topic ends: asking keeps the loop waiting */

void control_init(struct control *control) {
  *control = (struct control){0};
  wm_running_init(&control->running);
  wm_arena_init(&control->arena, 8192);
}

void control_release(struct control *control) {
  wm_running_release(&control->running);
  wm_arena_release(&control->arena);
}

void control_ask(struct loop *loop) {
  loop->control.known = loop->control.asked = false;
  loop->control.next_us = 0;
}

/* What is known counts on; one line a minute while nothing new can be learned. */
static void say_deaf(struct loop *loop, const struct wm_error *error) {
  struct control *control = &loop->control;
  if (loop_now(loop) < control->deaf_us)
    return;
  control->deaf_us = loop_now(loop) + DEAF_US;
  loop_say_error(loop, LOGGER_WARNING, "the control topic can't be read, what is known of it counts on", error);
}

/* A poison record never stops a worker. */
static void pass_over(struct loop *loop, const struct wm_record *record, const struct wm_error *error) {
  logger_flood(loop->doors.logger, LOGGER_WARNING, loop_wall(loop), "passed over a control record",
               (const struct logger_field[]){{.name = "topic", .text = record->topic},
                                             {.name = "offset", .number = record->offset},
                                             {.name = "code", .text = wm_text_of(wm_code_name(error->code))},
                                             {.name = "error", .text = wm_text_of(error->text)},
                                             {0}});
}

static void say_word(struct loop *loop, const struct wm_running_word *word) {
  static const char *const kinds[WM_RUNNING_KINDS] = {"automation", "role"};
  static const char *const states[WM_RUNNING_KINDS][3] = {{"as written", "on", "off"},
                                                          {"as written", "not archived", "archived"}};
  logger_flood(
      loop->doors.logger, LOGGER_INFO, loop_wall(loop), "control",
      (const struct logger_field[]){{.name = kinds[word->kind], .text = word->name},
                                    {.name = "state", .text = wm_text_of(states[word->kind][word->state])},
                                    {.name = "by", .text = word->by.bytes ? word->by : WM_TEXT("")},
                                    {.name = "reason", .text = word->reason.bytes ? word->reason : WM_TEXT("")},
                                    {0}});
}

static void take(struct loop *loop, const struct wm_record *record) {
  struct control *control = &loop->control;
  struct wm_error error = {0};
  struct wm_running_word word;
  enum wm_control what;
  wm_arena_rewind(&control->arena);
  int taken = wm_control_decode(record, &control->arena, &what, &word, &error);
  if (taken == 0 && what == WM_CONTROL_WORD)
    taken = wm_running_take(&control->running, &word, &error);
  if (taken < 0 && error.code == WM_E_OUT_OF_MEMORY)
    loop_fail(loop, &error);
  else if (taken < 0)
    pass_over(loop, record, &error);
  if (taken > 0 && control->known)
    say_word(loop, &word);
  control->pending |= taken > 0;
}

/* False: not now. */
static bool find_end(struct loop *loop) {
  struct control *control = &loop->control;
  struct wm_error error = {0};
  if (control->asked)
    return true;
  enum log_result result = LOOP_LOG(loop, control_end, &control->end, &error);
  control->asked = result == LOG_DONE;
  if (result == LOG_FATAL)
    loop_fail(loop, &error);
  else if (result != LOG_DONE)
    say_deaf(loop, &error);
  return control->asked;
}

static bool read(struct loop *loop) {
  struct control *control = &loop->control;
  for (int i = 0; i < STEP_RECORDS && loop->phase != LOOP_STOPPED; i++) {
    struct wm_record record;
    struct wm_error error = {0};
    bool wait = !control->known && i == 0 && control->position < control->end;
    enum log_poll polled = LOOP_LOG(loop, control_next, wait ? READ_MS : 0, &record, &control->position, &error);
    if (polled == LOG_BROKEN)
      loop_fail(loop, &error);
    if (polled == LOG_DOWN)
      say_deaf(loop, &error);
    if (polled != LOG_RECORD)
      return false;
    take(loop, &record);
  }
  return true;
}

static void become_known(struct loop *loop) {
  struct control *control = &loop->control;
  control->known = true;
  loop_say(loop, LOGGER_DEBUG, "control is known",
           (const struct logger_field[]){
               {.name = "automations", .number = (int64_t)control->running.lists[WM_RUNNING_AUTOMATION].count},
               {.name = "roles", .number = (int64_t)control->running.lists[WM_RUNNING_ROLE].count},
               {.name = "offset", .number = control->position},
               {0}});
}

bool control_step(struct loop *loop) {
  struct control *control = &loop->control;
  if (loop->phase == LOOP_STOPPED || loop_now(loop) < control->next_us)
    return false;
  bool more = find_end(loop) && read(loop);
  if (control->asked && !control->known && control->position >= control->end)
    become_known(loop);
  if (!more && (control->known || !control->asked))
    control->next_us = loop_now(loop) + (control->asked ? PERIOD_US : AGAIN_US);
  return more || (control->asked && !control->known);
}

bool control_is_followed(const struct loop *loop) {
  return loop->control.known && !loop->control.pending;
}

bool control_apply(struct loop *loop) {
  struct control *control = &loop->control;
  struct wm_overlay overlay;
  struct wm_error error = {0};
  control->pending = false;
  if (wm_workspace_overlay(loop->workspace, &control->running, &overlay, &error) < 0) {
    loop_fail(loop, &error);
    return false;
  }
  if (overlay.automations + overlay.roles > 0)
    loop_say(loop, LOGGER_INFO, "follows control",
             (const struct logger_field[]){{.name = "automations", .number = (int64_t)overlay.automations},
                                           {.name = "roles", .number = (int64_t)overlay.roles},
                                           {.name = "catalogue", .text = loop->workspace->catalogue_digest},
                                           {0}});
  return true;
}

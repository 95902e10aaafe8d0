#include "core/run.h"

#include <stdarg.h>

#include "core/hash.h"

int wm_run_fail(struct wm_run *run, struct wm_outcome *outcome, enum wm_code code, const char *format, ...) {
  char sentence[2 * sizeof(run->error->text)]; /* longer than what fits, so that the cut is made by wm_error_set */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof(sentence), format, arguments);
  va_end(arguments);
  struct wm_error cut;
  wm_error_set(&cut, code, "%s", sentence);
  outcome->result = WM_RESULT_FAILED;
  outcome->code = code;
  return wm_arena_text(run->arena, wm_text_of(cut.text), &outcome->message) < 0 ? wm_error_memory(run->error) : 0;
}

/* Room for one more item in an array of the arena: doubles. NULL: out of memory. */
static void *grow(struct wm_arena *arena, void *items, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity)
    return items;
  size_t wanted = *capacity ? *capacity * 2 : 4;
  void *grown = wm_arena_array(arena, wanted, size);
  if (!grown)
    return NULL;
  if (count > 0)
    memcpy(grown, items, count * size);
  *capacity = wanted;
  return grown;
}

int wm_run_notify(struct wm_run *run, const struct wm_notification *notification) {
  struct wm_decision *decision = run->decision;
  struct wm_notification *items = grow(run->arena, decision->notifications, decision->notification_count,
                                       &run->notification_capacity, sizeof(*items));
  if (!items)
    return wm_error_memory(run->error);
  decision->notifications = items;
  items[decision->notification_count++] = *notification;
  return 0;
}

int wm_run_project(struct wm_run *run, struct wm_role_set *ret) {
  if (wm_project(run->workspace, run->user, run->event->now_us, run->arena, ret) < 0)
    return wm_error_memory(run->error);
  return 0;
}

bool wm_execution_did(const struct wm_execution *execution) {
  for (size_t i = 0; i < execution->count; i++)
    if (execution->outcomes[i].result != WM_RESULT_SKIPPED && execution->outcomes[i].result != WM_RESULT_FAILED)
      return true;
  return false;
}

static bool is_effective(const struct wm_run *run, struct wm_text role) {
  return wm_project_has(run->workspace, run->user, role, run->event->now_us);
}

int wm_run_touch(struct wm_run *run, struct wm_text role, bool before, bool now, const struct wm_clock *clock) {
  for (size_t i = 0; i < run->touch_count; i++)
    if (wm_text_equal(run->touches[i].role, role)) {
      run->touches[i].now = now;
      run->touches[i].clock = *clock;
      return 0;
    }
  struct wm_touch *touches = grow(run->arena, run->touches, run->touch_count, &run->touch_capacity, sizeof(*touches));
  if (!touches)
    return wm_error_memory(run->error);
  run->touches = touches;
  touches[run->touch_count++] = (struct wm_touch){role, before, now, *clock};
  return 0;
}

/* Runs the task and sees what became of its role. */
static int run_task(struct wm_run *run, const struct wm_task *task, struct wm_outcome *outcome) {
  bool tells = run->user && task->type == &wm_change_role;
  bool before = tells && is_effective(run, task->role);
  if (task->type->run(run, task, outcome) < 0)
    return -1;
  if (!tells)
    return 0;
  bool now = outcome->result == WM_RESULT_FAILED ? before : is_effective(run, task->role);
  outcome->effective = now ? WM_EFFECTIVE_YES : WM_EFFECTIVE_NO;
  if (before == now)
    return 0;
  struct wm_clock clock = wm_event_clock(run->event, run->automation, task->sequence);
  return wm_run_touch(run, task->role, before, now, &clock);
}

static void skip_task(struct wm_run *run, const struct wm_task *task, enum wm_code code, struct wm_outcome *outcome) {
  outcome->result = WM_RESULT_SKIPPED;
  outcome->code = code;
  if (run->user && task->type == &wm_change_role)
    outcome->effective = is_effective(run, task->role) ? WM_EFFECTIVE_YES : WM_EFFECTIVE_NO;
}

static int run_tasks(struct wm_run *run, const struct wm_task *tasks, size_t count, enum wm_code skip,
                     struct wm_execution *ret) {
  *ret = (struct wm_execution){.automation = run->automation};
  if (count == 0)
    return 0;
  ret->outcomes = WM_ARENA_ARRAY(run->arena, struct wm_outcome, count);
  if (!ret->outcomes)
    return wm_error_memory(run->error);
  ret->count = count;
  for (size_t i = 0; i < count; i++) {
    struct wm_outcome *outcome = &ret->outcomes[i];
    outcome->task = &tasks[i];
    if (skip != WM_OK)
      skip_task(run, &tasks[i], skip, outcome);
    else if (run_task(run, &tasks[i], outcome) < 0)
      return -1;
    if (outcome->result == WM_RESULT_FAILED && tasks[i].stop_on_failure)
      skip = WM_E_STOPPED;
  }
  return 0;
}

/* The hash of what tells one journey of a user from another (contract 5). */
static int journey_key(struct wm_run *run, uint64_t *ret) {
  static const char *const names[] = {"enrollment", "journey"};
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
    struct wm_text name = wm_text_of(names[i]);
    const struct wm_value *value = wm_value_member(run->event->data, name);
    if (!value || !wm_value_is_scalar(value))
      continue;
    if (value->type == WM_STRING) {
      *ret = wm_hash_pair(name, value->string);
      return 0;
    }
    struct wm_buf json = WM_BUF_INIT;
    wm_value_to_json(value, &json);
    bool failed = json.failed;
    if (!failed)
      *ret = wm_hash_pair(name, (struct wm_text){json.bytes, json.size});
    wm_buf_release(&json);
    return failed ? wm_error_memory(run->error) : 0;
  }
  *ret = wm_hash_pair(WM_TEXT("none"), WM_TEXT(""));
  return 0;
}

static bool has_run(const struct wm_run *run, uint64_t journey) {
  const struct wm_automation *automation = run->automation;
  switch (automation->repeat) {
  case WM_EVERY_EVENT:
    break;
  case WM_ONCE_PER_USER:
    return wm_user_has_run(run->user, automation->name);
  case WM_ONCE_PER_JOURNEY:
    return wm_user_has_run_journey(run->user, automation->name, journey);
  }
  return false;
}

int wm_run_automation(struct wm_run *run, const struct wm_automation *automation, struct wm_execution *ret) {
  run->automation = automation;
  bool counts = run->user && automation->repeat != WM_EVERY_EVENT;
  uint64_t journey = 0;
  if (counts && journey_key(run, &journey) < 0)
    return -1;
  const struct wm_only *only = &run->event->only;
  const struct wm_task *task = only->task ? wm_automation_task(automation, only->sequence) : NULL;
  /* one task again is a rest of a run that there was: 'repeat' is about the whole */
  enum wm_code skip = !task && counts && has_run(run, journey) ? WM_E_ALREADY_RAN : WM_OK;
  if (run_tasks(run, task ? task : automation->tasks, task ? 1 : automation->task_count, skip, ret) < 0)
    return -1;
  if (!counts || !wm_execution_did(ret))
    return 0;
  run->wrote = true;
  return wm_user_mark_run(run->user, automation->name, journey) < 0 ? wm_error_memory(run->error) : 0;
}

int wm_run_request(struct wm_run *run, struct wm_execution *ret) {
  const struct wm_request *request = &run->event->request;
  bool delegation = run->event->event_class == WM_EVENT_DELEGATION;
  struct wm_task *task = WM_ARENA_NEW(run->arena, struct wm_task);
  if (!task)
    return wm_error_memory(run->error);
  task->type = delegation ? &wm_delegate : &wm_change_role;
  task->role = request->role;
  task->to = request->to;
  task->source = request->source;
  task->version = request->version;
  task->action = request->source.bytes ? WM_WITHDRAW : request->add ? WM_ADD : WM_REMOVE;
  task->until_us = request->until_us;
  if (!wm_workspace_role(run->workspace, task->role))
    task->near = wm_workspace_near_role(run->workspace, task->role);
  run->automation = NULL;
  if (run_tasks(run, task, 1, WM_OK, ret) < 0)
    return -1;
  ret->delegation = delegation;
  return 0;
}

#include "worker/account.h"

#include "worker/loop.h"

/* "topic/3/8812" */
static struct wm_text origin_text(const struct wm_origin *origin, char *room, size_t size) {
  int length = snprintf(room, size, "%.*s/%d/%lld", WM_TEXT_ARG(origin->topic), (int)origin->partition,
                        (long long)origin->offset);
  return (struct wm_text){room, (size_t)length < size ? (size_t)length : size - 1};
}

static struct wm_text or_empty(struct wm_text text) {
  return text.bytes ? text : WM_TEXT("");
}

static void tell_failure(const struct loop *loop, const struct batch_item *item, const struct wm_execution *execution,
                         const struct wm_outcome *outcome) {
  char room[320];
  const struct wm_automation *automation = execution->automation;
  logger_flood(
      loop->doors.logger, LOGGER_WARNING, loop_wall(loop), "task failed",
      (const struct logger_field[]){{.name = "code", .text = wm_text_of(wm_code_name(outcome->code))},
                                    {.name = "automation", .text = automation ? automation->name : WM_TEXT("manual")},
                                    {.name = "task", .text = or_empty(outcome->task->name)},
                                    {.name = "sequence", .number = outcome->task->sequence},
                                    {.name = "user", .text = or_empty(item->event.user)},
                                    {.name = "origin", .text = origin_text(&item->event.origin, room, sizeof room)},
                                    {.name = "message", .text = or_empty(outcome->message)},
                                    {0}});
}

/* Nobody asked for a user without any role. */
static void tell_lockout(const struct loop *loop, const struct batch_item *item, const struct wm_execution *execution,
                         const struct wm_outcome *outcome) {
  char room[320];
  const struct wm_automation *automation = execution->automation;
  logger_flood(loop->doors.logger, LOGGER_WARNING, loop_wall(loop), "a removal left no role",
               (const struct logger_field[]){
                   {.name = "user", .text = or_empty(item->event.user)},
                   {.name = "role", .text = outcome->task->role},
                   {.name = "automation", .text = automation ? automation->name : WM_TEXT("manual")},
                   {.name = "sequence", .number = outcome->task->sequence},
                   {.name = "baseline", .text = outcome->baseline.bytes ? outcome->baseline : WM_TEXT("none")},
                   {.name = "origin", .text = origin_text(&item->event.origin, room, sizeof room)},
                   {0}});
}

static void tell_rejection(const struct loop *loop, const struct batch_item *item) {
  char room[320];
  const struct wm_origin origin = {item->record.topic, item->record.partition, item->record.offset};
  logger_flood(loop->doors.logger, LOGGER_WARNING, loop_wall(loop), "event rejected",
               (const struct logger_field[]){{.name = "code", .text = wm_text_of(wm_code_name(item->rejection.code))},
                                             {.name = "reason", .text = or_empty(item->rejection.reason)},
                                             {.name = "origin", .text = origin_text(&origin, room, sizeof room)},
                                             {.name = "message", .text = or_empty(item->rejection.message)},
                                             {0}});
}

static void account_decision(struct loop *loop, const struct batch_item *item) {
  struct loop_counters *counters = &loop->counters;
  switch (item->decision.fate) {
  case WM_FATE_NOTHING:
    counters->nothing++;
    break;
  case WM_FATE_DUPLICATE:
    counters->duplicates++;
    break;
  case WM_FATE_IGNORED:
    counters->ignored++;
    break;
  case WM_FATE_DECIDED:
    counters->decided++;
    break;
  }
  for (size_t i = 0; i < item->decision.execution_count; i++) {
    const struct wm_execution *execution = &item->decision.executions[i];
    for (size_t j = 0; j < execution->count; j++) {
      counters->tasks[execution->outcomes[j].result]++;
      if (execution->outcomes[j].result == WM_RESULT_FAILED)
        tell_failure(loop, item, execution, &execution->outcomes[j]);
      if (execution->outcomes[j].lockout) {
        counters->lockouts++;
        tell_lockout(loop, item, execution, &execution->outcomes[j]);
      }
    }
  }
}

void account_batch(struct loop *loop) {
  const struct batch *batch = &loop->batch;
  struct loop_counters *counters = &loop->counters;
  counters->batches++;
  counters->events += batch->events;
  counters->empty += batch->empty;
  counters->nothing += batch->nothing;
  counters->ignored += batch->ignored;
  for (size_t i = 0; i < batch->count; i++) {
    if (!batch->items[i].rejected) {
      account_decision(loop, &batch->items[i]);
      continue;
    }
    counters->rejected++;
    tell_rejection(loop, &batch->items[i]);
  }
}

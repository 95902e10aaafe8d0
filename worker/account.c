#include "worker/account.h"

#include "worker/ends.h"
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

static struct wm_text name_of(const struct wm_execution *execution) {
  return execution->automation ? execution->automation->name : WM_TEXT(METRICS_MANUAL);
}

/* The last field of a line about an event; none without a trace. */
static struct logger_field trace_field(const struct wm_trace *trace) {
  struct wm_text id = wm_trace_id(trace);
  return (struct logger_field){.name = id.bytes ? "trace" : NULL, .text = id};
}

static void tell_failure(struct loop *loop, const struct batch_item *item, const struct wm_execution *execution,
                         const struct wm_outcome *outcome) {
  char room[320];
  const struct wm_automation *automation = execution->automation;
  metrics_failure(&loop->metrics, loop_wall(loop), outcome->code, name_of(execution), outcome->task->sequence,
                  origin_text(&item->event.origin, room, sizeof room));
  logger_flood(
      loop->doors.logger, LOGGER_WARNING, loop_wall(loop), "task failed",
      (const struct logger_field[]){{.name = "code", .text = wm_text_of(wm_code_name(outcome->code))},
                                    {.name = "automation", .text = automation ? automation->name : WM_TEXT("manual")},
                                    {.name = "task", .text = or_empty(outcome->task->name)},
                                    {.name = "sequence", .number = outcome->task->sequence},
                                    {.name = "user", .text = or_empty(item->event.user)},
                                    {.name = "origin", .text = origin_text(&item->event.origin, room, sizeof room)},
                                    {.name = "message", .text = or_empty(outcome->message)},
                                    trace_field(&item->event.trace),
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
                   trace_field(&item->event.trace),
                   {0}});
}

static void tell_rejection(struct loop *loop, const struct batch_item *item) {
  char room[320];
  const struct wm_origin origin = {item->record.topic, item->record.partition, item->record.offset};
  metrics_failure(&loop->metrics, loop_wall(loop), item->rejection.code, WM_NO_TEXT, 0,
                  origin_text(&origin, room, sizeof room));
  logger_flood(loop->doors.logger, LOGGER_WARNING, loop_wall(loop), "event rejected",
               (const struct logger_field[]){{.name = "code", .text = wm_text_of(wm_code_name(item->rejection.code))},
                                             {.name = "reason", .text = or_empty(item->rejection.reason)},
                                             {.name = "origin", .text = origin_text(&origin, room, sizeof room)},
                                             {.name = "message", .text = or_empty(item->rejection.message)},
                                             trace_field(&item->rejection.trace),
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
  loop->metrics.notifications += item->decision.notification_count;
  metrics_changed(&loop->metrics, item->decision.changes, item->decision.change_count);
  for (size_t i = 0; i < item->decision.execution_count; i++) {
    const struct wm_execution *execution = &item->decision.executions[i];
    for (size_t j = 0; j < execution->count; j++) {
      counters->tasks[execution->outcomes[j].result]++;
      metrics_outcome(&loop->metrics, name_of(execution), &execution->outcomes[j]);
      if (execution->outcomes[j].result == WM_RESULT_FAILED)
        tell_failure(loop, item, execution, &execution->outcomes[j]);
      if (execution->outcomes[j].lockout) {
        counters->lockouts++;
        tell_lockout(loop, item, execution, &execution->outcomes[j]);
      }
    }
  }
}

static void observe_age(struct metrics_histogram *histogram, int64_t wall_us, int64_t timestamp_ms) {
  if (timestamp_ms >= 0)
    metrics_observe(histogram, metrics_bounds_us, wall_us - timestamp_ms * 1000);
}

static void measure(struct loop *loop) {
  const struct batch *batch = &loop->batch;
  struct metrics *metrics = &loop->metrics;
  int64_t wall_us = loop_wall(loop);
  metrics_observe(&metrics->batch_events, metrics_bounds_events, (int64_t)batch->events);
  metrics_observe(&metrics->batch_us, metrics_bounds_us, loop_now(loop) - batch->began_us);
  for (size_t i = 0; i < batch->count; i++)
    observe_age(&metrics->commit_lag, wall_us, batch->items[i].record.timestamp_ms);
  for (size_t i = 0; i < batch->unknown_count; i++)
    metrics_unknown(metrics, batch->unknown[i]->name);
  metrics_changed(metrics, batch->told, batch->told_count);
}

int account_unknown(struct batch *batch, const struct wm_automation *const *items, size_t count) {
  size_t needed = batch->unknown_count + count;
  if (needed > batch->unknown_capacity) {
    const struct wm_automation **larger = reallocarray(batch->unknown, needed * 2, sizeof *larger);
    if (!larger)
      return -1;
    batch->unknown = larger;
    batch->unknown_capacity = needed * 2;
  }
  for (size_t i = 0; i < count; i++)
    batch->unknown[batch->unknown_count++] = items[i];
  return 0;
}

int account_told(struct batch *batch, const struct ends *ends) {
  size_t needed = batch->told_count + ends->count;
  if (needed > batch->told_capacity) {
    struct wm_change *larger = reallocarray(batch->told, needed * 2, sizeof *larger);
    if (!larger)
      return -1;
    batch->told = larger;
    batch->told_capacity = needed * 2;
  }
  for (size_t i = 0; i < ends->count; i++)
    batch->told[batch->told_count++] = ends->changes[i];
  return 0;
}

void account_sent(struct loop *loop) {
  const struct batch *batch = &loop->batch;
  struct awaited *awaited = &loop->awaited;
  size_t needed = awaited->count + batch->count;
  if (needed > awaited->capacity) {
    int64_t *larger = reallocarray(awaited->timestamps_ms, needed * 2, sizeof *larger);
    if (!larger) /* then they are not measured */
      return;
    awaited->timestamps_ms = larger;
    awaited->capacity = needed * 2;
  }
  for (size_t i = 0; i < batch->count; i++)
    if (batch->items[i].decision.user)
      awaited->timestamps_ms[awaited->count++] = batch->items[i].record.timestamp_ms;
}

void account_applied(struct loop *loop) {
  struct awaited *awaited = &loop->awaited;
  int64_t wall_us = loop_wall(loop);
  for (size_t i = 0; i < awaited->count; i++)
    observe_age(&loop->metrics.redis_lag, wall_us, awaited->timestamps_ms[i]);
  awaited->count = 0;
}

void account_batch(struct loop *loop) {
  const struct batch *batch = &loop->batch;
  struct loop_counters *counters = &loop->counters;
  counters->batches++;
  counters->events += batch->events;
  counters->empty += batch->empty;
  counters->nothing += batch->nothing;
  counters->ignored += batch->ignored;
  measure(loop);
  for (size_t i = 0; i < batch->count; i++) {
    if (!batch->items[i].rejected) {
      account_decision(loop, &batch->items[i]);
      continue;
    }
    counters->rejected++;
    tell_rejection(loop, &batch->items[i]);
  }
}

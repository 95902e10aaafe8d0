#include "core/codec/write.h"
#include "worker/expose.h"

const struct metrics_failure *expose_failure(const struct snapshot *snapshot, size_t index) {
  const struct metrics *metrics = &snapshot->metrics;
  if (index >= METRICS_RECENT || index >= metrics->recent_count)
    return NULL;
  return &metrics->recent[(metrics->recent_count - 1 - index) % METRICS_RECENT];
}

static void write_checks(const struct expose *expose, struct wm_buf *buf) {
  struct expose_check found[EXPOSE_CHECKS];
  bool fine;
  size_t count = expose_checks(expose, EXPOSE_READY, found, &fine);
  wm_write_boolean(buf, WM_KEY("ready"), fine);
  wm_write_string(buf, WM_KEY("state"), expose_state(expose));
  wm_write_open(buf, WM_KEY("checks"), '[');
  for (size_t i = 0; i < count; i++) {
    wm_write_open(buf, WM_NO_KEY, '{');
    wm_write_string(buf, WM_KEY("name"), found[i].name);
    wm_write_boolean(buf, WM_KEY("ok"), !found[i].trouble);
    if (found[i].trouble)
      wm_write_string(buf, WM_KEY("trouble"), found[i].trouble);
    wm_write_close(buf, '}');
  }
  wm_write_close(buf, ']');
}

static void write_counters(const struct snapshot *snapshot, struct wm_buf *buf) {
  const struct loop_counters *counters = &snapshot->counters;
  wm_write_open(buf, WM_KEY("events"), '{');
  wm_write_integer(buf, WM_KEY("read"), (int64_t)counters->events);
  wm_write_integer(buf, WM_KEY("decided"), (int64_t)counters->decided);
  wm_write_integer(buf, WM_KEY("nothing"), (int64_t)counters->nothing);
  wm_write_integer(buf, WM_KEY("duplicate"), (int64_t)counters->duplicates);
  wm_write_integer(buf, WM_KEY("ignored"), (int64_t)counters->ignored);
  wm_write_integer(buf, WM_KEY("rejected"), (int64_t)counters->rejected);
  wm_write_integer(buf, WM_KEY("empty"), (int64_t)counters->empty);
  wm_write_close(buf, '}');
  wm_write_open(buf, WM_KEY("tasks"), '{');
  for (int result = 0; result <= WM_RESULT_FAILED; result++) {
    wm_write_name(buf, wm_text_of(wm_result_name((enum wm_result)result)));
    wm_write_integer(buf, WM_NO_KEY, (int64_t)counters->tasks[result]);
  }
  wm_write_close(buf, '}');
  wm_write_integer(buf, WM_KEY("lockouts"), (int64_t)counters->lockouts);
}

static void write_codes(const struct metrics *metrics, struct wm_buf *buf) {
  wm_write_open(buf, WM_KEY("codes"), '{');
  for (size_t code = 0; code < WM_CODE_COUNT; code++) {
    if (metrics->failures[code] == 0)
      continue;
    wm_write_name(buf, wm_text_of(wm_code_name((enum wm_code)code)));
    wm_write_integer(buf, WM_NO_KEY, (int64_t)metrics->failures[code]);
  }
  wm_write_close(buf, '}');
}

static void write_histogram(struct wm_buf *buf, const char *name, const struct metrics_histogram *histogram) {
  wm_write_name(buf, wm_text_of(name));
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_integer(buf, WM_KEY("sum-us"), (int64_t)histogram->sum);
  wm_write_open(buf, WM_KEY("counts"), '[');
  for (size_t i = 0; i <= METRICS_BUCKETS; i++)
    wm_write_integer(buf, WM_NO_KEY, (int64_t)histogram->counts[i]);
  wm_write_close(buf, ']');
  wm_write_close(buf, '}');
}

static void write_times(const struct metrics *metrics, struct wm_buf *buf) {
  wm_write_open(buf, WM_KEY("transactions"), '{');
  for (size_t i = 0; i < METRICS_TRANSACTIONS; i++) {
    wm_write_name(buf, wm_text_of(metrics_transactions[i]));
    wm_write_integer(buf, WM_NO_KEY, (int64_t)metrics->transactions[i]);
  }
  wm_write_close(buf, '}');
  wm_write_open(buf, WM_KEY("times"), '{');
  wm_write_open(buf, WM_KEY("bounds-us"), '[');
  for (size_t i = 0; i < METRICS_BUCKETS; i++)
    wm_write_integer(buf, WM_NO_KEY, metrics_bounds_us[i]);
  wm_write_close(buf, ']');
  write_histogram(buf, "commit-latency", &metrics->commit_lag);
  write_histogram(buf, "redis-latency", &metrics->redis_lag);
  write_histogram(buf, "batch", &metrics->batch_us);
  write_histogram(buf, "commit", &metrics->transactions_us);
  write_histogram(buf, "redis-fetch", &metrics->redis_us);
  wm_write_close(buf, '}');
}

static void write_partitions(const struct snapshot *snapshot, struct wm_buf *buf) {
  wm_write_open(buf, WM_KEY("partitions"), '{');
  for (int state = PARTITION_FOREIGN; state <= PARTITION_LIVE; state++) {
    wm_write_name(buf, wm_text_of(expose_partition_state((enum partition_state)state)));
    wm_write_integer(buf, WM_NO_KEY, (int64_t)snapshot->partitions[state]);
  }
  wm_write_close(buf, '}');
  if (snapshot->lag >= 0)
    wm_write_integer(buf, WM_KEY("lag"), snapshot->lag);
  wm_write_integer(buf, WM_KEY("stuck-us"), snapshot->stuck_us);
  wm_write_integer(buf, WM_KEY("unapplied"), snapshot->unapplied);
  wm_write_integer(buf, WM_KEY("unprojected"), (int64_t)snapshot->unprojected);
  wm_write_open(buf, WM_KEY("lags"), '[');
  for (size_t i = 0; i < snapshot->lag_count; i++) {
    const struct snapshot_lag *lag = &snapshot->lags[i];
    wm_write_open(buf, WM_NO_KEY, '{');
    wm_write_text(buf, WM_KEY("topic"), lag->topic);
    wm_write_integer(buf, WM_KEY("partition"), lag->partition);
    wm_write_string(buf, WM_KEY("state"), expose_partition_state(lag->state));
    if (lag->records >= 0)
      wm_write_integer(buf, WM_KEY("lag"), lag->records);
    wm_write_close(buf, '}');
  }
  wm_write_close(buf, ']');
}

static void write_drift(const struct snapshot *snapshot, struct wm_buf *buf) {
  wm_write_open(buf, WM_KEY("drift"), '{');
  wm_write_integer(buf, WM_KEY("users"), (int64_t)snapshot->drift_users);
  wm_write_integer(buf, WM_KEY("checked"), (int64_t)snapshot->counters.drift_checked);
  wm_write_integer(buf, WM_KEY("rounds"), (int64_t)snapshot->drift_rounds);
  wm_write_close(buf, '}');
}

static void write_failures(const struct snapshot *snapshot, struct wm_buf *buf) {
  const struct metrics_failure *failure;
  wm_write_open(buf, WM_KEY("failures"), '[');
  for (size_t i = 0; (failure = expose_failure(snapshot, i)); i++) {
    wm_write_open(buf, WM_NO_KEY, '{');
    wm_write_moment(buf, WM_KEY("time"), failure->wall_us);
    wm_write_string(buf, WM_KEY("code"), wm_code_name(failure->code));
    if (failure->automation[0]) {
      wm_write_string(buf, WM_KEY("automation"), failure->automation);
      wm_write_integer(buf, WM_KEY("sequence"), failure->sequence);
    }
    wm_write_string(buf, WM_KEY("origin"), failure->origin);
    wm_write_close(buf, '}');
  }
  wm_write_close(buf, ']');
}

void expose_json(const struct expose *expose, struct wm_buf *ret) {
  const struct snapshot *snapshot = expose->snapshot;
  wm_write_open(ret, WM_NO_KEY, '{');
  wm_write_string(ret, WM_KEY("worker"), expose->worker->instance);
  wm_write_string(ret, WM_KEY("group"), expose->worker->group);
  wm_write_string(ret, WM_KEY("delivery"), expose->worker->exactly_once ? "exactly-once" : "at-least-once");
  wm_write_string(ret, WM_KEY("version"), WAYMARK_VERSION);
  write_checks(expose, ret);
  if (snapshot) {
    wm_write_moment(ret, WM_KEY("time"), snapshot->wall_us);
    wm_write_string(ret, WM_KEY("workspace"), snapshot->workspace);
    wm_write_string(ret, WM_KEY("catalogue"), snapshot->catalogue);
    wm_write_integer(ret, WM_KEY("automations"), (int64_t)snapshot->automations);
    wm_write_integer(ret, WM_KEY("roles"), (int64_t)snapshot->roles);
    if (snapshot->paused < METRICS_PAUSES)
      wm_write_string(ret, WM_KEY("paused"), metrics_pauses[snapshot->paused].word);
    if (snapshot->metrics.reload_failed)
      wm_write_boolean(ret, WM_KEY("reload-refused"), true);
    write_counters(snapshot, ret);
    write_codes(&snapshot->metrics, ret);
    write_times(&snapshot->metrics, ret);
    write_partitions(snapshot, ret);
    write_drift(snapshot, ret);
    write_failures(snapshot, ret);
  }
  wm_write_close(ret, '}');
  wm_write_end(ret);
  wm_buf_add_char(ret, '\n');
}

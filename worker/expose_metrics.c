/* Prometheus' text format: each family with its HELP and TYPE, its samples below it. */
#include <inttypes.h>

#include "worker/expose.h"

struct writer {
  struct wm_buf *buf;
  const char *family;
};

static void family(struct writer *writer, const char *name, const char *type, const char *help) {
  writer->family = name;
  wm_buf_printf(writer->buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A backslash, a quote and a line break have to be escaped; labels are names, codes, topics and settings. */
static void add_value(struct wm_buf *buf, struct wm_text text) {
  for (size_t i = 0; i < text.size; i++) {
    char c = text.bytes[i];
    if (c == '\\' || c == '"')
      wm_buf_add_char(buf, '\\');
    if (c == '\n')
      wm_buf_add_string(buf, "\\n");
    else
      wm_buf_add_char(buf, c);
  }
}

#define LABELS 3
struct label {
  const char *name; /* NULL: no more */
  struct wm_text value;
};

static void begin_sample(struct writer *writer, const char *suffix, const struct label *labels) {
  wm_buf_add_string(writer->buf, writer->family);
  wm_buf_add_string(writer->buf, suffix);
  for (size_t i = 0; i < LABELS && labels[i].name; i++) {
    wm_buf_printf(writer->buf, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
    add_value(writer->buf, labels[i].value);
    wm_buf_add_char(writer->buf, '"');
  }
  wm_buf_add_string(writer->buf, labels[0].name ? "} " : " ");
}

static void sample(struct writer *writer, int64_t value, const struct label labels[LABELS]) {
  begin_sample(writer, "", labels);
  wm_buf_add_integer(writer->buf, value);
  wm_buf_add_char(writer->buf, '\n');
}
#define LABEL(label, text)                                                                                             \
  { (label), wm_text_of(text) }
#define SAMPLE(writer, value, ...) sample((writer), (int64_t)(value), (const struct label[LABELS]){__VA_ARGS__})

/* A family of one sample without labels. */
static void single(struct writer *writer, const char *name, const char *type, int64_t value, const char *help) {
  family(writer, name, type, help);
  SAMPLE(writer, value, {NULL, WM_NO_TEXT});
}

static void add_seconds(struct wm_buf *buf, uint64_t us) {
  char room[48];
  int size = snprintf(room, sizeof room, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
  while (room[size - 1] == '0')
    size--;
  if (room[size - 1] == '.')
    size--;
  wm_buf_add(buf, room, (size_t)size);
}

/* Microseconds as seconds, or a plain number: without zeros at the end, as a label has to be the same for ever. */
static void add_number(struct wm_buf *buf, uint64_t value, bool seconds) {
  if (seconds)
    add_seconds(buf, value);
  else
    wm_buf_printf(buf, "%" PRIu64, value);
}

static void histogram(struct writer *writer, const char *name, const struct metrics_histogram *from,
                      const int64_t bounds[METRICS_BUCKETS], const char *help) {
  bool seconds = bounds == metrics_bounds_us;
  uint64_t total = 0;
  family(writer, name, "histogram", help);
  for (size_t i = 0; i < METRICS_BUCKETS; i++) {
    total += from->counts[i];
    wm_buf_printf(writer->buf, "%s_bucket{le=\"", name);
    add_number(writer->buf, (uint64_t)bounds[i], seconds);
    wm_buf_printf(writer->buf, "\"} %" PRIu64 "\n", total);
  }
  total += from->counts[METRICS_BUCKETS];
  wm_buf_printf(writer->buf, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, total, name);
  add_number(writer->buf, from->sum, seconds);
  wm_buf_printf(writer->buf, "\n%s_count %" PRIu64 "\n", name, total);
}

/* --- what is said --- */

static void write_info(struct writer *writer, const struct expose *expose) {
  const struct expose_worker *worker = expose->worker;
  family(writer, "waymark_build_info", "gauge", "The version of the program.");
  SAMPLE(writer, 1, LABEL("version", WAYMARK_VERSION));
  family(writer, "waymark_worker_info", "gauge", "Who this is: setting 'instance', consumer group, delivery.");
  SAMPLE(writer, 1, LABEL("worker", worker->instance), LABEL("group", worker->group),
         LABEL("delivery", worker->exactly_once ? "exactly-once" : "at-least-once"));
}

static void write_state(struct writer *writer, const struct expose *expose) {
  const struct snapshot *snapshot = expose->snapshot;
  struct expose_check found[EXPOSE_CHECKS];
  bool ready;
  expose_checks(expose, EXPOSE_READY, found, &ready);
  single(writer, "waymark_ready", "gauge", ready, "1: as /readyz says, 0: not ready.");
  if (!snapshot)
    return;
  single(writer, "waymark_standby", "gauge", snapshot->spare,
         "1: there are more workers than partitions, this one waits.");
  family(writer, "waymark_workspace_info", "gauge", "Digests of the workspace and of the roles as they are followed.");
  SAMPLE(writer, 1, LABEL("digest", snapshot->workspace), LABEL("catalogue", snapshot->catalogue));
  single(writer, "waymark_workspace_automations", "gauge", (int64_t)snapshot->automations,
         "Automations of the workspace.");
  single(writer, "waymark_workspace_roles", "gauge", (int64_t)snapshot->roles, "Roles of the workspace.");
  family(writer, "waymark_reloads_total", "counter", "Workspaces read again after SIGHUP, by what became of them.");
  SAMPLE(writer, snapshot->counters.reloads, LABEL("result", "taken"));
  SAMPLE(writer, snapshot->metrics.reloads_refused, LABEL("result", "refused"));
  single(writer, "waymark_reload_failed", "gauge", snapshot->metrics.reload_failed,
         "1: the last reload was refused, the workspace before it counts on.");
  single(writer, "waymark_control_offset", "gauge", snapshot->control_offset,
         "Offset of the control topic up to which it was read.");
  family(writer, "waymark_paused", "gauge", "1: nothing is decided, for this reason.");
  for (size_t i = 0; i < METRICS_PAUSES; i++)
    SAMPLE(writer, snapshot->paused == (enum metrics_pause)i, LABEL("reason", metrics_pauses[i].word));
  family(writer, "waymark_pauses_total", "counter", "How often it was paused, by reason.");
  for (size_t i = 0; i < METRICS_PAUSES; i++)
    SAMPLE(writer, snapshot->metrics.pauses[i], LABEL("reason", metrics_pauses[i].word));
}

static void write_role(struct writer *writer, const struct metrics_role *role) {
  SAMPLE(writer, role->gained, LABEL("role", role->name), LABEL("move", "gained"));
  SAMPLE(writer, role->lost, LABEL("role", role->name), LABEL("move", "lost"));
}

static void write_events(struct writer *writer, const struct snapshot *snapshot) {
  const struct loop_counters *counters = &snapshot->counters;
  family(writer, "waymark_events_total", "counter",
         "Records read from the input topics, by what became of them; their sum is what was read.");
  SAMPLE(writer, counters->decided, LABEL("fate", "decided"));
  SAMPLE(writer, counters->nothing, LABEL("fate", "nothing"));
  SAMPLE(writer, counters->duplicates, LABEL("fate", "duplicate"));
  SAMPLE(writer, counters->ignored, LABEL("fate", "ignored"));
  SAMPLE(writer, counters->rejected, LABEL("fate", "rejected"));
  SAMPLE(writer, counters->empty, LABEL("fate", "empty"));
  single(writer, "waymark_dead_letters_total", "counter", (int64_t)counters->rejected,
         "Rejected events: records on the topics that end with .dlq.");
  family(writer, "waymark_failures_total", "counter",
         "Failed tasks and rejected events, by code: records on the failures topic.");
  for (int code = WM_E_EVENT_OVERSIZE; code <= WM_E_TEMPLATE_FAILED; code++)
    SAMPLE(writer, snapshot->metrics.failures[code], LABEL("code", wm_code_name((enum wm_code)code)));
  family(writer, "waymark_role_changes_total", "counter",
         "Effective roles gained or lost, by cause: records on the changes topic.");
  for (size_t cause = 0; cause < METRICS_CAUSES; cause++)
    SAMPLE(writer, snapshot->metrics.changes[cause], LABEL("cause", wm_cause_name((enum wm_cause)cause)));
  family(writer, "waymark_role_moves_total", "counter",
         "Users who gained or lost an effective role, by role ('_other': beyond 500 roles).");
  for (size_t i = 0; i < snapshot->metrics.role_count; i++)
    write_role(writer, &snapshot->metrics.roles[i]);
  write_role(writer, &snapshot->metrics.roles[METRICS_ROLES]);
  single(writer, "waymark_notifications_total", "counter", (int64_t)snapshot->metrics.notifications,
         "Records on the notifications topic.");
  single(writer, "waymark_lockouts_total", "counter", (int64_t)counters->lockouts,
         "Removals that left a user without any effective role, or with the baseline alone.");
}

static void write_row(struct writer *writer, const struct metrics_row *row) {
  for (size_t type = 0; type < METRICS_TASK_TYPES; type++) {
    if (!row->has[type])
      continue;
    for (size_t result = 0; result < METRICS_RESULTS; result++)
      if (row->tasks[type][result] > 0 || result == WM_RESULT_FAILED)
        SAMPLE(writer, row->tasks[type][result], LABEL("automation", row->name), LABEL("type", metrics_task_type(type)),
               LABEL("result", wm_result_name((enum wm_result)result)));
  }
}

static void write_automations(struct writer *writer, const struct snapshot *snapshot) {
  const struct metrics *metrics = &snapshot->metrics;
  const struct metrics_row *others = &metrics->rows[METRICS_AUTOMATIONS + 1];
  family(writer, "waymark_tasks_total", "counter",
         "Tasks that were decided, by automation ('manual': requests, '_other': beyond 500 automations), type and "
         "result.");
  for (size_t i = 0; i < metrics->row_count; i++)
    write_row(writer, &metrics->rows[i]);
  write_row(writer, others);
  family(
      writer, "waymark_automation_unknown_total", "counter",
      "Events for which the conditions of the automation could not be told, as far as they were asked: a lower bound "
      "where more than some thousand events a second come.");
  for (size_t i = 1; i < metrics->row_count; i++)
    SAMPLE(writer, metrics->rows[i].unknown, LABEL("automation", metrics->rows[i].name));
  if (others->unknown > 0)
    SAMPLE(writer, others->unknown, LABEL("automation", others->name));
}

static void write_times(struct writer *writer, const struct snapshot *snapshot) {
  const struct metrics *metrics = &snapshot->metrics;
  histogram(writer, "waymark_commit_latency_seconds", &metrics->commit_lag, metrics_bounds_us,
            "From the timestamp of an event's record to the end of the batch that decided it.");
  histogram(writer, "waymark_redis_latency_seconds", &metrics->redis_lag, metrics_bounds_us,
            "From the timestamp of an event's record until this worker saw Redis acknowledge the register.");
  histogram(writer, "waymark_batch_events", &metrics->batch_events, metrics_bounds_events, "Records of a batch.");
  histogram(writer, "waymark_batch_seconds", &metrics->batch_us, metrics_bounds_us,
            "From the first record of a batch to its end.");
  histogram(writer, "waymark_commit_seconds", &metrics->transactions_us, metrics_bounds_us,
            "Time that the loop spends waiting for one commit.");
  family(writer, "waymark_transactions_total", "counter",
         "Transactions by result; uncertain: nobody answered the commit.");
  for (size_t i = 0; i < METRICS_TRANSACTIONS; i++)
    SAMPLE(writer, metrics->transactions[i], LABEL("result", metrics_transactions[i]));
  single(writer, "waymark_producer_recycles_total", "counter", (int64_t)snapshot->counters.recycles,
         "Producers made anew, after a commit without an answer.");
  histogram(writer, "waymark_redis_fetch_seconds", &metrics->redis_us, metrics_bounds_us,
            "Asking Redis for the registers of a batch, or where it stands: round trips.");
}

static void write_partitions(struct writer *writer, const struct snapshot *snapshot) {
  family(writer, "waymark_partitions", "gauge",
         "Partition numbers by state: live ones are decided, behind: Redis catches up, split: the group gave some "
         "topics to "
         "somebody else, foreign: another worker's.");
  for (int state = PARTITION_FOREIGN; state <= PARTITION_LIVE; state++)
    SAMPLE(writer, snapshot->partitions[state], LABEL("state", expose_partition_state((enum partition_state)state)));
  family(writer, "waymark_lag_records", "gauge",
         "Records of all input partitions of this worker that are not committed yet; stands still while paused.");
  if (snapshot->lag >= 0)
    SAMPLE(writer, snapshot->lag, {NULL, WM_NO_TEXT});
  family(writer, "waymark_stuck_seconds", "gauge",
         "Longest time that a live partition with records that wait has not moved; 0: none stands still.");
  begin_sample(writer, "", (const struct label[LABELS]){{NULL, WM_NO_TEXT}});
  add_seconds(writer->buf, (uint64_t)snapshot->stuck_us);
  wm_buf_add_char(writer->buf, '\n');
  family(writer, "waymark_partition_lag_records", "gauge",
         "The same for each input partition of this worker, up to 1000 of them.");
  for (size_t i = 0; i < snapshot->lag_count; i++) {
    const struct snapshot_lag *lag = &snapshot->lags[i];
    char number[16];
    snprintf(number, sizeof number, "%d", (int)lag->partition);
    if (lag->records >= 0)
      SAMPLE(writer, lag->records, {"topic", lag->topic}, LABEL("partition", number));
  }
}

static void write_redis(struct writer *writer, const struct snapshot *snapshot) {
  single(writer, "waymark_redis_up", "gauge", !snapshot->redis_is_down, "0: the last call of Redis failed.");
  single(writer, "waymark_kafka_up", "gauge", !snapshot->kafka_is_down, "0: no broker could be reached lately.");
  single(writer, "waymark_apply_lag_records", "gauge", snapshot->unapplied,
         "Records of the users topic that Redis has not acknowledged yet.");
  single(writer, "waymark_catch_ups_total", "counter", (int64_t)snapshot->counters.catch_ups,
         "Partitions for which Redis was brought to where the log is.");
  single(writer, "waymark_caught_up_registers_total", "counter", (int64_t)snapshot->counters.caught_up,
         "Registers that were written to Redis for that.");
  single(writer, "waymark_projection_pending_partitions", "gauge", (int64_t)snapshot->unprojected,
         "Live partitions whose role sets do not all follow the present catalogue yet.");
  single(writer, "waymark_projection_left_records", "gauge", snapshot->projection_left,
         "Records of the users topic that are left to project in the partition at work.");
}

static void write_drift(struct writer *writer, const struct snapshot *snapshot) {
  single(writer, "waymark_role_drift", "gauge", (int64_t)snapshot->drift_users,
         "Users of this worker whose roles or register in Redis are not what the log says, as far as the background "
         "sample has found them.");
  single(writer, "waymark_role_drift_checked_total", "counter", (int64_t)snapshot->counters.drift_checked,
         "Users that the background sample has compared with the log.");
  single(writer, "waymark_role_drift_found_total", "counter", (int64_t)snapshot->counters.drift_found,
         "Users that it has found to differ.");
  single(writer, "waymark_role_drift_rounds_total", "counter", (int64_t)snapshot->drift_rounds,
         "How often it has been through all users of this worker.");
  family(writer, "waymark_role_drift_round_seconds", "gauge", "How long the last round took.");
  if (snapshot->drift_rounds > 0) {
    begin_sample(writer, "", (const struct label[LABELS]){{NULL, WM_NO_TEXT}});
    add_seconds(writer->buf, (uint64_t)snapshot->drift_round_us);
    wm_buf_add_char(writer->buf, '\n');
  }
}

void expose_metrics(const struct expose *expose, struct wm_buf *ret) {
  struct writer writer = {.buf = ret};
  write_info(&writer, expose);
  write_state(&writer, expose);
  if (!expose->snapshot)
    return;
  write_events(&writer, expose->snapshot);
  write_automations(&writer, expose->snapshot);
  write_times(&writer, expose->snapshot);
  write_partitions(&writer, expose->snapshot);
  write_redis(&writer, expose->snapshot);
  write_drift(&writer, expose->snapshot);
}

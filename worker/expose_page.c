/* The page: plain HTML that needs nothing else; it loads itself anew every five seconds. */
#include "core/moment.h"
#include "worker/expose.h"

static void add_escaped(struct wm_buf *buf, struct wm_text text) {
  static const struct {
    char c;
    const char *entity;
  } entities[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
  for (size_t i = 0; i < text.size; i++) {
    const char *entity = NULL;
    for (size_t e = 0; e < sizeof entities / sizeof *entities; e++)
      if (entities[e].c == text.bytes[i])
        entity = entities[e].entity;
    if (entity)
      wm_buf_add_string(buf, entity);
    else
      wm_buf_add_char(buf, text.bytes[i]);
  }
}

static void add_cell(struct wm_buf *buf, struct wm_text text) {
  wm_buf_add_string(buf, "<td>");
  add_escaped(buf, text);
  wm_buf_add_string(buf, "</td>");
}

static void add_number(struct wm_buf *buf, int64_t number) {
  if (number < 0)
    wm_buf_add_string(buf, "<td class=n>?</td>");
  else
    wm_buf_printf(buf, "<td class=n>%lld</td>", (long long)number);
}

static void add_row(struct wm_buf *buf, const char *name, struct wm_text text) {
  wm_buf_printf(buf, "<tr><th scope=row>%s</th>", name);
  add_cell(buf, text);
  wm_buf_add_string(buf, "</tr>\n");
}

static void add_count(struct wm_buf *buf, const char *name, int64_t number) {
  wm_buf_printf(buf, "<tr><th scope=row>%s</th>", name);
  add_number(buf, number);
  wm_buf_add_string(buf, "</tr>\n");
}

static void begin_table(struct wm_buf *buf, const char *title, const char *heads) {
  wm_buf_printf(buf, "<h2>%s</h2>\n<table>\n%s", title, heads);
}

static void end_table(struct wm_buf *buf) {
  wm_buf_add_string(buf, "</table>\n");
}

static void add_head(const struct expose *expose, struct wm_buf *buf) {
  wm_buf_add_string(buf, "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<title>");
  add_escaped(buf, wm_text_of(expose->worker->instance));
  wm_buf_add_string(
      buf,
      " – Waymark</title>\n<meta http-equiv=refresh content=5>\n"
      "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n<style>\n"
      "body{font:15px/1.45 system-ui,sans-serif;margin:1.5em auto;max-width:60em;padding:0 1em;color-scheme:light "
      "dark}\n"
      "h1{font-size:1.4em}h2{font-size:1.1em;margin:1.6em 0 .4em}\n"
      "table{border-collapse:collapse}th,td{padding:.15em .8em .15em 0;text-align:left;vertical-align:top}\n"
      "th{font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#c22}.good{color:#282}\n"
      "</style>\n</head>\n<body>\n");
}

static void add_state(const struct expose *expose, struct wm_buf *buf) {
  struct expose_check found[EXPOSE_CHECKS];
  bool fine;
  size_t count = expose_checks(expose, EXPOSE_READY, found, &fine);
  wm_buf_add_string(buf, "<h1>Waymark worker ");
  add_escaped(buf, wm_text_of(expose->worker->instance));
  wm_buf_printf(buf, ": <span class=%s>%s</span></h1>\n", fine ? "good" : "bad", expose_state(expose));
  begin_table(buf, "Ready", "<tr><th scope=col>check</th><th scope=col>says</th></tr>\n");
  for (size_t i = 0; i < count; i++)
    wm_buf_printf(buf, "<tr><td>%s</td><td class=%s>%s</td></tr>\n", found[i].name, found[i].trouble ? "bad" : "good",
                  found[i].trouble ? found[i].trouble : "ok");
  end_table(buf);
}

static void add_worker(const struct expose *expose, struct wm_buf *buf) {
  const struct snapshot *snapshot = expose->snapshot;
  begin_table(buf, "Worker", "");
  add_row(buf, "version", WM_TEXT(WAYMARK_VERSION));
  add_row(buf, "group", wm_text_of(expose->worker->group));
  add_row(buf, "delivery", wm_text_of(expose->worker->exactly_once ? "exactly-once" : "at-least-once"));
  if (snapshot) {
    char room[WM_MOMENT_SIZE];
    add_row(buf, "as of", (struct wm_text){room, wm_moment_format(snapshot->wall_us, room)});
    add_row(buf, "workspace", wm_text_of(snapshot->workspace));
    add_row(buf, "catalogue", wm_text_of(snapshot->catalogue));
    add_count(buf, "automations", (int64_t)snapshot->automations);
    add_count(buf, "roles", (int64_t)snapshot->roles);
    if (snapshot->paused < METRICS_PAUSES)
      add_row(buf, "paused because of", wm_text_of(metrics_pauses[snapshot->paused].reason));
  }
  end_table(buf);
}

static void add_work(const struct snapshot *snapshot, struct wm_buf *buf) {
  const struct loop_counters *counters = &snapshot->counters;
  begin_table(buf, "Since it was started", "");
  add_count(buf, "events read", (int64_t)counters->events);
  add_count(buf, "events decided", (int64_t)counters->decided);
  add_count(buf, "events that no automation takes", (int64_t)counters->nothing);
  add_count(buf, "duplicates", (int64_t)counters->duplicates);
  add_count(buf, "rejected events", (int64_t)counters->rejected);
  for (int result = 0; result <= WM_RESULT_FAILED; result++)
    if (counters->tasks[result] > 0 || result == WM_RESULT_FAILED) {
      char name[64];
      snprintf(name, sizeof name, "tasks %s", wm_result_name((enum wm_result)result));
      add_count(buf, name, (int64_t)counters->tasks[result]);
    }
  add_count(buf, "removals that left no role", (int64_t)counters->lockouts);
  end_table(buf);
}

static void add_partitions(const struct snapshot *snapshot, struct wm_buf *buf) {
  begin_table(buf, "Partitions", "");
  for (int state = PARTITION_LIVE; state >= PARTITION_FOREIGN; state--)
    add_count(buf, expose_partition_state((enum partition_state)state), (int64_t)snapshot->partitions[state]);
  add_count(buf, "records that wait, in all", snapshot->lag);
  add_count(buf, "registers that Redis has not acknowledged", snapshot->unapplied);
  add_count(buf, "partitions that do not follow the catalogue yet", (int64_t)snapshot->unprojected);
  add_count(buf, "users whom Redis does not have as the log does", (int64_t)snapshot->drift_users);
  end_table(buf);
  if (snapshot->lag_count == 0)
    return;
  begin_table(buf, "Lag",
              "<tr><th scope=col>topic</th><th scope=col>partition</th><th scope=col>state</th>"
              "<th scope=col>records that wait</th></tr>\n");
  for (size_t i = 0; i < snapshot->lag_count; i++) {
    const struct snapshot_lag *lag = &snapshot->lags[i];
    wm_buf_add_string(buf, "<tr>");
    add_cell(buf, lag->topic);
    add_number(buf, lag->partition);
    add_cell(buf, wm_text_of(expose_partition_state(lag->state)));
    add_number(buf, lag->records);
    wm_buf_add_string(buf, "</tr>\n");
  }
  end_table(buf);
}

static void add_failures(const struct snapshot *snapshot, struct wm_buf *buf) {
  const struct metrics_failure *failure;
  if (!expose_failure(snapshot, 0)) {
    wm_buf_add_string(buf, "<h2>Last failures</h2>\n<p>none since it was started</p>\n");
    return;
  }
  begin_table(
      buf, "Last failures",
      "<tr><th scope=col>time</th><th scope=col>code</th><th scope=col>automation</th><th scope=col>sequence</th>"
      "<th scope=col>topic/partition/offset</th></tr>\n");
  for (size_t i = 0; (failure = expose_failure(snapshot, i)); i++) {
    char room[WM_MOMENT_SIZE];
    wm_buf_add_string(buf, "<tr>");
    add_cell(buf, (struct wm_text){room, wm_moment_format(failure->wall_us - failure->wall_us % WM_SECOND_US, room)});
    add_cell(buf, wm_text_of(wm_code_name(failure->code)));
    add_cell(buf, wm_text_of(failure->automation[0] ? failure->automation : "(event rejected)"));
    if (failure->automation[0])
      add_number(buf, failure->sequence);
    else
      add_cell(buf, WM_TEXT(""));
    add_cell(buf, wm_text_of(failure->origin));
    wm_buf_add_string(buf, "</tr>\n");
  }
  end_table(buf);
}

void expose_page(const struct expose *expose, struct wm_buf *ret) {
  add_head(expose, ret);
  add_state(expose, ret);
  add_worker(expose, ret);
  if (expose->snapshot) {
    add_work(expose->snapshot, ret);
    add_failures(expose->snapshot, ret);
    add_partitions(expose->snapshot, ret);
  }
  wm_buf_add_string(ret,
                    "<p>Also here: <a href=metrics>metrics</a>, <a href=\"readyz?verbose\">readyz</a>, "
                    "<a href=livez>livez</a>, <a href=startupz>startupz</a>, <a href=status.json>status.json</a></p>\n"
                    "</body>\n</html>\n");
}

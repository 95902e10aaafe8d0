/* The page: plain HTML that needs nothing else; it loads itself anew every five seconds, unless it is asked to be
 * still. */
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

/* A text of any length and without blanks perhaps: it is broken wherever the line ends. */
static void add_cell(struct wm_buf *buf, struct wm_text text) {
  wm_buf_add_string(buf, "<td class=t>");
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
  wm_buf_printf(buf, "<table>\n<caption><h2>%s</h2></caption>\n%s", title, heads);
}

static void end_table(struct wm_buf *buf) {
  wm_buf_add_string(buf, "</table>\n");
}

static void add_head(const struct expose *expose, bool still, struct wm_buf *buf) {
  wm_buf_add_string(buf, "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<title>");
  add_escaped(buf, wm_text_of(expose->worker->instance));
  wm_buf_printf(buf, ": %s – Waymark</title>\n", expose_state(expose));
  if (!still)
    wm_buf_add_string(buf, "<meta http-equiv=refresh content=5>\n");
  wm_buf_add_string(
      buf,
      "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n<style>\n"
      ":root{color-scheme:light dark;--bad:#b11;--good:#171;--line:#ccc}\n"
      "@media(prefers-color-scheme:dark){:root{--bad:#f88;--good:#8d8;--line:#444}}\n"
      "body{font:15px/1.45 system-ui,sans-serif;margin:1em auto;max-width:60em;padding:0 1em}\n"
      "main{display:flex;flex-wrap:wrap;align-items:flex-start;gap:0 4em}h1,p,.wide{flex-basis:100%}\n"
      "h1{font-size:1.4em;margin:.4em 0}h2{font-size:1.1em;margin:1.2em 0 .3em;text-align:left}p{margin:.2em 0}\n"
      "table{border-collapse:collapse}tr{border-top:1px solid var(--line)}\n"
      "th,td{padding:.15em .8em .15em 0;text-align:left;vertical-align:top;font-weight:400}\n"
      "th[scope=col]{font-weight:600}td:last-child,th:last-child{padding-right:0}\n"
      ".bad{color:var(--bad)}.good{color:var(--good)}h1,.t{overflow-wrap:anywhere}\n"
      "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\n"
      /* Failures are too wide for a telephone: one below the other, their heads only for those who hear them. */
      "@media(max-width:40em){.wide tr{display:block;padding:.2em 0}.wide td{display:inline-block;padding:0 .8em 0 0}"
      ".wide tr:first-of-type{border:0;padding:0}.wide td.n::before{content:'sequence '}"
      ".wide th{position:absolute;width:1px;height:1px;padding:0;overflow:hidden}}\n"
      "</style>\n</head>\n<body>\n<main>\n");
}

static void add_state(const struct expose *expose, bool still, struct wm_buf *buf) {
  const struct snapshot *snapshot = expose->snapshot;
  struct expose_check found[EXPOSE_CHECKS];
  bool fine;
  size_t count = expose_checks(expose, EXPOSE_READY, found, &fine);
  wm_buf_add_string(buf, "<h1>Waymark worker ");
  add_escaped(buf, wm_text_of(expose->worker->instance));
  wm_buf_printf(buf, ": <span class=%s>%s</span></h1>\n", fine ? "good" : "bad", expose_state(expose));
  if (snapshot && snapshot->paused < METRICS_PAUSES)
    wm_buf_printf(buf, "<p class=bad>Nothing is decided, because of: %s</p>\n",
                  metrics_pauses[snapshot->paused].reason);
  if (snapshot && snapshot->metrics.reload_failed)
    wm_buf_add_string(buf, "<p class=bad>The last reload was refused: the workspace before it counts on, the log says "
                           "why</p>\n");
  wm_buf_add_string(buf, "<p>");
  if (snapshot) {
    char room[WM_MOMENT_SIZE];
    size_t size = wm_moment_format(snapshot->wall_us - snapshot->wall_us % WM_SECOND_US, room);
    wm_buf_printf(buf, "As of %.*s. ", (int)size, room);
  }
  wm_buf_add_string(buf, still ? "This page stays as it is: <a href=\"./\">load it anew every five seconds</a></p>\n"
                               : "Loaded anew every five seconds: <a href=\"?still\">keep it still</a></p>\n");
  begin_table(buf, "Checks", "<tr><th scope=col>check</th><th scope=col>says</th></tr>\n");
  for (size_t i = 0; i < count; i++)
    wm_buf_printf(buf, "<tr><th scope=row>%s</th><td class=%s>%s</td></tr>\n", found[i].name,
                  found[i].trouble ? "bad" : "good", found[i].trouble ? found[i].trouble : "ok");
  end_table(buf);
}

static void add_worker(const struct expose *expose, struct wm_buf *buf) {
  const struct snapshot *snapshot = expose->snapshot;
  begin_table(buf, "Worker", "");
  add_row(buf, "version", WM_TEXT(WAYMARK_VERSION));
  add_row(buf, "group", wm_text_of(expose->worker->group));
  add_row(buf, "delivery", wm_text_of(expose->worker->exactly_once ? "exactly-once" : "at-least-once"));
  if (snapshot) {
    add_row(buf, "workspace", wm_text_of(snapshot->workspace));
    add_row(buf, "catalogue", wm_text_of(snapshot->catalogue));
    wm_buf_printf(buf, "<tr><th scope=row>automations</th><td>%zu</td></tr>\n", snapshot->automations);
    wm_buf_printf(buf, "<tr><th scope=row>roles</th><td>%zu</td></tr>\n", snapshot->roles);
  }
  end_table(buf);
}

static void add_work(const struct snapshot *snapshot, struct wm_buf *buf) {
  const struct loop_counters *counters = &snapshot->counters;
  begin_table(buf, "Since it was started", "");
  add_count(buf, "events read", (int64_t)counters->events);
  add_count(buf, "events decided", (int64_t)counters->decided);
  add_count(buf, "events that no automation takes", (int64_t)counters->nothing);
  add_count(buf, "events of kinds that are ignored", (int64_t)counters->ignored);
  add_count(buf, "events without a value", (int64_t)counters->empty);
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
  add_count(buf, "seconds that an input with lag has stood still", snapshot->stuck_us / WM_SECOND_US);
  add_count(buf, "registers that Redis has not acknowledged", snapshot->unapplied);
  add_count(buf, "partitions that do not follow the catalogue yet", (int64_t)snapshot->unprojected);
  add_count(buf, "users whom Redis does not have as the log does", (int64_t)snapshot->drift_users);
  end_table(buf);
}

static void add_lags(const struct snapshot *snapshot, struct wm_buf *buf) {
  if (snapshot->lag_count == 0)
    return;
  begin_table(buf, "Lag by partition",
              "<tr><th scope=col>topic</th><th scope=col class=n>partition</th><th scope=col>state</th>"
              "<th scope=col class=n>records that wait</th></tr>\n");
  for (size_t i = 0; i < snapshot->lag_count; i++) {
    const struct snapshot_lag *lag = &snapshot->lags[i];
    wm_buf_add_string(buf, "<tr>");
    add_cell(buf, lag->topic);
    add_number(buf, lag->partition);
    wm_buf_printf(buf, "<td>%s</td>", expose_partition_state(lag->state));
    add_number(buf, lag->records);
    wm_buf_add_string(buf, "</tr>\n");
  }
  end_table(buf);
  if (snapshot->lag_count == SNAPSHOT_LAGS)
    wm_buf_printf(buf, "<p>more than %d are not shown</p>\n", SNAPSHOT_LAGS);
}

static void add_failure(const struct metrics_failure *failure, struct wm_buf *buf) {
  char room[WM_MOMENT_SIZE];
  size_t size = wm_moment_format(failure->wall_us - failure->wall_us % WM_SECOND_US, room);
  wm_buf_printf(buf, "<tr><td>%.*s</td><td>%s<br><small>", (int)size, room, wm_code_name(failure->code));
  add_escaped(buf, wm_text_of(wm_code_sentence(failure->code)));
  wm_buf_add_string(buf, "</small></td>");
  add_cell(buf, wm_text_of(failure->automation[0] ? failure->automation : "(event rejected)"));
  if (failure->automation[0])
    add_number(buf, failure->sequence);
  else
    add_cell(buf, WM_TEXT(""));
  add_cell(buf, wm_text_of(failure->origin));
  wm_buf_add_string(buf, "</tr>\n");
}

static void add_failures(const struct snapshot *snapshot, struct wm_buf *buf) {
  const struct metrics_failure *failure;
  if (!expose_failure(snapshot, 0)) {
    wm_buf_add_string(buf, "<h2 class=wide>Last failures</h2>\n<p>none since it was started</p>\n");
    return;
  }
  wm_buf_add_string(buf, "<section class=wide>\n");
  begin_table(buf, "Last failures",
              "<tr><th scope=col>time</th><th scope=col>code</th><th scope=col>automation</th>"
              "<th scope=col class=n>sequence</th><th scope=col>topic/partition/offset</th></tr>\n");
  for (size_t i = 0; (failure = expose_failure(snapshot, i)); i++)
    add_failure(failure, buf);
  end_table(buf);
  wm_buf_add_string(buf, "</section>\n");
}

void expose_page(const struct expose *expose, bool still, struct wm_buf *ret) {
  add_head(expose, still, ret);
  add_state(expose, still, ret);
  if (expose->snapshot) {
    add_partitions(expose->snapshot, ret);
    add_failures(expose->snapshot, ret);
    add_work(expose->snapshot, ret);
  }
  add_worker(expose, ret);
  if (expose->snapshot)
    add_lags(expose->snapshot, ret);
  wm_buf_add_string(ret,
                    "<p><br>Also here: <a href=metrics>metrics</a>, <a href=\"readyz?verbose\">readyz</a>, "
                    "<a href=livez>livez</a>, <a href=startupz>startupz</a>, <a href=status.json>status.json</a></p>\n"
                    "</main>\n</body>\n</html>\n");
}

/* waymark replay list|status|pause|resume|cancel: what the control topic knows of runs, and words to them. */
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/lib/table.h"
#include "tools/lib/ways.h"
#include "tools/replay/replay_control.h"
#include "tools/requests/asker.h"

static void cell_time(struct table *table, int64_t us) {
  struct wm_buf text = WM_BUF_INIT;
  if (us)
    show_time(us, &text);
  table_text(table, STYLE_PLAIN, (struct wm_text){text.bytes ? text.bytes : "", text.size});
  wm_buf_release(&text);
}

static void add_member(struct wm_buf *line, const char *name, struct wm_text text) {
  if (!text.bytes)
    return;
  wm_buf_printf(line, ",\"%s\":", name);
  wm_buf_add_json(line, text);
}

static void tell_json(const struct replay_run *run) {
  struct wm_buf line = WM_BUF_INIT;
  char started[WM_MOMENT_SIZE], moved[WM_MOMENT_SIZE];
  wm_moment_format(run->started_us, started);
  wm_moment_format(run->time_us, moved);
  wm_buf_add_string(&line, "{\"run\":");
  wm_buf_add_json(&line, run->name);
  wm_buf_printf(&line,
                ",\"state\":\"%s\",\"sent\":%zu,\"planned\":%zu,\"notify\":%s,\"started\":\"%s\",\"moved\":\"%s\"",
                replay_run_state(run), run->sent, run->planned, run->notify ? "true" : "false", started, moved);
  add_member(&line, "topic", run->topic);
  add_member(&line, "plan", run->plan);
  add_member(&line, "by", run->by);
  add_member(&line, "reason", run->reason);
  add_member(&line, "asked-by", run->asked_by);
  add_member(&line, "asked-reason", run->asked_reason);
  printf("%s}\n", line.bytes ? line.bytes : "");
  wm_buf_release(&line);
}

static void tell_row(struct table *table, const struct replay_run *run) {
  table_text(table, STYLE_PLAIN, run->name);
  table_cell(table, run->done ? STYLE_GOOD : STYLE_WARN, "%s", replay_run_state(run));
  table_cell(table, STYLE_PLAIN, "%zu of %zu", run->sent, run->planned);
  cell_time(table, run->started_us);
  cell_time(table, run->time_us);
  table_text(table, STYLE_PLAIN, run->by.bytes ? run->by : WM_TEXT(""));
  table_text(table, STYLE_PLAIN, run->reason.bytes ? run->reason : WM_TEXT(""));
}

static int unknown(const char *name) {
  return say(EXIT_BAD_NEWS, "the control topic knows no run '%s': waymark replay list", name);
}

/* Of one run, or of all. */
static int tell_runs(const struct invocation *invocation, const char *name) {
  static const char *const heads[] = {"run", "state", "sent", "started", "moved", "by", "reason", NULL};
  struct loaded loaded;
  struct replay_runs runs;
  struct table table;
  replay_runs_init(&runs);
  table_init(&table, heads);
  int exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = replay_runs_read(&loaded.settings, &runs);
  if (exit_code == EXIT_FINE && name && !replay_runs_find(&runs, wm_text_of(name)))
    exit_code = unknown(name);
  for (size_t i = 0; i < runs.count && exit_code == EXIT_FINE; i++) {
    if (name && !wm_text_is(runs.items[i].name, name))
      continue;
    if (options_has(&invocation->options, "json"))
      tell_json(&runs.items[i]);
    else
      tell_row(&table, &runs.items[i]);
  }
  table_print(&table, stdout);
  table_release(&table);
  replay_runs_release(&runs);
  files_unload(&loaded);
  return exit_code;
}

int replay_list_run(const struct invocation *invocation) {
  return tell_runs(invocation, NULL);
}

int replay_status_run(const struct invocation *invocation) {
  return tell_runs(invocation, options_argument(&invocation->options, WAY_FIRST));
}

/* --- words --- */

static int check_ask(const struct replay_runs *runs, const char *name, enum replay_ask ask) {
  const struct replay_run *run = replay_runs_find(runs, wm_text_of(name));
  if (!run || !run->begun)
    return unknown(name);
  if (run->done || run->ask == ASK_CANCEL)
    return say(EXIT_BAD_NEWS, "the run '%s' is %s", name, replay_run_state(run));
  if (ask == ASK_RESUME && run->ask != ASK_PAUSE)
    return say(
        EXIT_BAD_NEWS,
        "the run '%s' was not paused; if its process has ended, 'replay apply' with the same plan and --run goes on",
        name);
  return EXIT_FINE;
}

static int ask_run(const struct invocation *invocation, enum replay_ask ask, const char *question, const char *done) {
  const struct options *options = &invocation->options;
  const char *name = options_argument(options, WAY_FIRST), *reason = options_value(options, "reason");
  char by[ASKER_SIZE], asked[200];
  struct loaded loaded = {0};
  struct replay_runs runs;
  if (asker_reason(options, "the run") != EXIT_FINE)
    return EXIT_USAGE;
  replay_runs_init(&runs);
  int exit_code = asker_read(options, by);
  if (exit_code == EXIT_FINE)
    exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = replay_runs_read(&loaded.settings, &runs);
  if (exit_code == EXIT_FINE)
    exit_code = check_ask(&runs, name, ask);
  snprintf(asked, sizeof asked, "%s '%s'?", question, name);
  if (exit_code == EXIT_FINE && !options_has(options, "yes") && !say_ask(asked))
    exit_code = say(EXIT_BAD_NEWS, "nothing was said");
  if (exit_code == EXIT_FINE)
    exit_code = replay_ask_send(&loaded.settings, wm_text_of(name), ask, by, reason);
  if (exit_code == EXIT_FINE)
    printf("%s: %s\n", name, done);
  replay_runs_release(&runs);
  files_unload(&loaded);
  return exit_code;
}

int replay_pause_run(const struct invocation *invocation) {
  return ask_run(invocation, ASK_PAUSE, "Pause", "it rests within a second or two; what was sent is decided");
}

int replay_resume_run(const struct invocation *invocation) {
  return ask_run(invocation, ASK_RESUME, "Resume",
                 "it goes on; if its process has ended, call 'replay apply' with the same plan and --run");
}

int replay_cancel_run(const struct invocation *invocation) {
  return ask_run(invocation, ASK_CANCEL, "Cancel", "nothing more is sent; what was sent is decided and stays");
}

#include "tools/lib/show.h"

enum style show_result_style(enum wm_result result) {
  static const enum style styles[SHOW_RESULTS] = {
      [WM_RESULT_CHANGED] = STYLE_GOOD,   [WM_RESULT_UNCHANGED] = STYLE_DIM, [WM_RESULT_SUPERSEDED] = STYLE_WARN,
      [WM_RESULT_REQUESTED] = STYLE_NOTE, [WM_RESULT_SKIPPED] = STYLE_DIM,   [WM_RESULT_SUPPRESSED] = STYLE_DIM,
      [WM_RESULT_HELD] = STYLE_WARN,      [WM_RESULT_FAILED] = STYLE_BAD,
  };
  return (size_t)result < SHOW_RESULTS ? styles[result] : STYLE_PLAIN;
}

void show_task_subject(const struct wm_task *task, struct wm_buf *buf) {
  if (task->type == &wm_change_role) {
    static const char *const names[] = {[WM_ADD] = "add", [WM_REMOVE] = "remove", [WM_WITHDRAW] = "withdraw"};
    wm_buf_printf(buf, "%s %.*s", names[task->action], WM_TEXT_ARG(task->role));
    if (task->source.bytes)
      wm_buf_printf(buf, " of %.*s", WM_TEXT_ARG(task->source));
  } else if (task->type == &wm_delegate) {
    wm_buf_printf(buf, "hand %.*s on to %.*s", WM_TEXT_ARG(task->role), WM_TEXT_ARG(task->to));
  } else {
    wm_buf_add_text(buf, task->channel);
    wm_buf_add_string(buf, " to ");
    wm_buf_add_text(buf, task->to.bytes ? task->to : WM_TEXT("user"));
  }
}

void show_outcome_note(const struct wm_outcome *outcome, struct wm_buf *buf) {
  const char *between = "";
  if (outcome->code != WM_OK) {
    wm_buf_printf(buf, "%s", wm_code_name(outcome->code));
    between = ": ";
  }
  if (outcome->message.bytes) {
    wm_buf_printf(buf, "%s%.*s", between, WM_TEXT_ARG(outcome->message));
    between = "; ";
  }
  for (size_t i = 0; i < outcome->dropped.count; i++) {
    wm_buf_printf(buf, "%s%s%.*s", i ? ", " : between, i ? "" : "took the grants of ",
                  WM_TEXT_ARG(outcome->dropped.sources[i]));
    between = "; ";
  }
  if (outcome->lockout)
    wm_buf_printf(buf, "%sno role is left", between);
  if (outcome->baseline.bytes)
    wm_buf_printf(buf, " but %.*s", WM_TEXT_ARG(outcome->baseline));
}

void show_time(int64_t us, struct wm_buf *buf) {
  char text[WM_MOMENT_SIZE];
  size_t size = wm_moment_format(us - us % WM_SECOND_US, text);
  if (size > 19) {
    text[10] = ' ';
    size = 19;
  }
  wm_buf_add(buf, text, size);
}

const char *const show_outcome_heads[] = {"TIME", "USER", "RESULT", "WHAT", "AUTOMATION", "TASK", "NOTE", NULL};

static void add_outcome(struct table *table, const struct wm_event *event, const struct wm_automation *automation,
                        const struct wm_outcome *outcome) {
  struct wm_buf buf = WM_BUF_INIT;
  show_time(event->time_us, &buf);
  table_text(table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
  table_text(table, STYLE_PLAIN, event->user.bytes ? event->user : WM_TEXT("–"));
  table_cell(table, show_result_style(outcome->result), "%s", wm_result_name(outcome->result));
  wm_buf_clear(&buf);
  show_task_subject(outcome->task, &buf);
  table_text(table, STYLE_PLAIN, (struct wm_text){buf.bytes, buf.size});
  table_text(table, STYLE_PLAIN, automation ? automation->name : WM_TEXT("(by hand)"));
  table_text(table, STYLE_PLAIN, outcome->task->name.bytes ? outcome->task->name : WM_TEXT("–"));
  wm_buf_clear(&buf);
  show_outcome_note(outcome, &buf);
  table_text(table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
  wm_buf_release(&buf);
}

void show_execution(struct table *table, const struct wm_event *event, const struct wm_execution *execution) {
  for (size_t i = 0; i < execution->count; i++)
    add_outcome(table, event, execution->automation, &execution->outcomes[i]);
}

bool show_descriptions(const struct wm_workspace *workspace, const bool *which, const char *before) {
  static const char *const heads[] = {"AUTOMATION", "DESCRIPTION", NULL};
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    if (!automation->description.size || (which && !which[i]))
      continue;
    table_text(&table, STYLE_PLAIN, automation->name);
    table_text(&table, STYLE_DIM, automation->description);
  }
  bool any = table_rows(&table) > 0;
  fputs(any ? before : "", stdout);
  table_print(&table, stdout);
  table_release(&table);
  return any;
}

void show_count(struct wm_buf *buf, size_t count, const char *word) {
  wm_buf_printf(buf, "%zu %s%s", count, word, count == 1 ? "" : "s");
}

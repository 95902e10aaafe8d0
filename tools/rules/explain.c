#include "tools/rules/explain.h"

#include <stdio.h>

#include "core/codec/out.h"
#include "core/codec/write.h"
#include "tools/lib/show.h"
#include "tools/rules/conditions.h"

static const struct {
  const char *name; /* in JSON */
  const char *text;
  enum style style;
} verdicts[] = {
    [VERDICT_TAKES] = {"takes", "takes it", STYLE_GOOD},
    [VERDICT_OFF] = {"off", "does not take it: it is switched off (enabled: false)", STYLE_DIM},
    [VERDICT_TRIGGER] = {"trigger", "does not take it: it waits for other events", STYLE_DIM},
    [VERDICT_NO] = {"condition", "does not take it: a condition does not hold", STYLE_BAD},
    [VERDICT_UNKNOWN] = {"cannot-tell", "does not take it: a condition cannot tell", STYLE_WARN},
    [VERDICT_DUPLICATE] = {"duplicate", "would take it, but this event was decided before: no task runs", STYLE_WARN},
    [VERDICT_RAN] = {"already-ran", "takes it, but has run already", STYLE_WARN},
};

static const struct wm_execution *find_execution(const struct wm_decision *decision,
                                                 const struct wm_automation *automation) {
  for (size_t i = 0; i < decision->execution_count; i++)
    if (decision->executions[i].automation == automation)
      return &decision->executions[i];
  return NULL;
}

static bool has_run(const struct wm_execution *execution) {
  for (size_t i = 0; execution && i < execution->count; i++)
    if (execution->outcomes[i].code != WM_E_ALREADY_RAN)
      return false;
  return execution && execution->count > 0;
}

static enum verdict judge(const struct wm_automation *automation, const struct wm_scope *scope,
                          const struct wm_decision *decision, const struct wm_execution *execution) {
  if (!automation->enabled)
    return VERDICT_OFF;
  if (!wm_automation_takes(automation, scope->event->type))
    return VERDICT_TRIGGER;
  enum wm_answer answer = wm_condition_answer(&automation->when, scope);
  if (answer != WM_YES)
    return answer == WM_NO ? VERDICT_NO : VERDICT_UNKNOWN;
  if (decision->fate == WM_FATE_DUPLICATE)
    return VERDICT_DUPLICATE;
  return has_run(execution) ? VERDICT_RAN : VERDICT_TAKES;
}

struct explanation explain(const struct wm_automation *automation, const struct wm_scope *scope,
                           const struct wm_decision *decision) {
  struct explanation ret = {.automation = automation, .scope = scope};
  ret.execution = find_execution(decision, automation);
  ret.verdict = judge(automation, scope, decision, ret.execution);
  return ret;
}

static void print_when(const struct explanation *explanation) {
  const struct wm_condition *when = &explanation->automation->when;
  if (when->count == 0) {
    puts("  when: always");
    return;
  }
  puts("  when");
  conditions_print(when, explanation->scope, 4);
}

static bool has_descriptions(const struct wm_execution *execution) {
  for (size_t i = 0; i < execution->count; i++)
    if (execution->outcomes[i].task->description.size)
      return true;
  return false;
}

static void print_tasks(const struct wm_execution *execution) {
  const char *heads[] = {"SEQUENCE", "TASK", "WHAT", "WOULD BE", "NOTE", "DESCRIPTION", NULL};
  bool described = has_descriptions(execution);
  if (!described)
    heads[5] = NULL;
  struct table table;
  struct wm_buf buf = WM_BUF_INIT;
  table_init(&table, heads);
  table.indent = 4;
  for (size_t i = 0; i < execution->count; i++) {
    const struct wm_outcome *outcome = &execution->outcomes[i];
    table_cell(&table, STYLE_PLAIN, "%lld", (long long)outcome->task->sequence);
    table_text(&table, STYLE_PLAIN, outcome->task->name.bytes ? outcome->task->name : WM_TEXT("(by hand)"));
    wm_buf_clear(&buf);
    show_task_subject(outcome->task, &buf);
    table_text(&table, STYLE_PLAIN, (struct wm_text){buf.bytes, buf.size});
    table_cell(&table, show_result_style(outcome->result), "%s", wm_result_name(outcome->result));
    wm_buf_clear(&buf);
    show_outcome_note(outcome, &buf);
    table_text(&table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
    if (described)
      table_text(&table, STYLE_DIM, outcome->task->description);
  }
  puts("  tasks");
  table_print(&table, stdout);
  table_release(&table);
  wm_buf_release(&buf);
}

/* Who switched it off, when and why. */
static void print_word(const struct wm_running_word *word) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_printf(&buf, "  said on the control topic, ");
  show_time(word->time_us, &buf);
  if (word->by.size > 0)
    wm_buf_printf(&buf, ", by %.*s", WM_TEXT_ARG(word->by));
  if (word->reason.size > 0)
    wm_buf_printf(&buf, ": %.*s", WM_TEXT_ARG(word->reason));
  style_print(stdout, STYLE_DIM, "%s", buf.bytes ? buf.bytes : "");
  putchar('\n');
  wm_buf_release(&buf);
}

/* Off by the workspace, unless somebody has said so. */
static const char *text_of(const struct explanation *explanation) {
  if (explanation->verdict == VERDICT_OFF && explanation->word)
    return "does not take it: it was switched off";
  return verdicts[explanation->verdict].text;
}

void explain_print(const struct explanation *explanation) {
  const struct wm_automation *automation = explanation->automation;
  if (automation) {
    style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(automation->name));
    style_print(stdout, verdicts[explanation->verdict].style, " %s", text_of(explanation));
    putchar('\n');
    if (explanation->word)
      print_word(explanation->word);
    if (automation->description.size) {
      style_print(stdout, STYLE_DIM, "  %.*s", WM_TEXT_ARG(automation->description));
      putchar('\n');
    }
    if (explanation->verdict != VERDICT_TRIGGER && explanation->verdict != VERDICT_OFF)
      print_when(explanation);
  }
  if (explanation->execution)
    print_tasks(explanation->execution);
}

void explain_add_waiting(struct table *table, const struct wm_automation *automation) {
  struct wm_buf triggers = WM_BUF_INIT;
  for (size_t i = 0; i < automation->trigger_count; i++)
    wm_buf_printf(&triggers, "%s%.*s", i ? ", " : "", WM_TEXT_ARG(automation->triggers[i]));
  table_text(table, STYLE_DIM, automation->name);
  table_text(table, STYLE_DIM, (struct wm_text){triggers.bytes, triggers.size});
  if (table->columns > 2)
    table_text(table, STYLE_DIM, automation->description);
  wm_buf_release(&triggers);
}

static void word_to_json(const struct wm_running_word *word, struct wm_buf *buf) {
  struct wm_buf said = WM_BUF_INIT;
  wm_write_open(&said, WM_NO_KEY, '{');
  wm_write_string(&said, WM_KEY("state"), word->state == WM_RUNNING_OFF ? "off" : "on");
  wm_write_text(&said, WM_KEY("by"), word->by);
  wm_write_text(&said, WM_KEY("reason"), word->reason);
  wm_write_moment(&said, WM_KEY("time"), word->time_us);
  wm_write_close(&said, '}');
  wm_write_end(&said);
  wm_buf_add_string(buf, ",\"control\":");
  wm_buf_add_text(buf, (struct wm_text){said.bytes, said.size});
  buf->failed |= said.failed;
  wm_buf_release(&said);
}

void explain_to_json(const struct explanation *explanation, struct wm_buf *buf) {
  const struct wm_automation *automation = explanation->automation;
  bool takes = !automation || explanation->verdict == VERDICT_TAKES || explanation->verdict == VERDICT_RAN;
  wm_buf_add_string(buf, "{\"automation\":");
  if (automation)
    wm_buf_add_json(buf, automation->name);
  else
    wm_buf_add_string(buf, "null");
  if (automation && automation->description.size) {
    wm_buf_add_string(buf, ",\"description\":");
    wm_buf_add_json(buf, automation->description);
  }
  wm_buf_printf(buf, ",\"takes\":%s,\"verdict\":\"%s\"", takes ? "true" : "false", verdicts[explanation->verdict].name);
  if (explanation->word)
    word_to_json(explanation->word, buf);
  if (automation && explanation->verdict != VERDICT_TRIGGER && explanation->verdict != VERDICT_OFF) {
    wm_buf_add_string(buf, ",\"when\":");
    conditions_to_json(&automation->when, explanation->scope, buf);
  }
  if (explanation->execution) {
    wm_buf_add_string(buf, ",\"execution\":");
    wm_execution_to_json(explanation->scope->event, explanation->execution, buf);
  }
  wm_buf_add_char(buf, '}');
}

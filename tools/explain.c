#include "tools/explain.h"

#include <stdio.h>

#include "core/codec/out.h"
#include "tools/show.h"

#define VALUE_LIMIT 120 /* bytes of a found value that people see */

static const char *const answers[] = {[WM_NO] = "no", [WM_UNKNOWN] = "cannot tell", [WM_YES] = "yes"};
static const enum style answer_styles[] = {[WM_NO] = STYLE_BAD, [WM_UNKNOWN] = STYLE_WARN, [WM_YES] = STYLE_GOOD};

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

/* A value as JSON, cut where it gets long. */
static void add_value(const struct wm_value *value, struct wm_buf *buf) {
  size_t before = buf->size;
  wm_value_to_json(value, buf);
  if (buf->failed || buf->size - before <= VALUE_LIMIT)
    return;
  size_t size = before + VALUE_LIMIT;
  while (size > before && ((unsigned char)buf->bytes[size] & 0xc0) == 0x80)
    size--;
  buf->size = size;
  wm_buf_add_string(buf, "…");
}

/* What stands at the path, in words. */
static void add_found(const struct wm_value *value, enum wm_answer answer, struct wm_buf *buf) {
  if (!value) {
    wm_buf_add_string(buf, "it is absent");
    return;
  }
  wm_buf_add_string(buf, "found ");
  add_value(value, buf);
  if (answer == WM_UNKNOWN && value->type != WM_NULL)
    wm_buf_add_string(buf, ", which can't be compared");
}

static void print_answer(size_t indent, enum wm_answer answer) {
  printf("%*s", (int)indent, "");
  style_print(stdout, answer_styles[answer], "%s", answers[answer]);
  printf("%*s", (int)(13 - strlen(answers[answer])), "");
}

static void print_test(const struct wm_condition *condition, const struct wm_test *test, const struct wm_scope *scope,
                       size_t indent) {
  const struct wm_value *value = wm_path_get(&condition->path, scope);
  enum wm_answer answer = wm_test_answer(test, value, scope->now_us);
  struct wm_buf operand = WM_BUF_INIT, found = WM_BUF_INIT;
  add_value(&test->operand, &operand);
  add_found(value, answer, &found);
  print_answer(indent, answer);
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(condition->path.written));
  style_print(stdout, STYLE_PLAIN, " %s %s", test->operator->name, operand.bytes ? operand.bytes : "");
  style_print(stdout, STYLE_DIM, "  (%s)", found.bytes ? found.bytes : "");
  putchar('\n');
  wm_buf_release(&operand);
  wm_buf_release(&found);
}

/* The tree, each answer before what it answers. Not deeper than the workspace's 32. */
static void print_condition(const struct wm_condition *condition, const struct wm_scope *scope, size_t indent) {
  static const char *const names[] = {[WM_ALL] = "all of", [WM_ANY] = "any of", [WM_NOT] = "not"};
  while (condition->kind == WM_ALL && condition->count == 1) /* all of one thing is that thing */
    condition = &condition->children[0];
  if (condition->kind == WM_FIELD) {
    for (size_t i = 0; i < condition->test_count; i++)
      print_test(condition, &condition->tests[i], scope, indent);
    return;
  }
  print_answer(indent, wm_condition_answer(condition, scope));
  puts(names[condition->kind]);
  for (size_t i = 0; i < condition->count; i++)
    print_condition(&condition->children[i], scope, indent + 2);
}

static void print_when(const struct explanation *explanation) {
  const struct wm_condition *when = &explanation->automation->when;
  if (when->count == 0) {
    puts("  when: always");
    return;
  }
  puts("  when");
  for (size_t i = 0; i < when->count; i++)
    print_condition(&when->children[i], explanation->scope, 4);
}

static void print_tasks(const struct wm_execution *execution) {
  static const char *const heads[] = {"SEQUENCE", "TASK", "WHAT", "WOULD BE", "NOTE", NULL};
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
  }
  puts("  tasks");
  table_print(&table, stdout);
  table_release(&table);
  wm_buf_release(&buf);
}

void explain_print(const struct explanation *explanation) {
  const struct wm_automation *automation = explanation->automation;
  if (automation) {
    style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(automation->name));
    style_print(stdout, verdicts[explanation->verdict].style, " %s", verdicts[explanation->verdict].text);
    putchar('\n');
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
  wm_buf_release(&triggers);
}

static void add_condition(const struct wm_condition *condition, const struct wm_scope *scope, struct wm_buf *buf) {
  static const char *const names[] = {[WM_ALL] = "all", [WM_ANY] = "any", [WM_NOT] = "not"};
  wm_buf_printf(buf, "{\"answer\":\"%s\"", answers[wm_condition_answer(condition, scope)]);
  if (condition->kind != WM_FIELD) {
    wm_buf_printf(buf, ",\"%s\":[", names[condition->kind]);
    for (size_t i = 0; i < condition->count; i++) {
      wm_buf_add_string(buf, i ? "," : "");
      add_condition(&condition->children[i], scope, buf);
    }
    wm_buf_add_string(buf, "]}");
    return;
  }
  const struct wm_value *value = wm_path_get(&condition->path, scope);
  wm_buf_add_string(buf, ",\"path\":");
  wm_buf_add_json(buf, condition->path.written);
  if (value) {
    wm_buf_add_string(buf, ",\"found\":");
    wm_value_to_json(value, buf);
  }
  wm_buf_add_string(buf, ",\"tests\":[");
  for (size_t i = 0; i < condition->test_count; i++) {
    const struct wm_test *test = &condition->tests[i];
    wm_buf_printf(buf, "%s{\"operator\":\"%s\",\"operand\":", i ? "," : "", test->operator->name);
    wm_value_to_json(&test->operand, buf);
    wm_buf_printf(buf, ",\"answer\":\"%s\"}", answers[wm_test_answer(test, value, scope->now_us)]);
  }
  wm_buf_add_string(buf, "]}");
}

void explain_to_json(const struct explanation *explanation, struct wm_buf *buf) {
  const struct wm_automation *automation = explanation->automation;
  bool takes = !automation || explanation->verdict == VERDICT_TAKES || explanation->verdict == VERDICT_RAN;
  wm_buf_add_string(buf, "{\"automation\":");
  if (automation)
    wm_buf_add_json(buf, automation->name);
  else
    wm_buf_add_string(buf, "null");
  wm_buf_printf(buf, ",\"takes\":%s,\"verdict\":\"%s\"", takes ? "true" : "false", verdicts[explanation->verdict].name);
  if (automation && explanation->verdict != VERDICT_TRIGGER && explanation->verdict != VERDICT_OFF) {
    wm_buf_add_string(buf, ",\"when\":");
    add_condition(&automation->when, explanation->scope, buf);
  }
  if (explanation->execution) {
    wm_buf_add_string(buf, ",\"execution\":");
    wm_execution_to_json(explanation->scope->event, explanation->execution, buf);
  }
  wm_buf_add_char(buf, '}');
}

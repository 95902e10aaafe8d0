#include "tools/rules/test_why.h"

#include "tools/answers/why.h"
#include "tools/lib/show.h"
#include "tools/rules/explain.h"

#define LINES_LIMIT 6   /* for one difference */
#define VALUE_LIMIT 80  /* bytes of a value that was found */
#define REASONS_LIMIT 4 /* conditions of one automation */

/* One difference while it is answered. */
struct answer {
  const struct wm_case_run *run;
  const struct wm_difference *difference;
  struct wm_buf *buf;
  size_t lines;
};

/* --- conditions that did not hold --- */

static void add_value(const struct wm_value *value, struct wm_buf *buf) {
  struct wm_buf json = WM_BUF_INIT;
  wm_value_to_json(value, &json);
  size_t size = json.size > VALUE_LIMIT ? VALUE_LIMIT : json.size;
  while (size > 0 && size < json.size && ((unsigned char)json.bytes[size] & 0xc0) == 0x80)
    size--;
  wm_buf_add(buf, json.bytes ? json.bytes : "", size);
  wm_buf_add_string(buf, size < json.size ? "…" : "");
  wm_buf_release(&json);
}

static void add_test(const struct wm_condition *condition, const struct wm_test *test, const struct wm_scope *scope,
                     struct wm_buf *buf) {
  const struct wm_value *value = wm_path_get(&condition->path, scope);
  enum wm_answer answer = wm_test_answer(test, value, scope->now_us);
  wm_buf_printf(buf, "%.*s %s ", WM_TEXT_ARG(condition->path.written), test->operator->name);
  add_value(&test->operand, buf);
  wm_buf_add_string(buf, answer == WM_YES ? ": yes, " : answer == WM_NO ? ": no, " : ": cannot tell, ");
  wm_buf_add_string(buf, value ? "found " : "it is absent");
  if (value)
    add_value(value, buf);
}

/* The fields that keep 'condition' from giving 'wanted'; 'left' is how many more may be told. */
static void add_reasons(const struct wm_condition *condition, const struct wm_scope *scope, enum wm_answer wanted,
                        size_t *left, struct wm_buf *buf) {
  if (condition->kind == WM_FIELD) {
    for (size_t i = 0; i < condition->test_count; i++) {
      const struct wm_test *test = &condition->tests[i];
      if (*left == 0 || wm_test_answer(test, wm_path_get(&condition->path, scope), scope->now_us) == wanted)
        continue;
      wm_buf_add_string(buf, *left < REASONS_LIMIT ? "; " : "");
      add_test(condition, test, scope, buf);
      --*left;
    }
    return;
  }
  if (condition->kind == WM_NOT)
    wanted = wanted == WM_YES ? WM_NO : WM_YES;
  for (size_t i = 0; i < condition->count; i++)
    if (wm_condition_answer(&condition->children[i], scope) != wanted)
      add_reasons(&condition->children[i], scope, wanted, left, buf);
}

static void add_triggers(const struct wm_automation *automation, struct wm_buf *buf) {
  for (size_t i = 0; i < automation->trigger_count; i++)
    wm_buf_printf(buf, "%s%.*s", i ? ", " : "", WM_TEXT_ARG(automation->triggers[i]));
}

/* --- lines --- */

static bool begin_line(struct answer *answer) {
  if (answer->lines == LINES_LIMIT)
    wm_buf_add_string(answer->buf, "and so on\n");
  return answer->lines++ < LINES_LIMIT;
}

/* What an automation made of an event; tasks are told where they have to do with 'role' (NULL: all). */
static void add_tasks(const struct wm_execution *execution, const struct wm_text *role, struct wm_buf *buf) {
  const char *between = "";
  for (size_t i = 0; i < execution->count; i++) {
    const struct wm_outcome *outcome = &execution->outcomes[i];
    if (role && !wm_text_equal(outcome->task->role, *role))
      continue;
    wm_buf_printf(buf, "%stask %lld %s", between, (long long)outcome->task->sequence, wm_result_name(outcome->result));
    struct wm_buf note = WM_BUF_INIT;
    show_outcome_note(outcome, &note);
    if (note.size)
      wm_buf_printf(buf, " (%.*s)", (int)note.size, note.bytes);
    wm_buf_release(&note);
    between = ", ";
  }
}

static void tell_automation(struct answer *answer, const struct wm_automation *automation,
                            const struct wm_case_moment *moment, const struct wm_text *role) {
  const struct wm_event *event = &moment->event->event;
  struct explanation explanation = explain(automation, &moment->scope, &moment->decision);
  struct wm_buf *buf = answer->buf;
  size_t left = REASONS_LIMIT;
  if (!begin_line(answer))
    return;
  wm_buf_printf(buf, "%.*s, event %.*s: ", WM_TEXT_ARG(automation->name), WM_TEXT_ARG(event->type));
  switch (explanation.verdict) {
  case VERDICT_TAKES:
    wm_buf_add_string(buf, "runs, ");
    if (explanation.execution)
      add_tasks(explanation.execution, role, buf);
    break;
  case VERDICT_OFF:
    wm_buf_add_string(buf, "it is switched off (enabled: false)");
    break;
  case VERDICT_TRIGGER:
    wm_buf_add_string(buf, "it waits for ");
    add_triggers(automation, buf);
    break;
  case VERDICT_NO:
  case VERDICT_UNKNOWN:
    add_reasons(&automation->when, &moment->scope, WM_YES, &left, buf);
    break;
  case VERDICT_DUPLICATE:
    wm_buf_add_string(buf, "this event was decided before, no task runs");
    break;
  case VERDICT_RAN:
    wm_buf_add_string(buf, "it has run already");
    break;
  }
  wm_buf_add_char(buf, '\n');
}

/* All events of the step; 'waiting': those whose type the automation does not take too. */
static void tell_run(struct answer *answer, const struct wm_automation *automation, const struct wm_text *role,
                     bool waiting) {
  for (size_t i = 0; i < answer->run->moment_count; i++) {
    const struct wm_case_moment *moment = &answer->run->moments[i];
    bool takes = wm_automation_takes(automation, moment->event->event.type);
    if (moment->step == answer->difference->step && (takes || waiting))
      tell_automation(answer, automation, moment, role);
  }
}

/* Does it have a task that would have made the role what it is not? */
static bool should(const struct wm_automation *automation, const struct wm_difference *difference) {
  enum wm_action action = difference->held ? WM_REMOVE : WM_ADD;
  for (size_t i = 0; i < automation->task_count; i++) {
    const struct wm_task *task = &automation->tasks[i];
    if (task->type == &wm_change_role && task->action == action && wm_text_equal(task->role, difference->name))
      return true;
  }
  return false;
}

/* Because of what it is held, or kept from being in force. */
static void tell_held(struct answer *answer, struct wm_text name) {
  const struct wm_case_run *run = answer->run;
  const struct wm_role *role = wm_workspace_role(run->workspace, name);
  struct wm_buf why = WM_BUF_INIT;
  if (run->user)
    why_add(role, name, run->user, run->test->steps[answer->difference->step].end_us, &why);
  enum wm_code code = why.size && role ? wm_role_fits(role, run->user) : WM_OK;
  if (why.size && begin_line(answer))
    wm_buf_printf(answer->buf, "%.*s: %.*s%s%s\n", WM_TEXT_ARG(name), (int)why.size, why.bytes,
                  code ? ", but it is not in force: " : "", code ? wm_code_sentence(code) : "");
  wm_buf_release(&why);
}

static void tell_role(struct answer *answer, struct wm_text name) {
  const struct wm_workspace *workspace = answer->run->workspace;
  tell_held(answer, name);
  for (unsigned waiting = 0; waiting < 2 && answer->lines == 0;
       waiting++) /* those that wait only if there is no other */
    for (size_t i = 0; i < workspace->automation_count; i++)
      if (should(&workspace->automations[i], answer->difference))
        tell_run(answer, &workspace->automations[i], &name, waiting);
}

void test_why(const struct wm_case_run *run, const struct wm_difference *difference, struct wm_buf *buf) {
  struct answer answer = {run, difference, buf, 0};
  const struct wm_automation *automation =
      difference->name.bytes ? wm_workspace_automation(run->workspace, difference->name) : NULL;
  switch (difference->about) {
  case WM_ABOUT_ROLE:
    tell_role(&answer, difference->name);
    break;
  case WM_ABOUT_RUN:
    if (automation)
      tell_run(&answer, automation, NULL, true);
    break;
  case WM_ABOUT_TASK:
  case WM_ABOUT_MESSAGES:
  case WM_ABOUT_NOTHING:
    break;
  }
}

/* What a step of a test came to, against what was expected of it. */
#include "core/case.h"

static const char *const held_words[] = {
    [WM_HELD] = "held", [WM_NOT_HELD] = "not held", [WM_GAINED] = "gained", [WM_LOST] = "lost"};

/* One step while it is compared. */
struct compare {
  struct wm_case_run *run;
  const struct wm_case_step *step;
  size_t at;                               /* which step */
  const struct wm_notification **messages; /* of the step, in order */
  size_t message_count;
  bool failed;
};

static struct wm_text keep(struct compare *compare, struct wm_buf *buf) {
  struct wm_text text = WM_NO_TEXT;
  if (buf->failed ||
      wm_arena_text(compare->run->arena, (struct wm_text){buf->bytes ? buf->bytes : "", buf->size}, &text))
    compare->failed = true;
  wm_buf_release(buf);
  return text;
}

static bool holds(const struct wm_role_set *set, struct wm_text role) {
  for (size_t i = 0; i < set->count; i++)
    if (wm_text_equal(set->roles[i]->name, role))
      return true;
  return false;
}

/* Takes the two texts. */
static void differ(struct compare *compare, enum wm_about about, struct wm_place place, struct wm_text name,
                   struct wm_buf *expected, struct wm_buf *actual) {
  struct wm_case_run *run = compare->run;
  struct wm_difference difference = {.about = about, .step = compare->at, .place = place, .name = name};
  difference.held = about == WM_ABOUT_ROLE && holds(&run->after, name);
  difference.expected = keep(compare, expected);
  difference.actual = keep(compare, actual);
  if (run->difference_count == run->difference_capacity) {
    size_t capacity = run->difference_capacity ? 2 * run->difference_capacity : 8;
    struct wm_difference *items = WM_ARENA_ARRAY(run->arena, struct wm_difference, capacity);
    if (!items) {
      compare->failed = true;
      return;
    }
    if (run->difference_count)
      memcpy(items, run->differences, run->difference_count * sizeof(*items));
    run->differences = items;
    run->difference_capacity = capacity;
  }
  run->differences[run->difference_count++] = difference;
}

/* --- roles --- */

static void add_roles(const struct wm_role_set *set, struct wm_buf *buf) {
  for (size_t i = 0; i < set->count; i++)
    wm_buf_printf(buf, "%s%.*s", i ? ", " : "", WM_TEXT_ARG(set->roles[i]->name));
  if (set->count == 0)
    wm_buf_add_string(buf, "none");
}

static bool is_as_expected(const struct wm_expected_role *role, bool before, bool after) {
  switch (role->held) {
  case WM_HELD:
    return after;
  case WM_NOT_HELD:
    return !after;
  case WM_GAINED:
    return after && !before;
  case WM_LOST:
    return before && !after;
  }
  return false;
}

static void compare_role(struct compare *compare, const struct wm_expected_role *role) {
  const struct wm_case_run *run = compare->run;
  struct wm_buf expected = WM_BUF_INIT, actual = WM_BUF_INIT;
  bool known = wm_workspace_role(run->workspace, role->role) != NULL;
  bool before = holds(&run->before, role->role), after = holds(&run->after, role->role);
  if (known && is_as_expected(role, before, after))
    return;
  wm_buf_printf(&expected, "role %.*s %s", WM_TEXT_ARG(role->role), held_words[role->held]);
  if (!known)
    wm_buf_add_string(&actual, "the catalogue has no such role");
  else if (before == after)
    wm_buf_add_string(&actual, after ? "held, before and after" : "not held, before and after");
  else
    wm_buf_add_string(&actual, after ? "gained" : "lost");
  differ(compare, WM_ABOUT_ROLE, role->place, role->role, &expected, &actual);
}

static bool is_listed(const struct wm_expectation *then, struct wm_text role) {
  for (size_t i = 0; i < then->role_count; i++)
    if (then->roles[i].held == WM_HELD && wm_text_equal(then->roles[i].role, role))
      return true;
  return false;
}

/* Roles that are held and stand not in the list of all; those that are missing are told one by one. */
static void compare_all_roles(struct compare *compare) {
  const struct wm_expectation *then = &compare->step->then;
  const struct wm_role_set *after = &compare->run->after;
  for (size_t i = 0; i < after->count; i++) {
    struct wm_buf expected = WM_BUF_INIT, actual = WM_BUF_INIT;
    if (is_listed(then, after->roles[i]->name))
      continue;
    wm_buf_printf(&expected, "no other role than those of the list");
    wm_buf_printf(&actual, "role %.*s held", WM_TEXT_ARG(after->roles[i]->name));
    differ(compare, WM_ABOUT_ROLE, then->all_roles, after->roles[i]->name, &expected, &actual);
  }
}

/* --- automations --- */

static bool is_of(const struct wm_execution *execution, struct wm_text automation) {
  if (!execution->automation)
    return !automation.bytes;
  return automation.bytes && wm_text_equal(execution->automation->name, automation);
}

/* The last execution of an automation in the step. NULL: none. */
static const struct wm_execution *find_execution(const struct compare *compare, struct wm_text automation) {
  const struct wm_execution *found = NULL;
  for (size_t i = 0; i < compare->run->moment_count; i++) {
    const struct wm_case_moment *moment = &compare->run->moments[i];
    for (size_t e = 0; moment->step == compare->at && e < moment->decision.execution_count; e++)
      if (is_of(&moment->decision.executions[e], automation))
        found = &moment->decision.executions[e];
  }
  return found;
}

static bool has_run(const struct compare *compare, struct wm_text automation) {
  for (size_t i = 0; i < compare->run->moment_count; i++) {
    const struct wm_case_moment *moment = &compare->run->moments[i];
    for (size_t e = 0; moment->step == compare->at && e < moment->decision.execution_count; e++)
      if (is_of(&moment->decision.executions[e], automation) && wm_execution_ran(&moment->decision.executions[e]))
        return true;
  }
  return false;
}

static void add_result(enum wm_result result, enum wm_code code, struct wm_buf *buf) {
  wm_buf_printf(buf, "%s%s%s", wm_result_name(result), code ? " " : "", code ? wm_code_name(code) : "");
}

/* "automation x", or what stands for it. */
static void add_name(struct wm_text automation, struct wm_buf *buf) {
  if (automation.bytes)
    wm_buf_printf(buf, "automation %.*s", WM_TEXT_ARG(automation));
  else
    wm_buf_add_string(buf, "the request");
}

static const struct wm_outcome *find_outcome(const struct wm_execution *execution, int64_t sequence) {
  for (size_t i = 0; execution && i < execution->count; i++)
    if (execution->outcomes[i].task->sequence == sequence || !execution->automation)
      return &execution->outcomes[i];
  return NULL;
}

static void compare_task(struct compare *compare, const struct wm_expected_run *expected_run,
                         const struct wm_execution *execution, const struct wm_expected_task *task) {
  const struct wm_outcome *outcome = find_outcome(execution, task->sequence);
  struct wm_buf expected = WM_BUF_INIT, actual = WM_BUF_INIT;
  if (outcome && outcome->result == task->result && (task->code == WM_OK || task->code == outcome->code))
    return;
  add_name(expected_run->automation, &expected);
  if (expected_run->automation.bytes)
    wm_buf_printf(&expected, ", task %lld", (long long)task->sequence);
  wm_buf_add_char(&expected, ' ');
  add_result(task->result, task->code, &expected);
  if (outcome) {
    add_result(outcome->result, outcome->code, &actual);
    if (outcome->message.bytes)
      wm_buf_printf(&actual, ": %.*s", WM_TEXT_ARG(outcome->message));
  } else {
    wm_buf_add_string(&actual, execution ? "there is no such task" : "does not run");
  }
  differ(compare, outcome || execution ? WM_ABOUT_TASK : WM_ABOUT_RUN, task->place, expected_run->automation, &expected,
         &actual);
}

static void compare_run(struct compare *compare, const struct wm_expected_run *run) {
  const struct wm_workspace *workspace = compare->run->workspace;
  bool known = !run->automation.bytes || wm_workspace_automation(workspace, run->automation);
  bool ran = has_run(compare, run->automation);
  if (known && run->task_count > 0) {
    const struct wm_execution *execution = find_execution(compare, run->automation);
    for (size_t i = 0; i < run->task_count; i++)
      compare_task(compare, run, execution, &run->tasks[i]);
    return;
  }
  if (known && ran == run->runs)
    return;
  struct wm_buf expected = WM_BUF_INIT, actual = WM_BUF_INIT;
  add_name(run->automation, &expected);
  wm_buf_add_string(&expected, run->runs ? " runs" : " does not run");
  wm_buf_add_string(&actual, !known ? "the workspace has no such automation" : ran ? "runs" : "does not run");
  differ(compare, WM_ABOUT_RUN, run->place, run->automation, &expected, &actual);
}

static bool is_listed_run(const struct wm_expectation *then, const struct wm_automation *automation) {
  for (size_t i = 0; i < then->run_count; i++)
    if (then->runs[i].automation.bytes && wm_text_equal(then->runs[i].automation, automation->name))
      return true;
  return false;
}

static void compare_all_runs(struct compare *compare) {
  const struct wm_expectation *then = &compare->step->then;
  const struct wm_workspace *workspace = compare->run->workspace;
  for (size_t i = 0; i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    struct wm_buf expected = WM_BUF_INIT, actual = WM_BUF_INIT;
    if (is_listed_run(then, automation) || !has_run(compare, automation->name))
      continue;
    wm_buf_add_string(&expected, "no other automation than those of the list runs");
    wm_buf_printf(&actual, "automation %.*s runs", WM_TEXT_ARG(automation->name));
    differ(compare, WM_ABOUT_RUN, then->all_runs, automation->name, &expected, &actual);
  }
}

/* --- nothing --- */

static void add_moment(const struct wm_case_moment *moment, struct wm_buf *buf) {
  const struct wm_decision *decision = &moment->decision;
  for (size_t i = 0; i < decision->execution_count; i++) {
    if (!wm_execution_ran(&decision->executions[i]))
      continue;
    wm_buf_add_string(buf, buf->size ? "; " : "");
    add_name(decision->executions[i].automation ? decision->executions[i].automation->name : WM_NO_TEXT, buf);
    wm_buf_add_string(buf, " runs");
  }
  for (size_t i = 0; i < decision->change_count; i++)
    wm_buf_printf(buf, "%srole %.*s %s", buf->size ? "; " : "", WM_TEXT_ARG(decision->changes[i].role),
                  decision->changes[i].effective ? "gained" : "lost");
}

static bool is_same(const struct wm_role_set *before, const struct wm_role_set *after) {
  for (size_t i = 0; i < after->count && before->count == after->count; i++)
    if (before->roles[i] != after->roles[i])
      return false;
  return before->count == after->count;
}

static void compare_nothing(struct compare *compare) {
  const struct wm_case_run *run = compare->run;
  struct wm_buf expected = WM_BUF_INIT, actual = WM_BUF_INIT;
  for (size_t i = 0; i < run->moment_count; i++)
    if (run->moments[i].step == compare->at)
      add_moment(&run->moments[i], &actual);
  if (actual.size == 0 && !is_same(&run->before, &run->after)) {
    wm_buf_add_string(&actual, "roles before: ");
    add_roles(&run->before, &actual);
    wm_buf_add_string(&actual, "; after: ");
    add_roles(&run->after, &actual);
  }
  if (actual.size == 0 && !actual.failed) {
    wm_buf_release(&actual);
    return;
  }
  wm_buf_add_string(&expected, "nothing happens");
  differ(compare, WM_ABOUT_NOTHING, compare->step->then.nothing, WM_NO_TEXT, &expected, &actual);
}

/* --- notifications --- */

static bool fits(struct wm_text pattern, struct wm_text text) {
  return !pattern.bytes || (text.bytes && wm_text_glob(text, pattern));
}

static bool is_to(struct wm_text to, const struct wm_notification *message) {
  if (!to.bytes)
    return true;
  return (message->recipient.bytes && wm_text_equal(to, message->recipient)) ||
         (message->address.bytes && wm_text_equal(to, message->address)) ||
         wm_text_equal(to, message->task->to.bytes ? message->task->to : WM_TEXT("user"));
}

static bool is_message(const struct wm_expected_message *expected, const struct wm_notification *message) {
  return (!expected->automation.bytes || wm_text_equal(expected->automation, message->automation->name)) &&
         (!expected->channel.bytes || wm_text_equal(expected->channel, message->task->channel)) &&
         is_to(expected->to, message) && fits(expected->title, message->title) &&
         fits(expected->message, message->message);
}

static void add_member(const char *name, struct wm_text text, struct wm_buf *buf) {
  if (text.bytes)
    wm_buf_printf(buf, "%s%s '%.*s'", buf->size ? ", " : "", name, WM_TEXT_ARG(text));
}

static void add_expected_message(const struct wm_expected_message *expected, struct wm_buf *buf) {
  struct wm_buf text = WM_BUF_INIT;
  add_member("of automation", expected->automation, &text);
  add_member("channel", expected->channel, &text);
  add_member("to", expected->to, &text);
  add_member("title", expected->title, &text);
  add_member("message", expected->message, &text);
  wm_buf_printf(buf, "%.*s", WM_TEXT_ARG(((struct wm_text){text.bytes, text.size})));
  buf->failed |= text.failed;
  wm_buf_release(&text);
}

static void add_message(const struct wm_notification *message, struct wm_buf *buf) {
  struct wm_buf text = WM_BUF_INIT;
  add_member("channel", message->task->channel, &text);
  add_member("to", message->recipient.bytes ? message->recipient : message->address, &text);
  add_member("title", message->title, &text);
  add_member("message", message->message, &text);
  wm_buf_printf(buf, "%.*s", WM_TEXT_ARG(((struct wm_text){text.bytes, text.size})));
  buf->failed |= text.failed;
  wm_buf_release(&text);
}

/* The notifications of the step, in order. */
static void gather_messages(struct compare *compare) {
  const struct wm_case_run *run = compare->run;
  size_t count = 0;
  for (size_t i = 0; i < run->moment_count; i++)
    count += run->moments[i].step == compare->at ? run->moments[i].decision.notification_count : 0;
  compare->messages = WM_ARENA_ARRAY(run->arena, const struct wm_notification *, count + 1);
  for (size_t i = 0; compare->messages && i < run->moment_count; i++) {
    const struct wm_decision *decision = &run->moments[i].decision;
    for (size_t n = 0; run->moments[i].step == compare->at && n < decision->notification_count; n++)
      compare->messages[compare->message_count++] = &decision->notifications[n];
  }
  compare->failed |= !compare->messages;
}

static void compare_message(struct compare *compare, size_t number) {
  const struct wm_expectation *then = &compare->step->then;
  const struct wm_expected_message *wanted = number < then->message_count ? &then->messages[number] : NULL;
  const struct wm_notification *message = number < compare->message_count ? compare->messages[number] : NULL;
  struct wm_buf expected = WM_BUF_INIT, actual = WM_BUF_INIT;
  if (wanted && message && is_message(wanted, message))
    return;
  wm_buf_printf(&expected, "%snotification %zu", wanted ? "" : "no ", number + 1);
  if (wanted) {
    wm_buf_add_string(&expected, ": ");
    add_expected_message(wanted, &expected);
  }
  if (message)
    add_message(message, &actual);
  else
    wm_buf_add_string(&actual, "there is none");
  differ(compare, WM_ABOUT_MESSAGES, wanted ? wanted->place : then->all_messages,
         wanted ? wanted->automation : message->automation->name, &expected, &actual);
}

static void compare_messages(struct compare *compare) {
  const struct wm_expectation *then = &compare->step->then;
  gather_messages(compare);
  if (then->messages || then->message_count == 0) {
    for (size_t i = 0; i < then->message_count || i < compare->message_count; i++)
      compare_message(compare, i);
    return;
  }
  if (compare->message_count == then->message_count)
    return;
  struct wm_buf expected = WM_BUF_INIT, actual = WM_BUF_INIT;
  wm_buf_printf(&expected, "%zu notification%s", then->message_count, then->message_count == 1 ? "" : "s");
  wm_buf_printf(&actual, "%zu", compare->message_count);
  differ(compare, WM_ABOUT_MESSAGES, then->all_messages, WM_NO_TEXT, &expected, &actual);
}

int wm_case_compare(struct wm_case_run *run, size_t step) {
  struct compare compare = {.run = run, .step = &run->test->steps[step], .at = step};
  const struct wm_expectation *then = &compare.step->then;
  if (then->nothing.line)
    compare_nothing(&compare);
  for (size_t i = 0; i < then->role_count; i++)
    compare_role(&compare, &then->roles[i]);
  if (then->all_roles.line)
    compare_all_roles(&compare);
  for (size_t i = 0; i < then->run_count; i++)
    compare_run(&compare, &then->runs[i]);
  if (then->all_runs.line)
    compare_all_runs(&compare);
  if (then->all_messages.line)
    compare_messages(&compare);
  return compare.failed ? -1 : 0;
}

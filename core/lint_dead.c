/* Conditions that never hold. The search of lint_solve.c finds them; here it is told in words. */
#include "core/lint.h"

#define STEPS 4000

static size_t collect(const struct wm_condition *condition, struct lint_literal *items, size_t count) {
  for (size_t i = 0; condition->kind == WM_FIELD && i < condition->test_count && count < LINT_MUSTS_LIMIT; i++)
    items[count++] = (struct lint_literal){&condition->path, &condition->tests[i], true};
  for (size_t i = 0; condition->kind == WM_ALL && i < condition->count && count < LINT_MUSTS_LIMIT; i++)
    count = collect(&condition->children[i], items, count);
  return count;
}

const struct lint_musts *lint_musts_of(struct lint_run *run, const struct wm_automation *automation) {
  struct lint_musts *musts = &run->musts[lint_position(run, automation)];
  struct lint_literal items[LINT_MUSTS_LIMIT];
  if (musts->items)
    return musts;
  size_t count = collect(&automation->when, items, 0);
  musts->items = WM_ARENA_ARRAY(&run->arena, struct lint_literal, count + 1);
  if (musts->items && count > 0)
    memcpy(musts->items, items, count * sizeof(*items));
  musts->count = musts->items ? count : 0;
  run->findings->failed |= !musts->items;
  return musts;
}

/* Is there a type that both triggers take? A trailing '*' stands for any rest. */
static bool overlap(struct wm_text a, struct wm_text b) {
  bool any_a = wm_text_ends_with(a, WM_TEXT("*")), any_b = wm_text_ends_with(b, WM_TEXT("*"));
  struct wm_text stem_a = {a.bytes, a.size - any_a}, stem_b = {b.bytes, b.size - any_b};
  if (any_a && wm_text_starts_with(stem_b, stem_a))
    return true;
  return any_b ? wm_text_starts_with(stem_a, stem_b) : wm_text_equal(a, b);
}

bool lint_may_meet(struct lint_run *run, const struct wm_automation *a, const struct wm_automation *b, bool any_user) {
  bool share = false;
  for (size_t i = 0; i < a->trigger_count && !share; i++)
    for (size_t j = 0; j < b->trigger_count && !share; j++)
      share = overlap(a->triggers[i], b->triggers[j]);
  const struct lint_musts *mine = lint_musts_of(run, a), *theirs = lint_musts_of(run, b);
  for (size_t i = 0; i < mine->count && share; i++) {
    if (any_user && wm_path_is_user(mine->items[i].path))
      continue;
    for (size_t j = 0; j < theirs->count && share; j++)
      share = run->looks > 0 && run->looks-- && lint_fit_pair(&mine->items[i], &theirs->items[j]);
  }
  return share;
}

static const char *consequence(const struct lint *lint) {
  return strcmp(lint->what, "role") == 0 ? "given by this criterion" : "run";
}

/* Two tests of those that must all hold. False: none exclude each other. */
static bool report_pair(const struct lint *lint, const struct lint_literal *musts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t j = i + 1; j < count; j++) {
      const struct wm_test *first = musts[i].test, *second = musts[j].test;
      if (lint_fit_pair(&musts[i], &musts[j]) || !wm_path_equal(musts[i].path, musts[j].path))
        continue;
      wm_findings_add(lint->run->findings, WM_WARNING, WM_E_DEAD_RULE, lint->file, second->line, second->column,
                      "'%s' and '%s' in line %u can't both hold for '%.*s', so %s '%.*s' is never %s",
                      second->operator->name, first->operator->name, first->line, WM_TEXT_ARG(musts[j].path->written),
                      lint->what, WM_TEXT_ARG(lint->name), consequence(lint));
      return true;
    }
  }
  return false;
}

/* 'event.type: x' of a type that no trigger takes. */
static bool report_type(const struct lint *lint, const struct lint_literal *musts, size_t count,
                        const struct wm_automation *automation) {
  for (size_t i = 0; automation && i < count; i++) {
    const struct wm_path *path = musts[i].path;
    const struct wm_test *test = musts[i].test;
    bool type = path->root == WM_PATH_EVENT && wm_text_is(path->names[0], "type");
    if (!type || strcmp(test->operator->name, "is") != 0 || test->operand.type != WM_STRING ||
        wm_automation_takes(automation, test->operand.string))
      continue;
    wm_findings_add(lint->run->findings, WM_WARNING, WM_E_DEAD_RULE, lint->file, test->line, test->column,
                    "no trigger takes '%.*s', so automation '%.*s' is never run", WM_TEXT_ARG(test->operand.string),
                    WM_TEXT_ARG(automation->name));
    return true;
  }
  return false;
}

/* What the search ran into: two tests, a test and the trigger, or one that nothing passes with all the others. */
static void add_clash(const struct lint_answer *answer, struct wm_buf *buf) {
  const struct lint_literal *first = &answer->clash[0], *second = &answer->clash[1];
  if (!second->path)
    return;
  if (!first->path) {
    wm_buf_printf(buf, ": no value of '%.*s' passes '%s' and what else is asked of it",
                  WM_TEXT_ARG(second->path->written), second->test->operator->name);
    return;
  }
  wm_buf_printf(buf, ": '%s' for '%.*s' excludes ", second->test->operator->name, WM_TEXT_ARG(second->path->written));
  if (first->test->line == 0)
    wm_buf_add_string(buf, "every trigger");
  else
    wm_buf_printf(buf, "'%s' for '%.*s' in line %u", first->test->operator->name, WM_TEXT_ARG(first->path->written),
                  first->test->line);
}

static bool report_search(const struct lint *lint, const struct wm_condition *condition,
                          const struct wm_automation *automation) {
  const struct lint_goal goal = {.conditions = &condition,
                                 .condition_count = automation ? 0 : 1,
                                 .automations = &automation,
                                 .automation_count = automation ? 1 : 0};
  struct lint_answer answer;
  lint_search(lint->run, &goal, STEPS, false, &answer);
  const struct wm_test *test = answer.clash[1].test;
  bool placed = test && test->line > 0;
  if (answer.verdict != LINT_NEVER || (test && !placed)) /* no event passes the triggers: told where they stand */
    return false;
  struct wm_buf buf = WM_BUF_INIT;
  add_clash(&answer, &buf);
  wm_findings_add(lint->run->findings, WM_WARNING, WM_E_DEAD_RULE, lint->file, placed ? test->line : condition->line,
                  placed ? test->column : condition->column,
                  "nothing makes all of this hold, so %s '%.*s' is never %s%s", lint->what, WM_TEXT_ARG(lint->name),
                  consequence(lint), buf.bytes && !buf.failed ? buf.bytes : "");
  wm_buf_release(&buf);
  return true;
}

bool lint_dead(const struct lint *lint, const struct wm_condition *condition, const struct wm_automation *automation) {
  struct lint_literal musts[LINT_MUSTS_LIMIT];
  size_t count = collect(condition, musts, 0);
  return report_pair(lint, musts, count) || report_type(lint, musts, count, automation) ||
         report_search(lint, condition, automation);
}

#include "tools/rules/coverage.h"

#include <stdlib.h>

#include "tools/lib/table.h"

static int add(struct coverage *coverage, struct coverage_entry entry) {
  if (coverage->count == coverage->capacity) {
    size_t capacity = coverage->capacity ? 2 * coverage->capacity : 256;
    struct coverage_entry *entries = reallocarray(coverage->entries, capacity, sizeof *entries);
    if (!entries)
      return -1;
    coverage->entries = entries;
    coverage->capacity = capacity;
  }
  coverage->entries[coverage->count++] = entry;
  return 0;
}

/* Each field path, in the order of the file. */
static int add_conditions(struct coverage *coverage, const struct wm_automation *automation,
                          const struct wm_condition *condition) {
  if (condition->kind == WM_FIELD)
    return add(coverage, (struct coverage_entry){COVERED_CONDITION, automation, condition, NULL, false, false});
  for (size_t i = 0; i < condition->count; i++)
    if (add_conditions(coverage, automation, &condition->children[i]) < 0)
      return -1;
  return 0;
}

static int add_automation(struct coverage *coverage, const struct wm_automation *automation) {
  if (add(coverage, (struct coverage_entry){COVERED_AUTOMATION, automation, NULL, NULL, false, false}) < 0)
    return -1;
  for (size_t i = 0; i < automation->task_count; i++)
    if (add(coverage, (struct coverage_entry){COVERED_TASK, automation, NULL, &automation->tasks[i], false, false}) < 0)
      return -1;
  return add_conditions(coverage, automation, &automation->when);
}

int coverage_init(struct coverage *coverage, const struct wm_workspace *workspace) {
  *coverage = (struct coverage){.workspace = workspace};
  coverage->first = calloc(workspace->automation_count + 1, sizeof *coverage->first);
  if (!coverage->first)
    return -1;
  for (size_t i = 0; i < workspace->automation_count; i++) {
    coverage->first[i] = coverage->count;
    if (workspace->automations[i].enabled && add_automation(coverage, &workspace->automations[i]) < 0)
      return -1;
  }
  coverage->first[workspace->automation_count] = coverage->count;
  return 0;
}

void coverage_release(struct coverage *coverage) {
  free(coverage->entries);
  free(coverage->first);
  *coverage = (struct coverage){0};
}

static void see_conditions(struct coverage *coverage, size_t automation, const struct wm_scope *scope) {
  for (size_t i = coverage->first[automation]; i < coverage->first[automation + 1]; i++) {
    struct coverage_entry *entry = &coverage->entries[i];
    if (entry->kind != COVERED_CONDITION)
      continue;
    enum wm_answer answer = wm_condition_answer(entry->condition, scope);
    entry->yes |= answer == WM_YES;
    entry->no |= answer == WM_NO;
  }
}

static bool has_run(const struct wm_execution *execution, const struct wm_task *task) {
  for (size_t i = 0; i < execution->count; i++)
    if (execution->outcomes[i].task == task)
      return execution->outcomes[i].result != WM_RESULT_SKIPPED;
  return false;
}

static void see_execution(struct coverage *coverage, const struct wm_execution *execution) {
  if (!execution->automation || !wm_execution_ran(execution))
    return;
  size_t automation = (size_t)(execution->automation - coverage->workspace->automations);
  for (size_t i = coverage->first[automation]; i < coverage->first[automation + 1]; i++) {
    struct coverage_entry *entry = &coverage->entries[i];
    entry->yes |= entry->kind == COVERED_AUTOMATION || (entry->kind == COVERED_TASK && has_run(execution, entry->task));
  }
}

void coverage_see(struct coverage *coverage, const struct wm_case_run *run) {
  for (size_t i = 0; i < run->moment_count; i++) {
    const struct wm_case_moment *moment = &run->moments[i];
    if (moment->event->event.event_class != WM_EVENT_TRIGGERING)
      continue;
    for (size_t a = 0; a < coverage->workspace->automation_count; a++)
      if (coverage->first[a] < coverage->first[a + 1] &&
          wm_automation_takes(&coverage->workspace->automations[a], moment->event->event.type))
        see_conditions(coverage, a, &moment->scope);
    for (size_t e = 0; e < moment->decision.execution_count; e++)
      see_execution(coverage, &moment->decision.executions[e]);
  }
}

static bool is_seen(const struct coverage_entry *entry) {
  return entry->yes && (entry->kind != COVERED_CONDITION || entry->no);
}

void coverage_count(struct coverage *coverage) {
  memset(coverage->total, 0, sizeof coverage->total);
  memset(coverage->seen, 0, sizeof coverage->seen);
  for (size_t i = 0; i < coverage->count; i++) {
    coverage->total[coverage->entries[i].kind]++;
    coverage->seen[coverage->entries[i].kind] += is_seen(&coverage->entries[i]);
  }
}

void coverage_summary(const struct coverage *coverage, struct wm_buf *buf) {
  wm_buf_printf(buf, "%zu of %zu automations, %zu of %zu conditions both ways, %zu of %zu tasks",
                coverage->seen[COVERED_AUTOMATION], coverage->total[COVERED_AUTOMATION],
                coverage->seen[COVERED_CONDITION], coverage->total[COVERED_CONDITION], coverage->seen[COVERED_TASK],
                coverage->total[COVERED_TASK]);
}

static void place_of(const struct coverage_entry *entry, unsigned *ret_line, unsigned *ret_column) {
  *ret_line = entry->condition ? entry->condition->line : entry->task ? entry->task->line : entry->automation->line;
  *ret_column = entry->condition ? entry->condition->column
                : entry->task    ? entry->task->column
                                 : entry->automation->column;
}

/* "user.roles has new-partner": the condition as it was written, or nearly. */
static void add_condition(const struct wm_condition *condition, struct wm_buf *buf) {
  wm_buf_add_text(buf, condition->path.written);
  for (size_t i = 0; i < condition->test_count; i++) {
    wm_buf_printf(buf, "%s %s ", i ? "," : "", condition->tests[i].operator->name);
    wm_value_to_json(&condition->tests[i].operand, buf);
  }
}

/* What no test has shown of it. */
static void add_missing(const struct coverage_entry *entry, struct wm_buf *buf) {
  switch (entry->kind) {
  case COVERED_AUTOMATION:
    wm_buf_add_string(buf, "is never run");
    break;
  case COVERED_TASK:
    wm_buf_printf(buf, "task %lld is never run", (long long)entry->task->sequence);
    break;
  case COVERED_CONDITION:
    add_condition(entry->condition, buf);
    wm_buf_printf(buf, ": never %s", entry->yes ? "no" : entry->no ? "yes" : "yes, never no");
    break;
  }
}

void coverage_print(const struct coverage *coverage) {
  static const char *const heads[] = {"WHERE", "AUTOMATION", "NO TEST SHOWS IT", NULL};
  struct table table;
  struct wm_buf buf = WM_BUF_INIT;
  table_init(&table, heads);
  for (size_t i = 0; i < coverage->count; i++) {
    const struct coverage_entry *entry = &coverage->entries[i];
    unsigned line, column;
    if (is_seen(entry))
      continue;
    place_of(entry, &line, &column);
    wm_buf_clear(&buf);
    add_missing(entry, &buf);
    table_cell(&table, STYLE_DIM, "%.*s:%u", WM_TEXT_ARG(entry->automation->file), line);
    table_text(&table, STYLE_PLAIN, entry->automation->name);
    table_text(&table, STYLE_WARN, (struct wm_text){buf.bytes, buf.size});
  }
  table_print(&table, stdout);
  table_release(&table);
  wm_buf_release(&buf);
}

static const char *const kind_names[] = {
    [COVERED_AUTOMATION] = "automation", [COVERED_CONDITION] = "condition", [COVERED_TASK] = "task"};

static void add_missing_json(const struct coverage_entry *entry, struct wm_buf *buf) {
  struct wm_buf text = WM_BUF_INIT;
  unsigned line, column;
  place_of(entry, &line, &column);
  add_missing(entry, &text);
  wm_buf_add_string(buf, "{\"file\":");
  wm_buf_add_json(buf, entry->automation->file);
  wm_buf_printf(buf, ",\"line\":%u,\"column\":%u,\"automation\":", line, column);
  wm_buf_add_json(buf, entry->automation->name);
  wm_buf_printf(buf, ",\"kind\":\"%s\",\"yes\":%s,\"no\":%s,\"text\":", kind_names[entry->kind],
                entry->yes ? "true" : "false", entry->no ? "true" : "false");
  wm_buf_add_json(buf, (struct wm_text){text.bytes, text.size});
  wm_buf_add_char(buf, '}');
  wm_buf_release(&text);
}

void coverage_to_json(const struct coverage *coverage, bool missing, struct wm_buf *buf) {
  const char *between = "{";
  for (unsigned kind = 0; kind < COVERED_KINDS; kind++) {
    wm_buf_printf(buf, "%s\"%ss\":{\"total\":%zu,\"seen\":%zu}", between, kind_names[kind], coverage->total[kind],
                  coverage->seen[kind]);
    between = ",";
  }
  if (missing) {
    wm_buf_add_string(buf, ",\"missing\":[");
    between = "";
    for (size_t i = 0; i < coverage->count; i++) {
      if (is_seen(&coverage->entries[i]))
        continue;
      wm_buf_add_string(buf, between);
      add_missing_json(&coverage->entries[i], buf);
      between = ",";
    }
    wm_buf_add_char(buf, ']');
  }
  wm_buf_add_char(buf, '}');
}

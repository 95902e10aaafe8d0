#include "tools/lib/rows.h"

#include "tools/lib/show.h"

const char *const rows_heads[] = {"USER", "RESULT", "WHAT", "AUTOMATION", "TASK", "NOTE", NULL};

static struct wm_text text_of(const struct wm_value *object, const char *name) {
  return wm_value_text(wm_value_member(object, wm_text_of(name)));
}

static void add_text(struct table *table, enum style style, struct wm_text text) {
  table_text(table, style, text.size ? text : WM_TEXT("–"));
}

static enum style result_style(struct wm_text name) {
  for (int result = 0; result <= WM_RESULT_FAILED; result++)
    if (wm_text_is(name, wm_result_name((enum wm_result)result)))
      return show_result_style((enum wm_result)result);
  return STYLE_PLAIN;
}

static void add_note(struct table *table, const struct wm_value *from) {
  struct wm_text code = text_of(from, "code"), message = text_of(from, "message"), baseline = text_of(from, "baseline");
  const struct wm_value *lockout = wm_value_member(from, WM_TEXT("lockout"));
  table_cell(table, STYLE_DIM, "%.*s%s%.*s%s%.*s", WM_TEXT_ARG(code), message.size ? ": " : "", WM_TEXT_ARG(message),
             !lockout        ? ""
             : baseline.size ? "no role is left but "
                             : "no role is left",
             WM_TEXT_ARG(baseline));
}

static void add_task(struct table *table, const struct wm_value *outcome, const struct wm_value *task) {
  const struct wm_value *data = wm_value_member(outcome, WM_TEXT("data"));
  struct wm_text automation = text_of(data, "automation"), role = text_of(task, "role");
  struct wm_text action = text_of(task, "action"), channel = text_of(task, "channel"), result = text_of(task, "result");
  add_text(table, STYLE_PLAIN, text_of(outcome, "subject"));
  table_text(table, result_style(result), result);
  struct wm_text to = text_of(task, "to"), source = text_of(task, "source");
  if (to.bytes && role.bytes)
    table_cell(table, STYLE_PLAIN, "hand %.*s on to %.*s", WM_TEXT_ARG(role), WM_TEXT_ARG(to));
  else if (role.bytes)
    table_cell(table, STYLE_PLAIN, "%.*s %.*s%s%.*s", WM_TEXT_ARG(action), WM_TEXT_ARG(role), source.size ? " of " : "",
               WM_TEXT_ARG(source));
  else
    table_cell(table, STYLE_PLAIN, "notify %.*s", WM_TEXT_ARG(channel));
  table_text(table, STYLE_PLAIN, automation.size ? automation : WM_TEXT("(by hand)"));
  add_text(table, STYLE_PLAIN, text_of(task, "name"));
  add_note(table, task);
}

size_t rows_add_outcome(struct table *table, const struct wm_value *outcome) {
  const struct wm_value *data = wm_value_member(outcome, WM_TEXT("data"));
  const struct wm_value *tasks = wm_value_member(data, WM_TEXT("tasks"));
  size_t count = tasks && tasks->type == WM_LIST ? tasks->list.count : 0;
  for (size_t i = 0; i < count; i++)
    add_task(table, outcome, &tasks->list.items[i]);
  return count;
}

bool rows_add_rejection(struct table *table, const struct wm_value *failure) {
  if (!wm_text_is(text_of(failure, "type"), "dev.waymark.event.rejected.v1"))
    return false;
  const struct wm_value *data = wm_value_member(failure, WM_TEXT("data"));
  add_text(table, STYLE_PLAIN, text_of(failure, "subject"));
  table_text(table, STYLE_BAD, WM_TEXT("rejected"));
  add_text(table, STYLE_PLAIN, text_of(wm_value_member(data, WM_TEXT("event")), "type"));
  add_text(table, STYLE_PLAIN, WM_NO_TEXT);
  add_text(table, STYLE_PLAIN, WM_NO_TEXT);
  add_note(table, data);
  return true;
}

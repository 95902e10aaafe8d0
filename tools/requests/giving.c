#include "tools/requests/giving.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/lib/show.h"
#include "tools/lib/table.h"
#include "tools/roles/role_text.h"
#include "tools/rules/conditions.h"

static const struct wm_scope nobody = {0};

static void print_description(struct wm_text text, size_t indent) {
  if (!text.size)
    return;
  printf("%*s", (int)indent, "");
  style_print(stdout, STYLE_DIM, "%.*s", WM_TEXT_ARG(text));
  putchar('\n');
}

static void print_way(const struct wm_task *task, struct wm_buf *buf) {
  int64_t days = task->expires_after_us / (86400 * WM_SECOND_US);
  if (task->expires_after_us == 0)
    return;
  if (task->expires_after_us % (86400 * WM_SECOND_US) == 0)
    wm_buf_printf(buf, ", for %lld day%s", (long long)days, days == 1 ? "" : "s");
  else
    wm_buf_printf(buf, ", for %lld seconds", (long long)(task->expires_after_us / WM_SECOND_US));
}

void giving_print(const struct wm_automation *automation, const struct wm_task *task, const struct wm_scope *scope,
                  size_t indent) {
  struct wm_buf buf = WM_BUF_INIT;
  printf("%*s", (int)indent, "");
  style_print(stdout, STYLE_PLAIN, "automation ");
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(automation->name));
  print_way(task, &buf);
  style_print(stdout, STYLE_PLAIN, ", task %lld %.*s%s", (long long)task->sequence, WM_TEXT_ARG(task->name),
              buf.bytes ? buf.bytes : "");
  putchar('\n');
  print_description(automation->description, indent + 2);
  print_description(task->description, indent + 2);
  wm_buf_clear(&buf);
  role_text_triggers(automation, &buf);
  printf("%*s", (int)indent + 2, "");
  style_print(stdout, STYLE_PLAIN, "on %s%s", buf.bytes ? buf.bytes : "",
              automation->when.count ? ", when" : ", always");
  putchar('\n');
  conditions_print(&automation->when, scope ? scope : &nobody, indent + 4);
  wm_buf_release(&buf);
}

void giving_note(size_t indent, const char *format, ...) {
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  int size = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (size < 0)
    return;
  printf("%*s", (int)indent, "");
  style_print(stdout, STYLE_WARN, "%s", text);
  putchar('\n');
  free(text);
}

static void add_text(struct wm_buf *buf, const char *name, struct wm_text text) {
  if (!text.size)
    return;
  wm_buf_printf(buf, ",\"%s\":", name);
  wm_buf_add_json(buf, text);
}

void giving_to_json(const struct wm_automation *automation, const struct wm_task *task, const struct wm_scope *scope,
                    struct wm_buf *buf) {
  wm_buf_add_string(buf, "{\"automation\":");
  wm_buf_add_json(buf, automation->name);
  add_text(buf, "description", automation->description);
  add_text(buf, "owner", automation->owner);
  wm_buf_printf(buf, ",\"enabled\":%s,\"sequence\":%lld", automation->enabled ? "true" : "false",
                (long long)task->sequence);
  add_text(buf, "task", task->name);
  add_text(buf, "task-description", task->description);
  for (size_t i = 0; i < automation->trigger_count; i++) {
    wm_buf_add_string(buf, i ? "," : ",\"triggers\":[");
    wm_buf_add_json(buf, automation->triggers[i]);
  }
  wm_buf_add_string(buf, "],\"when\":");
  conditions_to_json(&automation->when, scope ? scope : &nobody, buf);
}

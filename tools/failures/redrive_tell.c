#include "core/codec/write.h"
#include "tools/failures/redrive.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"

#define ROWS_SHOWN 100

/* Why an item that is ready may come to nothing, as far as this workspace tells. */
static void add_doubt(const struct redrive *redrive, const struct redrive_item *item, struct wm_buf *buf) {
  const struct wm_workspace *workspace = redrive->loaded.workspace;
  if (wm_text_is(item->automation, "manual"))
    return;
  const struct wm_automation *automation = workspace ? wm_workspace_automation(workspace, item->automation) : NULL;
  if (workspace && !automation)
    wm_buf_add_string(buf, ", but the workspace has no such automation any more");
  else if (automation && !wm_automation_task(automation, item->sequence))
    wm_buf_add_string(buf, ", but the automation has no such task any more");
  else if (automation && !automation->written_enabled)
    wm_buf_add_string(buf, ", but the workspace says 'enabled: false'");
  if (wm_text_is(item->task_type, "notify") && !redrive->notify)
    wm_buf_add_string(buf, ", but without --notify it is suppressed");
}

static void add_plan(const struct redrive *redrive, const struct redrive_item *item, struct wm_buf *buf) {
  switch (item->state) {
  case REDRIVE_READY:
    wm_buf_printf(buf, "runs again");
    if (item->before.size)
      wm_buf_printf(buf, ", after %.*s", WM_TEXT_ARG(item->before));
    add_doubt(redrive, item, buf);
    break;
  case REDRIVE_BEFORE:
    wm_buf_printf(buf, "left out: was sent again in %.*s", WM_TEXT_ARG(item->before));
    break;
  case REDRIVE_GONE:
    wm_buf_printf(buf, "left out: its record is deleted by retention");
    break;
  case REDRIVE_SENT:
    wm_buf_printf(buf, "sent");
    break;
  }
}

static void print_json(const struct redrive *redrive, const struct redrive_item *item, bool planned) {
  static const char *const states[] = {[REDRIVE_READY] = "ready",
                                       [REDRIVE_BEFORE] = "redriven-before",
                                       [REDRIVE_GONE] = "gone",
                                       [REDRIVE_SENT] = "sent"};
  struct wm_buf buf = WM_BUF_INIT;
  wm_write_open(&buf, WM_NO_KEY, '{');
  wm_write_text(&buf, WM_KEY("failure"), item->failure);
  wm_write_text(&buf, WM_KEY("user"), item->user);
  wm_write_text(&buf, WM_KEY("automation"), item->automation);
  wm_write_integer(&buf, WM_KEY("sequence"), item->sequence);
  wm_write_text(&buf, WM_KEY("failed-with"), item->code);
  wm_write_moment(&buf, WM_KEY("failed-at"), item->at_us);
  wm_write_string(&buf, WM_KEY("state"), states[item->state]);
  wm_write_text(&buf, WM_KEY("redriven-in"), item->before);
  if (!planned)
    wm_write_string(&buf, WM_KEY("run"), redrive->run);
  wm_write_text(&buf, WM_KEY("result"), item->result);
  if (item->then.size)
    wm_write_text(&buf, WM_KEY("code"), item->then);
  if (item->message.size)
    wm_write_text(&buf, WM_KEY("message"), item->message);
  wm_write_close(&buf, '}');
  wm_write_end(&buf);
  if (!buf.failed)
    puts(buf.bytes);
  wm_buf_release(&buf);
}

static void add_plan_row(struct table *table, const struct redrive *redrive, const struct redrive_item *item) {
  struct wm_buf buf = WM_BUF_INIT;
  table_text(table, STYLE_PLAIN, item->user.size ? item->user : WM_TEXT("–"));
  table_text(table, STYLE_PLAIN, item->what);
  show_time(item->at_us, &buf);
  table_text(table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
  table_text(table, STYLE_BAD, item->code);
  wm_buf_clear(&buf);
  add_plan(redrive, item, &buf);
  table_text(table, item->state == REDRIVE_READY ? STYLE_GOOD : STYLE_WARN, (struct wm_text){buf.bytes, buf.size});
  wm_buf_release(&buf);
}

static void say_left_out(const struct redrive *redrive) {
  size_t before = 0, gone = 0;
  for (size_t i = 0; i < redrive->count; i++) {
    before += redrive->items[i].state == REDRIVE_BEFORE;
    gone += redrive->items[i].state == REDRIVE_GONE;
  }
  if (before > 0)
    say(0, "%zu of %zu %s redriven before: only --again sends them once more", before, redrive->count,
        before == 1 ? "was" : "were");
  if (gone > 0)
    say(0, "%zu of %zu can't be redriven: retention has deleted the record of the event", gone, redrive->count);
}

void redrive_tell_plan(const struct redrive *redrive) {
  static const char *const heads[] = {"USER", "FAILED", "TIME", "CODE", "PLAN", NULL};
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < redrive->count; i++) {
    if (redrive->json)
      print_json(redrive, &redrive->items[i], true);
    else if (i < ROWS_SHOWN)
      add_plan_row(&table, redrive, &redrive->items[i]);
  }
  table_print(&table, stdout);
  if (!redrive->json && redrive->count > ROWS_SHOWN)
    printf("... and %zu more\n", redrive->count - ROWS_SHOWN);
  fflush(stdout);
  table_release(&table);
  say_left_out(redrive);
}

/* --- afterwards --- */

static enum style style_of(const struct redrive_item *item) {
  for (int result = 0; result < SHOW_RESULTS; result++)
    if (wm_text_is(item->result, wm_result_name((enum wm_result)result)))
      return show_result_style((enum wm_result)result);
  return STYLE_WARN;
}

static void add_row(struct table *table, const struct redrive_item *item) {
  table_text(table, STYLE_PLAIN, item->user.size ? item->user : WM_TEXT("–"));
  table_text(table, STYLE_PLAIN, item->what);
  table_text(table, style_of(item), item->result.size ? item->result : WM_TEXT("did not run"));
  if (item->result.size)
    table_cell(table, STYLE_PLAIN, "%.*s%s%.*s", WM_TEXT_ARG(item->then), item->message.size ? ": " : "",
               WM_TEXT_ARG(item->message));
  else
    table_cell(table, STYLE_PLAIN, "the automation does not take the event any more: 'waymark explain' says why");
}

static void say_sum(const struct redrive *redrive, size_t failed, size_t idle) {
  struct wm_buf buf = WM_BUF_INIT;
  show_count(&buf, redrive->sent, "task");
  wm_buf_printf(&buf, " sent in run '%s': %zu ran and did not fail, %zu failed again, %zu did not run", redrive->run,
                redrive->sent - failed - idle, failed, idle);
  say(0, "%s", buf.bytes ? buf.bytes : "");
  wm_buf_release(&buf);
}

int redrive_tell(const struct redrive *redrive, bool waited) {
  static const char *const heads[] = {"USER", "TASK", "RESULT", "NOTE", NULL};
  struct table table;
  size_t failed = 0, idle = 0, rows = 0;
  table_init(&table, heads);
  for (size_t i = 0; i < redrive->count; i++) {
    const struct redrive_item *item = &redrive->items[i];
    if (redrive->json)
      print_json(redrive, item, false);
    if (item->state != REDRIVE_SENT || !waited)
      continue;
    failed += wm_text_is(item->result, "failed");
    idle += item->result.size == 0;
    if (!redrive->json && rows++ < ROWS_SHOWN)
      add_row(&table, item);
  }
  if (rows > 0)
    putchar('\n');
  table_print(&table, stdout);
  if (rows > ROWS_SHOWN)
    printf("... and %zu more\n", rows - ROWS_SHOWN);
  fflush(stdout);
  table_release(&table);
  if (!waited)
    say(0, "%zu sent in run '%s', they will be decided", redrive->sent, redrive->run);
  else
    say_sum(redrive, failed, idle);
  return failed + idle + redrive->rejected > 0 ? EXIT_BAD_NEWS : EXIT_FINE;
}

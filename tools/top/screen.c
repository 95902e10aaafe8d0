/* Sections from the top: workers, alarms, tasks, times; what is left of the rows is shared by failures by code, the
 * last failures and the partitions. */
#include "tools/top/screen.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/moment.h"
#include "core/outcome.h"
#include "tools/lib/show.h"
#include "tools/top/parts.h"
#include "worker/metrics.h"

#define STALL_US (5 * WM_SECOND_US) /* a loop makes what it shows once a second */

#define STUCK_US (10 * WM_SECOND_US)

/* --- numbers --- */

void part_number(struct table *table, int64_t value, enum style style) {
  if (value < 0)
    table_cell(table, STYLE_DIM, "–");
  else
    table_cell(table, value == 0 ? STYLE_DIM : style, "%" PRId64, value);
}

void part_rate(struct table *table, int64_t tenths, enum style style) {
  if (tenths < 0)
    table_cell(table, STYLE_DIM, "–");
  else if (tenths < 1000 && tenths % 10 != 0)
    table_cell(table, style, "%" PRId64 ".%" PRId64, tenths / 10, tenths % 10);
  else
    table_cell(table, tenths == 0 ? STYLE_DIM : style, "%" PRId64, tenths / 10);
}

void part_text(struct table *table, enum style style, struct wm_text text) {
  size_t size = text.size < PART_TEXT ? text.size : PART_TEXT;
  while (size < text.size && size > 0 && ((unsigned char)text.bytes[size] & 0xc0) == 0x80)
    size--; /* not within a character */
  table_cell(table, style, "%.*s%s", (int)size, text.bytes ? text.bytes : "", size < text.size ? "…" : "");
}

void part_sum(int64_t *sum, int64_t value) {
  if (value >= 0)
    *sum = (*sum < 0 ? 0 : *sum) + value;
}

void part_print(const struct part *part, struct table *table) {
  if (table_rows(table) > 0)
    fputc('\n', part->file);
  table_print_page(table, part->file, part->screen->colours, part->screen->columns);
  table_release(table);
}

/* --- the head --- */

static void print_title(const struct part *part) {
  static const char *const heads[] = {"", "", "", "", NULL};
  static const char *const orders[] = {"lag", "growth", "topic"};
  const struct screen *screen = part->screen;
  struct table table;
  struct wm_buf now = WM_BUF_INIT;
  size_t ready = 0;
  for (size_t i = 0; i < screen->count; i++)
    ready += look_is_heard(screen->workers[i].now) && look_truth(screen->workers[i].now, "ready");
  show_time(screen->wall_us, &now);
  table_init(&table, heads);
  table.headed = true;
  table_cell(&table, STYLE_BOLD, "waymark top");
  table_cell(&table, STYLE_PLAIN, "%s UTC", now.bytes ? now.bytes : "");
  table_cell(&table, ready == screen->count ? STYLE_GOOD : STYLE_BAD, "%zu of %zu ready", ready, screen->count);
  if (screen->paused)
    table_cell(&table, STYLE_WARN, "paused, p goes on");
  else if (screen->keyed)
    table_cell(&table, STYLE_DIM, "q quits  p pauses  s sorts by %s", orders[(screen->order + 1) % SCREEN_ORDERS]);
  else
    table_cell(&table, STYLE_DIM, "%s", "");
  table_print_page(&table, part->file, screen->colours, screen->columns);
  table_release(&table);
  wm_buf_release(&now);
}

/* --- workers --- */

/* His own name, or the address that was asked. */
struct wm_text part_name(const struct watched *worker) {
  return look_is_heard(worker->now) ? look_text(worker->now, "worker") : wm_text_of(worker->url);
}

static int64_t tasks_rate(const struct watched *worker) {
  int64_t sum = LOOK_UNKNOWN;
  for (int result = 0; result <= WM_RESULT_FAILED; result++)
    part_sum(&sum, look_rate(worker->before, worker->now, "tasks", wm_result_name((enum wm_result)result)));
  return sum;
}

static int64_t failures_rate(const struct watched *worker) {
  int64_t failed = look_rate(worker->before, worker->now, "tasks", wm_result_name(WM_RESULT_FAILED));
  part_sum(&failed, look_rate(worker->before, worker->now, "events", "rejected"));
  return failed;
}

static void add_silent(struct table *table, const struct watched *worker) {
  part_text(table, STYLE_BAD, wm_text_of(worker->url));
  table_cell(table, worker->now ? STYLE_BAD : STYLE_DIM, worker->now ? "no answer" : "asked");
  for (int i = 2; i < 9; i++)
    table_cell(table, STYLE_DIM, "–");
}

static void add_worker(struct table *table, const struct watched *worker) {
  const struct look *now = worker->now;
  if (!look_is_heard(now)) {
    add_silent(table, worker);
    return;
  }
  struct wm_text paused = look_text(now, "paused");
  part_text(table, STYLE_BOLD, look_text(now, "worker"));
  if (paused.bytes)
    table_cell(table, STYLE_BAD, "paused: %.*s", WM_TEXT_ARG(paused));
  else
    part_text(table, look_truth(now, "ready") ? STYLE_GOOD : STYLE_BAD, look_text(now, "state"));
  part_number(table, look_number(now, "partitions", "live"), STYLE_PLAIN);
  part_number(table, look_number(now, NULL, "lag"), STYLE_PLAIN);
  part_rate(table, look_rate(worker->before, now, "events", "read"), STYLE_PLAIN);
  part_rate(table, tasks_rate(worker), STYLE_PLAIN);
  part_rate(table, failures_rate(worker), STYLE_BAD);
  part_number(table, look_number(now, NULL, "unapplied"), STYLE_PLAIN);
  part_number(table, look_number(now, "drift", "users"), STYLE_BAD);
}

static void print_workers(const struct part *part) {
  static const char *const heads[] = {"WORKER",  "STATE",    "LIVE",      "LAG",   "EVENTS/S",
                                      "TASKS/S", "FAILED/S", "UNAPPLIED", "DRIFT", NULL};
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < part->screen->count; i++)
    add_worker(&table, &part->screen->workers[i]);
  part_print(part, &table);
}

/* --- alarms --- */

static void alarm_of(struct table *table, const struct watched *worker, enum style style, const char *what,
                     struct wm_text more) {
  part_text(table, style, part_name(worker));
  table_cell(table, style, "%s%s%.*s", what, more.size ? ": " : "", WM_TEXT_ARG(more));
}

static void add_checks(struct table *table, const struct watched *worker) {
  const struct wm_value *checks;
  size_t count = look_items(look_member(worker->now, NULL, "checks"), &checks);
  for (size_t i = 0; i < count && i < PART_ALARMS; i++) {
    const struct wm_value *ok = wm_value_member(&checks[i], WM_TEXT("ok"));
    struct wm_text name = wm_value_text(wm_value_member(&checks[i], WM_TEXT("name")));
    struct wm_text trouble = wm_value_text(wm_value_member(&checks[i], WM_TEXT("trouble")));
    if (!name.bytes || (ok && ok->type == WM_BOOLEAN && ok->boolean))
      continue;
    part_text(table, STYLE_BAD, part_name(worker));
    table_cell(table, STYLE_BAD, "%.*s: %.*s", WM_TEXT_ARG(name), WM_TEXT_ARG(trouble));
  }
}

/* What a number above 0, or one that grows, means. */
static const struct {
  const char *group, *name, *what;
  bool grows;
  enum style style;
} signs[] = {
    {"partitions", "split", "partitions of which some topics are another worker's, a wrong deploy", false, STYLE_BAD},
    {"partitions", "behind", "partitions for which Redis is behind the log", false, STYLE_WARN},
    {NULL, "unprojected", "partitions that do not follow the catalogue yet", false, STYLE_WARN},
    {"drift", "users", "users whose roles in Redis are not what the log says", false, STYLE_BAD},
    {"events", "rejected", "dead letters a second", true, STYLE_BAD},
    {"tasks", "failed", "failed tasks a second", true, STYLE_BAD},
    {"transactions", "uncertain", "commits a second without an answer", true, STYLE_BAD},
    {"transactions", "aborted", "aborted transactions a second", true, STYLE_WARN},
};

static void add_signs(struct table *table, const struct watched *worker) {
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
    int64_t value = signs[i].grows ? look_rate(worker->before, worker->now, signs[i].group, signs[i].name)
                                   : look_number(worker->now, signs[i].group, signs[i].name);
    if (value <= 0)
      continue;
    part_text(table, signs[i].style, part_name(worker));
    if (signs[i].grows)
      table_cell(table, signs[i].style, "%s: %" PRId64 ".%" PRId64, signs[i].what, value / 10, value % 10);
    else
      table_cell(table, signs[i].style, "%s: %" PRId64, signs[i].what, value);
  }
}

static void add_alarms(struct table *table, const struct watched *worker, int64_t now_us) {
  if (!worker->now)
    return;
  if (!look_is_heard(worker->now)) {
    alarm_of(table, worker, STYLE_BAD, worker->now->trouble, WM_NO_TEXT);
    return;
  }
  add_checks(table, worker);
  if (look_text(worker->now, "paused").bytes)
    alarm_of(table, worker, STYLE_BAD, "nothing is decided, because of", look_text(worker->now, "paused"));
  if (look_truth(worker->now, "reload-refused"))
    alarm_of(table, worker, STYLE_BAD, "its last reload was refused, the workspace before it counts on", WM_NO_TEXT);
  if (worker->late)
    alarm_of(table, worker, STYLE_WARN, "takes its time to answer; what is shown is from before", WM_NO_TEXT);
  else if (worker->now->time_us >= 0 && now_us - worker->moved_us >= STALL_US) {
    part_text(table, STYLE_BAD, part_name(worker));
    table_cell(table, STYLE_BAD, "its loop has shown nothing new for %" PRId64 " s",
               (now_us - worker->moved_us) / WM_SECOND_US);
  }
  int64_t stuck_us = look_number(worker->now, NULL, "stuck-us");
  if (stuck_us >= STUCK_US) {
    part_text(table, STYLE_BAD, part_name(worker));
    table_cell(table, STYLE_BAD, "an input with lag has stood still for %" PRId64 " s", stuck_us / WM_SECOND_US);
  }
  add_signs(table, worker);
}

static void print_alarms(const struct part *part) {
  static const char *const heads[] = {"ALARM", "WHAT", NULL};
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < part->screen->count && table_rows(&table) < PART_ALARMS; i++)
    add_alarms(&table, &part->screen->workers[i], part->screen->monotonic_us);
  part_print(part, &table);
}

/* --- times --- */

static void add_time(struct table *table, const struct watched *worker, const char *name) {
  int64_t half = look_quantile(worker->before, worker->now, name, 50);
  int64_t most = look_quantile(worker->before, worker->now, name, 99);
  if (half < 0 || most < 0)
    table_cell(table, STYLE_DIM, "–");
  else if (most < 10000)
    table_cell(table, STYLE_PLAIN, "%.1f / %.1f ms", (double)half / 1000, (double)most / 1000);
  else
    table_cell(table, most >= WM_SECOND_US ? STYLE_WARN : STYLE_PLAIN, "%" PRId64 " / %" PRId64 " ms", half / 1000,
               most / 1000);
}

static void print_times(const struct part *part) {
  static const char *const heads[] = {"P50 / P99", "TO COMMIT", "TO REDIS",    "BATCH",
                                      "COMMIT",    "COMMITS/S", "REDIS FETCH", NULL};
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < part->screen->count; i++) {
    const struct watched *worker = &part->screen->workers[i];
    if (!look_is_heard(worker->now) || !look_is_heard(worker->before))
      continue;
    part_text(&table, STYLE_PLAIN, part_name(worker));
    add_time(&table, worker, "commit-latency");
    add_time(&table, worker, "redis-latency");
    add_time(&table, worker, "batch");
    add_time(&table, worker, "commit");
    part_rate(&table, look_rate(worker->before, worker->now, "transactions", "committed"), STYLE_PLAIN);
    add_time(&table, worker, "redis-fetch");
  }
  part_print(part, &table);
}

/* --- tasks, of all workers --- */

#define RESULTS (WM_RESULT_FAILED + 1)

/* Failed ones first: a narrow terminal cuts the last. */
static enum wm_result result_at(size_t column) {
  return column == 0 ? WM_RESULT_FAILED : (enum wm_result)(column - 1);
}

static int64_t sum_of(const struct screen *screen, const char *result, bool rate) {
  int64_t sum = LOOK_UNKNOWN;
  for (size_t i = 0; i < screen->count; i++) {
    const struct watched *worker = &screen->workers[i];
    if (look_is_heard(worker->now))
      part_sum(&sum, rate ? look_rate(worker->before, worker->now, "tasks", result)
                          : look_number(worker->now, "tasks", result));
  }
  return sum;
}

static void print_tasks(const struct part *part) {
  const char *heads[RESULTS + 2] = {"TASKS"};
  struct table table;
  for (size_t i = 0; i < RESULTS; i++)
    heads[i + 1] = wm_result_name(result_at(i));
  table_init(&table, heads);
  table_cell(&table, STYLE_DIM, "a second");
  for (size_t i = 0; i < RESULTS; i++)
    part_rate(&table, sum_of(part->screen, heads[i + 1], true), i == 0 ? STYLE_BAD : STYLE_PLAIN);
  table_cell(&table, STYLE_DIM, "in all");
  for (size_t i = 0; i < RESULTS; i++)
    part_number(&table, sum_of(part->screen, heads[i + 1], false), i == 0 ? STYLE_BAD : STYLE_PLAIN);
  part_print(part, &table);
}

/* --- all of it --- */

static size_t count_lines(const struct wm_buf *buf) {
  size_t lines = 0;
  for (size_t i = 0; i < buf->size; i++)
    lines += buf->bytes[i] == '\n';
  return lines;
}

typedef void print_fn(const struct part *part);

/* Appends what 'print' prints. */
static void add_section(const struct screen *screen, print_fn *print, size_t room, struct wm_buf *ret) {
  struct part part = {.screen = screen, .room = room};
  char *text = NULL;
  size_t size = 0;
  part.file = open_memstream(&text, &size);
  if (!part.file) {
    ret->failed = true;
    return;
  }
  print(&part);
  ret->failed |= fclose(part.file) != 0;
  if (!ret->failed)
    wm_buf_add(ret, text, size);
  free(text);
}

/* Cuts after so many lines. */
static void cut(struct wm_buf *buf, size_t lines) {
  size_t at = 0;
  while (at < buf->size && lines > 0)
    lines -= buf->bytes[at++] == '\n';
  if (buf->bytes)
    buf->bytes[at] = '\0';
  buf->size = at;
}

static size_t room_of(const struct screen *screen, const struct wm_buf *buf) {
  size_t used = count_lines(buf) + 1;
  return screen->rows == SIZE_MAX ? SIZE_MAX : screen->rows > used ? screen->rows - used : 0;
}

/* A part of 'room'; all of SIZE_MAX. */
static size_t part_of(size_t room, size_t divisor) {
  return room == SIZE_MAX ? room : room / divisor;
}

/* Many alarms do not push everything else off a screen. */
static void add_alarms_section(const struct screen *screen, struct wm_buf *ret) {
  struct wm_buf alarms = WM_BUF_INIT;
  add_section(screen, print_alarms, SIZE_MAX, &alarms);
  if (screen->rows != SIZE_MAX)
    cut(&alarms, screen->rows / 3 > 3 ? screen->rows / 3 : 3);
  if (alarms.size > 0)
    wm_buf_add(ret, alarms.bytes, alarms.size);
  ret->failed |= alarms.failed;
  wm_buf_release(&alarms);
}

#define LISTS_LEAST 9 /* lines that failures and partitions should have; times give way to them */

int screen_draw(const struct screen *screen, struct wm_buf *ret) {
  struct wm_buf times = WM_BUF_INIT;
  add_section(screen, print_title, SIZE_MAX, ret);
  add_section(screen, print_workers, SIZE_MAX, ret);
  add_alarms_section(screen, ret);
  add_section(screen, print_tasks, SIZE_MAX, ret);
  add_section(screen, print_times, SIZE_MAX, &times);
  if (times.size > 0 && room_of(screen, ret) >= count_lines(&times) + LISTS_LEAST)
    wm_buf_add(ret, times.bytes, times.size);
  add_section(screen, part_codes, part_of(room_of(screen, ret), 4), ret);
  add_section(screen, part_failures, part_of(room_of(screen, ret), 3), ret);
  add_section(screen, part_lags, room_of(screen, ret), ret);
  if (screen->rows != SIZE_MAX && screen->rows > 0)
    cut(ret, screen->rows - 1);
  ret->failed |= times.failed;
  wm_buf_release(&times);
  return ret->failed ? -1 : 0;
}

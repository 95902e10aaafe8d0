/* waymark failures list: one row for each, as they come. */
#include <stdlib.h>

#include "core/codec/write.h"
#include "tools/failures/failures.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"

#define ROWS 500 /* at once: columns get as wide as these need */

struct list {
  bool json;
  int64_t limit, told;
  struct table table;
  struct wm_buf buf;
};

static void flush(void *taker) {
  struct list *list = taker;
  table_print(&list->table, stdout);
  fflush(stdout);
}

static void print_json(struct list *list, const struct failure *failure) {
  struct wm_buf *buf = &list->buf;
  wm_buf_clear(buf);
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_moment(buf, WM_KEY("at"), failure->at_us);
  wm_write_text(buf, WM_KEY("id"), failure->id);
  wm_write_text(buf, WM_KEY("code"), failure->code);
  wm_write_boolean(buf, WM_KEY("rejected"), failure->rejected);
  wm_write_text(buf, WM_KEY("user"), failure->user);
  wm_write_text(buf, WM_KEY("message"), failure->message);
  wm_write_text(buf, WM_KEY("run"), failure->run);
  wm_write_text(buf, WM_KEY("automation"), failure->automation);
  if (!failure->rejected)
    wm_write_integer(buf, WM_KEY("sequence"), failure->sequence);
  wm_write_text(buf, WM_KEY("task"), failure->task_name);
  wm_write_text(buf, WM_KEY("role"), failure->role);
  wm_write_open(buf, WM_KEY("event"), '{');
  wm_write_text(buf, WM_KEY("source"), failure->event_source);
  wm_write_text(buf, WM_KEY("id"), failure->event_id);
  wm_write_text(buf, WM_KEY("type"), failure->event_type);
  wm_write_close(buf, '}');
  wm_write_open(buf, WM_KEY("origin"), '{');
  wm_write_origin(buf, &failure->origin);
  wm_write_close(buf, '}');
  wm_write_close(buf, '}');
  wm_write_end(buf);
  if (!buf->failed)
    puts(buf->bytes);
}

static void add_row(struct list *list, const struct failure *failure) {
  struct wm_buf *buf = &list->buf;
  wm_buf_clear(buf);
  show_time(failure->at_us, buf);
  table_text(&list->table, STYLE_DIM, (struct wm_text){buf->bytes, buf->size});
  table_text(&list->table, STYLE_BAD, failure->code);
  table_text(&list->table, STYLE_PLAIN, failure->user.size ? failure->user : WM_TEXT("–"));
  wm_buf_clear(buf);
  failure_what(failure, buf);
  table_text(&list->table, STYLE_PLAIN, (struct wm_text){buf->bytes, buf->size});
  table_text(&list->table, STYLE_NOTE, failure->id);
  table_text(&list->table, STYLE_PLAIN, failure->message);
}

static int take(void *taker, const struct failure *failure) {
  struct list *list = taker;
  if (list->json)
    print_json(list, failure);
  else
    add_row(list, failure);
  if (table_rows(&list->table) >= ROWS)
    flush(list);
  return ++list->told < list->limit ? EXIT_FINE : FAILURES_ENOUGH;
}

static int read_limit(const char *text, int64_t *ret) {
  char *end;
  *ret = INT64_MAX;
  if (!text)
    return EXIT_FINE;
  long long number = strtoll(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || number < 1 || number > 1000000000)
    return say(EXIT_USAGE, "--limit: '%s' is no number of failures (1 to 1000000000)", text);
  *ret = number;
  return EXIT_FINE;
}

/* What is not there is said, so that an empty page is not taken for an answer. */
static void summarize(const struct list *list, const struct failures_walk *walk) {
  struct wm_buf buf = WM_BUF_INIT;
  if (walk->begins_us != INT64_MIN) {
    show_time(walk->begins_us, &buf);
    say(0, "the topic's oldest record is of %s; what was before is not known", buf.bytes ? buf.bytes : "");
  }
  wm_buf_release(&buf);
  if (list->told == 0)
    say(0, "no such failure");
  else if (list->told == list->limit)
    say(0, "there may be more: the list ends with --limit %lld", (long long)list->limit);
}

int failures_list(const struct invocation *invocation) {
  static const char *const heads[] = {"TIME", "CODE", "USER", "FAILED", "ID", "MESSAGE", NULL};
  const struct options *options = &invocation->options;
  struct loaded loaded = {0};
  struct list list = {.json = options_has(options, "json")};
  struct failures_walk walk = {.follow = options_has(options, "follow"), .take = take, .pause = flush, .taker = &list};
  if (walk.follow && options_has(options, "failures"))
    return say(EXIT_USAGE, "--follow follows the topic: it does not go with --failures");
  int exit_code = read_limit(options_value(options, "limit"), &list.limit);
  if (exit_code == EXIT_FINE)
    exit_code = failures_filter_read(options, &walk.filter);
  if (exit_code == EXIT_FINE && !options_has(options, "failures"))
    exit_code = workspace_open_settings(invocation, &loaded);
  table_init(&list.table, heads);
  if (exit_code == EXIT_FINE) {
    exit_code = failures_each(&loaded, options, &walk);
    flush(&list);
  }
  if (exit_code == EXIT_FINE)
    summarize(&list, &walk);
  if (exit_code == EXIT_FINE && (walk.faults > 0 || (list.told > 0 && options_has(options, "exit-code"))))
    exit_code = EXIT_BAD_NEWS;
  table_release(&list.table);
  wm_buf_release(&list.buf);
  files_unload(&loaded);
  return exit_code;
}

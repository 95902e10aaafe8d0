#include "tools/requests/request_tell.h"

#include "core/moment.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"

#define ROWS_LIMIT 200 /* more requests than these: only those that need a look get a row */

static const char *const heads[] = {"USER", "ROLE", "RESULT", "NOTE", NULL};

void request_teller_init(struct request_teller *teller, const struct requests *requests, bool json) {
  *teller = (struct request_teller){
      .requests = requests,
      .json = json,
      .one = requests->count == 1,
      .bad_only = requests->count > ROWS_LIMIT,
  };
  table_init(&teller->table, heads);
}

void request_teller_release(struct request_teller *teller) {
  table_release(&teller->table);
}

/* --- parts of an answer --- */

static struct wm_text text_of(const struct wm_value *value, const char *name) {
  return wm_value_text(wm_value_member(value, wm_text_of(name)));
}

static bool is_true(const struct wm_value *value, const char *name) {
  const struct wm_value *member = wm_value_member(value, wm_text_of(name));
  return member && member->type == WM_BOOLEAN && member->boolean;
}

/* "automation 'x', task 10, event 'e1' of '/journeys', 2026-11-21 10:00:00" from a clock. */
static void add_clock(const struct wm_value *clock, struct wm_buf *buf) {
  if (!clock || clock->type != WM_LIST || clock->list.count != 5)
    return;
  const struct wm_value *items = clock->list.items;
  struct wm_text automation = wm_value_text(&items[3]);
  if (automation.size > 0)
    wm_buf_printf(buf, "automation '%.*s', task %lld, ", WM_TEXT_ARG(automation), (long long)items[4].integer);
  wm_buf_printf(buf, "event '%.*s' of '%.*s', ", WM_TEXT_ARG(wm_value_text(&items[2])),
                WM_TEXT_ARG(wm_value_text(&items[1])));
  if (items[0].type == WM_INTEGER)
    show_time(items[0].integer, buf);
}

static void add_dropped(const struct wm_value *task, struct wm_buf *buf) {
  const struct wm_value *dropped = wm_value_member(task, WM_TEXT("dropped"));
  size_t count = dropped && dropped->type == WM_LIST ? dropped->list.count : 0;
  for (size_t i = 0; i < count; i++)
    wm_buf_printf(buf, "%s'%.*s'", i ? ", " : "it took along the grants of ",
                  WM_TEXT_ARG(wm_value_text(&dropped->list.items[i])));
  if (count > 0)
    wm_buf_add_string(buf, "; ");
}

/* A grant by hand takes the place of the one before, and this one ends earlier. */
static void add_replaced(const struct wm_value *task, struct wm_buf *buf) {
  const struct wm_value *replaced = wm_value_member(task, WM_TEXT("replaces"));
  int64_t until_us;
  if (!replaced)
    return;
  wm_buf_add_string(buf, "it takes the place of an assignment by hand that ");
  if (wm_moment_parse(text_of(replaced, "until"), &until_us)) {
    wm_buf_add_string(buf, "would have lasted until ");
    show_time(until_us, buf);
  } else {
    wm_buf_add_string(buf, "had no end");
  }
  struct wm_text by = text_of(replaced, "by");
  if (by.bytes)
    wm_buf_printf(buf, ", asked for by '%.*s'", WM_TEXT_ARG(by));
  wm_buf_add_string(buf, "; ");
}

/* What else is worth saying, each with "; " behind. */
static void add_remarks(const struct request *request, const struct wm_value *task, struct wm_buf *buf) {
  struct wm_text baseline = text_of(task, "baseline");
  add_dropped(task, buf);
  add_replaced(task, buf);
  if (wm_text_is(text_of(task, "code"), "STILL_DERIVED"))
    wm_buf_add_string(buf, "the role is still in force, since a criterion of it holds (STILL_DERIVED); ");
  else if (request->terms->kind == REQUEST_ADD && !is_true(task, "effective"))
    wm_buf_add_string(buf, "it is assigned, but not in force ('waymark why' tells why); ");
  if (baseline.bytes)
    wm_buf_printf(buf, "no other role was left, so the baseline role '%.*s' was given; ", WM_TEXT_ARG(baseline));
  else if (is_true(task, "lockout"))
    wm_buf_add_string(buf, "the user has no role in force now (lockout); ");
  if (buf->size > 2 && !buf->failed)
    buf->bytes[buf->size -= 2] = '\0';
}

static bool is_result(const struct wm_value *task, const char *result) {
  return wm_text_is(text_of(task, "result"), result);
}

/* --- one request --- */

static bool takes(enum request_kind kind) {
  return kind == REQUEST_REMOVE || kind == REQUEST_WITHDRAW;
}

struct told_text {
  const char *result; /* as programs read it */
  enum style style;
  struct wm_buf note; /* release it */
};

static void describe(const struct request *request, const struct request_told *told, struct told_text *ret) {
  *ret = (struct told_text){.result = "rejected", .style = STYLE_BAD};
  const struct wm_value *what = told->receiver ? told->receiver : told->task ? told->task : told->rejection;
  if (told->rejection || is_result(what, "failed")) {
    ret->result = told->rejection ? "rejected" : "failed";
    wm_buf_printf(&ret->note, "%.*s [%.*s]", WM_TEXT_ARG(text_of(what, "message")), WM_TEXT_ARG(text_of(what, "code")));
  } else if (is_result(what, "superseded")) {
    ret->result = "superseded";
    ret->style = STYLE_WARN;
    wm_buf_printf(&ret->note, "a newer %s stands: ",
                  request->terms->kind == REQUEST_WITHDRAW ? "or renewed grant"
                  : takes(request->terms->kind)            ? "grant"
                                                           : "removal");
    add_clock(wm_value_member(what, WM_TEXT("stands")), &ret->note);
  } else {
    bool changed = is_result(what, "changed");
    ret->result = changed ? "changed" : "unchanged";
    ret->style = changed ? STYLE_GOOD : STYLE_DIM;
    add_remarks(request, what, &ret->note);
  }
}

static void count(struct request_teller *teller, const struct request_told *told, const char *result) {
  size_t *const counters[] = {&teller->changed, &teller->unchanged, &teller->superseded, &teller->failed,
                              &teller->rejected};
  static const char *const names[] = {"changed", "unchanged", "superseded", "failed", "rejected"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    *counters[i] += strcmp(names[i], result) == 0;
  teller->lockouts += told->task && is_true(told->task, "lockout");
}

static void tell_row(struct request_teller *teller, const struct request *request, const struct told_text *text) {
  table_text(&teller->table, STYLE_PLAIN, request->user);
  table_text(&teller->table, STYLE_PLAIN, request->terms->role);
  table_cell(&teller->table, text->style, "%s", text->result);
  table_cell(&teller->table, STYLE_DIM, "%s", text->note.bytes ? text->note.bytes : "");
  table_print(&teller->table, stdout);
}

/* "user-7 holds certified-partner now", and so on. */
static void add_sentence(const struct request *request, const char *result, struct wm_buf *buf) {
  static const struct {
    enum request_kind kind;
    const char *result, *between, *behind;
  } sentences[] = {
      {REQUEST_ADD, "changed", " holds ", " now"},
      {REQUEST_ADD, "unchanged", " held ",
       " before; the assignment by hand counts beside what automations and criteria give"},
      {REQUEST_REMOVE, "changed", " has no assignment of ", " any more"},
      {REQUEST_REMOVE, "unchanged", " had no assignment of ", " to take away"},
      {REQUEST_WITHDRAW, "changed", " has no assignment of ", " any more"},
      {REQUEST_WITHDRAW, "unchanged", " lost what that source gave, if it had; other sources' assignments of ",
       " stay"},
      {REQUEST_DELEGATE, "changed", " holds ", " now"},
      {REQUEST_DELEGATE, "unchanged", " held ",
       " before; the assignment by hand counts beside what automations and criteria give"},
  };
  const struct request_terms *terms = request->terms;
  struct wm_text whom = terms->kind == REQUEST_DELEGATE ? terms->to : request->user;
  for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
    if (sentences[i].kind == terms->kind && strcmp(sentences[i].result, result) == 0)
      wm_buf_printf(buf, "%.*s%s%.*s%s", WM_TEXT_ARG(whom), sentences[i].between, WM_TEXT_ARG(terms->role),
                    sentences[i].behind);
}

static void tell_sentence(const struct request *request, const struct told_text *text) {
  static const char *const asked[] = {[REQUEST_ADD] = "granted",
                                      [REQUEST_REMOVE] = "revoked",
                                      [REQUEST_DELEGATE] = "delegated",
                                      [REQUEST_WITHDRAW] = "taken back"};
  struct wm_buf buf = WM_BUF_INIT;
  add_sentence(request, text->result, &buf);
  if (buf.size == 0)
    wm_buf_printf(&buf, "'%.*s' was not %s", WM_TEXT_ARG(request->terms->role), asked[request->terms->kind]);
  style_print(stdout, text->style, "%s", text->result);
  style_print(stdout, STYLE_PLAIN, ": %s", buf.bytes ? buf.bytes : "");
  if (text->note.size > 0)
    style_print(stdout, STYLE_PLAIN, ": %s", text->note.bytes);
  putchar('\n');
  wm_buf_release(&buf);
}

/* --- JSON --- */

static void open_line(const struct request_teller *teller, size_t index, struct wm_buf *buf) {
  const struct request *request = &teller->requests->items[index];
  wm_buf_add_string(buf, "{\"user\":");
  wm_buf_add_json(buf, request->user);
  wm_buf_add_string(buf, ",\"role\":");
  wm_buf_add_json(buf, request->terms->role);
  if (request->terms->to.bytes) {
    wm_buf_add_string(buf, ",\"to\":");
    wm_buf_add_json(buf, request->terms->to);
  }
  wm_buf_add_string(buf, ",\"event\":{\"source\":\"" REQUEST_SOURCE "\",\"id\":\"");
  request_id(teller->requests, index, buf);
  wm_buf_add_string(buf, "\"}");
}

static void close_line(struct wm_buf *buf) {
  wm_buf_add_char(buf, '}');
  if (!buf->failed)
    puts(buf->bytes);
  wm_buf_release(buf);
}

/* Of a task or a rejection what programs go by. */
static void tell_json(const struct request_teller *teller, const struct request_told *told, const char *result) {
  static const char *const members[] = {"code",    "message", "reason",  "pointer",  "effective",
                                        "lockout", "stands",  "dropped", "baseline", "replaces"};
  const struct wm_value *what = told->receiver ? told->receiver : told->task ? told->task : told->rejection;
  struct wm_buf line = WM_BUF_INIT;
  open_line(teller, told->index, &line);
  wm_buf_printf(&line, ",\"result\":\"%s\"", result);
  for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
    const struct wm_value *member = wm_value_member(what, wm_text_of(members[i]));
    if (!member)
      continue;
    wm_buf_printf(&line, ",\"%s\":", members[i]);
    wm_value_to_json(member, &line);
  }
  close_line(&line);
}

void request_tell(void *taker, const struct request_told *told) {
  struct request_teller *teller = taker;
  const struct request *request = &teller->requests->items[told->index];
  struct told_text text;
  describe(request, told, &text);
  count(teller, told, text.result);
  bool plain = text.style == STYLE_GOOD || text.style == STYLE_DIM;
  if (teller->json)
    tell_json(teller, told, text.result);
  else if (teller->one)
    tell_sentence(request, &text);
  else if (!teller->bad_only || !plain || text.note.size > 0)
    tell_row(teller, request, &text);
  wm_buf_release(&text.note);
}

void request_tell_rest(struct request_teller *teller, bool waited) {
  for (size_t i = 0; teller->json && i < teller->requests->sent; i++) {
    if (teller->requests->items[i].answer != REQUEST_WAITING)
      continue;
    struct wm_buf line = WM_BUF_INIT;
    open_line(teller, i, &line);
    wm_buf_printf(&line, ",\"result\":\"%s\"", waited ? "waiting" : "sent");
    close_line(&line);
  }
}

void request_tell_summary(struct request_teller *teller) {
  const struct {
    size_t count;
    const char *word;
  } parts[] = {{teller->changed, "changed"},       {teller->unchanged, "unchanged"},
               {teller->superseded, "superseded"}, {teller->failed, "failed"},
               {teller->rejected, "rejected"},     {teller->lockouts, "without any role in force now"}};
  FILE *file = teller->json ? stderr : stdout;
  if (teller->one)
    return;
  fprintf(file, "%zu request%s:", teller->requests->count, teller->requests->count == 1 ? "" : "s");
  const char *between = " ";
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (parts[i].count == 0)
      continue;
    fprintf(file, "%s%zu %s", between, parts[i].count, parts[i].word);
    between = ", ";
  }
  fputs(*between == ',' ? "\n" : " sent\n", file);
}

int request_teller_exit_code(const struct request_teller *teller) {
  return teller->superseded || teller->failed || teller->rejected ? EXIT_BAD_NEWS : EXIT_FINE;
}

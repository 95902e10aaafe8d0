/* waymark status: how a worker does, as it says itself over HTTP; or, when none answers, what Redis knows of them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/codec/json.h"
#include "core/codec/write.h"
#include "tools/lib/files.h"
#include "tools/lib/http_get.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/lib/table.h"
#include "worker/clock.h"
#include "worker/meta.h"

#define TIMEOUT_MS 3000
#define SILENT_US (10 * INT64_C(1000000)) /* who has not said a word for so long is taken for gone */

struct status {
  const struct options *options;
  bool json;
  struct wm_arena arena;
  struct wm_buf body;
};

/* --- what a worker says --- */

static const struct wm_value *member(const struct wm_value *value, const char *name) {
  return wm_value_member(value, wm_text_of(name));
}

static struct wm_text text(const struct wm_value *value, const char *name) {
  return wm_value_text(member(value, name));
}

static int64_t number(const struct wm_value *value, const char *name) {
  const struct wm_value *found = member(value, name);
  return found && found->type == WM_INTEGER ? found->integer : -1;
}

static bool truth(const struct wm_value *value, const char *name) {
  const struct wm_value *found = member(value, name);
  return found && found->type == WM_BOOLEAN && found->boolean;
}

/* How many 'value' has when it is a list; its items stand in value->list.items. */
static size_t count_of(const struct wm_value *value) {
  return value && value->type == WM_LIST ? value->list.count : 0;
}

static void row(struct table *table, const char *name, enum style style, struct wm_text value) {
  if (!value.bytes)
    return;
  table_cell(table, STYLE_DIM, "%s", name);
  table_text(table, style, value);
}

static void row_number(struct table *table, const char *name, int64_t value) {
  if (value < 0)
    return;
  table_cell(table, STYLE_DIM, "%s", name);
  table_cell(table, STYLE_PLAIN, "%lld", (long long)value);
}

static void add_checks(struct table *table, const struct wm_value *checks) {
  for (size_t i = 0; i < count_of(checks); i++) {
    const struct wm_value *check = &checks->list.items[i];
    if (truth(check, "ok"))
      continue;
    table_text(table, STYLE_DIM, text(check, "name"));
    table_text(table, STYLE_BAD, text(check, "trouble"));
  }
}

/* "4 live, 0 behind ..." out of an object of numbers, those that are not 0. */
static void add_numbers(struct table *table, const char *name, const struct wm_value *numbers) {
  struct wm_buf buf = WM_BUF_INIT;
  for (size_t i = 0; numbers && numbers->type == WM_OBJECT && i < numbers->object.count; i++) {
    const struct wm_member *item = &numbers->object.members[i];
    if (item->value.type == WM_INTEGER && item->value.integer != 0)
      wm_buf_printf(&buf, "%s%lld %.*s", buf.size ? ", " : "", (long long)item->value.integer, WM_TEXT_ARG(item->name));
  }
  row(table, name, STYLE_PLAIN, buf.size ? (struct wm_text){buf.bytes, buf.size} : WM_TEXT("none"));
  wm_buf_release(&buf);
}

static void add_drift(struct table *table, const struct wm_value *drift) {
  int64_t users = number(drift, "users");
  if (!drift || users < 0)
    return;
  table_cell(table, STYLE_DIM, "not as in the log");
  table_cell(table, users > 0 ? STYLE_BAD : STYLE_PLAIN, "%lld user%s (%lld compared, %lld rounds)", (long long)users,
             users == 1 ? "" : "s", (long long)number(drift, "checked"), (long long)number(drift, "rounds"));
}

static void print_worker(const struct wm_value *worker) {
  static const char *const heads[] = {"", "", NULL};
  struct table table;
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(text(worker, "worker")));
  style_print(stdout, truth(worker, "ready") ? STYLE_GOOD : STYLE_BAD, "  %.*s", WM_TEXT_ARG(text(worker, "state")));
  putchar('\n');
  table_init(&table, heads);
  table.headed = true;
  add_checks(&table, member(worker, "checks"));
  row(&table, "paused because of", STYLE_BAD, text(worker, "paused"));
  row(&table, "group", STYLE_PLAIN, text(worker, "group"));
  row(&table, "version", STYLE_PLAIN, text(worker, "version"));
  row(&table, "workspace", STYLE_PLAIN, text(worker, "workspace"));
  if (truth(worker, "reload-refused"))
    row(&table, "last reload", STYLE_BAD, WM_TEXT("refused, the workspace before it counts on"));
  if (member(worker, "events")) {
    row_number(&table, "automations", number(worker, "automations"));
    row_number(&table, "roles", number(worker, "roles"));
    add_numbers(&table, "events", member(worker, "events"));
    add_numbers(&table, "tasks", member(worker, "tasks"));
    add_numbers(&table, "partitions", member(worker, "partitions"));
    row_number(&table, "lag", number(worker, "lag"));
    row_number(&table, "not in Redis yet", number(worker, "unapplied"));
    row_number(&table, "to be projected", number(worker, "unprojected"));
    add_drift(&table, member(worker, "drift"));
  }
  table_print(&table, stdout);
  table_release(&table);
}

static void print_lags(const struct wm_value *lags) {
  static const char *const heads[] = {"TOPIC", "PARTITION", "STATE", "LAG", NULL};
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < count_of(lags); i++) {
    const struct wm_value *lag = &lags->list.items[i];
    if (number(lag, "lag") == 0 && wm_text_is(text(lag, "state"), "live"))
      continue;
    table_text(&table, STYLE_PLAIN, text(lag, "topic"));
    table_cell(&table, STYLE_PLAIN, "%lld", (long long)number(lag, "partition"));
    table_text(&table, STYLE_PLAIN, text(lag, "state"));
    if (number(lag, "lag") < 0)
      table_cell(&table, STYLE_DIM, "?");
    else
      table_cell(&table, STYLE_PLAIN, "%lld", (long long)number(lag, "lag"));
  }
  if (table_rows(&table) > 0)
    putchar('\n');
  table_print(&table, stdout);
  table_release(&table);
}

static void print_failures(const struct wm_value *failures) {
  static const char *const heads[] = {"FAILED", "CODE", "AUTOMATION", "SEQUENCE", "ORIGIN", NULL};
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < count_of(failures); i++) {
    const struct wm_value *failure = &failures->list.items[i];
    struct wm_text automation = text(failure, "automation");
    table_text(&table, STYLE_DIM, text(failure, "time"));
    table_text(&table, STYLE_BAD, text(failure, "code"));
    table_text(&table, STYLE_PLAIN, automation.bytes ? automation : WM_TEXT("–"));
    if (automation.bytes)
      table_cell(&table, STYLE_PLAIN, "%lld", (long long)number(failure, "sequence"));
    else
      table_cell(&table, STYLE_DIM, "–");
    table_text(&table, STYLE_PLAIN, text(failure, "origin"));
  }
  if (table_rows(&table) > 0)
    putchar('\n');
  table_print(&table, stdout);
  table_release(&table);
}

/* EXIT_OUTSIDE: nobody, or somebody else, answers there; 'error' says it. */
static int ask_worker(struct status *status, const char *url, struct wm_error *error) {
  struct wm_value worker;
  int answer = http_get(url, "/status.json", TIMEOUT_MS, &status->body, error);
  struct wm_text body = {status->body.bytes, status->body.size};
  if (answer < 0)
    return EXIT_OUTSIDE;
  if (answer != 200 || wm_json_parse(body, &status->arena, &worker, error) < 0 || !text(&worker, "worker").bytes ||
      !text(&worker, "state").bytes) {
    wm_error_set(error, WM_E_HTTP_FAILED, "'%s' is no worker of Waymark (status %d)", url, answer);
    return EXIT_OUTSIDE;
  }
  if (status->json) { /* what it says, and that it says it */
    while (body.size > 0 && body.bytes[body.size - 1] == '\n')
      body.size--;
    printf("{\"from\":\"worker\",%.*s\n", (int)body.size - 1, body.bytes + 1);
  } else {
    print_worker(&worker);
    print_lags(member(&worker, "lags"));
    print_failures(member(&worker, "failures"));
  }
  return truth(&worker, "ready") ? EXIT_FINE : EXIT_BAD_NEWS;
}

/* --- what Redis knows --- */

/* "1 1795255200000": ready, and when it said so; milliseconds. */
static bool read_word(struct wm_text value, bool *ret_ready, int64_t *ret_seen_us) {
  char room[32], *end;
  if (value.size < 3 || value.size >= sizeof room || value.bytes[1] != ' ')
    return false;
  snprintf(room, sizeof room, "%.*s", WM_TEXT_ARG(value));
  *ret_ready = room[0] == '1';
  *ret_seen_us = strtoll(room + 2, &end, 10) * 1000;
  return *end == '\0';
}

static struct wm_text field(const struct meta_field *fields, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (wm_text_is(fields[i].name, name))
      return fields[i].value;
  return WM_NO_TEXT;
}

static int by_name(const void *a, const void *b) {
  return wm_text_compare(((const struct meta_field *)a)->name, ((const struct meta_field *)b)->name);
}

struct known {
  bool ready;        /* what 'ready' says, and somebody is there to say so */
  int64_t alive_us;  /* 0: nobody ever was */
  size_t projecting; /* partitions that do not follow their catalogue yet */
};

static struct known read_meta(const struct meta_field *fields, size_t count, int64_t now_us) {
  struct wm_text alive = field(fields, count, "alive-at");
  char room[32] = "";
  struct known known = {0};
  if (alive.size < sizeof room)
    snprintf(room, sizeof room, "%.*s", WM_TEXT_ARG(alive));
  known.alive_us = strtoll(room, NULL, 10) * 1000;
  known.ready = wm_text_is(field(fields, count, "ready"), "1") && now_us - known.alive_us < SILENT_US;
  for (size_t i = 0; i < count; i++)
    known.projecting += wm_text_starts_with(fields[i].name, WM_TEXT("catalogue:")) &&
                        !wm_text_ends_with(fields[i].value, WM_TEXT(" done"));
  return known;
}

static void print_known(const struct known *known, const struct meta_field *fields, size_t count) {
  static const char *const heads[] = {"WORKER", "STATE", "LAST WORD", NULL};
  struct table table;
  struct wm_buf buf = WM_BUF_INIT;
  style_print(stdout, known->ready ? STYLE_GOOD : STYLE_BAD, "%s", known->ready ? "ready" : "not ready");
  putchar('\n');
  table_init(&table, heads);
  for (size_t i = 0; i < count; i++) {
    bool ready;
    int64_t seen_us;
    if (!wm_text_starts_with(fields[i].name, WM_TEXT("worker:")) || !read_word(fields[i].value, &ready, &seen_us))
      continue;
    wm_buf_clear(&buf);
    show_time(seen_us, &buf);
    table_text(&table, STYLE_PLAIN, (struct wm_text){fields[i].name.bytes + 7, fields[i].name.size - 7});
    table_cell(&table, ready ? STYLE_GOOD : STYLE_BAD, "%s", ready ? "ready" : "not ready");
    table_text(&table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
  }
  table_print(&table, stdout);
  table_release(&table);
  if (known->projecting > 0)
    printf("%zu partition%s do%s not follow the catalogue yet\n", known->projecting, known->projecting == 1 ? "" : "s",
           known->projecting == 1 ? "es" : "");
  if (known->alive_us == 0)
    puts("no worker has ever written there");
  wm_buf_release(&buf);
}

static void print_known_json(const struct known *known, const struct meta_field *fields, size_t count) {
  struct wm_buf line = WM_BUF_INIT;
  wm_write_open(&line, WM_NO_KEY, '{');
  wm_write_string(&line, WM_KEY("from"), "redis");
  wm_write_boolean(&line, WM_KEY("ready"), known->ready);
  if (known->alive_us > 0)
    wm_write_moment(&line, WM_KEY("alive-at"), known->alive_us);
  wm_write_open(&line, WM_KEY("workers"), '[');
  for (size_t i = 0; i < count; i++) {
    bool ready;
    int64_t seen_us;
    if (!wm_text_starts_with(fields[i].name, WM_TEXT("worker:")) || !read_word(fields[i].value, &ready, &seen_us))
      continue;
    wm_write_open(&line, WM_NO_KEY, '{');
    wm_write_text(&line, WM_KEY("worker"), (struct wm_text){fields[i].name.bytes + 7, fields[i].name.size - 7});
    wm_write_boolean(&line, WM_KEY("ready"), ready);
    wm_write_moment(&line, WM_KEY("time"), seen_us);
    wm_write_close(&line, '}');
  }
  wm_write_close(&line, ']');
  wm_write_integer(&line, WM_KEY("unprojected"), (int64_t)known->projecting);
  wm_write_close(&line, '}');
  wm_write_end(&line);
  if (!line.failed)
    puts(line.bytes);
  wm_buf_release(&line);
}

static int ask_redis(struct status *status, const struct settings *settings) {
  struct wm_error error = {0};
  struct meta_field *fields;
  size_t count;
  if (meta_read(settings, &status->arena, &fields, &count, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  qsort(fields, count, sizeof *fields, by_name);
  struct known known = read_meta(fields, count, system_clock.wall_us(system_clock.self));
  if (status->json)
    print_known_json(&known, fields, count);
  else
    print_known(&known, fields, count);
  return known.ready ? EXIT_FINE : EXIT_BAD_NEWS;
}

/* --- the command --- */

static int ask_anybody(struct status *status, const struct settings *settings) {
  char room[HTTP_GET_URL];
  struct wm_error error = {0};
  const char *url = http_get_listener(settings->http_listen, room, sizeof room);
  int exit_code = url ? ask_worker(status, url, &error) : EXIT_OUTSIDE;
  if (exit_code != EXIT_OUTSIDE)
    return exit_code;
  say(0, "%s; this is what Redis knows", url ? error.text : "'http.listen' names no port to ask a worker at");
  return ask_redis(status, settings);
}

static int ask(struct status *status, const struct invocation *invocation) {
  const char *url = options_value(status->options, "url");
  struct wm_error error = {0};
  struct loaded loaded;
  if (url && !http_get_is_url(url))
    return say(EXIT_USAGE, "--url: '%s' is no URL of a worker: http://HOST:PORT", url);
  if (url) {
    int exit_code = ask_worker(status, url, &error);
    return exit_code == EXIT_OUTSIDE ? say_error(exit_code, &error) : exit_code;
  }
  int exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_BAD_NEWS)
    exit_code = EXIT_USAGE; /* 1 says that it is not ready */
  if (exit_code == EXIT_FINE)
    exit_code = ask_anybody(status, &loaded.settings);
  files_unload(&loaded);
  return exit_code;
}

static int run(const struct invocation *invocation) {
  struct status status = {.options = &invocation->options, .json = options_has(&invocation->options, "json")};
  signal(SIGPIPE, SIG_IGN);
  wm_arena_init(&status.arena, 0);
  int exit_code = ask(&status, invocation);
  wm_buf_release(&status.body);
  wm_arena_release(&status.arena);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"url", 0, "URL", "the worker to ask, such as http://worker-2:9464 (else http.listen of the workspace)"},
    OPTION_JSON,
    {0},
};

const struct command command_status = {
    .name = "status",
    .arguments = "",
    .summary = "how a worker does: ready or why not, partitions, lag, counts, the last failures",
    .options = options,
    .help =
        "Asks a worker over HTTP. When none answers at http.listen, tells what Redis knows of all workers: who was\n"
        "seen when, and whether all of them are ready; with --url there is no such second answer.\n"
        "Exit 0: ready (or standing by); 1: not ready; 3: neither a worker nor Redis can be reached.\n\n"
        "  waymark status -C /etc/waymark\n"
        "  waymark status --url http://worker-2:9464 --json",
    .run = run,
};

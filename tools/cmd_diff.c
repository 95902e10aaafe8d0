/* waymark diff: what a change of the workspace would have done to the same events and users. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/rules/diff.h"
#include "worker/clock.h"

#define USERS_SHOWN 20

struct telling {
  struct diff diff;
  struct table users;
  size_t limit, shown, more; /* users; limit SIZE_MAX: all */
  bool json;
};

/* --- users --- */

static void add_names(const struct wm_change *changes, size_t count, bool gained, struct wm_buf *buf) {
  for (size_t i = 0; i < count; i++)
    if (changes[i].effective == gained)
      wm_buf_printf(buf, "%s%.*s", buf->size ? ", " : "", WM_TEXT_ARG(changes[i].role));
}

static void add_names_json(const struct wm_change *changes, size_t count, bool gained, struct wm_buf *buf) {
  const char *between = "";
  for (size_t i = 0; i < count; i++) {
    if (changes[i].effective != gained)
      continue;
    wm_buf_add_string(buf, between);
    wm_buf_add_json(buf, changes[i].role);
    between = ",";
  }
}

static void tell_user_json(struct wm_text user, const struct wm_change *changes, size_t count) {
  struct wm_buf line = WM_BUF_INIT;
  wm_buf_add_string(&line, "{\"kind\":\"user\",\"user\":");
  wm_buf_add_json(&line, user);
  wm_buf_add_string(&line, ",\"gained\":[");
  add_names_json(changes, count, true, &line);
  wm_buf_add_string(&line, "],\"lost\":[");
  add_names_json(changes, count, false, &line);
  wm_buf_add_string(&line, "]}");
  puts(line.bytes ? line.bytes : "");
  wm_buf_release(&line);
}

static void take_user(void *taker, struct wm_text user, const struct wm_change *changes, size_t count) {
  struct telling *telling = taker;
  if (telling->shown == telling->limit) {
    telling->more++;
    return;
  }
  telling->shown++;
  if (telling->json) {
    tell_user_json(user, changes, count);
    return;
  }
  table_text(&telling->users, STYLE_PLAIN, user);
  for (unsigned gained = 1; gained < 2; gained--) {
    struct wm_buf names = WM_BUF_INIT;
    add_names(changes, count, gained, &names);
    table_text(&telling->users, gained ? STYLE_GOOD : STYLE_BAD, (struct wm_text){names.bytes, names.size});
    wm_buf_release(&names);
  }
}

static void print_users(struct telling *telling) {
  bool any = table_rows(&telling->users) > 0;
  table_print(&telling->users, stdout);
  if (telling->more)
    printf("and %zu more (--limit 0 shows all)\n", telling->more);
  if (any)
    putchar('\n');
}

/* --- tallies --- */

/* How one tally is told. */
struct shape {
  const char *kind;                  /* in JSON, the first part of the name */
  const char *parts[TALLY_PARTS];    /* the names of all parts in JSON, ended by NULL */
  const char *counts[TALLY_COLUMNS]; /* in JSON, ended by NULL */
  const char *heads[TABLE_COLUMNS];  /* of the table, ended by NULL */
  bool (*is_worth)(const struct tally_row *row);
  bool example;
};

static bool is_any(const struct tally_row *row) {
  (void)row;
  return true;
}
static bool is_run(const struct tally_row *row) {
  return row->counts[RUNS_ADDED] || row->counts[RUNS_REMOVED] || row->counts[RUNS_CHANGED];
}
static bool is_sent(const struct tally_row *row) {
  return row->counts[SENT_OLD] != row->counts[SENT_NEW] || row->counts[SENT_CHANGED];
}

static const struct shape shapes[] = {
    {"role", {"role"}, {"gained", "lost"}, {"ROLE", "USERS GAIN IT", "USERS LOSE IT", NULL}, is_any, false},
    {"automation",
     {"automation"},
     {"added", "removed", "changed", "same"},
     {"AUTOMATION", "RUNS ADDED", "RUNS REMOVED", "OTHER RESULTS", "THE SAME", NULL},
     is_run,
     false},
    {"channel",
     {"channel"},
     {"old", "new", "changed"},
     {"CHANNEL", "NOTIFICATIONS BEFORE", "AFTER", "OTHER TEXT", NULL},
     is_sent,
     false},
    {"failure",
     {"automation", "sequence", "code"},
     {"newly", "no-longer"},
     {"AUTOMATION", "TASK", "FAILS WITH", "NEWLY", "NO LONGER", "FOR EXAMPLE", NULL},
     is_any,
     true},
};

static void add_row(struct table *table, const struct shape *shape, const struct tally_row *row) {
  for (size_t i = 0; i < TALLY_PARTS && shape->parts[i]; i++)
    table_text(table, STYLE_PLAIN, row->parts[i]);
  for (size_t i = 0; i < TALLY_COLUMNS && shape->counts[i]; i++)
    table_cell(table, row->counts[i] ? STYLE_PLAIN : STYLE_DIM, "%zu", row->counts[i]);
  if (shape->example)
    table_text(table, STYLE_DIM, row->example);
}

static void print_row_json(const struct shape *shape, const struct tally_row *row) {
  struct wm_buf line = WM_BUF_INIT;
  wm_buf_printf(&line, "{\"kind\":\"%s\"", shape->kind);
  for (size_t i = 0; i < TALLY_PARTS && shape->parts[i]; i++) {
    wm_buf_printf(&line, ",\"%s\":", shape->parts[i]);
    if (strcmp(shape->parts[i], "sequence") == 0)
      wm_buf_add_text(&line, row->parts[i]);
    else
      wm_buf_add_json(&line, row->parts[i]);
  }
  for (size_t i = 0; i < TALLY_COLUMNS && shape->counts[i]; i++)
    wm_buf_printf(&line, ",\"%s\":%zu", shape->counts[i], row->counts[i]);
  if (shape->example && row->example.bytes) {
    wm_buf_add_string(&line, ",\"example\":");
    wm_buf_add_json(&line, row->example);
  }
  wm_buf_add_char(&line, '}');
  puts(line.bytes ? line.bytes : "");
  wm_buf_release(&line);
}

static int tell_tally(const struct tally *tally, const struct shape *shape, bool json) {
  struct tally_row **rows = tally_sorted(tally);
  struct table table;
  table_init(&table, shape->heads);
  for (size_t i = 0; rows && rows[i]; i++) {
    if (!shape->is_worth(rows[i]))
      continue;
    if (json)
      print_row_json(shape, rows[i]);
    else
      add_row(&table, shape, rows[i]);
  }
  bool any = table_rows(&table) > 0;
  table_print(&table, stdout);
  if (any)
    putchar('\n');
  bool whole = rows && !table.failed;
  table_release(&table);
  free(rows);
  return whole ? EXIT_FINE : say_memory();
}

/* --- the whole --- */

static void print_end(const struct diff *diff) {
  struct wm_buf text = WM_BUF_INIT;
  show_count(&text, diff->events, "event");
  wm_buf_add_string(&text, ", ");
  show_count(&text, diff->users, "user");
  if (diff->rejected[SIDE_OLD] != diff->rejected[SIDE_NEW])
    wm_buf_printf(&text, "; %zu events are rejected, %zu were before", diff->rejected[SIDE_NEW],
                  diff->rejected[SIDE_OLD]);
  if (diff_differs(diff))
    wm_buf_printf(&text, ": users who gain roles: %zu, who lose roles: %zu", diff->users_gaining, diff->users_losing);
  else
    wm_buf_add_string(&text, ": no difference");
  puts(text.bytes ? text.bytes : "");
  wm_buf_release(&text);
}

static void print_end_json(const struct diff *diff) {
  printf("{\"kind\":\"summary\",\"events\":%zu,\"blank\":%zu,\"rejected-old\":%zu,\"rejected-new\":%zu,\"users\":%zu,"
         "\"users-gaining\":%zu,\"users-losing\":%zu,\"differs\":%s}\n",
         diff->events, diff->blank, diff->rejected[SIDE_OLD], diff->rejected[SIDE_NEW], diff->users,
         diff->users_gaining, diff->users_losing, diff_differs(diff) ? "true" : "false");
}

static int tell(struct telling *telling, int64_t now_us) {
  static const char *const heads[] = {"USER", "GAINS", "LOSES", NULL};
  struct diff *diff = &telling->diff;
  const struct tally *tallies[] = {&diff->roles, &diff->runs, &diff->sent, &diff->failures};
  table_init(&telling->users, heads);
  int exit_code = diff_users(diff, now_us, take_user, telling) < 0 || telling->users.failed ? say_memory() : EXIT_FINE;
  if (exit_code == EXIT_FINE && !telling->json)
    print_users(telling);
  for (size_t i = 0; exit_code == EXIT_FINE && i < sizeof shapes / sizeof *shapes; i++)
    exit_code = tell_tally(tallies[i], &shapes[i], telling->json);
  if (exit_code == EXIT_FINE && telling->json)
    print_end_json(diff);
  else if (exit_code == EXIT_FINE)
    print_end(diff);
  table_release(&telling->users);
  return exit_code;
}

/* Every line of a file, to one side of the work: registers, then events. */
static int each_line(struct diff *diff, const char *path, bool users) {
  struct lines lines = {.fd = -1};
  int exit_code = path ? lines_open(&lines, path) : EXIT_FINE;
  bool end = !path;
  while (exit_code == EXIT_FINE && !end) {
    struct wm_text line;
    struct wm_error error = {0};
    exit_code = lines_next(&lines, &line, &end);
    if (exit_code != EXIT_FINE || end)
      break;
    if (!users && diff_line(diff, line, &error) < 0)
      exit_code = say_error(EXIT_BUG, &error);
    if (users && !line_is_blank(line) && diff_add_user(diff, line, &error) < 0)
      exit_code = error.code == WM_E_OUT_OF_MEMORY
                      ? say_memory()
                      : say(EXIT_USAGE, "%s:%lld: no register: %s", path, (long long)lines.number, error.text);
  }
  lines_close(&lines);
  return exit_code;
}

static int read_limit(const char *text, size_t *ret) {
  char *end;
  *ret = USERS_SHOWN;
  if (!text)
    return EXIT_FINE;
  long long limit = strtoll(text, &end, 10);
  if (*end || end == text || limit < 0)
    return say(EXIT_USAGE, "--limit needs a number, 0 for all, not '%s'", text);
  *ret = limit ? (size_t)limit : SIZE_MAX;
  return EXIT_FINE;
}

static bool is_stdin(const char *path) {
  return path && strcmp(path, "-") == 0;
}

static int check(const struct options *options, struct telling *telling) {
  const char *events = options_value(options, "events"), *users = options_value(options, "users");
  telling->json = options_has(options, "json");
  if (!events && !users)
    return say(EXIT_USAGE, "what to compare by? Give --events FILE, --users FILE, or both");
  if (is_stdin(events) && is_stdin(users))
    return say(EXIT_USAGE, "stdin can be the events or the users, not both");
  int exit_code = read_limit(options_value(options, "limit"), &telling->limit);
  if (telling->json && !options_has(options, "limit"))
    telling->limit = SIZE_MAX;
  return exit_code;
}

static int compare(struct telling *telling, const struct options *options, const struct loaded *loaded) {
  struct diff *diff = &telling->diff;
  diff_init(diff, &loaded[SIDE_OLD], &loaded[SIDE_NEW]);
  int exit_code = each_line(diff, options_value(options, "users"), true);
  if (exit_code == EXIT_FINE)
    exit_code = each_line(diff, options_value(options, "events"), false);
  int64_t now_us = diff->events ? diff->plays[SIDE_NEW].last_us : system_clock.wall_us(system_clock.self);
  if (exit_code == EXIT_FINE)
    exit_code = tell(telling, now_us);
  if (exit_code == EXIT_FINE && options_has(options, "exit-code") && diff_differs(diff))
    exit_code = EXIT_BAD_NEWS;
  diff_release(diff);
  return exit_code;
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct loaded loaded[SIDES] = {0};
  struct telling telling = {0};
  int exit_code = check(options, &telling);
  for (unsigned side = 0; exit_code == EXIT_FINE && side < SIDES; side++)
    exit_code = workspace_open(invocation, options_argument(options, side), SETTINGS_OFFLINE, &loaded[side]);
  if (exit_code == EXIT_FINE)
    exit_code = compare(&telling, options, loaded);
  files_unload(&loaded[SIDE_OLD]);
  files_unload(&loaded[SIDE_NEW]);
  return exit_code;
}

static const struct option options[] = {
    {"events", 0, "FILE", "events that both are given, one a line ('-' is stdin)"},
    {"users", 0, "FILE", "registers to begin with, one a line, as 'simulate --users' writes them"},
    {"limit", 0, "N", "show the first N users who gain or lose roles (default 20, with --json all; 0: all)"},
    {"exit-code", 0, NULL, "exit 1 when there is a difference"},
    OPTION_JSON,
    {0},
};

const struct command command_diff = {
    .name = "diff",
    .arguments = "OLD NEW",
    .summary = "what a change of automations or catalogue would have done",
    .options = options,
    .help =
        "Plays the same events over the same users against two workspaces, OLD and NEW, and tells where they part:\n"
        "who gains and loses which roles, which automations run more or less often or with other results,\n"
        "notifications more or fewer, tasks that fail newly or no longer. Roles are those in force at the last\n"
        "event's time (now, without events). Nobody's roles change. A difference is no bad news: exit 0, unless\n"
        "--exit-code asks for 1.\n\n"
        "  git worktree add /tmp/before main && waymark diff /tmp/before . --events last-month.jsonl",
    .run = run,
};

/* waymark automations list: which run, who says so, and what they did lately. */
#include <stdlib.h>

#include "core/codec/write.h"
#include "core/moment.h"
#include "tools/automations/automations.h"
#include "tools/lib/say.h"
#include "tools/roles/roles_control.h"
#include "worker/clock.h"

#define DAY_US (86400 * WM_SECOND_US)

struct listing {
  const struct options *options;
  struct loaded loaded;
  struct wm_running running;
  struct automation_runs *runs; /* by position; NULL: not known */
  int64_t from_us;
};

static const struct wm_running_word *word_of(const struct listing *listing, const struct wm_automation *automation) {
  return wm_running_get(&listing->running, WM_RUNNING_AUTOMATION, automation->name);
}

/* --- for people --- */

static void add_results(struct table *table, const struct automation_runs *runs) {
  struct wm_buf buf = WM_BUF_INIT;
  for (size_t r = 0; r < SHOW_RESULTS; r++)
    if (runs->results[r] > 0)
      wm_buf_printf(&buf, "%s%zu %s", buf.size ? ", " : "", runs->results[r], wm_result_name((enum wm_result)r));
  enum style style = runs->results[WM_RESULT_FAILED] > 0 ? STYLE_WARN : STYLE_PLAIN;
  table_text(table, style, buf.size ? (struct wm_text){buf.bytes, buf.size} : WM_TEXT(""));
  wm_buf_release(&buf);
}

static void add_runs(struct table *table, const struct automation_runs *runs) {
  struct wm_buf time = WM_BUF_INIT;
  if (!runs || runs->executions == 0) {
    table_cell(table, STYLE_DIM, "%s", runs ? "0" : "–");
    table_cell(table, STYLE_DIM, "–");
    table_text(table, STYLE_PLAIN, WM_TEXT(""));
    return;
  }
  show_time(runs->last_us, &time);
  table_cell(table, STYLE_PLAIN, "%zu", runs->executions);
  table_text(table, STYLE_PLAIN, (struct wm_text){time.bytes, time.size});
  add_results(table, runs);
  wm_buf_release(&time);
}

/* "control, jane 2026-11-21 10:00:00: too many mails" */
static void add_source(struct table *table, const struct wm_running_word *word) {
  struct wm_buf buf = WM_BUF_INIT;
  if (!word) {
    table_text(table, STYLE_DIM, WM_TEXT("workspace"));
    return;
  }
  wm_buf_printf(&buf, "control, %.*s%s", WM_TEXT_ARG(word->by), word->by.size ? " " : "");
  show_time(word->time_us, &buf);
  if (word->reason.size > 0)
    wm_buf_printf(&buf, ": %.*s", WM_TEXT_ARG(word->reason));
  table_text(table, STYLE_PLAIN, (struct wm_text){buf.bytes, buf.size});
  wm_buf_release(&buf);
}

static void print_table(const struct listing *listing) {
  static const char *const heads[] = {"AUTOMATION", "STATE", "VERSION", "RUNS", "LAST", "RESULTS", "SAYS WHO", NULL};
  const struct wm_workspace *workspace = listing->loaded.workspace;
  struct table table;
  size_t off = 0;
  table_init(&table, heads);
  for (size_t i = 0; i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    off += !automation->enabled;
    table_text(&table, STYLE_PLAIN, automation->name);
    table_cell(&table, automation->enabled ? STYLE_GOOD : STYLE_WARN, "%s", automation->enabled ? "on" : "off");
    table_text(&table, STYLE_DIM, automation->version);
    add_runs(&table, listing->runs ? &listing->runs[i] : NULL);
    add_source(&table, word_of(listing, automation));
  }
  table_print(&table, stdout);
  table_release(&table);
  show_descriptions(workspace, NULL, "\n");
  if (workspace->automation_count == 0)
    puts("The workspace has no automations.");
  else
    printf("\n%zu automation%s, %zu off\n", workspace->automation_count, workspace->automation_count == 1 ? "" : "s",
           off);
}

/* --- for programs --- */

static void write_runs(struct wm_buf *line, const struct automation_runs *runs) {
  wm_write_integer(line, WM_KEY("runs"), (int64_t)runs->executions);
  if (runs->executions > 0)
    wm_write_moment(line, WM_KEY("last"), runs->last_us);
  wm_write_open(line, WM_KEY("results"), '{');
  for (size_t r = 0; r < SHOW_RESULTS; r++) {
    wm_write_name(line, wm_text_of(wm_result_name((enum wm_result)r)));
    wm_write_integer(line, WM_NO_KEY, (int64_t)runs->results[r]);
  }
  wm_write_close(line, '}');
}

static void write_automation(struct wm_buf *line, const struct wm_automation *automation,
                             const struct wm_running_word *word, const struct automation_runs *runs) {
  wm_write_open(line, WM_NO_KEY, '{');
  wm_write_text(line, WM_KEY("automation"), automation->name);
  wm_write_text(line, WM_KEY("description"), automation->description);
  wm_write_string(line, WM_KEY("state"), automation->enabled ? "on" : "off");
  wm_write_string(line, WM_KEY("from"), word ? "control" : "workspace");
  if (word) {
    wm_write_text(line, WM_KEY("by"), word->by);
    wm_write_text(line, WM_KEY("reason"), word->reason);
    wm_write_moment(line, WM_KEY("time"), word->time_us);
  }
  wm_write_boolean(line, WM_KEY("enabled"), automation->written_enabled);
  wm_write_text(line, WM_KEY("version"), automation->version);
  if (runs)
    write_runs(line, runs);
  wm_write_close(line, '}');
  wm_write_end(line);
}

static void print_json(const struct listing *listing) {
  const struct wm_workspace *workspace = listing->loaded.workspace;
  struct wm_buf line = WM_BUF_INIT;
  for (size_t i = 0; i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    wm_buf_clear(&line);
    write_automation(&line, automation, word_of(listing, automation), listing->runs ? &listing->runs[i] : NULL);
    puts(line.failed ? "" : line.bytes);
  }
  wm_buf_release(&line);
}

/* --- the whole --- */

/* Names that only the control topic knows are most likely old ones. */
static void tell_strangers(const struct listing *listing) {
  const struct wm_running_list *words = &listing->running.lists[WM_RUNNING_AUTOMATION];
  for (size_t i = 0; i < words->count; i++)
    if (!wm_workspace_automation(listing->loaded.workspace, words->items[i]->name))
      say(0, "'%.*s' was switched %s, but the workspace has no such automation", WM_TEXT_ARG(words->items[i]->name),
          words->items[i]->state == WM_RUNNING_OFF ? "off" : "on");
}

static int follow_control(struct listing *listing) {
  struct wm_overlay overlay;
  struct wm_error error = {0};
  if (options_has(listing->options, "offline"))
    return EXIT_FINE;
  int exit_code = roles_control_read(&listing->loaded.settings, &listing->running);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (wm_workspace_overlay(listing->loaded.workspace, &listing->running, &overlay, &error) < 0)
    return say_memory();
  tell_strangers(listing);
  return EXIT_FINE;
}

/* What can't be reached is told and left out: the rest of the table is still of use. */
static int count_runs(struct listing *listing) {
  const char *file = options_value(listing->options, "outcomes");
  size_t count = listing->loaded.workspace->automation_count;
  if (!file && options_has(listing->options, "offline"))
    return EXIT_FINE;
  listing->runs = calloc(count + 1, sizeof *listing->runs);
  if (!listing->runs)
    return say_memory();
  for (size_t i = 0; i < count; i++)
    listing->runs[i].last_us = INT64_MIN;
  int exit_code = automations_count(&listing->loaded, file, listing->from_us, listing->runs);
  if (exit_code != EXIT_FINE) {
    free(listing->runs);
    listing->runs = NULL;
  }
  return exit_code;
}

/* How far back; a file is read whole unless it is said. */
static int read_since(struct listing *listing) {
  const char *since = options_value(listing->options, "since");
  int64_t duration_us = DAY_US, now_us = system_clock.wall_us(system_clock.self);
  if (since && wm_moment_parse(wm_text_of(since), &listing->from_us))
    return EXIT_FINE;
  if (since && !wm_duration_parse(wm_text_of(since), &duration_us))
    return say(EXIT_USAGE, "--since '%s' must be a duration back from now (24h) or a time (2026-11-21T00:00:00Z)",
               since);
  listing->from_us = !since && options_has(listing->options, "outcomes") ? INT64_MIN : now_us - duration_us;
  return EXIT_FINE;
}

int automations_list(const struct invocation *invocation) {
  struct listing listing = {.options = &invocation->options};
  bool offline = options_has(listing.options, "offline");
  wm_running_init(&listing.running);
  int exit_code = read_since(&listing);
  if (exit_code == EXIT_FINE)
    exit_code = workspace_open(invocation, NULL, offline ? SETTINGS_OFFLINE : SETTINGS_FULL, &listing.loaded);
  bool opened = exit_code == EXIT_FINE;
  if (opened) {
    int said = follow_control(&listing), counted = said == EXIT_FINE ? count_runs(&listing) : said;
    exit_code = said > counted ? said : counted;
  }
  if (opened && exit_code != EXIT_BUG && options_has(listing.options, "json"))
    print_json(&listing);
  else if (opened && exit_code != EXIT_BUG)
    print_table(&listing);
  free(listing.runs);
  wm_running_release(&listing.running);
  files_unload(&listing.loaded);
  return exit_code;
}

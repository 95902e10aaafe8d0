/* waymark simulate: the core over a file of events; no Kafka, no Redis. */
#include <stdlib.h>

#include "core/codec/out.h"
#include "tools/lib/files.h"
#include "tools/lib/play.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"

#define ROWS_AT_ONCE 200 /* rows of the table that are measured together: memory stays bounded */

struct simulation {
  struct play play;
  FILE *outcomes; /* JSON lines; NULL: a table instead */
  FILE *users;    /* JSON lines; NULL: none are asked for */
  bool quiet;     /* stdout is for data: no table, no summary */
  struct table table;
  struct wm_buf line;
  size_t events, blank, duplicates, ignored, untaken, rejected;
  size_t results[SHOW_RESULTS];
  size_t lockouts;
  bool *ran; /* by the automation's position: it stands in the table */
};

static void add_rejection_row(struct table *table, const struct playing *playing) {
  const struct wm_rejection *rejection = &playing->decoded.rejection;
  table_cell(table, STYLE_DIM, "line %lld", (long long)playing->decoded.record.offset + 1);
  table_text(table, STYLE_PLAIN, rejection->user.bytes ? rejection->user : WM_TEXT("–"));
  table_cell(table, STYLE_BAD, "rejected");
  table_text(table, STYLE_PLAIN, rejection->type.bytes ? rejection->type : WM_TEXT("event"));
  table_text(table, STYLE_PLAIN, WM_TEXT("–"));
  table_text(table, STYLE_PLAIN, WM_TEXT("–"));
  table_cell(table, STYLE_DIM, "%s: %.*s", wm_code_name(rejection->code), WM_TEXT_ARG(rejection->message));
}

static void write_line(struct simulation *simulation) {
  wm_buf_add_char(&simulation->line, '\n');
  if (!simulation->line.failed)
    fwrite(simulation->line.bytes, 1, simulation->line.size, simulation->outcomes);
}

static void take_rejection(struct simulation *simulation, const struct playing *playing) {
  simulation->rejected++;
  if (!simulation->outcomes) {
    if (!simulation->quiet)
      add_rejection_row(&simulation->table, playing);
    return;
  }
  wm_buf_clear(&simulation->line);
  wm_rejection_to_json(&playing->decoded.record, &playing->decoded.rejection, &simulation->line);
  write_line(simulation);
}

static void take_executions(struct simulation *simulation, const struct playing *playing) {
  for (size_t i = 0; i < playing->decision.execution_count; i++) {
    const struct wm_execution *execution = &playing->decision.executions[i];
    for (size_t task = 0; task < execution->count; task++) {
      simulation->results[execution->outcomes[task].result]++;
      simulation->lockouts += execution->outcomes[task].lockout;
    }
    if (!simulation->outcomes) {
      if (!simulation->quiet)
        show_execution(&simulation->table, &playing->decoded.event, execution);
      if (execution->automation && simulation->ran)
        simulation->ran[execution->automation - simulation->play.loaded->workspace->automations] = true;
      continue;
    }
    wm_buf_clear(&simulation->line);
    wm_execution_to_json(&playing->decoded.event, execution, &simulation->line);
    write_line(simulation);
  }
}

static int take(struct simulation *simulation, const struct playing *playing) {
  switch (playing->played) {
  case PLAYED_BLANK:
    simulation->blank++;
    break;
  case PLAYED_REJECTED:
    take_rejection(simulation, playing);
    break;
  case PLAYED_DUPLICATE:
    simulation->duplicates++;
    break;
  case PLAYED_IGNORED:
    simulation->ignored++;
    break;
  case PLAYED_NOTHING:
    simulation->untaken++;
    break;
  case PLAYED_DECIDED:
    take_executions(simulation, playing);
    break;
  }
  if (table_rows(&simulation->table) >= ROWS_AT_ONCE)
    table_print(&simulation->table, stdout);
  return simulation->line.failed || simulation->table.failed ? say_memory() : EXIT_FINE;
}

/* What the event asked of other users. */
static int play_requests(struct simulation *simulation) {
  for (;;) {
    struct playing playing;
    struct wm_error error = {0};
    bool more;
    if (play_request(&simulation->play, &playing, &more, &error) < 0)
      return say_error(EXIT_BUG, &error);
    int exit_code = more ? take(simulation, &playing) : EXIT_FINE;
    if (!more || exit_code != EXIT_FINE)
      return exit_code;
  }
}

static int play_all(struct simulation *simulation, struct lines *lines) {
  for (;;) {
    struct wm_text line;
    struct playing playing;
    struct wm_error error = {0};
    bool end;
    int exit_code = lines_next(lines, &line, &end);
    if (exit_code != EXIT_FINE || end)
      return exit_code;
    if (play_line(&simulation->play, line, &playing, &error) < 0)
      return say_error(EXIT_BUG, &error);
    simulation->events += playing.played != PLAYED_BLANK;
    exit_code = take(simulation, &playing);
    if (exit_code == EXIT_FINE)
      exit_code = play_requests(simulation);
    if (exit_code != EXIT_FINE)
      return exit_code;
  }
}

static int write_users(struct simulation *simulation) {
  struct play *play = &simulation->play;
  struct wm_user **users = play_users_sorted(play);
  for (size_t i = 0; users && i < play->user_count; i++) {
    wm_buf_clear(&simulation->line);
    wm_arena_rewind(&play->arena);
    if (play_user_to_json(play->loaded->workspace, users[i], play->last_us, &play->arena, &simulation->line) < 0)
      simulation->line.failed = true;
    wm_buf_add_char(&simulation->line, '\n');
    if (simulation->line.failed)
      break;
    fwrite(simulation->line.bytes, 1, simulation->line.size, simulation->users);
  }
  bool whole = users && !simulation->line.failed;
  free(users);
  return whole ? EXIT_FINE : say_memory();
}

/* "4 events: 1 duplicate, 1 rejected; 1 blank line" and so on. */
static void print_summary(const struct simulation *simulation) {
  struct wm_buf text = WM_BUF_INIT;
  show_count(&text, simulation->events, "event");
  wm_buf_printf(&text, ": ");
  show_count(&text, simulation->duplicates, "duplicate");
  wm_buf_printf(&text, ", %zu rejected, %zu not taken by any automation, ", simulation->rejected, simulation->untaken);
  if (simulation->ignored)
    wm_buf_printf(&text, "%zu ignored, ", simulation->ignored);
  show_count(&text, simulation->blank, "blank line");
  wm_buf_printf(&text, "\noutcomes: ");
  const char *between = "";
  for (size_t i = 0; i < SHOW_RESULTS; i++)
    if (simulation->results[i]) {
      wm_buf_printf(&text, "%s%zu %s", between, simulation->results[i], wm_result_name((enum wm_result)i));
      between = ", ";
    }
  wm_buf_printf(&text, "%s\nusers: %zu\n", *between ? "" : "none", simulation->play.user_count);
  if (simulation->lockouts) {
    show_count(&text, simulation->lockouts, "removal");
    wm_buf_add_string(&text, " left a user without any role\n");
  }
  fwrite(text.bytes, 1, text.size, stdout);
  wm_buf_release(&text);
}

static void print_summary_json(const struct simulation *simulation) {
  printf("{\"events\":%zu,\"blank\":%zu,\"duplicates\":%zu,\"rejected\":%zu,\"ignored\":%zu,\"untaken\":%zu,"
         "\"results\":{",
         simulation->events, simulation->blank, simulation->duplicates, simulation->rejected, simulation->ignored,
         simulation->untaken);
  const char *between = "";
  for (size_t i = 0; i < SHOW_RESULTS; i++)
    if (simulation->results[i]) {
      printf("%s\"%s\":%zu", between, wm_result_name((enum wm_result)i), simulation->results[i]);
      between = ",";
    }
  printf("},\"lockouts\":%zu,\"users\":%zu}\n", simulation->lockouts, simulation->play.user_count);
}

static void print_end(struct simulation *simulation, bool json) {
  if (json) {
    print_summary_json(simulation);
    return;
  }
  if (table_rows(&simulation->table) > 0 || simulation->table.headed) {
    table_print(&simulation->table, stdout);
    putchar('\n');
    if (simulation->ran && show_descriptions(simulation->play.loaded->workspace, simulation->ran, ""))
      putchar('\n');
  }
  print_summary(simulation);
}

static bool is_stdout(const char *path) {
  return path && path[0] == '-' && !path[1];
}

/* Plays everything with both files open: one that can't be written is told before anything is run. */
static int simulate(const struct options *options, struct simulation *simulation, struct lines *lines) {
  bool json = options_has(options, "json");
  const char *users = options_value(options, "users"), *outcomes = options_value(options, "outcomes");
  simulation->quiet = is_stdout(outcomes) || is_stdout(users);
  if (json && !outcomes)
    outcomes = "-";
  int exit_code = output_open(outcomes, &simulation->outcomes);
  if (exit_code == EXIT_FINE)
    exit_code = output_open(users, &simulation->users);
  if (exit_code == EXIT_FINE)
    exit_code = play_all(simulation, lines);
  if (exit_code == EXIT_FINE && simulation->users)
    exit_code = write_users(simulation);
  int outcomes_closed = output_close(outcomes, simulation->outcomes);
  int users_closed = output_close(users, simulation->users);
  if (exit_code == EXIT_FINE)
    exit_code = outcomes_closed != EXIT_FINE ? outcomes_closed : users_closed;
  if (exit_code == EXIT_FINE && !simulation->quiet)
    print_end(simulation, json);
  return exit_code;
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct loaded loaded;
  struct simulation simulation = {0};
  struct lines lines = {.fd = -1};
  int exit_code = workspace_open(invocation, options_argument(options, 0), SETTINGS_OFFLINE, &loaded);
  if (exit_code != EXIT_FINE)
    goto out;
  play_init(&simulation.play, &loaded);
  table_init(&simulation.table, show_outcome_heads);
  simulation.ran = calloc(loaded.workspace->automation_count + 1, sizeof *simulation.ran);
  exit_code = lines_open(&lines, options_argument(options, 1));
  if (exit_code == EXIT_FINE)
    exit_code = simulate(options, &simulation, &lines);
  play_release(&simulation.play);
  table_release(&simulation.table);
out:
  free(simulation.ran);
  lines_close(&lines);
  wm_buf_release(&simulation.line);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"outcomes", 0, "FILE", "write outcomes and rejections as JSON lines, '-' is stdout"},
    {"users", 0, "FILE", "write every user's effective roles and register as JSON lines, '-' is stdout"},
    {"json", 0, NULL, "outcomes as JSON lines on stdout, and the summary as the last of them"},
    {0},
};

const struct command command_simulate = {
    .name = "simulate",
    .arguments = "[DIR] EVENTS.jsonl",
    .summary = "what a file of events would do; no Kafka, no Redis",
    .options = options,
    .help =
        "Plays the events of a file, one CloudEvent in JSON a line ('-' is stdin), against the automations of DIR,\n"
        "with the same core that the worker runs. Nobody's roles change. An event without a time takes the time of\n"
        "the event before it. Blank lines are skipped and counted; rejected events stand among the outcomes.\n"
        "Findings of lint go to stderr. An invalid workspace runs nothing: exit 1.\n\n"
        "  waymark simulate deploy/sample deploy/sample/events.jsonl\n"
        "  waymark simulate . events.jsonl --outcomes - | jq .data.tasks",
    .run = run,
};

/* waymark directory import: people out of a file become directory events, only those that say something new.
 *
 * The whole file is read and checked before anything is sent: a profile follows from other people's rows (managers,
 * manager-of-anyone), so one wrong row can be wrong for many. */
#include <errno.h>
#include <stdlib.h>

#include "core/moment.h"
#include "tools/directory/directory_import.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "worker/clock.h"

#define DEFAULT_SOURCE "/waymark/directory"
#define REASON_LIMIT 1024

/* --- what was asked for --- */

static int read_format(struct import *import, const char *name) {
  static const char *const formats[] = {[RECORDS_BY_NAME] = "", [RECORDS_CSV] = "csv", [RECORDS_JSONL] = "jsonl"};
  for (int i = RECORDS_CSV; name && i <= RECORDS_JSONL; i++)
    if (strcmp(name, formats[i]) == 0)
      import->format = (enum records_format)i;
  return !name || import->format ? EXIT_FINE : say(EXIT_USAGE, "--format is csv or jsonl, not '%s'", name);
}

static int read_separator(struct import *import, const char *name) {
  static const struct {
    const char *name;
    char separator;
  } separators[] = {{",", ','}, {";", ';'}, {"\t", '\t'}, {"\\t", '\t'}, {"tab", '\t'}, {"|", '|'}};
  for (size_t i = 0; name && i < sizeof separators / sizeof *separators; i++)
    if (strcmp(name, separators[i].name) == 0)
      import->separator = separators[i].separator;
  return !name || import->separator ? EXIT_FINE
                                    : say(EXIT_USAGE, "--separator is ',', ';', '|' or tab, not '%s'", name);
}

static int read_number(struct import *import, const char *text) {
  char *end = NULL;
  errno = 0;
  import->max_deletions = text ? strtoll(text, &end, 10) : -1;
  if (text && (errno || end == text || *end || import->max_deletions < 0))
    return say(EXIT_USAGE, "--max-deletions is a number of people, not '%s'", text);
  return EXIT_FINE;
}

static int read_time(struct import *import, const char *text) {
  int64_t now_us = system_clock.wall_us(system_clock.self);
  import->dispatch.time_us = now_us;
  if (text && !wm_moment_parse(wm_text_of(text), &import->dispatch.time_us))
    return say(EXIT_USAGE, "--time is an RFC 3339 time like 2026-11-21T10:00:00Z, not '%s'", text);
  return EXIT_FINE;
}

static int read_texts(struct import *import, const char *source, const char *reason) {
  import->dispatch.source = source ? source : DEFAULT_SOURCE;
  import->dispatch.reason = reason && *reason ? reason : NULL;
  struct wm_text text = wm_text_of(import->dispatch.source);
  if (text.size == 0 || text.size > 1024 || !wm_text_is_utf8(text, NULL))
    return say(EXIT_USAGE, "--source is 1 to 1024 bytes of UTF-8");
  if (reason && (strlen(reason) > REASON_LIMIT || !wm_text_is_utf8(wm_text_of(reason), NULL)))
    return say(EXIT_USAGE, "--reason is at most %d bytes of UTF-8", REASON_LIMIT);
  return EXIT_FINE;
}

static int check_together(const struct import *import) {
  if (import->json && import->output_path && strcmp(import->output_path, "-") == 0)
    return say(EXIT_USAGE, "--json and --output - both want standard output");
  if (import->max_deletions >= 0 && !import->delete_missing)
    return say(EXIT_USAGE, "--max-deletions is for --delete-missing");
  if (import->units_path && strcmp(import->units_path, "-") == 0)
    return say(EXIT_USAGE, "--org-units is a file");
  return EXIT_FINE;
}

static int read_options(struct import *import, const struct options *options) {
  import->path = options_argument(options, 1);
  import->units_path = options_value(options, "org-units");
  import->output_path = options_value(options, "output");
  import->against_path = options_value(options, "against");
  import->full = options_has(options, "full");
  import->dry_run = options_has(options, "dry-run");
  import->skip_invalid = options_has(options, "skip-invalid");
  import->delete_missing = options_has(options, "delete-missing");
  import->json = options_has(options, "json");
  import->yes = options_has(options, "yes");
  int exit_code = read_format(import, options_value(options, "format"));
  if (exit_code == EXIT_FINE)
    exit_code = read_separator(import, options_value(options, "separator"));
  if (exit_code == EXIT_FINE)
    exit_code = read_number(import, options_value(options, "max-deletions"));
  if (exit_code == EXIT_FINE)
    exit_code = read_time(import, options_value(options, "time"));
  if (exit_code == EXIT_FINE)
    exit_code = read_texts(import, options_value(options, "source"), options_value(options, "reason"));
  return exit_code == EXIT_FINE ? check_together(import) : exit_code;
}

/* --- the people --- */

/* Too large for an event is an error; too large for a register with roles in it is worth a word. */
static void check_sizes(struct import *import, const struct records *records) {
  struct people *people = &import->people;
  struct wm_buf profile = WM_BUF_INIT;
  progress_begin(&import->progress, "checking", people->ids.count);
  for (uint32_t i = 0; i < people->ids.count && !profile.failed; i++) {
    struct person *person = &people->items[i];
    progress_set(&import->progress, i);
    if (person->state != PERSON_FINE)
      continue;
    wm_buf_clear(&profile);
    people_write(people, i, &profile);
    size_t size = dispatch_size(&import->dispatch, people->ids.items[i], (struct wm_text){profile.bytes, profile.size});
    size_t most = import->settings->limits.event_bytes, room = import->settings->limits.register_bytes;
    struct wm_text shown = wm_text_shown(people->ids.items[i]);
    if (size > most) {
      person->state = PERSON_INVALID;
      people->fine--;
      records_find(records, WM_ERROR, WM_E_DIRECTORY_LIMIT, person->line, person->column,
                   "the event of '%.*s' would have %zu bytes, and limits.event-bytes is %zu", WM_TEXT_ARG(shown), size,
                   most);
    } else if (profile.size > room) {
      records_find(records, WM_WARNING, WM_E_DIRECTORY_LIMIT, person->line, person->column,
                   "the profile of '%.*s' has %zu bytes, and limits.register-bytes is %zu: no role can be given to him",
                   WM_TEXT_ARG(shown), profile.size, room);
    }
  }
  progress_end(&import->progress);
  import->findings.failed |= profile.failed || import->dispatch.line.failed;
  wm_buf_release(&profile);
}

static int read_files(struct import *import) {
  struct records records = {.lines.fd = -1};
  int exit_code = EXIT_FINE;
  if (import->units_path)
    exit_code = units_read(&import->people.units, import->units_path, import->separator, &import->findings);
  if (exit_code == EXIT_FINE)
    exit_code = records_open(import->path, import->format, import->separator, &import->findings, &records);
  if (exit_code == EXIT_FINE)
    exit_code = people_read(&import->people, &records, &import->progress);
  if (exit_code == EXIT_FINE)
    check_sizes(import, &records);
  records_close(&records);
  return exit_code == EXIT_FINE && import->findings.failed ? say_memory() : exit_code;
}

/* Everything that is wrong with the files is told before anything else happens. */
static int read_people(struct import *import) {
  int exit_code = read_files(import);
  wm_findings_sort(&import->findings);
  files_print_findings(&import->findings);
  if (exit_code == EXIT_BAD_NEWS)
    return say(EXIT_BAD_NEWS, "nothing was sent: the file can't be read as a directory");
  if (exit_code != EXIT_FINE || import->findings.errors == 0 || import->skip_invalid)
    return exit_code;
  size_t unfit = import->people.rows - import->people.fine;
  if (unfit == 0)
    return say(EXIT_BAD_NEWS, "nothing was sent: the file of units has mistakes; --skip-invalid sends all the same");
  return say(EXIT_BAD_NEWS, "nothing was sent: %zu of %zu people can't be imported; --skip-invalid sends the others",
             unfit, import->people.rows);
}

/* --- what is new --- */

static int compare(struct import *import) {
  import->compared = !import->full || import->delete_missing || import->against_path;
  if (!import->compared)
    return EXIT_FINE;
  return import->against_path ? comparison_read_file(&import->comparison, import->against_path, &import->progress)
                              : comparison_read_redis(&import->comparison, import->settings, &import->progress);
}

static void count(struct import *import) {
  for (uint32_t i = 0; i < import->people.ids.count; i++) {
    const struct person *person = &import->people.items[i];
    if (person->state != PERSON_FINE)
      continue;
    import->unchanged += person->news == PERSON_SAME;
    import->fresh += person->news == PERSON_NEW;
    import->changed += person->news == PERSON_CHANGED;
  }
  import->deletions = import->delete_missing ? import->comparison.missing.count : 0;
  import->planned = import->deletions + import->fresh + import->changed + (import->full ? import->unchanged : 0);
}

/* A file that was cut off, or the wrong one, must not delete a directory. */
static int check_deletions(const struct import *import) {
  size_t profiles = import->comparison.profiles;
  if (import->deletions == 0)
    return EXIT_FINE;
  if (import->people.nameless > 0)
    return say(EXIT_BAD_NEWS, "nothing was sent: %zu rows don't say of whom they are, so nobody can be called missing",
               import->people.nameless);
  if (import->max_deletions >= 0 && import->deletions > (size_t)import->max_deletions)
    return say(EXIT_BAD_NEWS, "nothing was sent: %zu people would be deleted, and --max-deletions is %lld",
               import->deletions, (long long)import->max_deletions);
  if (import->max_deletions < 0 && import->deletions > profiles / 10)
    return say(EXIT_BAD_NEWS,
               "nothing was sent: %zu of %zu people would be deleted, more than one in ten; if that is right, say "
               "--max-deletions %zu",
               import->deletions, profiles, import->deletions);
  return EXIT_FINE;
}

/* --- sending --- */

static int send_people(struct import *import) {
  const struct people *people = &import->people;
  const struct names *missing = &import->comparison.missing;
  struct wm_buf profile = WM_BUF_INIT;
  int exit_code = EXIT_FINE;
  progress_begin(&import->progress, import->output_path ? "writing" : "sending", import->planned);
  for (uint32_t i = 0; i < people->ids.count && exit_code == EXIT_FINE; i++) {
    const struct person *person = &people->items[i];
    if (person->state != PERSON_FINE || (person->news == PERSON_SAME && !import->full))
      continue;
    wm_buf_clear(&profile);
    people_write(people, i, &profile);
    exit_code = profile.failed ? say_memory()
                               : dispatch_send(&import->dispatch, people->ids.items[i],
                                               (struct wm_text){profile.bytes, profile.size});
    progress_set(&import->progress, import->dispatch.sent);
  }
  for (uint32_t i = 0; i < missing->count && import->delete_missing && exit_code == EXIT_FINE; i++) {
    exit_code = dispatch_send(&import->dispatch, missing->items[i], WM_NO_TEXT);
    progress_set(&import->progress, import->dispatch.sent);
  }
  if (exit_code == EXIT_FINE)
    exit_code = dispatch_flush(&import->dispatch);
  progress_end(&import->progress);
  wm_buf_release(&profile);
  return exit_code;
}

static int write_file(struct import *import) {
  int exit_code = output_open(import->output_path, &import->dispatch.output);
  if (exit_code == EXIT_FINE)
    exit_code = send_people(import);
  int closed = output_close(import->output_path, import->dispatch.output);
  return exit_code == EXIT_FINE ? closed : exit_code;
}

static int send_to_kafka(struct import *import) {
  char question[200];
  int64_t ahead_us = import->dispatch.time_us - system_clock.wall_us(system_clock.self);
  if (ahead_us > import->settings->limits.clock_skew_us)
    return say(EXIT_USAGE, "--time lies too far in the future: workers would refuse these events (EVENT_FUTURE)");
  snprintf(question, sizeof question, "Send %zu events to %s on %s?", import->planned,
           import->settings->topics.directory, import->settings->kafka.bootstrap);
  if (!import->yes && !say_ask(question))
    return say(EXIT_BAD_NEWS, "nothing was sent");
  int exit_code = send_people(import);
  if (exit_code != EXIT_FINE)
    say(exit_code, "%zu of %zu events were sent; the same call again sends the others", import->dispatch.sent,
        import->planned);
  return exit_code;
}

static void tell_end(const struct import *import, FILE *file) {
  struct wm_buf buf = WM_BUF_INIT;
  if (import->json)
    return import_summary(import, file);
  show_count(&buf, import->dry_run ? import->planned : import->dispatch.sent, "event");
  fprintf(file, "\n%s %s%s\n", buf.bytes ? buf.bytes : "", import->dry_run ? "would be " : "",
          import->output_path ? "written" : "sent");
  wm_buf_release(&buf);
}

static int import_people(struct import *import) {
  FILE *file = import->output_path && strcmp(import->output_path, "-") == 0 ? stderr : stdout;
  int exit_code = read_people(import);
  if (exit_code == EXIT_FINE)
    exit_code = compare(import);
  if (exit_code != EXIT_FINE)
    return exit_code;
  count(import);
  import_preview(import, file);
  fflush(file);
  exit_code = check_deletions(import);
  if (exit_code == EXIT_FINE && !import->dry_run && import->output_path)
    exit_code = write_file(import);
  else if (exit_code == EXIT_FINE && !import->dry_run && import->planned > 0)
    exit_code = send_to_kafka(import);
  if (exit_code == EXIT_FINE)
    tell_end(import, file);
  return exit_code;
}

/* Offline, an import works without a workspace; its limits are the defaults then. */
static int open_settings(const struct import *import, const struct invocation *invocation, struct loaded *ret) {
  bool redis = (!import->full || import->delete_missing) && !import->against_path;
  bool kafka = !import->output_path && !import->dry_run, found;
  if (redis || kafka)
    return workspace_open_settings(invocation, ret);
  int exit_code = workspace_open_optional(invocation, ret, &found);
  if (!found)
    settings_read(&ret->settings, WM_TEXT("waymark.yaml"), WM_NO_TEXT, SETTINGS_OFFLINE, &ret->findings);
  return exit_code;
}

static int run(const struct invocation *invocation) {
  struct import import = {0};
  struct loaded loaded = {0};
  import.settings = &loaded.settings;
  wm_findings_init(&import.findings);
  people_init(&import.people);
  dispatch_init(&import.dispatch, &loaded.settings);
  int exit_code = read_options(&import, &invocation->options);
  comparison_init(&import.comparison, &import.people, import.dispatch.time_us);
  if (exit_code == EXIT_FINE)
    exit_code = open_settings(&import, invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = import_people(&import);
  comparison_release(&import.comparison);
  dispatch_release(&import.dispatch);
  people_release(&import.people);
  wm_findings_release(&import.findings);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"format", 0, "csv|jsonl", "where the name of FILE does not say it"},
    {"separator", 0, "CHARACTER", "between the cells of CSV: ',' ';' '|' or tab (else what the first line has most)"},
    {"org-units", 0, "UNITS", "a file with the columns type, unit and parent: the trees that units stand in"},
    {"against", 0, "REGISTERS", "compare with these registers (lines of simulate --users) instead of Redis"},
    {"full", 0, NULL, "send everybody, whatever the registers say"},
    {"delete-missing", 0, NULL, "delete people who have a profile and are not in the file"},
    {"max-deletions", 0, "N", "how many that may be (else one in ten)"},
    {"skip-invalid", 0, NULL, "leave out people who can't be imported, and send the others"},
    {"output", 0, "EVENTS", "write the events there as JSON lines instead of sending them"},
    {"dry-run", 0, NULL, "only show what would be sent"},
    {"source", 0, "TEXT", "source of the events (else " DEFAULT_SOURCE ")"},
    {"time", 0, "TIME", "time of the events (else now): an older one than a profile has does not replace it"},
    OPTION_YES,
    OPTION_REASON,
    OPTION_JSON,
    {0},
};

const struct command command_directory = {
    .name = "directory",
    .arguments = "import FILE",
    .summary = "people from CSV or JSON lines to directory events; only what has changed is sent",
    .options = options,
    .help =
        "FILE has one person a row ('-' is stdin, with --format). Columns of CSV, members of JSON lines: id, name,\n"
        "email, status, type, manager, groups, portals, accounts, org-units.TYPE, attributes.NAME; only id must be\n"
        "there. Computes the paths of managers and units, compares with the registers in Redis, and sends a\n"
        "directory.user.updated event for everybody whose profile is another one. When a row is wrong, all mistakes\n"
        "are told by line and column, and nothing is sent. Exit 3 when Redis or Kafka can't be reached.\n\n"
        "  waymark directory import people.csv --dry-run\n"
        "  waymark directory import people.csv --org-units units.csv --delete-missing --yes",
    .run = run,
};

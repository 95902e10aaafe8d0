/* waymark lint: every problem of a workspace, located. */
#include <stdio.h>
#include <stdlib.h>

#include "core/sample.h"
#include "tools/lib/events.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/rules/lint_format.h"

static void print_summary(const struct loaded *loaded) {
  const struct wm_findings *findings = &loaded->findings;
  struct wm_buf line = WM_BUF_INIT;
  if (loaded->workspace) {
    show_count(&line, loaded->workspace->automation_count, "automation");
    wm_buf_add_string(&line, ", ");
    show_count(&line, loaded->workspace->role_count, "role");
    wm_buf_add_string(&line, ", ");
    show_count(&line, loaded->workspace->channel_count, "channel");
    wm_buf_add_string(&line, ": ");
  }
  bool clean = findings->invalid + findings->errors + findings->warnings == 0;
  if (clean) {
    wm_buf_add_string(&line, "nothing to complain about");
  } else {
    wm_buf_printf(&line, "%zu invalid, ", findings->invalid);
    show_count(&line, findings->errors, "error");
    wm_buf_add_string(&line, ", ");
    show_count(&line, findings->warnings, "warning");
  }
  if (findings->silenced > 0)
    wm_buf_printf(&line, ", %zu silenced", findings->silenced);
  enum style style = clean ? STYLE_GOOD : STYLE_WARN;
  if (findings->invalid + findings->errors)
    style = STYLE_BAD;
  style_print(stdout, style, "%s", line.bytes ? line.bytes : "");
  putchar('\n');
  wm_buf_release(&line);
}

/* With --no-silence what is silenced is shown and counted like everything else. */
static void wake(struct wm_findings *findings) {
  for (size_t i = 0; i < findings->count; i++)
    findings->items[i].silenced = false;
  findings->warnings += findings->silenced;
  findings->silenced = 0;
}

static lint_format *find_format(const struct options *options) {
  const char *name = options_value(options, "format");
  bool json = options_has(options, "json");
  lint_format *format = lint_format_find(name ? name : json ? "json" : "text");
  if (format && json && name && strcmp(name, "json") != 0)
    format = NULL;
  if (!format)
    say(EXIT_USAGE, "lint: --format is text, json, sarif or github%s", json ? ", and --json is one of them" : "");
  return format;
}

static int print(const struct loaded *loaded, const struct options *options, lint_format *format) {
  struct wm_buf buf = WM_BUF_INIT;
  format(&loaded->findings, false, &buf);
  bool failed = buf.failed || loaded->findings.failed;
  if (!failed && buf.size > 0)
    fwrite(buf.bytes, 1, buf.size, stdout);
  if (format == lint_format_find("text"))
    print_summary(loaded);
  wm_buf_release(&buf);
  bool bad = loaded->findings.invalid || loaded->findings.errors;
  bool strict = options_has(options, "strict") && loaded->findings.warnings;
  return failed ? say_memory() : bad || strict ? EXIT_BAD_NEWS : EXIT_FINE;
}

/* --- a sample of events --- */

/* One event after the other: the one without a time takes that of the one before. */
static int add_events(struct wm_sample *sample, const struct events *events, const struct settings *settings,
                      size_t *ret_rejected) {
  struct wm_arena arena;
  int64_t before_us = 0;
  int failed = 0;
  wm_arena_init(&arena, 0);
  *ret_rejected = 0;
  for (size_t i = 0; i < events->count && !failed; i++) {
    const struct wm_decode_rules rules = events_rules(settings, before_us);
    struct decoded decoded;
    wm_arena_rewind(&arena);
    failed = events_decode(events->items[i], (int64_t)i, &rules, &arena, &decoded);
    if (failed)
      continue;
    if (decoded.what == WM_DECODED_EVENT) {
      before_us = decoded.event.time_us;
      failed = wm_sample_add(sample, &decoded.event);
    } else {
      ++*ret_rejected;
    }
  }
  wm_arena_release(&arena);
  return failed;
}

static int look_at_sample(const char *path, struct loaded *loaded) {
  struct events events;
  size_t rejected = 0;
  int exit_code = events_read(path, &events);
  struct wm_sample *sample = exit_code == EXIT_FINE ? wm_sample_new(loaded->workspace) : NULL;
  if (exit_code == EXIT_FINE && (!sample || add_events(sample, &events, &loaded->settings, &rejected) < 0))
    exit_code = say_memory();
  if (exit_code == EXIT_FINE) {
    if (rejected > 0)
      say(0, "%s: %zu of %zu events would be rejected and were left out: waymark check-event tells why", path, rejected,
          events.count);
    wm_lint_sample(sample, &loaded->findings);
    wm_silence_apply(loaded->workspace, &loaded->findings);
    wm_silence_check(loaded->workspace, WM_LOOK_SAMPLE, &loaded->findings);
  }
  wm_sample_free(sample);
  events_release(&events);
  return exit_code;
}

/* --- what is live --- */

static int look_at_live(const char *folder, struct loaded *loaded) {
  struct wm_error error = {0};
  struct loaded live = {0};
  if (files_load(folder, SETTINGS_OFFLINE, &live, &error) < 0)
    return say_error(EXIT_USAGE, &error);
  int exit_code = EXIT_FINE;
  if (!live.workspace) {
    files_print_findings(&live.findings);
    exit_code = say(EXIT_BAD_NEWS, "lint: '%s' is invalid, so nothing can be compared with it", folder);
  } else {
    wm_lint_against(loaded->workspace, live.workspace, &loaded->findings);
    wm_silence_apply(loaded->workspace, &loaded->findings);
    wm_silence_check(loaded->workspace, WM_LOOK_AGAINST, &loaded->findings);
  }
  files_unload(&live);
  return exit_code;
}

/* What else was asked for; a workspace that is invalid is to be mended first. */
static int look_further(const struct options *options, struct loaded *loaded) {
  const char *sample = options_value(options, "events"), *live = options_value(options, "against");
  int exit_code = EXIT_FINE;
  if (sample && loaded->workspace)
    exit_code = look_at_sample(sample, loaded);
  if (exit_code == EXIT_FINE && live && loaded->workspace)
    exit_code = look_at_live(live, loaded);
  wm_findings_sort(&loaded->findings);
  return exit_code;
}

static int lint(const char *folder, const struct options *options, lint_format *format, struct loaded *loaded) {
  struct wm_error error = {0};
  if (files_load(folder, SETTINGS_LINT, loaded, &error) < 0)
    return say_error(EXIT_USAGE, &error);
  int exit_code = look_further(options, loaded);
  if (exit_code > EXIT_BAD_NEWS)
    return exit_code;
  if (options_has(options, "no-silence"))
    wake(&loaded->findings);
  files_print_findings(&loaded->findings);
  int verdict = print(loaded, options, format);
  return verdict > exit_code ? verdict : exit_code;
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct wm_error error = {0};
  struct loaded loaded = {0};
  lint_format *format = find_format(options);
  if (!format)
    return EXIT_USAGE;
  char *folder = files_find_workspace(options_argument(options, 0), options_value(options, "workspace"), &error);
  int exit_code = folder ? lint(folder, options, format, &loaded) : say_error(EXIT_USAGE, &error);
  free(folder);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"strict", 0, NULL, "warnings are bad news too (exit 1)"},
    {"events", 0, "FILE.jsonl", "a sample of events: paths that none of them has, automations that none would run"},
    {"against", 0, "DIR", "the workspace that is live: names and numbers that must not change"},
    {"no-silence", 0, NULL, "show what documents silence, too"},
    {"format", 0, "text|json|sarif|github", "what stdout gets"},
    {"json", 0, NULL, "each finding as one JSON value a line on stdout: --format json"},
    {0},
};

const struct command command_lint = {
    .name = "lint",
    .arguments = "[DIR]",
    .summary = "every problem of a workspace, with its place",
    .options = options,
    .help = "Reads the whole workspace and reports everything that is wrong with it on stderr, one line each:\n\n"
            "  FILE:LINE:COLUMN: invalid|error|warning: text [CODE]\n\n"
            "invalid: can't be read, or means nothing; the worker refuses to start. error: can't work; the worker\n"
            "loads it and that task fails with this code. warning: probably not what was meant. A document says with\n"
            "'silence: { CODE: reason }' that a warning is fine there.\n"
            "Exit 1 when anything is invalid or an error.",
    .run = run,
};

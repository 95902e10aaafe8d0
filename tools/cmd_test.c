/* waymark test: the `test:` documents, run like a test runner. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/register.h"
#include "tools/lib/files.h"
#include "tools/lib/play.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/rules/coverage.h"
#include "tools/rules/junit.h"
#include "tools/rules/test.h"
#include "tools/rules/test_why.h"
#include "worker/clock.h"

/* All tests while they are run. */
struct tests {
  const struct loaded *loaded;
  struct wm_terms terms;
  const struct wm_case **items; /* by file and line */
  size_t count, left_out;       /* left_out: by --filter */
  struct coverage coverage;
  struct wm_arena arena; /* of one test */
  struct wm_text file;   /* of the test before */
  struct wm_buf junit;
  size_t passed, failed;
  int64_t took_us;
  bool json, quiet; /* quiet: stdout is for the XML */
};

struct wm_terms test_terms(const struct settings *settings) {
  return play_terms(settings, true);
}

int test_given(const struct wm_case *test, struct wm_user **ret) {
  struct wm_error error = {0};
  *ret = test->given.bytes ? wm_register_decode(test->given, &error) : NULL;
  return test->given.bytes && !*ret ? -1 : 0; /* the loader has read it before */
}

static int by_place(const void *a, const void *b) {
  const struct wm_case *const *left = a, *const *right = b;
  int order = wm_text_compare((*left)->file, (*right)->file);
  if (order)
    return order;
  return (*left)->line < (*right)->line ? -1 : (*left)->line > (*right)->line;
}

static bool is_asked_for(const struct wm_case *test, const char *filter) {
  return !filter || wm_text_contains(test->name, wm_text_of(filter)) ||
         wm_text_contains(test->file, wm_text_of(filter));
}

static int collect(struct tests *tests, const char *filter) {
  const struct wm_workspace *workspace = tests->loaded->workspace;
  tests->items = calloc(workspace->case_count + 1, sizeof *tests->items);
  for (size_t i = 0; tests->items && i < workspace->case_count; i++) {
    if (is_asked_for(&workspace->cases[i], filter))
      tests->items[tests->count++] = &workspace->cases[i];
    else
      tests->left_out++;
  }
  if (!tests->items)
    return say_memory();
  qsort(tests->items, tests->count, sizeof *tests->items, by_place);
  return EXIT_FINE;
}

/* --- one test --- */

/* "FILE:LINE:COLUMN: expected ..., but ..." and the reasons, for one difference. */
static void add_difference(const struct wm_case_run *run, const struct wm_difference *difference, const char *indent,
                           struct wm_buf *buf) {
  struct wm_buf why = WM_BUF_INIT;
  test_why(run, difference, &why);
  wm_buf_printf(buf, "%s%.*s:%u:%u\n%s  expected  %.*s\n%s  but       %.*s\n", indent, WM_TEXT_ARG(run->test->file),
                difference->place.line, difference->place.column, indent, WM_TEXT_ARG(difference->expected), indent,
                WM_TEXT_ARG(difference->actual));
  for (const char *line = why.bytes; line && *line;) {
    const char *end = strchr(line, '\n');
    wm_buf_printf(buf, "%s  because   %.*s\n", indent, (int)(end - line), line);
    line = end + 1;
  }
  buf->failed |= why.failed;
  wm_buf_release(&why);
}

/* Lines of a text that is not all ours, each made safe. */
static void print_lines(const struct wm_buf *text) {
  for (const char *line = text->bytes; line && *line;) {
    const char *end = strchr(line, '\n');
    style_print(stdout, STYLE_PLAIN, "%.*s", (int)(end ? end - line : (ptrdiff_t)strlen(line)), line);
    putchar('\n');
    line = end ? end + 1 : NULL;
  }
}

static void print_test(struct tests *tests, const struct wm_case_run *run) {
  bool passed = run->difference_count == 0;
  if (!wm_text_equal(tests->file, run->test->file)) {
    if (tests->file.bytes)
      putchar('\n');
    style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(run->test->file));
    putchar('\n');
    tests->file = run->test->file;
  }
  style_print(stdout, passed ? STYLE_GOOD : STYLE_BAD, "  %s", passed ? "✓" : "✗");
  style_print(stdout, STYLE_PLAIN, " %.*s", WM_TEXT_ARG(run->test->name));
  putchar('\n');
  for (size_t i = 0; i < run->difference_count; i++) {
    struct wm_buf text = WM_BUF_INIT;
    add_difference(run, &run->differences[i], "      ", &text);
    print_lines(&text);
    wm_buf_release(&text);
  }
}

static void add_difference_json(const struct wm_case_run *run, const struct wm_difference *difference,
                                struct wm_buf *line) {
  struct wm_buf why = WM_BUF_INIT;
  wm_buf_printf(line, "{\"line\":%u,\"column\":%u,\"expected\":", difference->place.line, difference->place.column);
  wm_buf_add_json(line, difference->expected);
  wm_buf_add_string(line, ",\"actual\":");
  wm_buf_add_json(line, difference->actual);
  wm_buf_add_string(line, ",\"because\":[");
  test_why(run, difference, &why);
  for (const char *at = why.bytes; at && *at;) {
    const char *end = strchr(at, '\n');
    wm_buf_add_string(line, at == why.bytes ? "" : ",");
    wm_buf_add_json(line, (struct wm_text){at, (size_t)(end - at)});
    at = end + 1;
  }
  wm_buf_add_string(line, "]}");
  wm_buf_release(&why);
}

static void print_test_json(const struct wm_case_run *run) {
  struct wm_buf line = WM_BUF_INIT;
  wm_buf_add_string(&line, "{\"test\":");
  wm_buf_add_json(&line, run->test->name);
  wm_buf_add_string(&line, ",\"file\":");
  wm_buf_add_json(&line, run->test->file);
  wm_buf_printf(&line, ",\"line\":%u,\"passed\":%s,\"differences\":[", run->test->line,
                run->difference_count ? "false" : "true");
  for (size_t i = 0; i < run->difference_count; i++) {
    wm_buf_add_string(&line, i ? "," : "");
    add_difference_json(run, &run->differences[i], &line);
  }
  wm_buf_add_string(&line, "]}");
  puts(line.bytes ? line.bytes : "");
  wm_buf_release(&line);
}

static void take(struct tests *tests, const struct wm_case_run *run, int64_t took_us) {
  const struct wm_case *test = run->test;
  struct wm_buf text = WM_BUF_INIT;
  if (run->difference_count)
    wm_buf_printf(&text, "expected: %.*s, but: %.*s\n", WM_TEXT_ARG(run->differences[0].expected),
                  WM_TEXT_ARG(run->differences[0].actual));
  for (size_t i = 0; i < run->difference_count; i++)
    add_difference(run, &run->differences[i], "", &text);
  junit_add(&tests->junit, test->file, test->line, test->name, took_us,
            run->difference_count ? (struct wm_text){text.bytes, text.size} : WM_NO_TEXT);
  wm_buf_release(&text);
  tests->passed += run->difference_count == 0;
  tests->failed += run->difference_count > 0;
  tests->took_us += took_us;
  coverage_see(&tests->coverage, run);
  if (tests->json)
    print_test_json(run);
  else if (!tests->quiet)
    print_test(tests, run);
}

/* Switches on what the test wants on, or (test NULL) nothing any more. -1: out of memory. */
static int lay_over(const struct tests *tests, const struct wm_case *test, struct wm_error *error) {
  struct wm_running running;
  struct wm_overlay overlay;
  int result = 0;
  wm_running_init(&running);
  for (size_t i = 0; test && i < test->on_count && result >= 0; i++) {
    const struct wm_running_word word = {
        .kind = WM_RUNNING_AUTOMATION, .name = test->on[i].automation, .state = WM_RUNNING_ON};
    result = wm_running_take(&running, &word, error);
  }
  if (result >= 0)
    result = wm_workspace_overlay(tests->loaded->workspace, &running, &overlay, error);
  wm_running_release(&running);
  return result < 0 ? -1 : 0;
}

static int run_test(struct tests *tests, const struct wm_case *test) {
  struct wm_case_run run = {0};
  struct wm_user *before;
  struct wm_error error = {0};
  int64_t begin_us = system_clock.monotonic_us(system_clock.self);
  wm_arena_rewind(&tests->arena);
  if (test_given(test, &before) < 0)
    return say_memory();
  int result = test->on_count > 0 ? lay_over(tests, test, &error) : 0;
  if (result == 0)
    result = wm_case_run(tests->loaded->workspace, &tests->terms, test, before, &tests->arena, &run, &error);
  if (result == 0)
    take(tests, &run, system_clock.monotonic_us(system_clock.self) - begin_us);
  wm_case_run_release(&run);
  wm_user_free(before);
  if (result == 0 && test->on_count > 0)
    result = lay_over(tests, NULL, &error);
  return result < 0 ? say_error(EXIT_BUG, &error) : EXIT_FINE;
}

/* --- the end --- */

static void print_summary(struct tests *tests, bool coverage) {
  struct wm_buf text = WM_BUF_INIT;
  if (tests->count > 0)
    putchar('\n');
  if (coverage)
    coverage_print(&tests->coverage);
  show_count(&text, tests->count, "test");
  wm_buf_printf(&text, ": %zu passed, %zu failed", tests->passed, tests->failed);
  if (tests->left_out)
    wm_buf_printf(&text, ", %zu left out", tests->left_out);
  style_print(stdout, tests->failed ? STYLE_BAD : STYLE_GOOD, "%s", text.bytes ? text.bytes : "");
  wm_buf_clear(&text);
  coverage_summary(&tests->coverage, &text);
  printf("\ncoverage: %s\n", text.bytes ? text.bytes : "");
  wm_buf_release(&text);
}

static void print_summary_json(struct tests *tests, bool coverage) {
  struct wm_buf line = WM_BUF_INIT;
  wm_buf_printf(&line, "{\"tests\":%zu,\"passed\":%zu,\"failed\":%zu,\"left-out\":%zu,\"coverage\":", tests->count,
                tests->passed, tests->failed, tests->left_out);
  coverage_to_json(&tests->coverage, coverage, &line);
  wm_buf_add_char(&line, '}');
  puts(line.bytes ? line.bytes : "");
  wm_buf_release(&line);
}

static int write_junit(const struct tests *tests, const char *path, FILE *file) {
  struct wm_buf text = WM_BUF_INIT;
  if (!path)
    return EXIT_FINE;
  junit_finish(&text, &tests->junit, tests->count, tests->failed, tests->took_us);
  int exit_code = text.failed ? say_memory() : EXIT_FINE;
  if (exit_code == EXIT_FINE)
    fwrite(text.bytes, 1, text.size, file);
  wm_buf_release(&text);
  return exit_code;
}

/* No test at all is a warning; none left by a filter is likely a slip of it. */
static int judge(const struct tests *tests, const struct options *options) {
  if (tests->count == 0 && options_has(options, "filter"))
    return say(EXIT_BAD_NEWS, "no test has '%s' in its name or file", options_value(options, "filter"));
  if (tests->count == 0)
    say(0, "warning: the workspace has no tests ('waymark new test NAME' makes one)");
  bool strict = options_has(options, "strict") &&
                (tests->count == 0 || tests->loaded->findings.errors + tests->loaded->findings.warnings > 0);
  return tests->failed || strict ? EXIT_BAD_NEWS : EXIT_FINE;
}

static int run_all(struct tests *tests, const struct options *options) {
  const char *junit = options_value(options, "junit");
  FILE *file = NULL;
  tests->quiet = junit && strcmp(junit, "-") == 0;
  if (tests->quiet && tests->json)
    return say(EXIT_USAGE, "stdout can be for --junit or for --json, not for both");
  int exit_code = output_open(junit, &file);
  for (size_t i = 0; exit_code == EXIT_FINE && i < tests->count; i++)
    exit_code = run_test(tests, tests->items[i]);
  if (exit_code == EXIT_FINE)
    exit_code = write_junit(tests, junit, file);
  int closed = output_close(junit, file);
  if (exit_code != EXIT_FINE || closed != EXIT_FINE)
    return exit_code != EXIT_FINE ? exit_code : closed;
  coverage_count(&tests->coverage);
  if (tests->json)
    print_summary_json(tests, options_has(options, "coverage"));
  else if (!tests->quiet)
    print_summary(tests, options_has(options, "coverage"));
  return judge(tests, options);
}

static int run_tests(const struct invocation *invocation, const struct loaded *loaded) {
  struct tests tests = {.loaded = loaded, .terms = test_terms(&loaded->settings)};
  tests.json = options_has(&invocation->options, "json");
  wm_arena_init(&tests.arena, 0);
  int exit_code = collect(&tests, options_value(&invocation->options, "filter"));
  if (exit_code == EXIT_FINE && coverage_init(&tests.coverage, loaded->workspace) < 0)
    exit_code = say_memory();
  if (exit_code == EXIT_FINE)
    exit_code = run_all(&tests, &invocation->options);
  coverage_release(&tests.coverage);
  wm_buf_release(&tests.junit);
  wm_arena_release(&tests.arena);
  free(tests.items);
  return exit_code;
}

/* Options that only mean something together with --record. */
static int check_options(const struct options *options) {
  static const char *const needing[] = {"user", "name", "output", NULL};
  static const char *const running[] = {"filter", "junit", "coverage", "json", "strict", NULL};
  bool record = options_has(options, "record");
  for (const char *const *name = record ? running : needing; *name; name++)
    if (options_has(options, *name))
      return say(EXIT_USAGE, record ? "--record writes a test, --%s is for running them" : "--%s needs --record",
                 *name);
  return EXIT_FINE;
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct loaded loaded = {0};
  int exit_code = check_options(options);
  if (exit_code == EXIT_FINE)
    exit_code = workspace_open(invocation, options_argument(options, 0), SETTINGS_OFFLINE, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = options_has(options, "record") ? test_record(invocation, &loaded, options_value(options, "record"))
                                               : run_tests(invocation, &loaded);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"filter", 0, "TEXT", "only tests with TEXT in their name or file"},
    {"coverage", 0, NULL, "list the automations, conditions and tasks that no test exercises"},
    {"junit", 0, "FILE", "write the results as JUnit XML; '-' is stdout, and then there is nothing else on it"},
    {"strict", 0, NULL, "exit 1 also without any test, or when lint has something to say"},
    OPTION_JSON,
    {"record", 0, "EVENT.json", "write a test of what this event does now, instead of running tests ('-' is stdin)"},
    {"user", 0, "REGISTER.json", "with --record: the user's register before, as 'user --json' writes it"},
    {"name", 0, "TEXT", "with --record: what the test is called"},
    {"output", 0, "FILE", "with --record: where it goes, never over a file that is there (default stdout)"},
    {0},
};

const struct command command_test = {
    .name = "test",
    .arguments = "[DIR]",
    .summary = "run the tests of the rules, or write one from a real event",
    .options = options,
    .help = "Runs every 'test:' document of DIR with the same core that the worker runs: given a user and events, do\n"
            "the roles, outcomes and notifications come that are expected? A test that fails says what was expected,\n"
            "what came, and why. The last line tells how much of the rules the tests exercise. Exit 1 when a test\n"
            "fails, or --filter leaves none.\n\n"
            "  waymark test deploy/sample --coverage\n"
            "  waymark test deploy/sample --record event.json --user register.json --output new-test.yaml",
    .run = run,
};

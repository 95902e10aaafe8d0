/* waymark lint: every problem of a workspace, located. */
#include <stdio.h>

#include "tools/files.h"
#include "tools/say.h"
#include "tools/show.h"

static void print_json(const struct wm_findings *findings) {
  struct wm_buf line = WM_BUF_INIT;
  for (size_t i = 0; i < findings->count; i++) {
    const struct wm_finding *finding = &findings->items[i];
    wm_buf_clear(&line);
    wm_buf_printf(&line, "{\"severity\":\"%s\",\"code\":\"%s\",\"file\":", wm_severity_name(finding->severity),
                  wm_code_name(finding->code));
    wm_buf_add_json(&line, wm_text_is_utf8(finding->file, NULL) ? finding->file : WM_TEXT("?"));
    wm_buf_printf(&line, ",\"line\":%u,\"column\":%u,\"text\":", finding->line, finding->column);
    wm_buf_add_json(&line, finding->text);
    wm_buf_add_string(&line, "}\n");
    fwrite(line.bytes, 1, line.size, stdout);
  }
  wm_buf_release(&line);
}

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
  enum style style = clean ? STYLE_GOOD : STYLE_WARN;
  if (findings->invalid + findings->errors)
    style = STYLE_BAD;
  style_print(stdout, style, "%s", line.bytes ? line.bytes : "");
  putchar('\n');
  wm_buf_release(&line);
}

static int run(const struct invocation *invocation) {
  struct loaded loaded;
  int exit_code = workspace_open(invocation, options_argument(&invocation->options, 0), SETTINGS_LINT, &loaded);
  if (exit_code == EXIT_FINE || exit_code == EXIT_BAD_NEWS) {
    const struct wm_findings *findings = &loaded.findings;
    if (options_has(&invocation->options, "json"))
      print_json(findings);
    else
      print_summary(&loaded);
    bool strict = options_has(&invocation->options, "strict");
    if (findings->invalid || findings->errors || (strict && findings->warnings))
      exit_code = EXIT_BAD_NEWS;
    if (findings->failed)
      exit_code = say_memory();
  }
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"strict", 0, NULL, "warnings are bad news too (exit 1)"},
    {"json", 0, NULL, "each finding as one JSON value a line on stdout"},
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
            "loads it and that task fails with this code. warning: probably not what was meant.\n"
            "Exit 1 when anything is invalid or an error.",
    .run = run,
};

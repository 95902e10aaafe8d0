/* waymark roles export: roles as JSON that `waymark roles import` reads back: what their documents say, the documents
 * themselves, and what belongs to them elsewhere. [002] */
#include <stdlib.h>

#include "core/codec/digest.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/ways.h"
#include "tools/roles/roles.h"
#include "tools/roles/roles_control.h"
#include "tools/roles/roles_document.h"

struct export {
  const struct options *options;
  struct loaded loaded;
  struct wm_running running;
  struct role_files files;
  FILE *output;
};

/* Automations with a task that does this to the role. */
static void add_automations(const struct wm_workspace *workspace, struct wm_text role, const char *name,
                            enum wm_action action, struct wm_buf *line) {
  const char *between = "";
  wm_buf_printf(line, ",\"%s\":[", name);
  for (size_t i = 0; i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    bool any = false;
    for (size_t t = 0; t < automation->task_count; t++)
      any |= automation->tasks[t].type == &wm_change_role && automation->tasks[t].action == action &&
             wm_text_equal(automation->tasks[t].role, role);
    if (!any)
      continue;
    wm_buf_add_string(line, between);
    wm_buf_add_json(line, automation->name);
    between = ",";
  }
  wm_buf_add_char(line, ']');
}

/* What was said at run time: {"archived":true,"by":..,"reason":..}, or null. */
static void add_control(const struct wm_running *running, struct wm_text role, struct wm_buf *line) {
  const struct wm_running_word *word = wm_running_get(running, WM_RUNNING_ROLE, role);
  wm_buf_add_string(line, ",\"control\":");
  if (!word) {
    wm_buf_add_string(line, "null");
    return;
  }
  wm_buf_printf(line, "{\"archived\":%s", word->state == WM_RUNNING_OFF ? "true" : "false");
  if (word->by.bytes) {
    wm_buf_add_string(line, ",\"by\":");
    wm_buf_add_json(line, word->by);
  }
  if (word->reason.bytes) {
    wm_buf_add_string(line, ",\"reason\":");
    wm_buf_add_json(line, word->reason);
  }
  wm_buf_add_char(line, '}');
}

static int write_role(struct export *export, const struct wm_role *role) {
  static const char *const statuses[] = {"active", "inactive", "archived"};
  struct role_document document;
  struct wm_buf line = WM_BUF_INIT;
  char digest[WM_DIGEST_SIZE];
  int exit_code = role_files_find(&export->files, role, &document);
  if (exit_code != EXIT_FINE)
    return exit_code;
  wm_digest(document.bytes, digest);
  wm_buf_add_string(&line, "{\"role\":");
  wm_buf_add_json(&line, role->name);
  wm_buf_add_string(&line, ",\"label\":");
  wm_buf_add_json(&line, role->label);
  wm_buf_printf(&line, ",\"status\":\"%s\",\"version\":\"%.12s\"", statuses[role->status], digest);
  if (!options_has(export->options, "offline"))
    add_control(&export->running, role->name, &line);
  add_automations(export->loaded.workspace, role->name, "given-by", WM_ADD, &line);
  add_automations(export->loaded.workspace, role->name, "taken-by", WM_REMOVE, &line);
  wm_buf_add_string(&line, ",\"definition\":");
  role_document_to_json(&document, &line);
  wm_buf_add_string(&line, ",\"document\":");
  wm_buf_add_json(&line, document.bytes);
  wm_buf_add_char(&line, '}');
  if (line.failed)
    exit_code = say_memory();
  else
    fprintf(export->output, "%s\n", line.bytes);
  wm_buf_release(&line);
  return exit_code;
}

static int check_names(const struct export *export) {
  int exit_code = EXIT_FINE;
  for (size_t i = WAY_FIRST; i < export->options->argument_count; i++) {
    const char *name = options_argument(export->options, i);
    if (name && role_check_name(export->loaded.workspace, wm_text_of(name)) != EXIT_FINE)
      exit_code = EXIT_BAD_NEWS;
  }
  return exit_code;
}

static int write_roles(struct export *export) {
  const struct wm_workspace *workspace = export->loaded.workspace;
  bool all = !options_argument(export->options, WAY_FIRST);
  int exit_code = EXIT_FINE;
  for (size_t i = 0; all && i < workspace->role_count && exit_code == EXIT_FINE; i++)
    exit_code = write_role(export, &workspace->roles[i]);
  for (size_t i = WAY_FIRST; !all && i < export->options->argument_count && exit_code == EXIT_FINE; i++)
    exit_code = write_role(export, wm_workspace_role(workspace, wm_text_of(options_argument(export->options, i))));
  return exit_code;
}

static int open_all(struct export *export, const struct invocation *invocation) {
  struct wm_error error = {0};
  struct wm_overlay changes;
  int exit_code = workspace_open_settings(invocation, &export->loaded);
  if (exit_code == EXIT_FINE && !export->loaded.workspace) {
    files_print_findings(&export->loaded.findings);
    exit_code = say(EXIT_BAD_NEWS, "nothing was written: the workspace has invalid documents");
  }
  if (exit_code == EXIT_FINE)
    exit_code = check_names(export);
  if (exit_code == EXIT_FINE && !options_has(export->options, "offline"))
    exit_code = roles_control_read(&export->loaded.settings, &export->running);
  if (exit_code == EXIT_FINE && wm_workspace_overlay(export->loaded.workspace, &export->running, &changes, &error) < 0)
    exit_code = say_memory();
  return exit_code;
}

int roles_export(const struct invocation *invocation) {
  struct export export = {.options = &invocation->options};
  const char *path = options_value(export.options, "output");
  path = path ? path : "-";
  wm_running_init(&export.running);
  role_files_init(&export.files);
  int exit_code = open_all(&export, invocation);
  if (exit_code == EXIT_FINE)
    exit_code = output_open(path, &export.output);
  if (exit_code == EXIT_FINE)
    exit_code = write_roles(&export);
  int closed = output_close(path, export.output);
  role_files_release(&export.files);
  wm_running_release(&export.running);
  files_unload(&export.loaded);
  return exit_code == EXIT_FINE ? closed : exit_code;
}

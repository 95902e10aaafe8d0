#include "worker/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/baseline.h"
#include "core/codec/load.h"
#include "core/codec/yaml.h"
#include "worker/walk.h"

#define SETTINGS_FILE "waymark.yaml"

/* --- one file --- */

/* Pipes and devices named *.yaml would block or never end. */
static int open_regular(const char *path, struct wm_error *error) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return wm_error_set(error, WM_E_FILE_UNREADABLE, "can't read '%s': %s", path, strerror(errno));
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    return fd;
  close(fd);
  return wm_error_set(error, WM_E_FILE_UNREADABLE, "can't read '%s': not a file", path);
}

/* Reads to the end or to one byte over the limit. -1 with errno. */
static int read_all(int fd, size_t limit, struct wm_buf *ret) {
  char bytes[65536];
  while (ret->size <= limit) {
    ssize_t got = read(fd, bytes, sizeof(bytes));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return (int)got;
    wm_buf_add(ret, bytes, (size_t)got);
    if (ret->failed) {
      errno = ENOMEM;
      return -1;
    }
  }
  return 0;
}

char *files_read(const char *path, size_t limit, size_t *ret_size, struct wm_error *error) {
  struct wm_buf buf = WM_BUF_INIT;
  int fd = open_regular(path, error);
  if (fd < 0)
    return NULL;
  int failed = read_all(fd, limit, &buf), why = errno;
  close(fd);
  wm_buf_add(&buf, "", 0);
  if (failed < 0)
    wm_error_set(error, WM_E_FILE_UNREADABLE, "can't read '%s': %s", path, strerror(why));
  else if (buf.size > limit)
    wm_error_set(error, WM_E_FILE_UNREADABLE, "can't read '%s': larger than %zu bytes", path, limit);
  else if (!buf.bytes && !(buf.bytes = calloc(1, 1)))
    wm_error_memory(error);
  else {
    *ret_size = buf.size;
    return buf.bytes;
  }
  wm_buf_release(&buf);
  return NULL;
}

/* --- the folder --- */

static bool has_settings(const char *folder) {
  char *path = walk_join(folder, SETTINGS_FILE);
  bool has = path && access(path, F_OK) == 0;
  free(path);
  return has;
}

static bool is_same_folder(const char *a, const char *b) {
  struct stat first, second;
  return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

/* ".", "..", "../.." and so on, as far as there is something above. */
static char *find_upwards(struct wm_error *error) {
  char *folder = strdup(".");
  while (folder && !has_settings(folder)) {
    char *above = strcmp(folder, ".") == 0 ? strdup("..") : walk_join(folder, "..");
    bool top = above && is_same_folder(folder, above);
    free(folder);
    folder = above;
    if (!top)
      continue;
    free(folder);
    wm_error_set(error, WM_E_FILE_UNREADABLE,
                 "no " SETTINGS_FILE " here or in a folder above: name the folder, with -C or WAYMARK_WORKSPACE too");
    return NULL;
  }
  if (!folder)
    wm_error_memory(error);
  return folder;
}

char *files_find_workspace(const char *argument, const char *option, struct wm_error *error) {
  const char *variable = getenv("WAYMARK_WORKSPACE");
  const char *given = argument ? argument : option ? option : variable && *variable ? variable : NULL;
  if (!given)
    return find_upwards(error);
  char *folder = strdup(*given ? given : ".");
  if (!folder)
    wm_error_memory(error);
  return folder;
}

/* --- all of a workspace --- */

static int check_folder(const char *folder, struct wm_error *error) {
  struct stat status;
  if (stat(folder, &status))
    return wm_error_set(error, WM_E_FILE_UNREADABLE, "can't read the workspace '%s': %s", folder, strerror(errno));
  if (!S_ISDIR(status.st_mode))
    return wm_error_set(error, WM_E_FILE_UNREADABLE, "the workspace '%s' is no folder", folder);
  if (access(folder, R_OK | X_OK))
    return wm_error_set(error, WM_E_FILE_UNREADABLE, "can't read the workspace '%s': %s", folder, strerror(errno));
  return 0;
}

/* -1: out of memory; what is wrong with the settings is a finding. */
static int load_settings(const char *folder, enum settings_mode mode, struct loaded *ret) {
  struct wm_error error;
  size_t size = 0;
  char *path = walk_join(folder, SETTINGS_FILE), *bytes = NULL;
  if (!path)
    return -1;
  if (access(path, F_OK) == 0) {
    bytes = files_read(path, WM_FILE_LIMIT, &size, &error);
    if (!bytes)
      wm_findings_add(&ret->findings, WM_INVALID, error.code, wm_text_of(path), 1, 1, "%s", error.text);
  }
  settings_read(&ret->settings, wm_text_of(path), (struct wm_text){bytes, size}, mode, &ret->findings);
  free(bytes);
  free(path);
  return ret->findings.failed ? -1 : 0;
}

static int load_file(struct wm_loader *loader, const char *folder, const char *relative, struct wm_findings *findings) {
  struct wm_error error;
  size_t size;
  char *path = walk_join(folder, relative);
  if (!path)
    return -1;
  char *bytes = files_read(path, WM_FILE_LIMIT, &size, &error);
  int failed = 0;
  if (bytes) {
    failed = wm_loader_add(loader, wm_text_of(path), (struct wm_text){bytes, size});
  } else {
    wm_findings_add(findings, WM_INVALID, error.code, wm_text_of(path), 1, 1, "%s", error.text);
    wm_loader_miss(loader);
  }
  free(bytes);
  free(path);
  return failed;
}

/* The baseline is a setting, but it names a role: what is wrong with it can be told when both are read. */
static void lint_baseline(const struct wm_workspace *workspace, struct wm_text file, struct loaded *ret) {
  struct wm_text name = workspace->baseline, near = wm_workspace_near_role(workspace, name);
  const struct wm_role *role = wm_workspace_role(workspace, name);
  unsigned line = ret->settings.baseline.line, column = ret->settings.baseline.column;
  if (!role)
    wm_findings_add(&ret->findings, WM_ERROR, WM_E_ROLE_UNKNOWN, file, line, column,
                    "role '%.*s' is not in the catalogue, so nobody can be given it as 'baseline'%s%.*s%s",
                    WM_TEXT_ARG(name), near.bytes ? ", did you mean '" : "", WM_TEXT_ARG(near), near.bytes ? "'" : "");
  else if (role->kind != WM_ROLE_PORTAL || role->managed)
    wm_findings_add(&ret->findings, WM_ERROR, WM_E_ROLE_PROTECTED, file, line, column,
                    "role '%.*s' is %s, so nobody can be given it as 'baseline'", WM_TEXT_ARG(name),
                    role->managed ? "managed" : "of a kind that is never automated");
  else if (role->status != WM_ROLE_ACTIVE)
    wm_findings_add(&ret->findings, WM_ERROR,
                    role->status == WM_ROLE_ARCHIVED ? WM_E_ROLE_ARCHIVED : WM_E_ROLE_INACTIVE, file, line, column,
                    "role '%.*s' is %s, so nobody can be given it as 'baseline'", WM_TEXT_ARG(name),
                    role->status == WM_ROLE_ARCHIVED ? "archived" : "inactive");
}

/* Its grants have the source and the clock of an automation of this name. */
static bool is_name_taken(const struct wm_workspace *workspace, struct wm_findings *findings) {
  const struct wm_automation *automation = wm_workspace_automation(workspace, WM_TEXT(WM_BASELINE));
  if (automation)
    wm_findings_add(findings, WM_INVALID, WM_E_NAME_INVALID, automation->file, automation->line, automation->column,
                    "'" WM_BASELINE "' can't be the name of an automation while the setting 'baseline' names a role");
  return automation != NULL;
}

/* -1: out of memory. */
static int take_baseline(const char *folder, struct loaded *ret) {
  const char *role = ret->settings.baseline.role;
  if (!ret->workspace || !role || !*role)
    return 0;
  if (is_name_taken(ret->workspace, &ret->findings)) {
    wm_workspace_free(ret->workspace);
    ret->workspace = NULL;
    return 0;
  }
  char *path = walk_join(folder, SETTINGS_FILE);
  int failed = path ? wm_arena_text(&ret->workspace->arena, wm_text_of(role), &ret->workspace->baseline) : -1;
  if (!failed)
    lint_baseline(ret->workspace, wm_text_of(path), ret);
  free(path);
  return failed;
}

static int load_documents(const char *folder, struct loaded *ret) {
  struct walk walk;
  size_t missed;
  const struct wm_lint_terms terms = {.user_written = ret->settings.user_written,
                                      .user_written_count = ret->settings.user_written_count};
  struct wm_loader *loader = wm_loader_new(&ret->findings);
  if (loader)
    wm_loader_terms(loader, &terms);
  int failed = walk_folder(folder, ret->settings.ignore, ret->settings.ignore_count, &ret->findings, &walk, &missed);
  for (size_t i = 0; loader && !failed && i < walk.count; i++)
    failed = load_file(loader, folder, walk.paths[i], &ret->findings);
  if (loader && missed > 0)
    wm_loader_miss(loader);
  if (loader && !failed)
    ret->workspace = wm_loader_finish(loader);
  if (!failed)
    failed = take_baseline(folder, ret);
  if (ret->workspace) {
    wm_lint(ret->workspace, &terms, &ret->findings);
    wm_silence_apply(ret->workspace, &ret->findings);
    wm_silence_check(ret->workspace, WM_LOOK_WORKSPACE, &ret->findings);
  }
  walk_release(&walk);
  wm_loader_free(loader);
  return loader && !failed && !ret->findings.failed ? 0 : -1;
}

/* What is true of the workspace as a whole stands at its folder. */
static void place_findings(const char *folder, struct wm_findings *findings) {
  struct wm_text name;
  if (wm_arena_text(&findings->arena, wm_text_of(folder), &name))
    return;
  for (size_t i = 0; i < findings->count; i++) {
    if (findings->items[i].file.size > 0)
      continue;
    findings->items[i].file = name;
    findings->items[i].line = findings->items[i].column = 1;
  }
}

int files_load(const char *folder, enum settings_mode mode, struct loaded *ret, struct wm_error *error) {
  *ret = (struct loaded){0};
  if (check_folder(folder, error))
    return -1;
  wm_findings_init(&ret->findings);
  if (load_settings(folder, mode, ret) || load_documents(folder, ret)) {
    files_unload(ret);
    return wm_error_memory(error);
  }
  place_findings(folder, &ret->findings);
  wm_findings_sort(&ret->findings);
  return 0;
}

void files_unload(struct loaded *loaded) {
  settings_release(&loaded->settings);
  wm_findings_release(&loaded->findings);
  wm_workspace_free(loaded->workspace);
  *loaded = (struct loaded){0};
}

void files_print_findings(const struct wm_findings *findings) {
  for (size_t i = 0; i < findings->count; i++) {
    const struct wm_finding *finding = &findings->items[i];
    if (!finding->silenced)
      fprintf(stderr, "%.*s:%u:%u: %s: %.*s [%s]\n", WM_TEXT_ARG(finding->file), finding->line, finding->column,
              wm_severity_name(finding->severity), WM_TEXT_ARG(finding->text), wm_code_name(finding->code));
  }
  size_t all = findings->invalid + findings->errors + findings->warnings + findings->silenced;
  if (all > findings->count)
    fprintf(stderr, "... and %zu more\n", all - findings->count);
}

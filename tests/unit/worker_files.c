/* A workspace on disk: which files are read, in which order, and what is said of those that can't be. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/cases.h"
#include "worker/files.h"
#include "worker/walk.h"

static char root[64];
static struct loaded loaded;
static struct wm_error error;

static void set_up(void) {
  snprintf(root, sizeof root, "/tmp/waymark-files-XXXXXX");
  cr_assert(mkdtemp(root) != NULL);
  loaded = (struct loaded){0};
  unsetenv("WAYMARK_WORKSPACE");
}

static void tear_down(void) {
  char command[128];
  files_unload(&loaded);
  snprintf(command, sizeof command, "rm -rf '%s'", root);
  cr_expect_eq(system(command), 0);
}

TestSuite(files, .init = set_up, .fini = tear_down);

static const char *path_of(const char *name) {
  static char path[4][512];
  static int next;
  next = (next + 1) % 4;
  snprintf(path[next], sizeof path[next], "%s/%s", root, name);
  return path[next];
}

static void make_folder(const char *name) {
  cr_assert_eq(mkdir(path_of(name), 0777), 0, "%s", name);
}

static void write_file(const char *name, const char *text) {
  FILE *file = fopen(path_of(name), "wb");
  cr_assert(file != NULL, "%s", name);
  fwrite(text, 1, strlen(text), file);
  fclose(file);
}

static void make_link(const char *target, const char *name) {
  cr_assert_eq(symlink(target, path_of(name)), 0, "%s", name);
}

#define AUTOMATION                                                                                                     \
  "automation: a\ntrigger: journey.started\n"                                                                          \
  "tasks: [{name: x, sequence: 1, type: change-role, role: r, action: add}]\n"

static void load(enum settings_mode mode) {
  cr_assert_eq(files_load(root, mode, &loaded, &error), 0, "%s", error.text);
}

static bool has_role(const char *name) {
  return loaded.workspace && wm_workspace_role(loaded.workspace, wm_text_of(name));
}

/* --- what is read --- */

Test(files, every_yaml_below_the_folder_is_read) {
  write_file("a.yaml", AUTOMATION);
  make_folder("deep");
  make_folder("deep/down");
  write_file("deep/down/b.yaml", "role: r\n");
  write_file("deep/waymark.yaml", "role: nested\n");
  load(SETTINGS_FULL);
  cr_expect_eq(loaded.findings.count, 0u);
  cr_expect(has_role("r") && has_role("nested"), "only the folder's own waymark.yaml is settings");
}

Test(files, dot_names_and_other_endings_are_not) {
  write_file("a.yaml", AUTOMATION "---\nrole: r\n");
  write_file(".hidden.yaml", "rubbish");
  make_folder(".git");
  write_file(".git/x.yaml", "rubbish");
  write_file("x.yml", "rubbish");
  write_file("README.md", "rubbish");
  write_file("yaml", "rubbish");
  load(SETTINGS_FULL);
  cr_expect_eq(loaded.findings.count, 0u);
  cr_expect(loaded.workspace != NULL);
}

Test(files, ignore_names_paths_files_and_folders) {
  write_file("waymark.yaml", "ignore: [vendor, 'ci/*.yaml', '*.draft.yaml', charts/]\n");
  write_file("a.yaml", AUTOMATION "---\nrole: r\n");
  make_folder("vendor");
  write_file("vendor/x.yaml", "rubbish");
  make_folder("ci");
  write_file("ci/x.yaml", "rubbish");
  make_folder("ci/deep");
  write_file("ci/deep/x.yaml", "rubbish");
  make_folder("charts");
  write_file("charts/x.yaml", "rubbish");
  write_file("b.draft.yaml", "rubbish");
  make_folder("vendors");
  write_file("vendors/x.yaml", "role: kept\n");
  load(SETTINGS_FULL);
  cr_expect_eq(loaded.findings.count, 0u);
  cr_expect(has_role("kept"));
}

Test(files, ignore_takes_folders_of_any_depth) {
  write_file("waymark.yaml", "ignore: ['**/top.yaml', 'a/**/b.yaml', '/only.yaml', ./here, 'a/**/c/**/d*.yaml']\n");
  write_file("r.yaml", AUTOMATION "---\nrole: r\n");
  write_file("top.yaml", "rubbish");
  write_file("only.yaml", "rubbish");
  make_folder("here");
  write_file("here/x.yaml", "rubbish");
  make_folder("a");
  write_file("a/top.yaml", "rubbish");
  write_file("a/b.yaml", "rubbish");
  make_folder("a/c");
  write_file("a/c/b.yaml", "rubbish");
  write_file("a/c/d1.yaml", "rubbish");
  make_folder("a/c/e");
  write_file("a/c/e/d2.yaml", "rubbish");
  write_file("a/only.yaml", "role: kept\n");
  make_folder("a/here");
  write_file("a/here/x.yaml", "role: kept-too\n");
  write_file("a/ab.yaml", "role: kept-as-well\n");
  load(SETTINGS_FULL);
  cr_expect_eq(loaded.findings.count, 0u);
  cr_expect(has_role("kept") && has_role("kept-too") && has_role("kept-as-well"));
}

Test(files, links_are_followed_and_loops_end) {
  make_folder("real");
  write_file("real/a.yaml", AUTOMATION "---\nrole: r\n");
  make_folder("..data");
  write_file("..data/b.yaml", "role: mounted\n");
  make_link("..data/b.yaml", "b.yaml"); /* how Kubernetes mounts a ConfigMap */
  make_link("..", "real/up");
  make_link(".", "real/self");
  make_link("real", "other");
  load(SETTINGS_FULL);
  cr_expect_eq(loaded.findings.count, 0u);
  cr_expect(has_role("mounted"));
}

Test(files, what_is_no_regular_file_is_passed_over) {
  write_file("a.yaml", AUTOMATION "---\nrole: r\n");
  cr_assert_eq(mkfifo(path_of("pipe.yaml"), 0666), 0);
  make_folder("folder.yaml");
  load(SETTINGS_FULL);
  cr_expect_eq(loaded.findings.count, 0u);
}

/* --- what is said --- */

static void expect_finding(size_t i, const char *expected) {
  struct wm_buf line = WM_BUF_INIT, whole = WM_BUF_INIT;
  cr_assert_lt(i, loaded.findings.count);
  const struct wm_finding *finding = &loaded.findings.items[i];
  wm_buf_printf(&line, "%.*s:%u:%u: %s [%s]", WM_TEXT_ARG(finding->file), finding->line, finding->column,
                wm_severity_name(finding->severity), wm_code_name(finding->code));
  wm_buf_printf(&whole, "%s/%s", root, expected);
  cr_expect_str_eq(line.bytes, whole.bytes);
  wm_buf_release(&line);
  wm_buf_release(&whole);
}

Test(files, findings_of_all_files_come_sorted_by_path_and_place) {
  write_file("waymark.yaml", "limits: { batch-ms: -1 }\n");
  write_file("b.yaml", "role: r\nlabl: x\n---\nrole: q\nkind: x\n");
  make_folder("a");
  write_file("a/z.yaml", "rol: x\n");
  write_file("a.yaml", AUTOMATION "x: y\n");
  load(SETTINGS_FULL);
  cr_expect(loaded.workspace == NULL);
  cr_assert_eq(loaded.findings.count, 5u);
  expect_finding(0, "a.yaml:4:1: invalid [KEY_UNKNOWN]");
  expect_finding(1, "a/z.yaml:1:1: invalid [KIND_UNKNOWN]");
  expect_finding(2, "b.yaml:2:1: invalid [KEY_UNKNOWN]");
  expect_finding(3, "b.yaml:5:7: invalid [VALUE_INVALID]");
  expect_finding(4, "waymark.yaml:1:21: invalid [SETTING_INVALID]");
}

Test(files, what_can_not_be_read_is_invalid) {
  write_file("a.yaml", AUTOMATION);
  make_link("nowhere", "gone.yaml");
  load(SETTINGS_FULL);
  cr_expect(loaded.workspace == NULL);
  cr_assert_eq(loaded.findings.count, 1u, "the role may stand in the file that is gone");
  expect_finding(0, "gone.yaml:1:1: invalid [FILE_UNREADABLE]");
}

Test(files, settings_that_can_not_be_read_are_invalid) {
  write_file("a.yaml", AUTOMATION "---\nrole: r\n");
  make_folder("waymark.yaml");
  load(SETTINGS_FULL);
  cr_expect(loaded.workspace == NULL);
  expect_finding(0, "waymark.yaml:1:1: invalid [FILE_UNREADABLE]");
}

Test(files, folders_have_a_depth) {
  char name[512] = "d";
  write_file("a.yaml", AUTOMATION "---\nrole: r\n");
  make_folder(name);
  for (int i = 0; i < WALK_DEPTH_LIMIT; i++) {
    size_t size = strlen(name);
    snprintf(name + size, sizeof name - size, "/d");
    make_folder(name);
  }
  load(SETTINGS_FULL);
  cr_assert_eq(loaded.findings.count, 1u);
  cr_expect_eq(loaded.findings.items[0].code, WM_E_FILE_UNREADABLE);
}

Test(files, an_empty_workspace_has_nothing_to_do) {
  load(SETTINGS_FULL);
  cr_assert(loaded.workspace != NULL);
  cr_assert_eq(loaded.findings.count, 1u);
  cr_expect_eq(loaded.findings.items[0].code, WM_E_NOTHING_TO_DO);
  cr_expect(wm_text_is(loaded.findings.items[0].file, root) && loaded.findings.items[0].line == 1);
}

Test(files, a_folder_that_is_none_is_an_error) {
  cr_expect_eq(files_load("/nowhere/at/all", SETTINGS_FULL, &loaded, &error), -1);
  cr_expect_eq(error.code, WM_E_FILE_UNREADABLE);
  write_file("file", "");
  cr_expect_eq(files_load(path_of("file"), SETTINGS_FULL, &loaded, &error), -1);
}

Test(files, only_the_worker_needs_the_secrets) {
  write_file("waymark.yaml", "redis: { password-file: /nowhere/at/all, username: \"${WAYMARK_TEST_NOT_SET}\" }\n");
  write_file("a.yaml", AUTOMATION "---\nrole: r\n");
  load(SETTINGS_OFFLINE);
  cr_expect(loaded.workspace && loaded.findings.count == 1 && loaded.findings.items[0].severity == WM_WARNING);
  files_unload(&loaded);
  load(SETTINGS_FULL);
  cr_expect(!loaded.workspace);
  cr_expect_eq(loaded.findings.invalid, 2u);
}

Test(files, the_sample_is_clean) {
  cr_assert_eq(files_load(FIXTURES "/../../deploy/sample", SETTINGS_OFFLINE, &loaded, &error), 0, "%s", error.text);
  struct wm_buf said = WM_BUF_INIT;
  cases_print(&loaded.findings, &said);
  cr_expect_eq(loaded.findings.count, loaded.findings.silenced, "%s", said.bytes);
  cr_expect(loaded.workspace != NULL);
  wm_buf_release(&said);
}

/* --- a single file --- */

Test(files, a_file_is_read_whole_or_not_at_all) {
  size_t size = 0;
  write_file("f", "hello");
  char *bytes = files_read(path_of("f"), 5, &size, &error);
  cr_assert(bytes != NULL);
  cr_expect_eq(size, 5u);
  cr_expect_str_eq(bytes, "hello");
  free(bytes);
  cr_expect(files_read(path_of("f"), 4, &size, &error) == NULL);
  cr_expect_eq(error.code, WM_E_FILE_UNREADABLE);
  write_file("empty", "");
  bytes = files_read(path_of("empty"), 4, &size, &error);
  cr_expect(bytes && size == 0);
  free(bytes);
  cr_expect(files_read(root, 4, &size, &error) == NULL);
}

/* --- which folder --- */

static void expect_folder(const char *argument, const char *option, const char *expected) {
  char *folder = files_find_workspace(argument, option, &error);
  cr_assert(folder != NULL, "%s", error.text);
  cr_expect_str_eq(folder, expected);
  free(folder);
}

Test(files, an_argument_wins_over_the_option_over_the_variable) {
  setenv("WAYMARK_WORKSPACE", "/c", 1);
  expect_folder("/a", "/b", "/a");
  expect_folder(NULL, "/b", "/b");
  expect_folder(NULL, NULL, "/c");
}

Test(files, the_nearest_waymark_yaml_upwards_is_found) {
  make_folder("a");
  make_folder("a/b");
  make_folder("a/b/c");
  write_file("waymark.yaml", "");
  cr_assert_eq(chdir(path_of("a/b/c")), 0);
  expect_folder(NULL, NULL, "../../..");
  write_file("a/b/waymark.yaml", "");
  expect_folder(NULL, NULL, "..");
  write_file("a/b/c/waymark.yaml", "");
  expect_folder(NULL, NULL, ".");
  setenv("WAYMARK_WORKSPACE", "", 1);
  expect_folder(NULL, NULL, ".");
}

Test(files, without_any_there_is_an_error) {
  cr_assert_eq(chdir(root), 0);
  if (access("/tmp/waymark.yaml", F_OK) == 0 || access("/waymark.yaml", F_OK) == 0)
    cr_skip_test("this machine has a workspace above its temporary files");
  cr_expect(files_find_workspace(NULL, NULL, &error) == NULL);
  cr_expect_eq(error.code, WM_E_FILE_UNREADABLE);
}

/* Workspaces from YAML: each folder of fixtures/yaml and fixtures/lint is one, with the findings that it must give. */
#include <criterion/criterion.h>

#include "core/codec/digest.h"
#include "core/codec/load.h"
#include "tests/unit/cases.h"

static struct wm_findings findings;

static void set_up(void) {
  wm_findings_init(&findings);
}
static void tear_down(void) {
  wm_findings_release(&findings);
}

TestSuite(load, .init = set_up, .fini = tear_down);

/* --- cases --- */

static void add_file(const char *folder, const char *name, void *loader) {
  struct wm_text file = wm_text_of(name);
  if (!wm_text_ends_with(file, WM_TEXT(".yaml")))
    return;
  struct wm_buf bytes = cases_read(folder, name);
  cr_assert_eq(wm_loader_add(loader, file, (struct wm_text){bytes.bytes, bytes.size}), 0);
  wm_buf_release(&bytes);
}

struct seen {
  bool codes[WM_CODE_COUNT];
  size_t loaded;
};

static void run_case(const char *root, const char *name, void *context) {
  struct seen *seen = context;
  char folder[1024];
  snprintf(folder, sizeof folder, "%s/%s", root, name);
  wm_findings_release(&findings);
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  cases_each(folder, add_file, loader);
  struct wm_path user_written = {WM_PATH_DATA, WM_TEXT("data.comment"), (struct wm_text[]){WM_TEXT("comment")}, 1};
  struct wm_lint_terms terms = {.user_written = &user_written, .user_written_count = 1};
  wm_loader_terms(loader, &terms);
  struct wm_workspace *workspace = wm_loader_finish(loader);
  wm_loader_free(loader);
  cr_expect_eq(workspace == NULL, findings.invalid > 0, "%s", folder);
  if (workspace) {
    if (strstr(name, "with-a-baseline"))
      workspace->baseline = WM_TEXT("member");
    wm_lint(workspace, &terms, &findings);
    wm_silence_apply(workspace, &findings);
    wm_silence_check(workspace, WM_LOOK_WORKSPACE, &findings);
  }
  seen->loaded += workspace != NULL;
  wm_workspace_free(workspace);
  cases_compare(folder, &findings);
  for (size_t i = 0; i < findings.count; i++)
    seen->codes[findings.items[i].code] = true;
  if (strncmp(name, "fine", 4) == 0)
    cr_expect(findings.count == 0 && workspace, "%s is not fine", folder);
}

Test(load, each_mistake_gives_its_diagnostics) {
  struct seen seen = {0};
  cr_expect_geq(cases_each(FIXTURES "/yaml", run_case, &seen), 70);
  cr_expect_geq(seen.loaded, 10);
}

Test(load, each_suspicion_gives_its_diagnostics) {
  struct seen seen = {0};
  int count = cases_each(FIXTURES "/lint", run_case, &seen);
  cr_expect_geq(count, 12);
  cr_expect_eq(seen.loaded, (size_t)count, "what lint looks at can be read");
}

Test(load, the_cases_show_every_code_that_a_document_can_have) {
  struct seen seen = {0};
  cases_each(FIXTURES "/yaml", run_case, &seen);
  cases_each(FIXTURES "/lint", run_case, &seen);
  for (enum wm_code code = WM_E_YAML_SYNTAX; code <= WM_E_NOTHING_TO_DO; code++) {
    bool elsewhere = code == WM_E_ENV_MISSING || code == WM_E_FILE_UNREADABLE; /* settings and files */
    cr_expect(seen.codes[code] != elsewhere, "%s", wm_code_name(code));
  }
}

/* --- values --- */

static struct wm_workspace *load(const char *yaml) {
  struct wm_loader *loader = wm_loader_new(&findings);
  cr_assert_eq(wm_loader_add(loader, WM_TEXT("a.yaml"), wm_text_of(yaml)), 0);
  struct wm_workspace *workspace = wm_loader_finish(loader);
  wm_loader_free(loader);
  if (!workspace && findings.count > 0)
    cr_log_info("%.*s", WM_TEXT_ARG(findings.items[0].text));
  return workspace;
}

#define TASK "tasks: [{name: x, sequence: 1, type: change-role, role: r, action: add}]\n"

static void expect_text(struct wm_text text, const char *expected) {
  cr_expect(wm_text_is(text, expected), "'%.*s' is not '%s'", WM_TEXT_ARG(text), expected);
}

Test(load, an_automation_has_what_its_document_says) {
  struct wm_workspace *workspace = load("# first\n"
                                        "automation: a\n"
                                        "description: 01234\n"
                                        "entity: account\n"
                                        "owner: yes\n"
                                        "enabled: False\n"
                                        "trigger: [x, y*]\n"
                                        "when: { data.a: 1.0, not: { user.type: x } }\n"
                                        "repeat: once-per-journey\n"
                                        "tasks:\n"
                                        "  - {name: two, sequence: 20, type: notify, channel: c, to: a@b, message: m}\n"
                                        "  - name: one\n"
                                        "    sequence: -0x0\n"
                                        "    type: change-role\n"
                                        "    role: r\n"
                                        "    action: remove\n"
                                        "    on-failure: stop\n");
  cr_assert(workspace == NULL, "-0x0 is text");
  wm_findings_release(&findings);
  wm_findings_init(&findings);
  workspace = load("# first\n"
                   "automation: a\n"
                   "description: 01234\n"
                   "entity: account\n"
                   "owner: yes\n"
                   "enabled: False\n"
                   "trigger: [x, y*]\n"
                   "when: { data.a: 1.0, not: { user.type: x } }\n"
                   "repeat: once-per-journey\n"
                   "tasks:\n"
                   "  - {name: two, sequence: 0x14, type: notify, channel: c, to: a@b, message: m}\n"
                   "  - name: one\n"
                   "    sequence: -3\n"
                   "    type: change-role\n"
                   "    role: r\n"
                   "    action: remove\n"
                   "    on-failure: stop\n");
  cr_assert(workspace != NULL);
  const struct wm_automation *automation = wm_workspace_automation(workspace, WM_TEXT("a"));
  cr_assert(automation != NULL);
  expect_text(automation->description, "01234");
  expect_text(automation->entity, "account");
  expect_text(automation->owner, "yes");
  expect_text(automation->file, "a.yaml");
  cr_expect_eq(automation->line, 2u);
  cr_expect(!automation->enabled && automation->reads_user);
  cr_expect_eq(automation->repeat, WM_ONCE_PER_JOURNEY);
  cr_assert_eq(automation->trigger_count, 2u);
  expect_text(automation->triggers[1], "y*");
  cr_assert_eq(automation->when.count, 2u);
  cr_expect_eq(automation->when.children[0].tests[0].operand.type, WM_REAL);
  cr_expect_eq(automation->when.children[1].kind, WM_NOT);
  cr_assert_eq(automation->task_count, 2u);
  cr_expect_eq(automation->tasks[0].sequence, -3);
  cr_expect(automation->tasks[0].stop_on_failure && automation->tasks[0].action == WM_REMOVE);
  cr_expect_eq(automation->tasks[1].sequence, 20);
  expect_text(automation->tasks[1].to, "a@b");
  cr_expect_eq(automation->tasks[1].line, 11u);
  wm_workspace_free(workspace);
}

Test(load, what_is_left_out_has_its_default) {
  struct wm_workspace *workspace = load("automation: a\ntrigger: x\n" TASK "---\nrole: r\n---\nchannel: c\n");
  cr_assert(workspace != NULL);
  const struct wm_automation *automation = &workspace->automations[0];
  expect_text(automation->entity, "user-journey");
  cr_expect(automation->enabled && !automation->owner.bytes && !automation->reads_user);
  cr_expect_eq(automation->repeat, WM_EVERY_EVENT);
  cr_expect(automation->when.kind == WM_ALL && automation->when.count == 0);
  cr_expect(!automation->tasks[0].stop_on_failure && automation->tasks[0].expires_after_us == 0);
  expect_text(workspace->roles[0].label, "r");
  cr_expect(workspace->roles[0].kind == WM_ROLE_PORTAL && workspace->roles[0].status == WM_ROLE_ACTIVE);
  cr_expect(!workspace->roles[0].type.bytes && !workspace->roles[0].managed);
  expect_text(workspace->channels[0].kind, "log");
  wm_workspace_free(workspace);
}

Test(load, a_role_has_what_its_document_says) {
  struct wm_workspace *workspace =
      load("role: r\nlabel: R\ntype: guest\nkind: system\nstatus: archived\nmanaged: TRUE\n"
           "portals: [a, 1]\ndelegation: holders\nactivate: at-sign-in\nassigned-when:\n"
           "  - {user: u, include-subordinates: true}\n"
           "  - {org-unit: emea, org-unit-type: division}\n"
           "  - manager-of-anyone: true\n"
           "  - when: {user.type: x}\n");
  cr_assert(workspace != NULL);
  const struct wm_role *role = wm_workspace_role(workspace, WM_TEXT("r"));
  expect_text(role->label, "R");
  expect_text(role->type, "guest");
  cr_expect(role->kind == WM_ROLE_SYSTEM && role->status == WM_ROLE_ARCHIVED && role->managed);
  cr_expect_eq(role->delegation, WM_DELEGATION_HOLDERS);
  cr_expect(role->at_sign_in);
  cr_assert_eq(role->portal_count, 2u);
  expect_text(role->portals[1], "1");
  cr_assert_eq(role->criterion_count, 4u);
  expect_text(role->criteria[0].name, "u");
  cr_expect(role->criteria[0].kind == WM_CRITERION_USER && role->criteria[0].include_subordinates);
  expect_text(role->criteria[1].name, "emea");
  expect_text(role->criteria[1].org_unit_type, "division");
  cr_expect_eq(role->criteria[2].kind, WM_CRITERION_MANAGER);
  cr_expect(role->criteria[3].kind == WM_CRITERION_WHEN && role->criteria[3].when.count == 1);
  wm_workspace_free(workspace);
}

/* --- digests --- */

#define FIRST "automation: a\ntrigger: x\n" TASK

Test(load, a_version_is_the_digest_of_the_document_alone) {
  char digest[WM_DIGEST_SIZE];
  struct wm_workspace *alone = load(FIRST), *second = load("---\nrole: r\n---\n" FIRST "---\nrole: q\n");
  cr_assert(alone && second);
  wm_digest(WM_TEXT(FIRST), digest);
  digest[12] = '\0';
  expect_text(alone->automations[0].version, digest);
  expect_text(second->automations[0].version, digest);
  wm_workspace_free(alone);
  wm_workspace_free(second);
}

Test(load, the_digest_goes_by_documents_and_not_by_files) {
  struct wm_workspace *a = load(FIRST "---\nrole: r\n"), *b = load("role: r\n---\n" FIRST);
  struct wm_workspace *c = load(FIRST "---\nrole: r\nstatus: inactive\n");
  cr_assert(a && b && c);
  cr_expect(wm_text_equal(a->digest, b->digest) && wm_text_equal(a->catalogue_digest, b->catalogue_digest));
  cr_expect(!wm_text_equal(a->digest, c->digest) && !wm_text_equal(a->catalogue_digest, c->catalogue_digest));
  cr_expect_eq(a->digest.size, 12u);
  wm_workspace_free(a);
  wm_workspace_free(b);
  wm_workspace_free(c);
}

/* --- what could not be read --- */

Test(load, a_name_is_not_called_unknown_while_a_file_is_missing) {
  struct wm_loader *loader = wm_loader_new(&findings);
  wm_loader_add(loader, WM_TEXT("a.yaml"), WM_TEXT(FIRST "entty: x\n"));
  wm_loader_miss(loader);
  cr_expect(wm_loader_finish(loader) == NULL);
  wm_loader_free(loader);
  cr_assert_eq(findings.count, 2u); /* the key, and the trigger that may not change roles */
  cr_expect_eq(findings.errors, 1u);
  cr_expect_eq(findings.items[1].code, WM_E_ENTITY_NOT_ALLOWED);
}

Test(load, many_files_make_one_workspace) {
  struct wm_loader *loader = wm_loader_new(&findings);
  for (int i = 0; i < 500; i++) {
    char file[32], yaml[256];
    snprintf(file, sizeof file, "%03d.yaml", i);
    snprintf(yaml, sizeof yaml, "automation: a%d\ntrigger: journey.started\n" TASK, 499 - i);
    cr_assert_eq(wm_loader_add(loader, wm_text_of(file), wm_text_of(yaml)), 0);
  }
  struct wm_workspace *workspace = wm_loader_finish(loader);
  wm_loader_free(loader);
  cr_assert(workspace != NULL);
  cr_expect_eq(workspace->automation_count, 500u);
  expect_text(wm_workspace_automation(workspace, WM_TEXT("a499"))->file, "000.yaml");
  wm_workspace_free(workspace);
}

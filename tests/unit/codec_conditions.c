/* The condition language by cases: tests/fixtures/conditions, from YAML to the answer. */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>

#include "core/codec/json.h"
#include "core/codec/load.h"
#include "core/user.h"

#define NOW INT64_C(1795255200000000) /* 2026-11-21T10:00:00Z */

static struct wm_arena arena;

static struct wm_text text_of(const struct wm_value *object, const char *name) {
  return wm_value_text(wm_value_member(object, wm_text_of(name)));
}

/* A workspace with one automation that has this condition; NULL: refused, 'findings' say why. */
static struct wm_workspace *load(const struct wm_value *when, struct wm_findings *findings) {
  struct wm_buf yaml = WM_BUF_INIT;
  wm_buf_add_string(&yaml, "automation: case\ntrigger: journey.*\nwhen: ");
  wm_value_to_json(when, &yaml);
  wm_buf_add_string(&yaml, "\ntasks:\n  - name: tell\n    sequence: 1\n    type: notify\n    channel: mail\n"
                           "    title: done\n    message: done\n");
  struct wm_loader *loader = wm_loader_new(findings);
  cr_assert_not_null(loader);
  cr_assert_eq(wm_loader_add(loader, WM_TEXT("case.yaml"), (struct wm_text){yaml.bytes, yaml.size}), 0);
  struct wm_workspace *workspace = wm_loader_finish(loader);
  wm_loader_free(loader);
  wm_buf_release(&yaml);
  return workspace;
}

static const char *answer(const struct wm_condition *when, const struct wm_value *line) {
  static const char *const names[] = {[WM_NO] = "no", [WM_UNKNOWN] = "unknown", [WM_YES] = "yes"};
  static const struct wm_value no_roles = {.type = WM_LIST};
  struct wm_text type = text_of(line, "type");
  struct wm_member attributes[] = {
      {WM_TEXT("type"), {.type = WM_STRING, .string = type.bytes ? type : WM_TEXT("journey.started")}},
      {WM_TEXT("time"), {.type = WM_STRING, .string = WM_TEXT("2026-11-21T10:00:00Z")}},
  };
  struct wm_event event = {.attributes = {.type = WM_OBJECT, .object = {attributes, 2}},
                           .data = wm_value_member(line, WM_TEXT("data"))};
  const struct wm_value *profile = wm_value_member(line, WM_TEXT("user"));
  const struct wm_value *roles = wm_value_member(line, WM_TEXT("roles"));
  struct wm_user user = {.id = WM_TEXT("user-7")};
  if (profile && profile->type == WM_OBJECT)
    user.profile = (struct wm_profile){.clock = {.source = WM_TEXT("/directory")}, .fields = *profile};
  bool named = !profile || profile->type != WM_NULL;
  struct wm_scope scope = {&event, named ? &user : NULL, named ? (roles ? roles : &no_roles) : NULL, NOW};
  return names[wm_condition_answer(when, &scope)];
}

static bool is_refused_with(const struct wm_findings *findings, struct wm_text code) {
  for (size_t i = 0; i < findings->count; i++)
    if (findings->items[i].severity == WM_INVALID)
      return wm_text_is(code, "*") || wm_text_is(code, wm_code_name(findings->items[i].code));
  return false;
}

static void check_case(const char *file, size_t number, const struct wm_value *line) {
  struct wm_text says = text_of(line, "says"), expected = text_of(line, "answer");
  const struct wm_value *when = wm_value_member(line, WM_TEXT("when"));
  cr_assert(says.bytes && expected.bytes && when, "%s:%zu: not a case", file, number);
  bool refused = expected.bytes[0] == '*' || (expected.bytes[0] >= 'A' && expected.bytes[0] <= 'Z');
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_workspace *workspace = load(when, &findings);
  const char *said = findings.count > 0 ? findings.items[0].text.bytes : "nothing";
  if (refused)
    cr_expect(!workspace && is_refused_with(&findings, expected), "%s:%zu: %.*s: wants %.*s, lint says %s", file,
              number, WM_TEXT_ARG(says), WM_TEXT_ARG(expected), said);
  else if (!workspace)
    cr_expect_fail("%s:%zu: %.*s: refused: %s", file, number, WM_TEXT_ARG(says), said);
  else
    cr_expect(wm_text_is(expected, answer(&workspace->automations[0].when, line)), "%s:%zu: %.*s: wants %.*s, is %s",
              file, number, WM_TEXT_ARG(says), WM_TEXT_ARG(expected), answer(&workspace->automations[0].when, line));
  wm_workspace_free(workspace);
  wm_findings_release(&findings);
}

/* How many cases the file has. */
static size_t check_file(const char *file) {
  FILE *stream = fopen(file, "r");
  char line[4096];
  size_t number = 0;
  cr_assert_not_null(stream, "%s", file);
  while (fgets(line, sizeof(line), stream)) {
    struct wm_value value;
    struct wm_error error;
    number++;
    cr_assert_eq(wm_json_parse(wm_text_of(line), &arena, &value, &error), 0, "%s:%zu: %s", file, number, error.text);
    check_case(file, number, &value);
  }
  fclose(stream);
  return number;
}

Test(conditions, every_case_answers_as_it_says) {
  glob_t files;
  size_t cases = 0;
  wm_arena_init(&arena, 0);
  cr_assert_eq(glob(FIXTURES "/conditions/*.jsonl", 0, NULL, &files), 0);
  for (size_t i = 0; i < files.gl_pathc; i++)
    cases += check_file(files.gl_pathv[i]);
  globfree(&files);
  wm_arena_release(&arena);
  cr_assert_geq(cases, 100);
}

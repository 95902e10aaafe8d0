/* A test to begin with: made of what the workspace has, and true of it as it is. */
#include "core/case.h"
#include "tools/lib/yaml_write.h"
#include "tools/rules/test.h"

#define MEMBERS_LIMIT 16

/* Data that fit the conditions of an automation, as far as one can tell from them. */
struct fitting {
  struct wm_member members[MEMBERS_LIMIT];
  size_t count;
};

/* A value for which the test holds. False: none comes to mind. */
static bool find_value(const struct wm_test *test, struct wm_value *ret) {
  static const char *const as_it_is[] = {"is", "at-least", "at-most", "starts-with", "ends-with", "contains", NULL};
  const char *name = test->operator->name;
  *ret = test->operand;
  for (size_t i = 0; as_it_is[i]; i++)
    if (strcmp(name, as_it_is[i]) == 0)
      return true;
  if (strcmp(name, "in") == 0 && test->operand.list.count > 0) {
    *ret = test->operand.list.items[0];
    return true;
  }
  int step = strcmp(name, "above") == 0 ? 1 : strcmp(name, "below") == 0 ? -1 : 0;
  if (step && ret->type == WM_INTEGER && ret->integer > INT64_MIN / 2 && ret->integer < INT64_MAX / 2) {
    ret->integer += step;
    return true;
  }
  if (strcmp(name, "present") == 0 && ret->boolean) {
    *ret = (struct wm_value){.type = WM_STRING, .string = WM_TEXT("something")};
    return true;
  }
  return false;
}

static bool has_member(const struct fitting *fitting, struct wm_text name) {
  for (size_t i = 0; i < fitting->count; i++)
    if (wm_text_equal(fitting->members[i].name, name))
      return true;
  return false;
}

/* Only fields at the top of the data; of 'any' the first, of 'not' nothing. */
static void fit(const struct wm_condition *condition, struct fitting *fitting) {
  if (condition->kind == WM_FIELD) {
    struct wm_member *member = &fitting->members[fitting->count];
    bool useful = condition->path.root == WM_PATH_DATA && condition->path.count == 1 && condition->test_count > 0;
    if (!useful || fitting->count == MEMBERS_LIMIT || has_member(fitting, condition->path.names[0]))
      return;
    member->name = condition->path.names[0];
    fitting->count += find_value(&condition->tests[0], &member->value);
    return;
  }
  size_t count = condition->kind == WM_ALL ? condition->count : condition->kind == WM_ANY && condition->count ? 1 : 0;
  for (size_t i = 0; i < count; i++)
    fit(&condition->children[i], fitting);
}

static const struct wm_automation *first_automation(const struct wm_workspace *workspace) {
  for (size_t i = 0; workspace && i < workspace->automation_count; i++)
    if (workspace->automations[i].enabled && workspace->automations[i].trigger_count > 0)
      return &workspace->automations[i];
  return NULL;
}

/* The first role that the automation gives; NULL: none. */
static const struct wm_role *first_role(const struct wm_workspace *workspace, const struct wm_automation *automation) {
  for (size_t i = 0; automation && i < automation->task_count; i++) {
    const struct wm_role *role = wm_workspace_role(workspace, automation->tasks[i].role);
    if (role)
      return role;
  }
  return NULL;
}

/* A user who may hold the role. */
static void add_user(const struct wm_role *role, struct wm_buf *buf) {
  wm_buf_add_string(buf, "  user: { status: active, name: Ann");
  if (role && role->type.bytes)
    wm_buf_printf(buf, ", type: %.*s", WM_TEXT_ARG(role->type));
  if (role && role->portal_count > 0) {
    wm_buf_add_string(buf, ", portals: [");
    yaml_text(buf, role->portals[0]);
    wm_buf_add_char(buf, ']');
  }
  wm_buf_add_string(buf, " }\n");
}

static void add_event(const struct wm_automation *automation, struct wm_buf *buf) {
  struct fitting fitting = {.count = 0};
  struct wm_text type = automation ? automation->triggers[0] : WM_TEXT("journey.milestone.achieved");
  struct wm_buf whole = WM_BUF_INIT; /* the star stands for any rest */
  bool star = wm_text_ends_with(type, WM_TEXT("*"));
  wm_buf_add(&whole, type.bytes, type.size - star);
  wm_buf_add_string(&whole, !star ? "" : type.size == 1 ? "journey.started" : "something");
  if (automation)
    fit(&automation->when, &fitting);
  const struct wm_value data = {.type = WM_OBJECT, .object = {fitting.members, fitting.count}};
  yaml_member(buf, 2, (struct wm_text){whole.bytes, whole.size}, &data);
  buf->failed |= whole.failed;
  wm_buf_release(&whole);
}

void test_template(const struct loaded *loaded, struct wm_text name, struct wm_buf *ret) {
  const struct wm_automation *automation = first_automation(loaded->workspace);
  const struct wm_role *role = first_role(loaded->workspace, automation);
  size_t before = ret->size;
  wm_buf_printf(ret, "test: %.*s\n", WM_TEXT_ARG(name));
  wm_buf_add_string(ret,
                    "given:                                   # what is known of the user before; left out: nothing\n");
  add_user(role, ret);
  wm_buf_printf(ret, "  # roles: [%.*s]\n", WM_TEXT_ARG(role ? role->name : WM_TEXT("some-role")));
  wm_buf_add_string(ret, "when:                                    # one event or a list: TYPE: DATA\n");
  add_event(automation, ret);
  struct wm_buf then = WM_BUF_INIT;
  struct wm_text document = {ret->bytes + before, ret->size - before};
  if (ret->failed || !loaded->workspace || test_then(loaded, document, &then) < 0)
    wm_buf_add_string(&then, "  nothing: true                          # no automation runs, no role changes\n");
  wm_buf_add_string(ret, "then:                                    # of a role: held, not held, gained or lost\n");
  wm_buf_add(ret, then.bytes ? then.bytes : "", then.size);
  wm_buf_add_string(ret, "# later:                                 # more steps: 'after' or 'at', 'when', 'then'\n"
                         "#   - after: 366d\n");
  wm_buf_printf(ret, "#     then: { %.*s: not held }\n", WM_TEXT_ARG(role ? role->name : WM_TEXT("some-role")));
  ret->failed |= then.failed;
  wm_buf_release(&then);
}

/* Profiles and catalogues far beyond what anybody has: a clear limit, or it just works. From the bytes of the event to
 * the register and back; what takes more than linear time does not end in time here. */
#include <criterion/criterion.h>

#include "core/codec/cloudevent.h"
#include "core/codec/load.h"
#include "core/codec/register.h"
#include "core/decide.h"

#define GROUPS 100000
#define MANAGERS 10000
#define ROLES 10000
#define TASKS 250 /* of one automation */
#define MANY 2000 /* roles for one user */
#define TIME_LIMIT .timeout = 300

static struct wm_arena arena;
static struct wm_workspace *workspace;
static struct wm_user *user;

static void set_up(void) {
  wm_arena_init(&arena, 0);
}

static void tear_down(void) {
  wm_user_free(user);
  wm_workspace_free(workspace);
  wm_arena_release(&arena);
}

TestSuite(edges, .init = set_up, .fini = tear_down);

static struct wm_text text_of(const struct wm_buf *buf) {
  cr_assert_not(buf->failed);
  return (struct wm_text){buf->bytes, buf->size};
}

static void load(struct wm_buf *yaml) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  wm_loader_add(loader, WM_TEXT("all.yaml"), text_of(yaml));
  workspace = wm_loader_finish(loader);
  cr_assert(workspace != NULL, "%.*s", findings.count ? (int)findings.items[0].text.size : 0,
            findings.count ? findings.items[0].text.bytes : "");
  wm_loader_free(loader);
  wm_findings_release(&findings);
  wm_buf_release(yaml);
}

static enum wm_decoded decode(const struct wm_buf *json, size_t event_bytes, struct wm_event *ret,
                              struct wm_rejection *ret_rejection) {
  static const struct wm_header header = {{"content-type", 12}, {"application/cloudevents+json", 28}};
  const struct wm_record record = {.topic = WM_TEXT("waymark.directory"),
                                   .timestamp_ms = 1000,
                                   .value = text_of(json),
                                   .headers = &header,
                                   .header_count = 1};
  const struct wm_decode_rules rules = {.topic = WM_TOPIC_DIRECTORY, .event_bytes = event_bytes};
  enum wm_decoded decoded;
  cr_assert_eq(wm_event_decode(&record, &rules, &arena, &decoded, ret, ret_rejection), 0);
  return decoded;
}

/* Decides it, and reads the register that comes of it from its bytes. */
static struct wm_decision decide(const struct wm_buf *json) {
  const struct wm_terms terms = {.register_bytes = 262144, .register_size = wm_register_size};
  struct wm_event *event = WM_ARENA_NEW(&arena, struct wm_event);
  struct wm_rejection rejection;
  struct wm_decision decision;
  struct wm_error error = {0};
  cr_assert_eq(decode(json, 16777216, event, &rejection), WM_DECODED_EVENT, "%.*s", WM_TEXT_ARG(rejection.message));
  cr_assert_eq(wm_decide(workspace, &terms, event, user, 0, NULL, &arena, &decision, &error), 0, "%s", error.text);
  if (decision.user) {
    struct wm_buf bytes = WM_BUF_INIT, again = WM_BUF_INIT;
    wm_register_encode(decision.user, &bytes);
    wm_user_free(user);
    wm_user_free(decision.user);
    user = wm_register_decode(text_of(&bytes), &error);
    cr_assert(user != NULL, "%s", error.text);
    wm_register_encode(user, &again);
    cr_assert(wm_text_equal(text_of(&bytes), text_of(&again)));
    wm_buf_release(&bytes);
    wm_buf_release(&again);
  }
  return decision;
}

static void begin_profile(struct wm_buf *json, const char *id) {
  wm_buf_printf(json,
                "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/hr\",\"type\":\"directory.user.updated\","
                "\"subject\":\"user-7\",\"time\":\"1970-01-01T00:00:00Z\",\"data\":{\"status\":\"active\"",
                id);
}

static void add_texts(struct wm_buf *json, const char *name, const char *item, size_t count) {
  wm_buf_printf(json, ",\"%s\":[", name);
  for (size_t i = 0; i < count; i++)
    wm_buf_printf(json, "%s\"%s%zu\"", i ? "," : "", item, i);
  wm_buf_add_char(json, ']');
}

static size_t count_effective(void) {
  struct wm_role_set set;
  cr_assert_eq(wm_project(workspace, user, 0, &arena, &set), 0);
  return set.count;
}

Test(edges, a_hundred_thousand_groups_and_ten_thousand_roles_of_one_each, TIME_LIMIT) {
  struct wm_buf yaml = WM_BUF_INIT, json = WM_BUF_INIT;
  for (size_t i = 0; i < ROLES; i++)
    wm_buf_printf(&yaml, "---\nrole: r%zu\nassigned-when: [{ group: g%zu }, { group: none-%zu }]\n", i, 10 * i, i);
  load(&yaml);
  begin_profile(&json, "p");
  add_texts(&json, "groups", "g", GROUPS);
  wm_buf_add_string(&json, "}}");
  struct wm_decision decision = decide(&json);
  cr_assert_eq(decision.change_count, (size_t)ROLES);
  cr_assert_eq(count_effective(), (size_t)ROLES);
  wm_buf_clear(&json);
  begin_profile(&json, "q");
  wm_buf_add_string(&json, "}}");
  decision = decide(&json);
  cr_assert_eq(decision.change_count, (size_t)ROLES);
  cr_assert(decision.changes[0].lockout);
  cr_assert_eq(count_effective(), 0u);
  wm_buf_release(&json);
}

Test(edges, with_the_usual_limit_such_an_event_is_too_large, TIME_LIMIT) {
  struct wm_buf json = WM_BUF_INIT;
  struct wm_event event;
  struct wm_rejection rejection;
  begin_profile(&json, "p");
  add_texts(&json, "groups", "g", GROUPS);
  wm_buf_add_string(&json, "}}");
  cr_assert_eq(decode(&json, 524288, &event, &rejection), WM_DECODED_REJECTED);
  cr_assert_eq(rejection.code, WM_E_EVENT_OVERSIZE);
  wm_buf_release(&json);
}

Test(edges, a_chain_of_ten_thousand_managers_has_one_direct_one, TIME_LIMIT) {
  struct wm_buf yaml = WM_BUF_INIT, json = WM_BUF_INIT;
  wm_buf_printf(&yaml,
                "role: team\nassigned-when: [{ user: m%d, include-subordinates: true }]\n---\n"
                "role: above\nassigned-when: [{ user: m%d, include-subordinates: true }]\n",
                MANAGERS - 1, MANAGERS - 2);
  load(&yaml);
  begin_profile(&json, "p");
  add_texts(&json, "managers", "m", MANAGERS);
  wm_buf_add_string(&json, "}}");
  cr_assert_eq(decide(&json).change_count, 1u);
  cr_assert(wm_project_has(workspace, user, WM_TEXT("team"), 0));
  cr_assert(wm_text_is(wm_user_manager(user), "m9999"));
  wm_buf_release(&json);
}

Test(edges, a_unit_ten_thousand_levels_down_is_below_each_of_them, TIME_LIMIT) {
  struct wm_buf yaml = WM_BUF_INIT, json = WM_BUF_INIT;
  for (size_t i = 0; i < ROLES; i++)
    wm_buf_printf(&yaml, "---\nrole: r%zu\nassigned-when: [{ org-unit: u%zu, include-subordinates: true }]\n", i, i);
  load(&yaml);
  begin_profile(&json, "p");
  wm_buf_add_string(&json, ",\"org-units\":{\"x\":{}}");
  json.size -= 3; /* the path goes where the braces were */
  wm_buf_add_char(&json, '[');
  for (size_t i = 0; i < ROLES; i++)
    wm_buf_printf(&json, "%s\"u%zu\"", i ? "," : "", i);
  wm_buf_add_string(&json, "]}}}");
  cr_assert_eq(decide(&json).change_count, (size_t)ROLES);
  wm_buf_release(&json);
}

/* One role after the other until the register is full: then each says so, and the register stays. */
Test(edges, too_many_roles_for_one_user_stop_at_the_limit_of_the_register, TIME_LIMIT) {
  struct wm_buf yaml = WM_BUF_INIT, json = WM_BUF_INIT;
  for (size_t i = 0; i < ROLES; i++)
    wm_buf_printf(&yaml, "---\nrole: r%zu\n", i);
  for (size_t i = 0; i < MANY; i++) {
    if (i % TASKS == 0)
      wm_buf_printf(&yaml, "---\nautomation: all-%zu\ntrigger: journey.started\ntasks:\n", i);
    wm_buf_printf(&yaml, "  - { name: x, sequence: %zu, type: change-role, role: r%zu, action: add }\n", i % TASKS, i);
  }
  load(&yaml);
  const struct wm_terms terms = {.register_bytes = 65536, .register_size = wm_register_size};
  struct wm_value nothing = {.type = WM_OBJECT};
  struct wm_event event = {.source = WM_TEXT("/s"),
                           .id = WM_TEXT("e"),
                           .type = WM_TEXT("journey.started"),
                           .user = WM_TEXT("user-7"),
                           .attributes = {.type = WM_OBJECT},
                           .data = &nothing,
                           .run = WM_TEXT("live"),
                           .origin = {WM_TEXT("t"), 0, 0}};
  struct wm_decision decision;
  struct wm_error error = {0};
  cr_assert_eq(wm_decide(workspace, &terms, &event, NULL, 0, NULL, &arena, &decision, &error), 0);
  user = decision.user;
  size_t given = 0, refused = 0;
  for (size_t i = 0; i < decision.execution_count; i++)
    for (size_t t = 0; t < decision.executions[i].count; t++) {
      given += decision.executions[i].outcomes[t].result == WM_RESULT_CHANGED;
      refused += decision.executions[i].outcomes[t].code == WM_E_USER_TOO_LARGE;
    }
  cr_assert_eq(given + refused, (size_t)MANY);
  cr_assert(given > 100 && refused > 0, "%zu given", given);
  cr_assert_leq(wm_register_size(user), terms.register_bytes);
  wm_buf_release(&json);
}

/* A workspace, a user and decisions in one line each: what the tests of the state begin with. The memory ends with
 * the test's process; one test is one process. */
#ifndef WM_TESTS_GIVEN_H
#define WM_TESTS_GIVEN_H

#include "tests/unit/language.h"

#include "core/decide.h"
#include "core/finding.h"
#include "core/moment.h"

#define ROOM 64
#define SECOND WM_SECOND_US
#define DAY (86400 * SECOND)

static struct wm_workspace *workspace;
static struct wm_terms terms = {.notify_age_us = DAY, .register_bytes = 262144};
static struct wm_user *user; /* his register, as the last decision left it; NULL: he has none */
static struct wm_decision decision;

static inline struct wm_workspace *open_workspace(void) {
  if (workspace)
    return workspace;
  workspace = wm_workspace_new();
  cr_assert_not_null(workspace);
  workspace->roles = WM_ARENA_ARRAY(&workspace->arena, struct wm_role, ROOM);
  workspace->automations = WM_ARENA_ARRAY(&workspace->arena, struct wm_automation, ROOM);
  workspace->channels = WM_ARENA_ARRAY(&workspace->arena, struct wm_channel, ROOM);
  return workspace;
}

/* Roles, automations and channels are given before 'close_workspace', which moves them to their place. */
static inline struct wm_role *given_role(const char *name) {
  struct wm_role *role = &open_workspace()->roles[workspace->role_count++];
  *role = (struct wm_role){.name = wm_text_of(name), .label = wm_text_of(name)};
  return role;
}

/* One more criterion of a role. */
static inline struct wm_criterion *given_criterion(struct wm_role *role, struct wm_criterion criterion) {
  if (!role->criteria)
    role->criteria = WM_ARENA_ARRAY(&memory, struct wm_criterion, ROOM);
  role->criteria[role->criterion_count] = criterion;
  return &role->criteria[role->criterion_count++];
}

static inline void given_channel(const char *name) {
  struct wm_channel *channel = &open_workspace()->channels[workspace->channel_count++];
  *channel = (struct wm_channel){.name = wm_text_of(name), .kind = WM_TEXT("log")};
}

/* An automation that takes every milestone. */
static inline struct wm_automation *given_automation(const char *name) {
  struct wm_automation *automation = &open_workspace()->automations[workspace->automation_count++];
  *automation = automation_of(TRIGGERS("journey.milestone.achieved"), ALWAYS);
  automation->name = wm_text_of(name);
  automation->entity = WM_TEXT(WM_ENTITY_USER_JOURNEY);
  automation->version = WM_TEXT("3f9c2a417b60");
  automation->tasks = WM_ARENA_ARRAY(&memory, struct wm_task, ROOM);
  return automation;
}

static inline void given_when(struct wm_automation *automation, struct wm_condition when) {
  automation->when = when;
  automation->reads_user = wm_condition_reads_user(&automation->when);
}

static inline struct wm_task *given_task(struct wm_automation *automation, int64_t sequence,
                                         const struct wm_task_type *type) {
  struct wm_task *task = &automation->tasks[automation->task_count++];
  *task = (struct wm_task){.type = type, .name = WM_TEXT("A task"), .sequence = sequence};
  return task;
}

static inline struct wm_task *given_add(struct wm_automation *automation, int64_t sequence, const char *role) {
  struct wm_task *task = given_task(automation, sequence, &wm_change_role);
  task->role = wm_text_of(role);
  return task;
}

static inline struct wm_task *given_remove(struct wm_automation *automation, int64_t sequence, const char *role) {
  struct wm_task *task = given_add(automation, sequence, role);
  task->action = WM_REMOVE;
  return task;
}

static inline struct wm_template template_of(const char *text) {
  struct wm_template template;
  struct wm_error error;
  size_t at;
  cr_assert(wm_template_parse(wm_text_of(text), &memory, &template, &at, &error) == 0, "%s", error.text);
  return template;
}

static inline struct wm_task *given_notify(struct wm_automation *automation, int64_t sequence, const char *channel,
                                           const char *message) {
  struct wm_task *task = given_task(automation, sequence, &wm_notify);
  task->channel = wm_text_of(channel);
  task->message = template_of(message);
  return task;
}

static inline void close_workspace(void) {
  struct wm_error error;
  cr_assert(wm_workspace_finish(open_workspace(), &error) == 0, "%s", error.text);
}

/* --- events --- */

/* A milestone of 'user-7', 'at_s' seconds after the epoch; "now" is the same moment. */
static inline struct wm_event milestone(const char *id, int64_t at_s) {
  static const struct wm_value nothing = {.type = WM_OBJECT};
  struct wm_event event = event_of("journey.milestone.achieved", &nothing);
  event.id = wm_text_of(id);
  event.time_us = event.now_us = at_s * SECOND;
  event.origin = (struct wm_origin){WM_TEXT("journey.milestones"), 3, at_s};
  event.run = WM_TEXT("live");
  event.notify = true;
  return event;
}

static inline struct wm_event milestone_with(const char *id, int64_t at_s, struct wm_value data) {
  struct wm_event event = milestone(id, at_s);
  event.data = keep(&data, sizeof(data));
  return event;
}

static inline struct wm_event profile_event(const char *id, int64_t at_s, struct wm_value fields) {
  struct wm_event event = milestone_with(id, at_s, fields);
  event.type = WM_TEXT("directory.user.updated");
  event.event_class = WM_EVENT_USER_UPDATED;
  return event;
}

static inline struct wm_event deletion_event(const char *id, int64_t at_s) {
  struct wm_event event = milestone(id, at_s);
  event.type = WM_TEXT("directory.user.deleted");
  event.event_class = WM_EVENT_USER_DELETED;
  return event;
}

static inline struct wm_event sign_in_event(const char *id, int64_t at_s) {
  struct wm_event event = milestone(id, at_s);
  event.type = WM_TEXT("directory.user.signed-in");
  event.event_class = WM_EVENT_SIGNED_IN;
  return event;
}

static inline struct wm_event request_event(const char *id, int64_t at_s, bool add, const char *role) {
  struct wm_event event = milestone(id, at_s);
  event.type = WM_TEXT("role.assignment.requested");
  event.event_class = WM_EVENT_ASSIGNMENT;
  event.request = (struct wm_request){.role = wm_text_of(role), .add = add, .until_us = WM_NEVER};
  return event;
}

static inline struct wm_event without_user(struct wm_event event) {
  event.user = WM_NO_TEXT;
  return event;
}

/* --- decisions --- */

/* Decides 'event' for 'user' and keeps what becomes of him. */
static inline const struct wm_decision *decide(struct wm_event event) {
  struct wm_error error;
  const struct wm_event *kept = keep(&event, sizeof(event));
  const struct wm_user *before = event.user.bytes ? user : NULL;
  cr_assert(wm_decide(workspace, &terms, kept, before, 5, NULL, &memory, &decision, &error) == 0);
  if (decision.user) {
    wm_user_free(user);
    user = decision.user;
  }
  return &decision;
}

/* The outcome of task 't' of execution 'e' of the last decision. */
static inline const struct wm_outcome *outcome(size_t e, size_t t) {
  cr_assert_lt(e, decision.execution_count);
  cr_assert_lt(t, decision.executions[e].count);
  return &decision.executions[e].outcomes[t];
}

static inline bool is_assigned(const char *role, int64_t at_s) {
  return wm_user_is_assigned(user, wm_text_of(role), at_s * SECOND);
}

#define EXPECT_TEXT(text, expected)                                                                                    \
  cr_assert(wm_text_is((text), (expected)), "'%.*s' is not '%s'", WM_TEXT_ARG(text), (expected))

#define EXPECT_OUTCOME(e, t, expected_result, expected_code)                                                           \
  do {                                                                                                                 \
    const struct wm_outcome *told = outcome((e), (t));                                                                 \
    cr_assert(told->result == (expected_result), "result is %s, not %s", wm_result_name(told->result),                 \
              wm_result_name(expected_result));                                                                        \
    cr_assert(told->code == (expected_code), "code is %s, not %s", wm_code_name(told->code),                           \
              wm_code_name(expected_code));                                                                            \
  } while (0)

#define EXPECT_FAILED(e, t, expected_code, sentence)                                                                   \
  do {                                                                                                                 \
    EXPECT_OUTCOME((e), (t), WM_RESULT_FAILED, (expected_code));                                                       \
    EXPECT_TEXT(outcome((e), (t))->message, (sentence));                                                               \
  } while (0)

#endif

#include "tools/answers/answer.h"

#include "core/baseline.h"
#include "tools/rules/conditions.h"

#define JOURNEY WM_TEXT("journey.")

void answer_find(const struct loaded *loaded, const struct source_user *source, const struct wm_user *user,
                 struct wm_text role, int64_t now_us, struct answer *ret) {
  const struct wm_workspace *workspace = loaded->workspace;
  *ret = (struct answer){.loaded = loaded,
                         .workspace = workspace,
                         .user = user,
                         .name = role,
                         .role = wm_workspace_role(workspace, role),
                         .entry = wm_user_role(user, role),
                         .now_us = now_us,
                         .known = source->user != NULL,
                         .assigned = wm_user_is_assigned(user, role, now_us),
                         .has_redis = source->roles != NULL};
  ret->derived = ret->role && wm_role_is_derived(ret->role, user, now_us, NULL);
  ret->awaits_sign_in = ret->role && wm_role_awaits_sign_in(ret->role, user, now_us, NULL);
  ret->gate = ret->role ? wm_role_fits(ret->role, user) : WM_E_ROLE_UNKNOWN;
  ret->held = wm_project_has(workspace, user, role, now_us);
  ret->redis_says = ret->has_redis && source_holds(source, workspace, role, now_us);
  wm_facts_read(user, &ret->facts);
  ret->stands = user->cleared;
  if (ret->entry && wm_clock_compare(&ret->entry->removed, &ret->stands) > 0)
    ret->stands = ret->entry->removed;
  ret->scope = (struct wm_scope){.user = user, .now_us = now_us};
}

int answer_add_roles(struct answer *answer, struct wm_arena *arena) {
  struct wm_role_set set;
  if (wm_project(answer->workspace, answer->user, answer->now_us, arena, &set) < 0)
    return -1;
  answer->scope.roles = wm_role_set_value(&set, arena);
  return answer->scope.roles ? 0 : -1;
}

enum grant_state answer_grant_state(const struct answer *answer, const struct wm_grant *grant) {
  if (wm_grant_is_live(answer->user, answer->entry, grant, answer->now_us))
    return GRANT_LIVE;
  if (!wm_clock_is_set(&grant->clock)) /* taken back before it came */
    return GRANT_TAKEN;
  if (wm_clock_compare(&grant->clock, &answer->user->cleared) <= 0)
    return GRANT_CLEARED;
  if (wm_clock_compare(&grant->clock, &answer->entry->removed) <= 0)
    return GRANT_REMOVED;
  return wm_clock_compare(&grant->clock, &grant->taken) <= 0 ? GRANT_TAKEN : GRANT_ENDED;
}

const struct wm_automation *answer_automation(const struct answer *answer, const struct wm_clock *clock) {
  return clock->automation.size ? wm_workspace_automation(answer->workspace, clock->automation) : NULL;
}

const struct wm_task *answer_task(const struct wm_automation *automation, int64_t sequence) {
  for (size_t i = 0; automation && i < automation->task_count; i++)
    if (automation->tasks[i].sequence == sequence)
      return &automation->tasks[i];
  return NULL;
}

bool answer_is_baseline(const struct answer *answer, const struct wm_clock *clock) {
  return wm_text_is(clock->automation, WM_BASELINE) && !answer_automation(answer, clock);
}

int64_t answer_since(const struct answer *answer) {
  int64_t since_us = INT64_MAX;
  const struct wm_user *user = answer->user;
  for (size_t i = 0; answer->entry && i < answer->entry->grant_count; i++) {
    const struct wm_grant *grant = &answer->entry->grants[i];
    if (answer_grant_state(answer, grant) == GRANT_LIVE && grant->clock.time_us < since_us)
      since_us = grant->clock.time_us;
  }
  if (since_us < INT64_MAX || !answer->derived)
    return since_us < INT64_MAX ? since_us : INT64_MIN;
  bool signed_in = answer->role->at_sign_in && user->signed_in.time_us > user->profile.clock.time_us;
  return signed_in ? user->signed_in.time_us : user->profile.clock.time_us;
}

/* The profile stays, and the clock goes on. */
static int64_t derived_until(const struct answer *answer) {
  int64_t turn_us = answer->now_us;
  do
    turn_us = wm_role_next_turn(answer->role, answer->user, turn_us);
  while (turn_us != WM_NEVER && wm_role_is_derived(answer->role, answer->user, turn_us, NULL));
  return turn_us;
}

int64_t answer_until(const struct answer *answer) {
  int64_t until_us = answer->derived ? derived_until(answer) : INT64_MIN;
  for (size_t i = 0; answer->entry && i < answer->entry->grant_count; i++) {
    const struct wm_grant *grant = &answer->entry->grants[i];
    if (answer_grant_state(answer, grant) == GRANT_LIVE && grant->until_us > until_us)
      until_us = grant->until_us;
  }
  return until_us;
}

bool answer_criterion_holds(const struct answer *answer, size_t i) {
  return answer->facts.user && wm_criterion_holds(&answer->role->criteria[i], &answer->facts, answer->now_us);
}

/* ", at run time by jane: no longer sold" */
static void add_word(const struct answer *answer, enum wm_running_kind kind, struct wm_text name, struct wm_buf *buf) {
  const struct wm_running_word *word = wm_running_get(answer->running, kind, name);
  if (!word || word->state != WM_RUNNING_OFF)
    return;
  wm_buf_add_string(buf, ", at run time");
  if (word->by.size)
    wm_buf_printf(buf, " by %.*s", WM_TEXT_ARG(word->by));
  if (word->reason.size)
    wm_buf_printf(buf, ": %.*s", WM_TEXT_ARG(word->reason));
}

enum wm_code answer_next_gate(struct wm_role *role, struct wm_user *user) {
  enum wm_code code = wm_role_fits(role, user);
  if (code == WM_E_USER_INACTIVE)
    user->profile.status = WM_USER_ACTIVE;
  if (code == WM_E_ROLE_INACTIVE || code == WM_E_ROLE_ARCHIVED)
    role->status = WM_ROLE_ACTIVE;
  if (code == WM_E_ROLE_TYPE_MISMATCH)
    role->type = WM_NO_TEXT;
  if (code == WM_E_ROLE_PORTAL_MISMATCH)
    role->portal_count = 0;
  return code;
}

void answer_gate_text(const struct answer *answer, struct wm_buf *buf) {
  const struct wm_role *role = answer->role;
  const struct wm_user *user = answer->user;
  const struct wm_value *portals = wm_user_field(user, WM_TEXT("portals"));
  struct wm_text status = wm_value_text(wm_user_field(user, WM_TEXT("status")));
  switch (answer->gate) {
  case WM_E_ROLE_UNKNOWN:
    wm_buf_add_string(buf, "the catalogue has no such role");
    break;
  case WM_E_USER_INACTIVE:
    wm_buf_printf(buf, "the user is not active but %.*s", WM_TEXT_ARG(status));
    break;
  case WM_E_ROLE_ARCHIVED:
    wm_buf_add_string(buf, "the role is archived");
    add_word(answer, WM_RUNNING_ROLE, role->name, buf);
    break;
  case WM_E_ROLE_INACTIVE:
    wm_buf_add_string(buf, "the role is switched off for now (inactive)");
    break;
  case WM_E_ROLE_TYPE_MISMATCH:
    wm_buf_printf(buf, "the role is for users of type %.*s, this one is of type %.*s", WM_TEXT_ARG(role->type),
                  WM_TEXT_ARG(user->profile.type));
    break;
  case WM_E_ROLE_PORTAL_MISMATCH:
    wm_buf_add_string(buf, "the user has none of the role's portals: user.portals is ");
    if (portals)
      conditions_value(portals, buf);
    else
      wm_buf_add_string(buf, "absent");
    break;
  default:
    break;
  }
}

static bool has_journey_trigger(const struct wm_automation *automation) {
  for (size_t i = 0; i < automation->trigger_count; i++) {
    struct wm_text trigger = automation->triggers[i];
    bool open = wm_text_ends_with(trigger, WM_TEXT("*"));
    if (wm_text_starts_with(trigger, JOURNEY) ||
        (open && wm_text_starts_with(JOURNEY, (struct wm_text){trigger.bytes, trigger.size - 1})))
      return true;
  }
  return false;
}

enum wm_code answer_obstacle(const struct answer *answer, const struct wm_automation *automation, struct wm_buf *buf) {
  const struct wm_role *role = answer->role;
  if (role && (role->kind != WM_ROLE_PORTAL || role->managed)) {
    wm_buf_add_string(buf, "it fails: the role is protected, no automation may give or take it");
    return WM_E_ROLE_PROTECTED;
  }
  if (!wm_text_is(automation->entity, WM_ENTITY_USER_JOURNEY) || !has_journey_trigger(automation)) {
    wm_buf_add_string(buf, "it fails: only entity '" WM_ENTITY_USER_JOURNEY "' with events 'journey.*' may");
    return WM_E_ENTITY_NOT_ALLOWED;
  }
  if (!automation->enabled) {
    wm_buf_add_string(buf, "it is switched off");
    add_word(answer, WM_RUNNING_AUTOMATION, automation->name, buf);
    return WM_OK;
  }
  if (automation->repeat == WM_ONCE_PER_USER && wm_user_has_run(answer->user, automation->name)) {
    wm_buf_add_string(buf, "it has run for this user already, and runs once per user");
    return WM_E_ALREADY_RAN;
  }
  if (answer->loaded->settings.users_closed && !answer->facts.user) {
    wm_buf_add_string(buf, "it fails: the user has no profile, and users is 'closed'");
    return WM_E_USER_UNKNOWN;
  }
  return WM_OK;
}

bool answer_next_giver(const struct answer *answer, enum wm_action action, size_t *at, struct answer_giver *ret) {
  const struct wm_workspace *workspace = answer->workspace;
  for (size_t seen = 0, a = 0; a < workspace->automation_count; a++) {
    const struct wm_automation *automation = &workspace->automations[a];
    for (size_t t = 0; t < automation->task_count; t++) {
      const struct wm_task *task = &automation->tasks[t];
      if (task->type != &wm_change_role || task->action != action || !wm_text_equal(task->role, answer->name))
        continue;
      if (seen++ < *at)
        continue;
      *ret = (struct answer_giver){automation, task};
      ++*at;
      return true;
    }
  }
  return false;
}

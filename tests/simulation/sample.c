#include "tests/simulation/sample.h"

#include <stdlib.h>

#include "core/codec/control.h"
#include "core/codec/load.h"
#include "core/codec/register.h"
#include "core/moment.h"

const struct wm_terms sample_terms = {
    .notify_age_us = 30 * WM_SECOND_US, .register_bytes = 32768, .register_size = wm_register_size};

static const char automations[] =
    "automation: grant-a\n"
    "trigger: journey.milestone.achieved\n"
    "when: { data.milestone: a }\n"
    "tasks:\n"
    "  - { name: Grant, sequence: 10, type: change-role, role: role-a, action: add, expires-after: 20s }\n"
    "  - { name: Tell, sequence: 20, type: notify, channel: mail, title: Hi, message: '{{ data.note }}' }\n"
    "---\n"
    "automation: keep-a\n"
    "trigger: journey.milestone.achieved\n"
    "when: { data.milestone: keep }\n"
    "tasks: [{ name: Keep, sequence: 10, type: change-role, role: role-a, action: add }]\n"
    "---\n"
    "automation: remove-a\n"
    "trigger: journey.milestone.achieved\n"
    "when: { data.milestone: not-a }\n"
    "tasks: [{ name: Remove, sequence: 10, type: change-role, role: role-a, action: remove }]\n"
    "---\n"
    "automation: once\n"
    "trigger: journey.milestone.achieved\n"
    "when: { data.milestone: { in: [a, b] } }\n"
    "repeat: once-per-user\n"
    "tasks:\n"
    "  - { name: Grant, sequence: 10, type: change-role, role: role-b, action: add }\n"
    "  - { name: Tell, sequence: 20, type: notify, channel: mail, title: 'Roles {{ user.roles }}', message: Hello }\n"
    "---\n"
    "automation: per-journey\n"
    "trigger: journey.milestone.achieved\n"
    "when: { data.milestone: c }\n"
    "repeat: once-per-journey\n"
    "tasks: [{ name: Grant, sequence: 10, type: change-role, role: role-c, action: add, expires-after: 40s }]\n"
    "---\n"
    "automation: broken\n"
    "trigger: journey.milestone.achieved\n"
    "when: { data.milestone: b }\n"
    "tasks:\n"
    "  - { name: Fail, sequence: 10, type: change-role, role: role-x, action: add, on-failure: stop }\n"
    "  - { name: Tell, sequence: 20, type: notify, channel: mail, title: Hi, message: Hello }\n";

static const char *const followers[SAMPLE_VERSIONS] = {
    "automation: follow\n"
    "trigger: journey.*\n"
    "when: { user.roles: { has: role-a } }\n"
    "tasks: [{ name: Follow, sequence: 10, type: change-role, role: role-c, action: add }]\n",
    "automation: follow\n"
    "trigger: journey.*\n"
    "when: { user.roles: { has: role-a } }\n"
    "tasks: [{ name: Follow, sequence: 10, type: change-role, role: role-c, action: add }]\n",
    "automation: follow\n"
    "trigger: journey.*\n"
    "when: { user.roles: { has: role-d } }\n"
    "tasks: [{ name: Follow, sequence: 10, type: change-role, role: role-c, action: remove }]\n",
};

static const char *const catalogues[SAMPLE_VERSIONS] = {
    "role: role-a\nlabel: A\n---\nrole: role-b\nlabel: B\n---\nrole: role-c\nlabel: C\ndelegation: holders\n---\n"
    "role: role-d\nlabel: D\nassigned-when: [{ group: g1 }]\n---\nchannel: mail\n",
    "role: role-a\nlabel: A\nstatus: archived\n---\nrole: role-b\nlabel: B\n---\nrole: role-c\nlabel: C\ndelegation: "
    "holders\n---\n"
    "role: role-d\nlabel: D\nactivate: at-sign-in\nassigned-when: [{ group: g2 }]\n---\nchannel: mail\n",
    "role: role-a\nlabel: A\n---\nrole: role-b\nlabel: B\nstatus: inactive\n---\nrole: role-c\nlabel: C\ndelegation: "
    "holders\n---\n"
    "role: role-d\nlabel: D\nassigned-when: [{ all: true }]\n---\nchannel: mail\n",
};

struct wm_workspace *sample_workspace(unsigned version) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  wm_loader_add(loader, WM_TEXT("automations.yaml"), wm_text_of(automations));
  wm_loader_add(loader, WM_TEXT("follow.yaml"), wm_text_of(followers[version]));
  wm_loader_add(loader, WM_TEXT("roles.yaml"), wm_text_of(catalogues[version]));
  struct wm_workspace *workspace = wm_loader_finish(loader);
  for (size_t i = 0; !workspace && i < findings.count; i++)
    fprintf(stderr, "%.*s:%u: %.*s\n", WM_TEXT_ARG(findings.items[i].file), findings.items[i].line,
            WM_TEXT_ARG(findings.items[i].text));
  wm_loader_free(loader);
  wm_findings_release(&findings);
  if (!workspace)
    abort();
  workspace->baseline = WM_TEXT("role-b");
  return workspace;
}

unsigned sample_version(const struct wm_workspace *workspace) {
  if (wm_workspace_role(workspace, WM_TEXT("role-a"))->written_status == WM_ROLE_ARCHIVED)
    return 1;
  return wm_workspace_role(workspace, WM_TEXT("role-b"))->written_status == WM_ROLE_INACTIVE ? 2 : 0;
}

/* --- what is said at run time --- */

#define ROLE_BITS 32

uint64_t sample_rules(const struct wm_workspace *workspace) {
  uint64_t rules = sample_version(workspace);
  for (size_t i = 0; i < workspace->automation_count; i++)
    rules |= (uint64_t)workspace->automations[i].enabled << (8 + i);
  for (size_t i = 0; i < workspace->role_count; i++)
    rules |= (uint64_t)(workspace->roles[i].status == WM_ROLE_ARCHIVED) << (ROLE_BITS + i);
  return rules;
}

static void lay_over(struct wm_workspace *workspace, const struct wm_running *running) {
  struct wm_overlay overlay;
  if (wm_workspace_overlay(workspace, running, &overlay, NULL) < 0)
    abort();
}

void sample_follow(struct wm_workspace *workspace, uint64_t rules) {
  struct wm_running running;
  wm_running_init(&running);
  for (size_t i = 0; i < workspace->automation_count; i++) {
    bool enabled = rules >> (8 + i) & 1;
    struct wm_running_word word = {.kind = WM_RUNNING_AUTOMATION,
                                   .name = workspace->automations[i].name,
                                   .state = enabled ? WM_RUNNING_ON : WM_RUNNING_OFF};
    wm_running_take(&running, &word, NULL);
  }
  for (size_t i = 0; i < workspace->role_count; i++) {
    const struct wm_role *role = &workspace->roles[i];
    struct wm_running_word word = {.kind = WM_RUNNING_ROLE, .name = role->name};
    if (rules >> (ROLE_BITS + i) & 1)
      word.state = WM_RUNNING_OFF;
    else if (role->written_status == WM_ROLE_ARCHIVED)
      word.state = WM_RUNNING_ON;
    wm_running_take(&running, &word, NULL);
  }
  lay_over(workspace, &running);
  wm_running_release(&running);
}

void sample_follow_control(struct wm_workspace *workspace, const struct memory_log *log) {
  struct wm_running running;
  struct wm_arena arena;
  wm_running_init(&running);
  wm_arena_init(&arena, 0);
  for (size_t i = 0; i < log->control.count; i++) {
    struct wm_record record = {
        .topic = WM_TEXT("control"), .key = log->control.entries[i].key, .value = log->control.entries[i].value};
    struct wm_running_word word;
    enum wm_control what;
    if (wm_control_decode(&record, &arena, &what, &word, NULL) == 0 && what == WM_CONTROL_WORD)
      wm_running_take(&running, &word, NULL);
  }
  lay_over(workspace, &running);
  wm_running_release(&running);
  wm_arena_release(&arena);
}

void sample_say(struct memory_log *log) {
  static const char *const names[] = {"grant-a", "remove-a", "once", "follow", "nobody"};
  static const char *const roles[] = {"role-a", "role-b", "role-d", "role-x"};
  struct world *world = log->world;
  enum wm_running_state state = (enum wm_running_state)world_below(world, 3);
  if (world_chance(world, 500))
    memory_log_control(log, WM_TEXT("role/role-a"), WM_TEXT("garbage"));
  else if (world_chance(world, 5000))
    memory_log_say(log, WM_RUNNING_AUTOMATION, names[world_below(world, 5)], state);
  else
    memory_log_say(log, WM_RUNNING_ROLE, roles[world_below(world, 4)], state);
}

/* --- events --- */

static struct wm_text send(struct memory_log *log, size_t topic, const char *user, bool astray, struct wm_text value) {
  struct wm_text key = wm_text_of(user);
  int32_t home = user ? memory_log_home(log, key) : (int32_t)world_below(log->world, (uint64_t)log->partition_count);
  if (astray)
    home = (home + 1) % log->partition_count;
  memory_log_produce(log, topic, home, key, value, log->world->now_us / 1000);
  return value;
}

static struct wm_text text_of(const char *bytes, int size) {
  return (struct wm_text){bytes, (size_t)size};
}

/* Ids are drawn from a pool that is small enough for duplicates. */
static struct wm_text event_text(struct world *world, char *room, size_t size, const char *type, const char *user,
                                 const char *data) {
  char time[WM_MOMENT_SIZE], subject[64] = "";
  int64_t age_us = world_chance(world, 5000) ? 0 : (int64_t)world_below(world, 60) * WM_SECOND_US;
  wm_moment_format(world->now_us - age_us, time);
  if (user)
    snprintf(subject, sizeof subject, "\"subject\":\"%s\",", user);
  int length = snprintf(room, size,
                        "{\"specversion\":\"1.0\",\"id\":\"e%u\",\"source\":\"/s\",\"type\":\"%s\",%s\"time\":\"%s\","
                        "\"data\":%s}",
                        (unsigned)world_below(world, 400), type, subject, time, data);
  return text_of(room, length);
}

static void send_journey(struct memory_log *log, const char *user, bool astray) {
  static const char *const milestones[] = {"a", "a", "keep", "not-a", "b", "c", "c", "unheard-of"};
  struct world *world = log->world;
  char data[128], room[512];
  snprintf(data, sizeof data, "{\"milestone\":\"%s\",\"enrollment\":\"j%u\"%s}",
           milestones[world_below(world, sizeof milestones / sizeof *milestones)], (unsigned)world_below(world, 3),
           world_chance(world, 5000) ? ",\"note\":\"well done\"" : "");
  const char *type = world_chance(world, 8500) ? "journey.milestone.achieved" : "journey.phase.entered";
  send(log, 0, user, astray, event_text(world, room, sizeof room, type, user, data));
}

static void send_profile(struct memory_log *log, const char *user, bool astray) {
  static const char *const profiles[] = {"{\"groups\":[\"g1\"]}", "{\"groups\":[\"g2\"]}",
                                         "{\"status\":\"suspended\",\"groups\":[\"g1\"]}", "{}"};
  struct world *world = log->world;
  char room[512];
  bool deleted = world_chance(world, 1000), signed_in = !deleted && world_chance(world, 2000);
  const char *type = deleted     ? "directory.user.deleted"
                     : signed_in ? "directory.user.signed-in"
                                 : "directory.user.updated";
  const char *data = deleted ? "{}" : profiles[world_below(world, 4)];
  send(log, 1, user, astray, event_text(world, room, sizeof room, type, user, data));
}

static void send_delegation(struct memory_log *log, const char *user, bool astray) {
  struct world *world = log->world;
  char data[128], room[512];
  snprintf(data, sizeof data, "{\"role\":\"role-%c\",\"to\":\"user-%u\"}", "cccd"[world_below(world, 4)],
           (unsigned)world_below(world, SAMPLE_USERS));
  send(log, 2, user, astray, event_text(world, room, sizeof room, "role.delegation.requested", user, data));
}

static void send_request(struct memory_log *log, const char *user, bool astray) {
  struct world *world = log->world;
  char data[128], room[512];
  if (world_chance(world, 2000)) {
    snprintf(data, sizeof data, "{\"role\":\"role-c\",\"source\":\"%s\"}",
             world_chance(world, 5000) ? "manual" : "automation/per-journey");
    send(log, 2, user, astray, event_text(world, room, sizeof room, "role.grant.withdrawn", user, data));
    return;
  }
  snprintf(data, sizeof data, "{\"role\":\"role-%c\",\"action\":\"%s\",\"by\":\"jane\"}", "abcx"[world_below(world, 4)],
           world_chance(world, 6000) ? "add" : "remove");
  send(log, 2, user, astray, event_text(world, room, sizeof room, "role.assignment.requested", user, data));
}

static void send_odd(struct memory_log *log, const char *user) {
  struct world *world = log->world;
  char room[512];
  switch (world_below(world, 5)) {
  case 0:
    send(log, world_below(world, MEMORY_INPUTS), user, false, WM_TEXT("{\"specversion\":\"1.0\",\"id\":1}"));
    break;
  case 1:
    send(log, 0, user, false, WM_TEXT("not JSON at all"));
    break;
  case 2:
    send(log, 0, user, false, WM_NO_TEXT);
    break;
  case 3:
    send(log, 0, user, true, event_text(world, room, sizeof room, "of.no.interest", user, "{}"));
    break;
  default:
    send(log, 0, NULL, false,
         event_text(world, room, sizeof room, "journey.milestone.achieved", NULL, "{\"milestone\":\"a\"}"));
  }
}

void sample_send(struct memory_log *log) {
  struct world *world = log->world;
  char user[16];
  snprintf(user, sizeof user, "user-%u", (unsigned)world_below(world, SAMPLE_USERS));
  bool astray = log->partition_count > 1 && world_chance(world, 200);
  uint64_t kind = world_below(world, 100);
  if (kind < 72)
    send_journey(log, user, astray);
  else if (kind < 84)
    send_profile(log, user, astray);
  else if (kind < 91)
    send_request(log, user, astray);
  else if (kind < 94)
    send_delegation(log, user, astray);
  else
    send_odd(log, user);
}

void sample_send_request(struct memory_log *log, const char *user, const char *id, const char *type, const char *data) {
  char time[WM_MOMENT_SIZE], room[512];
  wm_moment_format(log->world->now_us, time);
  int size = snprintf(room, sizeof room,
                      "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/s\",\"type\":\"%s\",\"subject\":\"%s\","
                      "\"time\":\"%s\",\"data\":%s}",
                      id, type, user, time, data);
  send(log, 2, user, false, text_of(room, size));
}

void sample_send_milestone(struct memory_log *log, const char *user, const char *id, const char *milestone) {
  char time[WM_MOMENT_SIZE], room[512];
  wm_moment_format(log->world->now_us, time);
  int size =
      snprintf(room, sizeof room,
               "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/s\",\"type\":\"journey.milestone.achieved\","
               "\"subject\":\"%s\",\"time\":\"%s\",\"data\":{\"milestone\":\"%s\",\"note\":\"n\"}}",
               id, user, time, milestone);
  send(log, 0, user, false, text_of(room, size));
}

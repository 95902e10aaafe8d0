/* Contract 13: a replay whose workspace is the same, in which no condition reads 'user.' and nothing failed or was
 * rejected the first time, changes no profile, no role and no 'cleared'. Tried with workspaces and histories at random:
 * the seed of a failure stands in its message, and WAYMARK_SEED=N begins there. */
#include <criterion/criterion.h>

#include "core/codec/load.h"
#include "core/codec/register.h"
#include "core/decide.h"
#include "core/moment.h"

#define SEEDS 1500
#define HISTORY 60
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct wm_arena arena;
static uint64_t state;

static void set_up(void) {
  wm_arena_init(&arena, 0);
}

static void tear_down(void) {
  wm_arena_release(&arena);
}

TestSuite(replay, .init = set_up, .fini = tear_down);

static size_t below(size_t limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (size_t)(state % limit);
}

static uint64_t first_seed(void) {
  const char *text = getenv("WAYMARK_SEED");
  return text ? strtoull(text, NULL, 10) : 1;
}

/* --- workspaces: nothing in them reads 'user.' --- */

static const char *const roles[] = {"bronze", "gold", "silver"};

static void write_task(struct wm_buf *yaml, size_t sequence) {
  static const char *const ends[] = {"", "    expires-after: 1h\n", "    expires-after: 3s\n"};
  wm_buf_printf(yaml, "  - name: T\n    sequence: %zu\n", sequence);
  if (below(6) == 0) {
    wm_buf_add_string(yaml, "    type: notify\n    channel: c\n    title: Hello\n    message: \"{{ event.id }}\"\n");
    return;
  }
  bool add = below(3) > 0;
  wm_buf_printf(yaml, "    type: change-role\n    role: %s\n    action: %s\n%s%s", roles[below(COUNT(roles))],
                add ? "add" : "remove", add ? ends[below(COUNT(ends))] : "", below(4) ? "" : "    on-failure: stop\n");
}

static struct wm_workspace *random_workspace(bool repeats) {
  static const char *const kinds[] = {"every-event", "once-per-user", "once-per-journey"};
  struct wm_buf yaml = WM_BUF_INIT;
  for (size_t i = 0; i < COUNT(roles); i++)
    wm_buf_printf(&yaml, "---\nrole: %s\n", roles[i]);
  wm_buf_add_string(&yaml, "---\nchannel: c\n");
  size_t automations = 1 + below(4);
  for (size_t i = 0; i < automations; i++) {
    wm_buf_printf(&yaml, "---\nautomation: a%zu\ntrigger: journey.*\nrepeat: %s\n", i,
                  repeats ? kinds[below(COUNT(kinds))] : kinds[0]);
    if (below(3) > 0)
      wm_buf_printf(&yaml, "when: { data.n: { at-most: %zu } }\n", below(5));
    wm_buf_add_string(&yaml, "tasks:\n");
    for (size_t at = 0, count = 1 + below(3); at < count; at++)
      write_task(&yaml, 10 * (at + 1));
  }
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  wm_loader_add(loader, WM_TEXT("rules.yaml"), (struct wm_text){yaml.bytes, yaml.size});
  struct wm_workspace *workspace = wm_loader_finish(loader);
  cr_assert(workspace != NULL, "%s", yaml.bytes);
  wm_loader_free(loader);
  wm_findings_release(&findings);
  wm_buf_release(&yaml);
  return workspace;
}

/* --- histories --- */

struct history {
  struct wm_event events[HISTORY];
  size_t count;
  struct wm_user *user; /* as the live run left him; NULL: nothing was ever written */
};

static struct wm_value number(size_t n) {
  return (struct wm_value){.type = WM_INTEGER, .integer = (int64_t)n};
}

static struct wm_value text(const char *value) {
  return (struct wm_value){.type = WM_STRING, .string = wm_text_of(value)};
}

static const struct wm_value *object(struct wm_member first, struct wm_member second) {
  struct wm_member *members = WM_ARENA_ARRAY(&arena, struct wm_member, 2);
  struct wm_value *value = WM_ARENA_NEW(&arena, struct wm_value);
  members[0] = first;
  members[1] = second;
  *value = (struct wm_value){.type = WM_OBJECT, .object = {members, 2}};
  return value;
}

/* Few moments, so that clocks tie and events come late. */
static struct wm_event random_event(size_t at, bool deletions) {
  static const char *const journeys[] = {"j1", "j2"};
  static const char *const sources[] = {"manual", "automation/a0", "automation/a1"};
  char id[24];
  int size = snprintf(id, sizeof id, "e%zu", at);
  struct wm_event event = {.source = WM_TEXT("/s"),
                           .user = WM_TEXT("user-7"),
                           .type = WM_TEXT("journey.step"),
                           .time_us = (int64_t)(1 + below(15)) * WM_SECOND_US,
                           .origin = {WM_TEXT("events"), 0, (int64_t)at},
                           .run = WM_TEXT("live"),
                           .attributes = {.type = WM_OBJECT},
                           .notify = true};
  event.now_us = event.time_us + (int64_t)below(5) * WM_SECOND_US;
  wm_arena_text(&arena, (struct wm_text){id, (size_t)size}, &event.id);
  struct wm_member *named = WM_ARENA_NEW(&arena, struct wm_member);
  *named = (struct wm_member){WM_TEXT("id"), {.type = WM_STRING, .string = event.id}};
  event.attributes.object.members = named;
  event.attributes.object.count = 1;
  switch (below(10)) {
  case 0:
    event.event_class = WM_EVENT_USER_UPDATED;
    event.data = object((struct wm_member){WM_TEXT("name"), text(journeys[below(2)])},
                        (struct wm_member){WM_TEXT("status"), text("active")});
    break;
  case 1:
    event.event_class = WM_EVENT_SIGNED_IN;
    break;
  case 2:
    event.event_class = WM_EVENT_ASSIGNMENT;
    event.request = (struct wm_request){.role = wm_text_of(roles[below(COUNT(roles))]),
                                        .add = below(2) == 0,
                                        .until_us = below(2) ? WM_NEVER : 10 * WM_SECOND_US};
    break;
  case 3:
    event.event_class = WM_EVENT_WITHDRAWAL;
    event.request = (struct wm_request){.role = wm_text_of(roles[below(COUNT(roles))]),
                                        .source = wm_text_of(sources[below(COUNT(sources))])};
    break;
  case 4:
    if (deletions) {
      event.event_class = WM_EVENT_USER_DELETED;
      break;
    } /* fall through */
  default:
    event.data = object((struct wm_member){WM_TEXT("journey"), text(journeys[below(2)])},
                        (struct wm_member){WM_TEXT("n"), number(below(6))});
  }
  return event;
}

static bool any_failed(const struct wm_decision *decision) {
  for (size_t e = 0; e < decision->execution_count; e++)
    for (size_t t = 0; t < decision->executions[e].count; t++)
      if (decision->executions[e].outcomes[t].result == WM_RESULT_FAILED)
        return true;
  return false;
}

static void decide(const struct wm_workspace *workspace, const struct wm_event *event, const struct wm_user *before,
                   struct wm_decision *ret) {
  const struct wm_terms terms = {
      .notify_age_us = 4 * WM_SECOND_US, .register_bytes = 262144, .register_size = wm_register_size};
  struct wm_error error;
  cr_assert_eq(wm_decide(workspace, &terms, event, before, 0, NULL, &arena, ret, &error), 0);
}

static void take_over(struct wm_user **user, const struct wm_decision *decision) {
  if (!decision->user)
    return;
  wm_user_free(*user);
  *user = decision->user;
}

/* A live run in which nothing fails: an event of which a task would is taken out of the history, as if it never was. */
static void live(const struct wm_workspace *workspace, bool deletions, struct history *ret) {
  size_t wanted = 5 + below(HISTORY - 5);
  *ret = (struct history){0};
  for (size_t at = 0; at < wanted; at++) {
    struct wm_event event = random_event(at, deletions);
    if (ret->count > 0 && below(8) == 0)
      event = ret->events[below(ret->count)];
    struct wm_decision decision;
    decide(workspace, &event, ret->user, &decision);
    if (any_failed(&decision)) {
      wm_user_free(decision.user);
      continue;
    }
    take_over(&ret->user, &decision);
    ret->events[ret->count++] = event;
  }
}

/* What must not change: the register without what it remembers of events. */
static const char *decisions_of(const struct wm_user *user) {
  struct wm_buf buf = WM_BUF_INIT;
  if (!user)
    return "";
  struct wm_user shown = *user;
  shown.ran_count = shown.recent_count = 0;
  shown.replayed = (struct wm_replayed){0};
  wm_register_encode(&shown, &buf);
  const char *bytes = wm_arena_copy(&arena, buf.bytes, buf.size);
  wm_buf_release(&buf);
  return bytes;
}

static void replay(const struct wm_workspace *workspace, struct history *history, const size_t *order, size_t count,
                   const char *run, uint64_t seed) {
  const char *before = decisions_of(history->user);
  for (size_t i = 0; i < count; i++) {
    struct wm_event event = history->events[order[i]];
    struct wm_decision decision;
    event.run = wm_text_of(run);
    event.notify = false;
    decide(workspace, &event, history->user, &decision);
    cr_assert_eq(decision.notification_count, 0, "WAYMARK_SEED=%lu: notified", (unsigned long)seed);
    take_over(&history->user, &decision);
  }
  const char *after = decisions_of(history->user);
  cr_assert_str_eq(before, after, "WAYMARK_SEED=%lu\n%s\n%s", (unsigned long)seed, before, after);
}

static void shuffle(size_t *order, size_t count) {
  for (size_t i = 0; i < count; i++) {
    size_t other = below(i + 1);
    order[i] = order[other];
    order[other] = i;
  }
}

static void try_seed(uint64_t seed, bool repeats, bool deletions) {
  size_t order[HISTORY];
  struct history history;
  wm_arena_rewind(&arena);
  state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
  struct wm_workspace *workspace = random_workspace(repeats);
  live(workspace, deletions, &history);
  for (size_t i = 0; i < history.count; i++)
    order[i] = i;
  replay(workspace, &history, order, history.count, "all", seed);
  replay(workspace, &history, order, history.count, "all-again", seed);
  if (!repeats ||
      !deletions) { /* a deletion lets automations run once more: then only the whole in order is the same */
    shuffle(order, history.count);
    replay(workspace, &history, order, history.count, "any-order", seed);
    replay(workspace, &history, order, below(history.count + 1), "some", seed);
  }
  wm_user_free(history.user);
  wm_workspace_free(workspace);
}

Test(replay, of_everything_changes_nothing, .timeout = 300) {
  for (uint64_t seed = first_seed(), last = seed + SEEDS; seed < last; seed++)
    try_seed(seed, seed % 2, seed % 4 < 2);
}

/* What holds for any writes to a register, tried with writes at random: the seed of a failure stands in its message,
 * and WAYMARK_SEED=N begins there. Registers are compared by their bytes. */
#include <criterion/criterion.h>

#include "core/codec/load.h"
#include "core/codec/register.h"
#include "core/decide.h"
#include "core/moment.h"

#define SEEDS 400
#define WRITES 100
#define NOW (500 * WM_SECOND_US)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct wm_arena arena;
static uint64_t state;

static void begin(uint64_t seed) {
  wm_arena_rewind(&arena);
  state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

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

#define EACH_SEED(seed) (uint64_t seed = first_seed(), last = seed + SEEDS; seed < last; seed++)

static void set_up(void) {
  wm_arena_init(&arena, 0);
}

static void tear_down(void) {
  wm_arena_release(&arena);
}

TestSuite(writes, .init = set_up, .fini = tear_down);

static char *bytes_of(const struct wm_user *user) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_register_encode(user, &buf);
  cr_assert_not(buf.failed);
  char *bytes = wm_arena_copy(&arena, buf.bytes, buf.size);
  wm_buf_release(&buf);
  return bytes;
}

/* --- writes --- */

enum kind { ADD, REMOVE, WITHDRAW, PROFILE, DELETE, SIGN_IN };

/* Everything that a write is; the same clock always carries the same content. */
struct write {
  enum kind kind;
  struct wm_text role, source;
  struct wm_clock clock;
  int64_t until_us;
  bool delegable;
  const char *status;
};

static const char *const roles[] = {"gold", "silver", "bronze"};
static const char *const sources[] = {"manual", "automation/a", "automation/b"};
static const char *const statuses[] = {"active", "suspended", "inactive"};

static struct wm_text pick(const char *const *texts, size_t count) {
  return wm_text_of(texts[below(count)]);
}

/* Few moments, so that texts decide often enough; deletions are rare, or there would be nothing left. */
static struct write random_write(size_t number) {
  static const enum kind kinds[] = {ADD, ADD, ADD, ADD, REMOVE, REMOVE, WITHDRAW, WITHDRAW, PROFILE, SIGN_IN};
  char id[24];
  int size = snprintf(id, sizeof id, "%zu", number);
  struct write write = {
      .kind = below(40) == 0 ? DELETE : kinds[below(COUNT(kinds))],
      .role = pick(roles, COUNT(roles)),
      .source = pick(sources, COUNT(sources)),
      .until_us = below(4) == 0 ? (int64_t)below(1000) * WM_SECOND_US : WM_NEVER,
      .delegable = below(3) == 0,
      .status = statuses[below(COUNT(statuses))],
  };
  write.clock = (struct wm_clock){.time_us = (int64_t)below(20) * WM_SECOND_US,
                                  .source = WM_TEXT("/s"),
                                  .automation = WM_TEXT(""),
                                  .sequence = (int64_t)below(3)};
  wm_arena_text(&arena, (struct wm_text){id, (size_t)size}, &write.clock.id);
  return write;
}

static enum wm_write apply(struct wm_user *user, const struct write *write) {
  struct wm_member status = {WM_TEXT("status"), {.type = WM_STRING, .string = wm_text_of(write->status)}};
  struct wm_value fields = {.type = WM_OBJECT, .object = {&status, 1}};
  struct wm_grant grant = {
      .source = write->source, .clock = write->clock, .until_us = write->until_us, .by.delegable = write->delegable};
  enum wm_write ret = WM_WRITE_UNCHANGED;
  struct wm_clock stands;
  bool changed;
  int failed = -1;
  switch (write->kind) {
  case ADD:
    failed = wm_user_add_grant(user, write->role, &grant, NOW, &ret, &stands);
    break;
  case REMOVE:
    failed = wm_user_remove_role(user, write->role, &write->clock, NOW, &arena, &ret, &stands, NULL);
    break;
  case WITHDRAW:
    failed = wm_user_take_back(user, write->role, &(struct wm_withdrawn){.source = write->source}, &write->clock, NOW,
                               &ret, &stands);
    break;
  case PROFILE:
    failed = wm_user_set_profile(user, &write->clock, &fields, &changed);
    break;
  case DELETE:
    failed = wm_user_delete(user, &write->clock, &changed);
    break;
  case SIGN_IN:
    failed = wm_user_sign_in(user, &write->clock, &changed);
    break;
  }
  cr_assert_eq(failed, 0);
  return ret;
}

/* All of them in some order, a third of them again at some time later. */
static char *apply_all(const struct write *writes, size_t count) {
  size_t order[WRITES];
  struct wm_user *user = wm_user_new(WM_TEXT("user-7"), 3);
  for (size_t i = 0; i < count; i++) {
    size_t other = below(i + 1);
    order[i] = order[other];
    order[other] = i;
  }
  for (size_t i = 0; i < count; i++) {
    apply(user, &writes[order[i]]);
    if (below(3) == 0)
      apply(user, &writes[order[below(i + 1)]]);
    if (below(10) == 0) { /* as it comes back from the log */
      struct wm_error error;
      struct wm_user *read = wm_register_decode(wm_text_of(bytes_of(user)), &error);
      cr_assert(read != NULL, "%s", error.text);
      wm_user_free(user);
      user = read;
    }
  }
  char *bytes = bytes_of(user);
  wm_user_free(user);
  return bytes;
}

Test(writes, any_order_and_any_repetition_gives_the_same_bytes, .timeout = 300) {
  for
    EACH_SEED(seed) {
      begin(seed);
      struct write writes[WRITES];
      size_t count = 2 + below(WRITES - 2);
      for (size_t i = 0; i < count; i++)
        writes[i] = random_write(i);
      const char *first = apply_all(writes, count);
      for (int again = 0; again < 4; again++) {
        const char *other = apply_all(writes, count);
        cr_assert_str_eq(first, other, "WAYMARK_SEED=%lu\n%s\n%s", (unsigned long)seed, first, other);
      }
    }
}

Test(writes, an_add_that_is_older_than_what_took_it_stays_without_effect, .timeout = 300) {
  for
    EACH_SEED(seed) {
      begin(seed);
      struct wm_user *user = wm_user_new(WM_TEXT("user-7"), 3);
      struct write add = random_write(1), late = random_write(2), take = random_write(3), newer = random_write(4);
      add.kind = late.kind = newer.kind = ADD;
      take.kind = below(2) ? REMOVE : WITHDRAW;
      late.role = take.role = newer.role = add.role;
      late.source = take.source = newer.source = add.source;
      add.until_us = late.until_us = newer.until_us = WM_NEVER;
      take.clock.time_us = 30 * WM_SECOND_US;
      newer.clock.time_us = 31 * WM_SECOND_US;
      cr_assert_eq(apply(user, &add), WM_WRITE_CHANGED, "WAYMARK_SEED=%lu", (unsigned long)seed);
      cr_assert_eq(apply(user, &take), WM_WRITE_CHANGED, "WAYMARK_SEED=%lu", (unsigned long)seed);
      cr_assert_eq(apply(user, &late), WM_WRITE_SUPERSEDED, "WAYMARK_SEED=%lu", (unsigned long)seed);
      cr_assert_not(wm_user_is_assigned(user, add.role, NOW), "WAYMARK_SEED=%lu", (unsigned long)seed);
      cr_assert_eq(apply(user, &newer), WM_WRITE_CHANGED, "WAYMARK_SEED=%lu", (unsigned long)seed);
      cr_assert_eq(apply(user, &take), WM_WRITE_SUPERSEDED, "WAYMARK_SEED=%lu", (unsigned long)seed);
      cr_assert(wm_user_is_assigned(user, add.role, NOW), "WAYMARK_SEED=%lu", (unsigned long)seed);
      wm_user_free(user);
    }
}

/* --- catalogues --- */

static struct wm_workspace *random_catalogue(void) {
  static const char *const criteria[] = {
      "{ all: true }",
      "{ group: g1 }",
      "{ group: g2 }",
      "{ user: user-7 }",
      "{ user: boss, include-subordinates: true }",
      "{ org-unit: emea }",
      "{ org-unit: acme, include-subordinates: true }",
      "{ org-unit: acme, org-unit-type: region, include-subordinates: true }",
      "{ manager-of-anyone: true }",
      "{ when: { user.attributes.tier: gold } }",
      "{ when: { user.groups: { has-any: [g1, g3] } } }",
  };
  static const char *const traits[] = {
      "status: archived\n", "status: inactive\n",    "type: partner\n",       "activate: at-sign-in\n",
      "portals: [main]\n",  "kind: administrator\n", "delegation: holders\n", ""};
  struct wm_buf yaml = WM_BUF_INIT;
  for (size_t i = 0; i < 12; i++) {
    if (below(5) == 0)
      continue;
    wm_buf_printf(&yaml, "---\nrole: %s\n%s", i < COUNT(roles) ? roles[i] : (char[]){'r', (char)('a' + i), 0},
                  traits[below(COUNT(traits))]);
    if (below(3) > 0)
      wm_buf_printf(&yaml, "assigned-when: [%s, %s]\n", criteria[below(COUNT(criteria))],
                    criteria[below(COUNT(criteria))]);
  }
  wm_buf_add_string(&yaml, "---\nchannel: c\n");
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  wm_loader_add(loader, WM_TEXT("roles.yaml"), (struct wm_text){yaml.bytes, yaml.size});
  struct wm_workspace *workspace = wm_loader_finish(loader);
  cr_assert(workspace != NULL, "%s", yaml.bytes);
  wm_loader_free(loader);
  wm_findings_release(&findings);
  wm_buf_release(&yaml);
  return workspace;
}

static struct wm_user *random_user(void) {
  static const char *const profiles[] = {
      "null",
      "{\"clock\":[5000000,\"/s\",\"p\",\"\",0],\"status\":\"active\",\"groups\":[\"g1\",\"g2\"],\"type\":\"partner\"}",
      "{\"clock\":[5000000,\"/s\",\"p\",\"\",0],\"status\":\"active\",\"manager\":\"boss\",\"portals\":[\"main\"],"
      "\"org-units\":{\"division\":[\"acme\",\"emea\"],\"region\":[\"north\"]}}",
      "{\"clock\":[5000000,\"/s\",\"p\",\"\",0],\"status\":\"active\",\"manager-of-anyone\":true,\"type\":\"guest\","
      "\"org-units\":{\"region\":[\"acme\",\"x\"]},\"attributes\":{\"tier\":\"gold\"}}",
      "{\"clock\":[5000000,\"/s\",\"p\",\"\",0],\"status\":\"suspended\",\"groups\":[\"g1\"]}",
  };
  struct wm_buf json = WM_BUF_INIT;
  struct wm_error error;
  wm_buf_printf(&json,
                "{\"v\":1,\"user\":\"user-7\",\"home\":0,\"profile\":%s,\"cleared\":null,\"signed-in\":[%zu000000,"
                "\"/s\",\"i\",\"\",0],\"roles\":{},\"ran\":{},\"recent\":\"\"}",
                profiles[below(COUNT(profiles))], 1 + below(9));
  struct wm_user *user = wm_register_decode((struct wm_text){json.bytes, json.size}, &error);
  cr_assert(user != NULL, "%s", error.text);
  wm_buf_release(&json);
  for (size_t i = 0; i < 10; i++) {
    struct write write = random_write(i);
    if (write.kind == ADD || write.kind == REMOVE || write.kind == WITHDRAW)
      apply(user, &write);
  }
  return user;
}

static struct wm_role_set project(const struct wm_workspace *workspace, const struct wm_user *user) {
  struct wm_role_set set;
  cr_assert_eq(wm_project(workspace, user, NOW, &arena, &set), 0);
  return set;
}

static bool has(const struct wm_role_set *set, struct wm_text role) {
  for (size_t i = 0; i < set->count; i++)
    if (wm_text_equal(set->roles[i]->name, role))
      return true;
  return false;
}

/* Does 'before' become 'after' by the changes that are told, each of which is one? */
static bool is_told(const struct wm_role_set *before, const struct wm_role_set *after) {
  struct wm_change *changes;
  size_t count, gained = 0, lost = 0;
  cr_assert_eq(wm_role_set_diff(before, after, WM_CAUSE_CATALOGUE, NULL, &arena, &changes, &count), 0);
  for (size_t i = 0; i < count; i++) {
    if (has(before, changes[i].role) == changes[i].effective || has(after, changes[i].role) != changes[i].effective)
      return false;
    if (changes[i].lockout != (!changes[i].effective && after->count == 0))
      return false;
    gained += changes[i].effective;
    lost += !changes[i].effective;
  }
  return before->count + gained - lost == after->count;
}

Test(writes, a_catalogue_that_changes_and_comes_back_gives_back_what_it_took, .timeout = 300) {
  for
    EACH_SEED(seed) {
      begin(seed);
      struct wm_workspace *one = random_catalogue(), *other = random_catalogue();
      struct wm_user *user = random_user();
      const char *before = bytes_of(user);
      struct wm_role_set first = project(one, user), second = project(other, user), third = project(one, user);
      cr_assert(is_told(&first, &second) && is_told(&second, &third), "WAYMARK_SEED=%lu", (unsigned long)seed);
      cr_assert_eq(first.count, third.count, "WAYMARK_SEED=%lu", (unsigned long)seed);
      for (size_t i = 0; i < first.count; i++)
        cr_assert_eq(first.roles[i], third.roles[i], "WAYMARK_SEED=%lu", (unsigned long)seed);
      for (size_t i = 0; i < one->role_count; i++)
        cr_assert_eq(wm_project_has(one, user, one->roles[i].name, NOW), has(&first, one->roles[i].name),
                     "WAYMARK_SEED=%lu: one role and all of them disagree about '%.*s'", (unsigned long)seed,
                     WM_TEXT_ARG(one->roles[i].name));
      cr_assert_str_eq(before, bytes_of(user), "WAYMARK_SEED=%lu: a projection wrote", (unsigned long)seed);
      wm_user_free(user);
      wm_workspace_free(one);
      wm_workspace_free(other);
    }
}

/* What lint calls impossible is impossible, and what it shows is so: random conditions against random values. */
#include <criterion/criterion.h>

#include "core/lint_solve.h"
#include "core/moment.h"

static struct wm_arena memory;
static uint64_t seed;

static void set_up(void) {
  wm_arena_init(&memory, 0);
}
static void tear_down(void) {
  wm_arena_release(&memory);
}
TestSuite(lint_solve, .init = set_up, .fini = tear_down, .timeout = 300);

static size_t pick(size_t count) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (size_t)(seed >> 33) % count;
}

/* --- random conditions --- */

static const char *const texts[] = {"",
                                    "a",
                                    "ab",
                                    "abc",
                                    "b",
                                    "bc",
                                    "c",
                                    "xabc",
                                    "*",
                                    "a*",
                                    "*b",
                                    "a?c",
                                    "??",
                                    "active",
                                    "guest",
                                    "journey.started",
                                    "journey.x",
                                    "2026-01-01T00:00:00Z",
                                    "2026-01-02T00:00:00Z"};
static const char *const moments[] = {"2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z",
                                      "2026-01-02T00:00:00+01:00", "2026-06-01T00:00:00Z"};
static const char *const durations[] = {"0s", "1d", "2d", "30d"};
static const char *const paths[] = {"data.a",     "data.a",    "data.a",           "data.b",      "data.a.x",
                                    "user.roles", "user.type", "user.groups",      "user.status", "event.type",
                                    "event.time", "event.ext", "user.attributes.t"};

static struct wm_value text_value(const char *text) {
  return (struct wm_value){.type = WM_STRING, .string = wm_text_of(text)};
}

static struct wm_value random_scalar(void) {
  switch (pick(6)) {
  case 0:
    return (struct wm_value){.type = WM_BOOLEAN, .boolean = pick(2)};
  case 1:
  case 2:
    return (struct wm_value){.type = WM_INTEGER, .integer = (int64_t)pick(6)};
  case 3:
    return (struct wm_value){.type = WM_REAL, .real = (double)pick(12) / 2};
  default:
    return text_value(texts[pick(sizeof(texts) / sizeof(texts[0]))]);
  }
}

static struct wm_value random_list(size_t least) {
  struct wm_value list = {.type = WM_LIST};
  list.list.count = least + pick(3);
  list.list.items = WM_ARENA_ARRAY(&memory, struct wm_value, list.list.count + 1);
  for (size_t i = 0; i < list.list.count; i++)
    list.list.items[i] = random_scalar();
  return list;
}

static struct wm_value random_operand(enum wm_operand operand) {
  switch (operand) {
  case WM_OPERAND_SCALAR:
    return random_scalar();
  case WM_OPERAND_SCALARS:
    return random_list(1);
  case WM_OPERAND_NUMBER:
    return pick(2) ? (struct wm_value){.type = WM_INTEGER, .integer = (int64_t)pick(6)}
                   : (struct wm_value){.type = WM_REAL, .real = (double)pick(12) / 2};
  case WM_OPERAND_MOMENT:
    return text_value(moments[pick(sizeof(moments) / sizeof(moments[0]))]);
  case WM_OPERAND_DURATION:
    return text_value(durations[pick(sizeof(durations) / sizeof(durations[0]))]);
  case WM_OPERAND_STRING:
    return text_value(texts[pick(sizeof(texts) / sizeof(texts[0]))]);
  case WM_OPERAND_BOOLEAN:
    return (struct wm_value){.type = WM_BOOLEAN, .boolean = pick(2)};
  }
  return random_scalar();
}

static struct wm_test random_test(void) {
  size_t count = 0;
  while (wm_operators[count].name)
    count++;
  struct wm_test test = {.operator= & wm_operators[pick(count)], .line = 1};
  test.operand = random_operand(test.operator->operand);
  struct wm_error error;
  cr_assert_eq(wm_test_check(&test, &error), 0, "%s", error.text);
  return test;
}

static struct wm_condition random_condition(size_t depth) {
  struct wm_condition condition = {.kind = depth == 0 ? WM_FIELD : (enum wm_condition_kind)pick(4)};
  struct wm_error error;
  if (condition.kind == WM_FIELD) {
    const char *path = paths[pick(sizeof(paths) / sizeof(paths[0]))];
    cr_assert_eq(wm_path_parse(wm_text_of(path), &memory, &condition.path, &error), 0);
    condition.test_count = 1 + pick(3);
    condition.tests = WM_ARENA_ARRAY(&memory, struct wm_test, condition.test_count);
    for (size_t i = 0; i < condition.test_count; i++)
      condition.tests[i] = random_test();
    return condition;
  }
  condition.count = condition.kind == WM_NOT ? 1 : 1 + pick(3);
  condition.children = WM_ARENA_ARRAY(&memory, struct wm_condition, condition.count);
  for (size_t i = 0; i < condition.count; i++)
    condition.children[i] = random_condition(depth - 1);
  return condition;
}

/* --- random events: a value for each path, of operands and what is near them --- */

static struct wm_value near_operand(const struct wm_condition *condition) {
  while (condition->kind != WM_FIELD)
    condition = &condition->children[pick(condition->count)];
  struct wm_value value = condition->tests[pick(condition->test_count)].operand;
  if (value.type == WM_LIST && pick(2))
    value = value.list.items[pick(value.list.count)];
  if (value.type == WM_INTEGER && pick(2))
    value.integer += (int64_t)pick(3) - 1;
  if (value.type == WM_REAL && pick(2))
    value.real += (double)pick(3) / 2 - 0.5;
  return value;
}

static struct wm_value random_value(const struct wm_condition *condition) {
  switch (pick(8)) {
  case 0:
    return (struct wm_value){.type = WM_NULL};
  case 1:
    return random_list(0);
  case 2:
    return random_scalar();
  case 3:
    return text_value(moments[pick(sizeof(moments) / sizeof(moments[0]))]);
  default:
    return near_operand(condition);
  }
}

static struct wm_value random_texts(void) {
  struct wm_value list = random_list(0);
  for (size_t i = 0; i < list.list.count; i++)
    list.list.items[i] = text_value(texts[pick(sizeof(texts) / sizeof(texts[0]))]);
  return list;
}

static struct wm_value *new_object(size_t room) {
  struct wm_value *object = WM_ARENA_NEW(&memory, struct wm_value);
  object->type = WM_OBJECT;
  object->object.members = WM_ARENA_ARRAY(&memory, struct wm_member, room);
  return object;
}

static void add_member(struct wm_value *object, const char *name, struct wm_value value) {
  if (pick(6) == 0)
    return;
  object->object.members[object->object.count++] = (struct wm_member){wm_text_of(name), value};
}

struct world {
  struct wm_event event;
  struct wm_user user;
  struct wm_value roles;
  struct wm_scope scope;
};

static void random_world(const struct wm_condition *condition, const struct wm_automation *automation,
                         struct world *ret) {
  static const char *const statuses[] = {"active", "suspended", "inactive", "deleted"};
  static const char *const types[] = {"employee", "partner", "customer", "guest"};
  *ret = (struct world){0};
  const char *type = pick(2) ? "journey.started" : "journey.x";
  if (automation && pick(4) == 0)
    type = "other";
  int64_t now_us = 0;
  const char *time = moments[pick(sizeof(moments) / sizeof(moments[0]))];
  wm_moment_parse(wm_text_of(moments[pick(sizeof(moments) / sizeof(moments[0]))]), &now_us);
  struct wm_value *data = new_object(4), *attributes = new_object(4), *fields = new_object(8);
  struct wm_value *inner = new_object(2), *more = new_object(2);
  attributes->object.members[attributes->object.count++] = (struct wm_member){WM_TEXT("type"), text_value(type)};
  attributes->object.members[attributes->object.count++] = (struct wm_member){WM_TEXT("time"), text_value(time)};
  add_member(attributes, "ext", random_value(condition));
  add_member(inner, "x", random_value(condition));
  add_member(data, "a", pick(4) == 0 ? *inner : random_value(condition));
  add_member(data, "b", random_value(condition));
  add_member(more, "t", random_value(condition));
  add_member(fields, "status", text_value(statuses[pick(4)]));
  add_member(fields, "type", text_value(types[pick(4)]));
  add_member(fields, "groups", random_texts());
  add_member(fields, "attributes", *more);
  ret->event = (struct wm_event){.type = wm_text_of(type), .attributes = *attributes, .data = data, .now_us = now_us};
  ret->user.profile.fields = *fields;
  ret->user.profile.clock.source = pick(6) ? WM_TEXT("s") : WM_NO_TEXT;
  ret->roles = random_texts();
  ret->scope = (struct wm_scope){&ret->event, pick(6) ? &ret->user : NULL, &ret->roles, now_us};
}

/* --- the properties --- */

#define ROUNDS 20000
#define WORLDS 60

Test(lint_solve, what_is_called_impossible_never_holds_and_what_is_shown_does) {
  size_t verdicts[3] = {0}, held = 0;
  for (uint64_t round = 1; round <= ROUNDS; round++) {
    seed = round * 7919;
    wm_arena_rewind(&memory);
    struct wm_condition condition = random_condition(pick(4));
    struct wm_text triggers[] = {WM_TEXT("journey.started"), WM_TEXT("journey.*")};
    struct wm_automation automation = {.triggers = triggers, .trigger_count = 1 + pick(2), .when = condition};
    const struct wm_automation *automations[] = {&automation};
    const struct wm_condition *conditions[] = {&condition};
    bool whole = pick(2);
    struct lint_goal goal = {
        .conditions = conditions, .condition_count = !whole, .automations = automations, .automation_count = whole};
    struct lint_answer answer;
    size_t steps = 2000;
    cr_assert_eq(lint_solve(&goal, &steps, true, &memory, &answer), 0);
    verdicts[answer.verdict]++;
    if (answer.verdict == LINT_SHOWN) {
      cr_expect_eq(wm_condition_answer(&condition, &answer.example.scope), WM_YES, "round %zu", (size_t)round);
      cr_expect(!whole || wm_automation_takes(&automation, answer.example.event.type));
    }
    bool holds = false;
    for (size_t i = 0; i < WORLDS; i++) {
      struct world world;
      random_world(&condition, whole ? &automation : NULL, &world);
      bool takes = !whole || wm_automation_takes(&automation, world.event.type);
      holds |= takes && wm_condition_answer(&condition, &world.scope) == WM_YES;
    }
    held += holds;
    cr_assert(!holds || answer.verdict != LINT_NEVER, "round %zu is called impossible and holds", (size_t)round);
    struct lint_goal anyone = goal;
    anyone.any_user = true;
    steps = 2000;
    cr_assert_eq(lint_solve(&anyone, &steps, false, &memory, &answer), 0);
    cr_assert(!holds || answer.verdict != LINT_NEVER, "round %zu is called impossible for any user", (size_t)round);
  }
  cr_log_info("never %zu, perhaps %zu, shown %zu, held %zu", verdicts[0], verdicts[1], verdicts[2], held);
  cr_expect_gt(verdicts[LINT_NEVER], (size_t)ROUNDS / 20);
  cr_expect_gt(verdicts[LINT_SHOWN], (size_t)ROUNDS / 5);
  cr_expect_gt(held, (size_t)ROUNDS / 10);
}

/* --- one field, operators of one family, and every value that could matter --- */

#define VALUES_LIMIT 1024

struct family {
  const char *operators[12];
  struct wm_value (*operand)(enum wm_operand operand);
  size_t (*values)(struct wm_value *ret); /* all of them; returns how many */
};

static struct wm_value small_number(enum wm_operand operand) {
  (void)operand;
  return (struct wm_value){.type = WM_REAL, .real = (double)pick(4)};
}

static struct wm_value one_or_more_numbers(enum wm_operand operand) {
  if (operand != WM_OPERAND_SCALARS)
    return (struct wm_value){.type = WM_INTEGER, .integer = (int64_t)pick(4)};
  struct wm_value list = {.type = WM_LIST};
  list.list.count = 1 + pick(3);
  list.list.items = WM_ARENA_ARRAY(&memory, struct wm_value, list.list.count);
  for (size_t i = 0; i < list.list.count; i++)
    list.list.items[i] = (struct wm_value){.type = WM_INTEGER, .integer = (int64_t)pick(4)};
  return list;
}

static size_t all_numbers(struct wm_value *ret) {
  for (size_t i = 0; i < 12; i++)
    ret[i] = (struct wm_value){.type = WM_REAL, .real = (double)i / 2 - 1};
  return 12;
}

static size_t all_lists(struct wm_value *ret) {
  for (size_t set = 0; set < 16; set++) {
    ret[set] = (struct wm_value){.type = WM_LIST, .list = {WM_ARENA_ARRAY(&memory, struct wm_value, 4), 0}};
    for (size_t i = 0; i < 4; i++)
      if (set >> i & 1)
        ret[set].list.items[ret[set].list.count++] = (struct wm_value){.type = WM_INTEGER, .integer = (int64_t)i};
  }
  return 16;
}

static struct wm_value short_text(enum wm_operand operand) {
  static const char *const some[] = {"",  "a",  "b",  "ab", "ba", "aa",  "bb", "aba",
                                     "*", "a*", "*b", "?",  "a?", "?b*", "b"};
  (void)operand;
  return text_value(some[pick(sizeof(some) / sizeof(some[0]))]);
}

static size_t all_texts(struct wm_value *ret) {
  size_t count = 0;
  for (size_t size = 0; size <= 6; size++) {
    for (size_t bits = 0; bits < (size_t)1 << size; bits++) {
      char text[8] = "";
      for (size_t i = 0; i < size; i++)
        text[i] = bits >> i & 1 ? 'a' : 'b';
      ret[count++] = text_value(wm_arena_copy(&memory, text, size));
    }
  }
  return count;
}

#define DAY_US (INT64_C(86400) * WM_SECOND_US)

static struct wm_value some_moment(enum wm_operand operand) {
  if (operand == WM_OPERAND_DURATION)
    return text_value(durations[pick(3)]);
  char text[WM_MOMENT_SIZE];
  size_t size = wm_moment_format((int64_t)pick(3) + (int64_t)pick(2) * DAY_US, text);
  return text_value(wm_arena_copy(&memory, text, size));
}

static size_t all_moments(struct wm_value *ret) {
  static const int64_t bases[] = {-2 * DAY_US, -DAY_US, 0, DAY_US, 2 * DAY_US};
  size_t count = 0;
  for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
    for (int64_t step = -2; step <= 4; step++) {
      char text[WM_MOMENT_SIZE];
      size_t size = wm_moment_format(bases[i] + step, text);
      ret[count++] = text_value(wm_arena_copy(&memory, text, size));
    }
  }
  return count;
}

static const struct family families[] = {
    {{"is", "is-not", "in", "not-in", "above", "at-least", "below", "at-most"}, one_or_more_numbers, all_numbers},
    {{"above", "at-least", "below", "at-most"}, small_number, all_numbers},
    {{"has", "has-any", "has-all", "has-none"}, one_or_more_numbers, all_lists},
    {{"starts-with", "ends-with", "contains", "glob"}, short_text, all_texts},
    {{"before", "after", "within", "older-than"}, some_moment, all_moments},
    {{"before", "after"}, some_moment, all_moments},
    {{"within", "older-than"}, some_moment, all_moments},
};

/* Two or three tests of one family on one field, some of them turned round. */
static struct wm_condition close_tests(const struct family *family) {
  struct wm_condition all = {.kind = WM_ALL, .count = 2 + pick(2)};
  struct wm_error error;
  size_t operators = 0;
  while (family->operators[operators])
    operators++;
  all.children = WM_ARENA_ARRAY(&memory, struct wm_condition, all.count);
  for (size_t i = 0; i < all.count; i++) {
    struct wm_condition *field = WM_ARENA_NEW(&memory, struct wm_condition);
    *field = (struct wm_condition){.kind = WM_FIELD, .test_count = 1};
    field->tests = WM_ARENA_NEW(&memory, struct wm_test);
    field->tests->operator= wm_operator_find(wm_text_of(family->operators[pick(operators)]));
    field->tests->operand = family->operand(field->tests->operator->operand);
    cr_assert_eq(wm_path_parse(WM_TEXT("data.a"), &memory, &field->path, &error), 0);
    cr_assert_eq(wm_test_check(field->tests, &error), 0, "%s", error.text);
    all.children[i] = pick(2) ? *field : (struct wm_condition){.kind = WM_NOT, .children = field, .count = 1};
  }
  return all;
}

static bool holds_for_any(const struct wm_condition *condition, const struct wm_value *values, size_t count) {
  static const int64_t nows[] = {0, 1, DAY_US, DAY_US + 1, 2 * DAY_US + 2};
  for (size_t i = 0; i < count * 5; i++) {
    struct wm_member member = {WM_TEXT("a"), values[i / 5]};
    const struct wm_value data = {.type = WM_OBJECT, .object = {&member, 1}};
    const struct wm_event given = {.data = &data};
    const struct wm_scope scope = {.event = &given, .now_us = nows[i % 5]};
    if (wm_condition_answer(condition, &scope) == WM_YES)
      return true;
  }
  return false;
}

Test(lint_solve, close_to_the_edges_it_errs_on_one_side_only) {
  static struct wm_value values[VALUES_LIMIT];
  for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
    size_t never = 0, nothing = 0;
    for (uint64_t round = 1; round <= 3000; round++) {
      seed = round * 104729 + f;
      wm_arena_rewind(&memory);
      size_t count = families[f].values(values), steps = 1000;
      const struct wm_condition condition = close_tests(&families[f]), *conditions[] = {&condition};
      const struct lint_goal goal = {.conditions = conditions, .condition_count = 1};
      struct lint_answer answer;
      bool holds = holds_for_any(&condition, values, count);
      cr_assert_eq(lint_solve(&goal, &steps, true, &memory, &answer), 0);
      cr_assert(!holds || answer.verdict != LINT_NEVER, "family %zu, round %zu", f, (size_t)round);
      never += answer.verdict == LINT_NEVER;
      nothing += !holds;
    }
    cr_log_info("family %zu: %zu of %zu that never hold are known", f, never, nothing);
    cr_expect_gt(never, nothing / 3, "family %zu: only %zu of %zu", f, never, nothing);
  }
}

Test(lint_solve, a_long_search_ends_without_a_verdict) {
  struct wm_condition fields[40], any[40], all = {.kind = WM_ALL, .children = any, .count = 40};
  for (size_t i = 0; i < 40; i++) {
    struct wm_error error;
    fields[i] = (struct wm_condition){.kind = WM_FIELD, .test_count = 1};
    cr_assert_eq(wm_path_parse(WM_TEXT("data.a"), &memory, &fields[i].path, &error), 0);
    fields[i].tests = WM_ARENA_NEW(&memory, struct wm_test);
    fields[i].tests[0] = (struct wm_test){.operator= wm_operator_find(WM_TEXT("is-not")),
                                          .operand = {.type = WM_INTEGER, .integer = (int64_t)i}};
    any[i] = (struct wm_condition){.kind = WM_ANY, .children = fields, .count = i + 1};
  }
  const struct wm_condition *conditions[] = {&all};
  struct lint_goal goal = {.conditions = conditions, .condition_count = 1};
  struct lint_answer answer;
  size_t steps = 30;
  cr_assert_eq(lint_solve(&goal, &steps, false, &memory, &answer), 0);
  cr_expect_eq(answer.verdict, LINT_PERHAPS);
  cr_expect_eq(steps, 0u);
}

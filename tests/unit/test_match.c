#include "core/match.h"
#include "language.h"

/* The positions that an event finds, as text: "0 3 4". */
static const char *sift(const struct wm_automation *automations, size_t count, const struct wm_event *event) {
  static struct wm_buf buf;
  struct wm_index *index = wm_index_new(automations, count);
  struct wm_arena arena;
  struct wm_candidates found;
  wm_arena_init(&arena, 0);
  cr_assert_not_null(index);
  cr_assert_eq(wm_index_sift(index, event, &arena, &found), 0);
  wm_buf_clear(&buf);
  wm_buf_add_string(&buf, "");
  for (size_t i = 0; i < found.count; i++)
    wm_buf_printf(&buf, "%s%td", i > 0 ? " " : "", found.items[i] - automations);
  wm_index_free(index);
  wm_arena_release(&arena);
  return buf.bytes;
}

#define SIFT(automations, event) sift((automations), sizeof(automations) / sizeof((automations)[0]), (event))
#define NEEDS(path, ...) FIELD((path), TEST("is", (__VA_ARGS__)))

Test(match, goes_by_trigger_exact_and_prefix) {
  struct wm_automation automations[] = {
      automation_of(TRIGGERS("journey.started"), ALWAYS),
      automation_of(TRIGGERS("journey.*"), ALWAYS),
      automation_of(TRIGGERS("*"), ALWAYS),
      automation_of(TRIGGERS("journey.completed"), ALWAYS),
      automation_of(TRIGGERS("journey*started"), ALWAYS), /* a star inside is a star */
  };
  struct wm_event event = event_of("journey.started", NULL);
  cr_assert_str_eq(SIFT(automations, &event), "0 1 2");
  event.type = WM_TEXT("journey.");
  cr_assert_str_eq(SIFT(automations, &event), "1 2");
  event.type = WM_TEXT("j");
  cr_assert_str_eq(SIFT(automations, &event), "2");
}

Test(match, reserved_types_never_match) {
  struct wm_automation automations[] = {
      automation_of(TRIGGERS("*", "role.*", "role.x", "directory.user.updated"), ALWAYS)};
  struct wm_index *index = wm_index_new(automations, 1);
  static const char *const types[] = {"directory.user.updated", "role.assignment.requested", "role.x", "directory."};
  for (size_t i = 0; i < 4; i++) {
    struct wm_event event = event_of(types[i], NULL);
    cr_expect_str_eq(SIFT(automations, &event), "");
    cr_expect_not(wm_index_takes(index, wm_text_of(types[i])));
    cr_expect_not(wm_automation_takes(&automations[0], wm_text_of(types[i])));
  }
  cr_assert(wm_index_takes(index, WM_TEXT("roles")));
  wm_index_free(index);
}

Test(match, an_automation_with_two_triggers_is_found_once) {
  struct wm_automation automations[] = {
      automation_of(TRIGGERS("journey.*", "journey.started", "*", "journey.started"), NEEDS("data.x", INTEGER(1))),
      automation_of(TRIGGERS("journey.*", "journey.started"), ALWAYS),
      automation_of(TRIGGERS("journey.started"), FIELD("data.x", TEST("in", LIST(INTEGER(1), REAL(1), INTEGER(2))))),
  };
  struct wm_value data = OBJECT(MEMBER("x", REAL(1)));
  struct wm_event event = event_of("journey.started", &data);
  cr_assert_str_eq(SIFT(automations, &event), "0 1 2");
}

Test(match, disabled_automations_are_not_found_but_counted_as_taking) {
  struct wm_automation automations[] = {automation_of(TRIGGERS("journey.started", "order.*"), ALWAYS)};
  automations[0].enabled = false;
  struct wm_event event = event_of("journey.started", NULL);
  cr_assert_str_eq(SIFT(automations, &event), "");
  struct wm_index *index = wm_index_new(automations, 1);
  cr_assert(wm_index_takes(index, WM_TEXT("journey.started")));
  cr_assert(wm_index_takes(index, WM_TEXT("order.placed")));
  cr_assert_not(wm_index_takes(index, WM_TEXT("order")));
  wm_index_free(index);
}

Test(match, an_empty_index_takes_nothing) {
  struct wm_index *index = wm_index_new(NULL, 0);
  struct wm_arena arena;
  struct wm_candidates found;
  struct wm_event event = event_of("journey.started", NULL);
  wm_arena_init(&arena, 0);
  cr_assert_eq(wm_index_sift(index, &event, &arena, &found), 0);
  cr_assert_eq(found.count, 0);
  cr_assert_eq(arena.used, 0, "an event that nothing takes costs no memory");
  cr_assert_not(wm_index_takes(index, WM_TEXT("journey.started")));
  wm_index_free(index);
  wm_index_free(NULL);
}

Test(match, cannot_tell_is_no_match) {
  struct wm_automation automations[] = {
      automation_of(TRIGGERS("journey.started"), NEEDS("data.x", INTEGER(1))),
      automation_of(TRIGGERS("journey.started"), NOT(NEEDS("data.x", INTEGER(1)))),
      automation_of(TRIGGERS("journey.started"), FIELD("data.x", TEST("present", BOOLEAN(false)))),
  };
  struct wm_event event = event_of("journey.started", NULL);
  cr_assert_str_eq(SIFT(automations, &event), "2");
}

Test(match, keeps_what_the_user_may_still_decide_and_nothing_else) {
  struct wm_condition has = FIELD("user.roles", TEST("has", STRING("a")));
  struct wm_automation automations[] = {
      automation_of(TRIGGERS("journey.started"), ALL(has)),
      automation_of(TRIGGERS("journey.started"), ALL(NEEDS("data.x", INTEGER(1)), has)),
      automation_of(TRIGGERS("journey.started"), ALL(NEEDS("data.x", INTEGER(2)), has)),
      automation_of(TRIGGERS("journey.started"), ALL(FIELD("data.x", TEST("above", INTEGER(1))), NOT(has))),
      automation_of(TRIGGERS("journey.started"), ALL(FIELD("data.y", TEST("above", INTEGER(1))), has)),
      automation_of(TRIGGERS("journey.started"), NOT(ANY(has, NEEDS("data.x", INTEGER(1))))),
      automation_of(TRIGGERS("journey.started"), ANY(has, NEEDS("data.x", INTEGER(2)))),
  };
  struct wm_value data = OBJECT(MEMBER("x", INTEGER(1)));
  struct wm_event event = event_of("journey.started", &data);
  cr_assert_str_eq(SIFT(automations, &event), "0 1 6");
  event.user = WM_NO_TEXT;
  cr_assert_str_eq(SIFT(automations, &event), "", "without a user all of them cannot tell");
}

Test(match, many_paths_are_found_by_the_names_that_the_event_has) {
  static const char *const needed[] = {
      "data.a",       "data.b",    "data.z",     "data.z.x", "data.z.y",   "data.z.y.w",
      "data.\"z.x\"", "data.type", "event.type", "event.a",  "data.z.y.v", "data.c",
  };
  struct wm_automation automations[12];
  for (size_t i = 0; i < 12; i++)
    automations[i] = automation_of(TRIGGERS("journey.started"), NEEDS(needed[i], STRING("journey.started")));
  struct wm_value yes = STRING("journey.started");
  struct wm_value deep = OBJECT(MEMBER("x", yes), MEMBER("y", OBJECT(MEMBER("v", yes), MEMBER("w", yes))));
  struct wm_value data = OBJECT(MEMBER("z", deep), MEMBER("a", yes), MEMBER("type", STRING("other")));
  struct wm_event event = event_of("journey.started", &data);
  cr_assert_str_eq(SIFT(automations, &event), "0 3 5 8 10");
  data = OBJECT(MEMBER("z.x", yes), MEMBER("type", yes), MEMBER("z", yes));
  cr_assert_str_eq(SIFT(automations, &event), "2 6 7 8");
  event.data = NULL;
  cr_assert_str_eq(SIFT(automations, &event), "8");
}

/* Random automations over a small world, in which much collides. */
struct dice {
  uint64_t state;
};

static unsigned roll(struct dice *dice, unsigned sides) {
  dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (unsigned)(dice->state >> 33) % sides;
}

static struct wm_value random_scalar(struct dice *dice) {
  static const char *const texts[] = {"a", "b", "2"};
  switch (roll(dice, 4)) {
  case 0:
    return STRING(texts[roll(dice, 3)]);
  case 1:
    return REAL(roll(dice, 6) / 2.0);
  case 2:
    return BOOLEAN(roll(dice, 2));
  default:
    return INTEGER(roll(dice, 4));
  }
}

static struct wm_value random_value(struct dice *dice) {
  switch (roll(dice, 8)) {
  case 0:
    return NOTHING;
  case 1:
    return LIST(random_scalar(dice), random_scalar(dice));
  case 2:
    return OBJECT(MEMBER("x", random_scalar(dice)), MEMBER("y", random_scalar(dice)));
  default:
    return random_scalar(dice);
  }
}

/* More than WM_MATCH_FEW_GROUPS of the event, some with a first name in common, or the same name below both roots. */
static const char *const paths[] = {"data.x",   "data.y",  "data.z",     "data.z.x",   "data.z.y",
                                    "data.x.x", "data.w",  "data.type",  "data.y.x.z", "event.type",
                                    "event.id", "event.w", "event.time", "user.roles", "user.type"};

static struct wm_condition random_field(struct dice *dice) {
  const char *path = paths[roll(dice, sizeof(paths) / sizeof(paths[0]))];
  switch (roll(dice, 9)) {
  case 7:
    return FIELD(path, TEST("not-in", LIST(random_scalar(dice), random_scalar(dice))));
  case 8:
    return FIELD(path, TEST("has", random_scalar(dice)));
  case 0:
    return FIELD(path, TEST("in", LIST(random_scalar(dice), random_scalar(dice), random_scalar(dice))));
  case 1:
    return FIELD(path, TEST("is-not", random_scalar(dice)));
  case 2:
    return FIELD(path, TEST("above", INTEGER(roll(dice, 3))));
  case 3:
    return FIELD(path, TEST("present", BOOLEAN(roll(dice, 2))));
  case 4:
    return FIELD(path, TEST("present", BOOLEAN(true)), TEST("is", random_scalar(dice)));
  default:
    return FIELD(path, TEST("is", random_scalar(dice)));
  }
}

static struct wm_condition random_condition(struct dice *dice, unsigned depth) {
  struct wm_condition children[3];
  size_t count = roll(dice, 4);
  for (size_t i = 0; i < count; i++)
    children[i] = depth > 0 && roll(dice, 3) == 0 ? random_condition(dice, depth - 1) : random_field(dice);
  switch (roll(dice, 5)) {
  case 0:
    return several_of(WM_ANY, children, count);
  case 1:
    return several_of(WM_NOT, (struct wm_condition[]){several_of(WM_ALL, children, count)}, 1);
  default:
    return several_of(WM_ALL, children, count);
  }
}

static struct wm_automation random_automation(struct dice *dice) {
  static const char *const triggers[] = {"a.b", "a.c", "a.*", "*", "a.b*", "b"};
  const char *chosen[4] = {NULL};
  size_t count = 1 + roll(dice, 3);
  for (size_t i = 0; i < count; i++)
    chosen[i] = triggers[roll(dice, 6)];
  struct wm_automation automation =
      automation_of(chosen, several_of(WM_ALL, (struct wm_condition[]){random_condition(dice, 2)}, 1));
  automation.enabled = roll(dice, 10) > 0;
  return automation;
}

static struct wm_event random_event(struct dice *dice) {
  static const char *const types[] = {"a.b", "a.c", "a.bc", "b", "c", "role.x"};
  struct wm_value *data = wm_arena_alloc(&memory, sizeof(*data));
  *data = OBJECT(MEMBER("x", random_value(dice)), MEMBER("z", random_value(dice)), MEMBER("y", random_value(dice)),
                 MEMBER("type", random_value(dice)), MEMBER("w", random_value(dice)));
  data->object.count = roll(dice, 6);
  struct wm_event event = event_of(types[roll(dice, 6)], data);
  if (roll(dice, 5) == 0)
    event.user = WM_NO_TEXT;
  return event;
}

static bool is_found(const struct wm_candidates *found, const struct wm_automation *automation) {
  for (size_t i = 0; i < found->count; i++)
    if (found->items[i] == automation)
      return true;
  return false;
}

/* Asks every automation itself, and compares with what the index found. */
static void compare_with_plain(struct dice *dice, const struct wm_automation *automations, size_t count,
                               const struct wm_event *event, const struct wm_candidates *found) {
  struct wm_user user = user_of(OBJECT(MEMBER("type", random_value(dice))));
  struct wm_value roles = LIST(random_scalar(dice), random_scalar(dice));
  bool named = event->user.bytes != NULL;
  const struct wm_scope scope = {.event = event, .user = named ? &user : NULL, .roles = named ? &roles : NULL};
  for (size_t i = 0; i < count; i++) {
    bool takes = automations[i].enabled && wm_automation_takes(&automations[i], event->type);
    bool yes = takes && wm_condition_answer(&automations[i].when, &scope) == WM_YES;
    bool is = is_found(found, &automations[i]);
    cr_assert(!yes || is, "automation %zu answers yes and was not found", i);
    cr_assert(!is || takes, "automation %zu was found by an event that it does not take", i);
    if (!automations[i].reads_user || !named)
      cr_assert_eq(is, yes, "automation %zu was found and does not answer yes", i);
  }
  for (size_t i = 1; i < found->count; i++)
    cr_assert_lt(found->items[i - 1], found->items[i], "by position, each once");
}

Test(match, the_index_finds_what_plain_evaluation_finds, .timeout = 300) {
  size_t matches = 0;
  for (uint64_t seed = 0; seed < 150; seed++) {
    struct dice dice = {seed};
    struct wm_automation automations[80];
    size_t count = roll(&dice, 81);
    for (size_t i = 0; i < count; i++)
      automations[i] = random_automation(&dice);
    struct wm_index *index = wm_index_new(automations, count);
    struct wm_arena arena;
    wm_arena_init(&arena, 0);
    for (size_t i = 0; i < 60; i++) {
      struct wm_event event = random_event(&dice);
      struct wm_candidates found;
      cr_assert_eq(wm_index_sift(index, &event, &arena, &found), 0);
      compare_with_plain(&dice, automations, count, &event, &found);
      matches += found.count;
      wm_arena_rewind(&arena);
    }
    wm_index_free(index);
    wm_arena_release(&arena);
    wm_arena_rewind(&memory);
  }
  cr_assert_gt(matches, 5000, "a test of nothing but misses proves little");
}

/* --- cannot tell --- */

/* The positions that could not tell: those that the index asks, then those that are asked all the same. */
static const char *unknown(const struct wm_automation *automations, size_t count, size_t first, size_t window,
                           const struct wm_event *event) {
  static struct wm_buf buf;
  struct wm_index *index = wm_index_new(automations, count);
  struct wm_arena arena;
  struct wm_candidates found;
  wm_arena_init(&arena, 0);
  cr_assert_not_null(index);
  cr_assert_eq(wm_index_sift(index, event, &arena, &found), 0);
  if (window > 0)
    cr_assert_eq(wm_match_look(automations + first, window, event, &arena, &found), 0);
  wm_buf_clear(&buf);
  wm_buf_add_string(&buf, "");
  for (size_t i = 0; i < found.unknown_count; i++)
    wm_buf_printf(&buf, "%s%td", i > 0 ? " " : "", found.unknown[i] - automations);
  wm_index_free(index);
  wm_arena_release(&arena);
  return buf.bytes;
}

#define UNKNOWN(automations, first, window, event)                                                                     \
  unknown((automations), sizeof(automations) / sizeof((automations)[0]), (first), (window), (event))

Test(match, tells_who_could_not_tell) {
  struct wm_automation automations[] = {
      automation_of(TRIGGERS("journey.started"),
                    FIELD("data.score", TEST("above", INTEGER(3)))),                    /* asked by the sift */
      automation_of(TRIGGERS("journey.started"), NEEDS("data.journey", STRING("a"))),   /* left out by it */
      automation_of(TRIGGERS("journey.completed"), NEEDS("data.journey", STRING("a"))), /* another type */
      automation_of(TRIGGERS("journey.started"), NEEDS("data.level", INTEGER(1))),      /* a no */
      automation_of(TRIGGERS("journey.*"), NEEDS("data.journey", STRING("b"))),
  };
  struct wm_value data = OBJECT(MEMBER("level", INTEGER(2)));
  struct wm_event event = event_of("journey.started", &data);
  cr_expect_str_eq(UNKNOWN(automations, 0, 0, &event), "0");
  cr_expect_str_eq(UNKNOWN(automations, 0, 5, &event), "0 1 4");
  cr_expect_str_eq(UNKNOWN(automations, 4, 1, &event), "0 4", "a window of them");
  cr_expect_str_eq(UNKNOWN(automations, 0, 1, &event), "0", "nobody twice");
  automations[1].enabled = false;
  cr_expect_str_eq(UNKNOWN(automations, 0, 5, &event), "0 4", "who is off is not asked");
  event.type = WM_TEXT("directory.user.updated");
  cr_expect_str_eq(UNKNOWN(automations, 0, 5, &event), "", "a reserved type is nobody's");
}

Test(match, what_hangs_on_the_user_is_no_cannot_tell) {
  struct wm_automation automations[] = {
      automation_of(TRIGGERS("*"), FIELD("user.type", TEST("is", STRING("partner")))),
      automation_of(TRIGGERS("*"),
                    ALL(FIELD("data.a", TEST("above", INTEGER(1))), FIELD("user.type", TEST("is", STRING("partner"))))),
  };
  automations[0].reads_user = automations[1].reads_user = true;
  struct wm_event event = event_of("journey.started", NULL);
  cr_expect_str_eq(UNKNOWN(automations, 0, 2, &event), "", "the user may say no");
  event.user = WM_NO_TEXT;
  cr_expect_str_eq(UNKNOWN(automations, 0, 2, &event), "0 1", "nobody will say more");
}

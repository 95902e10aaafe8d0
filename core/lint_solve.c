/* The search: conditions are taken apart into tests that must answer yes or no. Where one of several is enough each
 * is tried in turn, and a way is left as soon as two of its tests exclude each other. When no way is left, nothing can
 * make the conditions hold. */
#include "core/lint_solve.h"

/* What is still to be taken apart; shared tails, in the arena. */
struct work {
  const struct wm_condition *condition;
  bool holds;
  const struct work *next;
};

struct search {
  const struct lint_goal *goal;
  struct lint_answer *answer;
  struct wm_arena *arena;
  size_t steps;
  bool examples, memory;
  struct lint_literal literals[LINT_LITERALS_LIMIT];
  size_t count;
};

/* Triggers as conditions on event.type; those of Waymark itself are taken by none. */
static const struct wm_text type_name = {"type", 4};
static const struct wm_path type_path = {WM_PATH_EVENT, {"event.type", 10}, (struct wm_text *)&type_name, 1};

static const struct wm_test *new_type_test(struct search *search, const char *operator, struct wm_text text) {
  struct wm_test *test = WM_ARENA_NEW(search->arena, struct wm_test);
  if (!test) {
    search->memory = true;
    return NULL;
  }
  test->operator= wm_operator_find(wm_text_of(operator));
  test->operand = (struct wm_value){.type = WM_STRING, .string = text};
  return test;
}

static bool is_left_out(const struct search *search, const struct wm_condition *field) {
  return search->goal->any_user && wm_path_is_user(&field->path);
}

static void charge(struct search *search, size_t steps) {
  search->steps -= steps < search->steps ? steps : search->steps;
}

/* Remembers the first two that exclude each other; they tell more than one that is alone. */
static bool clash(struct lint_answer *answer, const struct lint_literal *first, const struct lint_literal *second) {
  if (answer->clash[0].path || (answer->clash[1].path && !first))
    return false;
  answer->clash[0] = first ? *first : (struct lint_literal){0};
  answer->clash[1] = *second;
  return false;
}

/* False: it excludes what is there already, or itself. Kept out of the frames of what calls itself. */
static __attribute__((noinline)) bool add_literal(struct search *search, struct lint_literal literal) {
  const struct lint_literal *same[LINT_LITERALS_LIMIT + 1];
  size_t count = 0;
  same[count++] = &literal;
  charge(search, search->count / 8);
  for (size_t i = 0; i < search->count; i++) {
    const struct lint_literal *other = &search->literals[i];
    if (wm_path_equal(other->path, literal.path))
      same[count++] = other;
    else if (lint_fit_pair(other, &literal))
      continue;
    else
      return clash(search->answer, other, &literal);
  }
  if (lint_fit(same, count)) {
    if (search->count < LINT_LITERALS_LIMIT)
      search->literals[search->count++] = literal;
    return true;
  }
  for (size_t i = 1; i < count; i++)
    if (!lint_fit_pair(same[i], &literal))
      return clash(search->answer, same[i], &literal);
  return clash(search->answer, NULL, &literal);
}

static bool answers_yes(const struct lint_goal *goal, const struct lint_example *example) {
  for (size_t i = 0; i < goal->condition_count; i++)
    if (wm_condition_answer(goal->conditions[i], &example->scope) != WM_YES)
      return false;
  for (size_t i = 0; i < goal->automation_count; i++)
    if (!wm_automation_takes(goal->automations[i], example->event.type) ||
        wm_condition_answer(&goal->automations[i]->when, &example->scope) != WM_YES)
      return false;
  return !wm_event_type_is_reserved(example->event.type);
}

/* A way to its end. True: no need to look further. */
static bool arrive(struct search *search) {
  if (!search->examples)
    return true;
  charge(search, 8 + 2 * search->count);
  int made = lint_example_make(search->literals, search->count, search->arena, &search->answer->example);
  search->memory |= made < 0;
  if (made <= 0 || !answers_yes(search->goal, &search->answer->example))
    return made < 0;
  search->answer->verdict = LINT_SHOWN;
  return true;
}

static const struct work *push(struct search *search, const struct wm_condition *condition, bool holds,
                               const struct work *next) {
  struct work *work = WM_ARENA_NEW(search->arena, struct work);
  if (!work) {
    search->memory = true;
    return next;
  }
  *work = (struct work){condition, holds, next};
  return work;
}

/* One of several is enough: is this such a place? */
static bool branches(const struct wm_condition *condition, bool holds) {
  switch (condition->kind) {
  case WM_ALL:
    return !holds && condition->count > 1;
  case WM_ANY:
    return holds && condition->count > 1;
  case WM_FIELD:
    return !holds && condition->test_count > 1;
  case WM_NOT:
    return false;
  }
  return false;
}

/* Takes apart what leaves no choice; choices are put aside. False: it can't hold. */
static bool settle(struct search *search, const struct work *work, const struct work **choices) {
  while (work && search->steps > 0 && !search->memory) {
    const struct wm_condition *condition = work->condition;
    bool holds = work->holds;
    work = work->next;
    charge(search, 1);
    if (condition->kind == WM_FIELD && is_left_out(search, condition))
      continue;
    if (branches(condition, holds)) {
      *choices = push(search, condition, holds, *choices);
    } else if (condition->kind == WM_FIELD) {
      for (size_t i = 0; i < condition->test_count; i++)
        if (!add_literal(search, (struct lint_literal){&condition->path, &condition->tests[i], holds}))
          return false;
    } else if (condition->kind == WM_NOT) {
      work = push(search, &condition->children[0], !holds, work);
    } else { /* nothing inside: it could not be read, and says nothing */
      for (size_t i = condition->count; i-- > 0;)
        work = push(search, &condition->children[i], holds, work);
    }
  }
  return true;
}

static bool follow(struct search *search, const struct work *work, const struct work *choices);

/* Tries each of what is enough. True: something may hold. */
static bool choose(struct search *search, const struct work *choice, const struct work *others) {
  const struct wm_condition *condition = choice->condition;
  bool field = condition->kind == WM_FIELD, found = false;
  size_t count = field ? condition->test_count : condition->count, before = search->count;
  for (size_t i = 0; i < count && !found; i++) {
    search->count = before;
    charge(search, 1);
    if (search->steps == 0)
      return true;
    if (!field)
      found = follow(search, push(search, &condition->children[i], choice->holds, NULL), others);
    else if (add_literal(search, (struct lint_literal){&condition->path, &condition->tests[i], choice->holds}))
      found = follow(search, NULL, others);
  }
  return found;
}

/* True: stop here; this may hold, or the search was long enough. */
static bool follow(struct search *search, const struct work *work, const struct work *choices) {
  if (!settle(search, work, &choices))
    return false;
  if (search->steps == 0 || search->memory)
    return true;
  if (choices)
    return choose(search, choices, choices->next);
  search->answer->verdict = LINT_PERHAPS; /* and look on for one that can be shown */
  return arrive(search);
}

/* Each trigger of the automations at 'index' and behind in turn. */
static bool follow_triggers(struct search *search, size_t index, const struct work *work) {
  const struct lint_goal *goal = search->goal;
  size_t before = search->count;
  if (index == goal->automation_count)
    return follow(search, work, NULL);
  const struct wm_automation *automation = goal->automations[index];
  for (size_t i = 0; i < automation->trigger_count && search->steps > 0; i++) {
    struct wm_text trigger = automation->triggers[i];
    bool any = wm_text_ends_with(trigger, WM_TEXT("*"));
    trigger.size -= any;
    const struct wm_test *test = new_type_test(search, any ? "starts-with" : "is", trigger);
    search->count = before;
    if (!test || (add_literal(search, (struct lint_literal){&type_path, test, true}) &&
                  follow_triggers(search, index + 1, work)))
      return true;
  }
  return search->steps == 0;
}

/* No trigger takes the types of Waymark itself. */
static bool add_types(struct search *search) {
  static const struct {
    struct wm_text prefix;
    bool holds;
  } types[] = {{{"directory.", 10}, false}, {{"role.", 5}, false}, {{"journey.", 8}, true}};
  for (size_t i = 0; i < 3 && search->goal->automation_count > 0; i++) {
    if (types[i].holds && !search->goal->journey)
      continue;
    const struct wm_test *test = new_type_test(search, "starts-with", types[i].prefix);
    if (!test || !add_literal(search, (struct lint_literal){&type_path, test, types[i].holds}))
      return false;
  }
  return true;
}

int lint_solve(const struct lint_goal *goal, size_t *steps, bool examples, struct wm_arena *arena,
               struct lint_answer *ret) {
  struct search search = {.goal = goal, .answer = ret, .arena = arena, .steps = *steps, .examples = examples};
  const struct work *work = NULL;
  *ret = (struct lint_answer){.verdict = LINT_NEVER};
  for (size_t i = goal->automation_count; i-- > 0;)
    work = push(&search, &goal->automations[i]->when, true, work);
  for (size_t i = goal->condition_count; i-- > 0;)
    work = push(&search, goal->conditions[i], true, work);
  bool open = add_types(&search) && follow_triggers(&search, 0, work);
  *steps = search.steps;
  if (search.memory)
    return -1;
  if (ret->verdict == LINT_NEVER && (open || search.steps == 0))
    ret->verdict = LINT_PERHAPS;
  return 0;
}

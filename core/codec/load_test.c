/* test: documents: what is given, then steps of events and expectations. The first step stands in the document itself,
 * the ones after it below 'later'. Times are settled here, so that running a test asks no clock. */
#include <stddef.h>

#include "core/codec/load_test_parts.h"
#include "core/moment.h"

/* The parts of a document in file order would be read too early: they wait as nodes. */
struct parts {
  struct wm_text name, description;
  const struct wm_node *given, *at, *when, *then, *later, *after;
};

static load_fn keep_node;

#define AT(field) offsetof(struct parts, field)
static const struct load_key test_keys[] = {
    {"test", load_filled, AT(name), true, true, NULL},   {"description", load_text, AT(description), false, true, NULL},
    {"given", keep_node, AT(given), false, false, NULL}, {"at", keep_node, AT(at), false, false, NULL},
    {"when", keep_node, AT(when), false, false, NULL},   {"then", keep_node, AT(then), false, false, NULL},
    {"later", keep_node, AT(later), false, false, NULL}, {NULL, NULL, 0, false, false, NULL},
};
static const struct load_key step_keys[] = {
    {"at", keep_node, AT(at), false, false, NULL},
    {"after", keep_node, AT(after), false, false, NULL},
    {"when", keep_node, AT(when), false, false, NULL},
    {"then", keep_node, AT(then), false, false, NULL},
    {NULL, NULL, 0, false, false, NULL},
};
#undef AT

static void keep_node(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  (void)load, (void)key;
  *(const struct wm_node **)place = value;
}

bool load_moment(struct load *load, const char *name, const struct wm_node *value, int64_t *ret_us) {
  struct wm_text text;
  char whole[24];
  if (!load_scalar(load, name, value, &text))
    return false;
  if (text.size == 10) { /* a date */
    memcpy(whole, text.bytes, 10);
    memcpy(whole + 10, "T00:00:00Z", 11);
    text = wm_text_of(whole);
  }
  if (wm_moment_parse(text, ret_us))
    return true;
  load_invalid(load, value, WM_E_VALUE_INVALID,
               "'%s' must be a time such as '2026-11-21T10:00:00Z' or a date, not '%.*s'", name,
               WM_TEXT_ARG(wm_text_shown(value->text)));
  return false;
}

/* Moves the clock to what 'at' or 'after' say. */
static void move_clock(struct load_case *given, const struct parts *parts) {
  struct load *load = given->load;
  static const struct load_key after_key = {.name = "after"};
  int64_t us = 0;
  if (parts->at && parts->after)
    load_invalid(load, parts->after, WM_E_VALUE_INVALID, "a step has 'at' or 'after', not both");
  if (parts->after)
    load_duration(load, &after_key, parts->after, &us);
  if (us > 0 && __builtin_add_overflow(given->clock_us, us, &given->clock_us))
    load_invalid(load, parts->after, WM_E_VALUE_INVALID, "'after' leads behind the end of time");
  if (parts->at && load_moment(load, "at", parts->at, &us)) {
    if (given->anchored && us < given->clock_us)
      load_invalid(load, parts->at, WM_E_VALUE_INVALID, "'at' is before the step that stands above it");
    given->clock_us = us;
    given->anchored = true;
  }
  given->used = given->used && !parts->at && !parts->after;
}

static void read_step(struct load_case *given, const struct wm_node *place, const struct parts *parts,
                      struct wm_case_step *ret) {
  *ret = (struct wm_case_step){.place = load_place(place)};
  move_clock(given, parts);
  ret->begin_us = given->clock_us;
  if (parts->when)
    load_case_events(given, parts->when, ret);
  ret->end_us = given->clock_us;
  if (parts->then)
    load_case_then(given, parts->then, &ret->then);
}

/* The steps below 'later', as many as there may be. */
static const struct wm_node *later_steps(struct load_case *given, const struct wm_node *later, size_t *ret_count) {
  *ret_count = 0;
  if (!later || later->broken)
    return NULL;
  if (later->kind == WM_NODE_SCALAR || (later->kind == WM_NODE_LIST && later->count == 0)) {
    load_invalid(given->load, later, WM_E_TYPE_WRONG, "'later' must be a step or a list of steps, not %s",
                 later->kind == WM_NODE_LIST ? "an empty list" : "text");
    return NULL;
  }
  bool one = later->kind == WM_NODE_MAP;
  *ret_count = one ? 1 : later->count;
  if (*ret_count >= WM_CASE_STEPS_LIMIT) {
    load_invalid(given->load, &later->items[WM_CASE_STEPS_LIMIT - 1], WM_E_WORKSPACE_LIMIT,
                 "a test has at most %d steps", WM_CASE_STEPS_LIMIT);
    *ret_count = WM_CASE_STEPS_LIMIT - 1;
  }
  return one ? later : later->items;
}

static void read_steps(struct load_case *given, const struct wm_node *root, const struct parts *parts) {
  struct wm_case *test = given->test;
  size_t count;
  const struct wm_node *later = later_steps(given, parts->later, &count);
  test->steps = load_array(given->load, count + 1, sizeof(*test->steps));
  if (!test->steps)
    return;
  read_step(given, root, parts, &test->steps[test->step_count++]);
  for (size_t i = 0; i < count; i++) {
    struct parts step = {0};
    if (load_map(given->load, &later[i], "a step", step_keys, &step))
      read_step(given, &later[i], &step, &test->steps[test->step_count++]);
  }
}

/* Who it is about and when it begins: said, or what the first event says. */
static void settle(struct load_case *given, const struct parts *parts) {
  static const struct parts nothing = {0};
  int64_t us;
  if (!parts->at && parts->when && load_case_find_time(parts->when, &us)) {
    given->clock_us = us;
    given->anchored = true;
  }
  move_clock(given, parts->at ? &(struct parts){.at = parts->at} : &nothing);
  if (parts->given)
    load_case_given(given, parts->given);
  if (!given->user.bytes && parts->when)
    given->user = load_copy(given->load, load_case_find_user(parts->when, given->load->arena));
  if (!given->user.bytes || !wm_text_is_user_id(given->user)) /* a bad one is told with its event */
    given->user = WM_TEXT(LOAD_CASE_USER);
  given->test->user = given->user;
}

void load_test(struct load *load, const struct wm_node *root, struct wm_case *ret) {
  struct load_case given = {.load = load, .test = ret, .clock_us = LOAD_CASE_BEGIN_US};
  struct parts parts = {0};
  *ret = (struct wm_case){.file = load->file, .line = root->line, .column = root->column};
  load_map(load, root, "a test", test_keys, &parts);
  ret->name = parts.name;
  ret->description = parts.description;
  settle(&given, &parts);
  parts.at = NULL;
  given.anchored = true;
  read_steps(&given, root, &parts);
}

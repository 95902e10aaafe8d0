/* An example that a person can try: one value for each path that the tests name, put together as an event and a user.
 * Values are guessed from the operands and asked by the operators themselves; so what comes out is right, and what is
 * not found is only not found. */
#include "core/lint_solve.h"
#include "core/moment.h"

#define EXAMPLE_TIME_US (INT64_C(1767261600) * WM_SECOND_US) /* 2026-01-01T10:00:00Z */
#define ABOUT WM_TEXT("user-7")

/* The literals of one path, while a value for it is looked for. */
struct guess {
  const struct lint_literal *literals[LINT_LITERALS_LIMIT];
  size_t count;
  int64_t now_us;
  struct wm_arena *arena;
  struct wm_value value;
  bool absent, found, memory;
};

static bool pass(const struct guess *guess, const struct wm_value *value) {
  for (size_t i = 0; i < guess->count; i++)
    if (!lint_passes(guess->literals[i], value, guess->now_us))
      return false;
  return true;
}

static void try_value(struct guess *guess, struct wm_value value) {
  if (guess->found || !pass(guess, &value))
    return;
  guess->found = true;
  guess->value = value;
}

static void try_text(struct guess *guess, struct wm_text text) {
  try_value(guess, (struct wm_value){.type = WM_STRING, .string = text});
}

static void try_number(struct guess *guess, const struct wm_value *number, int step) {
  struct wm_value value = *number;
  if (value.type == WM_REAL)
    value.real += step;
  else if (__builtin_add_overflow(value.integer, (int64_t)step, &value.integer))
    return;
  try_value(guess, value);
}

static double as_real(const struct wm_value *number) {
  return number->type == WM_REAL ? number->real : (double)number->integer;
}

static void try_numbers(struct guess *guess, const struct wm_value *operand) {
  for (int step = 0; step <= 2 && !guess->found; step++) {
    try_number(guess, operand, step);
    try_number(guess, operand, -step);
  }
  for (size_t i = 0; i < guess->count && !guess->found; i++) {
    const struct wm_value *other = &guess->literals[i]->test->operand;
    if (wm_value_is_number(other))
      try_value(guess, (struct wm_value){.type = WM_REAL, .real = as_real(operand) / 2 + as_real(other) / 2});
  }
}

static void try_moment(struct guess *guess, int64_t us) {
  char text[WM_MOMENT_SIZE];
  size_t size = wm_moment_format(us, text);
  char *copy = guess->found ? NULL : wm_arena_copy(guess->arena, text, size);
  if (copy)
    try_text(guess, (struct wm_text){copy, size});
  else
    guess->memory |= !guess->found;
}

static void try_moments(struct guess *guess, const struct lint_literal *literal) {
  static const int64_t steps[] = {0, 1, -1, WM_SECOND_US, -WM_SECOND_US};
  bool now = literal->test->operator->operand == WM_OPERAND_DURATION;
  if (!now && literal->test->operator->operand != WM_OPERAND_MOMENT)
    return;
  int64_t base = literal->test->operand_us;
  if (now && __builtin_sub_overflow(guess->now_us, base, &base))
    return;
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    int64_t us;
    if (!__builtin_add_overflow(base, steps[i], &us))
      try_moment(guess, us);
  }
}

/* --- texts --- */

/* The longest operand of this form; "" when there is none. */
static struct wm_text longest(const struct guess *guess, enum lint_form form) {
  struct wm_text found = WM_TEXT("");
  for (size_t i = 0; i < guess->count; i++)
    if (lint_form_of(guess->literals[i]) == form && guess->literals[i]->test->operand.string.size > found.size)
      found = guess->literals[i]->test->operand.string;
  return found;
}

/* What must be in it, one behind the other; a glob with its '*' as nothing and its '?' as a letter. */
static void add_pieces(const struct guess *guess, bool globs, struct wm_buf *buf) {
  for (size_t i = 0; i < guess->count; i++) {
    enum lint_form form = lint_form_of(guess->literals[i]);
    struct wm_text text = guess->literals[i]->test->operand.string;
    if (form == LINT_CONTAINS)
      wm_buf_add_text(buf, text);
    for (size_t c = 0; globs && form == LINT_GLOB && c < text.size; c++)
      if (text.bytes[c] != '*')
        wm_buf_add_char(buf, text.bytes[c] == '?' ? 'x' : text.bytes[c]);
  }
}

static void try_built(struct guess *guess, const char *filler, bool globs, bool tail) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_text(&buf, longest(guess, LINT_STARTS));
  add_pieces(guess, globs, &buf);
  wm_buf_add_string(&buf, filler);
  if (tail)
    wm_buf_add_text(&buf, longest(guess, LINT_ENDS));
  struct wm_text copy = WM_NO_TEXT;
  if (buf.failed || wm_arena_text(guess->arena, (struct wm_text){buf.bytes ? buf.bytes : "", buf.size}, &copy) < 0)
    guess->memory = true;
  else
    try_text(guess, copy);
  wm_buf_release(&buf);
}

static bool has_pieces(const struct guess *guess) {
  for (size_t i = 0; i < guess->count; i++)
    if (guess->literals[i]->test->operator->operand == WM_OPERAND_STRING && guess->literals[i]->holds)
      return true;
  return false;
}

static void try_texts(struct guess *guess) {
  static const char *const fillers[] = {"", "x", "example"};
  for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]) && !guess->found; i++) {
    if (i == 0 && !has_pieces(guess)) /* something is easier to read than nothing */
      continue;
    try_built(guess, fillers[i], true, true);
    try_built(guess, fillers[i], true, false);
    try_built(guess, fillers[i], false, true);
  }
  try_text(guess, WM_TEXT(""));
}

/* --- lists --- */

static bool is_kept_out(const struct guess *guess, const struct wm_value *item) {
  const struct wm_value list = {.type = WM_LIST, .list = {(struct wm_value *)item, 1}};
  for (size_t i = 0; i < guess->count; i++)
    if (lint_form_of(guess->literals[i]) == LINT_HAS_NONE && !lint_passes(guess->literals[i], &list, 0))
      return true;
  return false;
}

/* All that must be in it, and of what 'any' is enough the first that may ('all': every one). */
static void try_list(struct guess *guess, bool all) {
  size_t room = 0, operands;
  for (size_t i = 0; i < guess->count; i++)
    lint_operands(guess->literals[i], &operands), room += operands;
  struct wm_value list = {.type = WM_LIST};
  list.list.items = WM_ARENA_ARRAY(guess->arena, struct wm_value, room + 1);
  guess->memory |= !list.list.items;
  for (size_t i = 0; i < guess->count && list.list.items; i++) {
    enum lint_form form = lint_form_of(guess->literals[i]);
    const struct wm_value *values = lint_operands(guess->literals[i], &operands);
    size_t taken = 0;
    for (size_t v = 0; v < operands && (form == LINT_HAS_ALL || form == LINT_HAS_ANY); v++)
      if (!is_kept_out(guess, &values[v]) && (form == LINT_HAS_ALL || all || taken++ == 0))
        list.list.items[list.list.count++] = values[v];
  }
  if (list.list.items)
    try_value(guess, list);
}

/* --- one path --- */

static void try_types(struct guess *guess) {
  static const char *const types[] = {"journey.milestone.achieved", "journey.phase.entered", "journey.started"};
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
    try_text(guess, wm_text_of(types[i]));
}

static void try_words(struct guess *guess) {
  static const char *const words[] = {"active", "suspended", "inactive", "partner", "employee", "customer", "guest"};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    try_text(guess, wm_text_of(words[i]));
}

static void guess_value(struct guess *guess) {
  const struct wm_path *path = guess->literals[0]->path;
  for (size_t i = 0; i < guess->count; i++) {
    size_t operands;
    const struct wm_value *values = lint_operands(guess->literals[i], &operands);
    for (size_t v = 0; v < operands && lint_form_of(guess->literals[i]) == LINT_IN; v++)
      try_value(guess, values[v]);
  }
  if (path->root == WM_PATH_EVENT && wm_text_is(path->names[0], "type"))
    try_types(guess);
  if (path->root == WM_PATH_EVENT && wm_text_is(path->names[0], "time"))
    try_moment(guess, guess->now_us);
  if (path->root == WM_PATH_USER)
    try_words(guess);
  if (!guess->found && pass(guess, NULL))
    guess->absent = guess->found = true;
  for (size_t i = 0; i < guess->count && !guess->found; i++) {
    if (wm_value_is_number(&guess->literals[i]->test->operand))
      try_numbers(guess, &guess->literals[i]->test->operand);
    try_moments(guess, guess->literals[i]);
  }
  if (!guess->found && !wm_path_is_list(path))
    try_texts(guess);
  try_value(guess, (struct wm_value){.type = WM_BOOLEAN, .boolean = true});
  try_value(guess, (struct wm_value){.type = WM_BOOLEAN, .boolean = false});
  try_list(guess, false);
  try_list(guess, true);
}

/* --- all of it --- */

struct making {
  const struct lint_literal *literals;
  size_t count;
  bool *done;
  struct wm_arena *arena;
  struct lint_example *example;
  struct wm_value data;
};

/* The object that the path's value stands in, made on the way. NULL: something else stands there, or no memory. */
static struct wm_value *put(struct wm_value *object, const struct wm_text *names, size_t count,
                            struct wm_arena *arena) {
  for (size_t i = 0; i < count; i++) {
    if (object->type != WM_OBJECT)
      return NULL;
    struct wm_value *below = (struct wm_value *)wm_value_member(object, names[i]);
    if (!below) {
      struct wm_member *members = WM_ARENA_ARRAY(arena, struct wm_member, object->object.count + 1);
      if (!members)
        return NULL;
      if (object->object.count > 0)
        memcpy(members, object->object.members, object->object.count * sizeof(*members));
      members[object->object.count].name = names[i];
      members[object->object.count].value = (struct wm_value){.type = WM_OBJECT};
      below = &members[object->object.count].value;
      object->object.members = members;
      object->object.count++;
    }
    object = below;
  }
  return object;
}

static struct wm_value *root_of(struct making *making, const struct wm_path *path) {
  switch (path->root) {
  case WM_PATH_EVENT:
    return &making->example->event.attributes;
  case WM_PATH_DATA:
    return &making->data;
  case WM_PATH_USER_ROLES:
    return &making->example->roles;
  case WM_PATH_USER:
    return &making->example->user.profile.fields;
  }
  return NULL;
}

static void gather(struct making *making, size_t first, struct guess *ret) {
  *ret = (struct guess){.now_us = making->example->event.now_us, .arena = making->arena};
  for (size_t i = first; i < making->count; i++) {
    if (!wm_path_equal(making->literals[i].path, making->literals[first].path))
      continue;
    making->done[i] = true;
    ret->literals[ret->count++] = &making->literals[i];
  }
}

/* Chooses a value for the path of this literal and puts it in its place. 1, 0: there is none, -1: no memory. */
static int fill_path(struct making *making, size_t first) {
  const struct wm_path *path = making->literals[first].path;
  struct guess guess;
  gather(making, first, &guess);
  struct wm_value *root = root_of(making, path);
  const struct wm_value *there = root;
  for (size_t i = 0; i < path->count && there; i++)
    there = wm_value_member(there, path->names[i]);
  if (there && there->type == WM_OBJECT) /* paths below it were there first */
    return pass(&guess, there);
  guess_value(&guess);
  if (guess.memory)
    return -1;
  if (!guess.found)
    return 0;
  making->example->tells_user |= wm_path_is_user(path);
  if (guess.absent)
    return path->root != WM_PATH_USER_ROLES;
  struct wm_value *place = put(root, path->names, path->count, making->arena);
  if (place)
    *place = guess.value;
  return place != NULL;
}

static int fill_all(struct making *making) {
  for (size_t round = making->count + 1; round > 0; round--) { /* the longest paths first */
    size_t next = making->count;
    for (size_t i = 0; i < making->count; i++)
      if (!making->done[i] &&
          (next == making->count || making->literals[i].path->count > making->literals[next].path->count))
        next = i;
    if (next == making->count)
      return 1;
    int made = fill_path(making, next);
    if (made <= 0)
      return made;
  }
  return 1;
}

static bool is_attribute(const struct lint_literal *literal, const char *name) {
  return literal->path->root == WM_PATH_EVENT && wm_text_is(literal->path->names[0], name);
}

/* The time comes first: others are counted from it. */
static int fill_time(struct making *making, int64_t now_us) {
  making->example->event.time_us = making->example->event.now_us = now_us;
  for (size_t i = 0; i < making->count; i++)
    if (is_attribute(&making->literals[i], "time"))
      return fill_path(making, i);
  return 1;
}

static int set_default(struct making *making, const char *name, struct wm_text text) {
  const struct wm_text names[] = {wm_text_of(name)};
  struct wm_value *attributes = &making->example->event.attributes;
  if (wm_value_member(attributes, names[0]))
    return 0;
  for (size_t i = 0; i < making->count; i++)
    if (is_attribute(&making->literals[i], name)) /* it is to be absent */
      return 0;
  struct wm_value *place = put(attributes, names, 1, making->arena);
  if (!place)
    return -1;
  *place = (struct wm_value){.type = WM_STRING, .string = text};
  return 0;
}

/* False: what was guessed makes no event. */
static bool read_event(struct making *making) {
  struct wm_event *event = &making->example->event;
  event->id = wm_value_text(wm_value_member(&event->attributes, WM_TEXT("id")));
  event->source = wm_value_text(wm_value_member(&event->attributes, WM_TEXT("source")));
  event->type = wm_value_text(wm_value_member(&event->attributes, WM_TEXT("type")));
  event->user = wm_value_text(wm_value_member(&event->attributes, WM_TEXT("subject")));
  struct wm_text version = wm_value_text(wm_value_member(&event->attributes, WM_TEXT("specversion")));
  struct wm_text time = wm_value_text(wm_value_member(&event->attributes, WM_TEXT("time")));
  if (event->id.size == 0 || event->source.size == 0 || event->type.size == 0 || !wm_text_is(version, "1.0"))
    return false;
  if (!wm_moment_parse(time, &event->time_us) || (event->user.bytes && !wm_text_is_user_id(event->user)))
    return false;
  return event->now_us == event->time_us && (event->user.bytes || !making->example->tells_user);
}

static int make(struct making *making, int64_t now_us) {
  char time[WM_MOMENT_SIZE];
  int made = fill_time(making, now_us);
  if (made <= 0)
    return made;
  struct wm_text timed = wm_value_text(wm_value_member(&making->example->event.attributes, WM_TEXT("time")));
  if (timed.bytes && wm_moment_parse(timed, &making->example->event.time_us))
    making->example->event.now_us = making->example->event.time_us;
  made = fill_all(making);
  if (made <= 0)
    return made;
  size_t size = wm_moment_format(making->example->event.time_us, time);
  const char *copy = wm_arena_copy(making->arena, time, size);
  if (!copy || set_default(making, "specversion", WM_TEXT("1.0")) || set_default(making, "id", WM_TEXT("example-1")) ||
      set_default(making, "source", WM_TEXT("/example")) ||
      set_default(making, "type", WM_TEXT("journey.milestone.achieved")) || set_default(making, "subject", ABOUT) ||
      set_default(making, "time", (struct wm_text){copy, size}))
    return -1;
  return read_event(making);
}

static int make_at(const struct lint_literal *literals, size_t count, int64_t now_us, struct wm_arena *arena,
                   struct lint_example *ret) {
  *ret = (struct lint_example){.roles = {.type = WM_LIST}};
  ret->event.attributes.type = WM_OBJECT;
  ret->event.run = WM_TEXT("live");
  ret->user.profile.fields.type = WM_OBJECT;
  ret->user.profile.clock.source = WM_TEXT("/example");
  struct making making = {.literals = literals, .count = count, .arena = arena, .example = ret};
  making.data.type = WM_OBJECT;
  making.done = WM_ARENA_ARRAY(arena, bool, count + 1);
  struct wm_value *data = WM_ARENA_NEW(arena, struct wm_value);
  if (!making.done || !data)
    return -1;
  int made = make(&making, now_us);
  *data = making.data;
  ret->event.data = data;
  ret->user.id = ret->event.user;
  ret->scope = (struct wm_scope){.event = &ret->event,
                                 .user = ret->event.user.bytes ? &ret->user : NULL,
                                 .roles = &ret->roles,
                                 .now_us = ret->event.now_us};
  return made;
}

/* A time after all that the tests name, by the longest of their durations and a little more. */
static int64_t late_time(const struct lint_literal *literals, size_t count) {
  int64_t latest = EXAMPLE_TIME_US, longest_us = 2 * WM_SECOND_US, sum;
  for (size_t i = 0; i < count; i++) {
    enum wm_operand operand = literals[i].test->operator->operand;
    if (operand == WM_OPERAND_MOMENT && literals[i].test->operand_us > latest)
      latest = literals[i].test->operand_us;
    if (operand == WM_OPERAND_DURATION && literals[i].test->operand_us > longest_us)
      longest_us = literals[i].test->operand_us;
  }
  return __builtin_add_overflow(latest, longest_us + WM_SECOND_US, &sum) ? latest : sum;
}

int lint_example_make(const struct lint_literal *literals, size_t count, struct wm_arena *arena,
                      struct lint_example *ret) {
  int made = make_at(literals, count, EXAMPLE_TIME_US, arena, ret);
  return made == 0 ? make_at(literals, count, late_time(literals, count), arena, ret) : made;
}

static void print_member(const struct wm_member *member, struct wm_buf *buf) {
  wm_buf_add_json(buf, member->name);
  wm_buf_add_char(buf, ':');
  wm_value_to_json(&member->value, buf);
  wm_buf_add_char(buf, ',');
}

void lint_example_print(const struct lint_example *example, struct wm_buf *buf) {
  static const struct wm_text order[] = {{"specversion", 11}, {"id", 2},      {"source", 6},
                                         {"type", 4},         {"subject", 7}, {"time", 4}};
  const size_t known = sizeof(order) / sizeof(order[0]);
  const struct wm_value *attributes = &example->event.attributes;
  wm_buf_add_char(buf, '{');
  for (size_t o = 0; o < known; o++)
    for (size_t i = 0; i < attributes->object.count; i++)
      if (wm_text_equal(attributes->object.members[i].name, order[o]))
        print_member(&attributes->object.members[i], buf);
  for (size_t i = 0; i < attributes->object.count; i++) {
    size_t o = 0;
    while (o < known && !wm_text_equal(attributes->object.members[i].name, order[o]))
      o++;
    if (o == known)
      print_member(&attributes->object.members[i], buf);
  }
  wm_buf_add_string(buf, "\"data\":");
  wm_value_to_json(example->event.data, buf);
  wm_buf_add_char(buf, '}');
  if (!example->tells_user)
    return;
  wm_buf_add_string(buf, " for a user with the roles ");
  wm_value_to_json(&example->roles, buf);
  if (example->user.profile.fields.object.count == 0)
    return;
  wm_buf_add_string(buf, " and the profile ");
  wm_value_to_json(&example->user.profile.fields, buf);
}

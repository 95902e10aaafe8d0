#include "core/codec/check.h"

#include "core/moment.h"

static const char *const sent_statuses[] = {"active", "suspended", "inactive", NULL};
static const char *const kept_statuses[] = {"active", "suspended", "inactive", "deleted", NULL};
static const char *const user_types[] = {"employee", "partner", "customer", "guest", NULL};

/* clang-format off */
#define PROFILE_ROWS(statuses)                                       \
  {"status", WM_SHAPE_WORD, true, statuses},                         \
  {"type", WM_SHAPE_WORD, false, user_types},                        \
  {"name", WM_SHAPE_TEXT, false, NULL},                              \
  {"email", WM_SHAPE_TEXT, false, NULL},                             \
  {"org-units", WM_SHAPE_PATHS, false, NULL},                        \
  {"groups", WM_SHAPE_TEXTS, false, NULL},                           \
  {"portals", WM_SHAPE_TEXTS, false, NULL},                          \
  {"accounts", WM_SHAPE_TEXTS, false, NULL},                         \
  {"manager", WM_SHAPE_TEXT, false, NULL},                           \
  {"managers", WM_SHAPE_TEXTS, false, NULL},                         \
  {"manager-of-anyone", WM_SHAPE_BOOLEAN, false, NULL},              \
  {"attributes", WM_SHAPE_OBJECT, false, NULL},                      \
  {NULL, WM_SHAPE_TEXT, false, NULL}
/* clang-format on */

const struct wm_shape_row wm_profile_rows[] = {PROFILE_ROWS(sent_statuses)};
const struct wm_shape_row wm_kept_profile_rows[] = {PROFILE_ROWS(kept_statuses)};

int wm_fault_set(struct wm_fault *fault, struct wm_arena *arena, const char *reason, struct wm_text pointer,
                 const struct wm_error *message) {
  *fault = (struct wm_fault){0};
  if (wm_arena_text(arena, pointer, &fault->pointer) ||
      wm_arena_text(arena, wm_text_of(message->text), &fault->message))
    return -1;
  fault->reason = reason;
  return -1;
}

/* One check on its way down: the pointer grows and shrinks with it. */
struct check {
  struct wm_arena *arena;
  struct wm_buf pointer;
  struct wm_fault *fault;
};

/* Steps down to a member; returns where to cut the pointer on the way up. */
static size_t step_down(struct check *check, struct wm_text name) {
  size_t before = check->pointer.size;
  wm_buf_add_char(&check->pointer, '/');
  for (size_t i = 0; i < name.size; i++)
    if (name.bytes[i] == '~')
      wm_buf_add(&check->pointer, "~0", 2);
    else if (name.bytes[i] == '/')
      wm_buf_add(&check->pointer, "~1", 2);
    else
      wm_buf_add_char(&check->pointer, name.bytes[i]);
  return before;
}

static int complain(struct check *check, const char *reason, const char *wanted) {
  *check->fault = (struct wm_fault){0};
  if (check->pointer.failed)
    return -1;
  struct wm_error message;
  struct wm_text pointer = {check->pointer.bytes, check->pointer.size};
  wm_error_set(&message, WM_E_EVENT_INVALID, "'%.*s' %s", WM_TEXT_ARG(pointer), wanted);
  return wm_fault_set(check->fault, check->arena, reason, pointer, &message);
}

static int check_texts(struct check *check, struct wm_value *value) {
  if (value->type != WM_LIST)
    return complain(check, "type", "is not a list of texts");
  for (size_t i = 0; i < value->list.count; i++) {
    if (value->list.items[i].type == WM_STRING)
      continue;
    wm_buf_printf(&check->pointer, "/%zu", i);
    return complain(check, "type", "is not a text");
  }
  return 0;
}

/* An object of lists of texts; members that are null are dropped from 'value', which is ours. */
static int check_paths(struct check *check, struct wm_value *value) {
  if (value->type != WM_OBJECT)
    return complain(check, "type", "is not an object");
  struct wm_member *kept = WM_ARENA_ARRAY(check->arena, struct wm_member, value->object.count);
  if (!kept && value->object.count > 0)
    return -1;
  size_t count = 0;
  for (size_t i = 0; i < value->object.count; i++) {
    struct wm_member *member = &value->object.members[i];
    if (member->value.type == WM_NULL)
      continue;
    size_t before = step_down(check, member->name);
    if (check_texts(check, &member->value))
      return -1;
    check->pointer.size = before;
    kept[count++] = *member;
  }
  value->object.members = kept;
  value->object.count = count;
  return 0;
}

static int check_word(struct check *check, const struct wm_value *value, const char *const *words) {
  for (; *words; words++)
    if (wm_text_is(value->string, *words))
      return 0;
  return complain(check, "range", "is not one of the words that are allowed there");
}

static int check_value(struct check *check, struct wm_value *value, const struct wm_shape_row *row) {
  int64_t ignored_us;
  switch (row->shape) {
  case WM_SHAPE_TEXTS:
    return check_texts(check, value);
  case WM_SHAPE_PATHS:
    return check_paths(check, value);
  case WM_SHAPE_OBJECT:
    return value->type == WM_OBJECT ? 0 : complain(check, "type", "is not an object");
  case WM_SHAPE_BOOLEAN:
    return value->type == WM_BOOLEAN ? 0 : complain(check, "type", "is not true or false");
  case WM_SHAPE_TEXT:
  case WM_SHAPE_WORD:
  case WM_SHAPE_TIME:
    break;
  }
  if (value->type != WM_STRING)
    return complain(check, "type", "is not a text");
  if (row->shape == WM_SHAPE_WORD)
    return check_word(check, value, row->words);
  if (row->shape == WM_SHAPE_TIME && !wm_moment_parse(value->string, &ignored_us))
    return complain(check, "range", "is not an RFC 3339 time");
  return 0;
}

static int check_rows(struct check *check, const struct wm_value *object, const struct wm_shape_row *rows,
                      struct wm_member *ret, size_t *ret_count) {
  for (const struct wm_shape_row *row = rows; row->name; row++) {
    struct wm_text name = wm_text_of(row->name);
    const struct wm_value *value = wm_value_member(object, name);
    size_t before = step_down(check, name);
    if (!value || value->type == WM_NULL) {
      if (row->required)
        return complain(check, "missing", "is missing");
    } else {
      ret[*ret_count] = (struct wm_member){name, *value};
      if (check_value(check, &ret[*ret_count].value, row))
        return -1;
      ++*ret_count;
    }
    check->pointer.size = before;
  }
  return 0;
}

int wm_check_object(const struct wm_value *object, const struct wm_shape_row *rows, struct wm_text base,
                    struct wm_arena *arena, struct wm_value *ret, struct wm_fault *fault) {
  struct check check = {.arena = arena, .fault = fault};
  size_t row_count = 0;
  while (rows[row_count].name)
    row_count++;
  *fault = (struct wm_fault){0};
  wm_buf_add_text(&check.pointer, base);
  *ret = (struct wm_value){.type = WM_OBJECT};
  ret->object.members = WM_ARENA_ARRAY(arena, struct wm_member, row_count);
  int result = -1;
  if (!ret->object.members)
    goto out;
  if (!object || object->type == WM_NULL)
    result = complain(&check, "missing", "is missing");
  else if (object->type != WM_OBJECT)
    result = complain(&check, "type", "is not an object");
  else
    result = check_rows(&check, object, rows, ret->object.members, &ret->object.count);
out:
  wm_buf_release(&check.pointer);
  return result;
}

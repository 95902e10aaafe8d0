/* Values, conditions and automations in one line each, for the tests of the language. Their memory ends with the
 * test's process. */
#ifndef WM_TESTS_LANGUAGE_H
#define WM_TESTS_LANGUAGE_H

#include <criterion/criterion.h>

#include "core/automation.h"
#include "core/user.h"

static struct wm_arena memory;

static inline void *keep(const void *bytes, size_t size) {
  void *copy = wm_arena_alloc(&memory, size);
  cr_assert_not_null(copy);
  return size > 0 ? memcpy(copy, bytes, size) : copy;
}

#define COUNT_OF(type, ...) (sizeof((type[]){__VA_ARGS__}) / sizeof(type))
#define INTEGER(number) ((struct wm_value){.type = WM_INTEGER, .integer = (number)})
#define REAL(number) ((struct wm_value){.type = WM_REAL, .real = (number)})
#define BOOLEAN(truth) ((struct wm_value){.type = WM_BOOLEAN, .boolean = (truth)})
#define STRING(literal) ((struct wm_value){.type = WM_STRING, .string = wm_text_of(literal)})
#define NOTHING ((struct wm_value){.type = WM_NULL})
#define LIST(...) list_of((struct wm_value[]){__VA_ARGS__}, COUNT_OF(struct wm_value, __VA_ARGS__))
#define EMPTY_LIST ((struct wm_value){.type = WM_LIST})
#define MEMBER(key, ...) ((struct wm_member){wm_text_of(key), __VA_ARGS__})
#define OBJECT(...) object_of((struct wm_member[]){__VA_ARGS__}, COUNT_OF(struct wm_member, __VA_ARGS__))
#define EMPTY_OBJECT ((struct wm_value){.type = WM_OBJECT})

static inline struct wm_value list_of(const struct wm_value *items, size_t count) {
  return (struct wm_value){.type = WM_LIST, .list = {keep(items, count * sizeof(*items)), count}};
}

static inline struct wm_value object_of(const struct wm_member *members, size_t count) {
  return (struct wm_value){.type = WM_OBJECT, .object = {keep(members, count * sizeof(*members)), count}};
}

static inline struct wm_path path_of(const char *text) {
  struct wm_path path;
  struct wm_error error;
  cr_assert(wm_path_parse(wm_text_of(text), &memory, &path, &error) == 0, "%s", error.text);
  return path;
}

static inline struct wm_test test_of(const char *name, struct wm_value operand) {
  struct wm_test test = {wm_operator_find(wm_text_of(name)), operand, 0, 0, 0};
  struct wm_error error;
  cr_assert_not_null(test.operator, "no operator %s", name);
  cr_assert(wm_test_check(&test, &error) == 0, "%s", error.text);
  return test;
}

static inline struct wm_condition field_of(const char *path, const struct wm_test *tests, size_t count) {
  return (struct wm_condition){
      .kind = WM_FIELD, .path = path_of(path), .tests = keep(tests, count * sizeof(*tests)), .test_count = count};
}

static inline struct wm_condition several_of(enum wm_condition_kind kind, const struct wm_condition *children,
                                             size_t count) {
  return (struct wm_condition){.kind = kind, .children = keep(children, count * sizeof(*children)), .count = count};
}

#define TEST(name, ...) test_of((name), (__VA_ARGS__))
#define FIELD(path, ...) field_of((path), (struct wm_test[]){__VA_ARGS__}, COUNT_OF(struct wm_test, __VA_ARGS__))
#define ALL(...) several_of(WM_ALL, (struct wm_condition[]){__VA_ARGS__}, COUNT_OF(struct wm_condition, __VA_ARGS__))
#define ANY(...) several_of(WM_ANY, (struct wm_condition[]){__VA_ARGS__}, COUNT_OF(struct wm_condition, __VA_ARGS__))
#define NOT(...) several_of(WM_NOT, (struct wm_condition[]){ALL(__VA_ARGS__)}, 1)
#define ALWAYS ((struct wm_condition){.kind = WM_ALL})

/* An enabled automation; triggers end with NULL. */
static inline struct wm_automation automation_of(const char *const *triggers, struct wm_condition when) {
  struct wm_automation automation = {.enabled = true, .when = when, .reads_user = wm_condition_reads_user(&when)};
  while (triggers[automation.trigger_count])
    automation.trigger_count++;
  automation.triggers = wm_arena_array(&memory, automation.trigger_count, sizeof(struct wm_text));
  cr_assert_not_null(automation.triggers);
  for (size_t i = 0; i < automation.trigger_count; i++)
    automation.triggers[i] = wm_text_of(triggers[i]);
  return automation;
}

#define TRIGGERS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* An event of 'user-7'; 'data' is borrowed. */
static inline struct wm_event event_of(const char *type, const struct wm_value *data) {
  return (struct wm_event){
      .source = WM_TEXT("/journeys"),
      .id = WM_TEXT("evt-1"),
      .type = wm_text_of(type),
      .user = WM_TEXT("user-7"),
      .attributes = OBJECT(MEMBER("source", STRING("/journeys")), MEMBER("id", STRING("evt-1")),
                           MEMBER("type", STRING(type)), MEMBER("time", STRING("2026-11-21T10:00:00Z"))),
      .data = data,
  };
}

/* A user with a profile of these fields. */
static inline struct wm_user user_of(struct wm_value fields) {
  return (struct wm_user){.id = WM_TEXT("user-7"),
                          .profile = {.clock = {.source = WM_TEXT("/directory")}, .fields = fields}};
}

#endif

/* The schemas of what is sent know every code, and every member that the encoders write. That real records fit them
 * is for tests/integration; here the two are compared without a broker. */
#include <criterion/criterion.h>

#include "core/codec/check.h"
#include "core/codec/json.h"
#include "core/codec/out.h"
#include "core/codec/register.h"

#define T WM_TEXT
#define AT(value, ...) at(value, (const char *[]){__VA_ARGS__, NULL})

static struct wm_arena arena;

static void set_up(void) {
  wm_arena_init(&arena, 0);
}
static void tear_down(void) {
  wm_arena_release(&arena);
}

TestSuite(schema, .init = set_up, .fini = tear_down);

static const struct wm_value *read_schema(const char *name) {
  static char bytes[65536];
  char path[512];
  struct wm_error error;
  struct wm_value *schema = WM_ARENA_NEW(&arena, struct wm_value);
  snprintf(path, sizeof path, FIXTURES "/../../schemas/%s.schema.json", name);
  FILE *file = fopen(path, "rb");
  cr_assert(file != NULL, "%s", path);
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  cr_assert_eq(wm_json_parse((struct wm_text){bytes, size}, &arena, schema, &error), 0, "%s:%u: %s", name, error.line,
               error.text);
  return schema;
}

static const struct wm_value *at(const struct wm_value *value, const char *const *names) {
  for (; *names; names++) {
    value = wm_value_member(value, wm_text_of(*names));
    cr_assert(value != NULL, "no '%s'", *names);
  }
  return value;
}

/* --- lists --- */

static void expect_codes(const struct wm_value *list, enum wm_code first, enum wm_code last) {
  cr_assert_eq(list->list.count, (size_t)(last - first) + 1);
  for (size_t i = 0; i < list->list.count; i++)
    cr_expect(wm_text_is(list->list.items[i].string, wm_code_name((enum wm_code)(first + i))), "%s is missing",
              wm_code_name((enum wm_code)(first + i)));
}

Test(schema, codes_are_those_of_the_list) {
  expect_codes(AT(read_schema("outcome"), "definitions", "task", "properties", "code", "enum"), WM_E_ENTITY_NOT_ALLOWED,
               WM_E_TOO_OLD);
  expect_codes(AT(read_schema("failure"), "definitions", "task", "properties", "code", "enum"), WM_E_ENTITY_NOT_ALLOWED,
               WM_E_TOO_OLD);
  expect_codes(AT(read_schema("failure"), "definitions", "rejected", "properties", "code", "enum"), WM_E_EVENT_OVERSIZE,
               WM_E_EVENT_MISROUTED);
}

Test(schema, results_are_those_of_the_core) {
  const struct wm_value *list = AT(read_schema("outcome"), "definitions", "task", "properties", "result", "enum");
  cr_assert_eq(list->list.count, WM_RESULT_FAILED + 1);
  for (size_t i = 0; i < list->list.count; i++)
    cr_expect(wm_text_is(list->list.items[i].string, wm_result_name((enum wm_result)i)));
}

Test(schema, causes_are_those_of_the_core) {
  const struct wm_value *list = AT(read_schema("change"), "properties", "data", "properties", "cause", "enum");
  cr_assert_eq(list->list.count, WM_CAUSE_EXPIRY + 1);
  for (size_t i = 0; i < list->list.count; i++)
    cr_expect(wm_text_is(list->list.items[i].string, wm_cause_name((enum wm_cause)i)));
}

Test(schema, task_types_are_those_of_the_core) {
  const struct wm_value *list = AT(read_schema("outcome"), "definitions", "task", "properties", "type", "enum");
  size_t count = 0;
  for (; wm_task_types[count]; count++)
    cr_expect(wm_text_is(list->list.items[count].string, wm_task_types[count]->name));
  cr_expect(wm_text_is(list->list.items[count++].string, wm_delegate.name), "of requests alone");
  cr_assert_eq(list->list.count, count);
}

/* --- members --- */

/* One schema while values are held against it. */
struct walk {
  const struct wm_value *root;
  char place[256];
};

static void expect_described(struct walk *walk, const struct wm_value *schema, const struct wm_value *value);

static const struct wm_value *resolve(const struct walk *walk, const struct wm_value *schema) {
  const struct wm_value *choices = wm_value_member(schema, T("anyOf"));
  if (choices)
    schema = &choices->list.items[0]; /* ours are "this or null" */
  struct wm_text ref = wm_value_text(wm_value_member(schema, T("$ref")));
  struct wm_text prefix = T("#/definitions/");
  if (!ref.bytes)
    return schema;
  cr_assert(wm_text_starts_with(ref, prefix));
  return wm_value_member(wm_value_member(walk->root, T("definitions")),
                         (struct wm_text){ref.bytes + prefix.size, ref.size - prefix.size});
}

static void expect_required(const struct walk *walk, const struct wm_value *schema, const struct wm_value *value) {
  const struct wm_value *required = wm_value_member(schema, T("required"));
  for (size_t i = 0; required && i < required->list.count; i++)
    cr_expect(wm_value_member(value, required->list.items[i].string) != NULL, "%s: '%.*s' is required", walk->place,
              WM_TEXT_ARG(required->list.items[i].string));
}

static void expect_members(struct walk *walk, const struct wm_value *schema, const struct wm_value *value) {
  size_t before = strlen(walk->place);
  expect_required(walk, schema, value);
  for (size_t i = 0; i < value->object.count; i++) {
    const struct wm_member *member = &value->object.members[i];
    const struct wm_value *inner = wm_value_member(wm_value_member(schema, T("properties")), member->name);
    if (!inner)
      inner = wm_value_member(schema, T("additionalProperties"));
    snprintf(walk->place + before, sizeof walk->place - before, "/%.*s", WM_TEXT_ARG(member->name));
    cr_expect(inner != NULL, "%s is not in the schema", walk->place);
    if (inner)
      expect_described(walk, inner, &member->value);
    walk->place[before] = '\0';
  }
}

static void expect_described(struct walk *walk, const struct wm_value *schema, const struct wm_value *value) {
  schema = resolve(walk, schema);
  cr_assert(schema != NULL, "%s: a $ref to nowhere", walk->place);
  if (wm_value_member(schema, T("properties")) || wm_value_member(schema, T("additionalProperties")))
    if (value->type == WM_OBJECT)
      expect_members(walk, schema, value);
  const struct wm_value *items = wm_value_member(schema, T("items"));
  for (size_t i = 0; items && value->type == WM_LIST && i < value->list.count; i++)
    expect_described(walk, items, &value->list.items[i]);
}

static struct wm_value parse(struct wm_text json) {
  struct wm_value value;
  cr_assert_eq(wm_json_parse(json, &arena, &value, NULL), 0, "%.*s", WM_TEXT_ARG(json));
  return value;
}

static const char *const schema_names[WM_OUT_COUNT] = {
    [WM_OUT_USERS] = "register",   [WM_OUT_OUTCOMES] = "outcome",           [WM_OUT_CHANGES] = "change",
    [WM_OUT_FAILURES] = "failure", [WM_OUT_NOTIFICATIONS] = "notification", [WM_OUT_REQUESTS] = "event",
};

static unsigned seen[WM_OUT_COUNT];

static int hold(void *taker, const struct wm_out *out, struct wm_error *error) {
  (void)taker, (void)error;
  seen[out->topic]++;
  if (out->topic == WM_OUT_DLQ)
    return 0;
  struct walk walk = {.root = read_schema(schema_names[out->topic])};
  struct wm_value value = parse(out->value);
  snprintf(walk.place, sizeof walk.place, "%s", schema_names[out->topic]);
  expect_described(&walk, walk.root, &value);
  if (out->topic == WM_OUT_FAILURES) {
    const char *kind = strstr(out->value.bytes, "task.failed") ? "failed" : "rejected";
    expect_described(&walk, AT(walk.root, "definitions", kind), wm_value_member(&value, T("data")));
  }
  return 0;
}

#define CLOCK                                                                                                          \
  { 1, T("/s"), T("e"), T("a"), 1 }

Test(schema, every_member_that_is_written_is_described) {
  struct wm_text source = T("manual");
  struct wm_task grant = {.type = &wm_change_role, .name = T("n"), .role = T("r")};
  struct wm_task tell = {.type = &wm_notify, .name = T("n"), .channel = T("c")};
  struct wm_task hand_on = {.type = &wm_delegate, .role = T("r"), .to = T("u")};
  struct wm_approval approval = {T("u"), T("r"), T("g"), T("m"), 1};
  struct wm_automation automation = {.name = T("a"), .version = T("0123456789ab"), .owner = T("o")};
  struct wm_outcome outcomes[] = {
      {.task = &grant,
       .result = WM_RESULT_FAILED,
       .code = WM_E_ROLE_UNKNOWN,
       .message = T("m"),
       .effective = WM_EFFECTIVE_NO,
       .lockout = true,
       .baseline = T("b"),
       .stands = CLOCK,
       .dropped = {&source, 1}},
      {.task = &tell, .result = WM_RESULT_REQUESTED},
      {.task = &hand_on, .result = WM_RESULT_REQUESTED},
  };
  struct wm_execution executions[] = {
      {.automation = &automation, .outcomes = outcomes, .count = 2},
      {.outcomes = outcomes, .count = 1},
      {.outcomes = &outcomes[2], .count = 1, .delegation = true},
  };
  struct wm_change change = {T("r"), true, WM_CAUSE_TASK, CLOCK, true};
  struct wm_notification notification = {&automation, &tell, T("u"), T("x@y"), T("t"), T("m")};
  struct wm_event event = {.source = T("/s"),
                           .id = T("e"),
                           .type = T("t"),
                           .user = T("u"),
                           .run = T("live"),
                           .trace = {T("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), T("a=1")},
                           .origin = {T("t"), 0, 0}};
  struct wm_record record = {.topic = T("t"), .value = T("x")};
  struct wm_decision decision = {.executions = executions,
                                 .execution_count = 3,
                                 .changes = &change,
                                 .change_count = 1,
                                 .notifications = &notification,
                                 .notification_count = 1,
                                 .approval = &approval};
  struct wm_rejection rejection = {WM_E_EVENT_INVALID,
                                   T("json"),
                                   T("/x"),
                                   T("m"),
                                   T("u"),
                                   T("/s"),
                                   T("e"),
                                   T("t"),
                                   {T("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), T("a=1")},
                                   T("fix")};
  struct wm_encode encode = {.group = T("g"), .arena = &arena, .take = hold};
  struct wm_error error;
  struct wm_user *user = wm_register_decode(
      T("{\"v\":1,\"user\":\"u\",\"home\":0,\"profile\":{\"clock\":[1,\"/s\",\"e\",\"\",0],\"status\":\"active\","
        "\"type\":\"guest\",\"name\":\"n\",\"email\":\"e\",\"org-units\":{\"d\":[\"x\"]},\"groups\":[\"g\"],"
        "\"portals\":[],\"accounts\":[],\"manager\":\"m\",\"managers\":[],\"manager-of-anyone\":true,"
        "\"attributes\":{}},\"cleared\":[1,\"/s\",\"e\",\"\",0],\"signed-in\":[1,\"/"
        "s\",\"e\",\"\",0],\"roles\":{\"r\":{\"removed\":null,\"grants\":"
        "{\"manual\":{\"clock\":[1,\"/s\",\"e\",\"\",0],\"until\":5,\"taken\":[1,\"/s\",\"e\",\"\",0],\"by\":"
        "{\"version\":\"v\",\"by\":\"b\",\"reason\":\"r\",\"run\":\"x\",\"delegation\":\"holders\",\"topic\":\"t\","
        "\"partition\":0,"
        "\"offset\":0}}}}},\"ran\":{\"a\":\"0000000000000001\"},\"recent\":\"0000000000000001\"}"),
      &error);
  cr_assert(user != NULL, "%s", error.text);
  cr_assert_eq(wm_encode_decision(&encode, &record, &event, &decision, &error), 0);
  cr_assert_eq(wm_encode_rejection(&encode, &record, &rejection, &error), 0);
  change.clock = WM_NO_CLOCK;
  change.cause = WM_CAUSE_EXPIRY;
  cr_assert_eq(wm_encode_changes(&encode, user, &change, 1, 1, T(""), &error), 0);
  change.cause = WM_CAUSE_CATALOGUE;
  cr_assert_eq(wm_encode_changes(&encode, user, &change, 1, 0, T("0123456789ab"), &error), 0);
  cr_assert_eq(wm_encode_register(&encode, user, &error), 0);
  for (size_t i = 0; i < WM_OUT_COUNT; i++)
    cr_expect_gt(seen[i], 0, "nothing was sent to topic %zu", i);
  wm_user_free(user);
}

Test(schema, the_profile_of_events_and_registers_is_the_decoders) {
  size_t count = 0;
  const struct wm_value *sent = AT(read_schema("event"), "definitions", "profile", "properties");
  const struct wm_value *kept = AT(read_schema("register"), "definitions", "profile", "properties");
  for (const struct wm_shape_row *row = wm_profile_rows; row->name; row++, count++)
    cr_expect(wm_value_member(sent, wm_text_of(row->name)) && wm_value_member(kept, wm_text_of(row->name)), "%s",
              row->name);
  cr_assert_eq(sent->object.count, count);
  cr_assert_eq(kept->object.count, count + 1, "the clock is kept too");
}

/* The schemas of the YAML documents against the tables that the loader goes by: no key, operator, field or setting in
 * one and not in the other. */
#include <criterion/criterion.h>

#include "core/codec/json.h"
#include "core/condition.h"
#include "core/task.h"
#include "tests/unit/cases.h"
#include "worker/settings.h"

#define T WM_TEXT
#define AT(value, ...) at(value, (const char *[]){__VA_ARGS__, NULL})

static struct wm_arena arena;

static void set_up(void) {
  wm_arena_init(&arena, 0);
}
static void tear_down(void) {
  wm_arena_release(&arena);
}

TestSuite(yaml_schema, .init = set_up, .fini = tear_down);

static const struct wm_value *read_schema(const char *name) {
  char file[64];
  struct wm_error error;
  struct wm_value *schema = WM_ARENA_NEW(&arena, struct wm_value);
  snprintf(file, sizeof file, "%s.schema.json", name);
  struct wm_buf bytes = cases_read(FIXTURES "/../../schemas", file);
  cr_assert_eq(wm_json_parse((struct wm_text){bytes.bytes, bytes.size}, &arena, schema, &error), 0, "%s:%u: %s", file,
               error.line, error.text);
  wm_buf_release(&bytes);
  return schema;
}

static const struct wm_value *at(const struct wm_value *value, const char *const *names) {
  for (; *names; names++) {
    value = wm_value_member(value, wm_text_of(*names));
    cr_assert(value != NULL, "no '%s'", *names);
  }
  return value;
}

static bool has_item(const struct wm_value *list, const char *text) {
  for (size_t i = 0; list && i < list->list.count; i++)
    if (wm_text_is(wm_value_text(&list->list.items[i]), text))
      return true;
  return false;
}

/* --- operators --- */

static void expect_operators(const char *name) {
  const struct wm_value *test = AT(read_schema(name), "definitions", "test", "anyOf");
  cr_assert_eq(test->list.count, 2u);
  const struct wm_value *properties = AT(&test->list.items[1], "properties");
  size_t count = 0;
  for (const struct wm_operator *row = wm_operators; row->name; row++, count++)
    cr_expect(wm_value_member(properties, wm_text_of(row->name)) != NULL, "%s: %s", name, row->name);
  cr_expect_eq(properties->object.count, count, "%s has an operator of its own", name);
}

Test(yaml_schema, operators_are_those_of_the_table) {
  expect_operators("automation");
  expect_operators("role");
}

/* --- tasks --- */

static const char *const common[] = {"name", "sequence", "description", "type", "on-failure", NULL};

static void expect_task(const struct wm_value *schema, const struct wm_task_type *type) {
  const struct wm_value *task = AT(schema, "definitions", type->name), *properties = AT(task, "properties");
  size_t count = 0;
  for (; common[count]; count++)
    cr_expect(wm_value_member(properties, wm_text_of(common[count])) != NULL, "%s: %s", type->name, common[count]);
  for (const struct wm_field *field = type->fields; field->name; field++, count++) {
    cr_expect(wm_value_member(properties, wm_text_of(field->name)) != NULL, "%s: %s", type->name, field->name);
    cr_expect_eq(has_item(AT(task, "required"), field->name), field->required, "%s: %s", type->name, field->name);
  }
  cr_expect_eq(properties->object.count, count, "%s has a field of its own", type->name);
}

Test(yaml_schema, task_types_and_their_fields_are_those_of_the_tables) {
  const struct wm_value *schema = read_schema("automation");
  const struct wm_value *types = AT(schema, "definitions", "task", "properties", "type", "enum");
  size_t count = 0;
  for (; wm_task_types[count]; count++) {
    cr_expect(has_item(types, wm_task_types[count]->name), "%s", wm_task_types[count]->name);
    expect_task(schema, wm_task_types[count]);
  }
  cr_expect_eq(types->list.count, count);
}

/* --- settings --- */

/* Does the default as YAML writes it say what the schema's JSON does? Plain words need no quotes in YAML. */
static bool same_default(const struct setting_row *row, const struct wm_value *value) {
  struct wm_buf json = WM_BUF_INIT, bare = WM_BUF_INIT;
  wm_value_to_json(value, &json);
  for (size_t i = 0; i < json.size; i++)
    if (json.bytes[i] != '"')
      wm_buf_add_char(&bare, json.bytes[i]);
  wm_buf_add(&bare, "", 0);
  bool same = strcmp(row->fallback, json.bytes) == 0 || strcmp(row->fallback, bare.bytes) == 0;
  wm_buf_release(&json);
  wm_buf_release(&bare);
  return same;
}

Test(yaml_schema, settings_and_defaults_are_those_of_the_table) {
  const struct wm_value *root = AT(read_schema("settings"), "properties");
  size_t count = 0, leaves = 0;
  for (const struct setting_row *row = setting_rows; row->name; row++, count++) {
    const char *dot = strchr(row->name, '.');
    const struct wm_value *properties = root;
    if (dot) {
      const char *group = wm_arena_copy(&arena, row->name, (size_t)(dot - row->name));
      properties = AT(root, group, "properties");
    }
    const struct wm_value *setting = AT(properties, dot ? dot + 1 : row->name);
    cr_expect(same_default(row, AT(setting, "default")), "%s", row->name);
    cr_expect(wm_value_text(AT(setting, "description")).size > 0, "%s", row->name);
  }
  for (size_t i = 0; i < root->object.count; i++) {
    const struct wm_value *group = wm_value_member(&root->object.members[i].value, T("properties"));
    leaves += group ? group->object.count : 1;
  }
  cr_expect_eq(leaves, count, "the schema has a setting of its own");
}

/* --- completion --- */

Test(schema, properties_that_the_worker_refuses_are_refused_by_the_editor) {
  const struct wm_value *kafka = AT(read_schema("settings"), "properties", "kafka", "properties", "properties");
  const struct wm_value *any = AT(kafka, "propertyNames", "not", "anyOf");
  const struct wm_value *names = AT(&any->list.items[0], "enum");
  for (size_t i = 0; i < names->list.count; i++)
    cr_expect_not_null(settings_property_refused(names->list.items[i].string.bytes), "%s",
                       names->list.items[i].string.bytes);
}

static void expect_descriptions(const char *name, const struct wm_value *properties) {
  for (size_t i = 0; i < properties->object.count; i++) {
    const struct wm_member *member = &properties->object.members[i];
    bool refers = wm_value_member(&member->value, T("$ref"));
    cr_expect(refers || wm_value_text(wm_value_member(&member->value, T("description"))).size > 0, "%s: %.*s", name,
              WM_TEXT_ARG(member->name));
  }
}

Test(yaml_schema, every_key_is_described) {
  static const char *const names[] = {"automation", "role", "channel", "settings", NULL};
  for (size_t i = 0; names[i]; i++)
    expect_descriptions(names[i], AT(read_schema(names[i]), "properties"));
}

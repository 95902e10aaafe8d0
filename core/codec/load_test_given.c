/* What is given to a test: a profile and roles, or a whole register. Either becomes the JSON of a register, so that
 * running a test begins with what the worker would read. */
#include <stddef.h>

#include "core/codec/check.h"
#include "core/codec/json.h"
#include "core/codec/load_test_parts.h"
#include "core/codec/register.h"
#include "core/moment.h"

#define MANUAL "manual"
#define AUTOMATION "automation/"

struct parts {
  const struct wm_node *user, *roles, *reg, *on;
};

static load_fn keep_node;

#define AT(field) offsetof(struct parts, field)
static const struct load_key given_keys[] = {
    {"user", keep_node, AT(user), false, false, NULL},
    {"roles", keep_node, AT(roles), false, false, NULL},
    {"register", keep_node, AT(reg), false, false, NULL},
    {"switched-on", keep_node, AT(on), false, false, NULL},
    {NULL, NULL, 0, false, false, NULL},
};
#undef AT

/* One role that is held before. */
struct held {
  struct wm_text role, by;
  int64_t until_us;
};

static load_fn load_by, load_until;

#define AT(field) offsetof(struct held, field)
static const struct load_key held_keys[] = {
    {"role", load_name, AT(role), true, false, NULL},
    {"by", load_by, AT(by), false, false, NULL},
    {"until", load_until, AT(until_us), false, false, NULL},
    {NULL, NULL, 0, false, false, NULL},
};
#undef AT

static void keep_node(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  (void)load, (void)key;
  *(const struct wm_node **)place = value;
}

static void load_by(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_text text = WM_NO_TEXT, name;
  load_filled(load, key, value, &text);
  if (!text.bytes)
    return;
  const struct wm_text prefix = WM_TEXT(AUTOMATION);
  name = wm_text_starts_with(text, prefix) ? (struct wm_text){text.bytes + prefix.size, text.size - prefix.size}
                                           : WM_TEXT("-");
  if (wm_text_is(text, MANUAL) || wm_text_is_name(name))
    *(struct wm_text *)place = text;
  else
    load_invalid(load, value, WM_E_VALUE_INVALID,
                 "a role is held by '" MANUAL "' or by '" AUTOMATION "NAME', not '%.*s'",
                 WM_TEXT_ARG(wm_text_shown(text)));
}

static void load_until(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  load_moment(load, key->name, value, place);
}

/* The clock of all that was before. */
static struct wm_clock clock_before(const struct load_case *given) {
  return (struct wm_clock){.time_us = given->clock_us - WM_SECOND_US,
                           .source = WM_TEXT("/test"),
                           .id = WM_TEXT(LOAD_CASE_GIVEN),
                           .automation = WM_TEXT("")};
}

/* --- the profile --- */

static void report_unknown_field(struct load *load, const struct wm_node *key) {
  const char *names[LOAD_KEYS_LIMIT + 1] = {"id"};
  for (size_t i = 0; wm_profile_rows[i].name && i + 1 < LOAD_KEYS_LIMIT; i++)
    names[i + 1] = wm_profile_rows[i].name;
  load_invalid(load, key, WM_E_KEY_UNKNOWN, "unknown key '%.*s' in a profile" LOAD_NEAR,
               WM_TEXT_ARG(wm_text_shown(key->text)), LOAD_NEAR_ARG(wm_text_nearest(key->text, names)));
}

static bool is_field(struct wm_text name) {
  for (const struct wm_shape_row *row = wm_profile_rows; row->name; row++)
    if (wm_text_is(name, row->name))
      return true;
  return false;
}

/* The members that profiles have, with a status. False: reported. */
static bool read_fields(struct load *load, const struct wm_node *map, struct wm_value *ret) {
  bool whole = true;
  *ret = (struct wm_value){.type = WM_OBJECT};
  ret->object.members = load_array(load, map->count + 1, sizeof(*ret->object.members));
  for (size_t i = 0; ret->object.members && i < map->count; i++) {
    const struct wm_node *key = &map->items[2 * i];
    struct wm_member *member = &ret->object.members[ret->object.count];
    if (load_is_reported(key) || wm_text_is(key->text, "id"))
      continue;
    member->name = load_copy(load, key->text);
    if (!is_field(key->text))
      report_unknown_field(load, key);
    else if (load_value(load, &map->items[2 * i + 1], &member->value))
      ret->object.count++;
    whole = whole && ret->object.members + ret->object.count == member + 1;
  }
  if (ret->object.members && !wm_value_member(ret, WM_TEXT("status")))
    ret->object.members[ret->object.count++] =
        (struct wm_member){WM_TEXT("status"), {.type = WM_STRING, .string = WM_TEXT("active")}};
  return whole && ret->object.members;
}

static void read_id(struct load_case *given, const struct wm_node *map) {
  static const struct load_key key = {.name = "id"};
  const struct wm_node *id = wm_node_get(map, "id");
  if (!id)
    return;
  load_filled(given->load, &key, id, &given->user);
  if (given->user.bytes && !wm_text_is_user_id(given->user))
    load_invalid(given->load, id, WM_E_VALUE_INVALID,
                 "'%.*s' can't be a user id: at most 256 bytes, no control characters",
                 WM_TEXT_ARG(wm_text_shown(given->user)));
}

/* Fills the profile of 'user'. */
static void set_profile(struct load_case *given, const struct wm_node *map, const struct wm_value *fields,
                        struct wm_user *user) {
  struct load *load = given->load;
  struct wm_value checked;
  struct wm_fault fault;
  bool changed;
  struct wm_clock clock = clock_before(given);
  if (!wm_check_object(fields, wm_profile_rows, WM_TEXT(""), load->arena, &checked, &fault))
    load->memory |= wm_user_set_profile(user, &clock, &checked, &changed) < 0;
  else if (fault.reason)
    load_invalid(load, map, WM_E_VALUE_INVALID, "no profile: %.*s", WM_TEXT_ARG(fault.message));
  else
    load->memory = true;
}

/* --- roles --- */

static void note_role(struct load_case *given, const struct wm_node *node, struct wm_text role) {
  given->test->had[given->test->had_count++] = (struct wm_expected_role){.role = role, .place = load_place(node)};
}

static void add_grant(struct load_case *given, const struct held *held, struct wm_user *user) {
  enum wm_write write;
  struct wm_clock stands;
  const struct wm_grant grant = {.source = held->by, .clock = clock_before(given), .until_us = held->until_us};
  if (wm_user_add_grant(user, held->role, &grant, given->clock_us - WM_SECOND_US, &write, &stands) < 0)
    given->load->memory = true;
}

static void read_held(struct load_case *given, const struct wm_node *node, struct wm_user *user) {
  static const struct load_key key = {.name = "roles"};
  struct held held = {.by = WM_TEXT(MANUAL), .until_us = WM_NEVER};
  const struct wm_node *name = node;
  if (node->kind == WM_NODE_SCALAR)
    load_name(given->load, &key, node, &held.role);
  else if (load_map(given->load, node, "a role that is held", held_keys, &held) && wm_node_get(node, "role"))
    name = wm_node_get(node, "role");
  if (!wm_text_is_name(held.role) || given->load->memory)
    return;
  note_role(given, name, held.role);
  add_grant(given, &held, user);
}

/* ROLE: BY */
static void read_pair(struct load_case *given, const struct wm_node *key, const struct wm_node *by,
                      struct wm_user *user) {
  static const struct load_key by_key = {.name = "by"}, role_key = {.name = "roles"};
  struct held held = {.until_us = WM_NEVER};
  if (load_is_reported(key))
    return;
  load_name(given->load, &role_key, key, &held.role);
  load_by(given->load, &by_key, by, &held.by);
  if (!wm_text_is_name(held.role) || !held.by.bytes || given->load->memory)
    return;
  note_role(given, key, held.role);
  add_grant(given, &held, user);
}

static void read_roles(struct load_case *given, const struct wm_node *roles, struct wm_user *user) {
  struct load *load = given->load;
  if (roles->broken)
    return;
  if (roles->kind == WM_NODE_SCALAR) {
    load_invalid(load, roles, WM_E_TYPE_WRONG,
                 "'roles' must be a list of roles, or a mapping of roles to who gave them");
    return;
  }
  given->test->had = load_array(load, roles->count, sizeof(*given->test->had));
  for (size_t i = 0; given->test->had && i < roles->count && !load->memory; i++)
    if (roles->kind == WM_NODE_LIST)
      read_held(given, &roles->items[i], user);
    else
      read_pair(given, &roles->items[2 * i], &roles->items[2 * i + 1], user);
}

/* --- automations --- */

static void read_on(struct load_case *given, const struct wm_node *list) {
  static const struct load_key key = {.name = "switched-on"};
  struct wm_case *test = given->test;
  if (list->broken)
    return;
  if (list->kind != WM_NODE_LIST) {
    load_invalid(given->load, list, WM_E_TYPE_WRONG, "'switched-on' must be a list of automations, not %s",
                 load_kind_name(list));
    return;
  }
  test->on = load_array(given->load, list->count, sizeof(*test->on));
  for (size_t i = 0; test->on && i < list->count; i++) {
    struct wm_expected_run *on = &test->on[test->on_count];
    *on = (struct wm_expected_run){.runs = true, .place = load_place(&list->items[i])};
    load_name(given->load, &key, &list->items[i], &on->automation);
    test->on_count += wm_text_is_name(on->automation);
  }
}

/* --- the whole --- */

/* A register in YAML, or its JSON as a text. NULL: reported, or out of memory. */
static struct wm_user *read_register(struct load_case *given, const struct wm_node *node) {
  struct load *load = given->load;
  struct wm_buf json = WM_BUF_INIT;
  struct wm_error error = {0};
  struct wm_value value;
  if (!load_value(load, node, &value))
    return NULL;
  struct wm_text text = wm_value_text(&value);
  if (!text.bytes) {
    wm_value_to_json(&value, &json);
    text = (struct wm_text){json.bytes, json.size};
  }
  struct wm_user *user = json.failed ? NULL : wm_register_decode(text, &error);
  if (!user && error.code == WM_E_REGISTER_INVALID)
    load_invalid(load, node, WM_E_VALUE_INVALID, "no register: %s", error.text);
  else if (!user)
    load->memory = true;
  wm_buf_release(&json);
  return user;
}

static struct wm_user *make_register(struct load_case *given, const struct parts *parts) {
  struct wm_value fields;
  bool has_fields = false;
  if (parts->user && !parts->user->broken && parts->user->kind != WM_NODE_MAP) {
    load_invalid(given->load, parts->user, WM_E_TYPE_WRONG, "'user' must be a mapping of profile fields, not %s",
                 load_kind_name(parts->user));
  } else if (parts->user && !parts->user->broken) {
    read_id(given, parts->user);
    has_fields = read_fields(given->load, parts->user, &fields);
  }
  struct wm_text id = given->user.bytes ? given->user : WM_TEXT(LOAD_CASE_USER);
  struct wm_user *user = wm_user_new(id, 0);
  if (!user)
    given->load->memory = true;
  if (user && has_fields)
    set_profile(given, parts->user, &fields, user);
  if (user && parts->roles)
    read_roles(given, parts->roles, user);
  return user;
}

static void keep_register(struct load_case *given, const struct wm_user *user) {
  struct wm_buf json = WM_BUF_INIT;
  wm_register_encode(user, &json);
  if (json.failed)
    given->load->memory = true;
  else
    given->test->given = load_copy(given->load, (struct wm_text){json.bytes, json.size});
  wm_buf_release(&json);
}

void load_case_given(struct load_case *given, const struct wm_node *value) {
  struct parts parts = {0};
  if (!load_map(given->load, value, "'given'", given_keys, &parts))
    return;
  if (parts.on)
    read_on(given, parts.on);
  if (!parts.reg && !parts.user && !parts.roles)
    return;
  if (parts.reg && (parts.user || parts.roles)) {
    load_invalid(given->load, parts.reg, WM_E_VALUE_INVALID,
                 "'register' is all that is given: leave out 'user' and 'roles'");
    return;
  }
  struct wm_user *user = parts.reg ? read_register(given, parts.reg) : make_register(given, &parts);
  if (user && !given->load->memory) {
    if (!given->user.bytes)
      given->user = load_copy(given->load, user->id);
    keep_register(given, user);
  }
  wm_user_free(user);
}

/* role: and channel: documents (contract 3 and 8). */
#include <stddef.h>

#include "core/codec/load_parts.h"

static const char *const type_words[] = {"employee", "partner", "customer", "guest", NULL};
static const char *const kind_words[] = {"portal", "system", "administrator", NULL};
static const char *const status_words[] = {"active", "inactive", "archived", NULL};
static const char *const activate_words[] = {"immediately", "at-sign-in", NULL};
static const char *const delegation_words[] = {"none", "holders", NULL};

static void load_type(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  unsigned word = sizeof(type_words) / sizeof(type_words[0]) - 1;
  load_word(load, key, value, &word);
  *(struct wm_text *)place = wm_text_of(type_words[word]);
}

static void load_activate(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  unsigned word = 0;
  load_word(load, key, value, &word);
  *(bool *)place = word == 1;
}

static load_fn load_portals, load_criteria;

#define AT(field) offsetof(struct wm_role, field)
static const struct load_key role_keys[] = {
    {"role", load_name, AT(name), true, false, NULL},
    {"label", load_text, AT(label), false, true, NULL},
    {"description", load_text, AT(description), false, true, NULL},
    {"type", load_type, AT(type), false, false, type_words},
    {"kind", load_word, AT(kind), false, false, kind_words},
    {"status", load_word, AT(status), false, false, status_words},
    {"managed", load_boolean, AT(managed), false, false, NULL},
    {"portals", load_portals, 0, false, false, NULL},
    {"delegation", load_word, AT(delegation), false, false, delegation_words},
    {"activate", load_activate, AT(at_sign_in), false, false, activate_words},
    {"assigned-when", load_criteria, 0, false, false, NULL},
    {"permissions", load_anything, 0, false, false, NULL},
    {"silence", load_silence, 0, false, false, NULL},
    {NULL, NULL, 0, false, false, NULL},
};
#undef AT

static void load_portals(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_role *role = place;
  load_texts(load, key, value, false, &role->portals, &role->portal_count);
}

/* A criterion while it is read: one of these says what it is. */
struct criterion {
  struct wm_criterion whole;
  struct wm_text user, org_unit, group;
  bool all, manager;
};

#define AT(field) offsetof(struct criterion, field)
static const struct load_key criterion_keys[] = {
    {"all", load_boolean, AT(all), false, false, NULL},
    {"user", load_filled, AT(user), false, false, NULL},
    {"org-unit", load_filled, AT(org_unit), false, false, NULL},
    {"group", load_filled, AT(group), false, false, NULL},
    {"manager-of-anyone", load_boolean, AT(manager), false, false, NULL},
    {"when", load_condition, AT(whole.when), false, false, NULL},
    {"include-subordinates", load_boolean, AT(whole.include_subordinates), false, false, NULL},
    {"org-unit-type", load_filled, AT(whole.org_unit_type), false, false, NULL},
    {NULL, NULL, 0, false, false, NULL},
};
#undef AT

static const struct {
  const char *key;
  enum wm_criterion_kind kind;
} criterion_kinds[] = {
    {"all", WM_CRITERION_ALL},
    {"user", WM_CRITERION_USER},
    {"org-unit", WM_CRITERION_ORG_UNIT},
    {"group", WM_CRITERION_GROUP},
    {"manager-of-anyone", WM_CRITERION_MANAGER},
    {"when", WM_CRITERION_WHEN},
};

/* What the criterion goes by. NULL: nothing or more than one, that was reported. */
static const struct wm_node *find_kind(struct load *load, const struct wm_node *map, enum wm_criterion_kind *ret) {
  const struct wm_node *found = NULL;
  const char *name = "";
  for (size_t i = 0; i < sizeof(criterion_kinds) / sizeof(criterion_kinds[0]); i++) {
    const struct wm_node *value = wm_node_get(map, criterion_kinds[i].key);
    if (value && found) {
      load_invalid(load, map, WM_E_VALUE_INVALID, "a criterion goes by one thing, not by '%s' and '%s': make it two",
                   name, criterion_kinds[i].key);
      return NULL;
    }
    if (!value)
      continue;
    found = value;
    name = criterion_kinds[i].key;
    *ret = criterion_kinds[i].kind;
  }
  if (!found && !load_has_reported(map))
    load_invalid(load, map, WM_E_KEY_MISSING,
                 "a criterion needs 'all', 'user', 'org-unit', 'group', 'manager-of-anyone' or 'when'");
  return found;
}

static void check_modifiers(struct load *load, const struct wm_node *map, enum wm_criterion_kind kind) {
  const struct wm_node *below = wm_node_get(map, "include-subordinates"), *type = wm_node_get(map, "org-unit-type");
  if (below && kind != WM_CRITERION_USER && kind != WM_CRITERION_ORG_UNIT)
    load_invalid(load, below, WM_E_VALUE_INVALID, "'include-subordinates' goes with 'user' or 'org-unit'");
  if (type && kind != WM_CRITERION_ORG_UNIT)
    load_invalid(load, type, WM_E_VALUE_INVALID, "'org-unit-type' goes with 'org-unit'");
}

/* A derived role is decided from the profile alone. */
static void check_paths(struct load *load, const struct wm_condition *condition) {
  const struct wm_node place = {.line = condition->line, .column = condition->column};
  if (condition->kind == WM_FIELD && condition->path.root == WM_PATH_USER_ROLES)
    load_invalid(load, &place, WM_E_PATH_UNKNOWN, "a criterion can't go by 'user.roles', which it helps to make");
  else if (condition->kind == WM_FIELD && condition->path.root != WM_PATH_USER)
    load_invalid(load, &place, WM_E_PATH_UNKNOWN,
                 "a criterion goes by the profile, so by paths below 'user.', not '%.*s'",
                 WM_TEXT_ARG(wm_text_shown(condition->path.written)));
  for (size_t i = 0; i < condition->count; i++)
    check_paths(load, &condition->children[i]);
}

static void check_value(struct load *load, const struct wm_node *value, const struct criterion *criterion) {
  enum wm_criterion_kind kind = criterion->whole.kind;
  bool is_false = wm_node_value(value, NULL).type == WM_BOOLEAN;
  if (kind == WM_CRITERION_ALL && !criterion->all && is_false)
    load_invalid(load, value, WM_E_VALUE_INVALID, "'all' can only be true, leave the criterion out otherwise");
  if (kind == WM_CRITERION_MANAGER && !criterion->manager && is_false)
    load_invalid(load, value, WM_E_VALUE_INVALID,
                 "'manager-of-anyone' can only be true, leave the criterion out otherwise");
  if (kind == WM_CRITERION_USER && criterion->user.bytes && !wm_text_is_user_id(criterion->user))
    load_invalid(load, value, WM_E_VALUE_INVALID, "'%.*s' can't be a user id: at most 256 bytes, no control characters",
                 WM_TEXT_ARG(wm_text_shown(criterion->user)));
  if (kind == WM_CRITERION_WHEN)
    check_paths(load, &criterion->whole.when);
}

static void read_criterion(struct load *load, const struct wm_node *map, struct wm_criterion *ret) {
  struct criterion criterion = {.whole = {.line = map->line, .column = map->column}};
  const struct wm_node *value = NULL;
  if (load_map(load, map, "a criterion", criterion_keys, &criterion))
    value = find_kind(load, map, &criterion.whole.kind);
  if (value) {
    check_modifiers(load, map, criterion.whole.kind);
    check_value(load, value, &criterion);
  }
  criterion.whole.name = criterion.user.bytes       ? criterion.user
                         : criterion.org_unit.bytes ? criterion.org_unit
                                                    : criterion.group;
  *ret = criterion.whole;
}

static void load_criteria(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_role *role = place;
  if (value->broken)
    return;
  if (value->kind != WM_NODE_LIST || value->count == 0) {
    load_invalid(load, value, value->kind == WM_NODE_LIST ? WM_E_VALUE_INVALID : WM_E_TYPE_WRONG,
                 "'%s' needs a list of criteria, one '- ' each%s", key->name,
                 value->kind == WM_NODE_LIST ? ": it is empty" : "");
    return;
  }
  role->criteria = load_array(load, value->count, sizeof(*role->criteria));
  role->criterion_count = role->criteria ? value->count : 0;
  for (size_t i = 0; i < role->criterion_count; i++)
    read_criterion(load, &value->items[i], &role->criteria[i]);
}

void load_role(struct load *load, const struct wm_node *root, struct wm_role *ret) {
  *ret = (struct wm_role){.file = load->file, .line = root->line, .column = root->column};
  load_map(load, root, "a role", role_keys, ret);
  const struct wm_node *activate = wm_node_get(root, "activate");
  if (activate && ret->at_sign_in && !wm_node_get(root, "assigned-when"))
    load_warning(load, activate, WM_E_ACTIVATION_UNUSED,
                 "'at-sign-in' waits for a criterion, and this role has no 'assigned-when': who is given it has it "
                 "at once");
  if (!ret->label.bytes)
    ret->label = ret->name;
}

#define AT(field) offsetof(struct wm_channel, field)
static const struct load_key channel_keys[] = {
    {"channel", load_name, AT(name), true, false, NULL},
    {"kind", load_name, AT(kind), false, false, NULL},
    {"description", load_text, AT(description), false, true, NULL},
    {"silence", load_silence, 0, false, false, NULL},
    {NULL, NULL, 0, false, false, NULL},
};
#undef AT

void load_channel(struct load *load, const struct wm_node *root, struct wm_channel *ret) {
  *ret = (struct wm_channel){.kind = WM_TEXT("log"), .file = load->file, .line = root->line, .column = root->column};
  load_map(load, root, "a channel", channel_keys, ret);
}

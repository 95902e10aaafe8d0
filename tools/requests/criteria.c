#include "tools/requests/criteria.h"

#include "tools/rules/conditions.h"

const char *criteria_key(const struct wm_criterion *criterion) {
  static const char *const keys[] = {
      [WM_CRITERION_ALL] = "all",
      [WM_CRITERION_USER] = "user",
      [WM_CRITERION_ORG_UNIT] = "org-unit",
      [WM_CRITERION_GROUP] = "group",
      [WM_CRITERION_MANAGER] = "manager-of-anyone",
      [WM_CRITERION_WHEN] = "when",
  };
  return keys[criterion->kind];
}

void criteria_text(const struct wm_criterion *criterion, struct wm_buf *buf) {
  static const char *const texts[] = {
      [WM_CRITERION_ALL] = "everybody who has a profile",
      [WM_CRITERION_USER] = "user ",
      [WM_CRITERION_ORG_UNIT] = "org unit ",
      [WM_CRITERION_GROUP] = "directory group ",
      [WM_CRITERION_MANAGER] = "managers of anyone",
      [WM_CRITERION_WHEN] = "profiles where ",
  };
  wm_buf_printf(buf, "%s%.*s", texts[criterion->kind], WM_TEXT_ARG(criterion->name));
  if (criterion->org_unit_type.bytes)
    wm_buf_printf(buf, " of %.*s", WM_TEXT_ARG(criterion->org_unit_type));
  if (criterion->include_subordinates)
    wm_buf_add_string(buf, criterion->kind == WM_CRITERION_USER ? " and whom he manages" : " and all below");
  if (criterion->kind == WM_CRITERION_WHEN)
    conditions_text(&criterion->when, buf);
}

/* The field of the profile that decides. */
struct field {
  const char *path;             /* "user.groups" */
  struct wm_text more;          /* the type of the org unit: "user.org-units.division" */
  const struct wm_value *value; /* NULL: absent */
};

static struct field org_units(const struct wm_criterion *criterion, const struct wm_facts *facts) {
  struct field field = {"user.org-units", WM_NO_TEXT, facts->org_units};
  if (criterion->org_unit_type.bytes)
    return (struct field){"user.org-units.", criterion->org_unit_type,
                          wm_value_member(facts->org_units, criterion->org_unit_type)};
  for (size_t i = 0; facts->org_units && i < facts->org_units->object.count; i++) {
    const struct wm_member *path = &facts->org_units->object.members[i];
    struct wm_value one = {.type = WM_OBJECT, .object = {.members = (struct wm_member *)(uintptr_t)path, .count = 1}};
    struct wm_facts alone = *facts;
    alone.org_units = &one;
    if (wm_criterion_holds(criterion, &alone, 0))
      return (struct field){"user.org-units.", path->name, &path->value};
  }
  return field;
}

static struct field find_field(const struct wm_criterion *criterion, const struct wm_facts *facts) {
  switch (criterion->kind) {
  case WM_CRITERION_ORG_UNIT:
    return org_units(criterion, facts);
  case WM_CRITERION_GROUP:
    return (struct field){"user.groups", WM_NO_TEXT, facts->groups};
  case WM_CRITERION_MANAGER:
    return (struct field){"user.manager-of-anyone", WM_NO_TEXT,
                          wm_user_field(facts->user, WM_TEXT("manager-of-anyone"))};
  case WM_CRITERION_USER:
    if (wm_user_field(facts->user, WM_TEXT("manager")))
      return (struct field){"user.manager", WM_NO_TEXT, wm_user_field(facts->user, WM_TEXT("manager"))};
    return (struct field){"user.managers", WM_NO_TEXT, wm_user_field(facts->user, WM_TEXT("managers"))};
  case WM_CRITERION_ALL:
  case WM_CRITERION_WHEN:
    break;
  }
  return (struct field){0};
}

void criteria_evidence(const struct wm_criterion *criterion, const struct wm_facts *facts, struct wm_buf *buf) {
  if (!facts) {
    wm_buf_add_string(buf, "there is no profile: the directory has said nothing of this user");
    return;
  }
  if (criterion->kind == WM_CRITERION_ALL) {
    wm_buf_add_string(buf, "the user has a profile");
    return;
  }
  if (criterion->kind == WM_CRITERION_USER &&
      (!criterion->include_subordinates || wm_text_equal(facts->user->id, criterion->name))) {
    wm_buf_printf(buf, "the user is %.*s", WM_TEXT_ARG(facts->user->id));
    return;
  }
  struct field field = find_field(criterion, facts);
  if (!field.path)
    return;
  wm_buf_printf(buf, "%s%.*s is ", field.path, WM_TEXT_ARG(field.more));
  if (field.value)
    conditions_value(field.value, buf);
  else
    wm_buf_add_string(buf, "absent");
}

void criteria_evidence_to_json(const struct wm_criterion *criterion, const struct wm_facts *facts, struct wm_buf *buf) {
  struct field field = facts ? find_field(criterion, facts) : (struct field){0};
  struct wm_buf path = WM_BUF_INIT;
  if (!field.path)
    return;
  wm_buf_printf(&path, "%s%.*s", field.path, WM_TEXT_ARG(field.more));
  wm_buf_add_string(buf, "\"path\":");
  wm_buf_add_json(buf, (struct wm_text){path.bytes, path.size});
  if (field.value) {
    wm_buf_add_string(buf, ",\"found\":");
    wm_value_to_json(field.value, buf);
  }
  buf->failed = buf->failed || path.failed;
  wm_buf_release(&path);
}

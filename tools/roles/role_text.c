#include "tools/roles/role_text.h"

#include <stdlib.h>

#include "tools/command.h"
#include "tools/lib/say.h"
#include "tools/requests/criteria.h"

const char *role_kind_name(enum wm_role_kind kind) {
  static const char *const names[] = {
      [WM_ROLE_PORTAL] = "portal", [WM_ROLE_SYSTEM] = "system", [WM_ROLE_ADMINISTRATOR] = "administrator"};
  return names[kind];
}

const char *role_status_name(enum wm_role_status status) {
  static const char *const names[] = {
      [WM_ROLE_ACTIVE] = "active", [WM_ROLE_INACTIVE] = "inactive", [WM_ROLE_ARCHIVED] = "archived"};
  return names[status];
}

int role_find(const struct wm_workspace *workspace, const char *name, const struct wm_role **ret) {
  *ret = wm_workspace_role(workspace, wm_text_of(name));
  if (*ret)
    return EXIT_FINE;
  struct wm_text near = wm_workspace_near_role(workspace, wm_text_of(name));
  if (near.size)
    return say(EXIT_USAGE, "the catalogue has no role '%s' (did you mean '%.*s'?)", name, WM_TEXT_ARG(near));
  return say(EXIT_USAGE, "the catalogue has no role '%s'", name);
}

void role_text_triggers(const struct wm_automation *automation, struct wm_buf *buf) {
  for (size_t i = 0; i < automation->trigger_count; i++)
    wm_buf_printf(buf, "%s%.*s", i ? ", " : "", WM_TEXT_ARG(automation->triggers[i]));
}

static void add_text(struct wm_buf *buf, const char *name, struct wm_text text) {
  if (!text.bytes)
    return;
  wm_buf_printf(buf, ",\"%s\":", name);
  wm_buf_add_json(buf, text);
}

static void add_criterion(const struct wm_criterion *criterion, struct wm_buf *buf) {
  struct wm_buf text = WM_BUF_INIT;
  criteria_text(criterion, &text);
  wm_buf_printf(buf, "{\"criterion\":\"%s\"", criteria_key(criterion));
  if (criterion->name.size)
    add_text(buf, "name", criterion->name);
  add_text(buf, "org-unit-type", criterion->org_unit_type);
  if (criterion->include_subordinates)
    wm_buf_add_string(buf, ",\"include-subordinates\":true");
  add_text(buf, "text", (struct wm_text){text.bytes, text.size});
  wm_buf_add_char(buf, '}');
  buf->failed = buf->failed || text.failed;
  wm_buf_release(&text);
}

void role_text_members(const struct wm_role *role, struct wm_buf *buf) {
  wm_buf_add_string(buf, "\"role\":");
  wm_buf_add_json(buf, role->name);
  add_text(buf, "label", role->label);
  add_text(buf, "description", role->description);
  add_text(buf, "kind", wm_text_of(role_kind_name(role->kind)));
  add_text(buf, "status", wm_text_of(role_status_name(role->status)));
  add_text(buf, "type", role->type);
  wm_buf_add_string(buf, role->managed ? ",\"managed\":true" : "");
  wm_buf_add_string(buf, role->delegation == WM_DELEGATION_HOLDERS ? ",\"delegation\":\"holders\"" : "");
  wm_buf_add_string(buf, role->at_sign_in ? ",\"activate\":\"at-sign-in\"" : "");
  wm_buf_add_string(buf, role->at_sign_in ? ",\"activate\":\"at-sign-in\"" : "");
  for (size_t i = 0; i < role->portal_count; i++) {
    wm_buf_add_string(buf, i ? "," : ",\"portals\":[");
    wm_buf_add_json(buf, role->portals[i]);
    wm_buf_add_string(buf, i + 1 == role->portal_count ? "]" : "");
  }
  for (size_t i = 0; i < role->criterion_count; i++) {
    wm_buf_add_string(buf, i ? "," : ",\"assigned-when\":[");
    add_criterion(&role->criteria[i], buf);
    wm_buf_add_string(buf, i + 1 == role->criterion_count ? "]" : "");
  }
  add_text(buf, "file", role->file);
  wm_buf_printf(buf, ",\"line\":%u", role->line);
}

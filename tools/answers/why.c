#include "tools/answers/why.h"

#include "core/baseline.h"
#include "core/moment.h"
#include "tools/lib/show.h"

#define AUTOMATION_SOURCE "automation/"

const char *const why_heads[] = {"ROLE", "IN FORCE", "BECAUSE OF", NULL};
const char *const why_user_heads[] = {"USER", "ROLE", "IN FORCE", "BECAUSE OF", NULL};

static void add_grant(const struct wm_grant *grant, struct wm_buf *buf) {
  const struct wm_text prefix = WM_TEXT(AUTOMATION_SOURCE);
  if (wm_text_starts_with(grant->source, prefix)) {
    struct wm_text name = {grant->source.bytes + prefix.size, grant->source.size - prefix.size};
    wm_buf_printf(buf, "automation %.*s", WM_TEXT_ARG(name));
    if (wm_text_is(name, WM_BASELINE))
      wm_buf_add_string(buf, " (no other role was left)");
  } else {
    wm_buf_add_string(buf, "an assignment by hand");
  }
  if (grant->by.by.bytes)
    wm_buf_printf(buf, " by %.*s", WM_TEXT_ARG(grant->by.by));
  if (grant->by.reason.bytes)
    wm_buf_printf(buf, " (%.*s)", WM_TEXT_ARG(grant->by.reason));
  wm_buf_printf(buf, ", event %.*s", WM_TEXT_ARG(grant->clock.id));
  if (grant->until_us != WM_NEVER) {
    wm_buf_add_string(buf, ", until ");
    show_time(grant->until_us, buf);
  }
}

static void add_criterion(const struct wm_criterion *criterion, struct wm_buf *buf) {
  static const char *const texts[] = {
      [WM_CRITERION_ALL] = "everybody has it",
      [WM_CRITERION_USER] = "the criterion names user ",
      [WM_CRITERION_ORG_UNIT] = "the org unit is ",
      [WM_CRITERION_GROUP] = "the directory group is ",
      [WM_CRITERION_MANAGER] = "the user manages somebody",
      [WM_CRITERION_WHEN] = "the criterion's condition holds",
  };
  wm_buf_printf(buf, "derived: %s%.*s", texts[criterion->kind], WM_TEXT_ARG(criterion->name));
  if (criterion->include_subordinates)
    wm_buf_add_string(buf, criterion->kind == WM_CRITERION_USER ? " or a subordinate" : " or below");
}

void why_add(const struct wm_role *role, struct wm_text name, const struct wm_user *user, int64_t now_us,
             struct wm_buf *buf) {
  const struct wm_user_role *held = wm_user_role(user, name);
  const struct wm_criterion *criterion = NULL;
  const char *between = "";
  for (size_t i = 0; held && i < held->grant_count; i++) {
    if (!wm_grant_is_live(user, held, &held->grants[i], now_us))
      continue;
    wm_buf_add_string(buf, between);
    add_grant(&held->grants[i], buf);
    between = "; ";
  }
  bool derived = role && wm_role_is_derived(role, user, now_us, &criterion);
  if (!derived && (!role || !wm_role_awaits_sign_in(role, user, now_us, &criterion)))
    return;
  wm_buf_add_string(buf, between);
  add_criterion(criterion, buf);
  if (!derived)
    wm_buf_add_string(buf, ", begins when he signs in");
}

static void add_row(const struct wm_role *role, struct wm_text name, const struct wm_user *user, int64_t now_us,
                    bool with_user, struct table *table) {
  struct wm_buf why = WM_BUF_INIT;
  why_add(role, name, user, now_us, &why);
  if (why.size > 0) {
    enum wm_code code = role ? wm_role_fits(role, user) : WM_E_ROLE_UNKNOWN;
    bool waits =
        code == WM_OK && !wm_user_is_assigned(user, name, now_us) && wm_role_awaits_sign_in(role, user, now_us, NULL);
    if (with_user)
      table_text(table, STYLE_PLAIN, user->id);
    table_text(table, STYLE_PLAIN, name);
    bool effective = code == WM_OK && !waits;
    table_cell(table, effective ? STYLE_GOOD : STYLE_WARN, "%s%s", effective ? "yes" : "no, ",
               effective ? ""
               : waits   ? "awaits a sign-in"
                         : wm_code_name(code));
    table_text(table, STYLE_PLAIN, (struct wm_text){why.bytes, why.size});
  }
  table->failed = table->failed || why.failed;
  wm_buf_release(&why);
}

/* Catalogue and register are both sorted by name: one walk over the two. */
static void add_rows(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us, bool with_user,
                     struct table *table) {
  size_t role = 0, held = 0;
  while (role < workspace->role_count || held < user->role_count) {
    const struct wm_role *known = role < workspace->role_count ? &workspace->roles[role] : NULL;
    const struct wm_user_role *own = held < user->role_count ? &user->roles[held] : NULL;
    int order = !known ? 1 : !own ? -1 : wm_text_compare(known->name, own->name);
    if (order <= 0)
      add_row(known, known->name, user, now_us, with_user, table);
    else
      add_row(NULL, own->name, user, now_us, with_user, table);
    role += order <= 0;
    held += order >= 0;
  }
}

void why_table(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us, struct table *table) {
  add_rows(workspace, user, now_us, false, table);
}

void why_user_rows(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us,
                   struct table *table) {
  add_rows(workspace, user, now_us, true, table);
}

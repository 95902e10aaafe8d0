/* Because of what a user holds a role, in words. */
#ifndef WM_TOOLS_WHY_H
#define WM_TOOLS_WHY_H

#include "core/project.h"
#include "tools/lib/table.h"

/* Appends every reason that is alive at 'now_us': grants with their end, the criterion that holds, though
 * it may await a sign-in. Nothing when there is none. 'role' NULL: the catalogue has no role of this name. */
void why_add(const struct wm_role *role, struct wm_text name, const struct wm_user *user, int64_t now_us,
             struct wm_buf *buf);

/* A table with one row for each role that the user holds or that is derived: role, in force or why not, because of
 * what. */
void why_table(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us, struct table *table);
extern const char *const why_heads[];

/* The same with the user as the first column, for tables of many. */
void why_user_rows(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us,
                   struct table *table);
extern const char *const why_user_heads[];

#endif

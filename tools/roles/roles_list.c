/* waymark roles list: the distribution of roles over the users, and what has changed lately. */
#include <stdio.h>
#include <stdlib.h>

#include "core/derive.h"
#include "core/moment.h"
#include "core/project.h"
#include "tools/answers/changes.h"
#include "tools/lib/say.h"
#include "tools/lib/source.h"
#include "tools/lib/table.h"
#include "tools/roles/role_text.h"
#include "tools/roles/roles.h"
#include "tools/roles/roles_control.h"
#include "worker/clock.h"

#define DAY_US (86400 * WM_SECOND_US)
#define NEARLY_ALL 90 /* of a hundred active users */

/* Users of one role: in force, and by each source that gives it, whether it is in force or not. */
struct tally {
  size_t effective, automation, manual, derived;
  size_t gained_day, lost_day, gained_week, lost_week;
};

struct census {
  const struct loaded *loaded;
  const struct options *options;
  int64_t now_us;
  struct tally *tallies; /* by position in the catalogue */
  unsigned char *marks;
  size_t active, unknown; /* active users; role names that the catalogue does not have */
  bool users_known, changes_known;
};

static struct tally *tally_of(struct census *census, struct wm_text name) {
  const struct wm_workspace *workspace = census->loaded->workspace;
  const struct wm_role *role = wm_workspace_role(workspace, name);
  if (!role) {
    census->unknown++;
    return NULL;
  }
  return &census->tallies[role - workspace->roles];
}

/* --- users --- */

static void count_grants(struct census *census, const struct wm_user *user, const struct wm_user_role *held) {
  bool automation = false, manual = false;
  for (size_t i = 0; i < held->grant_count; i++) {
    if (!wm_grant_is_live(user, held, &held->grants[i], census->now_us))
      continue;
    bool by_hand = wm_text_is(held->grants[i].source, "manual");
    manual = manual || by_hand;
    automation = automation || !by_hand;
  }
  struct tally *tally = automation || manual ? tally_of(census, held->name) : NULL;
  if (!tally)
    return;
  tally->automation += automation;
  tally->manual += manual;
}

static void count_derived(struct census *census, const struct wm_user *user) {
  const struct wm_workspace *workspace = census->loaded->workspace;
  if (!workspace->derive || workspace->role_count == 0)
    return;
  memset(census->marks, 0, workspace->role_count);
  wm_derive_mark(workspace->derive, user, census->now_us, census->marks);
  for (size_t i = 0; i < workspace->role_count; i++)
    census->tallies[i].derived += census->marks[i];
}

static int count_effective(struct census *census, const struct source_user *source) {
  struct wm_arena arena;
  struct wm_role_set set;
  struct tally *tally;
  for (size_t i = 0; source->roles && i < source->role_count; i++)
    if ((tally = tally_of(census, source->roles[i])))
      tally->effective++;
  if (source->roles)
    return EXIT_FINE;
  wm_arena_init(&arena, 0);
  int failed = wm_project(census->loaded->workspace, source->user, census->now_us, &arena, &set);
  for (size_t i = 0; !failed && i < set.count; i++)
    tally_of(census, set.roles[i]->name)->effective++;
  wm_arena_release(&arena);
  return failed ? say_memory() : EXIT_FINE;
}

static int count_user(void *taker, const struct source_user *source) {
  struct census *census = taker;
  const struct wm_user *user = source->user;
  census->active += !wm_user_has_profile(user) || user->profile.status == WM_USER_ACTIVE;
  for (size_t i = 0; i < user->role_count; i++)
    count_grants(census, user, &user->roles[i]);
  count_derived(census, user);
  return count_effective(census, source);
}

/* --- changes --- */

static int count_change(void *taker, const struct change *change) {
  struct census *census = taker;
  const struct wm_workspace *workspace = census->loaded->workspace;
  const struct wm_role *role = wm_workspace_role(workspace, change->role);
  if (!role || change->at_us > census->now_us)
    return EXIT_FINE;
  struct tally *tally = &census->tallies[role - workspace->roles];
  bool today = change->at_us > census->now_us - DAY_US;
  if (change->effective) {
    tally->gained_week++;
    tally->gained_day += today;
  } else {
    tally->lost_week++;
    tally->lost_day += today;
  }
  return EXIT_FINE;
}

/* --- what it comes to --- */

static bool is_held_by_nobody(const struct census *census, const struct wm_role *role, const struct tally *tally) {
  return census->users_known && role->status == WM_ROLE_ACTIVE && tally->effective == 0;
}

static bool is_held_by_nearly_all(const struct census *census, const struct tally *tally) {
  return census->users_known && census->active > 0 && tally->effective * 100 >= census->active * NEARLY_ALL;
}

static void add_count(struct table *table, bool known, size_t count) {
  if (known)
    table_cell(table, count ? STYLE_PLAIN : STYLE_DIM, "%zu", count);
  else
    table_cell(table, STYLE_DIM, "–");
}

static void add_change(struct table *table, bool known, size_t gained, size_t lost) {
  if (!known)
    table_cell(table, STYLE_DIM, "–");
  else if (gained + lost == 0)
    table_cell(table, STYLE_DIM, "0");
  else
    table_cell(table, STYLE_PLAIN, "+%zu -%zu", gained, lost);
}

static void add_note(struct table *table, const struct census *census, const struct wm_role *role,
                     const struct tally *tally) {
  if (is_held_by_nobody(census, role, tally))
    table_cell(table, STYLE_WARN, "nobody");
  else if (is_held_by_nearly_all(census, tally))
    table_cell(table, STYLE_WARN, "nearly everybody (%zu %%)", tally->effective * 100 / census->active);
  else
    table_cell(table, STYLE_PLAIN, "%s", "");
}

static void print_table(const struct census *census) {
  static const char *const heads[] = {"ROLE",    "LABEL",   "KIND", "STATUS", "IN FORCE", "AUTOMATION",
                                      "BY HAND", "DERIVED", "DAY",  "WEEK",   "NOTE",     NULL};
  const struct wm_workspace *workspace = census->loaded->workspace;
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < workspace->role_count; i++) {
    const struct wm_role *role = &workspace->roles[i];
    const struct tally *tally = &census->tallies[i];
    table_text(&table, STYLE_PLAIN, role->name);
    table_text(&table, STYLE_PLAIN, role->label);
    table_cell(&table, STYLE_DIM, "%s", role_kind_name(role->kind));
    table_cell(&table, role->status == WM_ROLE_ACTIVE ? STYLE_DIM : STYLE_WARN, "%s", role_status_name(role->status));
    add_count(&table, census->users_known, tally->effective);
    add_count(&table, census->users_known, tally->automation);
    add_count(&table, census->users_known, tally->manual);
    add_count(&table, census->users_known, tally->derived);
    add_change(&table, census->changes_known, tally->gained_day, tally->lost_day);
    add_change(&table, census->changes_known, tally->gained_week, tally->lost_week);
    add_note(&table, census, role, tally);
  }
  table_print(&table, stdout);
  table_release(&table);
  if (census->users_known)
    printf("%s%zu active user%s\n", workspace->role_count ? "\n" : "", census->active, census->active == 1 ? "" : "s");
  if (workspace->role_count == 0)
    puts("The catalogue is empty.");
}

static void print_json(const struct census *census) {
  const struct wm_workspace *workspace = census->loaded->workspace;
  struct wm_buf line = WM_BUF_INIT;
  for (size_t i = 0; i < workspace->role_count; i++) {
    const struct tally *tally = &census->tallies[i];
    wm_buf_clear(&line);
    wm_buf_add_char(&line, '{');
    role_text_members(&workspace->roles[i], &line);
    if (census->users_known)
      wm_buf_printf(&line,
                    ",\"effective\":%zu,\"automation\":%zu,\"manual\":%zu,\"derived\":%zu,\"active-users\":%zu,"
                    "\"nobody\":%s,\"nearly-everybody\":%s",
                    tally->effective, tally->automation, tally->manual, tally->derived, census->active,
                    is_held_by_nobody(census, &workspace->roles[i], tally) ? "true" : "false",
                    is_held_by_nearly_all(census, tally) ? "true" : "false");
    if (census->changes_known)
      wm_buf_printf(&line, ",\"day\":{\"gained\":%zu,\"lost\":%zu},\"week\":{\"gained\":%zu,\"lost\":%zu}",
                    tally->gained_day, tally->lost_day, tally->gained_week, tally->lost_week);
    wm_buf_add_char(&line, '}');
    puts(line.failed ? "" : line.bytes);
  }
  wm_buf_release(&line);
}

/* What can't be reached is told and left out: the rest of the table is still of use. */
static int ask_users(struct census *census, int exit_code) {
  struct source_walk walk = {.take = count_user, .taker = census};
  int said = source_each(census->loaded, census->options, &walk);
  census->users_known = said == EXIT_FINE;
  if (census->unknown > 0)
    say(0, "%zu times a user holds a role that the catalogue does not have", census->unknown);
  if (said == EXIT_FINE && walk.faults > 0)
    said = EXIT_BAD_NEWS;
  return said > exit_code ? said : exit_code;
}

/* Roles are archived at run time, too. */
static int ask_control(struct census *census, int exit_code) {
  struct wm_running running;
  struct wm_overlay overlay;
  struct wm_error error = {0};
  int said = roles_control_read(&census->loaded->settings, &running);
  if (said == EXIT_FINE && wm_workspace_overlay(census->loaded->workspace, &running, &overlay, &error) < 0)
    said = say_error(EXIT_BUG, &error);
  wm_running_release(&running);
  return said > exit_code ? said : exit_code;
}

static int ask_changes(struct census *census, int exit_code) {
  struct changes_walk walk = {.from_us = census->now_us - 7 * DAY_US, .take = count_change, .taker = census};
  int said = changes_each(census->loaded, census->options, &walk);
  census->changes_known = said == EXIT_FINE;
  return said > exit_code ? said : exit_code;
}

static int list(struct census *census) {
  const struct options *options = census->options;
  size_t count = census->loaded->workspace->role_count;
  bool offline = options_has(options, "offline"), from_file = options_has(options, "register");
  int exit_code = EXIT_FINE;
  census->tallies = calloc(count + 1, sizeof *census->tallies);
  census->marks = calloc(count + 1, 1);
  if (!census->tallies || !census->marks)
    return say_memory();
  if (!offline && !from_file)
    exit_code = ask_control(census, exit_code);
  bool has_kafka = exit_code == EXIT_FINE;
  if (!offline || from_file)
    exit_code = ask_users(census, exit_code);
  if ((!offline && !from_file && has_kafka) || options_has(options, "changes"))
    exit_code = ask_changes(census, exit_code);
  if (options_has(options, "json"))
    print_json(census);
  else
    print_table(census);
  return exit_code;
}

int roles_list(const struct invocation *invocation) {
  struct loaded loaded;
  struct census census = {
      .loaded = &loaded, .options = &invocation->options, .now_us = system_clock.wall_us(system_clock.self)};
  bool offline = options_has(&invocation->options, "offline") || options_has(&invocation->options, "register");
  int exit_code = workspace_open(invocation, NULL, offline ? SETTINGS_OFFLINE : SETTINGS_FULL, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = list(&census);
  free(census.tallies);
  free(census.marks);
  files_unload(&loaded);
  return exit_code;
}

#include <signal.h>
#include <stdlib.h>

#include "core/codec/register.h"
#include "tools/lib/say.h"
#include "tools/lib/when.h"
#include "tools/roles/roles_users.h"
#include "tools/undo/undo.h"
#include "worker/registers.h"

/* --- the filter --- */

static bool is_version(struct wm_text text) {
  for (size_t i = 0; i < text.size; i++)
    if (!strchr("0123456789abcdef", text.bytes[i]) || !text.bytes[i])
      return false;
  return text.size == 12;
}

static int read_time(const struct options *options, const char *name, bool end, int64_t now_us, int64_t *ret_us) {
  const char *given = options_value(options, name);
  return given ? when_parse(name, given, end, now_us, ret_us) : EXIT_FINE;
}

int undo_filter_read(const struct options *options, int64_t now_us, struct undo_plan *plan) {
  struct undo_filter *filter = &plan->filter;
  *filter = (struct undo_filter){.automation = wm_text_of(options_value(options, "automation")),
                                 .version = wm_text_of(options_value(options, "version")),
                                 .run = wm_text_of(options_value(options, "run")),
                                 .from_us = INT64_MIN,
                                 .to_us = INT64_MAX};
  if (!filter->automation.bytes)
    return say(EXIT_USAGE, "--automation is missing: whose grants are to be taken back");
  if (!wm_text_is_name(filter->automation))
    return say(EXIT_USAGE, "--automation: '%s' is no name of an automation", filter->automation.bytes);
  if (wm_text_is(filter->automation, "manual"))
    return say(EXIT_USAGE, "--automation: grants by hand come from no automation, 'waymark revoke' takes them back");
  if (filter->version.bytes && !is_version(filter->version))
    return say(EXIT_USAGE, "--version: '%s' is no version: 12 hex digits, as the plan without --version lists them",
               filter->version.bytes);
  if (filter->run.bytes && !wm_text_is_name(filter->run))
    return say(EXIT_USAGE, "--run: '%s' is neither 'live' nor the name of a replay", filter->run.bytes);
  int exit_code = read_time(options, "from", false, now_us, &filter->from_us);
  if (exit_code == EXIT_FINE)
    exit_code = read_time(options, "to", true, now_us, &filter->to_us);
  if (exit_code == EXIT_FINE && filter->from_us > filter->to_us)
    exit_code = say(EXIT_USAGE, "--from is after --to: no grant can be meant");
  return exit_code == EXIT_FINE ? user_list_read(options_value(options, "user"), &plan->arena, &filter->users)
                                : exit_code;
}

static struct wm_text run_name(struct wm_text run) {
  return run.bytes ? run : WM_TEXT("live");
}

bool undo_filter_takes(const struct undo_filter *filter, struct wm_text version, struct wm_text run, int64_t time_us) {
  return (!filter->version.bytes || wm_text_equal(filter->version, version)) &&
         (!filter->run.bytes || wm_text_equal(filter->run, run_name(run))) && filter->from_us <= time_us &&
         time_us <= filter->to_us;
}

int undo_source(const struct undo_filter *filter, struct wm_arena *arena, struct wm_text *ret) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_printf(&buf, "automation/%.*s", WM_TEXT_ARG(filter->automation));
  int result = buf.failed ? -1 : wm_arena_text(arena, (struct wm_text){buf.bytes, buf.size}, ret);
  wm_buf_release(&buf);
  return result;
}

/* --- the plan's list --- */

void undo_plan_init(struct undo_plan *plan) {
  *plan = (struct undo_plan){0};
  wm_arena_init(&plan->arena, 0);
}

void undo_plan_release(struct undo_plan *plan) {
  free(plan->grants);
  plan->grants = NULL;
  wm_arena_release(&plan->arena);
}

int undo_plan_add(struct undo_plan *plan, const struct undo_grant *grant) {
  if (plan->grant_count == plan->grant_capacity) {
    size_t capacity = plan->grant_capacity ? 2 * plan->grant_capacity : 256;
    struct undo_grant *grants = reallocarray(plan->grants, capacity, sizeof *grants);
    if (!grants)
      return -1;
    plan->grants = grants;
    plan->grant_capacity = capacity;
  }
  struct undo_grant copy = {0};
  if (wm_arena_text(&plan->arena, grant->user, &copy.user) < 0 ||
      wm_arena_text(&plan->arena, grant->role, &copy.role) < 0 ||
      wm_arena_text(&plan->arena, grant->version, &copy.version) < 0 ||
      wm_arena_text(&plan->arena, grant->run, &copy.run) < 0 ||
      wm_clock_copy(&grant->clock, &plan->arena, &copy.clock) < 0)
    return -1;
  plan->grants[plan->grant_count++] = copy;
  return 0;
}

/* --- users --- */

void undo_selection_init(struct undo_selection *selection, const struct loaded *loaded, struct undo_plan *plan) {
  *selection = (struct undo_selection){.loaded = loaded, .plan = plan, .now_us = plan->made_us};
  tally_init(&selection->versions);
}

void undo_user_release(struct undo_user *user) {
  if (user->after != user->before)
    wm_user_free(user->after);
  wm_user_free(user->before);
  user->before = user->after = NULL;
}

void undo_selection_release(struct undo_selection *selection) {
  for (size_t i = 0; i < selection->user_count; i++)
    undo_user_release(&selection->users[i]);
  free(selection->users);
  tally_release(&selection->versions);
}

static int keep_user(struct undo_selection *selection, const struct wm_user *user) {
  if (selection->user_count == selection->user_capacity) {
    size_t capacity = selection->user_capacity ? 2 * selection->user_capacity : 256;
    struct undo_user *users = reallocarray(selection->users, capacity, sizeof *users);
    if (!users)
      return -1;
    selection->users = users;
    selection->user_capacity = capacity;
  }
  struct wm_user *copy = wm_user_clone(user);
  if (!copy)
    return -1;
  selection->users[selection->user_count++] = (struct undo_user){.before = copy, .after = copy};
  return wm_arena_text(&selection->plan->arena, user->id, &selection->users[selection->user_count - 1].id);
}

static int by_id(const void *a, const void *b) {
  return wm_text_compare(((const struct undo_user *)a)->id, ((const struct undo_user *)b)->id);
}

/* A user who stands in a file twice is one. */
static void sort_users(struct undo_selection *selection) {
  size_t kept = 0;
  if (selection->user_count > 1)
    qsort(selection->users, selection->user_count, sizeof *selection->users, by_id);
  for (size_t i = 0; i < selection->user_count; i++) {
    if (kept == 0 || by_id(&selection->users[kept - 1], &selection->users[i]) != 0)
      selection->users[kept++] = selection->users[i];
    else
      wm_user_free(selection->users[i].before);
  }
  selection->user_count = kept;
}

struct undo_user *undo_selection_user(const struct undo_selection *selection, struct wm_text id) {
  const struct undo_user wanted = {.id = id};
  return selection->user_count ? bsearch(&wanted, selection->users, selection->user_count, sizeof wanted, by_id) : NULL;
}

/* --- grants --- */

static int take_grant(struct undo_selection *selection, const struct wm_user *user, const struct wm_user_role *role,
                      const struct wm_grant *grant, bool *ret_any) {
  const struct undo_filter *filter = &selection->plan->filter;
  bool meant = user_list_has(&filter->users, user->id) &&
               undo_filter_takes(filter, grant->by.version, grant->by.run, grant->clock.time_us);
  if (!wm_clock_is_set(&grant->clock))
    return 0;
  if (!wm_grant_is_live(user, role, grant, selection->now_us)) {
    selection->ended += meant;
    return 0;
  }
  struct tally_row *row = tally_row(&selection->versions, grant->by.version.bytes ? grant->by.version : WM_TEXT("-"),
                                    run_name(grant->by.run), WM_NO_TEXT);
  if (!row)
    return -1;
  row->counts[UNDO_GRANTS]++;
  row->counts[UNDO_MEANT] += meant;
  const struct undo_grant found = {
      .user = user->id, .role = role->name, .clock = grant->clock, .version = grant->by.version, .run = grant->by.run};
  *ret_any |= meant;
  return meant ? undo_plan_add(selection->plan, &found) : 0;
}

static int take_user(void *taker, const struct wm_user *user) {
  struct undo_selection *selection = taker;
  bool any = false;
  selection->registers++;
  for (size_t i = 0; i < user->role_count; i++) {
    const struct wm_grant *grant = wm_user_grant(user, user->roles[i].name, selection->source);
    if (grant && take_grant(selection, user, &user->roles[i], grant, &any) < 0)
      return -1;
  }
  return any ? keep_user(selection, user) : 0;
}

static int by_user_and_role(const void *a, const void *b) {
  const struct undo_grant *left = a, *right = b;
  int order = wm_text_compare(left->user, right->user);
  return order ? order : wm_text_compare(left->role, right->role);
}

/* A register that came twice is one: a user who is written while Redis is walked may be seen again. */
static void sort_grants(struct undo_plan *plan) {
  size_t kept = 0;
  if (plan->grant_count > 1)
    qsort(plan->grants, plan->grant_count, sizeof *plan->grants, by_user_and_role);
  for (size_t i = 0; i < plan->grant_count; i++)
    if (kept == 0 || by_user_and_role(&plan->grants[kept - 1], &plan->grants[i]) != 0)
      plan->grants[kept++] = plan->grants[i];
  plan->grant_count = kept;
}

int undo_select(struct undo_selection *selection, const char *file) {
  if (undo_source(&selection->plan->filter, &selection->plan->arena, &selection->source) < 0)
    return say_memory();
  int exit_code = file ? roles_users_of_file(file, take_user, selection)
                       : roles_users_of_redis(&selection->loaded->settings, take_user, selection, &selection->faults);
  sort_users(selection);
  sort_grants(selection->plan);
  return exit_code;
}

/* --- users by name --- */

struct wanting {
  struct undo_selection *selection;
  const struct wm_text *users;
  size_t count, known; /* 'known': of selection->users, sorted, before anything was added */
  int exit_code;
};

static int by_text(const void *a, const void *b) {
  return wm_text_compare(*(const struct wm_text *)a, *(const struct wm_text *)b);
}

static bool is_known(const struct wanting *wanting, struct wm_text id) {
  const struct undo_user wanted = {.id = id};
  return wanting->known && bsearch(&wanted, wanting->selection->users, wanting->known, sizeof wanted, by_id);
}

static int take_wanted(void *taker, const struct wm_user *user) {
  struct wanting *wanting = taker;
  bool wanted = bsearch(&user->id, wanting->users, wanting->count, sizeof user->id, by_text) != NULL;
  return wanted && !is_known(wanting, user->id) ? keep_user(wanting->selection, user) : 0;
}

static int take_entry(void *taker, const struct registers_entry *entry) {
  struct wanting *wanting = taker;
  struct wm_error error = {0};
  if (entry->fault || !entry->user.json.bytes)
    return 0;
  struct wm_user *user = wm_register_decode(entry->user.json, &error);
  int taken = user ? take_wanted(taker, user) : 0;
  wm_user_free(user);
  if (taken < 0 || error.code == WM_E_OUT_OF_MEMORY)
    wanting->exit_code = say_memory();
  return wanting->exit_code == EXIT_FINE ? 0 : 1;
}

static int ask_redis(struct wanting *wanting) {
  struct wm_error error = {0};
  signal(SIGPIPE, SIG_IGN);
  struct registers *registers = registers_open(&wanting->selection->loaded->settings, &error);
  int said = registers ? 0 : -1;
  for (size_t from = 0; from < wanting->count && said == 0; from += REGISTERS_SOME) {
    size_t count = wanting->count - from < REGISTERS_SOME ? wanting->count - from : REGISTERS_SOME;
    said = registers_get_some(registers, wanting->users + from, count, take_entry, wanting, &error);
  }
  registers_close(registers);
  return said < 0 ? say_error(EXIT_OUTSIDE, &error) : wanting->exit_code;
}

int undo_select_users(struct undo_selection *selection, const char *file, const struct wm_text *users, size_t count) {
  struct wanting wanting = {
      .selection = selection, .users = users, .count = count, .known = selection->user_count, .exit_code = EXIT_FINE};
  if (count == 0)
    return EXIT_FINE;
  int exit_code = file ? roles_users_of_file(file, take_wanted, &wanting) : ask_redis(&wanting);
  sort_users(selection);
  return exit_code;
}

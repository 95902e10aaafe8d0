/* What the removals of an automation took, out of its outcomes; undo_givers.c tells what would be there without them.
 */
#include <stdlib.h>

#include "core/moment.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/undo/undo_changes.h"
#include "tools/undo/undo_givers.h"
#include "worker/client.h"

#define REASON_GIVERS 500 /* bytes: the whole reason has to fit into a request */

void undo_losses_init(struct undo_losses *losses, struct undo_selection *selection) {
  *losses = (struct undo_losses){.selection = selection};
  wm_arena_init(&losses->arena, 0);
}

void undo_losses_release(struct undo_losses *losses) {
  for (size_t i = 0; i < losses->count; i++)
    wm_buf_release(&losses->items[i].givers);
  free(losses->items);
  wm_arena_release(&losses->arena);
}

bool undo_loss_is_told(const struct undo_loss *loss) {
  return loss->took || loss->state == LOSS_BACK;
}

const char *undo_loss_why(enum undo_loss_state state) {
  static const char *const words[] = {
      [LOSS_BACK] = "to be given back",
      [LOSS_OWN] = "not assigned without it either",
      [LOSS_HELD] = "assigned again",
      [LOSS_STANDS] = "another removal stands",
      [LOSS_ENDED] = "it would have ended by now",
      [LOSS_NO_ROLE] = "the role can't be assigned",
      [LOSS_UNKNOWN] = "the user is not known",
  };
  return words[state];
}

/* --- what the automation decided --- */

static bool is_result(const struct undo_outcome *outcome, const char *result) {
  return wm_text_is(outcome->result, result);
}

int undo_losses_add(struct undo_losses *losses, const struct undo_outcome *outcome) {
  if (losses->count == losses->capacity) {
    size_t capacity = losses->capacity ? 2 * losses->capacity : 256;
    struct undo_loss *items = reallocarray(losses->items, capacity, sizeof *items);
    if (!items)
      return -1;
    losses->items = items;
    losses->capacity = capacity;
  }
  struct wm_arena *arena = &losses->arena;
  struct undo_loss loss = {.until_us = INT64_MIN};
  size_t dropped = outcome->dropped ? outcome->dropped->list.count : 0;
  loss.dropped = WM_ARENA_ARRAY(arena, struct wm_text, dropped + 1);
  loss.dropped_seen = WM_ARENA_ARRAY(arena, bool, dropped + 1);
  if (!loss.dropped || !loss.dropped_seen || wm_arena_text(arena, outcome->user, &loss.user) < 0 ||
      wm_arena_text(arena, outcome->role, &loss.role) < 0 ||
      wm_arena_text(arena, outcome->version, &loss.version) < 0 || wm_arena_text(arena, outcome->run, &loss.run) < 0 ||
      wm_clock_copy(&outcome->clock, arena, &loss.clock) < 0)
    return -1;
  for (; loss.dropped_count < dropped; loss.dropped_count++)
    if (wm_arena_text(arena, wm_value_text(&outcome->dropped->list.items[loss.dropped_count]),
                      &loss.dropped[loss.dropped_count]) < 0)
      return -1;
  loss.newest = loss.clock;
  loss.took = !is_result(outcome, "unchanged") && !(is_result(outcome, "superseded") && dropped == 0);
  losses->items[losses->count++] = loss;
  return 0;
}

/* In a list by user and role, whose items begin with these two. NULL: there is none. */
static void *find_place(void *items, size_t count, size_t size, struct wm_text user, struct wm_text role) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    struct wm_text *names = (struct wm_text *)(void *)((char *)items + middle * size);
    int order = wm_text_compare(names[0], user);
    order = order ? order : wm_text_compare(names[1], role);
    if (order == 0)
      return names;
    low = order < 0 ? middle + 1 : low;
    high = order < 0 ? high : middle;
  }
  return NULL;
}

struct undo_loss *undo_losses_find(const struct undo_losses *losses, struct wm_text user, struct wm_text role) {
  return find_place(losses->items, losses->count, sizeof *losses->items, user, role);
}

/* The automation gave this role by a decision that is not meant: does it still count? The register keeps only the
 * newest grant of a source, so one that was renewed does not show it. */
static int note_other(struct undo_losses *losses, const struct undo_outcome *outcome) {
  struct undo_selection *selection = losses->selection;
  struct undo_grant *grant = find_place(selection->plan->grants, selection->plan->grant_count,
                                        sizeof *selection->plan->grants, outcome->user, outcome->role);
  const struct undo_user *user = grant ? undo_selection_user(selection, outcome->user) : NULL;
  const struct wm_user_role *role = user ? wm_user_role(user->before, outcome->role) : NULL;
  int64_t until_us;
  if (!role || wm_clock_compare(&outcome->clock, &role->removed) <= 0 ||
      wm_clock_compare(&outcome->clock, &user->before->cleared) <= 0 ||
      wm_clock_compare(&outcome->clock, &grant->other) <= 0)
    return 0;
  const struct wm_grant *held = wm_user_grant(user->before, outcome->role, selection->source);
  if (held && wm_clock_compare(&outcome->clock, &held->taken) <= 0)
    return 0;
  if (undo_end_of(selection->loaded->workspace, outcome->automation, outcome->version, &outcome->clock, &until_us) &&
      until_us <= selection->now_us)
    return 0;
  return wm_clock_copy(&outcome->clock, &losses->arena, &grant->other) < 0 ||
                 wm_arena_text(&losses->arena, outcome->version, &grant->other_version) < 0
             ? -1
             : 0;
}

static int take_outcome(void *taker, const struct undo_outcome *outcome) {
  struct undo_losses *losses = taker;
  const struct undo_filter *filter = &losses->selection->plan->filter;
  if (!wm_text_equal(outcome->automation, filter->automation))
    return 0;
  bool meant = undo_filter_takes(filter, outcome->version, outcome->run, outcome->clock.time_us);
  if (wm_text_is(outcome->action, "add") && !meant &&
      (is_result(outcome, "changed") || is_result(outcome, "unchanged")))
    return note_other(losses, outcome);
  if (wm_text_is(outcome->action, "remove") && meant && user_list_has(&filter->users, outcome->user) &&
      (is_result(outcome, "changed") || is_result(outcome, "unchanged") || is_result(outcome, "superseded")))
    return undo_losses_add(losses, outcome);
  return 0;
}

/* Most records are of others, which a look at the bytes tells. */
struct looking {
  struct undo_losses *losses;
  struct wm_buf automation; /* "automation":"x" */
};

static bool names_it(void *taker, struct wm_text record, struct wm_text key) {
  const struct looking *looking = taker;
  (void)key;
  return wm_text_contains(record, (struct wm_text){looking->automation.bytes, looking->automation.size});
}

static int take_looked(void *taker, const struct undo_outcome *outcome) {
  return take_outcome(((struct looking *)taker)->losses, outcome);
}

static int by_place(const void *a, const void *b) {
  const struct undo_loss *left = a, *right = b;
  int order = wm_text_compare(left->user, right->user);
  order = order ? order : wm_text_compare(left->role, right->role);
  order = order ? order : wm_clock_compare(&right->clock, &left->clock);
  return order ? order : left->bare - right->bare; /* an outcome tells more */
}

/* One for each role of a user: the newest removal that took something, and the newest of all. */
static void sort(struct undo_losses *losses) {
  struct undo_loss *items = losses->items;
  size_t kept = 0;
  if (losses->count > 1)
    qsort(items, losses->count, sizeof *items, by_place);
  for (size_t i = 0; i < losses->count; i++) {
    struct undo_loss *last = kept > 0 ? &items[kept - 1] : NULL;
    if (!last || !wm_text_equal(last->user, items[i].user) || !wm_text_equal(last->role, items[i].role)) {
      items[kept++] = items[i];
    } else if (!last->took && items[i].took) {
      struct wm_clock newest = last->newest;
      *last = items[i];
      last->newest = newest;
    }
  }
  losses->count = kept;
}

int undo_losses_read(struct undo_losses *losses, bool all) {
  struct undo_plan *plan = losses->selection->plan;
  struct looking looking = {.losses = losses};
  struct undo_reading reading = {.loaded = losses->selection->loaded,
                                 .file = losses->file,
                                 .from_ms = CLIENT_BEGINNING,
                                 .wants = names_it,
                                 .take = take_looked,
                                 .taker = &looking};
  wm_buf_printf(&looking.automation, "\"automation\":\"%.*s\"", WM_TEXT_ARG(plan->filter.automation));
  int exit_code = looking.automation.failed ? say_memory() : undo_outcomes_each(&reading);
  wm_buf_release(&looking.automation);
  losses->cut = reading.cut;
  bool excerpt = losses->cut || (losses->file && losses->servers);
  if (exit_code == EXIT_FINE && (excerpt || options_has(losses->options, "changes")))
    exit_code = undo_changes_read(losses);
  sort(losses);
  for (size_t i = 0; i < losses->count; i++) {
    struct undo_user *user = undo_selection_user(losses->selection, losses->items[i].user);
    if (user)
      user->lost = true;
  }
  for (size_t i = 0; i < plan->grant_count && !all; i++)
    plan->grants[i].left |= wm_clock_is_set(&plan->grants[i].other);
  return exit_code;
}

/* --- what would give it back --- */

static enum undo_loss_state judge(const struct undo_losses *losses, const struct undo_loss *loss) {
  const struct undo_selection *selection = losses->selection;
  const struct undo_user *user = undo_selection_user(selection, loss->user);
  const struct wm_role *role = wm_workspace_role(selection->loaded->workspace, loss->role);
  const struct wm_user_role *entry = user ? wm_user_role(user->after, loss->role) : NULL;
  if (!user)
    return LOSS_UNKNOWN;
  if (!role || role->kind != WM_ROLE_PORTAL || role->managed)
    return LOSS_NO_ROLE;
  if (wm_clock_compare(&user->after->cleared, &loss->newest) > 0 ||
      (entry && wm_clock_compare(&entry->removed, &loss->newest) > 0))
    return LOSS_STANDS;
  return wm_user_is_assigned(user->after, loss->role, selection->now_us) ? LOSS_HELD : LOSS_BACK;
}

static int ask_users(struct undo_losses *losses, const char *users_file) {
  struct wm_text *users = calloc(losses->count + 1, sizeof *users);
  size_t count = 0;
  if (!users)
    return say_memory();
  for (size_t i = 0; i < losses->count; i++)
    if (count == 0 || !wm_text_equal(users[count - 1], losses->items[i].user))
      users[count++] = losses->items[i].user;
  int exit_code = undo_select_users(losses->selection, users_file, users, count);
  free(users);
  return exit_code;
}

int undo_losses_judge(struct undo_losses *losses, const char *users_file) {
  int exit_code = ask_users(losses, users_file);
  bool any = false;
  for (size_t i = 0; i < losses->count && exit_code == EXIT_FINE; i++) {
    losses->items[i].state = judge(losses, &losses->items[i]);
    any |= losses->items[i].state == LOSS_BACK;
  }
  if (exit_code == EXIT_FINE && any)
    exit_code = undo_givers_find(losses);
  if (exit_code == EXIT_FINE && any)
    exit_code = undo_changes_givers(losses);
  for (size_t i = 0; i < losses->count && exit_code == EXIT_FINE; i++) {
    losses->taken += undo_loss_is_told(&losses->items[i]);
    losses->back += losses->items[i].state == LOSS_BACK;
  }
  return exit_code;
}

/* --- the file --- */

static void write_loss(const struct undo_losses *losses, const struct undo_loss *loss, struct wm_buf *line) {
  struct wm_buf reason = WM_BUF_INIT;
  char until[WM_MOMENT_SIZE];
  wm_buf_printf(&reason, "undo of automation '%.*s', which took it at ",
                WM_TEXT_ARG(losses->selection->plan->filter.automation));
  show_time(loss->clock.time_us, &reason);
  if (loss->givers.size > 0 && loss->givers.size < REASON_GIVERS)
    wm_buf_printf(&reason, "; it had been given by %s", loss->givers.bytes);
  if (loss->open_ends > 0)
    wm_buf_add_string(&reason, "; whether it was to end is not known");
  wm_buf_clear(line);
  wm_buf_add_string(line, "{\"user\":");
  wm_buf_add_json(line, loss->user);
  wm_buf_add_string(line, ",\"role\":");
  wm_buf_add_json(line, loss->role);
  if (loss->open_ends == 0 && loss->until_us != WM_NEVER) {
    wm_buf_add_string(line, ",\"until\":");
    wm_buf_add_json(line, (struct wm_text){until, wm_moment_format(loss->until_us, until)});
  }
  wm_buf_add_string(line, ",\"reason\":");
  wm_buf_add_json(line, (struct wm_text){reason.bytes, reason.size});
  wm_buf_add_string(line, "}\n");
  line->failed |= reason.failed;
  wm_buf_release(&reason);
}

int undo_losses_write(const struct undo_losses *losses, const char *path) {
  struct wm_buf line = WM_BUF_INIT;
  FILE *file = NULL;
  int exit_code = output_open(path, &file);
  if (!file)
    return exit_code;
  for (size_t i = 0; i < losses->count && !line.failed; i++) {
    if (losses->items[i].state != LOSS_BACK)
      continue;
    write_loss(losses, &losses->items[i], &line);
    if (!line.failed)
      fwrite(line.bytes, 1, line.size, file);
  }
  exit_code = line.failed ? say_memory() : EXIT_FINE;
  wm_buf_release(&line);
  int closed = output_close(path, file);
  return exit_code == EXIT_FINE ? closed : exit_code;
}

#include "tools/undo/undo_changes.h"

#include "tools/answers/changes.h"
#include "tools/lib/say.h"

/* "<run>:<topic>/..." */
static struct wm_text run_of(struct wm_text id) {
  const char *colon = memchr(id.bytes, ':', id.size);
  return (struct wm_text){id.bytes, colon ? (size_t)(colon - id.bytes) : id.size};
}

static int walk(struct undo_losses *losses, change_fn *take) {
  struct changes_walk walk = {.from_us = INT64_MIN, .take = take, .taker = losses};
  return changes_each(losses->selection->loaded, losses->options, &walk);
}

/* --- what was lost --- */

static int take_lost(void *taker, const struct change *change) {
  struct undo_losses *losses = taker;
  const struct undo_filter *filter = &losses->selection->plan->filter;
  if (change->effective || !wm_text_is(change->cause, "task") || !wm_clock_is_set(&change->clock) ||
      !wm_text_equal(change->clock.automation, filter->automation) || !user_list_has(&filter->users, change->user) ||
      !undo_filter_takes(filter, WM_NO_TEXT, run_of(change->id), change->clock.time_us))
    return EXIT_FINE;
  const struct undo_outcome outcome = {.user = change->user,
                                       .automation = change->clock.automation,
                                       .run = run_of(change->id),
                                       .role = change->role,
                                       .clock = change->clock};
  if (undo_losses_add(losses, &outcome) < 0)
    return say_memory();
  losses->items[losses->count - 1].bare = true;
  return EXIT_FINE;
}

int undo_changes_read(struct undo_losses *losses) {
  return losses->selection->plan->filter.version.bytes ? EXIT_FINE : walk(losses, take_lost);
}

/* --- who had given it --- */

static bool needs_giver(const struct undo_loss *loss) {
  return loss->bare && loss->state == LOSS_BACK && loss->open_ends == 1;
}

/* What the automation had given itself is meant too: a change tells no version, so none is asked for. */
static void drop_own(struct undo_losses *losses) {
  for (size_t i = 0; i < losses->count; i++) {
    struct undo_loss *loss = &losses->items[i];
    struct wm_text givers = {loss->givers.bytes, loss->givers.size};
    if (needs_giver(loss) && wm_text_equal(givers, losses->selection->source))
      loss->state = LOSS_OWN;
  }
}

/* Changes of a user come in their order: the last gain before the loss is the one. */
static int take_gained(void *taker, const struct change *change) {
  struct undo_losses *losses = taker;
  bool by_hand = wm_text_is(change->cause, "request");
  if (!change->effective || !wm_clock_is_set(&change->clock) || !(by_hand || wm_text_is(change->cause, "task")))
    return EXIT_FINE;
  struct undo_loss *loss = undo_losses_find(losses, change->user, change->role);
  if (!loss || !needs_giver(loss) || wm_clock_compare(&change->clock, &loss->clock) >= 0)
    return EXIT_FINE;
  wm_buf_clear(&loss->givers);
  wm_buf_printf(&loss->givers, by_hand ? "manual" : "automation/%.*s", WM_TEXT_ARG(change->clock.automation));
  return loss->givers.failed ? say_memory() : EXIT_FINE;
}

int undo_changes_givers(struct undo_losses *losses) {
  for (size_t i = 0; i < losses->count; i++)
    if (needs_giver(&losses->items[i])) {
      int exit_code = walk(losses, take_gained);
      drop_own(losses);
      return exit_code;
    }
  return EXIT_FINE;
}

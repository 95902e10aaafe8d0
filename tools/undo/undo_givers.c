/* The registers of these users made once more from all outcomes but those that are meant: what is assigned there and
 * not in the registers of now, the automation has taken or keeps away. Where the log begins later than it would have
 * to, the outcome of the removal still names the sources of others that it took along. */
#include "tools/undo/undo_givers.h"

#include <stdlib.h>

#include "tools/failures/originals.h"
#include "tools/lib/events.h"
#include "tools/lib/say.h"

struct remade {
  struct wm_text user; /* first: searched by name */
  struct wm_user *register_;
};

/* A grant by hand, whose end stands in its request. */
struct question {
  struct wm_origin origin;
  size_t loss;
};

struct finding {
  struct undo_losses *losses;
  struct remade *users;
  size_t user_count;
  struct question *questions;
  size_t question_count, question_capacity;
  size_t asked; /* while requests are read: the next question */
};

bool undo_end_of(const struct wm_workspace *workspace, struct wm_text automation, struct wm_text version,
                 const struct wm_clock *clock, int64_t *ret_until_us) {
  const struct wm_automation *found = wm_workspace_automation(workspace, automation);
  for (size_t i = 0; found && wm_text_equal(found->version, version) && i < found->task_count; i++) {
    const struct wm_task *task = &found->tasks[i];
    if (task->sequence != clock->sequence)
      continue;
    if (task->expires_after_us == 0 || __builtin_add_overflow(clock->time_us, task->expires_after_us, ret_until_us))
      *ret_until_us = WM_NEVER;
    return true;
  }
  return false;
}

/* --- the registers --- */

static int begin(struct finding *finding) {
  struct undo_losses *losses = finding->losses;
  finding->users = calloc(losses->count + 1, sizeof *finding->users);
  if (!finding->users)
    return -1;
  for (size_t i = 0; i < losses->count; i++) {
    struct remade *last = finding->user_count ? &finding->users[finding->user_count - 1] : NULL;
    if (!last || !wm_text_equal(last->user, losses->items[i].user)) {
      last = &finding->users[finding->user_count++];
      *last = (struct remade){losses->items[i].user, wm_user_new(losses->items[i].user, 0)};
      if (!last->register_)
        return -1;
    }
  }
  return 0;
}

static struct remade *find_user(const struct finding *finding, struct wm_text user) {
  bool found;
  size_t at = wm_text_position(finding->users, finding->user_count, sizeof *finding->users, user, &found);
  return found ? &finding->users[at] : NULL;
}

/* --- one outcome --- */

static void note_seen(const struct undo_losses *losses, const struct undo_outcome *outcome, struct wm_text source) {
  const struct undo_loss *loss = undo_losses_find(losses, outcome->user, outcome->role);
  for (size_t i = 0; loss && i < loss->dropped_count; i++)
    loss->dropped_seen[i] |= wm_text_equal(loss->dropped[i], source);
}

static int remake(const struct undo_losses *losses, struct wm_user *user, const struct undo_outcome *outcome,
                  struct wm_arena *arena) {
  struct wm_buf source = WM_BUF_INIT;
  struct wm_clock stands;
  enum wm_write write;
  int result = 0;
  if (wm_text_is(outcome->action, "add")) {
    wm_buf_printf(&source, outcome->automation.size ? "automation/%.*s" : "manual", WM_TEXT_ARG(outcome->automation));
    const struct wm_grant grant = {.source = {source.bytes, source.size},
                                   .clock = outcome->clock,
                                   .until_us = WM_NEVER,
                                   .by = {.version = outcome->version, .run = outcome->run, .origin = outcome->origin}};
    note_seen(losses, outcome, grant.source);
    result = source.failed ? -1 : wm_user_add_grant(user, outcome->role, &grant, 0, &write, &stands);
  } else if (wm_text_is(outcome->action, "remove")) {
    result = wm_user_remove_role(user, outcome->role, &outcome->clock, 0, arena, &write, &stands, NULL);
  } else if (outcome->source.bytes && !wm_text_is(outcome->result, "superseded")) { /* that took nothing */
    const struct wm_withdrawn withdrawn = {.source = outcome->source};
    result = wm_user_take_back(user, outcome->role, &withdrawn, &outcome->clock, 0, &write, &stands);
  }
  wm_buf_release(&source);
  return result;
}

static bool is_meant(const struct finding *finding, const struct undo_outcome *outcome) {
  const struct undo_filter *filter = &finding->losses->selection->plan->filter;
  return wm_text_equal(outcome->automation, filter->automation) &&
         undo_filter_takes(filter, outcome->version, outcome->run, outcome->clock.time_us);
}

static int take_outcome(void *taker, const struct undo_outcome *outcome) {
  static const char *const done[] = {"changed", "unchanged", "superseded"};
  struct finding *finding = taker;
  struct remade *remade = find_user(finding, outcome->user);
  bool did = false;
  for (size_t i = 0; i < sizeof done / sizeof *done; i++)
    did |= wm_text_is(outcome->result, done[i]);
  if (!remade || !did || is_meant(finding, outcome))
    return 0;
  return remake(finding->losses, remade->register_, outcome, &finding->losses->arena);
}

static bool is_of_them(void *taker, struct wm_text record, struct wm_text key) {
  const struct finding *finding = taker;
  (void)record;
  return !key.bytes || find_user(finding, key) != NULL;
}

/* --- what would be there --- */

static int ask_later(struct finding *finding, const struct wm_origin *origin, size_t loss) {
  if (finding->question_count == finding->question_capacity) {
    size_t capacity = finding->question_capacity ? 2 * finding->question_capacity : 64;
    struct question *questions = reallocarray(finding->questions, capacity, sizeof *questions);
    if (!questions)
      return -1;
    finding->questions = questions;
    finding->question_capacity = capacity;
  }
  struct question *question = &finding->questions[finding->question_count++];
  *question = (struct question){*origin, loss};
  return wm_arena_text(&finding->losses->arena, origin->topic, &question->origin.topic);
}

/* The last end counts. */
static void take_end(struct undo_loss *loss, int64_t until_us) {
  loss->until_us = until_us > loss->until_us ? until_us : loss->until_us;
}

static int take_giver(struct finding *finding, struct undo_loss *loss, const struct wm_grant *grant) {
  const struct undo_selection *selection = finding->losses->selection;
  const struct wm_text prefix = WM_TEXT("automation/");
  bool by_hand = !wm_text_starts_with(grant->source, prefix);
  struct wm_text name = {grant->source.bytes + prefix.size, by_hand ? 0 : grant->source.size - prefix.size};
  int64_t until_us = WM_NEVER;
  bool known = !by_hand && undo_end_of(selection->loaded->workspace, name, grant->by.version, &grant->clock, &until_us);
  wm_buf_printf(&loss->givers, "%s%.*s", loss->givers.size ? ", " : "", WM_TEXT_ARG(grant->source));
  if (known)
    take_end(loss, until_us);
  else
    loss->open_ends++;
  return by_hand && finding->losses->servers
             ? ask_later(finding, &grant->by.origin, (size_t)(loss - finding->losses->items))
             : 0;
}

/* Does the log lack a grant that the outcome says was taken along? */
static bool lacks(const struct undo_loss *loss) {
  for (size_t i = 0; i < loss->dropped_count; i++)
    if (!loss->dropped_seen[i])
      return true;
  return false;
}

static bool is_whole(const struct undo_filter *filter) {
  return !filter->version.bytes && !filter->run.bytes && filter->from_us == INT64_MIN && filter->to_us == INT64_MAX;
}

/* Nothing is there: since others have taken it too, or because the log begins too late, or because the same decisions
 * had given it. */
static enum undo_loss_state judge_nothing(const struct finding *finding, struct undo_loss *loss,
                                          const struct wm_user_role *role, const struct wm_clock *cleared) {
  const struct undo_losses *losses = finding->losses;
  if (!loss->took)
    return LOSS_OWN;
  if (wm_clock_compare(cleared, &loss->clock) > 0 || (role && wm_clock_compare(&role->removed, &loss->clock) > 0))
    return LOSS_STANDS;
  bool own = losses->cut && !loss->bare && loss->dropped_count == 0 && !is_whole(&losses->selection->plan->filter);
  if (!loss->bare && !own && !lacks(loss))
    return role && wm_clock_is_set(&role->removed) ? LOSS_STANDS : LOSS_OWN;
  loss->open_ends = 1;
  for (size_t i = 0; i < loss->dropped_count; i++)
    wm_buf_printf(&loss->givers, "%s%.*s", i ? ", " : "", WM_TEXT_ARG(loss->dropped[i]));
  if (own)
    wm_buf_add_text(&loss->givers, losses->selection->source);
  return LOSS_BACK;
}

static int judge(struct finding *finding, struct undo_loss *loss) {
  const struct undo_user *user = undo_selection_user(finding->losses->selection, loss->user);
  const struct wm_user *register_ = find_user(finding, loss->user)->register_;
  const struct wm_user_role *role = wm_user_role(register_, loss->role);
  const struct wm_clock *cleared = &user->before->cleared;
  for (size_t i = 0; role && i < role->grant_count; i++) {
    const struct wm_grant *grant = &role->grants[i];
    if (wm_grant_is_live(register_, role, grant, 0) && wm_clock_compare(&grant->clock, cleared) > 0 &&
        take_giver(finding, loss, grant) < 0)
      return -1;
  }
  if (loss->givers.size == 0)
    loss->state = judge_nothing(finding, loss, role, cleared);
  return loss->givers.failed ? -1 : 0;
}

static int judge_all(struct finding *finding) {
  struct undo_losses *losses = finding->losses;
  for (size_t i = 0; i < losses->count; i++)
    if (losses->items[i].state == LOSS_BACK && judge(finding, &losses->items[i]) < 0)
      return say_memory();
  return EXIT_FINE;
}

static void leave_what_ended(struct undo_losses *losses) {
  for (size_t i = 0; i < losses->count; i++) {
    struct undo_loss *loss = &losses->items[i];
    if (loss->state == LOSS_BACK && loss->open_ends == 0 && loss->until_us <= losses->selection->now_us)
      loss->state = LOSS_ENDED;
  }
}

/* --- ends of grants by hand --- */

static int by_origin(const void *a, const void *b) {
  return originals_compare(&((const struct question *)a)->origin, &((const struct question *)b)->origin);
}

static int take_request(void *taker, size_t index, const struct wm_record *record) {
  struct finding *finding = taker;
  struct undo_losses *losses = finding->losses;
  struct wm_decode_rules rules = events_rules(&losses->selection->loaded->settings, 0);
  struct wm_rejection rejection;
  struct wm_event event;
  enum wm_decoded what;
  struct wm_arena arena;
  if (!record)
    return EXIT_FINE;
  wm_arena_init(&arena, 0);
  int result = wm_event_decode(record, &rules, &arena, &what, &event, &rejection);
  if (result == 0 && what == WM_DECODED_EVENT && event.event_class == WM_EVENT_ASSIGNMENT) {
    struct undo_loss *loss = &losses->items[finding->questions[index].loss];
    loss->open_ends--;
    take_end(loss, event.request.until_us);
  }
  wm_arena_release(&arena);
  return result < 0 ? say_memory() : EXIT_FINE;
}

static int ask_requests(struct finding *finding) {
  const struct settings *settings = &finding->losses->selection->loaded->settings;
  struct wm_error error = {0};
  struct wm_origin *origins = calloc(finding->question_count, sizeof *origins);
  if (!origins)
    return say_memory();
  qsort(finding->questions, finding->question_count, sizeof *finding->questions, by_origin);
  for (size_t i = 0; i < finding->question_count; i++)
    origins[i] = finding->questions[i].origin;
  struct client *client = client_open(settings, &error);
  int exit_code = client ? originals_each(client, origins, finding->question_count, take_request, finding)
                         : say_error(EXIT_BAD_NEWS, &error);
  client_close(client);
  free(origins);
  return exit_code;
}

int undo_givers_find(struct undo_losses *losses) {
  struct finding finding = {.losses = losses};
  struct undo_reading reading = {.loaded = losses->selection->loaded,
                                 .file = losses->file,
                                 .from_ms = CLIENT_BEGINNING,
                                 .wants = is_of_them,
                                 .take = take_outcome,
                                 .taker = &finding};
  int exit_code = begin(&finding) < 0 ? say_memory() : undo_outcomes_each(&reading);
  if (exit_code == EXIT_FINE)
    exit_code = judge_all(&finding);
  if (exit_code == EXIT_FINE && finding.question_count > 0)
    exit_code = ask_requests(&finding);
  leave_what_ended(losses);
  for (size_t i = 0; i < finding.user_count; i++)
    wm_user_free(finding.users[i].register_);
  free(finding.users);
  free(finding.questions);
  return exit_code;
}

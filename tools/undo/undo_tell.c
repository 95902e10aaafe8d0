#include "tools/undo/undo_tell.h"

#include "core/codec/write.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/lib/tally_tell.h"

static const struct tally_shape versions_shape = {"versions",
                                                  {"version", "run", NULL},
                                                  {"grants", "meant", NULL},
                                                  {"version", "run", "assigned by it", "meant", NULL},
                                                  false};
static const struct tally_shape roles_shape = {
    "roles",
    {"role", NULL},
    {"taken-back", "users-losing", "users-keeping", "not-in-force", "users-gaining", NULL},
    {"role", "taken back", "users losing it", "keeping it", "not in force before", "given as baseline", NULL},
    false};
static const struct tally_shape failures_shape = {"failures",
                                                  {"role", "code", NULL},
                                                  {"failed", NULL},
                                                  {"role", "can't be taken back", "assignments", "for example", NULL},
                                                  true};

static const char *plural(size_t count) {
  return count == 1 ? "" : "s";
}

static void add_clock_time(struct table *table, int64_t us) {
  struct wm_buf buf = WM_BUF_INIT;
  show_time(us, &buf);
  table_text(table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
  wm_buf_release(&buf);
}

static void end_line(struct wm_buf *line) {
  wm_write_close(line, '}');
  wm_write_end(line);
  if (!line->failed)
    puts(line->bytes);
  wm_buf_release(line);
}

static void end_table(struct table *table, size_t more) {
  bool any = table_rows(table) > 0;
  table_print(table, stdout);
  if (any && more)
    printf("and %zu more (--limit 0 shows all)\n", more);
  if (any)
    putchar('\n');
  table_release(table);
}

/* --- grants that another decision of the automation gave too --- */

static void tell_left_json(const struct undo_grant *grant) {
  struct wm_buf line = WM_BUF_INIT;
  wm_write_open(&line, WM_NO_KEY, '{');
  wm_write_string(&line, WM_KEY("kind"), "left");
  wm_write_text(&line, WM_KEY("user"), grant->user);
  wm_write_text(&line, WM_KEY("role"), grant->role);
  wm_write_clock(&line, WM_KEY("clock"), &grant->clock);
  wm_write_text(&line, WM_KEY("version"), grant->version);
  wm_write_clock(&line, WM_KEY("other"), &grant->other);
  wm_write_text(&line, WM_KEY("other-version"), grant->other_version);
  end_line(&line);
}

static size_t tell_left(const struct undo_plan *plan, const struct replay_telling *users) {
  static const char *const heads[] = {"left as it is", "role", "version", "given at", "and by version", "at", NULL};
  struct table table;
  size_t count = 0;
  table_init(&table, heads);
  for (size_t i = 0; i < plan->grant_count; i++) {
    const struct undo_grant *grant = &plan->grants[i];
    if (!grant->left || !wm_clock_is_set(&grant->other) || ++count > users->limit)
      continue;
    if (users->json) {
      tell_left_json(grant);
      continue;
    }
    table_text(&table, STYLE_PLAIN, grant->user);
    table_text(&table, STYLE_PLAIN, grant->role);
    table_text(&table, STYLE_DIM, grant->version);
    add_clock_time(&table, grant->clock.time_us);
    table_text(&table, STYLE_DIM, grant->other_version);
    add_clock_time(&table, grant->other.time_us);
  }
  end_table(&table, count > users->limit ? count - users->limit : 0);
  return count;
}

/* --- losses --- */

static bool has_end(const struct undo_loss *loss) {
  return loss->open_ends == 0 && loss->until_us != WM_NEVER && loss->until_us != INT64_MIN;
}

static void tell_loss_json(const struct undo_loss *loss) {
  struct wm_buf line = WM_BUF_INIT;
  wm_write_open(&line, WM_NO_KEY, '{');
  wm_write_string(&line, WM_KEY("kind"), "loss");
  wm_write_text(&line, WM_KEY("user"), loss->user);
  wm_write_text(&line, WM_KEY("role"), loss->role);
  wm_write_clock(&line, WM_KEY("clock"), &loss->clock);
  wm_write_text(&line, WM_KEY("version"), loss->version);
  wm_write_text(&line, WM_KEY("run"), loss->run);
  if (loss->givers.size)
    wm_write_text(&line, WM_KEY("given-by"), (struct wm_text){loss->givers.bytes, loss->givers.size});
  if (has_end(loss))
    wm_write_moment(&line, WM_KEY("until"), loss->until_us);
  wm_write_true(&line, WM_KEY("until-unknown"), loss->open_ends > 0);
  wm_write_boolean(&line, WM_KEY("give-back"), loss->state == LOSS_BACK);
  wm_write_string(&line, WM_KEY("why"), undo_loss_why(loss->state));
  end_line(&line);
}

static void tell_loss(struct table *table, const struct undo_loss *loss) {
  table_text(table, STYLE_PLAIN, loss->user);
  table_text(table, STYLE_PLAIN, loss->role);
  add_clock_time(table, loss->clock.time_us);
  table_text(table, STYLE_PLAIN,
             loss->givers.size ? (struct wm_text){loss->givers.bytes, loss->givers.size} : WM_TEXT("-"));
  if (has_end(loss))
    add_clock_time(table, loss->until_us);
  else
    table_cell(table, STYLE_DIM, "%s", loss->open_ends ? "not known" : "-");
  table_cell(table, loss->state == LOSS_BACK ? STYLE_GOOD : STYLE_DIM, "%s", undo_loss_why(loss->state));
}

static void tell_losses(const struct undo_losses *losses, const struct replay_telling *users) {
  static const char *const heads[] = {"its removals took", "role", "at", "given by", "until", "now", NULL};
  struct table table;
  size_t told = 0;
  table_init(&table, heads);
  for (size_t i = 0; i < losses->count && told < users->limit; i++) {
    if (!undo_loss_is_told(&losses->items[i]))
      continue;
    told++;
    if (users->json)
      tell_loss_json(&losses->items[i]);
    else
      tell_loss(&table, &losses->items[i]);
  }
  end_table(&table, losses->taken - told);
}

/* --- the end --- */

static void tell_sum_json(const struct undo_telling *telling, size_t left) {
  const struct undo_plan *plan = telling->dry->selection->plan;
  const struct undo_counts *counts = &plan->counts;
  struct wm_buf line = WM_BUF_INIT;
  const struct {
    const char *name;
    size_t number;
  } numbers[] = {{"users", counts->users},
                 {"grants", counts->grants},
                 {"users-losing", counts->lose},
                 {"users-keeping", counts->keep},
                 {"not-in-force", counts->idle},
                 {"users-gaining", counts->gain},
                 {"lockouts", counts->lockouts},
                 {"left", left},
                 {"ended", telling->dry->selection->ended},
                 {"registers", telling->dry->selection->registers},
                 {"removals", telling->losses ? telling->losses->taken : 0},
                 {"give-back", telling->losses ? telling->losses->back : 0}};
  wm_write_open(&line, WM_NO_KEY, '{');
  wm_write_string(&line, WM_KEY("kind"), "plan");
  if (telling->output) {
    wm_write_string(&line, WM_KEY("file"), telling->output);
    wm_write_string(&line, WM_KEY("digest"), plan->digest);
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    wm_write_name(&line, wm_text_of(numbers[i].name));
    wm_buf_add_integer(&line, (int64_t)numbers[i].number);
    wm_buf_add_char(&line, ',');
  }
  wm_write_boolean(&line, WM_KEY("outcomes"), telling->losses != NULL);
  wm_write_true(&line, WM_KEY("outcomes-cut"), telling->losses && telling->losses->cut);
  end_line(&line);
}

static void tell_automation(const struct undo_selection *selection) {
  struct wm_text name = selection->plan->filter.automation;
  const struct wm_automation *automation = wm_workspace_automation(selection->loaded->workspace, name);
  if (automation && automation->enabled)
    printf("'%.*s' is on and goes on giving: mend it, or 'waymark automations off %.*s', before you apply the plan.\n",
           WM_TEXT_ARG(name), WM_TEXT_ARG(name));
  struct wm_text near = automation || selection->versions.count > 0
                            ? WM_NO_TEXT
                            : wm_workspace_near_automation(selection->loaded->workspace, name);
  if (!automation && selection->versions.count == 0)
    printf("No assignment is by '%.*s', and the workspace has no automation of that name%s%.*s%s.\n", WM_TEXT_ARG(name),
           near.bytes ? " (did you mean '" : "", WM_TEXT_ARG(near), near.bytes ? "'?)" : "");
}

static void tell_give_back(const struct undo_telling *telling) {
  const struct undo_losses *losses = telling->losses;
  if (!losses) {
    puts("What its removals took was not looked at: that needs the outcomes (--outcomes FILE, or Kafka).");
    return;
  }
  if (losses->taken > 0)
    printf("Its removals took %zu role%s, of which %zu can be given back by hand.\n", losses->taken,
           plural(losses->taken), losses->back);
  if (losses->cut)
    puts("Retention has deleted the oldest outcomes: what stood there is not known any more.");
  if (losses->back > 0 && telling->give_back)
    printf("The requests for that are in '%s': waymark grant --file %s --reason '...'\n", telling->give_back,
           telling->give_back);
  else if (losses->back > 0)
    puts("With --give-back FILE they are written as a file for 'waymark grant --file'.");
}

static void tell_sum(const struct undo_telling *telling, size_t left) {
  const struct undo_selection *selection = telling->dry->selection;
  const struct undo_counts *counts = &selection->plan->counts;
  printf("%zu assignment%s of %zu user%s would be taken back, of %zu registers looked at. %zu role%s lost, %zu kept "
         "by way of another source or a criterion.\n",
         counts->grants, plural(counts->grants), counts->users, plural(counts->users), selection->registers,
         counts->lose, counts->lose == 1 ? " would be" : "s would be", counts->keep);
  if (counts->lockouts)
    printf("%zu user%s would have no role in force any more.\n", counts->lockouts, plural(counts->lockouts));
  if (left)
    printf("%zu assignment%s left as %s: another decision of the automation, which is not meant, gave the role too and "
           "still counts (--also-renewed takes them).\n",
           left, left == 1 ? " is" : "s are", left == 1 ? "it is" : "they are");
  if (selection->ended)
    printf("%zu more had ended or been taken away before.\n", selection->ended);
  if (selection->faults)
    printf("%zu keys in Redis hold no user and were passed over.\n", selection->faults);
  tell_give_back(telling);
  tell_automation(selection);
  if (telling->output)
    printf("The plan is in '%s'. Nothing was sent: waymark undo apply %s --reason '...'\n", telling->output,
           telling->output);
  else
    puts("Nothing was sent, and no plan was kept: --output FILE writes one.");
}

int undo_tell(const struct undo_telling *telling) {
  const struct undo_dry *dry = telling->dry;
  bool json = telling->users->json;
  int exit_code = tally_tell(&versions_shape, &dry->selection->versions, json);
  if (exit_code == EXIT_FINE)
    exit_code = tally_tell(&roles_shape, &dry->roles, json);
  if (exit_code == EXIT_FINE)
    exit_code = tally_tell(&failures_shape, &dry->failures, json);
  replay_tell_users(telling->users);
  size_t left = tell_left(dry->selection->plan, telling->users);
  if (telling->losses)
    tell_losses(telling->losses, telling->users);
  if (json)
    tell_sum_json(telling, left);
  else
    tell_sum(telling, left);
  return exit_code;
}

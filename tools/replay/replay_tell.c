#include "tools/replay/replay_tell.h"

#include <stdlib.h>

#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/lib/tally_tell.h"

#define USERS_SHOWN 20

/* --- users --- */

static const char *const user_heads[] = {"user", "before", "after", NULL};

int replay_tell_begin(struct replay_telling *telling, const char *limit) {
  char *end = NULL;
  table_init(&telling->users, user_heads);
  telling->limit = telling->json ? SIZE_MAX : USERS_SHOWN;
  if (!limit)
    return EXIT_FINE;
  long long number = strtoll(limit, &end, 10);
  if (*end || end == limit || number < 0)
    return say(EXIT_USAGE, "--limit needs a number, 0 for all, not '%s'", limit);
  telling->limit = number ? (size_t)number : SIZE_MAX;
  return EXIT_FINE;
}

void replay_tell_end(struct replay_telling *telling) {
  table_release(&telling->users);
  wm_buf_release(&telling->lines);
}

static void add_names(const struct wm_role_set *set, bool json, struct wm_buf *buf) {
  for (size_t i = 0; i < set->count; i++) {
    wm_buf_add_string(buf, i == 0 ? "" : json ? "," : ", ");
    if (json)
      wm_buf_add_json(buf, set->roles[i]->name);
    else
      wm_buf_add_text(buf, set->roles[i]->name);
  }
}

static void tell_user_json(struct wm_buf *lines, struct wm_text user, const struct wm_role_set *before,
                           const struct wm_role_set *after) {
  wm_buf_add_string(lines, "{\"kind\":\"user\",\"user\":");
  wm_buf_add_json(lines, user);
  wm_buf_add_string(lines, ",\"before\":[");
  add_names(before, true, lines);
  wm_buf_add_string(lines, "],\"after\":[");
  add_names(after, true, lines);
  wm_buf_add_string(lines, "]}\n");
}

void replay_tell_user(void *taker, struct wm_text user, const struct wm_role_set *before,
                      const struct wm_role_set *after) {
  struct replay_telling *telling = taker;
  if (telling->shown == telling->limit) {
    telling->more++;
    return;
  }
  telling->shown++;
  if (telling->json) {
    tell_user_json(&telling->lines, user, before, after);
    return;
  }
  table_text(&telling->users, STYLE_PLAIN, user);
  for (unsigned side = 0; side < 2; side++) {
    struct wm_buf names = WM_BUF_INIT;
    add_names(side ? after : before, false, &names);
    table_text(&telling->users, STYLE_PLAIN, names.size ? (struct wm_text){names.bytes, names.size} : WM_TEXT("-"));
    wm_buf_release(&names);
  }
}

/* --- tallies --- */

static const struct tally_shape roles_shape = {
    "tasks",
    {"automation", "role", NULL},
    {"added", "removed", "unchanged", "superseded", "failed", "skipped", NULL},
    {"automation", "role", "added", "removed", "unchanged", "superseded", "failed", "skipped", NULL},
    false};
static const struct tally_shape sent_shape = {
    "notifications",
    {"automation", "channel", NULL},
    {"sent-with-notify", "too-old", "not-sent", NULL},
    {"automation", "channel", "sent with --notify", "too old", "not sent", NULL},
    false};
static const struct tally_shape failures_shape = {"failures",
                                                  {"automation", "code", NULL},
                                                  {"failed", NULL},
                                                  {"automation", "code", "failed", "for example", NULL},
                                                  true};
static const struct tally_shape users_shape = {"roles",
                                               {"role", NULL},
                                               {"users-gaining", "users-losing", NULL},
                                               {"role", "users gaining", "users losing", NULL},
                                               false};

/* --- ranges --- */

static void tell_ranges(const struct replay_plan *plan, bool json) {
  static const char *const heads[] = {"partition", "from", "to", "records", "selected", "deleted by retention", NULL};
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < plan->range_count; i++) {
    const struct replay_range *one = &plan->ranges[i];
    if (json) {
      printf("{\"kind\":\"range\",\"partition\":%d,\"from\":%lld,\"to\":%lld,\"selected\":%zu,\"deleted\":%lld,"
             "\"cut\":%s}\n",
             one->range.partition, (long long)one->range.from, (long long)one->range.to, one->selected,
             (long long)one->deleted, one->cut ? "true" : "false");
      continue;
    }
    table_cell(&table, STYLE_PLAIN, "%d", one->range.partition);
    table_cell(&table, STYLE_PLAIN, "%lld", (long long)one->range.from);
    table_cell(&table, STYLE_PLAIN, "%lld", (long long)one->range.to);
    table_cell(&table, STYLE_PLAIN, "%lld", (long long)(one->range.to - one->range.from));
    table_cell(&table, STYLE_PLAIN, "%zu", one->selected);
    if (one->cut)
      table_cell(&table, STYLE_WARN, "all before %lld", (long long)one->range.low);
    else
      table_cell(&table, one->deleted ? STYLE_WARN : STYLE_DIM, "%lld", (long long)one->deleted);
  }
  bool any = table_rows(&table) > 0;
  table_print(&table, stdout);
  if (any)
    putchar('\n');
  table_release(&table);
}

/* --- does it change nothing by itself? (contract 13) --- */

static size_t count_readers(const struct dry_run *dry) {
  const struct wm_workspace *workspace = dry->loaded->workspace;
  struct wm_text only = dry->plan->filter.automation;
  size_t count = 0;
  for (size_t i = 0; i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    count += automation->enabled && automation->reads_user && (!only.bytes || wm_text_equal(only, automation->name));
  }
  return count;
}

static void tell_conditions(const struct dry_run *dry) {
  const struct replay_counts *counts = &dry->plan->counts;
  size_t readers = count_readers(dry);
  if (readers)
    printf(
        "Conditions of %zu automation%s read 'user.': they are asked again with what the user is now, so this replay "
        "may decide otherwise than the first time.\n",
        readers, readers == 1 ? "" : "s");
  if (counts->failed)
    printf("%zu task%s would fail.\n", counts->failed, counts->failed == 1 ? "" : "s");
  if (counts->failed_first)
    printf("The first time, %s%zu of its tasks and events failed or were rejected: they may come out otherwise now.\n",
           dry->plan->filter.where.bytes ? "up to " : "", counts->failed_first);
  if (counts->elsewhere)
    printf("%zu record%s not on the present home partition of the user: rejected the first time (or of the time before "
           "'waymark topics rehome'), taken up now.\n",
           counts->elsewhere, counts->elsewhere == 1 ? " is" : "s are");
  if (counts->rejected)
    printf("%zu record%s rejected by the rules of the topic and not sent again.\n", counts->rejected,
           counts->rejected == 1 ? " is" : "s are");
  if (readers || counts->failed || counts->failed_first || counts->elsewhere || !counts->selected)
    return;
  if (counts->changes)
    printf(
        "No condition reads 'user.' and nothing would fail: what changes comes of other rules or roles than the first "
        "time, or of events that were not decided then.\n");
  else
    printf("No condition reads 'user.' and nothing would fail: where the first time was decided by the same workspace "
           "and nothing failed then, this replay changes nothing.\n");
}

/* --- the end --- */

static void tell_duration(size_t selected) {
  size_t seconds = (selected + REPLAY_RATE - 1) / REPLAY_RATE;
  printf("About %zu min %zu s at the default rate of %d events a second.\n", seconds / 60, seconds % 60, REPLAY_RATE);
}

static void tell_sum(const struct replay_telling *telling, const struct dry_run *dry, const char *path) {
  const struct replay_counts *counts = &dry->plan->counts;
  size_t readers = count_readers(dry);
  if (telling->json) {
    printf("{\"kind\":\"plan\",\"file\":");
    struct wm_buf name = WM_BUF_INIT;
    wm_buf_add_json(&name, wm_text_of(path));
    printf("%s,\"digest\":\"%s\",\"read\":%zu,\"selected\":%zu,\"rejected\":%zu,\"duplicates\":%zu,\"elsewhere\":%zu,"
           "\"executions\":%zu,\"failed-first\":%zu,\"added\":%zu,\"removed\":%zu,\"unchanged\":%zu,\"superseded\":%zu,"
           "\"failed\":%zu,"
           "\"skipped\":%zu,\"notifications\":%zu,\"users\":%zu,\"users-gaining\":%zu,\"users-losing\":%zu,"
           "\"changes\":%zu,\"reads-user\":%zu,\"seconds\":%zu}\n",
           name.bytes ? name.bytes : "\"\"", dry->plan->digest, counts->read, counts->selected, counts->rejected,
           counts->duplicates, counts->elsewhere, counts->executions, counts->failed_first, counts->added,
           counts->removed, counts->unchanged, counts->superseded, counts->failed, counts->skipped,
           counts->notifications, counts->users, counts->users_gaining, counts->users_losing, counts->changes, readers,
           (counts->selected + REPLAY_RATE - 1) / REPLAY_RATE);
    wm_buf_release(&name);
    return;
  }
  printf("%zu events of %zu records would be sent again. %zu users gain a role, %zu lose one; %zu changes in all.\n",
         counts->selected, counts->read, counts->users_gaining, counts->users_losing, counts->changes);
  printf("%zu notification%s would be sent with --notify, none without.\n", counts->notifications,
         counts->notifications == 1 ? "" : "s");
  if (counts->selected == 0)
    puts(counts->read ? "Nothing to play again: no automation takes any of these events, or the filters leave none."
                      : "Nothing to play again: no record stands in this range.");
  tell_conditions(dry);
  tell_duration(counts->selected);
  printf("The plan is in '%s'. Nothing was sent: waymark replay apply %s --reason '...'\n", path, path);
}

void replay_tell_users(struct replay_telling *telling) {
  bool any = table_rows(&telling->users) > 0;
  table_print(&telling->users, stdout);
  if (telling->more && !telling->json)
    printf("and %zu more (--limit 0 shows all)\n", telling->more);
  if (any)
    putchar('\n');
  fputs(telling->lines.bytes ? telling->lines.bytes : "", stdout);
}

int replay_tell(struct replay_telling *telling, const struct dry_run *dry, const char *path) {
  tell_ranges(dry->plan, telling->json);
  int exit_code = tally_tell(&roles_shape, &dry->roles, telling->json);
  if (exit_code == EXIT_FINE)
    exit_code = tally_tell(&sent_shape, &dry->sent, telling->json);
  if (exit_code == EXIT_FINE)
    exit_code = tally_tell(&failures_shape, &dry->failures, telling->json);
  if (exit_code == EXIT_FINE)
    exit_code = tally_tell(&users_shape, &dry->users, telling->json);
  replay_tell_users(telling);
  tell_sum(telling, dry, path);
  return exit_code;
}

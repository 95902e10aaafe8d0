/* waymark failures stats: how many, of what, of whom, when. Memory goes by codes, automations, roles, hours, the first
 * USERS_NAMED users, and 8 bytes for each user. */
#include <stdlib.h>

#include "core/codec/write.h"
#include "core/hash.h"
#include "tools/failures/failures.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"

#define HOURS_SHOWN 48 /* more are shown as days */
#define USERS_SHOWN 10 /* with the most failures */
#define USERS_NAMED 100000

enum grouping { BY_ALL, BY_CODE, BY_AUTOMATION, BY_ROLE, BY_USER, BY_DAY, BY_HOUR, GROUPINGS };

struct group {
  enum grouping by;
  struct wm_text name;
  uint64_t count;
  int64_t first_us, last_us;
};

struct stats {
  struct wm_arena arena; /* of names */
  struct group *groups;
  size_t count, capacity;
  size_t *places; /* hash table: index into 'groups' + 1, 0: free */
  size_t place_count;
  uint64_t *users; /* hash table of hashes, 0: free; a collision is accepted */
  size_t user_count, user_capacity;
};

/* --- users --- */

static uint64_t *user_place(uint64_t *users, size_t capacity, uint64_t hash) {
  size_t at = hash & (capacity - 1);
  while (users[at] && users[at] != hash)
    at = (at + 1) & (capacity - 1);
  return &users[at];
}

static int grow_users(struct stats *stats) {
  size_t capacity = stats->user_capacity ? 2 * stats->user_capacity : 1024;
  uint64_t *larger = calloc(capacity, sizeof *larger);
  if (!larger)
    return -1;
  for (size_t i = 0; i < stats->user_capacity; i++)
    if (stats->users[i])
      *user_place(larger, capacity, stats->users[i]) = stats->users[i];
  free(stats->users);
  stats->users = larger;
  stats->user_capacity = capacity;
  return 0;
}

static int count_user(struct stats *stats, struct wm_text user) {
  uint64_t hash = wm_hash(user);
  hash = hash ? hash : 1;
  if (!user.size)
    return 0;
  if (2 * stats->user_count >= stats->user_capacity && grow_users(stats) < 0)
    return -1;
  uint64_t *place = user_place(stats->users, stats->user_capacity, hash);
  stats->user_count += !*place;
  *place = hash;
  return 0;
}

/* --- groups --- */

static size_t *group_place(const struct stats *stats, size_t *places, size_t place_count, enum grouping by,
                           struct wm_text name) {
  const char kind[] = {(char)('a' + (int)by)};
  size_t at = wm_hash_pair((struct wm_text){kind, 1}, name) & (place_count - 1);
  for (; places[at]; at = (at + 1) & (place_count - 1)) {
    const struct group *group = &stats->groups[places[at] - 1];
    if (group->by == by && wm_text_equal(group->name, name))
      break;
  }
  return &places[at];
}

static int grow_groups(struct stats *stats) {
  size_t capacity = stats->capacity ? 2 * stats->capacity : 128;
  struct group *groups = reallocarray(stats->groups, capacity, sizeof *groups);
  if (groups)
    stats->groups = groups;
  size_t *places = groups ? calloc(2 * capacity, sizeof *places) : NULL;
  if (!places)
    return -1;
  for (size_t i = 0; i < stats->count; i++)
    *group_place(stats, places, 2 * capacity, groups[i].by, groups[i].name) = i + 1;
  free(stats->places);
  stats->places = places;
  stats->place_count = 2 * capacity;
  stats->capacity = capacity;
  return 0;
}

static int count_group(struct stats *stats, enum grouping by, struct wm_text name, int64_t at_us) {
  if (stats->count == stats->capacity && grow_groups(stats) < 0)
    return -1;
  size_t *place = group_place(stats, stats->places, stats->place_count, by, name);
  if (!*place && by == BY_USER && stats->user_count > USERS_NAMED)
    return 0;
  if (!*place) {
    struct group *fresh = &stats->groups[stats->count];
    *fresh = (struct group){.by = by, .first_us = at_us, .last_us = at_us};
    if (wm_arena_text(&stats->arena, name, &fresh->name) < 0)
      return -1;
    *place = ++stats->count;
  }
  struct group *group = &stats->groups[*place - 1];
  group->count++;
  group->first_us = at_us < group->first_us ? at_us : group->first_us;
  group->last_us = at_us > group->last_us ? at_us : group->last_us;
  return 0;
}

static int take(void *taker, const struct failure *failure) {
  struct stats *stats = taker;
  char moment[WM_MOMENT_SIZE];
  wm_moment_format(failure->at_us, moment);
  const struct {
    enum grouping by;
    struct wm_text name;
  } names[] = {{BY_ALL, WM_TEXT("")},
               {BY_CODE, failure->code},
               {BY_AUTOMATION, failure->rejected ? WM_TEXT("(rejected)") : failure->automation},
               {BY_ROLE, failure->role},
               {BY_USER, failure->user},
               {BY_DAY, {moment, 10}},
               {BY_HOUR, {moment, 13}}};
  int failed = count_user(stats, failure->user);
  for (size_t i = 0; i < sizeof names / sizeof *names && !failed; i++)
    if (names[i].by == BY_ALL || names[i].name.size)
      failed = count_group(stats, names[i].by, names[i].name, failure->at_us);
  return failed ? say_memory() : EXIT_FINE;
}

/* --- telling --- */

static bool is_time(enum grouping by) {
  return by == BY_DAY || by == BY_HOUR;
}

/* Times by themselves, everything else the most first. */
static int compare(const void *left, const void *right) {
  const struct group *a = left, *b = right;
  if (a->by != b->by)
    return a->by < b->by ? -1 : 1;
  if (!is_time(a->by) && a->count != b->count)
    return a->count > b->count ? -1 : 1;
  return wm_text_compare(a->name, b->name);
}

static void print_json(const struct stats *stats, const struct group *group) {
  static const char *const names[GROUPINGS] = {"all", "code", "automation", "role", "user", "day", "hour"};
  struct wm_buf buf = WM_BUF_INIT;
  wm_write_open(&buf, WM_NO_KEY, '{');
  wm_write_string(&buf, WM_KEY("by"), names[group->by]);
  if (group->by != BY_ALL)
    wm_write_text(&buf, WM_KEY("name"), group->name);
  wm_write_integer(&buf, WM_KEY("count"), (int64_t)group->count);
  if (group->by == BY_ALL)
    wm_write_integer(&buf, WM_KEY("users"), (int64_t)stats->user_count);
  wm_write_moment(&buf, WM_KEY("first"), group->first_us);
  wm_write_moment(&buf, WM_KEY("last"), group->last_us);
  wm_write_close(&buf, '}');
  wm_write_end(&buf);
  if (!buf.failed)
    puts(buf.bytes);
  wm_buf_release(&buf);
}

static void add_row(struct table *table, const struct group *group) {
  struct wm_buf buf = WM_BUF_INIT;
  table_text(table, STYLE_PLAIN, group->name);
  table_cell(table, STYLE_BOLD, "%llu", (unsigned long long)group->count);
  if (!is_time(group->by)) {
    show_time(group->first_us, &buf);
    table_text(table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
    wm_buf_clear(&buf);
    show_time(group->last_us, &buf);
    table_text(table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
  }
  wm_buf_release(&buf);
}

static void print_grouping(const struct stats *stats, enum grouping by) {
  static const char *const heads[GROUPINGS][5] = {
      [BY_CODE] = {"CODE", "FAILURES", "FIRST", "LAST", NULL},
      [BY_AUTOMATION] = {"AUTOMATION", "FAILURES", "FIRST", "LAST", NULL},
      [BY_ROLE] = {"ROLE", "FAILURES", "FIRST", "LAST", NULL},
      [BY_USER] = {"USER", "FAILURES", "FIRST", "LAST", NULL},
      [BY_DAY] = {"DAY", "FAILURES", NULL},
      [BY_HOUR] = {"HOUR", "FAILURES", NULL},
  };
  struct table table;
  table_init(&table, heads[by]);
  for (size_t i = 0; i < stats->count; i++)
    if (stats->groups[i].by == by)
      add_row(&table, &stats->groups[i]);
  if (table_rows(&table) > 0)
    putchar('\n');
  table_print(&table, stdout);
  table_release(&table);
}

static void print_tables(const struct stats *stats) {
  const struct group *all = &stats->groups[0];
  struct wm_buf buf = WM_BUF_INIT;
  size_t hours = 0;
  show_count(&buf, all->count, "failure");
  wm_buf_add_string(&buf, " of ");
  show_count(&buf, stats->user_count, "user");
  wm_buf_add_string(&buf, ", from ");
  show_time(all->first_us, &buf);
  wm_buf_add_string(&buf, " to ");
  show_time(all->last_us, &buf);
  if (!buf.failed)
    puts(buf.bytes);
  for (size_t i = 0; i < stats->count; i++)
    hours += stats->groups[i].by == BY_HOUR;
  for (enum grouping by = BY_CODE; by <= BY_USER; by++)
    print_grouping(stats, by);
  print_grouping(stats, hours <= HOURS_SHOWN ? BY_HOUR : BY_DAY);
  wm_buf_release(&buf);
}

/* Of the groups in their order. */
static void keep_first_users(struct stats *stats) {
  size_t kept = 0, users = 0;
  for (size_t i = 0; i < stats->count; i++) {
    users += stats->groups[i].by == BY_USER;
    if (stats->groups[i].by != BY_USER || users <= USERS_SHOWN)
      stats->groups[kept++] = stats->groups[i];
  }
  stats->count = kept;
}

static void tell(struct stats *stats, bool json) {
  if (stats->count == 0) {
    say(0, "no such failure");
    return;
  }
  qsort(stats->groups, stats->count, sizeof *stats->groups, compare);
  keep_first_users(stats);
  for (size_t i = 0; json && i < stats->count; i++)
    print_json(stats, &stats->groups[i]);
  if (!json)
    print_tables(stats);
}

int failures_stats(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct loaded loaded = {0};
  struct stats stats = {0};
  struct failures_walk walk = {.take = take, .taker = &stats};
  wm_arena_init(&stats.arena, 0);
  int exit_code = failures_filter_read(options, &walk.filter);
  if (exit_code == EXIT_FINE && !options_has(options, "failures"))
    exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = failures_each(&loaded, options, &walk);
  if (exit_code == EXIT_FINE) {
    tell(&stats, options_has(options, "json"));
    if (walk.begins_us != INT64_MIN)
      say(0, "retention has deleted older failures");
    if (walk.faults > 0 || (stats.count > 0 && options_has(options, "exit-code")))
      exit_code = EXIT_BAD_NEWS;
  }
  free(stats.groups);
  free(stats.places);
  free(stats.users);
  wm_arena_release(&stats.arena);
  files_unload(&loaded);
  return exit_code;
}

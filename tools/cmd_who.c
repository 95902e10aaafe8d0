/* waymark who: everybody who holds a role, since when, because of what, until when. */
#include <stdio.h>
#include <stdlib.h>

#include "core/codec/write.h"
#include "core/moment.h"
#include "tools/answers/answer.h"
#include "tools/answers/why.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/roles/role_text.h"
#include "worker/clock.h"

#define PAGE_ROWS 500 /* printed at once: their widths are made equal */

struct filters {
  const char *source, *type, *org_unit, *group;
  int64_t ends_by_us; /* INT64_MAX: whenever */
  int64_t limit;      /* INT64_MAX: all */
};

struct listing {
  const struct loaded *loaded;
  const struct wm_role *role;
  struct filters filters;
  int64_t now_us;
  bool json, from_redis;
  struct wm_buf line;
  struct table table;
  size_t found, idle; /* who hold it; who have it, but not in force */
  bool more;          /* the limit came before the end */
};

/* --- filters --- */

static bool has_source(const struct answer *answer, const char *source) {
  if (!source)
    return true;
  if (strcmp(source, "derived") == 0)
    return answer->derived;
  for (size_t i = 0; answer->entry && i < answer->entry->grant_count; i++) {
    const struct wm_grant *grant = &answer->entry->grants[i];
    if (wm_text_is(grant->source, source) && answer_grant_state(answer, grant) == GRANT_LIVE)
      return true;
  }
  return false;
}

static bool has_text(const struct wm_value *list, const char *text) {
  for (size_t i = 0; list && list->type == WM_LIST && i < list->list.count; i++)
    if (wm_text_is(wm_value_text(&list->list.items[i]), text))
      return true;
  return false;
}

/* Anywhere on the way down to his own unit, in any hierarchy. */
static bool is_in_org_unit(const struct wm_user *user, const char *unit) {
  const struct wm_value *units = wm_user_field(user, WM_TEXT("org-units"));
  for (size_t i = 0; units && units->type == WM_OBJECT && i < units->object.count; i++)
    if (has_text(&units->object.members[i].value, unit))
      return true;
  return false;
}

static bool passes(const struct filters *filters, const struct answer *answer) {
  const struct wm_user *user = answer->user;
  return has_source(answer, filters->source) && (!filters->type || wm_text_is(user->profile.type, filters->type)) &&
         (!filters->org_unit || is_in_org_unit(user, filters->org_unit)) &&
         (!filters->group || has_text(wm_user_field(user, WM_TEXT("groups")), filters->group)) &&
         (filters->ends_by_us == INT64_MAX || answer_until(answer) <= filters->ends_by_us);
}

/* --- rows --- */

static void add_row(struct listing *listing, const struct answer *answer) {
  int64_t since_us = answer_since(answer), until_us = answer_until(answer);
  struct wm_buf buf = WM_BUF_INIT;
  table_text(&listing->table, STYLE_PLAIN, answer->user->id);
  if (since_us != INT64_MIN)
    show_time(since_us, &buf);
  table_text(&listing->table, STYLE_DIM, since_us == INT64_MIN ? WM_TEXT("–") : (struct wm_text){buf.bytes, buf.size});
  wm_buf_clear(&buf);
  if (until_us != WM_NEVER && until_us != INT64_MIN)
    show_time(until_us, &buf);
  table_text(&listing->table, STYLE_PLAIN, buf.size ? (struct wm_text){buf.bytes, buf.size} : WM_TEXT("–"));
  wm_buf_clear(&buf);
  why_add(listing->role, listing->role->name, answer->user, listing->now_us, &buf);
  table_text(&listing->table, STYLE_PLAIN,
             buf.size ? (struct wm_text){buf.bytes, buf.size}
                      : WM_TEXT("Redis has it; neither register nor this workspace says why"));
  wm_buf_release(&buf);
  if (table_rows(&listing->table) >= PAGE_ROWS)
    table_print(&listing->table, stdout);
}

static void print_json(struct listing *listing, const struct answer *answer) {
  int64_t since_us = answer_since(answer), until_us = answer_until(answer);
  struct wm_buf *line = &listing->line;
  wm_buf_clear(line);
  wm_write_open(line, WM_NO_KEY, '{');
  wm_write_text(line, WM_KEY("user"), answer->user->id);
  wm_write_text(line, WM_KEY("role"), answer->name);
  if (since_us != INT64_MIN)
    wm_write_moment(line, WM_KEY("since"), since_us);
  if (until_us != WM_NEVER && until_us != INT64_MIN)
    wm_write_moment(line, WM_KEY("until"), until_us);
  wm_write_open(line, WM_KEY("sources"), '[');
  for (size_t i = 0; answer->entry && i < answer->entry->grant_count; i++)
    if (answer_grant_state(answer, &answer->entry->grants[i]) == GRANT_LIVE)
      wm_write_text(line, WM_NO_KEY, answer->entry->grants[i].source);
  if (answer->derived)
    wm_write_string(line, WM_NO_KEY, "derived");
  wm_write_close(line, ']');
  wm_write_close(line, '}');
  wm_write_end(line);
  if (!line->failed)
    puts(line->bytes);
}

/* Who holds it is what applications see: the role set in Redis. */
static int take_user(void *taker, const struct source_user *source) {
  struct listing *listing = taker;
  struct answer answer;
  answer_find(listing->loaded, source, source->user, listing->role->name, listing->now_us, &answer);
  bool holds = listing->from_redis ? answer.redis_says : answer.held;
  if (!passes(&listing->filters, &answer))
    return EXIT_FINE;
  if (!holds) {
    listing->idle += answer.assigned || answer.derived;
    return EXIT_FINE;
  }
  listing->more = listing->found >= (size_t)listing->filters.limit;
  if (listing->more || ferror(stdout))
    return SOURCE_ENOUGH;
  listing->found++;
  if (listing->json)
    print_json(listing, &answer);
  else
    add_row(listing, &answer);
  return EXIT_FINE;
}

static void summarize(const struct listing *listing, size_t users) {
  const char *s = listing->found == 1 ? "" : "s";
  if (listing->more)
    say(0, "the first %zu user%s who hold '%.*s'; there are more", listing->found, s, WM_TEXT_ARG(listing->role->name));
  else
    say(0, "%zu of %zu users hold%s '%.*s'", listing->found, users, listing->found == 1 ? "s" : "",
        WM_TEXT_ARG(listing->role->name));
  if (listing->idle > 0)
    say(0, "%zu more ha%s it, but not in force ('waymark why' tells for each)", listing->idle,
        listing->idle == 1 ? "s" : "ve");
}

static int list(struct listing *listing, const struct options *options) {
  static const char *const heads[] = {"USER", "SINCE", "UNTIL", "BECAUSE OF", NULL};
  struct source_walk walk = {.take = take_user, .taker = listing};
  listing->from_redis = !options_has(options, "register");
  if (listing->from_redis && listing->role->criterion_count == 0) /* else no register names it */
    walk.about = listing->role->name;
  table_init(&listing->table, heads);
  int exit_code = source_each(listing->loaded, options, &walk);
  table_print(&listing->table, stdout);
  if (exit_code == EXIT_FINE && !ferror(stdout))
    summarize(listing, walk.users);
  if (exit_code == EXIT_FINE && (listing->found == 0 || walk.faults > 0))
    exit_code = EXIT_BAD_NEWS;
  table_release(&listing->table);
  wm_buf_release(&listing->line);
  return exit_code;
}

/* --- the command --- */

static int read_limit(const char *text, int64_t *ret) {
  char *end;
  *ret = INT64_MAX;
  if (!text)
    return EXIT_FINE;
  long long number = strtoll(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || number < 1 || number > 1000000000)
    return say(EXIT_USAGE, "--limit: '%s' is no number of users (1 to 1000000000)", text);
  *ret = number;
  return EXIT_FINE;
}

static int read_source(const char *text) {
  if (!text || strcmp(text, "manual") == 0 || strcmp(text, "derived") == 0 ||
      wm_text_starts_with(wm_text_of(text), WM_TEXT("automation/")))
    return EXIT_FINE;
  return say(EXIT_USAGE, "--source: '%s' is none: it must be automation/NAME, manual or derived", text);
}

static int read_type(const char *text) {
  static const char *const types[] = {"employee", "partner", "customer", "guest", NULL};
  const char *near = text ? wm_text_nearest(wm_text_of(text), types) : NULL;
  for (size_t i = 0; types[i]; i++)
    if (!text || strcmp(text, types[i]) == 0)
      return EXIT_FINE;
  return say(EXIT_USAGE, "--type: '%s' is no type of users (employee, partner, customer, guest)%s%s%s", text,
             near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
}

static int read_filters(const struct options *options, int64_t now_us, struct filters *ret) {
  const char *within = options_value(options, "ending-within");
  int64_t within_us = 0;
  *ret = (struct filters){.source = options_value(options, "source"),
                          .type = options_value(options, "type"),
                          .org_unit = options_value(options, "org-unit"),
                          .group = options_value(options, "group"),
                          .ends_by_us = INT64_MAX};
  if (within && !wm_duration_parse(wm_text_of(within), &within_us))
    return say(EXIT_USAGE, "--ending-within: '%s' is no duration (12h, 7d, 4w)", within);
  if (within)
    ret->ends_by_us = now_us + within_us;
  int exit_code = read_source(ret->source);
  if (exit_code == EXIT_FINE)
    exit_code = read_type(ret->type);
  return exit_code == EXIT_FINE ? read_limit(options_value(options, "limit"), &ret->limit) : exit_code;
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct loaded loaded = {0};
  struct listing listing = {
      .loaded = &loaded, .now_us = system_clock.wall_us(system_clock.self), .json = options_has(options, "json")};
  int exit_code = read_filters(options, listing.now_us, &listing.filters);
  if (exit_code != EXIT_FINE)
    return exit_code;
  exit_code =
      workspace_open(invocation, NULL, options_has(options, "register") ? SETTINGS_OFFLINE : SETTINGS_FULL, &loaded);
  if (exit_code == EXIT_BAD_NEWS)
    exit_code = EXIT_USAGE; /* 1 says that nobody holds it */
  if (exit_code == EXIT_FINE)
    exit_code = role_find(loaded.workspace, options_argument(options, 0), &listing.role);
  if (exit_code == EXIT_FINE)
    exit_code = list(&listing, options);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"source", 0, "SOURCE", "only by this source: automation/NAME, manual, or derived"},
    {"type", 0, "TYPE", "only users of this type"},
    {"org-unit", 0, "UNIT", "only users in this organisation unit or below"},
    {"group", 0, "GROUP", "only users in this directory group"},
    {"ending-within", 0, "DURATION", "only those who lose it by itself within this time (7d)"},
    {"limit", 0, "N", "stop after so many"},
    OPTION_REGISTER,
    OPTION_JSON,
    {0},
};

const struct command command_who = {
    .name = "who",
    .arguments = "ROLE",
    .summary = "everybody who holds a role: since when, because of what, until when",
    .options = options,
    .help =
        "Goes through all users in Redis, in no order and in bounded memory, and lists those whose role set has the\n"
        "role. The number of them goes to stderr. Exit 1: nobody, or something in Redis is no register (it is told\n"
        "and passed over); 2: there is no such role; 3: Redis can't be reached.\n\n"
        "  waymark who certified-partner --ending-within 30d\n"
        "  waymark who certified-partner --source manual --json",
    .run = run,
};

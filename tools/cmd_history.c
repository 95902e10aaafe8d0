/* waymark history: which roles a user gained and lost, when and why; and who held what on any day. */
#include <stdio.h>
#include <stdlib.h>

#include "core/codec/write.h"
#include "core/moment.h"
#include "tools/answers/changes.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/lib/when.h"
#include "tools/roles/role_text.h"
#include "worker/clock.h"

/* What he held at a moment: the last change of each role. */
struct held {
  struct wm_text role;
  bool effective;
  int64_t at_us;
  struct wm_text cause, because; /* in words */
};

struct telling {
  const struct loaded *loaded;
  const char *user, *role; /* role NULL: all */
  int64_t since_us, until_us;
  bool on, json; /* on: what he held at 'until_us' */
  struct wm_arena arena;
  struct held *held;
  size_t held_count, held_capacity;
  size_t told; /* changes that were printed */
  struct table table;
  struct wm_buf line;
};

/* --- in words --- */

static void add_task(const struct telling *telling, const struct wm_clock *clock, struct wm_buf *buf) {
  const struct wm_workspace *workspace = telling->loaded->workspace;
  const struct wm_automation *automation = workspace ? wm_workspace_automation(workspace, clock->automation) : NULL;
  wm_buf_printf(buf, "automation %.*s, task %lld", WM_TEXT_ARG(clock->automation), (long long)clock->sequence);
  for (size_t i = 0; automation && i < automation->task_count; i++)
    if (automation->tasks[i].sequence == clock->sequence)
      wm_buf_printf(buf, " %.*s", WM_TEXT_ARG(automation->tasks[i].name));
}

static void add_because(const struct telling *telling, const struct change *change, struct wm_buf *buf) {
  static const struct {
    const char *cause, *text;
  } texts[] = {{"request", "a request by hand"},
               {"profile", "the profile changed"},
               {"deletion", "the directory deleted the user"},
               {"sign-in", "the user signed in"},
               {"catalogue", "the catalogue changed"},
               {"expiry", "by time: a grant ended, or a criterion turned"}};
  const char *text = NULL;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    text = wm_text_is(change->cause, texts[i].cause) ? texts[i].text : text;
  if (change->clock.automation.size)
    add_task(telling, &change->clock, buf);
  else
    wm_buf_add_text(buf, text ? wm_text_of(text) : change->cause);
  if (change->by.size)
    wm_buf_printf(buf, " by %.*s", WM_TEXT_ARG(change->by));
  if (change->reason.size)
    wm_buf_printf(buf, " (%.*s)", WM_TEXT_ARG(change->reason));
  if (change->catalogue.size)
    wm_buf_printf(buf, " (now %.*s)", WM_TEXT_ARG(change->catalogue));
  if (wm_clock_is_set(&change->clock)) {
    wm_buf_printf(buf, ", event %.*s from %.*s, ", WM_TEXT_ARG(change->clock.id), WM_TEXT_ARG(change->clock.source));
    show_time(change->clock.time_us, buf);
  }
  if (change->lockout)
    wm_buf_add_string(buf, "; no role was left");
}

/* --- the state at a moment --- */

static struct held *find_held(struct telling *telling, struct wm_text role) {
  for (size_t i = 0; i < telling->held_count; i++)
    if (wm_text_equal(telling->held[i].role, role))
      return &telling->held[i];
  if (telling->held_count == telling->held_capacity) {
    size_t capacity = telling->held_capacity ? 2 * telling->held_capacity : 16;
    struct held *larger = reallocarray(telling->held, capacity, sizeof *larger);
    if (!larger)
      return NULL;
    telling->held = larger;
    telling->held_capacity = capacity;
  }
  struct held *held = &telling->held[telling->held_count];
  *held = (struct held){0};
  if (wm_arena_text(&telling->arena, role, &held->role) < 0)
    return NULL;
  telling->held_count++;
  return held;
}

static int keep(struct telling *telling, const struct change *change) {
  struct held *held = find_held(telling, change->role);
  struct wm_buf because = WM_BUF_INIT;
  if (!held)
    return say_memory();
  add_because(telling, change, &because);
  held->effective = change->effective;
  held->at_us = change->at_us;
  int failed = because.failed || wm_arena_text(&telling->arena, change->cause, &held->cause) < 0 ||
               wm_arena_text(&telling->arena, (struct wm_text){because.bytes, because.size}, &held->because) < 0;
  wm_buf_release(&because);
  return failed ? say_memory() : EXIT_FINE;
}

static int by_role(const void *a, const void *b) {
  return wm_text_compare(((const struct held *)a)->role, ((const struct held *)b)->role);
}

/* --- printing --- */

static void print_json(struct telling *telling, const struct change *change) {
  struct wm_buf *line = &telling->line;
  wm_buf_clear(line);
  wm_write_open(line, WM_NO_KEY, '{');
  wm_write_moment(line, WM_KEY("at"), change->at_us);
  wm_write_text(line, WM_KEY("user"), change->user);
  wm_write_text(line, WM_KEY("role"), change->role);
  wm_write_boolean(line, WM_KEY("effective"), change->effective);
  wm_write_text(line, WM_KEY("cause"), change->cause);
  wm_write_text(line, WM_KEY("by"), change->by);
  wm_write_text(line, WM_KEY("reason"), change->reason);
  wm_write_true(line, WM_KEY("lockout"), change->lockout);
  if (wm_clock_is_set(&change->clock)) {
    wm_write_clock(line, WM_KEY("clock"), &change->clock);
    wm_write_text(line, WM_KEY("event-type"), change->event_type);
    wm_write_open(line, WM_KEY("origin"), '{');
    wm_write_origin(line, &change->origin);
    wm_write_close(line, '}');
  }
  wm_write_text(line, WM_KEY("catalogue"), change->catalogue);
  wm_write_text(line, WM_KEY("id"), change->id);
  wm_write_close(line, '}');
  wm_write_end(line);
  if (!line->failed)
    puts(line->bytes);
}

static void add_row(struct telling *telling, const struct change *change) {
  struct wm_buf buf = WM_BUF_INIT;
  show_time(change->at_us, &buf);
  table_text(&telling->table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
  table_cell(&telling->table, change->effective ? STYLE_GOOD : STYLE_BAD, "%s", change->effective ? "gained" : "lost");
  table_text(&telling->table, STYLE_PLAIN, change->role);
  wm_buf_clear(&buf);
  add_because(telling, change, &buf);
  table_text(&telling->table, STYLE_PLAIN, (struct wm_text){buf.bytes, buf.size});
  wm_buf_release(&buf);
}

static int take_change(void *taker, const struct change *change) {
  struct telling *telling = taker;
  if (change->at_us > telling->until_us || (telling->role && !wm_text_is(change->role, telling->role)))
    return EXIT_FINE;
  if (telling->on)
    return keep(telling, change);
  telling->told++;
  if (telling->json)
    print_json(telling, change);
  else
    add_row(telling, change);
  return EXIT_FINE;
}

static void print_held_json(struct telling *telling, const struct held *held) {
  struct wm_buf *line = &telling->line;
  wm_buf_clear(line);
  wm_write_open(line, WM_NO_KEY, '{');
  wm_write_moment(line, WM_KEY("on"), telling->until_us);
  wm_write_string(line, WM_KEY("user"), telling->user);
  wm_write_text(line, WM_KEY("role"), held->role);
  wm_write_moment(line, WM_KEY("since"), held->at_us);
  wm_write_text(line, WM_KEY("cause"), held->cause);
  wm_write_text(line, WM_KEY("because"), held->because);
  wm_write_close(line, '}');
  wm_write_end(line);
  if (!line->failed)
    puts(line->bytes);
}

static void add_held_row(struct telling *telling, const struct held *held) {
  struct wm_buf buf = WM_BUF_INIT;
  show_time(held->at_us, &buf);
  table_text(&telling->table, STYLE_PLAIN, held->role);
  table_text(&telling->table, STYLE_DIM, (struct wm_text){buf.bytes, buf.size});
  table_text(&telling->table, STYLE_PLAIN, held->because);
  wm_buf_release(&buf);
}

static void tell_held(struct telling *telling) {
  if (telling->held_count > 1)
    qsort(telling->held, telling->held_count, sizeof *telling->held, by_role);
  for (size_t i = 0; i < telling->held_count; i++) {
    const struct held *held = &telling->held[i];
    if (!held->effective)
      continue;
    telling->told++;
    if (telling->json)
      print_held_json(telling, held);
    else
      add_held_row(telling, held);
  }
}

/* What is not there is said, so that an empty page is not taken for an answer. */
static void summarize(const struct telling *telling, const struct changes_walk *walk) {
  struct wm_buf buf = WM_BUF_INIT;
  if (walk->begins_us != INT64_MIN) {
    show_time(walk->begins_us, &buf);
    say(0, "the topic's oldest record is of %s; what was before is not known", buf.bytes ? buf.bytes : "");
  }
  wm_buf_clear(&buf);
  show_time(telling->until_us, &buf);
  if (telling->told == 0 && telling->on)
    say(0, "'%s' held %s%s%s at %s", telling->user, telling->role ? "no '" : "no role",
        telling->role ? telling->role : "", telling->role ? "'" : "", buf.bytes ? buf.bytes : "");
  else if (telling->told == 0)
    say(0, "%s%s%s of '%s' %schanged%s", telling->role ? "role '" : "no role", telling->role ? telling->role : "",
        telling->role ? "'" : "", telling->user, telling->role ? "never " : "",
        telling->since_us == INT64_MIN && telling->until_us == INT64_MAX ? "" : " in that time");
  wm_buf_release(&buf);
}

static int tell(struct telling *telling, const struct options *options) {
  static const char *const change_heads[] = {"TIME", "CHANGE", "ROLE", "BECAUSE OF", NULL};
  static const char *const held_heads[] = {"ROLE", "SINCE", "BECAUSE OF", NULL};
  struct changes_walk walk = {
      .user = telling->user, .from_us = telling->since_us, .take = take_change, .taker = telling};
  wm_arena_init(&telling->arena, 0);
  table_init(&telling->table, telling->on ? held_heads : change_heads);
  int exit_code = changes_each(telling->loaded, options, &walk);
  if (exit_code == EXIT_FINE)
    tell_held(telling);
  table_print(&telling->table, stdout);
  if (exit_code == EXIT_FINE)
    summarize(telling, &walk);
  if (exit_code == EXIT_FINE && (telling->told == 0 || walk.faults > 0))
    exit_code = EXIT_BAD_NEWS;
  table_release(&telling->table);
  wm_arena_release(&telling->arena);
  wm_buf_release(&telling->line);
  free(telling->held);
  return exit_code;
}

/* --- the command --- */

static int read_times(const struct options *options, int64_t now_us, struct telling *ret) {
  const char *on = options_value(options, "on"), *since = options_value(options, "since");
  const char *until = options_value(options, "until");
  int exit_code = EXIT_FINE;
  ret->on = on != NULL;
  ret->since_us = INT64_MIN;
  ret->until_us = INT64_MAX;
  if (on && (since || until))
    return say(EXIT_USAGE, "--on tells of one moment: --since and --until don't go with it");
  if (on)
    exit_code = when_parse("on", on, true, now_us, &ret->until_us);
  if (exit_code == EXIT_FINE && since)
    exit_code = when_parse("since", since, false, now_us, &ret->since_us);
  if (exit_code == EXIT_FINE && until)
    exit_code = when_parse("until", until, true, now_us, &ret->until_us);
  if (exit_code == EXIT_FINE && ret->since_us != INT64_MIN && ret->since_us > ret->until_us)
    return say(EXIT_USAGE, "--since is later than --until");
  return exit_code;
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct loaded loaded = {0};
  struct telling telling = {.loaded = &loaded,
                            .user = options_argument(options, 0),
                            .role = options_argument(options, 1),
                            .json = options_has(options, "json")};
  if (!wm_text_is_user_id(wm_text_of(telling.user)))
    return say(EXIT_USAGE, "'%s' is no user id: 1 to 256 bytes of text without control characters", telling.user);
  int exit_code = read_times(options, system_clock.wall_us(system_clock.self), &telling);
  if (exit_code != EXIT_FINE)
    return exit_code;
  exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_BAD_NEWS)
    exit_code = EXIT_USAGE; /* 1 says that there is nothing to tell */
  if (exit_code == EXIT_FINE)
    exit_code = tell(&telling, options);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"on", 0, "WHEN", "which roles he held then (a day means its end, UTC)"},
    {"since", 0, "WHEN", "only what changed from then on: a day, a time, or how long ago (7d)"},
    {"until", 0, "WHEN", "only what changed until then"},
    OPTION_CHANGES,
    OPTION_JSON,
    {0},
};

const struct command command_history = {
    .name = "history",
    .arguments = "USER [ROLE]",
    .summary = "which roles a user gained and lost, when and why; which he held on any day",
    .options = options,
    .help =
        "Reads the changes topic, the user's home partition of it. The time of a change is when it took effect: when\n"
        "the worker committed it, which is later than the event that caused it. With --on: the roles that were in\n"
        "force at the end of that day or at that time. A change that a worker told twice is shown once. Exit 1: there\n"
        "is nothing to tell, or a record is no change (it is told and passed over); 3: Kafka can't be reached.\n\n"
        "  waymark history user-7 --since 30d\n"
        "  waymark history user-7 certified-partner --on 2026-11-20",
    .run = run,
};

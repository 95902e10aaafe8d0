/* waymark roles show: all that the catalogue says of a role, and who gives and takes it. */
#include <stdio.h>

#include "core/project.h"
#include "tools/answers/mentions.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/source.h"
#include "tools/lib/table.h"
#include "tools/lib/ways.h"
#include "tools/requests/criteria.h"
#include "tools/requests/giving.h"
#include "tools/roles/role_text.h"
#include "tools/roles/roles.h"
#include "tools/roles/roles_control.h"
#include "worker/clock.h"

struct showing {
  const struct loaded *loaded;
  const struct options *options;
  const struct wm_role *role;
  bool counted;
  size_t holders, users;
};

/* --- counting --- */

struct counting {
  const struct wm_workspace *workspace;
  struct wm_text role;
  int64_t now_us;
  size_t holders;
};

static int count_user(void *taker, const struct source_user *user) {
  struct counting *counting = taker;
  counting->holders += source_holds(user, counting->workspace, counting->role, counting->now_us);
  return EXIT_FINE;
}

/* Who asks Redis wants to know what is so, not what is written. Without Kafka the rest is still an answer. */
static int ask_control(const struct loaded *loaded) {
  struct wm_running running;
  struct wm_overlay overlay;
  struct wm_error error = {0};
  int exit_code = roles_control_read(&loaded->settings, &running);
  if (exit_code == EXIT_FINE && wm_workspace_overlay(loaded->workspace, &running, &overlay, &error) < 0)
    exit_code = say_error(EXIT_BUG, &error);
  wm_running_release(&running);
  return exit_code == EXIT_BUG ? exit_code : EXIT_FINE;
}

static int count(struct showing *showing) {
  struct counting counting = {showing->loaded->workspace, showing->role->name, system_clock.wall_us(system_clock.self),
                              0};
  struct source_walk walk = {.take = count_user, .taker = &counting};
  bool from_redis = !options_value(showing->options, "register");
  if (from_redis) /* the role sets tell */
    walk.about = showing->role->name;
  int exit_code = from_redis ? ask_control(showing->loaded) : EXIT_FINE;
  if (exit_code == EXIT_FINE)
    exit_code = source_each(showing->loaded, showing->options, &walk);
  showing->holders = counting.holders;
  showing->users = walk.users;
  showing->counted = true;
  return exit_code == EXIT_FINE && walk.faults > 0 ? EXIT_BAD_NEWS : exit_code;
}

/* --- for people --- */

static void print_line(const char *name, struct wm_text text) {
  if (!text.size)
    return;
  style_print(stdout, STYLE_DIM, "%-12s", name);
  style_print(stdout, STYLE_PLAIN, "%.*s", WM_TEXT_ARG(text));
  putchar('\n');
}

static void print_fields(const struct wm_role *role) {
  struct wm_buf portals = WM_BUF_INIT;
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(role->name));
  style_print(stdout, STYLE_PLAIN, "  %.*s", WM_TEXT_ARG(role->label));
  putchar('\n');
  if (role->description.size) {
    style_print(stdout, STYLE_PLAIN, "%.*s", WM_TEXT_ARG(role->description));
    putchar('\n');
  }
  putchar('\n');
  print_line("kind", wm_text_of(role_kind_name(role->kind)));
  style_print(stdout, STYLE_DIM, "%-12s", "status");
  style_print(stdout, role->status == WM_ROLE_ACTIVE ? STYLE_PLAIN : STYLE_WARN, "%s%s", role_status_name(role->status),
              role->status == role->written_status ? "" : ", at run time");
  putchar('\n');
  print_line("type", role->type);
  for (size_t i = 0; i < role->portal_count; i++)
    wm_buf_printf(&portals, "%s%.*s", i ? ", " : "", WM_TEXT_ARG(role->portals[i]));
  print_line("portals", (struct wm_text){portals.bytes, portals.size});
  print_line("managed", role->managed ? WM_TEXT("true: kept by the system, never assigned") : WM_NO_TEXT);
  print_line("delegation",
             role->delegation == WM_DELEGATION_HOLDERS ? WM_TEXT("holders may give it to others") : WM_NO_TEXT);
  print_line("activate",
             role->at_sign_in ? WM_TEXT("at-sign-in: what a criterion gives begins at a sign-in") : WM_NO_TEXT);
  style_print(stdout, STYLE_DIM, "%-12s", "stands in");
  style_print(stdout, STYLE_PLAIN, "%.*s:%u:%u", WM_TEXT_ARG(role->file), role->line, role->column);
  putchar('\n');
  wm_buf_release(&portals);
}

static void print_head(const char *text) {
  putchar('\n');
  style_print(stdout, STYLE_BOLD, "%s", text);
  putchar('\n');
}

static void print_criteria(const struct wm_role *role) {
  if (role->criterion_count == 0)
    return;
  print_head("assigned when");
  for (size_t i = 0; i < role->criterion_count; i++) {
    struct wm_buf text = WM_BUF_INIT;
    criteria_text(&role->criteria[i], &text);
    style_print(stdout, STYLE_PLAIN, "  %s%.*s", i ? "or " : "",
                WM_TEXT_ARG(((struct wm_text){text.bytes, text.size})));
    putchar('\n');
    wm_buf_release(&text);
  }
}

struct printing {
  enum mention_kind kind;
  size_t count;
};

static void print_mention(void *taker, const struct mention *mention) {
  struct printing *printing = taker;
  if (mention->kind != printing->kind)
    return;
  if (printing->count++ == 0)
    print_head(mention->kind == MENTION_GIVES ? "given by" : "taken by");
  giving_print(mention->automation, mention->task, NULL, 2);
  if (!mention->automation->enabled)
    giving_note(4, "it is switched off");
}

static void print_automations(const struct showing *showing) {
  const struct wm_role *role = showing->role;
  struct printing gives = {MENTION_GIVES, 0}, takes = {MENTION_TAKES, 0};
  mentions_each(showing->loaded, MENTION_OF_ROLE, role->name, print_mention, &gives);
  mentions_each(showing->loaded, MENTION_OF_ROLE, role->name, print_mention, &takes);
  if (role->kind != WM_ROLE_PORTAL || role->managed)
    puts("\nIt is protected: no automation and no request may give or take it.");
  else if (gives.count == 0)
    puts("\nNo automation gives it.");
}

/* Those of one test are one line. */
static void print_test(void *taker, const struct mention *mention) {
  struct wm_text *last = taker;
  if (mention->kind != MENTION_TESTS || wm_text_equal(*last, mention->test))
    return;
  if (!last->bytes)
    print_head("tested by");
  *last = mention->test;
  style_print(stdout, STYLE_PLAIN, "  %.*s", WM_TEXT_ARG(mention->test));
  style_print(stdout, STYLE_DIM, "  %.*s:%u:%u", WM_TEXT_ARG(mention->file), mention->line, mention->column);
  putchar('\n');
}

static void print_tests(const struct showing *showing) {
  struct wm_text last = WM_NO_TEXT;
  mentions_each(showing->loaded, MENTION_OF_ROLE, showing->role->name, print_test, &last);
}

static void print_people(const struct showing *showing) {
  print_fields(showing->role);
  print_criteria(showing->role);
  print_automations(showing);
  print_tests(showing);
  if (showing->counted)
    printf("\n%zu of %zu users have it in force\n", showing->holders, showing->users);
}

/* --- as JSON --- */

struct listing {
  struct wm_buf *buf;
  enum mention_kind kind;
  bool any;
};

static void add_mention(void *taker, const struct mention *mention) {
  struct listing *listing = taker;
  if (mention->kind != listing->kind)
    return;
  wm_buf_add_string(listing->buf, listing->any ? ",{\"automation\":" : "{\"automation\":");
  wm_buf_add_json(listing->buf, mention->automation->name);
  wm_buf_printf(listing->buf, ",\"sequence\":%lld,\"task\":", (long long)mention->task->sequence);
  wm_buf_add_json(listing->buf, mention->task->name);
  wm_buf_printf(listing->buf, ",\"enabled\":%s}", mention->automation->enabled ? "true" : "false");
  listing->any = true;
}

static void add_mentions(const struct showing *showing, const char *name, enum mention_kind kind, struct wm_buf *buf) {
  struct listing listing = {buf, kind, false};
  wm_buf_printf(buf, ",\"%s\":[", name);
  mentions_each(showing->loaded, MENTION_OF_ROLE, showing->role->name, add_mention, &listing);
  wm_buf_add_char(buf, ']');
}

struct tests {
  struct wm_buf *buf;
  struct wm_text last;
};

static void add_test(void *taker, const struct mention *mention) {
  struct tests *tests = taker;
  if (mention->kind != MENTION_TESTS || wm_text_equal(tests->last, mention->test))
    return;
  wm_buf_add_string(tests->buf, tests->last.bytes ? "," : "");
  wm_buf_add_json(tests->buf, mention->test);
  tests->last = mention->test;
}

static void add_tests(const struct showing *showing, struct wm_buf *buf) {
  struct tests tests = {buf, WM_NO_TEXT};
  wm_buf_add_string(buf, ",\"tests\":[");
  mentions_each(showing->loaded, MENTION_OF_ROLE, showing->role->name, add_test, &tests);
  wm_buf_add_char(buf, ']');
}

static void print_json(const struct showing *showing) {
  struct wm_buf line = WM_BUF_INIT;
  wm_buf_add_char(&line, '{');
  role_text_members(showing->role, &line);
  add_mentions(showing, "given-by", MENTION_GIVES, &line);
  add_mentions(showing, "taken-by", MENTION_TAKES, &line);
  add_tests(showing, &line);
  if (showing->counted)
    wm_buf_printf(&line, ",\"holders\":%zu,\"users\":%zu", showing->holders, showing->users);
  wm_buf_add_char(&line, '}');
  if (!line.failed)
    puts(line.bytes);
  wm_buf_release(&line);
}

static int show(struct showing *showing) {
  int exit_code = EXIT_FINE;
  if (options_has(showing->options, "count") || options_value(showing->options, "register"))
    exit_code = count(showing);
  if (exit_code > EXIT_BAD_NEWS)
    return exit_code;
  if (options_has(showing->options, "json"))
    print_json(showing);
  else
    print_people(showing);
  return exit_code;
}

int roles_show(const struct invocation *invocation) {
  const char *name = options_argument(&invocation->options, WAY_FIRST);
  bool counts = options_has(&invocation->options, "count");
  struct loaded loaded;
  struct showing showing = {.loaded = &loaded, .options = &invocation->options};
  int exit_code = workspace_open(invocation, NULL, counts ? SETTINGS_FULL : SETTINGS_OFFLINE, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = role_find(loaded.workspace, name, &showing.role);
  if (exit_code == EXIT_FINE)
    exit_code = show(&showing);
  files_unload(&loaded);
  return exit_code;
}

/* waymark explain: for one event, which automations take it, and why the others do not. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/lib/events.h"
#include "tools/lib/files.h"
#include "tools/lib/play.h"
#include "tools/lib/register_text.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/roles/roles_control.h"
#include "tools/rules/explain.h"
#include "worker/clock.h"

struct question {
  const struct loaded *loaded;
  struct wm_arena arena;
  struct decoded decoded;
  struct wm_user *before; /* as given; NULL: no register was given */
  struct wm_user *blank;  /* stands in for it while conditions are asked */
  struct wm_decision decision;
  struct wm_scope scope;
  struct wm_running running; /* what the control topic says; nothing unless it was asked */
  bool json;
};

/* A file with one event, or exit code and complaint. */
static int read_event(struct question *question, const char *path, struct events *events) {
  int exit_code = events_read(path, events);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (events->count > 1)
    return say(EXIT_USAGE, "'%s' holds %zu events, explain takes one ('waymark simulate' takes many)", path,
               events->count);
  int64_t now_us = system_clock.wall_us(system_clock.self);
  struct wm_decode_rules rules = events_rules(&question->loaded->settings, now_us);
  if (events_decode(events->items[0], 0, &rules, &question->arena, &question->decoded) < 0)
    return say_memory();
  return EXIT_FINE;
}

static int tell_rejection(const struct question *question) {
  const struct wm_rejection *rejection = &question->decoded.rejection;
  if (question->json) {
    struct wm_buf line = WM_BUF_INIT;
    wm_buf_add_char(&line, '{');
    events_rejection_members(rejection, &line);
    wm_buf_add_char(&line, '}');
    puts(line.bytes ? line.bytes : "{}");
    wm_buf_release(&line);
    return EXIT_BAD_NEWS;
  }
  style_print(stdout, STYLE_BAD, "rejected: %s", wm_code_name(rejection->code));
  style_print(stdout, STYLE_PLAIN, " (%.*s)", WM_TEXT_ARG(rejection->reason));
  if (rejection->pointer.bytes && rejection->pointer.size)
    style_print(stdout, STYLE_PLAIN, " at %.*s", WM_TEXT_ARG(rejection->pointer));
  style_print(stdout, STYLE_PLAIN, ": %.*s", WM_TEXT_ARG(rejection->message));
  puts("\nIt would go to <topic>.dlq; no automation is asked.");
  return EXIT_BAD_NEWS;
}

/* What conditions look at: the state before the event. */
static int make_scope(struct question *question) {
  const struct wm_event *event = &question->decoded.event;
  question->scope = (struct wm_scope){.event = event, .now_us = event->now_us};
  if (!event->user.bytes)
    return 0;
  struct wm_role_set roles;
  if (!question->before)
    question->blank = wm_user_new(event->user, 0);
  question->scope.user = question->before ? question->before : question->blank;
  if (!question->scope.user)
    return -1;
  if (wm_project(question->loaded->workspace, question->scope.user, event->now_us, &question->arena, &roles) < 0)
    return -1;
  question->scope.roles = wm_role_set_value(&roles, &question->arena);
  return question->scope.roles ? 0 : -1;
}

static void print_line(const char *name, struct wm_text text, const char *note) {
  style_print(stdout, STYLE_DIM, "%-6s", name);
  style_print(stdout, STYLE_PLAIN, "%.*s", WM_TEXT_ARG(text));
  style_print(stdout, STYLE_DIM, "%s%s", *note ? "  " : "", note);
  putchar('\n');
}

static void print_head(const struct question *question) {
  const struct wm_event *event = &question->decoded.event;
  struct wm_buf buf = WM_BUF_INIT;
  print_line("event", event->type, "");
  print_line("id", event->id, "");
  print_line("from", event->source, "");
  char time[WM_MOMENT_SIZE];
  print_line("time", (struct wm_text){time, wm_moment_format(event->time_us, time)}, "");
  if (!event->user.bytes) {
    print_line("user", WM_TEXT("none"), "tasks that need one fail with USER_MISSING");
  } else {
    print_line("user", event->user, question->before ? "" : "no register given: a user of whom nothing is known yet");
    for (size_t i = 0; i < question->scope.roles->list.count; i++)
      wm_buf_printf(&buf, "%s%.*s", i ? ", " : "", WM_TEXT_ARG(question->scope.roles->list.items[i].string));
    print_line("roles", buf.size ? (struct wm_text){buf.bytes, buf.size} : WM_TEXT("none"), "");
  }
  putchar('\n');
  wm_buf_release(&buf);
}

/* What an event that no trigger takes does by itself. */
static void print_class(const struct question *question) {
  static const char *const texts[] = {
      [WM_EVENT_USER_UPDATED] = "The directory says who the user is: the profile is set unless a newer one stands.",
      [WM_EVENT_USER_DELETED] = "The directory says that the user is gone: every role ends.",
      [WM_EVENT_SIGNED_IN] = "The user has signed in: derived roles that waited for it begin.",
      [WM_EVENT_ASSIGNMENT] = "A request by hand: one change-role task, no automation is asked.",
      [WM_EVENT_DELEGATION] = "A holder hands a role on: his right to do so is checked, the receiver gets a request.",
      [WM_EVENT_WITHDRAWAL] = "What one source gave is taken back; what others gave stays.",
      [WM_EVENT_RESERVED] = "A reserved type that Waymark does not know: it is counted and ignored.",
  };
  const char *text = texts[question->decoded.event.event_class];
  printf("%s%s", text, question->decision.fate == WM_FATE_DUPLICATE ? " It was decided before: nothing happens." : "");
  puts(question->decision.fate == WM_FATE_NOTHING ? " Nothing changes." : "");
}

static void print_changes(const struct question *question) {
  for (size_t i = 0; i < question->decision.change_count; i++) {
    const struct wm_change *change = &question->decision.changes[i];
    style_print(stdout, change->effective ? STYLE_GOOD : STYLE_BAD, "%s %.*s", change->effective ? "+" : "-",
                WM_TEXT_ARG(change->role));
    puts(change->effective ? "  the user gets this role" : "  the user loses this role");
  }
}

static void tell(const struct question *question, const struct explanation *explanation) {
  if (!question->json) {
    explain_print(explanation);
    putchar('\n');
    return;
  }
  struct wm_buf line = WM_BUF_INIT;
  explain_to_json(explanation, &line);
  puts(line.bytes ? line.bytes : "");
  wm_buf_release(&line);
}

/* Those that take the event or might have; the ones that wait for other events come last, in one table. */
static void tell_automations(const struct question *question) {
  const char *heads[] = {"AUTOMATION", "WAITS FOR", NULL, NULL};
  const struct wm_workspace *workspace = question->loaded->workspace;
  for (size_t i = 0; i < workspace->automation_count; i++)
    if (workspace->automations[i].description.size)
      heads[2] = "DESCRIPTION";
  struct table waiting;
  table_init(&waiting, heads);
  for (size_t i = 0; i < workspace->automation_count; i++) {
    struct explanation explanation = explain(&workspace->automations[i], &question->scope, &question->decision);
    explanation.word = wm_running_get(&question->running, WM_RUNNING_AUTOMATION, workspace->automations[i].name);
    if (explanation.verdict == VERDICT_TRIGGER && !question->json)
      explain_add_waiting(&waiting, explanation.automation);
    else
      tell(question, &explanation);
  }
  if (!question->json && workspace->automation_count == 0)
    puts("The workspace has no automations.");
  bool any = table_rows(&waiting) > 0;
  table_print(&waiting, stdout);
  if (any)
    putchar('\n');
  table_release(&waiting);
}

static void answer(const struct question *question) {
  const struct wm_decision *decision = &question->decision;
  bool triggering = question->decoded.event.event_class == WM_EVENT_TRIGGERING;
  if (!question->json)
    print_head(question);
  if (!question->json && !triggering)
    print_class(question);
  if (triggering)
    tell_automations(question);
  for (size_t i = 0; !triggering && i < decision->execution_count; i++) {
    struct explanation explanation = {.scope = &question->scope, .execution = &decision->executions[i]};
    tell(question, &explanation);
  }
  if (!question->json)
    print_changes(question);
}

static int ask(struct question *question) {
  const struct wm_event *event = &question->decoded.event;
  struct wm_error error = {0};
  if (question->decoded.what != WM_DECODED_EVENT)
    return tell_rejection(question);
  if (question->before && !wm_text_equal(question->before->id, event->user))
    return say(EXIT_USAGE, "the register is of '%.*s', the event of '%.*s'", WM_TEXT_ARG(question->before->id),
               WM_TEXT_ARG(event->user));
  if (make_scope(question) < 0)
    return say_memory();
  struct wm_terms terms = play_terms(&question->loaded->settings, false);
  if (wm_decide(question->loaded->workspace, &terms, event, question->before, 0, NULL, &question->arena,
                &question->decision, &error) < 0)
    return say_error(EXIT_BUG, &error);
  answer(question);
  return EXIT_FINE;
}

/* What was said at run time is laid over the workspace. */
static int ask_control(struct question *question, struct loaded *loaded) {
  struct wm_overlay overlay;
  struct wm_error error = {0};
  int exit_code = roles_control_read(&loaded->settings, &question->running);
  if (exit_code == EXIT_FINE && wm_workspace_overlay(loaded->workspace, &question->running, &overlay, &error) < 0)
    return say_memory();
  return exit_code;
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct loaded loaded;
  struct events events = {0};
  struct question question = {.loaded = &loaded, .json = options_has(options, "json")};
  wm_arena_init(&question.arena, 0);
  bool control = options_has(options, "control");
  wm_running_init(&question.running);
  int exit_code =
      workspace_open(invocation, options_argument(options, 0), control ? SETTINGS_FULL : SETTINGS_OFFLINE, &loaded);
  if (exit_code == EXIT_FINE && control)
    exit_code = ask_control(&question, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = register_of_file(options_value(options, "user"), &question.arena, &question.before);
  if (exit_code == EXIT_FINE)
    exit_code = read_event(&question, options_argument(options, 1), &events);
  if (exit_code == EXIT_FINE)
    exit_code = ask(&question);
  wm_user_free(question.decision.user);
  wm_user_free(question.before);
  wm_user_free(question.blank);
  wm_running_release(&question.running);
  wm_arena_release(&question.arena);
  events_release(&events);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"user", 0, "FILE", "the user's register before the event, as 'simulate --users' or 'user --json' write it"},
    {"control", 0, NULL, "with what was switched off or archived at run time: asks Kafka"},
    OPTION_JSON,
    {0},
};

const struct command command_explain = {
    .name = "explain",
    .arguments = "[DIR] EVENT.json",
    .summary = "which automations take an event, and why the others do not",
    .options = options,
    .help =
        "Asks every automation of DIR about one event ('-' is stdin), condition by condition. Each has three answers:\n"
        "yes, no, and cannot tell (a field that is absent, or of another type); an automation runs only on yes.\n"
        "Of one that takes the event it says what each task would do. Nobody's roles change. 'Now' is the event's\n"
        "time. Exit 1 when the event would be rejected, or the workspace is invalid.\n\n"
        "  waymark explain deploy/sample event.json --user register.json",
    .run = run,
};

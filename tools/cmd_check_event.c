/* waymark check-event: would these events be accepted, and does any automation take their type? */
#include <stdio.h>

#include "tools/lib/events.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"

struct check {
  const struct wm_workspace *workspace; /* NULL: none was found */
  struct table table;
  struct wm_buf line;
  bool json;
  size_t rejected;
};

static const char *const heads[] = {"LINE", "EVENT", "TYPE", "USER", "ANSWER", "NOTE", NULL};

/* Names of the automations whose trigger takes the type, with 'between' each. */
static size_t add_takers(const struct wm_workspace *workspace, struct wm_text type, const char *quote,
                         const char *between, struct wm_buf *buf) {
  size_t count = 0;
  for (size_t i = 0; workspace && i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    if (!wm_automation_takes(automation, type))
      continue;
    wm_buf_printf(buf, "%s%s%.*s%s", count ? between : "", quote, WM_TEXT_ARG(automation->name), quote);
    count++;
  }
  return count;
}

static void add_accepted_note(const struct check *check, const struct wm_event *event, struct wm_buf *buf) {
  static const char *const notes[] = {
      [WM_EVENT_USER_UPDATED] = "belongs on topics.directory",
      [WM_EVENT_USER_DELETED] = "belongs on topics.directory",
      [WM_EVENT_SIGNED_IN] = "belongs on topics.directory",
      [WM_EVENT_ASSIGNMENT] = "belongs on topics.requests",
      [WM_EVENT_DELEGATION] = "belongs on topics.requests",
      [WM_EVENT_WITHDRAWAL] = "belongs on topics.requests",
      [WM_EVENT_RESERVED] = "a reserved type that Waymark does not know: it would be ignored",
  };
  if (event->event_class != WM_EVENT_TRIGGERING) {
    wm_buf_add_string(buf, notes[event->event_class]);
    return;
  }
  if (!event->user.bytes)
    wm_buf_add_string(buf, "names no user: its tasks fail with USER_MISSING; ");
  if (!check->workspace) {
    wm_buf_add_string(buf, "no workspace to ask who takes it");
    return;
  }
  size_t before = buf->size;
  wm_buf_add_string(buf, "its type is a trigger of ");
  if (add_takers(check->workspace, event->type, "", ", ", buf) == 0) {
    buf->size = before;
    wm_buf_add_string(buf, "no automation takes this type");
  }
}

static void add_rejected_note(const struct wm_rejection *rejection, struct wm_buf *buf) {
  wm_buf_printf(buf, "%s", wm_code_name(rejection->code));
  if (rejection->reason.bytes)
    wm_buf_printf(buf, " (%.*s)", WM_TEXT_ARG(rejection->reason));
  if (rejection->pointer.bytes)
    wm_buf_printf(buf, " at %.*s", rejection->pointer.size ? (int)rejection->pointer.size : 9,
                  rejection->pointer.size ? rejection->pointer.bytes : "the whole");
  if (rejection->message.bytes)
    wm_buf_printf(buf, ": %.*s", WM_TEXT_ARG(rejection->message));
}

static void add_row(struct check *check, int64_t line, const struct decoded *decoded) {
  bool accepted = decoded->what == WM_DECODED_EVENT;
  const struct wm_text dash = WM_TEXT("–");
  struct wm_text id = accepted ? decoded->event.id : decoded->rejection.id;
  struct wm_text type = accepted ? decoded->event.type : decoded->rejection.type;
  struct wm_text user = accepted ? decoded->event.user : decoded->rejection.user;
  wm_buf_clear(&check->line);
  if (accepted)
    add_accepted_note(check, &decoded->event, &check->line);
  else
    add_rejected_note(&decoded->rejection, &check->line);
  table_cell(&check->table, STYLE_DIM, "%lld", (long long)line);
  table_text(&check->table, STYLE_PLAIN, id.bytes ? id : dash);
  table_text(&check->table, STYLE_PLAIN, type.bytes ? type : dash);
  table_text(&check->table, STYLE_PLAIN, user.bytes ? user : dash);
  table_cell(&check->table, accepted ? STYLE_GOOD : STYLE_BAD, accepted ? "accepted" : "rejected");
  table_text(&check->table, STYLE_PLAIN, (struct wm_text){check->line.bytes, check->line.size});
}

static void print_json(struct check *check, int64_t line, const struct decoded *decoded) {
  struct wm_buf *buf = &check->line;
  wm_buf_clear(buf);
  wm_buf_printf(buf, "{\"line\":%lld,", (long long)line);
  if (decoded->what != WM_DECODED_EVENT) {
    events_rejection_members(&decoded->rejection, buf);
  } else {
    wm_buf_add_string(buf, "\"accepted\":true,\"id\":");
    wm_buf_add_json(buf, decoded->event.id);
    wm_buf_add_string(buf, ",\"type\":");
    wm_buf_add_json(buf, decoded->event.type);
    if (decoded->event.user.bytes) {
      wm_buf_add_string(buf, ",\"user\":");
      wm_buf_add_json(buf, decoded->event.user);
    }
    if (check->workspace) {
      wm_buf_add_string(buf, ",\"automations\":[");
      add_takers(check->workspace, decoded->event.type, "\"", ",", buf);
      wm_buf_add_char(buf, ']');
    }
  }
  wm_buf_add_string(buf, "}\n");
  if (!buf->failed)
    fwrite(buf->bytes, 1, buf->size, stdout);
}

static int check_all(struct check *check, const struct settings *settings, const struct events *events) {
  struct wm_decode_rules rules = events_rules_now(settings);
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  bool failed = false;
  for (size_t i = 0; i < events->count && !failed; i++) {
    struct decoded decoded;
    wm_arena_rewind(&arena);
    failed = events_decode(events->items[i], events->lines[i] - 1, &rules, &arena, &decoded) < 0;
    if (failed)
      break;
    check->rejected += decoded.what != WM_DECODED_EVENT;
    if (check->json)
      print_json(check, events->lines[i], &decoded);
    else
      add_row(check, events->lines[i], &decoded);
    failed = check->line.failed || check->table.failed;
  }
  wm_arena_release(&arena);
  table_print(&check->table, stdout);
  if (failed)
    return say_memory();
  return check->rejected ? EXIT_BAD_NEWS : EXIT_FINE;
}

static int run(const struct invocation *invocation) {
  struct check check = {.json = options_has(&invocation->options, "json")};
  struct loaded loaded;
  struct events events = {0};
  bool found;
  table_init(&check.table, heads);
  int exit_code = workspace_open_optional(invocation, &loaded, &found);
  if (!found)
    settings_read(&loaded.settings, WM_TEXT("waymark.yaml"), WM_NO_TEXT, SETTINGS_OFFLINE, &loaded.findings);
  if (exit_code == EXIT_FINE)
    exit_code = events_read(options_argument(&invocation->options, 0), &events);
  check.workspace = loaded.workspace;
  if (exit_code == EXIT_FINE)
    exit_code = check_all(&check, &loaded.settings, &events);
  events_release(&events);
  table_release(&check.table);
  wm_buf_release(&check.line);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {OPTION_WORKSPACE, OPTION_JSON, {0}};

const struct command command_check_event = {
    .name = "check-event",
    .arguments = "FILE",
    .summary = "would an event be accepted, and why not",
    .options = options,
    .help =
        "FILE is one CloudEvent in JSON, or one a line ('-' is stdin). Says for each whether the worker would accept\n"
        "it at this moment: size, depth, attributes, time. With a workspace (optional here) its limits count, and\n"
        "it says which automations have the type as their trigger. Exit 1 when one would be rejected.\n\n"
        "  waymark check-event event.json",
    .run = run,
};

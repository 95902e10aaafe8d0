/* waymark uses: where the workspace names a role, a channel or a field. */
#include <stdio.h>
#include <stdlib.h>

#include "core/codec/write.h"
#include "tools/answers/mentions.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/table.h"

struct using {
  const struct loaded *loaded;
  struct wm_text name;
  bool json;
  struct table table;
  struct wm_buf line;
};

static const struct {
  const char *way, *text;
} kinds[] = {
    [MENTION_IS] = {"is", "stands there"},
    [MENTION_GIVES] = {"gives", "gives it"},
    [MENTION_TAKES] = {"takes", "takes it"},
    [MENTION_NOTIFIES] = {"notifies", "notifies by it"},
    [MENTION_ASKS] = {"asks", "asks for it"},
    [MENTION_SHOWS] = {"shows", "shows it"},
    [MENTION_DERIVES] = {"derives", "derives from it"},
    [MENTION_TESTS] = {"tests", "tests it"},
    [MENTION_SETS] = {"sets", "names it"},
};

static void add_owner(const struct using *using, const struct mention *mention, struct wm_buf *buf) {
  if (mention->automation)
    wm_buf_printf(buf, "automation %.*s", WM_TEXT_ARG(mention->automation->name));
  else if (mention->role)
    wm_buf_printf(buf, "role %.*s", WM_TEXT_ARG(mention->role->name));
  else if (mention->test.bytes)
    wm_buf_printf(buf, "test %.*s", WM_TEXT_ARG(mention->test));
  else if (mention->kind == MENTION_IS)
    wm_buf_printf(buf, "channel %.*s", WM_TEXT_ARG(using->name));
  else
    wm_buf_add_string(buf, "settings");
  if (mention->task)
    wm_buf_printf(buf, ", task %lld %.*s", (long long)mention->task->sequence, WM_TEXT_ARG(mention->task->name));
}

static void add_row(struct using *using, const struct mention *mention) {
  struct wm_buf buf = WM_BUF_INIT;
  if (mention->line)
    table_cell(&using->table, STYLE_PLAIN, "%.*s:%u:%u", WM_TEXT_ARG(mention->file), mention->line, mention->column);
  else
    table_text(&using->table, STYLE_PLAIN, mention->file);
  add_owner(using, mention, &buf);
  table_text(&using->table, STYLE_PLAIN, (struct wm_text){buf.bytes, buf.size});
  table_cell(&using->table, STYLE_DIM, "%s", mention->place);
  table_cell(&using->table, STYLE_PLAIN, "%s", kinds[mention->kind].text);
  wm_buf_release(&buf);
}

static void print_json(struct using *using, const struct mention *mention) {
  struct wm_buf *line = &using->line;
  wm_buf_clear(line);
  wm_write_open(line, WM_NO_KEY, '{');
  wm_write_text(line, WM_KEY("name"), using->name);
  wm_write_string(line, WM_KEY("way"), kinds[mention->kind].way);
  wm_write_text(line, WM_KEY("file"), mention->file);
  if (mention->line) {
    wm_write_integer(line, WM_KEY("line"), mention->line);
    wm_write_integer(line, WM_KEY("column"), mention->column);
  }
  wm_write_string(line, WM_KEY("place"), mention->place);
  if (mention->automation)
    wm_write_text(line, WM_KEY("automation"), mention->automation->name);
  if (mention->role)
    wm_write_text(line, WM_KEY("role"), mention->role->name);
  wm_write_text(line, WM_KEY("test"), mention->test);
  if (mention->task) {
    wm_write_integer(line, WM_KEY("sequence"), mention->task->sequence);
    wm_write_text(line, WM_KEY("task"), mention->task->name);
  }
  wm_write_close(line, '}');
  wm_write_end(line);
  if (!line->failed)
    puts(line->bytes);
}

static void take_mention(void *taker, const struct mention *mention) {
  struct using *using = taker;
  if (using->json)
    print_json(using, mention);
  else
    add_row(using, mention);
}

/* --- what the name may have meant --- */

struct candidates {
  const char **names; /* NUL-terminated; owned, but for those of roles and channels */
  size_t count, capacity;
};

static void add_candidate(struct candidates *candidates, struct wm_text name) {
  if (candidates->count + 1 >= candidates->capacity) {
    size_t capacity = candidates->capacity ? 2 * candidates->capacity : 64;
    const char **larger = reallocarray(candidates->names, capacity, sizeof *larger);
    if (!larger)
      return;
    candidates->names = larger;
    candidates->capacity = capacity;
  }
  char *copy = strndup(name.bytes, name.size);
  if (copy)
    candidates->names[candidates->count++] = copy;
  candidates->names[candidates->count] = NULL;
}

static void add_path(void *taker, const struct wm_path *path) {
  add_candidate(taker, path->written);
}

static int tell_nothing(const struct using *using) {
  const struct wm_workspace *workspace = using->loaded->workspace;
  struct candidates candidates = {0};
  for (size_t i = 0; i < workspace->role_count; i++)
    add_candidate(&candidates, workspace->roles[i].name);
  for (size_t i = 0; i < workspace->channel_count; i++)
    add_candidate(&candidates, workspace->channels[i].name);
  mentions_each_path(using->loaded, add_path, &candidates);
  const char *near = candidates.count ? wm_text_nearest(using->name, candidates.names) : NULL;
  say(0, "nothing names '%.*s'%s%s%s", WM_TEXT_ARG(using->name), near ? " (did you mean '" : "", near ? near : "",
      near ? "'?)" : "");
  for (size_t i = 0; i < candidates.count; i++)
    free((char *)(uintptr_t)candidates.names[i]);
  free(candidates.names);
  return EXIT_BAD_NEWS;
}

static int use(struct using *using) {
  static const char *const heads[] = {"WHERE", "WHAT", "IN", "DOES", NULL};
  static const enum mention_of kinds_of_names[] = {MENTION_OF_ROLE, MENTION_OF_CHANNEL, MENTION_OF_FIELD};
  size_t count = 0;
  table_init(&using->table, heads);
  for (size_t i = 0; i < sizeof kinds_of_names / sizeof *kinds_of_names; i++)
    count += mentions_each(using->loaded, kinds_of_names[i], using->name, take_mention, using);
  table_print(&using->table, stdout);
  table_release(&using->table);
  wm_buf_release(&using->line);
  return count > 0 ? EXIT_FINE : tell_nothing(using);
}

static int run(const struct invocation *invocation) {
  struct loaded loaded;
  struct using using = {.name = wm_text_of(options_argument(&invocation->options, 0)),
                        .json = options_has(&invocation->options, "json")};
  int exit_code = workspace_open(invocation, NULL, SETTINGS_OFFLINE, &loaded);
  if (exit_code == EXIT_BAD_NEWS)
    exit_code = EXIT_USAGE; /* 1 says that nothing names it */
  using.loaded = &loaded;
  if (exit_code == EXIT_FINE)
    exit_code = use(&using);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {OPTION_WORKSPACE, OPTION_JSON, {0}};

const struct command command_uses = {
    .name = "uses",
    .arguments = "NAME",
    .summary = "where a role, a channel or a field is named",
    .options = options,
    .help =
        "Looks through the workspace: tasks, conditions, texts with {{ }}, criteria of roles, tests and settings. A "
        "field\n"
        "is a path (data.score); one that has others below it finds them too (user.attributes). Exit 1: nothing names\n"
        "it, 2: the workspace is invalid.\n\n"
        "  waymark uses certified-partner\n"
        "  waymark uses user.attributes",
    .run = run,
};

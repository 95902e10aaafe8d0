#include "tools/answers/mentions.h"

#include "core/case.h"

struct search {
  enum mention_of of;
  struct wm_text name;
  mention_fn *take; /* NULL: only paths are wanted */
  mention_path_fn *take_path;
  void *taker;
  size_t count;
};

static void found(struct search *search, struct mention mention) {
  search->count++;
  if (search->take)
    search->take(search->taker, &mention);
}

/* Does 'path' begin with the field that is looked for? Both as they are written. */
static bool is_path(const struct search *search, const struct wm_path *path) {
  struct wm_text written = path->written;
  return search->of == MENTION_OF_FIELD && wm_text_starts_with(written, search->name) &&
         (written.size == search->name.size || written.bytes[search->name.size] == '.');
}

static bool has_text(const struct wm_value *operand, struct wm_text name) {
  if (operand->type != WM_LIST)
    return wm_text_equal(wm_value_text(operand), name);
  for (size_t i = 0; i < operand->list.count; i++)
    if (wm_text_equal(wm_value_text(&operand->list.items[i]), name))
      return true;
  return false;
}

static void search_field(struct search *search, const struct wm_condition *condition, struct mention mention) {
  bool roles = search->of == MENTION_OF_ROLE && condition->path.root == WM_PATH_USER_ROLES;
  if (search->take_path)
    search->take_path(search->taker, &condition->path);
  for (size_t i = 0; i < condition->test_count; i++) {
    const struct wm_test *test = &condition->tests[i];
    if ((roles && has_text(&test->operand, search->name)) || (i == 0 && is_path(search, &condition->path))) {
      mention.line = test->line ? test->line : condition->line;
      mention.column = test->line ? test->column : condition->column;
      found(search, mention);
    }
  }
}

/* Not deeper than the workspace's 32. */
static void search_condition(struct search *search, const struct wm_condition *condition, struct mention mention) {
  if (condition->kind == WM_FIELD)
    search_field(search, condition, mention);
  for (size_t i = 0; i < condition->count; i++)
    search_condition(search, &condition->children[i], mention);
}

static void search_template(struct search *search, const struct wm_template *template, struct mention mention) {
  bool known = false;
  for (size_t i = 0; i < template->count; i++) {
    const struct wm_template_part *part = &template->parts[i];
    if (part->literal.bytes)
      continue;
    if (search->take_path)
      search->take_path(search->taker, &part->path);
    if (!known && is_path(search, &part->path))
      found(search, mention);
    known = known || is_path(search, &part->path);
  }
}

static void search_task(struct search *search, const struct wm_task *task, struct mention mention) {
  mention.task = task;
  mention.line = task->name_line ? task->name_line : task->line;
  mention.column = task->name_line ? task->name_column : task->column;
  if (search->of == MENTION_OF_ROLE && task->type == &wm_change_role && wm_text_equal(task->role, search->name)) {
    mention.kind = task->action == WM_ADD ? MENTION_GIVES : MENTION_TAKES;
    mention.place = "role";
    found(search, mention);
  }
  if (search->of == MENTION_OF_CHANNEL && task->type == &wm_notify && wm_text_equal(task->channel, search->name)) {
    mention.kind = MENTION_NOTIFIES;
    mention.place = "channel";
    found(search, mention);
  }
  mention.kind = MENTION_SHOWS;
  mention.line = task->line;
  mention.column = task->column;
  mention.place = "title";
  search_template(search, &task->title, mention);
  mention.place = "message";
  search_template(search, &task->message, mention);
}

static void search_automation(struct search *search, const struct wm_automation *automation) {
  struct mention mention = {.kind = MENTION_ASKS, .automation = automation, .place = "when", .file = automation->file};
  search_condition(search, &automation->when, mention);
  for (size_t i = 0; i < automation->task_count; i++)
    search_task(search, &automation->tasks[i], mention);
}

static void search_role(struct search *search, const struct wm_role *role) {
  struct mention mention = {.kind = MENTION_DERIVES, .role = role, .place = "assigned-when", .file = role->file};
  static const struct {
    enum wm_criterion_kind kind;
    const char *field; /* that it reads */
  } fields[] = {{WM_CRITERION_ORG_UNIT, "user.org-units"},
                {WM_CRITERION_GROUP, "user.groups"},
                {WM_CRITERION_MANAGER, "user.manager-of-anyone"}};
  for (size_t i = 0; i < role->criterion_count; i++) {
    const struct wm_criterion *criterion = &role->criteria[i];
    mention.line = criterion->line;
    mention.column = criterion->column;
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
      if (search->of == MENTION_OF_FIELD && criterion->kind == fields[f].kind &&
          wm_text_is(search->name, fields[f].field))
        found(search, mention);
    if (criterion->kind == WM_CRITERION_USER && criterion->include_subordinates && search->of == MENTION_OF_FIELD &&
        wm_text_is(search->name, "user.manager"))
      found(search, mention);
    if (criterion->kind == WM_CRITERION_WHEN)
      search_condition(search, &criterion->when, mention);
  }
}

static void search_itself(struct search *search, const struct wm_workspace *workspace) {
  const struct wm_role *role = search->of == MENTION_OF_ROLE ? wm_workspace_role(workspace, search->name) : NULL;
  const struct wm_channel *channel =
      search->of == MENTION_OF_CHANNEL ? wm_workspace_channel(workspace, search->name) : NULL;
  if (role)
    found(search, (struct mention){.kind = MENTION_IS,
                                   .role = role,
                                   .place = "role",
                                   .file = role->file,
                                   .line = role->line,
                                   .column = role->column});
  if (channel)
    found(search, (struct mention){.kind = MENTION_IS,
                                   .place = "channel",
                                   .file = channel->file,
                                   .line = channel->line,
                                   .column = channel->column});
}

/* --- tests and settings --- */

static void search_expected(struct search *search, const struct wm_expected_role *roles, size_t count,
                            struct mention mention) {
  for (size_t i = 0; search->of == MENTION_OF_ROLE && i < count; i++) {
    if (!wm_text_equal(roles[i].role, search->name))
      continue;
    mention.line = roles[i].place.line;
    mention.column = roles[i].place.column;
    found(search, mention);
  }
}

static void search_messages(struct search *search, const struct wm_expectation *then, struct mention mention) {
  for (size_t i = 0; search->of == MENTION_OF_CHANNEL && then->messages && i < then->message_count; i++) {
    const struct wm_expected_message *message = &then->messages[i];
    if (!message->channel.bytes || !wm_text_equal(message->channel, search->name))
      continue;
    mention.line = message->channel_place.line;
    mention.column = message->channel_place.column;
    found(search, mention);
  }
}

static void search_case(struct search *search, const struct wm_case *test) {
  struct mention mention = {.kind = MENTION_TESTS, .test = test->name, .place = "given", .file = test->file};
  search_expected(search, test->had, test->had_count, mention);
  mention.place = "then";
  for (size_t i = 0; i < test->step_count; i++) {
    const struct wm_expectation *then = &test->steps[i].then;
    search_expected(search, then->roles, then->role_count, mention);
    search_messages(search, then, mention);
  }
}

static void search_settings(struct search *search, const struct loaded *loaded) {
  const struct settings *settings = &loaded->settings;
  struct mention mention = {.kind = MENTION_SETS,
                            .place = "baseline",
                            .file = WM_TEXT("waymark.yaml"),
                            .line = settings->baseline.line,
                            .column = settings->baseline.column};
  if (search->of == MENTION_OF_ROLE && loaded->workspace->baseline.size &&
      wm_text_equal(loaded->workspace->baseline, search->name))
    found(search, mention);
  mention.place = "trust.user-written";
  mention.line = mention.column = 0; /* not kept */
  for (size_t i = 0; i < settings->user_written_count; i++)
    if (is_path(search, &settings->user_written[i]))
      found(search, mention);
}

static void search_all(struct search *search, const struct loaded *loaded) {
  const struct wm_workspace *workspace = loaded->workspace;
  search_itself(search, workspace);
  for (size_t i = 0; i < workspace->automation_count; i++)
    search_automation(search, &workspace->automations[i]);
  for (size_t i = 0; i < workspace->role_count; i++)
    search_role(search, &workspace->roles[i]);
  for (size_t i = 0; i < workspace->case_count; i++)
    search_case(search, &workspace->cases[i]);
  search_settings(search, loaded);
}

size_t mentions_each(const struct loaded *loaded, enum mention_of of, struct wm_text name, mention_fn *take,
                     void *taker) {
  struct search search = {.of = of, .name = name, .take = take, .taker = taker};
  search_all(&search, loaded);
  return search.count;
}

void mentions_each_path(const struct loaded *loaded, mention_path_fn *take, void *taker) {
  struct search search = {.of = MENTION_OF_CHANNEL, .name = WM_NO_TEXT, .take_path = take, .taker = taker};
  search_all(&search, loaded);
}

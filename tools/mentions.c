#include "tools/mentions.h"

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

static void search_all(struct search *search, const struct wm_workspace *workspace) {
  search_itself(search, workspace);
  for (size_t i = 0; i < workspace->automation_count; i++)
    search_automation(search, &workspace->automations[i]);
  for (size_t i = 0; i < workspace->role_count; i++)
    search_role(search, &workspace->roles[i]);
}

size_t mentions_each(const struct wm_workspace *workspace, enum mention_of of, struct wm_text name, mention_fn *take,
                     void *taker) {
  struct search search = {.of = of, .name = name, .take = take, .taker = taker};
  search_all(&search, workspace);
  return search.count;
}

void mentions_each_path(const struct wm_workspace *workspace, mention_path_fn *take, void *taker) {
  struct search search = {.of = MENTION_OF_CHANNEL, .name = WM_NO_TEXT, .take_path = take, .taker = taker};
  search_all(&search, workspace);
}

/* notify: requests a notification. Nothing is sent here: the request is committed, the notifier delivers. */
#include "core/run.h"

/* Who a notification is for; WM_NO_TEXT where it is not known. */
struct recipient {
  struct wm_text user, address;
};

static int find_recipient(struct wm_run *run, const struct wm_task *task, struct recipient *ret,
                          struct wm_outcome *outcome) {
  if (!task->to.bytes || wm_text_is(task->to, "user")) {
    *ret = (struct recipient){run->event->user, wm_value_text(wm_user_field(run->user, WM_TEXT("email")))};
    return 0;
  }
  if (!wm_text_is(task->to, "manager")) {
    *ret = (struct recipient){WM_NO_TEXT, task->to};
    return 0;
  }
  *ret = (struct recipient){wm_user_manager(run->user), WM_NO_TEXT};
  if (ret->user.bytes)
    return 0;
  return wm_run_fail(run, outcome, WM_E_RECIPIENT_UNKNOWN, "user '%.*s' has no manager that is known",
                     WM_TEXT_ARG(run->event->user));
}

static bool template_reads_roles(const struct wm_template *template) {
  for (size_t i = 0; i < template->count; i++)
    if (!template->parts[i].literal.bytes && template->parts[i].path.root == WM_PATH_USER_ROLES)
      return true;
  return false;
}

/* What the templates may look at: the state after the tasks so far. */
static int open_scope(struct wm_run *run, const struct wm_task *task, struct wm_scope *ret) {
  *ret = (struct wm_scope){.event = run->event, .user = run->user, .now_us = run->event->now_us};
  if (!template_reads_roles(&task->title) && !template_reads_roles(&task->message))
    return 0;
  struct wm_role_set roles;
  if (wm_run_project(run, &roles) < 0)
    return -1;
  ret->roles = wm_role_set_value(&roles, run->arena);
  return ret->roles ? 0 : wm_error_memory(run->error);
}

static int render(struct wm_run *run, const struct wm_template *template, const struct wm_scope *scope,
                  struct wm_text *ret, struct wm_outcome *outcome) {
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_error error = {0};
  int result = 0;
  if (wm_template_render(template, scope, &buf, &error) < 0)
    result = error.code == WM_E_TEMPLATE_FAILED ? wm_run_fail(run, outcome, WM_E_TEMPLATE_FAILED, "%s", error.text)
                                                : wm_error_memory(run->error);
  else if (buf.failed || wm_arena_text(run->arena, (struct wm_text){buf.bytes ? buf.bytes : "", buf.size}, ret) < 0)
    result = wm_error_memory(run->error);
  wm_buf_release(&buf);
  return result;
}

/* Title and message; a failure is in the outcome. */
static int render_both(struct wm_run *run, const struct wm_task *task, struct wm_notification *notification,
                       struct wm_outcome *outcome) {
  struct wm_scope scope;
  if (open_scope(run, task, &scope) < 0 || render(run, &task->title, &scope, &notification->title, outcome) < 0)
    return -1;
  if (outcome->code != WM_OK)
    return 0;
  return render(run, &task->message, &scope, &notification->message, outcome);
}

/* WM_OK, or why nothing is sent although it could be. */
static enum wm_code suppression(const struct wm_run *run) {
  const struct wm_event *event = run->event;
  if (!event->notify)
    return WM_E_REPLAY;
  int64_t age_us;
  bool old = __builtin_sub_overflow(event->now_us, event->time_us, &age_us) ? event->now_us > event->time_us
                                                                            : age_us > run->terms->notify_age_us;
  return run->terms->notify_age_us > 0 && old ? WM_E_TOO_OLD : WM_OK;
}

/* Checks in the order of contract 6. */
static int check(struct wm_run *run, const struct wm_task *task, struct recipient *ret, struct wm_outcome *outcome) {
  if (!run->user)
    return wm_run_fail(run, outcome, WM_E_USER_MISSING, "the event names no user");
  if (wm_workspace_channel(run->workspace, task->channel))
    return find_recipient(run, task, ret, outcome);
  if (task->near.bytes)
    return wm_run_fail(run, outcome, WM_E_CHANNEL_UNKNOWN, "channel '%.*s' is not known, did you mean '%.*s'",
                       WM_TEXT_ARG(task->channel), WM_TEXT_ARG(task->near));
  return wm_run_fail(run, outcome, WM_E_CHANNEL_UNKNOWN, "channel '%.*s' is not known", WM_TEXT_ARG(task->channel));
}

static int run_notify(struct wm_run *run, const struct wm_task *task, struct wm_outcome *outcome) {
  struct recipient recipient = {WM_NO_TEXT, WM_NO_TEXT};
  struct wm_notification notification = {.automation = run->automation, .task = task};
  if (check(run, task, &recipient, outcome) < 0)
    return -1;
  if (outcome->code != WM_OK)
    return 0;
  if (render_both(run, task, &notification, outcome) < 0)
    return -1;
  if (outcome->code != WM_OK)
    return 0;
  outcome->code = suppression(run);
  outcome->result = outcome->code == WM_OK ? WM_RESULT_REQUESTED : WM_RESULT_SUPPRESSED;
  if (outcome->code != WM_OK)
    return 0;
  /* the working copy may be gone before the record is written */
  if (wm_arena_text(run->arena, recipient.user, &notification.recipient) < 0 ||
      wm_arena_text(run->arena, recipient.address, &notification.address) < 0)
    return wm_error_memory(run->error);
  return wm_run_notify(run, &notification);
}

static void check_notify(const struct wm_workspace *workspace, const struct wm_automation *automation,
                         const struct wm_task *task, struct wm_findings *findings) {
  if (wm_workspace_channel(workspace, task->channel))
    return;
  if (task->near.bytes)
    wm_findings_add(findings, WM_ERROR, WM_E_CHANNEL_UNKNOWN, automation->file, task->name_line, task->name_column,
                    "channel '%.*s' is not known, did you mean '%.*s'", WM_TEXT_ARG(task->channel),
                    WM_TEXT_ARG(task->near));
  else
    wm_findings_add(findings, WM_ERROR, WM_E_CHANNEL_UNKNOWN, automation->file, task->name_line, task->name_column,
                    "channel '%.*s' is not known", WM_TEXT_ARG(task->channel));
}

static const struct wm_field fields[] = {
    {"channel", WM_FIELD_CHANNEL, true, offsetof(struct wm_task, channel), "the channel to send through"},
    {"to", WM_FIELD_TEXT, false, offsetof(struct wm_task, to), "'user' (default), 'manager' or an address"},
    {"title", WM_FIELD_TEMPLATE, false, offsetof(struct wm_task, title), "a short text; placeholders are filled in"},
    {"message", WM_FIELD_TEMPLATE, true, offsetof(struct wm_task, message), "the text; placeholders are filled in"},
    {0},
};

const struct wm_task_type wm_notify = {
    .name = "notify",
    .fields = fields,
    .check = check_notify,
    .run = run_notify,
};

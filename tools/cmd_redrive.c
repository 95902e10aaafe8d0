/* waymark redrive: failed tasks run once more, each alone, where their users are at home. */
#include <stdlib.h>
#include <sys/random.h>

#include "core/moment.h"
#include "tools/failures/redrive.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/requests/request_command.h"
#include "worker/clock.h"

#define TIMEOUT_US (30 * WM_SECOND_US)

/* A name that was never used: the moment, and some chance. */
static int name_run(struct redrive *redrive) {
  char moment[WM_MOMENT_SIZE], digits[16] = "";
  unsigned char chance[3];
  size_t count = 0;
  if (getrandom(chance, sizeof chance, 0) != (ssize_t)sizeof chance)
    return say(EXIT_BUG, "no random numbers");
  wm_moment_format(system_clock.wall_us(system_clock.self), moment);
  for (size_t i = 0; i < 19; i++)
    if (moment[i] >= '0' && moment[i] <= '9')
      digits[count++] = moment[i];
  snprintf(redrive->run, sizeof redrive->run, REDRIVE_PREFIX "%s-%02x%02x%02x", digits, chance[0], chance[1],
           chance[2]);
  return EXIT_FINE;
}

static bool check_edit(const struct options *options, const char *const *others, size_t count) {
  bool fine = !options_argument(options, 0);
  for (size_t i = 0; i < count; i++)
    fine = fine && !options_has(options, others[i]);
  return fine;
}

/* An id that is empty names nothing, and must not be taken for all: it comes of a variable of a script. */
static bool names_nothing(const struct options *options) {
  const char *list = options_value(options, "id");
  size_t size = list ? strlen(list) : 1;
  bool nothing = size == 0 || (list && (list[0] == ',' || list[size - 1] == ',' || strstr(list, ",,")));
  for (size_t i = 0; i < options->argument_count; i++)
    nothing = nothing || (options->arguments[i] && !options->arguments[i][0]);
  return nothing;
}

static int check_selection(const struct options *options) {
  static const char *const selectors[] = {"id", "code", "automation", "role", "user", "since"};
  static const char *const of_tasks[] = {"until", "again", "notify", "dry-run", "timeout", "no-wait"};
  if (options_has(options, "edit"))
    return check_edit(options, selectors, sizeof selectors / sizeof *selectors) &&
                   check_edit(options, of_tasks, sizeof of_tasks / sizeof *of_tasks)
               ? EXIT_FINE
               : say(EXIT_USAGE, "--edit takes one rejected event: only --reason, --by, --yes and --json go with it");
  if (names_nothing(options))
    return say(EXIT_USAGE, "one of the failures that are named is empty: 'waymark failures' lists them with their ids");
  for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++)
    if (options_has(options, selectors[i]))
      return EXIT_FINE;
  if (options_argument(options, 0))
    return EXIT_FINE;
  return say(EXIT_USAGE,
             "which failures? Name them (ID...), or select by --code, --automation, --role, --user, --since");
}

static int read_reason(struct redrive *redrive) {
  const struct options *options = redrive->options;
  redrive->reason = options_value(options, "reason");
  if (!redrive->reason && !options_has(options, "dry-run"))
    return say(EXIT_USAGE, "--reason is missing: say why, it goes along with what is sent");
  struct wm_text text = wm_text_of(redrive->reason ? redrive->reason : "-");
  if (text.size > REQUEST_REASON_LIMIT || !wm_text_is_utf8(text, NULL) || line_is_blank(text))
    return say(EXIT_USAGE, "--reason must be text that says something, of at most %d bytes", REQUEST_REASON_LIMIT);
  return EXIT_FINE;
}

static int read_options(struct redrive *redrive) {
  const struct options *options = redrive->options;
  const char *timeout = options_value(options, "timeout");
  int exit_code = check_selection(options);
  if (exit_code == EXIT_FINE)
    exit_code = read_reason(redrive);
  if (exit_code == EXIT_FINE)
    exit_code = asker_read(options, redrive->by);
  redrive->timeout_us = TIMEOUT_US;
  if (exit_code == EXIT_FINE && timeout && !wm_duration_parse(wm_text_of(timeout), &redrive->timeout_us))
    exit_code = say(EXIT_USAGE, "--timeout '%s' is no duration: a number and s, m, h, d or w (90s)", timeout);
  return exit_code == EXIT_FINE ? name_run(redrive) : exit_code;
}

static int ask(const struct redrive *redrive) {
  struct wm_buf question = WM_BUF_INIT;
  wm_buf_add_string(&question, "Run ");
  show_count(&question, redrive->ready, "failed task");
  wm_buf_printf(&question, " again, as '%s', %s notifications?", redrive->run, redrive->notify ? "with" : "without");
  bool yes = options_has(redrive->options, "yes") || say_ask(question.bytes ? question.bytes : "Go on?");
  wm_buf_release(&question);
  return yes ? EXIT_FINE : say(EXIT_BAD_NEWS, "nothing was sent");
}

static int carry_out(struct redrive *redrive) {
  bool wait = !options_has(redrive->options, "no-wait");
  int exit_code = ask(redrive);
  if (exit_code == EXIT_FINE)
    exit_code = redrive_send(redrive);
  if (exit_code == EXIT_FINE && wait)
    exit_code = redrive_wait(redrive);
  return exit_code == EXIT_FINE ? redrive_tell(redrive, wait) : exit_code;
}

static int work(struct redrive *redrive, const struct invocation *invocation) {
  bool dry = options_has(redrive->options, "dry-run");
  int exit_code = read_options(redrive);
  if (exit_code == EXIT_FINE)
    exit_code = workspace_open_settings(invocation, &redrive->loaded);
  if (exit_code == EXIT_FINE && options_has(redrive->options, "edit"))
    return redrive_edit(redrive);
  if (exit_code == EXIT_FINE)
    exit_code = redrive_select(redrive);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (dry || !redrive->json || redrive->ready == 0)
    redrive_tell_plan(redrive);
  if (redrive->ready == 0)
    return say(EXIT_BAD_NEWS, "nothing is left to run again");
  return dry ? EXIT_FINE : carry_out(redrive);
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct redrive redrive = {.options = options,
                            .notify = options_has(options, "notify"),
                            .again = options_has(options, "again"),
                            .json = options_has(options, "json")};
  wm_arena_init(&redrive.arena, 0);
  int exit_code = work(&redrive, invocation);
  client_close(redrive.client);
  free(redrive.items);
  free(redrive.outcome_ends);
  free(redrive.failure_ends);
  free(redrive.replay_ends);
  wm_arena_release(&redrive.arena);
  files_unload(&redrive.loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"id", 0, "ID[,ID...]", "these failures; they may stand as arguments too"},
    OPTION_CODE,
    OPTION_AUTOMATION,
    {"role", 0, "ROLE", "only those of tasks for this role"},
    OPTION_USER,
    OPTION_FAILED_SINCE,
    OPTION_FAILED_UNTIL,
    {"again", 0, NULL, "those too that were redriven before"},
    {"notify", 0, NULL, "with notifications (else they are suppressed)"},
    {"dry-run", 0, NULL, "only the plan; nothing is sent"},
    {"edit", 0, "ID", "mend this rejected event in $VISUAL or $EDITOR, and send it as a new one"},
    OPTION_REASON,
    OPTION_BY,
    OPTION_YES,
    OPTION_TIMEOUT,
    OPTION_NO_WAIT,
    OPTION_JSON,
    {0},
};

const struct command command_redrive = {
    .name = "redrive",
    .arguments = "[ID...]",
    .summary = "run failed tasks again, just these, once their cause is gone",
    .options = options,
    .help =
        "Selects failed tasks from topics.failures (by id, or by the options), shows the plan, asks, and sends a copy\n"
        "of each event to topics.replay that is for that one task. The worker at the user's home decides it by the\n"
        "rules and roles of now and with the clock that it always had, so a newer decision stands. Trigger and 'when'\n"
        "are asked again, 'repeat' is not. Then waits for what comes of it.\n"
        "A failure that was redriven before is left out unless --again; the record on topics.replay is what tells, as\n"
        "long as retention keeps it. Notifications are suppressed unless --notify.\n"
        "--edit opens what a rejected event's dead letter holds in your editor, checks what comes out as the worker\n"
        "would, and sends it to the topic that it came to, with the attribute 'wmcorrects' naming the old record.\n"
        "Exit 1 when a task failed again or did not run, or when nothing is left to do; 3 when Kafka can't be reached\n"
        "or no worker decides in time.\n\n"
        "  waymark redrive --code ROLE_INACTIVE --since 2h --dry-run\n"
        "  waymark redrive --code ROLE_INACTIVE --since 2h --reason 'the role is active again'",
    .run = run,
};

/* waymark delegate: a holder hands a role on; two workers decide, the giver's and the receiver's. [001] */
#include <stdio.h>

#include "tools/lib/say.h"
#include "tools/requests/request_command.h"

static int delegate(struct asking *asking) {
  const struct options *options = &asking->invocation->options;
  struct wm_text giver = wm_text_of(options_argument(options, 0)), role = wm_text_of(options_argument(options, 1));
  struct wm_text to = wm_text_of(options_value(options, "to"));
  char question[512];
  if (!to.bytes)
    return say(EXIT_USAGE, "--to is missing: who is to hold the role too?");
  int exit_code = asking_check_user("", giver);
  if (exit_code == EXIT_FINE)
    exit_code = asking_check_user("--to ", to);
  if (exit_code == EXIT_FINE)
    exit_code = asking_need_reason(asking);
  if (exit_code == EXIT_FINE)
    exit_code = asking_check_role(asking, "", role);
  if (exit_code != EXIT_FINE)
    return exit_code;
  asking->terms.role = role;
  asking->terms.to = to;
  asking->terms.by = WM_NO_TEXT; /* the giver asks */
  if (requests_add(&asking->requests, giver, &asking->terms) < 0)
    return say_memory();
  snprintf(question, sizeof question, "Hand '%.*s' on from '%.*s' to '%.*s'?", WM_TEXT_ARG(role), WM_TEXT_ARG(giver),
           WM_TEXT_ARG(to));
  return asking_run(asking, question);
}

static int run(const struct invocation *invocation) {
  struct asking asking;
  int exit_code = asking_open(&asking, invocation, REQUEST_DELEGATE);
  if (exit_code == EXIT_FINE)
    exit_code = delegate(&asking);
  asking_close(&asking);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"to", 0, "USER", "who is to hold the role too"},
    OPTION_UNTIL,
    OPTION_REASON,
    OPTION_TIMEOUT,
    OPTION_NO_WAIT,
    OPTION_YES,
    OPTION_JSON,
    {0},
};

const struct command command_delegate = {
    .name = "delegate",
    .arguments = "GIVER ROLE",
    .summary = "hand a role on from a holder to another user, and wait for what comes of it",
    .options = options,
    .help = "Sends the holder's request (role.delegation.requested) to his home. The worker there looks whether he\n"
            "holds the role and may hand it on: the role says 'delegation: holders', or he was granted it with\n"
            "--delegation. Then it sends the approved request to the receiver's home, where the checks of every\n"
            "assignment are made; it ends no later than the giver's right to hand on. Waits for both: exit 1 with\n"
            "the code when either says no, 3 when Kafka is away or no worker answers in time.\n"
            "\n"
            "  waymark delegate user-2 certified-partner --to user-7 --until 14d --reason 'covers for me'",
    .run = run,
};

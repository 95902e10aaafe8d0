#include "tools/requests/request_command.h"

#include "core/moment.h"
#include "tools/lib/say.h"
#include "tools/requests/asker.h"
#include "tools/requests/request_tell.h"

#define TIMEOUT_US (30 * WM_SECOND_US)

static const char *const words[] = {[REQUEST_ADD] = "granted",
                                    [REQUEST_REMOVE] = "revoked",
                                    [REQUEST_DELEGATE] = "delegated",
                                    [REQUEST_WITHDRAW] = "taken back"};

/* --- options --- */

bool asking_until(const struct asking *asking, struct wm_text text, int64_t *ret_us) {
  int64_t now_us = asking->requests.time_us, duration_us;
  if (wm_duration_parse(text, &duration_us))
    *ret_us = now_us + duration_us;
  else if (!wm_moment_parse(text, ret_us))
    return false;
  return *ret_us > now_us;
}

static int read_until(struct asking *asking, const char *until) {
  asking->terms.until_us = WM_NEVER;
  if (until && !asking_until(asking, wm_text_of(until), &asking->terms.until_us))
    return say(EXIT_USAGE, "--until '%s' must be a time ahead (2027-01-31T00:00:00Z) or a duration from now (30d)",
               until);
  return EXIT_FINE;
}

static int read_reason(struct asking *asking, const char *reason) {
  struct wm_text text = wm_text_of(reason);
  asking->terms.reason = text;
  if (reason && (text.size > REQUEST_REASON_LIMIT || !wm_text_is_utf8(text, NULL) || line_is_blank(text)))
    return say(EXIT_USAGE, "--reason must be text that says something, of at most %d bytes", REQUEST_REASON_LIMIT);
  return EXIT_FINE;
}

static int read_waiting(struct asking *asking, const char *timeout, bool no_wait) {
  asking->waiting =
      (struct request_waiting){.timeout_us = TIMEOUT_US, .wait = !no_wait, .what = words[asking->terms.kind]};
  if (timeout && !wm_duration_parse(wm_text_of(timeout), &asking->waiting.timeout_us))
    return say(EXIT_USAGE, "--timeout '%s' is no duration: a number and s, m, h, d or w (90s)", timeout);
  return EXIT_FINE;
}

int asking_open(struct asking *asking, const struct invocation *invocation, enum request_kind kind) {
  const struct options *options = &invocation->options;
  *asking = (struct asking){.invocation = invocation, .terms.kind = kind};
  requests_init(&asking->requests, &asking->loaded.settings);
  int exit_code = read_until(asking, options_value(options, "until"));
  if (exit_code == EXIT_FINE)
    exit_code = asker_read(options, asking->by);
  asking->terms.by = wm_text_of(asking->by);
  if (exit_code == EXIT_FINE)
    exit_code = read_reason(asking, options_value(options, "reason"));
  if (exit_code == EXIT_FINE)
    exit_code = read_waiting(asking, options_value(options, "timeout"), options_has(options, "no-wait"));
  if (exit_code == EXIT_FINE)
    exit_code = workspace_open_settings(invocation, &asking->loaded);
  if (exit_code == EXIT_FINE && !asking->loaded.workspace)
    say(0, "the workspace has invalid documents ('waymark lint' tells them): only the worker checks the roles");
  return exit_code;
}

void asking_close(struct asking *asking) {
  requests_release(&asking->requests);
  files_unload(&asking->loaded);
}

/* --- checks --- */

int asking_need_reason(const struct asking *asking) {
  if (asking->terms.reason.bytes)
    return EXIT_FINE;
  return say(EXIT_USAGE, "--reason is missing: say why, it is kept with the assignment");
}

int asking_check_user(const char *place, struct wm_text user) {
  if (wm_text_is_user_id(user))
    return EXIT_FINE;
  return say(EXIT_USAGE, "%s'%.*s' is no user id: 1 to 256 bytes of text without control characters", place,
             WM_TEXT_ARG(wm_text_shown(user)));
}

int asking_check_role(const struct asking *asking, const char *place, struct wm_text role) {
  const struct wm_workspace *workspace = asking->loaded.workspace;
  if (!wm_text_is_name(role))
    return say(EXIT_USAGE, "%s'%.*s' is no name of a role: small letters, digits and '-'", place,
               WM_TEXT_ARG(wm_text_shown(role)));
  if (!workspace || wm_workspace_role(workspace, role))
    return EXIT_FINE;
  struct wm_text near = wm_workspace_near_role(workspace, role);
  return say(EXIT_BAD_NEWS, "%srole '%.*s' is not in the catalogue%s%.*s%s [ROLE_UNKNOWN]", place, WM_TEXT_ARG(role),
             near.bytes ? " (did you mean '" : "", WM_TEXT_ARG(near), near.bytes ? "'?)" : "");
}

/* --- the run --- */

int asking_run(struct asking *asking, const char *question) {
  const struct options *options = &asking->invocation->options;
  struct request_teller teller;
  if (!options_has(options, "yes") && !say_ask(question))
    return say(EXIT_BAD_NEWS, "nothing was sent");
  request_teller_init(&teller, &asking->requests, options_has(options, "json"));
  int exit_code = requests_run(&asking->requests, &asking->waiting, request_tell, &teller);
  request_tell_rest(&teller, asking->waiting.wait);
  if (exit_code == EXIT_FINE && teller.one && !teller.json && !asking->waiting.wait)
    puts("sent: the request is in the log and will be decided");
  if (exit_code == EXIT_FINE)
    exit_code = request_teller_exit_code(&teller);
  if (asking->requests.sent > 0)
    request_tell_summary(&teller);
  request_teller_release(&teller);
  return exit_code;
}

#include "tools/requests/request_assign.h"

#include "tools/lib/say.h"
#include "tools/requests/request_bulk.h"
#include "tools/requests/request_file.h"
#include "tools/roles/roles_control.h"

/* "Grant 'certified-partner' to user-7?" */
static void ask_for_one(const struct asking *asking, char *question, size_t size) {
  const struct request *request = &asking->requests.items[0];
  bool adds = asking->terms.kind == REQUEST_ADD;
  snprintf(question, size, "%s '%.*s' %s '%.*s'?", adds ? "Grant" : "Revoke", WM_TEXT_ARG(request->terms->role),
           adds ? "to" : "from", WM_TEXT_ARG(request->user));
}

static int run_requests(struct asking *asking) {
  char question[512];
  if (asking->requests.count == 1)
    ask_for_one(asking, question, sizeof question);
  else
    snprintf(question, sizeof question, "Send %zu requests to %s?", asking->requests.count,
             asking->loaded.settings.kafka.bootstrap);
  return asking_run(asking, question);
}

static bool is_dry_run(const struct asking *asking) {
  return options_has(&asking->invocation->options, "dry-run");
}

static int assign_one(struct asking *asking, const char *user) {
  int exit_code = asking_check_user("", wm_text_of(user));
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (requests_add(&asking->requests, wm_text_of(user), &asking->terms) < 0)
    return say_memory();
  if (!is_dry_run(asking))
    return run_requests(asking);
  struct wm_buf event = WM_BUF_INIT;
  request_to_json(&asking->requests, 0, &event);
  puts(event.bytes ? event.bytes : "");
  wm_buf_release(&event);
  return EXIT_FINE;
}

/* A role that was archived at run time can be given to nobody: not one request is worth sending. */
static int check_archived(struct asking *asking, const struct wm_role *role) {
  struct wm_running running;
  int exit_code = roles_control_read(&asking->loaded.settings, &running);
  if (exit_code == EXIT_FINE && wm_running_status(&running, role->name, role->status) == WM_ROLE_ARCHIVED)
    exit_code = say(EXIT_BAD_NEWS, "role '%.*s' is archived ('waymark roles unarchive' brings it back) [ROLE_ARCHIVED]",
                    WM_TEXT_ARG(role->name));
  wm_running_release(&running);
  return exit_code;
}

static int assign_bulk(struct asking *asking, struct request_bulk *bulk) {
  bool json = options_has(&asking->invocation->options, "json");
  int exit_code = request_bulk_collect(bulk, asking);
  if (exit_code == EXIT_FINE && asking->terms.kind == REQUEST_ADD)
    exit_code = check_archived(asking, bulk->role);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (!json || is_dry_run(asking))
    request_bulk_preview(bulk, asking, json);
  return is_dry_run(asking) || asking->requests.count == 0 ? EXIT_FINE : run_requests(asking);
}

static int assign_file(struct asking *asking, const char *path, const char *role) {
  int exit_code = request_file_read(asking, path, wm_text_of(role));
  if (exit_code != EXIT_FINE || !is_dry_run(asking))
    return exit_code == EXIT_FINE ? run_requests(asking) : exit_code;
  printf("%zu request%s to send\n", asking->requests.count, asking->requests.count == 1 ? "" : "s");
  return EXIT_FINE;
}

/* One argument alone is the role. */
static int assign(struct asking *asking) {
  const struct options *options = &asking->invocation->options;
  const char *file = options_value(options, "file"), *second = options_argument(options, 1);
  const char *user = second ? options_argument(options, 0) : NULL;
  const char *role = second ? second : options_argument(options, 0);
  struct request_bulk bulk;
  bool any;
  int exit_code = request_bulk_criterion(options, user, &bulk, &any);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (file && (user || any))
    return say(EXIT_USAGE, "--file says who: leave USER and the criterion out");
  if (!file && !role)
    return say(EXIT_USAGE, "USER ROLE is missing, or --file, or ROLE with a criterion (--all, --group ...)");
  if (!file && !user && !any)
    return say(EXIT_USAGE, "is '%s' a user or a role? Give USER ROLE, or ROLE with a criterion (--all, --group ...)",
               role);
  exit_code = file ? EXIT_FINE : asking_need_reason(asking);
  if (exit_code == EXIT_FINE && role)
    exit_code = asking_check_role(asking, "", wm_text_of(role));
  if (exit_code != EXIT_FINE)
    return exit_code;
  asking->terms.role = wm_text_of(role);
  if (file)
    return assign_file(asking, file, role);
  return any ? assign_bulk(asking, &bulk) : assign_one(asking, user);
}

int request_assign(const struct invocation *invocation, enum request_kind kind) {
  struct asking asking;
  int exit_code = asking_open(&asking, invocation, kind);
  if (exit_code == EXIT_FINE) {
    asking.terms.delegation = options_has(&invocation->options, "delegation");
    exit_code = assign(&asking);
  }
  asking_close(&asking);
  return exit_code;
}

#include "tools/requests/request_bulk.h"

#include <signal.h>
#include <stdlib.h>

#include "core/codec/register.h"
#include "core/derive.h"
#include "core/project.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/lib/table.h"
#include "worker/registers.h"

#define USERS_SHOWN 20

/* --- the criterion --- */

static int check_modifiers(const struct options *options, const char *user) {
  bool unit = options_has(options, "org-unit");
  if (options_has(options, "org-unit-type") && !unit)
    return say(EXIT_USAGE, "--org-unit-type goes with --org-unit");
  if (options_has(options, "include-subordinates") && !unit && !user)
    return say(EXIT_USAGE, "--include-subordinates goes with --org-unit or with USER");
  return EXIT_FINE;
}

int request_bulk_criterion(const struct options *options, const char *user, struct request_bulk *ret, bool *ret_any) {
  static const struct {
    const char *option;
    enum wm_criterion_kind kind;
  } kinds[] = {{"all", WM_CRITERION_ALL},
               {"org-unit", WM_CRITERION_ORG_UNIT},
               {"group", WM_CRITERION_GROUP},
               {"reports-of", WM_CRITERION_USER}};
  bool below = options_has(options, "include-subordinates");
  size_t count = 0;
  *ret = (struct request_bulk){0};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    const char *value = options_value(options, kinds[i].option);
    if (!value)
      continue;
    count++;
    ret->criterion = (struct wm_criterion){.kind = kinds[i].kind, .name = wm_text_of(value)};
    ret->without_himself = kinds[i].kind == WM_CRITERION_USER;
    ret->criterion.include_subordinates = below || ret->without_himself;
    ret->criterion.org_unit_type = wm_text_of(options_value(options, "org-unit-type"));
  }
  if (user && below)
    ret->criterion =
        (struct wm_criterion){.kind = WM_CRITERION_USER, .name = wm_text_of(user), .include_subordinates = true};
  *ret_any = count > 0 || (user && below);
  if (count > 1 || (count > 0 && user))
    return say(EXIT_USAGE, "USER, --all, --org-unit, --group and --reports-of: one of them, not several");
  return check_modifiers(options, user);
}

/* --- the users --- */

struct collecting {
  struct request_bulk *bulk;
  struct asking *asking;
  const struct request_terms *terms;
  int exit_code;
};

static bool is_taken(const struct request_bulk *bulk, const struct wm_user *user, int64_t now_us) {
  struct wm_facts facts;
  if (!wm_facts_read(user, &facts))
    facts = (struct wm_facts){.user = user}; /* no profile: still a user */
  return wm_criterion_holds(&bulk->criterion, &facts, now_us) &&
         !(bulk->without_himself && wm_text_equal(user->id, bulk->criterion.name));
}

static bool is_in_set(const struct cache_user *user, struct wm_text role) {
  for (size_t i = 0; i < user->role_count; i++)
    if (wm_text_equal(user->roles[i], role))
      return true;
  return false;
}

/* Would a request do something for him? What would not is counted. */
static bool is_worth_it(struct request_bulk *bulk, const struct asking *asking, const struct wm_user *user,
                        bool in_force) {
  if (asking->terms.kind == REQUEST_REMOVE) {
    bool assigned = wm_user_is_assigned(user, bulk->role->name, asking->requests.time_us);
    bulk->derived += in_force && !assigned;
    return assigned;
  }
  enum wm_code code = wm_role_fits(bulk->role, user);
  bulk->left_out[code] += code != WM_OK;
  return code == WM_OK;
}

static int take_user(struct collecting *collecting, const struct cache_user *entry, const struct wm_user *user) {
  struct request_bulk *bulk = collecting->bulk;
  struct asking *asking = collecting->asking;
  if (!is_taken(bulk, user, asking->requests.time_us))
    return 0;
  bool in_force = is_in_set(entry, bulk->role->name);
  bulk->matched++;
  bulk->holding += in_force;
  if (!is_worth_it(bulk, asking, user, in_force))
    return 0;
  return requests_add(&asking->requests, entry->id, collecting->terms);
}

static int take(void *taker, const struct registers_entry *entry) {
  struct collecting *collecting = taker;
  struct wm_error error = {0};
  struct wm_user *user = entry->fault ? NULL : wm_register_decode(entry->user.json, &error);
  if (!user) {
    collecting->bulk->faults++;
    if (error.code != WM_E_OUT_OF_MEMORY)
      return 0;
    collecting->exit_code = say_memory();
    return 1;
  }
  collecting->bulk->looked++;
  if (take_user(collecting, &entry->user, user) < 0)
    collecting->exit_code = say_memory();
  wm_user_free(user);
  return collecting->exit_code == EXIT_FINE ? 0 : 1;
}

static int by_user(const void *a, const void *b) {
  return wm_text_compare(((const struct request *)a)->user, ((const struct request *)b)->user);
}

/* What the worker would refuse for everybody is refused here. */
static int check_role(struct request_bulk *bulk, struct asking *asking, struct wm_text name) {
  const struct wm_workspace *workspace = asking->loaded.workspace;
  if (!workspace) {
    files_print_findings(&asking->loaded.findings);
    return say(EXIT_BAD_NEWS, "many users at once need a workspace without invalid documents");
  }
  bulk->role = wm_workspace_role(workspace, name);
  if (bulk->role->kind != WM_ROLE_PORTAL || bulk->role->managed)
    return say(EXIT_BAD_NEWS, "role '%.*s' is %s and never assigned [ROLE_PROTECTED]", WM_TEXT_ARG(name),
               bulk->role->managed ? "managed" : "of a protected kind");
  return EXIT_FINE;
}

int request_bulk_collect(struct request_bulk *bulk, struct asking *asking) {
  struct collecting collecting = {.bulk = bulk, .asking = asking, .exit_code = EXIT_FINE};
  struct wm_error error = {0};
  int exit_code = check_role(bulk, asking, asking->terms.role);
  if (exit_code != EXIT_FINE)
    return exit_code;
  collecting.terms = requests_keep(&asking->requests, &asking->terms);
  if (!collecting.terms)
    return say_memory();
  signal(SIGPIPE, SIG_IGN);
  struct registers *registers = registers_open(&asking->loaded.settings, &error);
  if (!registers)
    return say_error(EXIT_OUTSIDE, &error);
  if (registers_each(registers, take, &collecting, &error) < 0)
    collecting.exit_code = say_error(EXIT_OUTSIDE, &error);
  registers_close(registers);
  if (bulk->faults > 0)
    say(EXIT_FINE, "%zu keys in Redis hold no user and were left out", bulk->faults);
  if (asking->requests.count > 1)
    qsort(asking->requests.items, asking->requests.count, sizeof *asking->requests.items, by_user);
  return collecting.exit_code;
}

/* --- the preview --- */

static void preview_json(const struct request_bulk *bulk, const struct asking *asking) {
  const struct requests *requests = &asking->requests;
  struct wm_buf line = WM_BUF_INIT;
  wm_buf_add_string(&line, "{\"role\":");
  wm_buf_add_json(&line, bulk->role->name);
  wm_buf_printf(&line, ",\"users\":%zu,\"matched\":%zu,\"holding\":%zu,\"derived\":%zu,\"requests\":%zu,\"left-out\":{",
                bulk->looked, bulk->matched, bulk->holding, bulk->derived, requests->count);
  const char *between = "";
  for (size_t code = 0; code < WM_CODE_COUNT; code++) {
    if (bulk->left_out[code] == 0)
      continue;
    wm_buf_printf(&line, "%s\"%s\":%zu", between, wm_code_name((enum wm_code)code), bulk->left_out[code]);
    between = ",";
  }
  wm_buf_add_string(&line, "},\"first\":[");
  for (size_t i = 0; i < requests->count && i < USERS_SHOWN; i++) {
    wm_buf_add_string(&line, i ? "," : "");
    wm_buf_add_json(&line, requests->items[i].user);
  }
  wm_buf_add_string(&line, "]}");
  if (!line.failed)
    puts(line.bytes);
  wm_buf_release(&line);
}

static void preview_left_out(const struct request_bulk *bulk) {
  for (size_t code = 0; code < WM_CODE_COUNT; code++)
    if (bulk->left_out[code] > 0)
      printf("  %zu may not hold it and are left out [%s]\n", bulk->left_out[code], wm_code_name((enum wm_code)code));
  if (bulk->derived > 0)
    printf("  %zu hold it by a criterion of the role alone, which a revocation does not take\n", bulk->derived);
}

void request_bulk_preview(const struct request_bulk *bulk, const struct asking *asking, bool json) {
  const struct requests *requests = &asking->requests;
  if (json) {
    preview_json(bulk, asking);
    return;
  }
  printf("%zu of %zu users match, %zu of them with '%.*s' already\n", bulk->matched, bulk->looked, bulk->holding,
         WM_TEXT_ARG(bulk->role->name));
  preview_left_out(bulk);
  printf("%zu request%s to send%s\n", requests->count, requests->count == 1 ? "" : "s", requests->count ? ":" : "");
  for (size_t i = 0; i < requests->count && i < USERS_SHOWN; i++) {
    style_print(stdout, STYLE_PLAIN, "  %.*s", WM_TEXT_ARG(requests->items[i].user));
    putchar('\n');
  }
  if (requests->count > USERS_SHOWN)
    printf("  and %zu more\n", requests->count - USERS_SHOWN);
  fflush(stdout);
}

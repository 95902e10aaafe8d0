/* waymark undo apply: a withdrawal for each grant of the plan that is still there as the plan knows it.
 *
 * Nothing needs to be remembered between two calls: what was taken back before shows in the registers, and a withdrawal
 * that is sent once more takes nothing that is newer than the grant it was planned for. */
#include <signal.h>
#include <stdlib.h>

#include "core/codec/register.h"
#include "tools/lib/rate.h"
#include "tools/lib/say.h"
#include "tools/lib/ways.h"
#include "tools/requests/request_command.h"
#include "tools/roles/roles_control.h"
#include "tools/undo/undo.h"
#include "worker/clock.h"
#include "worker/registers.h"

#define CHANGED_SHOWN 20
#define RATE 1000 /* withdrawals a second, when nobody says otherwise */

struct applying {
  struct asking asking;
  struct undo_plan plan;
  struct wm_text source;
  int64_t now_us;
  size_t user;                  /* first grant of the user who is looked at */
  size_t gone, changed, faults; /* grants: taken, removed or ended meanwhile; not those of the plan any more */
  double rate;
  int exit_code;
};

/* --- does the plan still fit? --- */

static int check_rules(const struct applying *applying) {
  const struct wm_workspace *workspace = applying->asking.loaded.workspace;
  const struct undo_plan *plan = &applying->plan;
  if (!wm_text_equal(plan->workspace, workspace->digest))
    return say(EXIT_BAD_NEWS, "the workspace is another one than that of the plan (%.*s, now %.*s): plan again",
               WM_TEXT_ARG(plan->workspace), WM_TEXT_ARG(workspace->digest));
  if (!wm_text_equal(plan->catalogue, workspace->catalogue_digest))
    return say(EXIT_BAD_NEWS, "a role was archived or brought back since the plan was made: plan again");
  return EXIT_FINE;
}

static int check_changes(const struct applying *applying) {
  const char *given = options_value(&applying->asking.invocation->options, "max-changes");
  size_t changes = applying->plan.counts.lose + applying->plan.counts.gain, most = SIZE_MAX;
  if (rate_read_count("max-changes", given, &most) != EXIT_FINE)
    return EXIT_USAGE;
  if (changes > most)
    return say(EXIT_BAD_NEWS, "the plan counts %zu changes of effective roles, more than --max-changes", changes);
  return EXIT_FINE;
}

/* --- is each grant still what it was? --- */

static bool is_same(const struct undo_grant *planned, const struct wm_grant *grant) {
  return wm_clock_compare(&planned->clock, &grant->clock) == 0 && wm_text_equal(planned->version, grant->by.version) &&
         wm_text_equal(planned->run, grant->by.run);
}

/* A grant that is live and another one than that of the plan was given since: it is nobody's mistake of before. */
static void check_grant(struct applying *applying, struct undo_grant *planned, const struct wm_user *user) {
  const struct wm_user_role *role = user ? wm_user_role(user, planned->role) : NULL;
  const struct wm_grant *grant = user ? wm_user_grant(user, planned->role, applying->source) : NULL;
  bool live = grant && wm_grant_is_live(user, role, grant, applying->now_us);
  planned->left = !live || !is_same(planned, grant);
  applying->gone += !live;
  if (!live || !planned->left)
    return;
  if (applying->changed++ < CHANGED_SHOWN)
    say(0, "'%.*s' was given '%.*s' again since the plan was made: it stays", WM_TEXT_ARG(planned->user),
        WM_TEXT_ARG(planned->role));
}

/* Users come in the order of the plan. */
static int take_entry(void *taker, const struct registers_entry *entry) {
  struct applying *applying = taker;
  struct undo_plan *plan = &applying->plan;
  struct wm_error error = {0};
  struct wm_text id = plan->grants[applying->user].user;
  struct wm_user *user = entry->fault || !entry->user.json.bytes ? NULL : wm_register_decode(entry->user.json, &error);
  applying->faults += !user; /* no register ever goes away: Redis is being filled, or somebody was at it */
  for (; applying->user < plan->grant_count && wm_text_equal(plan->grants[applying->user].user, id); applying->user++)
    check_grant(applying, &plan->grants[applying->user], user);
  wm_user_free(user);
  if (error.code == WM_E_OUT_OF_MEMORY)
    applying->exit_code = say_memory();
  return applying->exit_code == EXIT_FINE ? 0 : 1;
}

static int ask_registers(struct applying *applying, struct registers *registers) {
  const struct undo_plan *plan = &applying->plan;
  struct wm_text users[REGISTERS_SOME];
  struct wm_error error = {0};
  int said = 0;
  for (size_t next = 0; next < plan->grant_count && said == 0;) {
    size_t count = 0;
    for (; next < plan->grant_count && count < REGISTERS_SOME; next++)
      if (next == 0 || !wm_text_equal(plan->grants[next].user, plan->grants[next - 1].user))
        users[count++] = plan->grants[next].user;
    while (next < plan->grant_count && wm_text_equal(plan->grants[next].user, plan->grants[next - 1].user))
      next++;
    said = registers_get_some(registers, users, count, take_entry, applying, &error);
  }
  return said < 0 ? say_error(EXIT_OUTSIDE, &error) : applying->exit_code;
}

static int check_grants(struct applying *applying) {
  struct wm_error error = {0};
  signal(SIGPIPE, SIG_IGN);
  struct registers *registers = registers_open(&applying->asking.loaded.settings, &error);
  int exit_code = registers ? ask_registers(applying, registers) : say_error(EXIT_BAD_NEWS, &error);
  registers_close(registers);
  if (exit_code == EXIT_FINE && applying->faults > 0)
    exit_code = say(EXIT_BAD_NEWS,
                    "%zu user%s of the plan ha%s no readable register in Redis: nothing was sent. It is being filled, "
                    "or not what the log says ('waymark status', 'waymark verify')",
                    applying->faults, applying->faults == 1 ? "" : "s", applying->faults == 1 ? "s" : "ve");
  return exit_code;
}

/* --- sending --- */

static int send(struct applying *applying) {
  struct asking *asking = &applying->asking;
  char question[400];
  asking->terms.source = applying->source;
  asking->waiting.rate = applying->rate;
  if (undo_requests(&applying->plan, &asking->terms, &asking->requests) < 0)
    return say_memory();
  size_t count = asking->requests.count;
  if (applying->gone > 0)
    say(0, "%zu of %zu assignments are gone already", applying->gone, applying->plan.grant_count);
  if (applying->changed > 0)
    say(0, "%zu of %zu were given again since and stay; plan again if they are meant too", applying->changed,
        applying->plan.grant_count);
  if (count == 0) {
    if (!options_has(&asking->invocation->options, "json"))
      puts("Nothing is left to be taken back.");
    return EXIT_FINE;
  }
  snprintf(question, sizeof question, "Take back %zu assignment%s of automation '%.*s' (planned: %zu roles lost)?",
           count, count == 1 ? "" : "s", WM_TEXT_ARG(applying->plan.filter.automation), applying->plan.counts.lose);
  fflush(stdout);
  return asking_run(asking, question);
}

static int apply(struct applying *applying) {
  struct asking *asking = &applying->asking;
  int exit_code = asking_need_reason(asking);
  if (exit_code == EXIT_FINE)
    exit_code = rate_read_limit("rate", options_value(&asking->invocation->options, "rate"), &applying->rate);
  if (exit_code == EXIT_FINE)
    exit_code = undo_plan_read(options_argument(&asking->invocation->options, WAY_FIRST), &applying->plan);
  if (exit_code == EXIT_FINE && !asking->loaded.workspace)
    exit_code = say(EXIT_BAD_NEWS, "the plan was made from a workspace without invalid documents");
  if (exit_code == EXIT_FINE)
    exit_code = roles_control_follow(&asking->loaded.settings, asking->loaded.workspace);
  if (exit_code == EXIT_FINE)
    exit_code = check_rules(applying);
  if (exit_code == EXIT_FINE)
    exit_code = check_changes(applying);
  if (exit_code == EXIT_FINE && undo_source(&applying->plan.filter, &applying->plan.arena, &applying->source) < 0)
    exit_code = say_memory();
  if (exit_code == EXIT_FINE)
    exit_code = check_grants(applying);
  if (exit_code == EXIT_FINE)
    exit_code = send(applying);
  return exit_code == EXIT_FINE && applying->changed > 0 ? EXIT_BAD_NEWS : exit_code;
}

int undo_apply_run(const struct invocation *invocation) {
  struct applying applying = {.now_us = system_clock.wall_us(system_clock.self), .rate = RATE, .exit_code = EXIT_FINE};
  undo_plan_init(&applying.plan);
  int exit_code = asking_open(&applying.asking, invocation, REQUEST_WITHDRAW);
  if (exit_code == EXIT_FINE)
    exit_code = apply(&applying);
  asking_close(&applying.asking);
  undo_plan_release(&applying.plan);
  return exit_code;
}

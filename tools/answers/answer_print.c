/* The answer of `waymark why` for people. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/answers/answer.h"
#include "tools/lib/show.h"
#include "tools/requests/criteria.h"
#include "tools/requests/giving.h"
#include "tools/rules/conditions.h"

/* --- lines --- */

static struct wm_text text_in(const struct wm_buf *buf) {
  return (struct wm_text){buf->bytes, buf->size};
}

static void head(const char *text) {
  putchar('\n');
  style_print(stdout, STYLE_BOLD, "%s", text);
  putchar('\n');
}

static void __attribute__((format(printf, 3, 4))) line(size_t indent, enum style style, const char *format, ...) {
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  int size = vasprintf(&text, format, arguments);
  va_end(arguments);
  printf("%*s", (int)indent, "");
  style_print(stdout, style, "%s", size < 0 ? "" : text);
  putchar('\n');
  free(size < 0 ? NULL : text);
}

/* "    version   3f9c2a417b60, as the workspace has it" */
static void field(const char *name, struct wm_text text) {
  if (!text.size)
    return;
  style_print(stdout, STYLE_DIM, "    %-9s ", name);
  style_print(stdout, STYLE_PLAIN, "%.*s", WM_TEXT_ARG(text));
  putchar('\n');
}

static void add_span(struct wm_buf *buf, int64_t us) {
  static const struct {
    int64_t us;
    const char *name;
  } units[] = {{86400 * WM_SECOND_US, "day"}, {3600 * WM_SECOND_US, "hour"}, {60 * WM_SECOND_US, "minute"}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (us >= units[i].us) {
      show_count(buf, (size_t)(us / units[i].us), units[i].name);
      return;
    }
  show_count(buf, (size_t)(us / WM_SECOND_US), "second");
}

static void add_event(struct wm_buf *buf, const struct wm_clock *clock) {
  wm_buf_printf(buf, "%.*s from %.*s, ", WM_TEXT_ARG(clock->id), WM_TEXT_ARG(clock->source));
  show_time(clock->time_us, buf);
}

static void add_origin(struct wm_buf *buf, const struct wm_by *by) {
  if (!by->origin.topic.bytes)
    return;
  wm_buf_printf(buf, "%.*s, partition %d, offset %lld", WM_TEXT_ARG(by->origin.topic), by->origin.partition,
                (long long)by->origin.offset);
  if (by->run.size)
    wm_buf_printf(buf, " (by the replay %.*s)", WM_TEXT_ARG(by->run));
}

/* A user id as a shell takes it for one word. */
static void add_word(struct wm_buf *buf, struct wm_text text) {
  bool plain = text.size > 0 && text.bytes[0] != '-';
  for (size_t i = 0; i < text.size; i++)
    plain = plain && (isalnum((unsigned char)text.bytes[i]) || strchr("._@-+:/", text.bytes[i]));
  if (plain) {
    wm_buf_add_text(buf, text);
    return;
  }
  wm_buf_add_char(buf, '\'');
  for (size_t i = 0; i < text.size; i++)
    if (text.bytes[i] == '\'')
      wm_buf_add_string(buf, "'\\''");
    else
      wm_buf_add_char(buf, text.bytes[i]);
  wm_buf_add_char(buf, '\'');
}

static void print_handing_on(const struct answer *answer) {
  struct wm_buf user = WM_BUF_INIT;
  add_word(&user, answer->user->id);
  line(2, STYLE_DIM, "a holder who hands it on: waymark delegate GIVER %.*s --to %.*s", WM_TEXT_ARG(answer->name),
       WM_TEXT_ARG(text_in(&user)));
  wm_buf_release(&user);
}

/* --- who and what --- */

static void print_user(const struct answer *answer) {
  const struct wm_user *user = answer->user;
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(user->id));
  struct wm_text name = wm_value_text(wm_user_field(user, WM_TEXT("name")));
  struct wm_text status = wm_value_text(wm_user_field(user, WM_TEXT("status")));
  style_print(stdout, STYLE_PLAIN, "%s%.*s", name.size ? "  " : "", WM_TEXT_ARG(name));
  if (!answer->known)
    style_print(stdout, STYLE_WARN, "  a user of whom nothing is known");
  else if (!answer->facts.user)
    style_print(stdout, STYLE_DIM, "  without a profile");
  else
    style_print(stdout, user->profile.status == WM_USER_ACTIVE ? STYLE_DIM : STYLE_WARN, "  %.*s%s%.*s",
                WM_TEXT_ARG(status), user->profile.type.size ? ", " : "", WM_TEXT_ARG(user->profile.type));
  putchar('\n');
}

static void print_role(const struct answer *answer) {
  const struct wm_role *role = answer->role;
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(answer->name));
  if (!role) {
    style_print(stdout, STYLE_WARN, "  not in the catalogue");
  } else {
    style_print(stdout, STYLE_PLAIN, "  %.*s", WM_TEXT_ARG(role->label));
    if (role->description.size)
      style_print(stdout, STYLE_DIM, "  %.*s", WM_TEXT_ARG(role->description));
  }
  puts("\n");
}

static void print_yes(const struct answer *answer) {
  struct wm_buf buf = WM_BUF_INIT;
  int64_t since_us = answer_since(answer), until_us = answer_until(answer);
  style_print(stdout, STYLE_GOOD, "yes, the user holds the role");
  if (since_us != INT64_MIN) {
    wm_buf_add_string(&buf, " since ");
    show_time(since_us, &buf);
  }
  if (until_us != WM_NEVER) {
    wm_buf_add_string(&buf, ", until ");
    show_time(until_us, &buf);
  }
  style_print(stdout, STYLE_PLAIN, "%s", buf.bytes ? buf.bytes : "");
  putchar('\n');
  wm_buf_release(&buf);
}

static void print_no(const struct answer *answer) {
  bool has = answer->assigned || answer->derived;
  struct wm_buf buf = WM_BUF_INIT;
  if (!has) {
    style_print(stdout, STYLE_BAD, "no, the user does not hold the role");
    style_print(stdout, STYLE_PLAIN, "%s%s", answer->awaits_sign_in ? " yet: it begins with the next sign-in" : "",
                answer->awaits_sign_in && wm_clock_is_set(&answer->user->signed_in)
                    ? ", because the profile is newer than the last one"
                    : "");
  } else {
    answer_gate_text(answer, &buf);
    style_print(stdout, STYLE_BAD, "no, the role is %s but not in force", answer->assigned ? "assigned" : "derived");
    style_print(stdout, STYLE_PLAIN, ": %.*s", WM_TEXT_ARG(text_in(&buf)));
    style_print(stdout, STYLE_DIM, " [%s]", wm_code_name(answer->gate));
  }
  putchar('\n');
  wm_buf_release(&buf);
}

/* What applications see is what counts; two answers that differ are for an operator. */
static void print_redis(const struct answer *answer) {
  if (answer->has_redis && answer->redis_says != answer->held)
    line(0, STYLE_WARN,
         "But Redis %s the role: the workers have another catalogue than this workspace, or have not caught up.",
         answer->redis_says ? "has" : "does not have");
}

/* --- because of --- */

static void print_version(const struct wm_automation *automation, const struct wm_grant *grant) {
  struct wm_text version = grant->by.version;
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_text(&buf, version);
  if (!automation)
    wm_buf_add_string(&buf, "; the workspace has no automation of this name any more");
  else if (wm_text_equal(version, automation->version))
    wm_buf_add_string(&buf, ", as the workspace has it");
  else
    wm_buf_printf(&buf, "; the workspace has another one by now, %.*s", WM_TEXT_ARG(automation->version));
  field("version", version.size ? text_in(&buf) : WM_NO_TEXT);
  wm_buf_release(&buf);
}

static void print_task(const struct wm_automation *automation, const struct wm_clock *clock) {
  const struct wm_task *task = answer_task(automation, clock->sequence);
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_printf(&buf, "%lld", (long long)clock->sequence);
  if (task)
    wm_buf_printf(&buf, " %.*s", WM_TEXT_ARG(task->name));
  field("task", text_in(&buf));
  field("", task ? task->description : WM_NO_TEXT);
  wm_buf_release(&buf);
}

static void print_by_automation(const struct answer *answer, const struct wm_grant *grant) {
  const struct wm_automation *automation = answer_automation(answer, &grant->clock);
  style_print(stdout, STYLE_PLAIN, "  automation ");
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(grant->clock.automation));
  putchar('\n');
  if (answer_is_baseline(answer, &grant->clock)) {
    field("", WM_TEXT("Waymark's own: a removal had left the user without any role, and the settings name a baseline"));
    return;
  }
  if (automation) {
    field("", automation->description);
    field("owner", automation->owner);
  }
  print_version(automation, grant);
  print_task(automation, &grant->clock);
}

static void print_by_hand(const struct wm_grant *grant) {
  bool handed_on =
      wm_text_starts_with(grant->clock.id, WM_TEXT("delegation:")) && wm_text_is(grant->clock.source, "/waymark");
  line(2, STYLE_PLAIN, "%s", handed_on ? "another holder handed it on" : "an assignment by hand");
  field(handed_on ? "giver" : "asked by", grant->by.by.size ? grant->by.by : WM_TEXT("nobody is named"));
  field("reason", grant->by.reason.size ? grant->by.reason : WM_TEXT("none is told"));
  field("hand on", grant->by.delegable ? WM_TEXT("the user may give the role to others") : WM_NO_TEXT);
}

static void print_end(const struct answer *answer, const struct wm_grant *grant) {
  struct wm_buf buf = WM_BUF_INIT;
  if (grant->until_us == WM_NEVER) {
    wm_buf_add_string(&buf, "it has no end");
  } else {
    bool over = grant->until_us <= answer->now_us;
    show_time(grant->until_us, &buf);
    wm_buf_add_string(&buf, over ? ", over for " : ", in ");
    add_span(&buf, over ? answer->now_us - grant->until_us : grant->until_us - answer->now_us);
  }
  field("until", text_in(&buf));
  wm_buf_release(&buf);
}

static void print_grant(const struct answer *answer, const struct wm_grant *grant) {
  struct wm_buf buf = WM_BUF_INIT;
  if (grant->clock.automation.size)
    print_by_automation(answer, grant);
  else
    print_by_hand(grant);
  add_event(&buf, &grant->clock);
  field("event", text_in(&buf));
  wm_buf_clear(&buf);
  add_origin(&buf, &grant->by);
  field("record", text_in(&buf));
  print_end(answer, grant);
  wm_buf_release(&buf);
}

/* A criterion, and what of the profile decides it. */
static void print_criterion(const struct answer *answer, size_t i, bool holds) {
  const struct wm_criterion *criterion = &answer->role->criteria[i];
  const struct wm_facts *facts = answer->facts.user ? &answer->facts : NULL;
  struct wm_buf buf = WM_BUF_INIT;
  if (criterion->kind == WM_CRITERION_WHEN)
    wm_buf_add_string(&buf, "profiles where");
  else
    criteria_text(criterion, &buf);
  style_print(stdout, STYLE_PLAIN, "  criterion ");
  style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(text_in(&buf)));
  style_print(stdout, STYLE_DIM, "  %.*s:%u:%u", WM_TEXT_ARG(answer->role->file), criterion->line, criterion->column);
  putchar('\n');
  wm_buf_clear(&buf);
  if (criterion->kind == WM_CRITERION_WHEN && facts)
    conditions_print(&criterion->when, &answer->scope, 4);
  else
    criteria_evidence(criterion, facts, &buf);
  field(holds ? "yes" : "no", text_in(&buf));
  wm_buf_release(&buf);
}

static void print_profile(const struct answer *answer) {
  struct wm_buf buf = WM_BUF_INIT;
  add_event(&buf, &answer->user->profile.clock);
  field("profile", text_in(&buf));
  if (answer->role->at_sign_in && wm_clock_is_set(&answer->user->signed_in)) {
    wm_buf_clear(&buf);
    add_event(&buf, &answer->user->signed_in);
    field("sign-in", text_in(&buf));
  }
  wm_buf_release(&buf);
}

static void print_because(const struct answer *answer) {
  if (!answer->assigned && !answer->derived && !answer->awaits_sign_in)
    return;
  head(answer->held ? "because of" : "what he has it by");
  for (size_t i = 0; answer->entry && i < answer->entry->grant_count; i++)
    if (answer_grant_state(answer, &answer->entry->grants[i]) == GRANT_LIVE)
      print_grant(answer, &answer->entry->grants[i]);
  bool criteria = answer->derived || answer->awaits_sign_in;
  for (size_t i = 0; criteria && i < answer->role->criterion_count; i++)
    if (answer_criterion_holds(answer, i)) {
      print_criterion(answer, i, true);
      print_profile(answer);
    }
}

/* --- what took it --- */

/* "user-7 certified-partner" */
static void add_words(const struct answer *answer, struct wm_buf *buf) {
  add_word(buf, answer->user->id);
  wm_buf_add_char(buf, ' ');
  add_word(buf, answer->name);
}

static void print_removal(const struct answer *answer, const struct wm_clock *clock, const char *what) {
  const struct wm_automation *automation = answer_automation(answer, clock);
  struct wm_buf buf = WM_BUF_INIT;
  show_time(clock->time_us, &buf);
  style_print(stdout, STYLE_PLAIN, "  %.*s  ", WM_TEXT_ARG(text_in(&buf)));
  if (clock->automation.size) {
    style_print(stdout, STYLE_PLAIN, "automation ");
    style_print(stdout, STYLE_BOLD, "%.*s", WM_TEXT_ARG(clock->automation));
    style_print(stdout, STYLE_PLAIN, " %s", what);
  } else {
    style_print(stdout, STYLE_PLAIN, "a request by hand %s", what);
  }
  putchar('\n');
  if (automation)
    field("", automation->description);
  else if (clock->automation.size)
    field("", WM_TEXT("the workspace has no automation of this name any more"));
  if (clock->automation.size)
    print_task(automation, clock);
  wm_buf_clear(&buf);
  add_event(&buf, clock);
  field("event", text_in(&buf));
  if (!clock->automation.size && !answer->offline) {
    wm_buf_clear(&buf);
    wm_buf_add_string(&buf, "who and why tells: waymark history ");
    add_words(answer, &buf);
    field("", text_in(&buf));
  }
  wm_buf_release(&buf);
}

/* One source alone was taken back: what it had given, or would give by an older event. */
static void print_withdrawal(const struct answer *answer, const struct wm_grant *grant) {
  bool manual = wm_text_is(grant->source, "manual");
  struct wm_text name = {grant->source.bytes, manual ? 0 : grant->source.size};
  struct wm_buf what = WM_BUF_INIT;
  wm_buf_printf(&what, "took back what %.*s%s: no older event of it counts", WM_TEXT_ARG(name),
                manual ? "was given by hand" : " had given");
  print_removal(answer, &grant->taken, what.bytes ? what.bytes : "");
  wm_buf_release(&what);
}

static void print_cleared(const struct wm_clock *clock) {
  struct wm_buf buf = WM_BUF_INIT;
  show_time(clock->time_us, &buf);
  line(2, STYLE_PLAIN, "%.*s  the directory deleted the user: every role ended", WM_TEXT_ARG(text_in(&buf)));
  wm_buf_clear(&buf);
  add_event(&buf, clock);
  field("event", text_in(&buf));
  wm_buf_release(&buf);
}

static void print_ended(const struct answer *answer, const struct wm_grant *grant) {
  struct wm_buf buf = WM_BUF_INIT;
  show_time(grant->until_us, &buf);
  line(2, STYLE_PLAIN, "%.*s  it ended by itself; it had been given by", WM_TEXT_ARG(text_in(&buf)));
  print_grant(answer, grant);
  wm_buf_release(&buf);
}

/* What is not taken any more does not matter while a newer grant stands: then only the removals are named. */
static void print_taken(const struct answer *answer) {
  const struct wm_user_role *entry = answer->entry;
  bool removed = entry && wm_clock_is_set(&entry->removed), cleared = wm_clock_is_set(&answer->user->cleared);
  size_t ended = 0, taken = 0;
  for (size_t i = 0; entry && i < entry->grant_count; i++) {
    ended += answer_grant_state(answer, &entry->grants[i]) == GRANT_ENDED;
    taken += answer_grant_state(answer, &entry->grants[i]) == GRANT_TAKEN;
  }
  if (!removed && !cleared && ended + taken == 0)
    return;
  head(answer->assigned || answer->derived ? "what took it before" : "what took it");
  for (size_t i = 0; entry && i < entry->grant_count; i++) {
    const struct wm_grant *grant = &entry->grants[i];
    if (answer_grant_state(answer, grant) == GRANT_ENDED)
      print_ended(answer, grant);
    if (answer_grant_state(answer, grant) == GRANT_TAKEN)
      print_withdrawal(answer, grant);
  }
  if (removed)
    print_removal(answer, &entry->removed, "removed it: no grant by an older event counts");
  if (cleared)
    print_cleared(&answer->user->cleared);
}

/* --- what would give it, what would take it away --- */

/* What was taken back from this source alone: older events of it have lost. */
static void print_newer_than_taken(const struct answer *answer, const struct wm_automation *automation) {
  const struct wm_text prefix = WM_TEXT("automation/");
  struct wm_buf buf = WM_BUF_INIT;
  for (size_t i = 0; answer->entry && i < answer->entry->grant_count; i++) {
    const struct wm_grant *grant = &answer->entry->grants[i];
    if (wm_clock_compare(&grant->taken, &answer->stands) <= 0 || !wm_text_starts_with(grant->source, prefix) ||
        !wm_text_equal((struct wm_text){grant->source.bytes + prefix.size, grant->source.size - prefix.size},
                       automation->name))
      continue;
    add_event(&buf, &grant->taken);
    giving_note(4, "by an event after the withdrawal by %.*s; older ones are superseded", WM_TEXT_ARG(text_in(&buf)));
  }
  wm_buf_release(&buf);
}

static size_t print_givers(const struct answer *answer, enum wm_action action) {
  struct answer_giver giver;
  size_t at = 0;
  while (answer_next_giver(answer, action, &at, &giver)) {
    struct wm_buf buf = WM_BUF_INIT;
    giving_print(giver.automation, giver.task, &answer->scope, 2);
    enum wm_code code = answer_obstacle(answer, giver.automation, &buf);
    if (buf.size)
      giving_note(4, "but %.*s%s%s%s", WM_TEXT_ARG(text_in(&buf)), code ? " [" : "", code ? wm_code_name(code) : "",
                  code ? "]" : "");
    if (action == WM_ADD)
      print_newer_than_taken(answer, giver.automation);
    wm_buf_release(&buf);
  }
  return at;
}

/* Older decisions have lost already. */
static void print_newer(const struct answer *answer) {
  struct wm_buf buf = WM_BUF_INIT;
  if (!wm_clock_is_set(&answer->stands))
    return;
  add_event(&buf, &answer->stands);
  line(2, STYLE_WARN, "The event must be newer than the removal by %.*s; older ones are superseded.",
       WM_TEXT_ARG(text_in(&buf)));
  wm_buf_release(&buf);
}

static void print_way_back(const struct answer *answer) {
  static const struct {
    enum wm_code code;
    const char *text;
  } ways[] = {{WM_E_USER_INACTIVE, "the directory saying that the user is active"},
              {WM_E_ROLE_ARCHIVED, "'waymark roles unarchive', or another status in the catalogue"},
              {WM_E_ROLE_INACTIVE, "'status: active' in the catalogue"},
              {WM_E_ROLE_TYPE_MISMATCH, "another type in the user's profile"},
              {WM_E_ROLE_PORTAL_MISMATCH, "one of the role's portals in the user's profile"},
              {WM_E_ROLE_UNKNOWN, "a role of this name in the catalogue"}};
  bool has = answer->assigned || answer->derived;
  struct wm_buf buf = WM_BUF_INIT;
  answer_gate_text(answer, &buf);
  if (answer->gate && !has)
    line(2, STYLE_WARN, "Nothing can for now: %.*s [%s]. First it needs", WM_TEXT_ARG(text_in(&buf)),
         wm_code_name(answer->gate));
  struct wm_role role = answer->role ? *answer->role : (struct wm_role){0};
  struct wm_user user = *answer->user;
  enum wm_code code = answer->role ? answer_next_gate(&role, &user) : answer->gate;
  for (const char *and = ""; code != WM_OK; code = answer->role ? answer_next_gate(&role, &user) : WM_OK, and = "and ")
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
      if (ways[i].code == code)
        line(has ? 2 : 4, STYLE_PLAIN, "%s%s", and, ways[i].text);
  wm_buf_release(&buf);
}

/* What people may do, and whether they may. */
static void print_request(const struct answer *answer, const char *command) {
  const struct wm_role *role = answer->role;
  struct wm_buf buf = WM_BUF_INIT;
  if (role && (role->kind != WM_ROLE_PORTAL || role->managed)) {
    line(2, STYLE_PLAIN, "no automation and no request: the role is protected [ROLE_PROTECTED]");
    return;
  }
  add_words(answer, &buf);
  line(2, STYLE_DIM, "a request by hand: waymark %s %.*s --reason …", command, WM_TEXT_ARG(text_in(&buf)));
  if (answer->loaded->settings.users_closed && !answer->facts.user)
    giving_note(4, "but it fails: the user has no profile, and users is 'closed' [USER_UNKNOWN]");
  wm_buf_release(&buf);
}

static void print_gives(const struct answer *answer) {
  const struct wm_role *role = answer->role;
  bool has = answer->assigned || answer->derived;
  head(has ? "what would bring it into force" : "what would give it");
  if (answer->awaits_sign_in)
    line(2, STYLE_PLAIN, "a sign-in: the role begins with the first one that is not older than the profile");
  print_way_back(answer);
  if (has || !role)
    return;
  size_t count = print_givers(answer, WM_ADD);
  if (count > 0)
    print_newer(answer);
  for (size_t i = 0; !answer->awaits_sign_in && i < role->criterion_count; i++)
    print_criterion(answer, i, answer_criterion_holds(answer, i));
  if (answer->workspace->baseline.size && wm_text_equal(answer->workspace->baseline, answer->name))
    line(2, STYLE_PLAIN, "a removal that leaves the user without any role: it is the baseline of the settings");
  print_request(answer, "grant");
  if (role->delegation == WM_DELEGATION_HOLDERS && role->kind == WM_ROLE_PORTAL && !role->managed)
    print_handing_on(answer);
}

static void print_takes(const struct answer *answer) {
  struct wm_buf buf = WM_BUF_INIT;
  int64_t until_us = answer_until(answer);
  head("what would take it away");
  if (answer->assigned)
    print_givers(answer, WM_REMOVE);
  if (until_us != WM_NEVER) {
    show_time(until_us, &buf);
    line(2, STYLE_PLAIN, "its end, %.*s", WM_TEXT_ARG(text_in(&buf)));
  }
  if (answer->derived)
    line(2, STYLE_PLAIN, "a profile for which none of its criteria holds%s",
         answer->assigned ? "; until then no removal ends it [STILL_DERIVED]" : "; a removal does not [STILL_DERIVED]");
  if (answer->derived && answer->role->at_sign_in)
    line(2, STYLE_PLAIN, "any newer profile: then it begins again with the next sign-in");
  line(2, STYLE_PLAIN, "the directory: deleting the user; and while he is not active%s, it is not in force",
       answer->role->type.size || answer->role->portal_count ? ", or of another type or portal" : "");
  if (answer->assigned)
    print_request(answer, "revoke");
  wm_buf_release(&buf);
}

/* Silence would say that nothing was. */
static void print_control(const struct answer *answer) {
  if (answer->running || answer->offline)
    return;
  putchar('\n');
  line(0, STYLE_DIM, "What was archived or switched off at run time was not asked.");
}

void answer_print(const struct answer *answer) {
  print_user(answer);
  print_role(answer);
  if (answer->held)
    print_yes(answer);
  else
    print_no(answer);
  print_redis(answer);
  print_because(answer);
  print_taken(answer);
  if (answer->held)
    print_takes(answer);
  else
    print_gives(answer);
  print_control(answer);
}

#include <stdio.h>

#include "core/codec/write.h"
#include "core/hash.h"
#include "tools/failures/event.h"
#include "tools/lib/play.h"
#include "tools/lib/say.h"
#include "tools/lib/source.h"
#include "tools/roles/roles_control.h"
#include "tools/rules/explain.h"

struct why {
  struct event_finding *finding;
  struct event_place *place;
  struct wm_buf *json;
  struct wm_user *user;  /* NULL: there is no register */
  struct wm_user *blank; /* stands in for it */
  struct wm_scope scope;
  struct wm_decision decision;
  struct wm_running running;
};

/* Did another record of this event have outcomes? */
static bool was_decided_elsewhere(const struct why *why) {
  const struct event_finding *finding = why->finding;
  for (size_t i = 0; i < finding->count; i++)
    if (&finding->places[i] != why->place && finding->places[i].outcome_count > 0 &&
        wm_text_equal(finding->places[i].run, why->place->run))
      return true;
  return false;
}

static int make_scope(struct why *why) {
  const struct wm_event *event = &why->place->event;
  struct wm_role_set roles;
  why->scope = (struct wm_scope){.event = event, .now_us = event->now_us};
  if (!event->user.bytes)
    return 0;
  if (!why->user)
    why->blank = wm_user_new(event->user, 0);
  why->scope.user = why->user ? why->user : why->blank;
  if (!why->scope.user ||
      wm_project(why->finding->loaded->workspace, why->scope.user, event->now_us, &why->finding->arena, &roles) < 0)
    return -1;
  why->scope.roles = wm_role_set_value(&roles, &why->finding->arena);
  return why->scope.roles ? 0 : -1;
}

static void tell_one(struct why *why, const struct wm_automation *automation, struct table *waiting) {
  struct explanation explanation = explain(automation, &why->scope, &why->decision);
  explanation.word = wm_running_get(&why->running, WM_RUNNING_AUTOMATION, automation->name);
  if (why->json) {
    explain_to_json(&explanation, why->json);
    wm_buf_add_char(why->json, ',');
  } else if (explanation.verdict == VERDICT_TRIGGER) {
    explain_add_waiting(waiting, automation);
  } else {
    explain_print(&explanation);
    putchar('\n');
  }
}

static void tell_automations(struct why *why) {
  static const char *const heads[] = {"AUTOMATION", "WAITS FOR", NULL};
  const struct wm_workspace *workspace = why->finding->loaded->workspace;
  struct table waiting;
  table_init(&waiting, heads);
  if (why->json)
    wm_write_open(why->json, WM_KEY("explain"), '[');
  else
    puts("It was decided, and nothing came of it. By the workspace, what was said at run time and the user's register\n"
         "as they are now (they may have been others then):\n");
  for (size_t i = 0; i < workspace->automation_count; i++)
    tell_one(why, &workspace->automations[i], &waiting);
  if (why->json)
    wm_write_close(why->json, ']');
  table_print(&waiting, stdout);
  table_release(&waiting);
}

static void tell(struct why *why) {
  const struct wm_event *event = &why->place->event;
  bool live = wm_text_is(why->place->run, "live");
  bool remembered = live && why->user && wm_user_remembers(why->user, wm_hash_pair(event->source, event->id));
  if (was_decided_elsewhere(why) || remembered)
    why->place->state = EVENT_DUPLICATE;
  else if (event->event_class == WM_EVENT_TRIGGERING)
    why->place->state = EVENT_NOTHING;
  else
    why->place->state = EVENT_APPLIED;
  if (why->place->state == EVENT_NOTHING) {
    tell_automations(why);
  } else if (why->json) {
    wm_write_true(why->json, WM_KEY("remembered"), remembered);
  } else if (why->place->state == EVENT_APPLIED) {
    puts(event->event_class == WM_EVENT_RESERVED
             ? "A reserved type that Waymark does not know: it was counted and ignored."
             : "It was decided. It has no outcome: what it changed stands in the register ('waymark user', 'waymark "
               "history').");
  } else {
    puts(was_decided_elsewhere(why)
             ? "A duplicate: another record of this event was decided, so no task ran for this one."
             : "The register remembers this event: an earlier record of it was decided, or this one was and its "
               "outcome is deleted by retention.");
  }
}

static int read_user(struct why *why) {
  struct source_user source;
  const struct wm_event *event = &why->place->event;
  if (!event->user.bytes)
    return EXIT_FINE;
  return source_find(why->finding->loaded, why->finding->options, event->user, &why->finding->arena, &source,
                     &why->user);
}

static int ask(struct why *why) {
  const struct loaded *loaded = why->finding->loaded;
  struct wm_overlay overlay;
  struct wm_error error = {0};
  int exit_code = roles_control_read(&loaded->settings, &why->running);
  if (exit_code == EXIT_FINE)
    exit_code = read_user(why);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (wm_workspace_overlay(loaded->workspace, &why->running, &overlay, &error) < 0 || make_scope(why) < 0)
    return say_memory();
  struct wm_terms terms = play_terms(&loaded->settings, false);
  if (wm_decide(loaded->workspace, &terms, &why->place->event, why->user, 0, NULL, &why->finding->arena, &why->decision,
                &error) < 0)
    return say_error(EXIT_BUG, &error);
  tell(why);
  return EXIT_FINE;
}

int event_why(struct event_finding *finding, struct event_place *place, struct wm_buf *json) {
  struct why why = {.finding = finding, .place = place, .json = json};
  if (!finding->loaded->workspace)
    return say(EXIT_BAD_NEWS, "the workspace is invalid ('waymark lint' says where): it can't tell why");
  wm_running_init(&why.running);
  int exit_code = ask(&why);
  wm_user_free(why.decision.user);
  wm_user_free(why.user);
  wm_user_free(why.blank);
  wm_running_release(&why.running);
  return exit_code;
}

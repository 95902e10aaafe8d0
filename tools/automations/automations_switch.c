/* waymark automations on|off|reset: words on topics.control, which every worker follows. */
#include <unistd.h>

#include "core/codec/control.h"
#include "tools/automations/automations.h"
#include "tools/lib/say.h"
#include "tools/lib/ways.h"
#include "tools/requests/asker.h"
#include "tools/roles/roles_control.h"
#include "worker/clock.h"

/* Workers look at the topic ten times a second. Whoever sends an event when this has ended would often find it decided
 * as before, were it not for this pause: nobody answers a word on the control topic. */
#define FOLLOW_US 500000

static const struct {
  const char *verb, *already, *done;
} ways[] = {
    [WM_RUNNING_AS_WRITTEN] = {"Take back what was said about", "nothing was said about it",
                               "what the workspace says counts again"},
    [WM_RUNNING_ON] = {"Switch on", "it is on already",
                       "it is on from the next batch of every worker on; events that "
                       "came while it was off are not taken up"},
    [WM_RUNNING_OFF] = {"Switch off", "it is off already",
                        "it is off from the next batch of every worker on; what it granted stays"},
};

struct switching {
  const struct options *options;
  enum wm_running_state state;
  struct loaded loaded;
  struct wm_running running;
  struct wm_running_word words[ARGUMENTS_LIMIT]; /* of those of which the state changes */
  size_t count;
  char by[ASKER_SIZE];
};

static int check_reason(const struct switching *switching) {
  struct wm_text reason = wm_text_of(options_value(switching->options, "reason"));
  if (!reason.bytes || line_is_blank(reason))
    return say(EXIT_USAGE, "--reason is missing: say why, it is kept with the state of the automation");
  if (reason.size > WM_CONTROL_REASON_LIMIT || !wm_text_is_utf8(reason, NULL))
    return say(EXIT_USAGE, "--reason must be text of at most %d bytes", WM_CONTROL_REASON_LIMIT);
  return EXIT_FINE;
}

/* The settings and names are all that is needed; a mistake elsewhere in the workspace does not stop an operator who
 * wants to switch something off. */
static int open_workspace(struct switching *switching, const struct invocation *invocation) {
  int exit_code = workspace_open_settings(invocation, &switching->loaded);
  if (exit_code != EXIT_FINE || switching->loaded.workspace)
    return exit_code;
  files_print_findings(&switching->loaded.findings);
  return say(EXIT_BAD_NEWS, "the workspace has invalid documents");
}

static int check_names(const struct switching *switching) {
  int exit_code = EXIT_FINE;
  for (size_t i = WAY_FIRST; options_argument(switching->options, i); i++)
    if (automations_check_name(switching->loaded.workspace, wm_text_of(options_argument(switching->options, i))) !=
        EXIT_FINE)
      exit_code = EXIT_BAD_NEWS;
  return exit_code;
}

static bool has_word(const struct switching *switching, struct wm_text name) {
  for (size_t i = 0; i < switching->count; i++)
    if (wm_text_equal(switching->words[i].name, name))
      return true;
  return false;
}

/* Switching on needs no word where the workspace says so and nobody says otherwise. */
static bool is_so(const struct switching *switching, struct wm_text name) {
  const struct wm_running_word *word = wm_running_get(&switching->running, WM_RUNNING_AUTOMATION, name);
  if (switching->state == WM_RUNNING_AS_WRITTEN)
    return !word;
  bool written = wm_workspace_automation(switching->loaded.workspace, name)->written_enabled;
  return wm_running_enabled(&switching->running, name, written) == (switching->state == WM_RUNNING_ON);
}

static void collect_words(struct switching *switching) {
  for (size_t i = WAY_FIRST; options_argument(switching->options, i); i++) {
    struct wm_text name = wm_text_of(options_argument(switching->options, i));
    if (is_so(switching, name)) {
      printf("%.*s: %s\n", WM_TEXT_ARG(name), ways[switching->state].already);
      continue;
    }
    if (!has_word(switching, name))
      switching->words[switching->count++] =
          (struct wm_running_word){.kind = WM_RUNNING_AUTOMATION,
                                   .name = name,
                                   .state = switching->state,
                                   .by = wm_text_of(switching->by),
                                   .reason = wm_text_of(options_value(switching->options, "reason")),
                                   .time_us = system_clock.wall_us(system_clock.self)};
  }
}

static int say_words(const struct switching *switching) {
  struct wm_buf question = WM_BUF_INIT;
  wm_buf_printf(&question, "%s", ways[switching->state].verb);
  for (size_t i = 0; i < switching->count; i++)
    wm_buf_printf(&question, "%s '%.*s'", i ? "," : "", WM_TEXT_ARG(switching->words[i].name));
  wm_buf_add_char(&question, '?');
  fflush(stdout);
  bool yes =
      switching->count == 0 || options_has(switching->options, "yes") || question.failed || say_ask(question.bytes);
  wm_buf_release(&question);
  if (switching->count == 0)
    return EXIT_FINE;
  if (!yes)
    return say(EXIT_BAD_NEWS, "nothing was sent");
  int exit_code = roles_control_write(&switching->loaded.settings, switching->words, switching->count);
  if (exit_code == EXIT_FINE)
    usleep(FOLLOW_US);
  for (size_t i = 0; exit_code == EXIT_FINE && i < switching->count; i++)
    printf("%.*s: %s\n", WM_TEXT_ARG(switching->words[i].name), ways[switching->state].done);
  return exit_code;
}

int automations_check_name(const struct wm_workspace *workspace, struct wm_text name) {
  struct wm_buf shown = WM_BUF_INIT;
  if (wm_workspace_automation(workspace, name))
    return EXIT_FINE;
  struct wm_text near = wm_workspace_near_automation(workspace, name);
  say_safe(&shown, wm_text_shown(name));
  say(EXIT_BAD_NEWS, "the workspace has no automation '%s'%s%.*s%s", shown.bytes ? shown.bytes : "",
      near.bytes ? ", did you mean '" : "", WM_TEXT_ARG(near), near.bytes ? "'" : "");
  wm_buf_release(&shown);
  return EXIT_BAD_NEWS;
}

int automations_switch(const struct invocation *invocation, enum wm_running_state state) {
  struct switching switching = {.options = &invocation->options, .state = state};
  wm_running_init(&switching.running);
  int exit_code = check_reason(&switching);
  if (exit_code == EXIT_FINE)
    exit_code = asker_read(switching.options, switching.by);
  if (exit_code == EXIT_FINE)
    exit_code = open_workspace(&switching, invocation);
  if (exit_code == EXIT_FINE)
    exit_code = check_names(&switching);
  if (exit_code == EXIT_FINE)
    exit_code = roles_control_read(&switching.loaded.settings, &switching.running);
  if (exit_code == EXIT_FINE) {
    collect_words(&switching);
    exit_code = say_words(&switching);
  }
  wm_running_release(&switching.running);
  files_unload(&switching.loaded);
  return exit_code;
}

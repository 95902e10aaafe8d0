/* waymark roles archive|unarchive|reset: retires roles at run time, brings them back, or lets their documents count
 * again, by words on topics.control. What
 * it would do to the users is what `roles preview` says of two catalogues; whether it is done is read from Redis. */
#include <stdlib.h>
#include <unistd.h>

#include "core/codec/control.h"
#include "core/codec/register.h"
#include "core/moment.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/ways.h"
#include "tools/requests/asker.h"
#include "tools/roles/roles.h"
#include "tools/roles/roles_control.h"
#include "tools/roles/roles_document.h"
#include "tools/roles/roles_gain.h"
#include "tools/roles/roles_users.h"
#include "worker/clock.h"
#include "worker/registers.h"

#define TIMEOUT_US (60 * WM_SECOND_US)
#define LOOK_AGAIN_US 200000

static const struct {
  const char *verb, *question, *already;
} ways[] = {
    [WM_RUNNING_AS_WRITTEN] = {"reset", "Let the workspace count again for", "as its document says already"},
    [WM_RUNNING_ON] = {"unarchive", "Unarchive", "not archived"},
    [WM_RUNNING_OFF] = {"archive", "Archive", "archived already"},
};

struct archive {
  const struct options *options;
  enum wm_running_state state; /* that is asked for: OFF is archived */
  struct loaded old, new;      /* the same workspace: as it is now, and as it will be */
  struct wm_running running;
  struct wm_running_word words[ARGUMENTS_LIMIT]; /* of the roles of which the state changes */
  size_t count;
  int64_t timeout_us;
  char by[ASKER_SIZE];
  struct gain gain;
};

/* --- what was asked --- */

static int read_options(struct archive *archive) {
  const char *reason = options_value(archive->options, "reason");
  const char *timeout = options_value(archive->options, "timeout");
  if (!reason || line_is_blank(wm_text_of(reason)))
    return say(EXIT_USAGE, "--reason is missing: say why, it is kept with the state of the role");
  if (strlen(reason) > WM_CONTROL_REASON_LIMIT || !wm_text_is_utf8(wm_text_of(reason), NULL))
    return say(EXIT_USAGE, "--reason must be text of at most %d bytes", WM_CONTROL_REASON_LIMIT);
  archive->timeout_us = TIMEOUT_US;
  if (timeout && !wm_duration_parse(wm_text_of(timeout), &archive->timeout_us))
    return say(EXIT_USAGE, "--timeout '%s' is no duration: a number and s, m, h, d or w (90s)", timeout);
  return asker_read(archive->options, archive->by);
}

/* Twice the same: each gets its own state. */
static int open_workspaces(struct archive *archive, const struct invocation *invocation) {
  int exit_code = workspace_open_settings(invocation, &archive->old);
  if (exit_code == EXIT_FINE && !archive->old.workspace) {
    files_print_findings(&archive->old.findings);
    exit_code = say(EXIT_BAD_NEWS, "the workspace has invalid documents");
  }
  return exit_code == EXIT_FINE ? workspace_open_settings(invocation, &archive->new) : exit_code;
}

/* Every name is looked at before anything is said. */
static int check_names(const struct archive *archive) {
  const struct wm_workspace *workspace = archive->old.workspace;
  int exit_code = EXIT_FINE;
  for (size_t i = WAY_FIRST; i < archive->options->argument_count; i++) {
    struct wm_text name = wm_text_of(options_argument(archive->options, i));
    if (role_check_name(workspace, name) != EXIT_FINE)
      exit_code = EXIT_BAD_NEWS;
  }
  return exit_code;
}

static bool has_word(const struct archive *archive, struct wm_text name) {
  for (size_t i = 0; i < archive->count; i++)
    if (wm_text_equal(archive->words[i].name, name))
      return true;
  return false;
}

/* A role that is in that state already needs no word. */
static bool needs_word(const struct archive *archive, const struct wm_role *role) {
  if (archive->state == WM_RUNNING_AS_WRITTEN)
    return wm_running_get(&archive->running, WM_RUNNING_ROLE, role->name) != NULL;
  return (role->status == WM_ROLE_ARCHIVED) != (archive->state == WM_RUNNING_OFF);
}

static void collect_words(struct archive *archive) {
  for (size_t i = WAY_FIRST; i < archive->options->argument_count; i++) {
    struct wm_text name = wm_text_of(options_argument(archive->options, i));
    const struct wm_role *role = wm_workspace_role(archive->old.workspace, name);
    if (!needs_word(archive, role)) {
      printf("'%.*s' is %s\n", WM_TEXT_ARG(name), ways[archive->state].already);
      continue;
    }
    if (!has_word(archive, name))
      archive->words[archive->count++] = (struct wm_running_word){
          .kind = WM_RUNNING_ROLE,
          .name = name,
          .state = archive->state,
          .by = wm_text_of(archive->by),
          .reason = wm_text_of(options_value(archive->options, "reason")),
          .time_us = system_clock.wall_us(system_clock.self),
      };
  }
}

/* The state of now over the one workspace, the state that will be over the other. */
static int overlay(struct archive *archive) {
  struct wm_error error = {0};
  struct wm_overlay changes;
  int exit_code = roles_control_read(&archive->old.settings, &archive->running);
  if (exit_code != EXIT_FINE)
    return exit_code;
  int result = wm_workspace_overlay(archive->old.workspace, &archive->running, &changes, &error);
  if (result == 0)
    collect_words(archive);
  for (size_t i = 0; i < archive->count && result >= 0; i++)
    result = wm_running_take(&archive->running, &archive->words[i], &error);
  if (result >= 0)
    result = wm_workspace_overlay(archive->new.workspace, &archive->running, &changes, &error);
  return result < 0 ? say_error(EXIT_BAD_NEWS, &error) : EXIT_FINE;
}

/* --- what it means --- */

static int take_user(void *taker, const struct wm_user *user) {
  return gain_take(taker, user);
}

static int count_users(struct archive *archive) {
  size_t faults = 0;
  int64_t now_us = system_clock.wall_us(system_clock.self);
  if (gain_init(&archive->gain, archive->old.workspace, archive->new.workspace, now_us, 0) < 0)
    return say_memory();
  return roles_users_of_redis(&archive->old.settings, take_user, &archive->gain, &faults);
}

static const struct gain_role *find_gain(const struct gain *gain, struct wm_text name) {
  for (size_t i = 0; i < gain->role_count; i++)
    if (wm_text_equal(gain->roles[i].name, name))
      return &gain->roles[i];
  return NULL;
}

static void preview(const struct archive *archive) {
  for (size_t i = 0; i < archive->count; i++) {
    struct wm_text name = archive->words[i].name;
    const struct gain_role *role = find_gain(&archive->gain, name);
    size_t lost = role ? role->lost.count : 0, gained = role ? role->gained.count : 0, users = lost + gained;
    printf("%s '%.*s': %zu user%s %s it\n", ways[archive->state].verb, WM_TEXT_ARG(name), users, users == 1 ? "" : "s",
           lost > 0 || (users == 0 && archive->state == WM_RUNNING_OFF) ? "would no longer have" : "would have");
  }
  if (archive->gain.locked_out.count > 0)
    printf("%zu of them would be left without any role in force\n", archive->gain.locked_out.count);
  fflush(stdout);
}

/* --- waiting until it is done --- */

struct looking {
  struct archive *archive;
  int64_t now_us;
  size_t left; /* users whose role set is not yet as it will be */
};

static bool holds(const struct cache_user *user, struct wm_text role) {
  for (size_t i = 0; i < user->role_count; i++)
    if (wm_text_equal(user->roles[i], role))
      return true;
  return false;
}

/* Is the role in his set when it is to be, and only then? Most are told without reading their registers. */
static bool is_right(const struct looking *looking, const struct cache_user *entry, struct wm_text name,
                     struct wm_user **user) {
  const struct wm_workspace *workspace = looking->archive->new.workspace;
  bool has = holds(entry, name), may = wm_workspace_role(workspace, name)->status == WM_ROLE_ACTIVE;
  struct wm_error error;
  if (!may || has)
    return has == may;
  if (!*user)
    *user = wm_register_decode(entry->json, &error);
  return !*user || !wm_project_has(workspace, *user, name, looking->now_us);
}

static int look_at(void *taker, const struct registers_entry *entry) {
  struct looking *looking = taker;
  struct wm_user *user = NULL;
  bool right = true;
  for (size_t i = 0; i < looking->archive->count && right && !entry->fault; i++)
    right = is_right(looking, &entry->user, looking->archive->words[i].name, &user);
  looking->left += !right;
  wm_user_free(user);
  return 0;
}

static int look_once(struct archive *archive, struct registers *registers, size_t *ret_left) {
  struct looking looking = {.archive = archive, .now_us = system_clock.wall_us(system_clock.self)};
  struct wm_error error = {0};
  if (registers_each(registers, look_at, &looking, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  *ret_left = looking.left;
  return EXIT_FINE;
}

static int wait_until_done(struct archive *archive) {
  struct wm_error error = {0};
  size_t left = 0;
  int64_t end_us = system_clock.monotonic_us(system_clock.self) + archive->timeout_us;
  struct registers *registers = registers_open(&archive->old.settings, &error);
  int exit_code = registers ? EXIT_FINE : say_error(EXIT_OUTSIDE, &error);
  while (exit_code == EXIT_FINE) {
    exit_code = look_once(archive, registers, &left);
    if (exit_code != EXIT_FINE || left == 0)
      break;
    if (isatty(STDERR_FILENO))
      fprintf(stderr, "\r%zu users to go\033[K", left);
    if (system_clock.monotonic_us(system_clock.self) > end_us)
      exit_code = say(EXIT_OUTSIDE,
                      "the word is in the log, but the roles of %zu user%s are still those of before: is a "
                      "worker at work on every partition?",
                      left, left == 1 ? "" : "s");
    usleep(LOOK_AGAIN_US);
  }
  if (isatty(STDERR_FILENO))
    fputs("\r\033[K", stderr);
  registers_close(registers);
  return exit_code;
}

/* --- the whole --- */

static int say_it(struct archive *archive) {
  char question[160];
  if (archive->count == 0)
    return EXIT_FINE;
  int exit_code = count_users(archive);
  if (exit_code != EXIT_FINE)
    return exit_code;
  preview(archive);
  snprintf(question, sizeof question, "%s %zu role%s?", ways[archive->state].question, archive->count,
           archive->count == 1 ? "" : "s");
  if (options_has(archive->options, "dry-run"))
    return EXIT_FINE;
  if (!options_has(archive->options, "yes") && !say_ask(question))
    return say(EXIT_BAD_NEWS, "nothing was sent");
  exit_code = roles_control_write(&archive->old.settings, archive->words, archive->count);
  if (exit_code == EXIT_FINE && !options_has(archive->options, "no-wait"))
    exit_code = wait_until_done(archive);
  if (exit_code == EXIT_FINE)
    printf("%s\n", options_has(archive->options, "no-wait") ? "sent" : "done: every role set is as it should be");
  return exit_code;
}

static int change(const struct invocation *invocation, enum wm_running_state state) {
  struct archive archive = {.options = &invocation->options, .state = state};
  wm_running_init(&archive.running);
  int exit_code = read_options(&archive);
  if (exit_code == EXIT_FINE)
    exit_code = open_workspaces(&archive, invocation);
  if (exit_code == EXIT_FINE)
    exit_code = check_names(&archive);
  if (exit_code == EXIT_FINE)
    exit_code = overlay(&archive);
  if (exit_code == EXIT_FINE)
    exit_code = say_it(&archive);
  gain_release(&archive.gain);
  wm_running_release(&archive.running);
  files_unload(&archive.new);
  files_unload(&archive.old);
  return exit_code;
}

int roles_archive(const struct invocation *invocation) {
  return change(invocation, WM_RUNNING_OFF);
}

int roles_unarchive(const struct invocation *invocation) {
  return change(invocation, WM_RUNNING_ON);
}

int roles_reset(const struct invocation *invocation) {
  return change(invocation, WM_RUNNING_AS_WRITTEN);
}

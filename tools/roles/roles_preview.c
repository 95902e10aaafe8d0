/* waymark roles preview: what a new workspace would do to those who are there, before it is live. */
#include <stdlib.h>

#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/lib/table.h"
#include "tools/lib/ways.h"
#include "tools/roles/roles.h"
#include "tools/roles/roles_control.h"
#include "tools/roles/roles_gain.h"
#include "tools/roles/roles_users.h"
#include "worker/clock.h"

#define SHOWN 5

struct preview {
  const struct options *options;
  struct loaded old, new;
  struct wm_running running;
  struct gain gain;
  size_t shown;
  int64_t max_losses; /* -1: any number */
  size_t faults;
};

/* --- what was asked --- */

static int read_number(const struct options *options, const char *name, int64_t limit, int64_t *ret) {
  const char *text = options_value(options, name);
  char *end;
  if (!text)
    return EXIT_FINE;
  *ret = strtoll(text, &end, 10);
  if (*text >= '0' && *text <= '9' && *end == '\0' && *ret <= limit)
    return EXIT_FINE;
  return say(EXIT_USAGE, "--%s '%s' must be a number from 0 to %lld", name, text, (long long)limit);
}

static int open_workspaces(struct preview *preview, const struct invocation *invocation) {
  int exit_code = workspace_open_settings(invocation, &preview->old);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (!preview->old.workspace) {
    files_print_findings(&preview->old.findings);
    return say(EXIT_BAD_NEWS, "the workspace that is live has invalid documents");
  }
  return workspace_open(invocation, options_argument(preview->options, WAY_FIRST), SETTINGS_OFFLINE, &preview->new);
}

/* What was archived at run time stays so under the new catalogue; a file of users knows nothing of it. */
static int overlay(struct preview *preview) {
  struct wm_workspace *workspaces[] = {preview->old.workspace, preview->new.workspace};
  struct wm_error error = {0};
  struct wm_overlay changes;
  int exit_code = roles_control_read(&preview->old.settings, &preview->running);
  for (size_t i = 0; i < 2 && exit_code == EXIT_FINE; i++)
    if (wm_workspace_overlay(workspaces[i], &preview->running, &changes, &error) < 0)
      exit_code = say_memory();
  return exit_code;
}

static int take_user(void *taker, const struct wm_user *user) {
  return gain_take(taker, user);
}

static int look_at_users(struct preview *preview) {
  const char *file = options_value(preview->options, "users");
  int64_t now_us = system_clock.wall_us(system_clock.self);
  int exit_code = file ? EXIT_FINE : overlay(preview);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (gain_init(&preview->gain, preview->old.workspace, preview->new.workspace, now_us, preview->shown) < 0)
    return say_memory();
  if (file)
    return roles_users_of_file(file, take_user, &preview->gain);
  exit_code = roles_users_of_redis(&preview->old.settings, take_user, &preview->gain, &preview->faults);
  if (preview->faults > 0)
    say(EXIT_FINE, "%zu keys in Redis hold no user and were left out", preview->faults);
  return exit_code;
}

/* --- the answer for people --- */

static void add_names(const struct gain_users *users, struct wm_buf *buf) {
  for (size_t i = 0; i < users->shown; i++)
    wm_buf_printf(buf, "%s%s", i ? ", " : "", users->ids[i]);
  if (users->count > users->shown && users->shown > 0)
    wm_buf_printf(buf, " and %zu more", users->count - users->shown);
}

static void add_note(const struct gain_role *role, struct wm_buf *buf) {
  wm_buf_add_string(buf, !role->old ? "new role; " : !role->new ? "not in the new catalogue; " : "");
  if (role->gained.shown > 0) {
    wm_buf_add_string(buf, "gained by ");
    add_names(&role->gained, buf);
    wm_buf_add_string(buf, role->lost.shown > 0 ? "; " : "");
  }
  if (role->lost.shown > 0) {
    wm_buf_add_string(buf, "lost by ");
    add_names(&role->lost, buf);
  }
}

static void print_roles(const struct gain *gain) {
  static const char *const heads[] = {"ROLE", "GAINED", "LOST", "KEPT", "USERS", NULL};
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < gain->role_count; i++) {
    const struct gain_role *role = &gain->roles[i];
    if (role->gained.count + role->lost.count == 0 && role->old && role->new)
      continue;
    struct wm_buf note = WM_BUF_INIT;
    add_note(role, &note);
    table_text(&table, STYLE_PLAIN, role->name);
    table_cell(&table, role->gained.count ? STYLE_GOOD : STYLE_DIM, "%zu", role->gained.count);
    table_cell(&table, role->lost.count ? STYLE_BAD : STYLE_DIM, "%zu", role->lost.count);
    table_cell(&table, STYLE_PLAIN, "%zu", role->kept);
    table_cell(&table, STYLE_DIM, "%s", note.bytes ? note.bytes : "");
    wm_buf_release(&note);
  }
  if (table_rows(&table) > 0) {
    table_print(&table, stdout);
    putchar('\n');
  }
  table_release(&table);
}

static void print_people(const struct gain *gain) {
  print_roles(gain);
  printf("%zu of %zu users would change: %zu gains, %zu losses\n", gain->changed, gain->users, gain->gains,
         gain->losses);
  if (gain->locked_out.count == 0)
    return;
  struct wm_buf names = WM_BUF_INIT;
  add_names(&gain->locked_out, &names);
  style_print(stdout, STYLE_BAD, "%zu would be left without any role in force%s%s", gain->locked_out.count,
              names.size ? ": " : "", names.bytes ? names.bytes : "");
  putchar('\n');
  wm_buf_release(&names);
}

/* --- and for programs --- */

static void add_users(const char *name, const struct gain_users *users, struct wm_buf *buf) {
  wm_buf_printf(buf, ",\"%s\":[", name);
  for (size_t i = 0; i < users->shown; i++) {
    wm_buf_add_string(buf, i ? "," : "");
    wm_buf_add_json(buf, wm_text_of(users->ids[i]));
  }
  wm_buf_add_char(buf, ']');
}

static void end_line(struct wm_buf *line) {
  wm_buf_add_char(line, '}');
  if (!line->failed)
    puts(line->bytes);
  wm_buf_clear(line);
}

static void print_json(const struct gain *gain) {
  struct wm_buf line = WM_BUF_INIT;
  for (size_t i = 0; i < gain->role_count; i++) {
    const struct gain_role *role = &gain->roles[i];
    wm_buf_add_string(&line, "{\"role\":");
    wm_buf_add_json(&line, role->name);
    wm_buf_printf(&line, ",\"catalogue\":\"%s\",\"gained\":%zu,\"lost\":%zu,\"kept\":%zu",
                  !role->old   ? "new"
                  : !role->new ? "gone"
                               : "both",
                  role->gained.count, role->lost.count, role->kept);
    add_users("gained-by", &role->gained, &line);
    add_users("lost-by", &role->lost, &line);
    end_line(&line);
  }
  wm_buf_printf(&line, "{\"users\":%zu,\"changed\":%zu,\"gains\":%zu,\"losses\":%zu,\"locked-out\":%zu", gain->users,
                gain->changed, gain->gains, gain->losses, gain->locked_out.count);
  add_users("locked-out-users", &gain->locked_out, &line);
  end_line(&line);
  wm_buf_release(&line);
}

static int answer(const struct preview *preview) {
  const struct gain *gain = &preview->gain;
  if (options_has(preview->options, "json"))
    print_json(gain);
  else
    print_people(gain);
  if (preview->max_losses < 0 || gain->losses <= (size_t)preview->max_losses)
    return EXIT_FINE;
  return say(EXIT_BAD_NEWS, "%zu losses are more than --max-losses %lld", gain->losses, (long long)preview->max_losses);
}

int roles_preview(const struct invocation *invocation) {
  struct preview preview = {.options = &invocation->options, .max_losses = -1};
  int64_t shown = SHOWN;
  wm_running_init(&preview.running);
  int exit_code = read_number(preview.options, "users-shown", GAIN_SHOWN_LIMIT, &shown);
  if (exit_code == EXIT_FINE)
    exit_code = read_number(preview.options, "max-losses", INT64_MAX / 2, &preview.max_losses);
  preview.shown = (size_t)shown;
  if (exit_code == EXIT_FINE)
    exit_code = open_workspaces(&preview, invocation);
  if (exit_code == EXIT_FINE)
    exit_code = look_at_users(&preview);
  if (exit_code == EXIT_FINE)
    exit_code = answer(&preview);
  gain_release(&preview.gain);
  wm_running_release(&preview.running);
  files_unload(&preview.new);
  files_unload(&preview.old);
  return exit_code;
}

/* waymark new: a filled template to edit. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/rules/test.h"

/* What can be made: NAME, ROLE and CHANNEL in a text are replaced. */
static const struct kind {
  const char *name;
  const char *folder;
  const char *text;
} kinds[] = {
    {"automation", "automations",
     "automation: NAME\n"
     "description: What it does, and why.\n"
     "trigger: journey.milestone.achieved      # one event type or a list; a trailing * matches any rest\n"
     "when:                                    # all of it must hold; left out: always\n"
     "  data.journey: onboarding\n"
     "  data.milestone: { in: [certified, expert] }\n"
     "  # data.score: { at-least: 80 }\n"
     "  # any:\n"
     "  #   - data.tier: gold\n"
     "  #   - user.roles: { has: some-role }\n"
     "repeat: every-event                      # or once-per-user, once-per-journey\n"
     "tasks:                                   # by sequence; when one fails the next one still runs\n"
     "  - name: Grant the role\n"
     "    sequence: 10\n"
     "    type: change-role\n"
     "    role: ROLE\n"
     "    action: add                          # or remove\n"
     "    # expires-after: 365d                # s m h d w, counted from the event's time\n"
     "    # on-failure: stop                   # skip the tasks after this one\n"
     "  - name: Say so\n"
     "    sequence: 20\n"
     "    type: notify\n"
     "    channel: CHANNEL\n"
     "    to: user                             # or manager, or an address\n"
     "    title: Well done\n"
     "    message: \"{{ data.milestone }} is done.\"\n"},
    {"role", "roles",
     "role: NAME                    # the uid: it never changes\n"
     "label: NAME                   # what people see; unique, may change\n"
     "description: What holders may do.\n"
     "kind: portal                  # only portal roles may be automated; or system, administrator\n"
     "status: active                # or inactive (switched off for now), archived (retired)\n"
     "# type: partner               # employee | partner | customer | guest: only for these users\n"
     "# portals: [partners]         # only for users with one of these portals\n"
     "# assigned-when:              # derived: as long as the profile says so; one entry is enough\n"
     "#   - group: certified\n"
     "#   - when: { user.attributes.tier: gold }\n"},
    {"channel", "channels",
     "channel: NAME                 # notify tasks name it\n"
     "kind: log\n"
     "description: Who reads it.\n"},
    {"test", "tests", NULL /* test_template writes it */},
};

static const struct kind *kind_find(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(kinds[i].name, name) == 0)
      return &kinds[i];
  return NULL;
}

struct names {
  const char *mark;
  struct wm_text text;
};

/* The text with every mark replaced. */
static void fill(const char *text, const struct names *names, size_t count, struct wm_buf *ret) {
  while (*text) {
    size_t i = 0;
    while (i < count && strncmp(text, names[i].mark, strlen(names[i].mark)) != 0)
      i++;
    if (i == count) {
      wm_buf_add_char(ret, *text++);
      continue;
    }
    wm_buf_add_text(ret, names[i].text);
    text += strlen(names[i].mark);
  }
}

/* A role that an automation may give, so that the template works as it is. */
static struct wm_text usable_role(const struct wm_workspace *workspace) {
  for (size_t i = 0; workspace && i < workspace->role_count; i++) {
    const struct wm_role *role = &workspace->roles[i];
    if (role->kind == WM_ROLE_PORTAL && role->status == WM_ROLE_ACTIVE && !role->managed)
      return role->name;
  }
  return WM_NO_TEXT;
}

/* Where the workspace has one of this kind and name already; NULL: nowhere. */
static const struct wm_text *find_taken(const struct wm_workspace *workspace, const struct kind *kind,
                                        struct wm_text name) {
  const struct wm_automation *automation = workspace ? wm_workspace_automation(workspace, name) : NULL;
  const struct wm_role *role = workspace ? wm_workspace_role(workspace, name) : NULL;
  const struct wm_channel *channel = workspace ? wm_workspace_channel(workspace, name) : NULL;
  if (strcmp(kind->name, "automation") == 0)
    return automation ? &automation->file : NULL;
  if (strcmp(kind->name, "role") == 0)
    return role ? &role->file : NULL;
  if (strcmp(kind->name, "channel") == 0)
    return channel ? &channel->file : NULL;
  for (size_t i = 0; workspace && i < workspace->case_count; i++)
    if (wm_text_equal(workspace->cases[i].name, name))
      return &workspace->cases[i].file;
  return NULL;
}

/* Makes a folder unless it is there. */
static int make_folder(const char *path) {
  if (mkdir(path, 0777) < 0 && errno != EEXIST)
    return say(EXIT_USAGE, "can't make the folder '%s': %s", path, strerror(errno));
  return EXIT_FINE;
}

/* Never over a file that is there. */
static int write_new(const char *path, const struct wm_buf *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST)
    return say(EXIT_USAGE, "'%s' is there already", path);
  if (fd < 0)
    return say(EXIT_USAGE, "can't write '%s': %s", path, strerror(errno));
  ssize_t written = write(fd, text->bytes, text->size);
  if (close(fd) < 0 || written != (ssize_t)text->size)
    return say(EXIT_OUTSIDE, "can't write all of '%s'", path);
  puts(path);
  return EXIT_FINE;
}

/* What is missing for the new automation to work is said, not made. */
static void hint(const char *folder, const char *missing, const char *name) {
  fprintf(stderr, "waymark: the workspace has no %s to use yet: make it with 'waymark new %s %s -C %s'\n", missing,
          missing, name, folder);
}

static int write_kind(const char *folder, const struct kind *kind, const char *name) {
  struct loaded loaded = {0};
  struct wm_error error = {0};
  struct wm_buf text = WM_BUF_INIT;
  char *path = NULL, *below = NULL;
  int exit_code = EXIT_FINE;
  if (files_load(folder, SETTINGS_OFFLINE, &loaded, &error) < 0) {
    exit_code = say_error(EXIT_USAGE, &error);
    goto out;
  }
  const struct wm_text *taken = find_taken(loaded.workspace, kind, wm_text_of(name));
  if (taken) {
    exit_code = say(EXIT_USAGE, "the %s '%s' is in '%.*s' already", kind->name, name, WM_TEXT_ARG(*taken));
    goto out;
  }
  struct wm_text role = usable_role(loaded.workspace);
  struct wm_text channel = WM_NO_TEXT;
  if (loaded.workspace && loaded.workspace->channel_count > 0)
    channel = loaded.workspace->channels[0].name;
  const struct names names[] = {
      {"NAME", wm_text_of(name)},
      {"ROLE", role.bytes ? role : WM_TEXT("certified-partner")},
      {"CHANNEL", channel.bytes ? channel : WM_TEXT("partner-mail")},
  };
  if (kind->text)
    fill(kind->text, names, sizeof names / sizeof names[0], &text);
  else
    test_template(&loaded, wm_text_of(name), &text);
  if (text.failed || asprintf(&below, "%s/%s", folder, kind->folder) < 0 ||
      asprintf(&path, "%s/%s.yaml", below, name) < 0) {
    exit_code = say_memory();
    goto out;
  }
  exit_code = make_folder(below);
  if (exit_code == EXIT_FINE)
    exit_code = write_new(path, &text);
  if (exit_code == EXIT_FINE && kind == kind_find("automation")) {
    if (!role.bytes)
      hint(folder, "role", "certified-partner");
    if (!channel.bytes)
      hint(folder, "channel", "partner-mail");
  }
out:
  free(path);
  free(below);
  wm_buf_release(&text);
  files_unload(&loaded);
  return exit_code;
}

/* -C may name a folder that is to become a workspace. */
static int make_workspace(const char *folder) {
  static const char settings[] = "# The settings of this workspace; all of them have defaults.\n"
                                 "kafka: { bootstrap: \"localhost:9092\" }\n"
                                 "redis: { address: \"localhost:6379\" }\n";
  struct stat status;
  if (stat(folder, &status) == 0)
    return EXIT_FINE;
  int exit_code = make_folder(folder);
  char *path = NULL;
  if (exit_code != EXIT_FINE)
    return exit_code;
  struct wm_buf text = WM_BUF_INIT;
  wm_buf_add_string(&text, settings);
  exit_code = text.failed || asprintf(&path, "%s/waymark.yaml", folder) < 0 ? say_memory() : write_new(path, &text);
  wm_buf_release(&text);
  free(path);
  return exit_code;
}

static int run(const struct invocation *invocation) {
  const struct kind *kind = kind_find(options_argument(&invocation->options, 0));
  const char *name = options_argument(&invocation->options, 1);
  const char *option = options_value(&invocation->options, "workspace");
  struct wm_error error = {0};
  if (!wm_text_is_name(wm_text_of(name)))
    return say(EXIT_USAGE, "'%s' is no name: lower case letters, digits and '-', at most 63, not '-' first", name);
  if (strcmp(kind->name, "automation") == 0 && strcmp(name, "manual") == 0)
    return say(EXIT_USAGE, "'manual' can't be the name of an automation: it stands for assignments by hand");
  if (option && make_workspace(option) != EXIT_FINE)
    return EXIT_USAGE;
  char *folder = files_find_workspace(NULL, option, &error);
  int exit_code = folder ? write_kind(folder, kind, name) : say_error(EXIT_USAGE, &error);
  free(folder);
  return exit_code;
}

static const struct option options[] = {OPTION_WORKSPACE, {0}};

const struct command command_new = {
    .name = "new",
    .arguments = "automation|role|channel|test NAME",
    .summary = "a filled template to edit",
    .options = options,
    .help =
        "Writes a new file into the workspace, for example automations/NAME.yaml, and prints its path. Never writes\n"
        "over a file that is there, nor makes a name twice. A folder that -C names and that is not there becomes a\n"
        "workspace.\n\n"
        "  waymark new automation certified-partner -C my-workspace",
    .run = run,
};

/* waymark verify: is Redis what the log says? */
#include <signal.h>
#include <stdlib.h>

#include "core/running.h"
#include "tools/lib/say.h"
#include "tools/roles/roles_control.h"
#include "tools/verify/verify.h"
#include "worker/kafka.h"
#include "worker/meta.h"

#define LIMIT 20
#define LIMIT_MOST 10000

static int read_number(const struct options *options, const char *name, long long least, long long most,
                       long long *ret) {
  const char *text = options_value(options, name);
  char *end;
  if (!text)
    return EXIT_FINE;
  *ret = strtoll(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || *ret < least || *ret > most)
    return say(EXIT_USAGE, "--%s: '%s' must be a number from %lld to %lld", name, text, least, most);
  return EXIT_FINE;
}

/* Which of them: a user is looked for in his home alone. */
static int read_range(const struct options *options, struct verify *verify) {
  const struct settings *settings = &verify->loaded->settings;
  const char *user = options_value(options, "user");
  long long limit = LIMIT, partition = CLIENT_ALL_PARTITIONS;
  int exit_code = read_number(options, "limit", 1, LIMIT_MOST, &limit);
  if (exit_code == EXIT_FINE)
    exit_code = read_number(options, "partition", 0, settings->kafka.partitions - 1, &partition);
  if (exit_code != EXIT_FINE)
    return exit_code;
  verify->limit = (size_t)limit;
  verify->partition = (int32_t)partition;
  if (!user)
    return EXIT_FINE;
  if (options_has(options, "partition"))
    return say(EXIT_USAGE, "--user and --partition: a user has one partition, name one of both");
  verify->user = wm_text_of(user);
  if (!wm_text_is_user_id(verify->user))
    return say(EXIT_USAGE, "--user: '%.*s' is no user id", WM_TEXT_ARG(wm_text_shown(verify->user)));
  verify->partition = kafka_home(settings->kafka.partitioner, verify->user, settings->kafka.partitions);
  return EXIT_FINE;
}

/* Role sets of another workspace than the workers have would all be called drift. */
static void tell_catalogue(struct verify *verify) {
  struct wm_error error = {0};
  struct meta_field *fields;
  struct wm_text digest = verify->loaded->workspace->catalogue_digest;
  size_t count = 0, others = 0, under_way = 0;
  if (meta_read(&verify->loaded->settings, &verify->arena, &fields, &count, &error) < 0)
    return; /* what is wrong is told by whoever reads next */
  for (size_t i = 0; i < count; i++) {
    if (!wm_text_starts_with(fields[i].name, WM_TEXT("catalogue:")))
      continue;
    bool same = wm_text_starts_with(fields[i].value, digest);
    others += !same;
    under_way += same && !wm_text_ends_with(fields[i].value, WM_TEXT(" done"));
  }
  if (others > 0)
    say(0,
        "in %zu partitions the workers follow another catalogue than this workspace has: roles that differ may come "
        "from that",
        others);
  if (under_way > 0)
    say(0, "in %zu partitions the workers still project this catalogue: roles may differ until they are done",
        under_way);
}

static int open_doors(struct verify *verify) {
  struct wm_error error = {0};
  verify->reports = calloc(verify->limit, sizeof *verify->reports);
  if (!verify->reports)
    return say_memory();
  verify->registers = registers_open(&verify->loaded->settings, &error);
  verify->client = verify->registers ? client_open(&verify->loaded->settings, &error) : NULL;
  if (!verify->client)
    return say_error(EXIT_BUG, &error);
  registers_be_thorough(verify->registers);
  return EXIT_FINE;
}

static int compare(struct verify *verify) {
  int exit_code = open_doors(verify);
  if (exit_code == EXIT_FINE)
    exit_code = verify_read_cache(verify);
  if (exit_code == EXIT_FINE)
    exit_code = verify_read_log(verify);
  if (exit_code == EXIT_FINE)
    exit_code = verify_settle(verify);
  if (exit_code == EXIT_FINE)
    exit_code = verify_tell(verify);
  verify_reports_release(verify);
  client_close(verify->client);
  registers_close(verify->registers);
  verify_slots_release(&verify->slots);
  return exit_code;
}

static int run(const struct invocation *invocation) {
  struct loaded loaded = {0};
  struct verify verify = {.loaded = &loaded, .json = options_has(&invocation->options, "json")};
  signal(SIGPIPE, SIG_IGN);
  int exit_code = workspace_open(invocation, NULL, SETTINGS_FULL, &loaded);
  if (exit_code == EXIT_BAD_NEWS)
    exit_code = EXIT_USAGE; /* 1 says that there is drift */
  if (exit_code == EXIT_FINE)
    exit_code = read_range(&invocation->options, &verify);
  if (exit_code == EXIT_FINE)
    exit_code = roles_control_follow(&loaded.settings, loaded.workspace);
  wm_arena_init(&verify.arena, 0);
  if (exit_code == EXIT_FINE)
    tell_catalogue(&verify);
  if (exit_code == EXIT_FINE)
    exit_code = compare(&verify);
  wm_arena_release(&verify.arena);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"partition", 0, "P", "only the users of this partition"},
    {"user", 0, "USER", "only this user"},
    {"limit", 0, "N", "tell so many users who differ (20)"},
    OPTION_JSON,
    {0},
};

const struct command command_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "is Redis what the log says?",
    .options = options,
    .help =
        "Compares every user in Redis with his newest register in topics.users: register, role set (as this workspace\n"
        "and the control topic have it now) and next end. Tells each partition with its numbers and a hash of both\n"
        "sides, and the first users who differ. Workers may go on meanwhile: who changes while it runs is looked at\n"
        "again, and is drift only if he stays different.\n\n"
        "Exit 0: equal, 1: drift, 2: wrong usage or an invalid workspace, 3: Kafka or Redis can't be reached.\n\n"
        "  waymark verify\n"
        "  waymark verify --user ada --json",
    .run = run,
};

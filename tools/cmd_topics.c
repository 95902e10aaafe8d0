/* waymark topics: the topics with the right partitions and clean-up policy. */
#include <stdio.h>
#include <string.h>

#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/table.h"
#include "tools/lib/ways.h"
#include "tools/topics/rehome.h"
#include "worker/topics.h"

struct telling {
  struct table table;
  bool json;
  size_t wrong, doubtful;
};

static const struct {
  const char *name;
  enum style style;
} whats[] = {
    [TOPICS_CREATED] = {"created", STYLE_GOOD},
    [TOPICS_FINE] = {"fine", STYLE_GOOD},
    [TOPICS_DOUBTFUL] = {"doubtful", STYLE_WARN},
    [TOPICS_WRONG] = {"wrong", STYLE_BAD},
};

static void print_json(const struct topics_line *line) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_string(&buf, "{\"topic\":");
  wm_buf_add_json(&buf, wm_text_of(line->topic));
  wm_buf_printf(&buf, ",\"state\":\"%s\"", whats[line->what].name);
  if (line->sentence) {
    wm_buf_add_string(&buf, ",\"text\":");
    wm_buf_add_json(&buf, wm_text_of(line->sentence));
  }
  wm_buf_add_char(&buf, '}');
  if (!buf.failed)
    puts(buf.bytes);
  wm_buf_release(&buf);
}

static void tell(void *taker, const struct topics_line *line) {
  struct telling *telling = taker;
  telling->wrong += line->what == TOPICS_WRONG;
  telling->doubtful += line->what == TOPICS_DOUBTFUL;
  if (telling->json) {
    print_json(line);
    return;
  }
  table_cell(&telling->table, STYLE_PLAIN, "%s", line->topic);
  table_cell(&telling->table, whats[line->what].style, "%s", whats[line->what].name);
  table_cell(&telling->table, STYLE_PLAIN, "%s", line->sentence ? line->sentence : "");
}

static int act(const struct invocation *invocation, const struct settings *settings) {
  static const char *const heads[] = {"TOPIC", "IS", "NOTE", NULL};
  struct wm_error error = {0};
  struct telling telling = {.json = options_has(&invocation->options, "json")};
  bool create = strcmp(options_argument(&invocation->options, 0), "create") == 0;
  char question[256];
  snprintf(question, sizeof question, "Create what is missing on %s, with %d partitions each?",
           settings->kafka.bootstrap, (int)settings->kafka.partitions);
  if (create && !options_has(&invocation->options, "yes") && !say_ask(question))
    return say(EXIT_BAD_NEWS, "nothing was done");
  table_init(&telling.table, heads);
  int result =
      create ? topics_create(settings, tell, &telling, &error) : topics_check(settings, tell, &telling, NULL, &error);
  table_print(&telling.table, stdout);
  table_release(&telling.table);
  if (result < 0)
    return say_error(error.code == WM_E_SETTING_INVALID ? EXIT_BAD_NEWS : EXIT_OUTSIDE, &error);
  return telling.wrong ? EXIT_BAD_NEWS : EXIT_FINE;
}

typedef int topics_act_fn(const struct invocation *invocation, const struct settings *settings);

static int with_settings(const struct invocation *invocation, topics_act_fn *work) {
  struct loaded loaded;
  int exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = work(invocation, &loaded.settings);
  files_unload(&loaded);
  return exit_code;
}

static int run_act(const struct invocation *invocation) {
  return with_settings(invocation, act);
}

static int run_rehome(const struct invocation *invocation) {
  return with_settings(invocation, rehome_run);
}

static const struct way ways[] = {
    {"create", "", "yes reason json", run_act},
    {"check", "", "yes reason json", run_act},
    {"rehome", "", "from dry-run leave-undecided yes reason json", run_rehome},
    {0},
};

static int run(const struct invocation *invocation) {
  return ways_run(invocation, ways);
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"from", 0, "TOPIC", "rehome: the users topic until now"},
    {"dry-run", 0, NULL, "rehome: say what there is to do, and do nothing"},
    {"leave-undecided", 0, NULL,
     "rehome: although records of grown inputs are not decided; of users who move they fail"},
    OPTION_YES,
    OPTION_REASON,
    OPTION_JSON,
    {0},
};

const struct command command_topics = {
    .name = "topics",
    .arguments = "create|check|rehome",
    .summary = "make the topics in Kafka, look whether they are right, or give them more partitions",
    .options = options,
    .help =
        "create makes every topic of the settings that is missing, with kafka.partitions partitions and the right\n"
        "clean-up policy, and then checks all of them. What exists is never changed. check only looks.\n"
        "Exit 1 when a worker would refuse to start, 3 when Kafka can't be reached.\n\n"
        "rehome changes the number of partitions, which is the home of most users: once kafka.partitions is the new\n"
        "number and topics.users a new name, no worker runs and all records are decided, it copies the newest\n"
        "register of every user from the old users topic to his new home, compares, gives the other topics their\n"
        "partitions, tells Redis, and records the number. Killed or refused, it is run again. The guide has the\n"
        "whole procedure (deployment.md). Exit 1: something is not as it must be, and nothing was done.\n\n"
        "  waymark topics create -C /etc/waymark --yes\n"
        "  waymark topics rehome --from waymark.users --dry-run",
    .run = run,
};

#include "tools/topics/rehome.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/codec/write.h"
#include "tools/lib/say.h"
#include "worker/clock.h"
#include "worker/rebuilding.h"
#include "worker/topics.h"

#define FIRST_REGISTER 1 /* behind the birth record */

static const struct {
  const char *name;
  enum style style;
} states[] = {
    [REHOME_FINE] = {"fine", STYLE_GOOD},
    [REHOME_TO_DO] = {"to do", STYLE_NOTE},
    [REHOME_DONE] = {"done", STYLE_GOOD},
    [REHOME_WRONG] = {"wrong", STYLE_BAD},
};

void rehome_say(struct rehome *rehome, const char *what, enum rehome_state state, const char *format, ...) {
  char sentence[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  rehome->wrong += state == REHOME_WRONG;
  if (!rehome->json) {
    table_cell(&rehome->table, STYLE_PLAIN, "%s", what);
    table_cell(&rehome->table, states[state].style, "%s", states[state].name);
    table_cell(&rehome->table, STYLE_PLAIN, "%s", sentence);
    return;
  }
  struct wm_buf line = WM_BUF_INIT;
  wm_write_open(&line, WM_NO_KEY, '{');
  wm_write_string(&line, WM_KEY("what"), what);
  wm_write_string(&line, WM_KEY("state"), states[state].name);
  wm_write_string(&line, WM_KEY("text"), sentence);
  wm_write_close(&line, '}');
  wm_write_end(&line);
  if (!line.failed)
    puts(line.bytes);
  wm_buf_release(&line);
}

static int checked(const struct rehome *rehome, int exit_code) {
  return exit_code == EXIT_FINE && rehome->wrong > 0 ? EXIT_BAD_NEWS : exit_code;
}

static void take_line(void *taker, const struct topics_line *line) {
  rehome_say(taker, line->topic, line->what == TOPICS_WRONG ? REHOME_WRONG : REHOME_DONE, "%s", line->sentence);
}

/* --- what can be left as it is --- */

static int copy(struct rehome *rehome) {
  struct wm_error error = {0};
  if (topics_make(rehome->settings, take_line, rehome, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  rehome->new_topic = true;
  int exit_code = rehome_count(rehome);
  if (exit_code == EXIT_FINE)
    exit_code = rehome_copy(rehome);
  if (exit_code == EXIT_FINE && !rehome->new_incarnation[0])
    exit_code = say(EXIT_BAD_NEWS, "'%s' has no birth records", rehome->settings->topics.users);
  if (exit_code == EXIT_FINE)
    rehome_say(rehome, rehome->settings->topics.users, REHOME_DONE,
               "%zu registers, %zu of them written now; hash of both topics %016llx", rehome->users, rehome->written,
               (unsigned long long)rehome->new_hash);
  return exit_code;
}

/* --- from here on there is only forward --- */

static int grow(struct rehome *rehome) {
  struct wm_error error = {0};
  size_t left = 0;
  if (topics_grow(rehome->settings, take_line, rehome, &left, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (left > 0 && rehome->wrong == 0)
    return say(EXIT_OUTSIDE, "the brokers do not know of the new partitions yet: run this again");
  return checked(rehome, EXIT_FINE);
}

static int move_redis(struct rehome *rehome) {
  struct wm_error error = {0};
  enum rebuilding_moved moved = REBUILDING_FOREIGN;
  const char *reason = options_value(&rehome->invocation->options, "reason");
  struct rebuilding *redis = rebuilding_open(rehome->settings, &error);
  const struct rebuilding_move move = {.from = rehome->old_incarnation,
                                       .to = rehome->new_incarnation,
                                       .topic = rehome->settings->topics.users,
                                       .from_count = rehome->before,
                                       .next = FIRST_REGISTER,
                                       .reason = wm_text_of(reason),
                                       .wall_us = system_clock.wall_us(system_clock.self)};
  int failed = redis ? rebuilding_move(redis, &move, false, &moved, &error) : -1;
  rebuilding_close(redis);
  if (failed)
    return say_error(EXIT_OUTSIDE, &error);
  if (moved > REBUILDING_DONE)
    return say(EXIT_BAD_NEWS, "somebody has changed '%s:meta' in Redis meanwhile: run this again",
               rehome->settings->redis.prefix);
  rehome_say(rehome, "redis", REHOME_DONE, "%s",
             moved == REBUILDING_EMPTY ? "is empty: the workers fill it" : "is to be rebuilt by the workers");
  return EXIT_FINE;
}

static int record_number(struct rehome *rehome) {
  const struct settings *settings = rehome->settings;
  struct wm_error error = {0};
  struct wm_buf value = WM_BUF_INIT;
  wm_write_open(&value, WM_NO_KEY, '{');
  wm_write_integer(&value, WM_KEY("v"), 1);
  wm_write_integer(&value, WM_KEY("partitions"), settings->kafka.partitions);
  wm_write_string(&value, WM_KEY("partitioner"), settings->kafka.partitioner);
  wm_write_open(&value, WM_KEY("before"), '[');
  for (size_t i = 0; i < rehome->history_count; i++)
    wm_write_integer(&value, WM_NO_KEY, rehome->history[i]);
  wm_write_integer(&value, WM_NO_KEY, rehome->before);
  wm_write_close(&value, ']');
  wm_write_string(&value, WM_KEY("reason"), options_value(&rehome->invocation->options, "reason"));
  wm_write_close(&value, '}');
  wm_write_end(&value);
  const struct wm_record record = {.topic = wm_text_of(settings->topics.control),
                                   .timestamp_ms = -1,
                                   .key = WM_TEXT("partitions"),
                                   .value = {value.bytes, value.size}};
  int failed = value.failed ? wm_error_memory(&error) : sender_send(rehome->sender, &record, 1, &error);
  wm_buf_release(&value);
  if (failed)
    return say_error(EXIT_OUTSIDE, &error);
  rehome_say(rehome, settings->topics.control, REHOME_DONE, "records %d partitions", settings->kafka.partitions);
  return EXIT_FINE;
}

static int finish(struct rehome *rehome) {
  int exit_code = grow(rehome);
  if (exit_code == EXIT_FINE)
    exit_code = move_redis(rehome);
  return exit_code == EXIT_FINE ? record_number(rehome) : exit_code;
}

/* --- the command --- */

static int act(struct rehome *rehome) {
  struct wm_error error = {0};
  char id[300];
  snprintf(id, sizeof id, "waymark.%.200s.rehome", rehome->settings->kafka.group);
  if (!(rehome->sender = sender_open(rehome->settings, id, &error)))
    return say_error(EXIT_OUTSIDE, &error);
  int exit_code = copy(rehome);
  if (exit_code == EXIT_FINE)
    exit_code = checked(rehome, rehome_look_again(rehome));
  return exit_code == EXIT_FINE ? finish(rehome) : exit_code;
}

static int ask(const struct rehome *rehome) {
  char question[400];
  snprintf(question, sizeof question,
           "Give every topic %d partitions in place of %d and move %zu users? Partitions can't be taken away again.",
           (int)rehome->settings->kafka.partitions, (int)rehome->before, rehome->moved);
  if (options_has(&rehome->invocation->options, "yes") || say_ask(question))
    return EXIT_FINE;
  return say(EXIT_BAD_NEWS, "nothing was done");
}

static int decide(struct rehome *rehome) {
  int exit_code = rehome_look(rehome);
  table_print(&rehome->table, stdout);
  exit_code = checked(rehome, exit_code);
  if (exit_code != EXIT_FINE)
    return exit_code == EXIT_BAD_NEWS ? say(exit_code, "nothing was done") : exit_code;
  if (rehome->recorded)
    return say(EXIT_FINE, "it is done already: start the workers");
  if (rehome->dry_run)
    return say(EXIT_FINE, "nothing was done");
  if ((exit_code = ask(rehome)) != EXIT_FINE)
    return exit_code;
  exit_code = act(rehome);
  table_print(&rehome->table, stdout);
  if (exit_code == EXIT_FINE)
    return say(EXIT_FINE, "done: start the workers, then whoever writes to the inputs");
  return say(exit_code, "it is not finished: do what is said above and run this again, before any worker is started");
}

static int refuse_usage(const struct rehome *rehome) {
  const struct options *options = &rehome->invocation->options;
  if (!rehome->from || !rehome->from[0])
    return say(EXIT_USAGE, "--from is missing: the users topic until now");
  if (!rehome->dry_run && !options_value(options, "reason"))
    return say(EXIT_USAGE, "--reason is missing: why is it done?");
  if (strcmp(rehome->from, rehome->settings->topics.users) == 0)
    return say(EXIT_BAD_NEWS, "topics.users is still '%s': the registers need a topic with another name", rehome->from);
  return EXIT_FINE;
}

int rehome_run(const struct invocation *invocation, const struct settings *settings) {
  static const char *const heads[] = {"WHAT", "IS", "NOTE", NULL};
  const struct options *options = &invocation->options;
  struct wm_error error = {0};
  struct rehome rehome = {.invocation = invocation,
                          .settings = settings,
                          .from = options_value(options, "from"),
                          .json = options_has(options, "json"),
                          .dry_run = options_has(options, "dry-run"),
                          .leave = options_has(options, "leave-undecided")};
  int exit_code = refuse_usage(&rehome);
  if (exit_code != EXIT_FINE)
    return exit_code;
  signal(SIGPIPE, SIG_IGN);
  table_init(&rehome.table, heads);
  rehome.client = client_open(settings, &error);
  exit_code = rehome.client ? decide(&rehome) : say_error(EXIT_BUG, &error);
  sender_close(rehome.sender);
  client_close(rehome.client);
  rehome_slots_release(&rehome.slots);
  table_release(&rehome.table);
  return exit_code;
}

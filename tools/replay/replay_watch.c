#include "tools/replay/replay_watch.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "tools/lib/say.h"
#include "worker/clock.h"

#define CLOCKS_US (3600 * (int64_t)WM_SECOND_US) /* by how much the clocks of those who write may differ */

enum { LOOK_US = 1000 * 1000, SLOWEST = 10, LAG_FINE = 200, BAR_WIDTH = 24, DRAIN_MS = 500, LAST_MS = 300 };

static int64_t monotonic_us(void) {
  return system_clock.monotonic_us(system_clock.self);
}

/* Of a run that goes on, what the workers made of its beginning counts too. */
static int follow_outcomes(struct replay_watch *watch, int64_t since_us, struct wm_error *error) {
  const char *topic = watch->settings->topics.outcomes;
  return since_us ? client_follow_since(watch->outcomes, topic, (since_us - CLOCKS_US) / 1000, error)
                  : client_follow(watch->outcomes, topic, false, error);
}

int replay_watch_open(struct replay_watch *watch, const struct settings *settings, struct wm_text run, double rate,
                      int64_t since_us) {
  struct wm_error error = {0};
  *watch = (struct replay_watch){
      .settings = settings, .run = run, .wanted = rate, .rate = rate, .terminal = isatty(STDERR_FILENO)};
  wm_arena_init(&watch->arena, 0);
  watch->outcomes = client_open(settings, &error);
  watch->control = watch->outcomes ? client_open(settings, &error) : NULL;
  watch->lags = watch->control ? ranges_open(settings, &error) : NULL;
  if (!watch->lags || follow_outcomes(watch, since_us, &error) < 0 ||
      client_follow(watch->control, settings->topics.control, true, &error) < 0) /* no word is missed */
    return say_error(EXIT_OUTSIDE, &error);
  return EXIT_FINE;
}

void replay_watch_close(struct replay_watch *watch) {
  replay_watch_clear(watch);
  ranges_close(watch->lags);
  client_close(watch->control);
  client_close(watch->outcomes);
  wm_arena_release(&watch->arena);
}

/* --- outcomes so far --- */

static void count_outcome(struct replay_watch *watch, struct wm_text json) {
  struct wm_value event;
  struct wm_error error;
  if (!memmem(json.bytes, json.size, watch->run.bytes, watch->run.size)) /* most are of the live run */
    return;
  wm_arena_rewind(&watch->arena);
  if (wm_json_parse(json, &watch->arena, &event, &error) < 0)
    return;
  const struct wm_value *data = wm_value_member(&event, WM_TEXT("data"));
  const struct wm_value *tasks = wm_value_member(data, WM_TEXT("tasks"));
  if (!wm_text_equal(wm_value_text(wm_value_member(data, WM_TEXT("run"))), watch->run) || !tasks ||
      tasks->type != WM_LIST)
    return;
  watch->executions++;
  for (size_t i = 0; i < tasks->list.count; i++) {
    struct wm_text result = wm_value_text(wm_value_member(&tasks->list.items[i], WM_TEXT("result")));
    for (unsigned r = 0; r < SHOW_RESULTS; r++)
      watch->results[r] += wm_text_is(result, wm_result_name((enum wm_result)r));
  }
}

static int drain(struct replay_watch *watch, int wait_ms) {
  struct wm_error error = {0};
  struct wm_record record;
  int64_t until_us = monotonic_us() + DRAIN_MS * 1000;
  int got = 1;
  while (monotonic_us() < until_us && (got = client_next(watch->outcomes, wait_ms, &record, &error)) > 0)
    if (record.value.bytes)
      count_outcome(watch, record.value);
  watch->behind = got > 0;
  while (got >= 0 && (got = client_next(watch->control, 0, &record, &error)) > 0) {
    wm_arena_rewind(&watch->arena);
    enum replay_ask ask = replay_ask_of(&record, watch->run, &watch->arena);
    watch->ask = ask ? ask : watch->ask;
  }
  return got < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

/* --- lag --- */

static int add_lag(struct replay_watch *watch, const char *topic, int64_t *ret) {
  struct wm_error error = {0};
  int64_t lag = 0;
  if (ranges_lag(watch->lags, topic, &lag, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  *ret += lag;
  return EXIT_FINE;
}

static int ask_lags(struct replay_watch *watch) {
  const struct settings *settings = watch->settings;
  int64_t live = 0, replay = 0;
  int exit_code = add_lag(watch, settings->topics.replay, &replay);
  for (size_t i = 0; i < settings->topics.event_count && exit_code == EXIT_FINE; i++)
    exit_code = add_lag(watch, settings->topics.events[i], &live);
  if (exit_code == EXIT_FINE)
    exit_code = add_lag(watch, settings->topics.directory, &live);
  if (exit_code == EXIT_FINE)
    exit_code = add_lag(watch, settings->topics.requests, &live);
  if (exit_code != EXIT_FINE)
    return exit_code;
  watch->grows = live > LAG_FINE && live > watch->live_lag;
  watch->live_lag = live;
  watch->replay_lag = replay;
  return EXIT_FINE;
}

/* Half of what really went, while the live topics fall behind; else back to what was asked for, step by step. */
static void set_rate(struct replay_watch *watch, const struct replay_run *run) {
  int64_t now_us = monotonic_us();
  double fastest = watch->wanted > 0 ? watch->wanted : 1e6;
  double rate = watch->rate > 0 ? watch->rate : fastest;
  double went =
      watch->looked_us ? (double)(run->sent - watch->looked_sent) * 1e6 / (double)(now_us - watch->looked_us) : 0;
  if (watch->grows)
    rate = (went > 0 && went < rate ? went : rate) / 2;
  else
    rate *= 1.25;
  double slowest = fastest < 4 * SLOWEST ? fastest / 4 : SLOWEST;
  watch->rate = rate > fastest ? fastest : rate < slowest ? slowest : rate;
  watch->went = watch->went > 0 ? 0.7 * watch->went + 0.3 * went : went;
  watch->looked_sent = run->sent;
  watch->looked_us = now_us;
}

/* --- progress --- */

static size_t columns(void) {
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

/* How fast it really goes, and how long that takes; before it has gone for a second, how fast it may go. */
static void add_pace(const struct replay_watch *watch, const struct replay_run *run, struct wm_buf *line) {
  double pace = watch->went > 0 ? watch->went : watch->wanted;
  size_t left = run->sent < run->planned ? run->planned - run->sent : 0;
  if (pace <= 0)
    return;
  size_t seconds = (size_t)((double)left / pace);
  wm_buf_printf(line, ", %.*f/s, %zu:%02zu left", pace < 10 ? 1 : 0, pace, seconds / 60, seconds % 60);
}

/* One line, cut where the terminal ends: what is longer could not be drawn over. */
static void draw(const struct replay_watch *watch, const struct replay_run *run) {
  struct wm_buf line = WM_BUF_INIT;
  size_t width = columns(), bar = width < 120 ? BAR_WIDTH / 2 : BAR_WIDTH;
  double part = run->planned ? (double)run->sent / (double)run->planned : 1;
  size_t filled = (size_t)((part > 1 ? 1 : part) * (double)bar);
  wm_buf_printf(&line, "%s [", watch->ask == ASK_PAUSE ? "paused" : "replaying");
  for (size_t i = 0; i < bar; i++)
    wm_buf_add_char(&line, i < filled ? '#' : '.');
  wm_buf_printf(&line, "] %zu of %zu", run->sent, run->planned);
  add_pace(watch, run, &line);
  wm_buf_printf(&line, ", live lag %lld, changed %zu, failed %zu, unchanged %zu", (long long)watch->live_lag,
                watch->results[WM_RESULT_CHANGED], watch->results[WM_RESULT_FAILED],
                watch->results[WM_RESULT_UNCHANGED]);
  if (!line.failed)
    fprintf(stderr, "\r\033[K%.*s", (int)(line.size < width ? line.size : width - 1), line.bytes);
  wm_buf_release(&line);
}

void replay_watch_clear(struct replay_watch *watch) {
  if (watch->terminal)
    fputs("\r\033[K", stderr);
}

int replay_watch_look(struct replay_watch *watch, const struct replay_run *run, bool now) {
  if (!now && monotonic_us() < watch->next_us)
    return EXIT_FINE;
  int exit_code = drain(watch, 0);
  if (exit_code == EXIT_FINE)
    exit_code = ask_lags(watch);
  if (exit_code == EXIT_FINE)
    set_rate(watch, run);
  if (exit_code == EXIT_FINE && watch->terminal)
    draw(watch, run);
  watch->next_us = monotonic_us() + LOOK_US;
  return exit_code;
}

int replay_watch_finish(struct replay_watch *watch) {
  struct wm_error error = {0};
  size_t before;
  int exit_code = EXIT_FINE;
  if (client_settle(watch->outcomes, watch->settings->topics.outcomes, CLIENT_ALL_PARTITIONS, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  do {
    before = watch->executions;
    exit_code = drain(watch, LAST_MS);
  } while (exit_code == EXIT_FINE && (watch->behind || watch->executions > before));
  return exit_code;
}

/* waymark top: a live screen of one or several workers, or one screen after the other where there is no terminal. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/moment.h"
#include "tools/command.h"
#include "tools/lib/files.h"
#include "tools/lib/http_get.h"
#include "tools/lib/say.h"
#include "tools/lib/table.h"
#include "tools/top/asker.h"
#include "tools/top/screen.h"
#include "tools/top/terminal.h"
#include "worker/clock.h"

#define WORKERS 64
#define EVERY_US WM_SECOND_US
#define EVERY_LEAST_US (WM_SECOND_US / 10)
#define EVERY_MOST_US (3600 * WM_SECOND_US)
#define DRAW_US (WM_SECOND_US / 4) /* so long a live screen waits for those that have not answered */

struct top {
  struct terminal terminal;
  struct watched workers[WORKERS];
  struct asker *askers[WORKERS];
  size_t count;
  int64_t every_us;
  int64_t screens; /* to be shown; 0: no end */
  int wake_fd;
  enum screen_order order;
  bool paused, over, broken; /* broken: stdout takes nothing any more */
  struct wm_buf text;
};

static int64_t now_us(void) {
  return system_clock.monotonic_us(system_clock.self);
}

/* --- what the workers say --- */

/* A fresh answer. Rates go by the last two that differ: a loop makes what it shows once a second, whatever the pace. */
static void take_look(struct watched *worker, struct look *fresh) {
  struct look *last = worker->now;
  worker->now = fresh;
  if (look_is_heard(last) && look_is_heard(fresh) && fresh->time_us <= last->time_us && fresh->time_us >= 0) {
    look_free(last);
    return;
  }
  worker->moved_us = fresh->heard_us;
  look_free(worker->before);
  worker->before = last;
}

static void take_looks(struct top *top) {
  for (size_t i = 0; i < top->count; i++) {
    struct look *fresh = asker_take(top->askers[i]);
    if (fresh)
      take_look(&top->workers[i], fresh);
  }
}

static void ask(struct top *top) {
  for (size_t i = 0; i < top->count; i++)
    if (!asker_is_busy(top->askers[i]))
      asker_ask(top->askers[i]);
}

static bool all_answered(struct top *top) {
  bool all = true;
  for (size_t i = 0; i < top->count; i++) {
    top->workers[i].late = asker_is_busy(top->askers[i]);
    all = all && !top->workers[i].late;
  }
  return all;
}

/* --- the screen --- */

static void draw(struct top *top) {
  struct screen screen = {
      .workers = top->workers,
      .count = top->count,
      .wall_us = system_clock.wall_us(system_clock.self),
      .monotonic_us = now_us(),
      .order = top->order,
      .paused = top->paused,
      .keyed = top->terminal.keyed,
      .colours = style_wanted(stdout),
  };
  terminal_size(&top->terminal, &screen.rows, &screen.columns);
  wm_buf_clear(&top->text);
  if (screen_draw(&screen, &top->text) < 0 || !terminal_show(&top->terminal, top->text.bytes, top->text.size))
    top->over = top->broken = true;
}

static void press(struct top *top, char key) {
  top->over = top->over || key == 'q' || key == 'Q';
  if (key == 'p' || key == 'P' || key == ' ')
    top->paused = !top->paused;
  if (key == 's' || key == 'S')
    top->order = (enum screen_order)((top->order + 1) % SCREEN_ORDERS);
}

/* Waits for the next thing and follows it. False: the time is over. */
static bool follow(struct top *top, int64_t until_us) {
  int64_t left_us = until_us - now_us();
  if (left_us <= 0 || top->over)
    return false;
  switch (terminal_wait(&top->terminal, left_us)) {
  case TERMINAL_TIME:
    break;
  case TERMINAL_WOKEN:
    take_looks(top);
    break;
  case TERMINAL_KEYS_TYPED:
    for (size_t i = 0; i < top->terminal.key_count; i++)
      press(top, top->terminal.keys[i]);
    draw(top);
    break;
  case TERMINAL_RESIZE:
    if (top->terminal.live)
      draw(top);
    break;
  case TERMINAL_END:
    top->over = true;
    break;
  }
  return !top->over;
}

/* Asks, and waits until all have answered; a live screen does not wait long for some. */
static void ask_round(struct top *top, int64_t began_us) {
  int64_t patience_us = top->terminal.live ? DRAW_US : 60 * WM_SECOND_US;
  ask(top);
  while (!all_answered(top) && follow(top, began_us + patience_us)) {
  }
  take_looks(top);
}

static void run_screens(struct top *top) {
  if (!top->terminal.live) { /* rates need two answers: the first screen comes when there are */
    int64_t began_us = now_us();
    ask_round(top, began_us);
    while (follow(top, began_us + top->every_us)) {
    }
  }
  int64_t shown = 0;
  while (!top->over) {
    int64_t began_us = now_us();
    if (!top->paused) {
      ask_round(top, began_us);
      if (top->over)
        break;
      if (shown++ > 0 && !top->terminal.live)
        terminal_show(&top->terminal, "\n", 1);
      draw(top);
      if (shown == top->screens)
        break;
    }
    while (follow(top, began_us + top->every_us)) {
    }
  }
}

/* --- beginning and end --- */

static int start(struct top *top) {
  top->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (top->wake_fd < 0)
    return say(EXIT_BUG, "no eventfd: %s", strerror(errno));
  if (terminal_open(&top->terminal, top->wake_fd) < 0) {
    close(top->wake_fd);
    return say(EXIT_BUG, "no signalfd: %s", strerror(errno));
  }
  int exit_code = EXIT_FINE;
  for (size_t i = 0; exit_code == EXIT_FINE && i < top->count; i++) {
    top->askers[i] = asker_start(top->workers[i].url, top->wake_fd);
    if (!top->askers[i])
      exit_code = EXIT_BUG;
  }
  if (exit_code == EXIT_FINE)
    run_screens(top);
  int why = errno;
  terminal_close(&top->terminal);
  for (size_t i = 0; i < top->count; i++)
    asker_stop(top->askers[i]);
  close(top->wake_fd);
  return exit_code == EXIT_FINE ? exit_code : say(exit_code, "no thread for a worker: %s", strerror(why));
}

/* Of the last screen, when it was not a person who ended it. */
static int judge(const struct top *top) {
  size_t heard = 0, ready = 0;
  for (size_t i = 0; i < top->count; i++) {
    const struct look *now = top->workers[i].now;
    heard += look_is_heard(now);
    ready += look_is_heard(now) && look_truth(now, "ready");
  }
  return heard == 0 ? EXIT_OUTSIDE : ready < top->count ? EXIT_BAD_NEWS : EXIT_FINE;
}

/* Ends by the signal that asked for it, so that the shell knows; the terminal is as it was. */
static void end_by(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int watch(struct top *top) {
  int exit_code = start(top);
  if (exit_code == EXIT_FINE && top->broken)
    exit_code = say(EXIT_OUTSIDE, "can't write to standard output");
  else if (exit_code == EXIT_FINE && !top->over)
    exit_code = judge(top);
  int number = top->terminal.signal;
  if (number != 0 && number != SIGINT)
    end_by(number);
  return exit_code;
}

/* --- what was asked for --- */

static int add_url(struct top *top, const char *url) {
  if (!http_get_is_url(url))
    return say(EXIT_USAGE, "'%s' is no URL of a worker: http://HOST:PORT", url);
  if (top->count == WORKERS)
    return say(EXIT_USAGE, "more than %d workers do not fit on a screen", WORKERS);
  top->workers[top->count++].url = url;
  return EXIT_FINE;
}

/* "http://a:1,http://b:2": cut in place. */
static int add_urls(struct top *top, char *urls) {
  int exit_code = EXIT_FINE;
  char *rest = NULL;
  for (char *url = strtok_r(urls, ", ", &rest); url && exit_code == EXIT_FINE; url = strtok_r(NULL, ", ", &rest))
    exit_code = add_url(top, url);
  return exit_code;
}

static int read_count(const struct options *options, int64_t *ret) {
  const char *text = options_value(options, "count");
  char *end = NULL;
  *ret = options_has(options, "once") ? 1 : 0;
  if (!text)
    return EXIT_FINE;
  errno = 0;
  *ret = strtoll(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || *ret < 1)
    return say(EXIT_USAGE, "--count '%s' is no number of screens: 1 or more", text);
  return EXIT_FINE;
}

static int read_pace(const struct options *options, struct top *top) {
  const char *text = options_value(options, "every");
  char *end = NULL;
  double seconds;
  top->every_us = EVERY_US;
  int exit_code = read_count(options, &top->screens);
  if (exit_code != EXIT_FINE || !text || wm_duration_parse(wm_text_of(text), &top->every_us))
    seconds = (double)top->every_us / 1e6;
  else {
    seconds = strtod(text, &end);
    if (end == text || *end != '\0')
      return say(EXIT_USAGE, "--every '%s' is no time: seconds (0.5), or a number and s, m or h (5s)", text);
  }
  if (!(seconds >= EVERY_LEAST_US / 1e6 && seconds <= EVERY_MOST_US / 1e6))
    return say(EXIT_USAGE, "--every must be 0.1 seconds to 1 hour");
  top->every_us = (int64_t)(seconds * 1e6);
  return exit_code;
}

static int watch_urls(struct top *top, const struct options *options) {
  const char *given = options_value(options, "url");
  char *urls = strdup(given ? given : "");
  int exit_code = urls ? add_urls(top, urls) : say_memory();
  for (size_t i = 0; exit_code == EXIT_FINE && options->arguments[i]; i++)
    exit_code = add_url(top, options->arguments[i]);
  if (exit_code == EXIT_FINE && top->count == 0)
    exit_code = say(EXIT_USAGE, "--url names no worker: http://HOST:PORT");
  if (exit_code == EXIT_FINE)
    exit_code = watch(top);
  free(urls);
  return exit_code;
}

/* The worker of the workspace. */
static int watch_own(struct top *top, const struct invocation *invocation) {
  struct loaded loaded;
  char room[HTTP_GET_URL];
  int exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_BAD_NEWS)
    exit_code = EXIT_USAGE; /* 1 says that a worker is not ready */
  const char *url = exit_code == EXIT_FINE ? http_get_listener(loaded.settings.http_listen, room, sizeof room) : NULL;
  if (exit_code == EXIT_FINE && !url)
    exit_code = say(EXIT_USAGE, "'http.listen' names no port to ask a worker at: say which, http://HOST:PORT");
  if (exit_code == EXIT_FINE)
    exit_code = add_url(top, url);
  if (exit_code == EXIT_FINE)
    exit_code = watch(top);
  files_unload(&loaded);
  return exit_code;
}

static int run(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct top *top = calloc(1, sizeof *top);
  if (!top)
    return say_memory();
  signal(SIGPIPE, SIG_IGN);
  int exit_code = read_pace(options, top);
  if (exit_code == EXIT_FINE && (options->arguments[0] || options_has(options, "url")))
    exit_code = watch_urls(top, options);
  else if (exit_code == EXIT_FINE)
    exit_code = watch_own(top, invocation);
  for (size_t i = 0; i < top->count; i++) {
    look_free(top->workers[i].now);
    look_free(top->workers[i].before);
  }
  wm_buf_release(&top->text);
  free(top);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE,
    {"url", 0, "URL", "a worker, or several with commas; the same as arguments"},
    {"every", 0, "TIME", "from one screen to the next: seconds, or 5s, 1m (default 1)"},
    {"count", 0, "N", "ends after so many screens"},
    {"once", 0, NULL, "one screen, as --count 1"},
    {0},
};

const struct command command_top = {
    .name = "top",
    .arguments = "[URL...]",
    .summary = "a live screen of one or several workers: state, rates, times, failures, lag, alarms",
    .options = options,
    .help =
        "Asks each worker over HTTP, once a second, and shows what came in between: events and tasks a second,\n"
        "failures by code, how long things take (half of them, 99 of 100), the partitions that are furthest behind.\n"
        "Without a URL it is the worker at http.listen of the workspace. A worker that does not answer, or says\n"
        "nonsense, stands there as that.\n\n"
        "Keys: q quits, p pauses and goes on, s sorts the partitions by lag, by growth or by topic.\n\n"
        "Where stdout is no terminal, each screen is printed below the one before, the first when there are two\n"
        "answers to compare. Exit of --count and --once: 0: all are ready or stand by; 1: some are not, or do not\n"
        "answer; 3: none answers.\n\n"
        "  waymark top -C /etc/waymark\n"
        "  waymark top http://worker-1:9464 http://worker-2:9464\n"
        "  waymark top --url http://worker-2:9464 --every 10s --count 6 > minute.txt",
    .run = run,
};

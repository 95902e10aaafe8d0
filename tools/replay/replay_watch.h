/* While a replay is sent: what the workers make of it, how far they are behind with the live topics, and how fast the
 * next copies may go. */
#ifndef WM_TOOLS_REPLAY_WATCH_H
#define WM_TOOLS_REPLAY_WATCH_H

#include "tools/lib/show.h"
#include "tools/replay/replay_control.h"
#include "worker/client.h"

struct replay_watch {
  const struct settings *settings;
  struct wm_text run;
  struct client *outcomes, *control; /* followed */
  struct ranges *lags;
  struct wm_arena arena;
  size_t results[SHOW_RESULTS]; /* of this run's tasks */
  size_t executions;
  int64_t live_lag, replay_lag;
  double wanted, rate; /* copies a second; wanted 0: as fast as they go */
  double went;         /* how many really went, lately */
  enum replay_ask ask;
  bool behind; /* there were more outcomes than a look had time for */
  bool grows;  /* the live lag, at the last look */
  bool terminal;
  int64_t next_us;
  size_t looked_sent; /* of the run, when it was looked at last */
  int64_t looked_us;
};

/* 'since_us': when the run began, 0: it begins now. EXIT_FINE, or told. Close in any case. */
int replay_watch_open(struct replay_watch *watch, const struct settings *settings, struct wm_text run, double rate,
                      int64_t since_us);
void replay_watch_close(struct replay_watch *watch);

/* Looks at everything, at most once a second ('now': at once), and draws the progress. EXIT_FINE, or told. */
int replay_watch_look(struct replay_watch *watch, const struct replay_run *run, bool now);

/* Once the workers have passed all of the run: counts what they did to the last task. EXIT_FINE, or told. */
int replay_watch_finish(struct replay_watch *watch);

/* Takes the line of progress away. */
void replay_watch_clear(struct replay_watch *watch);

#endif

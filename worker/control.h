/* Following waymark.control: what was switched off or archived at run time is known before anything is decided, and
 * what is said later counts from the next batch on. Brokers that are away leave things as they are known. */
#ifndef WM_WORKER_CONTROL_H
#define WM_WORKER_CONTROL_H

#include "core/arena.h"
#include "core/running.h"

struct loop;

struct control {
  struct wm_running running;
  bool known;   /* all is read that stood there when it was last asked for */
  bool asked;   /* 'end' is known */
  bool pending; /* something was said that the workspace does not know yet */
  int64_t position, end;
  int64_t next_us; /* monotonic: not looked at before */
  int64_t deaf_us; /* monotonic: that it can't be read is not said again before */
  struct wm_arena arena;
};

void control_init(struct control *control);
void control_release(struct control *control);

/* Nothing is decided for what is taken over now until the topic is read to its present end once more. */
void control_ask(struct loop *loop);

/* Reads what is there, within bounds. True: there is more to do at once. */
bool control_step(struct loop *loop);

/* Is all known that stood there when it was last asked for, and does the workspace follow it? Before, no partition may
 * become live. */
bool control_is_followed(const struct loop *loop);

/* Lays what is known over the workspace. Between two batches only. False: the loop has stopped. */
bool control_apply(struct loop *loop);

#endif

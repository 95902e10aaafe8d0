#include "tools/lib/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "worker/clock.h"

#define BAR_WIDTH 30
#define STEP_US 100000

static int64_t now_us(void) {
  return system_clock.wall_us(system_clock.self);
}

void progress_begin(struct progress *progress, const char *what, size_t total) {
  bool wanted = isatty(STDERR_FILENO);
  *progress = (struct progress){.wanted = wanted, .what = what, .total = total, .last_us = now_us()};
}

static void draw(struct progress *progress, size_t done) {
  char bar[BAR_WIDTH + 1] = "";
  if (progress->total == 0) {
    fprintf(stderr, "\r\033[K%s  %zu", progress->what, done);
    return;
  }
  size_t part = done < progress->total ? done : progress->total;
  size_t filled = (size_t)((double)part / (double)progress->total * BAR_WIDTH);
  for (size_t i = 0; i < BAR_WIDTH; i++)
    bar[i] = i < filled ? '#' : '.';
  fprintf(stderr, "\r\033[K%s [%s] %3zu %%", progress->what, bar,
          (size_t)((double)part / (double)progress->total * 100));
}

void progress_set(struct progress *progress, size_t done) {
  if (!progress->wanted || ++progress->calls % 64 != 0)
    return;
  int64_t now = now_us();
  if (now - progress->last_us < STEP_US)
    return;
  progress->last_us = now;
  progress->shown = true;
  draw(progress, done);
}

void progress_end(struct progress *progress) {
  if (progress->shown)
    fputs("\r\033[K", stderr);
  progress->shown = false;
}

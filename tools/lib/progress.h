/* A line on stderr that tells how far a long work is; nothing when stderr is no terminal. */
#ifndef WM_TOOLS_PROGRESS_H
#define WM_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
  bool wanted, shown;
  const char *what; /* "reading" */
  size_t total;     /* 0: not known, then only what was done is told */
  size_t calls;
  int64_t last_us; /* when the line was drawn last */
};

/* Begins a work of 'total' parts. Draws nothing yet: what is done in no time needs no line. */
void progress_begin(struct progress *progress, const char *what, size_t total);

/* 'done' of them are done. Cheap: draws ten times a second at most. */
void progress_set(struct progress *progress, size_t done);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif

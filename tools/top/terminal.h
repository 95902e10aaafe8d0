/* The terminal as a live screen: the alternate screen without a cursor, keys one by one, signals as values. Whatever
 * ends the program gives the terminal back as it was (but SIGKILL). */
#ifndef WM_TOOLS_TOP_TERMINAL_H
#define WM_TOOLS_TOP_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happened while the caller waited. */
enum terminal_event {
  TERMINAL_TIME,       /* the time is over */
  TERMINAL_WOKEN,      /* the wake fd was written to */
  TERMINAL_KEYS_TYPED, /* see 'keys' */
  TERMINAL_RESIZE,     /* the size is another one, or the program goes on after a stop */
  TERMINAL_END         /* a signal that ends programs came, or the terminal is gone */
};

#define TERMINAL_KEYS 64

struct terminal {
  bool live;      /* stdout is a terminal that knows escapes */
  bool keyed;     /* stdin gives keys */
  int signals_fd; /* a signalfd */
  int wake_fd;    /* borrowed */
  int signal;     /* of TERMINAL_END; 0: none */
  char keys[TERMINAL_KEYS];
  size_t key_count; /* of TERMINAL_KEYS_TYPED; those without a letter are left out */
};

/* Takes the terminal over, if stdout is one; blocks the signals that it hears as values, before any thread is started.
 * -1: errno. */
int terminal_open(struct terminal *terminal, int wake_fd);
void terminal_close(struct terminal *terminal);

/* Waits 'timeout_us' at most for the next thing. */
enum terminal_event terminal_wait(struct terminal *terminal, int64_t timeout_us);

/* Rows and columns; without a terminal: no end (SIZE_MAX). */
void terminal_size(const struct terminal *terminal, size_t *ret_rows, size_t *ret_columns);

/* Shows 'text', lines of which each has its end: live in place of what is there (then they have to be fewer than the
 * rows), else below it. False: nobody takes it any more. */
bool terminal_show(const struct terminal *terminal, const char *text, size_t size);

#endif

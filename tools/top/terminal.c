/* Ordinary signals come through a signalfd, so that the screen is left in one place. What can't wait (a failed
 * assertion, a crash) gives the terminal back in a handler and lets the handler before it go on. */
#include "tools/top/terminal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "core/buf.h"

#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

#define STOPS 100

static const int heard[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
#define FATAL_COUNT (sizeof fatal / sizeof *fatal)

/* What a handler of a fatal signal needs: a handler gets nothing passed. */
static struct termios found;
static struct sigaction before[FATAL_COUNT];
static volatile sig_atomic_t entered, has_mode;

static bool write_all(const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t got = write(STDOUT_FILENO, bytes, size);
    if (got < 0 && errno == EAGAIN) {
      struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};
      poll(&wait, 1, 1000);
    } else if (got < 0 && errno != EINTR) {
      return false;
    }
    bytes += got > 0 ? got : 0;
    size -= got > 0 ? (size_t)got : 0;
  }
  return true;
}

/* Only what a signal handler may call. */
static void leave(void) {
  if (!entered)
    return;
  entered = 0;
  write_all(LEAVE, sizeof LEAVE - 1);
  if (has_mode)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &found);
}

static void on_fatal(int number) {
  leave();
  for (size_t i = 0; i < FATAL_COUNT; i++)
    if (fatal[i] == number)
      sigaction(number, &before[i], NULL);
  raise(number);
}

/* In the background a change of the terminal stops the process again and again, whatever signal waits to be heard: so
 * it stops here, where signals that end it still do. An orphan can't be stopped, and goes on. */
static void wait_for_foreground(void) {
  static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  sigset_t set, blocked;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
    sigaddset(&set, ending[i]);
  for (int tries = 0; tries < STOPS && tcgetpgrp(STDIN_FILENO) > 0 && tcgetpgrp(STDIN_FILENO) != getpgrp(); tries++) {
    pthread_sigmask(SIG_UNBLOCK, &set, &blocked);
    raise(SIGTTOU);
    pthread_sigmask(SIG_SETMASK, &blocked, NULL);
  }
}

static void enter(const struct terminal *terminal) {
  if (!terminal->live)
    return;
  if (terminal->keyed)
    wait_for_foreground();
  has_mode = terminal->keyed && tcgetattr(STDIN_FILENO, &found) == 0;
  if (has_mode) {
    struct termios mode = found;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode);
  }
  entered = 1;
  write_all(ENTER, sizeof ENTER - 1);
}

static void catch_fatal(void) {
  struct sigaction action = {.sa_handler = on_fatal, .sa_flags = SA_NODEFER};
  for (size_t i = 0; i < FATAL_COUNT; i++)
    sigaction(fatal[i], &action, &before[i]);
}

static void set_of(sigset_t *ret) {
  sigemptyset(ret);
  for (size_t i = 0; i < sizeof heard / sizeof *heard; i++)
    sigaddset(ret, heard[i]);
}

int terminal_open(struct terminal *terminal, int wake_fd) {
  const char *term = getenv("TERM");
  sigset_t set;
  set_of(&set);
  *terminal = (struct terminal){.wake_fd = wake_fd};
  terminal->live = isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
  terminal->keyed = terminal->live && isatty(STDIN_FILENO);
  terminal->signals_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (terminal->signals_fd < 0)
    return -1;
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (terminal->live)
    catch_fatal();
  enter(terminal);
  return 0;
}

void terminal_close(struct terminal *terminal) {
  leave();
  for (size_t i = 0; terminal->live && i < FATAL_COUNT; i++)
    sigaction(fatal[i], &before[i], NULL);
  close(terminal->signals_fd);
}

/* --- what happens --- */

static enum terminal_event take_signal(struct terminal *terminal) {
  struct signalfd_siginfo info;
  if (read(terminal->signals_fd, &info, sizeof info) != sizeof info)
    return TERMINAL_TIME;
  int number = (int)info.ssi_signo;
  if (number == SIGWINCH || number == SIGCONT)
    return TERMINAL_RESIZE;
  if (number == SIGTSTP) {
    leave();
    raise(SIGSTOP); /* until somebody continues it */
    enter(terminal);
    return TERMINAL_RESIZE;
  }
  terminal->signal = number;
  return TERMINAL_END;
}

/* How many bytes of 'typed' the name of a key takes that means nothing here: an escape, and what follows it. */
static size_t escape_size(const char *typed, size_t size) {
  size_t at = 1;
  if (at == size || (typed[at] != '[' && typed[at] != 'O'))
    return at;
  for (at++; at < size && !(typed[at] >= '@' && typed[at] <= '~'); at++) {
  }
  return at < size ? at + 1 : size;
}

static enum terminal_event take_keys(struct terminal *terminal) {
  char typed[TERMINAL_KEYS];
  ssize_t got = read(STDIN_FILENO, typed, sizeof typed);
  if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
    return TERMINAL_END;
  terminal->key_count = 0;
  for (size_t at = 0; got > 0 && at < (size_t)got;) {
    if (typed[at] == '\033')
      at += escape_size(typed + at, (size_t)got - at);
    else
      terminal->keys[terminal->key_count++] = typed[at++];
  }
  return TERMINAL_KEYS_TYPED;
}

enum terminal_event terminal_wait(struct terminal *terminal, int64_t timeout_us) {
  struct pollfd fds[] = {
      {.fd = terminal->signals_fd, .events = POLLIN},
      {.fd = terminal->keyed ? STDIN_FILENO : -1, .events = POLLIN},
      {.fd = terminal->wake_fd, .events = POLLIN},
      {.fd = terminal->live ? STDOUT_FILENO : -1}, /* a terminal that was closed */
  };
  uint64_t woken;
  int timeout_ms = timeout_us <= 0 ? 0 : timeout_us > INT64_C(86400000000) ? 86400000 : (int)(timeout_us / 1000) + 1;
  if (poll(fds, 4, timeout_ms) <= 0)
    return TERMINAL_TIME;
  if (fds[0].revents)
    return take_signal(terminal);
  if (fds[1].revents)
    return take_keys(terminal);
  if (fds[3].revents)
    return TERMINAL_END;
  return read(terminal->wake_fd, &woken, sizeof woken) > 0 ? TERMINAL_WOKEN : TERMINAL_TIME;
}

/* --- what is shown --- */

void terminal_size(const struct terminal *terminal, size_t *ret_rows, size_t *ret_columns) {
  struct winsize size = {0};
  *ret_rows = *ret_columns = SIZE_MAX;
  if (!terminal->live)
    return;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
    size = (struct winsize){.ws_row = 24, .ws_col = 80};
  *ret_rows = size.ws_row;
  *ret_columns = size.ws_col;
}

/* The lines from the top left, each cleared before it is written, and nothing below them. */
static void place(struct wm_buf *ret, const char *text, size_t size) {
  wm_buf_add_string(ret, "\033[H\033[2K");
  for (size_t i = 0; i < size; i++) {
    wm_buf_add_char(ret, text[i]);
    if (text[i] == '\n' && i + 1 < size)
      wm_buf_add_string(ret, "\033[2K");
  }
  wm_buf_add_string(ret, "\033[J");
}

bool terminal_show(const struct terminal *terminal, const char *text, size_t size) {
  if (!terminal->live)
    return write_all(text, size);
  struct wm_buf buf = WM_BUF_INIT;
  place(&buf, text, size);
  bool shown = !buf.failed && write_all(buf.bytes, buf.size);
  wm_buf_release(&buf);
  return shown;
}

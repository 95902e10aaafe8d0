/* The HTTP listener by real sockets, with clients that mean no good. */
#include "worker/http.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/clock.h"

static const struct expose_worker worker = {.instance = "worker-1", .group = "waymark", .exactly_once = true};
static struct board *board;
static struct http *http;
static in_port_t port;
static char said[2000000];

enum { PATIENCE_MS = 30000 }; /* with a machine that has much else to do */

static int64_t now_us(void) {
  return system_clock.monotonic_us(system_clock.self);
}

static void put(void) {
  struct snapshot *snapshot = calloc(1, sizeof *snapshot);
  cr_assert_not_null(snapshot);
  snapshot->monotonic_us = now_us();
  snapshot->paused = METRICS_PAUSES;
  snapshot->assigned = true;
  metrics_init(&snapshot->metrics);
  board_put(board, snapshot);
}

static void begin(void) {
  struct wm_error error = {0};
  signal(SIGPIPE, SIG_IGN);
  board = board_new();
  put();
  http = http_open("127.0.0.1:0", &worker, board, &error);
  cr_assert_not_null(http, "%s", error.text);
  port = (in_port_t)strtol(strrchr(http_address(http), ':') + 1, NULL, 10);
}

static void end(void) {
  http_close(http);
  board_free(board);
}
TestSuite(http, .init = begin, .fini = end, .timeout = 300);

/* -1: refused. */
static int dial(void) {
  const struct sockaddr_in there = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (const struct sockaddr *)&there, sizeof there) == 0)
    return fd;
  close(fd);
  return -1;
}

/* Everything until the other side closes, or nothing comes for 'patience_ms'. False: it was not closed. */
static bool hear(int fd, int patience_ms) {
  size_t size = 0;
  bool closed = false;
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  while (!closed && size < sizeof said - 1 && poll(&wait, 1, patience_ms) > 0) {
    ssize_t got = recv(fd, said + size, sizeof said - 1 - size, 0);
    closed = got <= 0;
    size += got > 0 ? (size_t)got : 0;
  }
  said[size] = '\0';
  return closed;
}

static const char *ask(const char *request) {
  int fd = dial();
  cr_assert_geq(fd, 0);
  send(fd, request, strlen(request), MSG_NOSIGNAL);
  cr_expect(hear(fd, PATIENCE_MS), "the connection was left open: %s", said);
  close(fd);
  return said;
}

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

static bool serves(void) {
  return begins(ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 ");
}

/* Who came before may have to be shown out first. */
static bool serves_soon(void) {
  static const char request[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  int64_t began_us = now_us();
  bool served = false;
  while (!served && now_us() - began_us < PATIENCE_MS * INT64_C(1000)) {
    int fd = dial();
    send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
    served = fd >= 0 && hear(fd, PATIENCE_MS) && begins(said, "HTTP/1.1 200 ");
    if (fd >= 0)
      close(fd);
    usleep(10000);
  }
  return served;
}

/* --- those who behave --- */

Test(http, each_path_has_its_type) {
  static const char *const paths[][2] = {{"/metrics", "text/plain; version=0.0.4"},
                                         {"/livez", "text/plain"},
                                         {"/startupz", "text/plain"},
                                         {"/status.json", "application/json"},
                                         {"/", "text/html"}};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    char request[64], type[64];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i][0]);
    snprintf(type, sizeof type, "Content-Type: %s", paths[i][1]);
    cr_expect(begins(ask(request), "HTTP/1.1 200 "), "%s", said);
    cr_expect(strstr(said, type), "%s", said);
    cr_expect(strstr(said, "Content-Security-Policy: default-src 'none'"), "%s", said);
  }
}

Test(http, who_is_not_ready_says_why_with_503) {
  cr_expect(begins(ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 503 "), "%s", said);
  cr_expect(strstr(said, "[-]partitions failed: "));
  cr_expect(strstr(ask("GET /livez?verbose HTTP/1.1\r\nHost: x\r\n\r\n"), "[+]loop ok\nlivez check passed\n"));
}

Test(http, metrics_have_the_process_too) {
  cr_expect(strstr(ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "\nprocess_resident_memory_bytes "));
  cr_expect(strstr(said, "\nprocess_cpu_seconds_total "));
  cr_expect(strstr(said, "\nprocess_start_time_seconds 1"));
}

Test(http, head_is_get_without_a_body) {
  cr_expect(begins(ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 "));
  cr_expect_null(strstr(said, "waymark_"));
}

Test(http, what_is_not_there_is_not_found) {
  cr_expect(begins(ask("GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 404 "));
  cr_expect(begins(ask("GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 404 "));
}

Test(http, a_port_that_is_taken_is_told) {
  struct wm_error error = {0};
  cr_expect_null(http_open(http_address(http), &worker, board, &error));
  cr_expect_eq(error.code, WM_E_SETTING_INVALID);
  cr_expect(strstr(error.text, "in use"), "%s", error.text);
}

Test(http, brackets_hold_an_address_with_colons) {
  struct wm_error error = {0};
  struct http *other = http_open("[::1]:0", &worker, board, &error);
  if (!other)
    cr_skip_test("no IPv6 here: %s", error.text);
  cr_expect(begins(http_address(other), "[::1]:"));
  http_close(other);
}

/* --- those who do not --- */

Test(http, other_methods_are_refused) {
  static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    char request[128];
    snprintf(request, sizeof request, "%s /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", methods[i]);
    cr_expect(begins(ask(request), "HTTP/1.1 405 "), "%s: %s", methods[i], said);
    cr_expect(strstr(said, "Allow: GET, HEAD"));
  }
  cr_expect(serves());
}

Test(http, huge_headers_are_refused) {
  static char chunk[65536];
  int fd = dial(), sent = 0;
  memset(chunk, 'a', sizeof chunk);
  cr_assert_eq(send(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ", 36, MSG_NOSIGNAL), 36);
  while (sent < 4000 && send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) > 0)
    sent++;
  cr_expect_lt(sent, 4000, "it took %d times %zu bytes", sent, sizeof chunk);
  close(fd);
  cr_expect(serves());
}

Test(http, many_headers_and_a_long_path_are_refused) {
  static char request[200000];
  size_t size = (size_t)snprintf(request, sizeof request, "GET /");
  while (size < 100000)
    request[size++] = 'x';
  size += (size_t)snprintf(request + size, 64, " HTTP/1.1\r\nHost: x\r\n");
  while (size < sizeof request - 16)
    size += (size_t)snprintf(request + size, 16, "A: b\r\n");
  int fd = dial();
  send(fd, request, size, MSG_NOSIGNAL);
  hear(fd, PATIENCE_MS);
  cr_expect(said[0] == '\0' || begins(said, "HTTP/1.1 4") || begins(said, "HTTP/1.0 4"), "%.200s", said);
  close(fd);
  cr_expect(serves());
}

Test(http, garbage_gets_no_answer_that_matters) {
  static const char *const garbage[] = {
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "\r\n\r\n\r\n\r\nGET",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET /livez HTTP/1.1\r\n\r\n", /* no host */
      "GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
      "*1\r\n$4\r\nPING\r\n",
  };
  for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
    int fd = dial();
    send(fd, garbage[i], strlen(garbage[i]), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    hear(fd, PATIENCE_MS);
    close(fd);
    cr_expect(serves(), "after %zu", i);
  }
}

Test(http, what_is_pipelined_behind_the_first_request_is_not_looked_at) {
  ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n\x01\x02garbage\r\n\r\n");
  cr_expect(begins(said, "HTTP/1.1 200 "));
  cr_expect_null(strstr(said, "waymark_"));
  cr_expect(serves());
}

/* A byte a second keeps any time-out away that begins anew with each. */
Test(http, a_slow_client_is_cut_off) {
  static const char request[] = "GET /metrics HTTP/1.1\r\n";
  int fd = dial();
  int64_t began_us = now_us();
  struct pollfd wait = {.fd = fd, .events = POLLIN | POLLHUP};
  bool cut = false;
  for (size_t i = 0; !cut && i < sizeof request - 1; i++) {
    send(fd, request + i, 1, MSG_NOSIGNAL);
    cut = poll(&wait, 1, 1000) > 0;
  }
  cr_expect(cut);
  cr_expect_lt(now_us() - began_us, (HTTP_SECONDS + 10) * INT64_C(1000000));
  close(fd);
  cr_expect(serves());
}

Test(http, who_does_not_read_the_answer_is_cut_off) {
  int fd = dial(), small = 1024;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  send(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 35, MSG_NOSIGNAL);
  sleep(HTTP_SECONDS + 1);
  cr_expect(hear(fd, 1000), "it is still there");
  close(fd);
  cr_expect(serves());
}

static void allow_many_files(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/* A connection of somebody who begins a request and never ends it; it may wait to be accepted. */
static int begin_a_request(in_addr_t from) {
  const struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from)};
  const struct sockaddr_in there = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  cr_assert_geq(fd, 0);
  cr_assert_eq(bind(fd, (const struct sockaddr *)&here, sizeof here), 0);
  connect(fd, (const struct sockaddr *)&there, sizeof there);
  send(fd, "GET /livez HT", 13, MSG_NOSIGNAL);
  return fd;
}

/* 1000 at once: who asks among them is answered all the same, also from their address. What the loop does, handing over
 * snapshots, is as fast as ever. */
Test(http, a_thousand_connections_hold_up_neither_the_loop_nor_a_probe) {
  static int fds[1000];
  int64_t longest_us = 0;
  allow_many_files();
  for (size_t i = 0; i < 1000; i++) {
    int64_t began_us = now_us();
    put();
    if (now_us() - began_us > longest_us)
      longest_us = now_us() - began_us;
    fds[i] = begin_a_request(INADDR_LOOPBACK);
    if (i % 100 == 99)
      cr_expect(serves(), "with %zu of them", i + 1);
  }
  cr_expect_lt(longest_us, 2000000);
  for (size_t i = 0; i < 1000; i++)
    close(fds[i]);
  cr_expect(serves_soon());
}

Test(http, who_comes_from_elsewhere_keeps_his_place) {
  static const char rest[] = "TP/1.1\r\nHost: x\r\n\r\n";
  static int fds[4 * HTTP_CONNECTIONS];
  allow_many_files();
  int other = begin_a_request(INADDR_LOOPBACK + 1);
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    fds[i] = begin_a_request(INADDR_LOOPBACK);
  cr_expect(serves());
  send(other, rest, sizeof rest - 1, MSG_NOSIGNAL);
  cr_expect(hear(other, PATIENCE_MS) && begins(said, "HTTP/1.1 200 "), "%s", said);
  close(other);
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    close(fds[i]);
}

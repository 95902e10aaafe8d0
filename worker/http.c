/* A request is answered out of the newest snapshot, in full, when its headers are there; then the connection is closed.
 *
 * - headers that are too large, or are none: libmicrohttpd answers 400s by itself
 * - a body: not read, the connection is closed behind the answer
 * - a client that sends or reads slowly, or nothing: cut off HTTP_SECONDS after it came, however busy it looks
 * - more connections than may be: each newcomer takes the place of the oldest one, of the address that has most. So who
 *   asks at once, as probes do, is answered also while somebody dials without end. */
#include "worker/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/clock.h"
#include "worker/process.h"

#define WAIT_MS 200 /* between two looks at the clock */
#define BACKLOG 512
#define LEAVING 32 /* shown out, and libmicrohttpd has not closed them yet */
#define PLACES (HTTP_CONNECTIONS + LEAVING)

struct guest {
  int fd; /* -1: a free place */
  bool leaving;
  int64_t came_us;
  struct in6_addr from; /* of IPv4 as IPv6 has it; zeros: not known */
};

struct http {
  const struct expose_worker *worker;
  struct board *board;
  struct MHD_Daemon *daemon;
  struct guest guests[PLACES];
  char address[NI_MAXHOST + NI_MAXSERV + 4];
  int fd;
  pthread_t thread;
  bool running; /* the thread */
  atomic_bool asked_to_stop;
};

/* --- answers --- */

struct answer {
  unsigned status;
  const char *type;
  struct wm_buf body;
};

typedef void answer_fn(const struct expose *expose, bool flag, struct answer *answer);

static void answer_metrics(const struct expose *expose, bool flag, struct answer *answer) {
  (void)flag;
  expose_metrics(expose, &answer->body);
  process_metrics(&answer->body);
}

static void answer_page(const struct expose *expose, bool still, struct answer *answer) {
  expose_page(expose, still, &answer->body);
}

static void answer_json(const struct expose *expose, bool flag, struct answer *answer) {
  (void)flag;
  expose_json(expose, &answer->body);
}

static void answer_probe(const struct expose *expose, enum expose_probe probe, bool verbose, struct answer *answer) {
  if (!expose_probe(expose, probe, verbose, &answer->body))
    answer->status = MHD_HTTP_SERVICE_UNAVAILABLE;
}
static void answer_live(const struct expose *expose, bool verbose, struct answer *answer) {
  answer_probe(expose, EXPOSE_LIVE, verbose, answer);
}
static void answer_ready(const struct expose *expose, bool verbose, struct answer *answer) {
  answer_probe(expose, EXPOSE_READY, verbose, answer);
}
static void answer_started(const struct expose *expose, bool verbose, struct answer *answer) {
  answer_probe(expose, EXPOSE_STARTED, verbose, answer);
}

#define PLAIN "text/plain; charset=utf-8"

static const struct {
  const char *path, *type;
  answer_fn *answer;
  const char *flag; /* what may stand behind '?'; NULL: nothing that counts */
} routes[] = {
    {"/", "text/html; charset=utf-8", answer_page, "still"},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", answer_metrics, NULL},
    {"/livez", PLAIN, answer_live, "verbose"},
    {"/readyz", PLAIN, answer_ready, "verbose"},
    {"/startupz", PLAIN, answer_started, "verbose"},
    {"/status.json", "application/json", answer_json, NULL},
};

static bool has_flag(struct MHD_Connection *connection, const char *name) {
  return name &&
         MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), NULL, NULL) == MHD_YES;
}

static void refuse(struct answer *answer, unsigned status, const char *why) {
  answer->status = status;
  answer->type = PLAIN;
  wm_buf_add_string(&answer->body, why);
}

static void find_answer(struct http *http, struct MHD_Connection *connection, const char *url, struct answer *answer) {
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
    if (strcmp(routes[i].path, url) != 0)
      continue;
    const struct snapshot *snapshot = board_borrow(http->board);
    const struct expose expose = {http->worker, snapshot, system_clock.monotonic_us(system_clock.self)};
    answer->type = routes[i].type;
    routes[i].answer(&expose, has_flag(connection, routes[i].flag), answer);
    board_return(http->board, snapshot);
    return;
  }
  refuse(answer, MHD_HTTP_NOT_FOUND, "nothing here; there are /metrics /livez /readyz /startupz /status.json and /\n");
}

/* --- libmicrohttpd --- */

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer) {
  static const char *const headers[][2] = {
      {MHD_HTTP_HEADER_CONNECTION, "close"},
      {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
      {"X-Content-Type-Options", "nosniff"},
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"},
  };
  struct MHD_Response *response =
      MHD_create_response_from_buffer(answer->body.size, answer->body.bytes, MHD_RESPMEM_MUST_FREE);
  if (!response)
    return MHD_NO;
  answer->body = (struct wm_buf)WM_BUF_INIT; /* the response frees it */
  enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
  for (size_t i = 0; result == MHD_YES && i < sizeof headers / sizeof *headers; i++)
    result = MHD_add_response_header(response, headers[i][0], headers[i][1]);
  if (result == MHD_YES && answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
    result = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  if (result == MHD_YES)
    result = MHD_queue_response(connection, answer->status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *body, size_t *body_size, void **state) {
  struct answer answer = {.status = MHD_HTTP_OK};
  (void)version, (void)body, (void)state;
  *body_size = 0;
  if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
    find_answer(self, connection, url, &answer);
  else
    refuse(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
  if (answer.body.failed || !answer.body.bytes) { /* out of memory: the connection is closed */
    wm_buf_release(&answer.body);
    return MHD_NO;
  }
  enum MHD_Result result = send_answer(connection, &answer);
  wm_buf_release(&answer.body);
  return result;
}

static struct guest *free_place(struct http *http) {
  for (size_t i = 0; i < PLACES; i++)
    if (http->guests[i].fd < 0)
      return &http->guests[i];
  return NULL;
}

static bool is_here(const struct guest *guest) {
  return guest->fd >= 0 && !guest->leaving;
}

/* libmicrohttpd hears of it and closes the connection. */
static void show_out(struct guest *guest) {
  shutdown(guest->fd, SHUT_RDWR);
  guest->leaving = true;
}

static size_t count_of_address(const struct http *http, const struct in6_addr *from) {
  size_t count = 0;
  for (size_t i = 0; i < PLACES; i++)
    count += is_here(&http->guests[i]) && memcmp(&http->guests[i].from, from, sizeof *from) == 0;
  return count;
}

static size_t count_all(const struct http *http) {
  size_t count = 0;
  for (size_t i = 0; i < PLACES; i++)
    count += is_here(&http->guests[i]);
  return count;
}

static void make_room(struct http *http) {
  struct guest *first = NULL;
  size_t most = 0;
  if (count_all(http) < HTTP_CONNECTIONS)
    return;
  for (size_t i = 0; i < PLACES; i++) {
    struct guest *guest = &http->guests[i];
    size_t count = is_here(guest) ? count_of_address(http, &guest->from) : 0;
    if (count > most || (first && count == most && guest->came_us < first->came_us)) {
      first = guest;
      most = count;
    }
  }
  if (first)
    show_out(first);
}

static struct in6_addr address_of(const struct sockaddr *address) {
  struct in6_addr from = {0};
  if (address && address->sa_family == AF_INET6) {
    struct sockaddr_in6 it;
    memcpy(&it, address, sizeof it);
    return it.sin6_addr;
  }
  if (address && address->sa_family == AF_INET) {
    struct sockaddr_in it;
    memcpy(&it, address, sizeof it);
    memcpy(&from.s6_addr[12], &it.sin_addr, sizeof it.sin_addr);
  }
  return from;
}

static void take_in(struct http *http, struct MHD_Connection *connection, void **place) {
  const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  const union MHD_ConnectionInfo *address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  make_room(http);
  struct guest *guest = fd ? free_place(http) : NULL;
  if (!guest)
    return;
  *guest = (struct guest){.fd = fd->connect_fd,
                          .came_us = system_clock.monotonic_us(system_clock.self),
                          .from = address_of(address ? address->client_addr : NULL)};
  *place = guest;
}

static void on_connection(void *self, struct MHD_Connection *connection, void **place,
                          enum MHD_ConnectionNotificationCode code) {
  struct guest *guest = *place;
  if (code == MHD_CONNECTION_NOTIFY_STARTED)
    take_in(self, connection, place);
  else if (guest)
    guest->fd = -1;
}

/* A time-out of libmicrohttpd begins anew with every byte. */
static void show_out_late(struct http *http) {
  int64_t now_us = system_clock.monotonic_us(system_clock.self);
  for (size_t i = 0; i < PLACES; i++) {
    struct guest *guest = &http->guests[i];
    if (is_here(guest) && now_us - guest->came_us >= HTTP_SECONDS * INT64_C(1000000))
      show_out(guest);
  }
}

static void *serve(void *self) {
  struct http *http = self;
  while (!atomic_load(&http->asked_to_stop)) {
    MHD_run_wait(http->daemon, WAIT_MS);
    show_out_late(http);
  }
  return NULL;
}

/* --- opening --- */

static int fail(struct wm_error *error, const char *address, const char *why) {
  return wm_error_set(error, WM_E_SETTING_INVALID, "'http.listen' is '%s': %s", address, why);
}

/* "host:port" in two texts; [] around a host with colons. */
static int split(const char *address, char *host, size_t size, const char **ret_port) {
  const char *colon = strrchr(address, ':'), *end = colon;
  if (!colon || (size_t)(colon - address) >= size)
    return -1;
  if (*address == '[' && colon > address && colon[-1] == ']') {
    address++;
    end--;
  }
  memcpy(host, address, (size_t)(end - address));
  host[end - address] = '\0';
  *ret_port = colon + 1;
  return 0;
}

static int listen_there(const struct addrinfo *found) {
  const int yes = 1;
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
    return fd;
  int why = errno;
  close(fd);
  errno = why;
  return -1;
}

static int open_socket(struct http *http, const char *address, struct wm_error *error) {
  const struct addrinfo wish = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
  struct addrinfo *found;
  char host[NI_MAXHOST];
  const char *port;
  if (split(address, host, sizeof host, &port) < 0)
    return fail(error, address, "that is not host:port");
  int code = getaddrinfo(host[0] ? host : NULL, port, &wish, &found);
  if (code != 0)
    return fail(error, address, gai_strerror(code));
  http->fd = listen_there(found);
  int why = errno;
  freeaddrinfo(found);
  return http->fd < 0 ? fail(error, address, strerror(why)) : 0;
}

static void find_address(struct http *http) {
  struct sockaddr_storage own;
  socklen_t size = sizeof own;
  char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
  if (getsockname(http->fd, (struct sockaddr *)&own, &size) == 0)
    getnameinfo((struct sockaddr *)&own, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  snprintf(http->address, sizeof http->address, own.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int start_daemon(struct http *http) {
  http->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET, http->fd,
                                  MHD_OPTION_CONNECTION_LIMIT, (unsigned)PLACES, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                  (size_t)HTTP_CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_SECONDS,
                                  MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                                  MHD_OPTION_END);
  return http->daemon ? 0 : -1;
}

/* Signals are for the loop's thread. */
static int start_thread(struct http *http) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  http->running = pthread_create(&http->thread, NULL, serve, http) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return http->running ? 0 : -1;
}

struct http *http_open(const char *address, const struct expose_worker *worker, struct board *board,
                       struct wm_error *error) {
  struct http *http = calloc(1, sizeof *http);
  if (!http) {
    wm_error_memory(error);
    return NULL;
  }
  http->worker = worker;
  http->board = board;
  http->fd = -1;
  for (size_t i = 0; i < PLACES; i++)
    http->guests[i].fd = -1;
  if (open_socket(http, address, error) == 0) {
    find_address(http);
    if (start_daemon(http) == 0 && start_thread(http) == 0)
      return http;
    fail(error, address, "the server could not be started");
  }
  http_close(http);
  return NULL;
}

void http_close(struct http *http) {
  if (!http)
    return;
  atomic_store(&http->asked_to_stop, true);
  if (http->running)
    pthread_join(http->thread, NULL);
  if (http->daemon)
    MHD_stop_daemon(http->daemon); /* closes the socket too */
  else if (http->fd >= 0)
    close(http->fd);
  free(http);
}

const char *http_address(const struct http *http) {
  return http->address;
}

#include "tools/lib/http_get.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/clock.h"

#define SCHEME "http://"

struct place {
  char host[256], port[8];
  struct wm_text base; /* what stands behind them, without a slash at the end */
};

/* False: it is no URL of that kind. */
static bool split(const char *url, struct place *ret) {
  struct wm_text rest = wm_text_of(url);
  if (!wm_text_starts_with(rest, WM_TEXT(SCHEME)))
    return false;
  const char *host = url + sizeof SCHEME - 1, *end = host + strcspn(host, "/"), *colon = NULL;
  for (const char *at = host; at < end; at++)
    colon = *at == ':' ? at : *at == ']' ? NULL : colon;
  const char *host_end = colon ? colon : end;
  ret->base = (struct wm_text){end, strlen(end)};
  while (ret->base.size > 0 && ret->base.bytes[ret->base.size - 1] == '/')
    ret->base.size--;
  if (colon && (end - colon < 2 || end - colon > 6 || strspn(colon + 1, "0123456789") < (size_t)(end - colon - 1)))
    return false;
  snprintf(ret->port, sizeof ret->port, "%.*s", colon ? (int)(end - colon - 1) : 2, colon ? colon + 1 : "80");
  if (*host == '[' && host_end > host + 1 && host_end[-1] == ']') {
    host++;
    host_end--;
  }
  if (host_end == host || (size_t)(host_end - host) >= sizeof ret->host || strpbrk(url, " \t\r\n"))
    return false;
  snprintf(ret->host, sizeof ret->host, "%.*s", (int)(host_end - host), host);
  return true;
}

bool http_get_is_url(const char *url) {
  struct place place;
  return split(url, &place);
}

const char *http_get_listener(const char *listen, char *room, size_t size) {
  const char *port = strrchr(listen, ':');
  if (!port || strcmp(port, ":0") == 0)
    return NULL;
  if (port == listen || strncmp(listen, "0.0.0.0:", 8) == 0)
    snprintf(room, size, "http://127.0.0.1%s", port);
  else if (strncmp(listen, "[::]:", 5) == 0)
    snprintf(room, size, "http://[::1]%s", port);
  else
    snprintf(room, size, "http://%s", listen);
  return room;
}

static int64_t now_us(void) {
  return system_clock.monotonic_us(system_clock.self);
}

/* Until the socket can go on, or the time is over. */
static bool wait_for(int fd, short events, int64_t until_us) {
  struct pollfd wait = {.fd = fd, .events = events};
  int64_t left_us = until_us - now_us();
  errno = ETIMEDOUT;
  return left_us > 0 && poll(&wait, 1, (int)(left_us / 1000) + 1) > 0;
}

static int dial_one(const struct addrinfo *to, int64_t until_us) {
  int why = 0;
  socklen_t size = sizeof why;
  int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
    return fd;
  if (errno == EINPROGRESS && wait_for(fd, POLLOUT, until_us) &&
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) == 0) {
    if (why == 0)
      return fd;
    errno = why;
  }
  why = errno;
  close(fd);
  errno = why;
  return -1;
}

static int dial(const struct place *place, int64_t until_us, const char **ret_why) {
  const struct addrinfo wish = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
  struct addrinfo *found;
  int fd = -1, code = getaddrinfo(place->host, place->port, &wish, &found);
  if (code != 0) {
    *ret_why = gai_strerror(code);
    return -1;
  }
  for (const struct addrinfo *to = found; to && fd < 0; to = to->ai_next)
    fd = dial_one(to, until_us);
  *ret_why = strerror(errno);
  freeaddrinfo(found);
  return fd;
}

static bool send_all(int fd, const struct wm_buf *request, int64_t until_us) {
  for (size_t sent = 0; sent < request->size;) {
    ssize_t got = send(fd, request->bytes + sent, request->size - sent, MSG_NOSIGNAL);
    if (got < 0 && errno != EAGAIN)
      return false;
    if (got < 0 && !wait_for(fd, POLLOUT, until_us))
      return false;
    sent += got > 0 ? (size_t)got : 0;
  }
  return true;
}

/* Until the other side closes, which HTTP/1.0 makes it do. */
static bool hear_all(int fd, struct wm_buf *ret, int64_t until_us) {
  char chunk[16384];
  for (;;) {
    if (!wait_for(fd, POLLIN, until_us))
      return false;
    ssize_t got = recv(fd, chunk, sizeof chunk, 0);
    if (got == 0)
      return true;
    if (got < 0 && errno != EAGAIN)
      return false;
    if (got > 0)
      wm_buf_add(ret, chunk, (size_t)got);
    errno = ENOMEM;
    if (ret->failed)
      return false;
    errno = EMSGSIZE;
    if (ret->size > HTTP_GET_BYTES)
      return false;
  }
}

/* Takes the head away and returns the status; -1: that is no HTTP. */
static int cut_head(struct wm_buf *answer) {
  const char *body = answer->bytes ? strstr(answer->bytes, "\r\n\r\n") : NULL;
  int status = 0;
  if (!body || sscanf(answer->bytes, "HTTP/1.%*1[01] %3d ", &status) != 1 || status < 100)
    return -1;
  size_t head = (size_t)(body + 4 - answer->bytes);
  memmove(answer->bytes, answer->bytes + head, answer->size - head + 1);
  answer->size -= head;
  return status;
}

static int talk(int fd, const struct place *place, const char *path, struct wm_buf *ret, int64_t until_us,
                const char **ret_why) {
  struct wm_buf request = WM_BUF_INIT;
  wm_buf_printf(&request, "GET %.*s%s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", WM_TEXT_ARG(place->base),
                path, place->host);
  bool heard = !request.failed && send_all(fd, &request, until_us) && hear_all(fd, ret, until_us);
  *ret_why = strerror(errno);
  wm_buf_release(&request);
  int status = heard ? cut_head(ret) : -1;
  if (heard && status < 0)
    *ret_why = "what answers there does not speak HTTP/1";
  return status;
}

int http_get(const char *url, const char *path, int timeout_ms, struct wm_buf *ret, struct wm_error *error) {
  struct place place;
  const char *why = "that is no http:// URL";
  int64_t until_us = now_us() + (int64_t)timeout_ms * 1000;
  int status = -1, fd = split(url, &place) ? dial(&place, until_us, &why) : -1;
  if (fd >= 0) {
    status = talk(fd, &place, path, ret, until_us, &why);
    close(fd);
  }
  if (status < 0)
    wm_error_set(error, WM_E_HTTP_FAILED, "'%s' can't be asked: %s", url, why);
  return status;
}

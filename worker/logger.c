#include "worker/logger.h"

#include <errno.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/moment.h"

enum { VALUE_LIMIT = 256, DEFAULT_BURST = 50 };

static const char *const level_names[] = {"debug", "info", "warning", "error"};

/* A prefix of at most VALUE_LIMIT bytes that does not end inside a character. */
static struct wm_text cut(struct wm_text text) {
  if (text.size <= VALUE_LIMIT)
    return text;
  size_t size = VALUE_LIMIT;
  while (size > 0 && ((unsigned char)text.bytes[size] & 0xC0) == 0x80)
    size--;
  return (struct wm_text){text.bytes, size};
}

/* Foreign bytes become a JSON string: no line break, no escape sequence reaches a terminal. */
static void add_quoted(struct wm_buf *line, struct wm_text text) {
  if (wm_text_is_utf8(text, NULL)) {
    wm_buf_add_json(line, text);
    return;
  }
  wm_buf_add_char(line, '"');
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.bytes[i];
    if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\')
      wm_buf_add_char(line, (char)c);
    else
      wm_buf_add_string(line, "\\ufffd");
  }
  wm_buf_add_char(line, '"');
}

static bool is_plain(struct wm_text text) {
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.bytes[i];
    if (c <= 0x20 || c >= 0x7F || c == '"' || c == '=' || c == '\\')
      return false;
  }
  return text.size > 0 && text.size <= VALUE_LIMIT;
}

static void add_time(struct wm_buf *line, int64_t wall_us) {
  char second[WM_MOMENT_SIZE];
  size_t size = wm_moment_format(wall_us - wall_us % WM_SECOND_US, second);
  wm_buf_add(line, second, size - 1); /* without the Z */
  wm_buf_printf(line, ".%03dZ", (int)(wall_us % WM_SECOND_US / 1000));
}

static void add_json_line(struct wm_buf *line, enum logger_level level, int64_t wall_us, const char *message,
                          const struct logger_field *fields) {
  wm_buf_add_string(line, "{\"time\":\"");
  add_time(line, wall_us);
  wm_buf_printf(line, "\",\"level\":\"%s\",\"message\":", level_names[level]);
  add_quoted(line, wm_text_of(message));
  for (; fields && fields->name; fields++) {
    wm_buf_printf(line, ",\"%s\":", fields->name);
    if (fields->text.bytes)
      add_quoted(line, cut(fields->text));
    else
      wm_buf_add_integer(line, fields->number);
  }
  wm_buf_add_string(line, "}\n");
}

/* A message may hold what librdkafka or a server said; only its control characters are a danger on a terminal. */
static void add_message(struct wm_buf *line, const char *message) {
  for (; *message; message++)
    wm_buf_add_char(line, (unsigned char)*message < 0x20 || *message == 0x7F ? ' ' : *message);
}

static void add_text_line(struct wm_buf *line, enum logger_level level, int64_t wall_us, const char *message,
                          const struct logger_field *fields) {
  add_time(line, wall_us);
  wm_buf_printf(line, " %-7s ", level_names[level]);
  add_message(line, message);
  for (; fields && fields->name; fields++) {
    wm_buf_printf(line, " %s=", fields->name);
    if (!fields->text.bytes)
      wm_buf_add_integer(line, fields->number);
    else if (is_plain(fields->text))
      wm_buf_add_text(line, fields->text);
    else
      add_quoted(line, cut(fields->text));
  }
  wm_buf_add_char(line, '\n');
}

/* One write per line, so that lines of several processes on one pipe stay whole. A log that can't be written is
 * nothing that a worker should stop for. */
static void put(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return;
    bytes += written;
    size -= (size_t)written;
  }
}

void logger_say(struct logger *logger, enum logger_level level, int64_t wall_us, const char *message,
                const struct logger_field *fields) {
  if (level < logger->level)
    return;
  struct wm_buf line = WM_BUF_INIT;
  if (logger->json)
    add_json_line(&line, level, wall_us, message, fields);
  else
    add_text_line(&line, level, wall_us, message, fields);
  if (!line.failed)
    put(logger->fd, line.bytes, line.size);
  wm_buf_release(&line);
}

void logger_tick(struct logger *logger, int64_t wall_us) {
  int64_t second = wall_us / WM_SECOND_US;
  if (second == logger->second)
    return;
  uint64_t dropped = logger->dropped;
  logger->second = second;
  logger->said = 0;
  logger->dropped = 0;
  if (dropped > 0)
    logger_say(logger, LOGGER_WARNING, wall_us, "lines were dropped by the rate limit of the log",
               (const struct logger_field[]){{.name = "dropped", .number = (int64_t)dropped}, {0}});
}

void logger_flood(struct logger *logger, enum logger_level level, int64_t wall_us, const char *message,
                  const struct logger_field *fields) {
  if (level < logger->level)
    return;
  logger_tick(logger, wall_us);
  if (logger->said >= (logger->burst ? logger->burst : DEFAULT_BURST)) {
    logger->dropped++;
    return;
  }
  logger->said++;
  logger_say(logger, level, wall_us, message, fields);
}

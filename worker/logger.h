/* What the worker says on stderr: one line per event of note, text or JSON, never a secret or a payload. */
#ifndef WM_WORKER_LOGGER_H
#define WM_WORKER_LOGGER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

enum logger_level { LOGGER_DEBUG, LOGGER_INFO, LOGGER_WARNING, LOGGER_ERROR };

struct logger {
  enum logger_level level; /* lines below are dropped */
  bool json;
  int fd; /* 2 */
  /* rate limit of flood() lines: at most 'burst' in a second, the rest counted */
  unsigned burst; /* default 50 */
  int64_t second; /* the second that 'said' and 'dropped' belong to */
  unsigned said;
  uint64_t dropped;
};

/* Key and value of a structured field; a list ends with a NULL name. Values are cut at 256 bytes and escaped. */
struct logger_field {
  const char *name;
  struct wm_text text; /* bytes != NULL: this */
  int64_t number;      /* else this */
};

/* One line: level, time 'wall_us', message, fields. */
void logger_say(struct logger *logger, enum logger_level level, int64_t wall_us, const char *message,
                const struct logger_field *fields);

/* The same under the rate limit; what was dropped in a second is told in one line with the first line after it (or by
 * logger_tick). */
void logger_flood(struct logger *logger, enum logger_level level, int64_t wall_us, const char *message,
                  const struct logger_field *fields);
void logger_tick(struct logger *logger, int64_t wall_us);

#endif

#include "tools/lib/when.h"

#include <stdio.h>
#include <string.h>

#include "core/moment.h"
#include "tools/command.h"
#include "tools/lib/say.h"

static bool parse_day(const char *text, bool end_of_day, int64_t *ret_us) {
  char moment[40];
  if (strlen(text) != sizeof "2026-11-20" - 1)
    return false;
  snprintf(moment, sizeof moment, "%sT%s", text, end_of_day ? "23:59:59.999999Z" : "00:00:00Z");
  return wm_moment_parse(wm_text_of(moment), ret_us);
}

int when_parse(const char *option, const char *text, bool end_of_day, int64_t now_us, int64_t *ret_us) {
  int64_t before_us;
  if (wm_duration_parse(wm_text_of(text), &before_us)) {
    *ret_us = now_us - before_us;
    return EXIT_FINE;
  }
  if (parse_day(text, end_of_day, ret_us) || wm_moment_parse(wm_text_of(text), ret_us))
    return EXIT_FINE;
  return say(EXIT_USAGE,
             "--%s: '%s' is no moment: a day (2026-11-20), a time (2026-11-20T10:00:00Z), or how long ago (7d)", option,
             text);
}

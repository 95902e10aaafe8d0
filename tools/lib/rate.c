#include "tools/lib/rate.h"

#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/lib/say.h"

int rate_read(const char *option, const char *text, double *ret) {
  char *end = NULL;
  *ret = strtod(text, &end);
  if (end != text && strcmp(end, "/s") == 0)
    end += 2;
  if (end == text || *end || !(*ret > 0 && *ret <= 1e9))
    return say(EXIT_USAGE, "--%s needs a number above 0, not '%s'", option, text);
  return EXIT_FINE;
}

int rate_read_limit(const char *option, const char *text, double *ret) {
  if (!text)
    return EXIT_FINE;
  if (strcmp(text, "max") != 0)
    return rate_read(option, text, ret);
  *ret = 0;
  return EXIT_FINE;
}

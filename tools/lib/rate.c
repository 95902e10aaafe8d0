#include "tools/lib/rate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/lib/say.h"

int rate_read(const char *option, const char *text, double *ret) {
  char *end = NULL;
  bool is_number = isdigit((unsigned char)text[0]) && !strpbrk(text, "xX");
  *ret = is_number ? strtod(text, &end) : 0;
  if (is_number && strcmp(end, "/s") == 0)
    end += 2;
  if (!is_number || *end || !(*ret > 0 && *ret <= 1e9))
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

int rate_read_count(const char *option, const char *text, size_t *ret) {
  size_t digits = text ? strspn(text, "0123456789") : 0;
  if (!text)
    return EXIT_FINE;
  if (digits == 0 || digits > 18 || text[digits])
    return say(EXIT_USAGE, "--%s needs a number without a fraction, not '%s'", option, text);
  *ret = (size_t)strtoull(text, NULL, 10);
  return EXIT_FINE;
}

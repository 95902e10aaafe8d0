#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  const char *sentence;
} codes[WM_CODE_COUNT] = {
    [WM_OK] = {"OK", "nothing is wrong"},
#define WM_CODE(name, sentence) [WM_E_##name] = {#name, sentence},
#include "core/codes.def"
#undef WM_CODE
};

const char *wm_code_name(enum wm_code code) {
  return (unsigned)code < WM_CODE_COUNT ? codes[code].name : "UNKNOWN";
}

const char *wm_code_sentence(enum wm_code code) {
  return (unsigned)code < WM_CODE_COUNT ? codes[code].sentence : "a code that this version does not know";
}

/* Takes away the beginning of a UTF-8 character whose end was cut off. */
static void drop_half_character(char *text, size_t size) {
  size_t start = size;
  while (start > 0 && size - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
    start--;
  if (start == 0)
    return;
  unsigned char lead = (unsigned char)text[start - 1];
  size_t needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (needs > size - start + 1)
    text[start - 1] = '\0';
}

/* Subjects come from strangers: a line feed in one must not make two lines of an error. */
static void make_one_line(char *text) {
  for (char *c = text; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      *c = '?';
}

int wm_error_set(struct wm_error *error, enum wm_code code, const char *format, ...) {
  if (!error)
    return -1;
  error->code = code;
  error->line = error->column = 0;
  error->source[0] = '\0';
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(error->text, sizeof(error->text), format, arguments);
  va_end(arguments);
  if (length < 0)
    error->text[0] = '\0';
  else if ((size_t)length >= sizeof(error->text))
    drop_half_character(error->text, sizeof(error->text) - 1);
  make_one_line(error->text);
  return -1;
}

int wm_error_memory(struct wm_error *error) {
  return wm_error_set(error, WM_E_OUT_OF_MEMORY, "out of memory");
}

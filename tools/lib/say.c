#include "tools/lib/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/command.h"

int say(int exit_code, const char *format, ...) {
  struct wm_buf line = WM_BUF_INIT;
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  int size = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (size >= 0)
    say_safe(&line, (struct wm_text){text, (size_t)size});
  fprintf(stderr, "waymark: %s\n", line.bytes ? line.bytes : "no memory");
  wm_buf_release(&line);
  free(text);
  return exit_code;
}

int say_error(int exit_code, const struct wm_error *error) {
  struct wm_buf line = WM_BUF_INIT;
  say_safe(&line, wm_text_of(error->text));
  fputs("waymark: ", stderr);
  if (error->source[0])
    fprintf(stderr, "%s:", error->source);
  if (error->source[0] && error->line)
    fprintf(stderr, "%u:%u:", error->line, error->column);
  fprintf(stderr, "%s%s [%s]\n", error->source[0] ? " " : "", line.bytes ? line.bytes : "", wm_code_name(error->code));
  wm_buf_release(&line);
  return error->code == WM_E_OUT_OF_MEMORY ? EXIT_BUG : exit_code;
}

int say_memory(void) {
  return say(EXIT_BUG, "no memory");
}

/* The size of the UTF-8 character that 'text' begins with; 0: it begins with none. */
static size_t character_size(struct wm_text text) {
  for (size_t size = 1; size <= 4 && size <= text.size; size++)
    if (wm_text_is_utf8((struct wm_text){text.bytes, size}, NULL))
      return size;
  return 0;
}

static bool is_control(const unsigned char *bytes, size_t size) {
  return bytes[0] < 0x20 || bytes[0] == 0x7f || (size == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

/* U+2028 to U+202E and U+2066 to U+2069: lines and directions of writing, which turn around what stands beside them. */
static bool is_direction(const unsigned char *bytes, size_t size) {
  return size == 3 && bytes[0] == 0xe2 &&
         ((bytes[1] == 0x80 && bytes[2] >= 0xa8 && bytes[2] <= 0xae) ||
          (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9));
}

void say_safe(struct wm_buf *buf, struct wm_text text) {
  for (size_t at = 0; at < text.size;) {
    struct wm_text rest = {text.bytes + at, text.size - at};
    const unsigned char *bytes = (const unsigned char *)rest.bytes;
    size_t size = character_size(rest);
    if (size > 0 && !is_control(bytes, size) && !is_direction(bytes, size)) {
      wm_buf_add(buf, rest.bytes, size);
    } else {
      size = size ? size : 1;
      for (size_t i = 0; i < size; i++)
        wm_buf_printf(buf, "\\x%02x", bytes[i]);
    }
    at += size;
  }
}

bool say_ask(const char *question) {
  if (!isatty(STDIN_FILENO))
    return true;
  FILE *terminal = isatty(STDERR_FILENO) ? NULL : fopen("/dev/tty", "we"); /* stderr may go to a file */
  struct wm_buf line = WM_BUF_INIT;
  say_safe(&line, wm_text_of(question));
  fprintf(terminal ? terminal : stderr, "%s [y/N] ", line.bytes ? line.bytes : "");
  wm_buf_release(&line);
  if (terminal)
    fclose(terminal);
  char answer[16] = "";
  return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

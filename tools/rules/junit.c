#include "tools/rules/junit.h"

static const char *entity(unsigned char c) {
  switch (c) {
  case '&':
    return "&amp;";
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '"':
    return "&quot;";
  case '\'':
    return "&apos;";
  case '\n':
    return "&#10;";
  case '\t':
    return "&#9;";
  default:
    return NULL;
  }
}

/* Bytes of the UTF-8 character that begins here and that XML may hold; 0: none does. */
static size_t character(struct wm_text text) {
  unsigned char c = (unsigned char)text.bytes[0];
  size_t size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  if (c < 0x20 || c == 0x7f || size > text.size || !wm_text_is_utf8((struct wm_text){text.bytes, size}, NULL))
    return 0;
  bool no_character = size == 3 && c == 0xef && (unsigned char)text.bytes[1] == 0xbf &&
                      (unsigned char)text.bytes[2] >= 0xbe; /* U+FFFE, U+FFFF */
  return no_character ? 0 : size;
}

void junit_escape(struct wm_buf *buf, struct wm_text text) {
  while (text.size > 0) {
    const char *escaped = entity((unsigned char)text.bytes[0]);
    size_t size = character(text);
    if (escaped)
      wm_buf_add_string(buf, escaped);
    else if (size)
      wm_buf_add(buf, text.bytes, size);
    else
      wm_buf_printf(buf, "\\x%02x", (unsigned)(unsigned char)text.bytes[0]);
    size = escaped || !size ? 1 : size;
    text = (struct wm_text){text.bytes + size, text.size - size};
  }
}

static void add_attribute(struct wm_buf *buf, const char *name, struct wm_text text) {
  wm_buf_printf(buf, " %s=\"", name);
  junit_escape(buf, text);
  wm_buf_add_char(buf, '"');
}

static void add_time(struct wm_buf *buf, int64_t us) {
  wm_buf_printf(buf, " time=\"%lld.%06lld\"", (long long)(us / 1000000), (long long)(us % 1000000));
}

void junit_add(struct wm_buf *cases, struct wm_text file, unsigned line, struct wm_text name, int64_t took_us,
               struct wm_text failure) {
  wm_buf_add_string(cases, "  <testcase");
  add_attribute(cases, "classname", file);
  add_attribute(cases, "name", name);
  add_attribute(cases, "file", file);
  wm_buf_printf(cases, " line=\"%u\"", line);
  add_time(cases, took_us);
  if (!failure.bytes) {
    wm_buf_add_string(cases, "/>\n");
    return;
  }
  const char *end = memchr(failure.bytes, '\n', failure.size);
  wm_buf_add_string(cases, ">\n    <failure");
  add_attribute(cases, "message", (struct wm_text){failure.bytes, end ? (size_t)(end - failure.bytes) : failure.size});
  wm_buf_add_char(cases, '>');
  junit_escape(cases, failure);
  wm_buf_add_string(cases, "</failure>\n  </testcase>\n");
}

void junit_finish(struct wm_buf *buf, const struct wm_buf *cases, size_t count, size_t failed, int64_t took_us) {
  wm_buf_printf(buf,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"waymark\" tests=\"%zu\" "
                "failures=\"%zu\" errors=\"0\" skipped=\"0\"",
                count, failed);
  add_time(buf, took_us);
  wm_buf_add_string(buf, ">\n");
  wm_buf_add(buf, cases->bytes ? cases->bytes : "", cases->size);
  wm_buf_add_string(buf, "</testsuite>\n</testsuites>\n");
  buf->failed |= cases->failed;
}

#include "core/codec/yaml_parts.h"

void wm_yaml_cut_begin(struct yaml_cutter *cutter, struct wm_text file) {
  if (wm_text_starts_with(file, WM_TEXT("\xef\xbb\xbf")))
    file = (struct wm_text){file.bytes + 3, file.size - 3};
  *cutter = (struct yaml_cutter){.file = file, .line = 1};
}

/* The line that begins at 'at', its end (CR, LF or both) included. */
static struct wm_text line_at(struct wm_text file, size_t at) {
  size_t end = at;
  while (end < file.size && file.bytes[end] != '\n' && file.bytes[end] != '\r')
    end++;
  if (end + 1 < file.size && file.bytes[end] == '\r' && file.bytes[end + 1] == '\n')
    end++;
  if (end < file.size)
    end++;
  return (struct wm_text){file.bytes + at, end - at};
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_marker(struct wm_text line, const char *marker) {
  return wm_text_starts_with(line, wm_text_of(marker)) && (line.size == 3 || is_space(line.bytes[3]));
}

/* Blank, a comment or a directive: nothing that would make a document. */
static bool is_idle(struct wm_text line) {
  size_t at = 0;
  while (at < line.size && is_space(line.bytes[at]))
    at++;
  return at == line.size || line.bytes[at] == '#' || line.bytes[0] == '%';
}

/* Blanks, or '---', alone. */
static bool is_plainly_idle(struct wm_text line) {
  size_t at = is_marker(line, "---") ? 3 : 0;
  while (at < line.size && (line.bytes[at] == ' ' || line.bytes[at] == '\r' || line.bytes[at] == '\n'))
    at++;
  return at == line.size;
}

/* Directives and comments before '---' belong to the document that it begins. */
bool wm_yaml_cut_next(struct yaml_cutter *cutter, struct yaml_part *ret) {
  if (cutter->at >= cutter->file.size)
    return false;
  size_t start = cutter->at, content = cutter->at, end = cutter->at;
  *ret = (struct yaml_part){.line = cutter->line, .idle = true};
  bool begun = false;
  while (cutter->at < cutter->file.size) {
    struct wm_text line = line_at(cutter->file, cutter->at);
    if (is_marker(line, "---")) {
      if (begun)
        break;
      begun = true;
      content = cutter->at + (is_plainly_idle(line) ? line.size : 3);
    } else if (is_marker(line, "...")) {
      cutter->at += line.size;
      cutter->line++;
      break;
    } else if (!is_idle(line)) {
      begun = true;
    }
    ret->idle = ret->idle && is_plainly_idle(line);
    cutter->at += line.size;
    cutter->line++;
    end = cutter->at;
  }
  ret->bytes = (struct wm_text){cutter->file.bytes + start, end - start};
  ret->content = (struct wm_text){cutter->file.bytes + content, end - content};
  return true;
}

void wm_yaml_cursor_step(struct yaml_cursor *cursor) {
  const char *c = cursor->bytes.bytes + cursor->offset;
  size_t left = cursor->bytes.size - cursor->offset;
  bool ends_line = *c == '\n' || (*c == '\r' && !(left > 1 && c[1] == '\n'));
  size_t size = 1;
  while (size < left && ((unsigned char)c[size] & 0xc0) == 0x80)
    size++;
  cursor->offset += size;
  cursor->index++;
  cursor->column++;
  if (ends_line) {
    cursor->line++;
    cursor->column = 1;
  }
}

static uint32_t point_at(struct wm_text bytes, size_t offset) {
  const unsigned char *c = (const unsigned char *)bytes.bytes + offset;
  if (c[0] < 0x80)
    return c[0];
  if (c[0] < 0xe0)
    return (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
  if (c[0] < 0xf0)
    return (c[0] & 0x0fu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
  return (c[0] & 0x07u) << 18 | (c[1] & 0x3fu) << 12 | (c[2] & 0x3fu) << 6 | (c[3] & 0x3fu);
}

static const char *refuse(uint32_t point) {
  if (point == '\t' || point == '\n' || point == '\r' || (point >= 0x20 && point <= 0x7e))
    return NULL;
  if (point == 0x85 || point == 0x2028 || point == 0x2029)
    return "a line separator that not every YAML reader takes as one: write it as an escape in double quotes";
  if (point < 0xa0)
    return "a control character: write it as an escape in double quotes";
  if (point == 0xfeff)
    return "a byte order mark that is not at the beginning of the file";
  return point == 0xfffe || point == 0xffff ? "a character that YAML does not allow" : NULL;
}

bool wm_yaml_find_bad(struct yaml_cursor *cursor, const char **ret) {
  size_t bad = cursor->bytes.size;
  bool good = wm_text_is_utf8(cursor->bytes, &bad);
  size_t end = good ? cursor->bytes.size : bad;
  while (cursor->offset < end) {
    *ret = refuse(point_at(cursor->bytes, cursor->offset));
    if (*ret)
      return true;
    wm_yaml_cursor_step(cursor);
  }
  *ret = "not UTF-8: save the file as UTF-8";
  return !good;
}

#include "tools/lib/yaml_write.h"

#include "core/codec/yaml.h"

#define LINE_SIZE 90 /* what is shorter than this stands in one line */

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, digits and a few signs, and not a word that means something else. */
static bool is_plain(struct wm_text text) {
  if (text.size == 0 || text.size > LINE_SIZE || !is_letter(text.bytes[0]))
    return false;
  for (size_t i = 0; i < text.size; i++) {
    char c = text.bytes[i];
    bool between = i > 0 && i + 1 < text.size && text.bytes[i - 1] != ' ';
    if (!is_letter(c) && !(c >= '0' && c <= '9') && !strchr("-_./@", c) && !(c == ' ' && between))
      return false;
  }
  const struct wm_node node = {.kind = WM_NODE_SCALAR, .plain = true, .text = text};
  return wm_node_value(&node, NULL).type == WM_STRING;
}

/* The code point that 'text' (UTF-8) begins with, and its bytes. */
static unsigned decode(struct wm_text text, size_t *ret_size) {
  const unsigned char *bytes = (const unsigned char *)text.bytes;
  size_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
  if (size > text.size || !wm_text_is_utf8((struct wm_text){text.bytes, size}, NULL)) {
    *ret_size = 1;
    return bytes[0];
  }
  static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  unsigned code = bytes[0] & masks[size];
  for (size_t i = 1; i < size; i++)
    code = code << 6 | (bytes[i] & 0x3f);
  *ret_size = size;
  return code;
}

/* Must it be an escape? Controls, line separators, the byte order mark and what is no character. */
static bool is_odd(unsigned code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff ||
         (code & 0xfffe) == 0xfffe || (code >= 0xfff9 && code <= 0xfffb);
}

static void add_quoted(struct wm_buf *buf, struct wm_text text) {
  wm_buf_add_char(buf, '"');
  while (text.size > 0) {
    size_t size;
    unsigned code = decode(text, &size);
    if (code == '"' || code == '\\')
      wm_buf_printf(buf, "\\%c", (int)code);
    else if (code == '\n')
      wm_buf_add_string(buf, "\\n");
    else if (is_odd(code))
      wm_buf_printf(buf, code > 0xffff ? "\\U%08x" : "\\u%04x", code);
    else
      wm_buf_add(buf, text.bytes, size);
    text = (struct wm_text){text.bytes + size, text.size - size};
  }
  wm_buf_add_char(buf, '"');
}

void yaml_text(struct wm_buf *buf, struct wm_text text) {
  if (is_plain(text))
    wm_buf_add_text(buf, text);
  else
    add_quoted(buf, text);
}

/* In one line. */
static void add_flow(struct wm_buf *buf, const struct wm_value *value) {
  if (value->type == WM_STRING) {
    yaml_text(buf, value->string);
  } else if (value->type == WM_LIST) {
    wm_buf_add_char(buf, '[');
    for (size_t i = 0; i < value->list.count; i++) {
      wm_buf_add_string(buf, i ? ", " : "");
      add_flow(buf, &value->list.items[i]);
    }
    wm_buf_add_char(buf, ']');
  } else if (value->type == WM_OBJECT) {
    wm_buf_add_string(buf, value->object.count ? "{ " : "{");
    for (size_t i = 0; i < value->object.count; i++) {
      wm_buf_add_string(buf, i ? ", " : "");
      yaml_text(buf, value->object.members[i].name);
      wm_buf_add_string(buf, ": ");
      add_flow(buf, &value->object.members[i].value);
    }
    wm_buf_add_string(buf, value->object.count ? " }" : "}");
  } else {
    wm_value_to_json(value, buf);
  }
}

static bool fits(const struct wm_value *value) {
  struct wm_buf json = WM_BUF_INIT;
  wm_value_to_json(value, &json);
  bool answer = json.size < LINE_SIZE || json.failed;
  wm_buf_release(&json);
  return answer;
}

void yaml_value(struct wm_buf *buf, const struct wm_value *value, size_t indent) {
  bool list = value->type == WM_LIST && value->list.count > 0;
  bool object = value->type == WM_OBJECT && value->object.count > 0;
  if ((!list && !object) || fits(value)) {
    wm_buf_add_char(buf, ' ');
    add_flow(buf, value);
    wm_buf_add_char(buf, '\n');
    return;
  }
  wm_buf_add_char(buf, '\n');
  for (size_t i = 0; object && i < value->object.count; i++)
    yaml_member(buf, indent, value->object.members[i].name, &value->object.members[i].value);
  for (size_t i = 0; list && i < value->list.count; i++) {
    wm_buf_printf(buf, "%*s-", (int)indent, "");
    yaml_value(buf, &value->list.items[i], indent + 2);
  }
}

void yaml_member(struct wm_buf *buf, size_t indent, struct wm_text key, const struct wm_value *value) {
  wm_buf_printf(buf, "%*s", (int)indent, "");
  yaml_text(buf, key);
  wm_buf_add_char(buf, ':');
  yaml_value(buf, value, indent + 2);
}

void yaml_member_text(struct wm_buf *buf, size_t indent, const char *key, struct wm_text text) {
  wm_buf_printf(buf, "%*s%s: ", (int)indent, "", key);
  yaml_text(buf, text);
  wm_buf_add_char(buf, '\n');
}

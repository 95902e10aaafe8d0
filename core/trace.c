#include "core/trace.h"

#define PARENT_SIZE 55   /* of version 00 */
#define PARENT_LIMIT 256 /* of any */
#define ID_AT 3
#define ID_SIZE 32
#define SPAN_AT 36
#define SPAN_SIZE 16
#define FLAGS_AT 53
#define STATE_LIMIT 1024 /* 512 have to be passed on */
#define STATE_MEMBERS 32
#define KEY_LIMIT 256
#define VALUE_LIMIT 256

/* --- traceparent --- */

static bool is_hex(struct wm_text text, size_t at, size_t size) {
  for (size_t i = at; i < at + size; i++)
    if (!((text.bytes[i] >= '0' && text.bytes[i] <= '9') || (text.bytes[i] >= 'a' && text.bytes[i] <= 'f')))
      return false;
  return true;
}

static bool is_id(struct wm_text text, size_t at, size_t size) {
  bool zeros = true;
  for (size_t i = at; i < at + size; i++)
    zeros = zeros && text.bytes[i] == '0';
  return !zeros && is_hex(text, at, size);
}

/* Nothing that could be a danger in a header or on a terminal. */
static bool is_visible(struct wm_text text, size_t at) {
  for (size_t i = at; i < text.size; i++)
    if (text.bytes[i] <= ' ' || text.bytes[i] > '~')
      return false;
  return true;
}

bool wm_trace_parent_is_fine(struct wm_text text) {
  if (text.size < PARENT_SIZE || text.size > PARENT_LIMIT)
    return false;
  bool fine = is_hex(text, 0, 2) && text.bytes[2] == '-' && is_id(text, ID_AT, ID_SIZE) &&
              text.bytes[SPAN_AT - 1] == '-' && is_id(text, SPAN_AT, SPAN_SIZE) && text.bytes[FLAGS_AT - 1] == '-' &&
              is_hex(text, FLAGS_AT, 2);
  if (!fine || (text.bytes[0] == 'f' && text.bytes[1] == 'f'))
    return false;
  if (text.bytes[0] == '0' && text.bytes[1] == '0')
    return text.size == PARENT_SIZE;
  return text.size == PARENT_SIZE || (text.bytes[PARENT_SIZE] == '-' && is_visible(text, PARENT_SIZE));
}

bool wm_trace_parent_can_pass(struct wm_text text) {
  return text.size >= 1 && text.size <= PARENT_LIMIT && is_visible(text, 0);
}

/* --- tracestate --- */

static bool is_key_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_key_rest(char c) {
  return is_key_start(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
}

static bool is_key(struct wm_text key) {
  if (key.size < 1 || key.size > KEY_LIMIT || !is_key_start(key.bytes[0]))
    return false;
  for (size_t i = 1; i < key.size; i++)
    if (!is_key_rest(key.bytes[i]))
      return false;
  return true;
}

static bool is_value(struct wm_text value) {
  if (value.size < 1 || value.size > VALUE_LIMIT || value.bytes[value.size - 1] == ' ')
    return false;
  for (size_t i = 0; i < value.size; i++)
    if (value.bytes[i] < ' ' || value.bytes[i] > '~' || value.bytes[i] == ',' || value.bytes[i] == '=')
      return false;
  return true;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static struct wm_text trim(struct wm_text text) {
  while (text.size > 0 && is_blank(text.bytes[0])) {
    text.bytes++;
    text.size--;
  }
  while (text.size > 0 && is_blank(text.bytes[text.size - 1]))
    text.size--;
  return text;
}

/* The next member, trimmed, and what is behind it. */
static struct wm_text split(struct wm_text *rest) {
  const char *comma = memchr(rest->bytes, ',', rest->size);
  size_t size = comma ? (size_t)(comma - rest->bytes) : rest->size;
  struct wm_text member = {rest->bytes, size};
  size_t taken = comma ? size + 1 : size;
  rest->bytes += taken;
  rest->size -= taken;
  return trim(member);
}

/* key=value with a key that none of those before has. */
static bool is_member(struct wm_text member, struct wm_text *keys, size_t count) {
  const char *equals = memchr(member.bytes, '=', member.size);
  if (!equals || count == STATE_MEMBERS)
    return false;
  size_t size = (size_t)(equals - member.bytes);
  keys[count] = (struct wm_text){member.bytes, size};
  for (size_t i = 0; i < count; i++)
    if (wm_text_equal(keys[i], keys[count]))
      return false;
  return is_key(keys[count]) && is_value((struct wm_text){equals + 1, member.size - size - 1});
}

bool wm_trace_state_is_fine(struct wm_text text) {
  struct wm_text keys[STATE_MEMBERS];
  size_t count = 0;
  if (text.size > STATE_LIMIT)
    return false;
  while (text.size > 0) {
    struct wm_text member = split(&text);
    if (member.size == 0) /* allowed, and says nothing */
      continue;
    if (!is_member(member, keys, count))
      return false;
    count++;
  }
  return count > 0;
}

struct wm_text wm_trace_id(const struct wm_trace *trace) {
  bool fine = wm_trace_parent_is_fine(trace->parent);
  return fine ? (struct wm_text){trace->parent.bytes + ID_AT, ID_SIZE} : WM_NO_TEXT;
}

/* jansson parses, and its tree is copied into the arena: no other file has to know jansson, and nobody has to free a
 * value. Texts without anything odd take a shorter way (json_plain.c), with the same result. */
#include "core/codec/json.h"

#include <jansson.h>

#include "core/codec/json_plain.h"

#define READ_FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)

static const char *const fault_names[] = {
    [WM_JSON_SYNTAX] = "json", [WM_JSON_UTF8] = "utf8",   [WM_JSON_DUPLICATE] = "duplicate-key",
    [WM_JSON_NUL] = "nul",     [WM_JSON_RANGE] = "range",
};

const char *wm_json_fault_name(enum wm_json_fault fault) {
  return fault_names[fault];
}

static int copy_value(struct wm_arena *arena, json_t *json, struct wm_value *ret);

static int copy_text(struct wm_arena *arena, const char *bytes, size_t size, struct wm_text *ret) {
  ret->bytes = wm_arena_copy(arena, bytes, size);
  ret->size = size;
  return ret->bytes ? 0 : -1;
}

static int copy_list(struct wm_arena *arena, json_t *json, struct wm_value *ret) {
  size_t count = json_array_size(json);
  ret->type = WM_LIST;
  ret->list.count = count;
  ret->list.items = WM_ARENA_ARRAY(arena, struct wm_value, count);
  if (count > 0 && !ret->list.items)
    return -1;
  for (size_t i = 0; i < count; i++)
    if (copy_value(arena, json_array_get(json, i), &ret->list.items[i]))
      return -1;
  return 0;
}

static int copy_object(struct wm_arena *arena, json_t *json, struct wm_value *ret) {
  size_t count = json_object_size(json);
  ret->type = WM_OBJECT;
  ret->object.count = count;
  ret->object.members = WM_ARENA_ARRAY(arena, struct wm_member, count);
  if (count > 0 && !ret->object.members)
    return -1;
  struct wm_member *member = ret->object.members;
  for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at), member++)
    if (copy_text(arena, json_object_iter_key(at), json_object_iter_key_len(at), &member->name) ||
        copy_value(arena, json_object_iter_value(at), &member->value))
      return -1;
  return 0;
}

/* Recursion is bounded by jansson's own limit on depth (2048). */
static int copy_value(struct wm_arena *arena, json_t *json, struct wm_value *ret) {
  switch (json_typeof(json)) {
  case JSON_OBJECT:
    return copy_object(arena, json, ret);
  case JSON_ARRAY:
    return copy_list(arena, json, ret);
  case JSON_STRING:
    ret->type = WM_STRING;
    return copy_text(arena, json_string_value(json), json_string_length(json), &ret->string);
  case JSON_INTEGER:
    ret->type = WM_INTEGER;
    ret->integer = json_integer_value(json);
    return 0;
  case JSON_REAL:
    ret->type = WM_REAL;
    ret->real = json_real_value(json);
    return 0;
  case JSON_TRUE:
  case JSON_FALSE:
    ret->type = WM_BOOLEAN;
    ret->boolean = json_is_true(json);
    return 0;
  case JSON_NULL:
    ret->type = WM_NULL;
    return 0;
  }
  return -1;
}

/* jansson's own sentences quote the input; a payload never stands in a message. */
static int refuse(const json_error_t *cause, enum wm_json_fault *ret_fault, struct wm_error *error) {
  static const struct {
    enum json_error_code cause;
    enum wm_json_fault fault;
    const char *sentence;
  } faults[] = {
      {json_error_invalid_utf8, WM_JSON_UTF8, "the text is not UTF-8"},
      {json_error_duplicate_key, WM_JSON_DUPLICATE, "an object has the same name twice"},
      {json_error_null_character, WM_JSON_NUL, "a text holds U+0000"},
      {json_error_null_byte_in_key, WM_JSON_NUL, "a name holds U+0000"},
      {json_error_numeric_overflow, WM_JSON_RANGE, "a number is too large"},
      {json_error_premature_end_of_input, WM_JSON_SYNTAX, "the JSON text ends too early"},
      {json_error_end_of_input_expected, WM_JSON_SYNTAX, "something stands behind the JSON value"},
      {json_error_stack_overflow, WM_JSON_SYNTAX, "the JSON text is nested too deep"},
  };
  enum wm_json_fault fault = WM_JSON_SYNTAX;
  const char *sentence = "not JSON";
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
    if (faults[i].cause == json_error_code(cause)) {
      fault = faults[i].fault;
      sentence = faults[i].sentence;
    }
  if (ret_fault)
    *ret_fault = fault;
  wm_error_set(error, WM_E_JSON_INVALID, "%s", sentence);
  if (error) {
    error->line = cause->line > 0 ? (unsigned)cause->line : 0;
    error->column = cause->column > 0 ? (unsigned)cause->column : 0;
  }
  return -1;
}

/* jansson swallows a NUL byte right behind a number. */
static int refuse_nul(struct wm_text text, size_t at, enum wm_json_fault *ret_fault, struct wm_error *error) {
  wm_error_set(error, WM_E_JSON_INVALID, "a NUL byte stands in the JSON text");
  if (ret_fault)
    *ret_fault = WM_JSON_NUL;
  if (!error)
    return -1;
  error->line = error->column = 1;
  for (size_t i = 0; i < at; i++) {
    error->column += ((unsigned char)text.bytes[i] & 0xc0) != 0x80;
    if (text.bytes[i] == '\n') {
      error->line++;
      error->column = 1;
    }
  }
  return -1;
}

/* An integer as JSON writes it, without a sign. */
static bool is_over_64_bits(const char *digits, size_t count, bool negative) {
  const char *most = negative ? "9223372036854775808" : "9223372036854775807";
  size_t size = strlen(most);
  return count > size || (count == size && memcmp(digits, most, size) > 0);
}

/* The number at 'from', up to its end; what of an integer over 64 bits makes a real is written behind it. */
static const char *add_number(const char *from, const char *end, char **to) {
  bool negative = *from == '-';
  const char *digits = from + negative, *at = digits;
  while (at < end && *at >= '0' && *at <= '9')
    at++;
  bool integer = at == end || !strchr(".eE", *at);
  bool wide = integer && is_over_64_bits(digits, (size_t)(at - digits), negative);
  while (at < end && strchr("0123456789+-.eE", *at))
    at++;
  memcpy(*to, from, (size_t)(at - from));
  *to += at - from;
  if (wide) {
    *(*to)++ = 'e';
    *(*to)++ = '0';
  }
  return at;
}

/* The same valid JSON with every integer over 64 bits as a real; such an integer has 19 digits. NULL: no memory. */
static struct wm_text widen(struct wm_text text, struct wm_arena *arena) {
  char *copy = wm_arena_alloc(arena, text.size + text.size / 8), *to = copy;
  const char *end = text.bytes + text.size;
  bool quoted = false;
  for (const char *at = text.bytes; copy && at < end;) {
    if (!quoted && (*at == '-' || (*at >= '0' && *at <= '9'))) {
      at = add_number(at, end, &to);
      continue;
    }
    quoted = quoted != (*at == '"');
    if (quoted && *at == '\\')
      *to++ = *at++;
    *to++ = *at++;
  }
  return (struct wm_text){copy, copy ? (size_t)(to - copy) : 0};
}

int wm_json_read_any(struct wm_text text, struct wm_arena *arena, struct wm_value *ret, enum wm_json_fault *ret_fault,
                     struct wm_error *error) {
  json_error_t cause;
  const char *bytes = text.bytes ? text.bytes : "";
  const char *nul = memchr(bytes, '\0', text.size);
  if (nul)
    return refuse_nul(text, (size_t)(nul - bytes), ret_fault, error);
  json_t *json = json_loadb(bytes, text.size, READ_FLAGS, &cause);
  if (!json && json_error_code(&cause) == json_error_numeric_overflow) {
    /* An integer over 64 bits is still a number. All integers as reals: that says what else is wrong, in its place (a
     * number that is too large for a double, too). But only the wide ones may lose bits. */
    json = json_loadb(bytes, text.size, READ_FLAGS | JSON_DECODE_INT_AS_REAL, &cause);
    struct wm_text wide = json ? widen(text, arena) : WM_NO_TEXT;
    if (json && !wide.bytes) {
      json_decref(json);
      return wm_error_memory(error);
    }
    if (json) {
      json_decref(json);
      json = json_loadb(wide.bytes, wide.size, READ_FLAGS, &cause);
    }
  }
  if (!json)
    return json_error_code(&cause) == json_error_out_of_memory ? wm_error_memory(error)
                                                               : refuse(&cause, ret_fault, error);
  int result = copy_value(arena, json, ret);
  json_decref(json);
  return result ? wm_error_memory(error) : 0;
}

int wm_json_read(struct wm_text text, struct wm_arena *arena, struct wm_value *ret, enum wm_json_fault *ret_fault,
                 struct wm_error *error) {
  switch (wm_json_read_plain(text, arena, ret)) {
  case WM_PLAIN_READ:
    return 0;
  case WM_PLAIN_NO_MEMORY:
    return wm_error_memory(error);
  case WM_PLAIN_NOT:
    break;
  }
  return wm_json_read_any(text, arena, ret, ret_fault, error);
}

int wm_json_parse(struct wm_text text, struct wm_arena *arena, struct wm_value *ret, struct wm_error *error) {
  return wm_json_read(text, arena, ret, NULL, error);
}

size_t wm_json_depth(struct wm_text text) {
  long long depth = 0, deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size; i++) {
    char c = text.bytes[i];
    if (quoted) {
      if (c == '\\')
        i++;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > deepest)
        deepest = depth;
    } else if (c == ']' || c == '}') {
      depth--;
    }
  }
  return (size_t)deepest;
}

static void indent(struct wm_buf *buf, unsigned level) {
  wm_buf_add_char(buf, '\n');
  for (unsigned i = 0; i < level; i++)
    wm_buf_add(buf, "  ", 2);
}

static void pretty(const struct wm_value *value, unsigned level, struct wm_buf *buf);

static void pretty_list(const struct wm_value *list, unsigned level, struct wm_buf *buf) {
  wm_buf_add_char(buf, '[');
  for (size_t i = 0; i < list->list.count; i++) {
    if (i > 0)
      wm_buf_add_char(buf, ',');
    indent(buf, level + 1);
    pretty(&list->list.items[i], level + 1, buf);
  }
  indent(buf, level);
  wm_buf_add_char(buf, ']');
}

static void pretty_object(const struct wm_value *object, unsigned level, struct wm_buf *buf) {
  wm_buf_add_char(buf, '{');
  for (size_t i = 0; i < object->object.count; i++) {
    if (i > 0)
      wm_buf_add_char(buf, ',');
    indent(buf, level + 1);
    wm_buf_add_json(buf, object->object.members[i].name);
    wm_buf_add(buf, ": ", 2);
    pretty(&object->object.members[i].value, level + 1, buf);
  }
  indent(buf, level);
  wm_buf_add_char(buf, '}');
}

static void pretty(const struct wm_value *value, unsigned level, struct wm_buf *buf) {
  if (value->type == WM_LIST && value->list.count > 0)
    pretty_list(value, level, buf);
  else if (value->type == WM_OBJECT && value->object.count > 0)
    pretty_object(value, level, buf);
  else
    wm_value_to_json(value, buf);
}

void wm_json_pretty(const struct wm_value *value, struct wm_buf *ret) {
  pretty(value, 0, ret);
}

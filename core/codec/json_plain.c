/* The text is copied once, and strings are slices of the copy. The copy ends with NUL, which is valid nowhere, so that
 * no step has to look for the end. */
#include "core/codec/json_plain.h"

#define OPEN_LIMIT 256  /* members and items of lists and objects that are not closed yet */
#define NAMES_LIMIT 64  /* of one object: each is compared with all before it */
#define DEPTH_LIMIT 128 /* stack */
#define EXACT_DIGITS 15 /* up to here mantissa and power of ten are exact, and so is their quotient's rounding */
#define INTEGER_DIGITS 18

struct plain {
  char *at;
  struct wm_arena *arena;
  unsigned depth;
  bool no_memory;
  size_t open_count;
  struct wm_member open[OPEN_LIMIT]; /* a stack; items of lists have no name */
};

static bool read_value(struct plain *plain, struct wm_value *ret);

static char skip_blanks(struct plain *plain) {
  while (*plain->at == ' ' || *plain->at == '\n' || *plain->at == '\t' || *plain->at == '\r')
    plain->at++;
  return *plain->at;
}

/* Behind the opening quote. */
static bool read_string(struct plain *plain, struct wm_text *ret) {
  unsigned char seen = 0;
  char *at = plain->at;
  for (; (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\'; at++)
    seen |= (unsigned char)*at;
  if (*at != '"')
    return false;
  *ret = (struct wm_text){plain->at, (size_t)(at - plain->at)};
  *at = '\0';
  plain->at = at + 1;
  return seen < 0x80 || wm_text_is_utf8(*ret, NULL);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* As many as fit into 64 bits for sure. */
static size_t read_digits(struct plain *plain, int64_t *number) {
  const char *start = plain->at;
  for (; is_digit(*plain->at) && plain->at - start < INTEGER_DIGITS; plain->at++)
    *number = *number * 10 + (*plain->at - '0');
  return (size_t)(plain->at - start);
}

static bool read_number(struct plain *plain, struct wm_value *ret) {
  static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  int64_t number = 0;
  bool negative = *plain->at == '-';
  plain->at += negative;
  bool zero = *plain->at == '0';
  size_t digits = read_digits(plain, &number);
  if (digits == 0 || is_digit(*plain->at) || (zero && digits > 1))
    return false;
  ret->type = WM_INTEGER;
  ret->integer = negative ? -number : number;
  if (*plain->at != '.')
    return *plain->at != 'e' && *plain->at != 'E';
  if (digits > EXACT_DIGITS)
    return false;
  plain->at++;
  size_t fraction = 0;
  for (; is_digit(*plain->at) && digits + fraction < EXACT_DIGITS; plain->at++, fraction++)
    number = number * 10 + (*plain->at - '0');
  if (fraction == 0 || is_digit(*plain->at) || *plain->at == 'e' || *plain->at == 'E')
    return false;
  double real = (double)number / powers[fraction];
  ret->type = WM_REAL;
  ret->real = negative ? -real : real;
  return true;
}

static bool read_word(struct plain *plain, const char *word, size_t size) {
  if (strncmp(plain->at, word, size) != 0)
    return false;
  plain->at += size;
  return true;
}

static struct wm_member *push(struct plain *plain) {
  return plain->open_count < OPEN_LIMIT ? &plain->open[plain->open_count++] : NULL;
}

static bool is_new_name(const struct plain *plain, size_t base) {
  const struct wm_text name = plain->open[plain->open_count - 1].name;
  size_t count = plain->open_count - 1;
  for (size_t i = base; i < count; i++)
    if (wm_text_equal(plain->open[i].name, name))
      return false;
  return count - base < NAMES_LIMIT;
}

static bool read_member(struct plain *plain, size_t base) {
  struct wm_member *member = push(plain);
  if (!member || skip_blanks(plain) != '"')
    return false;
  plain->at++;
  if (!read_string(plain, &member->name) || !is_new_name(plain, base) || skip_blanks(plain) != ':')
    return false;
  plain->at++;
  return read_value(plain, &member->value);
}

static bool read_item(struct plain *plain, size_t base) {
  (void)base;
  struct wm_member *item = push(plain);
  return item && read_value(plain, &item->value);
}

/* Everything between the brackets, onto the stack. */
static bool read_inside(struct plain *plain, char end, bool (*read)(struct plain *plain, size_t base), size_t base) {
  plain->at++;
  if (skip_blanks(plain) == end) {
    plain->at++;
    return true;
  }
  for (;;) {
    if (!read(plain, base))
      return false;
    char c = skip_blanks(plain);
    plain->at++;
    if (c == end)
      return true;
    if (c != ',')
      return false;
  }
}

static bool close_object(struct plain *plain, size_t base, struct wm_value *ret) {
  size_t count = plain->open_count - base;
  ret->type = WM_OBJECT;
  ret->object.count = count;
  ret->object.members = WM_ARENA_ARRAY(plain->arena, struct wm_member, count);
  plain->no_memory = !ret->object.members;
  if (plain->no_memory)
    return false;
  memcpy(ret->object.members, plain->open + base, count * sizeof *plain->open);
  plain->open_count = base;
  return true;
}

static bool close_list(struct plain *plain, size_t base, struct wm_value *ret) {
  size_t count = plain->open_count - base;
  ret->type = WM_LIST;
  ret->list.count = count;
  ret->list.items = WM_ARENA_ARRAY(plain->arena, struct wm_value, count);
  plain->no_memory = !ret->list.items;
  if (plain->no_memory)
    return false;
  for (size_t i = 0; i < count; i++)
    ret->list.items[i] = plain->open[base + i].value;
  plain->open_count = base;
  return true;
}

static bool read_nested(struct plain *plain, struct wm_value *ret) {
  size_t base = plain->open_count;
  bool object = *plain->at == '{';
  if (++plain->depth > DEPTH_LIMIT || !read_inside(plain, object ? '}' : ']', object ? read_member : read_item, base))
    return false;
  plain->depth--;
  return object ? close_object(plain, base, ret) : close_list(plain, base, ret);
}

static bool read_value(struct plain *plain, struct wm_value *ret) {
  switch (skip_blanks(plain)) {
  case '{':
  case '[':
    return read_nested(plain, ret);
  case '"':
    plain->at++;
    ret->type = WM_STRING;
    return read_string(plain, &ret->string);
  case 't':
    ret->type = WM_BOOLEAN;
    ret->boolean = true;
    return read_word(plain, "true", 4);
  case 'f':
    ret->type = WM_BOOLEAN;
    ret->boolean = false;
    return read_word(plain, "false", 5);
  case 'n':
    ret->type = WM_NULL;
    return read_word(plain, "null", 4);
  default:
    return read_number(plain, ret);
  }
}

enum wm_plain wm_json_read_plain(struct wm_text text, struct wm_arena *arena, struct wm_value *ret) {
  struct plain plain;
  plain.at = wm_arena_copy(arena, text.bytes, text.size);
  plain.arena = arena;
  plain.depth = 0;
  plain.open_count = 0;
  plain.no_memory = false;
  if (!plain.at)
    return WM_PLAIN_NO_MEMORY;
  const char *end = plain.at + text.size;
  if (!read_value(&plain, ret))
    return plain.no_memory ? WM_PLAIN_NO_MEMORY : WM_PLAIN_NOT;
  skip_blanks(&plain);
  return plain.at == end ? WM_PLAIN_READ : WM_PLAIN_NOT;
}

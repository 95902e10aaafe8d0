/* The YAML 1.2 core schema. libyaml follows 1.1, where 'yes' is a boolean and 010 is eight: so it is not asked. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/codec/yaml.h"

static bool is_one_of(struct wm_text text, const char *const *words) {
  for (; *words; words++)
    if (wm_text_is(text, *words))
      return true;
  return false;
}

static size_t digits(struct wm_text text, size_t at, int base) {
  size_t start = at;
  for (; at < text.size; at++) {
    unsigned char c = (unsigned char)text.bytes[at];
    if (base == 16 ? !isxdigit(c) : c < '0' || c >= '0' + base)
      break;
  }
  return at - start;
}

static size_t sign(struct wm_text text) {
  return text.size > 0 && (text.bytes[0] == '-' || text.bytes[0] == '+');
}

/* [-+]?[0-9]+ | 0o[0-7]+ | 0x[0-9a-fA-F]+; 0 when it is none, else the base. */
static int integer_base(struct wm_text text) {
  if (text.size > 2 && text.bytes[0] == '0' && (text.bytes[1] == 'x' || text.bytes[1] == 'o')) {
    int base = text.bytes[1] == 'x' ? 16 : 8;
    return digits(text, 2, base) == text.size - 2 ? base : 0;
  }
  size_t start = sign(text);
  return text.size > start && digits(text, start, 10) == text.size - start ? 10 : 0;
}

/* [-+]? ( \.[0-9]+ | [0-9]+ (\.[0-9]*)? ) ([eE][-+]?[0-9]+)? */
static bool is_real(struct wm_text text) {
  size_t at = sign(text);
  size_t whole = digits(text, at, 10), part = 0;
  at += whole;
  if (at < text.size && text.bytes[at] == '.') {
    part = digits(text, at + 1, 10);
    at += 1 + part;
  }
  if (whole + part == 0)
    return false;
  if (at < text.size && (text.bytes[at] == 'e' || text.bytes[at] == 'E')) {
    at++;
    at += at < text.size && (text.bytes[at] == '-' || text.bytes[at] == '+');
    size_t exponent = digits(text, at, 10);
    at += exponent;
    if (exponent == 0)
      return false;
  }
  return at == text.size;
}

static struct wm_value odd_text(struct wm_text text, bool *ret_odd) {
  if (ret_odd)
    *ret_odd = true;
  return (struct wm_value){.type = WM_STRING, .string = text};
}

static struct wm_value integer_value(struct wm_text text, int base, bool *ret_odd) {
  char digits_only[72]; /* 64 binary digits would fit; what is longer without leading zeros is too large anyway */
  size_t start = base == 10 ? sign(text) : 2, length = 0;
  if (base == 10 && text.bytes[0] == '-')
    digits_only[length++] = '-';
  while (start + 1 < text.size && text.bytes[start] == '0')
    start++;
  if (text.size - start > 64)
    return odd_text(text, ret_odd);
  memcpy(digits_only + length, text.bytes + start, text.size - start);
  digits_only[length + text.size - start] = '\0';
  errno = 0;
  long long number = strtoll(digits_only, NULL, base);
  if (errno)
    return odd_text(text, ret_odd);
  return (struct wm_value){.type = WM_INTEGER, .integer = number};
}

static struct wm_value real_value(struct wm_text text, bool *ret_odd) {
  char number[512];
  if (text.size >= sizeof(number))
    return odd_text(text, ret_odd);
  memcpy(number, text.bytes, text.size);
  number[text.size] = '\0';
  double real = strtod(number, NULL);
  if (!isfinite(real))
    return odd_text(text, ret_odd);
  return (struct wm_value){.type = WM_REAL, .real = real};
}

static bool is_no_number(struct wm_text text) {
  static const char *const names[] = {".inf", ".Inf", ".INF", NULL};
  static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
  size_t start = sign(text);
  return is_one_of((struct wm_text){text.bytes + start, text.size - start}, names) || is_one_of(text, nans);
}

struct wm_value wm_node_value(const struct wm_node *scalar, bool *ret_odd) {
  static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
  static const char *const trues[] = {"true", "True", "TRUE", NULL};
  static const char *const falses[] = {"false", "False", "FALSE", NULL};
  struct wm_text text = scalar->text;
  if (ret_odd)
    *ret_odd = false;
  if (!scalar->plain)
    return (struct wm_value){.type = WM_STRING, .string = text};
  if (is_one_of(text, nulls))
    return (struct wm_value){.type = WM_NULL};
  if (is_one_of(text, trues) || is_one_of(text, falses))
    return (struct wm_value){.type = WM_BOOLEAN, .boolean = is_one_of(text, trues)};
  int base = integer_base(text);
  if (base)
    return integer_value(text, base, ret_odd);
  if (is_real(text))
    return real_value(text, ret_odd);
  if (is_no_number(text))
    return odd_text(text, ret_odd);
  return (struct wm_value){.type = WM_STRING, .string = text};
}

bool wm_node_has_leading_zero(const struct wm_node *scalar) {
  struct wm_text text = scalar->text;
  if (scalar->kind != WM_NODE_SCALAR || !scalar->plain || (integer_base(text) != 10 && !is_real(text)))
    return false;
  size_t start = sign(text);
  return text.size > start + 1 && text.bytes[start] == '0' && text.bytes[start + 1] >= '0' &&
         text.bytes[start + 1] <= '9';
}

const struct wm_node *wm_node_get(const struct wm_node *map, const char *key) {
  for (size_t i = 0; map->kind == WM_NODE_MAP && i < map->count; i++)
    if (wm_text_is(map->items[2 * i].text, key) && map->items[2 * i].kind == WM_NODE_SCALAR)
      return &map->items[2 * i + 1];
  return NULL;
}

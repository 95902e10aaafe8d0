#include "core/value.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"

const struct wm_value *wm_value_member(const struct wm_value *value, struct wm_text name) {
  if (!value || value->type != WM_OBJECT)
    return NULL;
  for (size_t i = 0; i < value->object.count; i++)
    if (wm_text_equal(value->object.members[i].name, name))
      return &value->object.members[i].value;
  return NULL;
}

struct wm_text wm_value_text(const struct wm_value *value) {
  return value && value->type == WM_STRING ? value->string : WM_NO_TEXT;
}

bool wm_value_same_kind(const struct wm_value *a, const struct wm_value *b) {
  if (!wm_value_is_scalar(a))
    return false;
  return a->type == b->type || (wm_value_is_number(a) && wm_value_is_number(b));
}

/* 2^63: the first real that no integer reaches; its negative is the smallest integer. */
#define INTEGER_END 9223372036854775808.0

/* Never by turning the integer into a real: above 2^53 that loses bits. */
static int compare_integer_with_real(int64_t integer, double real) {
  if (real >= INTEGER_END)
    return -1;
  if (real < -INTEGER_END)
    return 1;
  int64_t whole = (int64_t)real;
  if (integer != whole)
    return integer < whole ? -1 : 1;
  double rest = real - (double)whole; /* exact: 'whole' is 'real' without its fraction */
  return rest > 0 ? -1 : rest < 0;
}

int wm_value_compare_numbers(const struct wm_value *a, const struct wm_value *b) {
  assert(wm_value_is_number(a) && wm_value_is_number(b));
  if (a->type == WM_INTEGER && b->type == WM_INTEGER)
    return a->integer < b->integer ? -1 : a->integer > b->integer;
  if (a->type == WM_INTEGER)
    return compare_integer_with_real(a->integer, b->real);
  if (b->type == WM_INTEGER)
    return -compare_integer_with_real(b->integer, a->real);
  return a->real < b->real ? -1 : a->real > b->real;
}

bool wm_value_equal(const struct wm_value *a, const struct wm_value *b) {
  if (!wm_value_same_kind(a, b))
    return false;
  if (a->type == WM_STRING)
    return wm_text_equal(a->string, b->string);
  if (a->type == WM_BOOLEAN)
    return a->boolean == b->boolean;
  return wm_value_compare_numbers(a, b) == 0;
}

/* Spreads a number's bits (the finalizer of MurmurHash3). */
static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 33)) * UINT64_C(0xff51afd7ed558ccd);
  x = (x ^ (x >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
  return x ^ (x >> 33);
}

static uint64_t hash_real(double real) {
  if (real >= -INTEGER_END && real < INTEGER_END && (double)(int64_t)real == real)
    return mix((uint64_t)(int64_t)real);
  uint64_t bits;
  memcpy(&bits, &real, sizeof(bits));
  return mix(~bits);
}

uint64_t wm_value_hash(const struct wm_value *scalar) {
  switch (scalar->type) {
  case WM_BOOLEAN:
    return mix(UINT64_C(0xb001000000000000) + scalar->boolean);
  case WM_INTEGER:
    return mix((uint64_t)scalar->integer);
  case WM_REAL:
    return hash_real(scalar->real);
  case WM_STRING:
    return wm_hash(scalar->string);
  case WM_NULL:
  case WM_LIST:
  case WM_OBJECT:
    break;
  }
  return 0;
}

/* The fewest significant digits that read back as the same number: "d.ddde[+-]dd". 15 digits are always exact in one
 * direction, so fewer than these are only worth a try where reals are thin: near zero. */
static void shortest(double real, char *ret, size_t size) {
  bool thin = real < 1e-300 && real > -1e-300;
  for (int digits = thin ? 0 : 14; digits <= 16; digits++) {
    snprintf(ret, size, "%.*e", digits, real);
    if (strtod(ret, NULL) == real)
      return;
  }
}

/* "80.0", "0.001", "1e+16": as an integer's digits as long as those are known, with an exponent beyond. */
static void real_to_json(double real, struct wm_buf *buf) {
  char text[40];
  shortest(real, text, sizeof(text));
  char *e = strchr(text, 'e');
  if (!e) { /* not finite: values never are */
    wm_buf_add_string(buf, "null");
    return;
  }
  int exponent = (int)strtol(e + 1, NULL, 10);
  char digits[40];
  size_t count = 0;
  for (const char *c = text; c < e; c++)
    if (*c >= '0' && *c <= '9')
      digits[count++] = *c;
  while (count > 1 && digits[count - 1] == '0')
    count--;
  if (text[0] == '-')
    wm_buf_add_char(buf, '-');
  if (exponent < -4 || exponent >= 16) {
    wm_buf_add(buf, digits, 1);
    if (count > 1) {
      wm_buf_add_char(buf, '.');
      wm_buf_add(buf, digits + 1, count - 1);
    }
    wm_buf_printf(buf, "e%+03d", exponent);
  } else if (exponent < 0) {
    wm_buf_add_string(buf, "0.");
    for (int i = -1; i > exponent; i--)
      wm_buf_add_char(buf, '0');
    wm_buf_add(buf, digits, count);
  } else {
    size_t whole = (size_t)exponent + 1;
    for (size_t i = 0; i < whole; i++)
      wm_buf_add_char(buf, i < count ? digits[i] : '0');
    wm_buf_add_char(buf, '.');
    if (count > whole)
      wm_buf_add(buf, digits + whole, count - whole);
    else
      wm_buf_add_char(buf, '0');
  }
}

static void list_to_json(const struct wm_value *value, struct wm_buf *buf) {
  wm_buf_add_char(buf, '[');
  for (size_t i = 0; i < value->list.count; i++) {
    if (i > 0)
      wm_buf_add_char(buf, ',');
    wm_value_to_json(&value->list.items[i], buf);
  }
  wm_buf_add_char(buf, ']');
}

static void object_to_json(const struct wm_value *value, struct wm_buf *buf) {
  wm_buf_add_char(buf, '{');
  for (size_t i = 0; i < value->object.count; i++) {
    if (i > 0)
      wm_buf_add_char(buf, ',');
    wm_buf_add_json(buf, value->object.members[i].name);
    wm_buf_add_char(buf, ':');
    wm_value_to_json(&value->object.members[i].value, buf);
  }
  wm_buf_add_char(buf, '}');
}

void wm_value_to_json(const struct wm_value *value, struct wm_buf *buf) {
  switch (value->type) {
  case WM_NULL:
    wm_buf_add_string(buf, "null");
    break;
  case WM_BOOLEAN:
    wm_buf_add_string(buf, value->boolean ? "true" : "false");
    break;
  case WM_INTEGER:
    wm_buf_add_integer(buf, value->integer);
    break;
  case WM_REAL:
    real_to_json(value->real, buf);
    break;
  case WM_STRING:
    wm_buf_add_json(buf, value->string);
    break;
  case WM_LIST:
    list_to_json(value, buf);
    break;
  case WM_OBJECT:
    object_to_json(value, buf);
    break;
  }
}

static int copy_string(struct wm_text text, struct wm_arena *arena, struct wm_text *ret) {
  return wm_arena_text(arena, text.bytes ? text : WM_TEXT(""), ret);
}

static int copy_list(const struct wm_value *value, struct wm_arena *arena, struct wm_value *ret) {
  struct wm_value *items = WM_ARENA_ARRAY(arena, struct wm_value, value->list.count);
  if (!items)
    return -1;
  for (size_t i = 0; i < value->list.count; i++)
    if (wm_value_copy_into(&value->list.items[i], arena, &items[i]) < 0)
      return -1;
  ret->type = WM_LIST;
  ret->list.items = items;
  ret->list.count = value->list.count;
  return 0;
}

static int copy_object(const struct wm_value *value, struct wm_arena *arena, struct wm_value *ret) {
  struct wm_member *members = WM_ARENA_ARRAY(arena, struct wm_member, value->object.count);
  if (!members)
    return -1;
  for (size_t i = 0; i < value->object.count; i++) {
    if (copy_string(value->object.members[i].name, arena, &members[i].name) < 0)
      return -1;
    if (wm_value_copy_into(&value->object.members[i].value, arena, &members[i].value) < 0)
      return -1;
  }
  ret->type = WM_OBJECT;
  ret->object.members = members;
  ret->object.count = value->object.count;
  return 0;
}

int wm_value_copy_into(const struct wm_value *value, struct wm_arena *arena, struct wm_value *ret) {
  if (value->type == WM_LIST)
    return copy_list(value, arena, ret);
  if (value->type == WM_OBJECT)
    return copy_object(value, arena, ret);
  *ret = *value;
  return value->type == WM_STRING ? copy_string(value->string, arena, &ret->string) : 0;
}

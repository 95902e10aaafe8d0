/* Values as JSON and YAML have them, read-only trees in an arena. */
#ifndef WM_CORE_VALUE_H
#define WM_CORE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/text.h"

enum wm_type { WM_NULL, WM_BOOLEAN, WM_INTEGER, WM_REAL, WM_STRING, WM_LIST, WM_OBJECT };

struct wm_member;

struct wm_value {
  enum wm_type type;
  union {
    bool boolean;
    int64_t integer;
    double real; /* finite */
    struct wm_text string;
    struct {
      struct wm_value *items;
      size_t count;
    } list;
    struct {
      struct wm_member *members; /* names are unique */
      size_t count;
    } object;
  };
};

struct wm_member {
  struct wm_text name;
  struct wm_value value;
};

/* The member of an object; NULL when 'value' is NULL, no object, or has none of that name. */
const struct wm_value *wm_value_member(const struct wm_value *value, struct wm_text name);

/* The text of a string value, else WM_NO_TEXT (also for NULL). */
struct wm_text wm_value_text(const struct wm_value *value);

static inline bool wm_value_is_scalar(const struct wm_value *value) {
  return value->type == WM_BOOLEAN || value->type == WM_INTEGER || value->type == WM_REAL || value->type == WM_STRING;
}
static inline bool wm_value_is_number(const struct wm_value *value) {
  return value->type == WM_INTEGER || value->type == WM_REAL;
}

/* Boolean, number or string: may the two be compared at all? Integer and real are one kind. */
bool wm_value_same_kind(const struct wm_value *a, const struct wm_value *b);

/* Scalars: strings by bytes, numbers by value (exact, integers against reals too), booleans. Different kinds
 * are never equal. */
bool wm_value_equal(const struct wm_value *a, const struct wm_value *b);

/* Numbers only: <0, 0, >0, exact. */
int wm_value_compare_numbers(const struct wm_value *a, const struct wm_value *b);

/* Same hash for equal scalars (1 and 1.0 too), usable as an index key. */
uint64_t wm_value_hash(const struct wm_value *scalar);

/* Appends the value as compact JSON; reals as the shortest text that reads back ("80.5", "80.0"). */
void wm_value_to_json(const struct wm_value *value, struct wm_buf *buf);

/* Fills 'ret' with a deep copy; -1: out of memory. */
int wm_value_copy_into(const struct wm_value *value, struct wm_arena *arena, struct wm_value *ret);

#endif

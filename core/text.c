#include "core/text.h"

#include <stdint.h>

int wm_text_compare(struct wm_text a, struct wm_text b) {
  size_t size = a.size < b.size ? a.size : b.size;
  int order = size > 0 ? memcmp(a.bytes, b.bytes, size) : 0;
  if (order != 0)
    return order;
  return a.size < b.size ? -1 : a.size > b.size;
}

bool wm_text_starts_with(struct wm_text text, struct wm_text prefix) {
  return text.size >= prefix.size && wm_text_equal((struct wm_text){text.bytes, prefix.size}, prefix);
}

bool wm_text_ends_with(struct wm_text text, struct wm_text suffix) {
  if (text.size < suffix.size)
    return false;
  return suffix.size == 0 || memcmp(text.bytes + (text.size - suffix.size), suffix.bytes, suffix.size) == 0;
}

bool wm_text_contains(struct wm_text text, struct wm_text part) {
  if (part.size == 0)
    return true;
  return text.size >= part.size && memmem(text.bytes, text.size, part.bytes, part.size) != NULL;
}

/* Where the code point after 'at' begins. */
static size_t next_point(struct wm_text text, size_t at) {
  at++;
  while (at < text.size && ((unsigned char)text.bytes[at] & 0xc0) == 0x80)
    at++;
  return at;
}

/* Goes along both; on a mismatch the last '*' takes one code point more. Earlier ones need no second try: what
 * they left over, the last one may take as well. */
bool wm_text_glob(struct wm_text text, struct wm_text pattern) {
  size_t t = 0, p = 0;
  size_t star = SIZE_MAX, taken = 0;
  while (t < text.size) {
    if (p < pattern.size && pattern.bytes[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size && pattern.bytes[p] == '?') {
      p++;
      t = next_point(text, t);
    } else if (p < pattern.size && pattern.bytes[p] == text.bytes[t]) {
      p++;
      t++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      t = taken = next_point(text, taken);
    } else {
      return false;
    }
  }
  while (p < pattern.size && pattern.bytes[p] == '*')
    p++;
  return p == pattern.size;
}

/* Bytes of the well-formed code point at 'c' (Unicode table 3-7), 0 when it is none. */
static size_t point_size(const unsigned char *c, size_t left) {
  if (c[0] < 0x80)
    return 1;
  size_t size = c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;
  if (size == 0 || size > left)
    return 0;
  /* overlong forms, surrogates and what is beyond U+10FFFF show in the second byte */
  unsigned char low = c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;
  unsigned char high = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf;
  if (c[1] < low || c[1] > high)
    return 0;
  for (size_t i = 2; i < size; i++)
    if ((c[i] & 0xc0) != 0x80)
      return 0;
  return size;
}

bool wm_text_is_utf8(struct wm_text text, size_t *ret_at) {
  const unsigned char *bytes = (const unsigned char *)text.bytes;
  size_t at = 0;
  while (at < text.size) {
    uint64_t eight;
    if (text.size - at >= sizeof(eight)) {
      memcpy(&eight, bytes + at, sizeof(eight));
      if ((eight & UINT64_C(0x8080808080808080)) == 0) {
        at += sizeof(eight);
        continue;
      }
    }
    size_t size = point_size(bytes + at, text.size - at);
    if (size == 0) {
      if (ret_at)
        *ret_at = at;
      return false;
    }
    at += size;
  }
  return true;
}

bool wm_text_is_user_id(struct wm_text text) {
  if (text.size < 1 || text.size > 256 || !wm_text_is_utf8(text, NULL))
    return false;
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.bytes[i];
    if (c < 0x20 || c == 0x7f)
      return false;
    if (c == 0xc2 && (unsigned char)text.bytes[i + 1] <= 0x9f) /* U+0080-009F; UTF-8, so there is a next byte */
      return false;
  }
  return true;
}

bool wm_text_is_name(struct wm_text text) {
  if (text.size < 1 || text.size > 63 || text.bytes[0] == '-')
    return false;
  for (size_t i = 0; i < text.size; i++) {
    char c = text.bytes[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
      return false;
  }
  return true;
}

#define SHOWN 64

struct wm_text wm_text_shown(struct wm_text text) {
  if (text.size <= SHOWN)
    return text;
  text.size = SHOWN;
  while (text.size > 0 && ((unsigned char)text.bytes[text.size] & 0xc0) == 0x80)
    text.size--;
  return text;
}

size_t wm_text_position(const void *items, size_t count, size_t item_size, struct wm_text name, bool *ret_found) {
  size_t low = 0, high = count;
  *ret_found = false;
  while (low < high && !*ret_found) {
    size_t middle = low + (high - low) / 2;
    const struct wm_text *here = (const void *)((const char *)items + middle * item_size);
    int order = wm_text_compare(*here, name);
    *ret_found = order == 0;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return high;
}

#define WORD_LIMIT 64 /* longer words are no slips of the finger */

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b, unsigned c) {
  unsigned ab = a < b ? a : b;
  return ab < c ? ab : c;
}

/* Damerau-Levenshtein (optimal string alignment); upper and lower case count as one. */
static unsigned distance(struct wm_text a, struct wm_text b) {
  unsigned rows[3][WORD_LIMIT + 1];
  for (unsigned j = 0; j <= b.size; j++)
    rows[0][j] = j;
  for (size_t i = 1; i <= a.size; i++) {
    unsigned *row = rows[i % 3];
    const unsigned *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= b.size; j++) {
      bool same = lower(a.bytes[i - 1]) == lower(b.bytes[j - 1]);
      row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + !same);
      if (i > 1 && j > 1 && lower(a.bytes[i - 1]) == lower(b.bytes[j - 2]) &&
          lower(a.bytes[i - 2]) == lower(b.bytes[j - 1]) && before[j - 2] + 1 < row[j])
        row[j] = before[j - 2] + 1;
    }
  }
  return rows[a.size % 3][b.size];
}

const char *wm_text_nearest(struct wm_text word, const char *const *candidates) {
  if (word.size == 0 || word.size > WORD_LIMIT)
    return NULL;
  unsigned limit = word.size < 6 ? 1 : (unsigned)(word.size / 3);
  if (limit >= word.size) /* one letter: everything would be near */
    limit = 0;
  const char *best = NULL;
  for (size_t i = 0; candidates[i]; i++) {
    struct wm_text candidate = wm_text_of(candidates[i]);
    if (candidate.size > WORD_LIMIT)
      continue;
    unsigned found = distance(word, candidate);
    if (found < limit || (found == limit && !best)) {
      best = candidates[i];
      if (found == 0)
        break;
      limit = found;
    }
  }
  return best;
}

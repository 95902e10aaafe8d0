/* Text that somebody else owns: a pointer and a size in bytes, not NUL-terminated unless said so. */
#ifndef WM_CORE_TEXT_H
#define WM_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct wm_text {
  const char *bytes; /* NULL: no text at all, which is not the same as an empty one */
  size_t size;
};

#define WM_TEXT(literal) ((struct wm_text){(literal), sizeof(literal) - 1})
#define WM_NO_TEXT ((struct wm_text){NULL, 0})
#define WM_TEXT_ARG(text) (int)(text).size, (text).bytes ? (text).bytes : "" /* for "%.*s" */

static inline struct wm_text wm_text_of(const char *string) {
  return (struct wm_text){string, string ? strlen(string) : 0};
}
static inline bool wm_text_equal(struct wm_text a, struct wm_text b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}
static inline bool wm_text_is(struct wm_text a, const char *string) {
  return wm_text_equal(a, wm_text_of(string));
}

/* <0, 0, >0 by bytes (unsigned), a prefix before what it begins. */
int wm_text_compare(struct wm_text a, struct wm_text b);

bool wm_text_starts_with(struct wm_text text, struct wm_text prefix);
bool wm_text_ends_with(struct wm_text text, struct wm_text suffix);
bool wm_text_contains(struct wm_text text, struct wm_text part);

/* The whole text against a pattern: '*' any run, '?' one code point; no escapes, no classes. Linear in
 * text * pattern at worst, no recursion. */
bool wm_text_glob(struct wm_text text, struct wm_text pattern);

/* Is it UTF-8 (no surrogates, no overlong forms, at most U+10FFFF)? 'ret_at' (may be NULL) gets the offset of
 * the first bad byte. */
bool wm_text_is_utf8(struct wm_text text, size_t *ret_at);

/* Contract 1: 1..256 bytes of UTF-8 without U+0000-001F and U+007F-009F. */
bool wm_text_is_user_id(struct wm_text text);

/* Contract 3: [a-z0-9][a-z0-9-]{0,62} */
bool wm_text_is_name(struct wm_text text);

/* As much of a stranger's text as belongs into a sentence: 64 bytes, whole code points. Borrows. */
struct wm_text wm_text_shown(struct wm_text text);

/* Binary search in 'items', sorted by their names (bytes); each begins with its name, a struct wm_text. Returns where
 * the item stands, or would have to stand; 'ret_found' tells which. */
size_t wm_text_position(const void *items, size_t count, size_t item_size, struct wm_text name, bool *ret_found);

/* The candidate that 'word' was most likely meant to be, or NULL when none is near (edit distance with
 * transpositions, at most a third of the word's length, at least 1). Candidates end with NULL. */
const char *wm_text_nearest(struct wm_text word, const char *const *candidates);

#endif

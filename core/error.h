/* An error is a code, a place and a sentence. The deepest reporter fills it, callers pass it on untouched. */
#ifndef WM_CORE_ERROR_H
#define WM_CORE_ERROR_H

#include <stddef.h>

enum wm_code {
  WM_OK = 0,
#define WM_CODE(name, sentence) WM_E_##name,
#include "core/codes.def"
#undef WM_CODE
  WM_CODE_COUNT
};

struct wm_error {
  enum wm_code code;
  unsigned line;    /* 1-based; 0: no place */
  unsigned column;  /* 1-based, in code points; 0: no place */
  char source[256]; /* file name or topic; "" when there is none */
  char text[512];   /* one line, lower case, subject in single quotes, no full stop */
};

/* The name of a code as users read it ("ROLE_UNKNOWN"); "OK" for WM_OK. Never NULL. */
const char *wm_code_name(enum wm_code code);

/* What a code means, one sentence for the manual. Never NULL. */
const char *wm_code_sentence(enum wm_code code);

/* Fills 'error' (NULL is fine) with code and a printf-formatted sentence, place cleared. Returns -1, so that
 * a reporter can 'return wm_error_set(...)'. Cut to what fits, never in the middle of a UTF-8 character. */
int wm_error_set(struct wm_error *error, enum wm_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Out of memory, in one call. Returns -1. */
int wm_error_memory(struct wm_error *error);

#endif

/* Objects from outside against a table of the members that mean something. Private to the codec. */
#ifndef WM_CODEC_CHECK_H
#define WM_CODEC_CHECK_H

#include "core/arena.h"
#include "core/error.h"
#include "core/value.h"

enum wm_shape {
  WM_SHAPE_TEXT,
  WM_SHAPE_WORD, /* a text that is one of 'words' */
  WM_SHAPE_TIME, /* a text that is an RFC 3339 time */
  WM_SHAPE_BOOLEAN,
  WM_SHAPE_TEXTS, /* a list of texts */
  WM_SHAPE_PATHS, /* an object of lists of texts */
  WM_SHAPE_OBJECT /* any object */
};

struct wm_shape_row {
  const char *name; /* NULL ends the table */
  enum wm_shape shape;
  bool required;
  const char *const *words; /* for WM_SHAPE_WORD, ended by NULL */
};

/* What is wrong with a value and where it stands. */
struct wm_fault {
  const char *reason;     /* "missing", "type" or "range"; NULL: nothing but memory is wrong */
  struct wm_text pointer; /* JSON pointer; WM_NO_TEXT: none */
  struct wm_text message; /* one sentence */
};

/* Fills 'fault' with copies in 'arena'; 'reason' is static. Returns -1. */
int wm_fault_set(struct wm_fault *fault, struct wm_arena *arena, const char *reason, struct wm_text pointer,
                 const struct wm_error *message);

/* Checks 'object' (NULL and null: missing) against 'rows'. 'ret' gets the members that the rows name, in the order of
 * the rows; null members and unknown ones are left out. It borrows from 'object' and 'arena'. -1 with 'fault' filled:
 * the pointer begins with 'base' ("/data"). */
int wm_check_object(const struct wm_value *object, const struct wm_shape_row *rows, struct wm_text base,
                    struct wm_arena *arena, struct wm_value *ret, struct wm_fault *fault);

/* The members of a profile (contract 8), for wm_check_object: as directory events bring it ... */
extern const struct wm_shape_row wm_profile_rows[];
/* ... and as registers keep it, where the status may be 'deleted' too. */
extern const struct wm_shape_row wm_kept_profile_rows[];

#endif

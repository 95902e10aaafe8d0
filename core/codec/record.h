/* A record as the log has it: bytes and headers. */
#ifndef WM_CODEC_RECORD_H
#define WM_CODEC_RECORD_H

#include <stdint.h>

#include "core/text.h"

struct wm_header {
  struct wm_text name;  /* NUL-terminated behind its size */
  struct wm_text value; /* bytes == NULL: a null value */
};

/* One record that was read. Everything is borrowed from the log until its next poll. */
struct wm_record {
  struct wm_text topic; /* NUL-terminated behind its size */
  int32_t partition;
  int64_t offset;
  int64_t timestamp_ms; /* -1: none */
  struct wm_text key;   /* bytes == NULL: none */
  struct wm_text value; /* bytes == NULL: null */
  const struct wm_header *headers;
  size_t header_count;
};

#endif

/* Records that the broker refuses for their size: better a part with a mark than nothing, or a worker that stops. */
#include <assert.h>
#include <stdint.h>

#include "core/codec/digest.h"
#include "core/codec/out.h"

#define RECORD_ROOM 128 /* what Kafka adds to a record: lengths, offsets, the batch around it */
#define HEADER_ROOM 10  /* and to a header */
#define MARKS 2

static size_t header_cost(const struct wm_header *header) {
  return header->name.size + header->value.size + HEADER_ROOM;
}

/* Takes 'cost' off the room if it is there. */
static bool spend(size_t *room, size_t cost) {
  if (cost > *room)
    return false;
  *room -= cost;
  return true;
}

static int make_marks(const struct wm_out *out, struct wm_arena *arena, struct wm_header marks[static MARKS]) {
  char size[24], sha256[WM_DIGEST_SIZE];
  int digits = snprintf(size, sizeof size, "%zu", out->value.size);
  wm_digest(out->value, sha256);
  marks[0].name = WM_TEXT("wm-truncated");
  marks[1].name = WM_TEXT("sha256");
  if (wm_arena_text(arena, (struct wm_text){size, (size_t)digits}, &marks[0].value) ||
      wm_arena_text(arena, wm_text_of(sha256), &marks[1].value))
    return -1;
  return 0;
}

/* The last headers stay: they say what is wrong; one that looks like a mark goes. 'kept' is filled from its end;
 * returns where it begins. */
static size_t keep_headers(const struct wm_out *out, size_t *room, struct wm_header *kept) {
  size_t first = out->header_count;
  size_t share = *room / 2;
  for (size_t i = out->header_count; i > 0; i--) {
    const struct wm_header *header = &out->headers[i - 1];
    if (!wm_text_is(header->name, "sha256") && spend(&share, header_cost(header)) && spend(room, header_cost(header)))
      kept[--first] = *header;
  }
  return first;
}

/* At most 'size' bytes, and no half of a UTF-8 character at the end. */
static struct wm_text cut(struct wm_text text, size_t size) {
  if (text.size <= size)
    return text;
  size_t end = size;
  while (end > 0 && size - end < 3 && ((unsigned char)text.bytes[end] & 0xc0) == 0x80)
    end--;
  return (struct wm_text){text.bytes, end};
}

int wm_out_cut(const struct wm_out *out, size_t limit, struct wm_arena *arena, struct wm_out *ret) {
  struct wm_header marks[MARKS];
  size_t room = limit > RECORD_ROOM ? limit - RECORD_ROOM : 0;
  assert(out->topic != WM_OUT_USERS);
  struct wm_header *headers = WM_ARENA_ARRAY(arena, struct wm_header, out->header_count + MARKS);
  if (!headers || make_marks(out, arena, marks))
    return -1;
  for (size_t i = 0; i < MARKS; i++) {
    headers[out->header_count + i] = marks[i];
    if (!spend(&room, header_cost(&marks[i])))
      room = 0;
  }
  *ret = *out;
  if (out->key.size > room / 2 || !spend(&room, out->key.size))
    ret->key = WM_NO_TEXT;
  size_t first = keep_headers(out, &room, headers);
  ret->headers = headers + first;
  ret->header_count = out->header_count - first + MARKS;
  ret->value = cut(out->value, room);
  return 0;
}

#include "worker/collect.h"

#include "worker/account.h"
#include "worker/loop.h"

#define LOOK_MOST 1000 /* automations that are asked in a batch although the index leaves them out */

static struct batch_item *next_item(struct batch *batch) {
  if (batch->count == batch->capacity) {
    size_t capacity = batch->capacity ? batch->capacity * 2 : 256;
    struct batch_item *items = reallocarray(batch->items, capacity, sizeof *items);
    if (!items)
      return NULL;
    batch->items = items;
    batch->capacity = capacity;
  }
  batch->items[batch->count] = (struct batch_item){0};
  return &batch->items[batch->count];
}

static int copy_text(struct wm_text *text, struct wm_arena *arena) {
  if (!text->bytes)
    return 0;
  text->bytes = wm_arena_copy(arena, text->bytes, text->size);
  return text->bytes ? 0 : -1;
}

static int copy_headers(struct wm_record *record, struct wm_arena *arena) {
  struct wm_header *headers = WM_ARENA_ARRAY(arena, struct wm_header, record->header_count + 1);
  if (!headers)
    return -1;
  for (size_t i = 0; i < record->header_count; i++) {
    headers[i] = record->headers[i];
    if (copy_text(&headers[i].name, arena) < 0 || copy_text(&headers[i].value, arena) < 0)
      return -1;
  }
  record->headers = headers;
  return 0;
}

/* The log lends a record until its next poll only; a rejection needs all of it, an event where it stood. */
static int copy_record(const struct wm_record *record, bool whole, struct wm_arena *arena, struct wm_record *ret) {
  *ret = *record;
  if (copy_text(&ret->topic, arena) < 0 || copy_text(&ret->key, arena) < 0)
    return -1;
  if (whole)
    return copy_text(&ret->value, arena) < 0 || copy_headers(ret, arena) < 0 ? -1 : 0;
  ret->value = WM_NO_TEXT;
  ret->headers = NULL;
  ret->header_count = 0;
  return 0;
}

static bool belongs_home(const struct loop *loop, const struct wm_event *event) {
  switch (event->event_class) {
  case WM_EVENT_TRIGGERING:
    return wm_index_takes(loop->workspace->index, event->type);
  case WM_EVENT_USER_UPDATED:
  case WM_EVENT_USER_DELETED:
  case WM_EVENT_SIGNED_IN:
  case WM_EVENT_ASSIGNMENT:
  case WM_EVENT_DELEGATION:
  case WM_EVENT_WITHDRAWAL:
    return true;
  case WM_EVENT_RESERVED:
    return false;
  }
  return false;
}

/* Two writers for one user would corrupt his register. -1: out of memory. */
static int check_home(struct loop *loop, struct batch_item *item, int32_t partition) {
  const struct wm_event *event = &item->event;
  if (!event->user.bytes || !belongs_home(loop, event))
    return 0;
  int32_t home = LOOP_LOG(loop, home, event->user);
  if (home == partition)
    return 0;
  struct wm_error why;
  wm_error_set(&why, WM_E_EVENT_MISROUTED,
               "the home of this user is partition %d, but the record came on partition %d: its producer uses another "
               "partitioner than 'kafka.partitioner', or a key that is not the user id",
               (int)home, (int)partition);
  item->rejected = true;
  return wm_rejection_of(event, "partition", &why, &loop->batch.arena, &item->rejection);
}

/* Cannot tell is never silent (contract 5). Those that the index has asked are known; the others are asked too while
 * the batch is small, in a large workspace some after the other: a field that no event has any more shows up. */
static int look(struct loop *loop, struct batch_item *item) {
  struct batch *batch = &loop->batch;
  const struct wm_workspace *workspace = loop->workspace;
  size_t count = LOOK_MOST - batch->looked, first = loop->look_next < workspace->automation_count ? loop->look_next : 0;
  if (count > workspace->automation_count - first)
    count = workspace->automation_count - first;
  batch->looked += count;
  loop->look_next = first + count;
  if (count > 0 &&
      wm_match_look(workspace->automations + first, count, &item->event, &batch->arena, &item->candidates) < 0)
    return -1;
  return account_unknown(batch, item->candidates.unknown, item->candidates.unknown_count);
}

/* Is there anything to decide? 'ret' false: nothing can come of it, and it is counted. -1: out of memory. */
static int sift(struct loop *loop, struct batch_item *item, bool *ret) {
  struct batch *batch = &loop->batch;
  *ret = true;
  if (item->event.event_class == WM_EVENT_RESERVED) {
    batch->ignored++;
    *ret = false;
    return 0;
  }
  if (item->event.event_class != WM_EVENT_TRIGGERING)
    return 0;
  if (wm_index_sift(loop->workspace->index, &item->event, &batch->arena, &item->candidates) < 0 || look(loop, item) < 0)
    return -1;
  if (item->candidates.count == 0) {
    batch->nothing++;
    *ret = false;
  }
  return 0;
}

bool collect_may_grow(const struct wm_event *event) {
  return event->event_class == WM_EVENT_USER_UPDATED || event->event_class == WM_EVENT_SIGNED_IN;
}

/* Fills the item; 'ret' tells whether it stays. -1: out of memory. */
static int take(struct loop *loop, const struct wm_record *record, size_t topic, struct batch_item *item, bool *ret) {
  struct wm_decode_rules rules = {
      .topic = loop->doors.log.input_kinds[topic],
      .event_bytes = loop->rules.event_bytes,
      .clock_skew_us = loop->rules.clock_skew_us,
      .wall_us = loop_wall(loop),
  };
  enum wm_decoded decoded;
  if (wm_event_decode(record, &rules, &loop->batch.arena, &decoded, &item->event, &item->rejection) < 0)
    return -1;
  *ret = decoded != WM_DECODED_NOTHING;
  if (decoded == WM_DECODED_NOTHING) {
    loop->batch.empty++;
    return 0;
  }
  item->rejected = decoded == WM_DECODED_REJECTED;
  if (!item->rejected && check_home(loop, item, record->partition) < 0)
    return -1;
  if (!item->rejected && sift(loop, item, ret) < 0)
    return -1;
  item->whole = item->rejected || collect_may_grow(&item->event) || LOOP_LOG(loop, cut_limit, WM_OUT_USERS) < SIZE_MAX;
  return *ret ? copy_record(record, item->whole, &loop->batch.arena, &item->record) : 0;
}

void collect_record(struct loop *loop, const struct wm_record *record, size_t topic) {
  struct batch *batch = &loop->batch;
  struct batch_item *item = next_item(batch);
  bool stays;
  if (!item || take(loop, record, topic, item, &stays) < 0) {
    loop_fail_memory(loop);
    return;
  }
  if (batch->events++ == 0)
    batch->began_us = loop_now(loop);
  batch->count += stays;
  loop->partitions.items[record->partition].inputs[topic].next = record->offset + 1;
}

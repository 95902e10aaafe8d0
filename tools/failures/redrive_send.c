/* The copies on topics.replay. Each names the failure that it is for, which is how a later redrive knows. */
#include <stdlib.h>

#include "tools/failures/originals.h"
#include "tools/failures/redrive.h"
#include "tools/lib/say.h"
#include "worker/kafka.h"

enum { PIECE = 500, PIECE_BYTES = 16 * 1024 * 1024, SEND_TIMEOUT_MS = 15000, ADDED = 11 };

struct sending {
  struct redrive *redrive;
  size_t *indexes; /* of the items that are ready */
  struct wm_record records[PIECE];
  size_t held[PIECE]; /* their items */
  size_t count, bytes;
  struct wm_arena arena; /* of the piece */
};

static int add(struct sending *sending, struct wm_header *headers, size_t *count, const char *name,
               struct wm_text value) {
  struct wm_header *header = &headers[(*count)++];
  header->name = wm_text_of(name);
  return wm_arena_text(&sending->arena, value, &header->value);
}

static int add_number(struct sending *sending, struct wm_header *headers, size_t *count, const char *name,
                      int64_t number) {
  char digits[24];
  snprintf(digits, sizeof digits, "%lld", (long long)number);
  return add(sending, headers, count, name, wm_text_of(digits));
}

static int add_marks(struct sending *sending, const struct redrive_item *item, const struct wm_record *from,
                     struct wm_header *headers, size_t *count) {
  const struct redrive *redrive = sending->redrive;
  bool whole = wm_text_is(item->automation, "manual"); /* a request is one task */
  if (add(sending, headers, count, "wm-run", wm_text_of(redrive->run)) ||
      add(sending, headers, count, "wm-origin-topic", item->origin.topic) ||
      add_number(sending, headers, count, "wm-origin-partition", item->origin.partition) ||
      add_number(sending, headers, count, "wm-origin-offset", item->origin.offset) ||
      add_number(sending, headers, count, "wm-origin-timestamp", from->timestamp_ms < 0 ? 0 : from->timestamp_ms) ||
      add(sending, headers, count, "wm-notify", redrive->notify ? WM_TEXT("true") : WM_TEXT("false")) ||
      add(sending, headers, count, "wm-failure", item->failure) ||
      add(sending, headers, count, "wm-reason", wm_text_of(redrive->reason)) ||
      add(sending, headers, count, "wm-by", wm_text_of(redrive->by)))
    return -1;
  return !whole && (add(sending, headers, count, "wm-automation", item->automation) ||
                    add_number(sending, headers, count, "wm-sequence", item->sequence))
             ? -1
             : 0;
}

/* The headers that the event came with, but none that is Waymark's to give. */
static int copy_headers(struct sending *sending, const struct wm_record *from, struct wm_header *ret, size_t *count) {
  for (size_t i = 0; i < from->header_count; i++) {
    const struct wm_header *header = &from->headers[i];
    if (wm_text_starts_with(header->name, WM_TEXT("wm-")))
      continue;
    if (wm_arena_text(&sending->arena, header->name, &ret[*count].name) < 0 ||
        wm_arena_text(&sending->arena, header->value, &ret[*count].value) < 0)
      return -1;
    (*count)++;
  }
  return 0;
}

static int make_record(struct sending *sending, const struct redrive_item *item, const struct wm_record *from,
                       struct wm_record *ret) {
  const struct settings *settings = &sending->redrive->loaded.settings;
  struct wm_header *headers = WM_ARENA_ARRAY(&sending->arena, struct wm_header, from->header_count + ADDED);
  *ret = (struct wm_record){.topic = wm_text_of(settings->topics.replay),
                            .partition = item->origin.partition,
                            .timestamp_ms = -1,
                            .headers = headers};
  if (item->user.size)
    ret->partition = kafka_home(settings->kafka.partitioner, item->user, settings->kafka.partitions);
  if (!headers || copy_headers(sending, from, headers, &ret->header_count) < 0 ||
      add_marks(sending, item, from, headers, &ret->header_count) < 0)
    return -1;
  return wm_arena_text(&sending->arena, from->key, &ret->key) < 0 ||
                 wm_arena_text(&sending->arena, from->value, &ret->value) < 0
             ? -1
             : 0;
}

static int send_piece(struct sending *sending) {
  struct redrive *redrive = sending->redrive;
  struct wm_error error = {0};
  size_t sent = 0;
  if (client_send(redrive->client, sending->records, sending->count, SEND_TIMEOUT_MS, &sent, &error) < 0) {
    say(0, "%zu of %zu were sent; which of them is seen by a redrive to come, which leaves them out",
        redrive->sent + sent, redrive->ready);
    return say_error(EXIT_OUTSIDE, &error);
  }
  for (size_t i = 0; i < sending->count; i++)
    redrive->items[sending->held[i]].state = REDRIVE_SENT;
  redrive->sent += sending->count;
  sending->count = sending->bytes = 0;
  wm_arena_rewind(&sending->arena);
  return EXIT_FINE;
}

static int take(void *taker, size_t index, const struct wm_record *record) {
  struct sending *sending = taker;
  struct redrive_item *item = &sending->redrive->items[sending->indexes[index]];
  if (!record) {
    item->state = REDRIVE_GONE;
    return EXIT_FINE;
  }
  if (make_record(sending, item, record, &sending->records[sending->count]) < 0)
    return say_memory();
  sending->held[sending->count++] = sending->indexes[index];
  sending->bytes += record->value.size;
  return sending->count == PIECE || sending->bytes >= PIECE_BYTES ? send_piece(sending) : EXIT_FINE;
}

/* --- where topics end --- */

/* NULL: it went wrong, told. */
static int64_t *ends_of(struct redrive *redrive, const char *topic, int *exit_code) {
  size_t count = (size_t)redrive->loaded.settings.kafka.partitions;
  int64_t *ends = calloc(count, sizeof *ends);
  struct wm_error error = {0};
  if (!ends)
    *exit_code = say_memory();
  for (size_t i = 0; i < count && *exit_code == EXIT_FINE; i++)
    if (client_end(redrive->client, topic, (int32_t)i, &ends[i], &error) < 0)
      *exit_code = say_error(EXIT_OUTSIDE, &error);
  return ends;
}

/* By what was delivered: an open transaction of another sender hides where the topic ends. */
static void note_ends(struct redrive *redrive) {
  for (int32_t i = 0; i < redrive->loaded.settings.kafka.partitions; i++)
    redrive->replay_ends[i] = client_sent_end(redrive->client, i);
}

static int send_all(struct sending *sending) {
  struct redrive *redrive = sending->redrive;
  struct wm_origin *origins = calloc(redrive->ready, sizeof *origins);
  size_t count = 0;
  if (!origins)
    return say_memory();
  for (size_t i = 0; i < redrive->count; i++)
    if (redrive->items[i].state == REDRIVE_READY) {
      origins[count] = redrive->items[i].origin;
      sending->indexes[count++] = i;
    }
  int exit_code = originals_each(redrive->client, origins, count, take, sending);
  if (exit_code == EXIT_FINE && sending->count > 0)
    exit_code = send_piece(sending);
  free(origins);
  return exit_code;
}

int redrive_send(struct redrive *redrive) {
  const struct settings *settings = &redrive->loaded.settings;
  int exit_code = EXIT_FINE;
  redrive->outcome_ends = ends_of(redrive, settings->topics.outcomes, &exit_code);
  if (exit_code == EXIT_FINE)
    redrive->failure_ends = ends_of(redrive, settings->topics.failures, &exit_code);
  redrive->replay_ends = calloc((size_t)settings->kafka.partitions, sizeof *redrive->replay_ends);
  struct sending *sending = calloc(1, sizeof *sending);
  size_t *indexes = calloc(redrive->ready, sizeof *indexes);
  if (exit_code == EXIT_FINE && (!sending || !indexes || !redrive->replay_ends))
    exit_code = say_memory();
  if (exit_code == EXIT_FINE) {
    sending->redrive = redrive;
    sending->indexes = indexes;
    wm_arena_init(&sending->arena, 1024 * 1024);
    exit_code = send_all(sending);
    wm_arena_release(&sending->arena);
  }
  free(indexes);
  free(sending);
  if (exit_code == EXIT_FINE)
    note_ends(redrive);
  return exit_code;
}

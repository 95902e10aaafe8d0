#include "tools/failures/originals.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/codec/write.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"

#define GAP_LIMIT 2000 /* records that are read and passed over rather than asked anew */

int originals_compare(const struct wm_origin *a, const struct wm_origin *b) {
  int order = wm_text_compare(a->topic, b->topic);
  if (order != 0)
    return order;
  if (a->partition != b->partition)
    return a->partition < b->partition ? -1 : 1;
  return a->offset == b->offset ? 0 : a->offset < b->offset ? -1 : 1;
}

/* What is being read, while origins[begin..end) of one partition are looked for. */
struct search {
  struct client *client;
  const struct wm_origin *origins;
  size_t at, end;
  original_fn *take;
  void *taker;
};

static int take_missing(struct search *search, int64_t before) {
  int exit_code = EXIT_FINE;
  while (exit_code == EXIT_FINE && search->at < search->end && search->origins[search->at].offset < before)
    exit_code = search->take(search->taker, search->at++, NULL);
  return exit_code;
}

static int take_found(struct search *search, const struct wm_record *record) {
  int exit_code = take_missing(search, record->offset);
  while (exit_code == EXIT_FINE && search->at < search->end && search->origins[search->at].offset == record->offset)
    exit_code = search->take(search->taker, search->at++, record);
  return exit_code;
}

/* One stretch, as long as the gaps in it are small. */
static int read_stretch(struct search *search) {
  const struct wm_origin *first = &search->origins[search->at];
  char topic[256];
  struct client_reading reading = {.topic = topic,
                                   .partition = first->partition,
                                   .from_ms = CLIENT_BEGINNING,
                                   .optional = true,
                                   .from_offset = first->offset};
  struct wm_record record;
  struct wm_error error = {0};
  int exit_code = EXIT_FINE, more = 0;
  snprintf(topic, sizeof topic, "%.*s", WM_TEXT_ARG(first->topic));
  if (client_read(search->client, &reading, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  while (exit_code == EXIT_FINE && (more = client_read_next(search->client, &record, &error)) > 0) {
    exit_code = take_found(search, &record);
    if (search->at == search->end || search->origins[search->at].offset > record.offset + GAP_LIMIT)
      return exit_code;
  }
  if (more < 0)
    return say_error(EXIT_OUTSIDE, &error);
  return exit_code == EXIT_FINE ? take_missing(search, INT64_MAX) : exit_code;
}

int originals_each(struct client *client, const struct wm_origin *origins, size_t count, original_fn *take,
                   void *taker) {
  struct search search = {.client = client, .origins = origins, .take = take, .taker = taker};
  int exit_code = EXIT_FINE;
  while (exit_code == EXIT_FINE && search.at < count) {
    if (search.at == search.end)
      for (const struct wm_origin *first = &origins[search.end]; search.end < count; search.end++)
        if (!wm_text_equal(origins[search.end].topic, first->topic) ||
            origins[search.end].partition != first->partition)
          break;
    exit_code = read_stretch(&search);
  }
  return exit_code;
}

/* --- dead letters --- */

const struct wm_header *originals_header(const struct wm_record *record, const char *name) {
  for (size_t i = record->header_count; i-- > 0;)
    if (wm_text_is(record->headers[i].name, name) && record->headers[i].value.bytes)
      return &record->headers[i];
  return NULL;
}

static bool says(const struct wm_record *record, const char *name, struct wm_text wanted) {
  const struct wm_header *header = originals_header(record, name);
  return header && wm_text_equal(header->value, wanted);
}

static bool says_number(const struct wm_record *record, const char *name, int64_t wanted) {
  char digits[24];
  snprintf(digits, sizeof digits, "%lld", (long long)wanted);
  return says(record, name, wm_text_of(digits));
}

static bool is_letter_of(const struct wm_record *record, const struct wm_origin *origin) {
  return says(record, "__dlq.errors.topic", origin->topic) &&
         says_number(record, "__dlq.errors.partition", origin->partition) &&
         says_number(record, "__dlq.errors.offset", origin->offset);
}

int originals_dead_letter(struct client *client, const struct wm_origin *origin, original_fn *take, void *taker) {
  char topic[256];
  struct client_reading reading = {
      .topic = topic, .partition = origin->partition, .from_ms = CLIENT_BEGINNING, .optional = true};
  struct wm_record record;
  struct wm_error error = {0};
  int more;
  snprintf(topic, sizeof topic, "%.*s.dlq", WM_TEXT_ARG(origin->topic));
  if (client_read(client, &reading, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  while ((more = client_read_next(client, &record, &error)) > 0)
    if (is_letter_of(&record, origin))
      return take(taker, 0, &record);
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : take(taker, 0, NULL);
}

/* --- looks --- */

static void print_safe(const char *before, struct wm_text text) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_string(&buf, before);
  say_safe(&buf, text);
  if (!buf.failed)
    puts(buf.bytes);
  wm_buf_release(&buf);
}

static void print_lines(struct wm_text text) {
  while (text.size > 0) {
    const char *newline = memchr(text.bytes, '\n', text.size);
    size_t size = newline ? (size_t)(newline - text.bytes) : text.size;
    print_safe("  ", (struct wm_text){text.bytes, size});
    size += newline ? 1 : 0;
    text = (struct wm_text){text.bytes + size, text.size - size};
  }
}

static void print_header(const struct wm_header *header) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_string(&buf, "  ");
  say_safe(&buf, header->name);
  wm_buf_add_string(&buf, ": ");
  say_safe(&buf, header->value.bytes ? header->value : WM_TEXT("(null)"));
  if (!buf.failed)
    puts(buf.bytes);
  wm_buf_release(&buf);
}

void originals_print(const struct wm_record *record) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_printf(&buf, "%.*s/%d/%lld", WM_TEXT_ARG(record->topic), record->partition, (long long)record->offset);
  if (record->timestamp_ms >= 0) {
    wm_buf_add_string(&buf, " of ");
    show_time(record->timestamp_ms * 1000, &buf);
  }
  print_safe("record   ", (struct wm_text){buf.bytes, buf.size});
  print_safe("key      ", record->key.bytes ? record->key : WM_TEXT("(none)"));
  if (record->header_count > 0)
    puts("headers");
  for (size_t i = 0; i < record->header_count; i++)
    print_header(&record->headers[i]);
  wm_buf_clear(&buf);
  show_count(&buf, record->value.size, "byte");
  printf("value    %s\n", record->value.bytes && buf.bytes ? buf.bytes : "(null)");
  print_lines(record->value);
  wm_buf_release(&buf);
}

static void write_bytes(struct wm_buf *buf, const char *name, struct wm_text bytes) {
  if (!bytes.bytes) {
    wm_buf_printf(buf, "\"%s\":null,", name);
  } else if (wm_text_is_utf8(bytes, NULL)) {
    wm_buf_printf(buf, "\"%s\":", name);
    wm_buf_add_json(buf, bytes);
    wm_buf_add_char(buf, ',');
  } else {
    wm_buf_printf(buf, "\"%s-hex\":\"", name);
    for (size_t i = 0; i < bytes.size; i++)
      wm_buf_printf(buf, "%02x", (unsigned char)bytes.bytes[i]);
    wm_buf_add_string(buf, "\",");
  }
}

void originals_to_json(const struct wm_record *record, struct wm_buf *buf) {
  const struct wm_origin origin = {record->topic, record->partition, record->offset};
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_origin(buf, &origin);
  if (record->timestamp_ms >= 0)
    wm_write_moment(buf, WM_KEY("timestamp"), record->timestamp_ms * 1000);
  write_bytes(buf, "key", record->key);
  wm_write_open(buf, WM_KEY("headers"), '[');
  for (size_t i = 0; i < record->header_count; i++) {
    wm_write_open(buf, WM_NO_KEY, '{');
    write_bytes(buf, "name", record->headers[i].name);
    write_bytes(buf, "value", record->headers[i].value);
    wm_write_close(buf, '}');
  }
  wm_write_close(buf, ']');
  write_bytes(buf, "value", record->value);
  wm_write_close(buf, '}');
}

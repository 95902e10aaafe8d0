/* From bytes and headers to attributes and data: the two modes of CloudEvents on Kafka. */
#include "core/codec/cloudevent_read.h"

#include "core/codec/json.h"

#define CE WM_TEXT("ce_")

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool wm_header_is(struct wm_text name, struct wm_text wanted) {
  if (name.size != wanted.size)
    return false;
  for (size_t i = 0; i < name.size; i++)
    if (lower(name.bytes[i]) != wanted.bytes[i])
      return false;
  return true;
}

static bool is_ce(struct wm_text name) {
  return name.size > CE.size && wm_header_is((struct wm_text){name.bytes, CE.size}, CE);
}

static struct wm_text attribute_name(struct wm_text header) {
  return (struct wm_text){header.bytes + CE.size, header.size - CE.size};
}

/* The media type without parameters and blanks around it. */
static struct wm_text media_type(struct wm_text value) {
  size_t end = 0;
  while (end < value.size && value.bytes[end] != ';')
    end++;
  size_t start = 0;
  while (start < end && (value.bytes[start] == ' ' || value.bytes[start] == '\t'))
    start++;
  while (end > start && (value.bytes[end - 1] == ' ' || value.bytes[end - 1] == '\t'))
    end--;
  return (struct wm_text){value.bytes + start, end - start};
}

static bool media_starts_with(struct wm_text media, struct wm_text prefix) {
  return media.size >= prefix.size && wm_header_is((struct wm_text){media.bytes, prefix.size}, prefix);
}

static bool media_is_json(struct wm_text value) {
  struct wm_text media = media_type(value);
  struct wm_text suffix = WM_TEXT("+json");
  if (wm_header_is(media, WM_TEXT("application/json")))
    return true;
  return media.size > suffix.size &&
         wm_header_is((struct wm_text){media.bytes + media.size - suffix.size, suffix.size}, suffix);
}

static enum wm_mode find_mode(const struct wm_decoding *decoding) {
  if (decoding->content_type) {
    struct wm_text media = media_type(decoding->content_type->value);
    if (wm_header_is(media, WM_TEXT("application/cloudevents+json")))
      return WM_MODE_STRUCTURED;
    if (media_starts_with(media, WM_TEXT("application/cloudevents")))
      return WM_MODE_REFUSED;
  }
  return decoding->ce_count > 0 ? WM_MODE_BINARY : WM_MODE_GUESS;
}

void wm_scan_headers(struct wm_decoding *decoding) {
  const struct wm_record *record = decoding->record;
  bool replay = decoding->rules->topic == WM_TOPIC_REPLAY;
  for (size_t i = 0; i < record->header_count; i++) {
    const struct wm_header *header = &record->headers[i];
    if (!replay || !wm_text_starts_with(header->name, WM_TEXT("wm-")))
      decoding->header_bytes += header->name.size + header->value.size;
    if (is_ce(header->name)) {
      decoding->ce_count++;
      decoding->has_id |= wm_header_is(header->name, WM_TEXT("ce_id"));
    } else if (wm_header_is(header->name, WM_TEXT("content-type"))) {
      decoding->content_type_count++;
      if (header->value.bytes) /* a null value says nothing */
        decoding->content_type = header;
    } else if (wm_header_is(header->name, WM_TEXT("traceparent"))) {
      decoding->traceparent = header;
    } else if (wm_header_is(header->name, WM_TEXT("tracestate"))) {
      decoding->tracestate = header;
    }
  }
  decoding->mode = find_mode(decoding);
}

static bool is_text(struct wm_text value) {
  return (value.size == 0 || !memchr(value.bytes, '\0', value.size)) && wm_text_is_utf8(value, NULL);
}

struct wm_text wm_header_text(const struct wm_header *header) {
  return header && header->value.bytes && is_text(header->value) ? header->value : WM_NO_TEXT;
}

struct wm_text wm_find_ce_header(const struct wm_record *record, struct wm_text name) {
  for (size_t i = 0; i < record->header_count; i++) {
    const struct wm_header *header = &record->headers[i];
    if (is_ce(header->name) && wm_header_is(attribute_name(header->name), name))
      return wm_header_text(header);
  }
  return WM_NO_TEXT;
}

static int by_name(const void *a, const void *b) {
  return wm_text_compare(*(const struct wm_text *)a, *(const struct wm_text *)b);
}

/* Names of ce_ headers, without the prefix and in lower case; refuses doubled ones. Sorted, because a stranger can
 * send a hundred thousand of them. */
static int check_header_names(struct wm_decoding *decoding) {
  const struct wm_record *record = decoding->record;
  if (decoding->content_type_count > 1)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "mode", WM_NO_TEXT, "the header 'content-type' stands twice");
  if (decoding->ce_count < 2)
    return 0;
  struct wm_text *names = WM_ARENA_ARRAY(decoding->arena, struct wm_text, decoding->ce_count);
  if (!names)
    return -1;
  size_t count = 0;
  for (size_t i = 0; i < record->header_count; i++) {
    if (!is_ce(record->headers[i].name))
      continue;
    struct wm_text name = record->headers[i].name;
    char *copy = wm_arena_copy(decoding->arena, name.bytes, name.size);
    if (!copy)
      return -1;
    for (size_t at = 0; at < name.size; at++)
      copy[at] = lower(copy[at]);
    names[count++] = (struct wm_text){copy, name.size};
  }
  qsort(names, count, sizeof *names, by_name);
  for (size_t i = 1; i < count; i++)
    if (wm_text_equal(names[i - 1], names[i]))
      return wm_refuse(decoding, WM_E_EVENT_INVALID, "mode", WM_NO_TEXT, "the header '%.*s' stands twice",
                       WM_TEXT_ARG(is_text(names[i]) ? names[i] : CE));
  return 0;
}

static int add_attribute(struct wm_decoding *decoding, struct wm_text name, struct wm_text value) {
  struct wm_value *attributes = &decoding->event->attributes;
  struct wm_member *member = &attributes->object.members[attributes->object.count];
  if (!is_text(value) || !is_text(name))
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "utf8", WM_NO_TEXT, "a header is not UTF-8 text");
  char *copy = wm_arena_copy(decoding->arena, name.bytes, name.size);
  if (!copy || wm_arena_text(decoding->arena, value, &member->value.string))
    return -1;
  for (size_t i = 0; i < name.size; i++)
    copy[i] = lower(copy[i]);
  member->name = (struct wm_text){copy, name.size};
  member->value.type = WM_STRING;
  attributes->object.count++;
  return 0;
}

static int parse_value(struct wm_decoding *decoding, struct wm_value *ret) {
  struct wm_error error;
  enum wm_json_fault fault;
  if (!wm_json_read(decoding->record->value, decoding->arena, ret, &fault, &error))
    return 0;
  if (error.code == WM_E_OUT_OF_MEMORY)
    return -1;
  return wm_refuse(decoding, WM_E_EVENT_INVALID, wm_json_fault_name(fault), WM_NO_TEXT, "%s (line %u, column %u)",
                   error.text, error.line, error.column);
}

/* Attributes are headers, the value is the data. Room for 'datacontenttype' and 'time' is left. */
static int read_binary(struct wm_decoding *decoding) {
  const struct wm_record *record = decoding->record;
  struct wm_value *attributes = &decoding->event->attributes;
  attributes->object.members = WM_ARENA_ARRAY(decoding->arena, struct wm_member, decoding->ce_count + 2);
  if (!attributes->object.members)
    return -1;
  for (size_t i = 0; i < record->header_count; i++) {
    const struct wm_header *header = &record->headers[i];
    if (!is_ce(header->name) || !header->value.bytes ||
        (decoding->content_type && wm_header_is(header->name, WM_TEXT("ce_datacontenttype"))))
      continue;
    if (add_attribute(decoding, attribute_name(header->name), header->value))
      return -1;
  }
  if (decoding->content_type && add_attribute(decoding, WM_TEXT("datacontenttype"), decoding->content_type->value))
    return -1;
  return record->value.size > 0 ? parse_value(decoding, &decoding->data) : 0;
}

/* Members of the object are the attributes, but for 'data'. Room for 'time' is left. */
static int read_structured(struct wm_decoding *decoding) {
  struct wm_value whole;
  if (parse_value(decoding, &whole))
    return -1;
  if (whole.type != WM_OBJECT)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "type", WM_NO_TEXT, "the event is not a JSON object");
  if (decoding->mode == WM_MODE_GUESS && !wm_value_member(&whole, WM_TEXT("specversion")))
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "mode", WM_NO_TEXT,
                     "neither ce_ headers nor a JSON object with 'specversion'");
  struct wm_value *attributes = &decoding->event->attributes;
  attributes->object.members = WM_ARENA_ARRAY(decoding->arena, struct wm_member, whole.object.count + 1);
  if (!attributes->object.members)
    return -1;
  bool encoded = false;
  for (size_t i = 0; i < whole.object.count; i++) {
    const struct wm_member *member = &whole.object.members[i];
    if (member->value.type == WM_NULL)
      continue;
    if (wm_text_equal(member->name, WM_TEXT("data")))
      decoding->data = member->value;
    else if (wm_text_equal(member->name, WM_TEXT("data_base64")))
      encoded = true;
    else
      attributes->object.members[attributes->object.count++] = *member;
  }
  if (encoded)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "mode", WM_TEXT("/data_base64"), "data that is not JSON");
  return 0;
}

/* The type of data that are not there says nothing. */
static int check_content_type(struct wm_decoding *decoding) {
  bool data = decoding->mode == WM_MODE_BINARY ? decoding->record->value.size > 0 : decoding->data.type != WM_NULL;
  struct wm_text pointer = WM_TEXT("/datacontenttype");
  const struct wm_value *type = wm_value_member(&decoding->event->attributes, WM_TEXT("datacontenttype"));
  if (!type)
    return 0;
  if (type->type != WM_STRING)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "type", pointer, "'datacontenttype' is not a text");
  if (data && !media_is_json(type->string))
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "mode", pointer, "data that is not JSON");
  return 0;
}

int wm_read_record(struct wm_decoding *decoding) {
  decoding->event->attributes.type = WM_OBJECT;
  if (check_header_names(decoding))
    return -1;
  if (decoding->mode == WM_MODE_REFUSED)
    return wm_refuse(decoding, WM_E_EVENT_INVALID, "mode", WM_NO_TEXT,
                     "batches and formats other than JSON are not taken");
  int result = decoding->mode == WM_MODE_BINARY ? read_binary(decoding) : read_structured(decoding);
  return result ? -1 : check_content_type(decoding);
}

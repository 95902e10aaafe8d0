#include "tools/requests/request.h"

#include <stdlib.h>
#include <sys/random.h>

#include "core/moment.h"
#include "worker/clock.h"

static const char *const types[] = {
    [REQUEST_ADD] = "role.assignment.requested",
    [REQUEST_REMOVE] = "role.assignment.requested",
    [REQUEST_DELEGATE] = "role.delegation.requested",
    [REQUEST_WITHDRAW] = "role.grant.withdrawn",
};

void requests_init(struct requests *requests, const struct settings *settings) {
  *requests = (struct requests){.settings = settings, .time_us = system_clock.wall_us(system_clock.self)};
  uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
    number = (uint64_t)requests->time_us;
  snprintf(requests->batch, sizeof requests->batch, "%016llx", (unsigned long long)number);
  wm_arena_init(&requests->arena, 0);
}

void requests_release(struct requests *requests) {
  wm_arena_release(&requests->arena);
  free(requests->items);
  requests->items = NULL;
}

int requests_add_at(struct requests *requests, struct wm_text user, const struct request_terms *terms,
                    int64_t time_us) {
  if (requests->count == requests->capacity) {
    size_t capacity = requests->capacity ? 2 * requests->capacity : 64;
    struct request *items = reallocarray(requests->items, capacity, sizeof *items);
    if (!items)
      return -1;
    requests->items = items;
    requests->capacity = capacity;
  }
  struct request request = {.terms = terms, .time_us = time_us};
  if (wm_arena_text(&requests->arena, user, &request.user) < 0)
    return -1;
  requests->items[requests->count++] = request;
  return 0;
}

int requests_add(struct requests *requests, struct wm_text user, const struct request_terms *terms) {
  return requests_add_at(requests, user, terms, 0);
}

const struct request_terms *requests_keep(struct requests *requests, const struct request_terms *terms) {
  struct request_terms *copy = WM_ARENA_NEW(&requests->arena, struct request_terms);
  if (!copy)
    return NULL;
  *copy = *terms;
  struct wm_text *texts[] = {&copy->role, &copy->by, &copy->reason, &copy->to, &copy->source, &copy->version};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (wm_arena_text(&requests->arena, *texts[i], texts[i]) < 0)
      return NULL;
  return copy;
}

/* --- the event --- */

/* As wide as they need to be for their order by bytes to be the order of the list: ids are a part of the clocks. */
void request_id(const struct requests *requests, size_t index, struct wm_buf *buf) {
  wm_buf_printf(buf, "%s-%09zu", requests->batch, index);
}

bool requests_find(const struct requests *requests, struct wm_text source, struct wm_text id, size_t *ret_index) {
  char number[24];
  size_t prefix = strlen(requests->batch) + 1;
  if (!wm_text_is(source, REQUEST_SOURCE) || id.size <= prefix || id.size - prefix >= sizeof number ||
      memcmp(id.bytes, requests->batch, prefix - 1) != 0 || id.bytes[prefix - 1] != '-')
    return false;
  memcpy(number, id.bytes + prefix, id.size - prefix);
  number[id.size - prefix] = '\0';
  char *end;
  *ret_index = strtoull(number, &end, 10);
  return *end == '\0' && *ret_index < requests->count;
}

static void add_member(struct wm_buf *buf, const char *name, struct wm_text text) {
  if (!text.bytes)
    return;
  wm_buf_printf(buf, ",\"%s\":", name);
  wm_buf_add_json(buf, text);
}

static void add_moment(struct wm_buf *buf, const char *name, int64_t us) {
  char text[WM_MOMENT_SIZE];
  size_t size = wm_moment_format(us, text);
  add_member(buf, name, (struct wm_text){text, size});
}

void request_to_json(const struct requests *requests, size_t index, struct wm_buf *buf) {
  const struct request *request = &requests->items[index];
  const struct request_terms *terms = request->terms;
  wm_buf_add_string(buf, "{\"specversion\":\"1.0\",\"id\":\"");
  request_id(requests, index, buf);
  wm_buf_printf(buf, "\",\"source\":\"" REQUEST_SOURCE "\",\"type\":\"%s\"", types[terms->kind]);
  add_member(buf, "subject", request->user);
  add_moment(buf, "time", request->time_us ? request->time_us : requests->time_us);
  wm_buf_add_string(buf, ",\"datacontenttype\":\"application/json\",\"data\":{\"role\":");
  wm_buf_add_json(buf, terms->role);
  if (terms->kind == REQUEST_ADD || terms->kind == REQUEST_REMOVE)
    wm_buf_printf(buf, ",\"action\":\"%s\"", terms->kind == REQUEST_ADD ? "add" : "remove");
  add_member(buf, "to", terms->to);
  add_member(buf, "source", terms->source);
  add_member(buf, "version", terms->version);
  if (terms->until_us != WM_NEVER)
    add_moment(buf, "until", terms->until_us);
  if (terms->delegation)
    wm_buf_add_string(buf, ",\"delegation\":\"holders\"");
  add_member(buf, "by", terms->by);
  add_member(buf, "reason", terms->reason);
  wm_buf_add_string(buf, "}}");
}

#include "tests/simulation/told.h"

#include <string.h>

struct told_record {
  struct wm_text id, user, role;
  bool effective;
  const struct told_record *before;
};

/* The text behind 'name', up to the next quote; users and roles of the sample have none. */
static struct wm_text member(struct wm_text value, const char *name) {
  struct wm_text found = WM_NO_TEXT;
  const char *at = memmem(value.bytes, value.size, name, strlen(name));
  if (!at)
    return found;
  found.bytes = at + strlen(name);
  const char *end = memchr(found.bytes, '"', value.size - (size_t)(found.bytes - value.bytes));
  found.size = end ? (size_t)(end - found.bytes) : 0;
  return found;
}

static struct told_record read_record(struct wm_text value) {
  return (struct told_record){
      .id = member(value, "\"id\":\""),
      .user = member(value, "\"subject\":\""),
      .role = member(value, "\"role\":\""),
      .effective = wm_text_contains(value, WM_TEXT("\"effective\":true")),
  };
}

static bool is_held(const struct told *told, const struct told_record *about) {
  const struct told_record *each = told->newest;
  while (each && !(wm_text_equal(each->user, about->user) && wm_text_equal(each->role, about->role)))
    each = each->before;
  return each && each->effective;
}

bool told_is_known(const struct told *told, struct wm_text value) {
  const struct told_record record = read_record(value);
  return is_held(told, &record) == record.effective;
}

bool told_take(struct told *told, struct wm_text value) {
  struct told_record *record = WM_ARENA_NEW(told->arena, struct told_record);
  if (!record)
    return false;
  *record = read_record(value);
  for (const struct told_record *each = told->newest; each; each = each->before)
    if (wm_text_equal(each->id, record->id))
      return true;
  bool news = is_held(told, record) != record->effective;
  record->before = told->newest;
  told->newest = record;
  return news;
}

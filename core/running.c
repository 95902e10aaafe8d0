#include "core/running.h"

#include <stdlib.h>

void wm_running_init(struct wm_running *running) {
  *running = (struct wm_running){0};
}

void wm_running_release(struct wm_running *running) {
  for (size_t kind = 0; kind < WM_RUNNING_KINDS; kind++) {
    struct wm_running_list *list = &running->lists[kind];
    for (size_t i = 0; i < list->count; i++)
      free(list->items[i]);
    free(list->items);
  }
  *running = (struct wm_running){0};
}

/* Where the name stands, or would have to stand. */
static size_t position(const struct wm_running_list *list, struct wm_text name, bool *ret_found) {
  size_t low = 0, high = list->count;
  *ret_found = false;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = wm_text_compare(list->items[middle]->name, name);
    *ret_found |= order == 0;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static size_t text_size(const struct wm_running_word *word) {
  return word->name.size + word->by.size + word->reason.size;
}

static struct wm_text put(char **at, struct wm_text text) {
  if (!text.bytes)
    return WM_NO_TEXT;
  char *copy = *at;
  if (text.size > 0)
    memcpy(copy, text.bytes, text.size);
  *at += text.size;
  return (struct wm_text){copy, text.size};
}

/* With its texts behind it. NULL: out of memory. */
static struct wm_running_word *copy(const struct wm_running_word *word) {
  struct wm_running_word *result = malloc(sizeof *result + text_size(word) + 1);
  if (!result)
    return NULL;
  char *at = (char *)(result + 1);
  *result = *word;
  result->name = put(&at, word->name);
  result->by = put(&at, word->by);
  result->reason = put(&at, word->reason);
  return result;
}

static int forget(struct wm_running *running, struct wm_running_list *list, size_t at) {
  running->text_size -= text_size(list->items[at]);
  free(list->items[at]);
  list->count--;
  memmove(list->items + at, list->items + at + 1, (list->count - at) * sizeof(*list->items));
  return 1;
}

static int make_room(struct wm_running_list *list, struct wm_error *error) {
  if (list->count < list->capacity)
    return 0;
  size_t capacity = list->capacity ? list->capacity * 2 : 16;
  struct wm_running_word **items = realloc(list->items, capacity * sizeof(*items));
  if (!items)
    return wm_error_memory(error);
  list->items = items;
  list->capacity = capacity;
  return 0;
}

int wm_running_take(struct wm_running *running, const struct wm_running_word *word, struct wm_error *error) {
  struct wm_running_list *list = &running->lists[word->kind];
  bool found;
  size_t at = position(list, word->name, &found);
  if (word->state == WM_RUNNING_AS_WRITTEN)
    return found ? forget(running, list, at) : 0;
  size_t size = running->text_size - (found ? text_size(list->items[at]) : 0) + text_size(word);
  if ((!found && list->count == WM_RUNNING_LIMIT) || size > WM_RUNNING_TEXT_LIMIT)
    return wm_error_set(error, WM_E_CONTROL_INVALID, "'%.*s' is one name or one text more than can be kept",
                        WM_TEXT_ARG(wm_text_shown(word->name)));
  if (!found && make_room(list, error) < 0)
    return -1;
  struct wm_running_word *fresh = copy(word);
  if (!fresh)
    return wm_error_memory(error);
  running->text_size = size;
  bool same = found && list->items[at]->state == word->state;
  if (found) {
    free(list->items[at]);
  } else {
    memmove(list->items + at + 1, list->items + at, (list->count - at) * sizeof(*list->items));
    list->count++;
  }
  list->items[at] = fresh;
  return same ? 0 : 1;
}

const struct wm_running_word *wm_running_get(const struct wm_running *running, enum wm_running_kind kind,
                                             struct wm_text name) {
  bool found = false;
  size_t at = running ? position(&running->lists[kind], name, &found) : 0;
  return found ? running->lists[kind].items[at] : NULL;
}

bool wm_running_enabled(const struct wm_running *running, struct wm_text automation, bool enabled) {
  const struct wm_running_word *word = wm_running_get(running, WM_RUNNING_AUTOMATION, automation);
  return word ? word->state == WM_RUNNING_ON : enabled;
}

enum wm_role_status wm_running_status(const struct wm_running *running, struct wm_text role,
                                      enum wm_role_status status) {
  const struct wm_running_word *word = wm_running_get(running, WM_RUNNING_ROLE, role);
  if (word && word->state == WM_RUNNING_OFF)
    return WM_ROLE_ARCHIVED;
  return word && status == WM_ROLE_ARCHIVED ? WM_ROLE_ACTIVE : status;
}

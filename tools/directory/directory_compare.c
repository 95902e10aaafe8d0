#include "tools/directory/directory_compare.h"

#include <signal.h>
#include <stdlib.h>

#include "core/codec/json.h"
#include "core/codec/register.h"
#include "tools/lib/register_text.h"
#include "tools/lib/say.h"
#include "worker/registers.h"

const char *const comparison_fields[] = {
    "status",  "type",     "name",    "email",    "org-units",         "groups",
    "portals", "accounts", "manager", "managers", "manager-of-anyone", "attributes",
    NULL};

void comparison_init(struct comparison *comparison, struct people *people, int64_t time_us) {
  *comparison = (struct comparison){.people = people, .time_us = time_us};
  wm_arena_init(&comparison->arena, 0);
  wm_arena_init(&comparison->scratch, 0);
}

void comparison_release(struct comparison *comparison) {
  names_release(&comparison->missing);
  wm_arena_release(&comparison->arena);
  wm_arena_release(&comparison->scratch);
  wm_buf_release(&comparison->line);
}

/* --- two values --- */

static int by_name(const void *a, const void *b) {
  return wm_text_compare(((const struct wm_member *)a)->name, ((const struct wm_member *)b)->name);
}

/* The order of members means nothing: both are sorted, they are ours. */
static bool same_value(struct wm_value *a, struct wm_value *b) {
  if (a->type == WM_OBJECT && b->type == WM_OBJECT) {
    bool same = a->object.count == b->object.count;
    if (same && a->object.count > 1) {
      qsort(a->object.members, a->object.count, sizeof *a->object.members, by_name);
      qsort(b->object.members, b->object.count, sizeof *b->object.members, by_name);
    }
    for (size_t i = 0; i < a->object.count && same; i++)
      same = wm_text_equal(a->object.members[i].name, b->object.members[i].name) &&
             same_value(&a->object.members[i].value, &b->object.members[i].value);
    return same;
  }
  if (a->type == WM_LIST && b->type == WM_LIST) {
    bool same = a->list.count == b->list.count;
    for (size_t i = 0; i < a->list.count && same; i++)
      same = same_value(&a->list.items[i], &b->list.items[i]);
    return same;
  }
  return a->type == b->type ? a->type == WM_NULL || wm_value_equal(a, b)
                            : wm_value_is_number(a) && wm_value_is_number(b) && wm_value_equal(a, b);
}

static int by_text(const void *a, const void *b) {
  return wm_text_compare(((const struct wm_value *)a)->string, ((const struct wm_value *)b)->string);
}

/* Groups and portals are sets, and sorted in what is computed; whoever else wrote a register may have another order. */
static void sort_texts(struct wm_value *list) {
  if (list->type == WM_LIST && list->list.count > 1)
    qsort(list->list.items, list->list.count, sizeof *list->list.items, by_text);
}

static bool same_field(const char *name, struct wm_value *computed, struct wm_value *kept) {
  if (strcmp(name, "groups") == 0 || strcmp(name, "portals") == 0)
    sort_texts(kept);
  return same_value(computed, kept);
}

/* --- one register --- */

/* Bits of the fields that differ. -1: out of memory. */
static int differences(struct comparison *comparison, const struct wm_user *user, uint32_t person, unsigned *ret) {
  struct wm_value computed, kept;
  struct wm_error error;
  wm_arena_rewind(&comparison->scratch);
  wm_buf_clear(&comparison->line);
  people_write(comparison->people, person, &comparison->line);
  if (comparison->line.failed ||
      wm_json_parse((struct wm_text){comparison->line.bytes, comparison->line.size}, &comparison->scratch, &computed,
                    &error) < 0 ||
      wm_value_copy_into(&user->profile.fields, &comparison->scratch, &kept) < 0)
    return -1;
  *ret = 0;
  for (unsigned i = 0; comparison_fields[i]; i++) {
    struct wm_text name = wm_text_of(comparison_fields[i]);
    struct wm_value *a = (struct wm_value *)(uintptr_t)wm_value_member(&computed, name);
    struct wm_value *b = (struct wm_value *)(uintptr_t)wm_value_member(&kept, name);
    if ((a || b) && !(a && b && same_field(comparison_fields[i], a, b)))
      *ret |= 1U << i;
  }
  return 0;
}

static int take_missing(struct comparison *comparison, const struct wm_user *user) {
  struct wm_text id;
  if (names_find(&comparison->missing, user->id) != NAMES_NONE)
    return 0;
  comparison->newer_missing += user->profile.clock.time_us > comparison->time_us;
  return wm_arena_text(&comparison->arena, user->id, &id) < 0 ? -1 : names_add(&comparison->missing, id);
}

int comparison_take(struct comparison *comparison, const struct wm_user *user) {
  uint32_t person = names_find(&comparison->people->ids, user->id);
  bool there = wm_user_has_profile(user) && user->profile.status != WM_USER_DELETED;
  comparison->profiles += there;
  if (person == NAMES_NONE)
    return there ? take_missing(comparison, user) : 0;
  struct person *item = &comparison->people->items[person];
  unsigned changed = 0;
  if (there && item->state == PERSON_FINE && differences(comparison, user, person, &changed) < 0)
    return -1;
  item->changed = (uint16_t)changed;
  item->news = !there ? PERSON_NEW : changed ? PERSON_CHANGED : PERSON_SAME;
  comparison->newer +=
      item->news != PERSON_SAME && wm_user_has_profile(user) && user->profile.clock.time_us > comparison->time_us;
  return 0;
}

/* --- many registers --- */

static int take_line(struct comparison *comparison, const struct lines *lines, struct wm_text line) {
  struct wm_error error = {0};
  wm_arena_rewind(&comparison->scratch);
  struct wm_user *user = register_of_text(line, &comparison->scratch, &error);
  int result = user ? comparison_take(comparison, user) : 0;
  bool bad = !user;
  wm_user_free(user);
  if (result < 0)
    return say_memory();
  return bad ? say(EXIT_USAGE, "%s:%lld: this is no register: %s", lines->path, (long long)lines->number, error.text)
             : EXIT_FINE;
}

int comparison_read_file(struct comparison *comparison, const char *path, struct progress *progress) {
  struct lines lines;
  struct wm_text line;
  bool end = false;
  int exit_code = lines_open(&lines, path);
  progress_begin(progress, "comparing", 0);
  while (exit_code == EXIT_FINE && !end) {
    exit_code = lines_next(&lines, &line, &end);
    if (exit_code == EXIT_FINE && !end && !line_is_blank(line))
      exit_code = take_line(comparison, &lines, line);
    progress_set(progress, (size_t)lines.number);
  }
  progress_end(progress);
  lines_close(&lines);
  return exit_code;
}

/* --- Redis --- */

struct streaming {
  struct comparison *comparison;
  struct progress *progress;
  size_t count, faults;
};

enum { STOP_MEMORY = 1 };

static int take_entry(void *taker, const struct registers_entry *entry) {
  struct streaming *streaming = taker;
  struct wm_error error = {0};
  struct wm_user *user = entry->fault ? NULL : wm_register_decode(entry->user.json, &error);
  int result = user ? comparison_take(streaming->comparison, user) : 0;
  streaming->faults += !user;
  progress_set(streaming->progress, ++streaming->count);
  wm_user_free(user);
  return result < 0 || error.code == WM_E_OUT_OF_MEMORY ? STOP_MEMORY : 0;
}

int comparison_read_redis(struct comparison *comparison, const struct settings *settings, struct progress *progress) {
  struct streaming streaming = {.comparison = comparison, .progress = progress};
  struct wm_error error = {0};
  signal(SIGPIPE, SIG_IGN);
  struct registers *registers = registers_open(settings, &error);
  progress_begin(progress, "comparing", 0);
  int result = registers ? registers_each(registers, take_entry, &streaming, &error) : -1;
  progress_end(progress);
  registers_close(registers);
  if (result == STOP_MEMORY)
    return say_memory();
  if (result < 0)
    return say_error(error.code == WM_E_SETTING_INVALID ? EXIT_BAD_NEWS : EXIT_OUTSIDE, &error);
  if (streaming.faults > 0)
    say(0, "%zu keys in Redis hold no register that can be read; they were passed over", streaming.faults);
  return EXIT_FINE;
}

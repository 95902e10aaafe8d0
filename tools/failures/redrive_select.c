#include <stdlib.h>

#include "core/moment.h"
#include "tools/failures/originals.h"
#include "tools/failures/redrive.h"
#include "tools/lib/say.h"

/* --- what is meant --- */

/* Is it one of --id (separated by commas) or of the arguments? 'ret_position' gets which of them. */
static bool is_named(const struct options *options, struct wm_text id, size_t *ret_position) {
  const char *list = options_value(options, "id");
  size_t position = 0;
  for (size_t i = 0; i < options->argument_count; i++) {
    if (!options->arguments[i])
      continue;
    *ret_position = position++;
    if (wm_text_is(id, options->arguments[i]))
      return true;
  }
  while (list && *list) {
    size_t size = strcspn(list, ",");
    if (wm_text_equal(id, (struct wm_text){list, size})) {
      *ret_position = position;
      return true;
    }
    list += size;
    list += *list == ',';
    position++;
  }
  return false;
}

static size_t count_named(const struct options *options) {
  const char *list = options_value(options, "id");
  size_t count = 0;
  for (size_t i = 0; i < options->argument_count; i++)
    count += options->arguments[i] != NULL;
  for (; list && *list; list += *list == ',') {
    list += strcspn(list, ",");
    count++;
  }
  return count;
}

static int grow(struct redrive *redrive) {
  size_t capacity = redrive->capacity ? 2 * redrive->capacity : 64;
  struct redrive_item *larger = reallocarray(redrive->items, capacity, sizeof *larger);
  if (!larger)
    return -1;
  redrive->items = larger;
  redrive->capacity = capacity;
  return 0;
}

static int copy(struct redrive *redrive, const struct failure *failure, struct redrive_item *ret) {
  struct wm_arena *arena = &redrive->arena;
  struct wm_buf what = WM_BUF_INIT;
  failure_what(failure, &what);
  *ret = (struct redrive_item){
      .origin = failure->origin, .sequence = failure->sequence, .order = redrive->count, .at_us = failure->at_us};
  bool failed = what.failed || wm_arena_text(arena, (struct wm_text){what.bytes, what.size}, &ret->what) < 0 ||
                wm_arena_text(arena, failure->origin.topic, &ret->origin.topic) < 0 ||
                wm_arena_text(arena, failure->automation, &ret->automation) < 0 ||
                wm_arena_text(arena, failure->id, &ret->failure) < 0 ||
                wm_arena_text(arena, failure->user, &ret->user) < 0 ||
                wm_arena_text(arena, failure->code, &ret->code) < 0 ||
                wm_arena_text(arena, failure->task_type, &ret->task_type) < 0;
  wm_buf_release(&what);
  return failed ? -1 : 0;
}

struct selecting {
  struct redrive *redrive;
  size_t named; /* 0: by filters alone */
  bool *found;  /* by position */
};

static int take(void *taker, const struct failure *failure) {
  struct selecting *selecting = taker;
  struct redrive *redrive = selecting->redrive;
  size_t position;
  if (selecting->named) {
    if (!is_named(redrive->options, failure->id, &position))
      return EXIT_FINE;
    selecting->found[position] = true;
  }
  if (failure->rejected)
    return say(
        EXIT_BAD_NEWS,
        "'%.*s' is a rejected event, which would be rejected again: 'waymark redrive --edit %.*s' opens it to be "
        "mended",
        WM_TEXT_ARG(failure->id), WM_TEXT_ARG(failure->id));
  if (redrive->count == REDRIVE_LIMIT)
    return say(EXIT_BAD_NEWS, "these are more than %d failures: take fewer at once, by --since and --until",
               REDRIVE_LIMIT);
  if (redrive->count == redrive->capacity && grow(redrive) < 0)
    return say_memory();
  if (copy(redrive, failure, &redrive->items[redrive->count]) < 0)
    return say_memory();
  redrive->count++;
  return EXIT_FINE;
}

static int missing(const struct selecting *selecting) {
  for (size_t i = 0; i < selecting->named; i++)
    if (!selecting->found[i])
      return say(EXIT_BAD_NEWS, "not all of these failures are there: 'waymark failures' lists them with their ids");
  return EXIT_FINE;
}

static int read_failures(struct redrive *redrive) {
  struct selecting selecting = {.redrive = redrive, .named = count_named(redrive->options)};
  struct failures_walk walk = {.take = take, .taker = &selecting};
  int exit_code = failures_filter_read(redrive->options, &walk.filter);
  if (exit_code != EXIT_FINE)
    return exit_code;
  walk.filter.failed = selecting.named == 0;
  selecting.found = calloc(selecting.named + 1, sizeof *selecting.found);
  exit_code = selecting.found ? failures_each(&redrive->loaded, redrive->options, &walk) : say_memory();
  if (exit_code == EXIT_FINE)
    exit_code = missing(&selecting);
  free(selecting.found);
  if (exit_code == EXIT_FINE && redrive->count == 0)
    return say(EXIT_BAD_NEWS,
               "no such failed task: nothing is to be done ('waymark failures --rejected' lists the events "
               "that were rejected, --edit mends one)");
  return exit_code;
}

/* --- one for each task --- */

int redrive_compare(const struct redrive_item *a, const struct redrive_item *b) {
  int order = originals_compare(&a->origin, &b->origin);
  if (order == 0)
    order = wm_text_compare(a->automation, b->automation);
  if (order == 0 && a->sequence != b->sequence)
    order = a->sequence < b->sequence ? -1 : 1;
  return order;
}

static int by_task_and_order(const void *left, const void *right) {
  const struct redrive_item *a = left, *b = right;
  int order = redrive_compare(a, b);
  return order ? order : a->order < b->order ? -1 : 1;
}

/* A task that was sent again and failed again has several failures: the last one counts. */
static void keep_last(struct redrive *redrive) {
  size_t kept = 0;
  qsort(redrive->items, redrive->count, sizeof *redrive->items, by_task_and_order);
  for (size_t i = 0; i < redrive->count; i++)
    if (i + 1 == redrive->count || redrive_compare(&redrive->items[i], &redrive->items[i + 1]) != 0)
      redrive->items[kept++] = redrive->items[i];
  redrive->count = kept;
}

/* --- what was sent before --- */

struct name { /* for wm_text_position */
  struct wm_text failure;
  struct redrive_item *item;
};

static int by_failure(const void *a, const void *b) {
  return wm_text_compare(((const struct name *)a)->failure, ((const struct name *)b)->failure);
}

static int mark(struct redrive *redrive, const struct name *names, const struct wm_record *record) {
  const struct wm_header *failure = originals_header(record, "wm-failure"), *run = originals_header(record, "wm-run");
  bool found;
  if (!failure || !run || !wm_text_starts_with(run->value, WM_TEXT(REDRIVE_PREFIX)))
    return EXIT_FINE;
  size_t at = wm_text_position(names, redrive->count, sizeof *names, failure->value, &found);
  if (!found)
    return EXIT_FINE;
  struct redrive_item *item = names[at].item;
  item->state = redrive->again ? REDRIVE_READY : REDRIVE_BEFORE;
  return wm_arena_text(&redrive->arena, run->value, &item->before) < 0 ? say_memory() : EXIT_FINE;
}

static int read_marks(struct redrive *redrive, const struct name *names) {
  struct client_reading reading = {.topic = redrive->loaded.settings.topics.replay,
                                   .partition = CLIENT_ALL_PARTITIONS,
                                   .from_ms = INT64_MAX,
                                   .optional = true};
  struct wm_record record;
  struct wm_error error = {0};
  int exit_code = EXIT_FINE, more = 0;
  for (size_t i = 0; i < redrive->count; i++)
    if (redrive->items[i].at_us < reading.from_ms)
      reading.from_ms = redrive->items[i].at_us;
  reading.from_ms = (reading.from_ms - ORIGINALS_CLOCKS_US) / 1000;
  if (client_read(redrive->client, &reading, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  while (exit_code == EXIT_FINE && (more = client_read_next(redrive->client, &record, &error)) > 0)
    exit_code = mark(redrive, names, &record);
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

static int find_marks(struct redrive *redrive) {
  struct name *names = calloc(redrive->count, sizeof *names);
  if (!names)
    return say_memory();
  for (size_t i = 0; i < redrive->count; i++)
    names[i] = (struct name){redrive->items[i].failure, &redrive->items[i]};
  qsort(names, redrive->count, sizeof *names, by_failure);
  int exit_code = read_marks(redrive, names);
  free(names);
  return exit_code;
}

/* --- what is gone --- */

static int see(void *taker, size_t index, const struct wm_record *record) {
  struct redrive *redrive = taker;
  if (!record && redrive->items[index].state == REDRIVE_READY)
    redrive->items[index].state = REDRIVE_GONE;
  return EXIT_FINE;
}

static int find_gone(struct redrive *redrive) {
  struct wm_origin *origins = calloc(redrive->count, sizeof *origins);
  if (!origins)
    return say_memory();
  for (size_t i = 0; i < redrive->count; i++)
    origins[i] = redrive->items[i].origin;
  int exit_code = originals_each(redrive->client, origins, redrive->count, see, redrive);
  free(origins);
  return exit_code;
}

int redrive_select(struct redrive *redrive) {
  struct wm_error error = {0};
  int exit_code = read_failures(redrive);
  if (exit_code != EXIT_FINE)
    return exit_code;
  keep_last(redrive);
  redrive->client = client_open(&redrive->loaded.settings, &error);
  if (!redrive->client)
    return say_error(EXIT_OUTSIDE, &error);
  exit_code = find_marks(redrive);
  if (exit_code == EXIT_FINE)
    exit_code = find_gone(redrive);
  for (size_t i = 0; i < redrive->count; i++)
    redrive->ready += redrive->items[i].state == REDRIVE_READY;
  return exit_code;
}

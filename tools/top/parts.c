#include "tools/top/parts.h"

#include <stdlib.h>

/* Lines for rows when 'room' is to hold an empty line and the head too. */
static size_t lines_of(const struct part *part) {
  if (part->room == SIZE_MAX)
    return PART_LINES;
  return part->room > 2 ? part->room - 2 : 0;
}

/* How many items the list 'name' has in all workers that answered. */
static size_t count_items(const struct screen *screen, const char *name) {
  size_t count = 0;
  const struct wm_value *items;
  for (size_t i = 0; i < screen->count; i++)
    if (look_is_heard(screen->workers[i].now))
      count += look_items(look_member(screen->workers[i].now, NULL, name), &items);
  return count;
}

/* "and N more", as a row of its own. */
static void add_more(struct table *table, size_t more) {
  if (more == 0)
    return;
  table_cell(table, STYLE_DIM, "and %zu more", more);
  for (size_t i = 1; i < table->columns; i++)
    table_cell(table, STYLE_DIM, "%s", "");
}

/* --- failures by code, of all workers --- */

#define CODES 128 /* that are shown; there are fewer */

struct code {
  struct wm_text name;
  int64_t count, rate;
};

static int by_rate(const void *a, const void *b) {
  const struct code *left = a, *right = b;
  if (left->rate != right->rate)
    return left->rate < right->rate ? 1 : -1;
  if (left->count != right->count)
    return left->count < right->count ? 1 : -1;
  return wm_text_compare(left->name, right->name);
}

static struct code *code_of(struct code *codes, size_t *count, struct wm_text name) {
  for (size_t i = 0; i < *count; i++)
    if (wm_text_equal(codes[i].name, name))
      return &codes[i];
  if (*count == CODES)
    return NULL;
  codes[*count] = (struct code){name, LOOK_UNKNOWN, LOOK_UNKNOWN};
  return &codes[(*count)++];
}

static void take_codes(const struct watched *worker, struct code *codes, size_t *count) {
  const struct wm_value *found = look_is_heard(worker->now) ? look_member(worker->now, NULL, "codes") : NULL;
  for (size_t i = 0; found && found->type == WM_OBJECT && i < found->object.count && i < CODES; i++) {
    const struct wm_member *item = &found->object.members[i];
    struct code *code = code_of(codes, count, item->name);
    char name[64];
    if (!code || item->name.size >= sizeof name)
      continue;
    snprintf(name, sizeof name, "%.*s", WM_TEXT_ARG(item->name));
    part_sum(&code->count, look_count(&item->value));
    part_sum(&code->rate, look_rate(worker->before, worker->now, "codes", name));
  }
}

void part_codes(const struct part *part) {
  static const char *const heads[] = {"FAILURES BY CODE", "A SECOND", "IN ALL", NULL};
  struct table table;
  struct code codes[CODES];
  size_t count = 0, lines = lines_of(part);
  for (size_t i = 0; i < part->screen->count; i++)
    take_codes(&part->screen->workers[i], codes, &count);
  qsort(codes, count, sizeof *codes, by_rate);
  size_t shown = count <= lines ? count : lines > 0 ? lines - 1 : 0;
  table_init(&table, heads);
  for (size_t i = 0; i < shown; i++) {
    part_text(&table, codes[i].rate > 0 ? STYLE_BAD : STYLE_PLAIN, codes[i].name);
    part_rate(&table, codes[i].rate, STYLE_BAD);
    part_number(&table, codes[i].count, STYLE_PLAIN);
  }
  if (lines > 0)
    add_more(&table, count - shown);
  part_print(part, &table);
}

/* --- the last failures --- */

struct failure {
  const struct wm_value *value;
  const struct watched *worker;
};

static struct wm_text text_of(const struct wm_value *value, const char *name) {
  return wm_value_text(wm_value_member(value, wm_text_of(name)));
}

/* The newest first; times of one form sort as texts. */
static int by_time(const void *a, const void *b) {
  return -wm_text_compare(text_of(((const struct failure *)a)->value, "time"),
                          text_of(((const struct failure *)b)->value, "time"));
}

static void add_failure(struct table *table, const struct failure *failure) {
  struct wm_text automation = text_of(failure->value, "automation");
  part_text(table, STYLE_DIM, text_of(failure->value, "time"));
  part_text(table, STYLE_BAD, text_of(failure->value, "code"));
  part_text(table, STYLE_PLAIN, automation.bytes ? automation : WM_TEXT("–"));
  part_number(table, look_count(wm_value_member(failure->value, WM_TEXT("sequence"))), STYLE_PLAIN);
  part_text(table, STYLE_PLAIN, part_name(failure->worker));
  part_text(table, STYLE_PLAIN, text_of(failure->value, "origin"));
}

static void print_failures(const struct part *part, struct failure *failures, size_t count) {
  static const char *const heads[] = {"LAST FAILURES", "CODE", "AUTOMATION", "TASK", "WORKER", "ORIGIN", NULL};
  struct table table;
  size_t lines = lines_of(part);
  qsort(failures, count, sizeof *failures, by_time);
  table_init(&table, heads);
  for (size_t i = 0; i < count && i < lines; i++)
    add_failure(&table, &failures[i]);
  part_print(part, &table);
}

void part_failures(const struct part *part) {
  const struct screen *screen = part->screen;
  size_t total = count_items(screen, "failures"), count = 0;
  struct failure *failures = reallocarray(NULL, total + 1, sizeof *failures);
  if (!failures)
    return;
  for (size_t i = 0; i < screen->count; i++) {
    const struct wm_value *items;
    const struct watched *worker = &screen->workers[i];
    size_t found = look_is_heard(worker->now) ? look_items(look_member(worker->now, NULL, "failures"), &items) : 0;
    for (size_t f = 0; f < found; f++)
      failures[count++] = (struct failure){&items[f], worker};
  }
  print_failures(part, failures, count);
  free(failures);
}

/* --- partitions --- */

struct lag {
  const struct watched *worker;
  struct wm_text topic, state;
  int64_t partition, records, growth; /* in the time between two looks; 0: not known */
};

static int by_topic(const void *a, const void *b) {
  const struct lag *left = a, *right = b;
  int order = wm_text_compare(left->topic, right->topic);
  return order ? order : left->partition < right->partition ? -1 : left->partition > right->partition;
}

static int by_lag(const void *a, const void *b) {
  const struct lag *left = a, *right = b;
  return left->records != right->records ? (left->records < right->records ? 1 : -1) : by_topic(a, b);
}

static int by_growth(const void *a, const void *b) {
  const struct lag *left = a, *right = b;
  return left->growth != right->growth ? (left->growth < right->growth ? 1 : -1) : by_lag(a, b);
}

static struct lag read_lag(const struct watched *worker, const struct wm_value *value) {
  return (struct lag){
      .worker = worker,
      .topic = text_of(value, "topic"),
      .state = text_of(value, "state"),
      .partition = look_count(wm_value_member(value, WM_TEXT("partition"))),
      .records = look_count(wm_value_member(value, WM_TEXT("lag"))),
  };
}

/* The same input in the look before; a worker lists its inputs in one order, so it is looked for at its place first. */
static int64_t growth_of(const struct lag *lag, size_t place) {
  const struct wm_value *items;
  const struct look *before = lag->worker->before;
  size_t count = look_is_heard(before) ? look_items(look_member(before, NULL, "lags"), &items) : 0;
  if (place >= count || lag->records < 0)
    return 0;
  struct lag then = read_lag(lag->worker, &items[place]);
  bool same = wm_text_equal(then.topic, lag->topic) && then.partition == lag->partition;
  return same && then.records >= 0 ? lag->records - then.records : 0;
}

static void add_lag(struct table *table, const struct lag *lag) {
  bool live = wm_text_is(lag->state, "live");
  part_text(table, STYLE_PLAIN, lag->topic);
  if (lag->partition < 0)
    table_cell(table, STYLE_DIM, "–");
  else
    table_cell(table, STYLE_PLAIN, "%lld", (long long)lag->partition);
  part_number(table, lag->records, STYLE_PLAIN);
  table_cell(table, lag->growth > 0 ? STYLE_WARN : STYLE_DIM, lag->growth ? "%+lld" : "–", (long long)lag->growth);
  part_text(table, live ? STYLE_DIM : STYLE_BAD, lag->state);
  part_text(table, STYLE_DIM, part_name(lag->worker));
}

static void print_lags(const struct part *part, struct lag *lags, size_t count) {
  static const char *const heads[] = {"TOPIC", "PARTITION", "LAG", "GREW", "STATE", "WORKER", NULL};
  static int (*const orders[])(const void *, const void *) = {by_lag, by_growth, by_topic};
  struct table table;
  size_t lines = lines_of(part);
  size_t shown = count <= lines ? count : lines > 0 ? lines - 1 : 0;
  qsort(lags, count, sizeof *lags, orders[part->screen->order]);
  table_init(&table, heads);
  for (size_t i = 0; i < shown; i++)
    add_lag(&table, &lags[i]);
  if (lines > 0)
    add_more(&table, count - shown);
  part_print(part, &table);
}

void part_lags(const struct part *part) {
  const struct screen *screen = part->screen;
  size_t total = count_items(screen, "lags"), count = 0;
  struct lag *lags = reallocarray(NULL, total + 1, sizeof *lags);
  if (!lags)
    return;
  for (size_t i = 0; i < screen->count; i++) {
    const struct wm_value *items;
    const struct watched *worker = &screen->workers[i];
    size_t found = look_is_heard(worker->now) ? look_items(look_member(worker->now, NULL, "lags"), &items) : 0;
    for (size_t n = 0; n < found; n++) {
      lags[count] = read_lag(worker, &items[n]);
      lags[count].growth = growth_of(&lags[count], n);
      count++;
    }
  }
  print_lags(part, lags, count);
  free(lags);
}

/* A plan as JSON lines: what was asked for and looked at, one grant a line, and at the end a digest over all lines
 * before it. So it may be of any length, and be read by a person, but not changed. */
#include <stdlib.h>

#include "core/codec/json.h"
#include "core/codec/write.h"
#include "core/moment.h"
#include "tools/lib/say.h"
#include "tools/undo/undo.h"

#define GRANTS_LIMIT 10000000

/* --- numbers by name --- */

#define COUNT_ROW(name, member)                                                                                        \
  { name, offsetof(struct undo_counts, member) }
static const struct {
  const char *name;
  size_t at;
} count_rows[] = {
    COUNT_ROW("users", users), COUNT_ROW("grants", grants), COUNT_ROW("lose", lose),         COUNT_ROW("keep", keep),
    COUNT_ROW("idle", idle),   COUNT_ROW("gain", gain),     COUNT_ROW("lockouts", lockouts),
};
#define COUNT_ROWS (sizeof count_rows / sizeof *count_rows)

static size_t *count_at(struct undo_counts *counts, size_t row) {
  return (size_t *)(void *)((char *)counts + count_rows[row].at);
}

/* The digest of a line and all before it. */
static void chain(char digest[static WM_DIGEST_SIZE], struct wm_text line) {
  char before[WM_DIGEST_SIZE];
  memcpy(before, digest, sizeof before);
  const struct wm_text texts[] = {wm_text_of(before), line};
  wm_digest_all(texts, 2, digest);
}

/* --- writing --- */

static void write_filter(struct wm_buf *buf, const struct undo_filter *filter) {
  wm_write_open(buf, WM_KEY("undo"), '{');
  wm_write_text(buf, WM_KEY("automation"), filter->automation);
  wm_write_text(buf, WM_KEY("version"), filter->version);
  wm_write_text(buf, WM_KEY("run"), filter->run);
  if (filter->from_us != INT64_MIN)
    wm_write_moment(buf, WM_KEY("from"), filter->from_us);
  if (filter->to_us != INT64_MAX)
    wm_write_moment(buf, WM_KEY("to"), filter->to_us);
  if (filter->users.count) {
    wm_write_open(buf, WM_KEY("users"), '[');
    for (size_t i = 0; i < filter->users.count; i++)
      wm_write_text(buf, WM_NO_KEY, filter->users.items[i]);
    wm_write_close(buf, ']');
  }
  wm_write_close(buf, '}');
}

static void write_head(struct wm_buf *buf, struct undo_plan *plan) {
  wm_write_integer(buf, WM_KEY("v"), 1);
  write_filter(buf, &plan->filter);
  wm_write_moment(buf, WM_KEY("made"), plan->made_us);
  wm_write_text(buf, WM_KEY("workspace"), plan->workspace);
  wm_write_text(buf, WM_KEY("catalogue"), plan->catalogue);
  wm_write_open(buf, WM_KEY("counts"), '{');
  for (size_t i = 0; i < COUNT_ROWS; i++) {
    wm_write_name(buf, wm_text_of(count_rows[i].name));
    wm_buf_add_integer(buf, (int64_t)*count_at(&plan->counts, i));
    wm_buf_add_char(buf, ',');
  }
  wm_write_close(buf, '}');
}

static void write_grant(struct wm_buf *buf, const struct undo_grant *grant) {
  wm_write_text(buf, WM_KEY("user"), grant->user);
  wm_write_text(buf, WM_KEY("role"), grant->role);
  wm_write_clock(buf, WM_KEY("clock"), &grant->clock);
  wm_write_text(buf, WM_KEY("version"), grant->version);
  wm_write_text(buf, WM_KEY("run"), grant->run);
}

/* One line: the head with 'grant' NULL. */
static int write_line(FILE *file, struct wm_buf *buf, struct undo_plan *plan, const struct undo_grant *grant) {
  wm_buf_clear(buf);
  wm_write_open(buf, WM_NO_KEY, '{');
  if (grant)
    write_grant(buf, grant);
  else
    write_head(buf, plan);
  wm_write_close(buf, '}');
  wm_write_end(buf);
  if (buf->failed)
    return say_memory();
  chain(plan->digest, (struct wm_text){buf->bytes, buf->size});
  fwrite(buf->bytes, 1, buf->size, file);
  putc('\n', file);
  return EXIT_FINE;
}

int undo_plan_write(struct undo_plan *plan, const char *path) {
  struct wm_buf buf = WM_BUF_INIT;
  FILE *file = NULL;
  plan->digest[0] = '\0';
  int exit_code = output_open(path, &file);
  if (!file)
    return exit_code;
  memset(plan->digest, 0, sizeof plan->digest);
  exit_code = write_line(file, &buf, plan, NULL);
  for (size_t i = 0; i < plan->grant_count && exit_code == EXIT_FINE; i++)
    if (!plan->grants[i].left)
      exit_code = write_line(file, &buf, plan, &plan->grants[i]);
  fprintf(file, "{\"digest\":\"%s\"}\n", plan->digest);
  wm_buf_release(&buf);
  int closed = output_close(path, file);
  return exit_code == EXIT_FINE ? closed : exit_code;
}

/* --- reading --- */

struct reading {
  const char *path;
  struct undo_plan *plan;
  struct lines lines;
  struct wm_arena arena; /* of one line */
};

static int refuse(const struct reading *reading, const char *what) {
  return say(EXIT_USAGE, "'%s' is no plan of 'waymark undo plan': line %lld: %s", reading->path,
             (long long)reading->lines.number, what);
}

static const struct wm_value *member(const struct wm_value *object, const char *name) {
  return wm_value_member(object, wm_text_of(name));
}

/* Texts of the plan live longer than the line. */
static int keep(struct reading *reading, const struct wm_value *object, const char *name, struct wm_text *ret) {
  return wm_arena_text(&reading->plan->arena, wm_value_text(member(object, name)), ret) < 0 ? say_memory() : EXIT_FINE;
}

static bool read_time(const struct wm_value *object, const char *name, int64_t *ret_us) {
  const struct wm_value *value = member(object, name);
  return !value || wm_moment_parse(wm_value_text(value), ret_us);
}

static int read_filter(struct reading *reading, const struct wm_value *value) {
  struct undo_filter *filter = &reading->plan->filter;
  *filter = (struct undo_filter){.from_us = INT64_MIN, .to_us = INT64_MAX};
  if (!value || value->type != WM_OBJECT)
    return refuse(reading, "'undo' is not an object");
  if (keep(reading, value, "automation", &filter->automation) || keep(reading, value, "version", &filter->version) ||
      keep(reading, value, "run", &filter->run))
    return EXIT_BUG;
  if (!wm_text_is_name(filter->automation))
    return refuse(reading, "'automation' is no name");
  if (!read_time(value, "from", &filter->from_us) || !read_time(value, "to", &filter->to_us))
    return refuse(reading, "'from' or 'to' is not a time");
  return EXIT_FINE;
}

static int read_counts(struct reading *reading, const struct wm_value *value) {
  for (size_t i = 0; i < COUNT_ROWS; i++) {
    const struct wm_value *number = member(value, count_rows[i].name);
    if (!number || number->type != WM_INTEGER || number->integer < 0)
      return refuse(reading, "'counts' is not whole");
    *count_at(&reading->plan->counts, i) = (size_t)number->integer;
  }
  return EXIT_FINE;
}

static int read_head(struct reading *reading, const struct wm_value *value) {
  struct undo_plan *plan = reading->plan;
  const struct wm_value *version = member(value, "v");
  if (!member(value, "undo") || !version || version->type != WM_INTEGER || version->integer != 1)
    return refuse(reading, "it does not begin as one of version 1");
  if (keep(reading, value, "workspace", &plan->workspace) || keep(reading, value, "catalogue", &plan->catalogue))
    return EXIT_BUG;
  if (!plan->workspace.bytes || !plan->catalogue.bytes ||
      !wm_moment_parse(wm_value_text(member(value, "made")), &plan->made_us))
    return refuse(reading, "it does not say when and of what it was made");
  int exit_code = read_filter(reading, member(value, "undo"));
  return exit_code == EXIT_FINE ? read_counts(reading, member(value, "counts")) : exit_code;
}

static bool read_clock(const struct wm_value *value, struct wm_clock *ret) {
  if (!value || value->type != WM_LIST || value->list.count != 5)
    return false;
  const struct wm_value *items = value->list.items;
  *ret = (struct wm_clock){.time_us = items[0].integer,
                           .source = wm_value_text(&items[1]),
                           .id = wm_value_text(&items[2]),
                           .automation = wm_value_text(&items[3]),
                           .sequence = items[4].integer};
  return items[0].type == WM_INTEGER && items[4].type == WM_INTEGER && ret->source.bytes && ret->id.bytes &&
         ret->automation.bytes && ret->time_us < INT64_MAX;
}

static int read_grant(struct reading *reading, const struct wm_value *value) {
  struct undo_grant grant = {.user = wm_value_text(member(value, "user")),
                             .role = wm_value_text(member(value, "role")),
                             .version = wm_value_text(member(value, "version")),
                             .run = wm_value_text(member(value, "run"))};
  if (!grant.user.bytes || !wm_text_is_user_id(grant.user) || !wm_text_is_name(grant.role) ||
      !read_clock(member(value, "clock"), &grant.clock))
    return refuse(reading, "a grant has a user, a role and a clock");
  const struct undo_plan *plan = reading->plan;
  if (plan->grant_count > 0 && wm_text_compare(plan->grants[plan->grant_count - 1].user, grant.user) > 0)
    return refuse(reading, "grants stand by user");
  if (plan->grant_count == GRANTS_LIMIT)
    return refuse(reading, "there are more grants than one plan takes");
  return undo_plan_add(reading->plan, &grant) < 0 ? say_memory() : EXIT_FINE;
}

static int read_line(struct reading *reading, struct wm_text line, bool *ret_whole) {
  struct undo_plan *plan = reading->plan;
  struct wm_value value;
  struct wm_error error = {0};
  wm_arena_rewind(&reading->arena);
  if (wm_json_parse(line, &reading->arena, &value, &error) < 0)
    return error.code == WM_E_OUT_OF_MEMORY ? say_memory() : refuse(reading, error.text);
  if (value.type != WM_OBJECT)
    return refuse(reading, "it is not an object");
  if (*ret_whole)
    return refuse(reading, "nothing comes behind the digest");
  const struct wm_value *digest = member(&value, "digest");
  if (digest && reading->lines.number > 1) {
    *ret_whole = true;
    return wm_text_is(wm_value_text(digest), plan->digest)
               ? EXIT_FINE
               : say(EXIT_BAD_NEWS,
                     "'%s' was changed after it was made: its digest is not that of what stands in it; make the plan "
                     "again",
                     reading->path);
  }
  chain(plan->digest, line);
  return reading->lines.number == 1 ? read_head(reading, &value) : read_grant(reading, &value);
}

int undo_plan_read(const char *path, struct undo_plan *ret) {
  struct reading reading = {.path = path, .plan = ret};
  struct wm_text line;
  bool end = false, whole = false;
  wm_arena_init(&reading.arena, 0);
  memset(ret->digest, 0, sizeof ret->digest);
  int exit_code = lines_open(&reading.lines, path);
  while (exit_code == EXIT_FINE && (exit_code = lines_next(&reading.lines, &line, &end)) == EXIT_FINE && !end)
    exit_code = read_line(&reading, line, &whole);
  if (exit_code == EXIT_FINE && !whole)
    exit_code = refuse(&reading, "it ends before its digest");
  lines_close(&reading.lines);
  wm_arena_release(&reading.arena);
  return exit_code;
}

#include "tools/request_file.h"

#include "core/codec/json.h"
#include "tools/say.h"

#define MISTAKES_LIMIT 20 /* more are counted, not told */
#define REQUESTS_LIMIT 10000000

enum column { COLUMN_USER, COLUMN_ROLE, COLUMN_UNTIL, COLUMN_REASON, COLUMNS };
static const char *const column_names[] = {"user", "role", "until", "reason", NULL};

struct reading {
  struct asking *asking;
  const char *path;
  struct wm_text role;   /* for lines without one */
  struct wm_arena arena; /* of one line */
  int64_t line;
  enum column order[COLUMNS]; /* of comma-separated values */
  size_t columns;
  const struct request_terms *last; /* shared by lines that say the same */
  size_t mistakes;
  int exit_code; /* of the first mistake */
};

/* "file:3: " in front of what is wrong. NULL: enough was told. */
static const char *place_of(const struct reading *reading, char ret[static 320]) {
  snprintf(ret, 320, "%.250s:%lld: ", reading->path, (long long)reading->line);
  return reading->mistakes < MISTAKES_LIMIT ? ret : NULL;
}

static int mistake(struct reading *reading, int exit_code) {
  if (reading->mistakes++ == 0)
    reading->exit_code = exit_code;
  return 0;
}

static int complain(struct reading *reading, const char *what, struct wm_text word) {
  char place[320];
  if (place_of(reading, place))
    say(EXIT_USAGE, "%s%s '%.*s'", place, what, WM_TEXT_ARG(wm_text_shown(word)));
  return mistake(reading, EXIT_USAGE);
}

static int check(struct reading *reading, const struct wm_text *fields) {
  char place[320];
  if (!place_of(reading, place))
    return mistake(reading, EXIT_USAGE);
  int exit_code = asking_check_user(place, fields[COLUMN_USER]);
  if (exit_code == EXIT_FINE)
    exit_code = asking_check_role(reading->asking, place, fields[COLUMN_ROLE]);
  if (exit_code != EXIT_FINE)
    mistake(reading, exit_code);
  return exit_code;
}

static bool is_same(const struct request_terms *a, const struct request_terms *b) {
  return a && wm_text_equal(a->role, b->role) && a->until_us == b->until_us && wm_text_equal(a->reason, b->reason);
}

/* A line as fields, WM_NO_TEXT where it has none. -1: out of memory. */
static int add(struct reading *reading, struct wm_text *fields) {
  struct request_terms terms = reading->asking->terms;
  if (fields[COLUMN_ROLE].size == 0)
    fields[COLUMN_ROLE] = reading->role;
  if (fields[COLUMN_ROLE].size == 0)
    return complain(reading, "no role is named for", fields[COLUMN_USER]);
  if (check(reading, fields) != EXIT_FINE)
    return 0;
  terms.role = fields[COLUMN_ROLE];
  if (fields[COLUMN_REASON].size > 0)
    terms.reason = fields[COLUMN_REASON];
  if (terms.reason.size == 0)
    return complain(reading, "no reason is given, neither here nor by --reason, for", fields[COLUMN_USER]);
  if (terms.reason.size > REQUEST_REASON_LIMIT || !wm_text_is_utf8(terms.reason, NULL))
    return complain(reading, "the reason is too long or no UTF-8:", terms.reason);
  if (fields[COLUMN_UNTIL].size > 0 && terms.kind == REQUEST_REMOVE)
    return complain(reading, "a revocation has no 'until':", fields[COLUMN_UNTIL]);
  if (fields[COLUMN_UNTIL].size > 0 && !asking_until(reading->asking, fields[COLUMN_UNTIL], &terms.until_us))
    return complain(reading, "'until' must be a time ahead or a duration from now, not", fields[COLUMN_UNTIL]);
  if (reading->asking->requests.count == REQUESTS_LIMIT)
    return complain(reading, "more requests than one call takes, at", fields[COLUMN_USER]);
  if (!is_same(reading->last, &terms))
    reading->last = requests_keep(&reading->asking->requests, &terms);
  return reading->last ? requests_add(&reading->asking->requests, fields[COLUMN_USER], reading->last) : -1;
}

/* --- JSON lines --- */

static int read_object(struct reading *reading, struct wm_text line) {
  struct wm_value value;
  struct wm_error error = {0};
  struct wm_text fields[COLUMNS] = {WM_NO_TEXT};
  if (wm_json_parse(line, &reading->arena, &value, &error) < 0)
    return error.code == WM_E_OUT_OF_MEMORY ? -1 : complain(reading, error.text, line);
  for (size_t i = 0; i < value.object.count; i++) {
    const struct wm_member *member = &value.object.members[i];
    size_t column = 0;
    while (column < COLUMNS && !wm_text_is(member->name, column_names[column]))
      column++;
    if (column == COLUMNS)
      return complain(reading, "only user, role, until and reason are known, not", member->name);
    if (member->value.type == WM_NULL)
      continue;
    if (member->value.type != WM_STRING)
      return complain(reading, "a text is needed in", member->name);
    fields[column] = member->value.string;
  }
  return add(reading, fields);
}

/* --- comma-separated values --- */

/* The next value of a line: bare, or in double quotes, of which two stand for one. -1: out of memory, 0: badly quoted,
 * 1: read. 'ret' borrows from the arena. */
static int read_value(struct reading *reading, struct wm_text *rest, struct wm_text *ret) {
  bool quoted = rest->size > 0 && rest->bytes[0] == '"', closed = !quoted;
  char *bytes = wm_arena_alloc(&reading->arena, rest->size + 1);
  size_t at = quoted, size = 0;
  if (!bytes)
    return -1;
  for (; at < rest->size && (quoted || rest->bytes[at] != ','); at++) {
    bool quote = quoted && rest->bytes[at] == '"';
    closed |= quote && (++at == rest->size || rest->bytes[at] != '"');
    if (quoted && closed)
      break;
    bytes[size++] = rest->bytes[at];
  }
  if (!closed || (at < rest->size && rest->bytes[at] != ','))
    return 0;
  *ret = (struct wm_text){bytes, size};
  while (!quoted && ret->size > 0 && strchr(" \t", ret->bytes[0]))
    ret->bytes++, ret->size--;
  while (!quoted && ret->size > 0 && strchr(" \t", ret->bytes[ret->size - 1]))
    ret->size--;
  *rest = (struct wm_text){rest->bytes + at, rest->size - at};
  return 1;
}

/* At most COLUMNS values. As read_value; 0 was told. */
static int split(struct reading *reading, struct wm_text line, struct wm_text *ret, size_t *ret_count) {
  struct wm_text rest = line;
  *ret_count = 0;
  for (;;) {
    if (*ret_count == COLUMNS)
      return complain(reading, "more values than user, role, until and reason:", line);
    int got = read_value(reading, &rest, &ret[*ret_count]);
    if (got <= 0)
      return got < 0 ? -1 : complain(reading, "a quoted value does not end, or not before a comma:", line);
    ++*ret_count;
    if (rest.size == 0)
      return 1;
    rest = (struct wm_text){rest.bytes + 1, rest.size - 1};
  }
}

/* A head names the columns: every value is one of them, and 'user' is there. */
static bool read_head(struct reading *reading, const struct wm_text *values, size_t count) {
  bool user = false;
  for (size_t i = 0; i < count; i++) {
    size_t column = 0;
    while (column < COLUMNS && !wm_text_is(values[i], column_names[column]))
      column++;
    if (column == COLUMNS)
      return false;
    reading->order[i] = (enum column)column;
    user |= column == COLUMN_USER;
  }
  if (user)
    reading->columns = count;
  return user;
}

static int read_values(struct reading *reading, struct wm_text line, bool first) {
  static const enum column plain[] = {COLUMN_USER, COLUMN_ROLE, COLUMN_UNTIL, COLUMN_REASON};
  struct wm_text values[COLUMNS], fields[COLUMNS] = {WM_NO_TEXT};
  size_t count;
  int got = split(reading, line, values, &count);
  if (got <= 0 || (first && read_head(reading, values, count)))
    return got < 0 ? -1 : 0;
  const enum column *order = reading->columns ? reading->order : plain;
  if (reading->columns && count > reading->columns)
    return complain(reading, "more values than the first line names:", line);
  for (size_t i = 0; i < count; i++)
    fields[order[i]] = values[i];
  return add(reading, fields);
}

/* --- the file --- */

static int read_lines(struct reading *reading, struct lines *lines) {
  bool end = false, first = true;
  for (;;) {
    struct wm_text line;
    int exit_code = lines_next(lines, &line, &end);
    if (exit_code != EXIT_FINE || end)
      return exit_code;
    reading->line = lines->number;
    if (first && wm_text_starts_with(line, WM_TEXT("\xef\xbb\xbf")))
      line = (struct wm_text){line.bytes + 3, line.size - 3};
    if (line_is_blank(line))
      continue;
    wm_arena_rewind(&reading->arena);
    int added = line.bytes[0] == '{' ? read_object(reading, line) : read_values(reading, line, first);
    if (added < 0)
      return say_memory();
    first = false;
  }
}

int request_file_read(struct asking *asking, const char *path, struct wm_text role) {
  struct reading reading = {.asking = asking, .path = strcmp(path, "-") == 0 ? "stdin" : path, .role = role};
  struct lines lines;
  wm_arena_init(&reading.arena, 0);
  int exit_code = lines_open(&lines, path);
  if (exit_code == EXIT_FINE)
    exit_code = read_lines(&reading, &lines);
  lines_close(&lines);
  wm_arena_release(&reading.arena);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (reading.mistakes > 0)
    return say(reading.exit_code, "nothing was sent: %zu of the lines can't be used", reading.mistakes);
  return asking->requests.count > 0 ? EXIT_FINE : say(EXIT_USAGE, "'%s' names nobody", reading.path);
}

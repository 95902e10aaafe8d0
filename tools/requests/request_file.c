#include "tools/requests/request_file.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "tools/directory/directory_csv.h"
#include "tools/lib/say.h"

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
  const char *quote = word.bytes ? "'" : "";
  if (place_of(reading, place))
    say(EXIT_USAGE, "%s%s%s%s%.*s%s", place, what, word.bytes ? " " : "", quote, WM_TEXT_ARG(wm_text_shown(word)),
        quote);
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
  if (value.type != WM_OBJECT)
    return complain(reading, "an object is needed, not", line);
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

/* A head names the columns: every cell is one of them, and 'user' is there. */
static bool read_head(struct reading *reading, const struct sheet_row *row) {
  bool user = false;
  for (size_t i = 0; i < row->count; i++) {
    size_t column = 0;
    while (column < COLUMNS && !wm_text_is(row->cells[i].text, column_names[column]))
      column++;
    if (column == COLUMNS || i == COLUMNS)
      return false;
    reading->order[i] = (enum column)column;
    user |= column == COLUMN_USER;
  }
  if (user)
    reading->columns = row->count;
  return user;
}

static int read_row(struct reading *reading, const struct sheet_row *row, bool first) {
  static const enum column plain[] = {COLUMN_USER, COLUMN_ROLE, COLUMN_UNTIL, COLUMN_REASON};
  struct wm_text fields[COLUMNS] = {WM_NO_TEXT};
  size_t most = reading->columns ? reading->columns : COLUMNS;
  reading->line = row->cells[0].line;
  if (first && read_head(reading, row))
    return 0;
  if (row->count > most)
    return complain(reading, "more values than there are columns, from", row->cells[most].text);
  for (size_t i = 0; i < row->count; i++)
    fields[(reading->columns ? reading->order : plain)[i]] = row->cells[i].text;
  return add(reading, fields);
}

static int read_rows(struct reading *reading, struct sheet *sheet) {
  struct sheet_row row;
  struct wm_error error;
  for (bool first = true;; first = false) {
    int added = 0;
    switch (sheet_next(sheet, &row, &error)) {
    case SHEET_ROW:
      added = read_row(reading, &row, first);
      break;
    case SHEET_BROKEN:
      reading->line = error.line;
      added = complain(reading, error.text, WM_NO_TEXT);
      break;
    case SHEET_END:
      return EXIT_FINE;
    case SHEET_FAILED:
      return EXIT_BUG;
    }
    if (added < 0)
      return say_memory();
  }
}

/* --- the file --- */

static int read_objects(struct reading *reading, struct lines *lines) {
  for (;;) {
    struct wm_text line;
    bool end;
    int exit_code = lines_next(lines, &line, &end);
    if (exit_code != EXIT_FINE || end)
      return exit_code;
    reading->line = lines->number;
    if (lines->number == 1 && wm_text_starts_with(line, WM_TEXT("\xef\xbb\xbf")))
      line = (struct wm_text){line.bytes + 3, line.size - 3};
    wm_arena_rewind(&reading->arena);
    if (!line_is_blank(line) && read_object(reading, line) < 0)
      return say_memory();
  }
}

/* What comes through a pipe can be read once only, but it is looked at before it is read: a copy in memory, under the
 * name that ends up in 'ret'. */
static int copy_stdin(int *ret_fd, char ret[static 32]) {
  char bytes[65536];
  ssize_t size;
  *ret_fd = memfd_create("requests", MFD_CLOEXEC);
  while (*ret_fd >= 0 && (size = read(STDIN_FILENO, bytes, sizeof bytes)) != 0) {
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0 || write(*ret_fd, bytes, (size_t)size) != size)
      return say(EXIT_USAGE, "can't read standard input: %s", strerror(errno));
  }
  snprintf(ret, 32, "/proc/self/fd/%d", *ret_fd);
  return *ret_fd < 0 ? say_memory() : EXIT_FINE;
}

/* Does the first line that is not blank begin an object? */
static int is_json(const char *path, bool *ret) {
  struct lines lines;
  struct wm_text line = WM_NO_TEXT;
  bool end = false;
  int exit_code = lines_open(&lines, path);
  do {
    if (exit_code == EXIT_FINE)
      exit_code = lines_next(&lines, &line, &end);
  } while (exit_code == EXIT_FINE && !end && line_is_blank(line));
  if (wm_text_starts_with(line, WM_TEXT("\xef\xbb\xbf")))
    line = (struct wm_text){line.bytes + 3, line.size - 3};
  *ret = exit_code == EXIT_FINE && !end && line.bytes[0] == '{';
  lines_close(&lines);
  return exit_code;
}

static int read_path(struct reading *reading, const char *path) {
  bool json;
  int exit_code = is_json(path, &json);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (json) {
    struct lines lines;
    exit_code = lines_open(&lines, path);
    if (exit_code == EXIT_FINE)
      exit_code = read_objects(reading, &lines);
    lines_close(&lines);
    return exit_code;
  }
  struct sheet *sheet;
  exit_code = sheet_open(path, 0, &sheet);
  if (exit_code == EXIT_FINE)
    exit_code = read_rows(reading, sheet);
  sheet_close(sheet);
  return exit_code;
}

int request_file_read(struct asking *asking, const char *path, struct wm_text role) {
  bool piped = strcmp(path, "-") == 0;
  struct reading reading = {.asking = asking, .path = piped ? "stdin" : path, .role = role};
  char copy[32];
  int fd = -1;
  wm_arena_init(&reading.arena, 0);
  int exit_code = piped ? copy_stdin(&fd, copy) : EXIT_FINE;
  if (exit_code == EXIT_FINE)
    exit_code = read_path(&reading, piped ? copy : path);
  if (fd >= 0)
    close(fd);
  wm_arena_release(&reading.arena);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (reading.mistakes > 0)
    return say(reading.exit_code, "nothing was sent: %zu of the lines can't be used", reading.mistakes);
  return asking->requests.count > 0 ? EXIT_FINE : say(EXIT_USAGE, "'%s' names nobody", reading.path);
}
